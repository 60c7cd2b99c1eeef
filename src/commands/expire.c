/* SPDX-License-Identifier: BSD-3-Clause */
/* Lifetimes of keys: EXPIRE, TTL, PERSIST and their kind. */
#include "commands/families.h"
#include "server/arguments.h"
#include "server/dispatch.h"

enum expire_condition { ALWAYS = 0, IF_NONE = 1, IF_SOME = 2, IF_LATER = 4, IF_EARLIER = 8 };

static bool parse_conditions(struct request *request, unsigned *ret_conditions) {
    unsigned conditions = ALWAYS;
    for (uint32_t i = 3; i < request->argc; i++) {
        if (argument_is(request, i, "nx"))
            conditions |= IF_NONE;
        else if (argument_is(request, i, "xx"))
            conditions |= IF_SOME;
        else if (argument_is(request, i, "gt"))
            conditions |= IF_LATER;
        else if (argument_is(request, i, "lt"))
            conditions |= IF_EARLIER;
        else {
            reply_error_format(request->reply, "ERR Unsupported option %.*s",
                               (int)argument(request, i).len, argument(request, i).data);
            return false;
        }
    }
    if (conditions & IF_NONE && conditions & ~(unsigned)IF_NONE) {
        reply_error(request->reply,
                    "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (conditions & IF_LATER && conditions & IF_EARLIER) {
        reply_error(request->reply, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    *ret_conditions = conditions;
    return true;
}

static bool allowed(unsigned conditions, int64_t current, int64_t wanted) {
    bool none = current == ENTRY_EXPIRY_NONE;
    if (conditions & IF_NONE && !none) return false;
    if (conditions & IF_SOME && none) return false;
    /* No expiry counts as one that is infinitely late. */
    if (conditions & IF_LATER && (none || wanted <= current)) return false;
    if (conditions & IF_EARLIER && !none && wanted >= current) return false;
    return true;
}

static bool expiry_argument(struct request *request, int64_t unit_ms, bool absolute,
                            int64_t *ret_at_ms) {
    char name[COMMAND_NAME_MAX];
    int64_t value, at_ms;
    if (!argument_i64(request, 2, &value, NULL)) return false;
    if (!__builtin_mul_overflow(value, unit_ms, &at_ms) &&
        (absolute || !__builtin_add_overflow(at_ms, request->now_ms, &at_ms))) {
        *ret_at_ms = at_ms;
        return true;
    }
    reply_error_format(request->reply, "ERR invalid expire time in '%s' command",
                       command_full_name(request->server, request->command, name));
    return false;
}

static void expire(struct request *request, int64_t unit_ms, bool absolute) {
    int64_t at_ms;
    unsigned conditions;
    if (!parse_conditions(request, &conditions) ||
        !expiry_argument(request, unit_ms, absolute, &at_ms))
        return;
    struct entry *entry = request_write(request, 0);
    if (entry == NULL || !allowed(conditions, entry_expiry(entry), at_ms)) {
        reply_int(request->reply, 0);
        return;
    }
    if (at_ms <= request->now_ms) {
        request_delete(request, 0, entry);
        request_changed(request, 0, EVENT_GENERIC, "del");
    } else {
        store_set_expiry(request->store, request->db, request_key(request, 0), entry, at_ms);
        request_changed(request, 0, EVENT_GENERIC, "expire");
    }
    reply_int(request->reply, 1);
}

static void cmd_expire(struct request *request) {
    expire(request, 1000, false);
}

static void cmd_pexpire(struct request *request) {
    expire(request, 1, false);
}

static void cmd_expireat(struct request *request) {
    expire(request, 1000, true);
}

static void cmd_pexpireat(struct request *request) {
    expire(request, 1, true);
}

enum { NO_KEY = -2, NO_EXPIRY = -1 };

/* The key's expiry; or replies that there is none. It does not count as an access. */
static bool find_expiry(struct request *request, int64_t *ret_at_ms) {
    const struct entry *entry = request_look(request, 0);
    int64_t at_ms = entry == NULL ? ENTRY_EXPIRY_NONE : entry_expiry(entry);
    *ret_at_ms = at_ms;
    if (at_ms != ENTRY_EXPIRY_NONE) return true;
    reply_int(request->reply, entry == NULL ? NO_KEY : NO_EXPIRY);
    return false;
}

static int64_t time_left(const struct request *request, int64_t at_ms) {
    return at_ms > request->now_ms ? at_ms - request->now_ms : 0;
}

static void cmd_ttl(struct request *request) {
    int64_t at_ms;
    if (find_expiry(request, &at_ms))
        reply_int(request->reply, (time_left(request, at_ms) + 500) / 1000);
}

static void cmd_pttl(struct request *request) {
    int64_t at_ms;
    if (find_expiry(request, &at_ms)) reply_int(request->reply, time_left(request, at_ms));
}

static void cmd_expiretime(struct request *request) {
    int64_t at_ms;
    if (find_expiry(request, &at_ms))
        reply_int(request->reply, at_ms / 1000 + (at_ms % 1000 >= 500));
}

static void cmd_pexpiretime(struct request *request) {
    int64_t at_ms;
    if (find_expiry(request, &at_ms)) reply_int(request->reply, at_ms);
}

static void cmd_persist(struct request *request) {
    struct entry *entry = request_write(request, 0);
    bool had = entry != NULL && entry_expiry(entry) != ENTRY_EXPIRY_NONE;
    if (had) {
        store_set_expiry(request->store, request->db, request_key(request, 0), entry,
                         ENTRY_EXPIRY_NONE);
        request_changed(request, 0, EVENT_GENERIC, "persist");
    }
    reply_int(request->reply, had);
}

enum { SETS = COMMAND_WRITE | COMMAND_FAST, LOOKS = COMMAND_READONLY | COMMAND_FAST };
#define SETS_KEY \
    { KEY_AT(1, KEY_RW | KEY_UPDATE) }
#define LOOKS_KEY \
    { KEY_AT(1, KEY_RO | KEY_ACCESS) }

static const struct command rows[] = {
    {.name = "expire",
     .arity = -3,
     .flags = SETS,
     .groups = GROUP_KEYSPACE,
     .keys = SETS_KEY,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Sets the expiration time of a key in seconds.",
     .syntax = "key seconds [NX | XX | GT | LT]",
     .reply = "integer",
     .handler = cmd_expire},
    {.name = "pexpire",
     .arity = -3,
     .flags = SETS,
     .groups = GROUP_KEYSPACE,
     .keys = SETS_KEY,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Sets the expiration time of a key in milliseconds.",
     .syntax = "key milliseconds [NX | XX | GT | LT]",
     .reply = "integer",
     .handler = cmd_pexpire},
    {.name = "expireat",
     .arity = -3,
     .flags = SETS,
     .groups = GROUP_KEYSPACE,
     .keys = SETS_KEY,
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Sets the expiration time of a key to a Unix timestamp.",
     .syntax = "key unix-time-seconds [NX | XX | GT | LT]",
     .reply = "integer",
     .handler = cmd_expireat},
    {.name = "pexpireat",
     .arity = -3,
     .flags = SETS,
     .groups = GROUP_KEYSPACE,
     .keys = SETS_KEY,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Sets the expiration time of a key to a Unix milliseconds timestamp.",
     .syntax = "key unix-time-milliseconds [NX | XX | GT | LT]",
     .reply = "integer",
     .handler = cmd_pexpireat},
    {.name = "ttl",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_KEYSPACE,
     .keys = LOOKS_KEY,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the expiration time in seconds of a key.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_ttl},
    {.name = "pttl",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_KEYSPACE,
     .keys = LOOKS_KEY,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Returns the expiration time in milliseconds of a key.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_pttl},
    {.name = "expiretime",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_KEYSPACE,
     .keys = LOOKS_KEY,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Returns the expiration time of a key as a Unix timestamp.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_expiretime},
    {.name = "pexpiretime",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_KEYSPACE,
     .keys = LOOKS_KEY,
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Returns the expiration time of a key as a Unix milliseconds timestamp.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_pexpiretime},
    {.name = "persist",
     .arity = 2,
     .flags = SETS,
     .groups = GROUP_KEYSPACE,
     .keys = SETS_KEY,
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Removes the expiration time of a key.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_persist},
    {0},
};

const struct command_family expire_commands = {"generic", rows};
