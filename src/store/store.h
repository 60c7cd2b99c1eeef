/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyspace: databases over shards.
 *
 * What: 256 shards of 64 hash slots, each with one lock, one heap and a table per database. These
 *       are the calls by which commands find, create, change and delete keys. Every change is
 *       published once, to the change feed (store_changed).
 * Always: an expired key is never returned: store_find deletes it first, and publishes
 *         that. A collection in the keyspace has at least one element: who takes the
 *         last one deletes the key.
 * Lock: unless a comment says otherwise, a function that takes a key needs that key's
 *       shard; dispatch has taken the shards of all keys that a command names. Locks
 *       are taken by shards.h only.
 * Owner: entries belong to the store; a pointer to one is valid until the next store call that
 *       takes its address or deletes it, and never longer than the shard is held.
 */
#ifndef KN_STORE_STORE_H
#define KN_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/entry.h"
#include "store/key.h"

struct store;
struct heap;

/* ---- finding ---- */

/* The entry, or NULL when there is none or it has expired (it is then deleted: "expired"). */
struct entry *store_find(struct store *store, unsigned db, const struct key *key, int64_t now_ms);

/* For walks over tables: whether an entry is still there for readers,
 * neither expired nor purged. */
bool store_is_there(const struct store *store, unsigned db, const struct entry *entry,
                    int64_t now_ms);

/* ---- creating and replacing; `old` is what store_find returned: NULL when
 * the key is not there ---- */

/* The expiry argument that leaves an existing expiry as it is. */
#define STORE_KEEP_EXPIRY INT64_MIN

/* A string value, integers recognised. The old value of any type is
 * freed. Returns the new entry. */
struct entry *store_put_string(struct store *store, unsigned db, const struct key *key,
                               struct entry *old, struct bytes value, int64_t expires_ms);
struct entry *store_put_integer(struct store *store, unsigned db, const struct key *key,
                                struct entry *old, int64_t value, int64_t expires_ms);
/* A value of another type, built in store_heap(key): the store swallows it. */
struct entry *store_put_value(struct store *store, unsigned db, const struct key *key,
                              struct entry *old, enum value_type type, void *value,
                              int64_t expires_ms);
/* Where values for this key take their memory. */
struct heap *store_heap(struct store *store, const struct key *key);

/* Makes a string modifiable and `len` bytes long (zeros where it grows; created when *entry is
 * NULL), and returns its bytes, which may be changed until the next store call. NULL when there is
 * no memory for it: nothing has changed then. */
char *store_string_edit(struct store *store, unsigned db, const struct key *key,
                        struct entry **entry, size_t len);

/* A string that is computed from others, the old one perhaps among them: a block for its `len`
 * bytes, to be filled through its data and put. NULL when there is no memory for it. */
struct string_block *store_block_new(struct store *store, const struct key *key, size_t len);
/* Puts it as store_put_string would, without looking for an integer in it; swallows the block. */
struct entry *store_put_block(struct store *store, unsigned db, const struct key *key,
                              struct entry *old, struct string_block *block, int64_t expires_ms);

/* ---- other changes ---- */

/* expires_ms: ENTRY_EXPIRY_NONE takes the expiry away. Returns the entry's new address. */
struct entry *store_set_expiry(struct store *store, unsigned db, const struct key *key,
                               struct entry *entry, int64_t expires_ms);
/* Counts fields that a command found expired and took out; what the
 * sweep takes it counts itself. */
void store_count_expired_fields(struct store *store, const struct key *key, size_t count);
/* Says that a hash has fields that expire, the first at due_ms, so that
 * the sweep will look at it. */
void store_note_field_expiry(struct store *store, unsigned db, const struct key *key,
                             const struct entry *entry, int64_t due_ms);
/* Deletes; a costly value is freed in the background when lazy. Publishes nothing. */
void store_delete(struct store *store, unsigned db, const struct key *key, struct entry *entry,
                  bool lazy);
/* Takes a key's entry over to another name or database (both shards held); what was there must be
 * gone. Keeps value and expiry. Returns the new entry. */
struct entry *store_move(struct store *store, unsigned from_db, const struct key *from,
                         struct entry *entry, unsigned to_db, const struct key *to);
/* A copy of the entry under another name or database; what was there must be gone. */
struct entry *store_copy(struct store *store, const struct entry *entry, unsigned to_db,
                         const struct key *to);

/* ---- recency ---- */

/* Counts an access for LRU or LFU, as the policy in force wants. */
void store_touch(struct store *store, struct entry *entry);
/* Seconds since the last access; the LFU counter with its decay. */
int64_t store_idle_seconds(const struct store *store, const struct entry *entry);
unsigned store_frequency(const struct store *store, const struct entry *entry);
/* As if it was last used so many seconds ago, or so often: what the policy in force
 * does not keep is ignored. */
enum { STORE_FREQUENCY_MAX = 255 };
void store_set_idle(const struct store *store, struct entry *entry, int64_t idle_s);
void store_set_frequency(const struct store *store, struct entry *entry, unsigned frequency);

/* ---- the change feed ---- */

/* Classes of events, with the letters of notify-keyspace-events. */
enum event_class {
    EVENT_SILENT = 0, /* a change that Redis has no event for: only who watches learns of it */
    EVENT_GENERIC = 1 << 2, /* g */
    EVENT_STRING = 1 << 3,  /* $ */
    EVENT_LIST = 1 << 4,    /* l */
    EVENT_SET = 1 << 5,     /* s */
    EVENT_HASH = 1 << 6,    /* h */
    EVENT_ZSET = 1 << 7,    /* z */
    EVENT_EXPIRED = 1 << 8, /* x */
    EVENT_EVICTED = 1 << 9, /* e */
    EVENT_STREAM = 1 << 10, /* t */
    EVENT_MISSED = 1 << 11, /* m */
    EVENT_MODULE = 1 << 13, /* d: never, since there are no modules */
    EVENT_NEW = 1 << 14,    /* n */
    EVENT_QUIET = 1 << 15,  /* with another class: no watcher of the key, or waiter, cares */
};

/* Publishes that a key has changed: wakes who watches it, or waits for it, and notifies.
 * `event`: the name that Redis gives it, such as "lpush". Call it after the change, once for
 * each event that Redis sends. */
void store_changed(struct store *store, unsigned db, const struct key *key,
                   enum event_class event_class, const char *event);
/* An event that is no change: "keymiss" and "new", or one with EVENT_QUIET. */
void store_notify(struct store *store, unsigned db, const struct key *key,
                  enum event_class event_class, const char *event);

/* A key is about to be there that was not, in whatever way. */
static inline void store_notify_new(struct store *store, unsigned db, const struct key *key) {
    store_notify(store, db, key, EVENT_NEW, "new");
}

/* ---- whole databases ---- */

unsigned store_db_count(const struct store *store);
/* Entries in the tables of a database that are there no more for readers, since their pattern
 * was purged. No lock needed. */
size_t store_purged_keys(const struct store *store, unsigned db);

#endif
