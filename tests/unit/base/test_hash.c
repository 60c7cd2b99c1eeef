/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"

static unsigned naive_crc16(const unsigned char *data, size_t len) {
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return crc;
}

static void test_crc16(void **state) {
    (void)state;
    assert_int_equal(crc16(BYTES("123456789")), 0x31c3);
    assert_int_equal(crc16(BYTES("")), 0);
    for (int i = 0; i < 20000; i++) {
        unsigned char data[100];
        size_t len = random_below(sizeof data);
        for (size_t at = 0; at < len; at++) data[at] = (unsigned char)random_next();
        assert_int_equal(crc16(bytes_make(data, len)), naive_crc16(data, len));
    }
}

/* What CLUSTER KEYSLOT answers. */
static void test_slots(void **state) {
    (void)state;
    assert_int_equal(slot_of_key(BYTES("foo")), 12182);
    assert_int_equal(slot_of_key(BYTES("")), 0);
    assert_int_equal(slot_of_key(BYTES("{foo}.bar")), 12182);
    assert_int_equal(slot_of_key(BYTES("a{foo}{bar}")), 12182);
    assert_int_equal(slot_of_key(BYTES("foo{}{bar}")),
                     naive_crc16((const unsigned char *)"foo{}{bar}", 10) % 16384);
    assert_int_equal(slot_of_key(BYTES("foo{{bar}}zap")), slot_of_key(BYTES("{bar")));
    assert_int_equal(slot_of_key(BYTES("foo{bar")),
                     naive_crc16((const unsigned char *)"foo{bar", 7) % 16384);
    assert_int_equal(slot_of_key(BYTES("foo{")),
                     naive_crc16((const unsigned char *)"foo{", 4) % 16384);
}

static void test_hash(void **state) {
    char data[600];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)random_next();
    hash_seed_init(1);
    uint64_t first = hash_bytes(bytes_make(data, 20)), all = 0;
    for (size_t len = 0; len < sizeof data; len++) {
        uint64_t hash = hash_bytes(bytes_make(data, len));
        assert_true(hash == hash_bytes(bytes_make(data, len)));
        all |= hash;
    }
    assert_true(all == UINT64_MAX);
    hash_seed_init(2);
    assert_true(hash_bytes(bytes_make(data, 20)) != first);
    hash_seed_init(1);
    assert_true(hash_bytes(bytes_make(data, 20)) == first);
    hash_seed_init(0);
    assert_true(hash_bytes(bytes_make(data, 20)) != first);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crc16), cmocka_unit_test(test_slots),
                                       cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
