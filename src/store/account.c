/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys and bytes of each pattern, kept exact through every change.
 *
 * A string's size changes only in the store, which counts it there. A collection is changed in
 * place by commands, which say so beforehand (store_open): its bytes are counted anew when they are
 * done (store_settle), or before, when the store itself moves or deletes it (account_close).
 */
#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

struct opening {
    const void *value;
    size_t bytes; /* of the value, as counted */
    uint32_t db;
    uint16_t pattern;
    uint8_t type; /* enum value_type */
};

enum { OPENED_FEW = 8 };

_Thread_local unsigned store_opened;

/* What this thread has opened; a command opens few. */
static _Thread_local struct {
    unsigned more_room;
    struct opening few[OPENED_FEW], *more;
} opened;

static bool changes_in_place(const struct entry *entry) {
    return entry_has(entry, ENTRY_EXTERNAL) && entry_type(entry) != TYPE_STRING;
}

static struct opening *opening_at(unsigned i) {
    return i < OPENED_FEW ? &opened.few[i] : &opened.more[i - OPENED_FEW];
}

static struct opening *opening_of(const void *value) {
    for (unsigned i = store_opened; i-- > 0;)
        if (opening_at(i)->value == value) return opening_at(i);
    return NULL;
}

static __attribute__((noinline)) void make_room(void) {
    opened.more_room = opened.more_room ? 2 * opened.more_room : 2 * OPENED_FEW;
    opened.more = mem_realloc(opened.more, opened.more_room * sizeof *opened.more);
}

static inline struct opening opening_make(unsigned db, const struct entry *entry) {
    const void *value = entry_value(entry);
    return (struct opening){.value = value,
                            .bytes = value_bytes(entry_type(entry), value),
                            .db = db,
                            .pattern = entry->pattern,
                            .type = entry->type};
}

static __attribute__((noinline)) void open_another(unsigned db, const struct entry *entry) {
    if (opening_of(entry_value(entry))) return;
    if (store_opened == OPENED_FEW + opened.more_room) make_room();
    *opening_at(store_opened++) = opening_make(db, entry);
}

void store_open(struct store *store, unsigned db, const struct entry *entry) {
    if (!store_counts_patterns(store) || !changes_in_place(entry)) return;
    if (kn_unlikely(store_opened > 0)) {
        open_another(db, entry);
        return;
    }
    opened.few[0] = opening_make(db, entry);
    store_opened = 1;
}

static void opening_settle(struct store *store, const struct opening *opening) {
    size_t bytes = value_bytes((enum value_type)opening->type, opening->value);
    if (bytes != opening->bytes)
        tally_held(patterns_of(store)->tally, opening->pattern, opening->db, 0,
                   (int64_t)bytes - (int64_t)opening->bytes);
}

static __attribute__((noinline)) void settle_opened(struct store *store) {
    for (unsigned i = 0; i < store_opened; i++) opening_settle(store, opening_at(i));
    store_opened = 0;
    if (kn_unlikely(opened.more_room > 0)) {
        mem_free(opened.more);
        opened.more = NULL;
        opened.more_room = 0;
    }
}

void store_settle(struct store *store) {
    if (store_opened == 0) return;
    if (kn_unlikely(store_opened > 1 || opened.more_room > 0)) {
        settle_opened(store);
        return;
    }
    store_opened = 0;
    opening_settle(store, &opened.few[0]);
}

_Thread_local struct store_dealing store_dealing;
_Thread_local struct store_came store_came;

void account_note_change(const struct key *key) {
    if (store_dealing.hash == key->hash) store_dealing.changed = true;
}

size_t account_close(struct store *store, const struct entry *entry) {
    if (!store_counts_patterns(store) || entry == NULL) return 0;
    struct opening *opening =
        store_opened && changes_in_place(entry) ? opening_of(entry_value(entry)) : NULL;
    if (opening != NULL) {
        opening_settle(store, opening);
        *opening = *opening_at(--store_opened);
    }
    return entry_bytes(entry);
}

void account_enter(struct store *store, unsigned db, const struct key *key, struct entry *entry,
                   bool is_new, size_t bytes_before) {
    if (!store_counts_patterns(store)) return;
    account_note(db, key, entry);
    store_dealing.changed = true;
    store_dealing.is_new = is_new;
    if (is_new && store_came.count < DEALING_CAME_MAX)
        store_came.hashes[store_came.count++] = key->hash;
    tally_held(patterns_of(store)->tally, entry->pattern, db, is_new,
               (int64_t)entry_bytes(entry) - (int64_t)bytes_before);
    /* A value that was just put may still be filled. */
    store_open(store, db, entry);
}

void account_leave(struct store *store, unsigned db, const struct entry *entry) {
    if (!store_counts_patterns(store)) return;
    if (store_dealing.entry == entry) {
        store_dealing.entry = NULL;
        store_dealing.gone_id = entry->pattern;
    }
    size_t bytes = account_close(store, entry);
    tally_held(patterns_of(store)->tally, entry->pattern, db, -1, -(int64_t)bytes);
}

uint16_t account_pattern(const struct store *store, unsigned db, struct bytes name) {
    return store_counts_patterns(store) ? store_pattern_id(store, db, name) : ID_NEVER_MATCHED;
}

/* While a script may still be undone, what it counts is kept aside. Expiry, eviction
 * and purges are for good. */
static _Thread_local struct {
    bool on;
    unsigned used, room;
    struct held_count {
        uint16_t id;
        uint8_t count;
        int64_t times;
    } * items;
} held;

static struct held_count *held_of(uint16_t id, enum tally_count count) {
    /* A script has few keys, and goes on with those that it had last. */
    for (unsigned i = held.used; i-- > 0;)
        if (held.items[i].id == id && held.items[i].count == count) return &held.items[i];
    return NULL;
}

static bool hold(uint16_t id, enum tally_count count) {
    if (count == TALLY_EXPIRED || count == TALLY_EVICTED) return false;
    struct held_count *item = held_of(id, count);
    if (item != NULL) {
        item->times++;
        return true;
    }
    if (held.used == held.room) {
        held.room = held.room ? held.room * 2 : 8;
        held.items = mem_realloc(held.items, held.room * sizeof *held.items);
    }
    held.items[held.used++] = (struct held_count){id, (uint8_t)count, 1};
    return true;
}

void store_hold_counts(void) {
    held.on = true;
}

void store_release_counts(struct store *store) {
    for (unsigned i = 0; i < held.used; i++)
        tally_add(patterns_of(store)->tally, held.items[i].id, held.items[i].count,
                  held.items[i].times);
    store_drop_counts();
}

void store_drop_counts(void) {
    mem_free(held.items);
    held.on = false;
    held.items = NULL;
    held.used = held.room = 0;
}

static inline void count_one(const struct patterns *patterns, uint16_t id, enum tally_count count) {
    if (kn_unlikely(held.on) && hold(id, count)) return;
    tally_add(patterns->tally, id, count, 1);
}

void store_count_write(struct store *store, unsigned db, const struct key *key) {
    const struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) return;
    uint16_t id = store_dealing_id();
    if (kn_unlikely(store_dealing.hash != key->hash || store_dealing.db != db ||
                    patterns->state[id] != ID_LIVE))
        id = store_pattern_id(store, db, key->name);
    count_one(patterns, id, TALLY_WRITES);
}

void store_count(struct store *store, uint16_t id, enum tally_count count) {
    count_one(patterns_of(store), id, count);
}

int64_t store_writes_counted(const struct store *store, uint16_t id) {
    const struct held_count *aside = kn_unlikely(held.on) ? held_of(id, TALLY_WRITES) : NULL;
    return atomic_load_explicit(tally_cell(patterns_of(store)->tally, id) + TALLY_WRITES,
                                memory_order_relaxed) +
           (aside ? aside->times : 0);
}

void store_uncount_writes(struct store *store, uint16_t id, int64_t counted) {
    int64_t more = store_writes_counted(store, id) - counted;
    struct held_count *aside = kn_unlikely(held.on) ? held_of(id, TALLY_WRITES) : NULL;
    /* What was counted since then was kept aside, if that is what happens now. */
    if (aside != NULL)
        aside->times -= more;
    else
        tally_add(patterns_of(store)->tally, id, TALLY_WRITES, -more);
}

/* ---- whole databases ---- */

void account_flush(struct store *store, unsigned db) {
    struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) return;
    for (unsigned id = ID_FIRST; id < patterns->id_count; id++) {
        int64_t keys, bytes;
        if (patterns->state[id] == ID_FREE) continue;
        tally_sum_db(patterns->tally, id, db, &keys, &bytes);
        if (keys || bytes) tally_held(patterns->tally, id, db, -keys, -bytes);
    }
}

void account_swap(struct store *store, unsigned a, unsigned b) {
    struct patterns *patterns = patterns_of(store);
    if (patterns == NULL || a == b) return;
    for (unsigned id = ID_FIRST; id < patterns->id_count; id++) {
        int64_t keys_a, bytes_a, keys_b, bytes_b;
        if (patterns->state[id] == ID_FREE) continue;
        tally_sum_db(patterns->tally, id, a, &keys_a, &bytes_a);
        tally_sum_db(patterns->tally, id, b, &keys_b, &bytes_b);
        tally_held(patterns->tally, id, a, keys_b - keys_a, bytes_b - bytes_a);
        tally_held(patterns->tally, id, b, keys_a - keys_b, bytes_a - bytes_b);
    }
}

size_t store_purged_keys(const struct store *store, unsigned db) {
    struct patterns *patterns = patterns_of(store);
    int64_t sum = 0;
    if (patterns == NULL) return 0;
    lock_take(&patterns->lock);
    for (unsigned id = ID_FIRST; id < patterns->id_count && patterns->dead > 0; id++) {
        int64_t keys, bytes;
        if (patterns->state[id] != ID_DEAD) continue;
        tally_sum_db(patterns->tally, id, db, &keys, &bytes);
        sum += keys;
    }
    lock_give(&patterns->lock);
    return sum > 0 ? (size_t)sum : 0;
}
