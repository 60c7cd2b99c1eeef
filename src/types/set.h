/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets: members without order, each there once.
 *
 * What: integers only and few are a sorted array ("intset"), few and small members a pack
 *       ("listpack"), all else a table of members of one allocation each ("hashtable"). A set goes
 *       from the small encodings to the larger ones by the limits of types/limits.h, and not back.
 * Always: members are distinct. An empty set may exist here, though not in the keyspace.
 * Owner: whoever called set_new or set_copy; memory is taken from set->heap.
 * Lock: the shard's that the heap belongs to. Errors: none.
 */
#ifndef KN_TYPES_SET_H
#define KN_TYPES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ds/table.h"

struct heap;
struct rng;
struct set;

enum { SET_TEXT_MAX = 24 }; /* room for the text of a member that is kept as an integer */

struct set *set_new(struct heap *heap);
void set_free(struct set *set);
struct set *set_copy(const struct set *set, struct heap *heap);
void set_rehome(struct set *set, struct heap *heap);

size_t set_count(const struct set *set);
size_t set_bytes(const struct set *set);
const char *set_encoding(const struct set *set);
/* Whether it is still a sorted array of integers; set_iter then visits them in ascending order. */
bool set_is_integers(const struct set *set);
size_t set_free_cost(const struct set *set);

/* Says that at least `more` members are about to be added, of which this is the first, so that a
 * set that will be large is so at once. */
void set_expect(struct set *set, size_t more, struct bytes first);
/* False when it was there already. */
bool set_add(struct set *set, struct bytes member);
/* False when it was not there. */
bool set_remove(struct set *set, struct bytes member);
bool set_has(const struct set *set, struct bytes member);

/* ---- chance ---- */

typedef void set_visit_fn(struct bytes member, void *context);

/* A member, every one as likely; the set is not empty. The view may lie in scratch. */
struct bytes set_random(const struct set *set, struct rng *rng, char scratch[SET_TEXT_MAX]);
/* Visits `count` different members, at most all. */
void set_sample(const struct set *set, struct rng *rng, size_t count, set_visit_fn *visit,
                void *context);
/* Takes `count` random members out, at most all, visiting each before. */
void set_pop(struct set *set, struct rng *rng, size_t count, set_visit_fn *visit, void *context);

/* ---- visiting ---- */

/* Goes over all members; the set must not change meanwhile. */
struct set_iter {
    const struct set *set;
    size_t at;
    struct table_iter table;
    char scratch[SET_TEXT_MAX];
};
void set_iter_init(struct set_iter *iter, const struct set *set);
/* The view is valid until the next call. */
bool set_iter_next(struct set_iter *iter, struct bytes *ret_member);

/* A step of a scan that starts with cursor 0: returns where to go on, 0 at the end. A
 * small set is visited whole. */
uint64_t set_scan(const struct set *set, uint64_t cursor, set_visit_fn *visit, void *context);

/* ---- several sets; a NULL among them is an empty one ---- */

/* Visits the members of all of them until visit returns false. */
void set_intersect(const struct set *const *sets, size_t count,
                   bool (*visit)(struct bytes member, void *context), void *context);
/* Adds the members of any of them to `to`. */
void set_unite(const struct set *const *sets, size_t count, struct set *to);
/* Visits the members of the first one that are in none of the others. work_heap: where a set may be
 * taken from that it needs meanwhile. */
void set_subtract(const struct set *const *sets, size_t count, struct heap *work_heap,
                  set_visit_fn *visit, void *context);

/* Proves the invariants; for tests. */
void set_check(const struct set *set);

#endif
