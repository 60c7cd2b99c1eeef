/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/matcher.h"

#include "catalog/matcher_inside.h"

/* A variable before a literal takes as little as it can, so an inner literal is looked for from the left and the
 * last one at the end: one pass, and what fits in any way is found. */
bool mixed_fits(const struct template_part *parts, size_t part_count, bool trailing, const char *at,
                const char *end, const char *all, struct bytes *values) {
    size_t i = 0;
    if (part_count && !parts[0].is_variable) {
        struct bytes lead = parts[0].text;
        if ((size_t)(end - at) < lead.len || memcmp(at, lead.data, lead.len) != 0) return false;
        at += lead.len;
        i = 1;
    }
    for (; i < part_count; i += 2) {
        const char *until;
        if (i + 1 == part_count) {
            until = trailing ? all : end;
            if (until == at) return false;
            if (values) *values = bytes_make(at, (size_t)(until - at));
            return true;
        }
        struct bytes literal = parts[i + 1].text;
        if ((size_t)(end - at) < literal.len + 1) return false;
        if (i + 2 == part_count) {
            until = end - literal.len;
            if (memcmp(until, literal.data, literal.len) != 0) return false;
        } else {
            until = memmem(at + 1, (size_t)(end - at) - 1, literal.data, literal.len);
            if (!until) return false;
        }
        if (values) *values++ = bytes_make(at, (size_t)(until - at));
        at = until + literal.len;
    }
    return at == end;
}

static uint32_t walk(const struct matcher *matcher, uint32_t number, const char *at,
                     const char *all);

static inline uint32_t step(const struct matcher *matcher, uint32_t child, const char *end,
                            const char *all) {
    return end == all ? matcher->nodes[child].terminal : walk(matcher, child, end + 1, all);
}

static uint32_t walk_mixed(const struct matcher *matcher, const struct node *node, const char *at,
                           const char *end, const char *all) {
    for (uint32_t i = 0; i < node->mixed_count; i++) {
        const struct mixed *mixed = &matcher->mixed[node->mixed + i];
        if (!mixed_fits(mixed->parts, mixed->part_count, mixed->trailing, at, end, all, NULL))
            continue;
        uint32_t terminal =
            mixed->trailing ? mixed->terminal : step(matcher, mixed->child, end, all);
        if (terminal) return terminal;
    }
    return 0;
}

/* The terminal of the best template below a node for what stands from at to all; 0 when there is none. */
static uint32_t walk(const struct matcher *matcher, uint32_t number, const char *at,
                     const char *all) {
    const struct node *node = &matcher->nodes[number];
    const char *end = at == all ? NULL : memchr(at, TEMPLATE_SEPARATOR, (size_t)(all - at));
    uint32_t terminal;
    if (!end) end = all;
    if (node->edges && end - at <= TEMPLATE_TEXT_MAX) {
        struct bytes segment = bytes_make(at, (size_t)(end - at));
        struct segment_sum sum = segment_sum(segment, number);
        const struct edge *edge =
            edge_find(matcher->edges, matcher->edge_mask, number, segment, &sum);
        if (edge->text && (terminal = step(matcher, edge->child, end, all)) != 0) return terminal;
    }
    if (node->mixed_count && (terminal = walk_mixed(matcher, node, at, end, all)) != 0)
        return terminal;
    if (node->variable && end > at && (terminal = step(matcher, node->variable, end, all)) != 0)
        return terminal;
    return at < all ? node->rest : 0;
}

bool pattern_allows_database(const struct pattern *pattern, int database) {
    if (pattern->database_count == 0 || database == MATCHER_DATABASE_ANY) return true;
    for (size_t i = 0; i < pattern->database_count; i++) {
        if ((int)pattern->databases[i] == database) return true;
    }
    return false;
}

/* Of several templates of one shape: the one that names the database, else the one that names none. */
static const struct target *choose(const struct matcher *matcher, uint32_t terminal, int database) {
    const struct target *target = &matcher->targets[terminal], *chosen = target;
    if (kn_likely(target->next == 0)) return target;
    for (;; target = &matcher->targets[target->next]) {
        bool named = target->pattern->database_count > 0;
        if (named && pattern_allows_database(target->pattern, database)) return target;
        if (!named) chosen = target;
        if (target->next == 0) return chosen;
    }
}

static const struct target *find(const struct matcher *matcher, enum pattern_kind kind,
                                 struct bytes key, int database) {
    if (key.len == 0) return NULL;
    uint32_t terminal =
        walk(matcher, kind == PATTERN_CHANNEL ? 1 : 0, key.data, key.data + key.len);
    return terminal ? choose(matcher, terminal, database) : NULL;
}

unsigned matcher_find(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                      int database) {
    const struct target *target = find(matcher, kind, key, database);
    return target ? target->id : 0;
}

/* Values of the expanded template's variables, for a key that is known to fit it. */
static void capture(const struct target *target, struct bytes key, struct bytes *values) {
    const char *at = key.data, *all = key.data + key.len;
    for (size_t i = 0; i < target->segment_count; i++) {
        const struct segment *segment = &target->segments[i];
        const char *end = at == all ? NULL : memchr(at, TEMPLATE_SEPARATOR, (size_t)(all - at));
        if (!end) end = all;
        bool trailing = i + 1 == target->segment_count;
        bool fits = mixed_fits(segment->parts, segment->part_count, trailing, at, end, all, values);
        kn_assert(fits);
        (void)fits;
        values += segment->variable_count;
        at = end < all ? end + 1 : all;
    }
}

bool matcher_match(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                   int database, struct match *ret_match) {
    const struct target *target = find(matcher, kind, key, database);
    struct bytes values[TEMPLATE_VARIABLES_MAX];
    if (!target) return false;
    capture(target, key, values);
    const struct catalog *catalog = matcher->catalogs[target->id - 1];
    uint32_t expansion = target->expansion;
    size_t taken = 0;
    ret_match->id = target->id;
    ret_match->alias = target->alias;
    ret_match->count = 0;
    for (size_t i = 0; i < target->template->part_count; i++) {
        const struct template_part *part = &target->template->parts[i];
        if (!part->is_variable) continue;
        struct match_variable *variable = &ret_match->variables[ret_match->count++];
        const char *known = template_expansion_value(catalog->prefixes, catalog->prefix_count,
                                                     part->text, &expansion);
        variable->name = part->text;
        variable->value = known ? bytes_from_string(known) : values[taken++];
    }
    return true;
}

size_t matcher_pattern_count(const struct matcher *matcher) {
    return matcher->pattern_count;
}

const struct pattern *matcher_pattern(const struct matcher *matcher, unsigned id) {
    kn_require(id >= 1 && id <= matcher->pattern_count);
    return matcher->patterns[id - 1];
}

const struct catalog *matcher_catalog(const struct matcher *matcher, unsigned id) {
    kn_require(id >= 1 && id <= matcher->pattern_count);
    return matcher->catalogs[id - 1];
}
