/* SPDX-License-Identifier: BSD-3-Clause */
/* Which words of a document are keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/keytext.h"

static void test_table(void **state) {
    static const struct {
        const char *text;
        bool sure;
        enum key_text kind;
        const char *key;
    } rows[] = {
        {"cache:user:{id}", false, KEY_TEXT_TEMPLATE, "cache:user:{id}"},
        {"`cache:user:<id>`", false, KEY_TEXT_TEMPLATE, "cache:user:{id}"},
        {"cache:user:${user.id}", false, KEY_TEXT_TEMPLATE, "cache:user:{user_id}"},
        {"cache:{{id}}", false, KEY_TEXT_TEMPLATE, "cache:{id}"},
        {"cache:%s:%d", false, KEY_TEXT_TEMPLATE, "cache:{var1}:{var2}"},
        {"{prefix}health", false, KEY_TEXT_TEMPLATE, "{prefix}health"},
        {"celery-task-meta-{task_id}", false, KEY_TEXT_TEMPLATE, "celery-task-meta-{task_id}"},
        {"jobs:active", false, KEY_TEXT_LITERAL, "jobs:active"},
        {"alarms", true, KEY_TEXT_LITERAL, "alarms"},
        {"alarms", false, KEY_TEXT_NONE, NULL},
        {"batch:*", false, KEY_TEXT_FAMILY, "batch:*"},
        {"{service}:{feature}:{id}:{field}", false, KEY_TEXT_GRAMMAR,
         "{service}:{feature}:{id}:{field}"},
        {"app:<entity>:<type>:<id>", false, KEY_TEXT_GRAMMAR, "app:{entity}:{type}:{id}"},
        {"{prefix}:a:{b}[:{c}]", false, KEY_TEXT_GRAMMAR, "{prefix}:a:{b}"},
        {"http://host/x", false, KEY_TEXT_NONE, NULL},
        {"localhost:6379", false, KEY_TEXT_NONE, NULL},
        {"6379:6379", false, KEY_TEXT_NONE, NULL},
        {"12:30", false, KEY_TEXT_NONE, NULL},
        {"2025-01-18T12:00:00Z", false, KEY_TEXT_NONE, NULL},
        {"std::string", false, KEY_TEXT_NONE, NULL},
        {"try:", false, KEY_TEXT_NONE, NULL},
        {"a,b:c", false, KEY_TEXT_NONE, NULL},
        {"", false, KEY_TEXT_NONE, NULL},
        {"a:{", false, KEY_TEXT_NONE, NULL},
        {"a:{9}", false, KEY_TEXT_NONE, NULL},
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes key = {0};
        enum key_text kind =
            key_text_read(bytes_from_string(rows[i].text), rows[i].sure, &arena, &key);
        if (kind != rows[i].kind) fail_msg("'%s' is read as %d", rows[i].text, (int)kind);
        if (kind && !bytes_equal(key, bytes_from_string(rows[i].key)))
            fail_msg("'%s' is '%.*s'", rows[i].text, (int)key.len, key.data);
    }
    arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests_name("keytext", tests, NULL, NULL);
}
