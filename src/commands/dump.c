/* SPDX-License-Identifier: BSD-3-Clause */
/* A value as a string of bytes, to be kept or carried elsewhere: DUMP and RESTORE. */
#include "commands/families.h"
#include "persist/format.h"
#include "persist/payload.h"
#include "persist/value.h"
#include "server/arguments.h"
#include "server/config.h"
#include "server/server.h"

#define PAYLOAD_MAX ((size_t)1 << 40) /* bytes; the client's output has limits of its own */

/* ---- DUMP ---- */

static int dump_entry(struct request *request, const struct entry *entry, struct buffer *out) {
    struct rdb_writer writer;
    char scratch[ENTRY_SCRATCH];
    enum value_type type = entry_type(entry);
    const void *value = type == TYPE_STRING ? NULL : entry_value(entry);
    unsigned code = rdb_value_code(type, value, RDB_VERSION_WRITTEN);
    rdb_writer_init(&writer, out, config_bool(request->server->config, "rdbcompression"));
    rdb_write_byte(&writer, code);
    if (type == TYPE_STRING)
        rdb_write_string(&writer, entry_string(entry, scratch));
    else
        rdb_write_value(&writer, code, value);
    return writer.error ? writer.error : payload_seal(out, rdb_code_version(code));
}

static void cmd_dump(struct request *request) {
    struct buffer out;
    const struct entry *entry = request_read(request, 0);
    if (entry == NULL) {
        reply_null(request->reply);
        return;
    }
    buffer_init(&out, PAYLOAD_MAX);
    int error = dump_entry(request, entry, &out);
    if (error)
        reply_error_code(request->reply, error);
    else
        reply_bulk(request->reply, buffer_bytes(&out));
    buffer_done(&out);
}

/* ---- RESTORE ---- */

struct restore_options {
    bool replace, absolute;
    int64_t idle_s, frequency; /* -1: not given */
};

static bool restore_options(struct request *request, struct restore_options *options) {
    *options = (struct restore_options){.idle_s = -1, .frequency = -1};
    for (uint32_t i = 4; i < request->argc; i++) {
        bool more = i + 1 < request->argc;
        if (argument_is(request, i, "replace")) {
            options->replace = true;
        } else if (argument_is(request, i, "absttl")) {
            options->absolute = true;
        } else if (argument_is(request, i, "idletime") && more && options->frequency < 0) {
            if (!argument_i64(request, ++i, &options->idle_s, NULL)) return false;
            if (options->idle_s < 0) {
                reply_error(request->reply, "ERR Invalid IDLETIME value, must be >= 0");
                return false;
            }
        } else if (argument_is(request, i, "freq") && more && options->idle_s < 0) {
            if (!argument_i64(request, ++i, &options->frequency, NULL)) return false;
            if (options->frequency < 0 || options->frequency > STORE_FREQUENCY_MAX) {
                reply_error(request->reply, "ERR Invalid FREQ value, must be >= 0 and <= 255");
                return false;
            }
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* The expiry that the second argument says; ENTRY_EXPIRY_NONE for 0. */
static bool restore_expiry(struct request *request, bool absolute, int64_t *ret_expires_ms) {
    int64_t ttl_ms;
    if (!argument_i64(request, 2, &ttl_ms, NULL)) return false;
    if (ttl_ms < 0) {
        reply_error(request->reply, "ERR Invalid TTL value, must be >= 0");
        return false;
    }
    /* A sum that wraps lies in the past, as it does for Redis. */
    if (ttl_ms != 0 && !absolute) ttl_ms = (int64_t)((uint64_t)ttl_ms + (uint64_t)request->now_ms);
    *ret_expires_ms = ttl_ms;
    return true;
}

/* Replies what is wrong with the payload, if anything is. */
static bool restore_value(struct request *request, struct rdb_text *text,
                          struct rdb_value *ret_value) {
    struct bytes body;
    struct rdb_reader reader;
    unsigned version, code;
    int error = payload_open(argument(request, 3), &body, &version);
    if (error) {
        reply_error_code(request->reply, error);
        return false;
    }
    rdb_reader_init(&reader, body, version);
    reader.string_max = (uint64_t)atomic_load(&request->server->limits.bulk_max_bytes);
    struct rdb_value value;
    if (rdb_read_byte(&reader, &code) &&
        rdb_read_value(&reader, code, request_heap(request, 0), text, &value)) {
        if (rdb_left(&reader) == 0) {
            *ret_value = value;
            return true;
        }
        if (value.type != TYPE_STRING) value_free(value.type, value.value);
        rdb_bad(&reader);
    }
    reply_error_code(request->reply, reader.error);
    return false;
}

static void restore_put(struct request *request, const struct rdb_value *value, int64_t expires_ms,
                        const struct restore_options *options) {
    const struct key *key = request_key(request, 0);
    struct entry *entry;
    store_notify_new(request->store, request->db, key);
    if (value->type == TYPE_STRING)
        entry = store_put_string(request->store, request->db, key, NULL, value->string, expires_ms);
    else
        entry = store_put_value(request->store, request->db, key, NULL, value->type, value->value,
                                expires_ms);
    if (options->idle_s >= 0) store_set_idle(request->store, entry, options->idle_s);
    if (options->frequency >= 0)
        store_set_frequency(request->store, entry, (unsigned)options->frequency);
    request_changed(request, 0, EVENT_GENERIC, "restore");
}

static void cmd_restore(struct request *request) {
    struct restore_options options;
    struct rdb_text text = {0};
    struct rdb_value value;
    int64_t expires_ms;
    if (!restore_options(request, &options)) return;
    struct entry *old = request_find_key(request, request_key(request, 0));
    if (old != NULL && !options.replace) {
        reply_error(request->reply, "BUSYKEY Target key name already exists.");
        return;
    }
    if (!restore_expiry(request, options.absolute, &expires_ms)) return;
    if (!restore_value(request, &text, &value)) {
        rdb_text_done(&text);
        return;
    }
    bool past = expires_ms != ENTRY_EXPIRY_NONE && expires_ms <= request->now_ms;
    if (old != NULL) request_delete(request, 0, old);
    if (!past)
        restore_put(request, &value, expires_ms, &options);
    else if (value.type != TYPE_STRING)
        value_free(value.type, value.value);
    if (past && old != NULL) request_changed(request, 0, EVENT_GENERIC, "del");
    rdb_text_done(&text);
    reply_ok(request->reply);
}

#define RESTORES                                                                                  \
    .arity = -4, .groups = GROUP_KEYSPACE | GROUP_DANGEROUS,                                      \
    .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE)},                                                     \
    .complexity = "O(1) to create the key and O(N) to build its value, where N is the number of " \
                  "its elements and their size; O(N*log(N)) for a sorted set.",                   \
    .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",  \
    .reply = "OK", .handler = cmd_restore

static const struct command rows[] = {
    {.name = "dump",
     .arity = 2,
     .flags = COMMAND_READONLY,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "2.6.0",
     .complexity = "O(1) to find the key and O(N) to write its value, where N is the number of its "
                   "elements and their size.",
     .summary = "Returns a serialized representation of the value stored at a key.",
     .syntax = "key",
     .reply = "bulk | null",
     .handler = cmd_dump},
    {.name = "restore",
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .since = "2.6.0",
     .summary = "Creates a key from the serialized representation of a value.",
     RESTORES},
    {.name = "restore-asking",
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_ASKING,
     .since = "3.0.0",
     .summary = "An internal command for migrating keys in a cluster.",
     RESTORES},
    {0},
};

const struct command_family dump_commands = {"generic", rows};
