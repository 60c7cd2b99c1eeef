/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The expiry sweep. The table itself is swept: entries with an expiry are marked in their slots,
 * and each segment keeps a lower bound of when the first of them is due, so a segment where nothing
 * is due costs one comparison, and a lifetime costs no index.
 */
#include "base/memory.h"
#include "store/patterns_inside.h"
#include "types/hash.h"

enum { SWEEP_BATCH = 64, FIELDS_STEP = 1024 };

struct sweep_job {
    int64_t now_ms;
    unsigned most;
    bool more;
};

static uint64_t entry_due(const void *element, void *context) {
    const struct entry *entry = element;
    (void)context;
    uint64_t due = entry_has(entry, ENTRY_EXPIRES) ? (uint64_t)entry_expiry(entry) : UINT64_MAX;
    uint64_t fields = (uint64_t)entry_fields_expiry(entry);
    return fields < due ? fields : due;
}

/* Removes the fields of a hash that are due, a bounded number of them. */
static void sweep_fields(struct shard *shard, unsigned db, const struct key *key,
                         struct entry *entry, int64_t now_ms) {
    struct store *store = shard->store;
    struct hash *hash = entry_value(entry);
    store_open(store, db, entry);
    size_t removed = hash_expire_fields(hash, now_ms, FIELDS_STEP);
    shard->expired_fields += removed;
    if (removed) store_changed(store, db, key, EVENT_HASH, "hexpired");
    if (hash_count(hash) == 0) {
        store_delete(store, db, key, entry, true);
        store_changed(store, db, key, EVENT_GENERIC, "del");
        return;
    }
    store_settle(store);
    uint64_t due = entry_due(entry, NULL);
    if (due != UINT64_MAX) table_note_due(&shard->dbs[db].table, key->hash, due);
}

static void sweep_entry(struct shard *shard, unsigned db, struct entry *entry, int64_t now_ms) {
    struct store *store = shard->store;
    struct kept_key kept;
    kept_key_init(&kept, entry);
    bool there =
        pattern_is_settled(store, entry) || pattern_settle_entry(store, db, &kept.key, entry);
    if (there && entry_has(entry, ENTRY_EXPIRES) && entry_expiry(entry) < now_ms)
        store_expire(store, db, &kept.key, entry);
    else if (there)
        sweep_fields(shard, db, &kept.key, entry, now_ms);
    kept_key_done(&kept);
}

static void sweep_shard(struct shard *shard, void *context) {
    struct sweep_job *job = context;
    for (unsigned db = 0; db < shard->store->db_count; db++) {
        struct shard_db *shard_db = &shard->dbs[db];
        if (table_count(&shard_db->table) == 0) continue;
        struct table_sweep sweep = {
            .position = shard_db->sweep_from,
            .now =
                (uint64_t)job->now_ms - 1, /* a key lives through the millisecond of its expiry */
            .marks = ENTRY_MARK_EXPIRES | ENTRY_MARK_FIELDS_EXPIRE,
            .most = job->most,
            .due = entry_due,
        };
        void *due[SWEEP_BATCH];
        unsigned found = table_sweep(&shard_db->table, &sweep, due, SWEEP_BATCH);
        for (unsigned i = 0; i < found; i++) sweep_entry(shard, db, due[i], job->now_ms);
        shard_db->sweep_from = sweep.position;
        if (!sweep.finished) job->more = true;
    }
}

bool store_sweep(struct store *store, unsigned shard, int64_t now_ms, unsigned most) {
    struct sweep_job job = {.now_ms = now_ms, .most = most};
    (void)store_visit_if_free(store, shard, sweep_shard, &job);
    return job.more;
}
