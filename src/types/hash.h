/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes: fields with values, a field perhaps with a time at which it expires.
 *
 * What: few and small fields are a pack of field, value, field, value ("listpack"); behind the
 *       limits of types/limits.h, or once a field has an expiry, they are a table of one allocation
 *       per field ("hashtable"). A hash does not go back to the small encoding.
 * Always: a field that has expired at now_ms is as good as gone for every function that is
 *         told the time; hash_count still counts it until hash_expire_fields has taken it
 *         out. A field lives through the millisecond of its expiry. hash_next_expiry is never
 *         later than the first expiry.
 * Owner: the hash owns copies of fields and values. Texts that it hands out are views that last
 *        until its next change, or until the scratch they may lie in is used again.
 * Lock: the caller's. Errors: none; false where there is no such field.
 *       No argument may be a view into the hash that it changes.
 */
#ifndef KN_TYPES_HASH_H
#define KN_TYPES_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ds/table.h"

struct heap;
struct rng;
struct hash;

enum { HASH_SCRATCH = 24 }; /* room for the text of a field or value that is kept as an integer */

#define HASH_NO_EXPIRY   INT64_MAX /* of a field that never expires */
#define HASH_KEEP_EXPIRY INT64_MIN /* for hash_set: an existing field's expiry stays */

struct hash *hash_new(struct heap *heap);
void hash_free(struct hash *hash);
struct hash *hash_copy(const struct hash *hash, struct heap *heap);
/* From now on it takes from and gives to this heap; NULL: it will only be freed, by any thread. */
void hash_rehome(struct hash *hash, struct heap *heap);

size_t hash_count(const struct hash *hash);
/* Fields that have not expired. Costs a walk when some may have. */
size_t hash_count_live(const struct hash *hash, int64_t now_ms);
size_t hash_bytes_used(const struct hash *hash);
size_t hash_free_cost(const struct hash *hash);
const char *hash_encoding(const struct hash *hash);
/* Whether it has left the small encoding. */
bool hash_is_large(const struct hash *hash);

/* ---- fields ---- */

bool hash_get(const struct hash *hash, struct bytes field, int64_t now_ms,
              char scratch[HASH_SCRATCH], struct bytes *ret_value);
/* True when the field is new. expires_ms: HASH_NO_EXPIRY takes an expiry away. */
bool hash_set(struct hash *hash, struct bytes field, struct bytes value, int64_t now_ms,
              int64_t expires_ms);
bool hash_delete(struct hash *hash, struct bytes field, int64_t now_ms);

/* ---- expiry ---- */

/* ret_expires_ms: HASH_NO_EXPIRY for a field without. */
bool hash_get_expiry(const struct hash *hash, struct bytes field, int64_t now_ms,
                     int64_t *ret_expires_ms);
bool hash_set_expiry(struct hash *hash, struct bytes field, int64_t now_ms, int64_t expires_ms);
/* Not later than the first expiry of any field; HASH_NO_EXPIRY when no field has one. */
int64_t hash_next_expiry(const struct hash *hash);
/* Takes out up to `most` fields that have expired; returns how many. */
size_t hash_expire_fields(struct hash *hash, int64_t now_ms, size_t most);

/* ---- visiting ---- */

typedef void hash_visit_fn(struct bytes field, struct bytes value, void *context);

/* Goes over all fields that have not expired; the hash must not change meanwhile. */
struct hash_iter {
    const struct hash *hash;
    int64_t now_ms;
    int64_t expires_ms; /* of the field that came last */
    size_t at;
    struct table_iter table;
    char scratch[2][HASH_SCRATCH];
};
void hash_iter_init(struct hash_iter *iter, const struct hash *hash, int64_t now_ms);
/* The views are valid until the next call. */
bool hash_iter_next(struct hash_iter *iter, struct bytes *ret_field, struct bytes *ret_value);

/* A step of a scan that starts with cursor 0: returns where to go on, 0 at the end. A
 * small hash is visited whole. */
uint64_t hash_scan(const struct hash *hash, uint64_t cursor, int64_t now_ms, hash_visit_fn *visit,
                   void *context);

/* Visits `count` fields, each drawn from all as if for the first time.
 * The hash has a live field. */
void hash_draw(const struct hash *hash, struct rng *rng, size_t count, int64_t now_ms,
               hash_visit_fn *visit, void *context);
/* Visits `count` different fields, at most all. */
void hash_sample(const struct hash *hash, struct rng *rng, size_t count, int64_t now_ms,
                 hash_visit_fn *visit, void *context);

/* Proves the invariants; for tests. */
void hash_check(const struct hash *hash);

#endif
