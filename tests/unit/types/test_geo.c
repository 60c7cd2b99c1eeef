/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/random.h"
#include "types/geo.h"

static uint64_t seed = 1;

static double between(struct rng *rng, double low, double high) {
    return low + (double)rng_below(rng, UINT64_C(1) << 53) * 0x1p-53 * (high - low);
}

static struct geo_point random_point(struct rng *rng, double latitude_max) {
    return (struct geo_point){between(rng, -180, 180), between(rng, -latitude_max, latitude_max)};
}

static void test_known_places(void **state) {
    (void)state;
    struct geo_point palermo = {13.361389, 38.115556}, catania = {15.087269, 37.502669};
    char text[GEO_HASH_LEN];
    assert_true(geo_encode(palermo) == UINT64_C(3479099956230698));
    assert_true(geo_encode(catania) == UINT64_C(3479447370796909));
    palermo = geo_decode(3479099956230698.0);
    catania = geo_decode(3479447370796909.0);
    assert_true(fabs(geo_distance(palermo, catania) - 166274.1516) < 0.0001);
    geo_hash(palermo, text);
    assert_memory_equal(text, "sqc8b49rny0", sizeof text);
}

static void test_borders(void **state) {
    (void)state;
    struct geo_point corner = {180, 85.05112878}, outside = {180, 85.0511288};
    assert_true(geo_is_valid(corner));
    assert_false(geo_is_valid(outside));
    assert_false(geo_is_valid((struct geo_point){-180.1, 0}));
    assert_false(geo_is_valid((struct geo_point){NAN, 0}));
    assert_true(geo_is_valid(geo_decode((double)geo_encode(corner))));
    assert_true(geo_encode((struct geo_point){-180, -85.05112878}) == 0);
    const double odd[] = {-1,       0.5,       -0.0,   1e300,  -1e300,
                          INFINITY, -INFINITY, 0x1p63, 0x1p64, 0x1p52};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_true(geo_is_valid(geo_decode(odd[i])));
    /* Opposite points, where rounding may go too far. */
    assert_true(geo_distance((struct geo_point){0, 0}, (struct geo_point){180, 0}) > 2e7);
    assert_false(isnan(geo_distance((struct geo_point){-90, 60}, (struct geo_point){90, -60})));
}

static void test_decoding_gives_the_cell_back(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < 20000; i++) {
        struct geo_point point = random_point(&rng, 85.05), again;
        uint64_t score = geo_encode(point);
        assert_true(score < UINT64_C(1) << 52);
        again = geo_decode((double)score);
        assert_true(geo_encode(again) == score);
        assert_true(fabs(again.longitude - point.longitude) < 3e-6);
        assert_true(fabs(again.latitude - point.latitude) < 3e-6);
    }
}

/* ---- searches beside a walk over all members ---- */

enum { MEMBERS = 2000 };

struct hits {
    bool hit[MEMBERS];
    size_t count, stop;
};

static bool note_hit(const struct geo_found *found, void *context) {
    struct hits *hits = context;
    char text[24] = {0};
    memcpy(text, found->member.data, found->member.len);
    size_t member = (size_t)strtoul(text, NULL, 10);
    assert_true(member < MEMBERS && !hits->hit[member]);
    hits->hit[member] = true;
    return ++hits->count != hits->stop;
}

static void check_search(const struct zset *zset, const struct geo_point *points,
                         const struct geo_shape *shape) {
    struct hits hits = {.count = 0};
    geo_search(zset, shape, note_hit, &hits);
    for (size_t i = 0; i < MEMBERS; i++) {
        double distance;
        assert_int_equal(hits.hit[i], geo_covers(shape, points[i], &distance));
    }
    if (hits.count > 1) {
        struct hits one = {.stop = 1};
        geo_search(zset, shape, note_hit, &one);
        assert_int_equal(one.count, 1);
    }
}

static void test_search(void **state) {
    (void)state;
    static struct geo_point points[MEMBERS];
    struct rng rng;
    rng_seed(&rng, seed);
    struct heap *heap = heap_new();
    struct zset *zset = zset_new(heap);
    for (size_t i = 0; i < MEMBERS; i++) {
        char name[24];
        double score = (double)geo_encode(random_point(&rng, 70));
        points[i] = geo_decode(score);
        zset_add(zset, bytes_make(name, (size_t)snprintf(name, sizeof name, "%zu", i)), score, 0,
                 &score);
    }
    for (int i = 0; i < 2000; i++) {
        /* Far enough from the poles and from where the longitudes begin that
         * no shape goes over them. */
        struct geo_point center = {between(&rng, -80, 80), between(&rng, -50, 50)};
        double size = pow(10, between(&rng, 2, 6.2));
        struct geo_shape circle = {.kind = GEO_CIRCLE, .center = center, .radius = size};
        struct geo_shape box = {.kind = GEO_BOX,
                                .center = center,
                                .width = size,
                                .height = size * between(&rng, 0.2, 1)};
        struct geo_shape polygon;
        struct geo_point corners[7];
        size_t count = 3 + rng_below(&rng, 5);
        for (size_t c = 0; c < count; c++)
            corners[c] = (struct geo_point){center.longitude + between(&rng, -15, 15),
                                            center.latitude + between(&rng, -15, 15)};
        geo_polygon(&polygon, corners, count);
        check_search(zset, points, &circle);
        check_search(zset, points, &box);
        check_search(zset, points, &polygon);
    }
    zset_free(zset);
    heap_free(heap);
}

int main(int argc, char **argv) {
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    hash_seed_init(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_places),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_decoding_gives_the_cell_back),
        cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
