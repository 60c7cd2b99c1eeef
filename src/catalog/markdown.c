/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two passes. The first finds what decides how templates are read: prefixes, and the server's
 * policy. The second takes the blocks in order. A heading opens a section; what is said in it, and
 * above it, belongs to the patterns found in it.
 */
#include "catalog/markdown.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "catalog/markdown_inside.h"
#include "catalog/markdown_own.h"
#include "catalog/markdown_prefix.h"
#include "catalog/words.h"

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
                                    .block = importer->block,
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

/* Whether what was found is another thing than a known pattern of its shape: a channel beside a
 * key, or a key beside a channel. A mention in passing is no statement. */
static bool stands_beside(const struct pattern *known, const struct found *found) {
    bool is_key = known->type != PATTERN_TYPE_UNSTATED || known->lifetime.kind != LIFETIME_UNSTATED;
    if (found->guessed) return false;
    return known->kind == PATTERN_CHANNEL ? found->key_only : found->channel && is_key;
}

/* Two keys of one list or table that only the names of variables tell apart are the same keys: one
 * of them goes, which the reader must know. */
static void note_alike(struct importer *importer, size_t pattern, const struct template *template,
                       const struct found *found) {
    const struct markdown *facts = importer->facts;
    const char *known = importer->catalog->patterns[pattern].key.template.text;
    if (found->guessed || facts->statement_count == 0 || strcmp(known, template->text) == 0) return;
    for (size_t i = facts->statement_count; i > 0; i--) {
        const struct markdown_statement *statement = &facts->statements[i - 1];
        if (statement->block != importer->block) return;
        if (statement->pattern != pattern) continue;
        diagnostics_add(importer->diagnostics, SEVERITY_NOTE, "same-shape", found->place,
                        "'%s' names the same keys as '%s': they are one pattern", template->text,
                        known);
        diagnostics_remedy(importer->diagnostics,
                           "put a literal segment of its own into one of them");
        return;
    }
}

size_t importer_add(struct importer *importer, const struct found *found) {
    struct catalog *catalog = importer->catalog;
    struct template template;
    struct template_error error;
    struct bytes key = found->channel ? found->key : importer_with_stem(importer, found->key);
    if (!template_parse(key, catalog->prefixes, catalog->prefix_count, &catalog->arena, &template,
                        &error)) {
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
        note_alike(importer, *slot - 1, &template, found);
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
    pattern->guessed = found->guessed || key.data != found->key.data ? GUESS_KEY : 0;
    importer->origins[number] = importer->current;
    if (section_at(importer, importer->current))
        importer->sections[importer->current].has_patterns = true;
    note_statement(importer, number, found);
    return number;
}

bool importer_add_family(struct importer *importer, struct bytes glob, struct place place,
                         bool announced) {
    struct markdown *facts = importer->facts;
    if (facts->family_count == MARKDOWN_ITEMS_MAX) return false;
    facts->families =
        grow(facts->families, facts->family_count, &facts->family_room, sizeof *facts->families);
    facts->families[facts->family_count++] = (struct markdown_family){
        .glob = glob, .place = place, .section = importer->current, .announced = announced};
    return true;
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

/* The key with a variable for each segment in which there are digits or an '@', versions aside;
 * empty when there is none. */
static struct bytes without_values(struct importer *importer, struct bytes key) {
    char out[KEY_TEXT_MAX + 64];
    size_t len = 0;
    unsigned variables = 0;
    while (key.len) {
        size_t end = words_index(key, TEMPLATE_SEPARATOR);
        bool value = false;
        size_t from = end > 1 && key.data[0] == 'v' && word_is_digit(key.data[1]) ? end : 0;
        for (size_t i = from; i < end; i++)
            value |= word_is_digit(key.data[i]) || key.data[i] == '@';
        if (len + end + 8 > sizeof out || variables > 8) return (struct bytes){0};
        if (value) {
            memcpy(out + len, "{v", 2);
            out[len + 2] = (char)('0' + variables++);
            out[len + 3] = '}';
            len += 4;
        } else {
            memcpy(out + len, key.data, end);
            len += end;
        }
        if (end < key.len) out[len++] = TEMPLATE_SEPARATOR;
        key = words_from(key, end < key.len ? end + 1 : end);
    }
    return variables ? arena_copy(importer->arena, bytes_make(out, len)) : (struct bytes){0};
}

bool importer_take_example(struct importer *importer, const struct found *found) {
    struct catalog *catalog = importer->catalog;
    struct template template;
    struct template_error error;
    if (found->kind != KEY_TEXT_LITERAL) return false;
    struct bytes key = without_values(importer, importer_with_stem(importer, found->key));
    if (key.len == 0 || !template_parse(key, catalog->prefixes, catalog->prefix_count,
                                        importer->arena, &template, &error))
        return false;
    size_t pattern = importer_find(importer, &template, PATTERN_KEY);
    if (pattern == NO_PATTERN) return false;
    importer_add_example(importer, found->key, found->place, pattern);
    return true;
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

void importer_close_group(struct importer *importer) {
    importer->group_first = importer->group_end = 0;
    importer->group_level = 0;
    importer->record = false;
    importer->pending = (struct found){.kind = KEY_TEXT_NONE};
}

void importer_open_group(struct importer *importer, size_t pattern, unsigned level, bool record) {
    if (pattern == NO_PATTERN) return;
    importer->group_first = pattern;
    importer->group_end = pattern + 1;
    importer->group_level = level;
    importer->record = record;
}

bool importer_has_group(struct importer *importer) {
    if (importer->group_first == importer->group_end && importer->pending.kind != KEY_TEXT_NONE) {
        struct found found = importer->pending;
        importer->pending.kind = KEY_TEXT_NONE;
        unsigned level = importer->pending_level;
        importer_open_group(importer, importer_add(importer, &found), level, level == 0);
    }
    return importer->group_first != importer->group_end;
}

/* A heading that is a key, or has one in it, says what stands below it. A key without variables may
 * be anything with a colon in it, until something is said that only keys have. */
static void read_heading_key(struct importer *importer, const struct block *block) {
    const struct section *section = &importer->sections[importer->block];
    struct bytes rest = block->text, before, code, key;
    bool coded = document_next_code(&rest, &before, &code);
    if (!coded) code = words_trim(block->text);
    enum key_text kind = key_text_read(code, false, importer->arena, &key);
    if (section->bad || (kind != KEY_TEXT_TEMPLATE && kind != KEY_TEXT_LITERAL)) return;
    struct found found = {.key = key,
                          .kind = kind,
                          .place = document_place(importer->document, block->place.line, code),
                          .channel = section->channels};
    if (kind == KEY_TEXT_LITERAL) {
        importer->pending = found;
        importer->pending_level = 0;
        return;
    }
    importer_open_group(importer, importer_add(importer, &found), 0, true);
}

static void read_heading(struct importer *importer, const struct block *block) {
    struct section *section = &importer->sections[importer->block];
    struct bytes text = block->text;
    enum value_format format;
    bool channel, structure = words_have_any(text, "structure|data type");
    size_t open = words_index(text, '('), colon = words_find(text, ": ");
    importer->current = importer->block;
    importer_close_group(importer);
    section->title = text;
    section->examples = words_have_any(text, "example|examples");
    section->bad = words_until_wrong(text) == 0 ||
                   words_have_any(text, "anti-pattern|anti-patterns|don't|bad|wrong|insecure");
    section->grammar =
        words_have_any(text, "naming|convention|conventions|format|namespace|structure|grammar");
    section->channels = words_have_any(text, "channel|channels");
    struct bytes words = open < text.len ? words_from(text, open) : (struct bytes){0};
    if (structure && colon < text.len) words = words_from(text, colon);
    if (words.len) section->type = words_type(words, &format, &channel);
    /* "Sorted sets", "Lists": headings by type, one of many. */
    if (words_are(words_bare(text),
                  "strings|hashes|sets|sorted sets|lists|streams|zsets|counters|bitmaps"))
        section->type = words_leading_type(words_bare(text));
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
    read_heading_key(importer, block);
}

static void import_blocks(struct importer *importer) {
    struct document *document = importer->document;
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        importer->block = i;
        switch (block->kind) {
        case BLOCK_HEADING: read_heading(importer, block); break;
        case BLOCK_ITEM: importer_note_lead(importer, block); /* fallthrough */
        case BLOCK_PARAGRAPH: importer_lines(importer, block); break;
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
