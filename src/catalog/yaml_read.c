/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalog: a function for each of its fields. */
#include "catalog/words.h"
#include "catalog/yaml.h"
#include "catalog/yaml_inside.h"

enum { PREFIX_VALUE_MAX = 128 };

static void catalog_version(struct reader *reader, const struct yaml_node *node) {
    if (node->kind != YAML_TEXT || !words_are(node->text, "1"))
        reader_error(reader, node, "this version of the form is not known", "write 'keynome: 1'");
}

static void catalog_name(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->name = reader_text(reader, node, "the catalog's name");
}

static void catalog_owner(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->owner = reader_text(reader, node, "an owner");
}

static void catalog_purpose(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->purpose = reader_text(reader, node, "a purpose");
}

static void catalog_grammar(struct reader *reader, const struct yaml_node *node) {
    reader->catalog->grammar = reader_text(reader, node, "the grammar");
}

static void catalog_policy(struct reader *reader, const struct yaml_node *node) {
    static const char *const names[] = {"noeviction",      "allkeys-lru",  "allkeys-lfu",
                                        "allkeys-random",  "volatile-lru", "volatile-lfu",
                                        "volatile-random", "volatile-ttl", NULL};
    int policy = reader_choice(reader, node, "eviction policy", names, 0);
    if (policy >= 0) reader->catalog->eviction_policy = names[policy];
}

static void catalog_mode(struct reader *reader, const struct yaml_node *node) {
    int mode = reader_choice(reader, node, "mode", mode_names, MODE_OFF);
    if (mode >= 0) reader->catalog->mode = (enum catalog_mode)mode;
}

static void catalog_unmatched(struct reader *reader, const struct yaml_node *node) {
    int unmatched = reader_choice(reader, node, "way to treat unmatched keys", unmatched_names, 0);
    if (unmatched >= 0) reader->catalog->unmatched = (enum unmatched_keys)unmatched;
}

static bool value_fits(struct reader *reader, const struct yaml_node *value) {
    if (!reader_is_text(reader, value, "a prefix's value")) return false;
    for (size_t i = 0; i < value->text.len; i++) {
        if ((unsigned char)value->text.data[i] < ' ') {
            reader_error(reader, value, "a control character in a prefix", NULL);
            return false;
        }
    }
    if (value->text.len <= PREFIX_VALUE_MAX) return true;
    reader_error(reader, value, "a prefix's value is too long", NULL);
    return false;
}

static void catalog_prefixes(struct reader *reader, const struct yaml_node *node) {
    struct catalog *catalog = reader->catalog;
    if (node->kind != YAML_MAP || node->count > 2 * 16) {
        reader_error(reader, node, "prefixes must be a map of at most 16 variables to their values",
                     "as in 'prefix: [app, app-blue]', the usual one first");
        return;
    }
    for (size_t i = 0; i < node->count; i += 2) {
        const struct yaml_node *values = node->items[i + 1];
        if (!reader_is_text(reader, node->items[i], "a prefix's name")) continue;
        if (reader_list_count(values) == 0 || reader_list_count(values) > TEMPLATE_EXPANSIONS_MAX) {
            reader_error(reader, values, "a prefix has 1 to 64 values", NULL);
            continue;
        }
        catalog->prefixes = catalog_grow(catalog, catalog->prefixes, catalog->prefix_count,
                                         sizeof *catalog->prefixes);
        catalog->prefix_places = catalog_grow(catalog, catalog->prefix_places,
                                              catalog->prefix_count, sizeof(struct place));
        struct prefix *prefix = &catalog->prefixes[catalog->prefix_count];
        catalog->prefix_places[catalog->prefix_count++] = node->items[i]->place;
        *prefix = (struct prefix){.name = catalog_copy(catalog, node->items[i]->text)};
        prefix->values =
            arena_alloc(&catalog->arena, reader_list_count(values) * sizeof(*prefix->values));
        for (size_t j = 0; j < reader_list_count(values); j++) {
            if (value_fits(reader, reader_list_at(values, j)))
                prefix->values[prefix->value_count++] =
                    catalog_copy(catalog, reader_list_at(values, j)->text);
        }
    }
}

static void catalog_databases(struct reader *reader, const struct yaml_node *node) {
    struct catalog *catalog = reader->catalog;
    if (node->kind != YAML_MAP) {
        reader_error(reader, node, "databases must be a map of numbers to what they are for",
                     "as in '0: sessions'");
        return;
    }
    for (size_t i = 0; i < node->count; i += 2) {
        uint32_t number;
        if (!reader_database(reader, node->items[i], &number)) continue;
        catalog->databases = catalog_grow(catalog, catalog->databases, catalog->database_count,
                                          sizeof *catalog->databases);
        catalog->databases[catalog->database_count++] = (struct catalog_database){
            number, reader_text(reader, node->items[i + 1], "what a database is for")};
    }
}

static void catalog_patterns(struct reader *reader, const struct yaml_node *node) {
    if (node->kind != YAML_LIST) {
        reader_error(reader, node, "patterns must be a list",
                     "begin each pattern with '- key: ...'");
        return;
    }
    for (size_t i = 0; i < node->count && reader->catalog->pattern_count < CATALOG_PATTERNS_MAX;
         i++)
        reader_pattern(reader, node->items[i]);
    if (reader->catalog->pattern_count < node->count)
        reader_error(reader, node, "the catalog has too many patterns", NULL);
}

static bool read_catalog(struct reader *reader, const struct yaml_node *root) {
    /* Prefixes decide how templates are read, wherever they stand. */
    static const struct reader_field fields[] = {
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
        reader_error(reader, root, "this is no catalog: 'keynome' is missing",
                     "begin the file with 'keynome: 1'");
    if (prefixes_late)
        reader_error(reader, root, "'prefixes' stands after 'patterns'",
                     "move it above 'patterns'");
    return reader_map(reader, root, "a catalog", fields);
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
