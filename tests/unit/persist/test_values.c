/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of every type and size, written and read again; cut short, and with bits that changed. */
#include "persist/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/random.h"
#include "persist/format.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

enum { TEXT_MAX = 40000, OUT_MAX = 1 << 26 };

static struct rng rng;
static const enum value_type types[] = {TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH};

static struct bytes any_text(char *room) {
    switch (rng_below(&rng, 8)) {
    case 0:
    case 1:
        return bytes_make(room, (size_t)snprintf(room, TEXT_MAX, "%d", (int)rng_below(&rng, 300)));
    case 2:
    case 3: {
        int64_t wide = (int64_t)(rng_next(&rng) >> rng_below(&rng, 64));
        return bytes_make(room, (size_t)snprintf(room, TEXT_MAX, "%lld", (long long)wide));
    }
    default: break;
    }
    size_t len = rng_below(&rng, rng_below(&rng, 400) ? 80 : TEXT_MAX);
    char letter = rng_below(&rng, 2) ? 'a' : 0;
    for (size_t i = 0; i < len; i++) room[i] = letter ? letter : (char)rng_next(&rng);
    return bytes_make(room, len);
}

/* ---- values ---- */

static void add(enum value_type type, void *value, bool lifetimes) {
    static char a[TEXT_MAX], b[TEXT_MAX];
    double unused, score = (double)(int64_t)rng_next(&rng) / (double)(1 + rng_below(&rng, 1000));
    int64_t expires =
        lifetimes && rng_below(&rng, 2) ? (int64_t)rng_below(&rng, 1 << 30) : HASH_NO_EXPIRY;
    struct bytes text = any_text(a);
    switch (type) {
    case TYPE_LIST: list_push(value, rng_below(&rng, 2) ? LIST_HEAD : LIST_TAIL, text); break;
    case TYPE_SET: set_add(value, text); break;
    case TYPE_ZSET:
        if (rng_below(&rng, 2)) score = (double)(int)rng_below(&rng, 9) - 4;
        zset_add(value, text, score, 0, &unused);
        break;
    default: hash_set(value, text, any_text(b), INT64_MIN, expires); break;
    }
}

static void *any_value(enum value_type type, struct heap *heap) {
    void *value = type == TYPE_LIST   ? (void *)list_new(heap)
                  : type == TYPE_SET  ? (void *)set_new(heap)
                  : type == TYPE_ZSET ? (void *)zset_new(heap)
                                      : (void *)hash_new(heap);
    size_t count = 1 + rng_below(&rng, rng_below(&rng, 4) ? 30 : 1500);
    bool lifetimes = rng_below(&rng, 3) == 0;
    if (type == TYPE_SET && rng_below(&rng, 3) == 0) {
        char digits[24];
        unsigned shift = 16 * (unsigned)rng_below(&rng, 4);
        for (; count > 0; count--) {
            long long number = (long long)((int64_t)rng_next(&rng) >> shift);
            set_add(value,
                    bytes_make(digits, (size_t)snprintf(digits, sizeof digits, "%lld", number)));
        }
    }
    for (; count > 0; count--) add(type, value, lifetimes);
    return value;
}

static void same_lists(const struct list *a, const struct list *b) {
    struct list_iter x, y;
    struct bytes one, other;
    list_iter_init(&x, a, 0, false);
    list_iter_init(&y, b, 0, false);
    while (list_iter_next(&x, &one))
        assert_true(list_iter_next(&y, &other) && bytes_equal(one, other));
    list_check(b);
}

static void same_sets(const struct set *a, const struct set *b) {
    struct set_iter iter;
    struct bytes member;
    set_iter_init(&iter, a);
    while (set_iter_next(&iter, &member)) assert_true(set_has(b, member));
    set_check(b);
}

static void same_zsets(const struct zset *a, const struct zset *b) {
    struct zset_iter iter;
    struct bytes member;
    double score, other;
    zset_iter_init(&iter, a, (struct zset_range){0, zset_count(a)}, false);
    while (zset_iter_next(&iter, &member, &score))
        assert_true(zset_find(b, member, &other) && score == other);
    zset_check(b);
}

static void same_hashes(const struct hash *a, const struct hash *b) {
    struct hash_iter iter;
    struct bytes field, value, other;
    char scratch[HASH_SCRATCH];
    int64_t expires;
    hash_iter_init(&iter, a, INT64_MIN);
    while (hash_iter_next(&iter, &field, &value)) {
        assert_true(hash_get(b, field, INT64_MIN, scratch, &other) && bytes_equal(value, other));
        assert_true(hash_get_expiry(b, field, INT64_MIN, &expires) && expires == iter.expires_ms);
    }
    hash_check(b);
}

static void same_values(enum value_type type, const void *a, const void *b) {
    assert_int_equal(value_count(type, a), value_count(type, b));
    switch (type) {
    case TYPE_LIST: same_lists(a, b); break;
    case TYPE_SET: same_sets(a, b); break;
    case TYPE_ZSET: same_zsets(a, b); break;
    default: same_hashes(a, b); break;
    }
}

/* ---- writing and reading ---- */

static unsigned write_value(enum value_type type, const void *value, struct buffer *out) {
    struct rdb_writer writer;
    buffer_init(out, OUT_MAX);
    rdb_writer_init(&writer, out, rng_below(&rng, 2));
    unsigned code = rdb_value_code(type, value);
    rdb_write_value(&writer, type, value);
    assert_int_equal(writer.error, 0);
    return code;
}

/* From a block of exactly that size, so that a read outside it is seen. NULL when it was refused. */
static void *read_value(struct bytes bytes, unsigned code, enum value_type type,
                        struct heap *heap) {
    struct rdb_reader reader;
    struct rdb_text text = {0};
    struct rdb_value value;
    char *block = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(block);
    if (bytes.len) memcpy(block, bytes.data, bytes.len);
    rdb_reader_init(&reader, bytes_make(block, bytes.len), rdb_code_version(code));
    bool done = rdb_read_value(&reader, code, heap, &text, &value);
    assert_int_equal(reader.error, done ? 0 : ERROR_BAD_FORMAT);
    if (done) assert_int_equal(value.type, type);
    free(block);
    rdb_text_done(&text);
    return done ? value.value : NULL;
}

static void test_round_trips(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) {
        struct buffer out;
        struct heap *heap = heap_new();
        enum value_type type = types[i % 4];
        void *value = any_value(type, heap);
        unsigned code = write_value(type, value, &out);
        void *again = read_value(buffer_bytes(&out), code, type, heap);
        assert_non_null(again);
        same_values(type, value, again);
        value_free(type, value);
        value_free(type, again);
        buffer_done(&out);
        heap_free(heap);
    }
}

/* What is cut short is always refused; what was changed is refused, or is a value. */
static void test_damage(void **state) {
    (void)state;
    for (int i = 0; i < 28; i++) {
        struct buffer out;
        struct heap *heap = heap_new();
        enum value_type type = types[i % 4];
        void *value = any_value(type, heap);
        unsigned code = write_value(type, value, &out);
        size_t step = out.len < 2000 ? 1 : out.len / 500;
        for (size_t len = 0; len < out.len; len += step)
            assert_null(read_value(bytes_make(out.data, len), code, type, heap));
        for (size_t at = 0; at < out.len; at += step) {
            char bit = (char)(1 << rng_below(&rng, 8));
            out.data[at] ^= bit;
            void *other = read_value(buffer_bytes(&out), code, type, heap);
            if (other != NULL) {
                assert_true(value_count(type, other) > 0);
                same_values(type, other, other);
                value_free(type, other);
            }
            out.data[at] ^= bit;
        }
        value_free(type, value);
        buffer_done(&out);
        heap_free(heap); /* nothing may be left in it */
    }
}

static void test_full_buffer(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    for (int i = 0; i < 40; i++) {
        struct buffer out;
        struct rdb_writer writer;
        enum value_type type = types[i % 4];
        void *value = any_value(type, heap);
        write_value(type, value, &out);
        size_t len = out.len;
        buffer_done(&out);
        buffer_init(&out, rng_below(&rng, len));
        rdb_writer_init(&writer, &out, false);
        rdb_write_value(&writer, type, value);
        assert_int_equal(writer.error, ERROR_NO_MEMORY);
        buffer_done(&out);
        value_free(type, value);
    }
    heap_free(heap);
}

static void test_modules_are_refused(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct rdb_reader reader;
    struct rdb_text text = {0};
    struct rdb_value value;
    for (unsigned code = RDB_MODULE; code <= RDB_MODULE_2; code++) {
        rdb_reader_init(&reader, BYTES("\x00\x00"), RDB_VERSION_WRITTEN);
        assert_false(rdb_read_value(&reader, code, heap, &text, &value));
        assert_int_equal(reader.error, ERROR_MODULE_VALUE);
    }
    heap_free(heap);
}

int main(void) {
    const char *seed = getenv("SEED");
    rng_seed(&rng, seed ? strtoull(seed, NULL, 10) : 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_full_buffer),
        cmocka_unit_test(test_modules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
