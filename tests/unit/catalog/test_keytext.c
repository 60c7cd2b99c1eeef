/* SPDX-License-Identifier: BSD-3-Clause */
/* Which words of a document are keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/keytext.h"

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
    {"acme/app:1.2.3", false, KEY_TEXT_NONE, NULL},
    {"requests_total{method}", false, KEY_TEXT_NONE, NULL},
    {"requests_total_{method}", false, KEY_TEXT_TEMPLATE, "requests_total_{method}"},
    {"arn:aws:secret:{account}", false, KEY_TEXT_NONE, NULL},
    {"$HOST:$PORT", false, KEY_TEXT_NONE, NULL},
    {"$IMAGE:latest", false, KEY_TEXT_NONE, NULL},
    {"$REGISTRY/app:$TAG", false, KEY_TEXT_NONE, NULL},
    {"$ENV:token:$userId", false, KEY_TEXT_TEMPLATE, "{ENV}:token:{userId}"},
    {"of:{<tenant>}:reset", false, KEY_TEXT_TEMPLATE, "of:{{{tenant}}}:reset"},
    {"cart:{%s}:items", false, KEY_TEXT_TEMPLATE, "cart:{{{var1}}}:items"},
    {"<a>:{<b>}:<c>", false, KEY_TEXT_GRAMMAR, "{a}:{{{b}}}:{c}"},
    {"try:", false, KEY_TEXT_NONE, NULL},
    {"a,b:c", false, KEY_TEXT_NONE, NULL},
    {"", false, KEY_TEXT_NONE, NULL},
    {"a:{", false, KEY_TEXT_NONE, NULL},
    {"a:{0}", false, KEY_TEXT_TEMPLATE, "a:{var1}"},
    {"inv:$sku", true, KEY_TEXT_TEMPLATE, "inv:{sku}"},
    {"post:#{post_id}:views", false, KEY_TEXT_TEMPLATE, "post:{post_id}:views"},
    {"page:{$this->slug}:html", false, KEY_TEXT_TEMPLATE, "page:{slug}:html"},
    {"product:&lt;id&gt;", false, KEY_TEXT_TEMPLATE, "product:{id}"},
    {"search:{sha1(query)}", false, KEY_TEXT_TEMPLATE, "search:{query}"},
    {"tmp:[uuid]", true, KEY_TEXT_TEMPLATE, "tmp:{uuid}"},
    {"user::id:cart", true, KEY_TEXT_TEMPLATE, "user:{id}:cart"},
    {"stats:YYYY-MM-DD", false, KEY_TEXT_TEMPLATE, "stats:{YYYY_MM_DD}"},
    {"stats:%Y-%m-%d:visits", false, KEY_TEXT_TEMPLATE, "stats:{date}:visits"},
    {"lock:N", true, KEY_TEXT_TEMPLATE, "lock:{N}"},
    {"export:xxx", true, KEY_TEXT_TEMPLATE, "export:{xxx}"},
    {"user:USER_ID:cart", false, KEY_TEXT_TEMPLATE, "user:{USER_ID}:cart"},
    {"pair:{id}:{id}", false, KEY_TEXT_TEMPLATE, "pair:{id}:{id2}"},
    {"{user:42}:cart", false, KEY_TEXT_TEMPLATE, "{{user:{var1}}}:cart"},
    {"{user:{uid}}:recent", false, KEY_TEXT_TEMPLATE, "{{user:{uid}}}:recent"},
    {"shop/{id}/cart", true, KEY_TEXT_TEMPLATE, "shop/{id}/cart"},
    {"shop/{id}/cart", false, KEY_TEXT_NONE, NULL},
    {"stock|{house}|{sku}", true, KEY_TEXT_TEMPLATE, "stock|{house}|{sku}"},
    {"chk:{env}:", false, KEY_TEXT_FAMILY, "chk:{env}:*"},
    {"t:{tenant}:...", false, KEY_TEXT_FAMILY, "t:{tenant}:*"},
    {"HH:MM:SS", false, KEY_TEXT_NONE, NULL},
    {"ERR:timeout", false, KEY_TEXT_LITERAL, "ERR:timeout"},
    {"Dict[str]", false, KEY_TEXT_NONE, NULL},
};

static void test_table(void **state) {
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
