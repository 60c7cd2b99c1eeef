/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/crc64.h"

#include <isa-l/crc64.h>

uint64_t crc64(uint64_t crc, struct bytes bytes) {
    /* ISA-L inverts the sum before and after, as CRC-64/XZ does; what is
     * inverted twice is as it was. */
    if (bytes.len == 0) return crc;
    return ~crc64_jones_refl(~crc, (const unsigned char *)bytes.data, bytes.len);
}
