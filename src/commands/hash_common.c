/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/hash_common.h"

#include "server/command.h"
#include "store/patterns.h"

/* As far as Redis goes: 46 bits of milliseconds. */
#define HASH_EXPIRY_MAX_MS (((int64_t)1 << 46) - 1)

/* Takes out fields that have expired. *entry becomes NULL when the hash
 * went with the last of them. */
static void expire_some(struct request *request, struct entry **entry) {
    enum { EXPIRE_MOST = 256 }; /* the sweep does the rest */
    if (*entry == NULL || hash_next_expiry(hash_of(*entry)) >= request->now_ms) return;
    store_open(request->store, request->db, *entry);
    size_t gone = hash_expire_fields(hash_of(*entry), request->now_ms, EXPIRE_MOST);
    if (gone == 0) return;
    store_count_expired_fields(request->store, request_key(request, 0), gone);
    request_changed(request, 0, EVENT_HASH, "hexpired");
    if (request_delete_if_empty(request, 0, *entry)) *entry = NULL;
}

bool hash_open_read(struct request *request, struct entry **ret_entry) {
    if (!request_read_typed(request, 0, TYPE_HASH, ret_entry)) return false;
    expire_some(request, ret_entry);
    return true;
}

bool hash_open_write(struct request *request, struct entry **ret_entry) {
    if (!request_write_typed(request, 0, TYPE_HASH, ret_entry)) return false;
    expire_some(request, ret_entry);
    return true;
}

void hash_reply_value(struct request *request, const struct entry *entry, struct bytes field) {
    char scratch[HASH_SCRATCH];
    struct bytes value;
    if (entry && hash_get(hash_of(entry), field, request->now_ms, scratch, &value))
        reply_bulk(request->reply, value);
    else
        reply_null(request->reply);
}

void hash_note_expiry(struct request *request, const struct entry *entry) {
    int64_t due_ms = hash_next_expiry(hash_of(entry));
    if (due_ms == HASH_NO_EXPIRY) return;
    store_note_field_expiry(request->store, request->db, request_key(request, 0), entry, due_ms);
}

bool hash_parse_fields(struct request *request, uint32_t index, const char *bad_count_error,
                       struct field_range *ret_range) {
    int64_t count;
    if (index + 1 >= request->argc || !argument_is(request, index, "fields")) {
        reply_error(request->reply,
                    "ERR Mandatory argument FIELDS is missing or not at the right position");
        return false;
    }
    if (!argument_i64_range(request, index + 1, 1, INT64_MAX, &count, bad_count_error))
        return false;
    if (count != (int64_t)request->argc - index - 2) {
        reply_error(request->reply,
                    "ERR The `numfields` parameter must match the number of arguments");
        return false;
    }
    *ret_range = (struct field_range){index + 2, (uint32_t)count};
    return true;
}

void hash_reply_arity(struct request *request) {
    reply_error_format(request->reply, "ERR wrong number of arguments for '%s' command",
                       request->command->name);
}

bool hash_parse_expiry(struct request *request, uint32_t index, int64_t unit_ms, bool absolute,
                       int64_t *ret_at_ms) {
    int64_t value, base_ms = absolute ? 0 : request->now_ms;
    if (!argument_i64(request, index, &value, NULL)) return false;
    if (value < 0) {
        reply_error(request->reply, "ERR invalid expire time, must be >= 0");
        return false;
    }
    if (value > HASH_EXPIRY_MAX_MS / unit_ms || value * unit_ms > HASH_EXPIRY_MAX_MS - base_ms) {
        reply_error_format(request->reply, "ERR invalid expire time in '%s' command",
                           request->command->name);
        return false;
    }
    *ret_at_ms = base_ms + value * unit_ms;
    return true;
}

bool hash_expiry_word(struct request *request, uint32_t index, int64_t *ret_unit_ms,
                      bool *ret_absolute) {
    static const struct {
        const char *word;
        int64_t unit_ms;
        bool absolute;
    } words[] = {{"ex", 1000, false}, {"px", 1, false}, {"exat", 1000, true}, {"pxat", 1, true}};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (!argument_is(request, index, words[i].word)) continue;
        *ret_unit_ms = words[i].unit_ms;
        *ret_absolute = words[i].absolute;
        return true;
    }
    return false;
}
