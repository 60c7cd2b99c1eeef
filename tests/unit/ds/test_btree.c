/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"
#include "ds/btree.h"

static uint64_t seed = 1;

/* The model: a sorted array of the same items. */
struct model {
    struct scored **items;
    size_t count, room;
};

static size_t model_place(const struct model *model, const struct scored *item) {
    size_t low = 0, high = model->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (scored_compare(model->items[middle], item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void model_cut(struct model *model, size_t first, size_t count) {
    memmove(model->items + first, model->items + first + count,
            (model->count - first - count) * sizeof *model->items);
    model->count -= count;
}

static struct scored *random_item(struct heap *heap, struct rng *rng, unsigned scores,
                                  bool fractions) {
    char text[160];
    double score = (double)rng_below(rng, scores);
    if (fractions && rng_below(rng, 2)) score += 0.5;
    int len = snprintf(text, sizeof text, "%0*llu", (int)(1 + rng_below(rng, 3) * 70),
                       (unsigned long long)rng_below(rng, 100000));
    return scored_new(heap, score, bytes_make(text, (size_t)len));
}

static void compare(const struct btree *tree, const struct model *model, struct rng *rng) {
    struct btree_iter iter;
    btree_check(tree);
    assert_int_equal(tree->count, model->count);
    btree_iter_init(&iter, tree, 0);
    for (size_t i = 0; i < model->count; i++)
        assert_ptr_equal(btree_iter_next(&iter), model->items[i]);
    assert_null(btree_iter_next(&iter));
    if (model->count == 0) return;
    btree_iter_init(&iter, tree, model->count - 1);
    for (size_t i = model->count; i-- > 0;)
        assert_ptr_equal(btree_iter_previous(&iter), model->items[i]);
    assert_null(btree_iter_previous(&iter));
    size_t rank = rng_below(rng, model->count);
    assert_ptr_equal(btree_at(tree, rank), model->items[rank]);
    assert_int_equal(btree_rank_of(tree, model->items[rank]), rank);
}

static void check_bounds(const struct btree *tree, const struct model *model, double score,
                         struct bytes member) {
    for (int kind = BTREE_BEFORE_SCORE; kind <= BTREE_AFTER_MEMBER; kind++) {
        struct btree_bound bound = {.kind = kind, .score = score, .member = member};
        size_t before = 0;
        for (size_t i = 0; i < model->count; i++) {
            double there = scored_score(model->items[i]);
            int order = bytes_compare(scored_member(model->items[i]), member);
            bool equal = there == score;
            before += there < score || (equal && (kind == BTREE_AFTER_SCORE ||
                                                  (kind == BTREE_BEFORE_MEMBER && order < 0) ||
                                                  (kind == BTREE_AFTER_MEMBER && order <= 0)));
        }
        assert_int_equal(btree_rank(tree, &bound), before);
    }
}

static struct model *cut_model;
static size_t cut_next;
static struct heap *cut_heap;

static void cut_visit(struct scored *item, void *context) {
    assert_ptr_equal(context, cut_model);
    assert_ptr_equal(item, cut_model->items[cut_next++]);
    scored_free(cut_heap, item);
}

/* Grows and shrinks in waves, so that nodes split, merge, and the tree changes height. */
static void run(unsigned scores, bool fractions, size_t most, unsigned rounds, bool ranges) {
    struct rng rng;
    struct heap *heap = heap_new();
    struct btree tree;
    struct model model = {.items = calloc(most + 1, sizeof(struct scored *)), .room = most};
    bool growing = true;
    rng_seed(&rng, seed);
    btree_init(&tree, heap);
    for (unsigned round = 0; round < rounds; round++) {
        if (model.count == 0) growing = true;
        if (model.count == most) growing = false;
        if (rng_below(&rng, 6000) == 0) growing = !growing;
        if (growing == (rng_below(&rng, 8) != 0) && model.count < most) {
            struct scored *item = random_item(heap, &rng, scores, fractions);
            size_t at = model_place(&model, item);
            if (at < model.count && scored_compare(model.items[at], item) == 0) {
                scored_free(heap, item);
                continue;
            }
            memmove(model.items + at + 1, model.items + at,
                    (model.count - at) * sizeof *model.items);
            model.items[at] = item;
            model.count++;
            btree_add(&tree, item);
        } else if (model.count > 0) {
            size_t at = rng_below(&rng, model.count);
            struct scored *item = model.items[at];
            btree_remove(&tree, item);
            model_cut(&model, at, 1);
            scored_free(heap, item);
        }
        if (ranges && rng_below(&rng, 400) == 0 && model.count > 0) {
            size_t first = rng_below(&rng, model.count),
                   count = rng_below(&rng, model.count - first + 1);
            if (rng_below(&rng, 4)) count = count / 8;
            cut_model = &model, cut_next = first, cut_heap = heap;
            btree_remove_range(&tree, first, count, cut_visit, &model);
            assert_int_equal(cut_next, first + count);
            model_cut(&model, first, count);
        }
        if (round % 64 == 0) compare(&tree, &model, &rng);
        if (round % 256 == 0) {
            struct scored *probe = random_item(heap, &rng, scores, fractions);
            check_bounds(&tree, &model, scored_score(probe), scored_member(probe));
            scored_free(heap, probe);
        }
    }
    compare(&tree, &model, &rng);
    btree_done(&tree, NULL, NULL);
    assert_int_equal(tree.bytes, 0);
    for (size_t i = 0; i < model.count; i++) scored_free(heap, model.items[i]);
    free(model.items);
    struct heap_stats stats;
    heap_stats(heap, &stats);
    assert_int_equal(stats.object_bytes, 0);
    heap_free(heap);
}

static void test_few_scores(void **state) {
    (void)state;
    run(3, true, 8000, 60000, true);
}

static void test_many_scores(void **state) {
    (void)state;
    run(1000000, true, 8000, 60000, true);
}

static void test_no_ranges(void **state) {
    (void)state;
    run(5000, false, 12000, 60000, false);
}

static void test_small(void **state) {
    (void)state;
    run(5, true, 300, 30000, true);
}

/* In order, or against it, leaves stay full. */
static void test_edges_stay_full(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    for (int down = 0; down < 2; down++) {
        struct heap *heap = heap_new();
        struct btree tree;
        btree_init(&tree, heap);
        for (int i = 0; i < COUNT; i++)
            btree_add(&tree, scored_new(heap, down ? COUNT - i : i, BYTES("member")));
        btree_check(&tree);
        assert_true(tree.bytes < (size_t)COUNT * 68 / 10);
        cut_heap = heap;
        for (int i = 0; i < COUNT; i++) {
            struct scored *item = btree_at(&tree, down ? tree.count - 1 : 0);
            btree_remove(&tree, item);
            scored_free(heap, item);
            if (i % 1000 == 0) btree_check(&tree);
        }
        assert_int_equal(tree.bytes, 0);
        heap_free(heap);
    }
}

static void test_random_density(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct rng rng;
    struct heap *heap = heap_new();
    struct btree tree;
    struct scored **items = calloc(COUNT, sizeof *items);
    char text[32];
    rng_seed(&rng, seed);
    btree_init(&tree, heap);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%016d", i);
        items[i] = scored_new(heap, (double)rng_below(&rng, 1u << 30), bytes_make(text, 16));
        btree_add(&tree, items[i]);
    }
    print_message("%.2f bytes of nodes an item\n", (double)tree.bytes / COUNT);
    assert_true(tree.bytes < (size_t)COUNT * 75 / 10);
    struct heap_stats stats;
    heap_stats(heap, &stats);
    assert_int_equal(stats.object_bytes, tree.bytes + (size_t)COUNT * 24);
    btree_done(&tree, NULL, NULL);
    for (int i = 0; i < COUNT; i++) scored_free(heap, items[i]);
    free(items);
    heap_free(heap);
}

static void test_scored(void **state) {
    (void)state;
    static const double scores[] = {0,
                                    -0.0,
                                    1,
                                    -1,
                                    0.5,
                                    1e300,
                                    -1e300,
                                    INFINITY,
                                    -INFINITY,
                                    36028797018963967.0,
                                    36028797018963968.0,
                                    -36028797018963968.0,
                                    -36028797018963970.0,
                                    4e-320,
                                    9007199254740993.0};
    static const size_t lengths[] = {0, 1, 16, 126, 127, 128, 5000, 70000};
    struct heap *heap = heap_new();
    char *text = malloc(70000);
    memset(text, 'x', 70000);
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            struct scored *item = scored_new(heap, scores[i], bytes_make(text, lengths[j]));
            double score = scored_score(item);
            assert_memory_equal(&score, &scores[i], sizeof score);
            assert_true(bytes_equal(scored_member(item), bytes_make(text, lengths[j])));
            for (size_t k = 0; k < sizeof scores / sizeof *scores; k++) {
                double before = scored_score(item);
                bool fits = scored_set_score(item, scores[k]);
                score = scored_score(item);
                assert_memory_equal(&score, fits ? &scores[k] : &before, sizeof score);
                assert_true(bytes_equal(scored_member(item), bytes_make(text, lengths[j])));
            }
            scored_free(heap, item);
        }
    }
    struct scored *item = scored_new(heap, 1700000000000.0, bytes_make(text, 16));
    assert_int_equal(scored_size(item), 24);
    scored_free(heap, item);
    free(text);
    heap_free(heap);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scored),         cmocka_unit_test(test_small),
        cmocka_unit_test(test_few_scores),     cmocka_unit_test(test_many_scores),
        cmocka_unit_test(test_no_ranges),      cmocka_unit_test(test_edges_stay_full),
        cmocka_unit_test(test_random_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
