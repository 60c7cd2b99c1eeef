/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growable run of bytes with a maximum.
 *
 * What: appended to at the end, consumed from the front; grows by doubling.
 * Always: len <= cap, and never more than max bytes in it; there is no buffer without a maximum.
 * Owner: the buffer owns its memory; whoever has the buffer calls buffer_done. A struct of
 *        zeros with a max is an empty buffer. Pointers into it are good until it next grows,
 *        shrinks or is consumed from.
 * Lock: none. Errors: ERROR_NO_MEMORY when the maximum, or the allocator, refuses; the
 *       content stays as it was.
 */
#ifndef KN_BASE_BUFFER_H
#define KN_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

struct buffer {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* the most that len may become */
};

static inline void buffer_init(struct buffer *buffer, size_t max) {
    *buffer = (struct buffer){.max = max};
}

void buffer_done(struct buffer *buffer);

/* The slow half of buffer_reserve. */
bool buffer_grow(struct buffer *buffer, size_t room) __attribute__((warn_unused_result));

/* Room for n more bytes: where to write them, or NULL. buffer_commit then
 * says how many were written. */
static inline char *buffer_reserve(struct buffer *buffer, size_t n) {
    if (kn_unlikely(buffer->cap - buffer->len < n || !buffer->data) && !buffer_grow(buffer, n)) {
        return NULL;
    }
    return buffer->data + buffer->len;
}

static inline void buffer_commit(struct buffer *buffer, size_t n) {
    kn_assert(n <= buffer->cap - buffer->len);
    buffer->len += n;
}

static inline size_t buffer_room(const struct buffer *buffer) {
    return buffer->cap - buffer->len;
}

static inline struct bytes buffer_bytes(const struct buffer *buffer) {
    return bytes_make(buffer->data, buffer->len);
}

/* data may not lie in the buffer. */
static inline int buffer_add(struct buffer *buffer, const void *data, size_t n) {
    char *to = buffer_reserve(buffer, n);
    if (kn_unlikely(!to)) return ERROR_NO_MEMORY;
    if (n) memcpy(to, data, n);
    buffer->len += n;
    return 0;
}

static inline int buffer_add_bytes(struct buffer *buffer, struct bytes b) {
    return buffer_add(buffer, b.data, b.len);
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts n bytes in at position at (<= len), moving what follows. */
int buffer_insert(struct buffer *buffer, size_t at, const void *data, size_t n)
    __attribute__((warn_unused_result));

/* Drops the first n bytes and moves the rest to the front. */
static inline void buffer_consume(struct buffer *buffer, size_t n) {
    kn_assert(n <= buffer->len);
    buffer->len -= n;
    if (buffer->len && n) memmove(buffer->data, buffer->data + n, buffer->len);
}

static inline void buffer_clear(struct buffer *buffer) {
    buffer->len = 0;
}

/* Gives memory back when more than keep bytes are set aside; keeps the content.
 * keep 0 and empty: all of it. */
void buffer_shrink(struct buffer *buffer, size_t keep);

#endif
