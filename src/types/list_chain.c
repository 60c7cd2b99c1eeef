/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/list_chain.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "types/limits.h"

enum { NODE_SAFE_SIZE = 8192, ARRAY_MIN = 4 };

/* ---- limits ---- */

/* Bytes and elements that a node may have. */
static void node_limits(size_t *ret_bytes, size_t *ret_count) {
    static const size_t sizes[] = {4096, 8192, 16384, 32768, 65536};
    int64_t limit = type_limit(&type_limits.list_max_listpack_size);
    if (limit < 0) {
        *ret_bytes = sizes[limit < -5 ? 4 : -limit - 1];
        *ret_count = SIZE_MAX;
    } else {
        *ret_bytes = NODE_SAFE_SIZE;
        *ret_count = limit == 0 ? 1 : (size_t)limit;
    }
}

bool list_pack_takes(const struct pack *pack, uint32_t count, size_t text_len) {
    size_t max_bytes, max_count;
    node_limits(&max_bytes, &max_count);
    return text_len <= max_bytes && pack_size(pack) + text_len <= max_bytes &&
           (size_t)pack_count(pack) + count <= max_count;
}

bool list_pack_is_small(const struct pack *pack) {
    size_t bytes, count;
    node_limits(&bytes, &count);
    return pack_size(pack) <= bytes / 2 && pack_count(pack) <= count / 2;
}

bool list_is_plain(size_t len) {
    size_t bytes, count;
    node_limits(&bytes, &count);
    return len > bytes;
}

static bool packs_fit_together(const struct pack *a, const struct pack *b) {
    size_t bytes, count;
    node_limits(&bytes, &count);
    return pack_size(a) + pack_size(b) - PACK_HEADER <= bytes &&
           (size_t)pack_count(a) + pack_count(b) <= count;
}

/* ---- nodes ---- */

static size_t plain_size(size_t len) {
    return sizeof(struct list_plain) + len;
}

static size_t node_bytes(const struct list_node *node) {
    return node->is_plain ? heap_object_bytes(plain_size(node->plain->len))
                          : pack_heap_bytes(node->pack);
}

static struct list_node node_of_value(struct heap *heap, struct bytes value) {
    struct list_node node = {.count = 1, .is_plain = list_is_plain(value.len)};
    if (node.is_plain) {
        node.plain = heap_take(heap, plain_size(value.len));
        node.plain->len = value.len;
        memcpy(node.plain->data, value.data, value.len);
    } else {
        node.pack = pack_new(heap);
        pack_append(&node.pack, heap, pack_item_of(value));
    }
    return node;
}

static void node_free(struct list_node *node, struct heap *user) {
    if (node->is_plain)
        heap_give(user, node->plain, plain_size(node->plain->len));
    else
        pack_free(node->pack, user);
}

static struct list_node node_copy(const struct list_node *node, struct heap *heap) {
    struct list_node copy = *node;
    if (node->is_plain) {
        size_t size = plain_size(node->plain->len);
        copy.plain = heap_take(heap, size);
        memcpy(copy.plain, node->plain, size);
    } else {
        copy.pack = pack_copy(node->pack, heap);
    }
    return copy;
}

/* ---- the array ---- */

static size_t array_bytes(uint32_t cap) {
    return (size_t)cap * sizeof(struct list_node);
}

/* Moves the nodes to the middle of an array of this size. */
static void array_center(struct list_chain *chain, struct heap *heap, uint32_t cap) {
    uint32_t first = (cap - chain->nodes) / 2;
    struct list_node *array = chain->array;
    if (cap != chain->cap) array = heap_take(heap, array_bytes(cap));
    memmove(array + first, chain->array + chain->first, array_bytes(chain->nodes));
    if (cap != chain->cap) {
        chain->bytes += heap_object_bytes(array_bytes(cap));
        chain->bytes -= heap_object_bytes(array_bytes(chain->cap));
        heap_give(heap, chain->array, array_bytes(chain->cap));
    }
    chain->array = array;
    chain->cap = cap;
    chain->first = first;
}

/* Puts a node in before the one with this index. */
static void array_insert(struct list_chain *chain, struct heap *heap, uint32_t index,
                         struct list_node node) {
    bool front = (uint64_t)index * 2 < chain->nodes;
    if (front ? chain->first == 0 : chain->first + chain->nodes == chain->cap) {
        uint32_t unused = chain->cap - chain->nodes;
        kn_require(chain->cap < UINT32_MAX / 4);
        /* A window that only slid, as a queue's does, is moved back once in many steps. */
        array_center(chain, heap,
                     unused >= 2 && unused > chain->nodes / 2 ? chain->cap : chain->cap * 2);
    }
    struct list_node *start = chain->array + chain->first;
    if (front) {
        memmove(start - 1, start, array_bytes(index));
        chain->first--;
    } else {
        memmove(start + index + 1, start + index, array_bytes(chain->nodes - index));
    }
    chain->nodes++;
    *list_chain_node(chain, index) = node;
    chain->bytes += node_bytes(&node);
}

/* Takes one out; what it held is no longer the chain's. */
static void array_remove(struct list_chain *chain, struct heap *heap, uint32_t index) {
    struct list_node *start = chain->array + chain->first;
    chain->bytes -= node_bytes(start + index);
    if ((uint64_t)index * 2 < chain->nodes) {
        memmove(start + 1, start, array_bytes(index));
        chain->first++;
    } else {
        memmove(start + index, start + index + 1, array_bytes(chain->nodes - index - 1));
    }
    chain->nodes--;
    if (chain->cap > 4 * ARRAY_MIN && chain->nodes < chain->cap / 8)
        array_center(chain, heap, chain->cap / 4);
}

/* ---- the chain ---- */

struct list_chain *list_chain_new(struct heap *heap) {
    struct list_chain *chain = heap_take(heap, sizeof *chain);
    *chain = (struct list_chain){.cap = ARRAY_MIN, .first = ARRAY_MIN / 2};
    chain->array = heap_take(heap, array_bytes(ARRAY_MIN));
    chain->bytes = heap_object_bytes(sizeof *chain) + heap_object_bytes(array_bytes(ARRAY_MIN));
    return chain;
}

void list_chain_free(struct list_chain *chain, struct heap *user) {
    for (uint32_t i = 0; i < chain->nodes; i++) node_free(list_chain_node(chain, i), user);
    heap_give(user, chain->array, array_bytes(chain->cap));
    heap_give(user, chain, sizeof *chain);
}

struct list_chain *list_chain_copy(const struct list_chain *chain, struct heap *heap) {
    struct list_chain *copy = heap_take(heap, sizeof *copy);
    *copy = *chain;
    copy->array = heap_take(heap, array_bytes(copy->cap));
    for (uint32_t i = 0; i < chain->nodes; i++)
        *list_chain_node(copy, i) = node_copy(list_chain_node(chain, i), heap);
    return copy;
}

void list_chain_push_pack(struct list_chain *chain, struct heap *heap, struct pack *pack) {
    struct list_node node = {.pack = pack, .count = pack_count(pack)};
    chain->count += node.count;
    array_insert(chain, heap, chain->nodes, node);
}

struct pack *list_chain_take_pack(struct list_chain *chain, struct heap *heap) {
    kn_assert(chain->nodes == 1 && !list_chain_node(chain, 0)->is_plain);
    struct pack *pack = list_chain_node(chain, 0)->pack;
    chain->count = 0;
    array_remove(chain, heap, 0);
    return pack;
}

static void insert_value(struct list_chain *chain, struct heap *heap, uint32_t index,
                         struct bytes value) {
    array_insert(chain, heap, index, node_of_value(heap, value));
    chain->count++;
}

/* Can this node take one more element of this length? */
static bool node_takes(const struct list_chain *chain, uint32_t index, size_t len) {
    if (index >= chain->nodes) return false;
    const struct list_node *node = list_chain_node(chain, index);
    return !node->is_plain && list_pack_takes(node->pack, 1, len);
}

static void put_in_node(struct list_chain *chain, struct heap *heap, uint32_t index, size_t at,
                        struct bytes value) {
    struct list_node *node = list_chain_node(chain, index);
    size_t before = pack_heap_bytes(node->pack);
    pack_insert(&node->pack, heap, at, pack_item_of(value));
    chain->bytes += pack_heap_bytes(node->pack) - before;
    node->count++;
    chain->count++;
}

static void put_at_end(struct list_chain *chain, struct heap *heap, uint32_t index,
                       enum list_end end, struct bytes value) {
    struct pack *pack = list_chain_node(chain, index)->pack;
    put_in_node(chain, heap, index, end == LIST_HEAD ? pack_first(pack) : pack_end(pack), value);
}

/* Takes `count` elements out of a node, from `at` on; all of them: the node goes too. */
static void cut_node(struct list_chain *chain, struct heap *heap, uint32_t index, size_t at,
                     uint32_t count) {
    struct list_node *node = list_chain_node(chain, index);
    chain->count -= count;
    if (count == node->count) {
        struct list_node gone = *node;
        array_remove(chain, heap, index);
        node_free(&gone, heap);
        return;
    }
    size_t before = pack_heap_bytes(node->pack);
    pack_delete(&node->pack, heap, at, count);
    chain->bytes -= before - pack_heap_bytes(node->pack);
    node->count -= count;
}

void list_chain_push(struct list_chain *chain, struct heap *heap, enum list_end end,
                     struct bytes value) {
    uint32_t index = end == LIST_HEAD ? 0 : chain->nodes - 1;
    if (chain->nodes && node_takes(chain, index, value.len))
        put_at_end(chain, heap, index, end, value);
    else
        insert_value(chain, heap, end == LIST_HEAD ? 0 : chain->nodes, value);
}

void list_chain_drop(struct list_chain *chain, struct heap *heap, enum list_end end, size_t count) {
    while (count > 0 && chain->nodes > 0) {
        uint32_t index = end == LIST_HEAD ? 0 : chain->nodes - 1;
        struct list_node *node = list_chain_node(chain, index);
        uint32_t here = count < node->count ? (uint32_t)count : node->count;
        size_t at = PACK_HEADER;
        if (end == LIST_TAIL && here < node->count) at = pack_seek(node->pack, -(int64_t)here);
        cut_node(chain, heap, index, at, here);
        count -= here;
    }
}

/* ---- places ---- */

struct list_place list_chain_seek(const struct list_chain *chain, size_t index) {
    uint32_t node;
    kn_assert(index < chain->count);
    if (index < chain->count / 2) {
        for (node = 0; index >= list_chain_node(chain, node)->count; node++)
            index -= list_chain_node(chain, node)->count;
    } else {
        size_t first = chain->count; /* index of the node's first element */
        node = chain->nodes;
        do first -= list_chain_node(chain, --node)->count;
        while (index < first);
        index -= first;
    }
    const struct list_node *n = list_chain_node(chain, node);
    return (struct list_place){node,
                               n->is_plain ? PACK_HEADER : pack_seek(n->pack, (int64_t)index)};
}

struct bytes list_chain_text(const struct list_chain *chain, struct list_place place,
                             char scratch[LIST_SCRATCH]) {
    const struct list_node *node = list_chain_node(chain, place.node);
    return node->is_plain ? bytes_make(node->plain->data, node->plain->len)
                          : pack_text(node->pack, place.at, scratch);
}

bool list_chain_equal(const struct list_chain *chain, struct list_place place,
                      struct pack_item item) {
    const struct list_node *node = list_chain_node(chain, place.node);
    if (!node->is_plain) return pack_equal(node->pack, place.at, item);
    return item.data && bytes_equal(bytes_make(item.data, item.len),
                                    bytes_make(node->plain->data, node->plain->len));
}

void list_chain_step(const struct list_chain *chain, struct list_place *place) {
    const struct list_node *node = list_chain_node(chain, place->node);
    if (!node->is_plain) {
        place->at = pack_next(node->pack, place->at);
        if (place->at < pack_end(node->pack)) return;
    }
    place->node++;
    place->at = PACK_HEADER;
}

void list_chain_step_back(const struct list_chain *chain, struct list_place *place) {
    if (place->at == PACK_HEADER) {
        if (place->node-- == 0) return;
        const struct list_node *node = list_chain_node(chain, place->node);
        if (node->is_plain) return;
        place->at = pack_end(node->pack);
    }
    place->at = pack_prev(list_chain_node(chain, place->node)->pack, place->at);
}

/* ---- changes in the middle ---- */

/* Joins a node with the one behind it, if they fit into one. */
static bool merge_next(struct list_chain *chain, struct heap *heap, uint32_t index) {
    if (index + 1 >= chain->nodes) return false;
    struct list_node *a = list_chain_node(chain, index), *b = a + 1;
    if (a->is_plain || b->is_plain || !packs_fit_together(a->pack, b->pack)) return false;
    struct pack *gone = b->pack;
    size_t before = node_bytes(a);
    pack_append_all(&a->pack, heap, gone);
    a->count += b->count;
    chain->bytes += node_bytes(a) - before;
    array_remove(chain, heap, index + 1);
    pack_free(gone, heap);
    return true;
}

void list_chain_merge(struct list_chain *chain, struct heap *heap) {
    for (uint32_t index = 0; index + 1 < chain->nodes;)
        if (!merge_next(chain, heap, index)) index++;
}

/* Makes two nodes of one, the second beginning at `at`, which is neither end. */
static void split_node(struct list_chain *chain, struct heap *heap, uint32_t index, size_t at) {
    struct list_node *node = list_chain_node(chain, index), second = {0};
    size_t before = node_bytes(node);
    second.pack = pack_split(&node->pack, heap, at);
    second.count = pack_count(second.pack);
    node->count -= second.count;
    chain->bytes -= before - node_bytes(node);
    array_insert(chain, heap, index + 1, second);
}

/* Inserts and returns the node before the one or two that took part:
 * UINT32_MAX if they were the first. */
static uint32_t insert_beside(struct list_chain *chain, struct heap *heap, struct list_place place,
                              bool after, struct bytes value) {
    uint32_t index = place.node;
    const struct list_node *node = list_chain_node(chain, index);
    bool at_start = !after && place.at == PACK_HEADER, at_end = after;
    if (!node->is_plain) {
        if (after) place.at = pack_next(node->pack, place.at);
        at_end = place.at == pack_end(node->pack);
        if (list_pack_takes(node->pack, 1, value.len)) {
            put_in_node(chain, heap, index, place.at, value);
            return index;
        }
    }
    /* At an end of its node it may go to the neighbour's; or else between
     * the halves of this node. */
    if (!at_start && !at_end) split_node(chain, heap, index, place.at);
    uint32_t left = at_start ? index - 1 : index; /* wraps to no node when there is none */
    if (node_takes(chain, left, value.len))
        put_at_end(chain, heap, left, LIST_TAIL, value);
    else if (node_takes(chain, left + 1, value.len))
        put_at_end(chain, heap, left + 1, LIST_HEAD, value);
    else
        insert_value(chain, heap, left + 1, value);
    return left;
}

void list_chain_insert(struct list_chain *chain, struct heap *heap, struct list_place place,
                       bool after, struct bytes value) {
    uint32_t nodes = chain->nodes;
    uint32_t left = insert_beside(chain, heap, place, after, value);
    if (chain->nodes == nodes) return;
    /* The pieces may be small, and so may what is beside them. */
    if (left + 1 < chain->nodes) merge_next(chain, heap, left + 1);
    if (left != UINT32_MAX && left > 0) merge_next(chain, heap, left - 1);
}

void list_chain_replace(struct list_chain *chain, struct heap *heap, struct list_place place,
                        struct bytes value) {
    struct list_node *node = list_chain_node(chain, place.node);
    if (!node->is_plain && !list_is_plain(value.len)) {
        struct pack_item item = pack_item_of(value);
        size_t had = pack_next(node->pack, place.at) - place.at, wants = pack_item_bytes(item);
        if (wants <= had || list_pack_takes(node->pack, 0, wants - had)) {
            size_t before = node_bytes(node);
            pack_replace(&node->pack, heap, place.at, item);
            chain->bytes = chain->bytes - before + node_bytes(node);
            return;
        }
    }
    if (node->count > 1) {
        insert_beside(chain, heap, place, true, value);
        /* Wherever the new element went, it is behind the old one, whose place is as it was. */
        cut_node(chain, heap, place.node, place.at, 1);
        return;
    }
    struct list_node gone = *node, made = node_of_value(heap, value);
    chain->bytes = chain->bytes - node_bytes(&gone) + node_bytes(&made);
    *node = made;
    node_free(&gone, heap);
}

struct list_place list_chain_delete(struct list_chain *chain, struct heap *heap,
                                    struct list_place place) {
    uint32_t nodes = chain->nodes;
    cut_node(chain, heap, place.node, place.at, 1);
    if (chain->nodes < nodes) return (struct list_place){place.node, PACK_HEADER};
    if (place.at == pack_end(list_chain_node(chain, place.node)->pack))
        return (struct list_place){place.node + 1, PACK_HEADER};
    return place;
}

void list_chain_check(const struct list_chain *chain) {
    size_t count = 0;
    size_t bytes = heap_object_bytes(sizeof *chain) + heap_object_bytes(array_bytes(chain->cap));
    kn_require(chain->first + chain->nodes <= chain->cap);
    for (uint32_t i = 0; i < chain->nodes; i++) {
        const struct list_node *node = list_chain_node(chain, i);
        kn_require(node->count > 0);
        if (node->is_plain) {
            kn_require(node->count == 1);
        } else {
            pack_check(node->pack);
            kn_require(node->count == pack_count(node->pack));
        }
        count += node->count;
        bytes += node_bytes(node);
    }
    kn_require(count == chain->count && bytes == chain->bytes);
}
