/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/markdown_prefix.h"

#include "catalog/words.h"

enum { VALUES_MAX = 16 };

struct values {
    struct bytes items[VALUES_MAX];
    size_t count, chosen;
};

static void add_value(struct values *values, struct bytes value, bool chosen) {
    value = words_bare(value);
    while (value.len && value.data[value.len - 1] == TEMPLATE_SEPARATOR) value.len--;
    if (value.len == 0 || value.len > 40) return;
    for (size_t i = 0; i < value.len; i++) {
        if (!word_is_name(value.data[i]) && !memchr("-.", value.data[i], 2)) return;
    }
    size_t i = 0;
    while (i < values->count && !bytes_equal(values->items[i], value)) i++;
    if (i == VALUES_MAX) return;
    values->items[i] = value;
    if (i == values->count) values->count++;
    if (chosen) values->chosen = i;
}

/* REDIS_KEY_PREFIX=hsi-blue */
static void find_assignments(struct bytes line, struct values *values) {
    size_t equal = words_index(line, '=');
    if (equal == line.len || equal < 6 || equal + 1 == line.len) return;
    struct bytes name = words_until(line, equal);
    if (!words_end(name, "PREFIX") ||
        !words_have_any(name, "redis_prefix|key_prefix|redis_key_prefix|prefix"))
        return;
    struct bytes value = words_from(line, equal + 1);
    size_t end = 0;
    while (end < value.len && !word_is_space(value.data[end]) && value.data[end] != '`') end++;
    value = words_until(value, end);
    if (value.len && memchr("\"'$", value.data[0], 3)) return;
    add_value(values, value, false);
}

/* "**Staging**: `stg:` prefix", "the global prefix (`app:`)", "prefix ... (default: `app`)". */
static void find_named(struct bytes text, struct values *values) {
    struct bytes rest = text, before, code;
    if (!words_have_any(text, "prefix|prefixes|redis_key_prefix|key_prefix")) return;
    while (document_next_code(&rest, &before, &code)) {
        struct bytes lead = before.len > 14 ? words_from(before, before.len - 14) : before;
        bool by_default = words_have(lead, "default");
        bool colon = words_end(code, ":") && words_index(code, ' ') == code.len;
        if (colon && words_index(code, ':') + 1 == code.len)
            add_value(values, code, by_default || words_have_any(text, "default|fallback"));
        if (by_default && words_index(code, ':') == code.len) add_value(values, code, true);
    }
    size_t at = words_find(text, "default: \"");
    if (at < text.len) {
        struct bytes value = words_from(text, at + 10);
        add_value(values, words_until(value, words_index(value, '"')), true);
    }
}

static const char *const policies[] = {"noeviction",      "allkeys-lru",  "allkeys-lfu",
                                       "allkeys-random",  "volatile-lru", "volatile-lfu",
                                       "volatile-random", "volatile-ttl", NULL};

static void find_policy(struct importer *importer, struct bytes line) {
    if (importer->catalog->eviction_policy ||
        !words_have_any(line, "policy|maxmemory-policy|eviction|configuration"))
        return;
    for (size_t i = 0; policies[i]; i++) {
        if (words_have(line, policies[i])) importer->catalog->eviction_policy = policies[i];
    }
}

/* A prefix stands with its colon ("{prefix}:cache") or has it inside ("{prefix}cache"). */
static bool colon_inside(struct bytes source) {
    static const char name[] = "{prefix}";
    size_t inside = 0, outside = 0;
    for (struct bytes rest = source; rest.len;) {
        size_t at = words_find(rest, name);
        if (at == rest.len) break;
        rest = words_from(rest, at + sizeof name - 1);
        if (rest.len && rest.data[0] == ':') outside++;
        if (rest.len && (word_is_letter(rest.data[0]) || rest.data[0] == '{')) inside++;
    }
    return inside > outside;
}

void importer_find_prefixes(struct importer *importer) {
    struct document *document = importer->document;
    struct catalog *catalog = importer->catalog;
    struct values values = {.count = 0};
    bool used = words_find(document->source, "{prefix}") < document->source.len;
    for (size_t i = 0; i < document->line_count; i++) {
        find_policy(importer, document->lines[i]);
        if (used) find_assignments(words_trim(document->lines[i]), &values);
    }
    if (!used) return;
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        struct bytes rest = block->text, line;
        if (block->kind == BLOCK_TABLE || block->kind == BLOCK_HEADING) continue;
        if (block->kind != BLOCK_CODE) {
            find_named(rest, &values);
            continue;
        }
        while (words_next_line(&rest, &line)) {
            size_t at = words_find(line, "default: \"");
            if (at < line.len && words_have_any(line, "prefix|redis_key_prefix"))
                find_named(line, &values);
        }
    }
    if (values.count == 0) return;
    const char *colon = colon_inside(document->source) ? ":" : "";
    catalog->prefixes = catalog_grow(catalog, NULL, 0, sizeof *catalog->prefixes);
    catalog->prefix_places = catalog_grow(catalog, NULL, 0, sizeof *catalog->prefix_places);
    catalog->prefix_places[0] = (struct place){catalog->file, 1, 1};
    struct prefix *prefix = &catalog->prefixes[catalog->prefix_count++];
    *prefix = (struct prefix){.name = "prefix", .chosen = 0};
    prefix->values = arena_alloc(&catalog->arena, values.count * sizeof *prefix->values);
    for (size_t i = 0; i < values.count; i++) {
        struct bytes value = values.items[(i + values.chosen) % values.count];
        prefix->values[prefix->value_count++] =
            arena_printf(&catalog->arena, "%.*s%s", (int)value.len, value.data, colon);
    }
}
