/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/template.h"

#include "catalog/words.h"

static bool fail(struct template_error *error, size_t at, const char *what, const char *remedy) {
    *error = (struct template_error){.at = at, .what = what, .remedy = remedy};
    return false;
}

static bool is_prefix(struct bytes name, const struct prefix *prefixes, size_t count,
                      size_t *ret_index) {
    for (size_t i = 0; i < count; i++) {
        if (!bytes_equal(name, bytes_from_string(prefixes[i].name)) || !prefixes[i].value_count)
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

static bool valid_name(struct bytes name) {
    if (name.len == 0 || name.len > 64 || word_is_digit(name.data[0])) return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!word_is_name(name.data[i]) && !memchr(".-", name.data[i], 2)) return false;
    }
    return name.data[0] != '.' && name.data[0] != '-';
}

struct reader {
    struct template_part parts[TEMPLATE_PARTS_MAX];
    size_t part_count, variable_count, segment_count;
};

static bool add_variable(struct reader *reader, struct bytes name, size_t at,
                         struct template_error *error) {
    if (!valid_name(name))
        return fail(error, at,
                    name.len ? "the variable's name is not a name" : "a variable without a name",
                    "write {name} with letters, digits and '_'; for a brace itself write {{ or }}");
    for (size_t i = 0; i < reader->part_count; i++) {
        if (reader->parts[i].is_variable && bytes_equal(reader->parts[i].text, name))
            return fail(error, at, "the variable appears twice",
                        "give each variable a name of its own");
    }
    if (reader->part_count == TEMPLATE_PARTS_MAX ||
        reader->variable_count == TEMPLATE_VARIABLES_MAX)
        return fail(error, at, "the template has too many parts", NULL);
    reader->parts[reader->part_count++] = (struct template_part){true, name};
    reader->variable_count++;
    return true;
}

/* One run of literal bytes from at on, doubled braces undone; ret_end is where it ends. */
static bool add_literal(struct reader *reader, struct bytes text, size_t at, struct arena *arena,
                        size_t *ret_end, struct template_error *error) {
    char *out = arena_alloc(arena, text.len - at);
    size_t len = 0, start = at;
    while (at < text.len) {
        char c = text.data[at];
        bool doubled = at + 1 < text.len && text.data[at + 1] == c;
        if (c == '{' && !doubled) break;
        if (c == '}' && !doubled)
            return fail(error, at, "'}' closes nothing", "for a brace itself write }}");
        if ((c == '{' || c == '}') && doubled) {
            /* "{{{name}": the brace that opens the variable is the last one. */
            if (c == '{' && at + 2 < text.len && text.data[at + 2] == '{' &&
                !(at + 3 < text.len && text.data[at + 3] == '{')) {
                out[len++] = c;
                at += 2;
                break;
            }
            at++;
        }
        if (c == TEMPLATE_SEPARATOR) reader->segment_count++;
        if ((unsigned char)c < ' ' || c == 127)
            return fail(error, at, "a control character in the template", NULL);
        out[len++] = c;
        at++;
    }
    if (reader->part_count == TEMPLATE_PARTS_MAX)
        return fail(error, start, "the template has too many parts", NULL);
    reader->parts[reader->part_count++] = (struct template_part){false, bytes_make(out, len)};
    *ret_end = at;
    return true;
}

static bool check_neighbours(const struct reader *reader, const struct prefix *prefixes,
                             size_t prefix_count, struct template_error *error) {
    for (size_t i = 1; i < reader->part_count; i++) {
        size_t index;
        if (!reader->parts[i].is_variable || !reader->parts[i - 1].is_variable) continue;
        if (is_prefix(reader->parts[i - 1].text, prefixes, prefix_count, &index) ||
            is_prefix(reader->parts[i].text, prefixes, prefix_count, &index))
            continue;
        return fail(
            error, 0, "two variables touch, so nothing tells where the first one ends",
            "put a ':' or other text between them, or list the first one's values as a prefix");
    }
    return true;
}

bool template_parse(struct bytes text, const struct prefix *prefixes, size_t prefix_count,
                    struct arena *arena, struct template *ret_template,
                    struct template_error *ret_error) {
    struct reader reader = {.segment_count = 1};
    if (text.len == 0) return fail(ret_error, 0, "the template is empty", NULL);
    if (text.len > TEMPLATE_TEXT_MAX) return fail(ret_error, 0, "the template is too long", NULL);
    for (size_t at = 0; at < text.len;) {
        bool opens = text.data[at] == '{' && !(at + 1 < text.len && text.data[at + 1] == '{');
        if (!opens) {
            if (!add_literal(&reader, text, at, arena, &at, ret_error)) return false;
            continue;
        }
        struct bytes rest = words_from(text, at + 1);
        size_t end = words_index(rest, '}');
        if (end == rest.len)
            return fail(ret_error, at, "'{' is never closed", "for a brace itself write {{");
        if (!add_variable(&reader, arena_copy(arena, words_until(rest, end)), at, ret_error))
            return false;
        at += end + 2;
    }
    if (reader.segment_count > TEMPLATE_SEGMENTS_MAX)
        return fail(ret_error, 0, "the template has too many segments", NULL);
    if (!check_neighbours(&reader, prefixes, prefix_count, ret_error)) return false;
    ret_template->text = arena_printf(arena, "%.*s", (int)text.len, text.data);
    ret_template->parts = arena_alloc(arena, reader.part_count * sizeof *reader.parts);
    memcpy(ret_template->parts, reader.parts, reader.part_count * sizeof *reader.parts);
    ret_template->part_count = reader.part_count;
    ret_template->variable_count = reader.variable_count;
    return true;
}

size_t template_expansions(const struct template *template, const struct prefix *prefixes,
                           size_t prefix_count) {
    size_t count = 1, index;
    for (size_t i = 0; i < template->part_count; i++) {
        if (!template->parts[i].is_variable) continue;
        if (is_prefix(template->parts[i].text, prefixes, prefix_count, &index))
            count *= prefixes[index].value_count;
        if (count > TEMPLATE_EXPANSIONS_MAX) return TEMPLATE_EXPANSIONS_MAX + 1;
    }
    return count;
}

/* Appends a literal, to the last part when that is one too. Templates have
 * bounded text, so this ends. */
static void append_literal(struct template *to, struct bytes text, struct arena *arena) {
    struct template_part *last = to->part_count ? &to->parts[to->part_count - 1] : NULL;
    if (text.len == 0) return;
    if (!last || last->is_variable) {
        to->parts[to->part_count++] = (struct template_part){false, text};
        return;
    }
    char *joined = arena_alloc(arena, last->text.len + text.len);
    memcpy(joined, last->text.data, last->text.len);
    memcpy(joined + last->text.len, text.data, text.len);
    last->text = bytes_make(joined, last->text.len + text.len);
}

const char *template_expansion_value(const struct prefix *prefixes, size_t prefix_count,
                                     struct bytes name, uint32_t *index) {
    size_t which;
    if (!is_prefix(name, prefixes, prefix_count, &which)) return NULL;
    const struct prefix *prefix = &prefixes[which];
    size_t value = (*index + prefix->chosen) % prefix->value_count;
    *index /= (uint32_t)prefix->value_count;
    return prefix->values[value];
}

void template_expand(const struct template *template, const struct prefix *prefixes,
                     size_t prefix_count, size_t index, struct arena *arena,
                     struct template *ret_template) {
    uint32_t left = (uint32_t)index;
    struct template to = {.text = template->text};
    to.parts = arena_alloc(arena, template->part_count * sizeof *to.parts);
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        const char *value = NULL;
        if (part->is_variable)
            value = template_expansion_value(prefixes, prefix_count, part->text, &left);
        if (!part->is_variable) {
            append_literal(&to, part->text, arena);
        } else if (value) {
            append_literal(&to, bytes_from_string(value), arena);
        } else {
            to.parts[to.part_count++] = *part;
            to.variable_count++;
        }
    }
    *ret_template = to;
}

size_t template_find_variable(const struct template *template, struct bytes name) {
    for (size_t i = 0; i < template->part_count; i++) {
        if (template->parts[i].is_variable && bytes_equal(template->parts[i].text, name)) return i;
    }
    return template->part_count;
}

bool template_same_shape(const struct template *a, const struct template *b) {
    if (a->part_count != b->part_count) return false;
    for (size_t i = 0; i < a->part_count; i++) {
        if (a->parts[i].is_variable != b->parts[i].is_variable) return false;
        if (!a->parts[i].is_variable && !bytes_equal(a->parts[i].text, b->parts[i].text))
            return false;
    }
    return true;
}

const char *template_sample(const struct template *template, const struct prefix *prefixes,
                            size_t prefix_count, struct arena *arena) {
    struct template expanded;
    char *out;
    size_t len = 0, room = 1;
    template_expand(template, prefixes, prefix_count, 0, arena, &expanded);
    for (size_t i = 0; i < expanded.part_count; i++) room += expanded.parts[i].text.len;
    out = arena_alloc(arena, room);
    for (size_t i = 0; i < expanded.part_count; i++) {
        memcpy(out + len, expanded.parts[i].text.data, expanded.parts[i].text.len);
        len += expanded.parts[i].text.len;
    }
    out[len] = '\0';
    return out;
}
