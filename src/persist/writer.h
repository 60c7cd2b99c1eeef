/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes the parts of the RDB format into a buffer.
 *
 * What: the counterpart of reader.h: bytes, lengths, strings, numbers, byte for
 *       byte as Redis writes them.
 * Owner: the buffer is the caller's, who sets its maximum and may take away what is
 *        in it between two calls.
 * Lock: none. Errors: once the buffer refuses, writer->error is set and everything that follows
 *       does nothing: look at it once, at the end.
 */
#ifndef KN_PERSIST_WRITER_H
#define KN_PERSIST_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct rdb_writer {
    struct buffer *out;
    bool compress; /* strings of more than 20 bytes, where it saves any */
    int error;     /* ERROR_NO_MEMORY */
};

static inline void rdb_writer_init(struct rdb_writer *writer, struct buffer *out, bool compress) {
    *writer = (struct rdb_writer){.out = out, .compress = compress};
}

void rdb_write_raw(struct rdb_writer *writer, const void *data, size_t n);
void rdb_write_byte(struct rdb_writer *writer, unsigned byte);
void rdb_write_length(struct rdb_writer *writer, uint64_t len);
void rdb_write_u64(struct rdb_writer *writer, uint64_t value); /* 8 bytes, little-endian */
void rdb_write_ms(struct rdb_writer *writer, int64_t ms);
void rdb_write_double(struct rdb_writer *writer, double value);
/* As an integer, compressed, or as it is: the shortest. */
void rdb_write_string(struct rdb_writer *writer, struct bytes string);

#endif
