/* SPDX-License-Identifier: BSD-3-Clause */
/* Bits found, combined, and read as integers; bitmap_count.c counts them. */
#include "types/bitmap.h"

#include <endian.h>

#include "base/assert.h"

/* ---- searching ---- */

static uint64_t load_be64(const char *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return be64toh(word);
}

/* Eight bytes from here on as one number, zeros where the string has ended. */
static uint64_t load_some(struct bytes string, size_t byte) {
    size_t left = byte < string.len ? string.len - byte : 0;
    if (left >= sizeof(uint64_t)) return load_be64(string.data + byte);
    char room[sizeof(uint64_t)] = {0};
    if (left) memcpy(room, string.data + byte, left);
    return load_be64(room);
}

/* The first byte from here on, or one shortly before it, where a word is not `flip`. */
static inline __attribute__((always_inline)) size_t pass_words(struct bytes string, uint64_t flip,
                                                               size_t byte, size_t last) {
    enum { AT_ONCE = 256 };
    for (; byte <= last && byte + AT_ONCE <= string.len; byte += AT_ONCE) {
        const char *from = string.data + byte;
        uint64_t differ = 0, word;
        for (unsigned i = 0; i < AT_ONCE; i += sizeof word) {
            memcpy(&word, from + i, sizeof word);
            differ |= word ^ flip;
        }
        if (differ) break;
    }
    return byte;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static size_t pass_wide(struct bytes string, uint64_t flip,
                                                        size_t byte, size_t last) {
    return pass_words(string, flip, byte, last);
}

static size_t pass_runs(struct bytes string, uint64_t flip, size_t byte, size_t last) {
    return __builtin_cpu_supports("avx2") ? pass_wide(string, flip, byte, last)
                                          : pass_words(string, flip, byte, last);
}
#else
static size_t pass_runs(struct bytes string, uint64_t flip, size_t byte, size_t last) {
    return pass_words(string, flip, byte, last);
}
#endif

int64_t bitmap_find(struct bytes string, bool bit, uint64_t first, uint64_t last) {
    kn_assert(first <= last && last / 8 < string.len);
    /* What is looked for becomes a one. */
    uint64_t flip = bit ? 0 : UINT64_MAX;
    size_t byte = first / 8;
    uint64_t word = (load_some(string, byte) ^ flip) & UINT64_MAX >> first % 8;
    while (word == 0) {
        byte += sizeof word;
        if (byte > last / 8) return -1;
        byte = pass_runs(string, flip, byte, last / 8);
        word = load_some(string, byte) ^ flip;
    }
    uint64_t at = (uint64_t)byte * 8 + (uint64_t)__builtin_clzll(word);
    return at > last ? -1 : (int64_t)at;
}

/* ---- combining: a part at a time, so that what was written is still in the cache
 * for the next source ---- */

enum { PART = 4096 };

/* How much of a source lies in the part; the rest of it reads as zeros. */
static size_t part_len(struct bytes source, size_t from, size_t len) {
    if (source.len <= from) return 0;
    return source.len - from < len ? source.len - from : len;
}

static void part_copy(char *restrict out, struct bytes source, size_t from, size_t len) {
    size_t there = part_len(source, from, len);
    if (there) memcpy(out, source.data + from, there);
    memset(out + there, 0, len - there);
}

static void part_and(char *restrict out, struct bytes source, size_t from, size_t len) {
    size_t there = part_len(source, from, len);
    const char *restrict in = source.data + from;
    for (size_t i = 0; i < there; i++) out[i] &= in[i];
    memset(out + there, 0, len - there);
}

static void part_or(char *restrict out, struct bytes source, size_t from, size_t len) {
    size_t there = part_len(source, from, len);
    const char *restrict in = source.data + from;
    for (size_t i = 0; i < there; i++) out[i] |= in[i];
}

static void part_xor(char *restrict out, struct bytes source, size_t from, size_t len) {
    size_t there = part_len(source, from, len);
    const char *restrict in = source.data + from;
    for (size_t i = 0; i < there; i++) out[i] ^= in[i];
}

static void part_clear(char *restrict out, struct bytes source, size_t from, size_t len) {
    size_t there = part_len(source, from, len);
    const char *restrict in = source.data + from;
    for (size_t i = 0; i < there; i++) out[i] &= (char)~in[i];
}

static void part_invert(char *out, size_t len) {
    for (size_t i = 0; i < len; i++) out[i] = (char)~out[i];
}

/* Bits that were in `once` already go to `more`. */
static void part_note(char *restrict once, char *restrict more, struct bytes source, size_t from,
                      size_t len) {
    size_t there = part_len(source, from, len);
    const char *restrict in = source.data + from;
    for (size_t i = 0; i < there; i++) {
        more[i] |= once[i] & in[i];
        once[i] |= in[i];
    }
}

/* The others united. */
static void part_any(char *out, const struct bytes *sources, size_t count, size_t from,
                     size_t len) {
    memset(out, 0, len);
    for (size_t i = 1; i < count; i++) part_or(out, sources[i], from, len);
}

static void combine_part(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                         char *out, size_t from, size_t len) {
    char more[PART];
    switch (operation) {
    case BITMAP_AND:
        part_copy(out, sources[0], from, len);
        for (size_t i = 1; i < count; i++) part_and(out, sources[i], from, len);
        break;
    case BITMAP_OR:
        part_copy(out, sources[0], from, len);
        for (size_t i = 1; i < count; i++) part_or(out, sources[i], from, len);
        break;
    case BITMAP_XOR:
        part_copy(out, sources[0], from, len);
        for (size_t i = 1; i < count; i++) part_xor(out, sources[i], from, len);
        break;
    case BITMAP_NOT:
        part_copy(out, sources[0], from, len);
        part_invert(out, len);
        break;
    case BITMAP_FIRST_ONLY:
        part_copy(out, sources[0], from, len);
        for (size_t i = 1; i < count; i++) part_clear(out, sources[i], from, len);
        break;
    case BITMAP_OTHERS_ONLY:
        part_any(out, sources, count, from, len);
        part_clear(out, sources[0], from, len);
        break;
    case BITMAP_FIRST_AND_ANY:
        part_any(out, sources, count, from, len);
        part_and(out, sources[0], from, len);
        break;
    case BITMAP_EXACTLY_ONE:
        part_copy(out, sources[0], from, len);
        memset(more, 0, len);
        for (size_t i = 1; i < count; i++) part_note(out, more, sources[i], from, len);
        part_clear(out, bytes_make(more, len), 0, len);
        break;
    }
}

void bitmap_combine(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                    char *out, size_t len) {
    kn_assert(count > 0);
    for (size_t from = 0; from < len; from += PART) {
        size_t part = len - from < PART ? len - from : PART;
        combine_part(operation, sources, count, out + from, from, part);
    }
}

/* ---- integers ---- */

/* Ones in as many low bits. */
static uint64_t low_bits(unsigned bits) {
    return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* The low bits as a number of the field's kind. */
static int64_t field_number(struct bitmap_field field, uint64_t value) {
    value &= low_bits(field.bits);
    if (field.is_signed && value >> (field.bits - 1)) value |= ~low_bits(field.bits);
    return (int64_t)value;
}

int64_t bitmap_read_field(struct bytes string, struct bitmap_field field) {
    size_t byte = field.at / 8;
    unsigned skip = field.at % 8;
    uint64_t value = load_some(string, byte) << skip;
    /* Up to 64 bits that do not start with a byte reach into a ninth. */
    if (skip && byte + 8 < string.len) value |= (uint8_t)string.data[byte + 8] >> (8 - skip);
    return field_number(field, value >> (64 - field.bits));
}

void bitmap_write_field(char *string, struct bitmap_field field, int64_t value) {
    uint64_t left = (uint64_t)value & low_bits(field.bits);
    uint64_t end = field.at + field.bits;
    /* From the last byte to the first, as many bits in each as belong to the field. */
    for (unsigned bits = field.bits; bits > 0;) {
        char *byte = string + (end - 1) / 8;
        unsigned behind = (unsigned)((8 - end % 8) % 8), room = 8 - behind;
        unsigned now = bits < room ? bits : room;
        uint8_t mask = (uint8_t)(low_bits(now) << behind);
        *byte = (char)(((uint8_t)*byte & ~mask) | ((left << behind) & mask));
        left >>= now;
        end -= now;
        bits -= now;
    }
}

bool bitmap_fit_field(struct bitmap_field field, int64_t value, int64_t by,
                      enum bitmap_overflow overflow, int64_t *ret_value) {
    int64_t max = (int64_t)low_bits(field.is_signed ? field.bits - 1u : field.bits);
    int64_t min = field.is_signed ? -max - 1 : 0;
    uint64_t sum = (uint64_t)value + (uint64_t)by;
    __int128 exact = (__int128)value + by;
    /* What clients know: a negative number to be stored (not added) where no sign is counts as a
     * large one; so does one so low that its distance from max wraps. */
    bool wraps_high = by == 0 && value < min &&
                      (!field.is_signed || (field.bits < 64 && value < max - INT64_MAX));
    if (exact >= min && exact <= max) {
        *ret_value = (int64_t)exact;
        return true;
    }
    switch (overflow) {
    case BITMAP_WRAP: *ret_value = field_number(field, sum); return true;
    case BITMAP_SATURATE: *ret_value = exact > max || wraps_high ? max : min; return true;
    case BITMAP_FAIL: break;
    }
    return false;
}
