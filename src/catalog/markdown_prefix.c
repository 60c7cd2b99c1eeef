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

/* ---- tables ---- */

struct columns {
    size_t key;   /* the column of the keys */
    bool channel; /* it is called a channel's */
};

static bool is_key_cell(struct importer *importer, struct bytes cell, bool sure) {
    struct bytes rest = cell, code, key;
    if (document_next_code(&rest, NULL, &code))
        return key_text_read(code, sure, importer->arena, &key) != KEY_TEXT_NONE;
    return key_text_read(cell, sure, importer->arena, &key) != KEY_TEXT_NONE;
}

static const char example_words[] = "example|examples|sample|e.g.";

/* Which column holds the keys: one that is called so and does, else one that does. */
static bool find_columns(struct importer *importer, const struct block *table,
                         struct columns *columns) {
    const struct row *head = &table->rows[0];
    columns->key = head->count;
    for (int named = 1; named >= 0 && columns->key == head->count; named--) {
        for (size_t i = 0; i < head->count && columns->key == head->count; i++) {
            struct bytes title = words_bare(head->cells[i].text);
            bool is_named =
                words_have_any(title, "pattern|patterns|key|keys|channel|channels|template|topic");
            size_t keys = 0;
            if (words_have_any(title, example_words) || (named && !is_named)) continue;
            for (size_t j = 1; j < table->row_count; j++) {
                if (i < table->rows[j].count)
                    keys += is_key_cell(importer, table->rows[j].cells[i].text, named);
            }
            if (keys == 0 || 2 * keys < table->row_count - 1) continue;
            columns->key = i;
            columns->channel = words_have_any(title, "channel|channels|topic");
        }
    }
    return columns->key < head->count;
}

static struct bytes column_label(struct bytes title) {
    static const struct {
        const char *words, *label;
    } rows[] = {
        {"ttl|expiry|expires|expiration|lifetime|retention|expire", "ttl"},
        {"type|structure", "type"},
        {"example|examples|sample", "example"},
        {"eviction", "eviction"},
        {"database|db", "database"},
        {"owner|team|service|writer|written by|producer|used by", "owner"},
        {"source|location|file|module|code", "source"},
        {"fields", "fields"},
        {"value|format|content|members", "value"},
        {"tenant", "tenant"},
        {"mode", "mode"},
        {"alias|aliases|formerly|legacy", "alias"},
        {"purpose|description|use|usage|notes|meaning|reason|used for|what|contents", "purpose"}};
    title = words_bare(title);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (words_have_any(title, rows[i].words)) return bytes_from_string(rows[i].label);
    }
    return title;
}

/* What a row says of a whole family: its lifetime holds for patterns that state none. */
static void read_family_cells(struct importer *importer, const struct block *table,
                              const struct row *row, struct markdown_family *family) {
    for (size_t i = 0; i < row->count && i < table->rows[0].count; i++) {
        if (!words_are(column_label(table->rows[0].cells[i].text), "ttl")) continue;
        if (!lifetime_read(row->cells[i].text, &importer->catalog->arena, &family->lifetime))
            importer_unread(importer, row->cells[i].place, "the lifetime", row->cells[i].text);
    }
}

static void read_cells(struct importer *importer, const struct block *table, const struct row *row,
                       size_t key_column, size_t pattern) {
    for (size_t i = 0; i < row->count && i < table->rows[0].count; i++) {
        const struct cell *cell = &row->cells[i];
        struct bytes label = column_label(table->rows[0].cells[i].text);
        if (i == key_column || words_trim(cell->text).len == 0) continue;
        if (words_are(label, "purpose")) {
            importer_comment(importer, pattern, cell->text, cell->place);
        } else if (!importer_property(importer, pattern, label, cell->text, cell->place)) {
            importer_unread(importer, cell->place, "what stands in a column of another kind",
                            cell->text);
        }
    }
}

/* Which of the two the other cells of a row make of its key. */
static void read_kind(struct importer *importer, const struct block *table, const struct row *row,
                      struct found *found) {
    for (size_t i = 0; i < row->count && i < table->rows[0].count; i++) {
        struct bytes label = column_label(table->rows[0].cells[i].text), text = row->cells[i].text;
        struct lifetime lifetime;
        enum value_format format;
        bool channel;
        if (words_are(label, "type")) {
            if (words_type(text, &format, &channel) != PATTERN_TYPE_UNSTATED)
                found->key_only = true;
            else
                found->channel |= channel;
        } else if (words_are(label, "ttl")) {
            found->key_only |= lifetime_read(text, importer->arena, &lifetime) &&
                               lifetime.kind == LIFETIME_LIMITED;
        }
    }
}

/* Each code span of the cell is a key; without any, the cell itself. */
static size_t read_key_cell(struct importer *importer, const struct columns *columns,
                            const struct block *table, const struct row *row) {
    const struct cell *cell = &row->cells[columns->key];
    struct bytes rest = cell->text, code, key;
    struct section *section = section_at(importer, importer->current);
    size_t taken = 0;
    bool any = false;
    importer->group_first = importer->group_end = 0;
    while (document_next_code(&rest, NULL, &code) || !any) {
        if (!any && rest.len == cell->text.len) {
            code = words_trim(rest);
            rest = bytes_make(NULL, 0);
        }
        any = true;
        struct found found = {.place = document_place(importer->document, cell->place.line, code),
                              .channel = columns->channel || (section && section->channels)};
        read_kind(importer, table, row, &found);
        found.kind = key_text_read(code, true, importer->arena, &key);
        found.key = key;
        if (found.kind == KEY_TEXT_FAMILY) {
            importer_add_family(importer, key, found.place, true);
            taken++;
        } else if (found.kind == KEY_TEXT_TEMPLATE || found.kind == KEY_TEXT_LITERAL) {
            size_t pattern = importer_add(importer, &found);
            if (pattern == NO_PATTERN) continue;
            if (importer->group_end == 0) importer->group_first = pattern;
            importer->group_end = pattern + 1;
            taken++;
        }
    }
    return taken;
}

void importer_table(struct importer *importer, const struct block *table) {
    struct columns columns = {0};
    struct section *section = section_at(importer, importer->current);
    if (table->row_count < 2 || !find_columns(importer, table, &columns)) return;
    if (section && section->bad) return;
    for (size_t i = 1; i < table->row_count; i++) {
        const struct row *row = &table->rows[i];
        if (columns.key >= row->count || words_trim(row->cells[columns.key].text).len == 0)
            continue;
        const struct cell *cell = &row->cells[columns.key];
        size_t statements = importer->facts->statement_count;
        size_t families = importer->facts->family_count;
        if (read_key_cell(importer, &columns, table, row) == 0) {
            importer_unread(importer, cell->place, "the key of this row", cell->text);
            continue;
        }
        for (size_t j = families; j < importer->facts->family_count; j++)
            read_family_cells(importer, table, row, &importer->facts->families[j]);
        /* Patterns of one row need not be neighbours: known ones have their old numbers. */
        for (size_t j = statements; j < importer->facts->statement_count; j++)
            read_cells(importer, table, row, columns.key, importer->facts->statements[j].pattern);
    }
}
