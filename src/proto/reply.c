/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

enum { REPLY_FORMAT_MAX = 512 };

char *reply_grow(struct reply *r, size_t n) {
    char *to = r->overflow ? NULL : buffer_reserve(r->out, n);
    if (!to) r->overflow = true;
    return to;
}

void reply_status(struct reply *r, const char *text) {
    size_t len = strlen(text);
    char *to = reply_reserve(r, len + 3);
    if (!to) return;
    *to++ = '+';
    memcpy(to, text, len);
    to += len;
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
}

/* printf into room when it fits, else into new memory that the caller frees. */
static struct bytes format_text(char *room, size_t size, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(room, size, format, args);
    char *text = room;
    if (len < 0) {
        len = 0;
    } else if ((size_t)len >= size) {
        text = mem_try_alloc((size_t)len + 1);
        if (text) {
            vsnprintf(text, (size_t)len + 1, format, again);
        } else {
            text = room; /* what fits */
            len = (int)size - 1;
        }
    }
    va_end(again);
    return bytes_make(text, (size_t)len);
}

void reply_bulk_format(struct reply *r, const char *format, ...) {
    char room[REPLY_FORMAT_MAX];
    va_list args;
    va_start(args, format);
    struct bytes text = format_text(room, sizeof room, format, args);
    va_end(args);
    reply_bulk(r, text);
    if (text.data != room) mem_free((char *)(uintptr_t)text.data);
}

/* ---- errors ---- */

void reply_error_bytes(struct reply *r, struct bytes text) {
    size_t start = r->out->len;
    char *to = reply_reserve(r, text.len + 3);
    if (!to) return;
    *to++ = '-';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        *to++ = c == '\r' || c == '\n' ? ' ' : c;
    }
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
    r->errors++;
    r->error_at = start;
}

void reply_error(struct reply *r, const char *text) {
    reply_error_bytes(r, bytes_from_string(text));
}

void reply_error_format(struct reply *r, const char *format, ...) {
    char room[REPLY_FORMAT_MAX];
    va_list args;
    va_start(args, format);
    struct bytes text = format_text(room, sizeof room, format, args);
    va_end(args);
    /* Line breaks at the ends go, as Redis has it; those within become spaces. */
    struct bytes line = text;
    while (line.len && strchr("\r\n", line.data[line.len - 1])) line.len--;
    while (line.len && strchr("\r\n", line.data[0])) line = bytes_make(line.data + 1, line.len - 1);
    reply_error_bytes(r, line);
    if (text.data != room) mem_free((char *)(uintptr_t)text.data);
}

static const char *const error_texts[ERROR_COUNT] = {
    [ERROR_NO_MEMORY] = "ERR out of memory",
    [ERROR_TOO_BIG] = "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
    [ERROR_SYNTAX] = "ERR syntax error",
    [ERROR_WRONG_TYPE] = "WRONGTYPE Operation against a key holding the wrong kind of value",
    [ERROR_NO_SUCH_KEY] = "ERR no such key",
    [ERROR_NOT_INTEGER] = "ERR value is not an integer or out of range",
    [ERROR_NOT_FLOAT] = "ERR value is not a valid float",
    [ERROR_NOT_POSITIVE] = "ERR value is out of range, must be positive",
    [ERROR_OUT_OF_RANGE] = "ERR value is out of range",
    [ERROR_INDEX_RANGE] = "ERR index out of range",
    [ERROR_OVERFLOW] = "ERR increment or decrement would overflow",
    [ERROR_NAN_RESULT] = "ERR increment would produce NaN or Infinity",
    [ERROR_NAN_SCORE] = "ERR resulting score is not a number (NaN)",
    [ERROR_HASH_NOT_INTEGER] = "ERR hash value is not an integer",
    [ERROR_HASH_NOT_FLOAT] = "ERR hash value is not a float",
    [ERROR_BAD_RANGE] = "ERR min or max is not a float",
    [ERROR_BAD_LEX_RANGE] = "ERR min or max not valid string range item",
    [ERROR_BAD_CURSOR] = "ERR invalid cursor",
    [ERROR_BAD_EXPIRE] = "ERR invalid expire time",
    [ERROR_SAME_KEY] = "ERR source and destination objects are the same",
    [ERROR_BAD_DB] = "ERR DB index is out of range",
    [ERROR_OUT_OF_MEMORY] = "OOM command not allowed when used memory > 'maxmemory'.",
    [ERROR_BAD_FORMAT] = "ERR Bad data format",
    [ERROR_MODULE_VALUE] = "ERR Bad data format: modules and their types are not supported",
    [ERROR_BAD_CHECKSUM] = "ERR DUMP payload version or checksum are wrong",
    [ERROR_SYSTEM] = "ERR system error",
};

const char *reply_error_text(int code) {
    if (code <= 0 || code >= ERROR_COUNT || !error_texts[code]) return "ERR internal error";
    return error_texts[code];
}

void reply_error_code(struct reply *r, int code) {
    reply_error(r, reply_error_text(code));
}

/* ---- collections ---- */

static void insert_header(struct reply *r, size_t mark, char kind, size_t n) {
    char header[24];
    size_t len = (size_t)(reply_put_header(header, kind, n) - header);
    if (r->overflow || buffer_insert(r->out, mark, header, len) != 0) {
        r->overflow = true;
    } else if (r->error_at >= mark) {
        r->error_at += len;
    }
}

void reply_defer_array(struct reply *r, size_t mark, size_t count) {
    insert_header(r, mark, '*', count);
}

void reply_defer_map(struct reply *r, size_t mark, size_t pairs) {
    if (r->resp >= 3) {
        insert_header(r, mark, '%', pairs);
    } else {
        insert_header(r, mark, '*', pairs * 2);
    }
}

void reply_defer_set(struct reply *r, size_t mark, size_t count) {
    insert_header(r, mark, r->resp >= 3 ? '~' : '*', count);
}

/* ---- other kinds ---- */

static void reply_number_text(struct reply *r, struct bytes text) {
    if (r->resp < 3) {
        reply_bulk(r, text);
        return;
    }
    char *to = reply_reserve(r, text.len + 3);
    if (!to) return;
    *to++ = ',';
    memcpy(to, text.data, text.len);
    to += text.len;
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
}

void reply_double(struct reply *r, double value) {
    char digits[NUMBER_DOUBLE_MAX];
    reply_number_text(r, bytes_make(digits, number_format_double(digits, value)));
}

void reply_coordinate(struct reply *r, double value) {
    char digits[NUMBER_LONG_DOUBLE_MAX];
    reply_number_text(r, bytes_make(digits, number_format_long_double(digits, value)));
}

void reply_verbatim(struct reply *r, const char *kind, struct bytes text) {
    if (r->resp < 3) {
        reply_bulk(r, text);
        return;
    }
    kn_assert(strlen(kind) == 3);
    char *to = reply_reserve(r, text.len + 40);
    if (!to) return;
    to = reply_put_header(to, '=', text.len + 4);
    memcpy(to, kind, 3);
    to[3] = ':';
    to += 4;
    if (text.len) memcpy(to, text.data, text.len);
    to += text.len;
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
}

void reply_bignum(struct reply *r, struct bytes digits) {
    if (r->resp < 3) {
        reply_bulk(r, digits);
        return;
    }
    REPLY_LITERAL(r, "(");
    reply_raw(r, digits);
    REPLY_LITERAL(r, "\r\n");
}
