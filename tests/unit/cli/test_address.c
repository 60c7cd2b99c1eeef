/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a server is, in every form, and what is said of what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/address.h"

static struct address good(const char *text) {
    struct address address;
    const char *error;
    if (!address_parse(bytes_from_string(text), &address, &error)) fail_msg("%s: %s", text, error);
    return address;
}

static void check(const char *text, enum address_kind kind, const char *host, unsigned port,
                  int database) {
    struct address address = good(text);
    assert_int_equal(address.kind, kind);
    assert_string_equal(address.host, host);
    assert_int_equal(address.port, port);
    assert_int_equal(address.database, database);
}

static void test_places(void **state) {
    (void)state;
    check("redis://cache.example", ADDRESS_TCP, "cache.example", 6379, -1);
    check("redis://cache.example:6380/3", ADDRESS_TCP, "cache.example", 6380, 3);
    check("redis://cache.example:6380/?db=4", ADDRESS_TCP, "cache.example", 6380, 4);
    check("redis://cache.example?db=4", ADDRESS_TCP, "cache.example", 6379, 4);
    check("REDIS://cache.example/", ADDRESS_TCP, "cache.example", 6379, -1);
    check("valkey://x", ADDRESS_TCP, "x", 6379, -1);
    check("keynome://x", ADDRESS_TCP, "x", 6379, -1);
    check("redis://", ADDRESS_TCP, "127.0.0.1", 6379, -1);
    check("rediss://x:1", ADDRESS_TLS, "x", 1, -1);
    check("valkeys://x:65535", ADDRESS_TLS, "x", 65535, -1);
    check("cache.example", ADDRESS_TCP, "cache.example", 6379, -1);
    check("cache.example:7000", ADDRESS_TCP, "cache.example", 7000, -1);
    check(":7000", ADDRESS_TCP, "127.0.0.1", 7000, -1);
    check("[::1]:7000", ADDRESS_TCP, "::1", 7000, -1);
    check("redis://[fe80::1]/1", ADDRESS_TCP, "fe80::1", 6379, 1);
    check("::1", ADDRESS_TCP, "::1", 6379, -1);
    check("/run/redis.sock", ADDRESS_UNIX, "/run/redis.sock", 6379, -1);
    check("/run/a%20b?c", ADDRESS_UNIX, "/run/a%20b?c", 6379, -1);
    check("unix:///run/a%20b?db=5", ADDRESS_UNIX, "/run/a b", 6379, 5);
}

static void test_users(void **state) {
    (void)state;
    struct address address = good("redis://ann:s%40cr%3Aet@h:1/2");
    assert_string_equal(address.user, "ann");
    assert_string_equal(address.password, "s@cr:et");
    assert_true(address.has_password);
    address = good("redis://:only@h");
    assert_string_equal(address.user, "");
    assert_string_equal(address.password, "only");
    address = good("redis://ann@h");
    assert_string_equal(address.user, "ann");
    assert_false(address.has_password);
    address = good("redis://ann:a@b@h");
    assert_string_equal(address.password, "a@b");
    assert_string_equal(address.host, "h");
    address = good("unix://ann:pw@/run/s?db=1");
    assert_string_equal(address.user, "ann");
    assert_string_equal(address.password, "pw");
    assert_string_equal(address.host, "/run/s");
}

static void test_shown_without_secrets(void **state) {
    static const char *const rows[][2] = {
        {"redis://ann:secret@h:1/2", "redis://h:1/2"},
        {"rediss://:secret@[::1]", "rediss://[::1]:6379"},
        {"unix://:secret@/run/s?db=1", "unix:///run/s?db=1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address = good(rows[i][0]);
        char shown[ADDRESS_SHOWN_MAX];
        address_show(&address, shown);
        assert_string_equal(shown, rows[i][1]);
    }
}

static void test_mistakes(void **state) {
    static const char *const rows[] = {
        "",
        "http://x",
        "redis://x:0",
        "redis://x:65536",
        "redis://x:port",
        "redis://x/one",
        "redis://x/-1",
        "redis://x/1/2",
        "redis://x?timeout=1",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://:a%4@x",
        "redis://:a%zz@x",
        "redis://:a%00b@x",
        "redis://%:x@h",
        "unix://run/s",
        "unix:///",
        "/",
        "redis://:p/w@h",
        "redis://a b",
        "unix:///s?db=x",
        "redis://x/99999999999",
        /* a path that struct sockaddr_un has no room for */
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aa"
        "aaaaaaaaaaaaaaaa",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address;
        const char *error = NULL;
        if (address_parse(bytes_from_string(rows[i]), &address, &error))
            fail_msg("'%s' was taken", rows[i]);
        assert_non_null(error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_shown_without_secrets),
        cmocka_unit_test(test_mistakes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
