/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk over the keyspace that looks for entries under legacy names, and moves them
 * where that was asked for.
 *
 * The first pass also sees to keys that are there by several of their names: one of them is the
 * key, by the same rule as when it is asked for, and the others go. From then on every key has one
 * entry, and what counts entries counts keys. That pass is made as fast as if somebody waited for
 * it. A pass is begun after its table came into force, and no entry gets a legacy name from then
 * on; so what a whole pass has not seen is not there, and the pattern is migrated. Only swapping
 * databases moves entries past the walk: then the pass does not count. Names are collected with one
 * shard held, and moved afterwards, each with the shards of all its names held as a set.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "catalog/matcher.h"
#include "server/aliases.h"
#include "server/server.h"
#include "store/patterns.h"
#include "store/shard.h"

struct found {
    struct found *next;
    unsigned db;
    struct bytes name; /* the legacy one */
    bool wanted; /* it is to be moved; else only to give way, if the key is there by another name */
};

struct migration {
    struct alias_table *table; /* that the pass is about, with a reference */
    uint64_t generation;
    unsigned shard, db;
    uint64_t cursor;
    int64_t *seen; /* by number */
    struct server *server;
    struct arena arena; /* for a step */
    struct found *found;
    unsigned looked_at, most;
    bool stale; /* other aliases are in force */
};

void migration_free(struct migration *migration) {
    if (migration == NULL) return;
    alias_table_unref(migration->table);
    mem_free(migration->seen);
    arena_done(&migration->arena);
    mem_free(migration);
}

static size_t numbers_of(const struct alias_table *table) {
    return matcher_pattern_count(alias_table_matcher(table)) + 1;
}

static void pass_begin(struct migration *migration) {
    migration->shard = migration->db = 0;
    migration->cursor = 0;
    memset(migration->seen, 0, numbers_of(migration->table) * sizeof *migration->seen);
    atomic_store(&migration->server->aliases->disturbed, false);
}

/* Other aliases than the walk knows: it begins anew. Returns false when there are none. */
static bool follow(struct migration *migration) {
    uint64_t generation;
    struct alias_table *table = aliases_now(migration->server->aliases, &generation);
    if (generation == migration->generation) return table != NULL;
    alias_table_unref(migration->table);
    mem_free(migration->seen);
    migration->table = table;
    migration->generation = generation;
    migration->seen = NULL;
    if (table == NULL) return false;
    alias_table_ref(table);
    migration->seen = mem_alloc(numbers_of(table) * sizeof *migration->seen);
    pass_begin(migration);
    return true;
}

static void report_conflicts(const struct migration *migration, unsigned number,
                             struct alias_progress *progress) {
    int64_t conflicts = atomic_load(&progress->conflicts);
    if (conflicts == atomic_load(&progress->reported)) return;
    atomic_store(&progress->reported, conflicts);
    log_warning("Catalog pattern %s: %lld entries under legacy names were dropped, since their "
                "keys were there by the pattern's own name, or by an earlier alias",
                matcher_pattern(alias_table_matcher(migration->table), number)->name,
                (long long)conflicts);
}

static void pass_over(struct migration *migration) {
    bool counts = !atomic_load(&migration->server->aliases->disturbed);
    for (unsigned i = 1; i < numbers_of(migration->table) && counts; i++) {
        struct alias_progress *progress = alias_progress(migration->table, i);
        if (progress == NULL || !atomic_load(&progress->pending)) continue;
        report_conflicts(migration, i, progress);
        /* What this pass has moved will not be there in the next. */
        if (!atomic_load(&progress->wanted) || migration->seen[i] == 0)
            atomic_store(&progress->left, migration->seen[i]);
        if (migration->seen[i] == 0) alias_migrated(migration->table, progress);
    }
    pass_begin(migration);
}

static void look_at(void *element, void *context) {
    struct migration *migration = context;
    const struct entry *entry = element;
    struct bytes name = entry_key(entry), canonical;
    unsigned number;
    migration->looked_at++;
    if (!alias_concerns(migration->table, name)) return;
    if (!alias_canonical(migration->table, name, &migration->arena, &canonical, &number)) {
        /* It is not known what the name is: the pass does not count. */
        aliases_disturb(migration->server->aliases);
        return;
    }
    if (number == 0 || bytes_equal(canonical, name)) return;
    migration->seen[number]++;
    const struct alias_progress *progress = alias_progress(migration->table, number);
    bool wanted = atomic_load(&progress->wanted);
    if (!wanted && atomic_load(&progress->left) != ALIAS_LEFT_UNKNOWN) return;
    struct found *found = arena_alloc(&migration->arena, sizeof *found);
    *found = (struct found){migration->found, migration->db, arena_copy(&migration->arena, name),
                            wanted};
    migration->found = found;
}

static void visit(struct shard *shard, void *context) {
    struct migration *migration = context;
    migration->stale = aliases_generation(migration->server->aliases) != migration->generation;
    if (migration->stale) return;
    const struct table *table = &shard->dbs[migration->db].table;
    do {
        migration->looked_at++;
        migration->cursor =
            table_count(table) == 0 ? 0 : table_scan(table, migration->cursor, look_at, migration);
    } while (migration->cursor != 0 && migration->looked_at < migration->most);
}

/* ---- moving ---- */

struct twins {
    const struct migration *migration;
    struct shard_set set;
    struct key key;
    unsigned number, db, there; /* names that have entries */
    int64_t now_ms;
};

static void twin_shard(void *context, struct bytes twin) {
    struct twins *twins = context;
    shard_set_add(&twins->set, key_make(twin).shard);
}

static void twin_count(void *context, struct bytes name) {
    struct twins *twins = context;
    struct key twin = key_make(name);
    struct store *store = twins->migration->server->store;
    twins->there += store_find(store, twins->db, &twin, twins->now_ms) != NULL;
}

static void twin_adopt(void *context, struct bytes name) {
    struct twins *twins = context;
    struct key twin = key_make(name);
    alias_adopt(twins->migration->server->store, twins->migration->table, twins->number, twins->db,
                &twins->key, &twin, twins->now_ms);
}

/* With the shards of all its names held. */
static void settle_key(struct twins *twins, const struct found *found) {
    const struct migration *migration = twins->migration;
    struct store *store = migration->server->store;
    struct key own = key_make(found->name);
    twin_count(twins, twins->key.name);
    alias_each_twin(migration->table, twins->number, twins->key.name, twin_count, twins);
    if (found->wanted || twins->there > 1) {
        alias_each_twin(migration->table, twins->number, twins->key.name, twin_adopt, twins);
        store_settle(store);
    }
    /* What is to be moved stays counted, so that another pass proves that it is done. */
    if (!found->wanted && store_find(store, found->db, &own, INT64_MIN) == NULL)
        migration->seen[twins->number]--;
}

/* All twins of a key at once, so that the first of its aliases wins. */
static bool move(struct migration *migration, const struct found *found) {
    struct store *store = migration->server->store;
    struct twins twins = {.migration = migration, .db = found->db, .now_ms = clock_realtime_ms()};
    struct bytes canonical;
    if (!alias_canonical(migration->table, found->name, &migration->arena, &canonical,
                         &twins.number)) {
        aliases_disturb(migration->server->aliases); /* the pass has left something undone */
        return false;
    }
    twins.key = key_make(canonical);
    shard_set_add(&twins.set, twins.key.shard);
    alias_each_twin(migration->table, twins.number, canonical, twin_shard, &twins);
    if (!store_take(store, &twins.set)) {
        aliases_disturb(migration->server->aliases);
        return false;
    }
    bool current = aliases_generation(migration->server->aliases) == migration->generation;
    if (current) settle_key(&twins, found);
    store_give(store, &twins.set);
    return current;
}

bool aliases_migrate_step(struct server *server, unsigned most) {
    struct aliases *aliases = server->aliases;
    bool more = false, moves = true;
    if (kn_likely(aliases_generation(aliases) == 0) || !aliases_pending(aliases, NULL))
        return false;
    if (aliases->migration == NULL) {
        aliases->migration = mem_zalloc(sizeof *aliases->migration);
        aliases->migration->server = server;
    }
    struct migration *migration = aliases->migration;
    if (!follow(migration)) return false;
    migration->most = most;
    migration->looked_at = 0;
    migration->found = NULL;
    while (migration->looked_at < most) {
        if (!store_visit(server->store, migration->shard, false, visit, migration)) break;
        if (migration->stale) break;
        if (migration->cursor != 0) continue;
        if (++migration->db < store_db_count(server->store)) continue;
        migration->db = 0;
        if (++migration->shard < SHARD_COUNT) continue;
        pass_over(migration);
        break;
    }
    for (const struct found *each = migration->found; each != NULL && moves; each = each->next)
        moves = move(migration, each);
    for (unsigned i = 1; i < numbers_of(migration->table); i++) {
        const struct alias_progress *progress = alias_progress(migration->table, i);
        more |=
            progress != NULL && atomic_load(&progress->pending) &&
            (atomic_load(&progress->wanted) || atomic_load(&progress->left) == ALIAS_LEFT_UNKNOWN);
    }
    arena_reset(&migration->arena);
    return more;
}
