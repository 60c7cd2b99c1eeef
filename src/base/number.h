/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers from text and to text, exactly as the wire wants them.
 *
 * What: strict parsers (the whole view must be the number) and formatters that give byte for
 *       byte what clients expect.
 * Always: parsing never reads outside the view; ret_ is untouched when false is returned.
 *         Formatters return the length and write no terminating zero, except where noted.
 * Owner, lock: none. Errors: false.
 */
#ifndef KN_BASE_NUMBER_H
#define KN_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    NUMBER_I64_MAX = 21,          /* room for any int64_t or uint64_t, and a zero */
    NUMBER_DOUBLE_MAX = 32,       /* room for any double of number_format_double */
    NUMBER_LONG_DOUBLE_MAX = 5120 /* room for any long double in human form */
};

/* Decimal, an optional '-', no '+', no spaces, no leading zeros, no "-0". */
bool number_parse_i64(struct bytes text, int64_t *ret_value);
bool number_parse_u64(struct bytes text, uint64_t *ret_value);
/* As strtod reads it, hexadecimal and infinity included; no leading space, no NaN, no overflow. */
bool number_parse_double(struct bytes text, double *ret_value);
bool number_parse_long_double(struct bytes text, long double *ret_value);
/* An amount of memory: digits, then nothing, b, k, kb, m, mb, g, gb (k is
 * 1000, kb 1024), any case. */
bool number_parse_memory(struct bytes text, uint64_t *ret_bytes);

extern const char number_digit_pairs[200]; /* "00" to "99" */

/* How many digits it takes to write value. */
static inline unsigned number_digits(uint64_t value) {
    unsigned digits = 1;
    for (;;) {
        if (value < 10) return digits;
        if (value < 100) return digits + 1;
        if (value < 1000) return digits + 2;
        if (value < 10000) return digits + 3;
        value /= 10000;
        digits += 4;
    }
}

static inline unsigned number_format_u64(char *out, uint64_t value) {
    if (value < 10) {
        out[0] = (char)('0' + value);
        return 1;
    }
    unsigned digits = number_digits(value), at = digits;
    while (value >= 100) {
        at -= 2;
        memcpy(out + at, number_digit_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(out, number_digit_pairs + 2 * value, 2);
    } else {
        out[0] = (char)('0' + value);
    }
    return digits;
}

/* out: NUMBER_I64_MAX bytes. */
static inline unsigned number_format_i64(char *out, int64_t value) {
    if (value >= 0) return number_format_u64(out, (uint64_t)value);
    out[0] = '-';
    return 1 + number_format_u64(out + 1, 0 - (uint64_t)value);
}

/* out: NUMBER_DOUBLE_MAX bytes. 17 significant digits, as scores are replied; inf, -inf, nan. */
unsigned number_format_double(char *out, double value);
/* out: NUMBER_LONG_DOUBLE_MAX bytes. 17 decimals without trailing zeros,
 * as INCRBYFLOAT stores it. */
unsigned number_format_long_double(char *out, long double value);

#endif
