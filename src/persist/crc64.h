/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksum of payloads and data files.
 *
 * What: CRC-64 with the polynomial that Redis calls Jones's (0xad93d23594c935a9,
 *       reflected), starting from 0 and with nothing inverted. The check value of
 *       "123456789" is 0xe9c6d914c4b8d9ca.
 * Lock and errors: none.
 */
#ifndef KN_PERSIST_CRC64_H
#define KN_PERSIST_CRC64_H

#include <stdint.h>

#include "base/bytes.h"

/* Goes on from crc, which is 0 at the start: the sum of two pieces is
 * crc64(crc64(0, first), second). */
uint64_t crc64(uint64_t crc, struct bytes bytes);

#endif
