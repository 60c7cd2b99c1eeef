/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands in lines of shells and in programs, and what they tell of their key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/usage.h"

static void test_lines(void **state) {
    static const struct {
        const char *line, *command, *key;
        enum pattern_type type;
        int64_t lifetime_ms;
    } rows[] = {
        {"SETEX s:1 604800 'x y'", "setex", "s:1", PATTERN_TYPE_STRING, 604800000},
        {"1. SET {prefix}h test  # note", "set", "{prefix}h", PATTERN_TYPE_STRING, 0},
        {"> SET a b NX EX 30", "set", "a", PATTERN_TYPE_STRING, 30000},
        {"127.0.0.1:6379> PEXPIRE a 1500", "pexpire", "a", PATTERN_TYPE_UNSTATED, 1500},
        {"redis-cli -a \"$P\" -n 3 lrange \"q:1\" 0 -1", "lrange", "q:1", PATTERN_TYPE_LIST, -1},
        {"docker exec x redis-cli hgetall h:1", "hgetall", "h:1", PATTERN_TYPE_HASH, -1},
        {"XGROUP CREATE ev:1 g $ MKSTREAM", "xgroup", "ev:1", PATTERN_TYPE_STREAM, -1},
        {"ZADD z 1 a", "zadd", "z", PATTERN_TYPE_ZSET, -1},
    };
    struct usage usage;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!usage_read_line(bytes_from_string(rows[i].line), &usage))
            fail_msg("'%s'", rows[i].line);
        assert_string_equal(usage.command->name, rows[i].command);
        assert_true(bytes_equal(usage.arguments[0], bytes_from_string(rows[i].key)));
        assert_int_equal(usage.command->type, rows[i].type);
        assert_int_equal(usage.lifetime_ms, rows[i].lifetime_ms);
    }
    assert_false(usage_read_line(BYTES("get your keys"), &usage));
    assert_false(usage_read_line(BYTES("NOTHING here"), &usage));
    assert_false(usage_read_line(BYTES(""), &usage));
    assert_false(usage_read_line(BYTES("redis-cli"), &usage));
}

static void test_calls(void **state) {
    static const char program[] =
        "const k = `app:draft:${id}`;\n"
        "await client.setEx(\n    k, // the key\n    7 * 24 * 60 * 60,\n    'x');\n"
        "self.ttl = 300\n"
        "call(self.redis.setex, f\"app:n:{n}\", self.ttl, v)\n"
        "client.hGetAll('app:h', f(1, (2)), \"a,b\")\n"
        "list.append(3)\n";
    struct usage_names names = {.count = 0};
    struct usage usage;
    size_t at = 0, start;
    struct bytes text = bytes_make(program, sizeof program - 1);
    (void)state;
    assert_true(usage_next_call(text, &at, &names, &usage, &start));
    assert_string_equal(usage.command->name, "setex");
    assert_true(bytes_equal(usage.arguments[0], BYTES("app:draft:${id}")));
    assert_int_equal(usage.lifetime_ms, INT64_C(604800000));
    assert_true(usage_next_call(text, &at, &names, &usage, &start));
    assert_true(bytes_equal(usage.arguments[0], BYTES("app:n:{n}")));
    assert_int_equal(usage.lifetime_ms, 300000);
    assert_true(usage_next_call(text, &at, &names, &usage, &start));
    assert_string_equal(usage.command->name, "hgetall");
    assert_int_equal(usage.count, 3);
    assert_true(bytes_equal(usage.arguments[2], BYTES("a,b")));
    assert_true(usage_next_call(text, &at, &names, &usage, &start));
    assert_string_equal(usage.command->name, "append");
    assert_false(usage_next_call(text, &at, &names, &usage, &start));
}

static void test_numbers(void **state) {
    int64_t number;
    (void)state;
    assert_true(usage_number(BYTES("7 * 24 * 60 * 60"), &number));
    assert_int_equal(number, 604800);
    assert_true(usage_number(BYTES(" 86_400 "), &number));
    assert_int_equal(number, 86400);
    assert_false(usage_number(BYTES(""), &number));
    assert_false(usage_number(BYTES("0"), &number));
    assert_false(usage_number(BYTES("3 *"), &number));
    assert_false(usage_number(BYTES("x"), &number));
    assert_false(usage_number(BYTES("999999999999 * 999999999999"), &number));
}

/* Every command of the table is found, so that it is sorted. */
static void test_table(void **state) {
    static const char *const names[] = {"append", "blmove", "zscore", "xinfo",
                                        "get",    "zadd",   "ACL",    "Hset"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!command_facts(bytes_from_string(names[i]))) fail_msg("%s", names[i]);
    assert_null(command_facts(BYTES("getx")));
    assert_null(command_facts(BYTES("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_calls),
                                       cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_table)};
    return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
