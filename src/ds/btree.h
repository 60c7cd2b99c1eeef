/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a sorted set: a B+tree of scored items that knows how many
 * there are below each node.
 *
 * What: adding, removing, the rank of an item, the item of a rank, how many items lie before a
 *       bound: all in O(log n). A range of any kind is a range of ranks, found by two bounds, and
 *       is walked or removed as such. btree.c tells how nodes are kept small.
 * Always: items ascend by scored_compare; no two are equal.
 * Owner: the tree owns its nodes, taken from tree->heap; the items belong to the caller.
 * Lock: the caller's. Errors: none.
 */
#ifndef KN_DS_BTREE_H
#define KN_DS_BTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ds/scored.h"

struct btree {
    struct heap
        *heap;  /* may be changed: where nodes are taken from and given back to from then on */
    void *root; /* NULL when there are no items */
    size_t count;
    size_t bytes;    /* that the nodes occupy */
    uint32_t height; /* levels above the leaves */
};

void btree_init(struct btree *tree, struct heap *heap);

typedef void btree_visit_fn(struct scored *item, void *context);
/* Gives all nodes back and visits each item, which may be freed by it, in
 * order. visit may be NULL. */
void btree_done(struct btree *tree, btree_visit_fn *visit, void *context);

/* The item is not there yet. */
void btree_add(struct btree *tree, struct scored *item);
/* The item is there. It still is as it was when it was added. */
void btree_remove(struct btree *tree, const struct scored *item);
/* Takes `count` items from rank `first` on out, visiting each; visit may free it. */
void btree_remove_range(struct btree *tree, size_t first, size_t count, btree_visit_fn *visit,
                        void *context);
/* ---- finding ---- */

/* A place between items. With any_score members alone are compared: for trees
 * whose scores are all equal. */
struct btree_bound {
    enum { BTREE_BEFORE_SCORE, BTREE_AFTER_SCORE, BTREE_BEFORE_MEMBER, BTREE_AFTER_MEMBER } kind;
    bool any_score;
    double score;
    struct bytes member;
};

/* How many items lie before the bound. */
size_t btree_rank(const struct btree *tree, const struct btree_bound *bound);
/* How many items lie before an item that is there. */
size_t btree_rank_of(const struct btree *tree, const struct scored *item);
/* rank < tree->count */
struct scored *btree_at(const struct btree *tree, size_t rank);

/* ---- walking; the tree must not change meanwhile ---- */

struct btree_iter {
    const struct btree *tree;
    const void *leaf; /* NULL: find it by rank */
    unsigned index;   /* in the leaf */
    size_t rank;      /* of the item that comes next; SIZE_MAX before the first */
};

void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank);
/* The item at the iterator's rank, NULL beyond the ends; then moves on, or back. */
struct scored *btree_iter_next(struct btree_iter *iter);
struct scored *btree_iter_previous(struct btree_iter *iter);

/* Proves the invariants; for tests. */
void btree_check(const struct btree *tree);

#endif
