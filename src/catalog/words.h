/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words of documents: trimming, searching without regard to case, likeness.
 *
 * What: what people write is read leniently, and a wrong word is answered
 *       with the one that was meant.
 * Always: nothing here allocates; views lie in the views they were cut from. ASCII decides about
 * case. Owner, lock and errors: none.
 */
#ifndef KN_CATALOG_WORDS_H
#define KN_CATALOG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

static inline bool word_is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static inline bool word_is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline char word_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool word_is_letter(char c) {
    char lower = word_lower(c);
    return lower >= 'a' && lower <= 'z';
}

/* Letters, digits, underscore. */
static inline bool word_is_name(char c) {
    return word_is_letter(c) || word_is_digit(c) || c == '_';
}

/* From the byte at position at (<= len) on. */
static inline struct bytes words_from(struct bytes text, size_t at) {
    return bytes_make(at ? text.data + at : text.data, text.len - at);
}

static inline struct bytes words_until(struct bytes text, size_t at) {
    return bytes_make(text.data, at);
}

static inline bool words_start(struct bytes text, const char *start) {
    size_t len = strlen(start);
    return text.len >= len && memcmp(text.data, start, len) == 0;
}

static inline bool words_end(struct bytes text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

struct bytes words_trim(struct bytes text);
/* Without what Markdown puts around: blanks, *, _ in pairs, backquotes. */
struct bytes words_bare(struct bytes text);

/* Where lower-case words stand in the text, in any case; the text's length when they do not.
 * words_find_whole wants no letter or digit right before and after them. */
size_t words_find(struct bytes text, const char *lower);
size_t words_find_whole(struct bytes text, const char *lower);
static inline bool words_have(struct bytes text, const char *lower) {
    return words_find_whole(text, lower) < text.len;
}
/* Whether any of several, divided by '|', is in the text as whole words. */
bool words_have_any(struct bytes text, const char *lower_choices);
/* Whether the text as a whole is one of several, divided by '|', in any case. */
bool words_are(struct bytes text, const char *lower_choices);

/* Where the byte stands; the text's length when it does not. */
static inline size_t words_index(struct bytes text, char c) {
    const char *at = text.len ? memchr(text.data, c, text.len) : NULL;
    return at ? (size_t)(at - text.data) : text.len;
}

/* Takes the next line off the front of rest, without its end; false when nothing is left. */
bool words_next_line(struct bytes *rest, struct bytes *ret_line);
/* Takes the next run without blanks off the front of rest; false when nothing is left. */
bool words_next(struct bytes *rest, struct bytes *ret_word);

/* Single edits (a swap of neighbours counts as one) between two words, without regard to case; a
 * number above limit when there are more than that. limit: at most 8. */
unsigned words_distance(struct bytes a, struct bytes b, unsigned limit);
/* The choice that the word most likely means; NULL when none is near. choices: ends with NULL. */
const char *words_nearest(struct bytes word, const char *const *choices);

#endif
