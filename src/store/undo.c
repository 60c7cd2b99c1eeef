/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/undo.h"

#include <string.h>

#include "base/memory.h"
#include "store/internal.h"

struct undo_key {
    struct undo_key *next;
    struct entry *saved; /* NULL: there was none */
    unsigned db;
    struct key key; /* its name is the one below */
    char name[];
};

static const struct undo_key *find_noted(const struct undo *undo, unsigned db,
                                         const struct key *key) {
    const struct undo_key *each = undo->first;
    while (each != NULL && (each->key.hash != key->hash || each->db != db ||
                            !bytes_equal(each->key.name, key->name)))
        each = each->next;
    return each;
}

static bool is_small(const struct entry *entry) {
    if (entry_type(entry) == TYPE_STRING) return entry_string_len(entry) <= UNDO_STRING_MAX;
    return entry_count(entry) <= UNDO_ELEMENTS_MAX;
}

static struct undo_key *note(struct undo *undo, unsigned db, const struct key *key) {
    struct undo_key *noted = mem_alloc(sizeof *noted + key->name.len);
    *noted = (struct undo_key){.next = undo->first, .db = db, .key = *key};
    if (key->name.len) memcpy(noted->name, key->name.data, key->name.len);
    noted->key.name = bytes_make(noted->name, key->name.len);
    undo->first = noted;
    undo->count++;
    return noted;
}

bool undo_note(struct undo *undo, struct store *store, unsigned db, const struct key *key,
               int64_t now_ms) {
    if (find_noted(undo, db, key) != NULL) return true;
    /* A key that has expired goes now, for good. */
    const struct entry *entry = store_find(store, db, key, now_ms);
    if (undo->count == UNDO_KEYS_MAX || (entry != NULL && !is_small(entry))) return false;
    struct undo_key *noted = note(undo, db, key);
    if (entry != NULL) noted->saved = store_save(store, &noted->key, entry);
    return true;
}

void undo_keep(struct undo *undo, struct store *store, unsigned db, const struct key *key,
               int64_t now_ms) {
    if (find_noted(undo, db, key) != NULL) return;
    struct entry *entry = store_find(store, db, key, now_ms);
    struct undo_key *noted = note(undo, db, key);
    if (entry != NULL) noted->saved = store_set_aside(store, db, &noted->key, entry);
}

const struct entry *undo_saved(const struct undo *undo, unsigned db, const struct key *key) {
    const struct undo_key *noted = find_noted(undo, db, key);
    return noted ? noted->saved : NULL;
}

void undo_apply(struct undo *undo, struct store *store) {
    struct undo_key *next;
    for (struct undo_key *each = undo->first; each != NULL; each = next) {
        next = each->next;
        store_restore(store, each->db, &each->key, each->saved);
        mem_free(each);
    }
    *undo = (struct undo){0};
}

void undo_forget(struct undo *undo, struct store *store) {
    struct undo_key *next;
    for (struct undo_key *each = undo->first; each != NULL; each = next) {
        next = each->next;
        if (each->saved != NULL) store_drop_saved(store, &each->key, each->saved);
        mem_free(each);
    }
    *undo = (struct undo){0};
}
