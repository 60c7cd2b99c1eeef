/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards of lifetimes: keys that stay for ever, collections that vanish whole, parts of
 * one object that go apart. */
#include <stdio.h>

#include "catalog/check_inside.h"
#include "catalog/words.h"

#define EACH(checker, i) for (size_t i = 0; i < (checker)->catalog->pattern_count; i++)

static bool is_key(const struct checker *checker, size_t i) {
    return checker_pattern(checker, i)->kind == PATTERN_KEY;
}

static bool lives_on(const struct checker *checker, size_t i) {
    return checker_pattern(checker, i)->lifetime.kind != LIFETIME_LIMITED &&
           (checker->roles[i] & ROLE_EXPIRES) == 0;
}

static bool has_role(const struct checker *checker, size_t i, unsigned roles) {
    return (checker->roles[i] & roles) != 0;
}

/* One rule: keys of a role whose lifetime nobody stated, or that have none. */
static void check_immortal(struct checker *checker) {
    static const struct {
        unsigned roles, but; /* that it has, and has not */
        bool none;           /* also where "none" was stated on purpose */
        const char *code, *what, *remedy;
    } rows[] = {
        {ROLE_CACHE, ROLE_COLLECTION | ROLE_LOCK, true, "cache-immortal",
         "no lifetime is stated for the caches %s: what nobody asks for again stays for ever, and "
         "what changed stays stale",
         "state a lifetime, as long as stale data may be served"},
        {ROLE_LOCK, 0, true, "lock-immortal",
         "no lifetime is stated for the locks %s: a holder that crashes leaves them locked for "
         "ever",
         "take them with SET key owner NX PX milliseconds"},
        {ROLE_LIMIT, ROLE_LOCK | ROLE_CACHE | ROLE_SEMAPHORE, true, "limit-immortal",
         "no lifetime is stated for the counters %s: each user and window leaves a key behind, and "
         "one that is never reset blocks for ever",
         "let each counter expire with its window"},
        {ROLE_SESSION, ROLE_CACHE | ROLE_COLLECTION | ROLE_REGISTRY, true, "session-immortal",
         "no lifetime is stated for the sessions %s: who never logs out stays logged in, and stays "
         "in memory",
         "state a lifetime, and renew it with use"},
        {ROLE_SEMAPHORE, 0, true, "semaphore-immortal",
         "keys of %s have no lifetime: a holder that crashes keeps its place, and entries are told "
         "stale only by the clocks of clients, which differ",
         "remove entries older than the longest work before each admission, with the server's "
         "TIME, and let the key expire"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        checker_clear(checker);
        EACH(checker, i) {
            checker->chosen[i] = is_key(checker, i) && has_role(checker, i, rows[row].roles) &&
                                 !has_role(checker, i, rows[row].but) && lives_on(checker, i);
        }
        checker_report(checker, SEVERITY_WARNING, rows[row].code, rows[row].what, rows[row].remedy);
    }
}

static void check_growing(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->type == PATTERN_TYPE_STREAM && lives_on(checker, i) &&
                             checker_variables(checker, i) > 0;
    }
    checker_report(
        checker, SEVERITY_WARNING, "stream-immortal",
        "the streams %s never expire: each thing that is done with keeps its stream for ever",
        "let a stream expire some time after its last event, or delete it at the end");

    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] =
            is_key(checker, i) && lives_on(checker, i) &&
            checker_literal(checker, i, "completed|failed|done|history|processed|archive") &&
            has_role(checker, i, ROLE_QUEUE) && !checker_pattern(checker, i)->elements_max;
    }
    checker_report(
        checker, SEVERITY_WARNING, "history-unbounded",
        "%s have neither lifetime nor trimming stated: what is finished is kept without end",
        "trim them to a number, or let them expire");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        bool holds = pattern->type == PATTERN_TYPE_SET || pattern->type == PATTERN_TYPE_HASH;
        checker->chosen[i] = holds && lives_on(checker, i) &&
                             checker_literal(checker, i, "connections|online|clients|sockets") &&
                             checker_variables(checker, i) == 0;
    }
    checker_report(
        checker, SEVERITY_WARNING, "registry-leaks",
        "keys of %s list who is connected, and their entries cannot expire: those of a server that "
        "crashed stay for ever",
        "one key with a lifetime for each connection, or a sorted set of heartbeats that is swept");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] =
            is_key(checker, i) && pattern->lifetime.kind == LIFETIME_NONE && pattern->purpose &&
            words_have_any(bytes_from_string(pattern->purpose), "legacy|deprecated|former|old");
    }
    checker_report(
        checker, SEVERITY_WARNING, "legacy-immortal",
        "keys of %s are legacy and have no lifetime: they stay after their last reader is gone",
        "delete it once, or let the last writer give it a lifetime");
}

/* ---- lifetimes of whole collections ---- */

/* A list that is looked at rather than worked off. */
static bool is_kept_to_be_read(const struct checker *checker, size_t i) {
    return !has_role(checker, i, ROLE_QUEUE) &&
           (has_role(checker, i, ROLE_CACHE) ||
            checker_words(checker, i,
                          "feed|feeds|timeline|history|recent|latest|log|logs|events|messages|"
                          "chat|results|trending|top|replay"));
}

static void check_whole(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        bool zset = pattern->type == PATTERN_TYPE_ZSET;
        checker->chosen[i] =
            zset && pattern->lifetime.kind == LIFETIME_LIMITED && !pattern->elements_max;
    }
    checker_report(
        checker, SEVERITY_WARNING, "whole-key-lifetime",
        "members of %s cannot expire singly: either all vanish at once and the next ZADD or "
        "ZINCRBY begins a set without a lifetime, or each write renews it and it grows without end",
        "score by time and remove what is old (ZREMRANGEBYSCORE), or write into a new key and "
        "rename");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->type == PATTERN_TYPE_LIST &&
                             pattern->lifetime.kind == LIFETIME_LIMITED && !pattern->elements_max &&
                             checker_variables(checker, i) == 0;
    }
    checker_report(checker, SEVERITY_WARNING, "list-unbounded",
                   "keys of %s have one lifetime for the whole list: if each push renews it, the "
                   "list grows without bound, else all is gone at once",
                   "LTRIM after each push, in one transaction");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->type == PATTERN_TYPE_LIST &&
                             pattern->lifetime.kind == LIFETIME_LIMITED && !pattern->elements_max &&
                             checker_variables(checker, i) > 0 && !is_kept_to_be_read(checker, i);
    }
    checker_report(checker, SEVERITY_WARNING, "work-expires",
                   "what waits in %s longer than its lifetime is lost without a trace: a backlog "
                   "or a stopped worker is enough",
                   "give it no lifetime until it is done with, or renew it while it waits");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->type == PATTERN_TYPE_SET &&
                             pattern->lifetime.kind == LIFETIME_LIMITED && !pattern->elements_max &&
                             has_role(checker, i, ROLE_CACHE) &&
                             checker_literal(checker, i, "tag|tags|index");
    }
    checker_report(checker, SEVERITY_WARNING, "index-lifetime",
                   "keys of %s expire as a whole, however lately something was added, and keep the "
                   "names of keys that are long gone",
                   "renew the lifetime with each SADD, to no less than that of the keys it names");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->type == PATTERN_TYPE_HASH && pattern->lifetime.default_ms &&
                             !pattern->lifetime.after &&
                             checker_words(checker, i, "live|real-time|realtime") &&
                             checker_literal(checker, i, "stats|live|count|counters|metrics");
    }
    checker_report(checker, SEVERITY_WARNING, "counts-expire",
                   "keys of %s count live and lose all counts when their lifetime ends; an HINCRBY "
                   "afterwards makes them anew without any lifetime",
                   "set the lifetime with every increment, in one script or transaction");
}

/* ---- things that belong together ---- */

/* The template up to and with its only variable, where literals follow:
 * "batch:{}:"; no data otherwise. */
static struct bytes object_of(const struct checker *checker, size_t i) {
    struct bytes literal = checker->literals[i];
    size_t at = words_find(literal, "{}:");
    if (at == literal.len || !is_key(checker, i)) return (struct bytes){0};
    struct bytes rest = words_from(literal, at + 3);
    if (words_index(rest, ':') < rest.len || words_index(rest, '{') < rest.len)
        return (struct bytes){0};
    return words_until(literal, at + 3);
}

static void check_objects(struct checker *checker) {
    EACH(checker, i) {
        struct bytes object = object_of(checker, i);
        size_t members = 0, limited = 0;
        bool first = true, other = false;
        if (!object.data || has_role(checker, i, ROLE_QUEUE)) continue;
        checker_clear(checker);
        EACH(checker, j) {
            if (!bytes_equal(object_of(checker, j), object)) continue;
            if (j < i) first = false;
            checker->chosen[j] = true;
            members++;
            limited += checker_pattern(checker, j)->lifetime.kind == LIFETIME_LIMITED;
            other |= !lifetime_equal(&checker_pattern(checker, i)->lifetime,
                                     &checker_pattern(checker, j)->lifetime);
        }
        if (!first || members < 3 || limited < 2) continue;
        checker_report(
            checker, SEVERITY_WARNING, "object-in-parts",
            other
                ? "%s are one object in several keys, with lifetimes that are not even the same: "
                  "it can be half gone"
                : "%s are one object in several keys that expire on their own: it can be half gone",
            "one hash for the object, or write and renew all of them in one transaction");
    }
}

/* Pairs of counters of one object: read one after the other, they do not belong together. */
static void check_pairs(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        struct bytes object = object_of(checker, i);
        size_t members = 0;
        if (!object.data || has_role(checker, i, ROLE_QUEUE)) continue;
        EACH(checker, j) members += bytes_equal(object_of(checker, j), object);
        const struct pattern *pattern = checker_pattern(checker, i);
        struct bytes purpose = bytes_from_string(pattern->purpose ? pattern->purpose : "");
        checker->chosen[i] =
            members == 2 && lives_on(checker, i) &&
            (words_have_any(purpose, "count|counter|success|failure|successes|failures") ||
             words_end(checker->literals[i], ":alpha") || words_end(checker->literals[i], ":beta"));
    }
    checker_report(
        checker, SEVERITY_WARNING, "pair-in-parts",
        "%s are two halves in keys of their own: a reader can get the new one with the old other",
        "read both with MGET, or keep them as two fields of a hash");
}

/* The word before "id" in the only variable of a pattern: "jobId",
 * "session_id" give job, session. */
static struct bytes stem_of(const struct checker *checker, size_t number) {
    const struct template *template = &checker_pattern(checker, number)->key.template;
    if (checker_variables(checker, number) != 1) return (struct bytes){0};
    for (size_t i = 0; i < template->part_count; i++) {
        struct bytes name = template->parts[i].text;
        if (!template->parts[i].is_variable || name.len < 4) continue;
        if (!words_are(words_from(name, name.len - 2), "id")) continue;
        name.len -= 2;
        while (name.len && name.data[name.len - 1] == '_') name.len--;
        return name;
    }
    return (struct bytes){0};
}

/* An index of IDs outlives the things it names. */
static void check_indexes(struct checker *checker) {
    bool *told = arena_zalloc(&checker->arena, checker->catalog->pattern_count + 1);
    EACH(checker, thing) {
        const struct pattern *pattern = checker_pattern(checker, thing);
        struct bytes stem = stem_of(checker, thing);
        char words[160];
        if (stem.len < 3 || stem.len > 30 || pattern->lifetime.kind != LIFETIME_LIMITED ||
            !is_key(checker, thing) || has_role(checker, thing, ROLE_CACHE))
            continue;
        char lower[32], ids[48];
        size_t len = 0;
        for (; len < stem.len && len + 1 < sizeof lower; len++)
            lower[len] = word_lower(stem.data[len]);
        lower[len] = '\0';
        snprintf(words, sizeof words, "%ss", lower);
        snprintf(ids, sizeof ids, "%s ids", lower);
        checker_clear(checker);
        EACH(checker, i) {
            const struct pattern *index = checker_pattern(checker, i);
            bool set = index->type == PATTERN_TYPE_SET || index->type == PATTERN_TYPE_ZSET;
            bool longer = index->lifetime.kind == LIFETIME_NONE ||
                          (index->lifetime.default_ms > pattern->lifetime.default_ms &&
                           pattern->lifetime.default_ms);
            checker->chosen[i] =
                i != thing && set && longer && !has_role(checker, i, ROLE_QUEUE) &&
                (checker_literal(checker, i, words) ||
                 (index->purpose && words_have_any(bytes_from_string(index->purpose), ids)));
        }
        EACH(checker, i) told[i] |= checker->chosen[i];
        char format[DIAGNOSTIC_TEXT_MAX];
        snprintf(format, sizeof format,
                 "keys of %%s outlive the keys they name: '%.200s' expires before, and the index "
                 "fills with IDs of what is gone",
                 pattern->key.template.text);
        if (memchr(pattern->key.template.text, '%', strlen(pattern->key.template.text))) continue;
        checker_report(checker, SEVERITY_WARNING, "index-outlives", format,
                       "remove IDs when things end, sweep what is gone on reading, and give the "
                       "index a lifetime");
    }
}

static void check_conditional(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) checker->chosen[i] = checker_pattern(checker, i)->lifetime.after != NULL;
    checker_report(
        checker, SEVERITY_WARNING, "lifetime-after",
        "keys of %s get their lifetime only at the end: what dies on the way is kept for ever, in "
        "the state it had",
        "set a long lifetime at creation and renew it with progress; shorten it at the end");
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        size_t parts = pattern->key.template.part_count;
        const struct template_part *last = parts ? &pattern->key.template.parts[parts - 1] : NULL;
        checker->chosen[i] = pattern->type == PATTERN_TYPE_STRING &&
                             pattern->value == FORMAT_JSON && last && last->is_variable &&
                             words_are(last->text, "date|day|hour|month|week");
    }
    checker_report(checker, SEVERITY_WARNING, "document-of-many",
                   "keys of %s gather a whole day in one JSON value: every addition reads and "
                   "writes all of it, and of two writers at once one loses",
                   "a hash with a field for each, or a list");
}

void check_lifetimes(struct checker *checker) {
    check_immortal(checker);
    check_growing(checker);
    check_whole(checker);
    if (checker->catalog->pattern_count <= 2000) {
        check_objects(checker);
        check_pairs(checker);
        check_indexes(checker);
    }
    check_conditional(checker);
}
