/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks cmark-gfm's tree with its iterator, so that depth costs no stack. Text of inline markup is
 * collected into one buffer until its block ends.
 */
#include "catalog/document.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <pthread.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "catalog/html.h"
#include "catalog/model.h"
#include "catalog/words.h"

static pthread_once_t registered = PTHREAD_ONCE_INIT;

static void register_extensions(void) {
    cmark_gfm_core_extensions_ensure_registered();
}

struct walk {
    struct document *document;
    struct buffer text; /* of the block or cell that is open */
    size_t heading;     /* the last heading's number */
    unsigned list_depth;
    struct row *rows; /* of the table that is open */
    size_t row_count, row_room;
    struct cell cells[DOCUMENT_COLUMNS_MAX];
    size_t cell_count;
    bool in_table;
    struct html_state {
        bool table, row, cell;
        uint32_t line;                        /* of the block */
        unsigned spans[DOCUMENT_COLUMNS_MAX]; /* how many rows more a cell stands in */
        struct cell spanning[DOCUMENT_COLUMNS_MAX];
        unsigned span; /* of the cell that is open */
    } html;
};

static struct block *add_block(struct walk *walk, enum block_kind kind, int line) {
    struct document *document = walk->document;
    if (document->count == DOCUMENT_BLOCKS_MAX) return NULL;
    if (document->count == document->room) {
        document->room = document->room ? 2 * document->room : 64;
        document->blocks = mem_realloc(document->blocks, document->room * sizeof *document->blocks);
    }
    struct block *block = &document->blocks[document->count];
    *block = (struct block){.kind = kind, .section = walk->heading};
    block->place = (struct place){document->file, line > 0 ? (uint32_t)line : 1, 1};
    if (kind == BLOCK_HEADING) block->section = walk->heading = document->count;
    document->count++;
    return block;
}

/* The text as one line; ret_broken, unless it is NULL, gets it with its
 * line ends where it has some. */
static struct bytes take_text(struct walk *walk, struct bytes *ret_broken) {
    struct arena *arena = &walk->document->arena;
    struct bytes text = words_trim(buffer_bytes(&walk->text));
    bool broken = words_index(text, '\n') < text.len;
    if (broken && ret_broken) *ret_broken = arena_copy(arena, text);
    if (broken) {
        char *line = arena_alloc(arena, text.len);
        for (size_t i = 0; i < text.len; i++) line[i] = text.data[i] == '\n' ? ' ' : text.data[i];
        text.data = line;
    } else {
        text = arena_copy(arena, text);
    }
    buffer_clear(&walk->text);
    return text;
}

static void add_text(struct walk *walk, const char *text) {
    if (text && buffer_add(&walk->text, text, strlen(text)) != 0) buffer_clear(&walk->text);
}

static void add_code_block(struct walk *walk, cmark_node *node) {
    int line = cmark_node_get_start_line(node);
    const char *literal = cmark_node_get_literal(node), *info = cmark_node_get_fence_info(node);
    struct document *document = walk->document;
    /* An indented block has no fence above its first line. */
    struct bytes first = line >= 1 && (size_t)line <= document->line_count
                             ? words_trim(document->lines[line - 1])
                             : (struct bytes){0};
    while (first.len && (first.data[0] == '>' || first.data[0] == ' '))
        first = words_from(first, 1);
    bool fenced = words_start(first, "```") || words_start(first, "~~~") || (info && *info);
    struct block *block = add_block(walk, BLOCK_CODE, line + fenced);
    if (!block) return;
    block->text = arena_copy(&document->arena, bytes_from_string(literal ? literal : ""));
    struct bytes rest = bytes_from_string(info ? info : ""), word = {0};
    words_next(&rest, &word);
    char *lower = arena_alloc(&document->arena, word.len + 1);
    for (size_t i = 0; i < word.len; i++) lower[i] = word_lower(word.data[i]);
    block->info = bytes_make(lower, word.len);
}

static void end_row(struct walk *walk) {
    struct document *document = walk->document;
    if (walk->row_count == walk->row_room) {
        walk->row_room = walk->row_room ? 2 * walk->row_room : 16;
        walk->rows = mem_realloc(walk->rows, walk->row_room * sizeof *walk->rows);
    }
    struct row *row = &walk->rows[walk->row_count++];
    row->count = walk->cell_count;
    row->cells = arena_alloc(&document->arena, (walk->cell_count + 1) * sizeof *row->cells);
    memcpy(row->cells, walk->cells, walk->cell_count * sizeof *row->cells);
    walk->cell_count = 0;
}

static void end_table(struct walk *walk, int line) {
    struct block *block = add_block(walk, BLOCK_TABLE, line);
    walk->in_table = false;
    if (!block) return;
    block->rows = arena_alloc(&walk->document->arena, (walk->row_count + 1) * sizeof *block->rows);
    if (walk->row_count) memcpy(block->rows, walk->rows, walk->row_count * sizeof *block->rows);
    block->row_count = walk->row_count;
}

static void table_event(struct walk *walk, cmark_node *node, bool entering, const char *type) {
    if (strcmp(type, "table") == 0) {
        walk->in_table = entering;
        if (entering) walk->row_count = 0;
        if (!entering) end_table(walk, cmark_node_get_start_line(node));
    } else if (strcmp(type, "table_cell") == 0) {
        if (entering) buffer_clear(&walk->text);
        if (entering || walk->cell_count == DOCUMENT_COLUMNS_MAX) return;
        struct bytes text = take_text(walk, NULL);
        cmark_node *row = cmark_node_parent(node);
        uint32_t line = (uint32_t)cmark_node_get_start_line(row ? row : node);
        walk->cells[walk->cell_count++] =
            (struct cell){text, document_place(walk->document, line, text)};
    } else if (!entering) {
        end_row(walk);
    }
}

static void inline_event(struct walk *walk, cmark_node *node, bool entering) {
    cmark_node_type type = cmark_node_get_type(node);
    if (!entering) return;
    if (type == CMARK_NODE_CODE) {
        add_text(walk, "`");
        add_text(walk, cmark_node_get_literal(node));
        add_text(walk, "`");
    } else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) {
        add_text(walk, "\n");
    } else if (type == CMARK_NODE_TEXT) {
        add_text(walk, cmark_node_get_literal(node));
    } else if (type == CMARK_NODE_HTML_INLINE) {
        const char *html = cmark_node_get_literal(node);
        struct bytes tag = bytes_from_string(html ? html : "");
        bool code = words_are(tag, "<code>|</code>|<tt>|</tt>|<kbd>|</kbd>");
        add_text(walk, words_are(tag, "<br>|<br/>|<br />") ? "\n" : code ? "`" : html);
    }
}

static void end_paragraph(struct walk *walk, cmark_node *node) {
    cmark_node *parent = cmark_node_parent(node);
    bool item = parent && cmark_node_get_type(parent) == CMARK_NODE_ITEM &&
                cmark_node_first_child(parent) == node;
    struct bytes broken = {0}, text = take_text(walk, &broken);
    struct block *block =
        add_block(walk, item ? BLOCK_ITEM : BLOCK_PARAGRAPH, cmark_node_get_start_line(node));
    if (!block) return;
    block->text = text;
    block->broken = broken;
    block->level = walk->list_depth;
}

/* ---- HTML ---- */

/* Cells of rows above that stand in this row too. */
static void html_spanning(struct walk *walk) {
    struct html_state *html = &walk->html;
    while (walk->cell_count < DOCUMENT_COLUMNS_MAX && html->spans[walk->cell_count] > 0) {
        html->spans[walk->cell_count]--;
        walk->cells[walk->cell_count] = html->spanning[walk->cell_count];
        walk->cell_count++;
    }
}

static void html_end_cell(struct walk *walk) {
    struct html_state *html = &walk->html;
    if (!html->cell) return;
    html->cell = false;
    struct bytes text = take_text(walk, NULL);
    if (walk->cell_count == DOCUMENT_COLUMNS_MAX) return;
    struct cell cell = {text, document_place(walk->document, html->line, text)};
    html->spans[walk->cell_count] = html->span - 1;
    html->spanning[walk->cell_count] = cell;
    walk->cells[walk->cell_count++] = cell;
}

static void html_end_row(struct walk *walk) {
    html_end_cell(walk);
    if (!walk->html.row) return;
    html_spanning(walk);
    walk->html.row = false;
    end_row(walk);
}

static bool html_table_tag(struct walk *walk, const struct html_token *token) {
    struct html_state *html = &walk->html;
    bool open = token->kind == HTML_OPEN;
    if (words_are(token->text, "table")) {
        if (html->table) html_end_row(walk);
        if (html->table) end_table(walk, (int)html->line);
        buffer_clear(&walk->text);
        *html = (struct html_state){.table = open, .line = html->line};
        walk->row_count = walk->cell_count = 0;
    } else if (html->table && words_are(token->text, "tr")) {
        html_end_row(walk);
        html->row = open;
    } else if (html->table && words_are(token->text, "td|th")) {
        html_end_cell(walk);
        if (!open) return true;
        buffer_clear(&walk->text);
        html->cell = html->row = true;
        html->span = token->row_span;
        html_spanning(walk);
    } else {
        return html->table && !words_are(token->text, "code|tt|br");
    }
    return true;
}

/* What was written since the last tag that parts texts. */
static void html_flush(struct walk *walk, struct bytes tag) {
    struct bytes text = take_text(walk, NULL);
    if (text.len == 0) return;
    bool heading =
        tag.len == 2 && word_lower(tag.data[0]) == 'h' && tag.data[1] >= '1' && tag.data[1] <= '6';
    struct block *block = add_block(walk,
                                    heading                ? BLOCK_HEADING
                                    : words_are(tag, "li") ? BLOCK_ITEM
                                                           : BLOCK_PARAGRAPH,
                                    (int)walk->html.line);
    if (!block) return;
    block->text = text;
    block->level = heading ? (unsigned)(tag.data[1] - '0') : walk->list_depth + 1;
}

static void html_token(struct walk *walk, const struct html_token *token) {
    if (token->kind == HTML_TEXT) {
        html_add_text(&walk->text, token->text);
    } else if (html_table_tag(walk, token)) {
        return;
    } else if (words_are(token->text, "code|tt|kbd")) {
        add_text(walk, "`");
    } else if (words_are(token->text, "br")) {
        add_text(walk, "\n");
    } else if (words_are(token->text,
                         "p|li|dt|dd|div|summary|h1|h2|h3|h4|h5|h6|ul|ol|dl|details|section")) {
        html_flush(walk, token->text);
    }
}

/* A block of HTML: its tables are tables, its other texts paragraphs, items and headings. A table
 * may go on in the next block, past a blank line. */
static void html_block(struct walk *walk, cmark_node *node) {
    const char *literal = cmark_node_get_literal(node);
    struct bytes rest = bytes_from_string(literal ? literal : "");
    struct html_token token;
    int start = cmark_node_get_start_line(node);
    const char *counted = rest.data;
    walk->html.line = start > 0 ? (uint32_t)start : 1;
    if (!walk->html.table) buffer_clear(&walk->text);
    while (html_next(&rest, &token)) {
        html_token(walk, &token);
        for (; counted < rest.data; counted++) walk->html.line += *counted == '\n';
    }
    if (!walk->html.table) html_flush(walk, (struct bytes){0});
}

/* A table that the document's end, or Markdown, leaves open. */
static void html_end(struct walk *walk) {
    if (!walk->html.table) return;
    html_end_row(walk);
    end_table(walk, (int)walk->html.line);
    walk->html = (struct html_state){.table = false};
}

static void block_event(struct walk *walk, cmark_node *node, bool entering) {
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_HTML_BLOCK: html_block(walk, node); return;
    case CMARK_NODE_LIST: walk->list_depth += entering ? 1u : -1u; return;
    case CMARK_NODE_CODE_BLOCK: add_code_block(walk, node); return;
    case CMARK_NODE_PARAGRAPH:
        if (entering) buffer_clear(&walk->text);
        if (!entering) end_paragraph(walk, node);
        return;
    case CMARK_NODE_HEADING: {
        if (entering) {
            buffer_clear(&walk->text);
            return;
        }
        struct bytes text = take_text(walk, NULL);
        struct block *block = add_block(walk, BLOCK_HEADING, cmark_node_get_start_line(node));
        if (!block) return;
        block->text = text;
        block->level = (unsigned)cmark_node_get_heading_level(node);
        return;
    }
    default: inline_event(walk, node, entering); return;
    }
}

static void walk_tree(struct walk *walk, cmark_node *root) {
    cmark_iter *iter = cmark_iter_new(root);
    cmark_event_type event;
    while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
        cmark_node *node = cmark_iter_get_node(iter);
        const char *type = cmark_node_get_type_string(node);
        bool entering = event == CMARK_EVENT_ENTER;
        bool heading = cmark_node_get_type(node) == CMARK_NODE_HEADING;
        if (walk->html.table && entering && (heading || (type && strcmp(type, "table") == 0)))
            html_end(walk);
        if (type && strncmp(type, "table", 5) == 0) {
            table_event(walk, node, entering, type);
        } else {
            block_event(walk, node, entering);
        }
    }
    html_end(walk);
    cmark_iter_free(iter);
}

static void find_lines(struct document *document) {
    struct bytes rest = document->source, line;
    size_t count = 0;
    while (words_next_line(&rest, &line)) count++;
    document->lines = arena_alloc(&document->arena, (count + 1) * sizeof *document->lines);
    for (rest = document->source; words_next_line(&rest, &line);)
        document->lines[document->line_count++] = line;
}

/* The heading above each heading is the last one of a lower level. */
static void find_parents(struct document *document) {
    size_t last[8];
    for (size_t i = 0; i < 8; i++) last[i] = SIZE_MAX;
    for (size_t i = 0; i < document->count; i++) {
        struct block *block = &document->blocks[i];
        block->parent = SIZE_MAX;
        if (block->kind != BLOCK_HEADING) continue;
        unsigned level = block->level < 7 ? block->level : 7;
        for (unsigned above = 0; above < level; above++) {
            if (last[above] != SIZE_MAX &&
                (block->parent == SIZE_MAX || last[above] > block->parent))
                block->parent = last[above];
        }
        last[level] = i;
    }
}

struct document *document_parse(struct bytes text, const char *file,
                                struct diagnostics *diagnostics) {
    if (text.len > CATALOG_DOCUMENT_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "document-size", (struct place){file, 1, 1},
                        "the document has more than %d bytes", CATALOG_DOCUMENT_MAX);
        return NULL;
    }
    pthread_once(&registered, register_extensions);
    struct document *document = mem_zalloc(sizeof *document);
    struct walk *walk = mem_zalloc(sizeof *walk);
    arena_init(&document->arena);
    document->source = arena_copy(&document->arena, text);
    document->file = arena_printf(&document->arena, "%s", file);
    find_lines(document);
    walk->document = document;
    walk->heading = SIZE_MAX;
    buffer_init(&walk->text, CATALOG_DOCUMENT_MAX);

    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_syntax_extension *tables = cmark_find_syntax_extension("table");
    if (tables) cmark_parser_attach_syntax_extension(parser, tables);
    cmark_parser_feed(parser, document->source.len ? document->source.data : "",
                      document->source.len);
    cmark_node *root = cmark_parser_finish(parser);
    if (root) walk_tree(walk, root);
    find_parents(document);
    cmark_node_free(root);
    cmark_parser_free(parser);
    buffer_done(&walk->text);
    mem_free(walk->rows);
    mem_free(walk);
    return document;
}

void document_free(struct document *document) {
    if (!document) return;
    arena_done(&document->arena);
    mem_free(document->blocks);
    mem_free(document);
}

struct place document_place(const struct document *document, uint32_t line, struct bytes text) {
    struct place place = {document->file, line ? line : 1, 1};
    if (line == 0 || line > document->line_count || text.len == 0) return place;
    struct bytes in = document->lines[line - 1];
    if (in.len > DOCUMENT_LINE_SEARCHED) in.len = DOCUMENT_LINE_SEARCHED;
    const char *at = in.len ? memmem(in.data, in.len, text.data, text.len) : NULL;
    if (at) place.column = (uint32_t)(at - in.data) + 1;
    return place;
}

size_t document_parent(const struct document *document, size_t section) {
    return section < document->count ? document->blocks[section].parent : SIZE_MAX;
}

bool document_next_code(struct bytes *rest, struct bytes *ret_before, struct bytes *ret_code) {
    size_t open = words_index(*rest, '`');
    if (open == rest->len) return false;
    struct bytes after = words_from(*rest, open + 1);
    size_t close = words_index(after, '`');
    if (close == after.len) return false;
    if (ret_before) *ret_before = words_until(*rest, open);
    *ret_code = words_until(after, close);
    *rest = words_from(after, close + 1);
    return true;
}
