/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Programs: what they give names to ("USER_KEY = (id) => `user:${id}`", "return
 * f\"job:{id}\""), which are keys to guess, and the calls of client libraries that use them, by
 * those names or by their texts.
 */
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

struct program {
    struct importer *importer;
    const struct block *block;
    const bool *bad_lines;
    size_t line_count;
    struct usage_names names;
    struct bytes function;     /* the one whose body the line is in */
    struct bytes remark;       /* the comment on the line above */
    bool pairs;                /* keys with types have been seen */
    struct definition *object; /* the key of the object whose properties follow */
};

static struct place place_in(const struct program *program, size_t line, struct bytes text) {
    return document_place(program->importer->document, program->block->place.line + (uint32_t)line,
                          text);
}

/* Names in braces that the program gave a text are written out: f"{self.prefix}{id}". */
static struct bytes write_out(struct importer *importer, struct bytes text,
                              const struct usage_names *names) {
    char out[KEY_TEXT_MAX];
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        if (len == sizeof out) return text;
        struct bytes rest = words_from(text, at);
        size_t close = words_index(rest, '}'), before = len;
        if (rest.data[0] == '{' && close < rest.len) {
            struct bytes name = bytes_make(rest.data + 1, close - 1);
            size_t dot = name.len;
            while (dot > 0 && name.data[dot - 1] != '.') dot--;
            name = words_from(name, dot);
            for (size_t i = names->count; i > 0 && len == before; i--) {
                struct bytes value = names->items[i - 1].text;
                if (!bytes_equal(names->items[i - 1].name, name)) continue;
                if (value.len > sizeof out - len) return text;
                memcpy(out + len, value.data, value.len);
                len += value.len;
            }
            if (len > before) {
                at += close;
                continue;
            }
        }
        out[len++] = rest.data[0];
    }
    return arena_copy(importer->arena, bytes_make(out, len));
}

/* ---- expressions ---- */

static size_t skip_blanks(struct bytes text, size_t at) {
    while (at < text.len && word_is_space(text.data[at])) at++;
    return at;
}

/* The last name of a path: phone of "user.phone", of "user->phone()" and of "$phone". */
static size_t read_path(struct bytes text, size_t at, struct bytes *ret_name) {
    size_t start = at, end;
    for (;;) {
        while (at < text.len && memchr("$@&", text.data[at], 3)) at++;
        start = at;
        while (at < text.len && word_is_name(text.data[at])) at++;
        end = at;
        if (words_start(words_from(text, at), "()")) at += 2;
        size_t step =
            at < text.len && text.data[at] == '.' && at + 1 < text.len &&
                    word_is_letter(text.data[at + 1])
                ? 1
            : words_start(words_from(text, at), "->") || words_start(words_from(text, at), "::")
                ? 2
                : 0;
        if (end == start || step == 0) break;
        at += step;
    }
    *ret_name = bytes_make(text.data + start, end - start);
    return end > start ? at : start;
}

/* Texts and names joined with '+' or '.', from at on, as a template; its end in ret_end. False when
 * it does not begin with a text. */
static bool read_joined(struct importer *importer, struct bytes text, size_t at,
                        struct bytes *ret_text, size_t *ret_end) {
    char out[KEY_TEXT_MAX];
    struct bytes part;
    size_t len = 0, end;
    if (!usage_quoted(text, at, &part, &end) || part.len > sizeof out) return false;
    *ret_text = part;
    *ret_end = end;
    memcpy(out, part.data, part.len);
    len = part.len;
    for (unsigned joints = 0; joints < 16; joints++) {
        size_t next = skip_blanks(text, end);
        size_t sign = next >= text.len                            ? 0
                      : text.data[next] == '+'                    ? 1
                      : words_start(words_from(text, next), "..") ? 2
                      : text.data[next] == '.' && next > end      ? 1
                                                                  : 0;
        if (sign == 0) break;
        next = skip_blanks(text, next + sign);
        if (usage_quoted(text, next, &part, &end)) {
            if (part.len > sizeof out - len) return true;
            memcpy(out + len, part.data, part.len);
            len += part.len;
        } else {
            size_t after = read_path(text, next, &part);
            if (part.len == 0 || part.len + 2 > sizeof out - len) break;
            out[len++] = '{';
            memcpy(out + len, part.data, part.len);
            len += part.len;
            out[len++] = '}';
            end = after;
        }
        *ret_end = end;
        *ret_text = arena_copy(importer->arena, bytes_make(out, len));
    }
    return true;
}

/* The key that an argument is: a text, texts joined, a call with a text to fill in, or
 * a name known from before. */
static struct bytes resolve(struct program *program, struct bytes argument) {
    struct bytes text, name;
    size_t end, quote = 0;
    if (argument.len == 0 || argument.len > 1000) return argument;
    struct bytes whole = usage_look_up(&program->names, argument, false);
    if (whole.len) return whole;
    while (quote < argument.len && !memchr("\"'`", argument.data[quote], 3)) quote++;
    size_t open = words_index(argument, '(');
    if (quote > 0 && quote < argument.len && open < quote) {
        struct bytes front = words_until(argument, open);
        if (!words_have_any(front, "sprintf|format|fmt")) quote = argument.len;
    }
    if (quote > 0 && quote < argument.len && memchr("frbFRB", argument.data[quote - 1], 6)) quote--;
    if (quote < argument.len && read_joined(program->importer, argument, quote, &text, &end) &&
        (quote == 0 || open < quote))
        return text;
    name = words_until(argument, open);
    size_t dot = name.len;
    while (dot > 0 && word_is_name(name.data[dot - 1])) dot--;
    struct bytes known = usage_look_up(&program->names, words_from(name, dot), false);
    return known.len ? known : argument;
}

/* ---- definitions ---- */

static void add_name(struct usage_names *names, struct bytes name, struct bytes text) {
    if (name.len == 0 || names->count == USAGE_NAMES_MAX) return;
    names->items[names->count].name = name;
    names->items[names->count++].text = text;
}

/* Names of constants have capitals; those of variables of Python have none. */
static bool is_constant_name(struct bytes name) {
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] >= 'A' && name.data[i] <= 'Z') return true;
    }
    return false;
}

/* Constants and functions are known in blocks further down too; a variable is its block's own. */
static void remember(struct program *program, struct bytes name, struct bytes text) {
    bool function = name.len && name.data == program->function.data;
    add_name(&program->names, name, text);
    if (function || is_constant_name(name)) add_name(&program->importer->names, name, text);
}

static struct bytes name_before(struct bytes text, size_t at) {
    size_t end = at, start;
    while (end > 0 && memchr(" \t\"'?", text.data[end - 1], 5)) end--;
    for (start = end; start > 0 && word_is_name(text.data[start - 1]);) start--;
    return bytes_make(text.data + start, end - start);
}

/* The function that a line begins: its name stands before the first bracket,
 * behind a word that says so. */
static void note_function(struct program *program, struct bytes line) {
    size_t open = words_index(line, '(');
    if (open == line.len || open == 0) return;
    struct bytes front = words_until(line, open);
    /* "func (k Keys) cart(": the name is behind the receiver. */
    if (words_end(words_trim(front), "func")) {
        size_t close = words_index(line, ')');
        struct bytes rest = words_from(line, close < line.len ? close + 1 : close);
        open = line.len - rest.len + words_index(rest, '(');
        front = words_until(line, open);
    }
    if (!words_have_any(front, "def|func|function|fn|fun|string|public|private|static|protected"))
        return;
    struct bytes name = name_before(line, open);
    if (name.len && !words_are(name, "if|for|while|return|switch")) program->function = name;
}

/* Whether what stands before a text leaves it a value of its own: "KEY = ", "return fmt.Sprintf(",
 * "(id) => "; not the argument of any call. */
static bool is_value(struct bytes front) {
    static const char *const signs[] = {"=>", "=", "return", ":"};
    front = words_trim(front);
    if (words_end(front, "(")) {
        struct bytes call = words_until(front, front.len - 1);
        struct bytes name = name_before(call, call.len);
        bool constant = name.len > 1 && name.data == front.data;
        for (size_t i = 0; i < name.len; i++)
            constant &= !(name.data[i] >= 'a' && name.data[i] <= 'z');
        if (constant) return true;
        if (!words_are(name, "sprintf|format|string|of")) return false;
        size_t start = (size_t)(name.data - front.data);
        while (start > 0 && (word_is_name(front.data[start - 1]) || front.data[start - 1] == '.'))
            start--;
        front = words_trim(words_until(front, start));
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (words_end(front, signs[i])) return true;
    }
    return false;
}

/* What a text on a line is given to: a name before '=' or ':' (of a property), the function that
 * returns it, or the constant of an enum. Empty when it is only used. */
static struct bytes given_to(const struct program *program, struct bytes line, size_t quote) {
    struct bytes front = words_until(line, quote);
    size_t equal = words_index(front, '='), colon = words_index(front, ':');
    if (words_have_any(front,
                       "log|logger|print|println|printf|console|throw|raise|error|import|require|"
                       "url|uri|route|router|path|assert|expect|describe|permission|scope"))
        return (struct bytes){0};
    if (!is_value(front)) return (struct bytes){0};
    if (words_have(front, "return")) return program->function;
    if (colon < equal && colon + 1 < front.len && front.data[colon + 1] != ':') {
        struct bytes name = name_before(front, colon);
        if (name.len && words_index(words_until(front, colon), '(') == colon) return name;
    }
    if (colon < equal && words_index(front, '(') < colon) colon = equal; /* def key(id: str) = */
    if (equal < front.len && !(equal + 1 < front.len && front.data[equal + 1] == '=')) {
        size_t open = words_index(front, '(');
        return name_before(front, open < equal ? open : equal);
    }
    size_t open = words_index(front, '(');
    struct bytes name = name_before(front, open);
    bool constant =
        open + 1 >= words_trim(front).len && name.len > 1 && words_trim(front).data == name.data;
    for (size_t i = 0; i < name.len; i++) constant &= !(name.data[i] >= 'a' && name.data[i] <= 'z');
    return constant && open < front.len ? name : (struct bytes){0};
}

/* The comment at the end of a line of a program. */
static struct bytes line_comment(struct bytes rest) {
    for (size_t at = 0; at < rest.len; at++) {
        struct bytes from = words_from(rest, at);
        if (words_start(from, "//") || words_start(from, "# ") || words_start(from, "-- ") ||
            words_start(from, "/* ") || words_start(from, "/** ")) {
            size_t skip = from.data[0] == '#' ? 1 : words_start(from, "/**") ? 3 : 2;
            struct bytes remark = words_trim(words_from(from, skip));
            return words_trim(words_until(remark, words_find(remark, "*/")));
        }
    }
    return (struct bytes){0};
}

static const char telling_names[] =
    "key|keys|queue|channel|stream|lock|topic|set|list|zset|hash|cache";

/* Whether a name in capitals, or with small words in it, says that its text is a key:
 * "QUEUE_KEY", "cacheKey". */
static bool tells_key(struct bytes name) {
    static const char *const ends[] = {"Key", "Queue", "Channel", "Stream",
                                       "Set", "KEY",   "QUEUE",   "Lock"};
    if (words_have_any(name, telling_names)) return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (words_end(name, ends[i])) return true;
    }
    return false;
}

static bool is_prefix_name(struct bytes name) {
    return words_have_any(name, "prefix|prefixes") || words_end(name, "PREFIX") ||
           words_end(name, "Prefix");
}

/* A text that was given to a name: remembered, and a pattern to guess when it is a key. */
static void define(struct program *program, struct bytes name, struct bytes text, struct bytes rest,
                   size_t line) {
    struct importer *importer = program->importer;
    const struct section *section = section_at(importer, importer->current);
    struct bytes key, remark = line_comment(rest);
    enum key_text kind = key_text_read(text, false, importer->arena, &key);
    bool bad =
        (line < program->line_count && program->bad_lines[line]) || (section && section->bad);
    if (kind == KEY_TEXT_NONE || kind == KEY_TEXT_GRAMMAR) {
        /* A constant of one segment is a prefix. */
        if (!words_end(text, ":") || text.len < 3) return;
    } else if (!bad) {
        remember(program, name, text);
    }
    if (bad || words_index(text, TEMPLATE_SEPARATOR) == text.len) return;
    struct place place = place_in(program, line, text);
    if (kind == KEY_TEXT_LITERAL && is_prefix_name(name)) {
        key = bytes_from_string(arena_printf(importer->arena, "%.*s:*", (int)key.len, key.data));
        kind = KEY_TEXT_FAMILY;
    }
    if (kind == KEY_TEXT_NONE || kind == KEY_TEXT_FAMILY) {
        if (kind == KEY_TEXT_NONE) {
            if (!tells_key(name) && !is_prefix_name(name)) return;
            kind = key_text_read(text, true, importer->arena, &key);
        }
        if (kind == KEY_TEXT_FAMILY) importer_add_family(importer, key, place, true);
        return;
    }
    if (kind == KEY_TEXT_LITERAL && !(is_constant_name(name) && tells_key(name)) &&
        !words_leading_type(remark))
        return;
    if (kind == KEY_TEXT_TEMPLATE && !word_is_letter(key.data[0]) && key.data[0] != '{') return;
    if (remark.len == 0) remark = program->remark;
    if (words_have_any(remark, "typo|wrong|bad|old|deprecated|legacy|don't|returns")) return;
    bool channel = words_have_any(name, "channel|channels|topic") || words_end(name, "Channel") ||
                   (section && section->channels);
    struct definition *definition = arena_zalloc(importer->arena, sizeof *definition);
    definition->found = (struct found){
        .key = key, .kind = kind, .place = place, .channel = channel, .guessed = true};
    definition->section = importer->current;
    definition->remark = remark;
    if (!usage_duration(rest, &definition->lifetime_ms)) definition->lifetime_ms = 0;
    definition->next = importer->definitions;
    importer->definitions = definition;
    if (words_are(name, "pattern|key|template|keypattern|key_pattern"))
        program->object = definition;
}

/* "ttl: 300," beside "pattern: 'seen:{id}'," in one object: seconds, unless
 * its name says otherwise. */
static void read_object_line(struct program *program, struct bytes line) {
    size_t colon = words_index(line, ':');
    int64_t number, unit = 1000;
    if (!program->object) return;
    if (words_start(line, "}") || words_start(line, ")")) program->object = NULL;
    if (colon == line.len || !program->object || program->object->lifetime_ms) return;
    struct bytes name = words_trim(words_until(line, colon)), value = words_from(line, colon + 1);
    value = words_trim(words_until(value, words_index(value, '/')));
    value = words_trim(words_until(value, words_index(value, ',')));
    if (words_end(name, "Ms") || words_end(name, "_ms")) unit = 1;
    while (name.len && memchr("\"' ", name.data[0], 3)) name = words_from(name, 1);
    if (words_find(name, "ttl") != 0 && words_find(name, "expir") != 0 &&
        words_find(name, "lifetime") != 0)
        return;
    if (usage_number(value, &number) && number > 0 && number <= LIFETIME_MAX_MS / unit)
        program->object->lifetime_ms = number * unit;
}

/* "'seen:{id}': 'hash'": a key with nothing but its type. Single words are
 * keys too once others were. */
static bool read_pair(struct program *program, struct bytes text, struct bytes rest, size_t line) {
    struct importer *importer = program->importer;
    struct bytes type, key;
    size_t end, at = skip_blanks(rest, 0);
    bool colon = at < rest.len && rest.data[at] == ':';
    if (!colon && !words_start(words_from(rest, at), "=>")) return false;
    at = skip_blanks(rest, at + (colon ? 1 : 2));
    if (at >= rest.len || !usage_quoted(rest, at, &type, &end)) return false;
    if (!words_are(type, "string|hash|list|set|zset|sorted set|sorted_set|sorted-set|stream"))
        return false;
    struct found found = {.guessed = true, .place = place_in(program, line, text)};
    found.kind = key_text_read(text, program->pairs, importer->arena, &key);
    found.key = key;
    if (found.kind != KEY_TEXT_TEMPLATE && found.kind != KEY_TEXT_LITERAL) return false;
    program->pairs = true;
    struct definition *definition = arena_zalloc(importer->arena, sizeof *definition);
    *definition = (struct definition){.found = found,
                                      .section = importer->current,
                                      .remark = type,
                                      .next = importer->definitions};
    importer->definitions = definition;
    return true;
}

static void read_definitions(struct program *program) {
    struct bytes left = program->block->text, line, text;
    for (size_t number = 0; words_next_line(&left, &line); number++) {
        struct bytes trimmed = words_trim(line), remark;
        size_t end;
        bool comment = words_start(trimmed, "//") || words_start(trimmed, "#") ||
                       words_start(trimmed, "-- ") ||
                       (words_start(trimmed, "/*") && words_end(trimmed, "*/"));
        if (comment) {
            remark = line_comment(trimmed);
            program->remark = remark;
            /* KEYS[1] = quota:{tenant} */
            size_t equal = words_index(remark, '=');
            struct bytes name = words_trim(words_until(remark, equal)), word = {0};
            struct bytes value = words_from(remark, equal < remark.len ? equal + 1 : equal);
            if (words_start(name, "KEYS[") && words_end(name, "]") && words_next(&value, &word))
                remember(program, name, words_bare(word));
            continue;
        }
        read_object_line(program, trimmed);
        note_function(program, line);
        for (size_t at = 0; at < line.len && line.len < 1000; at++) {
            if (line.data[at] == '#' || words_start(words_from(line, at), "//")) break;
            if (!memchr("\"'`", line.data[at], 3)) continue;
            size_t quote = at;
            if (quote > 0 && memchr("fF", line.data[quote - 1], 2)) quote--;
            if (!read_joined(program->importer, line, quote, &text, &end)) break;
            if (read_pair(program, text, words_from(line, end), number)) break;
            struct bytes name = given_to(program, line, quote);
            if (name.len) define(program, name, text, words_from(line, end), number);
            if (name.len) break;
            at = end - 1;
        }
        program->remark = (struct bytes){0};
    }
}

static void read_calls(struct program *program) {
    struct importer *importer = program->importer;
    struct bytes text = program->block->text;
    struct usage usage;
    size_t at = 0, start, line = 0, counted = 0;
    while (usage_next_call(text, &at, &program->names, &usage, &start)) {
        for (; counted < start; counted++) line += text.data[counted] == '\n';
        if (usage.count && !(usage.command->flags & USAGE_GLOB)) {
            struct bytes key = usage.arguments[0];
            bool plain = words_index(key, TEMPLATE_SEPARATOR) < key.len &&
                         !memchr(key.data, '"', key.len) && !memchr(key.data, '\'', key.len) &&
                         !memchr(key.data, '`', key.len);
            if (!plain) key = resolve(program, key);
            if (words_index(key, '{') < key.len) key = write_out(importer, key, &program->names);
            usage.arguments[0] = key;
        }
        bool bad = line < program->line_count && program->bad_lines[line];
        importer_add_usage(importer, &usage, place_in(program, line, words_until(usage.text, 12)),
                           (struct bytes){0}, bad);
    }
}

void importer_program(struct importer *importer, const struct block *block, const bool *bad_lines,
                      size_t line_count) {
    struct program *program = arena_zalloc(importer->arena, sizeof *program);
    *program = (struct program){
        .importer = importer, .block = block, .bad_lines = bad_lines, .line_count = line_count};
    program->names = importer->names;
    read_definitions(program);
    read_calls(program);
}
