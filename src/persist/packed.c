/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zipmaps, of Redis until 2.4:
 *
 *      count 1 (254: unknown) | { key length | key | value length | spare 1 | value
 *      | spare bytes }... | 0xff
 *
 * where a length is one byte below 254, or 254 and four bytes. Ziplists, until 6.2:
 *
 *      bytes 4 | place of the last item 4 | count 2 | { length of the item before
 *      1 or 5 | item }... | 0xff
 *
 * Listpacks since:
 *
 *      bytes 4 | count 2 | { item | its length, to be read backwards, 1 to 5 }... | 0xff
 *
 * A count of 65535 means that there are so many or more. All is little-endian but the
 * lengths of a ziplist's strings.
 */
#include "persist/packed.h"

#include <string.h>

#include "base/assert.h"

enum { END = 0xff, COUNT_UNKNOWN = 0xffff };
enum { ZIPLIST_HEADER = 10, LISTPACK_HEADER = 6, ZIPMAP_HEADER = 1 };
enum { LONG_LENGTH = 254 }; /* in zipmaps and ziplists: the length takes the next four bytes */

/* A little-endian number with a sign. */
static int64_t signed_le(const unsigned char *at, unsigned bytes) {
    uint64_t bits = 0;
    for (unsigned i = bytes; i-- > 0;) bits = bits << 8 | at[i];
    unsigned unused = 64 - 8 * bytes;
    return (int64_t)(bits << unused) >> unused;
}

static uint32_t u32_le(const unsigned char *at) {
    return (uint32_t)signed_le(at, 4);
}

static uint32_t u16_le(const unsigned char *at) {
    return (uint16_t)signed_le(at, 2);
}

static uint32_t u32_be(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool packed_open(struct packed *packed, enum packed_form form, struct bytes bytes) {
    static const unsigned char headers[] = {
        [PACKED_ZIPMAP] = ZIPMAP_HEADER,
        [PACKED_ZIPLIST] = ZIPLIST_HEADER,
        [PACKED_LISTPACK] = LISTPACK_HEADER,
    };
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t header = headers[form];
    if (bytes.len < header + 1 || bytes.len > UINT32_MAX || at[bytes.len - 1] != END) return false;
    *packed = (struct packed){
        .at = at + header, .limit = at + bytes.len - 1, .form = form, .passed = (uint32_t)header};
    uint32_t count, unknown = COUNT_UNKNOWN;
    if (form == PACKED_ZIPMAP) {
        count = at[0];
        unknown = LONG_LENGTH;
    } else {
        if (u32_le(at) != bytes.len) return false;
        if (form == PACKED_ZIPLIST) packed->tail = u32_le(at + 4);
        count = u16_le(at + header - 2);
    }
    packed->announced = count >= unknown ? PACKED_UNCOUNTED : count;
    return true;
}

static bool damaged(struct packed *packed) {
    packed->bad = true;
    return false;
}

static size_t bytes_left(const struct packed *packed) {
    return (size_t)(packed->limit - packed->at);
}

/* The item's bytes begin `skip` behind `at`. */
static bool take_string(struct packed *packed, size_t skip, size_t len,
                        struct packed_item *ret_item) {
    if (bytes_left(packed) < skip || bytes_left(packed) - skip < len) return damaged(packed);
    *ret_item = (struct packed_item){.data = (const char *)packed->at + skip, .len = len};
    packed->at += skip + len;
    return true;
}

static bool take_integer(struct packed *packed, unsigned bytes, struct packed_item *ret_item) {
    if (bytes_left(packed) < 1 + bytes) return damaged(packed);
    *ret_item = (struct packed_item){.integer = signed_le(packed->at + 1, bytes)};
    packed->at += 1 + bytes;
    return true;
}

static bool take_small(struct packed *packed, unsigned bytes, int64_t integer,
                       struct packed_item *ret_item) {
    if (bytes_left(packed) < bytes) return damaged(packed);
    *ret_item = (struct packed_item){.integer = integer};
    packed->at += bytes;
    return true;
}

/* ---- zipmap ---- */

static bool zipmap_next(struct packed *packed, struct packed_item *ret_item) {
    size_t len = *packed->at, skip = 1, spare = 0;
    if (len > LONG_LENGTH) return damaged(packed);
    if (len == LONG_LENGTH) {
        if (bytes_left(packed) < 5) return damaged(packed);
        len = u32_le(packed->at + 1);
        skip = 5;
    }
    if (packed->count % 2 == 1) { /* a value, with what is not used behind it */
        if (bytes_left(packed) < skip + 1) return damaged(packed);
        spare = packed->at[skip++];
    }
    if (!take_string(packed, skip, len, ret_item)) return false;
    if (bytes_left(packed) < spare) return damaged(packed);
    packed->at += spare;
    return true;
}

/* ---- ziplist ---- */

static bool ziplist_string(struct packed *packed, struct packed_item *ret_item) {
    const unsigned char *at = packed->at;
    size_t left = bytes_left(packed);
    switch (*at >> 6) {
    case 0: return take_string(packed, 1, *at & 0x3f, ret_item);
    case 1:
        if (left < 2) return damaged(packed);
        return take_string(packed, 2, (size_t)(*at & 0x3f) << 8 | at[1], ret_item);
    default:
        if (left < 5 || *at != 0x80) return damaged(packed);
        return take_string(packed, 5, u32_be(at + 1), ret_item);
    }
}

static bool ziplist_content(struct packed *packed, struct packed_item *ret_item) {
    enum { INT16 = 0xc0, INT32 = 0xd0, INT64 = 0xe0, INT24 = 0xf0, INT8 = 0xfe };
    enum { SMALL_FIRST = 0xf1, SMALL_LAST = 0xfd };
    unsigned head = *packed->at;
    switch (head) {
    case INT8: return take_integer(packed, 1, ret_item);
    case INT16: return take_integer(packed, 2, ret_item);
    case INT24: return take_integer(packed, 3, ret_item);
    case INT32: return take_integer(packed, 4, ret_item);
    case INT64: return take_integer(packed, 8, ret_item);
    default: break;
    }
    if (head >= SMALL_FIRST && head <= SMALL_LAST)
        return take_small(packed, 1, (int64_t)head - SMALL_FIRST, ret_item);
    return head < INT16 ? ziplist_string(packed, ret_item) : damaged(packed);
}

static bool ziplist_next(struct packed *packed, struct packed_item *ret_item) {
    const unsigned char *start = packed->at;
    uint32_t before = *packed->at;
    size_t skip = 1;
    if (before == END) return damaged(packed);
    if (before == LONG_LENGTH) {
        if (bytes_left(packed) < 5) return damaged(packed);
        before = u32_le(packed->at + 1);
        skip = 5;
    }
    if (before != packed->previous || bytes_left(packed) <= skip) return damaged(packed);
    packed->at += skip;
    if (!ziplist_content(packed, ret_item)) return false;
    packed->previous = (uint32_t)(packed->at - start);
    packed->passed += packed->previous;
    return true;
}

/* ---- listpack ---- */

enum {
    LISTPACK_UINT7_MAX = 0x7f,
    LISTPACK_STRING6 = 0x80,
    LISTPACK_INT13 = 0xc0,
    LISTPACK_STRING12 = 0xe0,
    LISTPACK_STRING32 = 0xf0,
    LISTPACK_INT16 = 0xf1,
    LISTPACK_INT24 = 0xf2,
    LISTPACK_INT32 = 0xf3,
    LISTPACK_INT64 = 0xf4,
};

static bool listpack_content(struct packed *packed, struct packed_item *ret_item) {
    const unsigned char *at = packed->at;
    size_t left = bytes_left(packed);
    unsigned head = *at;
    if (head <= LISTPACK_UINT7_MAX) return take_small(packed, 1, head, ret_item);
    if (head < LISTPACK_INT13) return take_string(packed, 1, head & 0x3f, ret_item);
    if (head < LISTPACK_STRING32 && left < 2) return damaged(packed);
    if (head < LISTPACK_STRING12) {
        int64_t value = (int64_t)(head & 0x1f) << 8 | at[1];
        return take_small(packed, 2, value >= 1 << 12 ? value - (1 << 13) : value, ret_item);
    }
    if (head < LISTPACK_STRING32)
        return take_string(packed, 2, (size_t)(head & 0x0f) << 8 | at[1], ret_item);
    switch (head) {
    case LISTPACK_STRING32:
        if (left < 5) return damaged(packed);
        return take_string(packed, 5, u32_le(at + 1), ret_item);
    case LISTPACK_INT16: return take_integer(packed, 2, ret_item);
    case LISTPACK_INT24: return take_integer(packed, 3, ret_item);
    case LISTPACK_INT32: return take_integer(packed, 4, ret_item);
    case LISTPACK_INT64: return take_integer(packed, 8, ret_item);
    default: return damaged(packed);
    }
}

/* How many bytes an item's length takes backwards. A length that would just fit (16383, 2097151,
 * 268435455) takes one more in what Redis writes, and in what we do; Valkey 9 has it fit. */
static unsigned back_bytes(size_t len) {
    return len <= 127 ? 1 : len < 16383 ? 2 : len < 2097151 ? 3 : len < 268435455 ? 4 : 5;
}

/* The length in n bytes, the last of which is read first: 7 bits in each, a
 * mark where more are to come. */
static void put_back_length(unsigned char *out, size_t len, unsigned n) {
    for (unsigned i = n; i-- > 0; len >>= 7)
        out[i] = (unsigned char)((len & 127) | (i > 0 ? 128u : 0u));
}

static bool take_back_length(struct packed *packed, size_t len, unsigned n) {
    unsigned char expected[5];
    put_back_length(expected, len, n);
    if (bytes_left(packed) < n || memcmp(packed->at, expected, n) != 0) return false;
    packed->at += n;
    return true;
}

static bool listpack_next(struct packed *packed, struct packed_item *ret_item) {
    const unsigned char *start = packed->at;
    if (!listpack_content(packed, ret_item)) return false;
    size_t len = (size_t)(packed->at - start);
    unsigned n = back_bytes(len), fitting = back_bytes(len - 1);
    return take_back_length(packed, len, n) ||
           (fitting != n && fitting > 1 && take_back_length(packed, len, fitting)) ||
           damaged(packed);
}

/* ---- any ---- */

/* At the end: was it what the header said? */
static bool packed_finish(struct packed *packed) {
    uint32_t count = packed->count;
    if (packed->form == PACKED_ZIPMAP) {
        if (count % 2 == 1) return damaged(packed);
        count /= 2;
    }
    if (packed->announced != PACKED_UNCOUNTED && packed->announced != count) return damaged(packed);
    if (packed->form == PACKED_ZIPLIST && packed->tail != packed->passed - packed->previous)
        return damaged(packed);
    return false;
}

bool packed_next(struct packed *packed, struct packed_item *ret_item) {
    bool done;
    if (packed->bad) return false;
    if (packed->at == packed->limit) return packed_finish(packed);
    switch (packed->form) {
    case PACKED_ZIPMAP: done = zipmap_next(packed, ret_item); break;
    case PACKED_ZIPLIST: done = ziplist_next(packed, ret_item); break;
    default: done = listpack_next(packed, ret_item); break;
    }
    packed->count += done;
    return done;
}

/* ---- writing a listpack ---- */

void listpack_begin(struct listpack *pack) {
    static const char header[LISTPACK_HEADER];
    pack->bytes.max = UINT32_MAX;
    buffer_clear(&pack->bytes);
    pack->count = 0;
    pack->error = buffer_add(&pack->bytes, header, sizeof header);
}

void listpack_done(struct listpack *pack) {
    buffer_done(&pack->bytes);
}

/* Adds an item whose head is `head_len` bytes, with its content and its length. */
static void add_item(struct listpack *pack, const unsigned char *head, size_t head_len,
                     struct bytes content) {
    size_t len = head_len + content.len;
    unsigned n = back_bytes(len);
    if (pack->error) return;
    unsigned char *to = (unsigned char *)buffer_reserve(&pack->bytes, len + n);
    if (to == NULL) {
        pack->error = ERROR_NO_MEMORY;
        return;
    }
    memcpy(to, head, head_len);
    if (content.len) memcpy(to + head_len, content.data, content.len);
    put_back_length(to + len, len, n);
    buffer_commit(&pack->bytes, len + n);
    pack->count++;
}

static unsigned integer_head(int64_t integer, unsigned char head[9]) {
    unsigned bytes;
    if (integer >= 0 && integer <= LISTPACK_UINT7_MAX) {
        head[0] = (unsigned char)integer;
        return 1;
    }
    if (integer >= -4096 && integer <= 4095) {
        head[0] = (unsigned char)(LISTPACK_INT13 | ((uint64_t)integer >> 8 & 0x1f));
        head[1] = (unsigned char)integer;
        return 2;
    }
    if (integer >= INT16_MIN && integer <= INT16_MAX) {
        head[0] = LISTPACK_INT16;
        bytes = 2;
    } else if (integer >= -(1 << 23) && integer < 1 << 23) {
        head[0] = LISTPACK_INT24;
        bytes = 3;
    } else if (integer >= INT32_MIN && integer <= INT32_MAX) {
        head[0] = LISTPACK_INT32;
        bytes = 4;
    } else {
        head[0] = LISTPACK_INT64;
        bytes = 8;
    }
    for (unsigned i = 0; i < bytes; i++) head[1 + i] = (unsigned char)((uint64_t)integer >> 8 * i);
    return 1 + bytes;
}

static unsigned string_head(size_t len, unsigned char head[5]) {
    if (len < 64) {
        head[0] = (unsigned char)(LISTPACK_STRING6 | len);
        return 1;
    }
    if (len < 4096) {
        head[0] = (unsigned char)(LISTPACK_STRING12 | len >> 8);
        head[1] = (unsigned char)len;
        return 2;
    }
    head[0] = LISTPACK_STRING32;
    for (unsigned i = 0; i < 4; i++) head[1 + i] = (unsigned char)(len >> 8 * i);
    return 5;
}

void listpack_add_integer(struct listpack *pack, int64_t integer) {
    unsigned char head[9];
    if (kn_likely(integer >= 0 && integer <= LISTPACK_UINT7_MAX &&
                  buffer_room(&pack->bytes) >= 2)) {
        pack->bytes.data[pack->bytes.len] = (char)integer;
        pack->bytes.data[pack->bytes.len + 1] = 1;
        buffer_commit(&pack->bytes, 2);
        pack->count++;
        return;
    }
    add_item(pack, head, integer_head(integer, head), bytes_make(NULL, 0));
}

void listpack_add(struct listpack *pack, struct bytes text) {
    unsigned char head[5];
    int64_t integer;
    if (number_parse_i64(text, &integer)) {
        listpack_add_integer(pack, integer);
        return;
    }
    add_item(pack, head, string_head(text.len, head), text);
}

void listpack_set_first(struct listpack *pack, unsigned value) {
    kn_assert(value <= LISTPACK_UINT7_MAX && (pack->count > 0 || pack->error));
    if (!pack->error) pack->bytes.data[LISTPACK_HEADER] = (char)value;
}

/* Bytes of an item without its length backwards. */
static size_t content_bytes(struct bytes text) {
    unsigned char head[9];
    int64_t integer;
    if (number_parse_i64(text, &integer)) return integer_head(integer, head);
    return string_head(text.len, head) + text.len;
}

size_t listpack_item_bytes(struct bytes text) {
    size_t len = content_bytes(text);
    return len + back_bytes(len);
}

bool listpack_is_disputed(struct bytes text) {
    size_t len = content_bytes(text);
    return back_bytes(len - 1) > 1 && back_bytes(len - 1) != back_bytes(len);
}

struct bytes listpack_end(struct listpack *pack) {
    static const unsigned char end = END;
    if (!pack->error) pack->error = buffer_add(&pack->bytes, &end, 1);
    if (pack->error) return bytes_make(NULL, 0);
    unsigned char *header = (unsigned char *)pack->bytes.data;
    uint32_t count = pack->count < COUNT_UNKNOWN ? pack->count : COUNT_UNKNOWN;
    for (unsigned i = 0; i < 4; i++) header[i] = (unsigned char)(pack->bytes.len >> 8 * i);
    for (unsigned i = 0; i < 2; i++) header[4 + i] = (unsigned char)(count >> 8 * i);
    return buffer_bytes(&pack->bytes);
}
