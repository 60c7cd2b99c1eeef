/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys are cut into tokens (suggest_tokens.h) and kept as a tree, in which everything that looks
 * like a value is a variable from the start. Whether a word is a value, only the other words at its
 * place tell: many that are followed by alike things ("alice", "bob" ..., each with "profile" and
 * "cart") are values of a variable, few or unlike ones are names of things. suggest_merge.c decides
 * it: at the end, wherever one place has too many words, and for the whole tree when it is full. So
 * the tree is bounded, and counts stay exact, since taking together adds them up.
 */
#include "cli/suggest_inside.h"

#include <stdlib.h>

#include "base/memory.h"
#include "catalog/words.h"
#include "cli/show.h"

struct node *node_new(struct suggest *suggest, const struct token *token) {
    size_t len = token->looks ? 0 : token->text.len;
    struct node *node = mem_zalloc(sizeof *node + len);
    node->separator = token->separator;
    node->looks = token->looks;
    node->word_len = (uint16_t)len;
    if (len) memcpy(node->word, token->text.data, len);
    suggest->nodes++;
    return node;
}

static void ending_free(struct ending *ending) {
    if (!ending) return;
    for (size_t i = 0; i < ending->seen.example_count; i++) mem_free(ending->seen.examples[i]);
    mem_free(ending);
}

void node_free(struct suggest *suggest, struct node *node) {
    ending_free(node->ending);
    mem_free(node);
    suggest->nodes--;
}

void node_free_all(struct suggest *suggest, struct node *node) {
    while (node) {
        struct node *next = node->next;
        node_free_all(suggest, node->child);
        node_free(suggest, node);
        node = next;
    }
}

void node_link(struct node *parent, struct node *child) {
    child->next = parent->child;
    parent->child = child;
}

struct node *node_find(const struct node *node, const struct token *token, bool or_variable) {
    struct node *variable = NULL;
    for (struct node *child = node->child; child; child = child->next) {
        if (child->separator != token->separator) continue;
        if (child->looks) {
            variable = child;
        } else if (!token->looks && child->word_len == token->text.len &&
                   memcmp(child->word, token->text.data, token->text.len) == 0) {
            return child;
        }
    }
    return token->looks || or_variable ? variable : NULL;
}

struct suggest *suggest_new(void) {
    struct suggest *suggest = mem_zalloc(sizeof *suggest);
    struct token nothing = {0};
    suggest->root = node_new(suggest, &nothing);
    return suggest;
}

void suggest_free(struct suggest *suggest) {
    if (!suggest) return;
    node_free_all(suggest, suggest->root);
    arena_done(&suggest->arena);
    mem_free(suggest->list);
    mem_free(suggest);
}

static size_t words_below(const struct node *node, char separator) {
    size_t count = 0;
    for (const struct node *child = node->child; child; child = child->next)
        count += !child->looks && child->separator == separator;
    return count;
}

enum { CROWD_TURNS = 16 };

/* Where a word is after words were taken together: itself, a variable, or the digits of a stem. */
static struct node *node_find_again(const struct node *node, const struct token *token) {
    struct node *child = node_find(node, token, false);
    size_t stem = token->text.len;
    while (stem && word_is_digit(token->text.data[stem - 1])) stem--;
    struct token front = {token->separator, false, 0, words_until(token->text, stem)};
    struct token digits = {0, false, LOOKS_NUMBER, words_from(token->text, stem)};
    if (!child && stem && stem < token->text.len) child = node_find(node, &front, false);
    if (child && !child->looks && child->word_len < token->text.len)
        child = node_find(child, &digits, false);
    if (!child) child = node_find(node, token, true);
    kn_assert(child);
    return child;
}

/* The child for a token, made if there is none. */
static struct node *descend(struct suggest *suggest, struct node *node, const struct token *token,
                            unsigned depth) {
    /* A variable that was made of words takes further ones. */
    struct node *child = node_find(node, token, false);
    /* Where there was no end of words, an unknown one is a value. Now and then it gets its chance,
     * so that one that comes often is found out. */
    if (!child && node->crowded && ++suggest->turn % CROWD_TURNS)
        child = node_find(node, token, true);
    if (!child) {
        child = node_new(suggest, token);
        node_link(node, child);
        if (!token->looks && words_below(node, token->separator) > SUGGEST_CHILDREN_MAX) {
            child->below = 1; /* it counts while they are compared; taken back below */
            node->crowded = true;
            generalise_words(suggest, node, depth, true);
            child = node_find_again(node, token);
            child->below--;
        }
    }
    child->looks |= token->looks;
    return child;
}

static void add_example(struct ending *ending, struct bytes key) {
    struct suggestion *seen = &ending->seen;
    struct buffer text;
    if (seen->example_count == SUGGEST_EXAMPLES) return;
    buffer_init(&text, 4096);
    show_key(&text, key, SUGGEST_EXAMPLE_MAX);
    buffer_add(&text, "", 1);
    if (seen->example_count == 0) seen->plain = text.len == key.len + 1;
    seen->examples[seen->example_count++] = mem_strdup(text.data);
    buffer_done(&text);
}

bool suggest_add(struct suggest *suggest, struct bytes key, int database) {
    struct token tokens[TOKENS_MAX];
    if (key.len > SUGGEST_KEY_MAX) key.len = SUGGEST_KEY_MAX;
    if (suggest->nodes > SUGGEST_NODES_MAX) make_room(suggest, SUGGEST_NODES_MAX / 4 * 3);
    size_t count = tokens_cut(key, tokens);
    struct node *node = suggest->root;
    node->below++;
    for (size_t i = 0; i < count; i++) {
        node = descend(suggest, node, &tokens[i], (unsigned)i);
        node->below++;
        if (node->folded) break;
    }
    if (!node->ending) {
        node->ending = mem_zalloc(sizeof *node->ending);
        node->ending->seen.database = database;
    }
    struct ending *ending = node->ending;
    ending->keys++;
    if (ending->seen.database != database) ending->seen.database = -1;
    add_example(ending, key);
    /* Where every key has a shape of its own, few of them are worth a question. */
    if (ending->asked >= SUGGEST_MEASURED ||
        suggest->asked >= SUGGEST_ASKED + suggest->root->below / SUGGEST_ASKED_SHARE)
        return false;
    ending->asked++;
    suggest->asked++;
    return true;
}

void suggest_note(struct suggest *suggest, struct bytes key, const struct measure *measure,
                  int64_t left_ms) {
    struct token tokens[TOKENS_MAX];
    if (measure->traits & (1 << TRAIT_VANISHED | 1 << TRAIT_REFUSED)) return;
    if (key.len > SUGGEST_KEY_MAX) key.len = SUGGEST_KEY_MAX;
    size_t count = tokens_cut(key, tokens);
    struct node *node = suggest->root;
    for (size_t i = 0; i < count && node && !node->folded; i++)
        node = node_find(node, &tokens[i], true);
    if (!node || !node->ending) return;
    struct suggestion *seen = &node->ending->seen;
    seen->measured++;
    seen->types[measure->type]++;
    seen->immortal += measure->span == SPAN_NONE;
    if (left_ms > seen->longest_ms) seen->longest_ms = left_ms;
    seen->bytes += (double)measure->bytes;
}

static void check_node(const struct suggest *suggest, const struct node *node, size_t *nodes) {
    uint64_t keys = node->ending ? node->ending->keys : 0;
    (*nodes)++;
    for (const struct node *child = node->child; child; child = child->next) {
        struct token token = {child->separator, false, child->looks,
                              bytes_make(child->word, child->word_len)};
        kn_require(node_find(node, &token, false) == child);
        kn_require(child->child || child->ending);
        kn_require(!node->folded);
        keys += child->below;
        check_node(suggest, child, nodes);
    }
    kn_require(keys == node->below);
}

void suggest_check(const struct suggest *suggest) {
    size_t nodes = 0;
    check_node(suggest, suggest->root, &nodes);
    kn_require(nodes == suggest->nodes);
}
