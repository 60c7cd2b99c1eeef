/* SPDX-License-Identifier: BSD-3-Clause */
/* The pack against a naive array: random insertions, replacements, deletions,
 * splits, walks and searches. */
#include "ds/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/number.h"
#include "base/random.h"

enum { MODEL_MAX = 200, TEXT_MAX = 9000 };

struct model {
    unsigned count;
    struct {
        char *text;
        size_t len;
    } items[MODEL_MAX];
};

static struct rng rng;
static char text[TEXT_MAX];

/* A text of some kind: integers of all sizes, near-integers, strings of all length classes. */
static struct bytes any_text(void) {
    static const char *const odd[] = {"",   "-0", "007", "+5",   "9223372036854775808",  "-",
                                      "1 ", " 1", "1.0", "0x10", "-9223372036854775809", "00"};
    static const size_t edges[] = {1,   7,   8,   62,  127, 128,  129,  250, 251,
                                   252, 253, 254, 255, 256, 4223, 4224, 4225};
    size_t len;
    switch (rng_below(&rng, 8)) {
    case 0: return bytes_from_string(odd[rng_below(&rng, sizeof odd / sizeof *odd)]);
    case 1: len = (size_t)snprintf(text, sizeof text, "%d", (int)rng_below(&rng, 130) - 10); break;
    case 2:
    case 3:
        len = (size_t)snprintf(text, sizeof text, "%lld",
                               (long long)((int64_t)rng_next(&rng) >> rng_below(&rng, 64)));
        break;
    case 4:
        len = edges[rng_below(&rng, sizeof edges / sizeof *edges)];
        memset(text, 'a' + (int)rng_below(&rng, 2), len);
        break;
    default:
        len = rng_below(&rng, 20);
        for (size_t i = 0; i < len; i++) text[i] = (char)('a' + rng_below(&rng, 3));
    }
    return bytes_make(text, len);
}

static void model_insert(struct model *model, unsigned at, struct bytes value) {
    memmove(model->items + at + 1, model->items + at, (model->count - at) * sizeof *model->items);
    model->items[at].text = malloc(value.len + 1);
    memcpy(model->items[at].text, value.data, value.len);
    model->items[at].len = value.len;
    model->count++;
}

static void model_delete(struct model *model, unsigned at) {
    free(model->items[at].text);
    model->count--;
    memmove(model->items + at, model->items + at + 1, (model->count - at) * sizeof *model->items);
}

static struct bytes model_text(const struct model *model, unsigned at) {
    return bytes_make(model->items[at].text, model->items[at].len);
}

static void verify(const struct pack *pack, const struct model *model) {
    char scratch[PACK_TEXT_MAX];
    pack_check(pack);
    assert_int_equal(pack_count(pack), model->count);
    size_t at = pack_first(pack);
    for (unsigned i = 0; i < model->count; i++, at = pack_next(pack, at))
        assert_true(bytes_equal(pack_text(pack, at, scratch), model_text(model, i)));
    assert_int_equal(at, pack_end(pack));
}

static void verify_search(const struct pack *pack, const struct model *model, struct bytes wanted,
                          unsigned stride) {
    unsigned found = 0;
    while (found < model->count && !bytes_equal(model_text(model, found), wanted)) found += stride;
    size_t at = pack_find(pack, pack_first(pack), pack_item_of(wanted), stride);
    if (found >= model->count) {
        assert_int_equal(at, pack_end(pack));
    } else {
        assert_int_equal(at, pack_seek(pack, (int64_t)found));
        assert_int_equal(at, pack_seek(pack, (int64_t)found - (int64_t)model->count));
        assert_true(pack_equal(pack, at, pack_item_of(wanted)));
    }
}

static void step(struct pack **pack, struct heap *heap, struct model *model) {
    unsigned action = (unsigned)rng_below(&rng, 10),
             at = (unsigned)rng_below(&rng, model->count + 1);
    size_t place = pack_seek(*pack, at);
    if (action < 4 && model->count + 2 < MODEL_MAX) {
        struct bytes value = any_text();
        pack_insert(pack, heap, place, pack_item_of(value));
        model_insert(model, at, value);
    } else if (action == 4 && model->count + 2 < MODEL_MAX) {
        struct bytes value = any_text();
        pack_insert_pair(pack, heap, place, pack_item_of(value), pack_item_of(BYTES("second")));
        model_insert(model, at, value);
        model_insert(model, at + 1, BYTES("second"));
    } else if (action < 7 && at < model->count) {
        struct bytes value = any_text();
        pack_replace(pack, heap, place, pack_item_of(value));
        model_delete(model, at);
        model_insert(model, at, value);
    } else if (action < 9) {
        unsigned most = model->count - at,
                 items = (unsigned)rng_below(&rng, most < 4 ? most + 1 : 4);
        pack_delete(pack, heap, place, items);
        while (items--) model_delete(model, at);
    } else {
        struct pack *tail = pack_split(pack, heap, place);
        pack_check(tail);
        assert_int_equal(pack_count(*pack), at);
        pack_append_all(pack, heap, tail);
        pack_free(tail, heap);
    }
}

static void random_changes(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct heap *heap = heap_new();
        struct model model = {0};
        struct pack *pack = pack_new(heap);
        rng_seed(&rng, seed);
        for (int i = 0; i < 1500; i++) {
            step(&pack, heap, &model);
            verify(pack, &model);
            verify_search(pack, &model, any_text(), 1);
            if (model.count)
                verify_search(pack, &model,
                              model_text(&model, (unsigned)rng_below(&rng, model.count)), 1);
        }
        struct pack *copy = pack_copy(pack, heap);
        verify(copy, &model);
        pack_free(copy, heap);
        pack_free(pack, heap);
        while (model.count) model_delete(&model, 0);
        struct heap_stats stats;
        heap_stats(heap, &stats);
        assert_int_equal(stats.object_bytes, 0);
        heap_free(heap);
    }
}

static void finds_every_other(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct pack *pack = pack_new(heap);
    char field[32], value[32];
    for (int i = 0; i < 100; i++) {
        struct bytes f =
            bytes_make(field, (size_t)snprintf(field, sizeof field, i % 3 ? "field:%d" : "%d", i));
        struct bytes v =
            bytes_make(value, (size_t)snprintf(value, sizeof value, "field:%d", i + 1));
        pack_insert_pair(&pack, heap, pack_end(pack), pack_item_of(f), pack_item_of(v));
    }
    for (int i = 0; i < 100; i++) {
        struct bytes f =
            bytes_make(field, (size_t)snprintf(field, sizeof field, i % 3 ? "field:%d" : "%d", i));
        assert_int_equal(pack_find(pack, pack_first(pack), pack_item_of(f), 2),
                         pack_seek(pack, 2 * i));
    }
    assert_int_equal(pack_find(pack, pack_first(pack), pack_item_of(BYTES("field:100")), 2),
                     pack_end(pack));
    pack_free(pack, heap);
    heap_free(heap);
}

static void raw_items_stay_text(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct pack *pack = pack_new(heap);
    struct pack_item item;
    pack_append(&pack, heap, pack_item_raw(BYTES("12345678")));
    pack_append(&pack, heap, pack_item_raw(bytes_make(NULL, 0)));
    pack_get(pack, pack_first(pack), &item);
    assert_non_null(item.data);
    assert_int_equal(item.len, 8);
    assert_int_equal(pack_find(pack, pack_first(pack), pack_item_of(BYTES("12345678")), 1),
                     pack_end(pack));
    assert_int_equal(pack_find(pack, pack_first(pack), pack_item_raw(BYTES("12345678")), 1),
                     pack_first(pack));
    pack_free(pack, heap);
    heap_free(heap);
}

static void integers_are_compact(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        size_t bytes;
    } cases[] = {{0, 2},
                 {99, 2},
                 {100, 3},
                 {127, 3},
                 {128, 4},
                 {-1, 3},
                 {-128, 3},
                 {-129, 4},
                 {32767, 4},
                 {32768, 5},
                 {1 << 23, 6},
                 {INT32_MIN, 6},
                 {INT64_MAX, 10},
                 {INT64_MIN, 10},
                 {(int64_t)1 << 40, 8},
                 {-((int64_t)1 << 47), 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(pack_item_bytes(pack_item_integer(cases[i].value)), cases[i].bytes);
}

static void room_is_checked_without_wrapping(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct pack *pack = pack_new(heap);
    assert_true(pack_has_room(pack, 2, 1000));
    assert_false(pack_has_room(pack, 1, PACK_MAX));
    assert_false(pack_has_room(pack, SIZE_MAX, 0));
    assert_false(pack_has_room(pack, 0, SIZE_MAX));
    pack_free(pack, heap);
    heap_free(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(finds_every_other),
        cmocka_unit_test(raw_items_stay_text),
        cmocka_unit_test(integers_are_compact),
        cmocka_unit_test(room_is_checked_without_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
