/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A YAML document as a tree that knows where each thing stands.
 *
 * What: what libyaml's parser says, as nodes: texts, lists, maps. One document, no tags, no
 *       key twice in a map. An alias is its anchor's node again, not a copy, so that no
 *       document grows in memory.
 * Always: no node contains itself; at most YAML_DEPTH_MAX levels, YAML_NODES_MAX nodes and aliases.
 * Owner: the arena. Lock: none. Errors: reported; then there is no tree.
 */
#ifndef KN_CATALOG_YAML_TREE_H
#define KN_CATALOG_YAML_TREE_H

#include "base/arena.h"
#include "catalog/diagnostics.h"

enum { YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 1 << 20, YAML_ANCHORS_MAX = 1024 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool plain; /* a text without quotes */
    struct place place;
    struct bytes text;
    /* Of a list; of a map its keys and values by turns. */
    struct yaml_node **items;
    size_t count;
    struct yaml_node *next; /* while reading */
};

/* NULL after an error, and for an empty document (without an error). */
struct yaml_node *yaml_read_tree(struct bytes text, const char *file, struct arena *arena,
                                 struct diagnostics *diagnostics);

#endif
