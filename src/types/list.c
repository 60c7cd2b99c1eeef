/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/list.h"

#include "base/assert.h"
#include "base/heap.h"
#include "ds/pack.h"
#include "types/list_chain.h"

_Static_assert((int)LIST_SCRATCH >= (int)PACK_TEXT_MAX, "an integer's text fits");

/* The body is a pack, or a chain with the lowest bit set: two words for a small list. */
struct list {
    struct heap *heap;
    uintptr_t body;
};

enum { BODY_CHAIN = 1 };

static bool is_chain(const struct list *list) {
    return (list->body & BODY_CHAIN) != 0;
}

static struct list_chain *chain_of(const struct list *list) {
    kn_assert(is_chain(list));
    return (struct list_chain *)(list->body - BODY_CHAIN);
}

static struct pack *pack_of(const struct list *list) {
    kn_assert(!is_chain(list));
    return (struct pack *)list->body;
}

static void set_pack(struct list *list, struct pack *pack) {
    list->body = (uintptr_t)pack;
}

static void set_chain(struct list *list, struct list_chain *chain) {
    list->body = (uintptr_t)chain + BODY_CHAIN;
}

struct list *list_new(struct heap *heap) {
    struct list *list = heap_take(heap, sizeof *list);
    list->heap = heap;
    set_pack(list, pack_new(heap));
    return list;
}

void list_free(struct list *list) {
    struct heap *heap = list->heap;
    if (is_chain(list))
        list_chain_free(chain_of(list), heap);
    else
        pack_free(pack_of(list), heap);
    heap_give(heap, list, sizeof *list);
}

struct list *list_copy(const struct list *list, struct heap *heap) {
    struct list *copy = heap_take(heap, sizeof *copy);
    copy->heap = heap;
    if (is_chain(list))
        set_chain(copy, list_chain_copy(chain_of(list), heap));
    else
        set_pack(copy, pack_copy(pack_of(list), heap));
    return copy;
}

void list_rehome(struct list *list, struct heap *heap) {
    list->heap = heap;
}

size_t list_count(const struct list *list) {
    return is_chain(list) ? chain_of(list)->count : pack_count(pack_of(list));
}

size_t list_bytes(const struct list *list) {
    return heap_object_bytes(sizeof *list) +
           (is_chain(list) ? chain_of(list)->bytes : pack_heap_bytes(pack_of(list)));
}

size_t list_free_cost(const struct list *list) {
    return is_chain(list) ? chain_of(list)->nodes + 3u : 2;
}

const char *list_encoding(const struct list *list) {
    return is_chain(list) ? "quicklist" : "listpack";
}

/* ---- encodings ---- */

static struct list_chain *become_chain(struct list *list) {
    struct list_chain *chain = list_chain_new(list->heap);
    if (pack_count(pack_of(list)))
        list_chain_push_pack(chain, list->heap, pack_of(list));
    else
        pack_free(pack_of(list), list->heap);
    set_chain(list, chain);
    return chain;
}

/* After elements went: a chain that became small is one pack again. */
static void settle(struct list *list) {
    if (!is_chain(list)) return;
    struct list_chain *chain = chain_of(list);
    if (chain->nodes > 1) return;
    struct pack *pack;
    if (chain->nodes == 0) {
        pack = pack_new(list->heap);
    } else {
        const struct list_node *node = list_chain_node(chain, 0);
        if (node->is_plain || !list_pack_is_small(node->pack)) return;
        pack = list_chain_take_pack(chain, list->heap);
    }
    list_chain_free(chain, list->heap);
    set_pack(list, pack);
}

/* The chain, if the list is one or must be one to take in that much more text. */
static struct list_chain *chain_for(struct list *list, size_t text_len) {
    if (is_chain(list)) return chain_of(list);
    return list_pack_takes(pack_of(list), 1, text_len) ? NULL : become_chain(list);
}

/* ---- changing ---- */

void list_push(struct list *list, enum list_end end, struct bytes value) {
    struct list_chain *chain = chain_for(list, value.len);
    if (chain) {
        list_chain_push(chain, list->heap, end, value);
        return;
    }
    struct pack *pack = pack_of(list);
    pack_insert(&pack, list->heap, end == LIST_HEAD ? pack_first(pack) : pack_end(pack),
                pack_item_of(value));
    set_pack(list, pack);
}

void list_drop(struct list *list, enum list_end end, size_t count) {
    if (count == 0) return;
    if (is_chain(list)) {
        list_chain_drop(chain_of(list), list->heap, end, count);
        settle(list);
        return;
    }
    struct pack *pack = pack_of(list);
    uint32_t here = count < pack_count(pack) ? (uint32_t)count : pack_count(pack);
    if (here == 0) return;
    size_t at = end == LIST_HEAD ? pack_first(pack) : pack_seek(pack, -(int64_t)here);
    pack_delete(&pack, list->heap, at, here);
    set_pack(list, pack);
}

/* Makes an index count from 0; false when it is out of range. */
static bool resolve(const struct list *list, int64_t *index) {
    int64_t count = (int64_t)list_count(list);
    if (*index < 0) *index += count;
    return *index >= 0 && *index < count;
}

bool list_set(struct list *list, int64_t index, struct bytes value) {
    if (!resolve(list, &index)) return false;
    if (!is_chain(list)) {
        struct pack *pack = pack_of(list);
        size_t at = pack_seek(pack, index), had = pack_next(pack, at) - at;
        struct pack_item item = pack_item_of(value);
        size_t wants = pack_item_bytes(item);
        if (wants <= had || list_pack_takes(pack, 0, wants - had)) {
            pack_replace(&pack, list->heap, at, item);
            set_pack(list, pack);
            return true;
        }
    }
    struct list_chain *chain = is_chain(list) ? chain_of(list) : become_chain(list);
    list_chain_replace(chain, list->heap, list_chain_seek(chain, (size_t)index), value);
    settle(list);
    return true;
}

static bool chain_find(const struct list_chain *chain, struct pack_item item,
                       struct list_place *ret_place) {
    struct list_place place = {0, PACK_HEADER};
    for (; place.node < chain->nodes; list_chain_step(chain, &place)) {
        if (!list_chain_equal(chain, place, item)) continue;
        *ret_place = place;
        return true;
    }
    return false;
}

bool list_insert(struct list *list, struct bytes pivot, bool after, struct bytes value) {
    struct pack_item item = pack_item_of(pivot);
    struct list_place place;
    if (!is_chain(list)) {
        struct pack *pack = pack_of(list);
        size_t at = pack_find(pack, pack_first(pack), item, 1);
        if (at == pack_end(pack)) return false;
        if (list_pack_takes(pack, 1, value.len)) {
            if (after) at = pack_next(pack, at);
            pack_insert(&pack, list->heap, at, pack_item_of(value));
            set_pack(list, pack);
            return true;
        }
        become_chain(list);
        place = (struct list_place){0, at};
    } else if (!chain_find(chain_of(list), item, &place)) {
        return false;
    }
    list_chain_insert(chain_of(list), list->heap, place, after, value);
    return true;
}

static size_t pack_remove(struct pack **pack, struct heap *heap, struct pack_item item, size_t most,
                          enum list_end from) {
    size_t removed = 0;
    if (from == LIST_HEAD) {
        size_t at = pack_first(*pack);
        while (removed < most && (at = pack_find(*pack, at, item, 1)) != pack_end(*pack)) {
            pack_delete(pack, heap, at, 1);
            removed++;
        }
    } else {
        for (size_t at = pack_end(*pack); removed < most && at != pack_first(*pack);) {
            at = pack_prev(*pack, at);
            if (!pack_equal(*pack, at, item)) continue;
            pack_delete(pack, heap, at, 1);
            removed++;
        }
    }
    return removed;
}

static size_t chain_remove(struct list_chain *chain, struct heap *heap, struct pack_item item,
                           size_t most, enum list_end from) {
    size_t removed = 0;
    if (chain->nodes == 0) return 0;
    if (from == LIST_HEAD) {
        struct list_place place = {0, PACK_HEADER};
        while (removed < most && place.node < chain->nodes) {
            if (list_chain_equal(chain, place, item)) {
                place = list_chain_delete(chain, heap, place);
                removed++;
            } else {
                list_chain_step(chain, &place);
            }
        }
    } else {
        struct list_place place = list_chain_seek(chain, chain->count - 1);
        while (removed < most && place.node != UINT32_MAX) {
            struct list_place here = place;
            list_chain_step_back(chain, &place);
            if (!list_chain_equal(chain, here, item)) continue;
            list_chain_delete(chain, heap, here);
            removed++;
        }
    }
    return removed;
}

size_t list_remove(struct list *list, struct bytes value, size_t most, enum list_end from) {
    struct pack_item item = pack_item_of(value);
    if (!is_chain(list)) {
        struct pack *pack = pack_of(list);
        size_t removed = pack_remove(&pack, list->heap, item, most, from);
        set_pack(list, pack);
        return removed;
    }
    struct list_chain *chain = chain_of(list);
    size_t removed = chain_remove(chain, list->heap, item, most, from);
    if (removed) {
        list_chain_merge(chain, list->heap);
        settle(list);
    }
    return removed;
}

/* ---- reading ---- */

bool list_get(const struct list *list, int64_t index, char scratch[LIST_SCRATCH],
              struct bytes *ret_value) {
    if (!resolve(list, &index)) return false;
    if (is_chain(list)) {
        const struct list_chain *chain = chain_of(list);
        *ret_value = list_chain_text(chain, list_chain_seek(chain, (size_t)index), scratch);
    } else {
        const struct pack *pack = pack_of(list);
        *ret_value = pack_text(pack, pack_seek(pack, index), scratch);
    }
    return true;
}

/* A pack is walked as if it were the only node of a chain: it is over when node is not 0. */
void list_iter_init(struct list_iter *iter, const struct list *list, int64_t index, bool backward) {
    iter->list = list;
    iter->backward = backward;
    iter->node = UINT32_MAX;
    iter->at = PACK_HEADER;
    if (!resolve(list, &index)) return;
    if (is_chain(list)) {
        struct list_place place = list_chain_seek(chain_of(list), (size_t)index);
        iter->node = place.node;
        iter->at = place.at;
    } else {
        iter->node = 0;
        iter->at = pack_seek(pack_of(list), index);
    }
}

static bool iter_over(const struct list_iter *iter) {
    return iter->node >= (is_chain(iter->list) ? chain_of(iter->list)->nodes : 1);
}

static void iter_step(struct list_iter *iter) {
    if (is_chain(iter->list)) {
        const struct list_chain *chain = chain_of(iter->list);
        struct list_place place = {iter->node, iter->at};
        if (iter->backward)
            list_chain_step_back(chain, &place);
        else
            list_chain_step(chain, &place);
        iter->node = place.node;
        iter->at = place.at;
        return;
    }
    const struct pack *pack = pack_of(iter->list);
    if (iter->backward) {
        if (iter->at == pack_first(pack))
            iter->node = UINT32_MAX;
        else
            iter->at = pack_prev(pack, iter->at);
    } else {
        iter->at = pack_next(pack, iter->at);
        if (iter->at == pack_end(pack)) iter->node = UINT32_MAX;
    }
}

bool list_iter_next(struct list_iter *iter, struct bytes *ret_value) {
    if (iter_over(iter)) return false;
    if (is_chain(iter->list))
        *ret_value = list_chain_text(chain_of(iter->list),
                                     (struct list_place){iter->node, iter->at}, iter->scratch);
    else
        *ret_value = pack_text(pack_of(iter->list), iter->at, iter->scratch);
    iter_step(iter);
    return true;
}

bool list_iter_find(struct list_iter *iter, struct bytes value, size_t *most, size_t *ret_passed) {
    struct pack_item item = pack_item_of(value);
    while (*most > 0 && !iter_over(iter)) {
        bool equal = is_chain(iter->list)
                         ? list_chain_equal(chain_of(iter->list),
                                            (struct list_place){iter->node, iter->at}, item)
                         : pack_equal(pack_of(iter->list), iter->at, item);
        --*most;
        iter_step(iter);
        if (equal) return true;
        ++*ret_passed;
    }
    return false;
}

void list_check(const struct list *list) {
    if (is_chain(list)) {
        const struct list_chain *chain = chain_of(list);
        list_chain_check(chain);
        /* One small pack would have become the list itself. */
        kn_require(chain->nodes > 0);
    } else {
        pack_check(pack_of(list));
    }
}
