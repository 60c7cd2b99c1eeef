/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A naive keyspace beside a store: what the store must hold.
 *
 * What: arrays of keys by number, with the same changes made to both and everything compared. The
 *       store tells of what it removes by itself (expired, evicted, fields) through its feed: the
 *       model asserts that each was due, or allowed, and follows.
 * Always: time is the model's now_ms, chance its rng: a run is repeated by its seed.
 * Owner: the test. Lock: with several threads model_hold takes every shard.
 */
#ifndef KN_TEST_STORE_MODEL_H
#define KN_TEST_STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "store/admin.h"
#include "store/shard.h"
#include "store/store.h"

enum { MODEL_DBS = 3, MODEL_NAMES = 500, MODEL_NAME_MAX = 800 };

struct model_key {
    bool there;
    enum value_type type;
    int64_t expires_ms; /* ENTRY_EXPIRY_NONE: never */
    char *string;       /* of a string, with its length in count */
    unsigned tag; /* of a collection: its elements are numbers first ... first + count - 1, told */
    size_t first, count; /* from those of others by the tag */
    size_t due_count;    /* of a hash: so many of the first fields expire at due_ms */
    int64_t due_ms;
};

struct model {
    struct store *store;
    bool locking;
    struct rng rng;
    int64_t now_ms;
    unsigned tags;
    size_t before; /* memory in use before the store was made */
    size_t empty;  /* and with the store, empty */
    struct model_key keys[MODEL_DBS][MODEL_NAMES];
    size_t expired, evicted, hexpired; /* events met */
    bool may_evict, only_volatile;     /* what the policy in force allows */
};

struct model *model_new(uint64_t seed, unsigned threads);
/* Empties the store, checks that all memory came back, and frees both. */
void model_free(struct model *model, bool lazy);

void model_hold(struct model *model);
void model_release(struct model *model);

/* The name of a key by its number; scratch: MODEL_NAME_MAX bytes. */
struct key model_name(unsigned number, char *scratch);

/* A string of random bytes, or a number, in place of whatever is there. */
void model_put_string(struct model *model, unsigned db, unsigned number, size_t len,
                      int64_t expires_ms);
void model_put_integer(struct model *model, unsigned db, unsigned number, int64_t value,
                       int64_t expires_ms);
/* A collection of count elements in place of whatever is there. */
void model_put_value(struct model *model, unsigned db, unsigned number, enum value_type type,
                     size_t count, int64_t expires_ms);
/* Adds elements behind the last, or takes away the first (from a hash: what may expire, too). */
void model_grow(struct model *model, unsigned db, unsigned number, size_t count);
void model_shrink(struct model *model, unsigned db, unsigned number, size_t count);
/* The first fields of a hash expire at due_ms. */
void model_expire_fields(struct model *model, unsigned db, unsigned number, size_t count,
                         int64_t due_ms);
void model_edit_string(struct model *model, unsigned db, unsigned number, size_t len);
void model_expire(struct model *model, unsigned db, unsigned number, int64_t expires_ms);
void model_delete(struct model *model, unsigned db, unsigned number, bool lazy);
void model_move(struct model *model, unsigned from_db, unsigned from, unsigned to_db, unsigned to);
void model_copy(struct model *model, unsigned from_db, unsigned from, unsigned to_db, unsigned to);
/* db < 0: all. */
void model_flush(struct model *model, int db, bool lazy);
void model_swap(struct model *model, unsigned a, unsigned b);

bool model_live(const struct model *model, unsigned db, unsigned number);
bool model_writable_hash(const struct model *model, unsigned db, unsigned number);

/* Waits until the background has freed everything. */
void model_drain(struct model *model);
/* The invariants of every table, value and count; the memory account. Removes nothing. */
void model_check(struct model *model);
/* Every key's value and expiry; finding removes what has expired. */
void model_compare(struct model *model);

#endif
