/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sorted set is made of, for the files that make it: zset.c and zset_range.c.
 */
#ifndef KN_TYPES_ZSET_INTERNAL_H
#define KN_TYPES_ZSET_INTERNAL_H

#include "ds/pack.h"
#include "ds/table.h"
#include "types/zset.h"

struct zset_tree {
    struct table by_member;
    struct btree order;
    size_t item_bytes;
};

struct zset {
    struct heap *heap;
    struct pack *pack;      /* NULL: the tree is there */
    struct zset_tree *tree; /* NULL: the pack is there */
};

/* The score at a place of the pack. */
double zset_score_at(const struct pack *pack, size_t at);

#endif
