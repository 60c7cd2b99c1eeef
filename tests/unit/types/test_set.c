/* SPDX-License-Identifier: BSD-3-Clause */
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

static uint64_t seed = 1;

/* The model: which members of a fixed alphabet are there. */
enum { ALPHABET = 3000 };

struct letter {
    char text[400];
    size_t len;
};

static struct letter alphabet[ALPHABET];

static struct bytes letter(size_t i) {
    return bytes_make(alphabet[i].text, alphabet[i].len);
}

static size_t letter_index(struct bytes member) {
    size_t i = 0;
    for (size_t at = 0; at < member.len && member.data[at] >= '0' && member.data[at] <= '9'; at++)
        i = i * 10 + (size_t)(member.data[at] - '0');
    assert_true(i < ALPHABET && bytes_equal(letter(i), member));
    return i;
}

/* Numbers, with others among them that only begin with their number; all distinct. */
static void make_alphabet(bool integers, bool large) {
    for (size_t i = 0; i < ALPHABET; i++) {
        int len = snprintf(alphabet[i].text, sizeof alphabet[i].text,
                           integers || i % 3 ? "%zu" : "%zu text", i);
        if (large && i % 50 == 7) {
            size_t wanted = i % 100 == 7 ? 253 + i % 5 : 66;
            memset(alphabet[i].text + len, '.', wanted - (size_t)len);
            len = (int)wanted;
        }
        alphabet[i].len = (size_t)len;
    }
}

static void compare(const struct set *set, const bool *model) {
    bool met[ALPHABET] = {0};
    size_t count = 0, seen = 0;
    struct set_iter iter;
    struct bytes member;
    set_check(set);
    for (size_t i = 0; i < ALPHABET; i++) {
        count += model[i];
        assert_int_equal(set_has(set, letter(i)), model[i]);
    }
    assert_int_equal(set_count(set), count);
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member)) {
        size_t i = letter_index(member);
        assert_true(model[i] && !met[i]);
        met[i] = true;
        seen++;
    }
    assert_int_equal(seen, count);
}

static bool *visit_model;
static size_t visited;

static void visit_once(struct bytes member, void *context) {
    bool *met = context;
    size_t i = letter_index(member);
    assert_true(visit_model[i] && !met[i]);
    met[i] = true;
    visited++;
}

static void check_exact_bytes(struct heap *heap, const struct set *set) {
    struct heap_stats stats;
    heap_stats(heap, &stats);
    /* The table's segments, and objects too large for the heap, come from elsewhere. */
    assert_true(stats.object_bytes <= set_bytes(set));
    if (strcmp(set_encoding(set), "hashtable") != 0 && set_bytes(set) < HEAP_OBJECT_MAX)
        assert_int_equal(stats.object_bytes, set_bytes(set));
}

static void run(unsigned most, unsigned rounds) {
    struct heap *heap = heap_new();
    struct rng rng;
    struct set *set = set_new(heap);
    bool model[ALPHABET] = {0};
    size_t count = 0;
    bool growing = true;
    rng_seed(&rng, seed);
    for (unsigned round = 0; round < rounds; round++) {
        size_t i = rng_below(&rng, ALPHABET);
        if (count >= most) growing = false;
        if (count == 0) growing = true;
        if (growing == (rng_below(&rng, 8) != 0)) {
            assert_int_equal(set_add(set, letter(i)), !model[i]);
            count += !model[i];
            model[i] = true;
        } else {
            assert_int_equal(set_remove(set, letter(i)), model[i]);
            count -= model[i];
            model[i] = false;
        }
        if (round % 128 == 0) compare(set, model);
        if (round % 512 == 0 && count > 0) {
            bool met[ALPHABET] = {0};
            char scratch[SET_TEXT_MAX];
            size_t wanted = rng_below(&rng, count + 2);
            visit_model = model, visited = 0;
            assert_true(model[letter_index(set_random(set, &rng, scratch))]);
            set_sample(set, &rng, wanted, visit_once, met);
            assert_int_equal(visited, wanted < count ? wanted : count);
            memset(met, 0, sizeof met);
            visited = 0;
            uint64_t cursor = 0;
            do cursor = set_scan(set, cursor, visit_once, met);
            while (cursor);
            assert_int_equal(visited, count);
            if (rng_below(&rng, 4) == 0) {
                memset(met, 0, sizeof met);
                visited = 0;
                set_pop(set, &rng, wanted, visit_once, met);
                assert_int_equal(visited, wanted < count ? wanted : count);
                count -= visited;
                for (size_t j = 0; j < ALPHABET; j++) model[j] = model[j] && !met[j];
                compare(set, model);
            }
        }
        check_exact_bytes(heap, set);
    }
    struct set *copy = set_copy(set, heap);
    compare(copy, model);
    assert_string_equal(set_encoding(copy), set_encoding(set));
    /* As the background frees it: what is given back under no name goes home by itself. */
    set_rehome(set, NULL);
    set_free(set);
    set_free(copy);
    heap_free(heap);
}

static void test_integers(void **state) {
    (void)state;
    make_alphabet(true, false);
    run(300, 20000);
    run(2500, 40000);
}

static void test_texts(void **state) {
    (void)state;
    make_alphabet(false, false);
    run(100, 20000);
    run(2500, 40000);
}

static void test_large(void **state) {
    (void)state;
    make_alphabet(false, true);
    run(100, 10000);
    run(2500, 30000);
}

static void test_encodings(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct set *set = set_new(heap);
    char text[300];
    assert_string_equal(set_encoding(set), "intset");
    set_add(set, BYTES("1"));
    set_add(set, BYTES("-9223372036854775808"));
    assert_string_equal(set_encoding(set), "intset");
    set_add(set, BYTES("01"));
    assert_string_equal(set_encoding(set), "listpack");
    memset(text, 'a', sizeof text);
    set_add(set, bytes_make(text, 64));
    assert_string_equal(set_encoding(set), "listpack");
    set_add(set, bytes_make(text, 65));
    assert_string_equal(set_encoding(set), "hashtable");
    set_add(set, bytes_make(text, 253));
    set_add(set, bytes_make(text, 254));
    set_add(set, bytes_make(text, 0));
    set_check(set);
    assert_true(set_has(set, bytes_make(text, 253)) && set_has(set, bytes_make(text, 254)));
    assert_true(set_has(set, bytes_make(NULL, 0)) && !set_has(set, bytes_make(text, 255)));
    set_free(set);

    set = set_new(heap);
    for (int i = 0; i < 513; i++) {
        assert_string_equal(set_encoding(set), "intset");
        set_add(set, bytes_make(text, (size_t)snprintf(text, sizeof text, "%d", i)));
    }
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    set = set_new(heap);
    for (int i = 0; i < 128; i++)
        set_add(set, bytes_make(text, (size_t)snprintf(text, sizeof text, "m%d", i)));
    assert_string_equal(set_encoding(set), "listpack");
    set_add(set, BYTES("one more"));
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    /* A set of integers too large for a pack goes straight to a table. */
    set = set_new(heap);
    for (int i = 0; i < 128; i++)
        set_add(set, bytes_make(text, (size_t)snprintf(text, sizeof text, "%d", i)));
    set_add(set, BYTES("text"));
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    set = set_new(heap);
    set_expect(set, 6000, BYTES("1"));
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);
    set = set_new(heap);
    set_expect(set, 500, BYTES("1"));
    assert_string_equal(set_encoding(set), "intset");
    set_expect(set, 2000, BYTES("x"));
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    atomic_store(&type_limits.set_max_intset_entries, 0);
    atomic_store(&type_limits.set_max_listpack_entries, 0);
    set = set_new(heap);
    set_add(set, BYTES("1"));
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);
    atomic_store(&type_limits.set_max_intset_entries, 512);
    atomic_store(&type_limits.set_max_listpack_entries, 128);
    heap_free(heap);
}

/* Every member comes about as often as any other, in all encodings. */
static void test_fair(void **state) {
    (void)state;
    static const size_t sizes[] = {10, 100, 700, 2900};
    struct heap *heap = heap_new();
    struct rng rng;
    rng_seed(&rng, seed);
    for (int text = 0; text < 2; text++) {
        make_alphabet(!text, false);
        for (size_t s = 0; s < 4; s++) {
            struct set *set = set_new(heap);
            unsigned hits[ALPHABET] = {0};
            char scratch[SET_TEXT_MAX];
            double n = (double)sizes[s], throws = n * 200, chi = 0;
            for (size_t i = 0; i < sizes[s]; i++) set_add(set, letter(i));
            for (size_t i = 0; i < (size_t)throws; i++)
                hits[letter_index(set_random(set, &rng, scratch))]++;
            for (size_t i = 0; i < sizes[s]; i++)
                chi += (hits[i] - 200.0) * (hits[i] - 200.0) / 200;
            /* Mean n - 1, variance 2 (n - 1): six deviations are never seen. */
            assert_true((chi - n + 1) * (chi - n + 1) < 36 * 2 * n);
            set_free(set);
        }
    }
    heap_free(heap);
}

static bool collect_common(struct bytes member, void *context) {
    bool *met = context;
    assert_false(met[letter_index(member)]);
    met[letter_index(member)] = true;
    return true;
}

static void collect(struct bytes member, void *context) {
    collect_common(member, context);
}

static void test_algebra(void **state) {
    (void)state;
    struct heap *heap = heap_new();
    struct rng rng;
    rng_seed(&rng, seed);
    for (int round = 0; round < 300; round++) {
        struct set *sets[4];
        bool model[4][ALPHABET] = {{0}}, met[ALPHABET] = {0};
        size_t count = 1 + rng_below(&rng, 4);
        make_alphabet(round % 2, round % 3 == 0);
        size_t letters = 1 + rng_below(&rng, rng_below(&rng, 4) ? 40 : ALPHABET);
        for (size_t i = 0; i < 4; i++) {
            sets[i] = rng_below(&rng, 8) ? set_new(heap) : NULL;
            if (rng_below(&rng, 8) == 0) continue;
            for (size_t n = rng_below(&rng, letters * 3); sets[i] && n > 0; n--) {
                size_t l = rng_below(&rng, letters);
                set_add(sets[i], letter(l));
                model[i][l] = true;
            }
        }
        const struct set *const *view = (const struct set *const *)sets;
        set_intersect(view, count, collect_common, met);
        for (size_t l = 0; l < ALPHABET; l++) {
            bool all = true;
            for (size_t i = 0; i < count; i++) all = all && model[i][l];
            assert_int_equal(met[l], all);
        }
        struct set *united = set_new(heap);
        set_unite(view, count, united);
        for (size_t l = 0; l < ALPHABET; l++) {
            bool any = false;
            for (size_t i = 0; i < count; i++) any = any || model[i][l];
            assert_int_equal(set_has(united, letter(l)), any);
        }
        set_check(united);
        set_free(united);
        memset(met, 0, sizeof met);
        set_subtract(view, count, heap, collect, met);
        for (size_t l = 0; l < ALPHABET; l++) {
            bool only = model[0][l];
            for (size_t i = 1; i < count; i++) only = only && !model[i][l];
            assert_int_equal(met[l], only);
        }
        for (size_t i = 0; i < 4; i++)
            if (sets[i]) set_free(sets[i]);
    }
    heap_free(heap);
}

static void test_density(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    struct heap *heap = heap_new();
    struct set *set = set_new(heap);
    size_t before = memory_used();
    for (int i = 0; i < COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "%016d", i);
        set_add(set, bytes_make(text, 16));
    }
    print_message("%.2f bytes a member, %.2f counted\n", (double)set_bytes(set) / COUNT,
                  (double)(memory_used() - before) / COUNT);
    assert_true(set_bytes(set) < (size_t)COUNT * 35);
    set_free(set);
    heap_free(heap);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_large),    cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_fair),     cmocka_unit_test(test_algebra),
        cmocka_unit_test(test_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
