/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys and bytes of each pattern, kept exact through every change.
 *
 * A string's size changes only in the store, which counts it there. A collection is changed in place by commands, which
 * say so beforehand (store_open): its bytes are counted anew when they are done (store_settle), or before,
 * when the store itself moves or deletes it (account_close).
 */
#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

struct opening {
    const void *value;
    enum value_type type;
    unsigned db;
    uint16_t pattern;
    size_t bytes; /* of the value, as counted */
};

/* What this thread has opened; a command opens few. */
static _Thread_local struct {
    unsigned count, room;
    struct opening *items, few[8];
} opened;

static bool changes_in_place(const struct entry *entry) {
    return entry_has(entry, ENTRY_EXTERNAL) && entry_type(entry) != TYPE_STRING;
}

static struct opening *opening_of(const void *value) {
    struct opening *items = opened.items ? opened.items : opened.few;
    for (unsigned i = opened.count; i-- > 0;)
        if (items[i].value == value) return &items[i];
    return NULL;
}

void store_open(struct store *store, unsigned db, const struct entry *entry) {
    if (!store_counts_patterns(store) || !changes_in_place(entry)) return;
    const void *value = entry_value(entry);
    if (opening_of(value)) return;
    if (opened.items == NULL) opened.room = sizeof opened.few / sizeof opened.few[0];
    if (opened.count == opened.room) {
        unsigned room = opened.room * 2;
        struct opening *items = mem_alloc(room * sizeof *items);
        memcpy(items, opened.items ? opened.items : opened.few, opened.count * sizeof *items);
        mem_free(opened.items);
        opened.items = items;
        opened.room = room;
    }
    (opened.items ? opened.items : opened.few)[opened.count++] =
        (struct opening){.value = value,
                         .type = entry_type(entry),
                         .db = db,
                         .pattern = entry->pattern,
                         .bytes = value_bytes(entry_type(entry), value)};
}

static void opening_settle(struct store *store, const struct opening *opening) {
    size_t bytes = value_bytes(opening->type, opening->value);
    if (bytes != opening->bytes)
        tally_held(patterns_of(store)->tally, opening->pattern, opening->db, 0,
                   (int64_t)bytes - (int64_t)opening->bytes);
}

void store_settle(struct store *store) {
    if (kn_likely(opened.count == 0)) return;
    const struct opening *items = opened.items ? opened.items : opened.few;
    for (unsigned i = 0; i < opened.count; i++) opening_settle(store, &items[i]);
    opened.count = 0;
    if (opened.items != NULL) {
        mem_free(opened.items);
        opened.items = NULL;
    }
}

/* The key that this thread dealt with last: a write is counted after it happened, when its entry may be gone, and to
 * match the name once more would cost more than all the counting. */
static _Thread_local struct store_dealing noted;

void account_note(unsigned db, const struct key *key, uint16_t id) {
    noted = (struct store_dealing){.hash = key->hash, .db = db, .id = id};
}

void account_note_change(const struct key *key) {
    if (noted.hash == key->hash) noted.changed = true;
}

const struct store_dealing *store_last_dealing(void) {
    return &noted;
}

size_t account_close(struct store *store, const struct entry *entry) {
    if (!store_counts_patterns(store) || entry == NULL) return 0;
    struct opening *opening =
        opened.count && changes_in_place(entry) ? opening_of(entry_value(entry)) : NULL;
    if (opening != NULL) {
        opening_settle(store, opening);
        *opening = (opened.items ? opened.items : opened.few)[--opened.count];
    }
    return entry_bytes(entry);
}

void account_enter(struct store *store, unsigned db, const struct key *key,
                   const struct entry *entry, bool is_new, size_t bytes_before) {
    if (!store_counts_patterns(store)) return;
    account_note(db, key, entry->pattern);
    noted.changed = true;
    noted.is_new = is_new;
    tally_held(patterns_of(store)->tally, entry->pattern, db, is_new,
               (int64_t)entry_bytes(entry) - (int64_t)bytes_before);
    /* A value that was just put may still be filled. */
    store_open(store, db, entry);
}

void account_leave(struct store *store, unsigned db, const struct entry *entry) {
    if (!store_counts_patterns(store)) return;
    size_t bytes = account_close(store, entry);
    tally_held(patterns_of(store)->tally, entry->pattern, db, -1, -(int64_t)bytes);
}

uint16_t account_pattern(const struct store *store, unsigned db, struct bytes name) {
    return store_counts_patterns(store) ? store_pattern_id(store, db, name) : ID_NEVER_MATCHED;
}

void store_count_write(struct store *store, unsigned db, const struct key *key) {
    const struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) return;
    bool known = noted.hash == key->hash && noted.db == db && patterns->state[noted.id] == ID_LIVE;
    tally_add(patterns->tally, known ? noted.id : store_pattern_id(store, db, key->name),
              TALLY_WRITES, 1);
}

void store_count(struct store *store, uint16_t id, enum tally_count count) {
    tally_add(patterns_of(store)->tally, id, count, 1);
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
