/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes against a naive model, in both encodings, with expiring fields and a clock that moves. */
#include "types/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/random.h"
#include "types/limits.h"

enum { FIELDS = 700, VALUE_MAX = 400, ROOM = 300 };

/* Field i has the name name_of(i). */
struct model {
    struct {
        bool present;
        int64_t expires_ms;
        size_t len;
        char value[VALUE_MAX];
    } fields[FIELDS];
    int64_t now_ms;
};

static struct rng rng;
static unsigned universe;

static struct bytes name_of(unsigned i, char *room) {
    if (i % 50 == 49) { /* longer than one byte tells */
        memset(room, 'n', 260);
        return bytes_make(room, 260 + (size_t)snprintf(room + 260, ROOM - 260, "%u", i));
    }
    return bytes_make(room, (size_t)snprintf(room, ROOM, i % 3 ? "field:%u" : "%u", i));
}

static unsigned index_of(struct bytes name) {
    unsigned index = 0;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= '0' && name.data[i] <= '9')
            index = index * 10 + (unsigned)(name.data[i] - '0');
    return index;
}

static bool is_live(const struct model *model, unsigned i) {
    return model->fields[i].present && model->fields[i].expires_ms >= model->now_ms;
}

static size_t live_count(const struct model *model) {
    size_t count = 0;
    for (unsigned i = 0; i < universe; i++) count += is_live(model, i);
    return count;
}

static struct bytes any_value(char *room) {
    size_t len;
    if (rng_below(&rng, 2))
        return bytes_make(
            room, (size_t)snprintf(room, VALUE_MAX, "%d", (int)rng_below(&rng, 2000) - 1000));
    len = rng_below(&rng, rng_below(&rng, 40) ? 40 : VALUE_MAX);
    memset(room, 'v', len);
    return bytes_make(room, len);
}

static struct bytes model_value(const struct model *model, unsigned i) {
    return bytes_make(model->fields[i].value, model->fields[i].len);
}

struct seen_fields {
    const struct model *model;
    unsigned times[FIELDS];
    size_t total;
};

static void see(struct bytes field, struct bytes value, void *context) {
    struct seen_fields *seen = context;
    unsigned i = index_of(field);
    char room[ROOM];
    assert_true(i < universe && bytes_equal(field, name_of(i, room)) && is_live(seen->model, i));
    assert_true(bytes_equal(value, model_value(seen->model, i)));
    seen->times[i]++;
    seen->total++;
}

static void verify(const struct hash *hash, const struct model *model) {
    char room[ROOM], scratch[HASH_SCRATCH];
    struct bytes field, value;
    struct hash_iter iter;
    struct seen_fields seen = {.model = model};
    hash_check(hash);
    assert_int_equal(hash_count_live(hash, model->now_ms), live_count(model));
    for (unsigned i = 0; i < universe; i++) {
        int64_t expires;
        bool live = is_live(model, i);
        assert_int_equal(hash_get(hash, name_of(i, room), model->now_ms, scratch, &value), live);
        if (live) assert_true(bytes_equal(value, model_value(model, i)));
        assert_int_equal(hash_get_expiry(hash, name_of(i, room), model->now_ms, &expires), live);
        if (live) assert_int_equal(expires, model->fields[i].expires_ms);
        if (live) assert_true(hash_next_expiry(hash) <= expires);
    }
    hash_iter_init(&iter, hash, model->now_ms);
    while (hash_iter_next(&iter, &field, &value)) {
        assert_int_equal(iter.expires_ms, model->fields[index_of(field)].expires_ms);
        see(field, value, &seen);
    }
    assert_int_equal(seen.total, live_count(model));
    uint64_t cursor = 0;
    memset(seen.times, 0, sizeof seen.times);
    do cursor = hash_scan(hash, cursor, model->now_ms, see, &seen);
    while (cursor);
    for (unsigned i = 0; i < universe; i++) assert_int_equal(seen.times[i], is_live(model, i));
}

static void verify_chance(const struct hash *hash, const struct model *model) {
    struct seen_fields seen = {.model = model};
    size_t live = live_count(model), count = rng_below(&rng, live + 4);
    hash_sample(hash, &rng, count, model->now_ms, see, &seen);
    assert_int_equal(seen.total, count < live ? count : live);
    for (unsigned i = 0; i < universe; i++) assert_true(seen.times[i] <= 1);
    seen.total = 0;
    count = rng_below(&rng, 20);
    if (live) {
        hash_draw(hash, &rng, count, model->now_ms, see, &seen);
        assert_int_equal(seen.total, count);
    }
}

static int64_t any_expiry(const struct model *model) {
    return rng_below(&rng, 3) ? model->now_ms + 1 + (int64_t)rng_below(&rng, 300) : HASH_NO_EXPIRY;
}

static void step(struct hash *hash, struct model *model, bool expiring) {
    char room[ROOM], value_room[VALUE_MAX];
    unsigned i = (unsigned)rng_below(&rng, universe);
    struct bytes field = name_of(i, room), value = any_value(value_room);
    bool live = is_live(model, i);
    switch (rng_below(&rng, expiring ? 10 : 7)) {
    default: {
        bool keep = rng_below(&rng, 4) == 0;
        int64_t expires = keep ? HASH_KEEP_EXPIRY : expiring ? any_expiry(model) : HASH_NO_EXPIRY;
        assert_int_equal(hash_set(hash, field, value, model->now_ms, expires), !live);
        if (!keep)
            model->fields[i].expires_ms = expires;
        else if (!live)
            model->fields[i].expires_ms = HASH_NO_EXPIRY;
        model->fields[i].present = true;
        model->fields[i].len = value.len;
        memcpy(model->fields[i].value, value.data, value.len);
        break;
    }
    case 4:
    case 5:
    case 6:
        assert_int_equal(hash_delete(hash, field, model->now_ms), live);
        model->fields[i].present = false;
        break;
    case 7: {
        int64_t expires = any_expiry(model);
        assert_int_equal(hash_set_expiry(hash, field, model->now_ms, expires), live);
        if (live) model->fields[i].expires_ms = expires;
        break;
    }
    case 8: model->now_ms += (int64_t)rng_below(&rng, 20); break;
    case 9: {
        size_t most = rng_below(&rng, 2) ? SIZE_MAX : rng_below(&rng, 5), before = hash_count(hash);
        size_t removed = hash_expire_fields(hash, model->now_ms, most),
               live_now = live_count(model);
        assert_int_equal(hash_count(hash), before - removed);
        assert_true(removed <= most);
        if (most == SIZE_MAX) {
            assert_int_equal(hash_count(hash), live_now);
            assert_true(hash_next_expiry(hash) >= model->now_ms);
        }
    }
    }
}

static void run(uint64_t seed, bool expiring, unsigned fields) {
    struct heap *heap = heap_new();
    struct model *model = calloc(1, sizeof *model);
    struct hash *hash = hash_new(heap);
    rng_seed(&rng, seed);
    universe = fields;
    model->now_ms = 1000;
    for (int i = 0; i < 3000; i++) {
        step(hash, model, expiring);
        if (i % 40 == 0) verify(hash, model);
        if (i % 40 == 0) verify_chance(hash, model);
    }
    struct hash *copy = hash_copy(hash, heap);
    verify(copy, model);
    assert_string_equal(hash_encoding(copy), hash_encoding(hash));
    hash_free(copy);
    hash_rehome(hash, NULL);
    hash_free(hash);
    free(model);
    heap_free(heap);
}

static void random_changes(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        atomic_store(&type_limits.hash_max_listpack_value, seed % 2 ? 64 : 1000);
        run(seed, false, 40);
        run(seed, false, FIELDS);
        run(seed, true, 40);
        run(seed, true, FIELDS);
    }
    atomic_store(&type_limits.hash_max_listpack_value, 64);
}

static void encodings_follow_size(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct hash *hash = hash_new(heap);
    char room[70];
    for (int i = 0; i < 512; i++)
        hash_set(hash, bytes_make(room, (size_t)snprintf(room, sizeof room, "%d", i)), BYTES("v"),
                 0, HASH_NO_EXPIRY);
    assert_string_equal(hash_encoding(hash), "listpack");
    hash_set(hash, BYTES("512"), BYTES("v"), 0, HASH_NO_EXPIRY);
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    memset(room, 'x', sizeof room);
    hash = hash_new(heap);
    hash_set(hash, BYTES("a"), bytes_make(room, 64), 0, HASH_NO_EXPIRY);
    assert_string_equal(hash_encoding(hash), "listpack");
    hash_set(hash, BYTES("a"), bytes_make(room, 65), 0, HASH_NO_EXPIRY);
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    hash = hash_new(heap);
    hash_set(hash, BYTES("a"), BYTES("b"), 0, 5);
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    heap_free(heap);
}

/* What a field of 16 bytes with a value of 16 costs, table included. */
static void fields_are_small(void **state) {
    (void)state;
    enum { MANY = 200000 };
    struct heap *heap = heap_new();
    struct hash *hash = hash_new(heap);
    char room[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(room, sizeof room, "%016d", i);
        hash_set(hash, bytes_make(room, 16), bytes_make(room, 16), 0, HASH_NO_EXPIRY);
    }
    double each = (double)hash_bytes_used(hash) / MANY;
    printf("# %.1f bytes per field\n", each);
    assert_true(each <= 52);
    hash_free(hash);
    heap_free(heap);
}

/* Every field should be drawn about as often as any other. */
static void draws_are_even(void **state) {
    (void)state;
    enum { MANY = 600, DRAWS = 60000 };
    struct heap *heap = heap_new();
    struct hash *hash = hash_new(heap);
    struct model *model = calloc(1, sizeof *model);
    char room[ROOM];
    struct seen_fields seen = {.model = model};
    universe = MANY;
    rng_seed(&rng, 7);
    for (unsigned i = 0; i < MANY; i++) {
        hash_set(hash, name_of(i, room), BYTES(""), 0, HASH_NO_EXPIRY);
        model->fields[i].present = true;
    }
    hash_draw(hash, &rng, DRAWS, 0, see, &seen);
    for (unsigned i = 0; i < MANY; i++) assert_true(seen.times[i] > 50 && seen.times[i] < 160);
    hash_free(hash);
    free(model);
    heap_free(heap);
}

static int setup(void **state) {
    (void)state;
    hash_seed_init(42);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(encodings_follow_size),
        cmocka_unit_test(fields_are_small),
        cmocka_unit_test(draws_are_even),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
