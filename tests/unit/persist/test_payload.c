/* SPDX-License-Identifier: BSD-3-Clause */
/* The checksum, against one computed bit by bit, and the envelope of payloads. */
#include "persist/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "persist/crc64.h"
#include "persist/format.h"

static uint64_t crc64_by_bits(uint64_t crc, struct bytes bytes) {
    const uint64_t polynomial = 0x95ac9329ac4bc9b5; /* 0xad93d23594c935a9, its bits in reverse */
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return crc;
}

static void test_crc64(void **state) {
    (void)state;
    char data[3000];
    struct rng rng;
    rng_seed(&rng, 1);
    assert_true(crc64(0, BYTES("123456789")) == 0xe9c6d914c4b8d9ca);
    assert_true(crc64(0, bytes_make(NULL, 0)) == 0);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)rng_next(&rng);
    for (int i = 0; i < 2000; i++) {
        size_t from = rng_below(&rng, sizeof data / 2), len = rng_below(&rng, sizeof data / 2),
               cut = len ? rng_below(&rng, len) : 0;
        struct bytes whole = bytes_make(data + from, len);
        uint64_t sum = crc64_by_bits(0, whole);
        assert_true(crc64(0, whole) == sum);
        uint64_t pieces = crc64(0, bytes_make(data + from, cut));
        assert_true(crc64(pieces, bytes_make(data + from + cut, len - cut)) == sum);
    }
}

static void test_seal_and_open(void **state) {
    (void)state;
    struct buffer buffer;
    struct bytes body;
    unsigned version;
    buffer_init(&buffer, 100);
    /* What Redis 7.0 makes of SET s abc. */
    static const char dumped[] = "\x00\x03"
                                 "abc"
                                 "\x0a\x00\xd9\xac\x30\x3d\x41\x72\xa2\xe2";
    assert_int_equal(buffer_add(&buffer, dumped, 5), 0);
    assert_int_equal(payload_seal(&buffer, 10), 0);
    assert_true(bytes_equal(buffer_bytes(&buffer), bytes_make(dumped, sizeof dumped - 1)));
    assert_int_equal(payload_open(buffer_bytes(&buffer), &body, &version), 0);
    assert_int_equal(version, 10);
    assert_true(bytes_equal(body, bytes_make(dumped, 5)));
    for (size_t len = 0; len < buffer.len; len++)
        assert_int_equal(payload_open(bytes_make(buffer.data, len), &body, &version),
                         ERROR_BAD_CHECKSUM);
    for (size_t bit = 0; bit < buffer.len * 8; bit++) {
        buffer.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(payload_open(buffer_bytes(&buffer), &body, &version), ERROR_BAD_CHECKSUM);
        buffer.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_done(&buffer);
    buffer_init(&buffer, 5 + RDB_FOOTER_BYTES - 1);
    assert_int_equal(buffer_add(&buffer, dumped, 5), 0);
    assert_int_equal(payload_seal(&buffer, 10), ERROR_NO_MEMORY);
    buffer_done(&buffer);
}

static void test_versions(void **state) {
    (void)state;
    for (unsigned version = 0; version < 100; version++) {
        struct buffer buffer;
        struct bytes body;
        unsigned found = 0;
        buffer_init(&buffer, 100);
        assert_int_equal(payload_seal(&buffer, version), 0);
        bool known = rdb_version_is_known(version);
        assert_int_equal(payload_open(buffer_bytes(&buffer), &body, &found),
                         known ? 0 : ERROR_BAD_CHECKSUM);
        if (known) assert_int_equal(found, version);
        buffer_done(&buffer);
    }
    assert_true(rdb_version_is_known(RDB_VERSION_WRITTEN));
    assert_true(rdb_version_is_known(RDB_VERSION_FIELD_EXPIRY));
    assert_false(rdb_version_is_known(RDB_VERSION_REDIS_MAX + 1) || rdb_version_is_known(79));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc64),
        cmocka_unit_test(test_seal_and_open),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
