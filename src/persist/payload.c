/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/payload.h"

#include <endian.h>
#include <string.h>

#include "persist/crc64.h"
#include "persist/format.h"

enum { VERSION_BYTES = 2, SUM_BYTES = 8 };

int payload_seal(struct buffer *buffer, unsigned version) {
    uint16_t little = htole16((uint16_t)version);
    if (buffer_reserve(buffer, RDB_FOOTER_BYTES) == NULL) return ERROR_NO_MEMORY;
    memcpy(buffer->data + buffer->len, &little, VERSION_BYTES);
    buffer_commit(buffer, VERSION_BYTES);
    uint64_t sum = htole64(crc64(0, buffer_bytes(buffer)));
    memcpy(buffer->data + buffer->len, &sum, SUM_BYTES);
    buffer_commit(buffer, SUM_BYTES);
    return 0;
}

int payload_open(struct bytes payload, struct bytes *ret_body, unsigned *ret_version) {
    uint16_t version;
    uint64_t sum;
    if (payload.len < RDB_FOOTER_BYTES) return ERROR_BAD_CHECKSUM;
    size_t body = payload.len - RDB_FOOTER_BYTES;
    memcpy(&version, payload.data + body, VERSION_BYTES);
    memcpy(&sum, payload.data + body + VERSION_BYTES, SUM_BYTES);
    version = le16toh(version);
    if (!rdb_version_is_known(version)) return ERROR_BAD_CHECKSUM;
    if (crc64(0, bytes_make(payload.data, body + VERSION_BYTES)) != le64toh(sum))
        return ERROR_BAD_CHECKSUM;
    *ret_body = bytes_make(payload.data, body);
    *ret_version = version;
    return 0;
}
