/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * A pack holds each member followed by its score, in order: an integer where the score is one, else
 * the eight bytes of the double.
 *
 * Above that size each member is one allocation (ds/scored.h) that both the table and the tree
 * point to: the table finds it by its bytes, the tree keeps the order. Both are an allocation of
 * their own, so that the head of a small sorted set is small.
 */
#include "types/zset_internal.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/random.h"
#include "ds/pack.h"
#include "ds/seen.h"
#include "types/limits.h"

/* ---- pack ---- */

static struct pack_item score_item(const double *score) {
    /* Integers of 56 bits are doubles exactly. Minus zero becomes zero
     * here, as it does elsewhere. */
    const double limit = (double)(INT64_C(1) << 55);
    if (*score >= -limit && *score < limit && (double)(int64_t)*score == *score)
        return pack_item_integer((int64_t)*score);
    return pack_item_raw(bytes_make(score, sizeof *score));
}

double zset_score_at(const struct pack *pack, size_t at) {
    struct pack_item item;
    double score;
    pack_get(pack, at, &item);
    if (!item.data) return (double)item.integer;
    memcpy(&score, item.data, sizeof score);
    return score;
}

static size_t pack_place(const struct pack *pack, struct bytes member) {
    return pack_find(pack, pack_first(pack), pack_item_of(member), 2);
}

static size_t pack_seek_rank(const struct pack *pack, size_t rank) {
    return pack_seek(pack, (int64_t)rank * 2);
}

static void pack_add(struct zset *zset, struct bytes member, double score) {
    struct pack *pack = zset->pack;
    char scratch[PACK_TEXT_MAX];
    size_t at = pack_first(pack);
    while (at != pack_end(pack)) {
        size_t value = pack_next(pack, at);
        double there = zset_score_at(pack, value);
        if (there > score ||
            (there == score && bytes_compare(pack_text(pack, at, scratch), member) > 0))
            break;
        at = pack_next(pack, value);
    }
    pack_insert_pair(&zset->pack, zset->heap, at, pack_item_of(member), score_item(&score));
}

/* ---- tree ---- */

static uint64_t item_hash(const void *item) {
    return hash_bytes(scored_member(item));
}

static struct scored *tree_find(const struct zset_tree *tree, struct bytes member, uint64_t hash) {
    struct table_probe probe;
    for (struct scored *item = table_first(&tree->by_member, hash, &probe); item;
         item = table_next(&probe)) {
        if (bytes_equal(scored_member(item), member)) return item;
    }
    return NULL;
}

static void tree_add(struct zset *zset, uint64_t hash, struct bytes member, double score) {
    struct scored *item = scored_new(zset->heap, score, member);
    zset->tree->item_bytes += heap_object_bytes(scored_size(item));
    table_add(&zset->tree->by_member, hash, item, 0);
    btree_add(&zset->tree->order, item);
}

static void tree_free_item(struct scored *item, void *context) {
    struct zset *zset = context;
    zset->tree->item_bytes -= heap_object_bytes(scored_size(item));
    scored_free(zset->heap, item);
}

static void tree_forget_item(struct scored *item, void *context) {
    struct zset *zset = context;
    table_remove(&zset->tree->by_member, item_hash(item), item);
    tree_free_item(item, zset);
}

static void tree_set_score(struct zset *zset, uint64_t hash, struct scored *item, double score) {
    struct zset_tree *tree = zset->tree;
    btree_remove(&tree->order, item);
    if (!scored_set_score(item, score)) {
        struct scored *other = scored_new(zset->heap, score, scored_member(item));
        table_replace(&tree->by_member, hash, item, other, 0);
        tree->item_bytes += heap_object_bytes(scored_size(other));
        tree_free_item(item, zset);
        item = other;
    }
    btree_add(&tree->order, item);
}

static struct zset_tree *tree_new(struct heap *heap) {
    struct zset_tree *tree = heap_take(heap, sizeof *tree);
    table_init(&tree->by_member, item_hash);
    btree_init(&tree->order, heap);
    tree->item_bytes = 0;
    return tree;
}

static void to_tree(struct zset *zset) {
    struct pack *pack = zset->pack;
    char scratch[PACK_TEXT_MAX];
    size_t value;
    zset->pack = NULL;
    zset->tree = tree_new(zset->heap);
    for (size_t at = pack_first(pack); at != pack_end(pack); at = pack_next(pack, value)) {
        struct bytes member = pack_text(pack, at, scratch);
        value = pack_next(pack, at);
        tree_add(zset, hash_bytes(member), member, zset_score_at(pack, value));
    }
    pack_free(pack, zset->heap);
}

/* ---- life ---- */

struct zset *zset_new(struct heap *heap) {
    struct zset *zset = heap_take(heap, sizeof *zset);
    *zset = (struct zset){.heap = heap, .pack = pack_new(heap)};
    return zset;
}

static void tree_free(struct zset *zset) {
    btree_done(&zset->tree->order, tree_free_item, zset);
    table_done(&zset->tree->by_member);
    heap_give(zset->heap, zset->tree, sizeof *zset->tree);
    zset->tree = NULL;
}

void zset_free(struct zset *zset) {
    if (zset->tree)
        tree_free(zset);
    else
        pack_free(zset->pack, zset->heap);
    heap_give(zset->heap, zset, sizeof *zset);
}

struct zset *zset_copy(const struct zset *zset, struct heap *heap) {
    struct zset *copy = heap_take(heap, sizeof *copy);
    *copy = (struct zset){.heap = heap};
    if (zset->pack) {
        copy->pack = pack_copy(zset->pack, heap);
        return copy;
    }
    struct btree_iter iter;
    copy->tree = tree_new(heap);
    btree_iter_init(&iter, &zset->tree->order, 0);
    for (const struct scored *item; (item = btree_iter_next(&iter));)
        tree_add(copy, item_hash(item), scored_member(item), scored_score(item));
    return copy;
}

void zset_rehome(struct zset *zset, struct heap *heap) {
    zset->heap = heap;
    if (zset->tree) zset->tree->order.heap = heap;
}

size_t zset_count(const struct zset *zset) {
    return zset->tree ? zset->tree->order.count : pack_count(zset->pack) / 2;
}

size_t zset_bytes(const struct zset *zset) {
    const struct zset_tree *tree = zset->tree;
    size_t bytes = heap_object_bytes(sizeof *zset);
    if (!tree) return bytes + pack_heap_bytes(zset->pack);
    return bytes + heap_object_bytes(sizeof *tree) + tree->item_bytes + tree->order.bytes +
           table_bytes(&tree->by_member);
}

const char *zset_encoding(const struct zset *zset) {
    return zset->tree ? "skiplist" : "listpack";
}

bool zset_is_large(const struct zset *zset) {
    return zset->tree != NULL;
}

size_t zset_free_cost(const struct zset *zset) {
    return zset->tree ? 2 + zset->tree->order.count : 2;
}

static bool within(size_t value, const _Atomic int64_t *limit) {
    int64_t most = type_limit(limit);
    return most >= 0 && value <= (uint64_t)most;
}

void zset_expect(struct zset *zset, size_t more, size_t first_len) {
    bool fits = within(more, &type_limits.zset_max_listpack_entries) &&
                within(first_len, &type_limits.zset_max_listpack_value);
    if (!zset->tree && !fits) to_tree(zset);
}

void zset_compact(struct zset *zset) {
    struct zset_iter iter;
    struct bytes member;
    double score;
    size_t count = zset_count(zset), text = 0, longest = 0;
    if (!zset->tree || !within(count, &type_limits.zset_max_listpack_entries)) return;
    zset_iter_init(&iter, zset, (struct zset_range){0, count}, false);
    while (zset_iter_next(&iter, &member, &score)) {
        text += member.len + sizeof score;
        if (member.len > longest) longest = member.len;
    }
    struct pack *pack = pack_new(zset->heap);
    if (within(longest, &type_limits.zset_max_listpack_value) &&
        pack_has_room(pack, 2 * count, text)) {
        zset_iter_init(&iter, zset, (struct zset_range){0, count}, false);
        while (zset_iter_next(&iter, &member, &score))
            pack_insert_pair(&pack, zset->heap, pack_end(pack), pack_item_of(member),
                             score_item(&score));
        tree_free(zset);
        zset->pack = pack;
    } else {
        pack_free(pack, zset->heap);
    }
}

/* ---- members ---- */

bool zset_find(const struct zset *zset, struct bytes member, double *ret_score) {
    if (zset->tree) {
        const struct scored *item = tree_find(zset->tree, member, hash_bytes(member));
        if (item && ret_score) *ret_score = scored_score(item);
        return item != NULL;
    }
    size_t at = pack_place(zset->pack, member);
    if (at == pack_end(zset->pack)) return false;
    if (ret_score) *ret_score = zset_score_at(zset->pack, pack_next(zset->pack, at));
    return true;
}

/* What the flags make of a score for a member that is there: UPDATED when *score is to be set. */
static enum zset_outcome resolve(double present, double *score, unsigned flags) {
    if (flags & ZSET_NEW_ONLY) return ZSET_SKIPPED;
    if (flags & ZSET_INCREMENT) {
        *score += present;
        if (isnan(*score)) return ZSET_NAN;
    }
    if ((flags & ZSET_LESS) && *score >= present) return ZSET_SKIPPED;
    if ((flags & ZSET_GREATER) && *score <= present) return ZSET_SKIPPED;
    return *score == present ? ZSET_SAME : ZSET_UPDATED;
}

static enum zset_outcome add_to_tree(struct zset *zset, struct bytes member, double score,
                                     unsigned flags, double *ret_score) {
    uint64_t hash = hash_bytes(member);
    struct scored *item = tree_find(zset->tree, member, hash);
    enum zset_outcome outcome = ZSET_ADDED;
    if (item) {
        outcome = resolve(scored_score(item), &score, flags);
        if (outcome == ZSET_UPDATED) tree_set_score(zset, hash, item, score);
    } else if (flags & ZSET_PRESENT_ONLY) {
        return ZSET_SKIPPED;
    } else {
        tree_add(zset, hash, member, score);
    }
    if (outcome <= ZSET_SAME) *ret_score = score;
    return outcome;
}

enum zset_outcome zset_add(struct zset *zset, struct bytes member, double score, unsigned flags,
                           double *ret_score) {
    if (isnan(score)) return ZSET_NAN;
    if (zset->tree) return add_to_tree(zset, member, score, flags, ret_score);
    size_t at = pack_place(zset->pack, member);
    enum zset_outcome outcome = ZSET_ADDED;
    if (at != pack_end(zset->pack)) {
        outcome = resolve(zset_score_at(zset->pack, pack_next(zset->pack, at)), &score, flags);
        if (outcome == ZSET_UPDATED) {
            pack_delete(&zset->pack, zset->heap, at, 2);
            pack_add(zset, member, score);
        }
    } else if (flags & ZSET_PRESENT_ONLY) {
        return ZSET_SKIPPED;
    } else if (within(zset_count(zset) + 1, &type_limits.zset_max_listpack_entries) &&
               within(member.len, &type_limits.zset_max_listpack_value) &&
               pack_has_room(zset->pack, 2, member.len + sizeof score)) {
        pack_add(zset, member, score);
    } else {
        to_tree(zset);
        tree_add(zset, hash_bytes(member), member, score);
    }
    if (outcome <= ZSET_SAME) *ret_score = score;
    return outcome;
}

bool zset_remove(struct zset *zset, struct bytes member) {
    if (zset->tree) {
        struct zset_tree *tree = zset->tree;
        uint64_t hash = hash_bytes(member);
        struct scored *item = tree_find(tree, member, hash);
        if (!item) return false;
        btree_remove(&tree->order, item);
        table_remove(&tree->by_member, hash, item);
        tree_free_item(item, zset);
        return true;
    }
    size_t at = pack_place(zset->pack, member);
    if (at == pack_end(zset->pack)) return false;
    pack_delete(&zset->pack, zset->heap, at, 2);
    return true;
}

bool zset_rank(const struct zset *zset, struct bytes member, size_t *ret_rank, double *ret_score) {
    if (zset->tree) {
        const struct scored *item = tree_find(zset->tree, member, hash_bytes(member));
        if (!item) return false;
        *ret_score = scored_score(item);
        *ret_rank = btree_rank_of(&zset->tree->order, item);
        return true;
    }
    const struct pack *pack = zset->pack;
    size_t place = pack_place(pack, member), rank = 0;
    if (place == pack_end(pack)) return false;
    for (size_t at = pack_first(pack); at != place; at = pack_next(pack, pack_next(pack, at)))
        rank++;
    *ret_score = zset_score_at(pack, pack_next(pack, place));
    *ret_rank = rank;
    return true;
}

void zset_remove_range(struct zset *zset, struct zset_range range) {
    if (range.count == 0) return;
    if (zset->tree && range.count == 1) {
        struct scored *item = btree_at(&zset->tree->order, range.first);
        btree_remove(&zset->tree->order, item);
        tree_forget_item(item, zset);
        return;
    }
    if (zset->tree) {
        btree_remove_range(&zset->tree->order, range.first, range.count, tree_forget_item, zset);
        return;
    }
    size_t at = pack_seek_rank(zset->pack, range.first);
    pack_delete(&zset->pack, zset->heap, at, (uint32_t)range.count * 2);
}

/* ---- visiting ---- */

void zset_iter_init(struct zset_iter *iter, const struct zset *zset, struct zset_range range,
                    bool reverse) {
    size_t rank = reverse ? range.first + range.count - 1 : range.first;
    iter->zset = zset;
    iter->left = range.count;
    iter->reverse = reverse;
    if (range.count == 0) return;
    kn_assert(range.first + range.count <= zset_count(zset));
    if (zset->tree)
        btree_iter_init(&iter->tree, &zset->tree->order, rank);
    else
        iter->at = pack_seek_rank(zset->pack, rank);
}

bool zset_iter_next(struct zset_iter *iter, struct bytes *ret_member, double *ret_score) {
    const struct pack *pack = iter->zset->pack;
    if (iter->left == 0) return false;
    iter->left--;
    if (!pack) {
        const struct scored *item =
            iter->reverse ? btree_iter_previous(&iter->tree) : btree_iter_next(&iter->tree);
        *ret_member = scored_member(item);
        *ret_score = scored_score(item);
        return true;
    }
    size_t value = pack_next(pack, iter->at);
    *ret_member = pack_text(pack, iter->at, iter->scratch);
    *ret_score = zset_score_at(pack, value);
    if (!iter->reverse)
        iter->at = pack_next(pack, value);
    else if (iter->left > 0)
        iter->at = pack_prev(pack, pack_prev(pack, iter->at));
    return true;
}

struct bytes zset_at(const struct zset *zset, size_t rank, char scratch[ZSET_TEXT_MAX],
                     double *ret_score) {
    if (zset->tree) {
        const struct scored *item = btree_at(&zset->tree->order, rank);
        *ret_score = scored_score(item);
        return scored_member(item);
    }
    size_t at = pack_seek_rank(zset->pack, rank);
    *ret_score = zset_score_at(zset->pack, pack_next(zset->pack, at));
    return pack_text(zset->pack, at, scratch);
}

/* Few of many: by ranks drawn until enough different ones have come. */
static void sample_by_rank(const struct zset *zset, struct rng *rng, size_t count,
                           zset_visit_fn *visit, void *context) {
    char scratch[ZSET_TEXT_MAX];
    struct seen seen;
    double score;
    seen_init(&seen, count);
    while (count > 0) {
        size_t rank = rng_below(rng, zset_count(zset));
        if (!seen_add(&seen, rank)) continue;
        struct bytes member = zset_at(zset, rank, scratch, &score);
        visit(member, score, context);
        count--;
    }
    seen_done(&seen);
}

void zset_sample(const struct zset *zset, struct rng *rng, size_t count, zset_visit_fn *visit,
                 void *context) {
    size_t left = zset_count(zset);
    if (count < left / 3) {
        sample_by_rank(zset, rng, count, visit, context);
        return;
    }
    /* Each in turn, with the chance that is left to it. */
    struct zset_iter iter;
    struct bytes member;
    double score;
    zset_iter_init(&iter, zset, (struct zset_range){0, left}, true);
    while (count > 0 && zset_iter_next(&iter, &member, &score)) {
        if (rng_below(rng, left--) >= count) continue;
        visit(member, score, context);
        count--;
    }
}

struct scan {
    zset_visit_fn *visit;
    void *context;
};

static void scan_visit(void *item, void *context) {
    const struct scan *scan = context;
    scan->visit(scored_member(item), scored_score(item), scan->context);
}

uint64_t zset_scan(const struct zset *zset, uint64_t cursor, zset_visit_fn *visit, void *context) {
    if (zset->tree) {
        struct scan scan = {visit, context};
        return table_scan(&zset->tree->by_member, cursor, scan_visit, &scan);
    }
    struct zset_iter iter;
    struct bytes member;
    double score;
    zset_iter_init(&iter, zset, (struct zset_range){0, zset_count(zset)}, false);
    while (zset_iter_next(&iter, &member, &score)) visit(member, score, context);
    return 0;
}

void zset_check(const struct zset *zset) {
    if (zset->tree) {
        struct zset_tree *tree = zset->tree;
        struct btree_iter iter;
        size_t bytes = 0;
        kn_require(!zset->pack && table_count(&tree->by_member) == tree->order.count);
        table_check(&tree->by_member);
        btree_check(&tree->order);
        btree_iter_init(&iter, &tree->order, 0);
        for (struct scored *item; (item = btree_iter_next(&iter));) {
            kn_require(tree_find(tree, scored_member(item), item_hash(item)) == item);
            bytes += heap_object_bytes(scored_size(item));
        }
        kn_require(bytes == tree->item_bytes);
        return;
    }
    struct zset_iter iter;
    struct bytes member;
    double score, previous = -INFINITY;
    pack_check(zset->pack);
    kn_require(pack_count(zset->pack) % 2 == 0);
    zset_iter_init(&iter, zset, (struct zset_range){0, zset_count(zset)}, false);
    while (zset_iter_next(&iter, &member, &score)) {
        kn_require(score >= previous);
        previous = score;
    }
}
