/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small collections of other servers, one allocation each: zipmaps, ziplists and listpacks.
 *
 * What: a cursor over the items of any of them, and a writer of listpacks.
 *       packed.c draws the three forms.
 * Always: the cursor stays inside the bytes it was given, and proves them while it goes:
 *         sizes, lengths backward, counts, the place of the last item, the end. Only a walk
 *         that came to its end without `bad` was over something whole, so what is built on
 *         the way is thrown away otherwise.
 * Owner: items are views of the bytes. The writer's buffer is freed by listpack_done.
 * Lock: none. Errors: `bad` of the cursor; `error` of the writer, ERROR_NO_MEMORY.
 */
#ifndef KN_PERSIST_PACKED_H
#define KN_PERSIST_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/number.h"

/* ---- reading ---- */

enum packed_form { PACKED_ZIPMAP, PACKED_ZIPLIST, PACKED_LISTPACK };

struct packed {
    const unsigned char *at, *limit; /* the limit is the byte that marks the end */
    enum packed_form form;
    uint32_t announced; /* items, by the header; PACKED_UNCOUNTED when it does not say */
    uint32_t count;     /* items so far */
    uint32_t tail;      /* ziplist: from `at` of the beginning to the last item */
    uint32_t passed;    /* ziplist: bytes so far */
    uint32_t previous;  /* ziplist: bytes of the item before */
    bool bad;
};
#define PACKED_UNCOUNTED UINT32_MAX

struct packed_item {
    const char *data; /* NULL: an integer */
    size_t len;
    int64_t integer;
};

/* False when it cannot be what it should. */
bool packed_open(struct packed *packed, enum packed_form form, struct bytes bytes);
/* False at the end, and when what comes is damaged: `bad` is then set. */
bool packed_next(struct packed *packed, struct packed_item *ret_item);

/* Whether the items have not begun. */
static inline bool packed_is_empty(const struct packed *packed) {
    return packed->at == packed->limit;
}

/* scratch: NUMBER_I64_MAX bytes, for the text of an integer. */
static inline struct bytes packed_text(const struct packed_item *item, char *scratch) {
    if (item->data != NULL) return bytes_make(item->data, item->len);
    return bytes_make(scratch, number_format_i64(scratch, item->integer));
}

/* An integer, or a text that is exactly how one is written. */
static inline bool packed_integer(const struct packed_item *item, int64_t *ret_integer) {
    if (item->data != NULL) return number_parse_i64(bytes_make(item->data, item->len), ret_integer);
    *ret_integer = item->integer;
    return true;
}

/* ---- writing a listpack ---- */

struct listpack {
    struct buffer bytes;
    uint32_t count;
    int error;
};

enum { LISTPACK_EMPTY_BYTES = 7 };

/* Begins an empty one, in the buffer that is there already if there was one. A
 * struct of zeros is good. */
void listpack_begin(struct listpack *pack);
/* Texts of integers are kept as integers. */
void listpack_add(struct listpack *pack, struct bytes text);
void listpack_add_integer(struct listpack *pack, int64_t integer);
/* Gives the first item, which is an integer below 128, another such value. */
void listpack_set_first(struct listpack *pack, unsigned value);
/* Writes header and end; a view until the listpack is begun again. */
struct bytes listpack_end(struct listpack *pack);
void listpack_done(struct listpack *pack);
/* Bytes that this text takes. */
size_t listpack_item_bytes(struct bytes text);
/* Whether this text has one of the few lengths of which Redis and Valkey hold different views. */
bool listpack_is_disputed(struct bytes text);

#endif
