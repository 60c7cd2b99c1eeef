/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store's inside, for the files of this folder only.
 */
#ifndef KN_STORE_INTERNAL_H
#define KN_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/admin.h"
#include "store/dealing.h"
#include "store/shard.h"

struct store {
    bool locking;                  /* more than one worker thread */
    _Atomic unsigned busy_holders; /* threads that have marked shards as busy */
    _Atomic uint64_t busy[SHARD_COUNT / 64];
    unsigned db_count;
    _Atomic bool feed_everything; /* changes are published even where nobody listens in the shard */
    store_feed_fn *feed;
    void *feed_context;
    struct store_limits limits;
    _Atomic uint32_t clock_s; /* for LRU: seconds, noted now and then */
    struct background *background;
    _Atomic unsigned catalog_mode; /* the default, less MODE_OFF: an index of patterns' rules */
    _Atomic(struct patterns *) patterns; /* NULL until the first catalog is in force */
    unsigned heap_count;                 /* heaps are shared among shards, see base/heap.h */
    struct heap *heaps[SHARD_COUNT];
    struct shard shards[SHARD_COUNT];
};

static inline struct shard *key_shard(struct store *store, const struct key *key) {
    struct shard *shard = &store->shards[key->shard];
#ifdef KN_DEBUG
    if (store->locking) lock_assert_held(&shard->lock);
#endif
    return shard;
}

static inline struct table *key_table(struct store *store, unsigned db, const struct key *key) {
    return &key_shard(store, key)->dbs[db].table;
}

/* ---- entries: built and freed with the shard held ---- */

/* What an entry is made of. */
struct entry_parts {
    struct bytes key;
    enum value_type type;
    /* ENTRY_EXTERNAL, ENTRY_INTEGER, ENTRY_RAW; ENTRY_EXPIRES follows from the expiry. */
    unsigned flags;
    int64_t expires_ms;
    const void *value; /* ENTRY_EXTERNAL */
    int64_t integer;   /* ENTRY_INTEGER */
    const char *data;  /* else: an inline string; NULL for zeros */
    size_t data_len;
    uint32_t access;
    uint16_t pattern;
};

struct entry *entry_build(struct heap *heap, const struct entry_parts *parts);
/* The parts of an entry, as views into it. */
struct entry_parts entry_take_apart(const struct entry *entry);
/* Bytes of the allocation itself. */
size_t entry_size(const struct entry *entry);
/* Gives the entry back, not what it points to. */
void entry_free(struct heap *user, struct entry *entry);
/* The bytes of a string that is inline or in a block, to be changed. */
char *entry_string_bytes(struct entry *entry);
/* Under which marks the entry stands in its table. */
unsigned entry_marks(const struct entry *entry);
/* When the first field of a hash expires; INT64_MAX when none does, or it is no hash. */
int64_t entry_fields_expiry(const struct entry *entry);

/* A new entry's access field: now, or a beginner's frequency. */
uint32_t recency_new(const struct store *store);

/* ---- the account of each pattern's keys and bytes (account.c): the key's shard is held ---- */

/* The id that a new key's entry gets; 0 without a catalog. */
uint16_t account_pattern(const struct store *store, unsigned db, struct bytes name);
/* What the account holds for an entry (NULL: 0) that is about to be replaced; its
 * changes in place are over. */
size_t account_close(struct store *store, const struct entry *entry);
/* An entry has come: new, or instead of one that account_close said these bytes of. */
void account_enter(struct store *store, unsigned db, const struct key *key, struct entry *entry,
                   bool is_new, size_t bytes_before);
/* This thread deals with a key. */
static inline void account_note(unsigned db, const struct key *key, struct entry *entry) {
    store_dealing = (struct store_dealing){.hash = key->hash, .entry = entry, .db = db};
}
/* And changes what the catalog may have a say in. */
void account_note_change(const struct key *key);
/* An entry is about to go. */
void account_leave(struct store *store, unsigned db, const struct entry *entry);
/* Every shard is held: a database is about to be emptied; two have been swapped. */
void account_flush(struct store *store, unsigned db);
void account_swap(struct store *store, unsigned a, unsigned b);

void patterns_free(struct patterns *patterns);

/* ---- entries kept aside: for undo.c; the key's shard is held ---- */

/* A copy that stands in no table. */
struct entry *store_save(struct store *store, const struct key *key, const struct entry *entry);
/* Puts such a copy in the entry's place, and returns the entry, which
 * stands in no table any more. */
struct entry *store_set_aside(struct store *store, unsigned db, const struct key *key,
                              struct entry *entry);
void store_drop_saved(struct store *store, const struct key *key, struct entry *saved);
/* Puts it back, whatever stands there now; NULL: there was nothing. */
void store_restore(struct store *store, unsigned db, const struct key *key, struct entry *saved);

/* ---- what goes by itself; the shard is held ---- */

/* An entry's key, with a name that stays when the entry goes: whoever
 * listens wants it afterwards. */
struct kept_key {
    struct key key;
    char *name;
    char few[256];
};
void kept_key_init(struct kept_key *kept, const struct entry *entry);
void kept_key_done(struct kept_key *kept);

/* Deletes an entry whose time is over, counts it, and publishes that. */
void store_expire(struct store *store, unsigned db, const struct key *key, struct entry *entry);

/* ---- freeing in the background ---- */

struct background *background_new(void);
/* Waits until all is freed. */
void background_free(struct background *background);
/* Frees a value, or all entries of a table, off this thread; the queue swallows them. */
void background_free_value(struct background *background, enum value_type type, void *value);
void background_free_table(struct background *background, struct table *table);
void background_free_block(struct background *background, struct string_block *block);
/* Values that wait or are being freed. */
size_t background_pending(const struct background *background);
/* What they will give back; databases that were flushed are not known, and not in it. */
size_t background_pending_bytes(const struct background *background);
/* Values freed so far, since the last reset. */
size_t background_freed(const struct background *background);
void background_reset_freed(struct background *background);

/* Frees all entries with what they hold and empties the table. user as for heap_give. */
void table_free_entries(struct table *table, struct heap *user);
/* Frees what an entry holds, then the entry. */
void entry_free_whole(struct heap *user, struct entry *entry);

#endif
