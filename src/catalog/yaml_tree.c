/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/yaml_tree.h"

#include <yaml.h>

#include "base/memory.h"

/* A list or map that is still open. */
struct level {
    struct yaml_node *node, *first, *last;
};

struct anchor {
    const char *name;
    struct yaml_node *node;
    bool open; /* its node is not finished: an alias would be a circle */
};

struct tree_reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct diagnostics *diagnostics;
    const char *file;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth, node_count;
    struct anchor *anchors;
    size_t anchor_count;
    struct yaml_node *root;
    bool ended;
};

static struct place place_of(const struct tree_reader *reader, const yaml_mark_t *mark) {
    return (struct place){reader->file, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

static bool refuse(struct tree_reader *reader, const yaml_mark_t *mark, const char *what,
                   const char *remedy) {
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "yaml", place_of(reader, mark), "%s",
                    what);
    if (remedy) diagnostics_remedy(reader->diagnostics, "%s", remedy);
    return false;
}

/* Hangs a node into the innermost open list or map. */
static bool attach(struct tree_reader *reader, struct yaml_node *node, const yaml_mark_t *mark) {
    if (++reader->node_count > YAML_NODES_MAX)
        return refuse(reader, mark, "the document has too many parts", NULL);
    if (reader->depth == 0) {
        reader->root = node;
        return true;
    }
    struct level *level = &reader->levels[reader->depth - 1];
    /* A node that an alias names hangs in several places: the chain needs a link of its own. */
    struct yaml_node *link = arena_alloc(reader->arena, sizeof *link);
    *link = (struct yaml_node){.items = NULL, .next = NULL};
    link->items = arena_alloc(reader->arena, sizeof *link->items);
    link->items[0] = node;
    if (level->last) {
        level->last->next = link;
    } else {
        level->first = link;
    }
    level->last = link;
    level->node->count++;
    return true;
}

static struct yaml_node *add_node(struct tree_reader *reader, enum yaml_kind kind,
                                  const yaml_event_t *event, const char *anchor) {
    struct yaml_node *node = arena_zalloc(reader->arena, sizeof *node);
    node->kind = kind;
    node->place = place_of(reader, &event->start_mark);
    if (!attach(reader, node, &event->start_mark)) return NULL;
    if (!anchor) return node;
    if (reader->anchor_count == YAML_ANCHORS_MAX) {
        refuse(reader, &event->start_mark, "the document has too many anchors", NULL);
        return NULL;
    }
    if (!reader->anchors)
        reader->anchors = arena_alloc(reader->arena, YAML_ANCHORS_MAX * sizeof *reader->anchors);
    reader->anchors[reader->anchor_count++] =
        (struct anchor){arena_printf(reader->arena, "%s", anchor), node, kind != YAML_TEXT};
    return node;
}

static bool open_level(struct tree_reader *reader, enum yaml_kind kind, const yaml_event_t *event,
                       const char *anchor) {
    if (reader->depth == YAML_DEPTH_MAX)
        return refuse(reader, &event->start_mark, "the document is nested too deeply", NULL);
    struct yaml_node *node = add_node(reader, kind, event, anchor);
    if (!node) return false;
    reader->levels[reader->depth++] = (struct level){.node = node};
    return true;
}

/* Twice the same key in one map: the second would hide the first. */
static bool check_keys(struct tree_reader *reader, const struct yaml_node *map) {
    for (size_t i = 0; i < map->count; i += 2) {
        const struct yaml_node *key = map->items[i];
        if (key->kind != YAML_TEXT) {
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "yaml", key->place,
                            "a key must be a text");
            return false;
        }
        for (size_t j = 0; j < i && map->count <= 1024; j += 2) {
            if (!bytes_equal(map->items[j]->text, key->text)) continue;
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "yaml-key-twice", key->place,
                            "'%.*s' is given twice", (int)key->text.len, key->text.data);
            diagnostics_other(reader->diagnostics, map->items[j]->place);
            diagnostics_remedy(reader->diagnostics, "keep one of them");
            return false;
        }
    }
    return true;
}

static bool close_level(struct tree_reader *reader, const yaml_event_t *event) {
    struct level *level = &reader->levels[--reader->depth];
    struct yaml_node *node = level->node;
    size_t i = 0;
    node->items = arena_try_array(reader->arena, node->count + 1, sizeof(*node->items));
    if (!node->items) return refuse(reader, &event->start_mark, "out of memory", NULL);
    for (struct yaml_node *link = level->first; link; link = link->next)
        node->items[i++] = link->items[0];
    for (size_t j = 0; j < reader->anchor_count; j++) {
        if (reader->anchors[j].node == node) reader->anchors[j].open = false;
    }
    if (node->kind == YAML_MAP && node->count > 2048)
        return refuse(reader, &event->start_mark, "a map with more than 1024 keys", NULL);
    return node->kind != YAML_MAP || check_keys(reader, node);
}

static bool add_alias(struct tree_reader *reader, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;
    for (size_t i = reader->anchor_count; i > 0; i--) {
        const struct anchor *anchor = &reader->anchors[i - 1];
        if (strcmp(anchor->name, name) != 0) continue;
        if (anchor->open)
            return refuse(reader, &event->start_mark, "an alias inside what it names", NULL);
        return attach(reader, anchor->node, &event->start_mark);
    }
    return refuse(reader, &event->start_mark, "an alias of an anchor that is not there",
                  "define it above with &name, or quote a text that begins with '*'");
}

static bool add_text(struct tree_reader *reader, const yaml_event_t *event) {
    if (event->data.scalar.tag && !event->data.scalar.quoted_implicit &&
        !event->data.scalar.plain_implicit)
        return refuse(reader, &event->start_mark, "tags are not used in a catalog", "remove it");
    struct yaml_node *node =
        add_node(reader, YAML_TEXT, event, (const char *)event->data.scalar.anchor);
    if (!node) return false;
    char *copy = arena_try_alloc(reader->arena, event->data.scalar.length + 1);
    if (!copy) return refuse(reader, &event->start_mark, "out of memory", NULL);
    memcpy(copy, event->data.scalar.value, event->data.scalar.length);
    copy[event->data.scalar.length] = '\0';
    node->text = bytes_make(copy, event->data.scalar.length);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool handle(struct tree_reader *reader, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (!reader->ended) return true;
        return refuse(reader, &event->start_mark, "a second document in the file",
                      "one file holds one catalog: remove the '---' between them");
    case YAML_DOCUMENT_END_EVENT: reader->ended = true; return true;
    case YAML_ALIAS_EVENT: return add_alias(reader, event);
    case YAML_SCALAR_EVENT: return add_text(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(reader, YAML_LIST, event,
                          (const char *)event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return open_level(reader, YAML_MAP, event, (const char *)event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_level(reader, event);
    default: return true;
    }
}

static bool parser_failed(struct tree_reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    yaml_mark_t mark = parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "yaml", place_of(reader, &mark),
                    "not YAML: %s%s%s", parser->problem ? parser->problem : "it cannot be read",
                    parser->context ? " " : "", parser->context ? parser->context : "");
    diagnostics_remedy(reader->diagnostics,
                       "check indentation, and quote texts with '{', ':', '#' or '*' in them");
    return false;
}

struct yaml_node *yaml_read_tree(struct bytes text, const char *file, struct arena *arena,
                                 struct diagnostics *diagnostics) {
    struct tree_reader *reader = mem_zalloc(sizeof *reader);
    yaml_event_type_t type = YAML_NO_EVENT;
    struct yaml_node *root = NULL;
    reader->arena = arena;
    reader->diagnostics = diagnostics;
    reader->file = file;
    if (!yaml_parser_initialize(&reader->parser)) {
        mem_free(reader);
        diagnostics_add(diagnostics, SEVERITY_ERROR, "yaml", (struct place){file, 0, 0},
                        "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text.data, text.len);
    bool ok = true;
    while (ok && type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            ok = parser_failed(reader);
            break;
        }
        type = event.type;
        ok = handle(reader, &event);
        yaml_event_delete(&event);
    }
    if (ok) root = reader->root;
    yaml_parser_delete(&reader->parser);
    mem_free(reader);
    return root;
}
