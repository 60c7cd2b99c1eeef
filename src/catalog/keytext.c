/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/keytext.h"

#include "base/buffer.h"
#include "catalog/template.h"
#include "catalog/words.h"

struct state {
    char out[KEY_TEXT_MAX + 64];
    size_t len;
    unsigned variables, literals; /* bytes of literals, without separators */
    unsigned separators, stars, optional, unnamed, depth;
    bool sure, lower; /* lower: a small letter stands before */
    bool shell;       /* a variable is written as those of shells: $ENV */
};

static size_t read_one(struct state *state, struct bytes text);

static bool put(struct state *state, char c) {
    if (state->len >= sizeof state->out - 2) return false;
    state->out[state->len++] = c;
    return true;
}

/* "sha1(query)" is the query, "self.id" and "$this->id" are ids. */
static struct bytes innermost_name(struct bytes name) {
    name = words_trim(name);
    size_t open = words_index(name, '(');
    struct bytes inner = words_from(name, open < name.len ? open + 1 : open);
    inner = words_trim(words_until(inner, words_index(inner, ')')));
    if (inner.len && (word_is_letter(inner.data[0]) || inner.data[0] == '$')) name = inner;
    if (words_start(name, "self.") || words_start(name, "this.")) name = words_from(name, 5);
    for (size_t arrow; (arrow = words_find(name, "->")) < name.len;)
        name = words_from(name, arrow + 2);
    while (name.len && memchr("$@#:", name.data[0], 4)) name = words_from(name, 1);
    return name;
}

static bool has_variable(const struct state *state, size_t end, struct bytes name) {
    for (size_t i = 0; i + name.len + 1 < end; i++) {
        if (state->out[i] == '{' && memcmp(state->out + i + 1, name.data, name.len) == 0 &&
            state->out[i + 1 + name.len] == '}')
            return true;
    }
    return false;
}

/* A name that the key has already gets a number. */
static bool put_distinct(struct state *state, size_t start) {
    for (int digit = '2'; digit <= '9'; digit++) {
        struct bytes name = bytes_make(state->out + start, state->len - start);
        if (!has_variable(state, start, name)) return true;
        if (digit > '2') state->len--;
        if (!put(state, (char)digit)) return false;
    }
    return false;
}

/* A variable, its name brought to letters, digits and '_'; "{ids...}",
 * "{userId:uuid}" and "{flow_id}" are. */
static bool put_variable(struct state *state, struct bytes name) {
    name = innermost_name(name);
    size_t end = 0, start;
    if (name.len == 0 || name.len > 64) return false;
    if (!word_is_letter(name.data[0]) && name.data[0] != '_') return false;
    if (!put(state, '{')) return false;
    start = state->len;
    for (; end < name.len; end++) {
        char c = name.data[end];
        if (c == ':' || c == '!' || c == '|') break; /* a format or a kind of its own follows */
        if (memchr(".- /,", c, 5)) c = '_';
        if (memchr("()?'\"[]", c, 7)) continue;
        if (!word_is_name(c) || !put(state, c)) return false;
    }
    while (state->out[state->len - 1] == '_') state->len--;
    state->variables++;
    return state->out[state->len - 1] != '{' && put_distinct(state, start) && put(state, '}');
}

static bool put_unnamed(struct state *state) {
    char name[8] = "var";
    name[3] = (char)('1' + state->unnamed % 9);
    state->unnamed++;
    return state->unnamed < 9 && put_variable(state, bytes_make(name, 4));
}

/* ---- the ways to write a variable: each returns its length, 0 when it stands not there ---- */

/* Where the brace that opens the text is closed, those within it counted. */
static size_t closing_brace(struct bytes text) {
    unsigned depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '{') depth++;
        if (text.data[i] == '}' && --depth == 0) return i;
    }
    return text.len;
}

/* A brace that is one, not the begin or end of a variable. */
static bool put_twice(struct state *state, char brace) {
    for (int i = 0; i < 2; i++)
        if (!put(state, brace)) return false;
    return true;
}

/* "{user:{id}}", "{<id>}" and "{user:42}" keep their braces: they decide about the slot. */
static size_t read_hash_tag(struct state *state, struct bytes text, size_t close) {
    struct bytes inner = bytes_make(text.data + 1, close - 1);
    size_t colon = words_index(inner, TEMPLATE_SEPARATOR);
    bool nested = (words_index(inner, '{') < inner.len && !words_start(inner, "{")) ||
                  words_start(inner, "<") || words_start(inner, "%");
    bool number = colon > 0 && colon + 1 < inner.len;
    for (size_t i = colon + 1; i < inner.len; i++) number &= word_is_digit(inner.data[i]);
    if ((!nested && !number) || state->depth > 0) return 0;
    if (!put_twice(state, '{')) return 0;
    state->depth++;
    for (struct bytes rest = number ? words_until(inner, colon + 1) : inner; rest.len;) {
        size_t taken = read_one(state, rest);
        if (taken == 0) return 0;
        rest = words_from(rest, taken);
    }
    state->depth--;
    if (number && !put_unnamed(state)) return 0;
    return put_twice(state, '}') ? close + 1 : 0;
}

static size_t read_brace(struct state *state, struct bytes text) {
    size_t mark = text.data[0] == '{' ? 0 : 1; /* ${id}, #{id}, @{id} */
    size_t close = closing_brace(words_from(text, mark)) + mark, taken;
    if (close >= text.len) return 0;
    size_t len = state->len;
    if (mark == 0 && (taken = read_hash_tag(state, text, close))) return taken;
    state->len = len;
    struct bytes inner = bytes_make(text.data + mark + 1, close - mark - 1);
    if (inner.len >= 2 && inner.data[0] == '{' && inner.data[inner.len - 1] == '}')
        inner = bytes_make(inner.data + 1, inner.len - 2);
    bool blank = true;
    for (size_t i = 0; i < inner.len; i++) blank &= word_is_digit(inner.data[i]);
    if (blank ? !put_unnamed(state) : !put_variable(state, inner)) return 0;
    return close + 1;
}

/* <id>, and what HTML makes of it. */
static size_t read_angle(struct state *state, struct bytes text) {
    size_t open = text.data[0] == '<' ? 1 : 4;
    size_t close = open == 1 ? words_index(text, '>') : words_find(text, "&gt;");
    if (close == text.len || close < open) return 0;
    if (!put_variable(state, bytes_make(text.data + open, close - open))) return 0;
    return close + (open == 1 ? 1 : 4);
}

/* %s, %d, %02d, %(name)s; %Y-%m-%d is one date. */
static size_t read_percent(struct state *state, struct bytes text) {
    size_t at = 1;
    if (text.len > 1 && text.data[1] == '(') {
        size_t close = words_index(text, ')');
        return close + 1 < text.len && put_variable(state, bytes_make(text.data + 2, close - 2))
                   ? close + 2
                   : 0;
    }
    if (text.len > 1 && text.data[1] == 'Y') {
        while (at < text.len && memchr("YmdHMSjV%-_T", text.data[at], 12)) at++;
        while (memchr("-_T", text.data[at - 1], 3)) at--;
        return put_variable(state, BYTES("date")) ? at : 0;
    }
    while (at < text.len && (word_is_digit(text.data[at]) || text.data[at] == 'l')) at++;
    return at < text.len && memchr("sdiuvx", text.data[at], 6) && put_unnamed(state) ? at + 1 : 0;
}

static size_t name_length(struct bytes text) {
    size_t at = 0;
    while (at < text.len && word_is_name(text.data[at])) at++;
    return at;
}

static bool ends_segment(struct bytes text, size_t at) {
    return at == text.len || memchr(":./|-", text.data[at], 5) != NULL;
}

/* YYYY-MM-DD, yyyymmddhh: letters of a date in pairs, from the year on. */
static size_t date_length(struct bytes text) {
    static const char *const parts[] = {"YYYY", "yyyy", "MM", "mm", "DD",
                                        "dd",   "HH",   "hh", "WW", "ww"};
    size_t at = 0, end = 0;
    if (!words_start(text, "YYYY") && !words_start(text, "yyyy")) return 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = end ? 2 : 0; i < sizeof parts / sizeof *parts && !more; i++) {
            more = words_start(words_from(text, at), parts[i]);
            if (more) at += strlen(parts[i]);
        }
        if (!more) break;
        end = at;
        if (at < text.len && memchr("-_.T", text.data[at], 4)) at++;
    }
    return end;
}

static const char placeholders[] =
    "uuid|sku|slug|hash|token|date|day|hour|minute|email|ip|region|tenant|user|"
    "username|mm|dd|hh|lang|locale";

/* A name that stands for something: "id", "user_id", "orderId", "sku". */
static bool is_placeholder(struct bytes name) {
    struct bytes last = name.len > 2 ? words_from(name, name.len - 2) : name;
    bool apart =
        name.len == 2 || (name.len > 2 && (name.data[name.len - 3] == '_' || last.data[0] == 'I'));
    return words_are(name, placeholders) || (words_are(last, "id") && apart);
}

/* A segment that is all placeholder: xxx, N, USER_ID, a date, [uuid], :id. */
static size_t read_segment(struct state *state, struct bytes text) {
    struct bytes word = words_until(text, name_length(text));
    size_t date = date_length(text), close = words_index(text, ']');
    bool same = word.len > 0, upper = word.len > 1;
    if (date && ends_segment(text, date))
        return put_variable(state, words_until(text, date)) ? date : 0;
    if (text.data[0] == '[' && (state->len || state->sure) && close < text.len && close > 1 &&
        ends_segment(text, close + 1) && word_is_letter(text.data[1]))
        return put_variable(state, bytes_make(text.data + 1, close - 1)) ? close + 1 : 0;
    if (text.data[0] == ':' && state->len > 1 && text.len > 1) {
        word = words_from(text, 1);
        word = words_until(word, name_length(word));
        return is_placeholder(word) && put_variable(state, word) ? word.len + 1 : 0;
    }
    if (state->separators == 0 || !ends_segment(text, word.len)) return 0;
    for (size_t i = 0; i < word.len; i++) {
        same &= word.data[i] == word.data[0];
        upper &= (word.data[i] >= 'A' && word.data[i] <= 'Z') || word.data[i] == '_';
    }
    bool marks = same && (memchr("NX", word.data[0], 2) || (word.data[0] == 'x' && word.len > 1));
    if (!marks && !(upper && state->lower && is_placeholder(word))) return 0;
    return put_variable(state, word) ? word.len : 0;
}

/* Reads one construct at the front of text; returns its length, 0 when it belongs to no key. */
static size_t read_one(struct state *state, struct bytes text) {
    char c = text.data[0], next = text.len > 1 ? text.data[1] : '\0';
    char before = state->len ? state->out[state->len - 1] : TEMPLATE_SEPARATOR;
    if (memchr(":./|-", before, 5)) {
        size_t taken = read_segment(state, text);
        if (taken) return taken;
    }
    if (c == '{' || (next == '{' && memchr("$#@", c, 3))) return read_brace(state, text);
    if (c == '<' || words_start(text, "&lt;")) return read_angle(state, text);
    if (c == '$' && (word_is_letter(next) || next == '_')) {
        state->shell |= word_lower(next) != next;
        struct bytes name = words_from(text, 1);
        name = words_until(name, name_length(name));
        return put_variable(state, name) ? name.len + 1 : 0;
    }
    if (c == '%') return read_percent(state, text);
    if (c == '*' || words_start(text, "...") || words_start(text, "\xe2\x80\xa6")) {
        state->stars++;
        return put(state, '*') ? (c == '*' ? 1 : 3) : 0;
    }
    if (c == '[' && next == ':') {
        size_t close = words_index(text, ']');
        state->optional++;
        return close < text.len ? close + 1 : 0;
    }
    if (c == TEMPLATE_SEPARATOR) {
        state->separators++;
        return put(state, c) ? 1 : 0;
    }
    bool known = word_is_name(c) || memchr("-./@#+~", c, 7) || (unsigned char)c >= 0x80;
    if (!known && !(state->sure && c == '|')) return 0;
    state->literals++;
    state->lower |= word_is_letter(c) && word_lower(c) == c;
    return put(state, c) ? 1 : 0;
}

static bool all_digits(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!word_is_digit(text.data[i])) return false;
    }
    return true;
}

/* What has the form of a key and is none: addresses, times, versions, file names. */
static bool is_other(struct bytes text, const struct state *state) {
    size_t colon = words_index(text, ':');
    if (colon < text.len && words_start(words_from(text, colon), "://")) return true;
    if (text.data[0] == ':' || text.data[0] == '-' || text.data[0] == '/' || text.data[0] == '.' ||
        text.data[0] == '@' || text.data[0] == '#')
        return true;
    if (text.data[text.len - 1] == ':' && state->separators == 1 && state->variables == 0 &&
        !state->sure)
        return true;
    if (all_digits(words_until(text, colon))) return true;
    if (words_start(text, "arn:") || words_start(text, "urn:")) return true;
    /* Paths, and images with their version. */
    if (state->variables == 0 && words_index(text, '/') < colon) return true;
    if (words_are(text, "hh:mm|hh:mm:ss|mm:ss|key:value")) return true;
    if (state->separators == 1 && state->variables == 0 && colon + 1 < text.len &&
        all_digits(words_from(text, colon + 1)) && text.len - colon > 3)
        return true; /* host:port */
    if (word_is_digit(text.data[0]) && state->variables == 0) return true;
    if (words_find(text, "::") < text.len && state->variables == 0) return true;
    bool parted = words_index(text, '/') < text.len || words_index(text, '|') < text.len;
    return state->separators == 0 && parted && !(state->sure && state->variables);
}

/* "$HOST:$PORT", "$IMAGE:latest", "$REGISTRY/app:$TAG"; "$ENV:token:{user}" is a key. */
static bool is_shell_word(struct bytes text, const struct state *state) {
    return state->shell && (!state->lower || words_index(text, '/') < text.len ||
                            (state->separators < 2 && state->variables < 2));
}

/* A grammar has variables only, but for a first segment that may be
 * literal: then its names tell. */
static bool is_grammar(struct bytes out, const struct state *state) {
    size_t colon = words_index(out, ':');
    if (state->variables < 3 || state->separators < 2) return false;
    if (state->literals == 0 && !words_start(out, "{prefix}")) return true;
    struct bytes rest = words_from(out, colon < out.len ? colon : out.len);
    bool inside = false;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.data[i];
        if (c == '{') inside = true;
        if (!inside && c != ':') return false;
        if (c == '}') inside = false;
    }
    return words_have_any(rest,
                          "entity|domain|resource|feature|identifier|field|type|specific_data|"
                          "object|category|subkey|attribute|module") ||
           words_have_any(words_until(out, colon), "{service}|{namespace}|{app}|{application}");
}

enum key_text key_text_read(struct bytes text, bool sure, struct arena *arena,
                            struct bytes *ret_text) {
    struct state state = {.sure = sure};
    text = words_bare(text);
    while (text.len && memchr(",;", text.data[text.len - 1], 2) && !words_end(text, "&gt;"))
        text.len--;
    if (text.len < 2 || text.len > KEY_TEXT_MAX) return KEY_TEXT_NONE;
    for (struct bytes rest = text; rest.len;) {
        size_t taken = read_one(&state, rest);
        if (taken == 0) return KEY_TEXT_NONE;
        rest = words_from(rest, taken);
    }
    /* What ends with the separator names all that begins so. */
    if (state.len > 1 && state.out[state.len - 1] == TEMPLATE_SEPARATOR && !state.stars &&
        (state.variables || state.separators > 1 || sure)) {
        state.stars++;
        put(&state, '*');
    }
    struct bytes out = bytes_make(state.out, state.len);
    if (out.len == 0) return KEY_TEXT_NONE;
    bool prefixed = words_start(out, "{prefix}") && state.literals > 0;
    /* "celery-task-meta-{id}", but not "requests_total{method}", which is a metric. */
    size_t brace = words_index(out, '{');
    bool meta = state.variables > 0 && state.literals > 3 && brace > 0 && brace < out.len &&
                !word_is_letter(out.data[brace - 1]) && !word_is_digit(out.data[brace - 1]);
    if (!sure && state.separators == 0 && !prefixed && !(meta && !state.stars))
        return KEY_TEXT_NONE;
    if (sure && state.separators == 0 && state.literals < 3) return KEY_TEXT_NONE;
    if (state.literals == 0 && state.variables < 3) return KEY_TEXT_NONE;
    if (is_other(out, &state) || (!sure && is_shell_word(out, &state))) return KEY_TEXT_NONE;
    *ret_text = arena_copy(arena, out);
    if (state.optional || is_grammar(out, &state)) return KEY_TEXT_GRAMMAR;
    if (state.stars) return KEY_TEXT_FAMILY;
    return state.variables ? KEY_TEXT_TEMPLATE : KEY_TEXT_LITERAL;
}
