/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/model.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "catalog/words.h"

const char *const pattern_type_names[] = {"any", "string", "list",   "hash",
                                          "set", "zset",   "stream", NULL};
const char *const eviction_names[] = {"unstated", "normal", "cache", "never", NULL};
const char *const mode_names[] = {"inherited", "off", "observe", "enforce", NULL};
const char *const unmatched_names[] = {"allow", "observe", "deny", NULL};
const char *const format_names[] = {"any",  "text",      "integer", "number", "boolean",
                                    "json", "timestamp", "uuid",    NULL};
const char *const guess_names[] = {"key",      "kind",     "type",  "lifetime",
                                   "database", "eviction", "value", NULL};

struct catalog *catalog_new(const char *file) {
    struct catalog *catalog = mem_zalloc(sizeof *catalog);
    arena_init(&catalog->arena);
    catalog->file = arena_printf(&catalog->arena, "%s", file);
    return catalog;
}

void catalog_free(struct catalog *catalog) {
    if (!catalog) return;
    arena_done(&catalog->arena);
    mem_free(catalog->patterns);
    mem_free(catalog);
}

struct pattern *catalog_add_pattern(struct catalog *catalog) {
    if (catalog->pattern_count == CATALOG_PATTERNS_MAX) return NULL;
    if (catalog->pattern_count == catalog->pattern_room) {
        catalog->pattern_room = catalog->pattern_room ? 2 * catalog->pattern_room : 16;
        catalog->patterns =
            mem_realloc(catalog->patterns, catalog->pattern_room * sizeof *catalog->patterns);
    }
    struct pattern *pattern = &catalog->patterns[catalog->pattern_count++];
    *pattern = (struct pattern){0};
    return pattern;
}

const char *catalog_copy(struct catalog *catalog, struct bytes text) {
    char *copy = arena_alloc(&catalog->arena, text.len + 1);
    if (text.len) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

const char *catalog_copy_prose(struct catalog *catalog, struct bytes text) {
    size_t len = text.len < CATALOG_PROSE_MAX ? text.len : CATALOG_PROSE_MAX;
    while (len && len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80) len--;
    text = words_trim(words_until(text, len));
    char *copy = arena_alloc(&catalog->arena, text.len + 1);
    len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool blank = word_is_space(text.data[i]);
        if (!blank || !word_is_space(text.data[i - 1])) copy[len++] = blank ? ' ' : text.data[i];
    }
    copy[len] = '\0';
    return copy;
}

/* Arrays double, so that what the arena keeps of old ones is no more than the array itself. */
void *catalog_grow(struct catalog *catalog, void *array, size_t count, size_t size) {
    if (count != 0 && (count & (count - 1)) != 0) return array;
    char *grown = arena_zalloc(&catalog->arena, (count ? 2 * count : 1) * size);
    if (count) memcpy(grown, array, count * size);
    return grown;
}

void catalog_add_example(struct catalog *catalog, struct pattern *pattern, struct bytes text,
                         struct place place) {
    if (text.len == 0 || pattern->example_count >= CATALOG_LIST_MAX) return;
    for (size_t i = 0; i < pattern->example_count; i++) {
        if (bytes_equal(bytes_from_string(pattern->examples[i].text), text)) return;
    }
    pattern->examples =
        catalog_grow(catalog, pattern->examples, pattern->example_count, sizeof *pattern->examples);
    pattern->examples[pattern->example_count++] =
        (struct pattern_example){catalog_copy(catalog, text), place};
}

void catalog_add_database(struct catalog *catalog, struct pattern *pattern, uint32_t database) {
    if (pattern->database_count >= CATALOG_LIST_MAX) return;
    for (size_t i = 0; i < pattern->database_count; i++) {
        if (pattern->databases[i] == database) return;
    }
    pattern->databases = catalog_grow(catalog, pattern->databases, pattern->database_count,
                                      sizeof *pattern->databases);
    pattern->databases[pattern->database_count++] = database;
}

struct prefix *catalog_find_prefix(const struct catalog *catalog, struct bytes name) {
    for (size_t i = 0; i < catalog->prefix_count; i++) {
        if (bytes_equal(bytes_from_string(catalog->prefixes[i].name), name))
            return &catalog->prefixes[i];
    }
    return NULL;
}

enum { NAME_DERIVED_MAX = 120 };

/* The template's own words, divided by dots:
 * "{prefix}:cache:cameras:{id}" is "cache.cameras.id". */
static struct bytes derive_name(struct catalog *catalog, const struct pattern *pattern) {
    const struct template *template = &pattern->key.template;
    char *name = arena_alloc(&catalog->arena, NAME_DERIVED_MAX + TEMPLATE_PARTS_MAX + 2);
    size_t len = 0;
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        if (part->is_variable && i == 0 && template->part_count > 1 &&
            (catalog_find_prefix(catalog, part->text) || words_are(part->text, "prefix")))
            continue;
        if (part->is_variable && len && name[len - 1] != '.') name[len++] = '.';
        for (size_t j = 0; j < part->text.len && len < NAME_DERIVED_MAX; j++) {
            char c = part->text.data[j];
            if (!word_is_name(c) && c != '-') c = '.';
            if (c == '.' && (len == 0 || name[len - 1] == '.')) continue;
            name[len++] = c;
        }
    }
    while (len && (name[len - 1] == '.' || name[len - 1] == '-')) len--;
    if (len == 0) name[len++] = '_';
    name[len] = '\0';
    return bytes_make(name, len);
}

/* Names in use, by open addressing; the table has room for twice as many as there are. */
struct names {
    const struct pattern **slots;
    size_t mask;
};

static const struct pattern **find_name(const struct names *names, struct bytes name) {
    size_t at = hash_bytes(name) & names->mask;
    while (names->slots[at] && !bytes_equal(bytes_from_string(names->slots[at]->name), name))
        at = (at + 1) & names->mask;
    return &names->slots[at];
}

static void name_patterns(struct catalog *catalog, struct diagnostics *diagnostics) {
    struct names names = {.mask = 15};
    while (names.mask < 2 * catalog->pattern_count) names.mask = 2 * names.mask + 1;
    names.slots = mem_zalloc((names.mask + 1) * sizeof(*names.slots));
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        struct pattern *pattern = &catalog->patterns[i];
        if (!pattern->name) continue;
        const struct pattern **slot = find_name(&names, bytes_from_string(pattern->name));
        if (*slot) {
            diagnostics_add(diagnostics, SEVERITY_ERROR, "name-twice", pattern->place,
                            "two patterns are called '%s'", pattern->name);
            diagnostics_other(diagnostics, (*slot)->place);
            diagnostics_remedy(diagnostics, "rename one, or leave 'name' out to have it derived");
        } else {
            *slot = pattern;
        }
    }
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        struct pattern *pattern = &catalog->patterns[i];
        if (pattern->name) continue;
        struct bytes name = derive_name(catalog, pattern), full = name;
        for (unsigned n = 2; *find_name(&names, full); n++) {
            full = bytes_from_string(
                arena_printf(&catalog->arena, "%.*s-%u", (int)name.len, name.data, n));
        }
        pattern->name = full.data;
        *find_name(&names, full) = pattern;
    }
    mem_free((void *)names.slots);
}

/* An alias and its pattern name the same keys only when they have the same variables. */
static void check_aliases(const struct pattern *pattern, const struct catalog *catalog,
                          struct diagnostics *diagnostics) {
    for (size_t i = 0; i < pattern->alias_count; i++) {
        const struct template *alias = &pattern->aliases[i].template, *key = &pattern->key.template;
        for (int turn = 0; turn < 2; turn++) {
            const struct template *one = turn ? key : alias, *other = turn ? alias : key;
            for (size_t j = 0; j < one->part_count; j++) {
                struct bytes name = one->parts[j].text;
                const struct prefix *prefix = catalog_find_prefix(catalog, name);
                if (!one->parts[j].is_variable || (prefix && prefix->value_count) ||
                    template_find_variable(other, name) < other->part_count)
                    continue;
                diagnostics_add(
                    diagnostics, SEVERITY_ERROR, "alias-variables", pattern->aliases[i].place,
                    "the alias '%s' and '%s' do not have the same variables: {%.*s} is in one "
                    "only",
                    alias->text, key->text, (int)name.len, name.data);
                diagnostics_remedy(
                    diagnostics, "an alias is another spelling of the same keys: name in both what "
                                 "varies");
            }
        }
    }
}

static void check_pattern(const struct catalog *catalog, const struct pattern *pattern,
                          struct diagnostics *diagnostics) {
    const struct lifetime *lifetime = &pattern->lifetime;
    if (pattern->tenant &&
        template_find_variable(&pattern->key.template, bytes_from_string(pattern->tenant)) ==
            pattern->key.template.part_count) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "tenant-unknown", pattern->place,
                        "the tenant {%s} is no variable of '%s'", pattern->tenant,
                        pattern->key.template.text);
        diagnostics_remedy(diagnostics, "name the variable of the key that tells tenants apart");
    }
    if (lifetime->maximum_ms && lifetime->default_ms > lifetime->maximum_ms) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "lifetime-limits", pattern->lifetime_place,
                        "the default lifetime is longer than the maximum");
        diagnostics_remedy(diagnostics, "lower 'default' or raise 'maximum'");
    }
    if (pattern->field_count && pattern->type != PATTERN_TYPE_HASH &&
        pattern->type != PATTERN_TYPE_UNSTATED && pattern->type != PATTERN_TYPE_STREAM) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "fields-of-no-hash", pattern->place,
                        "'%s' names fields but is a %s", pattern->key.template.text,
                        pattern_type_names[pattern->type]);
        diagnostics_remedy(diagnostics, "only hashes and streams have fields");
    }
    check_aliases(pattern, catalog, diagnostics);
}

bool catalog_finish(struct catalog *catalog, struct diagnostics *diagnostics) {
    size_t errors = diagnostics_of(diagnostics, SEVERITY_ERROR);
    if (!catalog->name) {
        const char *slash = strrchr(catalog->file, '/'), *base = slash ? slash + 1 : catalog->file;
        catalog->name = catalog_copy(catalog, bytes_make(base, strcspn(base, ".")));
    }
    name_patterns(catalog, diagnostics);
    for (size_t i = 0; i < catalog->pattern_count; i++)
        check_pattern(catalog, &catalog->patterns[i], diagnostics);
    return diagnostics_of(diagnostics, SEVERITY_ERROR) == errors;
}
