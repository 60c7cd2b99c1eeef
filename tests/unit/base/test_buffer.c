/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers and arenas: random operations against plain arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/random.h"

enum { MODEL_MAX = 5000 };

static void test_random(void **state) {
    static char model[MODEL_MAX];
    size_t len = 0;
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, MODEL_MAX);
    for (int i = 0; i < 100000; i++) {
        char data[300];
        size_t n = random_below(sizeof data);
        for (size_t at = 0; at < n; at++) data[at] = (char)random_next();
        bool fits = len + n <= MODEL_MAX;
        size_t at = random_below(len + 1);
        switch (random_below(8)) {
        case 0:
        case 1:
            assert_int_equal(buffer_add(&buffer, data, n), fits ? 0 : ERROR_NO_MEMORY);
            if (fits) memcpy(model + len, data, n), len += n;
            break;
        case 2:
            assert_int_equal(buffer_insert(&buffer, at, data, n),
                             fits || n == 0 ? 0 : ERROR_NO_MEMORY);
            if (fits) {
                memmove(model + at + n, model + at, len - at);
                memcpy(model + at, data, n);
                len += n;
            }
            break;
        case 3:
            buffer_consume(&buffer, at);
            memmove(model, model + at, len - at);
            len -= at;
            break;
        case 4: buffer_shrink(&buffer, random_below(2000)); break;
        case 5: {
            char *to = buffer_reserve(&buffer, n);
            assert_int_equal(to != NULL, fits);
            if (!fits) break;
            memcpy(to, data, n);
            buffer_commit(&buffer, n);
            memcpy(model + len, data, n), len += n;
            break;
        }
        case 6: {
            char text[64];
            int wanted = snprintf(text, sizeof text, "%zu:%d", n, i);
            if (buffer_printf(&buffer, "%zu:%d", n, i) == 0) {
                memcpy(model + len, text, (size_t)wanted);
                len += (size_t)wanted;
            } else {
                assert_true(len + (size_t)wanted + 1 > MODEL_MAX);
            }
            break;
        }
        default:
            if (random_below(50) == 0) buffer_clear(&buffer), len = 0;
        }
        assert_int_equal(buffer.len, len);
        assert_true(buffer.cap <= MODEL_MAX && len <= buffer.cap);
        if (len) assert_memory_equal(buffer.data, model, len);
    }
    buffer_done(&buffer);
}

static void test_maximum(void **state) {
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 10);
    assert_null(buffer_reserve(&buffer, 11));
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
    assert_int_equal(buffer_add(&buffer, "0123456789", 10), 0);
    assert_int_equal(buffer_add(&buffer, "x", 1), ERROR_NO_MEMORY);
    assert_null(buffer_reserve(&buffer, SIZE_MAX - 5));
    assert_int_equal(buffer.len, 10);
    buffer_done(&buffer);
    buffer_init(&buffer, 0);
    assert_non_null(buffer_reserve(&buffer, 0));
    assert_null(buffer_reserve(&buffer, 1));
    buffer_done(&buffer);
}

static void test_arena(void **state) {
    struct arena arena = {0};
    size_t before = memory_used();
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct {
            unsigned char *at, byte;
            size_t size;
        } taken[200];
        size_t count = random_below(200);
        for (size_t i = 0; i < count; i++) {
            taken[i].size = random_below(random_below(10) ? 200 : 40000);
            taken[i].byte = (unsigned char)random_next();
            taken[i].at = arena_alloc(&arena, taken[i].size);
            assert_int_equal((uintptr_t)taken[i].at % ARENA_ALIGNMENT, 0);
            memset(taken[i].at, taken[i].byte, taken[i].size);
        }
        for (size_t i = 0; i < count; i++) {
            for (size_t at = 0; at < taken[i].size; at++) {
                assert_int_equal(taken[i].at[at], taken[i].byte);
            }
        }
        arena_reset(&arena);
    }
    assert_true(memory_used() - before <= ARENA_KEEP_BYTES + 4096);
    assert_null(arena_try_alloc(&arena, SIZE_MAX));
    assert_null(arena_try_alloc(&arena, SIZE_MAX - 20));
    assert_null(arena_try_array(&arena, SIZE_MAX / 2, 3));
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 5), "a-5");
    struct bytes copy = arena_copy(&arena, BYTES("copy"));
    assert_true(bytes_equal(copy, BYTES("copy")));
    arena_done(&arena);
    arena_done(&arena);
    assert_int_equal(memory_used(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_maximum),
                                       cmocka_unit_test(test_arena)};
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
