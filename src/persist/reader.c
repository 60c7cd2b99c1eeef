/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/reader.h"

#include <endian.h>
#include <errno.h>
#include <lzf.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "persist/format.h"

void rdb_text_done(struct rdb_text *text) {
    mem_free(text->data);
    *text = (struct rdb_text){0};
}

bool rdb_fail(struct rdb_reader *reader, int error) {
    if (!reader->error) reader->error = error;
    return false;
}

bool rdb_need_slow(struct rdb_reader *reader, size_t bytes) {
    if (reader->error) return false;
    if (bytes <= rdb_left(reader)) return true;
    if (reader->more != NULL && reader->more(reader, bytes)) return true;
    return rdb_bad(reader); /* unless `more` has said what it was */
}

bool rdb_read_raw(struct rdb_reader *reader, size_t n, const unsigned char **ret_bytes) {
    if (!rdb_need(reader, n)) return false;
    *ret_bytes = reader->at;
    reader->at += n;
    reader->passed += n;
    return true;
}

bool rdb_read_byte(struct rdb_reader *reader, unsigned *ret_byte) {
    if (!rdb_need(reader, 1)) return false;
    *ret_byte = *reader->at++;
    reader->passed++;
    return true;
}

bool rdb_read_u64(struct rdb_reader *reader, uint64_t *ret_value) {
    const unsigned char *bytes;
    if (!rdb_read_raw(reader, sizeof *ret_value, &bytes)) return false;
    memcpy(ret_value, bytes, sizeof *ret_value);
    *ret_value = le64toh(*ret_value);
    return true;
}

bool rdb_read_ms(struct rdb_reader *reader, int64_t *ret_ms) {
    uint64_t value;
    if (!rdb_read_u64(reader, &value)) return false;
    *ret_ms = (int64_t)value;
    return true;
}

/* ---- lengths ---- */

/* A big-endian number of `bytes` bytes. */
static bool read_big_endian(struct rdb_reader *reader, unsigned bytes, uint64_t *ret_value) {
    const unsigned char *at;
    if (!rdb_read_raw(reader, bytes, &at)) return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value = value << 8 | at[i];
    *ret_value = value;
    return true;
}

/* A length, or how a string is kept: *ret_special says which. */
static bool read_length(struct rdb_reader *reader, uint64_t *ret_value, bool *ret_special) {
    unsigned first, second;
    if (!rdb_read_byte(reader, &first)) return false;
    *ret_special = false;
    switch (first & RDB_LENGTH_KIND) {
    case RDB_LENGTH_6: *ret_value = first; return true;
    case RDB_LENGTH_14:
        if (!rdb_read_byte(reader, &second)) return false;
        *ret_value = (first & 0x3f) << 8 | second;
        return true;
    case RDB_LENGTH_SPECIAL:
        *ret_value = first & 0x3f;
        *ret_special = true;
        return true;
    default:
        if (first == RDB_LENGTH_32) return read_big_endian(reader, 4, ret_value);
        if (first == RDB_LENGTH_64) return read_big_endian(reader, 8, ret_value);
        return rdb_bad(reader);
    }
}

bool rdb_read_length(struct rdb_reader *reader, uint64_t *ret_len) {
    uint64_t value;
    bool special;
    if (!read_length(reader, &value, &special)) return false;
    if (special) return rdb_bad(reader);
    *ret_len = value;
    return true;
}

/* ---- doubles ---- */

bool rdb_read_double(struct rdb_reader *reader, double *ret_value) {
    uint64_t bits;
    double value;
    if (!rdb_read_u64(reader, &bits)) return false;
    memcpy(&value, &bits, sizeof value);
    if (isnan(value)) return rdb_bad(reader);
    *ret_value = value;
    return true;
}

bool rdb_read_double_text(struct rdb_reader *reader, double *ret_value) {
    enum { TEXT_NAN = 253, TEXT_INFINITY, TEXT_MINUS_INFINITY };
    unsigned len;
    const unsigned char *text;
    if (!rdb_read_byte(reader, &len)) return false;
    if (len == TEXT_INFINITY || len == TEXT_MINUS_INFINITY) {
        *ret_value = len == TEXT_INFINITY ? INFINITY : -INFINITY;
        return true;
    }
    if (len == TEXT_NAN) return rdb_bad(reader);
    if (!rdb_read_raw(reader, len, &text)) return false;
    return number_parse_double(bytes_make(text, len), ret_value) || rdb_bad(reader);
}

/* ---- strings ---- */

/* Room for len bytes, of which at least one is there. */
static char *text_room(struct rdb_reader *reader, struct rdb_text *text, size_t len) {
    if (len < NUMBER_I64_MAX) len = NUMBER_I64_MAX;
    if (text->cap >= len) return text->data;
    char *data = mem_try_alloc(len);
    if (data == NULL) {
        rdb_fail(reader, ERROR_NO_MEMORY);
        return NULL;
    }
    mem_free(text->data);
    *text = (struct rdb_text){data, len};
    return data;
}

static bool read_raw_string(struct rdb_reader *reader, struct rdb_text *text, uint64_t len,
                            struct bytes *ret_string) {
    const unsigned char *bytes;
    if (len > reader->string_max || !rdb_read_raw(reader, len, &bytes)) return rdb_bad(reader);
    if (reader->more != NULL) {
        char *room = text_room(reader, text, len);
        if (room == NULL) return false;
        if (len) memcpy(room, bytes, len);
        bytes = (const unsigned char *)room;
    }
    *ret_string = bytes_make(bytes, len);
    return true;
}

static bool read_integer_string(struct rdb_reader *reader, struct rdb_text *text, unsigned bytes,
                                struct bytes *ret_string) {
    const unsigned char *at;
    char *room = text_room(reader, text, 0);
    if (room == NULL || !rdb_read_raw(reader, bytes, &at)) return false;
    uint32_t bits = 0;
    for (unsigned i = bytes; i-- > 0;) bits = bits << 8 | at[i];
    int64_t value = bytes == 1 ? (int8_t)bits : bytes == 2 ? (int16_t)bits : (int32_t)bits;
    *ret_string = bytes_make(room, number_format_i64(room, value));
    return true;
}

static bool read_compressed_string(struct rdb_reader *reader, struct rdb_text *text,
                                   struct bytes *ret_string) {
    uint64_t packed, len;
    const unsigned char *bytes;
    if (!rdb_read_length(reader, &packed) || !rdb_read_length(reader, &len)) return false;
    if (packed > reader->string_max || len == 0 || len > reader->string_max ||
        len > packed * RDB_LZF_RATIO_MAX)
        return rdb_bad(reader);
    if (!rdb_read_raw(reader, packed, &bytes)) return false;
    char *room = text_room(reader, text, len);
    if (room == NULL) return false;
    if (lzf_decompress(bytes, (unsigned)packed, room, (unsigned)len) != len) return rdb_bad(reader);
    *ret_string = bytes_make(room, len);
    return true;
}

bool rdb_read_string(struct rdb_reader *reader, struct rdb_text *text, struct bytes *ret_string) {
    uint64_t value;
    bool special;
    if (!read_length(reader, &value, &special)) return false;
    if (!special) return read_raw_string(reader, text, value, ret_string);
    switch (value) {
    case RDB_SPECIAL_INT8: return read_integer_string(reader, text, 1, ret_string);
    case RDB_SPECIAL_INT16: return read_integer_string(reader, text, 2, ret_string);
    case RDB_SPECIAL_INT32: return read_integer_string(reader, text, 4, ret_string);
    case RDB_SPECIAL_LZF: return read_compressed_string(reader, text, ret_string);
    default: return rdb_bad(reader);
    }
}
