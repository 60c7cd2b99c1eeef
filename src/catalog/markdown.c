/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two passes. The first finds what decides how templates are read: prefixes, and the server's policy. The second
 * takes the blocks in order. A heading opens a section; what is said in it, and above it, belongs to the patterns
 * found in it.
 */
#include "catalog/markdown.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "catalog/markdown_inside.h"
#include "catalog/markdown_own.h"
#include "catalog/markdown_prefix.h"
#include "catalog/words.h"

enum { SENTENCE_BYTES = 300 };

static void *grow(void *array, size_t count, size_t *room, size_t size) {
    if (count < *room) return array;
    *room = *room ? 2 * *room : 32;
    return mem_realloc(array, *room * size);
}

void importer_unread(struct importer *importer, struct place place, const char *what,
                     struct bytes text) {
    diagnostics_add(importer->diagnostics, SEVERITY_NOTE, "unread", place,
                    "%s could not be understood: '%.*s'", what,
                    (int)(text.len > 80 ? 80 : text.len), text.data);
}

static void note_statement(struct importer *importer, size_t pattern, const struct found *found) {
    struct markdown *facts = importer->facts;
    if (facts->statement_count == MARKDOWN_ITEMS_MAX) return;
    facts->statements = grow(facts->statements, facts->statement_count, &facts->statement_room,
                             sizeof *facts->statements);
    facts->statements[facts->statement_count++] =
        (struct markdown_statement){.pattern = pattern,
                                    .place = found->place,
                                    .key = found->key,
                                    .kind = found->channel ? PATTERN_CHANNEL : PATTERN_KEY};
}

/* What template_same_shape compares. */
static uint64_t shape_hash(const struct template *template) {
    uint64_t hash = template->part_count;
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        hash = (hash + (part->is_variable ? 1 : hash_bytes(part->text))) *
               UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The place of a shape in the table, or the empty one where it would be. */
static uint32_t *shape_slot(const struct importer *importer, const struct template *template,
                            enum pattern_kind kind) {
    for (size_t at = shape_hash(template) & importer->shape_mask;;
         at = (at + 1) & importer->shape_mask) {
        uint32_t *slot = &importer->shapes[at];
        if (*slot == 0) return slot;
        const struct pattern *pattern = &importer->catalog->patterns[*slot - 1];
        if (pattern->kind == kind && template_same_shape(&pattern->key.template, template))
            return slot;
    }
}

static enum pattern_kind other_kind(enum pattern_kind kind) {
    return kind == PATTERN_KEY ? PATTERN_CHANNEL : PATTERN_KEY;
}

size_t importer_find(const struct importer *importer, const struct template *template,
                     enum pattern_kind kind) {
    uint32_t number = *shape_slot(importer, template, kind);
    if (number == 0) number = *shape_slot(importer, template, other_kind(kind));
    return number ? number - 1 : NO_PATTERN;
}

/* Whether what was found is another thing than a known pattern of its shape: a channel beside a key, or a key beside a
 * channel. A mention in passing is no statement. */
static bool stands_beside(const struct pattern *known, const struct found *found) {
    bool is_key = known->type != PATTERN_TYPE_UNSTATED || known->lifetime.kind != LIFETIME_UNSTATED;
    if (found->guessed) return false;
    return known->kind == PATTERN_CHANNEL ? found->key_only : found->channel && is_key;
}

size_t importer_add(struct importer *importer, const struct found *found) {
    struct catalog *catalog = importer->catalog;
    struct template template;
    struct template_error error;
    if (!template_parse(found->key, catalog->prefixes, catalog->prefix_count, &catalog->arena,
                        &template, &error)) {
        importer_unread(importer, found->place, error.what, found->key);
        return NO_PATTERN;
    }
    enum pattern_kind kind = found->channel ? PATTERN_CHANNEL : PATTERN_KEY;
    uint32_t *slot = shape_slot(importer, &template, kind);
    if (*slot == 0) {
        uint32_t *other = shape_slot(importer, &template, other_kind(kind));
        if (*other && !stands_beside(&catalog->patterns[*other - 1], found)) slot = other;
    }
    if (*slot) {
        struct pattern *known = &catalog->patterns[*slot - 1];
        bool typed = known->type && !(known->guessed & GUESS_TYPE);
        if (found->channel && !(found->guessed && typed)) known->kind = PATTERN_CHANNEL;
        if (!found->guessed) known->guessed &= ~(unsigned)GUESS_KEY;
        note_statement(importer, *slot - 1, found);
        return *slot - 1;
    }
    struct pattern *pattern = catalog_add_pattern(catalog);
    if (!pattern) {
        importer_unread(importer, found->place, "too many patterns, so this one", found->key);
        return NO_PATTERN;
    }
    size_t number = catalog->pattern_count - 1;
    *slot = (uint32_t)number + 1;
    struct place place = found->place;
    place.file = catalog->file;
    pattern->key = (struct pattern_template){template, place};
    pattern->place = place;
    pattern->kind = kind;
    pattern->guessed = found->guessed ? GUESS_KEY : 0;
    importer->origins[number] = importer->current;
    if (section_at(importer, importer->current))
        importer->sections[importer->current].has_patterns = true;
    note_statement(importer, number, found);
    return number;
}

void importer_add_family(struct importer *importer, struct bytes glob, struct place place,
                         bool announced) {
    struct markdown *facts = importer->facts;
    if (facts->family_count == MARKDOWN_ITEMS_MAX) return;
    facts->families =
        grow(facts->families, facts->family_count, &facts->family_room, sizeof *facts->families);
    facts->families[facts->family_count++] = (struct markdown_family){
        .glob = glob, .place = place, .section = importer->current, .announced = announced};
}

void importer_add_example(struct importer *importer, struct bytes key, struct place place,
                          size_t pattern) {
    struct markdown *facts = importer->facts;
    key = words_bare(key);
    if (key.len == 0 || key.len > KEY_TEXT_MAX || facts->example_count == MARKDOWN_ITEMS_MAX)
        return;
    facts->examples =
        grow(facts->examples, facts->example_count, &facts->example_room, sizeof *facts->examples);
    struct bytes copy = arena_copy(importer->arena, key);
    facts->examples[facts->example_count++] = (struct markdown_example){copy, place, pattern};
    place.file = importer->catalog->file;
    if (pattern != NO_PATTERN)
        catalog_add_example(importer->catalog, &importer->catalog->patterns[pattern], key, place);
}

void importer_add_usage(struct importer *importer, const struct usage *usage, struct place place,
                        struct bytes label, bool bad) {
    struct markdown *facts = importer->facts;
    size_t keys = usage->command->flags & USAGE_MANY ? usage->count : 1;
    for (size_t i = 0; i < keys && i < USAGE_ARGUMENTS_MAX; i++) {
        if (facts->usage_count == MARKDOWN_ITEMS_MAX) return;
        facts->usages =
            grow(facts->usages, facts->usage_count, &facts->usage_room, sizeof *facts->usages);
        struct markdown_usage *entry = &facts->usages[facts->usage_count++];
        *entry = (struct markdown_usage){.usage = *usage,
                                         .place = place,
                                         .pattern = NO_PATTERN,
                                         .section = importer->current,
                                         .block = importer->block,
                                         .label = label,
                                         .bad = bad};
        if (i >= usage->count || usage->command->flags & USAGE_SERVER) continue;
        struct bytes text = usage->arguments[i];
        if (usage->command->flags & USAGE_GLOB) {
            entry->kind = KEY_TEXT_FAMILY;
            entry->key = arena_copy(importer->arena, text);
        } else {
            entry->kind = key_text_read(text, !usage->called, importer->arena, &entry->key);
        }
    }
}

/* Commands in the code spans of a text. */
static void read_inline_commands(struct importer *importer, struct bytes text, uint32_t line) {
    struct bytes code;
    struct usage usage;
    while (document_next_code(&text, NULL, &code)) {
        if (words_index(code, ' ') == code.len || !usage_read_line(code, &usage)) continue;
        importer_add_usage(importer, &usage, document_place(importer->document, line, code),
                           (struct bytes){0}, false);
    }
}

static void read_heading(struct importer *importer, const struct block *block) {
    struct section *section = &importer->sections[importer->block];
    struct bytes text = block->text;
    enum value_format format;
    bool channel, structure = words_have_any(text, "structure|data type");
    size_t open = words_index(text, '('), colon = words_find(text, ": ");
    importer->current = importer->block;
    importer->group_first = importer->group_end = 0;
    section->title = text;
    section->examples = words_have_any(text, "example|examples");
    section->bad = words_have_any(text, "anti-pattern|anti-patterns|don't|bad|wrong");
    section->grammar =
        words_have_any(text, "naming|convention|conventions|format|namespace|structure|grammar");
    section->channels = words_have_any(text, "channel|channels");
    struct bytes words = open < text.len ? words_from(text, open) : (struct bytes){0};
    if (structure && colon < text.len) words = words_from(text, colon);
    if (words.len) section->type = words_type(words, &format, &channel);
    size_t parent = document_parent(importer->document, importer->block);
    if (structure && section->type && section_at(importer, parent) &&
        !importer->sections[parent].type)
        importer->sections[parent].type = section->type;
    size_t db = words_find_whole(text, "db");
    if (db == text.len) db = words_find_whole(text, "database");
    struct bytes digits = words_trim(words_from(text, db < text.len ? db + 2 : db));
    if (words_start(digits, "tabase")) digits = words_trim(words_from(digits, 6));
    size_t end = 0;
    while (end < digits.len && word_is_digit(digits.data[end])) end++;
    uint64_t number;
    section->database = -1;
    if (number_parse_u64(words_until(digits, end), &number) && number <= CATALOG_DATABASE_MAX)
        section->database = (int)number;
}

/* "Label: value" or "Label - value" at the front of a text. */
static bool split_label(struct bytes text, struct bytes *ret_label, struct bytes *ret_value) {
    size_t colon = words_index(text, ':');
    if (colon == text.len || colon == 0 || colon > 40) return false;
    struct bytes label = words_trim(words_until(text, colon));
    if (words_index(label, '`') < label.len) return false;
    *ret_label = label;
    *ret_value = words_trim(words_from(text, colon + 1));
    return true;
}

/* The words around a code span: a paragraph may be a book. */
static struct bytes sentence_around(struct bytes text, struct bytes code) {
    size_t at = (size_t)(code.data - text.data);
    size_t start = at > SENTENCE_BYTES ? at - SENTENCE_BYTES : 0;
    size_t end =
        text.len - at > code.len + SENTENCE_BYTES ? at + code.len + SENTENCE_BYTES : text.len;
    while (start > 0 && start < at && ((unsigned char)text.data[start] & 0xc0) == 0x80) start++;
    while (end < text.len && ((unsigned char)text.data[end] & 0xc0) == 0x80) end++;
    return bytes_make(text.data + start, end - start);
}

/* Keys in running text: a template is a pattern that the sentence describes. */
static void read_sentence(struct importer *importer, struct bytes text, uint32_t line) {
    struct bytes rest = text, code, key;
    const struct section *section = section_at(importer, importer->current);
    bool rule = words_have_any(text, "follow|follows|pattern|format|convention|hierarchical");
    bool channel = words_have_any(text, "channel|channels|publish|publishes");
    while (document_next_code(&rest, NULL, &code)) {
        enum key_text kind = key_text_read(code, false, importer->arena, &key);
        struct place place = document_place(importer->document, line, code);
        if (kind == KEY_TEXT_GRAMMAR) {
            if (!importer->catalog->grammar)
                importer->catalog->grammar =
                    catalog_copy_prose(importer->catalog, words_bare(code));
        } else if (kind == KEY_TEXT_FAMILY) {
            importer_add_family(importer, key, place, false);
        } else if (kind == KEY_TEXT_TEMPLATE && !(rule && section && section->grammar)) {
            struct found found = {
                .key = key, .kind = kind, .place = place, .channel = channel, .guessed = true};
            size_t pattern = importer_add(importer, &found);
            if (pattern == NO_PATTERN) continue;
            struct bytes near = sentence_around(text, code);
            importer_comment(importer, pattern, near, place);
            importer_type(importer, pattern, near, place, false);
        } else if (kind == KEY_TEXT_LITERAL) {
            importer_add_example(importer, key, place, NO_PATTERN);
        }
    }
    read_inline_commands(importer, text, line);
}

static void read_paragraph(struct importer *importer, const struct block *block) {
    struct bytes label, value;
    if (split_label(block->text, &label, &value) && is_property_label(label)) {
        importer_section_property(importer, importer->current, label, value);
        if (!words_are(label, "purpose|description|location|source")) return;
    }
    read_sentence(importer, block->text, block->place.line);
}

/* One piece of "`key` - hash, TTL 5 min, what it is for". */
static void read_piece(struct importer *importer, size_t pattern, struct bytes piece,
                       struct place place) {
    struct bytes label, value, rest = piece, word;
    int64_t ms;
    size_t start, end;
    piece = words_trim(piece);
    while (piece.len && memchr(":-", piece.data[0], 2)) piece = words_trim(words_from(piece, 1));
    if (piece.len == 0) return;
    rest = piece;
    if (split_label(piece, &label, &value) &&
        importer_property(importer, pattern, label, value, place))
        return;
    if (words_next(&rest, &word) && words_are(word, "ttl|expires|expiry|lifetime|type") &&
        importer_property(importer, pattern, word, words_trim(rest), place))
        return;
    bool speaks =
        words_have_any(piece, "ttl|expires|expire|expiry|expiration|kept|lives|never expires");
    if (duration_find(piece, &ms, &start, &end) && (speaks || (start == 0 && end == piece.len))) {
        importer_lifetime(importer, pattern, piece, place, true);
    } else if (words_are(piece,
                         "no ttl|no expiry|never expires|permanent|persistent|no expiration")) {
        importer_lifetime(importer, pattern, piece, place, true);
    } else if (words_are(piece,
                         "hash|a hash|set|a set|list|a list|string|a string|sorted set|"
                         "a sorted set|zset|stream|a stream|json|counter|json string|channel|"
                         "pub/sub channel|pub/sub|a counter")) {
        importer_type(importer, pattern, piece, place, true);
    } else {
        importer_comment(importer, pattern, piece, place);
    }
}

static void read_pieces(struct importer *importer, size_t pattern, struct bytes text,
                        struct place place) {
    while (text.len && memchr(" -:|", text.data[0], 4)) text = words_from(text, 1);
    while (words_start(text, "\xe2\x80\x94") || words_start(text, "\xe2\x80\x93") ||
           words_start(text, "\xe2\x86\x92"))
        text = words_trim(words_from(text, 3));
    struct bytes whole = words_trim(text);
    for (size_t at = 0, start = 0; at <= text.len; at++) {
        bool end = at == text.len;
        bool cut = !end && memchr(",;()", text.data[at], 4) != NULL;
        if (!end && !cut && words_start(words_from(text, at), " - ")) cut = true;
        if (!end && !cut) continue;
        read_piece(importer, pattern, bytes_make(text.data + start, at - start), place);
        start = at + 1;
    }
    struct pattern *found = &importer->catalog->patterns[pattern];
    if (!found->purpose && whole.len) found->purpose = catalog_copy_prose(importer->catalog, whole);
}

static bool read_database_item(struct importer *importer, struct bytes text) {
    struct catalog *catalog = importer->catalog;
    struct bytes label, value;
    if (!split_label(text, &label, &value)) return false;
    size_t skip = words_find(label, "database") == 0 ? 8 : words_find(label, "db") == 0 ? 2 : 0;
    if (skip == 0) return false;
    struct bytes number_text = words_trim(words_from(label, skip));
    uint64_t number;
    if (!number_parse_u64(number_text, &number) || number > CATALOG_DATABASE_MAX) return false;
    for (size_t i = 0; i < catalog->database_count; i++) {
        if (catalog->databases[i].number == number) return true;
    }
    catalog->databases = catalog_grow(catalog, catalog->databases, catalog->database_count,
                                      sizeof *catalog->databases);
    catalog->databases[catalog->database_count++] =
        (struct catalog_database){(uint32_t)number, catalog_copy_prose(catalog, value)};
    return true;
}

static void read_item(struct importer *importer, const struct block *block) {
    struct bytes text = block->text, rest = text, before, code, key, label, value;
    uint32_t line = block->place.line;
    if (read_database_item(importer, text)) return;
    if (split_label(text, &label, &value) && is_property_label(label)) {
        struct place place = document_place(importer->document, line, value);
        bool any = false;
        for (size_t i = importer->group_first; i < importer->group_end; i++)
            any |= importer_property(importer, i, label, value, place);
        if (!any && !importer_section_property(importer, importer->current, label, value))
            importer_unread(importer, block->place, "this line", text);
        if (!any) read_inline_commands(importer, text, line);
        return;
    }
    if (document_next_code(&rest, &before, &code) && words_trim(before).len == 0) {
        enum key_text kind = key_text_read(code, false, importer->arena, &key);
        struct place place = document_place(importer->document, line, code);
        const struct section *section = section_at(importer, importer->current);
        struct found found = {.key = key, .kind = kind, .place = place};
        found.channel = section && section->channels;
        if (kind == KEY_TEXT_FAMILY) {
            importer_add_family(importer, key, place, false);
            return;
        }
        if (kind == KEY_TEXT_TEMPLATE ||
            (kind == KEY_TEXT_LITERAL && words_trim(rest).len && !(section && section->examples))) {
            size_t pattern = importer_add(importer, &found);
            if (pattern == NO_PATTERN) return;
            importer->group_first = pattern;
            importer->group_end = pattern + 1;
            read_pieces(importer, pattern, rest, place);
            return;
        }
    }
    read_sentence(importer, text, line);
}

static void import_blocks(struct importer *importer) {
    struct document *document = importer->document;
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        importer->block = i;
        switch (block->kind) {
        case BLOCK_HEADING: read_heading(importer, block); break;
        case BLOCK_PARAGRAPH: read_paragraph(importer, block); break;
        case BLOCK_ITEM: read_item(importer, block); break;
        case BLOCK_TABLE: importer_table(importer, block); break;
        case BLOCK_CODE: importer_code(importer, block); break;
        }
    }
}

/* Reads what was never written for a machine. */
static struct catalog *import_free(struct document *document, struct markdown *facts,
                                   struct diagnostics *diagnostics) {
    struct importer importer = {.catalog = catalog_new(document->file),
                                .diagnostics = diagnostics,
                                .document = document,
                                .facts = facts,
                                .arena = &document->arena,
                                .current = SIZE_MAX};
    importer.sections = mem_zalloc((document->count + 1) * sizeof *importer.sections);
    importer.origins = mem_alloc(CATALOG_PATTERNS_MAX * sizeof *importer.origins);
    importer.shape_mask = (1 << 16) - 1;
    importer.shapes = mem_zalloc((importer.shape_mask + 1) * sizeof *importer.shapes);
    importer_find_prefixes(&importer);
    import_blocks(&importer);
    importer_finish(&importer);
    mem_free(importer.sections);
    mem_free(importer.origins);
    mem_free(importer.shapes);
    catalog_finish(importer.catalog, diagnostics);
    return importer.catalog;
}

struct catalog *catalog_read_markdown(struct bytes text, const char *file,
                                      struct diagnostics *diagnostics,
                                      struct markdown **ret_facts) {
    struct document *document = document_parse(text, file, diagnostics);
    if (!document) return NULL;
    struct markdown *facts = mem_zalloc(sizeof *facts);
    facts->document = document;
    struct catalog *catalog = markdown_is_own(text) ? markdown_read_own(document, diagnostics)
                                                    : import_free(document, facts, diagnostics);
    if (ret_facts) {
        *ret_facts = facts;
    } else {
        markdown_free(facts);
    }
    return catalog;
}

void markdown_free(struct markdown *facts) {
    if (!facts) return;
    document_free(facts->document);
    mem_free(facts->families);
    mem_free(facts->usages);
    mem_free(facts->examples);
    mem_free(facts->statements);
    mem_free(facts);
}

bool catalog_is_markdown(struct bytes text, const char *file) {
    struct bytes name = bytes_from_string(file), line;
    if (words_end(name, ".md") || words_end(name, ".markdown") || words_end(name, ".MD"))
        return true;
    if (words_end(name, ".yaml") || words_end(name, ".yml")) return false;
    /* A '#' begins a comment of YAML as well as a heading: 'keynome:' decides. */
    bool headings = false;
    while (words_next_line(&text, &line)) {
        if (words_start(line, "keynome:")) return false;
        headings |= words_start(line, "# ") || words_start(line, "## ") ||
                    words_start(line, "```") || words_start(line, "|");
    }
    return headings;
}
