/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request on its way through its command: what a handler sees.
 *
 * What: the arguments, the keys among them with their hashes, the reply to write, the database,
 *       the time. Handlers are functions of a request and nothing else, so that the same
 *       handler serves a client, a transaction, a script and a blocked client that another
 *       client's write has woken.
 * Always: while the handler runs, the shards of all of request->keys are held (all shards, with
 *         COMMAND_ALL_SHARDS). It writes exactly one reply, or blocks.
 * Owner: arguments are views that live until the command ends. `arena` is memory for
 *        the length of the command.
 * Lock: as above; request->client belongs to the thread that runs the command, and is NULL when the
 *       command runs on behalf of a client of another thread.
 * Errors: handlers reply them with reply_error_code, or reply_error for texts of their own;
 *         arguments.h parses and replies in one go.
 */
#ifndef KN_SERVER_REQUEST_H
#define KN_SERVER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/reply.h"
#include "store/store.h"

struct arena;
struct client;
struct command;
struct server;

struct request_key {
    struct key key;
    uint32_t arg;   /* its place in argv */
    uint32_t flags; /* enum key_flag; 0: those of the row's first specification */
};

/* A legacy name of a key, under which its entry may still be stored. */
struct request_twin {
    struct key key;
    uint32_t of;     /* in keys */
    unsigned number; /* of the pattern */
};

enum request_flag {
    /* In a transaction or script: a blocking command answers as if it had timed out. */
    REQUEST_NO_BLOCK = 1,
    REQUEST_WOKEN = 2,      /* a blocked command's further try */
    REQUEST_NO_TOUCH = 4,   /* reads do not count as accesses (CLIENT NO-TOUCH) */
    REQUEST_ALL_SHARDS = 8, /* every shard is held: undeclared keys may be used */
    REQUEST_RESP3 = 16,     /* the client speaks RESP3, for a reply that is written later */
    REQUEST_IN_SCRIPT = 32, /* called by a script */
};

/* What a blocked client gets when its time is up. */
enum block_null { BLOCK_NULL_BULK, BLOCK_NULL_ARRAY };

struct request_block {
    bool wanted;
    uint32_t first_key, key_count; /* of request->keys: what it waits for */
    enum value_type type;          /* only a key of this type wakes it, */
    bool any_change;               /* but for this: then also one that is gone, or of another */
    enum block_null null;
    int64_t deadline_ms; /* 0: never */
    int64_t retry_ms;    /* tried again after so long even if nothing changes; 0: not */
};

struct request {
    struct bytes *argv; /* argv[0] is the command's name; a subcommand's own word is argv[1] */
    uint32_t argc;
    const struct command *command;
    struct request_key *keys; /* in the order of the arguments */
    uint32_t key_count;
    struct request_twin *twins; /* to be adopted before the handler runs */
    uint32_t twin_count;
    uint64_t generation; /* of the aliases that keys and twins were found by */
    struct reply *reply;
    struct store *store;
    struct server *server;
    struct client *client;
    struct arena *arena;
    unsigned db;
    unsigned flags;
    int64_t now_ms;
    bool busy;      /* a shard that it wanted to visit is held by a script that runs too long */
    bool wants_all; /* the handler has done nothing: it is to be run again with every shard held */
    bool counted;   /* a write to the key below */
    unsigned counted_db;
    uint64_t counted_hash;
    uint64_t changes; /* keys changed, as INFO counts them for rdb_changes_since_last_save */
    struct request_block block;
};

/* ---- keys: index is the key's place in request->keys ---- */

static inline const struct key *request_key(const struct request *request, uint32_t index) {
    return &request->keys[index].key;
}

/* A key's name as the client gave it, which may be a legacy one. */
static inline struct bytes request_key_asked(const struct request *request, uint32_t index) {
    return request->argv[request->keys[index].arg];
}

/* Looks a key up for reading: counts a hit or a miss, and an access. NULL when there is none. */
struct entry *request_read(struct request *request, uint32_t index);
/* The same, but that it was looked at makes it no more recent. */
struct entry *request_look(struct request *request, uint32_t index);
/* Looks a key up for writing: counts an access only. */
struct entry *request_write(struct request *request, uint32_t index);
/* The same for a key that must be of a type. Returns false when it is of another type: WRONGTYPE
 * has been replied. *ret_entry is NULL when there is no key. (For a woken command, a key that it
 * waits for and that is of another type counts as none.) */
bool request_read_typed(struct request *request, uint32_t index, enum value_type type,
                        struct entry **ret_entry);
bool request_write_typed(struct request *request, uint32_t index, enum value_type type,
                         struct entry **ret_entry);

/* For a key that is not among request->keys; its shard must be held
 * (REQUEST_ALL_SHARDS, or the same hash slot). */
struct entry *request_find_key(struct request *request, const struct key *key);
/* A key that is not among request->keys, with its canonical name; what is stored under a legacy one
 * is adopted. Every shard is held. */
struct key request_make_key(struct request *request, struct bytes name);
/* Adopts what is stored under legacy names of the request's keys, in a database: for commands that
 * concern another than the request's own, for which that is done already. */
void request_adopt(struct request *request, unsigned db);
/* Whether what is stored under a legacy name is its key: it is not when the canonical one is there,
 * or one of an alias before. Every shard is held. */
bool request_is_key(struct request *request, struct bytes name, struct bytes canonical);
/* The name under which clients know what is stored under this one. In the
 * request's arena. A shard is held. */
struct bytes request_shown_name(struct request *request, struct bytes name);

/* ---- changes ---- */

/* Counts a change of a key that nobody is told of. */
void request_changes(struct request *request, uint32_t index);
/* Counts for the key's pattern that this command wrote to it: once,
 * however many changes that were. */
void request_count_write(struct request *request, unsigned db, const struct key *key);

/* Says that the key was changed, once for each event that Redis would
 * publish; see store_changed. */
void request_changed(struct request *request, uint32_t index, enum event_class event_class,
                     const char *event);
/* The same for a key that is not among request->keys. */
void request_changed_key(struct request *request, const struct key *key,
                         enum event_class event_class, const char *event);
/* Deletes an entry whose key was emptied or is overwritten, without publishing. */
void request_delete(struct request *request, uint32_t index, struct entry *entry);
/* Deletes the key when its collection has no elements left: publishes "del".
 * Returns true when it did. */
bool request_delete_if_empty(struct request *request, uint32_t index, struct entry *entry);
/* A new empty value's home, for list_new(request_heap(request, 0)). */
struct heap *request_heap(struct request *request, uint32_t index);
/* Puts a value that was built in request_heap(index) under the key, instead of `old` (which may be
 * NULL); without an expiry. */
struct entry *request_put(struct request *request, uint32_t index, struct entry *old,
                          enum value_type type, void *value);

/* ---- blocking ---- */

/*
 * Ends the command without a reply: the client waits for the keys first_key .. first_key +
 * key_count - 1 until one of them gets a value of this type, and the command is then tried again;
 * timeout_ms 0 is for ever. In a transaction or script it replies the null at once instead.
 */
void request_block(struct request *request, uint32_t first_key, uint32_t key_count,
                   enum value_type type, int64_t timeout_ms, enum block_null null);

/* ---- the rest of the keyspace, for KEYS, SCAN, DBSIZE and their kind ---- */

/* Calls visit with each shard in turn held, one at a time unless all are held already. */
struct shard;
void request_visit_shard(struct request *request, unsigned shard,
                         void (*visit)(struct request *request, struct shard *shard, void *context),
                         void *context);

#endif
