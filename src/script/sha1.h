/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA1, by which scripts are known.
 *
 * What: digests, and their text of 40 hexadecimal digits. Lock, owner and errors: none.
 */
#ifndef KN_SCRIPT_SHA1_H
#define KN_SCRIPT_SHA1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { SHA1_BYTES = 20, SHA1_HEX = 40 };

struct sha1 {
    uint8_t bytes[SHA1_BYTES];
};

struct sha1 sha1_of(struct bytes text);
/* Any case; false when it is no such text. */
bool sha1_parse(struct bytes hex, struct sha1 *ret_sha1);
void sha1_format(const struct sha1 *sha1, char out[SHA1_HEX + 1]);
void sha1_hex(struct bytes text, char out[SHA1_HEX + 1]);

#endif
