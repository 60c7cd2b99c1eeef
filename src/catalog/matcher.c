/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/matcher.h"

#include "catalog/matcher_inside.h"

/* A variable before a literal takes as little as it can, so an inner literal is looked for from the
 * left and the last one at the end: one pass, and what fits in any way is found. */
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

/* A node that is left by one way and has others, to be tried where that one ends in nothing. */
struct turn {
    uint32_t node;
    uint32_t stage; /* the next way: a mixed segment by number, then the variable, then the rest */
    const char *at, *end;
};

struct walk {
    const struct matcher *matcher;
    const char *start, *all; /* of the key */
    struct turn turns[MATCHER_DEPTH_MAX];
    size_t count;
};

/* The next eight bytes of a key, zeros behind its end. left: how many there are. */
static inline uint64_t load_next(const struct walk *walk, const char *at, size_t left) {
    if (kn_likely(left >= 8)) return load_eight(at);
    if (walk->all - walk->start < 8) return load_some(at, left);
    return left ? load_eight(walk->all - 8) >> (64 - 8 * left) : 0;
}

static __attribute__((noinline)) uint32_t long_child(const struct matcher *matcher, uint32_t node,
                                                     const char *at, const char *all,
                                                     const char **ret_end) {
    const char *end = memchr(at + 8, TEMPLATE_SEPARATOR, (size_t)(all - at) - 8);
    *ret_end = end ? end : all;
    if (!(matcher->nodes[node].ways & NODE_LONG)) return 0;
    struct bytes text = bytes_make(at, (size_t)(*ret_end - at));
    struct segment_sum sum = segment_sum(text, node);
    const struct edge *edge = edge_find(matcher->edges, matcher->edge_mask, node, text, &sum);
    return edge->text ? edge->child : 0;
}

/* The node behind the segment at `at` by a literal, 0 when there is none; and where
 * the segment ends. One of up to eight bytes is found, measured and loaded by one
 * look at eight bytes of the key. */
static inline uint32_t literal_child(const struct walk *walk, uint32_t node, const char *at,
                                     const char **ret_end) {
    static const uint64_t ones = UINT64_C(0x0101010101010101);
    const struct matcher *matcher = walk->matcher;
    size_t left = (size_t)(walk->all - at), len = left;
    uint64_t word = load_next(walk, at, left), colons = word ^ ones * TEMPLATE_SEPARATOR;
    colons = (colons - ones) & ~colons & ones << 7;
    if (kn_likely(colons != 0)) {
        len = (size_t)__builtin_ctzll(colons) / 8;
        word &= ((colons & -colons) >> 7) - 1;
    } else if (left > 8) {
        if (at[8] != TEMPLATE_SEPARATOR) return long_child(matcher, node, at, walk->all, ret_end);
        len = 8;
    }
    *ret_end = at + len;
    return short_child(matcher, node, word, (uint32_t)len);
}

/* The ways out of a node other than a literal, from turn->stage on. Returns a terminal; or 0, with
 * the node to go on with in *ret_node, which is 0 when there is none. */
static uint32_t take_turn(struct walk *walk, struct turn turn, uint32_t *ret_node) {
    const struct matcher *matcher = walk->matcher;
    const struct node *node = &matcher->nodes[turn.node];
    bool ends = turn.end == walk->all;
    *ret_node = 0;
    for (uint32_t i = turn.stage; i <= node->mixed_count; i++) {
        uint32_t child = 0;
        if (i < node->mixed_count) {
            const struct mixed *mixed = &matcher->mixed[node->mixed + i];
            if (!mixed_fits(mixed->parts, mixed->part_count, mixed->trailing, turn.at, turn.end,
                            walk->all, NULL))
                continue;
            if (mixed->trailing) return mixed->terminal;
            child = mixed->child;
        } else if (turn.end > turn.at) {
            child = node->variable;
        }
        if (child == 0) continue;
        if (ends) {
            if (matcher->nodes[child].terminal) return matcher->nodes[child].terminal;
            continue;
        }
        turn.stage = i + 1;
        if (i < node->mixed_count || node->rest) {
            kn_assert(walk->count < MATCHER_DEPTH_MAX);
            walk->turns[walk->count++] = turn;
        }
        *ret_node = child;
        return 0;
    }
    return turn.at < walk->all ? node->rest : 0;
}

/* Where the segment at `at` ends. */
static inline const char *segment_end(const char *at, const char *all) {
    const char *end = at == all ? NULL : memchr(at, TEMPLATE_SEPARATOR, (size_t)(all - at));
    return end ? end : all;
}

/* The terminal of the best template for a key; 0 when there is none. */
static uint32_t walk_key(const struct matcher *matcher, uint32_t number, struct bytes key) {
    struct walk walk;
    walk.matcher = matcher;
    walk.start = key.data;
    walk.all = key.data + key.len;
    walk.count = 0;
    const char *at = key.data, *end;
    for (;;) {
        const struct node *node = &matcher->nodes[number];
        uint32_t terminal = 0, next = 0;
        if (node->ways & (NODE_SHORT | NODE_LONG))
            next = literal_child(&walk, number, at, &end);
        else
            end = segment_end(at, walk.all);
        if (next && end == walk.all) {
            terminal = matcher->nodes[next].terminal;
            if (terminal) return terminal;
            next = 0;
        } else if (next && (node->ways & NODE_OTHERS || node->rest)) {
            kn_assert(walk.count < MATCHER_DEPTH_MAX);
            walk.turns[walk.count++] = (struct turn){number, 0, at, end};
        }
        if (!next) terminal = take_turn(&walk, (struct turn){number, 0, at, end}, &next);
        while (!terminal && !next) {
            if (walk.count == 0) return 0;
            const struct turn *turn = &walk.turns[--walk.count];
            end = turn->end;
            terminal = take_turn(&walk, *turn, &next);
        }
        if (terminal) return terminal;
        number = next;
        at = end + 1;
    }
}

bool pattern_allows_database(const struct pattern *pattern, int database) {
    if (pattern->database_count == 0 || database == MATCHER_DATABASE_ANY) return true;
    for (size_t i = 0; i < pattern->database_count; i++) {
        if ((int)pattern->databases[i] == database) return true;
    }
    return false;
}

/* Of several templates of one shape: the one that names the database, else
 * the one that names none. */
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
    uint32_t terminal = kind == PATTERN_KEY ? lead_find(matcher, key) : 0;
    if (terminal == 0) terminal = walk_key(matcher, kind == PATTERN_CHANNEL ? 1 : 0, key);
    return terminal ? choose(matcher, terminal, database) : NULL;
}

unsigned matcher_find(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                      int database) {
    const struct target *target = find(matcher, kind, key, database);
    return target ? target->id : 0;
}

unsigned matcher_find_form(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                           int database, struct match_form *ret_form) {
    const struct target *target = find(matcher, kind, key, database);
    if (target == NULL) return 0;
    *ret_form = (struct match_form){target->alias, target->expansion};
    return target->id;
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

bool matcher_is(const struct matcher *matcher, enum pattern_kind kind, struct bytes key,
                int database, unsigned id, const struct match_variable *values, size_t count) {
    struct match match;
    if (count == 0) return matcher_find(matcher, kind, key, database) == id;
    if (!matcher_match(matcher, kind, key, database, &match) || match.id != id) return false;
    for (size_t i = 0; i < count; i++) {
        size_t v = 0;
        while (v < match.count && !bytes_equal(match.variables[v].name, values[i].name)) v++;
        if (v == match.count || !bytes_equal(match.variables[v].value, values[i].value))
            return false;
    }
    return true;
}
