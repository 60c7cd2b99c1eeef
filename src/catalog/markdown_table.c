/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables. One column holds the keys, the other columns' titles say what stands in them; or the
 * table stands on its side, with properties down the first column, of the key that one of its rows
 * or the heading above it names.
 */
#include "catalog/markdown_prefix.h"
#include "catalog/words.h"

enum column_kind {
    COLUMN_OTHER, /* its title is not known */
    COLUMN_KEY,
    COLUMN_PROPERTY, /* label says which */
    COLUMN_PURPOSE,
    COLUMN_PIECES, /* several things in one cell: "Type / TTL" */
    COLUMN_LABEL   /* has no title, or numbers the rows */
};

struct column {
    enum column_kind kind;
    struct bytes title, label;
    int64_t unit_ms;
};

struct columns {
    struct column items[DOCUMENT_COLUMNS_MAX];
    size_t count, key;
    bool channel;           /* the keys' column is called a channel's */
    enum pattern_type type; /* it is called a stream's */
};

static bool is_key_cell(struct importer *importer, struct bytes cell, bool sure,
                        bool *ret_template) {
    struct bytes rest = cell, code = cell, key;
    if (!document_next_code(&rest, NULL, &code)) code = cell;
    enum key_text kind = key_text_read(code, sure, importer->arena, &key);
    if (kind == KEY_TEXT_NONE && code.data == cell.data) {
        /* several of them, or one with a remark */
        rest = cell;
        if (words_next(&rest, &code)) kind = key_text_read(code, false, importer->arena, &key);
    }
    *ret_template |= kind == KEY_TEXT_TEMPLATE || kind == KEY_TEXT_FAMILY;
    return kind != KEY_TEXT_NONE;
}

/* Columns of things that have types or names with colons, and are no keys. */
static const char other_titles[] =
    "column|field|property|setting|option|parameter|variable|event|scope|permission|route|"
    "endpoint|header|error|code|attribute|script|command|role";
static const char example_words[] = "example|examples|sample|e.g.";
static const char purpose_words[] =
    "purpose|description|use|usage|notes|meaning|reason|used for|what|contents|remarks|comment|"
    "comments|why|holds|stores";
static const char type_words[] = "type|structure|types|datatype";
static const char lifetime_words[] =
    "ttl|expiry|expires|expiration|lifetime|retention|expire|ttls|lifespan|"
    "time to live|time-to-live|lives for|valid for|kept for|max age";

/* What a title says, by the words in it; the first row that fits. */
static struct column read_title(struct bytes title) {
    static const struct {
        const char *words, *label;
    } rows[] = {
        {lifetime_words, "ttl"},
        {type_words, "type"},
        {example_words, "example"},
        {"eviction", "eviction"},
        {"database|db", "database"},
        {"owner|team|service|writer|written by|producer|used by|set by|maintainer", "owner"},
        {"source|location|file|module|code", "source"},
        {"fields", "fields"},
        {"command|commands|operations", "commands"},
        {"max length|max size|max entries|maxlen|max elements|max len|cap", "max elements"},
        {"value|format|content|members", "value"},
        {"tenant", "tenant"},
        {"mode", "mode"},
        {"alias|aliases|formerly|legacy", "alias"}};
    struct column column = {.title = words_bare(title)};
    title = column.title;
    bool typed = words_have_any(title, type_words), lived = words_have_any(title, lifetime_words);
    if (words_trim(title).len == 0 || words_are(title, "#|no|no.|nr|nr.|id")) {
        column.kind = COLUMN_LABEL;
        return column;
    }
    column.unit_ms = lifetime_unit(title);
    if (lived && words_have_any(title, purpose_words)) {
        column.kind = COLUMN_PURPOSE;
        return column;
    }
    if (typed && lived) {
        column.kind = COLUMN_PIECES;
        return column;
    }
    column.kind = COLUMN_PROPERTY;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!words_have_any(title, rows[i].words)) continue;
        column.label = bytes_from_string(rows[i].label);
        return column;
    }
    column.label = title;
    if (words_have_any(title, purpose_words))
        column.kind = COLUMN_PURPOSE;
    else if (!is_property_label(title) || words_are(title, "name"))
        column.kind = COLUMN_OTHER;
    return column;
}

static bool says_lifetime_or_type(const struct columns *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->items[i];
        if (column->kind == COLUMN_PIECES || words_are(column->label, "ttl|type|commands"))
            return true;
    }
    return false;
}

/* "Kind" is a type where no other column is. */
static void name_kinds(struct columns *columns) {
    size_t types = 0;
    for (size_t i = 0; i < columns->count; i++) {
        struct column *column = &columns->items[i];
        types += words_are(column->label, "type") || column->kind == COLUMN_PIECES ||
                 (words_are(column->label, "data structure|stored as|structure|datatype"));
    }
    for (size_t i = 0; i < columns->count && types > 0; i++) {
        if (words_are(columns->items[i].title, "kind")) columns->items[i].kind = COLUMN_OTHER;
    }
}

/* Which column holds the keys: one that is called so and does, else one that does. */
static bool find_columns(struct importer *importer, const struct block *table,
                         struct columns *columns) {
    const struct row *head = &table->rows[0];
    columns->count = head->count;
    columns->key = head->count;
    for (size_t i = 0; i < head->count; i++) columns->items[i] = read_title(head->cells[i].text);
    name_kinds(columns);
    for (int named = 1; named >= 0 && columns->key == head->count; named--) {
        for (size_t i = 0; i < head->count && columns->key == head->count; i++) {
            struct bytes title = columns->items[i].title;
            bool is_named =
                words_have_any(title, "pattern|patterns|key|keys|channel|channels|template|topic");
            bool templates = false;
            size_t keys = 0, plain = 0, cells = 0;
            if (words_until_wrong(title) == 0 || words_have_any(title, wrong_words)) continue;
            if (words_have_any(title, example_words) || (named && !is_named)) continue;
            for (size_t j = 1; j < table->row_count; j++) {
                if (i >= table->rows[j].count || table->rows[j].cells[i].text.len == 0) continue;
                cells++;
                keys += is_key_cell(importer, table->rows[j].cells[i].text, named, &templates);
                plain += is_key_cell(importer, table->rows[j].cells[i].text, false, &templates);
            }
            if (keys == 0 || 2 * keys < cells) continue;
            /* Patterns may be those of file names. */
            if (named && !words_have_any(title, "key|keys|channel|channels|topic|redis") &&
                2 * plain < cells)
                continue;
            /* Names with a colon in them may be anything: what else the table says decides. */
            if (!named && !templates &&
                (words_have_any(title, other_titles) ||
                 (!says_lifetime_or_type(columns) &&
                  !words_have_any(title, "stream|streams|queue|queues|prefix|name"))))
                continue;
            columns->key = i;
            columns->channel = words_have_any(title, "channel|channels|topic");
            if (words_are(title, "stream|streams|stream key|stream name"))
                columns->type = PATTERN_TYPE_STREAM;
        }
    }
    if (columns->key == head->count) return false;
    columns->items[columns->key].kind = COLUMN_KEY;
    return true;
}

/* What a row says of a whole family: it holds for patterns that do not state it. */
static void read_family_cells(struct importer *importer, const struct columns *columns,
                              const struct row *row, struct markdown_family *family) {
    enum value_format format;
    bool channel;
    for (size_t i = 0; i < row->count && i < columns->count; i++) {
        const struct column *column = &columns->items[i];
        struct bytes text = row->cells[i].text;
        if (column->kind == COLUMN_PURPOSE && !family->purpose.len)
            family->purpose = words_trim(text);
        if (column->kind == COLUMN_PROPERTY && words_are(column->label, "type"))
            family->type = words_type(text, &format, &channel);
        if (column->kind != COLUMN_PROPERTY || !words_are(column->label, "ttl")) continue;
        if (!lifetime_read_in(text, column->unit_ms ? column->unit_ms : 1000,
                              &importer->catalog->arena, &family->lifetime))
            importer_unread(importer, row->cells[i].place, "the lifetime", text);
    }
}

static bool is_number(struct bytes text) {
    text = words_bare(text);
    for (size_t i = 0; i < text.len; i++) {
        if (!word_is_digit(text.data[i]) && text.data[i] != '.') return false;
    }
    return true;
}

/* Words that no other column has a place for. */
static void add_remark(struct importer *importer, size_t number, const struct column *column,
                       struct bytes text) {
    struct pattern *pattern = &importer->catalog->patterns[number];
    struct bytes title = column->kind == COLUMN_LABEL ? (struct bytes){0} : column->title;
    text = words_bare(text);
    if (words_are(text, "-|n/a|none|\xe2\x80\x93|\xe2\x80\x94")) return;
    if (pattern->purpose && (title.len == 0 || strlen(pattern->purpose) > CATALOG_PROSE_MAX / 2))
        return;
    const char *remark =
        arena_printf(importer->arena, "%s%s%.*s%s%.*s", pattern->purpose ? pattern->purpose : "",
                     pattern->purpose ? "; " : "", (int)title.len, title.data,
                     title.len ? ": " : "", (int)text.len, text.data);
    pattern->purpose = catalog_copy_prose(importer->catalog, bytes_from_string(remark));
}

static void read_cell(struct importer *importer, const struct column *column,
                      const struct cell *cell, size_t pattern) {
    if (column->kind == COLUMN_PURPOSE) {
        importer_comment(importer, pattern, cell->text, cell->place);
        importer_commands(importer, pattern, cell->text, cell->place, false);
    } else if (column->kind == COLUMN_PIECES) {
        importer_strict_pieces(importer, pattern, cell->text, cell->place);
    } else if (words_are(column->label, "ttl")) {
        importer_lifetime_in(importer, pattern, cell->text, column->unit_ms, cell->place, true);
    } else if (!importer_property(importer, pattern, column->label, cell->text, cell->place)) {
        importer_unread(importer, cell->place, "what stands in a column of another kind",
                        cell->text);
    }
}

static void read_cells(struct importer *importer, const struct columns *columns,
                       const struct row *row, size_t pattern) {
    for (int known = 1; known >= 0; known--) {
        for (size_t i = 0; i < row->count && i < columns->count; i++) {
            const struct column *column = &columns->items[i];
            const struct cell *cell = &row->cells[i];
            bool other = column->kind == COLUMN_OTHER || column->kind == COLUMN_LABEL;
            if (column->kind == COLUMN_KEY || words_trim(cell->text).len == 0 || other == known)
                continue;
            if (!other) {
                read_cell(importer, column, cell, pattern);
            } else if (!is_number(cell->text) || column->kind == COLUMN_OTHER) {
                add_remark(importer, pattern, column, cell->text);
            }
        }
    }
    struct pattern *found = &importer->catalog->patterns[pattern];
    if (columns->type && found->kind == PATTERN_KEY && !found->type) found->type = columns->type;
}

/* Which of the two the other cells of a row make of its key. */
static void read_kind(struct importer *importer, const struct columns *columns,
                      const struct row *row, struct found *found) {
    for (size_t i = 0; i < row->count && i < columns->count; i++) {
        struct bytes label = columns->items[i].label, text = row->cells[i].text;
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

/* The next key of a cell: each code span is one; without any the cell itself, or
 * each of its words that is. */
struct key_cell {
    struct bytes rest;
    bool coded, whole, any;
};

static bool next_key(struct importer *importer, struct key_cell *cell, struct bytes *ret_word,
                     enum key_text *ret_kind, struct bytes *ret_key) {
    if (document_next_code(&cell->rest, NULL, ret_word)) {
        cell->coded = true;
        *ret_kind = key_text_read(*ret_word, true, importer->arena, ret_key);
        return true;
    }
    if (cell->coded) return false;
    if (!cell->whole) {
        cell->whole = true;
        *ret_word = words_trim(cell->rest);
        *ret_kind = key_text_read(*ret_word, true, importer->arena, ret_key);
        if (*ret_kind == KEY_TEXT_NONE)
            return next_key(importer, cell, ret_word, ret_kind, ret_key);
        cell->rest = bytes_make(NULL, 0);
        return true;
    }
    while (words_next(&cell->rest, ret_word)) {
        while (ret_word->len && memchr(",;", ret_word->data[ret_word->len - 1], 2)) ret_word->len--;
        *ret_kind = key_text_read(*ret_word, false, importer->arena, ret_key);
        if (*ret_kind != KEY_TEXT_NONE) return true;
    }
    return false;
}

/* What stands in brackets behind a key, in its own cell: "`jobs:in` (stream, capped)". */
static void read_beside(struct importer *importer, size_t pattern, struct bytes rest,
                        struct place place) {
    rest = words_trim(rest);
    if (rest.len == 0 || rest.data[0] != '(') return;
    importer_strict_pieces(importer, pattern, words_until(rest, words_index(rest, ')')), place);
}

static size_t read_key_cell(struct importer *importer, const struct columns *columns,
                            const struct row *row) {
    const struct cell *cell = &row->cells[columns->key];
    struct key_cell keys = {.rest = cell->text};
    struct section *section = section_at(importer, importer->current);
    struct found found = {.place = cell->place};
    struct bytes word;
    size_t taken = 0;
    importer_close_group(importer);
    while (next_key(importer, &keys, &word, &found.kind, &found.key)) {
        found.place = document_place(importer->document, cell->place.line, word);
        found.channel = columns->channel || (section && section->channels);
        found.key_only = false;
        read_kind(importer, columns, row, &found);
        if (found.kind == KEY_TEXT_FAMILY) {
            importer_add_family(importer, found.key, found.place, true);
            taken++;
        } else if (found.kind == KEY_TEXT_TEMPLATE || found.kind == KEY_TEXT_LITERAL) {
            size_t pattern = importer_add(importer, &found);
            if (pattern == NO_PATTERN) continue;
            if (importer->group_end == 0) importer->group_first = pattern;
            importer->group_end = pattern + 1;
            read_beside(importer, pattern, keys.rest, found.place);
            taken++;
        }
    }
    return taken;
}

/* Columns whose titles say nothing known: told once, where the title stands. */
static void note_columns(struct importer *importer, const struct block *table,
                         const struct columns *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].kind != COLUMN_OTHER) continue;
        diagnostics_add(
            importer->diagnostics, SEVERITY_NOTE, "column", table->rows[0].cells[i].place,
            "the column '%.*s' tells nothing that a catalog has: its words are kept as remarks",
            (int)(columns->items[i].title.len > 80 ? 80 : columns->items[i].title.len),
            columns->items[i].title.data);
        diagnostics_remedy(importer->diagnostics,
                           "if it is a type, a lifetime or the like, call it so");
    }
}

/* ---- tables on their side ---- */

static bool is_label_cell(const struct row *row) {
    return row->count >= 2 &&
           (is_property_label(row->cells[0].text) || is_key_label(row->cells[0].text));
}

/* Properties down the first column: at least two, and half of its cells or a key. */
static bool stands_on_side(struct importer *importer, const struct block *table) {
    size_t labels = 0, keys = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct row *row = &table->rows[i];
        bool template = false;
        labels += is_label_cell(row);
        if (i > 0 && row->count == 2 && is_key_label(row->cells[0].text))
            keys += is_key_cell(importer, row->cells[1].text, false, &template) && template;
    }
    const struct row *head = &table->rows[0];
    bool titles = head->count >= 2 && is_key_label(head->cells[0].text) &&
                  is_property_label(head->cells[1].text);
    return table->rows[0].count <= 3 && labels >= 2 &&
           (2 * labels >= table->row_count || keys == 1) && !titles;
}

static void read_side(struct importer *importer, const struct block *table) {
    for (int keys = 1; keys >= 0; keys--) {
        for (size_t i = 0; i < table->row_count; i++) {
            const struct row *row = &table->rows[i];
            if (row->count < 2) continue;
            if (i == 0 && (!is_label_cell(row) || is_property_label(row->cells[1].text))) continue;
            struct bytes label = words_bare(row->cells[0].text), value = row->cells[1].text;
            const struct place place = row->cells[1].place;
            bool any = false;
            if (is_key_label(label) != keys || words_trim(value).len == 0) continue;
            if (keys) {
                importer_key_label(importer, label, value, place.line, 0);
                continue;
            }
            if (importer_has_group(importer)) {
                for (size_t j = importer->group_first; j < importer->group_end; j++)
                    any |= importer_property(importer, j, label, value, place);
            }
            if (!any && !importer_section_property(importer, importer->current, label, value))
                importer_unread(importer, row->cells[0].place, "this row", label);
        }
    }
}

/* A table without a column of keys: templates in it are told, not taken. */
static void note_keys(struct importer *importer, const struct block *table) {
    for (size_t i = 1; i < table->row_count; i++) {
        for (size_t j = 0; j < table->rows[i].count; j++) {
            const struct cell *cell = &table->rows[i].cells[j];
            struct bytes rest = cell->text, code, key;
            while (document_next_code(&rest, NULL, &code)) {
                if (key_text_read(code, false, importer->arena, &key) != KEY_TEXT_TEMPLATE)
                    continue;
                struct template template;
                struct template_error error;
                struct catalog *catalog = importer->catalog;
                if (template_parse(key, catalog->prefixes, catalog->prefix_count, importer->arena,
                                   &template, &error) &&
                    importer_find(importer, &template, PATTERN_KEY) != NO_PATTERN)
                    continue;
                importer_unread(importer, cell->place, "a key outside a column of keys", code);
            }
        }
    }
}

void importer_table(struct importer *importer, const struct block *table) {
    struct columns columns = {.count = 0};
    struct section *section = section_at(importer, importer->current);
    size_t statements = importer->facts->statement_count;
    if (table->row_count < 2 || (section && section->bad)) return;
    if (stands_on_side(importer, table)) {
        read_side(importer, table);
        return;
    }
    if (!find_columns(importer, table, &columns)) {
        note_keys(importer, table);
        return;
    }
    note_columns(importer, table, &columns);
    for (size_t i = 1; i < table->row_count; i++) {
        const struct row *row = &table->rows[i];
        if (columns.key >= row->count) continue;
        const struct cell *cell = &row->cells[columns.key];
        /* A row without a key goes on about the one above. */
        if (words_trim(cell->text).len > 0) {
            size_t families = importer->facts->family_count;
            statements = importer->facts->statement_count;
            if (read_key_cell(importer, &columns, row) == 0) {
                importer_unread(importer, cell->place, "the key of this row", cell->text);
                continue;
            }
            for (size_t j = families; j < importer->facts->family_count; j++)
                read_family_cells(importer, &columns, row, &importer->facts->families[j]);
        }
        /* Patterns of one row need not be neighbours: known ones have their old numbers. */
        for (size_t j = statements; j < importer->facts->statement_count; j++)
            read_cells(importer, &columns, row, importer->facts->statements[j].pattern);
    }
}
