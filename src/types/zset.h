/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted sets: members, each there once, ordered by score and then by their bytes.
 *
 * What: few and small members are a pack ("listpack"); all else is a table from member to item
 *       beside a tree of the items in order ("skiplist", as tools know it). Ranges of every kind
 *       are found as ranges of ranks, and walked, counted and removed as such. A sorted set goes
 *       from the small encoding to the large one by the limits of types/limits.h, and not back.
 * Always: no score is NaN. A small one keeps no minus zero: it is 0 there. An empty sorted set may
 *         exist here, though not in the keyspace.
 * Owner: whoever called zset_new or zset_copy; memory is taken from the heap given there.
 * Lock: the shard's that the heap belongs to. Errors: none.
 */
#ifndef KN_TYPES_ZSET_H
#define KN_TYPES_ZSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ds/btree.h"

struct heap;
struct rng;
struct set;
struct zset;

enum { ZSET_TEXT_MAX = 24 }; /* room for the text of a member that is kept as an integer */

struct zset *zset_new(struct heap *heap);
void zset_free(struct zset *zset);
struct zset *zset_copy(const struct zset *zset, struct heap *heap);
void zset_rehome(struct zset *zset, struct heap *heap);

size_t zset_count(const struct zset *zset);
size_t zset_bytes(const struct zset *zset);
const char *zset_encoding(const struct zset *zset);
/* Whether it has left the small encoding. */
bool zset_is_large(const struct zset *zset);
size_t zset_free_cost(const struct zset *zset);

/* Says that at least `more` members are about to be added, the first of them this long, so that a
 * sorted set that will be large is so at once. */
void zset_expect(struct zset *zset, size_t more, size_t first_len);
/* Returns to the small encoding if it fits that. */
void zset_compact(struct zset *zset);

/* ---- members ---- */

/* ret_score may be NULL. */
bool zset_find(const struct zset *zset, struct bytes member, double *ret_score);

enum zset_add_flag {
    ZSET_INCREMENT = 1,    /* score is what to add to the present one */
    ZSET_NEW_ONLY = 2,     /* NX */
    ZSET_PRESENT_ONLY = 4, /* XX */
    ZSET_GREATER = 8,      /* GT: a present score is only raised */
    ZSET_LESS = 16,        /* LT */
};

enum zset_outcome {
    ZSET_ADDED,
    ZSET_UPDATED,
    ZSET_SAME,    /* the score was that already */
    ZSET_SKIPPED, /* the flags did not allow it */
    ZSET_NAN,     /* the sum is not a number; nothing was done */
};

/* ret_score: the member's score afterwards, set for ADDED, UPDATED and SAME. */
enum zset_outcome zset_add(struct zset *zset, struct bytes member, double score, unsigned flags,
                           double *ret_score);
/* False when it was not there. */
bool zset_remove(struct zset *zset, struct bytes member);
/* How many members come before it; false when it is not there. */
bool zset_rank(const struct zset *zset, struct bytes member, size_t *ret_rank, double *ret_score);

/* ---- ranges ---- */

/* Ranks first .. first + count - 1. */
struct zset_range {
    size_t first, count;
};

struct zset_scores {
    double min, max;
    bool min_excluded, max_excluded;
};
struct zset_range zset_range_of_scores(const struct zset *zset, const struct zset_scores *scores);

struct zset_lex_bound {
    enum { ZSET_LEX_LOWEST, ZSET_LEX_HIGHEST, ZSET_LEX_INCLUDED, ZSET_LEX_EXCLUDED } kind;
    struct bytes member;
};
struct zset_lex {
    struct zset_lex_bound min, max;
};
/* From the front, or from the back when reverse, without the first `skip` members. Means something
 * only where all scores are equal; where they are not, a small one is walked as others walk it,
 * skipping without a look. */
struct zset_range zset_range_of_members(const struct zset *zset, const struct zset_lex *lex,
                                        bool reverse, size_t skip);

void zset_remove_range(struct zset *zset, struct zset_range range);

/* ---- visiting ---- */

struct zset_iter {
    const struct zset *zset;
    size_t left; /* how many are still to come */
    bool reverse;
    size_t at;
    struct btree_iter tree;
    char scratch[ZSET_TEXT_MAX];
};

/* From the front of the range or, when reverse, from its back; the zset
 * must not change meanwhile. */
void zset_iter_init(struct zset_iter *iter, const struct zset *zset, struct zset_range range,
                    bool reverse);
/* The view is valid until the next call; where it does not lie in
 * iter->scratch, until the zset changes. */
bool zset_iter_next(struct zset_iter *iter, struct bytes *ret_member, double *ret_score);
/* The member of a rank; the view may lie in scratch. */
struct bytes zset_at(const struct zset *zset, size_t rank, char scratch[ZSET_TEXT_MAX],
                     double *ret_score);

typedef void zset_visit_fn(struct bytes member, double score, void *context);

/* Visits `count` different members, at most all, every one as likely. */
void zset_sample(const struct zset *zset, struct rng *rng, size_t count, zset_visit_fn *visit,
                 void *context);

/* A step of a scan that starts with cursor 0: returns where to go on, 0 at the end. A
 * small one is visited whole. */
uint64_t zset_scan(const struct zset *zset, uint64_t cursor, zset_visit_fn *visit, void *context);

/* ---- several of them (zset_algebra.c) ---- */

/* A sorted set, or a set whose members all score 1; with neither it is empty. */
struct zset_source {
    const struct zset *zset;
    const struct set *set;
    double weight;
};

enum zset_aggregate { ZSET_SUM, ZSET_MIN, ZSET_MAX };

/* These add to `to`, which is empty, and may reorder the sources. Where a minus zero may come out
 * of it, `to` gets the large encoding, so that it can be seen; zset_compact takes that back. */
void zset_unite(struct zset_source *sources, size_t count, enum zset_aggregate aggregate,
                struct zset *to);
void zset_intersect(struct zset_source *sources, size_t count, enum zset_aggregate aggregate,
                    struct zset *to);
void zset_subtract(const struct zset_source *sources, size_t count, struct zset *to);
/* How many members all have in common, counting no further than limit unless it is 0. */
size_t zset_intersect_count(struct zset_source *sources, size_t count, size_t limit);

/* Proves the invariants; for tests. */
void zset_check(const struct zset *zset);

#endif
