/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/memory.h"
#include "base/random.h"
#include "types/limits.h"
#include "types/set.h"
#include "types/zset.h"

static uint64_t seed = 1;

enum { LETTERS = 1200 };

/* The model: a score for each letter that is there, and their order,
 * sorted anew when it is needed. */
struct model {
    bool there[LETTERS];
    double score[LETTERS];
    size_t order[LETTERS];
    size_t count;
};

static char names[LETTERS][160];
static const struct model *sorting;

static struct bytes letter(size_t i) {
    return bytes_from_string(names[i]);
}

static void make_letters(bool large) {
    for (size_t i = 0; i < LETTERS; i++) {
        int len = snprintf(names[i], sizeof names[i], i % 3 ? "%zu" : "%zux", i * 7919 % 5003);
        if (large && i % 40 == 7) {
            memset(names[i] + len, '.', sizeof names[i] - (size_t)len - 1);
            names[i][100 + i % 50] = '\0';
        }
    }
}

static size_t letter_index(struct bytes member) {
    for (size_t i = 0; i < LETTERS; i++)
        if (bytes_equal(letter(i), member)) return i;
    fail();
    return 0;
}

static int compare_letters(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (sorting->score[x] != sorting->score[y])
        return sorting->score[x] < sorting->score[y] ? -1 : 1;
    return bytes_compare(letter(x), letter(y));
}

static void model_sort(struct model *model) {
    model->count = 0;
    for (size_t i = 0; i < LETTERS; i++)
        if (model->there[i]) model->order[model->count++] = i;
    sorting = model;
    qsort(model->order, model->count, sizeof *model->order, compare_letters);
}

static double random_score(struct rng *rng) {
    static const double odd[] = {INFINITY, -INFINITY, -0.0,   0,
                                 1e17,     0.1,       1e-300, 36028797018963968.0};
    if (rng_below(rng, 10) == 0) return odd[rng_below(rng, 8)];
    double score = (double)(int64_t)rng_below(rng, 20) - 10;
    return rng_below(rng, 2) ? score : score + 0.5;
}

static void compare(const struct zset *zset, struct model *model) {
    struct zset_iter iter;
    struct bytes member;
    double score;
    zset_check(zset);
    model_sort(model);
    assert_int_equal(zset_count(zset), model->count);
    for (int reverse = 0; reverse < 2; reverse++) {
        zset_iter_init(&iter, zset, (struct zset_range){0, model->count}, reverse);
        for (size_t i = 0; i < model->count; i++) {
            size_t l = model->order[reverse ? model->count - 1 - i : i];
            assert_true(zset_iter_next(&iter, &member, &score));
            assert_true(bytes_equal(member, letter(l)));
            assert_memory_equal(&score, &model->score[l], sizeof score);
        }
        assert_false(zset_iter_next(&iter, &member, &score));
    }
}

static void check_lookups(const struct zset *zset, const struct model *model, struct rng *rng) {
    char scratch[ZSET_TEXT_MAX];
    double score;
    size_t rank, l = rng_below(rng, LETTERS);
    assert_int_equal(zset_find(zset, letter(l), &score), model->there[l]);
    assert_int_equal(zset_rank(zset, letter(l), &rank, &score), model->there[l]);
    if (model->there[l]) {
        assert_int_equal(model->order[rank], l);
        assert_true(bytes_equal(zset_at(zset, rank, scratch, &score), letter(l)));
        assert_memory_equal(&score, &model->score[l], sizeof score);
    }
}

static void check_score_range(const struct zset *zset, const struct model *model, struct rng *rng) {
    struct zset_scores scores = {random_score(rng), random_score(rng), rng_below(rng, 2),
                                 rng_below(rng, 2)};
    struct zset_range range = zset_range_of_scores(zset, &scores);
    size_t first = 0, end = model->count;
    for (; first < model->count; first++) {
        double s = model->score[model->order[first]];
        if (scores.min_excluded ? s > scores.min : s >= scores.min) break;
    }
    for (; end > 0; end--) {
        double s = model->score[model->order[end - 1]];
        if (scores.max_excluded ? s < scores.max : s <= scores.max) break;
    }
    assert_int_equal(range.count, end > first ? end - first : 0);
    if (range.count) assert_int_equal(range.first, first);
}

/* One operation of many kinds, on both. */
static void step(struct zset *zset, struct model *model, struct rng *rng, bool growing) {
    size_t l = rng_below(rng, LETTERS);
    if (growing != (rng_below(rng, 8) != 0)) {
        assert_int_equal(zset_remove(zset, letter(l)), model->there[l]);
        model->there[l] = false;
        return;
    }
    double score = random_score(rng), after = NAN, expected = score;
    unsigned flags = rng_below(rng, 4) ? 0 : (unsigned)rng_below(rng, 32);
    enum zset_outcome outcome = zset_add(zset, letter(l), score, flags, &after),
                      wanted = ZSET_ADDED;
    if (!model->there[l]) {
        if (flags & ZSET_PRESENT_ONLY) wanted = ZSET_SKIPPED;
    } else {
        double present = model->score[l];
        if (flags & ZSET_INCREMENT) expected += present;
        if (flags & ZSET_NEW_ONLY)
            wanted = ZSET_SKIPPED;
        else if (isnan(expected))
            wanted = ZSET_NAN;
        else if ((flags & ZSET_GREATER && expected <= present) ||
                 (flags & ZSET_LESS && expected >= present))
            wanted = ZSET_SKIPPED;
        else
            wanted = expected == present ? ZSET_SAME : ZSET_UPDATED;
    }
    assert_int_equal(outcome, wanted);
    if (outcome <= ZSET_SAME) assert_memory_equal(&after, &expected, sizeof after);
    if (outcome <= ZSET_UPDATED) {
        model->there[l] = true;
        model->score[l] = expected;
    }
    if (strcmp(zset_encoding(zset), "listpack") == 0) {
        for (size_t i = 0; i < LETTERS; i++) model->score[i] += 0.0; /* minus zero becomes zero */
    }
}

static void run(size_t most, unsigned rounds) {
    struct heap *heap = heap_new();
    struct rng rng;
    struct zset *zset = zset_new(heap);
    struct model *model = calloc(1, sizeof *model);
    struct heap_stats stats;
    bool growing = true;
    rng_seed(&rng, seed);
    for (unsigned round = 0; round < rounds; round++) {
        size_t count = zset_count(zset);
        if (count == 0) growing = true;
        if (count >= most) growing = false;
        step(zset, model, &rng, growing);
        heap_stats(heap, &stats);
        assert_true(stats.object_bytes <= zset_bytes(zset));
        if (round % 32) continue;
        compare(zset, model);
        check_lookups(zset, model, &rng);
        check_score_range(zset, model, &rng);
        if (rng_below(&rng, 8) == 0 && model->count) {
            size_t first = rng_below(&rng, model->count);
            struct zset_range range = {first, rng_below(&rng, (model->count - first) / 2 + 2)};
            if (range.count > model->count - first) range.count = model->count - first;
            zset_remove_range(zset, range);
            for (size_t i = 0; i < range.count; i++) model->there[model->order[first + i]] = false;
            compare(zset, model);
        }
    }
    struct zset *copy = zset_copy(zset, heap);
    compare(copy, model);
    assert_string_equal(zset_encoding(copy), zset_encoding(zset));
    zset_rehome(zset, NULL);
    zset_free(zset);
    zset_free(copy);
    free(model);
    heap_free(heap);
}

static void test_small(void **state) {
    (void)state;
    make_letters(false);
    run(100, 20000);
}

static void test_tree(void **state) {
    (void)state;
    make_letters(true);
    run(1000, 40000);
    run(150, 10000);
}

static void lex_check(const struct zset *zset, size_t count, const struct zset_lex *lex,
                      size_t first, size_t end) {
    for (size_t skip = 0; skip < 6; skip += 5) {
        size_t wanted = end > first + skip ? end - first - skip : 0;
        struct zset_range range = zset_range_of_members(zset, lex, false, skip);
        assert_int_equal(range.count, wanted);
        if (wanted) assert_int_equal(range.first, first + skip);
        range = zset_range_of_members(zset, lex, true, skip);
        assert_int_equal(range.count, wanted);
        if (wanted) assert_int_equal(range.first, first);
        assert_true(range.first + range.count <= count);
    }
}

static void test_lex(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct rng rng;
    struct model *model = calloc(1, sizeof *model);
    rng_seed(&rng, seed);
    make_letters(false);
    for (int large = 0; large < 2; large++) {
        struct zset *zset = zset_new(heap);
        double score;
        memset(model, 0, sizeof *model);
        for (int i = 0; i < (large ? 900 : 100); i++) {
            size_t l = rng_below(&rng, LETTERS);
            zset_add(zset, letter(l), 5, 0, &score);
            model->there[l] = true;
            model->score[l] = 5;
        }
        model_sort(model);
        for (int round = 0; round < 3000; round++) {
            struct zset_lex lex = {{rng_below(&rng, 4), letter(rng_below(&rng, LETTERS))},
                                   {rng_below(&rng, 4), letter(rng_below(&rng, LETTERS))}};
            size_t first = 0, end = model->count;
            for (; first < model->count; first++) {
                int order = bytes_compare(letter(model->order[first]), lex.min.member);
                if (lex.min.kind == ZSET_LEX_LOWEST ||
                    (lex.min.kind == ZSET_LEX_INCLUDED && order >= 0) ||
                    (lex.min.kind == ZSET_LEX_EXCLUDED && order > 0))
                    break;
            }
            for (; end > 0; end--) {
                int order = bytes_compare(letter(model->order[end - 1]), lex.max.member);
                if (lex.max.kind == ZSET_LEX_HIGHEST ||
                    (lex.max.kind == ZSET_LEX_INCLUDED && order <= 0) ||
                    (lex.max.kind == ZSET_LEX_EXCLUDED && order < 0))
                    break;
            }
            lex_check(zset, model->count, &lex, first, end);
        }
        zset_free(zset);
    }
    free(model);
    heap_free(heap);
}

static void scan_visit(struct bytes member, double score, void *context) {
    struct model *met = context;
    size_t l = letter_index(member);
    assert_false(met->there[l]);
    met->there[l] = true;
    met->score[l] = score;
    met->count++;
}

static void test_scan(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    make_letters(false);
    for (size_t count = 50; count < LETTERS; count += 500) {
        struct zset *zset = zset_new(heap);
        struct model *met = calloc(1, sizeof *met);
        uint64_t cursor = 0;
        double score;
        for (size_t l = 0; l < count; l++) zset_add(zset, letter(l), (double)l, 0, &score);
        do cursor = zset_scan(zset, cursor, scan_visit, met);
        while (cursor);
        assert_int_equal(met->count, count);
        for (size_t l = 0; l < count; l++) assert_true(met->score[l] == (double)l);
        zset_free(zset);
        free(met);
    }
    heap_free(heap);
}

/* ---- several ---- */

struct inputs {
    struct zset *zsets[4];
    struct set *sets[4];
    struct model models[4];
    struct zset_source sources[4];
    size_t count;
};

static void make_inputs(struct inputs *inputs, struct heap *heap, struct rng *rng) {
    *inputs = (struct inputs){.count = 1 + rng_below(rng, 4)};
    size_t letters = 1 + rng_below(rng, rng_below(rng, 4) ? 20 : LETTERS);
    for (size_t i = 0; i < inputs->count; i++) {
        double score;
        unsigned kind = (unsigned)rng_below(rng, 5);
        inputs->sources[i].weight = (double)(int64_t)rng_below(rng, 5) - 2;
        if (kind == 0) continue;
        if (kind == 1)
            inputs->sources[i].set = inputs->sets[i] = set_new(heap);
        else
            inputs->sources[i].zset = inputs->zsets[i] = zset_new(heap);
        for (size_t n = rng_below(rng, letters * 2); n > 0; n--) {
            size_t l = rng_below(rng, letters);
            double wanted = kind == 1 ? 1 : (double)(int64_t)rng_below(rng, 9) - 4;
            if (kind == 1)
                set_add(inputs->sets[i], letter(l));
            else
                zset_add(inputs->zsets[i], letter(l), wanted, 0, &score);
            inputs->models[i].there[l] = true;
            inputs->models[i].score[l] = wanted;
        }
    }
}

static void free_inputs(struct inputs *inputs) {
    for (size_t i = 0; i < 4; i++) {
        if (inputs->zsets[i]) zset_free(inputs->zsets[i]);
        if (inputs->sets[i]) set_free(inputs->sets[i]);
    }
}

static double join(double a, double b, enum zset_aggregate aggregate) {
    if (aggregate == ZSET_SUM) return a + b;
    return (aggregate == ZSET_MIN) == (a < b) ? a : b;
}

/* all: only what is in all of them. Scores are small integers, so that the order
 * of sums does not matter. */
static void combine(const struct inputs *inputs, enum zset_aggregate aggregate, bool all,
                    struct model *result) {
    memset(result, 0, sizeof *result);
    for (size_t l = 0; l < LETTERS; l++) {
        size_t in = 0;
        for (size_t i = 0; i < inputs->count; i++) {
            if (!inputs->models[i].there[l]) continue;
            /* 0 is added, since a product may be minus zero, as which of two
             * equal zeros is kept is open. */
            double score = inputs->models[i].score[l] * inputs->sources[i].weight + 0.0;
            result->score[l] = in ? join(result->score[l], score, aggregate) : score;
            in++;
        }
        result->there[l] = in > 0 && (!all || in == inputs->count);
    }
}

static void same(const struct zset *zset, struct model *model) {
    double score;
    zset_check(zset);
    model_sort(model);
    assert_int_equal(zset_count(zset), model->count);
    for (size_t i = 0; i < model->count; i++) {
        assert_true(zset_find(zset, letter(model->order[i]), &score));
        assert_true(score == model->score[model->order[i]]);
    }
}

static void test_algebra(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct rng rng;
    struct inputs *inputs = calloc(1, sizeof *inputs);
    struct model *wanted = calloc(1, sizeof *wanted);
    rng_seed(&rng, seed);
    make_letters(true);
    for (int round = 0; round < 400; round++) {
        enum zset_aggregate aggregate = (enum zset_aggregate)rng_below(&rng, 3);
        struct zset_source sources[4];
        make_inputs(inputs, heap, &rng);

        struct zset *to = zset_new(heap);
        zset_subtract(inputs->sources, inputs->count, to);
        *wanted = inputs->models[0];
        for (size_t l = 0; l < LETTERS; l++)
            for (size_t i = 1; i < inputs->count; i++)
                if (inputs->models[i].there[l]) wanted->there[l] = false;
        same(to, wanted);
        zset_free(to);

        to = zset_new(heap);
        memcpy(sources, inputs->sources, sizeof sources);
        zset_unite(sources, inputs->count, aggregate, to);
        combine(inputs, aggregate, false, wanted);
        same(to, wanted);
        zset_free(to);

        to = zset_new(heap);
        memcpy(sources, inputs->sources, sizeof sources);
        zset_intersect(sources, inputs->count, aggregate, to);
        combine(inputs, aggregate, true, wanted);
        same(to, wanted);
        assert_int_equal(zset_intersect_count(sources, inputs->count, 0), wanted->count);
        assert_int_equal(zset_intersect_count(sources, inputs->count, 3),
                         wanted->count < 3 ? wanted->count : 3);
        zset_free(to);
        free_inputs(inputs);
    }
    free(inputs);
    free(wanted);
    heap_free(heap);
}

static void test_infinities(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct zset *plus = zset_new(heap), *minus = zset_new(heap), *to = zset_new(heap);
    double score;
    zset_add(plus, BYTES("m"), INFINITY, 0, &score);
    zset_add(minus, BYTES("m"), -INFINITY, 0, &score);
    assert_int_equal(zset_add(plus, BYTES("m"), -INFINITY, ZSET_INCREMENT, &score), ZSET_NAN);
    assert_int_equal(zset_add(plus, BYTES("m"), NAN, 0, &score), ZSET_NAN);
    struct zset_source sources[] = {{.zset = plus, .weight = 1}, {.zset = minus, .weight = 1}};
    zset_unite(sources, 2, ZSET_SUM, to);
    assert_true(zset_find(to, BYTES("m"), &score) && score == 0);
    zset_free(to);
    to = zset_new(heap);
    sources[0].weight = 0;
    zset_unite(sources, 1, ZSET_SUM, to);
    assert_true(zset_find(to, BYTES("m"), &score) && score == 0);
    zset_free(to);
    zset_free(plus);
    zset_free(minus);
    heap_free(heap);
}

static void test_encodings(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct zset *zset = zset_new(heap);
    char text[80];
    double score;
    memset(text, 'a', sizeof text);
    zset_add(zset, bytes_make(text, 64), 1, 0, &score);
    assert_string_equal(zset_encoding(zset), "listpack");
    zset_add(zset, bytes_make(text, 65), 1, 0, &score);
    assert_string_equal(zset_encoding(zset), "skiplist");
    zset_free(zset);
    zset = zset_new(heap);
    for (int i = 0; i < 129; i++) {
        assert_string_equal(zset_encoding(zset), "listpack");
        zset_add(zset, bytes_make(text, (size_t)snprintf(text, sizeof text, "%d", i)), i, 0,
                 &score);
    }
    assert_string_equal(zset_encoding(zset), "skiplist");
    zset_free(zset);
    zset = zset_new(heap);
    zset_expect(zset, SIZE_MAX, 0);
    for (int i = 0; i < 129; i++)
        zset_add(zset, bytes_make(text, (size_t)snprintf(text, sizeof text, "%d", i)), -i / 2.0, 0,
                 &score);
    zset_compact(zset);
    assert_string_equal(zset_encoding(zset), "skiplist");
    zset_remove(zset, BYTES("7"));
    zset_compact(zset);
    assert_string_equal(zset_encoding(zset), "listpack");
    zset_check(zset);
    for (int i = 0; i < 129; i++) {
        bool there =
            zset_find(zset, bytes_make(text, (size_t)snprintf(text, sizeof text, "%d", i)), &score);
        assert_int_equal(there, i != 7);
        if (there) assert_true(score == -i / 2.0 && (i > 0 || !signbit(score)));
    }
    zset_free(zset);
    zset = zset_new(heap);
    zset_expect(zset, 2, 65);
    assert_string_equal(zset_encoding(zset), "skiplist");
    zset_free(zset);
    atomic_store(&type_limits.zset_max_listpack_entries, 0);
    zset = zset_new(heap);
    zset_add(zset, BYTES("a"), 1, 0, &score);
    assert_string_equal(zset_encoding(zset), "skiplist");
    zset_free(zset);
    atomic_store(&type_limits.zset_max_listpack_entries, 128);
    heap_free(heap);
}

static void test_density(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    struct rng rng;
    rng_seed(&rng, seed);
    for (int fractions = 0; fractions < 2; fractions++) {
        struct heap *heap = heap_new();
        struct zset *zset = zset_new(heap);
        size_t before = memory_used();
        double score;
        for (int i = 0; i < COUNT; i++) {
            char text[32];
            snprintf(text, sizeof text, "%016d", i);
            score = (double)rng_below(&rng, UINT64_C(1) << 40) + (fractions ? 0.5 : 0);
            zset_add(zset, bytes_make(text, 16), score, 0, &score);
        }
        print_message("%.2f bytes a member, %.2f counted\n", (double)zset_bytes(zset) / COUNT,
                      (double)(memory_used() - before) / COUNT);
        assert_true(zset_bytes(zset) <= (size_t)COUNT * (fractions ? 50 : 42));
        zset_free(zset);
        heap_free(heap);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),     cmocka_unit_test(test_tree),
        cmocka_unit_test(test_lex),       cmocka_unit_test(test_scan),
        cmocka_unit_test(test_algebra),   cmocka_unit_test(test_infinities),
        cmocka_unit_test(test_encodings), cmocka_unit_test(test_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
