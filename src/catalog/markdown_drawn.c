/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is drawn in fenced blocks: trees whose branches are the segments of keys, and
 * tables of blanks or bars.
 */
#include "catalog/markdown_inside.h"
#include "catalog/markdown_prefix.h"
#include "catalog/words.h"

static struct place place_in(const struct importer *importer, const struct block *block,
                             size_t line, struct bytes text) {
    return document_place(importer->document, block->place.line + (uint32_t)line, text);
}

/* ---- trees ---- */

/* The column where the words of a tree's line begin, past the lines that are drawn. */
size_t words_tree_indent(struct bytes line, struct bytes *ret_words) {
    size_t column = 0, at = 0;
    while (at < line.len) {
        struct bytes rest = words_from(line, at);
        if (rest.data[0] == ' ' || rest.data[0] == '|' || rest.data[0] == '`' ||
            rest.data[0] == '+') {
            at++;
        } else if (rest.len >= 3 && (unsigned char)rest.data[0] == 0xe2 &&
                   ((unsigned char)rest.data[1] == 0x94 || (unsigned char)rest.data[1] == 0x95)) {
            at += 3;
        } else if (words_start(rest, "-- ") || (words_start(rest, "- ") && at > 0)) {
            at += (size_t)(words_index(rest, ' '));
        } else {
            break;
        }
        column++;
    }
    *ret_words = words_trim(words_from(line, at));
    return column;
}

enum { TREE_DEPTH_MAX = 16 };

/* A tree has a root that ends with the separator and lines below that are indented. */
static bool is_tree(struct importer *importer, const struct block *block) {
    struct bytes rest = block->text, line, words, word, first = {0}, second = {0};
    size_t lines = 0, indented = 0, root = 0;
    while (words_next_line(&rest, &line)) {
        size_t indent = words_tree_indent(line, &words);
        struct bytes left = words;
        if (words.len == 0 || !words_next(&left, &word)) continue;
        if (lines++ == 0) {
            first = word;
            second = left;
            root = indent;
        } else if (indent > root) {
            indented++;
        }
    }
    struct bytes label = words_until(first, first.len ? first.len - 1 : 0), key;
    if (is_key_label(label) && words_next(&second, &word) &&
        key_text_read(word, false, importer->arena, &key) != KEY_TEXT_NONE)
        return false;
    return lines >= 3 && 2 * indented >= lines && first.len > 1 &&
           first.data[first.len - 1] == TEMPLATE_SEPARATOR &&
           word_is_name(first.data[0] == '{' ? 'a' : first.data[0]);
}

struct branch {
    size_t indent;
    char path[KEY_TEXT_MAX];
    size_t len;
};

/* A leaf of the tree is a key; one with a star, or an open end, a family. */
static void read_leaf(struct importer *importer, const struct block *block, struct bytes path,
                      struct bytes comment, size_t number, struct bytes word) {
    struct place place = place_in(importer, block, number, word);
    char open[KEY_TEXT_MAX + 1];
    struct bytes key;
    if (path.len && path.data[path.len - 1] == TEMPLATE_SEPARATOR && path.len < KEY_TEXT_MAX) {
        memcpy(open, path.data, path.len);
        open[path.len] = '*';
        path = bytes_make(open, path.len + 1);
    }
    struct found found = {.place = place};
    found.kind = key_text_read(path, false, importer->arena, &key);
    found.key = key;
    if (found.kind == KEY_TEXT_FAMILY) {
        importer_add_family(importer, key, place, true);
    } else if (found.kind == KEY_TEXT_TEMPLATE || found.kind == KEY_TEXT_LITERAL) {
        size_t pattern = importer_add(importer, &found);
        if (pattern == NO_PATTERN) return;
        if (!importer_strict_pieces(importer, pattern, comment, place))
            importer_comment(importer, pattern, comment, place);
    } else {
        importer_unread(importer, place, "this branch", word);
    }
}

static void read_tree(struct importer *importer, const struct block *block) {
    struct branch branches[TREE_DEPTH_MAX];
    struct bytes rest = block->text, line, words, next_words, comment;
    size_t depth = 0, number = 0;
    for (; words_next_line(&rest, &line); number++) {
        struct bytes left, word, peek = rest, next;
        size_t indent = words_tree_indent(line, &words), below = 0;
        left = words;
        if (!words_next(&left, &word) || words_comment(words, &comment)) continue;
        if (!words_key_comment(left, false, &comment)) comment = words_trim(left);
        while (depth > 0 && branches[depth - 1].indent >= indent) depth--;
        if (depth == TREE_DEPTH_MAX) continue;
        struct branch *branch = &branches[depth], *above = depth ? branch - 1 : NULL;
        branch->indent = indent;
        branch->len = above && !(words_start(word, above->path) && above->len) ? above->len : 0;
        if (above) memcpy(branch->path, above->path, branch->len);
        bool join = branch->len && branch->path[branch->len - 1] != TEMPLATE_SEPARATOR;
        if (branch->len + word.len + 2 > KEY_TEXT_MAX) continue;
        if (join) branch->path[branch->len++] = TEMPLATE_SEPARATOR;
        memcpy(branch->path + branch->len, word.data, word.len);
        branch->len += word.len;
        branch->path[branch->len] = '\0';
        depth++;
        while (words_next_line(&peek, &next)) {
            below = words_tree_indent(next, &next_words);
            if (next_words.len) break;
            below = 0;
        }
        if (below <= indent)
            read_leaf(importer, block, bytes_make(branch->path, branch->len), comment, number,
                      word);
    }
}

/* ---- tables drawn with blanks or bars ---- */

/* The next cell of a drawn line from *at on: up to a bar, or two blanks. */
static bool next_drawn(struct bytes line, size_t *at, struct bytes *ret_cell) {
    static const char bar[] = "\xe2\x94\x82";
    while (*at < line.len) {
        struct bytes rest = words_from(line, *at);
        if (words_start(rest, bar)) {
            *at += 3;
        } else if (memchr(" \t|+", rest.data[0], 4)) {
            ++*at;
        } else {
            break;
        }
    }
    size_t start = *at, end = start;
    for (; end < line.len; end++) {
        struct bytes rest = words_from(line, end);
        if (rest.data[0] == '\t' || words_start(rest, "  ") || words_start(rest, " | ") ||
            words_start(rest, bar))
            break;
    }
    *at = end;
    *ret_cell = words_trim(bytes_make(line.data + start, end - start));
    return ret_cell->len > 0;
}

/* A line that only rules off. */
static bool is_rule(struct bytes line) {
    for (size_t i = 0; i < line.len; i++) {
        if (!memchr("-=+|: ", line.data[i], 6) && (unsigned char)line.data[i] < 0x80) return false;
    }
    return true;
}

/* The first line as titles, when one is of keys and another of a property; where each begins. */
static bool read_titles(struct importer *importer, const struct block *block, struct bytes line,
                        uint32_t number, struct row *row, size_t *starts) {
    bool keys = false, properties = false;
    struct bytes cell;
    row->cells = arena_zalloc(importer->arena, DOCUMENT_COLUMNS_MAX * sizeof *row->cells);
    row->count = 0;
    for (size_t at = 0; row->count < DOCUMENT_COLUMNS_MAX && next_drawn(line, &at, &cell);) {
        keys |= is_key_label(cell) || words_have_any(cell, "key|pattern");
        properties |=
            is_property_label(cell) || words_have_any(cell, "ttl|type|description|purpose");
        starts[row->count] = (size_t)(cell.data - line.data);
        row->cells[row->count++] = (struct cell){cell, place_in(importer, block, number, cell)};
    }
    return keys && properties;
}

/* "key     type   ttl" and lines below in the same columns. False when the block is none. */
static bool read_drawn_table(struct importer *importer, const struct block *block,
                             size_t line_count) {
    struct bytes rest = block->text, line = {0}, cell;
    struct cell cells[DOCUMENT_COLUMNS_MAX];
    size_t starts[DOCUMENT_COLUMNS_MAX], number = 0;
    struct block table = {.kind = BLOCK_TABLE, .place = block->place};
    struct row head = {.count = 0};
    /* A line above may name the whole. */
    for (int tries = 0; tries < 2; number++) {
        if (!words_next_line(&rest, &line)) return false;
        if (is_rule(line)) continue;
        if (read_titles(importer, block, line, (uint32_t)number, &head, starts)) break;
        if (++tries == 2 || head.count > 1) return false;
    }
    table.rows = arena_zalloc(importer->arena, (line_count + 1) * sizeof *table.rows);
    table.rows[table.row_count++] = head;
    for (number++; words_next_line(&rest, &line); number++) {
        struct row *row = &table.rows[table.row_count];
        if (is_rule(line)) continue;
        memset(cells, 0, head.count * sizeof *cells);
        for (size_t at = 0, column = 0; next_drawn(line, &at, &cell);) {
            size_t start = (size_t)(cell.data - line.data);
            while (column + 1 < head.count && starts[column + 1] <= start + 1) column++;
            if (cells[column].text.len) continue;
            cells[column] = (struct cell){cell, place_in(importer, block, number, cell)};
            row->count = column + 1;
        }
        row->cells = arena_alloc(importer->arena, (row->count + 1) * sizeof *row->cells);
        memcpy(row->cells, cells, row->count * sizeof *cells);
        table.row_count++;
    }
    importer_table(importer, &table);
    return true;
}

bool importer_drawn(struct importer *importer, const struct block *block, size_t line_count) {
    if (!is_tree(importer, block)) return read_drawn_table(importer, block, line_count);
    read_tree(importer, block);
    return true;
}
