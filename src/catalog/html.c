/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/html.h"

#include "base/number.h"
#include "catalog/words.h"

static size_t find(struct bytes text, const char *what) {
    const char *at = text.len ? memmem(text.data, text.len, what, strlen(what)) : NULL;
    return at ? (size_t)(at - text.data) : text.len;
}

static unsigned read_span(struct bytes tag) {
    size_t at = words_find(tag, "rowspan");
    struct bytes rest = words_from(tag, at < tag.len ? at + 7 : at);
    while (rest.len && memchr("= \"'", rest.data[0], 4)) rest = words_from(rest, 1);
    size_t digits = 0;
    uint64_t span;
    while (digits < rest.len && word_is_digit(rest.data[digits])) digits++;
    if (!number_parse_u64(words_until(rest, digits), &span) || span < 1) return 1;
    return span > HTML_SPAN_MAX ? HTML_SPAN_MAX : (unsigned)span;
}

/* A tag at the front of the text; its length, 0 when there is none. */
static size_t read_tag(struct bytes text, struct html_token *token) {
    size_t name = 1, end;
    token->kind = HTML_OPEN;
    if (name < text.len && text.data[name] == '/') {
        token->kind = HTML_CLOSE;
        name++;
    }
    for (end = name;
         end < text.len && (word_is_letter(text.data[end]) || word_is_digit(text.data[end]));)
        end++;
    size_t close = end > name ? words_index(text, '>') : text.len;
    if (close == text.len) return 0;
    token->text = bytes_make(text.data + name, end - name);
    token->row_span = read_span(bytes_make(text.data + end, close - end));
    return close + 1;
}

/* Where the next tag or comment may begin, from the second byte on. */
static size_t text_length(struct bytes text) {
    for (size_t at = 1; at + 1 < text.len; at++) {
        if (text.data[at] != '<') continue;
        struct bytes rest = words_from(text, at + 1);
        if (rest.data[0] == '/' && rest.len > 1) rest = words_from(rest, 1);
        if (word_is_letter(rest.data[0]) || words_start(rest, "!--")) return at;
    }
    return text.len;
}

bool html_next(struct bytes *rest, struct html_token *ret_token) {
    struct html_token token = {.kind = HTML_TEXT, .row_span = 1};
    while (words_start(*rest, "<!--")) {
        size_t end = find(*rest, "-->");
        *rest = words_from(*rest, end < rest->len ? end + 3 : end);
    }
    if (rest->len == 0) return false;
    size_t length = rest->data[0] == '<' ? read_tag(*rest, &token) : 0;
    if (length == 0) {
        token.kind = HTML_TEXT;
        /* What looks like a tag and is not closed leaves no tag behind it. */
        bool open =
            rest->data[0] == '<' && rest->len > 1 && memchr(rest->data, '>', rest->len) == NULL;
        length = open ? rest->len : text_length(*rest);
        token.text = words_until(*rest, length);
    }
    *rest = words_from(*rest, length);
    *ret_token = token;
    return true;
}

void html_add_text(struct buffer *buffer, struct bytes text) {
    static const struct {
        const char *name, *text;
    } references[] = {{"&lt;", "<"},    {"&gt;", ">"},    {"&amp;", "&"},
                      {"&quot;", "\""}, {"&#39;", "'"},   {"&nbsp;", " "},
                      {"&ndash;", "-"}, {"&mdash;", "-"}, {"&infin;", "\xe2\x88\x9e"},
                      {"&#123;", "{"},  {"&#125;", "}"},  {"&lbrace;", "{"},
                      {"&rbrace;", "}"}};
    for (size_t at = 0; at < text.len;) {
        struct bytes rest = words_from(text, at);
        const char *out = word_is_space(rest.data[0]) ? " " : rest.data;
        size_t taken = 1, len = 1;
        for (size_t i = 0; rest.data[0] == '&' && i < sizeof references / sizeof *references; i++) {
            if (!words_start(rest, references[i].name)) continue;
            taken = strlen(references[i].name);
            out = references[i].text;
            len = strlen(out);
            break;
        }
        if (buffer_add(buffer, out, len) != 0) return;
        at += taken;
    }
}
