/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * Leaves hold records side by side and are linked to their neighbours. A node above holds, for each
 * child, a lower bound of the identifiers below it: the identifier the child began with when it was
 * made. So taking records out changes nothing above, and only the first child of a node may hold
 * what is less than its bound.
 *
 * A full leaf is split in halves, unless the record goes behind the last of all: then the leaf
 * stays full and a new one begins. A leaf that is nearly empty is put together with a neighbour
 * under the same parent, where both leave room; an empty one goes. Nodes above go when they have no
 * child left, and the root when it has one.
 *
 * The only leaf of a small tree grows with its content; all other nodes have their full size from
 * the start, so that no address changes that a parent or a neighbour holds.
 */
#include "ds/idtree.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

enum {
    NODE_BYTES = 1024,
    MIN_RECORDS = 2, /* of a leaf */
    HEIGHT_MAX = 16, /* nodes are split in halves of 20: more than any memory holds */
};

struct idtree_leaf {
    struct idtree_leaf *next, *previous;
    uint16_t count, cap;
    uint32_t pad;
    char records[];
};

struct child {
    struct stream_id bound;
    void *node;
};

enum { CHILDREN = (NODE_BYTES - 8) / sizeof(struct child) };

struct inner {
    uint64_t count;
    struct child children[CHILDREN];
};

/* The way from the root down to a leaf. */
struct path {
    struct {
        struct inner *node;
        uint32_t at;
    } steps[HEIGHT_MAX];
    struct idtree_leaf *leaf;
};

/* ---- nodes ---- */

static uint32_t leaf_max(const struct idtree *tree) {
    return (uint32_t)((NODE_BYTES - sizeof(struct idtree_leaf)) / tree->record_bytes);
}

static size_t leaf_bytes(const struct idtree *tree, uint32_t cap) {
    return sizeof(struct idtree_leaf) + (size_t)cap * tree->record_bytes;
}

static void *node_take(struct idtree_home *home, size_t bytes) {
    home->bytes += heap_object_bytes(bytes);
    return heap_take(home->heap, bytes);
}

static void node_give(struct idtree_home *home, void *node, size_t bytes) {
    home->bytes -= heap_object_bytes(bytes);
    heap_give(home->heap, node, bytes);
}

static struct idtree_leaf *leaf_new(struct idtree *tree, struct idtree_home *home, uint32_t cap) {
    struct idtree_leaf *leaf = node_take(home, leaf_bytes(tree, cap));
    *leaf = (struct idtree_leaf){.cap = (uint16_t)cap};
    tree->nodes++;
    return leaf;
}

static void leaf_give(struct idtree *tree, struct idtree_home *home, struct idtree_leaf *leaf) {
    tree->nodes--;
    node_give(home, leaf, leaf_bytes(tree, leaf->cap));
}

static struct inner *inner_new(struct idtree *tree, struct idtree_home *home) {
    struct inner *inner = node_take(home, sizeof *inner);
    inner->count = 0;
    tree->nodes++;
    return inner;
}

static void inner_give(struct idtree *tree, struct idtree_home *home, struct inner *inner) {
    tree->nodes--;
    node_give(home, inner, sizeof *inner);
}

static char *record_at(const struct idtree *tree, const struct idtree_leaf *leaf, uint32_t index) {
    return (char *)(uintptr_t)leaf->records + (size_t)index * tree->record_bytes;
}

static struct stream_id id_at(const struct idtree *tree, const struct idtree_leaf *leaf,
                              uint32_t index) {
    struct stream_id id;
    memcpy(&id, record_at(tree, leaf, index), sizeof id);
    return id;
}

/* The first record of a leaf that is not less than id; count when there is none. */
static uint32_t leaf_search(const struct idtree *tree, const struct idtree_leaf *leaf,
                            struct stream_id id) {
    uint32_t low = 0, high = leaf->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (stream_id_less(id_at(tree, leaf, middle), id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The child whose part of the order an identifier belongs to. */
static uint32_t inner_search(const struct inner *inner, struct stream_id id) {
    uint32_t low = 1, high = (uint32_t)inner->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (stream_id_less(id, inner->children[middle].bound))
            high = middle;
        else
            low = middle + 1;
    }
    return low - 1;
}

static struct idtree_leaf *leaf_for(const struct idtree *tree, struct stream_id id) {
    void *node = tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        const struct inner *inner = node;
        node = inner->children[inner_search(inner, id)].node;
    }
    return node;
}

static void path_to(const struct idtree *tree, struct stream_id id, struct path *path) {
    void *node = tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        struct inner *inner = node;
        uint32_t at = inner_search(inner, id);
        path->steps[level - 1].node = inner;
        path->steps[level - 1].at = at;
        node = inner->children[at].node;
    }
    path->leaf = node;
}

/* ---- making, freeing, copying ---- */

void idtree_init(struct idtree *tree, size_t record_bytes) {
    kn_require(record_bytes >= sizeof(struct stream_id) && record_bytes <= IDTREE_RECORD_MAX &&
               record_bytes % 8 == 0);
    *tree = (struct idtree){.record_bytes = (uint16_t)record_bytes};
}

static void give_below(struct idtree *tree, struct idtree_home *home, void *node, unsigned level) {
    if (level == 0) {
        leaf_give(tree, home, node);
        return;
    }
    struct inner *inner = node;
    for (uint32_t i = 0; i < inner->count; i++)
        give_below(tree, home, inner->children[i].node, level - 1);
    inner_give(tree, home, inner);
}

void idtree_done(struct idtree *tree, struct idtree_home *home) {
    if (tree->root) give_below(tree, home, tree->root, tree->height);
    idtree_init(tree, tree->record_bytes);
}

void idtree_copy(const struct idtree *tree, struct idtree *copy, struct idtree_home *home) {
    idtree_init(copy, tree->record_bytes);
    bool fresh;
    struct idtree_cursor cursor;
    for (const char *record = idtree_first(tree, &cursor); record; record = idtree_next(&cursor)) {
        struct stream_id id;
        memcpy(&id, record, sizeof id);
        memcpy(idtree_add(copy, home, id, &fresh), record, tree->record_bytes);
    }
}

/* ---- adding ---- */

/* Puts a child in behind the one that the path goes through at this level;
 * level 1 is above the leaves. */
static void add_child(struct idtree *tree, struct idtree_home *home, struct path *path,
                      unsigned level, struct child child) {
    if (level > tree->height) {
        kn_require(tree->height < HEIGHT_MAX);
        struct inner *root = inner_new(tree, home);
        /* The first bound is never looked at. */
        root->children[0] = (struct child){STREAM_ID_MIN, tree->root};
        root->children[1] = child;
        root->count = 2;
        tree->root = root;
        tree->height++;
        return;
    }
    struct inner *inner = path->steps[level - 1].node;
    uint32_t at = path->steps[level - 1].at + 1;
    if (inner->count == CHILDREN) {
        struct inner *right = inner_new(tree, home);
        uint32_t keep = at == CHILDREN ? CHILDREN : CHILDREN / 2;
        right->count = CHILDREN - keep;
        memcpy(right->children, inner->children + keep, right->count * sizeof(struct child));
        inner->count = keep;
        struct stream_id bound = keep == CHILDREN ? child.bound : right->children[0].bound;
        struct inner *target = at > keep || keep == CHILDREN ? right : inner;
        if (target == right) at -= keep;
        memmove(target->children + at + 1, target->children + at,
                (target->count - at) * sizeof(struct child));
        target->children[at] = child;
        target->count++;
        add_child(tree, home, path, level + 1, (struct child){bound, right});
        return;
    }
    memmove(inner->children + at + 1, inner->children + at,
            (inner->count - at) * sizeof(struct child));
    inner->children[at] = child;
    inner->count++;
}

/* The only leaf becomes larger. */
static void grow_root(struct idtree *tree, struct idtree_home *home) {
    struct idtree_leaf *leaf = tree->root;
    uint32_t cap = leaf->cap * 2u < leaf_max(tree) ? leaf->cap * 2u : leaf_max(tree);
    size_t before = leaf_bytes(tree, leaf->cap), after = leaf_bytes(tree, cap);
    home->bytes += heap_object_bytes(after) - heap_object_bytes(before);
    leaf = heap_resize(home->heap, leaf, before, after);
    leaf->cap = (uint16_t)cap;
    tree->root = tree->first = tree->last = leaf;
}

/* Splits the full leaf of the path; returns where the record of *index goes, which is set anew. */
static struct idtree_leaf *split_leaf(struct idtree *tree, struct idtree_home *home,
                                      struct path *path, struct stream_id id, uint32_t *index) {
    struct idtree_leaf *leaf = path->leaf, *right = leaf_new(tree, home, leaf_max(tree));
    bool behind_all = leaf == tree->last && *index == leaf->count;
    uint32_t keep = behind_all ? leaf->count : leaf->count / 2u;
    right->count = (uint16_t)(leaf->count - keep);
    memcpy(right->records, record_at(tree, leaf, keep), (size_t)right->count * tree->record_bytes);
    leaf->count = (uint16_t)keep;
    right->next = leaf->next;
    right->previous = leaf;
    if (leaf->next)
        leaf->next->previous = right;
    else
        tree->last = right;
    leaf->next = right;
    struct stream_id bound = behind_all ? id : id_at(tree, right, 0);
    add_child(tree, home, path, 1, (struct child){bound, right});
    if (*index < keep || (*index == keep && !behind_all && stream_id_less(id, bound))) return leaf;
    *index -= keep;
    return right;
}

void *idtree_add(struct idtree *tree, struct idtree_home *home, struct stream_id id,
                 bool *ret_new) {
    struct idtree_leaf *leaf = tree->last;
    uint32_t index;
    if (!leaf) {
        leaf = leaf_new(tree, home, MIN_RECORDS);
        tree->root = tree->first = tree->last = leaf;
    }
    /* Behind the last record, with room: nothing above has to be known. */
    if (leaf->count == 0 || stream_id_less(id_at(tree, leaf, leaf->count - 1u), id)) {
        index = leaf->count;
    } else {
        leaf = leaf_for(tree, id);
        index = leaf_search(tree, leaf, id);
        if (index < leaf->count && stream_id_compare(id_at(tree, leaf, index), id) == 0) {
            *ret_new = false;
            return record_at(tree, leaf, index);
        }
    }
    if (leaf->count == leaf->cap && leaf->cap < leaf_max(tree)) {
        grow_root(tree, home);
        leaf = tree->root;
    } else if (leaf->count == leaf->cap) {
        struct path path;
        path_to(tree, id, &path);
        kn_assert(path.leaf == leaf);
        leaf = split_leaf(tree, home, &path, id, &index);
    }
    char *record = record_at(tree, leaf, index);
    memmove(record + tree->record_bytes, record,
            (size_t)(leaf->count - index) * tree->record_bytes);
    memcpy(record, &id, sizeof id);
    leaf->count++;
    tree->count++;
    *ret_new = true;
    return record;
}

/* ---- removing ---- */

static void unlink_leaf(struct idtree *tree, struct idtree_leaf *leaf) {
    if (leaf->previous)
        leaf->previous->next = leaf->next;
    else
        tree->first = leaf->next;
    if (leaf->next)
        leaf->next->previous = leaf->previous;
    else
        tree->last = leaf->previous;
}

/* Takes out the child that the path goes through at this level, whose node is gone. */
static void drop_child(struct idtree *tree, struct idtree_home *home, const struct path *path,
                       unsigned level) {
    if (level > tree->height) {
        tree->root = NULL;
        tree->height = 0;
        return;
    }
    struct inner *inner = path->steps[level - 1].node;
    uint32_t at = path->steps[level - 1].at;
    inner->count--;
    memmove(inner->children + at, inner->children + at + 1,
            (inner->count - at) * sizeof(struct child));
    if (inner->count > 0) return;
    drop_child(tree, home, path, level + 1);
    inner_give(tree, home, inner);
}

static void lower_root(struct idtree *tree, struct idtree_home *home) {
    while (tree->height > 0 && ((struct inner *)tree->root)->count == 1) {
        struct inner *root = tree->root;
        tree->root = root->children[0].node;
        tree->height--;
        inner_give(tree, home, root);
    }
}

/* Puts the records of a leaf and of its right neighbour under the same parent
 * together, when they leave room. */
static bool merge_leaves(struct idtree *tree, struct idtree_home *home, struct path *path,
                         uint32_t left_at) {
    struct inner *parent = path->steps[0].node;
    struct idtree_leaf *left = parent->children[left_at].node;
    struct idtree_leaf *right = parent->children[left_at + 1].node;
    if (left->count + right->count > leaf_max(tree) * 3 / 4 || left->cap < leaf_max(tree))
        return false;
    memcpy(record_at(tree, left, left->count), right->records,
           (size_t)right->count * tree->record_bytes);
    left->count = (uint16_t)(left->count + right->count);
    unlink_leaf(tree, right);
    path->steps[0].at = left_at + 1;
    drop_child(tree, home, path, 1);
    leaf_give(tree, home, right);
    return true;
}

bool idtree_remove(struct idtree *tree, struct idtree_home *home, struct stream_id id) {
    struct path path;
    if (!tree->root) return false;
    path_to(tree, id, &path);
    struct idtree_leaf *leaf = path.leaf;
    uint32_t index = leaf_search(tree, leaf, id);
    if (index == leaf->count || stream_id_compare(id_at(tree, leaf, index), id) != 0) return false;
    char *record = record_at(tree, leaf, index);
    leaf->count--;
    tree->count--;
    memmove(record, record + tree->record_bytes,
            (size_t)(leaf->count - index) * tree->record_bytes);
    if (leaf->count == 0) {
        unlink_leaf(tree, leaf);
        drop_child(tree, home, &path, 1);
        leaf_give(tree, home, leaf);
        lower_root(tree, home);
    } else if (tree->height > 0 && leaf->count < leaf_max(tree) / 4) {
        uint32_t at = path.steps[0].at;
        bool merged = (at + 1 < path.steps[0].node->count && merge_leaves(tree, home, &path, at)) ||
                      (at > 0 && merge_leaves(tree, home, &path, at - 1));
        if (merged) lower_root(tree, home);
    }
    return true;
}

/* ---- finding and walking ---- */

void *idtree_find(const struct idtree *tree, struct stream_id id) {
    if (!tree->root) return NULL;
    const struct idtree_leaf *leaf = leaf_for(tree, id);
    uint32_t index = leaf_search(tree, leaf, id);
    if (index == leaf->count || stream_id_compare(id_at(tree, leaf, index), id) != 0) return NULL;
    return record_at(tree, leaf, index);
}

static void *cursor_at(struct idtree_cursor *cursor, const struct idtree *tree,
                       struct idtree_leaf *leaf, uint32_t index) {
    *cursor = (struct idtree_cursor){tree, leaf, index};
    return leaf ? record_at(tree, leaf, index) : NULL;
}

void *idtree_first(const struct idtree *tree, struct idtree_cursor *cursor) {
    return cursor_at(cursor, tree, tree->first, 0);
}

void *idtree_last(const struct idtree *tree, struct idtree_cursor *cursor) {
    return cursor_at(cursor, tree, tree->last, tree->last ? tree->last->count - 1u : 0);
}

void *idtree_seek(const struct idtree *tree, struct stream_id id, struct idtree_cursor *cursor) {
    if (!tree->root) return cursor_at(cursor, tree, NULL, 0);
    struct idtree_leaf *leaf = leaf_for(tree, id);
    uint32_t index = leaf_search(tree, leaf, id);
    if (index == leaf->count) return cursor_at(cursor, tree, leaf->next, 0);
    return cursor_at(cursor, tree, leaf, index);
}

void *idtree_seek_back(const struct idtree *tree, struct stream_id id,
                       struct idtree_cursor *cursor) {
    if (!tree->root) return cursor_at(cursor, tree, NULL, 0);
    struct idtree_leaf *leaf = leaf_for(tree, id);
    uint32_t index = leaf_search(tree, leaf, id);
    if (index < leaf->count && stream_id_compare(id_at(tree, leaf, index), id) == 0)
        return cursor_at(cursor, tree, leaf, index);
    if (index > 0) return cursor_at(cursor, tree, leaf, index - 1);
    leaf = leaf->previous;
    return cursor_at(cursor, tree, leaf, leaf ? leaf->count - 1u : 0);
}

void *idtree_next(struct idtree_cursor *cursor) {
    struct idtree_leaf *leaf = cursor->leaf;
    if (!leaf) return NULL;
    if (cursor->index + 1 < leaf->count)
        return cursor_at(cursor, cursor->tree, leaf, cursor->index + 1);
    return cursor_at(cursor, cursor->tree, leaf->next, 0);
}

void *idtree_previous(struct idtree_cursor *cursor) {
    struct idtree_leaf *leaf = cursor->leaf;
    if (!leaf) return NULL;
    if (cursor->index > 0) return cursor_at(cursor, cursor->tree, leaf, cursor->index - 1);
    leaf = leaf->previous;
    return cursor_at(cursor, cursor->tree, leaf, leaf ? leaf->count - 1u : 0);
}

/* ---- proof ---- */

struct proof {
    const struct idtree *tree;
    const struct idtree_leaf *before;
    struct stream_id last;
    uint64_t count;
    uint32_t nodes;
    size_t bytes;
};

/* low: no record below is less, when has_low; high: every one is less, when has_high. */
static void check_leaf(struct proof *proof, const struct idtree_leaf *leaf,
                       const struct stream_id *low, const struct stream_id *high) {
    const struct idtree *tree = proof->tree;
    kn_require(leaf->count > 0 && leaf->count <= leaf->cap && leaf->cap <= leaf_max(tree));
    kn_require(leaf->cap == leaf_max(tree) || tree->root == leaf);
    kn_require(leaf->previous == proof->before);
    kn_require(proof->before ? proof->before->next == leaf : tree->first == leaf);
    for (uint32_t i = 0; i < leaf->count; i++) {
        struct stream_id id = id_at(tree, leaf, i);
        kn_require(proof->count == 0 || stream_id_less(proof->last, id));
        kn_require(!low || !stream_id_less(id, *low));
        kn_require(!high || stream_id_less(id, *high));
        proof->last = id;
        proof->count++;
    }
    proof->before = leaf;
    proof->bytes += heap_object_bytes(leaf_bytes(tree, leaf->cap));
}

static void check_below(struct proof *proof, const void *node, unsigned level,
                        const struct stream_id *low, const struct stream_id *high) {
    proof->nodes++;
    if (level == 0) {
        check_leaf(proof, node, low, high);
        return;
    }
    const struct inner *inner = node;
    kn_require(inner->count > 0 && inner->count <= CHILDREN);
    kn_require(inner->count > 1 || inner != proof->tree->root);
    proof->bytes += heap_object_bytes(sizeof *inner);
    for (uint32_t i = 0; i < inner->count; i++)
        check_below(proof, inner->children[i].node, level - 1,
                    i == 0 ? low : &inner->children[i].bound,
                    i + 1 < inner->count ? &inner->children[i + 1].bound : high);
}

size_t idtree_check(const struct idtree *tree) {
    struct proof proof = {.tree = tree};
    if (!tree->root) {
        kn_require(!tree->first && !tree->last && tree->height == 0);
    } else {
        check_below(&proof, tree->root, tree->height, NULL, NULL);
        kn_require(tree->last == proof.before && !tree->last->next);
    }
    kn_require(proof.count == tree->count && proof.nodes == tree->nodes);
    return proof.bytes;
}
