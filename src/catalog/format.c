/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/format.h"

#include <jansson.h>
#include <string.h>

#include "base/number.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(struct bytes text) {
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.len;
    while (at < end) {
        unsigned char c = *at++;
        if (c < 0x80) continue;
        unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t point = c & (0x3fu >> more);
        if (c < 0xc2 || c > 0xf4 || (size_t)(end - at) < more) return false;
        for (unsigned i = 0; i < more; i++, at++) {
            if ((*at & 0xc0) != 0x80) return false;
            point = point << 6 | (*at & 0x3f);
        }
        if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) || point > 0x10ffff ||
            (point >= 0xd800 && point < 0xe000))
            return false;
    }
    return true;
}

static bool is_json(struct bytes text) {
    json_error_t error;
    json_t *value = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value == NULL) return false;
    json_decref(value);
    return true;
}

/* A shape: 'd' a digit, 'x' a hexadecimal one, anything else itself. */
static bool has_shape(struct bytes text, const char *shape) {
    if (text.len < strlen(shape)) return false;
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'd'   ? is_digit(text.data[i])
            : shape[i] == 'x' ? is_hex(text.data[i])
                              : text.data[i] == shape[i])
            continue;
        return false;
    }
    return true;
}

static size_t digits_from(struct bytes text, size_t at) {
    size_t from = at;
    while (at < text.len && is_digit(text.data[at])) at++;
    return at - from;
}

/* Seconds or milliseconds since 1970, perhaps with a fraction; or ISO 8601: a date, perhaps with a
 * time, its fraction, and a zone. */
static bool is_timestamp(struct bytes text) {
    size_t whole = digits_from(text, 0), at;
    if (whole >= 9 && whole <= 16) {
        if (whole == text.len) return true;
        return text.data[whole] == '.' && whole + 1 < text.len &&
               whole + 1 + digits_from(text, whole + 1) == text.len;
    }
    if (!has_shape(text, "dddd-dd-dd")) return false;
    if (text.len == 10) return true;
    if (!has_shape(bytes_make(text.data + 11, text.len - 11), "dd:dd") ||
        strchr("Tt ", text.data[10]) == NULL)
        return false;
    at = 16;
    if (has_shape(bytes_make(text.data + at, text.len - at), ":dd")) at += 3;
    if (at < text.len && at > 16 && (text.data[at] == '.' || text.data[at] == ','))
        at += 1 + digits_from(text, at + 1);
    struct bytes zone = bytes_make(text.data + at, text.len - at);
    if (zone.len == 0 || bytes_is_word(zone, "z")) return true;
    if (zone.data[0] != '+' && zone.data[0] != '-') return false;
    zone = bytes_make(zone.data + 1, zone.len - 1);
    return (zone.len == 5 && has_shape(zone, "dd:dd")) ||
           (zone.len == 4 && has_shape(zone, "dddd")) || (zone.len == 2 && has_shape(zone, "dd"));
}

static bool is_boolean(struct bytes value) {
    static const char *const words[] = {"0", "1", "true", "false", "yes", "no"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes_is_word(value, words[i])) return true;
    return false;
}

bool format_accepts(enum value_format format, struct bytes value) {
    int64_t integer;
    double number;
    switch (format) {
    case FORMAT_TEXT: return is_utf8(value);
    case FORMAT_INTEGER: return number_parse_i64(value, &integer);
    case FORMAT_NUMBER: return number_parse_double(value, &number);
    case FORMAT_BOOLEAN: return is_boolean(value);
    case FORMAT_JSON: return is_json(value);
    case FORMAT_TIMESTAMP: return is_timestamp(value);
    case FORMAT_UUID:
        return value.len == 36 && has_shape(value, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    default: return true;
    }
}
