/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies, written in RESP2 or RESP3 straight into an output buffer.
 *
 * What: one function for each kind of reply. Where RESP2 lacks a kind, its nearest is
 *       written, as clients expect it: maps become arrays of twice the length, doubles
 *       strings, booleans integers.
 * Always: as many elements follow a header as it announced; the caller sees to that.
 * Owner: the buffer belongs to the caller (the connection). Lock: none.
 * Errors: when the buffer is at its maximum, `overflow` is set for good and the rest is dropped;
 *         the owner then closes the connection. Nothing else can fail.
 */
#ifndef KN_PROTO_REPLY_H
#define KN_PROTO_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/number.h"

struct reply {
    struct buffer *out;
    int resp;        /* 2 or 3 */
    bool overflow;   /* the buffer was full once: what is in it is not whole */
    uint32_t errors; /* how many error replies were written */
    size_t error_at; /* where in out the last of them starts */
};

static inline void reply_init(struct reply *r, struct buffer *out, int resp) {
    *r = (struct reply){.out = out, .resp = resp};
}

/* The slow half of reply_reserve. */
char *reply_grow(struct reply *r, size_t n);

/* Room for n bytes, or NULL; follow with reply_commit(r, end of what was written). */
static inline char *reply_reserve(struct reply *r, size_t n) {
    struct buffer *out = r->out;
    if (kn_unlikely(out->cap - out->len < n || !out->data)) return reply_grow(r, n);
    return out->data + out->len;
}

static inline void reply_commit(struct reply *r, const char *end) {
    r->out->len = (size_t)(end - r->out->data);
}

/* Bytes that are a reply already. */
static inline void reply_raw(struct reply *r, struct bytes b) {
    char *to = reply_reserve(r, b.len);
    if (!to) return;
    if (b.len) memcpy(to, b.data, b.len);
    r->out->len += b.len;
}

/* A reply that is written in the source: REPLY_LITERAL(r, "+OK\r\n"). */
#define REPLY_LITERAL(r, text) reply_raw((r), BYTES(text))

static inline char *reply_put_header(char *to, char kind, uint64_t n) {
    *to++ = kind;
    to += number_format_u64(to, n);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static inline void reply_header(struct reply *r, char kind, uint64_t n) {
    char *to = reply_reserve(r, 24);
    if (to) reply_commit(r, reply_put_header(to, kind, n));
}

static inline void reply_ok(struct reply *r) {
    REPLY_LITERAL(r, "+OK\r\n");
}

/* A status: +text. No line breaks in it. */
void reply_status(struct reply *r, const char *text);

static inline void reply_int(struct reply *r, int64_t value) {
    char *to = reply_reserve(r, 24);
    if (!to) return;
    *to++ = ':';
    to += number_format_i64(to, value);
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
}

static inline void reply_bulk(struct reply *r, struct bytes b) {
    char *to = reply_reserve(r, b.len + 32);
    if (!to) return;
    to = reply_put_header(to, '$', b.len);
    if (b.len) memcpy(to, b.data, b.len);
    to += b.len;
    *to++ = '\r';
    *to++ = '\n';
    reply_commit(r, to);
}

static inline void reply_bulk_string(struct reply *r, const char *s) {
    reply_bulk(r, bytes_from_string(s));
}

static inline void reply_bulk_i64(struct reply *r, int64_t value) {
    char digits[NUMBER_I64_MAX];
    reply_bulk(r, bytes_make(digits, number_format_i64(digits, value)));
}

/* A bulk string made with printf. */
void reply_bulk_format(struct reply *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- errors: the text begins with its code word, as in "ERR syntax error", and has no '-' ---- */

void reply_error(struct reply *r, const char *text);
/* Line breaks in what is inserted become spaces. */
void reply_error_format(struct reply *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_error_bytes(struct reply *r, struct bytes text);
/* The wire text of a code of base/error.h. */
void reply_error_code(struct reply *r, int code);
const char *reply_error_text(int code);

/* ---- nothing ---- */

/* The missing string: $-1, or _ */
static inline void reply_null(struct reply *r) {
    if (r->resp >= 3) {
        REPLY_LITERAL(r, "_\r\n");
    } else {
        REPLY_LITERAL(r, "$-1\r\n");
    }
}

/* The missing array: *-1, or _ */
static inline void reply_null_array(struct reply *r) {
    if (r->resp >= 3) {
        REPLY_LITERAL(r, "_\r\n");
    } else {
        REPLY_LITERAL(r, "*-1\r\n");
    }
}

/* ---- headers of collections ---- */

static inline void reply_array(struct reply *r, size_t count) {
    reply_header(r, '*', count);
}

/* pairs keys, each followed by its value. */
static inline void reply_map(struct reply *r, size_t pairs) {
    if (r->resp >= 3) {
        reply_header(r, '%', pairs);
    } else {
        reply_header(r, '*', pairs * 2);
    }
}

static inline void reply_set(struct reply *r, size_t count) {
    reply_header(r, r->resp >= 3 ? '~' : '*', count);
}

static inline void reply_push(struct reply *r, size_t count) {
    reply_header(r, r->resp >= 3 ? '>' : '*', count);
}

/*
 * Collections whose size is known only afterwards: remember the place, write the elements, then put
 * the header in before them.
 */
static inline size_t reply_defer(struct reply *r) {
    return r->out->len;
}
void reply_defer_array(struct reply *r, size_t mark, size_t count);
void reply_defer_map(struct reply *r, size_t mark, size_t pairs);
void reply_defer_set(struct reply *r, size_t mark, size_t count);

/* Takes back everything written since the mark, errors uncounted. */
static inline void reply_rewind(struct reply *r, size_t mark) {
    r->out->len = mark;
}

/* ---- other kinds ---- */

void reply_double(struct reply *r, double value);
/* A double in human form, with the digits of a long double (coordinates). */
void reply_coordinate(struct reply *r, double value);

static inline void reply_bool(struct reply *r, bool value) {
    if (r->resp >= 3) {
        reply_raw(r, value ? BYTES("#t\r\n") : BYTES("#f\r\n"));
    } else {
        reply_int(r, value);
    }
}

/* Text for people: kind is "txt" or "mkd". */
void reply_verbatim(struct reply *r, const char *kind, struct bytes text);
/* digits: a decimal integer of any length. */
void reply_bignum(struct reply *r, struct bytes digits);

#endif
