/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A catalog as a document of one form, and that form read back. Its first line says that it is one,
 * so that reading guesses nothing: "##" is a section, "###" a pattern, the paragraph under it what
 * the pattern is for, and each list item a field of keyspace.yaml with its value as code. Reading
 * builds the tree that YAML would have given.
 */
#include "catalog/markdown.h"
#include "catalog/markdown_own.h"
#include "catalog/words.h"
#include "catalog/yaml.h"
#include "catalog/yaml_tree.h"

static const char mark[] = "<!-- keynome-catalog: 1 -->";
static const char no_section[] = "Without a section";

enum { LINES_MAX = 1 << 20 };

/* Prose that Markdown gives back as it is: what could mean something is escaped. */
static int put_prose(struct buffer *out, const char *text) {
    int error = 0;
    for (const char *at = text; *at != '\0' && !error; at++) {
        bool first = at == text, digit = word_is_digit(*text);
        bool special = memchr("\\`*_[]<>#|~&!$", *at, 14) != NULL;
        if (first && memchr("-+=", *at, 3)) special = true;
        if (digit && (*at == '.' || *at == ')')) special = true;
        if (special) error = buffer_add(out, "\\", 1);
        if (!error) error = buffer_add(out, at, 1);
    }
    return error;
}

/* A code span whose fence is longer than any run of backquotes in it. */
static int put_code(struct buffer *out, struct bytes text) {
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.data[i] == '`' ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    bool pad = text.len && (text.data[0] == '`' || text.data[text.len - 1] == '`');
    int error = 0;
    for (size_t i = 0; i <= longest && !error; i++) error = buffer_add(out, "`", 1);
    if (!error && pad) error = buffer_add(out, " ", 1);
    if (!error) error = buffer_add_bytes(out, text);
    if (!error && pad) error = buffer_add(out, " ", 1);
    for (size_t i = 0; i <= longest && !error; i++) error = buffer_add(out, "`", 1);
    return error;
}

/* "only-these-fields" is "Only these fields". */
static int put_label(struct buffer *out, struct bytes name) {
    int error = buffer_add(out, "- **", 4);
    for (size_t i = 0; i < name.len && !error; i++) {
        char c = name.data[i];
        if (i == 0 && c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (c == '-') c = ' ';
        error = buffer_add(out, &c, 1);
    }
    return error ? error : buffer_add(out, "**: ", 4);
}

/* The lines of catalog_write_lines as list items, but for those that stand elsewhere. */
static int put_items(struct buffer *out, struct bytes lines, const char *elsewhere) {
    struct bytes line;
    int error = 0;
    while (!error && words_next_line(&lines, &line)) {
        if (words_start(line, "  - ")) line = words_from(line, 4);
        line = words_trim(line);
        size_t colon = words_index(line, ':');
        struct bytes name = words_until(line, colon);
        if (words_are(name, elsewhere)) continue;
        error = put_label(out, name);
        if (!error) error = put_code(out, words_trim(words_from(line, colon + 1)));
        if (!error) error = buffer_add(out, "\n", 1);
    }
    return error;
}

static bool same_text(const char *a, const char *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static int put_pattern(const struct catalog *catalog, const struct pattern *pattern,
                       struct buffer *lines, struct buffer *out) {
    buffer_clear(lines);
    int error = catalog_write_lines(catalog, pattern, lines);
    if (!error)
        error = buffer_printf(out, "\n### %s", pattern->kind == PATTERN_CHANNEL ? "Channel " : "");
    if (!error) error = put_code(out, bytes_from_string(pattern->key.template.text));
    if (!error) error = buffer_add(out, "\n\n", 2);
    if (!error && pattern->purpose) {
        error = put_prose(out, pattern->purpose);
        if (!error) error = buffer_add(out, "\n\n", 2);
    }
    if (!error) error = put_items(out, buffer_bytes(lines), "key|channel|purpose|section");
    return error;
}

int catalog_write_markdown(const struct catalog *catalog, struct buffer *buffer) {
    struct buffer lines;
    const char *section = NULL;
    buffer_init(&lines, LINES_MAX);
    int error = buffer_printf(buffer, "%s\n\n# Keys of ", mark);
    if (!error) error = put_prose(buffer, catalog->name);
    if (!error) error = buffer_add(buffer, "\n\n", 2);
    if (!error && catalog->purpose) {
        error = put_prose(buffer, catalog->purpose);
        if (!error) error = buffer_add(buffer, "\n\n", 2);
    }
    if (!error) error = catalog_write_lines(catalog, NULL, &lines);
    if (!error) error = put_items(buffer, buffer_bytes(&lines), "purpose");
    for (size_t i = 0; i < catalog->pattern_count && !error; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        if (!same_text(section, pattern->section)) {
            section = pattern->section;
            error = buffer_add(buffer, "\n## ", 4);
            if (!error) error = put_prose(buffer, section ? section : no_section);
            if (!error) error = buffer_add(buffer, "\n", 1);
        }
        if (!error) error = put_pattern(catalog, pattern, &lines, buffer);
    }
    buffer_done(&lines);
    return error;
}

/* ---- and back ---- */

struct own {
    struct document *document;
    struct diagnostics *diagnostics;
    struct arena *arena;
    struct bytes section;
    struct yaml_node *map; /* of the catalog, then of a pattern */
};

bool markdown_is_own(struct bytes text) {
    return words_start(text, mark);
}

static struct yaml_node *new_node(struct own *own, enum yaml_kind kind, struct place place,
                                  struct bytes text) {
    struct yaml_node *node = arena_zalloc(own->arena, sizeof *node);
    node->kind = kind;
    node->place = place;
    node->text = text;
    return node;
}

static void append(struct own *own, struct yaml_node *to, struct yaml_node *item) {
    if ((to->count & (to->count - 1)) == 0) {
        struct yaml_node **grown =
            arena_alloc(own->arena, (to->count ? 2 * to->count : 1) * sizeof(*grown));
        if (to->count) memcpy(grown, to->items, to->count * sizeof(*grown));
        to->items = grown;
    }
    to->items[to->count++] = item;
}

static void set_field(struct own *own, const char *name, struct yaml_node *value) {
    append(own, own->map, new_node(own, YAML_TEXT, value->place, bytes_from_string(name)));
    append(own, own->map, value);
}

/* Nodes of a value that was read by itself stand where the value stands. */
static void move_places(struct yaml_node *node, struct place place, unsigned depth) {
    place.column += node->place.column ? node->place.column - 1 : 0;
    node->place = place;
    for (size_t i = 0; i < node->count && depth < YAML_DEPTH_MAX; i++)
        move_places(node->items[i], place, depth + 1);
}

static void read_item(struct own *own, const struct block *block) {
    struct bytes text = block->text;
    size_t colon = words_index(text, ':'), open = words_index(text, '`'), close = text.len;
    while (close > open && text.data[close - 1] != '`') close--;
    struct place place = {own->document->file, block->place.line, 1};
    if (colon > open || open == text.len || close <= open + 1) {
        diagnostics_add(own->diagnostics, SEVERITY_ERROR, "catalog-form", place,
                        "a field is a label, a colon and a value as code");
        diagnostics_remedy(own->diagnostics, "as in: - **Type**: `hash`");
        return;
    }
    char *name = arena_alloc(own->arena, colon + 1);
    for (size_t i = 0; i < colon; i++)
        name[i] = text.data[i] == ' ' ? '-' : word_lower(text.data[i]);
    struct bytes value = bytes_make(text.data + open + 1, close - open - 2);
    place = document_place(own->document, block->place.line, value);
    struct yaml_node *node =
        yaml_read_tree(value, own->document->file, own->arena, own->diagnostics);
    if (!node) return;
    move_places(node, place, 0);
    struct place label = {own->document->file, block->place.line, 3};
    append(own, own->map, new_node(own, YAML_TEXT, label, bytes_make(name, colon)));
    append(own, own->map, node);
}

static void read_heading(struct own *own, const struct block *block, struct yaml_node *patterns) {
    struct bytes text = block->text;
    size_t open = words_index(text, '`');
    struct place place = block->place;
    if (block->level == 2) {
        own->section = words_are(text, "without a section") ? (struct bytes){0} : text;
        return;
    }
    if (block->level != 3) return;
    bool channel = words_start(text, "Channel ");
    if (open == text.len || text.data[text.len - 1] != '`' || open + 1 == text.len) {
        diagnostics_add(own->diagnostics, SEVERITY_ERROR, "catalog-form", place,
                        "the heading of a pattern is its key as code");
        diagnostics_remedy(own->diagnostics,
                           "as in: ### `cache:user:{id}`, or ### Channel `news:{id}`");
        return;
    }
    struct bytes key = bytes_make(text.data + open + 1, text.len - open - 2);
    place = document_place(own->document, block->place.line, key);
    own->map = new_node(own, YAML_MAP, place, (struct bytes){0});
    append(own, patterns, own->map);
    set_field(own, channel ? "channel" : "key", new_node(own, YAML_TEXT, place, key));
    if (own->section.len) set_field(own, "section", new_node(own, YAML_TEXT, place, own->section));
}

struct catalog *markdown_read_own(struct document *document, struct diagnostics *diagnostics) {
    struct own own = {.document = document, .diagnostics = diagnostics, .arena = &document->arena};
    struct place start = {document->file, 1, 1};
    struct yaml_node *root = new_node(&own, YAML_MAP, start, (struct bytes){0});
    struct yaml_node *patterns = new_node(&own, YAML_LIST, start, (struct bytes){0});
    size_t errors = diagnostics_of(diagnostics, SEVERITY_ERROR);
    const struct yaml_node *described = NULL;
    own.map = root;
    set_field(&own, "keynome", new_node(&own, YAML_TEXT, start, BYTES("1")));
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        if (block->kind == BLOCK_HEADING) {
            read_heading(&own, block, patterns);
        } else if (block->kind == BLOCK_ITEM) {
            read_item(&own, block);
        } else if (block->kind == BLOCK_PARAGRAPH && described != own.map) {
            described = own.map;
            set_field(&own, "purpose", new_node(&own, YAML_TEXT, block->place, block->text));
        }
    }
    own.map = root;
    set_field(&own, "patterns", patterns);
    if (diagnostics_of(diagnostics, SEVERITY_ERROR) != errors) return NULL;
    return catalog_from_tree(catalog_new(document->file), root, diagnostics);
}
