/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a matcher lies in memory; for matcher.c, which asks, and matcher_build.c, which compiles.
 *
 * What: a tree over segments. From a node, a segment leads on by one of four ways, tried in this
 *       order: it is a literal (one look into a table of all edges, or of the short ones among
 *       them), it is mixed ("celery-{id}", a short list), it is a variable, or a trailing variable
 *       takes it with all that follows.
 * Always: a node lies at one depth, and every way but the last takes exactly one segment; so a node
 *         is visited once per key at most, and the number of nodes bounds the work. Node 0 is the
 *         root of keys, node 1 of channels; 0 as a child is none.
 * Owner, lock: the matcher's. Errors: none.
 */
#ifndef KN_CATALOG_MATCHER_INSIDE_H
#define KN_CATALOG_MATCHER_INSIDE_H

#include <endian.h>

#include "base/arena.h"
#include "base/hash.h"
#include "catalog/matcher.h"

/* Templates have at most half as many segments; a walk goes no deeper than the deepest of them. */
enum {
    MATCHER_SEGMENTS_MAX = 2 * TEMPLATE_SEGMENTS_MAX,
    MATCHER_DEPTH_MAX = MATCHER_SEGMENTS_MAX + 1
};

/* A segment as the edge table compares it: up to 16 bytes are wholly in first and last. */
struct segment_sum {
    uint64_t first, last;
    uint32_t len;
    uint64_t hash;
};

struct edge {
    uint64_t first, last;
    const char *text; /* NULL: an empty place */
    uint32_t len, node, child;
};

/* The same for segments of up to eight bytes, four to a cache line. */
struct short_edge {
    uint64_t text;
    uint32_t label; /* short_label of its node */
    uint32_t child; /* 0: an empty place */
};

struct mixed {
    const struct template_part *parts;
    uint32_t part_count;
    uint32_t child;    /* the node behind it, 0 for a trailing one */
    uint32_t terminal; /* of a trailing one, else 0 */
    bool trailing;
};

enum {
    NODE_SHORT = 1, /* literals of up to eight bytes lead on */
    NODE_LONG = 2,  /* longer ones do */
    NODE_OTHERS = 4 /* mixed segments or a variable do */
};

struct node {
    uint32_t ways;     /* NODE_...: other than to the rest */
    uint32_t variable; /* the node behind any segment */
    uint32_t terminal; /* of keys that end here */
    uint32_t rest;     /* terminal of keys whose rest a trailing variable takes */
    uint32_t mixed, mixed_count;
};

struct segment {
    const struct template_part *parts;
    uint32_t part_count, variable_count;
};

/* A template that ends at a terminal. */
struct target {
    const struct pattern *pattern;
    const struct template *template; /* as written */
    const struct segment *segments;  /* of the template with prefixes written out */
    uint32_t segment_count;
    uint32_t next; /* another at the same terminal, for other databases; 0 is none */
    uint32_t expansion;
    uint16_t id, alias;
};

/* Literals up to a variable that takes the whole rest, where there is no other way: a key that
 * begins so is settled by one look, without a walk. Leads of one class (by length) are found by as
 * many of their first bytes as all of it have. */
enum { LEAD_CLASSES = 3 };
static const size_t lead_class_min[LEAD_CLASSES] = {16, 8, 4};

struct lead {
    uint64_t first; /* the first eight bytes, or of a shorter one all of them */
    uint64_t last;  /* the last eight of the first sixteen, or of a shorter one its last */
    const char *text;
    uint32_t len;
    uint32_t terminal; /* 0: an empty place */
};

struct matcher {
    struct arena arena;
    struct node *nodes;
    struct edge *edges;
    size_t edge_mask;
    struct short_edge *short_edges;
    size_t short_mask;
    struct lead *leads[LEAD_CLASSES]; /* NULL: none of the class */
    size_t lead_masks[LEAD_CLASSES];
    struct mixed *mixed;
    struct target *targets; /* a terminal is the number of its first target; number 0 is unused */
    const struct pattern **patterns;
    const struct catalog **catalogs; /* of each pattern */
    size_t node_count, target_count, pattern_count;
};

/* The first len (<= 8) bytes of a text, the first one lowest. */
static inline uint64_t load_some(const char *at, size_t len) {
    uint64_t value = 0;
    if (len) memcpy(&value, at, len);
    return le64toh(value);
}

static inline uint64_t load_eight(const char *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    return le64toh(value);
}

static inline uint64_t segment_hash(uint64_t first, uint64_t rest, size_t len, uint32_t node) {
    uint64_t hash = (first + node) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 29 ^ rest) * UINT64_C(0xbf58476d1ce4e5b9) + len;
    return hash ^ hash >> 32;
}

static inline struct segment_sum segment_sum(struct bytes segment, uint32_t node) {
    struct segment_sum sum = {.len = (uint32_t)segment.len};
    bool longer = segment.len > 8;
    sum.first = longer ? load_eight(segment.data) : load_some(segment.data, segment.len);
    sum.last = longer ? load_eight(segment.data + segment.len - 8) : 0;
    uint64_t rest = segment.len > 16 ? hash_bytes(segment) : 0;
    sum.hash = segment_hash(sum.first, sum.last ^ rest, segment.len, node);
    return sum;
}

/* The place of an edge, or the empty one where it would be. */
static inline struct edge *edge_find(struct edge *edges, size_t mask, uint32_t node,
                                     struct bytes segment, const struct segment_sum *sum) {
    for (size_t at = sum->hash & mask;; at = (at + 1) & mask) {
        struct edge *edge = &edges[at];
        if (!edge->text) return edge;
        if (edge->first == sum->first && edge->last == sum->last && edge->node == node &&
            edge->len == sum->len &&
            (sum->len <= 16 || memcmp(edge->text, segment.data, sum->len) == 0))
            return edge;
    }
}

enum { NODES_MAX = 1 << 22 };

static inline uint32_t short_label(uint32_t node, uint32_t len) {
    _Static_assert(NODES_MAX <= 1 << 28, "a label has four bits for a length");
    return node | len << 28;
}

/* The place of an edge of a short segment, or the empty one where it would be. */
static inline struct short_edge *short_find(struct short_edge *edges, size_t mask, uint64_t text,
                                            uint32_t label) {
    uint64_t hash = (text ^ label * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    for (size_t at = hash >> 32 & mask;; at = (at + 1) & mask)
        if (edges[at].child == 0 || (edges[at].text == text && edges[at].label == label))
            return &edges[at];
}

static inline uint32_t short_child(const struct matcher *matcher, uint32_t node, uint64_t text,
                                   uint32_t len) {
    return short_find(matcher->short_edges, matcher->short_mask, text, short_label(node, len))
        ->child;
}

static inline size_t lead_hash(uint64_t first, uint64_t second) {
    return (size_t)((first ^ second * UINT64_C(0x9e3779b97f4a7c15)) *
                        UINT64_C(0xbf58476d1ce4e5b9) >>
                    32);
}

/* The terminal that a key's beginning settles; 0 when it does not. */
static inline uint32_t lead_find(const struct matcher *matcher, struct bytes key) {
    if (key.len <= 8) return 0;
    uint64_t first = load_eight(key.data);
    if (key.len > 16 && matcher->leads[0]) {
        uint64_t second = load_eight(key.data + 8);
        const struct lead *lead =
            &matcher->leads[0][lead_hash(first, second) & matcher->lead_masks[0]];
        if (lead->first == first && lead->last == second && key.len > lead->len && lead->terminal &&
            memcmp(key.data + 16, lead->text + 16, lead->len - 16) == 0)
            return lead->terminal;
    }
    if (matcher->leads[1]) {
        const struct lead *lead = &matcher->leads[1][lead_hash(first, 0) & matcher->lead_masks[1]];
        if (lead->first == first && key.len > lead->len && lead->terminal &&
            load_eight(key.data + lead->len - 8) == lead->last)
            return lead->terminal;
    }
    if (matcher->leads[2]) {
        uint64_t four = first & UINT32_MAX;
        const struct lead *lead = &matcher->leads[2][lead_hash(four, 0) & matcher->lead_masks[2]];
        if (lead->terminal && (first & ~(UINT64_MAX << 8 * lead->len)) == lead->first)
            return lead->terminal;
    }
    return 0;
}

/* Whether a segment, [at, end), fits parts; all is where the key ends, for a trailing variable.
 * Values of variables go to values when it is not NULL. */
bool mixed_fits(const struct template_part *parts, size_t part_count, bool trailing, const char *at,
                const char *end, const char *all, struct bytes *values);

#endif
