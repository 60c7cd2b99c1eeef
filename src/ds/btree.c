/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * A leaf is an array of 48-bit pointers to items. An inner node has, for each child, its address,
 * the number of items below it, and the first item below it with that item's score beside it, so
 * that a descent reads items only among equal scores.
 *
 * Nodes are no larger than what is in them asks for: they grow and shrink by a few places at a time
 * through the heap's size classes. So a tree whose leaves are half full, as splits leave them,
 * costs no more than a tree of full leaves, and no leaf needs to hand items to its neighbours to
 * save memory. What is added at either end of the tree leaves full leaves behind.
 *
 * Nodes are split and merged on the way down: whoever enters a node to add finds room in it and its
 * parent, whoever enters to remove finds more than one item or child in it. No way back up is
 * needed but for the first item's place in the nodes above.
 *
 * Ranges that were cut out may leave small nodes at their two edges, so the only lower limit
 * that always holds is one item or child, and two children in the root. Small nodes are
 * merged when next passed.
 *
 * `link` below is always the place that holds a node's address, since a node
 * that is resized may move.
 */
#include "ds/btree.h"

#include <string.h>

#include "base/assert.h"

enum {
    SLOT = 6, /* bytes of a pointer in a leaf */
    /* 2 + 8n places make leaves of 16 + 48n bytes, a multiple of the heap's 8. */
    LEAF_STEP = 8,
    LEAF_BASE = 2,
    LEAF_MAX = LEAF_BASE + 12 * LEAF_STEP,
    LEAF_MIN = LEAF_MAX / 4,
    INNER_STEP = 4,
    INNER_BASE = 3,
    INNER_MAX = INNER_BASE + 7 * INNER_STEP, /* 1000 bytes */
    INNER_MIN = INNER_MAX / 4,
    /* A split of level n takes about 15 splits of level n - 1, so this many
     * levels are never reached. */
    LEVELS_MAX = 16,
};

struct leaf {
    uint16_t count, capacity;
    unsigned char slots[];
};

struct child {
    double score; /* of first */
    const struct scored *first;
    void *node;
    size_t count; /* items below */
};

struct inner {
    uint16_t count, capacity;
    struct child children[];
};

/* What both kinds begin with. */
struct node {
    uint16_t count, capacity;
};

static struct scored *leaf_get(const struct leaf *leaf, unsigned index) {
    uint64_t word;
    /* From two bytes before, so that the last one does not read beyond the leaf. */
    memcpy(&word, leaf->slots + SLOT * index - 2, sizeof word);
    return (struct scored *)(uintptr_t)(word >> 16);
}

static void leaf_set(struct leaf *leaf, unsigned index, const struct scored *item) {
    uint64_t word = (uint64_t)(uintptr_t)item;
    memcpy(leaf->slots + SLOT * index, &word, SLOT);
}

/* ---- nodes: taking, resizing, giving back ---- */

static size_t node_size(unsigned level, unsigned capacity) {
    return level ? sizeof(struct inner) + sizeof(struct child) * capacity
                 : sizeof(struct leaf) + SLOT * capacity;
}

/* The smallest capacity that holds this many. */
static unsigned node_capacity(unsigned level, unsigned count) {
    unsigned base = level ? INNER_BASE : LEAF_BASE, step = level ? INNER_STEP : LEAF_STEP;
    return count <= base ? base : base + (count - base + step - 1) / step * step;
}

static void *node_new(struct btree *tree, unsigned level, unsigned count) {
    unsigned capacity = node_capacity(level, count);
    struct node *node = heap_take(tree->heap, node_size(level, capacity));
    tree->bytes += heap_object_bytes(node_size(level, capacity));
    node->count = 0;
    node->capacity = (uint16_t)capacity;
    return node;
}

static void node_free(struct btree *tree, unsigned level, void *pointer) {
    struct node *node = pointer;
    size_t size = node_size(level, node->capacity);
    tree->bytes -= heap_object_bytes(size);
    heap_give(tree->heap, node, size);
}

/* Gives the node room for `count`, no more than it needs but for one step, against flapping. */
static void *node_fit(struct btree *tree, unsigned level, void **link, unsigned count) {
    struct node *node = *link;
    unsigned capacity = node_capacity(level, count);
    unsigned spare = level ? INNER_STEP : LEAF_STEP;
    if (capacity <= node->capacity && node->capacity <= capacity + spare) return node;
    size_t old_size = node_size(level, node->capacity), new_size = node_size(level, capacity);
    node = heap_resize(tree->heap, node, old_size, new_size);
    tree->bytes += heap_object_bytes(new_size) - heap_object_bytes(old_size);
    node->capacity = (uint16_t)capacity;
    return *link = node;
}

static const struct scored *node_first(unsigned level, const void *node) {
    return level ? ((const struct inner *)node)->children[0].first : leaf_get(node, 0);
}

static size_t node_items(unsigned level, const void *pointer) {
    if (level == 0) return ((const struct leaf *)pointer)->count;
    const struct inner *node = pointer;
    size_t items = 0;
    for (unsigned i = 0; i < node->count; i++) items += node->children[i].count;
    return items;
}

/* Reads anew what the parent says of a child. */
static void child_refresh(struct child *child, unsigned level) {
    child->first = node_first(level, child->node);
    child->score = scored_score(child->first);
    child->count = node_items(level, child->node);
}

static unsigned char *node_place(unsigned level, void *node, unsigned index) {
    return level ? (unsigned char *)&((struct inner *)node)->children[index]
                 : ((struct leaf *)node)->slots + SLOT * index;
}

/* Moves `count` places of one node to a place of another, or of the same one.
 * Counts are the caller's. */
static void node_move(unsigned level, void *to, unsigned to_index, void *from, unsigned from_index,
                      unsigned count) {
    size_t width = level ? sizeof(struct child) : (size_t)SLOT;
    memmove(node_place(level, to, to_index), node_place(level, from, from_index), count * width);
}

/* ---- order ---- */

static bool bound_after(const struct btree_bound *bound, double score, const struct scored *item) {
    if (!bound->any_score) {
        if (score != bound->score) return score < bound->score;
        if (bound->kind <= BTREE_AFTER_SCORE) return bound->kind == BTREE_AFTER_SCORE;
    }
    int order = bytes_compare(scored_member(item), bound->member);
    return bound->kind == BTREE_BEFORE_MEMBER ? order < 0 : order <= 0;
}

static struct btree_bound bound_at(const struct scored *item, bool after) {
    return (struct btree_bound){.kind = after ? BTREE_AFTER_MEMBER : BTREE_BEFORE_MEMBER,
                                .score = scored_score(item),
                                .member = scored_member(item)};
}

/* How many items of the leaf lie before the bound. The items lie anywhere in memory, so those that
 * the next three steps may look at are fetched at once. */
static unsigned leaf_search(const struct leaf *leaf, const struct btree_bound *bound) {
    enum { AHEAD = 8 };
    unsigned low = 0, high = leaf->count;
    for (unsigned step = 0; low < high; step++) {
        unsigned middle = (low + high) / 2, span = high - low;
        if (step % 3 == 0 && span >= AHEAD) {
            for (unsigned i = 1; i < AHEAD; i++)
                __builtin_prefetch(leaf_get(leaf, low + span * i / AHEAD));
        }
        const struct scored *item = leaf_get(leaf, middle);
        if (bound_after(bound, scored_score(item), item))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where an item is that is known to be in this leaf: no item needs to be looked at. */
static unsigned leaf_index(const struct leaf *leaf, const struct scored *item) {
    unsigned index = 0;
    while (leaf_get(leaf, index) != item) {
        index++;
        kn_assert(index < leaf->count);
    }
    return index;
}

/* How many children's first items lie before the bound. */
static unsigned inner_search(const struct inner *node, const struct btree_bound *bound) {
    unsigned low = 0, high = node->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (bound_after(bound, node->children[middle].score, node->children[middle].first))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- adding ---- */

/* Moves the children or items from `at` on into a new node to the right.
 * The parent has room for it. */
static void split_child(struct btree *tree, struct inner *parent, unsigned index, unsigned level,
                        unsigned at) {
    struct child *left = &parent->children[index];
    unsigned moved = ((struct node *)left->node)->count - at;
    struct node *right = node_new(tree, level, moved + 1);
    node_move(level, right, 0, left->node, at, moved);
    right->count = (uint16_t)moved;
    ((struct node *)left->node)->count = (uint16_t)at;
    node_fit(tree, level, &left->node, at + 1 < (level ? INNER_MAX : LEAF_MAX) ? at + 1 : at);
    node_move(level + 1, parent, index + 2, parent, index + 1, parent->count - index - 1);
    parent->count++;
    parent->children[index + 1].node = right;
    child_refresh(&parent->children[index + 1], level);
    left->count -= parent->children[index + 1].count;
}

/* Where to split a full node: in the middle, but at the ends of the tree so that the side which
 * grows no more stays full. */
static unsigned split_place(const struct btree *tree, unsigned count, bool leftmost, bool rightmost,
                            const struct scored *item) {
    if (rightmost && scored_compare(item, btree_at(tree, tree->count - 1)) > 0) return count - 1;
    if (leftmost && scored_compare(item, btree_at(tree, 0)) < 0) return 1;
    return count / 2;
}

static bool node_full(unsigned level, const void *node) {
    return ((const struct node *)node)->count == (level ? INNER_MAX : LEAF_MAX);
}

static void root_grow(struct btree *tree) {
    struct inner *root = node_new(tree, tree->height + 1, 2);
    kn_assert(tree->height + 1 < LEVELS_MAX);
    root->count = 1;
    root->children[0].node = tree->root;
    child_refresh(&root->children[0], tree->height);
    tree->root = root;
    tree->height++;
}

void btree_add(struct btree *tree, struct scored *item) {
    struct btree_bound bound = bound_at(item, true);
    bool leftmost = true, rightmost = true;
    if (!tree->root) tree->root = node_new(tree, 0, 1);
    if (node_full(tree->height, tree->root)) root_grow(tree);

    void **link = &tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        struct inner *node = *link;
        unsigned index = inner_search(node, &bound);
        if (index) index--;
        leftmost = leftmost && index == 0;
        rightmost = rightmost && index == node->count - 1u;
        if (node_full(level - 1, node->children[index].node)) {
            unsigned full = level > 1 ? INNER_MAX : LEAF_MAX;
            node = node_fit(tree, level, link, node->count + 1u);
            split_child(tree, node, index, level - 1,
                        split_place(tree, full, leftmost, rightmost, item));
            if (bound_after(&bound, node->children[index + 1].score,
                            node->children[index + 1].first)) {
                index++;
                leftmost = false;
            } else {
                rightmost = false;
            }
        }
        struct child *child = &node->children[index];
        if (!bound_after(&bound, child->score, child->first)) {
            child->first = item;
            child->score = bound.score;
        }
        child->count++;
        link = &child->node;
    }
    struct leaf *leaf = node_fit(tree, 0, link, ((struct leaf *)*link)->count + 1u);
    unsigned at = leaf_search(leaf, &bound);
    node_move(0, leaf, at + 1, leaf, at, leaf->count - at);
    leaf_set(leaf, at, item);
    leaf->count++;
    tree->count++;
}

/* ---- removing ---- */

/* Makes one node of a child that has become small and a neighbour, or evens the two out. */
static void merge_child(struct btree *tree, void **parent_link, unsigned level, unsigned index) {
    struct inner *parent = *parent_link;
    if (index) index--;
    struct child *a = &parent->children[index], *b = a + 1;
    struct node *left = a->node, *right = b->node;
    unsigned total = left->count + right->count, max = level ? INNER_MAX : LEAF_MAX;
    unsigned keep = total <= max * 3 / 4 ? total : total / 2;
    if (keep > left->count) {
        unsigned moved = keep - left->count;
        left = node_fit(tree, level, &a->node, keep);
        node_move(level, left, left->count, right, 0, moved);
        node_move(level, right, 0, right, moved, right->count - moved);
    } else if (keep < left->count) {
        unsigned moved = left->count - keep;
        right = node_fit(tree, level, &b->node, total - keep);
        node_move(level, right, moved, right, 0, right->count);
        node_move(level, right, 0, left, keep, moved);
    }
    left->count = (uint16_t)keep;
    right->count = (uint16_t)(total - keep);
    if (keep == total) {
        a->count += b->count;
        node_free(tree, level, right);
        node_move(level + 1, parent, index + 1, parent, index + 2, parent->count - index - 2);
        parent->count--;
        node_fit(tree, level + 1, parent_link, parent->count);
        return;
    }
    node_fit(tree, level, &a->node, keep);
    node_fit(tree, level, &b->node, total - keep);
    child_refresh(a, level);
    child_refresh(b, level);
}

static bool node_small(unsigned level, const void *node) {
    return ((const struct node *)node)->count <= (level ? INNER_MIN : LEAF_MIN);
}

static void root_shrink(struct btree *tree) {
    while (tree->height > 0 && ((struct inner *)tree->root)->count == 1) {
        struct inner *root = tree->root;
        tree->root = root->children[0].node;
        node_free(tree, tree->height, root);
        tree->height--;
    }
    if (tree->height == 0 && ((struct leaf *)tree->root)->count == 0) {
        node_free(tree, 0, tree->root);
        tree->root = NULL;
    }
}

void btree_remove(struct btree *tree, const struct scored *item) {
    struct btree_bound bound = bound_at(item, true);
    struct child *path[LEVELS_MAX];
    void **link = &tree->root;
    unsigned height = tree->height;
    for (unsigned level = height; level > 0; level--) {
        struct inner *node = *link;
        unsigned index = inner_search(node, &bound) - 1;
        if (node_small(level - 1, node->children[index].node) && node->count > 1) {
            merge_child(tree, link, level - 1, index);
            node = *link;
            index = inner_search(node, &bound) - 1;
        }
        path[level] = &node->children[index];
        path[level]->count--;
        link = &path[level]->node;
    }
    struct leaf *leaf = *link;
    unsigned at = leaf_index(leaf, item);
    node_move(0, leaf, at, leaf, at + 1, leaf->count - at - 1u);
    leaf->count--;
    leaf = node_fit(tree, 0, link, leaf->count);
    tree->count--;
    if (at == 0 && leaf->count) {
        const struct scored *first = leaf_get(leaf, 0);
        for (unsigned level = 1; level <= height && path[level]->first == item; level++) {
            path[level]->first = first;
            path[level]->score = scored_score(first);
        }
    }
    root_shrink(tree);
}

static void drop_subtree(struct btree *tree, unsigned level, void *node, btree_visit_fn *visit,
                         void *context) {
    if (level == 0) {
        const struct leaf *leaf = node;
        for (unsigned i = 0; visit && i < leaf->count; i++) visit(leaf_get(leaf, i), context);
    } else {
        const struct inner *inner = node;
        for (unsigned i = 0; i < inner->count; i++)
            drop_subtree(tree, level - 1, inner->children[i].node, visit, context);
    }
    node_free(tree, level, node);
}

struct cut {
    btree_visit_fn *visit;
    void *context;
};

/* Takes out some, not all, of the items below a node. */
static void cut_subtree(struct btree *tree, unsigned level, void **link, size_t first, size_t count,
                        const struct cut *cut) {
    if (level == 0) {
        struct leaf *leaf = *link;
        unsigned from = (unsigned)first, n = (unsigned)count;
        for (unsigned i = from; i < from + n; i++) cut->visit(leaf_get(leaf, i), cut->context);
        node_move(0, leaf, from, leaf, from + n, leaf->count - from - n);
        leaf->count = (uint16_t)(leaf->count - n);
        node_fit(tree, 0, link, leaf->count);
        return;
    }
    struct inner *node = *link;
    unsigned kept = 0, edge = 0;
    size_t base = 0, end = first + count;
    for (unsigned i = 0; i < node->count; i++) {
        struct child child = node->children[i];
        size_t next = base + child.count;
        size_t low = base > first ? base : first, high = next < end ? next : end;
        base = next;
        if (low < high && high - low == child.count) {
            drop_subtree(tree, level - 1, child.node, cut->visit, cut->context);
            continue;
        }
        if (low < high) {
            cut_subtree(tree, level - 1, &child.node, low + child.count - next, high - low, cut);
            child_refresh(&child, level - 1);
            edge = kept;
        }
        node->children[kept++] = child;
    }
    node->count = (uint16_t)kept;
    node = node_fit(tree, level, link, kept);
    for (unsigned i = edge ? edge - 1 : 0; i <= edge && i < node->count && node->count > 1;) {
        if (node_small(level - 1, node->children[i].node)) {
            merge_child(tree, link, level - 1, i);
            node = *link;
            if (edge == 0) break;
            edge--;
        } else {
            i++;
        }
    }
}

void btree_remove_range(struct btree *tree, size_t first, size_t count, btree_visit_fn *visit,
                        void *context) {
    kn_assert(first <= tree->count && count <= tree->count - first);
    if (count == 0) return;
    if (count == tree->count) {
        btree_done(tree, visit, context);
        return;
    }
    struct cut cut = {visit, context};
    cut_subtree(tree, tree->height, &tree->root, first, count, &cut);
    tree->count -= count;
    root_shrink(tree);
}

void btree_init(struct btree *tree, struct heap *heap) {
    *tree = (struct btree){.heap = heap};
}

void btree_done(struct btree *tree, btree_visit_fn *visit, void *context) {
    if (tree->root) drop_subtree(tree, tree->height, tree->root, visit, context);
    btree_init(tree, tree->heap);
}

/* ---- finding ---- */

size_t btree_rank(const struct btree *tree, const struct btree_bound *bound) {
    const void *node = tree->root;
    size_t rank = 0;
    if (!node) return 0;
    for (unsigned level = tree->height; level > 0; level--) {
        const struct inner *inner = node;
        unsigned index = inner_search(inner, bound);
        if (index == 0) return rank;
        for (unsigned i = 0; i < index - 1; i++) rank += inner->children[i].count;
        node = inner->children[index - 1].node;
    }
    return rank + leaf_search(node, bound);
}

size_t btree_rank_of(const struct btree *tree, const struct scored *item) {
    struct btree_bound bound = bound_at(item, true);
    const void *node = tree->root;
    size_t rank = 0;
    for (unsigned level = tree->height; level > 0; level--) {
        const struct inner *inner = node;
        unsigned index = inner_search(inner, &bound) - 1;
        for (unsigned i = 0; i < index; i++) rank += inner->children[i].count;
        node = inner->children[index].node;
    }
    return rank + leaf_index(node, item);
}

/* The leaf that holds the item of a rank, and its index there. */
static struct leaf *leaf_at(const struct btree *tree, size_t rank, unsigned *ret_index) {
    void *node = tree->root;
    kn_assert(rank < tree->count);
    for (unsigned level = tree->height; level > 0; level--) {
        const struct inner *inner = node;
        unsigned index = 0;
        while (rank >= inner->children[index].count) rank -= inner->children[index++].count;
        node = inner->children[index].node;
    }
    *ret_index = (unsigned)rank;
    return node;
}

struct scored *btree_at(const struct btree *tree, size_t rank) {
    unsigned index;
    const struct leaf *leaf = leaf_at(tree, rank, &index);
    return leaf_get(leaf, index);
}

/* ---- walking ---- */

void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank) {
    *iter = (struct btree_iter){.tree = tree, .rank = rank};
}

enum { PREFETCH_AHEAD = 6 };

struct scored *btree_iter_next(struct btree_iter *iter) {
    const struct leaf *leaf = iter->leaf;
    if (!leaf) {
        if (iter->rank >= iter->tree->count) return NULL;
        iter->leaf = leaf = leaf_at(iter->tree, iter->rank, &iter->index);
    }
    struct scored *item = leaf_get(leaf, iter->index);
    if (iter->index + PREFETCH_AHEAD < leaf->count)
        __builtin_prefetch(leaf_get(leaf, iter->index + PREFETCH_AHEAD));
    iter->rank++;
    if (++iter->index == leaf->count) iter->leaf = NULL;
    return item;
}

struct scored *btree_iter_previous(struct btree_iter *iter) {
    const struct leaf *leaf = iter->leaf;
    if (!leaf) {
        if (iter->rank >= iter->tree->count) return NULL;
        iter->leaf = leaf = leaf_at(iter->tree, iter->rank, &iter->index);
    }
    struct scored *item = leaf_get(leaf, iter->index);
    if (iter->index >= PREFETCH_AHEAD)
        __builtin_prefetch(leaf_get(leaf, iter->index - PREFETCH_AHEAD));
    iter->rank--; /* wraps to SIZE_MAX before the first */
    if (iter->index-- == 0) iter->leaf = NULL;
    return item;
}

/* ---- checks ---- */

static size_t check_subtree(const struct btree *tree, unsigned level, const void *pointer,
                            size_t *bytes, const struct scored **previous) {
    const struct node *node = pointer;
    size_t items = 0;
    (void)tree;
    kn_require(node->count >= 1 && node->count <= node->capacity);
    kn_require(node->capacity <= (level ? INNER_MAX : LEAF_MAX));
    *bytes += heap_object_bytes(node_size(level, node->capacity));
    if (level == 0) {
        for (unsigned i = 0; i < node->count; i++) {
            const struct scored *item = leaf_get(pointer, i);
            kn_require(!*previous || scored_compare(*previous, item) < 0);
            *previous = item;
        }
        return node->count;
    }
    for (unsigned i = 0; i < node->count; i++) {
        const struct child *child = &((const struct inner *)pointer)->children[i];
        kn_require(child->first == node_first(level - 1, child->node));
        kn_require(child->score == scored_score(child->first));
        size_t below = check_subtree(tree, level - 1, child->node, bytes, previous);
        kn_require(below == child->count);
        items += below;
    }
    return items;
}

void btree_check(const struct btree *tree) {
    const struct scored *previous = NULL;
    size_t bytes = 0, count = 0;
    kn_require((tree->root == NULL) == (tree->count == 0));
    if (tree->root) count = check_subtree(tree, tree->height, tree->root, &bytes, &previous);
    kn_require(count == tree->count && bytes == tree->bytes);
    kn_require(tree->height == 0 || ((const struct inner *)tree->root)->count >= 2);
}
