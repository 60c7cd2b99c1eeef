/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes, field by field. What goes over all fields is in hash_visit.c, expiry in
 * hash_expiry.c and hash_ex.c.
 */
#include "types/hash.h"

#include <math.h>

#include "commands/families.h"
#include "commands/hash_common.h"
#include "server/command.h"

/* ---- writing ---- */

/* An existing hash, or a new one that hash_keep puts in its place once it has fields. */
static struct hash *hash_or_new(struct request *request, struct entry *entry) {
    return entry ? hash_of(entry) : hash_new(request_heap(request, 0));
}

static void hash_keep(struct request *request, struct entry *entry, struct hash *hash) {
    if (!entry) request_put(request, 0, NULL, TYPE_HASH, hash);
}

/* Sets the pairs of arguments and returns how many fields are new; -1 when an error was replied. */
static int64_t set_pairs(struct request *request) {
    struct entry *entry;
    int64_t added = 0;
    if (request->argc % 2 != 0) {
        hash_reply_arity(request);
        return -1;
    }
    if (!hash_open_write(request, &entry)) return -1;
    struct hash *hash = hash_or_new(request, entry);
    for (uint32_t i = 2; i < request->argc; i += 2)
        added += hash_set(hash, argument(request, i), argument(request, i + 1), request->now_ms,
                          HASH_NO_EXPIRY);
    hash_keep(request, entry, hash);
    request_changed(request, 0, EVENT_HASH, "hset");
    return added;
}

static void hset(struct request *request) {
    int64_t added = set_pairs(request);
    if (added >= 0) reply_int(request->reply, added);
}

static void hmset(struct request *request) {
    if (set_pairs(request) >= 0) reply_ok(request->reply);
}

static void hsetnx(struct request *request) {
    struct entry *entry;
    char scratch[HASH_SCRATCH];
    struct bytes value;
    if (!hash_open_write(request, &entry)) return;
    if (entry && hash_get(hash_of(entry), argument(request, 2), request->now_ms, scratch, &value)) {
        reply_int(request->reply, 0);
        return;
    }
    struct hash *hash = hash_or_new(request, entry);
    hash_set(hash, argument(request, 2), argument(request, 3), request->now_ms, HASH_NO_EXPIRY);
    hash_keep(request, entry, hash);
    reply_int(request->reply, 1);
    request_changed(request, 0, EVENT_HASH, "hset");
}

static void hdel(struct request *request) {
    struct entry *entry;
    int64_t removed = 0;
    if (!hash_open_write(request, &entry)) return;
    for (uint32_t i = 2; entry && i < request->argc; i++)
        removed += hash_delete(hash_of(entry), argument(request, i), request->now_ms);
    reply_int(request->reply, removed);
    if (removed == 0) return;
    request_changed(request, 0, EVENT_HASH, "hdel");
    request_delete_if_empty(request, 0, entry);
}

/* Puts a number's text in place of the old value, whose expiry stays. */
static void put_number(struct request *request, struct entry *entry, struct bytes text,
                       const char *event) {
    struct hash *hash = hash_or_new(request, entry);
    hash_set(hash, argument(request, 2), text, request->now_ms, HASH_KEEP_EXPIRY);
    hash_keep(request, entry, hash);
    request_changed(request, 0, EVENT_HASH, event);
}

static void hincrby(struct request *request) {
    struct entry *entry;
    int64_t by, number = 0;
    char scratch[HASH_SCRATCH];
    struct bytes value;
    if (!argument_i64(request, 3, &by, NULL) || !hash_open_write(request, &entry)) return;
    if (entry && hash_get(hash_of(entry), argument(request, 2), request->now_ms, scratch, &value) &&
        !number_parse_i64(value, &number)) {
        reply_error_code(request->reply, ERROR_HASH_NOT_INTEGER);
        return;
    }
    if (__builtin_add_overflow(number, by, &number)) {
        reply_error_code(request->reply, ERROR_OVERFLOW);
        return;
    }
    put_number(request, entry, bytes_make(scratch, number_format_i64(scratch, number)), "hincrby");
    reply_int(request->reply, number);
}

static void hincrbyfloat(struct request *request) {
    struct entry *entry;
    long double by, number = 0;
    char scratch[HASH_SCRATCH], text[NUMBER_LONG_DOUBLE_MAX];
    struct bytes value;
    if (!argument_long_double(request, 3, &by, NULL)) return;
    if (!isfinite(by)) {
        reply_error(request->reply, "ERR value is NaN or Infinity");
        return;
    }
    if (!hash_open_write(request, &entry)) return;
    if (entry && hash_get(hash_of(entry), argument(request, 2), request->now_ms, scratch, &value) &&
        !number_parse_long_double(value, &number)) {
        reply_error_code(request->reply, ERROR_HASH_NOT_FLOAT);
        return;
    }
    number += by;
    if (!isfinite(number)) {
        reply_error_code(request->reply, ERROR_NAN_RESULT);
        return;
    }
    value = bytes_make(text, number_format_long_double(text, number));
    put_number(request, entry, value, "hincrbyfloat");
    reply_bulk(request->reply, value);
}

/* ---- reading ---- */

static void hget(struct request *request) {
    struct entry *entry;
    if (hash_open_read(request, &entry)) hash_reply_value(request, entry, argument(request, 2));
}

static void hmget(struct request *request) {
    struct entry *entry;
    if (!hash_open_read(request, &entry)) return;
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++)
        hash_reply_value(request, entry, argument(request, i));
}

static void hlen(struct request *request) {
    struct entry *entry;
    if (hash_open_read(request, &entry))
        reply_int(request->reply, entry ? (int64_t)hash_count(hash_of(entry)) : 0);
}

/* Whether the field named by the arguments is there, and its value. Returns false
 * when an error was replied. */
static bool find_field(struct request *request, char scratch[HASH_SCRATCH], bool *ret_found,
                       struct bytes *ret_value) {
    struct entry *entry;
    if (!hash_open_read(request, &entry)) return false;
    *ret_found = entry && hash_get(hash_of(entry), argument(request, 2), request->now_ms, scratch,
                                   ret_value);
    return true;
}

static void hexists(struct request *request) {
    char scratch[HASH_SCRATCH];
    struct bytes value;
    bool found;
    if (find_field(request, scratch, &found, &value)) reply_int(request->reply, found);
}

static void hstrlen(struct request *request) {
    char scratch[HASH_SCRATCH];
    struct bytes value;
    bool found;
    if (find_field(request, scratch, &found, &value))
        reply_int(request->reply, found ? (int64_t)value.len : 0);
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "hset",
     .arity = -4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Sets fields of a hash, which is made if there is none.",
     .syntax = "key field value [field value ...]",
     .reply = "integer",
     .handler = hset},
    {.name = "hmset",
     .arity = -4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Sets fields of a hash, as HSET does.",
     .syntax = "key field value [field value ...]",
     .reply = "OK",
     .handler = hmset},
    {.name = "hsetnx",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets a field of a hash unless the field is there.",
     .syntax = "key field value",
     .reply = "integer",
     .handler = hsetnx},
    {.name = "hget",
     .arity = 3,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Gets the value of a field.",
     .syntax = "key field",
     .reply = "bulk | null",
     .handler = hget},
    {.name = "hmget",
     .arity = -3,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Gets the values of several fields.",
     .syntax = "key field [field ...]",
     .reply = "array of bulks | nulls",
     .handler = hmget},
    {.name = "hlen",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Tells how many fields a hash has.",
     .syntax = "key",
     .reply = "integer",
     .handler = hlen},
    {.name = "hdel",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Removes fields; the hash goes with its last field.",
     .syntax = "key field [field ...]",
     .reply = "integer",
     .handler = hdel},
    {.name = "hexists",
     .arity = 3,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Tells whether a hash has a field.",
     .syntax = "key field",
     .reply = "integer",
     .handler = hexists},
    {.name = "hstrlen",
     .arity = 3,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Tells how long the value of a field is.",
     .syntax = "key field",
     .reply = "integer",
     .handler = hstrlen},
    {.name = "hincrby",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Adds to the integer in a field, which is 0 if it is not there.",
     .syntax = "key field increment",
     .reply = "integer",
     .handler = hincrby},
    {.name = "hincrbyfloat",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_HASH,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Adds to the number in a field, which is 0 if it is not there.",
     .syntax = "key field increment",
     .reply = "bulk",
     .handler = hincrbyfloat},
    {.name = NULL},
};

const struct command_family hash_commands = {"hash", rows};
