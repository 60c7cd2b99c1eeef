/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the parts of the RDB format: bytes, lengths, strings, numbers.
 *
 * What: a window of bytes with strict bounds. A payload is one window, from its first byte to
 *       its last. A reader of a file hands over `more`, which brings further bytes when a read
 *       wants more than is there.
 * Always: nothing is read outside the window. No length that was read makes anybody
 *         take memory: what a string announces must be there (or, compressed, be
 *         possible) before it is believed.
 * Owner: the window belongs to whoever made the reader. A string comes back as a view of the
 *        window, or in its rdb_text, of which the caller has as many as it wants strings at a time;
 *        rdb_text_done frees one. With `more`, the window may move, so strings are then always
 *        copied to their rdb_text.
 * Lock: none. Errors: a function that fails returns false and leaves its outputs alone;
 *       reader->error then tells why, and everything that is read afterwards fails too.
 */
#ifndef KN_PERSIST_READER_H
#define KN_PERSIST_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

struct rdb_reader {
    const unsigned char *at, *end;
    /* Makes at least `wanted` bytes lie in the window, from `at` on; false: there are not so
     * many, or `error` is set. Takes memory for what has come, not for what is wanted. NULL:
     * the window is all there is. */
    bool (*more)(struct rdb_reader *reader, size_t wanted);
    void *source;        /* for `more` */
    unsigned version;    /* of the format, as file or payload said */
    uint64_t passed;     /* bytes that were read */
    uint64_t string_max; /* a longer string is damage */
    int error;           /* ERROR_BAD_FORMAT, ERROR_NO_MEMORY, or what `more` says */
};

/* Where a string lies that is no view of the window. A struct of zeros is an empty one. */
struct rdb_text {
    char *data;
    size_t cap;
};
void rdb_text_done(struct rdb_text *text);

static inline void rdb_reader_init(struct rdb_reader *reader, struct bytes bytes,
                                   unsigned version) {
    const unsigned char *at = (const unsigned char *)bytes.data;
    *reader = (struct rdb_reader){
        .at = at, .end = at + bytes.len, .version = version, .string_max = UINT32_MAX};
}

/* Notes what is wrong, if nothing was noted before; false, for the caller to return. */
bool rdb_fail(struct rdb_reader *reader, int error);
static inline bool rdb_bad(struct rdb_reader *reader) {
    return rdb_fail(reader, ERROR_BAD_FORMAT);
}

/* Bytes in the window now; all that remains when there is no `more`. */
static inline size_t rdb_left(const struct rdb_reader *reader) {
    return (size_t)(reader->end - reader->at);
}

/* Are so many bytes there? The slow half asks `more`. */
bool rdb_need_slow(struct rdb_reader *reader, size_t bytes);
static inline bool rdb_need(struct rdb_reader *reader, size_t bytes) {
    if (kn_likely(bytes <= rdb_left(reader) && !reader->error)) return true;
    return rdb_need_slow(reader, bytes);
}

bool rdb_read_byte(struct rdb_reader *reader, unsigned *ret_byte);
bool rdb_read_u64(struct rdb_reader *reader, uint64_t *ret_value);  /* 8 bytes, as they are */
bool rdb_read_ms(struct rdb_reader *reader, int64_t *ret_ms);       /* likewise, a time */
bool rdb_read_length(struct rdb_reader *reader, uint64_t *ret_len); /* 1 to 9 bytes */
bool rdb_read_double(struct rdb_reader *reader, double *ret_value); /* 8 bytes; NaN is refused */
/* As text with a length of one byte, as Redis wrote scores until 4.0; NaN is refused. */
bool rdb_read_double_text(struct rdb_reader *reader, double *ret_value);
/* n bytes as they are; a view until the next read. */
bool rdb_read_raw(struct rdb_reader *reader, size_t n, const unsigned char **ret_bytes);
/* A string, however it is kept: raw, compressed, an integer. */
bool rdb_read_string(struct rdb_reader *reader, struct rdb_text *text, struct bytes *ret_string);

#endif
