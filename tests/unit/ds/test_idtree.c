/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees of identifiers against a sorted array. */
#include "ds/idtree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"

enum { MODEL_MAX = 6000 };

struct record {
    struct stream_id id;
    uint64_t value, rest[3];
};

struct model {
    size_t count;
    struct record records[MODEL_MAX];
};

static struct rng rng;

/* The first that is not less. */
static size_t model_find(const struct model *model, struct stream_id id) {
    size_t at = 0;
    while (at < model->count && stream_id_less(model->records[at].id, id)) at++;
    return at;
}

static bool model_has(const struct model *model, size_t at, struct stream_id id) {
    return at < model->count && stream_id_compare(model->records[at].id, id) == 0;
}

static void verify(const struct idtree *tree, const struct idtree_home *home,
                   const struct model *model) {
    struct idtree_cursor cursor;
    assert_int_equal(idtree_check(tree), home->bytes);
    assert_int_equal(tree->count, model->count);
    struct record *record = idtree_first(tree, &cursor);
    for (size_t i = 0; i < model->count; i++, record = idtree_next(&cursor))
        assert_memory_equal(record, &model->records[i], tree->record_bytes);
    assert_null(record);
    record = idtree_last(tree, &cursor);
    for (size_t i = model->count; i-- > 0; record = idtree_previous(&cursor))
        assert_memory_equal(record, &model->records[i], tree->record_bytes);
    assert_null(record);
}

static void verify_seek(const struct idtree *tree, const struct model *model, struct stream_id id) {
    struct idtree_cursor cursor;
    size_t at = model_find(model, id);
    bool there = model_has(model, at, id);
    struct record *record = idtree_find(tree, id);
    assert_int_equal(record != NULL, there);
    record = idtree_seek(tree, id, &cursor);
    assert_int_equal(record != NULL, at < model->count);
    if (record) assert_int_equal(stream_id_compare(record->id, model->records[at].id), 0);
    record = idtree_seek_back(tree, id, &cursor);
    size_t back = there ? at + 1 : at;
    assert_int_equal(record != NULL, back > 0);
    if (record) assert_int_equal(stream_id_compare(record->id, model->records[back - 1].id), 0);
}

static void add(struct idtree *tree, struct idtree_home *home, struct model *model,
                struct stream_id id) {
    size_t at = model_find(model, id);
    bool there = model_has(model, at, id), fresh;
    if (!there && model->count == MODEL_MAX) return;
    struct record *record = idtree_add(tree, home, id, &fresh);
    assert_int_equal(fresh, !there);
    struct record value = {.id = id, .value = rng_next(&rng)};
    memcpy(record, &value, tree->record_bytes);
    if (!there) {
        memmove(model->records + at + 1, model->records + at,
                (model->count - at) * sizeof *model->records);
        model->count++;
    }
    model->records[at] = value;
}

static void take(struct idtree *tree, struct idtree_home *home, struct model *model,
                 struct stream_id id) {
    size_t at = model_find(model, id);
    bool there = model_has(model, at, id);
    assert_int_equal(idtree_remove(tree, home, id), there);
    if (!there) return;
    model->count--;
    memmove(model->records + at, model->records + at + 1,
            (model->count - at) * sizeof *model->records);
}

static struct stream_id any_id(unsigned spread) {
    return (struct stream_id){rng_below(&rng, spread), rng_below(&rng, 4)};
}

/* Phases of adding and of removing, at the ends or anywhere. */
static void run(size_t record_bytes, unsigned steps) {
    struct heap *heap = heap_new();
    struct idtree_home home = {heap, 0};
    struct idtree tree, copy;
    static struct model model;
    unsigned spread = 1 + (unsigned)rng_below(&rng, 3000);
    uint64_t next = spread;
    model.count = 0;
    idtree_init(&tree, record_bytes);
    for (unsigned step = 0; step < steps; step++) {
        unsigned phase = step / (steps / 8) % 4, kind = (unsigned)rng_below(&rng, 100);
        bool adds = phase == 0 || phase == 2 ? kind < 80 : kind < 20;
        if (adds && phase < 2)
            add(&tree, &home, &model, (struct stream_id){next++, 0});
        else if (adds)
            add(&tree, &home, &model, any_id(spread));
        else if (phase < 2 && model.count)
            take(&tree, &home, &model, model.records[0].id);
        else if (kind < 90 && model.count)
            take(&tree, &home, &model, model.records[rng_below(&rng, model.count)].id);
        else
            take(&tree, &home, &model, any_id(spread));
        verify_seek(&tree, &model, any_id(spread + 10));
        if (step % (steps / 64) == 0) verify(&tree, &home, &model);
    }
    struct idtree_home other = {heap, 0};
    idtree_copy(&tree, &copy, &other);
    verify(&copy, &other, &model);
    while (model.count) take(&tree, &home, &model, model.records[rng_below(&rng, model.count)].id);
    verify(&tree, &home, &model);
    assert_int_equal(home.bytes, 0);
    idtree_done(&copy, &other);
    assert_int_equal(other.bytes, 0);
    heap_free(heap);
}

static void test_against_array(void **state) {
    (void)state;
    static const size_t sizes[] = {16, 24, 40};
    for (unsigned i = 0; i < 9; i++) run(sizes[i % 3], i < 6 ? 4000 : 24000);
}

/* Behind one another, the usual case: leaves are full, and going from the front frees them. */
static void test_grows_at_its_end(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct idtree_home home = {heap, 0};
    struct idtree tree;
    bool fresh;
    idtree_init(&tree, 16);
    for (uint64_t i = 1; i <= 200000; i++)
        idtree_add(&tree, &home, (struct stream_id){i, i}, &fresh);
    assert_int_equal(idtree_check(&tree), home.bytes);
    assert_true(home.bytes < 200000 * 18);
    for (uint64_t i = 1; i <= 199990; i++)
        assert_true(idtree_remove(&tree, &home, (struct stream_id){i, i}));
    assert_int_equal(idtree_check(&tree), home.bytes);
    assert_true(home.bytes < 4096);
    idtree_done(&tree, &home);
    heap_free(heap);
}

int main(void) {
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_next();
    print_message("SEED=%llu\n", (unsigned long long)seed);
    rng_seed(&rng, seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_array),
        cmocka_unit_test(test_grows_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
