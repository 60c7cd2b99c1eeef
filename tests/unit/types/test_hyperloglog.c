/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/random.h"
#include "types/hyperloglog.h"
#include "types/limits.h"

static uint64_t seed = 1;

static char room[HLL_ROOM_BYTES];

static struct bytes view(const struct hll *hll) {
    return bytes_make(hll->bytes, hll->len);
}

static struct hll fresh(void) {
    struct hll hll = {.bytes = room};
    hll_init(&hll);
    return hll;
}

static uint64_t count(const struct hll *hll) {
    uint8_t registers[HLL_REGISTERS] = {0};
    assert_true(hll_merge(view(hll), registers));
    return hll_estimate(registers);
}

static void assert_described(const struct hll *hll, const char *expected) {
    struct buffer text;
    buffer_init(&text, 1 << 20);
    assert_true(hll_describe(view(hll), &text));
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
    buffer_done(&text);
}

static void test_empty(void **state) {
    (void)state;
    struct hll hll = fresh();
    uint64_t kept = 7;
    assert_int_equal(hll.len, HLL_HEADER_BYTES + 2);
    assert_true(hll_recognise(view(&hll)));
    assert_false(hll_is_dense(view(&hll)));
    assert_true(hll_kept_estimate(view(&hll), &kept));
    assert_int_equal(kept, 0);
    assert_int_equal(count(&hll), 0);
    assert_described(&hll, "Z:16384");
}

/* What every implementation of the format makes of three elements. */
static void test_known_registers(void **state) {
    (void)state;
    struct hll hll = fresh();
    uint64_t kept;
    assert_int_equal(hll_add(&hll, BYTES("a")), HLL_CHANGED);
    assert_int_equal(hll_add(&hll, BYTES("b")), HLL_CHANGED);
    assert_int_equal(hll_add(&hll, BYTES("c")), HLL_CHANGED);
    assert_int_equal(hll_add(&hll, BYTES("a")), HLL_SAME);
    assert_described(&hll, "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
    assert_false(hll_kept_estimate(view(&hll), &kept));
    assert_int_equal(count(&hll), 3);
    hll_keep_estimate(hll.bytes, 3);
    assert_true(hll_kept_estimate(view(&hll), &kept));
    assert_int_equal(kept, 3);
}

static void test_runs_are_split_and_joined(void **state) {
    (void)state;
    struct hll hll = fresh();
    for (unsigned i = 100; i < 106; i++) assert_int_equal(hll_raise(&hll, i, 2), HLL_CHANGED);
    assert_described(&hll, "Z:100 v:2,4 v:2,2 Z:16278");
    assert_int_equal(hll_raise(&hll, 101, 3), HLL_CHANGED);
    assert_described(&hll, "Z:100 v:2,1 v:3,1 v:2,4 Z:16278");
    assert_int_equal(hll_raise(&hll, 0, 32), HLL_CHANGED);
    assert_int_equal(hll_raise(&hll, 16383, 1), HLL_CHANGED);
    assert_described(&hll, "v:32,1 Z:99 v:2,1 v:3,1 v:2,4 Z:16277 v:1,1");
    assert_int_equal(hll_raise(&hll, 0, 33), HLL_CHANGED);
    assert_true(hll_is_dense(view(&hll)));
}

/* Random registers raised in both encodings, beside an array. */
static void test_against_array(void **state) {
    (void)state;
    static char other[HLL_ROOM_BYTES];
    static const int64_t limits[] = {0, 40, 300, 3000, 100000};
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 40; round++) {
        uint8_t model[HLL_REGISTERS] = {0}, found[HLL_REGISTERS];
        struct hll sparse = fresh(), dense = {.bytes = other};
        hll_init(&dense);
        assert_true(hll_make_dense(&dense));
        atomic_store(&type_limits.hll_sparse_max_bytes, limits[round % 5]);
        uint64_t among = round % 3 ? HLL_REGISTERS : 200, values = round % 7 ? 5 : 51;
        for (int i = 0; i < 3000; i++) {
            unsigned index = (unsigned)rng_below(&rng, among);
            uint8_t value = (uint8_t)(1 + rng_below(&rng, values));
            enum hll_outcome expected = value > model[index] ? HLL_CHANGED : HLL_SAME;
            if (value > model[index]) model[index] = value;
            assert_int_equal(hll_raise(&sparse, index, value), expected);
            assert_int_equal(hll_raise(&dense, index, value), expected);
        }
        memset(found, 0, sizeof found);
        assert_true(hll_merge(view(&sparse), found));
        assert_memory_equal(found, model, sizeof found);
        memset(found, 0, sizeof found);
        assert_true(hll_merge(view(&dense), found));
        assert_memory_equal(found, model, sizeof found);
        assert_int_equal(count(&sparse), count(&dense));
    }
    atomic_store(&type_limits.hll_sparse_max_bytes, 3000);
}

static void test_damage(void **state) {
    (void)state;
    uint8_t registers[HLL_REGISTERS] = {0};
    assert_false(hll_recognise(BYTES("HYLL")));
    assert_false(hll_recognise(BYTES("HYLX\1\0\0\0\0\0\0\0\0\0\0\0")));
    assert_false(hll_recognise(BYTES("HYLL\2\0\0\0\0\0\0\0\0\0\0\0")));
    assert_false(hll_recognise(BYTES("HYLL\0\0\0\0\0\0\0\0\0\0\0\0")));
    /* No runs; too few; too many; one that is cut off. */
    assert_false(hll_merge(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0"), registers));
    assert_false(hll_merge(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xfe"), registers));
    assert_false(hll_merge(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff\0"), registers));
    assert_false(hll_merge(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f"), registers));
    struct hll hll = fresh();
    hll.len--;
    assert_int_equal(hll_add(&hll, BYTES("a")), HLL_DAMAGED);
    assert_false(hll_make_dense(&hll));
    /* Registers that no element can have made. */
    memset(registers, 63, sizeof registers);
    assert_true(hll_estimate(registers) == INT64_MAX);
}

static void test_self(void **state) {
    (void)state;
    assert_true(hll_self_test());
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_known_registers),
        cmocka_unit_test(test_runs_are_split_and_joined),
        cmocka_unit_test(test_against_array),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_self),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
