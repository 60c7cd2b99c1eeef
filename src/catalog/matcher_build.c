/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiles catalogs into a matcher: every template, with its prefixes written out, becomes a path
 * of the tree. Mixed segments are collected in one array and sorted at the end, so that each node
 * has its own in a row, the most literal first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/matcher_inside.h"

struct mixed_item {
    struct mixed mixed;
    uint32_t node;
};

struct builder {
    struct matcher *matcher;
    struct diagnostics *diagnostics;
    size_t node_room, target_room, edge_count;
    struct mixed_item *mixed;
    size_t mixed_count, mixed_room;
    /* Mixed segments by node and shape, in the form of literals that no segment
     * has: ':' for a variable. */
    struct edge *shapes;
    size_t shape_mask, shape_count;
};

static void *grow(void *array, size_t count, size_t *room, size_t size) {
    if (count < *room) return array;
    *room = *room ? 2 * *room : 64;
    return mem_realloc(array, *room * size);
}

static uint32_t add_node(struct builder *builder) {
    struct matcher *matcher = builder->matcher;
    if (matcher->node_count == NODES_MAX) return 0;
    matcher->nodes =
        grow(matcher->nodes, matcher->node_count, &builder->node_room, sizeof *matcher->nodes);
    matcher->nodes[matcher->node_count] = (struct node){0};
    return (uint32_t)matcher->node_count++;
}

/* Doubles a table that is half full. */
static void edges_grow(struct edge **edges, size_t *mask, size_t count) {
    size_t old_mask = *mask, old_size = *edges ? old_mask + 1 : 0;
    if (*edges && 2 * count <= old_mask) return;
    struct edge *old = *edges;
    *mask = old ? 2 * old_mask + 1 : 63;
    *edges = mem_zalloc((*mask + 1) * sizeof **edges);
    for (size_t i = 0; old && i < old_size; i++) {
        if (!old[i].text) continue;
        struct bytes text = bytes_make(old[i].text, old[i].len);
        struct segment_sum sum = segment_sum(text, old[i].node);
        *edge_find(*edges, *mask, old[i].node, text, &sum) = old[i];
    }
    mem_free(old);
}

/* The edge from a node by a text, made if there is none; its child is 0 when it is new. */
static struct edge *edge_get(struct edge **edges, size_t *mask, size_t *count, uint32_t node,
                             struct bytes text) {
    edges_grow(edges, mask, *count);
    struct segment_sum sum = segment_sum(text, node);
    struct edge *edge = edge_find(*edges, *mask, node, text, &sum);
    if (!edge->text) {
        *edge = (struct edge){
            .first = sum.first, .last = sum.last, .text = text.data, .len = sum.len, .node = node};
        ++*count;
    }
    return edge;
}

/* Adds a part to the last segment; text is what of the template's part lies in it. */
static void add_part(struct segment *segment, struct template_part *parts,
                     const struct template_part *part, struct bytes text) {
    if (text.len == 0) return;
    parts[segment->part_count++] = (struct template_part){part->is_variable, text};
    segment->variable_count += part->is_variable;
}

/* The segments of a template with its prefixes written out; 0 when there are too many. */
static uint32_t split(struct arena *arena, const struct template *template,
                      const struct segment **ret_segments) {
    size_t separators = 0;
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        for (size_t j = 0; !part->is_variable && j < part->text.len; j++)
            separators += part->text.data[j] == TEMPLATE_SEPARATOR;
    }
    if (separators >= MATCHER_SEGMENTS_MAX) return 0;
    struct segment *segments = arena_zalloc(arena, (separators + 1) * sizeof *segments);
    /* Every separator divides one part into two at most. */
    struct template_part *parts =
        arena_alloc(arena, (template->part_count + separators) * sizeof *parts);
    struct segment *segment = segments;
    segment->parts = parts;
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        struct bytes rest = part->text;
        const char *at;
        while (!part->is_variable && rest.len &&
               (at = memchr(rest.data, TEMPLATE_SEPARATOR, rest.len)) != NULL) {
            size_t len = (size_t)(at - rest.data);
            add_part(segment, parts, part, bytes_make(rest.data, len));
            rest = bytes_make(at + 1, rest.len - len - 1);
            parts += segment->part_count;
            (++segment)->parts = parts;
        }
        add_part(segment, parts, part, rest);
    }
    *ret_segments = segments;
    return (uint32_t)separators + 1;
}

/* A mixed segment as a text: ':' can only be a variable there, and a second one
 * at the end says trailing. */
static struct bytes shape_text(struct arena *arena, const struct segment *segment, bool trailing) {
    size_t len = 0;
    for (uint32_t i = 0; i < segment->part_count; i++) len += segment->parts[i].text.len;
    char *text = arena_alloc(arena, len + segment->part_count + 2);
    len = 0;
    for (uint32_t i = 0; i < segment->part_count; i++) {
        const struct template_part *part = &segment->parts[i];
        if (part->is_variable) {
            text[len++] = TEMPLATE_SEPARATOR;
        } else {
            memcpy(text + len, part->text.data, part->text.len);
            len += part->text.len;
        }
    }
    if (trailing) text[len++] = TEMPLATE_SEPARATOR;
    return bytes_make(text, len);
}

static struct mixed *get_mixed(struct builder *builder, uint32_t node,
                               const struct segment *segment, bool trailing) {
    struct bytes shape = shape_text(&builder->matcher->arena, segment, trailing);
    struct edge *edge =
        edge_get(&builder->shapes, &builder->shape_mask, &builder->shape_count, node, shape);
    if (edge->child) return &builder->mixed[edge->child - 1].mixed;
    builder->mixed =
        grow(builder->mixed, builder->mixed_count, &builder->mixed_room, sizeof *builder->mixed);
    struct mixed_item *item = &builder->mixed[builder->mixed_count++];
    *item = (struct mixed_item){
        .mixed = {.parts = segment->parts, .part_count = segment->part_count, .trailing = trailing},
        .node = node,
    };
    edge->child = (uint32_t)builder->mixed_count;
    return &item->mixed;
}

/* The node behind a segment, made if there is none; 0 when there are too many nodes. */
static uint32_t next_node(struct builder *builder, uint32_t node, const struct segment *segment) {
    struct matcher *matcher = builder->matcher;
    uint32_t child;
    if (segment->variable_count == 0) {
        struct bytes text = segment->part_count ? segment->parts[0].text : BYTES("");
        struct edge *edge =
            edge_get(&matcher->edges, &matcher->edge_mask, &builder->edge_count, node, text);
        if (edge->child) return edge->child;
        child = add_node(builder);
        edge->child = child;
        matcher->nodes[node].ways |= text.len > 8 ? NODE_LONG : NODE_SHORT;
        return child;
    }
    if (segment->part_count == 1) {
        if (matcher->nodes[node].variable) return matcher->nodes[node].variable;
        child = add_node(builder);
        matcher->nodes[node].variable = child;
        matcher->nodes[node].ways |= NODE_OTHERS;
        return child;
    }
    struct mixed *mixed = get_mixed(builder, node, segment, false);
    if (mixed->child) return mixed->child;
    return mixed->child = add_node(builder);
}

/* Where the number of the template's terminal is kept; good until nodes or
 * mixed segments are added. */
static uint32_t *find_terminal(struct builder *builder, uint32_t node,
                               const struct segment *segments, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const struct segment *segment = &segments[i];
        bool trailing = i + 1 == count && segment->part_count &&
                        segment->parts[segment->part_count - 1].is_variable;
        if (trailing && segment->part_count > 1)
            return &get_mixed(builder, node, segment, true)->terminal;
        if (trailing) return &builder->matcher->nodes[node].rest;
        node = next_node(builder, node, segment);
        if (node == 0) return NULL;
    }
    return &builder->matcher->nodes[node].terminal;
}

static bool databases_overlap(const struct pattern *a, const struct pattern *b) {
    if (a->database_count == 0 || b->database_count == 0)
        return a->database_count == b->database_count;
    for (size_t i = 0; i < a->database_count; i++) {
        if (pattern_allows_database(b, (int)a->databases[i])) return true;
    }
    return false;
}

static const struct pattern_template *written(const struct pattern *pattern, unsigned alias) {
    return alias ? &pattern->aliases[alias - 1] : &pattern->key;
}

/* Reports the first template at the terminal that a new one cannot be told from. */
static bool report_twin(struct builder *builder, const struct pattern *pattern, unsigned alias,
                        uint32_t terminal) {
    while (terminal) {
        const struct target *other = &builder->matcher->targets[terminal];
        terminal = other->next;
        if (!databases_overlap(pattern, other->pattern)) continue;
        const struct pattern_template *mine = written(pattern, alias);
        const struct pattern_template *theirs = written(other->pattern, other->alias);
        diagnostics_add(builder->diagnostics, SEVERITY_ERROR, "patterns-alike", mine->place,
                        "'%s' and '%s' match exactly the same keys", mine->template.text,
                        theirs->template.text);
        diagnostics_other(builder->diagnostics, theirs->place);
        diagnostics_remedy(builder->diagnostics,
                           "remove one, or tell them apart by a literal segment or by database");
        return true;
    }
    return false;
}

static bool add_target(struct builder *builder, const struct target *target, unsigned alias) {
    struct matcher *matcher = builder->matcher;
    uint32_t root = target->pattern->kind == PATTERN_CHANNEL ? 1 : 0;
    uint32_t *terminal = find_terminal(builder, root, target->segments, target->segment_count);
    if (!terminal || matcher->target_count == NODES_MAX) {
        diagnostics_add(builder->diagnostics, SEVERITY_ERROR, "too-many-patterns",
                        target->pattern->place, "the catalogs together are too large");
        return false;
    }
    if (report_twin(builder, target->pattern, alias, *terminal)) return false;
    matcher->targets = grow(matcher->targets, matcher->target_count, &builder->target_room,
                            sizeof *matcher->targets);
    matcher->targets[matcher->target_count] = *target;
    matcher->targets[matcher->target_count].next = *terminal;
    *terminal = (uint32_t)matcher->target_count++;
    return true;
}

static bool add_template(struct builder *builder, const struct catalog *catalog,
                         const struct pattern *pattern, unsigned id, unsigned alias) {
    struct arena *arena = &builder->matcher->arena;
    const struct pattern_template *template = written(pattern, alias);
    size_t expansions =
        template_expansions(&template->template, catalog->prefixes, catalog->prefix_count);
    if (expansions > TEMPLATE_EXPANSIONS_MAX) {
        diagnostics_add(builder->diagnostics, SEVERITY_ERROR, "too-many-prefixes", template->place,
                        "'%s' stands for more than %d templates with its prefixes written out",
                        template->template.text, TEMPLATE_EXPANSIONS_MAX);
        return false;
    }
    for (size_t i = 0; i < expansions; i++) {
        struct template expanded;
        struct target target = {.pattern = pattern,
                                .template = &template->template,
                                .expansion = (uint32_t)i,
                                .id = (uint16_t)id,
                                .alias = (uint16_t)alias};
        template_expand(&template->template, catalog->prefixes, catalog->prefix_count, i, arena,
                        &expanded);
        target.segment_count = split(arena, &expanded, &target.segments);
        if (target.segment_count == 0) {
            diagnostics_add(builder->diagnostics, SEVERITY_ERROR, "too-many-segments",
                            template->place, "'%s' has too many segments", template->template.text);
            return false;
        }
        if (!add_target(builder, &target, alias)) return false;
    }
    return true;
}

static bool add_catalog(struct builder *builder, const struct catalog *catalog) {
    struct matcher *matcher = builder->matcher;
    bool ok = true;
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        unsigned id = (unsigned)matcher->pattern_count + 1;
        matcher->patterns[matcher->pattern_count] = pattern;
        matcher->catalogs[matcher->pattern_count++] = catalog;
        for (unsigned alias = 0; alias <= pattern->alias_count; alias++)
            ok = add_template(builder, catalog, pattern, id, alias) && ok;
    }
    return ok;
}

/* By node; of one node the more literal first. Parts are compared from the left: a literal comes
 * before a variable, of two literals the longer one; where one ends, the one with more parts. Then
 * what ends in the segment before what takes the rest. */
static int compare_mixed(const void *left, const void *right) {
    const struct mixed_item *a = left, *b = right;
    const struct mixed *x = &a->mixed, *y = &b->mixed;
    if (a->node != b->node) return a->node < b->node ? -1 : 1;
    for (uint32_t i = 0; i < x->part_count && i < y->part_count; i++) {
        const struct template_part *p = &x->parts[i], *q = &y->parts[i];
        if (p->is_variable != q->is_variable) return p->is_variable ? 1 : -1;
        if (p->is_variable) continue;
        if (p->text.len != q->text.len) return p->text.len > q->text.len ? -1 : 1;
        int order = bytes_compare(p->text, q->text);
        if (order != 0) return order;
    }
    if (x->part_count != y->part_count) return x->part_count > y->part_count ? -1 : 1;
    return (int)x->trailing - (int)y->trailing;
}

static void sort_mixed(struct builder *builder) {
    struct matcher *matcher = builder->matcher;
    if (builder->mixed_count == 0) return;
    qsort(builder->mixed, builder->mixed_count, sizeof *builder->mixed, compare_mixed);
    matcher->mixed = mem_alloc(builder->mixed_count * sizeof *matcher->mixed);
    for (size_t i = 0; i < builder->mixed_count; i++) {
        struct node *node = &matcher->nodes[builder->mixed[i].node];
        matcher->mixed[i] = builder->mixed[i].mixed;
        if (node->mixed_count++ == 0) node->mixed = (uint32_t)i;
        node->ways |= NODE_OTHERS;
    }
}

static void index_short_edges(struct matcher *matcher) {
    size_t count = 0, size = 2;
    for (size_t i = 0; i <= matcher->edge_mask; i++)
        count += matcher->edges[i].text != NULL && matcher->edges[i].len <= 8;
    while (size < 2 * count) size *= 2;
    matcher->short_mask = size - 1;
    matcher->short_edges = mem_zalloc(size * sizeof *matcher->short_edges);
    for (size_t i = 0; i <= matcher->edge_mask; i++) {
        const struct edge *edge = &matcher->edges[i];
        if (edge->text == NULL || edge->len > 8) continue;
        uint32_t label = short_label(edge->node, edge->len);
        *short_find(matcher->short_edges, matcher->short_mask, edge->first, label) =
            (struct short_edge){.text = edge->first, .label = label, .child = edge->child};
    }
}

/* ---- leads ---- */

/* The literals of a target up to a variable that ends it, with the last separator; of no length
 * when it is of another shape, or when keys that begin so have other ways. */
static struct lead lead_of(struct matcher *matcher, const struct target *target) {
    const struct segment *last = &target->segments[target->segment_count - 1];
    struct lead lead = {0};
    uint32_t node = 0;
    size_t len = 0;
    if (target->pattern->kind != PATTERN_KEY || last->part_count != 1 || !last->variable_count)
        return lead;
    for (const struct segment *segment = target->segments; segment < last; segment++) {
        struct bytes text = segment->part_count ? segment->parts[0].text : BYTES("");
        if (segment->variable_count) return lead;
        struct segment_sum sum = segment_sum(text, node);
        node = edge_find(matcher->edges, matcher->edge_mask, node, text, &sum)->child;
        len += text.len + 1;
    }
    if (matcher->nodes[node].ways || len < lead_class_min[LEAD_CLASSES - 1]) return lead;
    char *text = arena_alloc(&matcher->arena, len), *at = text;
    for (const struct segment *segment = target->segments; segment < last; segment++) {
        if (segment->part_count) {
            memcpy(at, segment->parts[0].text.data, segment->parts[0].text.len);
            at += segment->parts[0].text.len;
        }
        *at++ = TEMPLATE_SEPARATOR;
    }
    lead.text = text;
    lead.len = (uint32_t)len;
    lead.terminal = matcher->nodes[node].rest;
    lead.first = load_some(text, len < 8 ? len : 8);
    if (len >= 8) lead.last = load_eight(text + (len < 16 ? len : 16) - 8);
    return lead;
}

static unsigned lead_class(const struct lead *lead) {
    unsigned class = 0;
    while (lead->len < lead_class_min[class]) class ++;
    return class;
}

/* Of leads that have one place only one is kept; for keys of the others there is the walk. */
static void index_leads(struct matcher *matcher) {
    size_t counts[LEAD_CLASSES] = {0}, count = matcher->target_count;
    struct lead *leads = mem_alloc(count * sizeof *leads);
    for (size_t i = 1; i < count; i++) {
        leads[i] = lead_of(matcher, &matcher->targets[i]);
        if (leads[i].len) counts[lead_class(&leads[i])]++;
    }
    for (unsigned class = 0; class < LEAD_CLASSES; class ++) {
        size_t size = 4;
        if (counts[class] == 0) continue;
        while (size < 4 * counts[class]) size *= 2;
        matcher->leads[class] = mem_zalloc(size * sizeof(struct lead));
        matcher->lead_masks[class] = size - 1;
    }
    for (size_t i = 1; i < count; i++) {
        if (!leads[i].len) continue;
        unsigned class = lead_class(&leads[i]);
        uint64_t first = class == 2 ? leads[i].first & UINT32_MAX : leads[i].first;
        size_t hash = lead_hash(first, class == 0 ? leads[i].last : 0);
        matcher->leads[class][hash & matcher->lead_masks[class]] = leads[i];
    }
    mem_free(leads);
}

struct matcher *matcher_new(const struct catalog *const *catalogs, size_t count,
                            struct diagnostics *diagnostics) {
    struct builder builder = {.matcher = mem_zalloc(sizeof(struct matcher)),
                              .diagnostics = diagnostics};
    struct matcher *matcher = builder.matcher;
    size_t patterns = 0;
    bool ok = true;
    arena_init(&matcher->arena);
    for (size_t i = 0; i < count; i++) patterns += catalogs[i]->pattern_count;
    if (patterns > MATCHER_PATTERNS_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "too-many-patterns", (struct place){0},
                        "%zu patterns, of at most %d in all catalogs together", patterns,
                        MATCHER_PATTERNS_MAX);
        count = patterns = 0;
        ok = false;
    }
    matcher->patterns = mem_alloc((patterns + 1) * sizeof(*matcher->patterns));
    matcher->catalogs = mem_alloc((patterns + 1) * sizeof(*matcher->catalogs));
    add_node(&builder); /* of keys */
    add_node(&builder); /* of channels */
    edges_grow(&matcher->edges, &matcher->edge_mask, 0);
    matcher->targets = grow(NULL, 0, &builder.target_room, sizeof *matcher->targets);
    matcher->targets[0] = (struct target){0};
    matcher->target_count = 1;
    for (size_t i = 0; i < count; i++) ok = add_catalog(&builder, catalogs[i]) && ok;
    sort_mixed(&builder);
    index_short_edges(matcher);
    index_leads(matcher);
    mem_free(builder.mixed);
    mem_free(builder.shapes);
    if (ok) return matcher;
    matcher_free(matcher);
    return NULL;
}

void matcher_free(struct matcher *matcher) {
    if (!matcher) return;
    arena_done(&matcher->arena);
    mem_free(matcher->nodes);
    mem_free(matcher->edges);
    mem_free(matcher->short_edges);
    for (unsigned class = 0; class < LEAD_CLASSES; class ++) mem_free(matcher->leads[class]);
    mem_free(matcher->mixed);
    mem_free(matcher->targets);
    mem_free((void *)matcher->patterns);
    mem_free((void *)matcher->catalogs);
    mem_free(matcher);
}
