/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/sha1.h"

#include <nettle/sha1.h>

struct sha1 sha1_of(struct bytes text) {
    struct sha1_ctx context;
    struct sha1 sha1;
    sha1_init(&context);
    sha1_update(&context, text.len, (const uint8_t *)text.data);
    sha1_digest(&context, SHA1_BYTES, sha1.bytes);
    return sha1;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 'a' ^ 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sha1_parse(struct bytes hex, struct sha1 *ret_sha1) {
    struct sha1 sha1;
    if (hex.len != SHA1_HEX) return false;
    for (int i = 0; i < SHA1_BYTES; i++) {
        int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        sha1.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_sha1 = sha1;
    return true;
}

void sha1_format(const struct sha1 *sha1, char out[SHA1_HEX + 1]) {
    for (int i = 0; i < SHA1_BYTES; i++) {
        out[2 * i] = "0123456789abcdef"[sha1->bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[sha1->bytes[i] & 15];
    }
    out[SHA1_HEX] = '\0';
}

void sha1_hex(struct bytes text, char out[SHA1_HEX + 1]) {
    struct sha1 sha1 = sha1_of(text);
    sha1_format(&sha1, out);
}
