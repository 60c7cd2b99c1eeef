/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/words.h"

enum { DISTANCE_WORD_MAX = 64 };

struct bytes words_trim(struct bytes text) {
    while (text.len && word_is_space(text.data[0])) text = words_from(text, 1);
    while (text.len && word_is_space(text.data[text.len - 1])) text.len--;
    return text;
}

struct bytes words_bare(struct bytes text) {
    for (;;) {
        text = words_trim(text);
        if (text.len < 2) return text;
        char first = text.data[0];
        if (first != text.data[text.len - 1] || !memchr("*_`\"'", first, 5)) return text;
        text = bytes_make(text.data + 1, text.len - 2);
    }
}

static bool same_words(const char *text, const char *lower, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (word_lower(text[i]) != lower[i]) return false;
    }
    return true;
}

static bool is_alnum(char c) {
    return word_is_letter(c) || word_is_digit(c);
}

static size_t find(struct bytes text, const char *lower, size_t len, bool whole) {
    if (len == 0 || text.len < len) return text.len;
    for (size_t i = 0; i + len <= text.len; i++) {
        if (!same_words(text.data + i, lower, len)) continue;
        if (whole && i > 0 && is_alnum(text.data[i - 1]) && is_alnum(lower[0])) continue;
        if (whole && i + len < text.len && is_alnum(text.data[i + len]) && is_alnum(lower[len - 1]))
            continue;
        return i;
    }
    return text.len;
}

size_t words_find(struct bytes text, const char *lower) {
    return find(text, lower, strlen(lower), false);
}

size_t words_find_whole(struct bytes text, const char *lower) {
    return find(text, lower, strlen(lower), true);
}

bool words_have_any(struct bytes text, const char *lower_choices) {
    for (const char *at = lower_choices; *at != '\0';) {
        size_t len = strcspn(at, "|");
        if (find(text, at, len, true) < text.len) return true;
        at += len + (at[len] == '|');
    }
    return false;
}

bool words_are(struct bytes text, const char *lower_choices) {
    for (const char *at = lower_choices; *at != '\0';) {
        size_t len = strcspn(at, "|");
        if (len == text.len && same_words(text.data, at, len)) return true;
        at += len + (at[len] == '|');
    }
    return false;
}

bool words_next_line(struct bytes *rest, struct bytes *ret_line) {
    if (rest->len == 0) return false;
    size_t end = words_index(*rest, '\n');
    struct bytes line = words_until(*rest, end);
    *rest = words_from(*rest, end < rest->len ? end + 1 : end);
    if (line.len && line.data[line.len - 1] == '\r') line.len--;
    *ret_line = line;
    return true;
}

bool words_next(struct bytes *rest, struct bytes *ret_word) {
    size_t start = 0, end;
    while (start < rest->len && word_is_space(rest->data[start])) start++;
    for (end = start; end < rest->len && !word_is_space(rest->data[end]); end++) continue;
    struct bytes word = words_until(words_from(*rest, start), end - start);
    *rest = words_from(*rest, end);
    if (word.len == 0) return false;
    *ret_word = word;
    return true;
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Rows of the usual table, of which three are needed for swaps. */
unsigned words_distance(struct bytes a, struct bytes b, unsigned limit) {
    unsigned rows[3][DISTANCE_WORD_MAX + 1];
    size_t difference = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > DISTANCE_WORD_MAX || b.len > DISTANCE_WORD_MAX || difference > limit)
        return limit + 1;
    for (size_t j = 0; j <= b.len; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = word_lower(a.data[i - 1]), y = word_lower(b.data[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == word_lower(b.data[j - 2]) && y == word_lower(a.data[i - 2]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    unsigned distance = rows[a.len % 3][b.len];
    return distance > limit ? limit + 1 : distance;
}

const char *words_nearest(struct bytes word, const char *const *choices) {
    const char *nearest = NULL;
    unsigned best = word.len <= 3 ? 1 : word.len <= 6 ? 2 : 3;
    for (; *choices != NULL; choices++) {
        unsigned distance = words_distance(word, bytes_from_string(*choices), best);
        if (distance > best || (nearest && distance == best)) continue;
        nearest = *choices;
        best = distance;
    }
    return nearest;
}
