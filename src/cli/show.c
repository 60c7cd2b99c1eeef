/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/show.h"

#include <math.h>
#include <stdio.h>

#include "catalog/lifetime.h"
#include "cli/text.h"

/* The character that len bytes of UTF-8 stand for. */
static uint32_t decode(const char *at, size_t len) {
    const unsigned char *u = (const unsigned char *)at;
    if (len == 1) return u[0];
    uint32_t c = u[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) c = c << 6 | (u[i] & 0x3fU);
    return c;
}

/* Characters that are not seen, or that change how others are: controls,
 * direction, width zero, line ends. */
static bool is_hidden(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x61c ||
           c == 0x180e || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
           (c >= 0xfff0 && c <= 0xffff) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* What is to be written in place of the first character; the number of bytes taken is returned. */
static size_t show_one(struct bytes text, char *out, size_t room, int *ret_len) {
    size_t len = utf8_length(text);
    uint32_t c = len ? decode(text.data, len) : 0;
    unsigned char first = (unsigned char)text.data[0];
    if (len == 0) {
        *ret_len = snprintf(out, room, "\\x%02x", first);
        return 1;
    }
    if (first == '\\') {
        *ret_len = snprintf(out, room, "\\\\");
    } else if (is_hidden(c)) {
        *ret_len = snprintf(out, room,
                            c < 0x80     ? "\\x%02x"
                            : c > 0xffff ? "\\U%08x"
                                         : "\\u%04x",
                            (unsigned)c);
    } else {
        *ret_len = snprintf(out, room, "%.*s", (int)len, text.data);
    }
    return len;
}

void show_key(struct buffer *buffer, struct bytes key, size_t max) {
    size_t shown = 0;
    struct bytes rest = key;
    while (rest.len) {
        char text[24];
        int len;
        size_t taken = show_one(rest, text, sizeof text, &len);
        if (shown + (size_t)len > max) {
            buffer_printf(buffer, "... (%zu bytes)", key.len);
            return;
        }
        buffer_add(buffer, text, (size_t)len);
        shown += (size_t)len;
        rest = bytes_make(rest.data + taken, rest.len - taken);
    }
}

bool show_is_plain(struct bytes key) {
    while (key.len) {
        size_t len = utf8_length(key);
        if (len == 0 || is_hidden(decode(key.data, len))) return false;
        key = bytes_make(key.data + len, key.len - len);
    }
    return true;
}

void show_html(struct buffer *buffer, struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '&': buffer_add(buffer, "&amp;", 5); break;
        case '<': buffer_add(buffer, "&lt;", 4); break;
        case '>': buffer_add(buffer, "&gt;", 4); break;
        case '"': buffer_add(buffer, "&quot;", 6); break;
        case '\'': buffer_add(buffer, "&#39;", 5); break;
        default: buffer_add(buffer, &text.data[i], 1);
        }
    }
}

const char *show_count(double count, char *out) {
    char digits[SHOW_NUMBER_MAX];
    if (!(count < 1e15)) count = 1e15;
    int len = snprintf(digits, sizeof digits, "%.0f", count < 0 ? 0.0 : count), at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *show_bytes(double count, char *out) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    if (!(count >= 0)) count = 0;
    while (count >= 1023.5 && unit + 1 < sizeof units / sizeof *units) {
        count /= 1024;
        unit++;
    }
    snprintf(out, SHOW_NUMBER_MAX, unit && count < 99.95 ? "%.1f %s" : "%.0f %s",
             count < 1e12 ? count : 1e12, units[unit]);
    return out;
}

const char *show_duration(int64_t ms, char *out) {
    int64_t unit_ms = ms < 120000      ? 1000
                      : ms < 7200000   ? 60000
                      : ms < 172800000 ? 3600000
                                       : 86400000;
    int64_t rounded = (ms + unit_ms / 2) / unit_ms * unit_ms;
    return duration_words(rounded ? rounded : 1000, out, SHOW_DURATION_MAX);
}
