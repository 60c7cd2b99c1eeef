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
#include "types/stream_group.h"
#include "types/zset.h"

enum { TEXT_MAX = 40000, OUT_MAX = 1 << 26 };

static struct rng rng;
enum { TYPES = 5 };
static const enum value_type types[TYPES] = {TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH,
                                             TYPE_STREAM};

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

/* A few kinds of entries, now and then one of its own; some are deleted again. */
static void add_entries(struct stream *stream) {
    static char room[8][400];
    struct bytes pairs[8];
    struct stream_id id = {rng_below(&rng, 2) ? rng_next(&rng) >> rng_below(&rng, 64) : 1000, 0};
    size_t count = rng_below(&rng, rng_below(&rng, 4) ? 30 : 700), step = 1 + rng_below(&rng, 9);
    for (; count > 0; count--) {
        size_t fields = 1 + rng_below(&rng, rng_below(&rng, 3) ? 2 : 4);
        for (size_t i = 0; i < fields; i++) {
            pairs[2 * i] = bytes_make(
                room[2 * i], (size_t)snprintf(room[2 * i], 400, i % 2 ? "%zu" : "name-%zu", i));
            size_t len = rng_below(&rng, 30);
            memset(room[2 * i + 1], (int)('0' + len % 10), len);
            pairs[2 * i + 1] = bytes_make(room[2 * i + 1], len);
        }
        if (rng_below(&rng, 3)) id.ms += rng_below(&rng, step);
        id.seq += 1 + rng_below(&rng, step);
        if (!stream_id_less(stream_facts(stream)->last_id, id)) return;
        assert_int_equal(stream_add(stream, id, pairs, fields), 0);
        if (rng_below(&rng, 8) == 0) stream_delete(stream, id);
    }
    struct stream_facts facts = *stream_facts(stream);
    facts.entries_added += rng_below(&rng, 10);
    if (rng_below(&rng, 2)) facts.max_deleted = facts.last_id;
    stream_set_facts(stream, &facts);
}

static void add_groups(struct stream *stream) {
    char name[24];
    for (unsigned g = (unsigned)rng_below(&rng, 3); g > 0; g--) {
        struct stream_id last = {rng_below(&rng, 2000), rng_below(&rng, 9)};
        int64_t read = (int64_t)rng_below(&rng, 100) - 1;
        struct stream_group *group = stream_group_new(
            stream, bytes_make(name, (size_t)snprintf(name, 24, "g%u", g)), last, read);
        for (unsigned c = (unsigned)rng_below(&rng, 4); c > 0; c--) {
            struct bytes called = bytes_make(name, (size_t)snprintf(name, 24, "%u", c));
            struct stream_consumer *consumer =
                stream_consumer_new(stream, group, called, (int64_t)rng_below(&rng, 1 << 30));
            if (rng_below(&rng, 2)) consumer->active_ms = (int64_t)rng_below(&rng, 1 << 30);
            for (size_t n = rng_below(&rng, 200); n > 0; n--) {
                struct stream_id id = {1000 + rng_below(&rng, 100), rng_below(&rng, 20)};
                struct stream_pending *pending = stream_pending_add(
                    stream, group, consumer, id, (int64_t)rng_below(&rng, 1 << 30), NULL);
                pending->deliveries = rng_below(&rng, 99);
            }
        }
    }
}

static void *any_value(enum value_type type, struct heap *heap) {
    if (type == TYPE_STREAM) {
        struct stream *stream = stream_new(heap);
        add_entries(stream);
        add_groups(stream);
        return stream;
    }
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

static bool same_ids(struct stream_id a, struct stream_id b) {
    return stream_id_compare(a, b) == 0;
}

static void same_entries(const struct stream *a, const struct stream *b) {
    struct stream_iter x, y;
    struct stream_id one, other;
    size_t fields, others;
    stream_iter_init(&x, a, STREAM_ID_MIN, STREAM_ID_MAX, false);
    stream_iter_init(&y, b, STREAM_ID_MIN, STREAM_ID_MAX, false);
    while (stream_iter_next(&x, &one, &fields)) {
        assert_true(stream_iter_next(&y, &other, &others) && same_ids(one, other));
        assert_int_equal(fields, others);
        for (; fields > 0; fields--) {
            struct bytes name, value, other_name, other_value;
            stream_iter_field(&x, &name, &value);
            stream_iter_field(&y, &other_name, &other_value);
            assert_true(bytes_equal(name, other_name) && bytes_equal(value, other_value));
        }
    }
}

static void same_groups(const struct stream_group *a, const struct stream_group *b, bool active) {
    struct stream_pending_iter x, y;
    const struct stream_pending *one, *other;
    assert_true(bytes_equal(stream_group_name(a), stream_group_name(b)));
    assert_true(same_ids(a->last_id, b->last_id) && a->entries_read == b->entries_read);
    assert_int_equal(stream_group_pending(a), stream_group_pending(b));
    assert_int_equal(a->consumer_count, b->consumer_count);
    for (uint32_t i = 0; i < a->consumer_count; i++) {
        const struct stream_consumer *c = a->consumers[i], *d = b->consumers[i];
        assert_true(bytes_equal(stream_consumer_name(c), stream_consumer_name(d)));
        assert_int_equal(c->seen_ms, d->seen_ms);
        assert_int_equal(active ? c->active_ms : c->seen_ms, d->active_ms);
        assert_int_equal(stream_consumer_pending(c), stream_consumer_pending(d));
    }
    stream_pending_iter_init(&x, a, NULL, STREAM_ID_MIN);
    stream_pending_iter_init(&y, b, NULL, STREAM_ID_MIN);
    while ((one = stream_pending_iter_next(&x))) {
        other = stream_pending_iter_next(&y);
        assert_true(other && same_ids(one->id, other->id));
        assert_true(one->delivered_ms == other->delivered_ms);
        assert_true(one->deliveries == other->deliveries);
        assert_true(bytes_equal(stream_consumer_name(one->consumer),
                                stream_consumer_name(other->consumer)));
    }
}

static void same_streams(const struct stream *a, const struct stream *b, bool active) {
    const struct stream_facts *x = stream_facts(a), *y = stream_facts(b);
    assert_true(same_ids(x->last_id, y->last_id) && same_ids(x->max_deleted, y->max_deleted));
    assert_int_equal(x->entries_added, y->entries_added);
    same_entries(a, b);
    assert_int_equal(stream_group_count(a), stream_group_count(b));
    for (size_t i = 0; i < stream_group_count(a); i++)
        same_groups(stream_group_at(a, i), stream_group_at(b, i), active);
    stream_check(b);
}

/* Version: of the format that the value went through. */
static void same_values(enum value_type type, const void *a, const void *b, unsigned version) {
    assert_int_equal(value_count(type, a), value_count(type, b));
    switch (type) {
    case TYPE_LIST: same_lists(a, b); break;
    case TYPE_SET: same_sets(a, b); break;
    case TYPE_ZSET: same_zsets(a, b); break;
    case TYPE_STREAM: same_streams(a, b, a == b || version >= RDB_VERSION_ACTIVE_CONSUMERS); break;
    default: same_hashes(a, b); break;
    }
}

/* ---- writing and reading ---- */

static unsigned write_value(enum value_type type, const void *value, unsigned version,
                            struct buffer *out) {
    struct rdb_writer writer;
    buffer_init(out, OUT_MAX);
    rdb_writer_init(&writer, out, rng_below(&rng, 2));
    unsigned code = rdb_value_code(type, value, version);
    rdb_write_value(&writer, code, value);
    assert_int_equal(writer.error, 0);
    return code;
}

/* From a block of exactly that size, so that a read outside it is seen.
 * NULL when it was refused. */
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
    for (int i = 0; i < 500; i++) {
        struct buffer out;
        struct heap *heap = heap_new();
        enum value_type type = types[i % TYPES];
        void *value = any_value(type, heap);
        unsigned version = RDB_VERSION_WRITTEN + (unsigned)rng_below(&rng, 2);
        unsigned code = write_value(type, value, version, &out);
        void *again = read_value(buffer_bytes(&out), code, type, heap);
        assert_non_null(again);
        same_values(type, value, again, version);
        value_free(type, value);
        value_free(type, again);
        buffer_done(&out);
        heap_free(heap);
    }
}

/* What is cut short is always refused; what was changed is refused, or is a value. */
static void test_damage(void **state) {
    (void)state;
    for (int i = 0; i < 35; i++) {
        struct buffer out;
        struct heap *heap = heap_new();
        enum value_type type = types[i % TYPES];
        void *value = any_value(type, heap);
        unsigned version = RDB_VERSION_WRITTEN + (unsigned)rng_below(&rng, 2);
        unsigned code = write_value(type, value, version, &out);
        size_t step = out.len < 2000 ? 1 : out.len / 500;
        for (size_t len = 0; len < out.len; len += step)
            assert_null(read_value(bytes_make(out.data, len), code, type, heap));
        for (size_t at = 0; at < out.len; at += step) {
            char bit = (char)(1 << rng_below(&rng, 8));
            out.data[at] ^= bit;
            void *other = read_value(buffer_bytes(&out), code, type, heap);
            if (other != NULL) {
                assert_true(value_count(type, other) > 0 || type == TYPE_STREAM);
                same_values(type, other, other, version);
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
    for (int i = 0; i < 50; i++) {
        struct buffer out;
        struct rdb_writer writer;
        enum value_type type = types[i % TYPES];
        void *value = any_value(type, heap);
        unsigned code = write_value(type, value, RDB_VERSION_WRITTEN, &out);
        size_t len = out.len;
        buffer_done(&out);
        buffer_init(&out, rng_below(&rng, len));
        rdb_writer_init(&writer, &out, false);
        rdb_write_value(&writer, code, value);
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
