/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grammar of syntax lines:
 *
 *   line   = { word | LEFT|RIGHT | "[" choice "]" | "<" choice ">" | "[" word... "...]" }
 *   choice = line { " | " line }
 *
 * A word in capitals is a token. In brackets, "COUNT count" is a value with a token. "key [key
 * ...]" makes the words before the bracket repeat, as many of them as the bracket repeats.
 */
#include "commands/command_syntax.h"

#include <string.h>

#include "base/arena.h"

/* What a line has given so far. */
struct list {
    struct syntax *first, **end;
    size_t count;
};

static void list_init(struct list *list) {
    *list = (struct list){.first = NULL, .end = &list->first};
}

static void list_add(struct list *list, struct syntax *node) {
    *list->end = node;
    list->end = &node->next;
    list->count++;
}

/* Takes the last `count` nodes off. */
static struct syntax *list_cut(struct list *list, size_t count) {
    struct syntax **at = &list->first;
    for (size_t skip = list->count - count; skip > 0; skip--) at = &(*at)->next;
    struct syntax *tail = *at;
    *at = NULL;
    list->end = at;
    list->count -= count;
    return tail;
}

static struct syntax *node_new(struct arena *arena, enum syntax_kind kind) {
    struct syntax *node = arena_zalloc(arena, sizeof *node);
    node->kind = kind;
    return node;
}

static struct bytes trim(struct bytes text) {
    while (text.len && text.data[0] == ' ') text = bytes_make(text.data + 1, text.len - 1);
    while (text.len && text.data[text.len - 1] == ' ') text.len--;
    return text;
}

static bool is_token(struct bytes word) {
    return word.len > 0 && word.data[0] >= 'A' && word.data[0] <= 'Z';
}

/* The length of a bracketed text, brackets included. */
static size_t bracket_len(struct bytes text) {
    size_t depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        depth += text.data[i] == '[' || text.data[i] == '<';
        depth -= text.data[i] == ']' || text.data[i] == '>';
        if (depth == 0) return i + 1;
    }
    return text.len;
}

/* Takes what stands before the next '|' outside brackets off the text. */
static struct bytes next_choice(struct bytes *text) {
    size_t i = 0;
    while (i < text->len && text->data[i] != '|') {
        bool opens = text->data[i] == '[' || text->data[i] == '<';
        i += opens ? bracket_len(bytes_make(text->data + i, text->len - i)) : 1;
    }
    struct bytes choice = bytes_make(text->data, i);
    i += i < text->len;
    *text = bytes_make(text->data + i, text->len - i);
    return trim(choice);
}

static struct list parse_line(struct bytes text, struct arena *arena);

/* One node for a line: a token with what follows it, or a block of several. */
static struct syntax *as_one(struct bytes text, struct arena *arena) {
    struct list list = parse_line(text, arena);
    struct syntax *first = list.first;
    if (list.count <= 1) return first;
    bool led = first->kind == SYNTAX_TOKEN && !first->optional;
    if (led && list.count == 2 && first->next->token.len == 0 && !first->next->optional) {
        first->next->token = first->token;
        return first->next;
    }
    struct syntax *block = node_new(arena, SYNTAX_BLOCK);
    block->children = led ? first->next : first;
    if (led) block->token = first->token;
    return block;
}

/* A choice of one is that one. */
static struct syntax *parse_choice(struct bytes text, struct arena *arena) {
    struct list list;
    list_init(&list);
    while (text.len) {
        struct syntax *node = as_one(next_choice(&text), arena);
        if (node != NULL) list_add(&list, node);
    }
    if (list.count <= 1) return list.first;
    struct syntax *oneof = node_new(arena, SYNTAX_ONEOF);
    oneof->children = list.first;
    return oneof;
}

/* "[member score ...]": the nodes before it repeat, as many as it has words. Returns false when
 * there are not so many, as in "[GET pattern [GET pattern ...]]" when the outer bracket is read. */
static bool repeat(struct list *list, struct bytes inner, struct arena *arena) {
    size_t words = 0;
    bool with_token = is_token(inner);
    for (size_t i = 0; i < inner.len; i++) words += inner.data[i] == ' ';
    if (with_token) words--;
    if (words == 0 || words > list->count) return false;
    if (with_token && list->count > words) {
        /* The token stands before the values: they become one node with it. */
        struct syntax *token = list_cut(list, words + 1), *values = token->next;
        struct syntax *node = words == 1 ? values : node_new(arena, SYNTAX_BLOCK);
        if (words > 1) node->children = values;
        node->token = token->token;
        node->multiple = node->multiple_token = true;
        list_add(list, node);
        return true;
    }
    struct syntax *node = list_cut(list, words);
    if (words > 1) {
        struct syntax *block = node_new(arena, SYNTAX_BLOCK);
        block->children = node;
        node = block;
    }
    node->multiple = true;
    list_add(list, node);
    return true;
}

static void parse_bracket(struct list *list, struct bytes text, struct arena *arena) {
    bool optional = text.data[0] == '[';
    struct bytes inner = trim(bytes_make(text.data + 1, text.len > 2 ? text.len - 2 : 0));
    bool repeats = inner.len > 3 && memcmp(inner.data + inner.len - 3, "...", 3) == 0;
    if (optional && repeats && repeat(list, inner, arena)) return;
    struct syntax *node = parse_choice(inner, arena);
    if (node == NULL) return;
    node->optional = optional;
    list_add(list, node);
}

static struct syntax *parse_word(struct bytes word, struct arena *arena) {
    if (memchr(word.data, '|', word.len) != NULL) return parse_choice(word, arena);
    struct syntax *node = node_new(arena, is_token(word) ? SYNTAX_TOKEN : SYNTAX_VALUE);
    if (node->kind == SYNTAX_TOKEN)
        node->token = word;
    else
        node->name = word;
    return node;
}

static struct list parse_line(struct bytes text, struct arena *arena) {
    struct list list;
    list_init(&list);
    while ((text = trim(text)).len) {
        size_t len = 0;
        if (text.data[0] == '[' || text.data[0] == '<') {
            len = bracket_len(text);
            parse_bracket(&list, bytes_make(text.data, len), arena);
        } else {
            while (len < text.len && text.data[len] != ' ') len++;
            if (len == 3 && memcmp(text.data, "...", 3) == 0 && list.count > 0) {
                struct syntax *last = list_cut(&list, 1);
                last->multiple = true;
                list_add(&list, last);
            } else {
                list_add(&list, parse_word(bytes_make(text.data, len), arena));
            }
        }
        text = bytes_make(text.data + len, text.len - len);
    }
    return list;
}

struct syntax *syntax_parse(const char *line, struct arena *arena) {
    return parse_line(bytes_from_string(line), arena).first;
}

const char *syntax_type(const struct syntax *node) {
    static const struct {
        const char *type, *names;
    } types[] = {
        {"key", " key newkey source destination key1 key2 "},
        {"integer",
         " numkeys count seconds milliseconds index index1 index2 offset db destination-db "
         "decrement start "
         "end stop cursor limit numfields client-id rank num-matches len min-match-len protover "},
        {"double", " score timeout min max "},
        {"unix-time", " unix-time-seconds unix-time-milliseconds "},
        {"pattern", " pattern "},
    };
    switch (node->kind) {
    case SYNTAX_TOKEN: return "pure-token";
    case SYNTAX_ONEOF: return "oneof";
    case SYNTAX_BLOCK: return "block";
    case SYNTAX_VALUE: break;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const char *at = types[i].names;
        while ((at = memmem(at, strlen(at), node->name.data, node->name.len)) != NULL) {
            if (at[-1] == ' ' && at[node->name.len] == ' ') return types[i].type;
            at++;
        }
    }
    return "string";
}
