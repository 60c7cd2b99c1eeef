/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/json.h"

#include "cli/text.h"

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
