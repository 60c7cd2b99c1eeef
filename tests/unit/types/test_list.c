/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists against a naive array, in both encodings and between them. */
#include "types/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"
#include "types/limits.h"

enum { MODEL_MAX = 4000, TEXT_MAX = 20000 };

struct model {
    size_t count;
    struct bytes items[MODEL_MAX];
};

static struct rng rng;
static char text[TEXT_MAX];

static struct bytes any_text(void) {
    size_t len;
    unsigned kind = (unsigned)rng_below(&rng, 100);
    if (kind < 30) {
        len = (size_t)snprintf(text, sizeof text, "%d", (int)rng_below(&rng, 8));
    } else if (kind < 90) {
        len = rng_below(&rng, 3);
        for (size_t i = 0; i < len; i++) text[i] = (char)('a' + rng_below(&rng, 2));
    } else if (kind < 98) {
        len = rng_below(&rng, 400);
        memset(text, 'm', len);
    } else {
        len = rng_below(&rng, TEXT_MAX);
        memset(text, 'p', len);
    }
    return bytes_make(text, len);
}

static void model_insert(struct model *model, size_t at, struct bytes value) {
    char *copy = malloc(value.len + 1);
    memcpy(copy, value.data, value.len);
    memmove(model->items + at + 1, model->items + at, (model->count - at) * sizeof *model->items);
    model->items[at] = bytes_make(copy, value.len);
    model->count++;
}

static void model_delete(struct model *model, size_t at) {
    free((char *)model->items[at].data);
    model->count--;
    memmove(model->items + at, model->items + at + 1, (model->count - at) * sizeof *model->items);
}

static size_t model_remove(struct model *model, struct bytes value, size_t most,
                           enum list_end from) {
    size_t removed = 0;
    if (from == LIST_HEAD) {
        for (size_t i = 0; i < model->count && removed < most;) {
            if (!bytes_equal(model->items[i], value))
                i++;
            else
                model_delete(model, i), removed++;
        }
    } else {
        for (size_t i = model->count; i-- > 0 && removed < most;)
            if (bytes_equal(model->items[i], value)) model_delete(model, i), removed++;
    }
    return removed;
}

static void verify(const struct list *list, const struct model *model) {
    struct list_iter iter;
    struct bytes value;
    list_check(list);
    assert_int_equal(list_count(list), model->count);
    list_iter_init(&iter, list, 0, false);
    for (size_t i = 0; i < model->count; i++) {
        assert_true(list_iter_next(&iter, &value));
        assert_true(bytes_equal(value, model->items[i]));
    }
    assert_false(list_iter_next(&iter, &value));
    list_iter_init(&iter, list, -1, true);
    for (size_t i = model->count; i-- > 0;) {
        assert_true(list_iter_next(&iter, &value));
        assert_true(bytes_equal(value, model->items[i]));
    }
    assert_false(list_iter_next(&iter, &value));
}

/* Looks for a value from an index on, in a random direction and no further than some distance. */
static void search(const struct list *list, const struct model *model, struct bytes value,
                   int64_t index, size_t at) {
    struct list_iter iter;
    bool backward = rng_below(&rng, 2), expected = false;
    size_t allowed = rng_below(&rng, 2) ? rng_below(&rng, 50) : SIZE_MAX, most = allowed,
           passed = 0, looked = 0;
    list_iter_init(&iter, list, index, backward);
    bool found = list_iter_find(&iter, value, &most, &passed);
    for (size_t i = at; i < model->count && looked < allowed && !expected;
         i += backward ? (size_t)-1 : 1, looked++)
        expected = bytes_equal(model->items[i], value);
    assert_int_equal(found, expected);
    assert_int_equal(passed + found, looked);
    assert_int_equal(allowed - most, looked);
}

static void step(struct list *list, struct model *model) {
    unsigned action = (unsigned)rng_below(&rng, 14);
    int64_t count = (int64_t)model->count, index = (int64_t)rng_below(&rng, model->count + 3) - 1;
    size_t at = (size_t)(index < 0 ? index + count : index);
    char scratch[LIST_SCRATCH];
    struct bytes value = any_text(), got;
    if (model->count + 1 >= MODEL_MAX) action = 9;
    switch (action) {
    case 0:
    case 1:
    case 2:
        list_push(list, LIST_TAIL, value);
        model_insert(model, model->count, value);
        break;
    case 3:
    case 4:
        list_push(list, LIST_HEAD, value);
        model_insert(model, 0, value);
        break;
    case 5:
    case 6: {
        struct bytes pivot =
            model->count ? model->items[rng_below(&rng, model->count)] : BYTES("none");
        char *kept = malloc(pivot.len + 1);
        memcpy(kept, pivot.data, pivot.len);
        bool after = rng_below(&rng, 2);
        size_t where = 0;
        while (where < model->count && !bytes_equal(model->items[where], pivot)) where++;
        assert_int_equal(list_insert(list, bytes_make(kept, pivot.len), after, value),
                         where < model->count);
        if (where < model->count) model_insert(model, where + after, value);
        free(kept);
        break;
    }
    case 7:
    case 8:
        assert_int_equal(list_set(list, index, value), at < model->count);
        if (at < model->count) {
            model_delete(model, at);
            model_insert(model, at, value);
        }
        break;
    case 9: {
        enum list_end end = rng_below(&rng, 2) ? LIST_HEAD : LIST_TAIL;
        size_t drop = rng_below(&rng, rng_below(&rng, 20) ? 4 : model->count + 5);
        list_drop(list, end, drop);
        while (drop-- && model->count) model_delete(model, end == LIST_HEAD ? 0 : model->count - 1);
        break;
    }
    case 10: {
        enum list_end from = rng_below(&rng, 2) ? LIST_HEAD : LIST_TAIL;
        size_t most = rng_below(&rng, 12) ? rng_below(&rng, 4) : SIZE_MAX;
        assert_int_equal(list_remove(list, value, most, from),
                         model_remove(model, value, most, from));
        break;
    }
    case 11: search(list, model, value, index, at); break;
    default:
        assert_int_equal(list_get(list, index, scratch, &got), at < model->count);
        if (at < model->count) assert_true(bytes_equal(got, model->items[at]));
    }
}

static void run(uint64_t seed, int64_t limit, int steps, int grow) {
    struct heap *heap = heap_new();
    struct model *model = calloc(1, sizeof *model);
    struct list *list = list_new(heap);
    rng_seed(&rng, seed);
    atomic_store(&type_limits.list_max_listpack_size, limit);
    for (int i = 0; i < grow; i++) {
        struct bytes value = any_text();
        list_push(list, i % 2 ? LIST_HEAD : LIST_TAIL, value);
        model_insert(model, i % 2 ? 0 : model->count, value);
    }
    for (int i = 0; i < steps; i++) {
        step(list, model);
        if (i % 7 == 0 || model->count < 30) verify(list, model);
    }
    struct list *copy = list_copy(list, heap);
    verify(copy, model);
    list_free(copy);
    list_drop(list, LIST_HEAD, SIZE_MAX);
    assert_string_equal(list_encoding(list), "listpack");
    list_rehome(list, NULL);
    list_free(list);
    while (model->count) model_delete(model, model->count - 1);
    free(model);
    heap_free(heap);
    atomic_store(&type_limits.list_max_listpack_size, -2);
}

static void random_changes(void **state) {
    static const int64_t limits[] = {-2, -1, -5, 1, 2, 7, 128, 0};
    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        run(seed, limits[seed % 8], 1500, 0);
        run(seed, limits[seed % 8], 400, 2000);
    }
}

static void encodings_follow_size(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct list *list = list_new(heap);
    char value[100];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 80; i++) list_push(list, LIST_TAIL, bytes_make(value, sizeof value));
    assert_string_equal(list_encoding(list), "listpack");
    list_push(list, LIST_TAIL, bytes_make(value, sizeof value));
    assert_string_equal(list_encoding(list), "quicklist");
    list_drop(list, LIST_TAIL, 1);
    list_drop(list, LIST_HEAD, 39);
    assert_string_equal(list_encoding(list), "quicklist");
    list_drop(list, LIST_HEAD, 2);
    assert_string_equal(list_encoding(list), "listpack");
    list_free(list);
    heap_free(heap);
}

/* A queue's window slides over the array for ever; it must neither grow nor lose its place. */
static void a_queue_stays_small(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct list *list = list_new(heap);
    char value[1000];
    memset(value, 'q', sizeof value);
    for (int i = 0; i < 100; i++) list_push(list, LIST_TAIL, bytes_make(value, sizeof value));
    size_t bytes = list_bytes(list);
    for (int i = 0; i < 20000; i++) {
        list_push(list, LIST_TAIL, bytes_make(value, sizeof value));
        list_drop(list, LIST_HEAD, 1);
    }
    list_check(list);
    assert_int_equal(list_count(list), 100);
    assert_true(list_bytes(list) < bytes + 10000);
    list_free(list);
    heap_free(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(encodings_follow_size),
        cmocka_unit_test(a_queue_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
