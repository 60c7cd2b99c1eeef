/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of shapes, for the files of suggest.
 *
 * What: a node stands for one token after those above it. Its children are words, and for each
 *       separator at most one variable, which takes the place of any word and value.
 * Always: no two children have the same separator and word. What passed a node is what ended there
 *         and passed its children; suggest_check proves it.
 * Owner: the tree. Lock: none. Errors: none.
 */
#ifndef KN_CLI_SUGGEST_INSIDE_H
#define KN_CLI_SUGGEST_INSIDE_H

#include "cli/suggest.h"
#include "cli/suggest_tokens.h"

/* Keys that end at a node. */
struct ending {
    uint64_t keys, asked;
    struct suggestion seen; /* all but template, keys */
};

struct node {
    struct node *child, *next;
    struct ending *ending; /* NULL: none ended here yet */
    uint64_t below;        /* keys that passed or ended here */
    uint16_t looks;        /* of a variable's values; 0: a word */
    uint16_t word_len;
    char separator;
    bool crowded; /* it had too many words below it */
    bool folded;  /* a variable that takes the rest of the key; nothing comes below it */
    char word[];  /* not ended by a zero */
};

struct suggest {
    struct node *root;
    size_t nodes;
    uint64_t asked; /* keys that were to be measured */
    unsigned turn;  /* of unknown words at crowded places */
    struct suggestion *list;
    size_t count;
    struct arena arena;
};

struct node *node_new(struct suggest *suggest, const struct token *token);
/* Gives back a node whose children and ending have been taken. */
void node_free(struct suggest *suggest, struct node *node);
void node_free_all(struct suggest *suggest, struct node *node);
/* The child for a token; a variable for a word, if there is no such word.
 * NULL when there is neither. */
struct node *node_find(const struct node *node, const struct token *token, bool or_variable);
void node_link(struct node *parent, struct node *child);

/* Takes from, which is linked nowhere, into the node to, with all that is below it. */
void merge_into(struct suggest *suggest, struct node *to, struct node *from);
/* Takes words that are values together, here and below. eager: more
 * readily, since room is short. */
void generalise(struct suggest *suggest, struct node *node, unsigned depth, bool eager);
/* The same for the words right below one node, when they are too many. */
void generalise_words(struct suggest *suggest, struct node *node, unsigned depth, bool eager);
/* Makes room: takes together ever more, until at most nodes_max nodes are left. */
void make_room(struct suggest *suggest, size_t nodes_max);

/* Ends the process when what must always hold does not; for tests. */
void suggest_check(const struct suggest *suggest);

#endif
