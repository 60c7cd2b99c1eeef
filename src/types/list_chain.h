/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A large list: an array of nodes, each a pack of elements or one big element alone.
 *
 * What: the encoding behind types/list.h, of use to nobody else. The array has room at both of its
 *       ends, so that pushing and popping move nothing; an index is found by adding counts in it.
 * Always: no node is empty. A node keeps to list-max-listpack-size unless it has a single
 *         element; elements beyond that size are alone in a plain node. A place is a node's index
 *         with an offset in its pack.
 * Owner: the list. The heap comes with each call. Lock: the caller's. Errors: none.
 */
#ifndef KN_TYPES_LIST_CHAIN_H
#define KN_TYPES_LIST_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ds/pack.h"
#include "types/list.h"

/* A big element alone. */
struct list_plain {
    size_t len;
    char data[];
};

struct list_node {
    union {
        struct pack *pack;
        struct list_plain *plain;
    };
    uint32_t count; /* of elements: pack_count, or 1 */
    bool is_plain;
};

struct list_chain {
    struct list_node *array;
    uint32_t cap, first, nodes; /* the nodes are array[first] .. array[first + nodes - 1] */
    size_t count;               /* of elements */
    size_t bytes;               /* allocated, this struct included */
};

struct list_place {
    uint32_t node; /* chain->nodes: behind the last element */
    size_t at;     /* in its pack; PACK_HEADER for a plain node */
};

/* Do so many more elements, with so much more text, keep a pack within
 * list-max-listpack-size as it is now? */
bool list_pack_takes(const struct pack *pack, uint32_t count, size_t text_len);
/* Is the pack half as small as that? */
bool list_pack_is_small(const struct pack *pack);
/* Must an element of this length stand alone? */
bool list_is_plain(size_t len);

struct list_chain *list_chain_new(struct heap *heap);
void list_chain_free(struct list_chain *chain, struct heap *user);
struct list_chain *list_chain_copy(const struct list_chain *chain, struct heap *heap);

static inline struct list_node *list_chain_node(const struct list_chain *chain, uint32_t node) {
    return &chain->array[chain->first + node];
}

void list_chain_push(struct list_chain *chain, struct heap *heap, enum list_end end,
                     struct bytes value);
/* Takes in a pack of elements as the last node. */
void list_chain_push_pack(struct list_chain *chain, struct heap *heap, struct pack *pack);
/* Takes the only node, a pack, out of the chain. */
struct pack *list_chain_take_pack(struct list_chain *chain, struct heap *heap);
void list_chain_drop(struct list_chain *chain, struct heap *heap, enum list_end end, size_t count);

/* The place of an index that is in range. */
struct list_place list_chain_seek(const struct list_chain *chain, size_t index);
struct bytes list_chain_text(const struct list_chain *chain, struct list_place place,
                             char scratch[LIST_SCRATCH]);
bool list_chain_equal(const struct list_chain *chain, struct list_place place,
                      struct pack_item item);
/* To the next element, or behind the last. */
void list_chain_step(const struct list_chain *chain, struct list_place *place);
/* To the previous element; node is UINT32_MAX when there is none. */
void list_chain_step_back(const struct list_chain *chain, struct list_place *place);

/* Before the element at this place, or after it. */
void list_chain_insert(struct list_chain *chain, struct heap *heap, struct list_place place,
                       bool after, struct bytes value);
void list_chain_replace(struct list_chain *chain, struct heap *heap, struct list_place place,
                        struct bytes value);
/* Removes one element and returns the place of the one that followed it. */
struct list_place list_chain_delete(struct list_chain *chain, struct heap *heap,
                                    struct list_place place);
/* Puts neighbouring nodes that are small together, after many deletions. */
void list_chain_merge(struct list_chain *chain, struct heap *heap);

void list_chain_check(const struct list_chain *chain);

#endif
