/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of client libraries in the text of a program, whatever its language: names,
 * brackets and quotes are enough.
 */
#include "catalog/usage.h"
#include "catalog/words.h"

enum { CALL_BYTES_MAX = 4096, CALL_DEPTH_MAX = 16, METHOD_NAME_MAX = 24 };

static size_t name_end(struct bytes text, size_t at) {
    while (at < text.len && word_is_name(text.data[at])) at++;
    return at;
}

static size_t blanks_end(struct bytes text, size_t at) {
    while (at < text.len && word_is_space(text.data[at])) at++;
    return at;
}

bool usage_quoted(struct bytes text, size_t at, struct bytes *ret_text, size_t *ret_end) {
    if (at + 1 < text.len && memchr("fFrRbB", text.data[at], 6) &&
        memchr("\"'", text.data[at + 1], 2))
        at++;
    if (at >= text.len || !memchr("\"'`", text.data[at], 3)) return false;
    char quote = text.data[at];
    size_t end = at + 1;
    while (end < text.len && text.data[end] != quote) {
        if (text.data[end] == '\n' && quote != '`') return false;
        end += 1 + (text.data[end] == '\\');
    }
    if (end >= text.len) return false;
    *ret_text = bytes_make(text.data + at + 1, end - at - 1);
    *ret_end = end + 1;
    return true;
}

static struct bytes last_name(struct bytes path) {
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '.') at--;
    return words_from(path, at);
}

/* "name = text", "name = 300": remembered, the later one first. */
static void note_assignment(struct bytes text, size_t at, size_t end, struct usage_names *names) {
    size_t value = blanks_end(text, end), after;
    struct bytes content;
    if (value >= text.len || text.data[value] != '=' || value + 1 >= text.len ||
        text.data[value + 1] == '=')
        return;
    value = blanks_end(text, value + 1);
    if (usage_quoted(text, value, &content, &after)) {
        if (words_index(content, TEMPLATE_SEPARATOR) == content.len &&
            words_index(content, '{') == content.len)
            return;
    } else {
        for (after = value; after < text.len && memchr("0123456789_* ", text.data[after], 13);)
            after++;
        if (after == value) return;
        content = words_trim(bytes_make(text.data + value, after - value));
    }
    size_t max = sizeof names->items / sizeof *names->items;
    if (names->count == max) return;
    names->items[names->count].name = bytes_make(text.data + at, end - at);
    names->items[names->count++].text = content;
}

struct bytes usage_look_up(const struct usage_names *names, struct bytes name, bool number) {
    for (size_t i = names->count; i > 0; i--) {
        struct bytes text = names->items[i - 1].text;
        if (text.len && word_is_digit(text.data[0]) == number &&
            bytes_equal(names->items[i - 1].name, name))
            return text;
    }
    return (struct bytes){0};
}

/* One argument, up to a ',' or ')' of its own level. */
static size_t argument_end(struct bytes text, size_t at) {
    unsigned depth = 0;
    for (; at < text.len; at++) {
        char c = text.data[at];
        struct bytes content;
        size_t end;
        if (memchr("\"'`", c, 3) && usage_quoted(text, at, &content, &end)) {
            at = end - 1;
            continue;
        }
        if (memchr("([{", c, 3) && ++depth > CALL_DEPTH_MAX) return text.len;
        if (memchr(")]}", c, 3) && depth-- == 0) return at;
        if (c == ',' && depth == 0) return at;
        if (c == '#' || (c == '/' && at + 1 < text.len && text.data[at + 1] == '/')) {
            while (at + 1 < text.len && text.data[at + 1] != '\n') at++;
        }
    }
    return at;
}

/* Comments between arguments are none of them. */
static size_t skip_comment(struct bytes text, size_t at) {
    at = blanks_end(text, at);
    while (at < text.len && (text.data[at] == '#' || words_start(words_from(text, at), "//"))) {
        while (at < text.len && text.data[at] != '\n') at++;
        at = blanks_end(text, at);
    }
    return at;
}

/* Whether more is joined to the text before: "a:" + id, "a:" . $id. */
static bool joined(struct bytes rest) {
    while (rest.len && word_is_space(rest.data[0])) rest = words_from(rest, 1);
    return words_start(rest, "+") || words_start(rest, ". ") || words_start(rest, "..");
}

static size_t read_arguments(struct bytes text, size_t at, const struct usage_names *names,
                             struct usage *usage) {
    for (;;) {
        struct bytes content;
        size_t end, quote_end;
        at = skip_comment(text, at);
        if (at >= text.len || text.data[at] == ')') return at;
        end = argument_end(text, at);
        if (!usage_quoted(text, at, &content, &quote_end)) {
            content = words_trim(bytes_make(text.data + at, end - at));
            struct bytes known = usage_look_up(names, last_name(content), usage->count > 0);
            if (known.data) content = known;
        } else if (usage->count == 0 && joined(words_from(text, quote_end))) {
            content = words_trim(bytes_make(text.data + at, end - at));
        }
        if (usage->count < USAGE_ARGUMENTS_MAX) usage->arguments[usage->count++] = content;
        if (end >= text.len || text.data[end] == ')') return end;
        at = end + 1;
    }
}

static const struct command_facts *method_facts(struct bytes name) {
    char plain[METHOD_NAME_MAX];
    size_t len = 0;
    if (words_are(name, "delete")) return command_facts(BYTES("del"));
    if (words_are(name, "leftpush|listleftpush")) return command_facts(BYTES("lpush"));
    if (words_are(name, "rightpush|listrightpush")) return command_facts(BYTES("rpush"));
    if (words_are(name, "leftpop")) return command_facts(BYTES("lpop"));
    if (words_are(name, "rightpop")) return command_facts(BYTES("rpop"));
    if (words_are(name, "stringset")) return command_facts(BYTES("set"));
    if (words_are(name, "hashset")) return command_facts(BYTES("hset"));
    if (words_are(name, "setadd")) return command_facts(BYTES("sadd"));
    if (words_are(name, "sortedsetadd")) return command_facts(BYTES("zadd"));
    if (words_are(name, "streamadd")) return command_facts(BYTES("xadd"));
    if (words_are(name, "scan_iter|scaniterator|scanstream")) return command_facts(BYTES("scan"));
    for (size_t i = 0; i < name.len && len < sizeof plain; i++) {
        if (name.data[i] != '_') plain[len++] = name.data[i];
    }
    return command_facts(bytes_make(plain, len));
}

static void drop_first(struct usage *usage) {
    memmove(usage->arguments, usage->arguments + 1, --usage->count * sizeof *usage->arguments);
}

/* Some libraries take a context before the key. */
static void drop_context(struct usage *usage) {
    if (usage->count >= 2 &&
        words_are(usage->arguments[0],
                  "ctx|context|context.background()|context.todo()|c.context()"))
        drop_first(usage);
}

/* redis.call('INCR', KEYS[1]): the command is the first argument. */
static bool shift_command(struct usage *usage) {
    const struct command_facts *command =
        usage->count >= 2 ? command_facts(usage->arguments[0]) : NULL;
    if (!command) return false;
    usage->command = command;
    drop_first(usage);
    return true;
}

bool usage_next_call(struct bytes text, size_t *at, struct usage_names *assigned,
                     struct usage *ret_usage, size_t *ret_start) {
    for (size_t i = *at; i < text.len; i++) {
        bool first = i == 0 || !word_is_name(text.data[i - 1]);
        if (!first || !word_is_letter(text.data[i])) continue;
        size_t end = name_end(text, i);
        note_assignment(text, i, end, assigned);
        bool arrow = i > 1 && (words_start(bytes_make(text.data + i - 2, 2), "->") ||
                               words_start(bytes_make(text.data + i - 2, 2), "::"));
        bool method = arrow || (i > 0 && text.data[i - 1] == '.');
        size_t open = blanks_end(text, end);
        struct bytes name = bytes_make(text.data + i, end - i);
        const struct command_facts *command = method ? method_facts(name) : NULL;
        bool script = method && words_are(name, "call|pcall");
        if (script) command = command_facts(BYTES("get"));
        if (!command || open >= text.len || !memchr("(,", text.data[open], 2)) {
            i = end - 1;
            continue;
        }
        /* A method that is handed on, "redis.setex, key"; not just any member, "self.ttl, x". */
        if (text.data[open] == ',' && !command->type &&
            !(command->flags & (USAGE_CHANNEL | USAGE_EXPIRES))) {
            i = end - 1;
            continue;
        }
        struct usage usage = {.command = command, .called = true};
        size_t far = open + CALL_BYTES_MAX;
        struct bytes call = words_until(text, far < text.len ? far : text.len);
        size_t close = read_arguments(call, open + 1, assigned, &usage);
        drop_context(&usage);
        if (script && !shift_command(&usage)) {
            i = end - 1;
            continue;
        }
        usage.text = bytes_make(text.data + i, close - i);
        usage_find_lifetime(&usage);
        *ret_usage = usage;
        *ret_start = i;
        *at = end;
        return true;
    }
    *at = text.len;
    return false;
}
