/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fenced blocks. A line is a key with a comment, a property under a key ("- TTL: 24 hours"), or a
 * command; the block as a whole may be drawn, or a program with calls of client libraries.
 */
#include "catalog/markdown_inside.h"
#include "catalog/markdown_prefix.h"
#include "catalog/words.h"

enum { VALUE_LINES_MAX = 200 };

struct code {
    struct importer *importer;
    const struct block *block;
    bool program; /* statements, not keys, are what stands in it */
    bool bad;     /* after "# Bad", until "# Good" */
    bool shown;   /* the words before the block announce examples */
    bool examples;
    bool fresh;          /* the next key begins a group */
    bool keys;           /* the block has had lines that are keys */
    bool fields;         /* the items that follow are fields, until another line comes */
    const char *remarks; /* what ends the comment of a program that a line is in */
    struct bytes label;
    bool label_near; /* no empty line since */
    bool *bad_lines; /* by line, from 0 */
    size_t line_count;
};

/* The text behind a comment's mark; false when the line is no comment. */
bool words_comment(struct bytes line, struct bytes *ret_text) {
    size_t mark = words_start(line, "//") || words_start(line, "-- ") ? 2
                  : words_start(line, "#")                            ? 1
                                                                      : 0;
    if (mark == 0) return false;
    *ret_text = words_trim(words_from(line, mark));
    return true;
}

static void read_comment_line(struct code *code, struct bytes text) {
    if (words_until_wrong(text) == 0 || words_have_any(text, wrong_words)) {
        code->bad = words_find_whole(text, "good") != 0;
    } else if (words_start(text, "\xe2\x9c\x85") ||
               words_have_any(text, "good|correct|better|right|do this|instead|secure|safe")) {
        code->bad = false;
    }
    code->examples = code->shown || words_have_any(text, "example|examples|e.g.");
    code->label = text;
    code->label_near = true;
    code->fresh = true;
}

static struct place place_in(const struct code *code, size_t line, struct bytes text) {
    return document_place(code->importer->document, code->block->place.line + (uint32_t)line, text);
}

/* What stands behind a key: its comment, without the mark before it.
 * False when it is no comment. */
bool words_key_comment(struct bytes rest, bool program, struct bytes *ret_comment) {
    size_t blanks = 0;
    while (blanks < rest.len && word_is_space(rest.data[blanks])) blanks++;
    rest = words_trim(rest);
    *ret_comment = rest;
    if (rest.len == 0) return true;
    if (words_comment(rest, ret_comment)) return true;
    if (program) return false;
    if (words_start(rest, "\xe2\x80\x94") || words_start(rest, "\xe2\x86\x92") ||
        words_start(rest, "\xe2\x80\x93")) {
        *ret_comment = words_trim(words_from(rest, 3));
        return true;
    }
    if (words_start(rest, "- ") || words_start(rest, "-- ") || words_start(rest, "-> ") ||
        words_start(rest, "=> ") || words_start(rest, ": ") || words_start(rest, "| ") ||
        words_start(rest, "= ")) {
        *ret_comment = words_trim(words_from(rest, words_index(rest, ' ')));
        return true;
    }
    return rest.data[0] == '(' || blanks >= 2 || words_leading_type(rest) != PATTERN_TYPE_UNSTATED;
}

static void note_group(struct code *code, size_t pattern) {
    struct importer *importer = code->importer;
    if (code->fresh || pattern != importer->group_end) importer->group_first = pattern;
    importer->group_end = pattern + 1;
    code->fresh = false;
}

/* What stands in brackets in the comment above keys: "# Who is online (set)". */
static struct bytes label_remark(const struct code *code) {
    size_t open = words_index(code->label, '(');
    if (open == code->label.len) return (struct bytes){0};
    struct bytes inner = words_from(code->label, open + 1);
    return words_until(inner, words_index(inner, ')'));
}

/* It is taken where the key's own line does not say it. */
static void use_label(struct code *code, size_t pattern, struct place place) {
    struct bytes remark = label_remark(code);
    if (!code->label_near) return;
    if (!code->importer->catalog->patterns[pattern].type && words_leading_type(remark))
        importer_type(code->importer, pattern, remark, place, true);
    if (!code->importer->catalog->patterns[pattern].lifetime.kind)
        importer_lifetime_beside(code->importer, pattern, remark, place);
}

/* "cart:{id}: a list": the last colon parts the key from what is said of it. With nothing or a
 * comment behind, it stays: the key is a family. */
static void cut_colon(struct bytes *word, struct bytes *rest) {
    struct bytes behind = words_trim(*rest);
    if (!words_end(*word, "}:") && !words_end(*word, ">:")) return;
    if (behind.len == 0 || !word_is_letter(behind.data[0])) return;
    word->len--;
    *rest = bytes_make(word->data + word->len,
                       (size_t)(rest->data + rest->len - word->data) - word->len);
}

/* A line that begins with a key. */
static bool read_key_line(struct code *code, struct bytes line, size_t number) {
    struct importer *importer = code->importer;
    const struct section *section = section_at(importer, importer->current);
    struct bytes rest = line, word, key, comment;
    bool program = code->program && !code->remarks;
    if (!words_next(&rest, &word)) return false;
    cut_colon(&word, &rest);
    if (!words_key_comment(rest, program, &comment)) return false;
    enum key_text kind = key_text_read(word, code->keys && comment.len, importer->arena, &key);
    struct place place = place_in(code, number, word);
    if (kind == KEY_TEXT_NONE || word.data[0] == '"' || word.data[0] == '\'') return false;
    if (code->program && (comment.len == 0 || kind == KEY_TEXT_FAMILY)) return false;
    if (code->remarks && kind != KEY_TEXT_TEMPLATE && !words_leading_type(comment) &&
        !(code->keys && words_tell_lifetime(comment)))
        return false;
    if (code->bad || (section && section->bad)) return true;
    if (kind == KEY_TEXT_GRAMMAR ||
        (kind == KEY_TEXT_TEMPLATE && section && section->grammar &&
         words_find(key, "}:{") < key.len && word.data[0] == '{' && comment.len == 0)) {
        if (!importer->catalog->grammar)
            importer->catalog->grammar = catalog_copy(importer->catalog, words_bare(word));
        return true;
    }
    bool example = code->examples || (section && section->examples);
    if (kind == KEY_TEXT_FAMILY) {
        if (example) return true;
        if (importer_add_family(importer, key, place, true))
            importer_describe_family(importer, comment);
        return true;
    }
    if (kind == KEY_TEXT_LITERAL && example) {
        importer_add_example(importer, key, place, NO_PATTERN);
        return true;
    }
    struct found found = {.key = key, .kind = kind, .place = place};
    if (!words_leading_type(comment) && importer_take_example(importer, &found)) return true;
    found.channel = section && section->channels;
    if (words_have_any(code->label, "channel|channels") && !words_leading_type(comment) &&
        !words_leading_type(label_remark(code)))
        found.channel = true;
    size_t pattern = importer_add(importer, &found);
    if (pattern == NO_PATTERN) return true;
    code->keys = true;
    note_group(code, pattern);
    if (comment.len == 0 || !importer_strict_pieces(importer, pattern, comment, place))
        importer_comment(importer, pattern, comment.len ? comment : code->label, place);
    use_label(code, pattern, place);
    importer_purpose(importer, pattern);
    return true;
}

/* The mark of an item, or the branch drawn before it, is taken off the front of a line. */
static bool skip_item_mark(struct bytes *line) {
    static const char *const marks[] = {"- ", "* ", "\xe2\x80\xa2 "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!words_start(*line, marks[i])) continue;
        *line = words_trim(words_from(*line, strlen(marks[i])));
        return true;
    }
    if (!words_start(*line, "\xe2\x94") && !words_start(*line, "|--") && !words_start(*line, "`--"))
        return false;
    words_tree_indent(*line, line);
    return true;
}

/* "Key: cart:{id}": what stands below describes it. */
static bool read_key_label(struct code *code, struct bytes label, struct bytes value,
                           size_t number) {
    struct importer *importer = code->importer;
    struct bytes rest = value, word, key;
    bool format = words_are(label, "format");
    if ((!format && !is_key_label(label)) || !words_next(&rest, &word)) return false;
    struct found found = {.place = place_in(code, number, word)};
    found.kind = key_text_read(word, false, importer->arena, &key);
    found.key = key;
    if (found.kind != KEY_TEXT_TEMPLATE && (format || found.kind != KEY_TEXT_LITERAL)) return false;
    importer_close_group(importer);
    if (!importer_take_example(importer, &found))
        importer_key_label(importer, label, value, found.place.line, 0);
    return true;
}

/* What an item below keys says of them, when it is no property: a field of theirs, or a remark. */
static bool read_plain_item(struct code *code, struct bytes text, struct place place, bool drawn) {
    struct importer *importer = code->importer;
    struct bytes name = words_until(text, words_index(text, ':'));
    size_t open = words_index(name, '(');
    name = words_trim(words_until(name, open > 0 ? open : name.len));
    bool all = true;
    for (size_t i = importer->group_first; i < importer->group_end; i++) {
        enum pattern_type type = importer->catalog->patterns[i].type;
        bool fields = code->fields || type == PATTERN_TYPE_HASH || type == PATTERN_TYPE_STREAM;
        if (fields && importer_field(importer, i, name)) continue;
        all = false;
        if (drawn && !importer_strict_pieces(importer, i, text, place))
            importer_comment(importer, i, text, place);
    }
    return all || drawn;
}

/* Whether an item is a key rather than said of one. */
static bool begins_with_key(const struct code *code, struct bytes text, bool literals) {
    struct bytes word, key, comment;
    if (!words_next(&text, &word)) return false;
    cut_colon(&word, &text);
    literals |= words_key_comment(text, false, &comment) && words_leading_type(comment);
    enum key_text kind = key_text_read(word, false, code->importer->arena, &key);
    return kind == KEY_TEXT_TEMPLATE || (kind == KEY_TEXT_LITERAL && literals);
}

/* "- Type: Hash", "TTL: 2 hours", "Fields:" and the items below it: what
 * is said of the keys above. */
static bool read_property_line(struct code *code, struct bytes line, size_t number) {
    struct importer *importer = code->importer;
    struct bytes text = line;
    if (code->program) return false;
    bool item = skip_item_mark(&text), drawn = item && !memchr("-*", line.data[0], 2);
    size_t colon = words_index(text, ':');
    struct bytes label = words_trim(words_until(text, colon));
    struct bytes value = colon < text.len ? words_trim(words_from(text, colon + 1)) : text;
    if (words_are(words_trim(line), "example:|examples:|e.g.:")) {
        code->examples = true;
        return true;
    }
    if (colon < text.len && read_key_label(code, label, value, number)) return true;
    if (!item) code->fields = false;
    bool below = importer->group_first != importer->group_end;
    /* Branches below no key are those of a tree of files. */
    if (item && !code->fields && (below || !drawn) &&
        begins_with_key(code, text, drawn || code->examples))
        return read_key_line(code, text, number);
    if (!below) return false;
    bool known = colon < text.len && is_property_label(label) && !(item && code->fields);
    if (!item && !(known && words_start(words_from(text, colon + 1), value.len ? " " : "")))
        return false;
    struct place place = place_in(code, number, value);
    code->fresh = true;
    if (known && value.len == 0 && words_are(label, "fields|hash fields")) {
        code->fields = true;
    } else if (known) {
        for (size_t i = importer->group_first; i < importer->group_end; i++)
            importer_property(importer, i, label, value, place);
    } else if (!read_plain_item(code, text, place, drawn)) {
        importer_unread(importer, place_in(code, number, text), "this property", text);
    }
    return true;
}

/* The words of a line within a comment or a text of a program that spans lines, or of
 * one that is all comment. */
static bool take_remark(struct code *code, struct bytes line, struct bytes *ret_text) {
    static const char *const begins[] = {"/*", "\"\"\"", "'''"}, *const ends[] = {"*/", "\"\"\"",
                                                                                  "'''"};
    size_t skip = 0;
    for (size_t i = 0; i < 3 && !code->remarks; i++) {
        if (!words_start(line, begins[i])) continue;
        code->remarks = ends[i];
        skip = strlen(begins[i]);
    }
    if (!code->remarks) return words_comment(line, ret_text);
    line = words_from(line, skip);
    if (words_find(line, code->remarks) < line.len) code->remarks = NULL;
    while (line.len && memchr("/* ", line.data[0], 3)) line = words_from(line, 1);
    *ret_text = line;
    return true;
}

/* What the comments of a program say of keys: "// - user:{id} -> hash", "Format: user:{id}". */
static void read_remark(struct code *code, struct bytes text, size_t number) {
    const char *remarks = code->remarks;
    size_t digits = 0;
    while (text.len && memchr("/! ", text.data[0], 3)) text = words_from(text, 1);
    while (digits < text.len && word_is_digit(text.data[digits])) digits++;
    if (digits && words_start(words_from(text, digits), ". ")) text = words_from(text, digits + 2);
    skip_item_mark(&text);
    size_t colon = words_index(text, ':');
    struct bytes value = words_trim(words_from(text, colon < text.len ? colon + 1 : colon));
    code->remarks = "*/";
    if (!read_key_label(code, words_trim(words_until(text, colon)), value, number))
        read_key_line(code, text, number);
    code->remarks = remarks;
}

static void read_line(struct code *code, struct bytes raw, size_t number) {
    struct bytes line = words_trim(raw), text;
    struct usage usage;
    if (line.len == 0) {
        code->fresh = true;
        code->label_near = false;
        return;
    }
    bool spans = code->remarks;
    if (code->program ? take_remark(code, line, &text) : words_comment(line, &text)) {
        if (!spans && words_comment(line, &text)) read_comment_line(code, text);
        if (code->program) read_remark(code, text, number);
        return;
    }
    if (read_property_line(code, line, number) || read_key_line(code, line, number)) return;
    if (usage_read_line(line, &usage)) {
        importer_add_usage(code->importer, &usage, place_in(code, number, line), code->label,
                           code->bad);
        code->label = (struct bytes){0};
        return;
    }
    struct bytes rest = line, word, key;
    while (!code->program && words_next(&rest, &word)) {
        if (key_text_read(word, false, code->importer->arena, &key) != KEY_TEXT_TEMPLATE) continue;
        importer_unread(code->importer, place_in(code, number, word), "this line", line);
        return;
    }
}

static bool is_program(struct bytes info) {
    return words_are(info,
                     "python|py|javascript|js|typescript|ts|tsx|jsx|go|java|ruby|rb|php|c|c++|"
                     "cpp|c#|csharp|rust|kotlin|lua|scala|swift|elixir");
}

/* Settings and drawings are not read; templates in their quotes are told
 * where nothing describes them. */
static void note_texts(struct importer *importer, const struct block *block) {
    struct bytes rest = block->text, line, text, key;
    for (uint32_t number = 0; words_next_line(&rest, &line); number++) {
        size_t end;
        for (size_t at = 0; at < line.len && line.len < 1000; at++) {
            if (line.data[at] != '"' && line.data[at] != '\'') continue;
            if (!usage_quoted(line, at, &text, &end)) break;
            at = end - 1;
            if (key_text_read(text, false, importer->arena, &key) != KEY_TEXT_TEMPLATE) continue;
            struct definition *definition = arena_zalloc(importer->arena, sizeof *definition);
            *definition = (struct definition){
                .found = {.key = key,
                          .kind = KEY_TEXT_TEMPLATE,
                          .place =
                              document_place(importer->document, block->place.line + number, text)},
                .only_told = true,
                .section = importer->current,
                .next = importer->definitions};
            importer->definitions = definition;
        }
    }
}

/* How many lines further a value reaches whose brackets a line leaves open; SIZE_MAX
 * when they are not closed. */
static size_t open_lines(struct bytes line, struct bytes rest) {
    long depth = 0;
    size_t lines = 0;
    for (;; lines++) {
        for (size_t i = 0; i < line.len; i++)
            depth += memchr("{[", line.data[i], 2) ? 1 : memchr("}]", line.data[i], 2) ? -1 : 0;
        if (depth <= 0) return lines;
        if (lines == VALUE_LINES_MAX || !words_next_line(&rest, &line)) return SIZE_MAX;
    }
}

/* Whether the words before a block announce examples: "**Example:**". */
static bool announces_examples(const struct importer *importer) {
    const struct block *before =
        importer->block > 0 ? &importer->document->blocks[importer->block - 1] : NULL;
    return before && before->kind != BLOCK_TABLE && before->kind != BLOCK_CODE &&
           before->text.len < 80 && words_have_any(before->text, "example|examples|e.g.");
}

void importer_code(struct importer *importer, const struct block *block) {
    struct code code = {.importer = importer, .block = block, .program = is_program(block->info)};
    struct bytes rest = block->text, line;
    if (words_are(block->info,
                  "yaml|yml|json|xml|html|sql|dockerfile|ini|toml|css|diff|mermaid|env|"
                  "nginx|hcl|svg|csv")) {
        note_texts(importer, block);
        return;
    }
    importer->group_first = importer->group_end = 0;
    code.fresh = true;
    code.shown = code.examples = announces_examples(importer);
    while (words_next_line(&rest, &line)) code.line_count++;
    code.bad_lines = arena_zalloc(importer->arena, code.line_count + 1);
    if (!code.program && importer_drawn(importer, block, code.line_count)) return;
    rest = block->text;
    size_t open = 0;
    bool unclosed = false; /* nor looked for again, line by line */
    for (size_t number = 0; words_next_line(&rest, &line); number++) {
        if (open > 0) {
            open--;
            continue;
        }
        read_line(&code, line, number);
        code.bad_lines[number] = code.bad;
        if (!code.program && !unclosed) open = open_lines(line, rest);
        unclosed |= open == SIZE_MAX;
        if (unclosed) open = 0;
    }
    importer->record = false;
    if (code.program) importer_program(importer, block, code.bad_lines, code.line_count);
}
