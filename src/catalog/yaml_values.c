/* SPDX-License-Identifier: BSD-3-Clause */
/* Single values, and maps of known fields: a word that is none is answered with the one
 * that was probably meant. */
#include "catalog/yaml_inside.h"

#include <stdio.h>

#include "base/number.h"
#include "catalog/words.h"

enum { TEXT_MAX = 4096, FIELDS_MAX = 32 };

void reader_error(struct reader *reader, const struct yaml_node *node, const char *what,
                  const char *remedy) {
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place, "%s", what);
    if (remedy) diagnostics_remedy(reader->diagnostics, "%s", remedy);
}

/* Names of choices into a remedy: "one of a, b, c". */
static void remedy_choices(struct reader *reader, struct bytes got, const char *const *choices) {
    char list[512];
    size_t len = 0;
    const char *near = words_nearest(got, choices);
    if (near) {
        diagnostics_remedy(reader->diagnostics, "did you mean '%s'?", near);
        return;
    }
    list[0] = '\0';
    for (; *choices && len + 40 < sizeof list; choices++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", *choices);
    diagnostics_remedy(reader->diagnostics, "one of: %s", list);
}

bool reader_is_text(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (node->kind == YAML_TEXT && node->text.len <= TEXT_MAX &&
        !(node->text.len && memchr(node->text.data, '\0', node->text.len)))
        return true;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    node->kind != YAML_TEXT ? "%s must be a text"
                                            : "%s is too long or holds a zero byte",
                    what);
    return false;
}

bool reader_map(struct reader *reader, const struct yaml_node *map, const char *what,
                const struct reader_field *fields) {
    if (map->kind != YAML_MAP) {
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", map->place,
                        "%s must be a map", what);
        diagnostics_remedy(reader->diagnostics, "write it as 'name: value' lines");
        return false;
    }
    for (size_t i = 0; i < map->count; i += 2) {
        const struct yaml_node *key = map->items[i];
        const struct reader_field *field = fields;
        while (field->name && !bytes_equal(bytes_from_string(field->name), key->text)) field++;
        if (field->name) {
            field->read(reader, map->items[i + 1]);
            continue;
        }
        const char *names[FIELDS_MAX];
        size_t count = 0;
        for (field = fields; field->name && count + 1 < FIELDS_MAX; field++)
            names[count++] = field->name;
        names[count] = NULL;
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "field-unknown", key->place,
                        "%s has no field '%.*s'", what, SHOW(key->text));
        remedy_choices(reader, key->text, names);
    }
    return true;
}

/* The place of a word in a list of names, from the first that may be chosen; -1 when it is none. */
int reader_choice(struct reader *reader, const struct yaml_node *node, const char *what,
                  const char *const *names, int first) {
    if (!reader_is_text(reader, node, what)) return -1;
    for (int i = first; names[i]; i++) {
        if (bytes_equal(node->text, bytes_from_string(names[i]))) return i;
    }
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "word-unknown", node->place,
                    "'%.*s' is no %s", SHOW(node->text), what);
    remedy_choices(reader, node->text, names + first);
    return -1;
}

/* Prose is one line, with single blanks, however it was written; an empty one is none. */
const char *reader_text(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (!reader_is_text(reader, node, what)) return NULL;
    char *out = arena_alloc(&reader->catalog->arena, node->text.len + 1);
    struct bytes rest = node->text, word;
    size_t len = 0;
    while (words_next(&rest, &word)) {
        if (len) out[len++] = ' ';
        memcpy(out + len, word.data, word.len);
        len += word.len;
    }
    out[len] = '\0';
    return len ? out : NULL;
}

bool reader_bool(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (node->kind == YAML_TEXT && words_are(node->text, "true|yes|on")) return true;
    if (node->kind == YAML_TEXT && words_are(node->text, "false|no|off")) return false;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    "%s must be true or false", what);
    return false;
}

int64_t reader_duration(struct reader *reader, const struct yaml_node *node, const char *what) {
    int64_t ms;
    uint64_t seconds;
    if (!reader_is_text(reader, node, what)) return 0;
    if (duration_parse(node->text, &ms)) return ms;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "duration", node->place,
                    "%s '%.*s' is no duration", what, SHOW(node->text));
    if (number_parse_u64(node->text, &seconds)) {
        diagnostics_remedy(reader->diagnostics, "give the unit: %.*ss, %.*sm, ...",
                           SHOW(node->text), SHOW(node->text));
    } else {
        diagnostics_remedy(reader->diagnostics,
                           "a number with ms, s, m, h, d or w, as in 30s, 5m, 1h30m, 7d; or none");
    }
    return 0;
}

uint64_t reader_size(struct reader *reader, const struct yaml_node *node, const char *what) {
    uint64_t bytes;
    if (!reader_is_text(reader, node, what)) return 0;
    if (number_parse_memory(node->text, &bytes) && bytes > 0) return bytes;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "size", node->place,
                    "%s '%.*s' is no size", what, SHOW(node->text));
    diagnostics_remedy(reader->diagnostics, "a number above 0, with b, kb, mb or gb if you like");
    return 0;
}

bool reader_template(struct reader *reader, const struct yaml_node *node,
                     struct pattern_template *ret_template) {
    struct template_error error;
    if (!reader_is_text(reader, node, "a template")) return false;
    ret_template->place = node->place;
    if (template_parse(node->text, reader->catalog->prefixes, reader->catalog->prefix_count,
                       &reader->catalog->arena, &ret_template->template, &error))
        return true;
    struct place place = node->place;
    place.column += (uint32_t)error.at + !node->plain;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "template", place, "'%.*s': %s",
                    SHOW(node->text), error.what);
    if (error.remedy) diagnostics_remedy(reader->diagnostics, "%s", error.remedy);
    return false;
}

/* A list, or one thing without the list around it. */
size_t reader_list_count(const struct yaml_node *node) {
    return node->kind == YAML_LIST ? node->count : 1;
}

const struct yaml_node *reader_list_at(const struct yaml_node *node, size_t i) {
    return node->kind == YAML_LIST ? node->items[i] : node;
}

bool reader_list_fits(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (reader_list_count(node) <= CATALOG_LIST_MAX) return true;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    "%s has more than %d entries", what, CATALOG_LIST_MAX);
    return false;
}

bool reader_database(struct reader *reader, const struct yaml_node *node, uint32_t *ret) {
    uint64_t number;
    if (node->kind == YAML_TEXT && number_parse_u64(node->text, &number) &&
        number <= CATALOG_DATABASE_MAX) {
        *ret = (uint32_t)number;
        return true;
    }
    reader_error(reader, node, "a database is a number from 0",
                 "as in 'database: 1' or 'database: [1, 2]'");
    return false;
}
