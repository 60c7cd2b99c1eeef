/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

enum { BUFFER_CAP_MIN = 256 };

void buffer_done(struct buffer *buffer) {
    mem_free(buffer->data);
    *buffer = (struct buffer){.max = buffer->max};
}

bool buffer_grow(struct buffer *buffer, size_t room) {
    if (room > buffer->max || buffer->len > buffer->max - room) return false;
    size_t needed = buffer->len + room;
    size_t cap = buffer->cap < BUFFER_CAP_MIN / 2 ? BUFFER_CAP_MIN : buffer->cap * 2;
    if (cap < needed) cap = needed;
    if (cap > buffer->max) cap = buffer->max;
    /* An empty reservation of an empty buffer still wants a pointer. */
    char *data = mem_try_realloc(buffer->data, cap ? cap : 1);
    if (!data) return false;
    buffer->data = data;
    buffer->cap = cap;
    return true;
}

int buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = buffer->cap - buffer->len;
    int len = vsnprintf(buffer->data ? buffer->data + buffer->len : NULL, room, format, args);
    va_end(args);
    int code = len < 0 ? ERROR_SYSTEM : 0;
    if (code == 0 && (size_t)len >= room) {
        /* One byte more than is kept, for the zero that vsnprintf insists on. */
        char *to = buffer_reserve(buffer, (size_t)len + 1);
        if (!to) {
            code = ERROR_NO_MEMORY;
        } else {
            vsnprintf(to, (size_t)len + 1, format, again);
        }
    }
    va_end(again);
    if (code == 0) buffer->len += (size_t)len;
    return code;
}

int buffer_insert(struct buffer *buffer, size_t at, const void *data, size_t n) {
    kn_assert(at <= buffer->len);
    if (n == 0) return 0;
    if (!buffer_reserve(buffer, n)) return ERROR_NO_MEMORY;
    memmove(buffer->data + at + n, buffer->data + at, buffer->len - at);
    memcpy(buffer->data + at, data, n);
    buffer->len += n;
    return 0;
}

void buffer_shrink(struct buffer *buffer, size_t keep) {
    size_t cap = buffer->len > keep ? buffer->len : keep;
    if (buffer->cap <= cap) return;
    if (cap == 0) {
        mem_free(buffer->data);
        buffer->data = NULL;
        buffer->cap = 0;
        return;
    }
    char *data = mem_try_realloc(buffer->data, cap);
    if (!data) return; /* staying large is no error */
    buffer->data = data;
    buffer->cap = cap;
}
