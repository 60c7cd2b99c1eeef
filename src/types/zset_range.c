/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a range of scores, or of members, begins and how many are in it. */
#include "types/zset_internal.h"

static bool score_below_min(double score, const struct zset_scores *scores) {
    return scores->min_excluded ? score <= scores->min : score < scores->min;
}

static bool score_above_max(double score, const struct zset_scores *scores) {
    return scores->max_excluded ? score >= scores->max : score > scores->max;
}

struct zset_range zset_range_of_scores(const struct zset *zset, const struct zset_scores *scores) {
    struct zset_range range = {0, 0};
    if (zset->tree) {
        struct btree_bound min = {.kind =
                                      scores->min_excluded ? BTREE_AFTER_SCORE : BTREE_BEFORE_SCORE,
                                  .score = scores->min};
        struct btree_bound max = {.kind =
                                      scores->max_excluded ? BTREE_BEFORE_SCORE : BTREE_AFTER_SCORE,
                                  .score = scores->max};
        range.first = btree_rank(&zset->tree->order, &min);
        size_t end = btree_rank(&zset->tree->order, &max);
        if (end > range.first) range.count = end - range.first;
        return range;
    }
    const struct pack *pack = zset->pack;
    for (size_t at = pack_first(pack); at != pack_end(pack);) {
        size_t value = pack_next(pack, at);
        double score = zset_score_at(pack, value);
        if (score_below_min(score, scores))
            range.first++;
        else if (score_above_max(score, scores))
            break;
        else
            range.count++;
        at = pack_next(pack, value);
    }
    return range;
}

static bool lex_below_min(struct bytes member, const struct zset_lex_bound *min) {
    if (min->kind == ZSET_LEX_LOWEST || min->kind == ZSET_LEX_HIGHEST)
        return min->kind == ZSET_LEX_HIGHEST;
    int order = bytes_compare(member, min->member);
    return min->kind == ZSET_LEX_EXCLUDED ? order <= 0 : order < 0;
}

static bool lex_above_max(struct bytes member, const struct zset_lex_bound *max) {
    if (max->kind == ZSET_LEX_LOWEST || max->kind == ZSET_LEX_HIGHEST)
        return max->kind == ZSET_LEX_LOWEST;
    int order = bytes_compare(member, max->member);
    return max->kind == ZSET_LEX_EXCLUDED ? order >= 0 : order > 0;
}

/* Is it plain from the bounds alone that nothing can lie between them? */
static bool lex_empty(const struct zset_lex *lex) {
    const struct zset_lex_bound *min = &lex->min, *max = &lex->max;
    if (min->kind == ZSET_LEX_HIGHEST || max->kind == ZSET_LEX_LOWEST) return true;
    if (min->kind == ZSET_LEX_LOWEST || max->kind == ZSET_LEX_HIGHEST) return false;
    int order = bytes_compare(min->member, max->member);
    return order > 0 ||
           (order == 0 && (min->kind == ZSET_LEX_EXCLUDED || max->kind == ZSET_LEX_EXCLUDED));
}

/* How many items of the tree lie below the bound, taken as the lower or as the upper one. */
static size_t tree_lex_rank(const struct btree *tree, const struct zset_lex_bound *bound,
                            bool upper) {
    if (bound->kind == ZSET_LEX_LOWEST) return 0;
    if (bound->kind == ZSET_LEX_HIGHEST) return tree->count;
    bool after = upper == (bound->kind == ZSET_LEX_INCLUDED);
    struct btree_bound place = {.kind = after ? BTREE_AFTER_MEMBER : BTREE_BEFORE_MEMBER,
                                .any_score = true,
                                .member = bound->member};
    return btree_rank(tree, &place);
}

static struct zset_range tree_lex_range(const struct btree *tree, const struct zset_lex *lex,
                                        bool reverse, size_t skip) {
    size_t first = tree_lex_rank(tree, &lex->min, false),
           end = tree_lex_rank(tree, &lex->max, true);
    if (end <= first || end - first <= skip) return (struct zset_range){0, 0};
    return (struct zset_range){reverse ? first : first + skip, end - first - skip};
}

static struct zset_range pack_lex_range(const struct zset *zset, const struct zset_lex *lex,
                                        bool reverse, size_t skip) {
    struct zset_range range = {0, 0};
    struct zset_iter iter;
    struct bytes member;
    double score;
    size_t count = zset_count(zset), passed = 0;
    bool started = false;
    zset_iter_init(&iter, zset, (struct zset_range){0, count}, reverse);
    while (zset_iter_next(&iter, &member, &score)) {
        bool below = lex_below_min(member, &lex->min), above = lex_above_max(member, &lex->max);
        if (!started && (reverse ? above : below)) {
            passed++;
        } else if (!started && (reverse ? below : above)) {
            break;
        } else if (skip > 0) {
            started = true;
            skip--;
            passed++;
        } else if (reverse ? below : above) {
            break;
        } else {
            started = true;
            range.count++;
        }
    }
    range.first = reverse ? count - passed - range.count : passed;
    return range;
}

struct zset_range zset_range_of_members(const struct zset *zset, const struct zset_lex *lex,
                                        bool reverse, size_t skip) {
    char scratch[ZSET_TEXT_MAX];
    double score;
    size_t count = zset_count(zset);
    if (count == 0 || lex_empty(lex) ||
        lex_below_min(zset_at(zset, count - 1, scratch, &score), &lex->min) ||
        lex_above_max(zset_at(zset, 0, scratch, &score), &lex->max))
        return (struct zset_range){0, 0};
    if (zset->tree) return tree_lex_range(&zset->tree->order, lex, reverse, skip);
    return pack_lex_range(zset, lex, reverse, skip);
}
