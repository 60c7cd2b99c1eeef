/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of a catalog, from the tree of its YAML. Each map has a table of the fields it may have; a
 * word that is none is answered with the one that was probably meant.
 */
#include <stdio.h>

#include "base/number.h"
#include "catalog/words.h"
#include "catalog/yaml.h"
#include "catalog/yaml_tree.h"

struct reader {
    struct catalog *catalog;
    struct diagnostics *diagnostics;
    struct pattern *pattern; /* the one being read */
};

enum { TEXT_MAX = 4096, PREFIX_VALUE_MAX = 128, FIELDS_MAX = 32 };

typedef void read_fn(struct reader *reader, const struct yaml_node *node);

struct field {
    const char *name;
    read_fn *read;
};

#define SHOW(bytes) (int)((bytes).len > 60 ? 60 : (bytes).len), (bytes).data

static void error_at(struct reader *reader, const struct yaml_node *node, const char *what,
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

static bool is_text(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (node->kind == YAML_TEXT && node->text.len <= TEXT_MAX &&
        !(node->text.len && memchr(node->text.data, '\0', node->text.len)))
        return true;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    node->kind != YAML_TEXT ? "%s must be a text"
                                            : "%s is too long or holds a zero byte",
                    what);
    return false;
}

static bool read_map(struct reader *reader, const struct yaml_node *map, const char *what,
                     const struct field *fields) {
    if (map->kind != YAML_MAP) {
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", map->place,
                        "%s must be a map", what);
        diagnostics_remedy(reader->diagnostics, "write it as 'name: value' lines");
        return false;
    }
    for (size_t i = 0; i < map->count; i += 2) {
        const struct yaml_node *key = map->items[i];
        const struct field *field = fields;
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
static int read_choice(struct reader *reader, const struct yaml_node *node, const char *what,
                       const char *const *names, int first) {
    if (!is_text(reader, node, what)) return -1;
    for (int i = first; names[i]; i++) {
        if (bytes_equal(node->text, bytes_from_string(names[i]))) return i;
    }
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "word-unknown", node->place,
                    "'%.*s' is no %s", SHOW(node->text), what);
    remedy_choices(reader, node->text, names + first);
    return -1;
}

/* Prose is one line, with single blanks, however it was written; an empty one is none. */
static const char *read_text(struct reader *reader, const struct yaml_node *node,
                             const char *what) {
    if (!is_text(reader, node, what)) return NULL;
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

static bool read_bool(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (node->kind == YAML_TEXT && words_are(node->text, "true|yes|on")) return true;
    if (node->kind == YAML_TEXT && words_are(node->text, "false|no|off")) return false;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    "%s must be true or false", what);
    return false;
}

static int64_t read_duration(struct reader *reader, const struct yaml_node *node,
                             const char *what) {
    int64_t ms;
    uint64_t seconds;
    if (!is_text(reader, node, what)) return 0;
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

static uint64_t read_size(struct reader *reader, const struct yaml_node *node, const char *what) {
    uint64_t bytes;
    if (!is_text(reader, node, what)) return 0;
    if (number_parse_memory(node->text, &bytes) && bytes > 0) return bytes;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "size", node->place,
                    "%s '%.*s' is no size", what, SHOW(node->text));
    diagnostics_remedy(reader->diagnostics, "a number above 0, with b, kb, mb or gb if you like");
    return 0;
}

static bool read_template(struct reader *reader, const struct yaml_node *node,
                          struct pattern_template *ret_template) {
    struct template_error error;
    if (!is_text(reader, node, "a template")) return false;
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
static size_t list_count(const struct yaml_node *node) {
    return node->kind == YAML_LIST ? node->count : 1;
}

static const struct yaml_node *list_at(const struct yaml_node *node, size_t i) {
    return node->kind == YAML_LIST ? node->items[i] : node;
}

static bool list_fits(struct reader *reader, const struct yaml_node *node, const char *what) {
    if (list_count(node) <= CATALOG_LIST_MAX) return true;
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "catalog-form", node->place,
                    "%s has more than %d entries", what, CATALOG_LIST_MAX);
    return false;
}

/* ---- a pattern ---- */

static void set_key(struct reader *reader, const struct yaml_node *node, enum pattern_kind kind) {
    struct pattern *pattern = reader->pattern;
    if (pattern->key.place.line) {
        error_at(reader, node, "a pattern is a key or a channel, not both",
                 "write one pattern for each");
        return;
    }
    pattern->kind = kind;
    pattern->key.place = node->place;
    read_template(reader, node, &pattern->key);
}

static void pattern_key(struct reader *reader, const struct yaml_node *node) {
    set_key(reader, node, PATTERN_KEY);
}

static void pattern_channel(struct reader *reader, const struct yaml_node *node) {
    set_key(reader, node, PATTERN_CHANNEL);
}

static void pattern_aliases(struct reader *reader, const struct yaml_node *node) {
    struct pattern *pattern = reader->pattern;
    if (!list_fits(reader, node, "aliases")) return;
    for (size_t i = 0; i < list_count(node); i++) {
        struct pattern_template alias;
        if (!read_template(reader, list_at(node, i), &alias)) continue;
        pattern->aliases = catalog_grow(reader->catalog, pattern->aliases, pattern->alias_count,
                                        sizeof *pattern->aliases);
        pattern->aliases[pattern->alias_count++] = alias;
    }
}

static void pattern_name(struct reader *reader, const struct yaml_node *node) {
    if (!is_text(reader, node, "a pattern's name")) return;
    for (size_t i = 0; i < node->text.len; i++) {
        if (word_is_name(node->text.data[i]) || memchr(".-", node->text.data[i], 2)) continue;
        error_at(reader, node, "a pattern's name has letters, digits, '.', '-' and '_' only", NULL);
        return;
    }
    if (node->text.len == 0 || node->text.len > 200) {
        error_at(reader, node, "a pattern's name has 1 to 200 bytes",
                 "leave it out to have it derived");
        return;
    }
    reader->pattern->name = catalog_copy(reader->catalog, node->text);
}

static void pattern_type(struct reader *reader, const struct yaml_node *node) {
    static const struct {
        const char *words, *meant;
    } others[] = {{"sorted set|sorted-set|sortedset|sorted_set", "zset"},
                  {"str|json|counter|integer|bitmap|hyperloglog|hll", "string"},
                  {"geo", "zset"},
                  {"map|dict|object", "hash"},
                  {"queue|array", "list"}};
    reader->pattern->type_place = node->place;
    if (node->kind == YAML_TEXT) {
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            if (!words_are(node->text, others[i].words)) continue;
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "word-unknown", node->place,
                            "'%.*s' is no type", SHOW(node->text));
            diagnostics_remedy(reader->diagnostics, "write '%s'", others[i].meant);
            return;
        }
    }
    int type = read_choice(reader, node, "type", pattern_type_names, 0);
    if (type >= 0) reader->pattern->type = (enum pattern_type)type;
}

static void lifetime_default(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.default_ms = read_duration(reader, node, "the default lifetime");
}

static void lifetime_minimum(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.minimum_ms = read_duration(reader, node, "the shortest lifetime");
}

static void lifetime_maximum(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.maximum_ms = read_duration(reader, node, "the longest lifetime");
}

static void lifetime_required(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.required = read_bool(reader, node, "'required'");
}

static void lifetime_after(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.after = read_text(reader, node, "'after'");
}

static void lifetime_renewed(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.renewed = read_text(reader, node, "'renewed'");
}

static void lifetime_note(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.note = read_text(reader, node, "'note'");
}

static void pattern_lifetime(struct reader *reader, const struct yaml_node *node) {
    static const struct field fields[] = {
        {"default", lifetime_default}, {"required", lifetime_required},
        {"minimum", lifetime_minimum}, {"maximum", lifetime_maximum},
        {"after", lifetime_after},     {"renewed", lifetime_renewed},
        {"note", lifetime_note},       {NULL, NULL}};
    struct lifetime *lifetime = &reader->pattern->lifetime;
    reader->pattern->lifetime_place = node->place;
    if (node->kind == YAML_TEXT && words_are(node->text, "none|never")) {
        lifetime->kind = LIFETIME_NONE;
    } else if (node->kind == YAML_TEXT && words_are(node->text, "unstated")) {
        lifetime->kind = LIFETIME_UNSTATED;
    } else if (node->kind == YAML_TEXT) {
        lifetime->default_ms = read_duration(reader, node, "the lifetime");
        lifetime->kind = LIFETIME_LIMITED;
    } else if (read_map(reader, node, "a lifetime", fields)) {
        bool limits = lifetime->default_ms || lifetime->minimum_ms || lifetime->maximum_ms ||
                      lifetime->required || lifetime->after || lifetime->renewed;
        lifetime->kind = limits ? LIFETIME_LIMITED : LIFETIME_UNSTATED;
    }
}

static bool read_database(struct reader *reader, const struct yaml_node *node, uint32_t *ret) {
    uint64_t number;
    if (node->kind == YAML_TEXT && number_parse_u64(node->text, &number) &&
        number <= CATALOG_DATABASE_MAX) {
        *ret = (uint32_t)number;
        return true;
    }
    error_at(reader, node, "a database is a number from 0",
             "as in 'database: 1' or 'database: [1, 2]'");
    return false;
}

static void pattern_database(struct reader *reader, const struct yaml_node *node) {
    uint32_t number;
    if (!list_fits(reader, node, "database")) return;
    for (size_t i = 0; i < list_count(node); i++) {
        if (read_database(reader, list_at(node, i), &number))
            catalog_add_database(reader->catalog, reader->pattern, number);
    }
}

static void pattern_eviction(struct reader *reader, const struct yaml_node *node) {
    int eviction = read_choice(reader, node, "eviction class", eviction_names, EVICTION_NORMAL);
    if (eviction >= 0) reader->pattern->eviction = (enum eviction_class)eviction;
}

static void pattern_mode(struct reader *reader, const struct yaml_node *node) {
    int mode = read_choice(reader, node, "mode", mode_names, MODE_OFF);
    if (mode >= 0) reader->pattern->mode = (enum catalog_mode)mode;
}

static void limit_key(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->key_bytes_max = read_size(reader, node, "the key's limit");
}

static void limit_value(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->value_bytes_max = read_size(reader, node, "the value's limit");
}

static void limit_elements(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->elements_max = read_size(reader, node, "the limit of elements");
}

static void pattern_limits(struct reader *reader, const struct yaml_node *node) {
    static const struct field fields[] = {
        {"key", limit_key}, {"value", limit_value}, {"elements", limit_elements}, {NULL, NULL}};
    read_map(reader, node, "limits", fields);
}

static void add_field(struct reader *reader, const struct yaml_node *name,
                      enum value_format format) {
    struct pattern *pattern = reader->pattern;
    if (!is_text(reader, name, "a field's name")) return;
    pattern->fields = catalog_grow(reader->catalog, pattern->fields, pattern->field_count,
                                   sizeof *pattern->fields);
    pattern->fields[pattern->field_count++] =
        (struct pattern_field){catalog_copy(reader->catalog, name->text), format};
}

static void pattern_fields(struct reader *reader, const struct yaml_node *node) {
    if (node->kind == YAML_MAP) {
        if (node->count > 2 * CATALOG_LIST_MAX) {
            error_at(reader, node, "too many fields", NULL);
            return;
        }
        for (size_t i = 0; i < node->count; i += 2) {
            int format = read_choice(reader, node->items[i + 1], "format", format_names, 0);
            if (format >= 0) add_field(reader, node->items[i], (enum value_format)format);
        }
        return;
    }
    if (!list_fits(reader, node, "fields")) return;
    for (size_t i = 0; i < list_count(node); i++) add_field(reader, list_at(node, i), FORMAT_ANY);
}

static void pattern_closed(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->fields_closed = read_bool(reader, node, "'only-these-fields'");
}

static void pattern_value(struct reader *reader, const struct yaml_node *node) {
    int format = read_choice(reader, node, "format", format_names, 0);
    if (format >= 0) reader->pattern->value = (enum value_format)format;
}

static void pattern_tenant(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->tenant = read_text(reader, node, "the tenant's variable");
}

static void pattern_owner(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->owner = read_text(reader, node, "an owner");
}

static void pattern_purpose(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->purpose = read_text(reader, node, "a purpose");
}

static void pattern_source(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->source = read_text(reader, node, "a source");
}

static void pattern_section(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->section = read_text(reader, node, "a section");
}

static void pattern_examples(struct reader *reader, const struct yaml_node *node) {
    if (!list_fits(reader, node, "examples")) return;
    for (size_t i = 0; i < list_count(node); i++) {
        const struct yaml_node *example = list_at(node, i);
        if (is_text(reader, example, "an example"))
            catalog_add_example(reader->catalog, reader->pattern, example->text, example->place);
    }
}

static void pattern_guessed(struct reader *reader, const struct yaml_node *node) {
    if (!list_fits(reader, node, "guessed")) return;
    for (size_t i = 0; i < list_count(node); i++) {
        int guess =
            read_choice(reader, list_at(node, i), "part that can be guessed", guess_names, 0);
        if (guess >= 0) reader->pattern->guessed |= 1u << guess;
    }
}

static void read_pattern(struct reader *reader, const struct yaml_node *node) {
    static const struct field fields[] = {
        {"key", pattern_key},           {"channel", pattern_channel},
        {"name", pattern_name},         {"aliases", pattern_aliases},
        {"type", pattern_type},         {"lifetime", pattern_lifetime},
        {"database", pattern_database}, {"eviction", pattern_eviction},
        {"mode", pattern_mode},         {"limits", pattern_limits},
        {"fields", pattern_fields},     {"only-these-fields", pattern_closed},
        {"value", pattern_value},       {"tenant", pattern_tenant},
        {"owner", pattern_owner},       {"purpose", pattern_purpose},
        {"source", pattern_source},     {"section", pattern_section},
        {"example", pattern_examples},  {"examples", pattern_examples},
        {"guessed", pattern_guessed},   {NULL, NULL}};
    reader->pattern = catalog_add_pattern(reader->catalog);
    if (!reader->pattern) {
        error_at(reader, node, "the catalog has too many patterns", NULL);
        return;
    }
    reader->pattern->place = node->place;
    if (!read_map(reader, node, "a pattern", fields)) return;
    if (!reader->pattern->key.place.line)
        error_at(reader, node, "a pattern without 'key' or 'channel'",
                 "say which keys it is about: key: \"cache:user:{id}\"");
}

/* ---- the catalog ---- */

static void catalog_version(struct reader *reader, const struct yaml_node *node) {
    if (node->kind != YAML_TEXT || !words_are(node->text, "1"))
        error_at(reader, node, "this version of the form is not known", "write 'keynome: 1'");
}

static void catalog_name(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->name = read_text(reader, node, "the catalog's name");
}

static void catalog_owner(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->owner = read_text(reader, node, "an owner");
}

static void catalog_purpose(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->purpose = read_text(reader, node, "a purpose");
}

static void catalog_grammar(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->grammar = read_text(reader, node, "the grammar");
}

static void catalog_policy(struct reader *reader, const struct yaml_node *node) {
    static const char *const names[] = {"noeviction",      "allkeys-lru",  "allkeys-lfu",
                                        "allkeys-random",  "volatile-lru", "volatile-lfu",
                                        "volatile-random", "volatile-ttl", NULL};
    int policy = read_choice(reader, node, "eviction policy", names, 0);
    if (policy >= 0) reader->catalog->eviction_policy = names[policy];
}

static void catalog_mode(struct reader *reader, const struct yaml_node *node) {
    int mode = read_choice(reader, node, "mode", mode_names, MODE_OFF);
    if (mode >= 0) reader->catalog->mode = (enum catalog_mode)mode;
}

static void catalog_unmatched(struct reader *reader, const struct yaml_node *node) {
    int unmatched = read_choice(reader, node, "way to treat unmatched keys", unmatched_names, 0);
    if (unmatched >= 0) reader->catalog->unmatched = (enum unmatched_keys)unmatched;
}

static bool value_fits(struct reader *reader, const struct yaml_node *value) {
    if (!is_text(reader, value, "a prefix's value")) return false;
    for (size_t i = 0; i < value->text.len; i++) {
        if ((unsigned char)value->text.data[i] < ' ') {
            error_at(reader, value, "a control character in a prefix", NULL);
            return false;
        }
    }
    if (value->text.len <= PREFIX_VALUE_MAX) return true;
    error_at(reader, value, "a prefix's value is too long", NULL);
    return false;
}

static void catalog_prefixes(struct reader *reader, const struct yaml_node *node) {
    struct catalog *catalog = reader->catalog;
    if (node->kind != YAML_MAP || node->count > 2 * 16) {
        error_at(reader, node, "prefixes must be a map of at most 16 variables to their values",
                 "as in 'prefix: [app, app-blue]', the usual one first");
        return;
    }
    for (size_t i = 0; i < node->count; i += 2) {
        const struct yaml_node *values = node->items[i + 1];
        if (!is_text(reader, node->items[i], "a prefix's name")) continue;
        if (list_count(values) == 0 || list_count(values) > TEMPLATE_EXPANSIONS_MAX) {
            error_at(reader, values, "a prefix has 1 to 64 values", NULL);
            continue;
        }
        catalog->prefixes = catalog_grow(catalog, catalog->prefixes, catalog->prefix_count,
                                         sizeof *catalog->prefixes);
        catalog->prefix_places = catalog_grow(catalog, catalog->prefix_places,
                                              catalog->prefix_count, sizeof(struct place));
        struct prefix *prefix = &catalog->prefixes[catalog->prefix_count];
        catalog->prefix_places[catalog->prefix_count++] = node->items[i]->place;
        *prefix = (struct prefix){.name = catalog_copy(catalog, node->items[i]->text)};
        prefix->values = arena_alloc(&catalog->arena, list_count(values) * sizeof(*prefix->values));
        for (size_t j = 0; j < list_count(values); j++) {
            if (value_fits(reader, list_at(values, j)))
                prefix->values[prefix->value_count++] =
                    catalog_copy(catalog, list_at(values, j)->text);
        }
    }
}

static void catalog_databases(struct reader *reader, const struct yaml_node *node) {
    struct catalog *catalog = reader->catalog;
    if (node->kind != YAML_MAP) {
        error_at(reader, node, "databases must be a map of numbers to what they are for",
                 "as in '0: sessions'");
        return;
    }
    for (size_t i = 0; i < node->count; i += 2) {
        uint32_t number;
        if (!read_database(reader, node->items[i], &number)) continue;
        catalog->databases = catalog_grow(catalog, catalog->databases, catalog->database_count,
                                          sizeof *catalog->databases);
        catalog->databases[catalog->database_count++] = (struct catalog_database){
            number, read_text(reader, node->items[i + 1], "what a database is for")};
    }
}

static void catalog_patterns(struct reader *reader, const struct yaml_node *node) {
    if (node->kind != YAML_LIST) {
        error_at(reader, node, "patterns must be a list", "begin each pattern with '- key: ...'");
        return;
    }
    for (size_t i = 0; i < node->count && reader->catalog->pattern_count < CATALOG_PATTERNS_MAX;
         i++)
        read_pattern(reader, node->items[i]);
    if (reader->catalog->pattern_count < node->count)
        error_at(reader, node, "the catalog has too many patterns", NULL);
}

static bool read_catalog(struct reader *reader, const struct yaml_node *root) {
    /* Prefixes decide how templates are read, wherever they stand. */
    static const struct field fields[] = {
        {"keynome", catalog_version},   {"name", catalog_name},
        {"owner", catalog_owner},       {"purpose", catalog_purpose},
        {"mode", catalog_mode},         {"unmatched", catalog_unmatched},
        {"grammar", catalog_grammar},   {"eviction-policy", catalog_policy},
        {"prefixes", catalog_prefixes}, {"databases", catalog_databases},
        {"patterns", catalog_patterns}, {NULL, NULL}};
    bool versioned = false, prefixes_late = false, patterns = false;
    for (size_t i = 0; root->kind == YAML_MAP && i < root->count; i += 2) {
        versioned |= bytes_equal(root->items[i]->text, BYTES("keynome"));
        prefixes_late |= patterns && bytes_equal(root->items[i]->text, BYTES("prefixes"));
        patterns |= bytes_equal(root->items[i]->text, BYTES("patterns"));
    }
    if (root->kind == YAML_MAP && !versioned)
        error_at(reader, root, "this is no catalog: 'keynome' is missing",
                 "begin the file with 'keynome: 1'");
    if (prefixes_late)
        error_at(reader, root, "'prefixes' stands after 'patterns'", "move it above 'patterns'");
    return read_map(reader, root, "a catalog", fields);
}

struct catalog *catalog_from_tree(struct catalog *catalog, const struct yaml_node *root,
                                  struct diagnostics *diagnostics) {
    struct reader reader = {.catalog = catalog, .diagnostics = diagnostics};
    size_t errors = diagnostics_of(diagnostics, SEVERITY_ERROR);
    read_catalog(&reader, root);
    bool ok = diagnostics_of(diagnostics, SEVERITY_ERROR) == errors;
    if (ok && catalog_finish(catalog, diagnostics)) return catalog;
    catalog_free(catalog);
    return NULL;
}

struct catalog *catalog_read_yaml(struct bytes text, const char *file,
                                  struct diagnostics *diagnostics) {
    struct catalog *catalog = catalog_new(file);
    size_t errors = diagnostics_of(diagnostics, SEVERITY_ERROR);
    struct arena arena = {0};
    struct yaml_node *root = NULL;
    struct place start = {file, 1, 1};
    if (text.len > CATALOG_DOCUMENT_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "document-size", start,
                        "the document has more than %d bytes", CATALOG_DOCUMENT_MAX);
    } else {
        root = yaml_read_tree(text, catalog->file, &arena, diagnostics);
    }
    if (root) {
        catalog = catalog_from_tree(catalog, root, diagnostics);
    } else {
        if (diagnostics_of(diagnostics, SEVERITY_ERROR) == errors) {
            diagnostics_add(diagnostics, SEVERITY_ERROR, "yaml", start, "the document is empty");
            diagnostics_remedy(diagnostics, "begin the file with 'keynome: 1'");
        }
        catalog_free(catalog);
        catalog = NULL;
    }
    arena_done(&arena);
    return catalog;
}
