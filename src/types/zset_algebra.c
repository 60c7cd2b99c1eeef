/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unions, intersections and differences. Sums of floating-point numbers depend on their order:
 * sources are taken from the smallest to the largest, those of equal size in the order given.
 */
#include "types/zset.h"

#include <math.h>
#include <stdlib.h>

#include "base/assert.h"
#include "types/set.h"

static size_t source_count(const struct zset_source *source) {
    if (source->zset) return zset_count(source->zset);
    return source->set ? set_count(source->set) : 0;
}

static bool source_find(const struct zset_source *source, struct bytes member, double *ret_score) {
    if (source->zset) return zset_find(source->zset, member, ret_score);
    *ret_score = 1;
    return source->set && set_has(source->set, member);
}

/* Goes over the members of a source. */
struct walk {
    const struct zset_source *source;
    union {
        struct zset_iter zset;
        struct set_iter set;
    };
};

static void walk_init(struct walk *walk, const struct zset_source *source) {
    walk->source = source;
    if (source->zset)
        zset_iter_init(&walk->zset, source->zset, (struct zset_range){0, zset_count(source->zset)},
                       false);
    else if (source->set)
        set_iter_init(&walk->set, source->set);
}

static bool walk_next(struct walk *walk, struct bytes *ret_member, double *ret_score) {
    if (walk->source->zset) return zset_iter_next(&walk->zset, ret_member, ret_score);
    *ret_score = 1;
    return walk->source->set && set_iter_next(&walk->set, ret_member);
}

/* A stable sort: there are as many sources as a command names, in practice few. */
static void sort_by_count(struct zset_source *sources, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct zset_source source = sources[i];
        size_t n = source_count(&source), j = i;
        for (; j > 0 && source_count(&sources[j - 1]) > n; j--) sources[j] = sources[j - 1];
        sources[j] = source;
    }
}

/* Infinity times zero counts as 0, and so does the sum of opposite infinities. */
static double weighted(double score, double weight) {
    double product = score * weight;
    return isnan(product) ? 0 : product;
}

static double aggregated(double a, double b, enum zset_aggregate aggregate) {
    double sum = a + b;
    if (aggregate == ZSET_MIN) return b < a ? b : a;
    if (aggregate == ZSET_MAX) return b > a ? b : a;
    return isnan(sum) ? 0 : sum;
}

/* Minus zero comes from a weight, as in 0 * -1, or from a large source that keeps it. */
static void expect_minus_zero(const struct zset_source *sources, size_t count, struct zset *to) {
    for (size_t i = 0; i < count; i++) {
        if (sources[i].weight == 1 && !(sources[i].zset && zset_is_large(sources[i].zset)))
            continue;
        zset_expect(to, SIZE_MAX, 0);
        return;
    }
}

void zset_unite(struct zset_source *sources, size_t count, enum zset_aggregate aggregate,
                struct zset *to) {
    sort_by_count(sources, count);
    expect_minus_zero(sources, count, to);
    for (size_t i = 0; i < count; i++) {
        struct walk walk;
        struct bytes member;
        double score, present;
        walk_init(&walk, &sources[i]);
        while (walk_next(&walk, &member, &score)) {
            score = weighted(score, sources[i].weight);
            if (i > 0 && zset_find(to, member, &present)) {
                score = aggregated(present, score, aggregate);
                /* Zeros of either sign are equal, so that adding alone would change nothing. */
                if (score == 0 && signbit(score) != signbit(present)) zset_remove(to, member);
            }
            zset_add(to, member, score, 0, &score);
        }
    }
}

void zset_intersect(struct zset_source *sources, size_t count, enum zset_aggregate aggregate,
                    struct zset *to) {
    struct walk walk;
    struct bytes member;
    double score, own;
    if (count == 0) return;
    sort_by_count(sources, count);
    expect_minus_zero(sources, count, to);
    walk_init(&walk, &sources[0]);
    while (walk_next(&walk, &member, &own)) {
        size_t i;
        score = weighted(own, sources[0].weight);
        for (i = 1; i < count; i++) {
            double other;
            if (!source_find(&sources[i], member, &other)) break;
            /* A product that is not a number makes a sum 0, and does nothing
             * to a minimum or maximum. */
            score = aggregated(score, other * sources[i].weight, aggregate);
        }
        if (i == count) zset_add(to, member, score, 0, &score);
    }
}

void zset_subtract(const struct zset_source *sources, size_t count, struct zset *to) {
    struct walk walk;
    struct bytes member;
    double score, other;
    if (count == 0) return;
    expect_minus_zero(sources, 1, to);
    walk_init(&walk, &sources[0]);
    while (walk_next(&walk, &member, &score)) {
        size_t i = 1;
        while (i < count && !source_find(&sources[i], member, &other)) i++;
        if (i == count) zset_add(to, member, score, 0, &score);
    }
}

size_t zset_intersect_count(struct zset_source *sources, size_t count, size_t limit) {
    struct walk walk;
    struct bytes member;
    double score, other;
    size_t found = 0;
    if (count == 0) return 0;
    sort_by_count(sources, count);
    walk_init(&walk, &sources[0]);
    while (walk_next(&walk, &member, &score)) {
        size_t i = 1;
        while (i < count && source_find(&sources[i], member, &other)) i++;
        if (i == count && ++found == limit) break;
    }
    return found;
}
