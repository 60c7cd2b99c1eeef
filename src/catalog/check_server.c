/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards between the keys and the server they live on: eviction, databases, cluster,
 * Pub/Sub, known libraries. */
#include <stdio.h>

#include "catalog/check_inside.h"
#include "catalog/words.h"

#define EACH(checker, i) for (size_t i = 0; i < (checker)->catalog->pattern_count; i++)

static void report_evictable(struct checker *checker, unsigned roles, unsigned but, bool more,
                             const char *code, const char *what) {
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        bool stream = more && pattern->type == PATTERN_TYPE_STREAM;
        checker->chosen[i] =
            pattern->kind == PATTERN_KEY &&
            (stream || ((checker->roles[i] & roles) && !(checker->roles[i] & but)));
    }
    char format[DIAGNOSTIC_TEXT_MAX];
    snprintf(format, sizeof format, "under %s %%s %s", checker->catalog->eviction_policy, what);
    checker_report(
        checker, SEVERITY_WARNING, code, format,
        "a server of their own with noeviction, or eviction class 'never' for these patterns");
}

static void check_eviction(struct checker *checker) {
    const char *policy = checker->catalog->eviction_policy;
    struct bytes stated = bytes_from_string(policy ? policy : "");
    if (words_start(stated, "allkeys-")) {
        report_evictable(
            checker, ROLE_QUEUE, 0, true, "queue-evictable",
            "can be evicted whole when memory is full, without an error: work vanishes");
        report_evictable(checker, ROLE_LOCK | ROLE_DEDUPE | ROLE_LIMIT | ROLE_SEMAPHORE,
                         ROLE_QUEUE | ROLE_CACHE, false, "lock-evictable",
                         "can be evicted: two get the lock, duplicates pass, limits begin anew");
        report_evictable(checker, ROLE_SESSION, ROLE_CACHE, false, "session-evictable",
                         "share memory with caches: a growing cache logs users out");
        return;
    }
    if (policy) return;
    struct bytes line;
    struct place place;
    size_t at = 0;
    while (document_next_line(checker, &at, "lru|lfu", &line, &place)) {
        if (!words_have_any(line, "evict|eviction|policy") ||
            words_have_any(line, "allkeys|volatile"))
            continue;
        checker_at(checker, SEVERITY_WARNING, "policy-unclear", place,
                   "LRU of which keys? allkeys-lru evicts queues, schedules and flags too; "
                   "volatile-lru evicts "
                   "sessions, locks and tokens, which have lifetimes",
                   "name the policy, and keep caches and the rest on servers of their own or give "
                   "patterns eviction "
                   "classes");
        return;
    }
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = checker_pattern(checker, i)->kind == PATTERN_KEY &&
                         checker_pattern(checker, i)->lifetime.kind == LIFETIME_NONE;
    if (checker->facts)
        checker_report(checker, SEVERITY_WARNING, "policy-unstated",
                       "no eviction policy is stated, and %s never expire: under allkeys-* they "
                       "can be evicted, under "
                       "noeviction they grow until writes fail",
                       "state the policy and the memory limit");
}

/* ---- databases ---- */

static void check_databases(struct checker *checker) {
    size_t placed = 0, keys = 0;
    uint32_t highest = 0;
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        keys += pattern->kind == PATTERN_KEY;
        placed += pattern->kind == PATTERN_KEY && pattern->database_count > 0;
        for (size_t j = 0; j < pattern->database_count; j++) {
            if (pattern->databases[j] > highest) highest = pattern->databases[j];
        }
    }
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = checker_pattern(checker, i)->kind == PATTERN_KEY &&
                         !checker_pattern(checker, i)->database_count;
    if (2 * placed > keys && placed < keys)
        checker_report(checker, SEVERITY_WARNING, "database-unstated",
                       "%s have no database, as others do: two services look for the same lock or "
                       "token in different "
                       "ones, and both are right",
                       "state the database of every pattern");
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = checker_pattern(checker, i)->kind == PATTERN_CHANNEL &&
                         checker_pattern(checker, i)->database_count;
    checker_report(
        checker, SEVERITY_WARNING, "channel-database",
        "the channels %s are given a database: Pub/Sub knows none, so that isolates nothing",
        "tell channels apart by their names");
    struct bytes line;
    struct place place;
    size_t at = 0;
    if (highest > 0 &&
        document_next_line(checker, &at, "redis cluster|cluster mode", &line, &place))
        checker_at(checker, SEVERITY_WARNING, "cluster-databases", place,
                   "Redis Cluster has database 0 only, and this document uses several; commands on "
                   "several keys "
                   "need them in one slot, and no key has a hash tag",
                   "tell data apart by prefix instead of database, and put a {tag} into keys used "
                   "together");
}

/* ---- Pub/Sub ---- */

static void check_channels(struct checker *checker) {
    checker_clear(checker);
    bool any = false, stream = false;
    EACH(checker, i) {
        checker->chosen[i] = checker_pattern(checker, i)->kind == PATTERN_CHANNEL;
        any |= checker->chosen[i];
        stream |= checker_pattern(checker, i)->type == PATTERN_TYPE_STREAM;
    }
    if (!any) return;
    checker_report(checker, SEVERITY_NOTE, "pubsub-forgets",
                   stream
                       ? "what is published on %s while nobody listens is lost, and to write the "
                         "stream and to "
                         "publish are two steps: a crash between them tells nobody"
                       : "what is published on %s while a receiver is away or reconnecting is lost",
                   stream ? "let receivers read the stream from their last ID whenever they connect"
                          : "keep the state itself in a key that receivers read when they connect, "
                            "or use a stream");
}

/* ---- libraries that name their own keys ---- */

static void check_libraries(struct checker *checker) {
    struct bytes line;
    struct place place;
    size_t at = 0;
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = checker_literal(checker, i, "celery") &&
                         checker_literal(checker, i, "task|queue|retry") &&
                         words_start(checker->literals[i], "celery:");
    checker_report(
        checker, SEVERITY_WARNING, "library-names",
        "Celery does not use %s: its queues are called as they are named ('celery'), its results "
        "'celery-task-meta-' and the ID",
        "document the names that the library really uses");
    if (!document_next_line(checker, &at, "bullmq", &line, &place)) return;
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] =
        (checker->roles[i] & ROLE_QUEUE) && checker_pattern(checker, i)->type == PATTERN_TYPE_LIST;
    checker_report(checker, SEVERITY_WARNING, "library-names",
                   "BullMQ does not use %s as a list: it makes ':wait', ':active', ':meta', ':id' "
                   "and a hash for each "
                   "job, so who reads this key sees no jobs",
                   "document the names that the library really uses");
    struct place bull = place;
    at = 0;
    if (document_next_line(checker, &at, "maxretriesperrequest", &line, &place) &&
        !words_have(line, "null"))
        checker_at(checker, SEVERITY_WARNING, "library-options", place,
                   "a BullMQ worker refuses to start with maxRetriesPerRequest other than null",
                   "give workers a connection of their own with maxRetriesPerRequest: null");
    at = 0;
    if (checker->catalog->eviction_policy ||
        document_next_line(checker, &at, "lru eviction|lru", &line, &place))
        checker_at(checker, SEVERITY_WARNING, "library-eviction", bull,
                   "BullMQ asks for noeviction: an LRU policy on the same server drops its jobs",
                   "a server of its own with noeviction, or eviction class 'never'");
}

/* ---- tenants ---- */

static bool has_tenant(const struct pattern *pattern) {
    const struct template *template = &pattern->key.template;
    if (pattern->tenant) return true;
    for (size_t i = 0; i < template->part_count; i++) {
        if (template->parts[i].is_variable &&
            words_are(template->parts[i].text,
                      "tenant|tenant_id|tenantid|client_id|clientid|engagement_id|org|org_id|"
                      "organization_id|organizationid|account_id|customer_id|workspace_id"))
            return true;
    }
    return false;
}

static void check_tenants(struct checker *checker) {
    struct bytes line;
    struct place place = {0};
    size_t at = 0;
    bool claimed = false, named = false;
    EACH(checker, i) named |= checker_pattern(checker, i)->tenant != NULL;
    while (!claimed && document_next_line(checker, &at, "tenant|multi-tenant", &line, &place))
        claimed = words_have_any(line, "all keys|every key|include tenant|isolation");
    if (!claimed && !named) return;
    checker_clear(checker);
    size_t without = 0;
    EACH(checker, i) {
        checker->chosen[i] = !has_tenant(checker_pattern(checker, i));
        without += checker->chosen[i];
    }
    if (without == 0) return;
    char what[DIAGNOSTIC_TEXT_MAX];
    snprintf(what, sizeof what,
             "keys are said to name their tenant, and %s do not: only IDs that nobody guesses keep "
             "tenants apart",
             checker_list(checker));
    if (claimed) {
        checker_at(checker, SEVERITY_WARNING, "tenant-missing", place, what,
                   "put the tenant into those keys");
    } else {
        checker_report(checker, SEVERITY_NOTE, "tenant-missing", "%s name no tenant, as others do",
                       "put the tenant into those keys, or say that they are shared");
    }
}

void check_server(struct checker *checker) {
    check_eviction(checker);
    check_databases(checker);
    check_channels(checker);
    check_libraries(checker);
    check_tenants(checker);
}
