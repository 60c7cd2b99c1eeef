/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

const char number_digit_pairs[200] = "0001020304050607080910111213141516171819"
                                     "2021222324252627282930313233343536373839"
                                     "4041424344454647484950515253545556575859"
                                     "6061626364656667686970717273747576777879"
                                     "8081828384858687888990919293949596979899";

bool number_parse_u64(struct bytes text, uint64_t *ret_value) {
    if (text.len == 0 || text.len > 20) return false;
    const char *at = text.data, *end = text.data + text.len;
    if (*at == '0') {
        if (text.len != 1) return false;
        *ret_value = 0;
        return true;
    }
    uint64_t value = 0;
    /* 19 digits always fit; only a 20th needs watching. */
    const char *safe = text.len == 20 ? end - 1 : end;
    for (; at < safe; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    if (at < end) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

bool number_parse_i64(struct bytes text, int64_t *ret_value) {
    bool negative = text.len > 1 && text.data[0] == '-';
    uint64_t value;
    if (!number_parse_u64(negative ? bytes_make(text.data + 1, text.len - 1) : text, &value)) {
        return false;
    }
    if (negative) {
        if (value == 0 || value > (uint64_t)INT64_MAX + 1) return false;
        *ret_value = (int64_t)(0 - value);
    } else {
        if (value > INT64_MAX) return false;
        *ret_value = (int64_t)value;
    }
    return true;
}

/*
 * Plain decimals whose digits fit 53 bits and whose scale is a power of ten that a double
 * holds exactly: one correctly rounded division then gives the correctly rounded result,
 * so strtod is not needed.
 */
static bool parse_plain_decimal(struct bytes text, double *ret_value) {
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (text.len == 0 || text.len > 17) return false;
    const char *at = text.data, *end = at + text.len;
    bool negative = *at == '-';
    at += negative;
    uint64_t digits = 0;
    unsigned count = 0, decimals = 0;
    bool point = false;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit <= 9) {
            digits = digits * 10 + digit;
            count++;
            decimals += point;
        } else if (*at == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (count == 0 || count > 15) return false;
    double value = (double)digits / powers[decimals];
    *ret_value = negative ? -value : value;
    return true;
}

/* A copy with a terminating zero, in room when it fits; NULL when memory is refused. */
static char *terminated(struct bytes text, char *room, size_t size) {
    char *copy = text.len < size ? room : mem_try_alloc(text.len + 1);
    if (!copy) return NULL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

bool number_parse_double(struct bytes text, double *ret_value) {
    if (parse_plain_decimal(text, ret_value)) return true;
    char room[256], *end;
    if (text.len == 0 || isspace((unsigned char)text.data[0])) return false;
    char *copy = terminated(text, room, sizeof room);
    if (!copy) return false;
    errno = 0;
    double value = strtod(copy, &end);
    bool ok = (size_t)(end - copy) == text.len && !isnan(value) &&
              !(errno == ERANGE && (isinf(value) || value == 0));
    if (copy != room) mem_free(copy);
    if (ok) *ret_value = value;
    return ok;
}

bool number_parse_long_double(struct bytes text, long double *ret_value) {
    char room[NUMBER_LONG_DOUBLE_MAX], *end;
    if (text.len == 0 || text.len >= sizeof room || isspace((unsigned char)text.data[0])) {
        return false;
    }
    memcpy(room, text.data, text.len);
    room[text.len] = '\0';
    errno = 0;
    long double value = strtold(room, &end);
    if ((size_t)(end - room) != text.len || isnan(value)) return false;
    if (errno == ERANGE && (isinf(value) || value == 0)) return false;
    *ret_value = value;
    return true;
}

bool number_parse_memory(struct bytes text, uint64_t *ret_bytes) {
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"", 1},        {"b", 1},         {"k", 1000},       {"kb", 1u << 10},
                 {"m", 1000000}, {"mb", 1u << 20}, {"g", 1000000000}, {"gb", 1u << 30}};
    size_t digits = 0;
    uint64_t value = 0;
    while (digits < text.len && isdigit((unsigned char)text.data[digits])) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[digits] - '0'), &value)) {
            return false;
        }
        digits++;
    }
    if (digits == 0) return false;
    struct bytes unit = bytes_make(text.data + digits, text.len - digits);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!bytes_is_word(unit, units[i].unit)) continue;
        if (__builtin_mul_overflow(value, units[i].bytes, &value)) return false;
        *ret_bytes = value;
        return true;
    }
    return false;
}

static unsigned put(char *out, const char *text) {
    unsigned len = (unsigned)strlen(text);
    memcpy(out, text, len);
    return len;
}

unsigned number_format_double(char *out, double value) {
    if (isnan(value)) return put(out, "nan");
    if (isinf(value)) return put(out, value < 0 ? "-inf" : "inf");
    /* Whole numbers of up to 17 digits come out of %.17g as they are;
     * printf is many times slower. */
    if (value > -1e17 && value < 1e17) {
        int64_t whole = (int64_t)value;
        if ((double)whole == value && (whole != 0 || !signbit(value))) {
            return number_format_i64(out, whole);
        }
    }
    char text[NUMBER_DOUBLE_MAX];
    int len = snprintf(text, sizeof text, "%.17g", value);
    kn_require(len > 0 && len < NUMBER_DOUBLE_MAX);
    memcpy(out, text, (size_t)len);
    return (unsigned)len;
}

unsigned number_format_long_double(char *out, long double value) {
    if (isnan(value)) return put(out, "nan");
    if (isinf(value)) return put(out, value < 0 ? "-inf" : "inf");
    int len = snprintf(out, NUMBER_LONG_DOUBLE_MAX, "%.17Lf", value);
    kn_require(len > 0 && len < NUMBER_LONG_DOUBLE_MAX);
    while (out[len - 1] == '0') len--;
    if (out[len - 1] == '.') len--;
    if (len == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        len = 1;
    }
    return (unsigned)len;
}
