/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The census: a walk over the whole keyspace, again and again, a few entries at a time. It settles
 * entries whose id was retired, frees ids that no entry has any more, and sees how elements, idle
 * times and bytes are spread.
 */
#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

enum { BATCH = 1024 }; /* more than a segment of a table holds */

struct census {
    uint64_t pass; /* that is going on */
    unsigned shard, db;
    uint64_t cursor;
    /* Of the catalogs in force when they were begun, by number. */
    const struct view *view;
    struct pattern_census *counting, *counted;
};

struct census *census_new(void) {
    struct census *census = mem_zalloc(sizeof *census);
    census->pass = 1;
    return census;
}

void census_free(struct census *census) {
    mem_free(census->counting);
    mem_free(census->counted);
    mem_free(census);
}

uint64_t census_pass(const struct census *census) {
    return census->pass;
}

static unsigned class_of(uint64_t value) {
    unsigned bits = value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
    return bits < CENSUS_CLASSES ? bits : CENSUS_CLASSES - 1;
}

/* Other catalogs have come into force: what was seen so far is about others. */
static void census_follow_view(struct patterns *patterns) {
    struct census *census = patterns->census;
    const struct view *view = patterns->view;
    if (census->view == view) return;
    lock_take(&patterns->lock);
    mem_free(census->counting);
    mem_free(census->counted);
    census->counting = mem_zalloc(view->numbers * sizeof *census->counting);
    census->counted = NULL;
    census->view = view;
    lock_give(&patterns->lock);
}

static void census_count(struct census *census, const struct store *store,
                         const struct entry *entry) {
    struct pattern_census *sums = &census->counting[store_pattern_number(store, entry->pattern)];
    sums->keys++;
    sums->expiring += entry_has(entry, ENTRY_EXPIRES);
    sums->elements[class_of(entry_count(entry))]++;
    sums->idle_s[class_of((uint64_t)store_idle_seconds(store, entry))]++;
    sums->bytes[class_of(entry_bytes(entry) + ENTRY_SLOT_BYTES)]++;
}

/* ---- a step ---- */

struct step {
    unsigned looked_at, most;
    bool more; /* ids are left to be settled */
    unsigned found;
    void *entries[BATCH];
};

static void step_visit(void *element, void *context) {
    struct step *step = context;
    kn_require(step->found < BATCH);
    step->entries[step->found++] = element;
}

static void settle(struct store *store, unsigned db, struct entry *entry) {
    struct kept_key kept;
    kept_key_init(&kept, entry);
    pattern_settle_entry(store, db, &kept.key, entry);
    kept_key_done(&kept);
}

/* The pass is over: ids that were retired before it began are in no entry any more. */
static void pass_over(struct patterns *patterns) {
    struct census *census = patterns->census;
    lock_take(&patterns->lock);
    for (unsigned id = 0; id < patterns->id_count && patterns->retired > 0; id++) {
        enum id_state state = patterns->state[id];
        if (state == ID_LIVE || state == ID_FREE || patterns->ids[id].settled) continue;
        if (patterns->ids[id].retired_at < census->pass) pattern_id_free(patterns, (uint16_t)id);
    }
    purges_forget(patterns, census->pass);
    mem_free(census->counted);
    census->counted = census->counting;
    census->counting = mem_zalloc(patterns->view->numbers * sizeof *census->counting);
    census->pass++;
    lock_give(&patterns->lock);
}

static void census_shard(struct shard *shard, void *context) {
    struct step *step = context;
    struct store *store = shard->store;
    struct patterns *patterns = patterns_of(store);
    struct census *census = patterns->census;
    census_follow_view(patterns);
    step->more = patterns->retired > 0;
    while (step->looked_at < step->most) {
        const struct table *table = &shard->dbs[census->db].table;
        step->found = 0;
        /* What is settled may empty the table: then there is no place in it to go on from. */
        census->cursor =
            table_count(table) == 0 ? 0 : table_scan(table, census->cursor, step_visit, step);
        step->looked_at += step->found + 1;
        for (unsigned i = 0; i < step->found; i++) {
            struct entry *entry = step->entries[i];
            if (patterns->state[entry->pattern] == ID_LIVE)
                census_count(census, store, entry);
            else
                settle(store, census->db, entry);
        }
        if (census->cursor != 0) continue;
        if (++census->db < store->db_count) continue;
        census->db = 0;
        if (++census->shard == SHARD_COUNT) {
            census->shard = 0;
            pass_over(patterns);
        }
        return;
    }
}

bool store_census_step(struct store *store, unsigned most) {
    struct step step = {.most = most};
    const struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) return false;
    for (unsigned i = 0; i < SHARD_COUNT && step.looked_at < most; i++)
        store_visit(store, patterns->census->shard, false, census_shard, &step);
    return step.more;
}

/* ---- statistics ---- */

bool store_pattern_census(struct store *store, unsigned number, struct pattern_census *ret_census) {
    struct patterns *patterns = patterns_of(store);
    bool known;
    lock_take(&patterns->lock);
    const struct census *census = patterns->census;
    known = census->view == patterns->view && census->counted != NULL;
    if (known) *ret_census = census->counted[number];
    lock_give(&patterns->lock);
    return known;
}

static void line_add(struct pattern_statistics *sums, const struct tally_sums *more) {
    for (unsigned i = 0; i < TALLY_COUNTS; i++) sums->sums.counts[i] += more->counts[i];
}

/* patterns->lock is held. */
static void sum_up(const struct patterns *patterns, struct pattern_statistics *ret_statistics) {
    for (unsigned i = 0; i < patterns->view->numbers; i++) {
        struct pattern_statistics *sums = &ret_statistics[i];
        memset(sums, 0, sizeof *sums);
        memcpy(sums->sums.counts, patterns->lines[i]->counts, sizeof sums->sums.counts);
        sums->operations_s = patterns->lines[i]->operations_s;
    }
    for (unsigned id = ID_FIRST; id < patterns->id_count; id++) {
        struct tally_sums sums;
        if (patterns->state[id] == ID_FREE || !patterns->ids[id].line->current) continue;
        tally_sum(patterns->tally, id, &sums);
        struct pattern_statistics *all = &ret_statistics[patterns->ids[id].line->number];
        line_add(all, &sums);
        if (patterns->state[id] == ID_DEAD) continue;
        all->sums.keys += sums.keys;
        all->sums.bytes += sums.bytes + sums.keys * ENTRY_SLOT_BYTES;
    }
}

void store_pattern_statistics(struct store *store, struct pattern_statistics *ret_statistics) {
    struct patterns *patterns = patterns_of(store);
    lock_take(&patterns->lock);
    sum_up(patterns, ret_statistics);
    lock_give(&patterns->lock);
}

struct store_settling store_settling(const struct store *store) {
    struct store_settling settling = {0};
    struct patterns *patterns = patterns_of(store);
    int64_t dead_keys = 0;
    if (patterns == NULL) return settling;
    lock_take(&patterns->lock);
    settling.going_on = patterns->retired > 0;
    for (unsigned id = ID_FIRST; id < patterns->id_count && patterns->dead > 0; id++) {
        struct tally_sums sums;
        if (patterns->state[id] != ID_DEAD) continue;
        tally_sum(patterns->tally, id, &sums);
        dead_keys += sums.keys;
    }
    lock_give(&patterns->lock);
    /* The cells of several threads are read one after the other, so a sum
     * may be off for a moment. */
    settling.dead_keys = dead_keys > 0 ? (size_t)dead_keys : 0;
    return settling;
}

static void tick(struct shard *shard, void *context) {
    enum { SHARE = 3 }; /* of the newest second in the average: a third */
    struct patterns *patterns = patterns_of(shard->store);
    const int64_t *elapsed_ms = context;
    size_t numbers = patterns->view->numbers;
    struct pattern_statistics *all = mem_alloc(numbers * sizeof *all);
    lock_take(&patterns->lock);
    sum_up(patterns, all);
    for (size_t i = 0; i < numbers; i++) {
        struct line *line = patterns->lines[i];
        const int64_t *counts = all[i].sums.counts;
        int64_t operations = counts[TALLY_HITS] + counts[TALLY_MISSES] + counts[TALLY_WRITES];
        double now_s = (double)(operations - line->operations_then) * 1000 / (double)*elapsed_ms;
        line->operations_s += (now_s - line->operations_s) / SHARE;
        line->operations_then = operations;
    }
    lock_give(&patterns->lock);
    mem_free(all);
}

void store_pattern_tick(struct store *store, int64_t elapsed_ms) {
    if (patterns_of(store) == NULL || elapsed_ms <= 0) return;
    store_visit(store, 0, false, tick, &elapsed_ms);
}
