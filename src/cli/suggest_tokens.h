/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A key cut where its author may have put parts together.
 *
 * What: "user:17:cart" is the word "user", a number, the word "cart". Separators are ':' '/' '|'
 *       '#' '=' ',' ';' and braces; '.' where none of them is in the key, '-' and '_' where not
 *       even '.' is; these separate elsewhere only what is a value by its looks: numbers, dates,
 *       UUIDs, digests, addresses, random tokens.
 * Always: at most TOKENS_MAX tokens, with TOKEN_WORD_MAX bytes in a word and TOKENS_TEXT_MAX in all
 *         of them; what is beyond, or holds bytes that are no text, is one last token, the rest.
 * Owner: tokens point into the key. Lock, errors: none.
 */
#ifndef KN_CLI_SUGGEST_TOKENS_H
#define KN_CLI_SUGGEST_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { TOKENS_MAX = 16, TOKEN_WORD_MAX = 64, TOKENS_TEXT_MAX = 600 };

/* What a value looks like; bits, since values of one place may look different. */
enum looks {
    LOOKS_WORD = 1, /* nothing in particular: many different words */
    LOOKS_NUMBER = 2,
    LOOKS_TIME = 4, /* seconds or milliseconds since 1970 */
    LOOKS_UUID = 8,
    LOOKS_HEX = 16,
    LOOKS_DATE = 32,
    LOOKS_TOKEN = 64,
    LOOKS_EMAIL = 128,
    LOOKS_IP = 256,
    LOOKS_BYTES = 512,
};

struct token {
    char separator;    /* what stands before it; 0 is nothing */
    bool rest;         /* whatever follows, to the key's end */
    uint16_t looks;    /* 0: a word, to be taken literally */
    struct bytes text; /* without the separator */
};

/* How many tokens the key has; at least 1. */
size_t tokens_cut(struct bytes key, struct token *tokens);
/* What a text without separators looks like; 0: a word. */
uint16_t token_looks(struct bytes text);

#endif
