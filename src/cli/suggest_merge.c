/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which words of one place are values of a variable. Each word has an outline: which tokens follow
 * it, and which follow those, as bits of a small set. Two words are alike when most of the smaller
 * outline is in the other's. A group of words that are all alike one of them becomes a variable
 * when it is large enough; how large depends on how many keys a word has: fifteen words with one
 * key each are values, fifteen with a thousand keys each may well be the names of fifteen kinds of
 * things. At the front of keys, where such names stand, it takes four times as many.
 */
#include "base/hash.h"
#include "base/memory.h"
#include "catalog/words.h"
#include "cli/suggest_inside.h"

enum { OUTLINE_WORDS = 4, WORDS_MAX = SUGGEST_CHILDREN_MAX + 1 };

struct outline {
    uint64_t bits[OUTLINE_WORDS];
    unsigned count; /* of bits */
};

static void outline_add(struct outline *outline, uint64_t hash) {
    outline->bits[hash >> 6 & (OUTLINE_WORDS - 1)] |= UINT64_C(1) << (hash & 63);
}

/* Without an instruction that not every processor has. */
static inline unsigned ones(uint64_t bits) {
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(bits * UINT64_C(0x0101010101010101) >> 56);
}

static uint64_t label(const struct node *node) {
    uint64_t word = node->looks ? 1 : hash_bytes(bytes_make(node->word, node->word_len));
    return word * 31 + (unsigned char)node->separator;
}

static void outline_of(const struct node *node, struct outline *ret_outline) {
    *ret_outline = (struct outline){{0}, 0};
    if (node->ending) outline_add(ret_outline, 0x9e3779b97f4a7c15);
    for (const struct node *child = node->child; child; child = child->next) {
        uint64_t first = label(child);
        outline_add(ret_outline, (first * UINT64_C(0xff51afd7ed558ccd)) >> 40);
        for (const struct node *second = child->child; second; second = second->next)
            outline_add(ret_outline,
                        ((first ^ label(second) * 7) * UINT64_C(0xc4ceb9fe1a85ec53)) >> 40);
    }
    for (int i = 0; i < OUTLINE_WORDS; i++) ret_outline->count += ones(ret_outline->bits[i]);
}

static bool are_alike(const struct outline *a, const struct outline *b) {
    unsigned common = 0, in_a = a->count, in_b = b->count;
    for (int i = 0; i < OUTLINE_WORDS; i++) common += ones(a->bits[i] & b->bits[i]);
    unsigned smaller = in_a < in_b ? in_a : in_b, larger = in_a < in_b ? in_b : in_a;
    /* Something in common with a word under which there is everything says little. */
    return common * 5 >= smaller * 3 && common * 4 >= larger;
}

/* ---- taking together ---- */

static void ending_merge(struct node *to, struct node *from) {
    struct ending *a = to->ending, *b = from->ending;
    if (!b) return;
    from->ending = NULL;
    if (!a) {
        to->ending = b;
        return;
    }
    a->keys += b->keys;
    a->asked += b->asked;
    a->seen.measured += b->seen.measured;
    for (int i = 0; i < SAMPLE_TYPES; i++) a->seen.types[i] += b->seen.types[i];
    a->seen.immortal += b->seen.immortal;
    if (b->seen.longest_ms > a->seen.longest_ms) a->seen.longest_ms = b->seen.longest_ms;
    a->seen.bytes += b->seen.bytes;
    if (a->seen.database != b->seen.database) a->seen.database = -1;
    for (size_t i = 0; i < b->seen.example_count; i++) {
        if (a->seen.example_count < SUGGEST_EXAMPLES) {
            a->seen.examples[a->seen.example_count++] = b->seen.examples[i];
        } else {
            mem_free(b->seen.examples[i]);
        }
    }
    mem_free(b);
}

/* The node becomes the rest of its keys. */
static void fold_in(struct suggest *suggest, struct node *node) {
    node->folded = true;
    node->looks |= LOOKS_WORD;
    while (node->child) {
        struct node *child = node->child;
        node->child = child->next;
        child->next = NULL;
        node->below -= child->below;
        merge_into(suggest, node, child);
    }
}

void merge_into(struct suggest *suggest, struct node *to, struct node *from) {
    kn_assert(to != from);
    to->below += from->below;
    to->looks |= from->looks;
    if (from->folded) fold_in(suggest, to);
    ending_merge(to, from);
    while (from->child) {
        struct node *child = from->child;
        from->child = child->next;
        child->next = NULL;
        struct token token = {child->separator, false, child->looks,
                              bytes_make(child->word, child->word_len)};
        /* A variable has no place right after a variable: the digits of "user1042"
         * belong to what "user" is now. */
        struct node *same =
            to->looks && child->separator == 0 && child->looks ? to : node_find(to, &token, false);
        /* What goes to the rest of a key has nothing below it. */
        if (to->folded) same = to;
        if (same == to) to->below -= child->below; /* counted with from */
        if (same) {
            merge_into(suggest, same, child);
        } else {
            node_link(to, child);
        }
    }
    node_free(suggest, from);
}

static void unlink_child(struct node *parent, const struct node *child) {
    struct node **at = &parent->child;
    while (*at && *at != child) at = &(*at)->next;
    kn_assert(*at);
    if (*at) *at = child->next;
}

/* The words of one separator below a node. */
struct words {
    struct node *nodes[WORDS_MAX];
    struct outline outlines[WORDS_MAX];
    size_t count;
    struct node *variable;
};

static void words_collect(const struct node *node, char separator, struct words *words) {
    words->count = 0;
    words->variable = NULL;
    for (struct node *child = node->child; child; child = child->next) {
        if (child->separator != separator) continue;
        if (child->looks) {
            words->variable = child;
        } else if (words->count < WORDS_MAX) {
            outline_of(child, &words->outlines[words->count]);
            words->nodes[words->count++] = child;
        }
    }
}

/* A word becomes a value of the variable. */
static void make_value(struct suggest *suggest, struct node *parent, struct words *words,
                       size_t index) {
    struct node *word = words->nodes[index];
    if (!words->variable) {
        struct token token = {word->separator, false, LOOKS_WORD, {NULL, 0}};
        words->variable = node_new(suggest, &token);
        node_link(parent, words->variable);
    }
    words->variable->looks |= LOOKS_WORD;
    unlink_child(parent, word);
    merge_into(suggest, words->variable, word);
    words->nodes[index] = NULL;
}

static int compare_counts(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static uint64_t median_keys(const struct words *words, const size_t *group, size_t count) {
    uint64_t counts[WORDS_MAX];
    for (size_t i = 0; i < count; i++) counts[i] = words->nodes[group[i]]->below;
    qsort(counts, count, sizeof *counts, compare_counts);
    return counts[count / 2];
}

/* How many alike words make a variable. */
static size_t words_wanted(uint64_t keys_each, unsigned depth, bool has_variable, bool eager) {
    size_t wanted = keys_each <= 4 ? 8 : keys_each <= 32 ? 16 : 48;
    if (depth == 0) wanted *= 4;
    if (has_variable && depth > 0) wanted /= 2;
    return eager && wanted > 12 ? 12 : wanted;
}

/* The largest group of words that are alike one of them; false when there is
 * none that is large enough. */
static bool take_group(struct suggest *suggest, struct node *node, struct words *words,
                       unsigned depth, bool eager) {
    size_t best[WORDS_MAX], best_count = 0;
    for (size_t i = 0; i < words->count; i++) {
        size_t group[WORDS_MAX], count = 0;
        if (!words->nodes[i] || words->nodes[i]->word_len == 0) continue;
        for (size_t j = 0; j < words->count; j++) {
            if (words->nodes[j] && words->nodes[j]->word_len > 0 &&
                are_alike(&words->outlines[i], &words->outlines[j]))
                group[count++] = j;
        }
        if (count <= best_count) continue;
        memcpy(best, group, count * sizeof *group);
        best_count = count;
    }
    if (best_count < 4) return false;
    uint64_t keys_each = median_keys(words, best, best_count);
    if (best_count < words_wanted(keys_each, depth, words->variable != NULL, eager)) return false;
    for (size_t i = 0; i < best_count; i++) make_value(suggest, node, words, best[i]);
    return true;
}

/* "user7", "user42" beside "user" and a number: the digits are its value. */
static void split_stems(struct suggest *suggest, struct node *node, char separator) {
    struct words words;
    words_collect(node, separator, &words);
    for (size_t i = 0; i < words.count; i++) {
        struct node *word = words.nodes[i];
        if (!word) continue;
        struct bytes text = bytes_make(word->word, word->word_len);
        size_t stem = text.len;
        while (stem && word_is_digit(text.data[stem - 1])) stem--;
        if (stem == 0 || stem == text.len || !word_is_letter(text.data[stem - 1])) continue;
        struct token token = {separator, false, 0, words_until(text, stem)};
        struct node *base = node_find(node, &token, false);
        struct token digits = {0, false, LOOKS_NUMBER, words_from(text, stem)};
        struct node *number = base ? node_find(base, &digits, false) : NULL;
        size_t same = 0;
        for (size_t j = 0; j < words.count && !number; j++) {
            struct node *other = words.nodes[j];
            same += other && other->word_len > stem && word_is_digit(other->word[stem]) &&
                    memcmp(other->word, word->word, stem) == 0;
        }
        if (!number && same < 4) continue;
        if (!base) {
            base = node_new(suggest, &token);
            node_link(node, base);
        }
        if (!number) {
            number = node_new(suggest, &digits);
            node_link(base, number);
        }
        base->below += word->below;
        unlink_child(node, word);
        words.nodes[i] = NULL;
        word->looks = LOOKS_NUMBER;
        merge_into(suggest, number, word);
    }
}

static bool next_separator(const struct node *node, int after, char *ret_separator) {
    int best = 256;
    for (const struct node *child = node->child; child; child = child->next) {
        int separator = (unsigned char)child->separator;
        if (separator > after && separator < best) best = separator;
    }
    *ret_separator = (char)best;
    return best < 256;
}

void generalise_words(struct suggest *suggest, struct node *node, unsigned depth, bool eager) {
    struct words *words = mem_alloc(sizeof *words);
    char separator;
    for (int after = -1; next_separator(node, after, &separator);
         after = (unsigned char)separator) {
        split_stems(suggest, node, separator);
        bool taken;
        do {
            words_collect(node, separator, words);
            taken = false;
            while (take_group(suggest, node, words, depth, eager)) taken = true;
        } while (taken && words->count == WORDS_MAX);
        if (words->count < SUGGEST_CHILDREN_MAX / 4 * 3 || !eager) continue;
        /* Too many that are not alike: the smaller half has to be values all the same. */
        words_collect(node, separator, words);
        size_t all[WORDS_MAX], count = words->count;
        for (size_t i = 0; i < count; i++) all[i] = i;
        if (count < SUGGEST_CHILDREN_MAX / 4 * 3) continue;
        uint64_t middle = median_keys(words, all, count);
        for (size_t i = 0; i < count; i++) {
            if (words->nodes[i]->below <= middle && words->nodes[i]->word_len > 0)
                make_value(suggest, node, words, i);
        }
    }
    mem_free(words);
}

void generalise(struct suggest *suggest, struct node *node, unsigned depth, bool eager) {
    for (struct node *child = node->child; child; child = child->next)
        generalise(suggest, child, depth + 1, eager);
    size_t before = suggest->nodes;
    generalise_words(suggest, node, depth, eager);
    if (suggest->nodes == before) return;
    /* What came together has new neighbours below. */
    for (struct node *child = node->child; child; child = child->next) {
        if (child->looks) generalise(suggest, child, depth + 1, eager);
    }
}

/* Everything below the depth becomes the rest of its key. */
static void fold(struct suggest *suggest, struct node *node, unsigned depth) {
    if (depth > 0) {
        for (struct node *child = node->child; child; child = child->next)
            fold(suggest, child, depth - 1);
        return;
    }
    char separator;
    for (int after = -1; next_separator(node, after, &separator);
         after = (unsigned char)separator) {
        struct token token = {separator, false, LOOKS_WORD, {NULL, 0}};
        struct node *variable = node_find(node, &token, true);
        if (!variable) {
            variable = node_new(suggest, &token);
            node_link(node, variable);
        }
        fold_in(suggest, variable);
        for (struct node **at = &node->child; *at;) {
            struct node *child = *at;
            if (child == variable || child->separator != separator) {
                at = &child->next;
                continue;
            }
            *at = child->next;
            merge_into(suggest, variable, child);
        }
    }
}

void make_room(struct suggest *suggest, size_t nodes_max) {
    generalise(suggest, suggest->root, 0, true);
    for (unsigned depth = TOKENS_MAX; depth-- > 0 && suggest->nodes > nodes_max;)
        fold(suggest, suggest->root, depth);
}
