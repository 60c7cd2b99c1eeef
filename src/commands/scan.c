/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * KEYS, SCAN, RANDOMKEY, DBSIZE: the keyspace visited shard by shard, none held
 * longer than a step needs.
 *
 * Every key that is there from SCAN's first call to the last is returned exactly once, whatever
 * the tables do meanwhile; but for keys that may move from legacy names to canonical ones, which
 * may be met again (walk.h).
 */
#include "base/arena.h"
#include "base/glob.h"
#include "base/random.h"
#include "commands/families.h"
#include "commands/walk.h"
#include "server/aliases.h"
#include "server/arguments.h"
#include "server/server.h"
#include "store/shard.h"

static bool is_gone(const struct request *request, const struct entry *entry) {
    return !store_is_there(request->store, request->db, entry, request->now_ms);
}

static const struct table *shard_table(const struct request *request, const struct shard *shard) {
    return &shard->dbs[request->db].table;
}

/* ---- KEYS ---- */

struct legacy_name {
    struct legacy_name *next;
    struct bytes name, canonical;
};

struct keys_job {
    struct bytes pattern;
    bool all;
    size_t found;
    struct legacy_name
        *legacy; /* entries that are still stored under other names than they are shown by */
};

static void reply_key(struct request *request, struct keys_job *job, struct bytes name) {
    if (!job->all && !glob_match(job->pattern, name, false)) return;
    reply_bulk(request->reply, name);
    job->found++;
}

static void legacy_found(struct request *request, struct keys_job *job, struct bytes name,
                         struct bytes canonical) {
    struct legacy_name *legacy = arena_try_alloc(request->arena, sizeof *legacy);
    if (legacy == NULL) {
        request->reply->overflow = true;
        return;
    }
    *legacy = (struct legacy_name){job->legacy, name, canonical};
    job->legacy = legacy;
}

static void keys_of_shard(struct request *request, struct shard *shard, void *context) {
    struct keys_job *job = context;
    struct table_iter iter;
    table_iter_init(&iter, shard_table(request, shard));
    for (const struct entry *entry = table_iter_next(&iter); entry != NULL;
         entry = table_iter_next(&iter)) {
        struct bytes name = entry_key(entry);
        if (is_gone(request, entry)) continue;
        struct bytes shown = request_shown_name(request, name);
        if (kn_unlikely(shown.data != name.data))
            legacy_found(request, job, name, shown);
        else
            reply_key(request, job, name);
    }
}

/* Of several entries of one key only one is it. */
static void reply_legacy(struct request *request, struct keys_job *job) {
    for (const struct legacy_name *each = job->legacy; each != NULL; each = each->next)
        if (request_is_key(request, each->name, each->canonical))
            reply_key(request, job, each->canonical);
}

/* A pattern whose beginning holds a whole hash tag can match keys of one slot only. */
static bool pattern_shard(struct bytes pattern, unsigned *ret_shard) {
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];
        if (c == '*' || c == '?' || c == '[' || c == '\\') return false;
        if (c != '{') continue;
        size_t end = i + 1;
        while (end < pattern.len && strchr("*?[\\}", pattern.data[end]) == NULL) end++;
        if (end == pattern.len || pattern.data[end] != '}' || end == i + 1) return false;
        *ret_shard = slot_of_key(bytes_make(pattern.data + i, end - i + 1)) / SLOTS_PER_SHARD;
        return true;
    }
    return false;
}

static void cmd_keys(struct request *request) {
    struct keys_job job = {.pattern = argument(request, 1)};
    unsigned only;
    uint64_t generation;
    bool migrating = aliases_pending(request->server->aliases, &generation);
    /* Keys must not move while they are listed. */
    if (migrating && request->server->worker_count > 1 && !(request->flags & REQUEST_ALL_SHARDS)) {
        request->wants_all = true;
        return;
    }
    bool one = !migrating && pattern_shard(job.pattern, &only);
    job.all = bytes_equal(job.pattern, BYTES("*"));
    size_t mark = reply_defer(request->reply);
    for (unsigned shard = one ? only : 0; shard < (one ? only + 1 : SHARD_COUNT); shard++)
        request_visit_shard(request, shard, keys_of_shard, &job);
    if (migrating) reply_legacy(request, &job);
    if (kn_unlikely(aliases_generation(request->server->aliases) != generation)) {
        /* Other names have come into force between two shards, and keys may have moved. */
        reply_rewind(request->reply, mark);
        request->wants_all = true;
        return;
    }
    reply_defer_array(request->reply, mark, job.found);
}

/* ---- SCAN ---- */

struct scan_job {
    struct request *request;
    struct scan_options options;
    bool any_type;
    const char *type;
    struct walk walk;
    uint64_t looked;
    size_t found;
};

static void scan_entry(void *element, void *context) {
    const struct entry *entry = element;
    struct scan_job *job = context;
    struct bytes name = entry_key(entry);
    job->looked++;
    if (is_gone(job->request, entry) || !walk_wants(&job->walk, job->request, name)) return;
    name = request_shown_name(job->request, name);
    if (!job->any_type && !bytes_is_word(job->options.type, value_type_name(entry_type(entry))))
        return;
    if (job->options.has_match && !glob_match(job->options.match, name, false)) return;
    reply_bulk(job->request->reply, name);
    job->found++;
}

static void scan_shard(struct request *request, struct shard *shard, void *context) {
    struct scan_job *job = context;
    const struct table *table = shard_table(request, shard);
    do job->walk.position = table_scan(table, job->walk.position, scan_entry, job);
    while (job->walk.position != 0 &&
           (job->looked < job->options.count || !walk_can_rest(&job->walk)));
}

static void cmd_scan(struct request *request) {
    struct scan_job job = {.request = request};
    if (!argument_scan(request, 1, &job.options)) return;
    job.any_type = job.options.type.data == NULL;
    unsigned only;
    job.walk = walk_from(request, job.options.cursor);
    if (job.options.has_match && pattern_shard(job.options.match, &only))
        walk_narrow(&job.walk, only);
    size_t start = request->reply->out->len;
    bool more = job.walk.shard <= job.walk.last;
    while (more && job.looked < job.options.count) {
        request_visit_shard(request, job.walk.shard, scan_shard, &job);
        more = walk_on(&job.walk, request);
    }
    walk_reply(request, start, &job.walk, more, job.found);
}

/* ---- RANDOMKEY, DBSIZE ---- */

struct count_job {
    size_t sums[SHARD_COUNT]; /* keys up to and with this shard */
    size_t total;
};

static void count_shard(struct request *request, struct shard *shard, void *context) {
    struct count_job *job = context;
    job->total += table_count(shard_table(request, shard));
    job->sums[shard->index] = job->total;
}

static void count_keys(struct request *request, struct count_job *job) {
    job->total = 0;
    for (unsigned shard = 0; shard < SHARD_COUNT; shard++)
        request_visit_shard(request, shard, count_shard, job);
}

static void cmd_dbsize(struct request *request) {
    struct count_job job;
    count_keys(request, &job);
    /* What was purged is in the tables for a while. */
    size_t gone = store_purged_keys(request->store, request->db);
    reply_int(request->reply, (int64_t)(gone < job.total ? job.total - gone : 0));
}

static uint64_t next_random(void *context) {
    (void)context;
    return random_next();
}

static void random_of_shard(struct request *request, struct shard *shard, void *context) {
    const struct entry *entry = table_random(shard_table(request, shard), next_random, NULL);
    bool *replied = context;
    if (entry == NULL) return;
    struct key key = key_make(entry_key(entry));
    if (is_gone(request, entry)) {
        /* Finding it deletes it, and its name with it. */
        key.name = arena_copy(request->arena, key.name);
        (void)request_find_key(request, &key);
        return;
    }
    reply_bulk(request->reply, request_shown_name(request, key.name));
    *replied = true;
}

static void cmd_randomkey(struct request *request) {
    struct count_job job;
    bool replied = false;
    /* A shard is chosen by how many keys it has; what was found may be gone or
     * expired, then another is tried. */
    for (count_keys(request, &job); !replied && job.total > 0; count_keys(request, &job)) {
        size_t place = random_below(job.total);
        unsigned shard = 0;
        while (job.sums[shard] <= place) shard++;
        request_visit_shard(request, shard, random_of_shard, &replied);
        if (replied) return;
    }
    reply_null(request->reply);
}

enum { VISITS = COMMAND_READONLY | COMMAND_VISITS_SHARDS };

static const struct command rows[] = {
    {.name = "keys",
     .arity = 2,
     .flags = VISITS,
     .groups = GROUP_KEYSPACE | GROUP_DANGEROUS,
     .since = "1.0.0",
     .complexity = "O(N) with N being the number of keys in the database.",
     .summary = "Returns all key names that match a pattern.",
     .syntax = "pattern",
     .reply = "array of bulk",
     .handler = cmd_keys},
    {.name = "scan",
     .arity = -2,
     .flags = VISITS,
     .groups = GROUP_KEYSPACE,
     .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration.",
     .summary = "Iterates over the key names in the database.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .reply = "array of cursor and array of bulk",
     .handler = cmd_scan},
    {.name = "randomkey",
     .arity = 1,
     .flags = VISITS,
     .groups = GROUP_KEYSPACE,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns a random key name from the database.",
     .syntax = "",
     .reply = "bulk | null",
     .handler = cmd_randomkey},
    {.name = "dbsize",
     .arity = 1,
     .flags = VISITS | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the number of keys in the database.",
     .syntax = "",
     .reply = "integer",
     .handler = cmd_dbsize},
    {0},
};

const struct command_family scan_commands = {"generic", rows};
