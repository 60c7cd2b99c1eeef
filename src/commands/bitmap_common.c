/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/bitmap_common.h"

#include "server/arguments.h"
#include "server/server.h"

bool bitmap_offset(struct request *request, uint32_t index, unsigned bits, uint64_t *ret_at) {
    struct bytes text = argument(request, index);
    int64_t max =
        atomic_load_explicit(&request->server->limits.bulk_max_bytes, memory_order_relaxed);
    int64_t at;
    bool counted = bits > 0 && text.len > 0 && text.data[0] == '#';
    if (counted) text = bytes_make(text.data + 1, text.len - 1);
    if (number_parse_i64(text, &at) && at >= 0 &&
        (!counted || !__builtin_mul_overflow(at, (int64_t)bits, &at)) && at / 8 < max) {
        *ret_at = (uint64_t)at;
        return true;
    }
    reply_error(request->reply, "ERR bit offset is not an integer or out of range");
    return false;
}

char *bitmap_reach(struct request *request, struct entry *entry, uint64_t last, bool *ret_grown) {
    size_t before = entry == NULL ? 0 : entry_string_len(entry), len = last / 8 + 1;
    const struct key *key = request_key(request, 0);
    if (entry == NULL) store_notify_new(request->store, request->db, key);
    char *bytes =
        store_string_edit(request->store, request->db, key, &entry, len > before ? len : before);
    if (bytes == NULL)
        reply_error_code(request->reply, ERROR_NO_MEMORY);
    else
        *ret_grown = len > before;
    return bytes;
}
