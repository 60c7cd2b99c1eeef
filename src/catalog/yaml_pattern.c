/* SPDX-License-Identifier: BSD-3-Clause */
/* A pattern: a function for each of its fields. */
#include "catalog/words.h"
#include "catalog/yaml_inside.h"

static void set_key(struct reader *reader, const struct yaml_node *node, enum pattern_kind kind) {
    struct pattern *pattern = reader->pattern;
    if (pattern->key.place.line) {
        reader_error(reader, node, "a pattern is a key or a channel, not both",
                     "write one pattern for each");
        return;
    }
    pattern->kind = kind;
    pattern->key.place = node->place;
    reader_template(reader, node, &pattern->key);
}

static void pattern_key(struct reader *reader, const struct yaml_node *node) {
    set_key(reader, node, PATTERN_KEY);
}

static void pattern_channel(struct reader *reader, const struct yaml_node *node) {
    set_key(reader, node, PATTERN_CHANNEL);
}

static void pattern_aliases(struct reader *reader, const struct yaml_node *node) {
    struct pattern *pattern = reader->pattern;
    if (!reader_list_fits(reader, node, "aliases")) return;
    for (size_t i = 0; i < reader_list_count(node); i++) {
        struct pattern_template alias;
        if (!reader_template(reader, reader_list_at(node, i), &alias)) continue;
        pattern->aliases = catalog_grow(reader->catalog, pattern->aliases, pattern->alias_count,
                                        sizeof *pattern->aliases);
        pattern->aliases[pattern->alias_count++] = alias;
    }
}

static void pattern_name(struct reader *reader, const struct yaml_node *node) {
    if (!reader_is_text(reader, node, "a pattern's name")) return;
    for (size_t i = 0; i < node->text.len; i++) {
        if (word_is_name(node->text.data[i]) || memchr(".-", node->text.data[i], 2)) continue;
        reader_error(reader, node, "a pattern's name has letters, digits, '.', '-' and '_' only",
                     NULL);
        return;
    }
    if (node->text.len == 0 || node->text.len > 200) {
        reader_error(reader, node, "a pattern's name has 1 to 200 bytes",
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
    int type = reader_choice(reader, node, "type", pattern_type_names, 0);
    if (type >= 0) reader->pattern->type = (enum pattern_type)type;
}

static void lifetime_default(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.default_ms = reader_duration(reader, node, "the default lifetime");
}

static void lifetime_minimum(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.minimum_ms = reader_duration(reader, node, "the shortest lifetime");
}

static void lifetime_maximum(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.maximum_ms = reader_duration(reader, node, "the longest lifetime");
}

static void lifetime_required(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.required = reader_bool(reader, node, "'required'");
}

static void lifetime_after(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.after = reader_text(reader, node, "'after'");
}

static void lifetime_renewed(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.renewed = reader_text(reader, node, "'renewed'");
}

static void lifetime_note(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->lifetime.note = reader_text(reader, node, "'note'");
}

static void pattern_lifetime(struct reader *reader, const struct yaml_node *node) {
    static const struct reader_field fields[] = {
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
        lifetime->default_ms = reader_duration(reader, node, "the lifetime");
        lifetime->kind = LIFETIME_LIMITED;
    } else if (reader_map(reader, node, "a lifetime", fields)) {
        bool limits = lifetime->default_ms || lifetime->minimum_ms || lifetime->maximum_ms ||
                      lifetime->required || lifetime->after || lifetime->renewed;
        lifetime->kind = limits ? LIFETIME_LIMITED : LIFETIME_UNSTATED;
    }
}

static void pattern_database(struct reader *reader, const struct yaml_node *node) {
    uint32_t number;
    if (!reader_list_fits(reader, node, "database")) return;
    for (size_t i = 0; i < reader_list_count(node); i++) {
        if (reader_database(reader, reader_list_at(node, i), &number))
            catalog_add_database(reader->catalog, reader->pattern, number);
    }
}

static void pattern_eviction(struct reader *reader, const struct yaml_node *node) {
    int eviction = reader_choice(reader, node, "eviction class", eviction_names, EVICTION_NORMAL);
    if (eviction >= 0) reader->pattern->eviction = (enum eviction_class)eviction;
}

static void pattern_mode(struct reader *reader, const struct yaml_node *node) {
    int mode = reader_choice(reader, node, "mode", mode_names, MODE_OFF);
    if (mode >= 0) reader->pattern->mode = (enum catalog_mode)mode;
}

static void limit_key(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->key_bytes_max = reader_size(reader, node, "the key's limit");
}

static void limit_value(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->value_bytes_max = reader_size(reader, node, "the value's limit");
}

static void limit_elements(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->elements_max = reader_size(reader, node, "the limit of elements");
}

static void pattern_limits(struct reader *reader, const struct yaml_node *node) {
    static const struct reader_field fields[] = {
        {"key", limit_key}, {"value", limit_value}, {"elements", limit_elements}, {NULL, NULL}};
    reader_map(reader, node, "limits", fields);
}

static void add_field(struct reader *reader, const struct yaml_node *name,
                      enum value_format format) {
    struct pattern *pattern = reader->pattern;
    if (!reader_is_text(reader, name, "a field's name")) return;
    pattern->fields = catalog_grow(reader->catalog, pattern->fields, pattern->field_count,
                                   sizeof *pattern->fields);
    pattern->fields[pattern->field_count++] =
        (struct pattern_field){catalog_copy(reader->catalog, name->text), format};
}

static void pattern_fields(struct reader *reader, const struct yaml_node *node) {
    if (node->kind == YAML_MAP) {
        if (node->count > 2 * CATALOG_LIST_MAX) {
            reader_error(reader, node, "too many fields", NULL);
            return;
        }
        for (size_t i = 0; i < node->count; i += 2) {
            int format = reader_choice(reader, node->items[i + 1], "format", format_names, 0);
            if (format >= 0) add_field(reader, node->items[i], (enum value_format)format);
        }
        return;
    }
    if (!reader_list_fits(reader, node, "fields")) return;
    for (size_t i = 0; i < reader_list_count(node); i++)
        add_field(reader, reader_list_at(node, i), FORMAT_ANY);
}

static void pattern_closed(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->fields_closed = reader_bool(reader, node, "'only-these-fields'");
}

static void pattern_value(struct reader *reader, const struct yaml_node *node) {
    int format = reader_choice(reader, node, "format", format_names, 0);
    if (format >= 0) reader->pattern->value = (enum value_format)format;
}

static void pattern_tenant(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->tenant = reader_text(reader, node, "the tenant's variable");
}

static void pattern_owner(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->owner = reader_text(reader, node, "an owner");
}

static void pattern_purpose(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->purpose = reader_text(reader, node, "a purpose");
}

static void pattern_source(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->source = reader_text(reader, node, "a source");
}

static void pattern_section(struct reader *reader, const struct yaml_node *node) {
    reader->pattern->section = reader_text(reader, node, "a section");
}

static void pattern_examples(struct reader *reader, const struct yaml_node *node) {
    if (!reader_list_fits(reader, node, "examples")) return;
    for (size_t i = 0; i < reader_list_count(node); i++) {
        const struct yaml_node *example = reader_list_at(node, i);
        if (reader_is_text(reader, example, "an example"))
            catalog_add_example(reader->catalog, reader->pattern, example->text, example->place);
    }
}

static void pattern_guessed(struct reader *reader, const struct yaml_node *node) {
    if (!reader_list_fits(reader, node, "guessed")) return;
    for (size_t i = 0; i < reader_list_count(node); i++) {
        int guess = reader_choice(reader, reader_list_at(node, i), "part that can be guessed",
                                  guess_names, 0);
        if (guess >= 0) reader->pattern->guessed |= 1u << guess;
    }
}

void reader_pattern(struct reader *reader, const struct yaml_node *node) {
    static const struct reader_field fields[] = {
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
        reader_error(reader, node, "the catalog has too many patterns", NULL);
        return;
    }
    reader->pattern->place = node->place;
    if (!reader_map(reader, node, "a pattern", fields)) return;
    if (!reader->pattern->key.place.line)
        reader_error(reader, node, "a pattern without 'key' or 'channel'",
                     "say which keys it is about: key: \"cache:user:{id}\"");
}
