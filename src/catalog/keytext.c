/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/keytext.h"

#include "base/buffer.h"
#include "catalog/template.h"
#include "catalog/words.h"

struct state {
    char out[KEY_TEXT_MAX + 64];
    size_t len;
    unsigned variables, literals; /* bytes of literals, without separators */
    unsigned separators, stars, optional, unnamed;
};

static bool put(struct state *state, char c) {
    if (state->len >= sizeof state->out - 2) return false;
    state->out[state->len++] = c;
    return true;
}

/* A variable, its name brought to letters, digits and '_'; "{ids...}", "{userId:uuid}" and "{flow_id}" are. */
static bool put_variable(struct state *state, struct bytes name) {
    name = words_trim(name);
    if (words_start(name, "self.")) name = words_from(name, 5);
    size_t end = 0;
    if (name.len == 0 || name.len > 64) return false;
    if (!word_is_letter(name.data[0]) && name.data[0] != '_') return false;
    if (!put(state, '{')) return false;
    for (; end < name.len; end++) {
        char c = name.data[end];
        if (c == ':' || c == '!' || c == '|') break; /* a format or a kind of its own follows */
        if (c == '.' || c == '-' || c == ' ') c = '_';
        if (c == '(' || c == ')') continue;
        if (!word_is_name(c) || !put(state, c)) return false;
    }
    while (state->out[state->len - 1] == '_') state->len--;
    state->variables++;
    return state->out[state->len - 1] != '{' && put(state, '}');
}

static bool put_unnamed(struct state *state) {
    char name[8] = "var";
    name[3] = (char)('1' + state->unnamed % 9);
    state->unnamed++;
    return state->unnamed < 9 && put_variable(state, bytes_make(name, 4));
}

/* Reads one construct at the front of text; returns its length, 0 when it belongs to no key. */
static size_t read_one(struct state *state, struct bytes text) {
    char c = text.data[0];
    if (c == '{' || c == '<' || (c == '$' && text.len > 1 && text.data[1] == '{')) {
        size_t open = c == '$' ? 2 : 1;
        size_t close = words_index(text, c == '<' ? '>' : '}');
        if (close == text.len) return 0;
        bool brace = open < close && text.data[open] == '{'; /* {{id}} */
        if (brace) open++;
        if (!put_variable(state, bytes_make(text.data + open, close - open))) return 0;
        close++;
        if (brace && close < text.len && text.data[close] == '}') close++;
        return close;
    }
    if (c == '%' && text.len > 1 && memchr("sd", text.data[1], 2))
        return put_unnamed(state) ? 2 : 0;
    if (c == '*') {
        state->stars++;
        return put(state, c) ? 1 : 0;
    }
    if (c == '[' && text.len > 1 && text.data[1] == ':') {
        size_t close = words_index(text, ']');
        state->optional++;
        return close < text.len ? close + 1 : 0;
    }
    if (c == TEMPLATE_SEPARATOR) {
        state->separators++;
        return put(state, c) ? 1 : 0;
    }
    if (!word_is_name(c) && !memchr("-./@#+~", c, 7) && (unsigned char)c < 0x80) return 0;
    state->literals++;
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
    if (text.data[text.len - 1] == ':' && state->separators == 1 && state->variables == 0)
        return true;
    if (all_digits(words_until(text, colon))) return true;
    if (state->separators == 1 && state->variables == 0 && colon + 1 < text.len &&
        all_digits(words_from(text, colon + 1)) && text.len - colon > 3)
        return true; /* host:port */
    if (word_is_digit(text.data[0]) && state->variables == 0) return true;
    if (words_find(text, "::") < text.len && state->variables == 0) return true;
    return state->separators == 0 && words_index(text, '/') < text.len;
}

/* A grammar has variables only, but for a first segment that may be literal. */
static bool is_grammar(struct bytes out, const struct state *state) {
    size_t colon = words_index(out, ':');
    if (state->variables < 3 || state->separators < 2) return false;
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
    struct state state = {.len = 0};
    text = words_bare(text);
    while (text.len && memchr(",;", text.data[text.len - 1], 2)) text.len--;
    if (text.len < 2 || text.len > KEY_TEXT_MAX) return KEY_TEXT_NONE;
    for (struct bytes rest = text; rest.len;) {
        size_t taken = read_one(&state, rest);
        if (taken == 0) return KEY_TEXT_NONE;
        rest = words_from(rest, taken);
    }
    struct bytes out = bytes_make(state.out, state.len);
    if (out.len == 0) return KEY_TEXT_NONE;
    bool prefixed = words_start(out, "{prefix}") && state.literals > 0;
    bool meta = state.variables > 0 && state.literals > 3 && out.data[0] != '{';
    if (!sure && state.separators == 0 && !prefixed && !(meta && !state.stars))
        return KEY_TEXT_NONE;
    if (sure && state.separators == 0 && state.literals < 3) return KEY_TEXT_NONE;
    if (state.literals == 0 && state.variables < 3) return KEY_TEXT_NONE;
    if (is_other(out, &state)) return KEY_TEXT_NONE;
    *ret_text = arena_copy(arena, out);
    if (state.optional || is_grammar(out, &state)) return KEY_TEXT_GRAMMAR;
    if (state.stars) return KEY_TEXT_FAMILY;
    return state.variables ? KEY_TEXT_TEMPLATE : KEY_TEXT_LITERAL;
}
