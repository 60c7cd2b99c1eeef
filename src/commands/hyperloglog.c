/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLogs: strings that count different elements. */
#include "types/hyperloglog.h"

#include "commands/families.h"
#include "server/arguments.h"

static void fail_damaged(struct request *request) {
    reply_error(request->reply, "INVALIDOBJ Corrupted HLL object detected");
}

/* The HyperLogLog of a key; false when the key holds something else, which has been replied.
 * *ret_entry is NULL where there is no key. scratch: for a string that is an integer. */
static bool find(struct request *request, uint32_t index, bool to_write, struct entry **ret_entry,
                 struct bytes *ret_string) {
    char scratch[ENTRY_SCRATCH];
    if (!(to_write ? request_write_typed : request_read_typed)(request, index, TYPE_STRING,
                                                               ret_entry))
        return false;
    if (*ret_entry == NULL) return true;
    /* An integer's text is no HyperLogLog, so that what is returned never lies in scratch. */
    struct bytes string = entry_string(*ret_entry, scratch);
    if (!hll_recognise(string)) {
        reply_error(request->reply, "WRONGTYPE Key is not a valid HyperLogLog string value.");
        return false;
    }
    *ret_string = string;
    return true;
}

/* The first key's string, to be changed where it lies. Of the same length it does not
 * move, and nothing can fail. */
static struct bytes changeable(struct request *request, struct entry **entry, size_t len) {
    return bytes_make(
        store_string_edit(request->store, request->db, request_key(request, 0), entry, len), len);
}

/* ---- changing: a dense one where it lies, a sparse one in room of its own,
 * from where it is stored ---- */

struct edit {
    struct hll hll;
    struct entry *entry;
    bool in_place;
    char room[HLL_ROOM_BYTES];
};

/* Begins with the first key's HyperLogLog, or with a new one; replies the
 * error and returns false. */
static bool edit_begin(struct request *request, struct edit *edit) {
    struct bytes string;
    edit->entry = NULL;
    edit->in_place = false;
    if (!find(request, 0, true, &edit->entry, &string)) return false;
    if (edit->entry != NULL) string = changeable(request, &edit->entry, string.len);
    if (edit->entry != NULL && hll_is_dense(string)) {
        edit->in_place = true;
        edit->hll.len = string.len;
        edit->hll.bytes = (char *)(uintptr_t)string.data;
        return true;
    }
    if (edit->entry != NULL && string.len > HLL_SPARSE_BYTES_MAX) {
        fail_damaged(request);
        return false;
    }
    edit->hll.bytes = edit->room;
    if (edit->entry == NULL) {
        hll_init(&edit->hll);
    } else {
        memcpy(edit->hll.bytes, string.data, string.len);
        edit->hll.len = string.len;
    }
    return true;
}

/* Stores what was changed. False when there was no memory, which has been replied. */
static bool edit_store(struct request *request, struct edit *edit) {
    const struct key *key = request_key(request, 0);
    struct bytes string = bytes_make(edit->hll.bytes, edit->hll.len);
    if (edit->in_place) return true;
    if (hll_is_dense(string)) {
        /* It will not grow any more. */
        store_put_string(request->store, request->db, key, edit->entry, string, STORE_KEEP_EXPIRY);
        return true;
    }
    if (edit->entry == NULL) store_notify_new(request->store, request->db, key);
    char *bytes = store_string_edit(request->store, request->db, key, &edit->entry, string.len);
    if (bytes == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    memcpy(bytes, string.data, string.len);
    return true;
}

static void command_pfadd(struct request *request) {
    struct edit edit;
    if (!edit_begin(request, &edit)) return;
    bool changed = edit.entry == NULL;
    for (uint32_t i = 2; i < request->argc; i++) {
        enum hll_outcome outcome = hll_add(&edit.hll, argument(request, i));
        if (outcome == HLL_DAMAGED) {
            fail_damaged(request);
            return;
        }
        if (outcome == HLL_CHANGED) changed = true;
    }
    if (changed) {
        hll_forget_estimate(&edit.hll);
        if (!edit_store(request, &edit)) return;
        request_changed(request, 0, EVENT_STRING, "pfadd");
    }
    reply_int(request->reply, changed);
}

/* Raises registers to those of the keys from here on; any_dense, if not NULL, is set
 * where one of them is dense. */
static bool merge_keys(struct request *request, uint8_t registers[HLL_REGISTERS],
                       bool *ret_any_dense) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct entry *entry;
        struct bytes string;
        if (!find(request, i, false, &entry, &string)) return false;
        if (entry == NULL) continue;
        if (!hll_merge(string, registers)) {
            fail_damaged(request);
            return false;
        }
        if (hll_is_dense(string)) *ret_any_dense = true;
    }
    return true;
}

static void command_pfmerge(struct request *request) {
    uint8_t registers[HLL_REGISTERS] = {0};
    struct edit edit;
    bool any_dense = false;
    if (!merge_keys(request, registers, &any_dense) || !edit_begin(request, &edit)) return;
    if ((any_dense && !hll_make_dense(&edit.hll)) || !hll_raise_all(&edit.hll, registers)) {
        fail_damaged(request);
        return;
    }
    hll_forget_estimate(&edit.hll);
    if (!edit_store(request, &edit)) return;
    /* Redis has no event of its own for it. */
    request_changed(request, 0, EVENT_STRING, "pfadd");
    reply_ok(request->reply);
}

/* ---- counting ---- */

/* One key's estimate is kept in its header. */
static void count_one(struct request *request) {
    uint8_t registers[HLL_REGISTERS] = {0};
    struct entry *entry;
    struct bytes string;
    uint64_t count = 0;
    if (!find(request, 0, false, &entry, &string)) return;
    if (entry != NULL) string = changeable(request, &entry, string.len);
    if (entry != NULL && !hll_kept_estimate(string, &count)) {
        if (!hll_merge(string, registers)) {
            fail_damaged(request);
            return;
        }
        count = hll_estimate(registers);
        hll_keep_estimate((char *)(uintptr_t)string.data, count);
        request_changed(request, 0, EVENT_SILENT, "pfcount");
    }
    reply_int(request->reply, (int64_t)count);
}

static void command_pfcount(struct request *request) {
    if (request->key_count == 1) {
        count_one(request);
        return;
    }
    uint8_t registers[HLL_REGISTERS] = {0};
    bool any_dense = false;
    if (!merge_keys(request, registers, &any_dense)) return;
    reply_int(request->reply, (int64_t)hll_estimate(registers));
}

/* ---- for people ---- */

/* Makes it dense, and stores that. */
static bool edit_to_dense(struct request *request, struct edit *edit) {
    if (!hll_make_dense(&edit->hll)) {
        fail_damaged(request);
        return false;
    }
    if (edit->in_place) return true;
    if (!edit_store(request, edit)) return false;
    request_changed(request, 0, EVENT_SILENT, "pfdebug");
    return true;
}

static void debug_registers(struct request *request, struct edit *edit) {
    uint8_t registers[HLL_REGISTERS] = {0};
    if (!edit_to_dense(request, edit)) return;
    hll_merge(bytes_make(edit->hll.bytes, edit->hll.len), registers);
    reply_array(request->reply, HLL_REGISTERS);
    for (size_t i = 0; i < HLL_REGISTERS; i++) reply_int(request->reply, registers[i]);
}

static void debug_decode(struct request *request, const struct edit *edit) {
    enum { LONGEST_RUN = sizeof " Z:16384" };
    struct bytes string = bytes_make(edit->hll.bytes, edit->hll.len);
    if (hll_is_dense(string)) {
        reply_error(request->reply, "ERR HLL encoding is not sparse");
        return;
    }
    struct buffer text;
    buffer_init(&text, HLL_SPARSE_BYTES_MAX * LONGEST_RUN);
    if (hll_describe(string, &text))
        reply_bulk(request->reply, buffer_bytes(&text));
    else
        fail_damaged(request);
    buffer_done(&text);
}

static void command_pfdebug(struct request *request) {
    struct edit edit;
    if (!edit_begin(request, &edit)) return;
    if (edit.entry == NULL) {
        reply_error(request->reply, "ERR The specified key does not exist");
    } else if (argument_is(request, 1, "getreg")) {
        debug_registers(request, &edit);
    } else if (argument_is(request, 1, "decode")) {
        debug_decode(request, &edit);
    } else if (argument_is(request, 1, "encoding")) {
        reply_status(request->reply, edit.in_place ? "dense" : "sparse");
    } else if (argument_is(request, 1, "todense")) {
        bool converted = !edit.in_place;
        if (edit_to_dense(request, &edit)) reply_int(request->reply, converted);
    } else {
        struct bytes word = argument(request, 1);
        reply_error_format(request->reply, "ERR Unknown PFDEBUG subcommand '%.*s'",
                           (int)(word.len < 128 ? word.len : 128), word.data);
    }
}

static void command_pfselftest(struct request *request) {
    if (hll_self_test())
        reply_ok(request->reply);
    else
        reply_error(request->reply, "TESTFAILED the registers or their estimates are wrong");
}

static const struct command rows[] = {
    {
        .name = "pfadd",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
        .groups = GROUP_HYPERLOGLOG,
        .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
        .since = "2.8.9",
        .complexity = "O(1) for each element",
        .summary = "Adds elements to a HyperLogLog.",
        .syntax = "key [element [element ...]]",
        .reply = "integer: 1 when the HyperLogLog has changed",
        .handler = command_pfadd,
    },
    {
        .name = "pfcount",
        .arity = -2,
        .flags = COMMAND_READONLY | COMMAND_MAY_REPLICATE,
        .groups = GROUP_HYPERLOGLOG,
        .keys = {KEY_ALL_FROM(1, KEY_RW | KEY_ACCESS)},
        .since = "2.8.9",
        .complexity = "O(N) where N is the number of keys; nearly nothing for one key again",
        .summary = "Estimates how many different elements were added to any of the HyperLogLogs.",
        .syntax = "key [key ...]",
        .reply = "integer",
        .handler = command_pfcount,
    },
    {
        .name = "pfmerge",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_HYPERLOGLOG,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_INSERT), KEY_ALL_FROM(2, KEY_RO | KEY_ACCESS)},
        .since = "2.8.9",
        .complexity = "O(N) where N is the number of keys",
        .summary = "Adds what HyperLogLogs have seen to another one.",
        .syntax = "destkey [sourcekey [sourcekey ...]]",
        .reply = "status",
        .handler = command_pfmerge,
    },
    {
        .name = "pfdebug",
        .arity = 3,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_ADMIN,
        .groups = GROUP_HYPERLOGLOG,
        .keys = {KEY_AT(2, KEY_RW | KEY_ACCESS)},
        .since = "2.8.9",
        .complexity = "O(N) where N is the number of registers",
        .summary = "Shows the registers, the runs or the encoding of a HyperLogLog.",
        .syntax = "<GETREG | DECODE | ENCODING | TODENSE> key",
        .reply = "array of integers | bulk | status | integer",
        .handler = command_pfdebug,
    },
    {
        .name = "pfselftest",
        .arity = 1,
        .flags = COMMAND_ADMIN,
        .groups = GROUP_HYPERLOGLOG,
        .since = "2.8.9",
        .complexity = "O(1)",
        .summary = "Tests registers and estimates.",
        .syntax = "",
        .reply = "status",
        .handler = command_pfselftest,
    },
    {0},
};

const struct command_family hyperloglog_commands = {"hyperloglog", rows};
