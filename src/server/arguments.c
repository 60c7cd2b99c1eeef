/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/arguments.h"

#include <math.h>

#include "base/number.h"
#include "server/command.h"
#include "server/dispatch.h"

static bool reply_text_or_code(struct request *request, const char *text, int code) {
    if (text != NULL)
        reply_error(request->reply, text);
    else
        reply_error_code(request->reply, code);
    return false;
}

bool argument_i64(struct request *request, uint32_t index, int64_t *ret_value, const char *error) {
    if (number_parse_i64(argument(request, index), ret_value)) return true;
    return reply_text_or_code(request, error, ERROR_NOT_INTEGER);
}

bool argument_i64_range(struct request *request, uint32_t index, int64_t min, int64_t max,
                        int64_t *ret_value, const char *error) {
    int64_t value;
    if (!argument_i64(request, index, &value, error)) return false;
    if (value < min || value > max) {
        if (error != NULL)
            reply_error(request->reply, error);
        else if (min == 0 && max == INT64_MAX)
            reply_error_code(request->reply, ERROR_NOT_POSITIVE);
        else
            reply_error_format(request->reply,
                               "ERR value is out of range, value must between %lld and %lld",
                               (long long)min, (long long)max);
        return false;
    }
    *ret_value = value;
    return true;
}

bool argument_db(struct request *request, uint32_t index, const char *bad_number,
                 unsigned *ret_db) {
    int64_t db;
    if (!argument_i64_range(request, index, INT32_MIN, INT32_MAX, &db, bad_number)) return false;
    if (db < 0 || db >= store_db_count(request->store)) {
        reply_error_code(request->reply, ERROR_BAD_DB);
        return false;
    }
    *ret_db = (unsigned)db;
    return true;
}

bool argument_double(struct request *request, uint32_t index, double *ret_value,
                     const char *error) {
    if (number_parse_double(argument(request, index), ret_value)) return true;
    return reply_text_or_code(request, error, ERROR_NOT_FLOAT);
}

bool argument_long_double(struct request *request, uint32_t index, long double *ret_value,
                          const char *error) {
    if (number_parse_long_double(argument(request, index), ret_value)) return true;
    return reply_text_or_code(request, error, ERROR_NOT_FLOAT);
}

bool argument_timeout_ms(struct request *request, uint32_t index, int64_t *ret_timeout_ms) {
    long double seconds;
    if (!argument_long_double(request, index, &seconds,
                              "ERR timeout is not a float or out of range"))
        return false;
    long double milliseconds = ceill(seconds * 1000);
    if (milliseconds < 0) {
        reply_error(request->reply, "ERR timeout is negative");
        return false;
    }
    if (milliseconds > (long double)(INT64_MAX - request->now_ms)) {
        reply_error(request->reply, "ERR timeout is out of range");
        return false;
    }
    *ret_timeout_ms = (int64_t)milliseconds;
    return true;
}

bool argument_side(struct request *request, uint32_t index, bool *ret_left) {
    bool left = argument_is(request, index, "left");
    if (!left && !argument_is(request, index, "right")) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    *ret_left = left;
    return true;
}

static bool reply_bad_expire(struct request *request) {
    char name[COMMAND_NAME_MAX];
    reply_error_format(request->reply, "ERR invalid expire time in '%s' command",
                       command_full_name(request->server, request->command, name));
    return false;
}

bool argument_expiry(struct request *request, uint32_t index, int64_t unit_ms, bool absolute,
                     int64_t *ret_at_ms) {
    int64_t value, at_ms;
    if (!argument_i64(request, index, &value, NULL)) return false;
    if (value <= 0 || __builtin_mul_overflow(value, unit_ms, &at_ms))
        return reply_bad_expire(request);
    if (!absolute && __builtin_add_overflow(at_ms, request->now_ms, &at_ms))
        return reply_bad_expire(request);
    *ret_at_ms = at_ms;
    return true;
}

/* ---- the SCAN family ---- */

static bool scan_count(struct request *request, uint32_t index, uint64_t *ret_count) {
    int64_t count;
    if (!argument_i64(request, index, &count, NULL)) return false;
    if (count < 1) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    *ret_count = (uint64_t)count;
    return true;
}

/* A cursor as strtoul reads it: a sign is allowed, as is nothing at all; leading spaces are not. */
static bool parse_cursor(struct bytes text, uint64_t *ret_cursor) {
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t at = negative || (text.len > 0 && text.data[0] == '+');
    uint64_t cursor = 0;
    if (at == 1 && text.len == 1) return false;
    for (; at < text.len; at++) {
        if (text.data[at] < '0' || text.data[at] > '9') return false;
        if (__builtin_mul_overflow(cursor, 10, &cursor)) return false;
        if (__builtin_add_overflow(cursor, (uint64_t)(text.data[at] - '0'), &cursor)) return false;
    }
    *ret_cursor = negative ? 0 - cursor : cursor;
    return true;
}

bool argument_scan(struct request *request, uint32_t cursor_index,
                   struct scan_options *ret_options) {
    struct scan_options options = {.count = 10};
    uint64_t cursor;
    if (!parse_cursor(argument(request, cursor_index), &cursor)) {
        reply_error_code(request->reply, ERROR_BAD_CURSOR);
        return false;
    }
    options.cursor = cursor;
    const char *name = request->command->name;
    bool is_scan = strcmp(name, "scan") == 0;
    const char *elements_word = strcmp(name, "hscan") == 0   ? "novalues"
                                : strcmp(name, "zscan") == 0 ? "noscores"
                                                             : NULL;
    for (uint32_t i = cursor_index + 1; i < request->argc;) {
        bool more = i + 1 < request->argc;
        if (more && argument_is(request, i, "count")) {
            if (!scan_count(request, i + 1, &options.count)) return false;
            i += 2;
        } else if (more && argument_is(request, i, "match")) {
            options.match = argument(request, i + 1);
            options.has_match = !bytes_equal(options.match, BYTES("*"));
            i += 2;
        } else if (more && is_scan && argument_is(request, i, "type")) {
            options.type = argument(request, i + 1);
            i += 2;
        } else if (elements_word != NULL && argument_is(request, i, elements_word)) {
            options.elements_only = true;
            i++;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    *ret_options = options;
    return true;
}
