/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/writer.h"

#include <endian.h>
#include <lzf.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "persist/format.h"

void rdb_write_raw(struct rdb_writer *writer, const void *data, size_t n) {
    if (!writer->error) writer->error = buffer_add(writer->out, data, n);
}

void rdb_write_byte(struct rdb_writer *writer, unsigned byte) {
    unsigned char one = (unsigned char)byte;
    rdb_write_raw(writer, &one, 1);
}

void rdb_write_length(struct rdb_writer *writer, uint64_t len) {
    unsigned char out[9];
    if (len < 1 << 6) {
        rdb_write_byte(writer, (unsigned)len | RDB_LENGTH_6);
    } else if (len < 1 << 14) {
        out[0] = (unsigned char)(len >> 8 | RDB_LENGTH_14);
        out[1] = (unsigned char)len;
        rdb_write_raw(writer, out, 2);
    } else if (len <= UINT32_MAX) {
        uint32_t big = htobe32((uint32_t)len);
        out[0] = RDB_LENGTH_32;
        memcpy(out + 1, &big, sizeof big);
        rdb_write_raw(writer, out, 1 + sizeof big);
    } else {
        uint64_t big = htobe64(len);
        out[0] = RDB_LENGTH_64;
        memcpy(out + 1, &big, sizeof big);
        rdb_write_raw(writer, out, 1 + sizeof big);
    }
}

void rdb_write_u64(struct rdb_writer *writer, uint64_t value) {
    value = htole64(value);
    rdb_write_raw(writer, &value, sizeof value);
}

void rdb_write_ms(struct rdb_writer *writer, int64_t ms) {
    rdb_write_u64(writer, (uint64_t)ms);
}

void rdb_write_double(struct rdb_writer *writer, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    rdb_write_u64(writer, bits);
}

/* ---- strings ---- */

/* Texts of integers of up to 32 bits, if they are exactly how these are written. */
static bool write_integer(struct rdb_writer *writer, struct bytes string) {
    int64_t value;
    if (string.len > RDB_INTEGER_TEXT_MAX || !number_parse_i64(string, &value)) return false;
    unsigned bytes, special;
    if (value >= INT8_MIN && value <= INT8_MAX) {
        bytes = 1;
        special = RDB_SPECIAL_INT8;
    } else if (value >= INT16_MIN && value <= INT16_MAX) {
        bytes = 2;
        special = RDB_SPECIAL_INT16;
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        bytes = 4;
        special = RDB_SPECIAL_INT32;
    } else {
        return false;
    }
    unsigned char out[5] = {(unsigned char)(RDB_LENGTH_SPECIAL | special)};
    for (unsigned i = 0; i < bytes; i++) out[1 + i] = (unsigned char)((uint64_t)value >> 8 * i);
    rdb_write_raw(writer, out, 1 + bytes);
    return true;
}

/* False where it would save nothing, and nothing was written. */
static bool write_compressed(struct rdb_writer *writer, struct bytes string) {
    if (string.len < RDB_COMPRESS_MIN || string.len > UINT32_MAX) return false;
    size_t room = string.len - RDB_COMPRESS_GAIN;
    char *packed = mem_try_alloc(room);
    if (packed == NULL) return false;
    unsigned len = lzf_compress(string.data, (unsigned)string.len, packed, (unsigned)room);
    if (len != 0) {
        rdb_write_byte(writer, RDB_LENGTH_SPECIAL | RDB_SPECIAL_LZF);
        rdb_write_length(writer, len);
        rdb_write_length(writer, string.len);
        rdb_write_raw(writer, packed, len);
    }
    mem_free(packed);
    return len != 0;
}

void rdb_write_string(struct rdb_writer *writer, struct bytes string) {
    if (writer->error || write_integer(writer, string)) return;
    if (writer->compress && write_compressed(writer, string)) return;
    rdb_write_length(writer, string.len);
    rdb_write_raw(writer, string.data, string.len);
}
