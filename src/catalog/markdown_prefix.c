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

/* ---- "All keys are prefixed with `shop:{env}:`, where env is `stg` or `prod`" ---- */

static bool announces(struct bytes text) {
    return words_have_any(text, "key|keys") && words_have_any(text, "all|every|each") &&
           words_have_any(text,
                          "prefix|prefixed|prefixes|start with|starts with|begin with|begins with|"
                          "carry|namespaced|start|starts|begin|begins");
}

/* The text that a code span says all keys begin with, up to its last separator;
 * empty when it says none. */
static struct bytes read_stem(struct importer *importer, struct bytes code) {
    struct bytes key;
    bool open = words_end(code, ":") || words_end(code, ":*") || words_end(code, ":...") ||
                words_end(code, ":\xe2\x80\xa6");
    if (!open || key_text_read(code, true, importer->arena, &key) != KEY_TEXT_FAMILY ||
        words_index(key, '*') + 1 != key.len)
        return (struct bytes){0};
    return words_until(key, key.len - 1);
}

/* "is `stg` or `prod`", "= dev, stg, prod", "(one of dev|prod)": the words
 * behind a variable's name. */
static void read_values(struct bytes text, struct values *values) {
    static const char fillers[] = "is|are|either|one|of|in|=|:|or|and|can|be|the|being";
    struct bytes word;
    text = words_trim(text);
    for (size_t at = 0; at < text.len;) {
        while (at < text.len && memchr(" ,|/({[=:", text.data[at], 9)) at++;
        size_t end = at;
        while (end < text.len && !memchr(" ,|/)}];.", text.data[end], 9)) end++;
        word = words_bare(bytes_make(text.data + at, end - at));
        bool last = end >= text.len || memchr(";.)}]", text.data[end], 5);
        size_t before = values->count;
        if (word.len && !words_are(word, fillers)) {
            add_value(values, word, false);
            if (values->count == before) return;
        }
        if (last) return;
        at = end;
    }
}

/* What follows the variable's name in the words behind the stem. */
static void find_values(struct bytes text, struct bytes name, struct values *values) {
    for (struct bytes rest = text; rest.len >= name.len;) {
        const char *found = memmem(rest.data, rest.len, name.data, name.len);
        if (!found) return;
        rest = words_from(rest, (size_t)(found - rest.data) + name.len);
        struct bytes next = rest, word;
        while (next.len && memchr("`}\"'", next.data[0], 4)) next = words_from(next, 1);
        if (!words_next(&next, &word) ||
            !words_are(word, "is|=|:|are|in|can|\xe2\x88\x88|\xe2\x80\x93|-"))
            continue;
        read_values(next, values);
        if (values->count) return;
    }
}

static void add_prefix(struct catalog *catalog, const char *name, const struct values *values,
                       const char *end) {
    size_t count = catalog->prefix_count;
    catalog->prefixes = catalog_grow(catalog, catalog->prefixes, count, sizeof *catalog->prefixes);
    catalog->prefix_places =
        catalog_grow(catalog, catalog->prefix_places, count, sizeof *catalog->prefix_places);
    catalog->prefix_places[count] = (struct place){catalog->file, 1, 1};
    struct prefix *prefix = &catalog->prefixes[catalog->prefix_count++];
    *prefix = (struct prefix){.name = name, .chosen = 0};
    prefix->values = arena_alloc(&catalog->arena, values->count * sizeof *prefix->values);
    for (size_t i = 0; i < values->count; i++) {
        struct bytes value = values->items[(i + values->chosen) % values->count];
        prefix->values[prefix->value_count++] =
            arena_printf(&catalog->arena, "%.*s%s", (int)value.len, value.data, end);
    }
}

/* Whether keys are written without the stem: it stands nowhere but where it is announced. */
static bool is_left_out(const struct document *document, const struct block *block,
                        struct bytes code) {
    size_t end = code.len;
    while (end > 0 && code.data[end - 1] != TEMPLATE_SEPARATOR) end--;
    uint32_t first = block->place.line, last = first;
    for (size_t i = 0; i < block->broken.len; i++) last += block->broken.data[i] == '\n';
    for (size_t i = 0; i < document->line_count; i++) {
        struct bytes line = document->lines[i];
        if (i + 1 >= first && i + 1 <= last) continue;
        if (line.len && memmem(line.data, line.len, code.data, end)) return false;
    }
    return true;
}

static void find_announced(struct importer *importer) {
    struct document *document = importer->document;
    for (size_t i = 0; i < document->count && !importer->stem.len; i++) {
        const struct block *block = &document->blocks[i];
        struct bytes rest = block->text, code;
        bool prose = block->kind == BLOCK_PARAGRAPH || block->kind == BLOCK_ITEM;
        if (!prose || !announces(rest)) continue;
        while (!importer->stem.len && document_next_code(&rest, NULL, &code)) {
            struct bytes stem = read_stem(importer, code),
                         name = words_from(stem, words_index(stem, '{'));
            struct values values = {.count = 0};
            if (stem.len == 0) continue;
            importer->stem = stem;
            importer->stem_left_out = is_left_out(document, block, code);
            if (name.len == 0) break;
            name = bytes_make(name.data + 1, words_index(name, '}') - 1);
            find_values(rest, name, &values);
            if (values.count && !catalog_find_prefix(importer->catalog, name))
                add_prefix(importer->catalog, catalog_copy(importer->catalog, name), &values, "");
        }
    }
}

struct bytes importer_with_stem(struct importer *importer, struct bytes key) {
    struct bytes stem = importer->stem;
    size_t open = words_index(stem, '{'), close = words_index(stem, '}');
    if (stem.len == 0 || (key.len >= stem.len && memcmp(key.data, stem.data, stem.len) == 0))
        return key;
    const struct prefix *prefix =
        close < stem.len ? catalog_find_prefix(importer->catalog,
                                               bytes_make(stem.data + open + 1, close - open - 1))
                         : NULL;
    for (size_t i = 0; prefix && i < prefix->value_count; i++) {
        /* The stem as it is with this value. */
        const char *written =
            arena_printf(importer->arena, "%.*s%s%.*s", (int)open, stem.data, prefix->values[i],
                         (int)(stem.len - close - 1), stem.data + close + 1);
        if (!words_start(key, written)) continue;
        struct bytes rest = words_from(key, strlen(written));
        return bytes_from_string(arena_printf(importer->arena, "%.*s%.*s", (int)stem.len, stem.data,
                                              (int)rest.len, rest.data));
    }
    if (!importer->stem_left_out) return key;
    return bytes_from_string(arena_printf(importer->arena, "%.*s%.*s", (int)stem.len, stem.data,
                                          (int)key.len, key.data));
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
    if (!used) {
        find_announced(importer);
        return;
    }
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
    add_prefix(catalog, "prefix", &values, colon);
}
