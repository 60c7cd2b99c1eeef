/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings changed in place: APPEND, ranges, counters. */
#include <math.h>

#include "base/number.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/server.h"

static bool too_long(struct request *request, uint64_t len) {
    if (len <= (uint64_t)atomic_load(&request->server->limits.bulk_max_bytes)) return false;
    reply_error_code(request->reply, ERROR_TOO_BIG);
    return true;
}

/* The string's bytes, `len` of them; replies when there is no memory. */
static char *edit(struct request *request, struct entry **entry, size_t len) {
    char *bytes =
        store_string_edit(request->store, request->db, request_key(request, 0), entry, len);
    if (bytes == NULL) reply_error_code(request->reply, ERROR_NO_MEMORY);
    return bytes;
}

static void note_new(struct request *request) {
    store_notify_new(request->store, request->db, request_key(request, 0));
}

static void cmd_append(struct request *request) {
    struct bytes tail = argument(request, 2);
    struct entry *entry;
    if (!request_write_typed(request, 0, TYPE_STRING, &entry)) return;
    size_t before = entry == NULL ? 0 : entry_string_len(entry);
    if (too_long(request, (uint64_t)before + tail.len)) return;
    if (entry == NULL) {
        note_new(request);
        store_put_string(request->store, request->db, request_key(request, 0), NULL, tail,
                         ENTRY_EXPIRY_NONE);
    } else {
        char *bytes = edit(request, &entry, before + tail.len);
        if (bytes == NULL) return;
        if (tail.len) memcpy(bytes + before, tail.data, tail.len);
    }
    request_changed(request, 0, EVENT_STRING, "append");
    reply_int(request->reply, (int64_t)(before + tail.len));
}

static void cmd_setrange(struct request *request) {
    int64_t offset;
    struct bytes patch = argument(request, 3);
    struct entry *entry;
    if (!argument_i64(request, 2, &offset, NULL)) return;
    if (offset < 0) {
        reply_error(request->reply, "ERR offset is out of range");
        return;
    }
    if (!request_write_typed(request, 0, TYPE_STRING, &entry)) return;
    size_t before = entry == NULL ? 0 : entry_string_len(entry);
    if (patch.len == 0) {
        reply_int(request->reply, (int64_t)before);
        return;
    }
    if (too_long(request, (uint64_t)offset + patch.len)) return;
    size_t end = (size_t)offset + patch.len, len = end > before ? end : before;
    if (entry == NULL) note_new(request);
    char *bytes = edit(request, &entry, len);
    if (bytes == NULL) return;
    memcpy(bytes + offset, patch.data, patch.len);
    request_changed(request, 0, EVENT_STRING, "setrange");
    reply_int(request->reply, (int64_t)len);
}

static void cmd_getrange(struct request *request) {
    int64_t start, end;
    struct entry *entry;
    char scratch[ENTRY_SCRATCH];
    if (!argument_i64(request, 2, &start, NULL) || !argument_i64(request, 3, &end, NULL)) return;
    if (!request_read_typed(request, 0, TYPE_STRING, &entry)) return;
    struct bytes string = entry == NULL ? BYTES("") : entry_string(entry, scratch);
    int64_t len = (int64_t)string.len;
    bool reversed = start < 0 && end < 0 && start > end;
    if (start < 0) start = start + len < 0 ? 0 : start + len;
    if (end < 0) end = end + len < 0 ? 0 : end + len;
    if (end >= len) end = len - 1;
    if (reversed || start > end || len == 0)
        reply_bulk(request->reply, BYTES(""));
    else
        reply_bulk(request->reply, bytes_make(string.data + start, (size_t)(end - start + 1)));
}

/* ---- counters ---- */

static bool current_integer(struct request *request, const struct entry *entry,
                            int64_t *ret_value) {
    char scratch[ENTRY_SCRATCH];
    *ret_value = 0;
    if (entry == NULL) return true;
    if (entry_has(entry, ENTRY_INTEGER)) {
        *ret_value = entry_integer(entry);
        return true;
    }
    if (number_parse_i64(entry_string(entry, scratch), ret_value)) return true;
    reply_error_code(request->reply, ERROR_NOT_INTEGER);
    return false;
}

static void increment(struct request *request, int64_t by) {
    struct entry *entry;
    int64_t value;
    if (!request_write_typed(request, 0, TYPE_STRING, &entry) ||
        !current_integer(request, entry, &value))
        return;
    if (__builtin_add_overflow(value, by, &value)) {
        reply_error_code(request->reply, ERROR_OVERFLOW);
        return;
    }
    if (entry == NULL) note_new(request);
    store_put_integer(request->store, request->db, request_key(request, 0), entry, value,
                      STORE_KEEP_EXPIRY);
    request_changed(request, 0, EVENT_STRING, "incrby");
    reply_int(request->reply, value);
}

static void cmd_incr(struct request *request) {
    increment(request, 1);
}

static void cmd_decr(struct request *request) {
    increment(request, -1);
}

static void cmd_incrby(struct request *request) {
    int64_t by;
    if (argument_i64(request, 2, &by, NULL)) increment(request, by);
}

static void cmd_decrby(struct request *request) {
    int64_t by;
    if (!argument_i64(request, 2, &by, NULL)) return;
    if (by == INT64_MIN)
        reply_error(request->reply, "ERR decrement would overflow");
    else
        increment(request, -by);
}

static void cmd_incrbyfloat(struct request *request) {
    struct entry *entry;
    long double value = 0, by;
    char scratch[ENTRY_SCRATCH], text[NUMBER_LONG_DOUBLE_MAX];
    if (!request_write_typed(request, 0, TYPE_STRING, &entry)) return;
    if (entry != NULL && !number_parse_long_double(entry_string(entry, scratch), &value)) {
        reply_error_code(request->reply, ERROR_NOT_FLOAT);
        return;
    }
    if (!argument_long_double(request, 2, &by, NULL)) return;
    value += by;
    if (isnan(value) || isinf(value)) {
        reply_error_code(request->reply, ERROR_NAN_RESULT);
        return;
    }
    struct bytes result = bytes_make(text, number_format_long_double(text, value));
    if (entry == NULL) note_new(request);
    store_put_string(request->store, request->db, request_key(request, 0), entry, result,
                     STORE_KEEP_EXPIRY);
    request_changed(request, 0, EVENT_STRING, "incrbyfloat");
    reply_bulk(request->reply, result);
}

enum { EDITS = COMMAND_WRITE | COMMAND_DENY_OOM, COUNTS = EDITS | COMMAND_FAST };

static const struct command rows[] = {
    {.name = "append",
     .arity = 3,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Appends a string to the value of a key. Creates the key if it "
                "doesn't exist.",
     .syntax = "key value",
     .reply = "integer",
     .handler = cmd_append},
    {.name = "setrange",
     .arity = 4,
     .flags = EDITS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "2.2.0",
     .complexity = "O(N) where N is the length of the value, O(1) when nothing must be copied",
     .summary = "Overwrites a part of a string value with another by an offset. Creates the key if "
                "it doesn't exist.",
     .syntax = "key offset value",
     .reply = "integer",
     .handler = cmd_setrange},
    {.name = "getrange",
     .arity = 4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.4.0",
     .complexity = "O(N) where N is the returned length",
     .summary = "Returns a substring of the string stored at a key.",
     .syntax = "key start end",
     .reply = "bulk",
     .handler = cmd_getrange},
    {.name = "substr",
     .arity = 4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "1.0.0",
     .complexity = "O(N) where N is the returned length",
     .summary = "Returns a substring from a string value.",
     .syntax = "key start end",
     .reply = "bulk",
     .handler = cmd_getrange},
    {.name = "incr",
     .arity = 2,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Increments the integer value of a key by one. Uses 0 as initial value if the key "
                "doesn't exist.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_incr},
    {.name = "decr",
     .arity = 2,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Decrements the integer value of a key by one. Uses 0 as initial value if the key "
                "doesn't exist.",
     .syntax = "key",
     .reply = "integer",
     .handler = cmd_decr},
    {.name = "incrby",
     .arity = 3,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Increments the integer value of a key by a number. Uses 0 as initial value if the "
                "key doesn't exist.",
     .syntax = "key increment",
     .reply = "integer",
     .handler = cmd_incrby},
    {.name = "decrby",
     .arity = 3,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Decrements a number from the integer value of a key. Uses 0 as initial value if "
                "the key doesn't exist.",
     .syntax = "key decrement",
     .reply = "integer",
     .handler = cmd_decrby},
    {.name = "incrbyfloat",
     .arity = 3,
     .flags = COUNTS,
     .groups = GROUP_STRING,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Increments the floating point value of a key by a number. Uses 0 as initial value "
                "if the key doesn't exist.",
     .syntax = "key increment",
     .reply = "bulk",
     .handler = cmd_incrbyfloat},
    {0},
};

const struct command_family string_edit_commands = {"string", rows};
