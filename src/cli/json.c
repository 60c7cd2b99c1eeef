/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/json.h"

/* Bytes of the UTF-8 character at the front; 0 when there is none. */
static size_t utf8_length(struct bytes text) {
    const unsigned char *at = (const unsigned char *)text.data;
    size_t len = at[0] < 0x80   ? 1
                 : at[0] < 0xc2 ? 0
                 : at[0] < 0xe0 ? 2
                 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4
                                : 0;
    if (len == 0 || len > text.len) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    if (len == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f))) return 0;
    if (len == 4 && ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))) return 0;
    return len;
}

void json_bytes(struct buffer *buffer, struct bytes text) {
    buffer_add(buffer, "\"", 1);
    while (text.len) {
        unsigned char c = (unsigned char)text.data[0];
        size_t len = utf8_length(text);
        if (c == '"' || c == '\\') {
            buffer_printf(buffer, "\\%c", c);
        } else if (c == '\n') {
            buffer_add(buffer, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            buffer_printf(buffer, "\\u%04x", c);
        } else if (len == 0) {
            buffer_add(buffer, "\\ufffd", 6);
        } else {
            buffer_add(buffer, text.data, len);
        }
        if (len == 0) len = 1;
        text = bytes_make(text.data + len, text.len - len);
    }
    buffer_add(buffer, "\"", 1);
}

void json_text(struct buffer *buffer, const char *text) {
    if (text) {
        json_bytes(buffer, bytes_from_string(text));
    } else {
        buffer_add(buffer, "null", 4);
    }
}
