/* SPDX-License-Identifier: BSD-3-Clause */
/* GET, SET and their kind. */
#include "commands/families.h"
#include "commands/string_compare.h"
#include "commands/string_options.h"
#include "server/arguments.h"

static void reply_string(struct request *request, const struct entry *entry) {
    char scratch[ENTRY_SCRATCH];
    if (entry == NULL)
        reply_null(request->reply);
    else
        reply_bulk(request->reply, entry_string(entry, scratch));
}

/* An expiry in the past: the key is gone at once. */
static bool is_past(const struct request *request, int64_t expires_ms) {
    return expires_ms > ENTRY_EXPIRY_NONE && expires_ms < request->now_ms;
}

static void cmd_get(struct request *request) {
    struct entry *entry;
    if (request_read_typed(request, 0, TYPE_STRING, &entry)) reply_string(request, entry);
}

/* Puts a string and publishes it. */
static void put_string(struct request *request, struct entry *old, struct bytes value,
                       int64_t expires_ms) {
    const struct key *key = request_key(request, 0);
    if (old == NULL) store_notify_new(request->store, request->db, key);
    if (is_past(request, expires_ms)) {
        if (old != NULL) request_delete(request, 0, old);
        request_changed(request, 0, EVENT_GENERIC, "del");
        return;
    }
    store_put_string(request->store, request->db, key, old, value, expires_ms);
    request_changed(request, 0, EVENT_STRING, "set");
    if (expires_ms > ENTRY_EXPIRY_NONE)
        store_changed(request->store, request->db, key, EVENT_GENERIC, "expire");
}

static void cmd_set(struct request *request) {
    struct string_options options = {.expires_ms = ENTRY_EXPIRY_NONE};
    const unsigned known =
        OPTION_EXPIRY | OPTION_KEEPTTL | OPTION_CONDITION | OPTION_COMPARE | OPTION_GET;
    if (request->argc > 3 && !string_options_parse(request, 3, known, &options)) return;
    if (!string_options_expiry(request, &options)) return;
    if (options.get) (void)request_look(request, 0); /* it counts as reading, too */
    struct entry *entry = request_write(request, 0);
    bool looks = options.get || string_compares(options.condition), sets;
    if (looks && entry != NULL && entry_type(entry) != TYPE_STRING) {
        reply_error_code(request->reply, ERROR_WRONG_TYPE);
        return;
    }
    if (!string_condition_holds(request, &options, entry, &sets)) return;
    if (options.get)
        reply_string(request, entry);
    else if (!sets)
        reply_null(request->reply);
    if (!sets) return;
    put_string(request, entry, argument(request, 2), options.expires_ms);
    if (!options.get) reply_ok(request->reply);
}

static void cmd_setnx(struct request *request) {
    struct entry *entry = request_write(request, 0);
    if (entry == NULL) put_string(request, entry, argument(request, 2), ENTRY_EXPIRY_NONE);
    reply_int(request->reply, entry == NULL);
}

static void set_with_expiry(struct request *request, int64_t unit_ms) {
    int64_t expires_ms;
    if (!argument_expiry(request, 2, unit_ms, false, &expires_ms)) return;
    put_string(request, request_write(request, 0), argument(request, 3), expires_ms);
    reply_ok(request->reply);
}

static void cmd_setex(struct request *request) {
    set_with_expiry(request, 1000);
}

static void cmd_psetex(struct request *request) {
    set_with_expiry(request, 1);
}

static void cmd_getset(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    reply_string(request, entry);
    put_string(request, entry, argument(request, 2), ENTRY_EXPIRY_NONE);
}

static void delete_string(struct request *request, struct entry *entry) {
    request_delete(request, 0, entry);
    request_changed(request, 0, EVENT_GENERIC, "del");
}

static void cmd_getdel(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    reply_string(request, entry);
    if (entry != NULL) delete_string(request, entry);
}

static void cmd_getex(struct request *request) {
    struct string_options options;
    struct entry *entry;
    if (!string_options_parse(request, 2, OPTION_EXPIRY | OPTION_PERSIST, &options)) return;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    /* A lifetime for nothing may be wrong. */
    if (entry != NULL && !string_options_expiry(request, &options)) return;
    reply_string(request, entry);
    if (entry == NULL) return;
    const struct key *key = request_key(request, 0);
    if (options.has_expiry && is_past(request, options.expires_ms)) {
        delete_string(request, entry);
    } else if (options.has_expiry) {
        store_set_expiry(request->store, request->db, key, entry, options.expires_ms);
        request_changed(request, 0, EVENT_GENERIC, "expire");
    } else if (options.persist && entry_expiry(entry) != ENTRY_EXPIRY_NONE) {
        store_set_expiry(request->store, request->db, key, entry, ENTRY_EXPIRY_NONE);
        request_changed(request, 0, EVENT_GENERIC, "persist");
    }
}

static void cmd_strlen(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    reply_int(request->reply, entry == NULL ? 0 : (int64_t)entry_string_len(entry));
}

static const struct command rows[] = {
    {.name = "get",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the string value of a key.",
     .syntax = "key",
     .reply = "bulk | null",
     .handler = cmd_get},
    {.name = "set",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Sets the string value of a key, ignoring its type. The key is created if it "
                "doesn't exist.",
     .syntax = "key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ "
               "ifdeq-digest | IFDNE ifdne-digest] [GET] [EX seconds | PX milliseconds | EXAT "
               "unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
     .reply = "OK | null | bulk",
     .handler = cmd_set},
    {.name = "setnx",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_OW | KEY_INSERT)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Sets the string value of a key only when the key doesn't exist.",
     .syntax = "key value",
     .reply = "integer",
     .handler = cmd_setnx},
    {.name = "setex",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary =
         "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
     .syntax = "key seconds value",
     .reply = "OK",
     .handler = cmd_setex},
    {.name = "psetex",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE)},
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Sets both string value and expiration time in milliseconds of a key. The key is "
                "created if it "
                "doesn't exist.",
     .syntax = "key milliseconds value",
     .reply = "OK",
     .handler = cmd_psetex},
    {.name = "getset",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the previous string value of a key after setting it to a new value.",
     .syntax = "key value",
     .reply = "bulk | null",
     .handler = cmd_getset},
    {.name = "getdel",
     .arity = 2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE)},
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns the string value of a key after deleting the key.",
     .syntax = "key",
     .reply = "bulk | null",
     .handler = cmd_getdel},
    {.name = "getex",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns the string value of a key after setting its expiration time.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST]",
     .reply = "bulk | null",
     .handler = cmd_getex},
    {.name = "strlen",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Returns the length of a string value.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_strlen},
    {0},
};

const struct command_family string_commands = {"string", rows};
