/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys whatever their type: DEL, EXISTS, TYPE, RENAME, COPY, MOVE, TOUCH. */
#include "base/number.h"
#include "commands/families.h"
#include "server/arguments.h"

static void delete_keys(struct request *request) {
    int64_t deleted = 0;
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct entry *entry = request_find_key(request, request_key(request, i));
        if (entry == NULL) continue;
        request_delete(request, i, entry);
        request_changed(request, i, EVENT_GENERIC, "del");
        deleted++;
    }
    reply_int(request->reply, deleted);
}

static void cmd_exists(struct request *request) {
    int64_t found = 0;
    for (uint32_t i = 0; i < request->key_count; i++) found += request_look(request, i) != NULL;
    reply_int(request->reply, found);
}

static void cmd_touch(struct request *request) {
    int64_t found = 0;
    request->flags &= ~(unsigned)REQUEST_NO_TOUCH; /* whoever asks for it means it */
    for (uint32_t i = 0; i < request->key_count; i++) found += request_read(request, i) != NULL;
    reply_int(request->reply, found);
}

static void cmd_type(struct request *request) {
    const struct entry *entry = request_look(request, 0);
    reply_status(request->reply, entry == NULL ? "none" : value_type_name(entry_type(entry)));
}

/* ---- moving ---- */

static void rename_key(struct request *request, bool if_missing) {
    const struct key *from = request_key(request, 0), *to = request_key(request, 1);
    struct entry *entry = request_write(request, 0);
    if (entry == NULL) {
        reply_error_code(request->reply, ERROR_NO_SUCH_KEY);
        return;
    }
    bool same = bytes_equal(from->name, to->name);
    struct entry *there = same ? entry : request_write(request, 1);
    if (if_missing && there != NULL) {
        reply_int(request->reply, 0);
        return;
    }
    if (!same) {
        if (there != NULL) request_delete(request, 1, there);
        store_notify_new(request->store, request->db, to);
        store_move(request->store, request->db, from, entry, request->db, to);
        request_changed(request, 0, EVENT_GENERIC, "rename_from");
        request_changed(request, 1, EVENT_GENERIC, "rename_to");
    }
    if (if_missing)
        reply_int(request->reply, 1);
    else
        reply_ok(request->reply);
}

static void cmd_rename(struct request *request) {
    rename_key(request, false);
}

static void cmd_renamenx(struct request *request) {
    rename_key(request, true);
}

static void cmd_move(struct request *request) {
    const struct key *key = request_key(request, 0);
    unsigned db;
    if (!argument_db(request, 2, NULL, &db)) return;
    if (db == request->db) {
        reply_error_code(request->reply, ERROR_SAME_KEY);
        return;
    }
    request_adopt(request, db);
    struct entry *entry = request_write(request, 0);
    bool moves = entry != NULL && store_find(request->store, db, key, request->now_ms) == NULL;
    if (moves) {
        store_notify_new(request->store, db, key);
        store_move(request->store, request->db, key, entry, db, key);
        request_changed(request, 0, EVENT_GENERIC, "move_from");
        request_count_write(request, db, key);
        store_changed(request->store, db, key, EVENT_GENERIC, "move_to");
    }
    reply_int(request->reply, moves);
}

struct copy_options {
    unsigned db;
    bool replace;
};

static bool copy_options(struct request *request, struct copy_options *options) {
    options->db = request->db;
    for (uint32_t i = 3; i < request->argc; i++) {
        if (argument_is(request, i, "replace")) {
            options->replace = true;
        } else if (argument_is(request, i, "db") && i + 1 < request->argc) {
            if (!argument_db(request, ++i, NULL, &options->db)) return false;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

static void cmd_copy(struct request *request) {
    const struct key *from = request_key(request, 0), *to = request_key(request, 1);
    struct copy_options options = {0};
    if (!copy_options(request, &options)) return;
    if (options.db == request->db && bytes_equal(from->name, to->name)) {
        reply_error_code(request->reply, ERROR_SAME_KEY);
        return;
    }
    if (options.db != request->db) request_adopt(request, options.db);
    struct entry *entry = request_read(request, 0);
    struct entry *there =
        entry == NULL ? NULL : store_find(request->store, options.db, to, request->now_ms);
    if (entry == NULL || (there != NULL && !options.replace)) {
        reply_int(request->reply, 0);
        return;
    }
    if (there != NULL) store_delete(request->store, options.db, to, there, true);
    store_notify_new(request->store, options.db, to);
    store_copy(request->store, entry, options.db, to);
    request->changes++;
    request_count_write(request, options.db, to);
    store_changed(request->store, options.db, to, EVENT_GENERIC, "copy_to");
    reply_int(request->reply, 1);
}

enum { WRITES_KEYS = KEY_RM | KEY_DELETE };

static const struct command rows[] = {
    {.name = "del",
     .arity = -2,
     .flags = COMMAND_WRITE,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_ALL_FROM(1, WRITES_KEYS)},
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys; large values are freed in the background.",
     .summary = "Deletes one or more keys.",
     .syntax = "key [key ...]",
     .reply = "integer",
     .handler = delete_keys},
    {.name = "unlink",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_ALL_FROM(1, WRITES_KEYS)},
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of keys; large values are freed in the background.",
     .summary = "Asynchronously deletes one or more keys.",
     .syntax = "key [key ...]",
     .reply = "integer",
     .handler = delete_keys},
    {.name = "exists",
     .arity = -2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_ALL_FROM(1, KEY_RO)},
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to check.",
     .summary = "Determines whether one or more keys exist.",
     .syntax = "key [key ...]",
     .reply = "integer",
     .handler = cmd_exists},
    {.name = "touch",
     .arity = -2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_ALL_FROM(1, KEY_RO)},
     .since = "3.2.1",
     .complexity = "O(N) where N is the number of keys that will be touched.",
     .summary = "Returns the number of existing keys out of those specified after updating the "
                "time they were last "
                "accessed.",
     .syntax = "key [key ...]",
     .reply = "integer",
     .handler = cmd_touch},
    {.name = "type",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Determines the type of value stored at a key.",
     .syntax = "key",
     .reply = "status",
     .handler = cmd_type},
    {.name = "rename",
     .arity = 3,
     .flags = COMMAND_WRITE,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_OW | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Renames a key and overwrites the destination.",
     .syntax = "key newkey",
     .reply = "OK",
     .handler = cmd_rename},
    {.name = "renamenx",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_OW | KEY_INSERT)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Renames a key only when the target key name doesn't exist.",
     .syntax = "key newkey",
     .reply = "integer",
     .handler = cmd_renamenx},
    {.name = "move",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_FAST | COMMAND_OTHER_DB,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a key to another database.",
     .syntax = "key db",
     .reply = "integer",
     .handler = cmd_move},
    {.name = "copy",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_OTHER_DB,
     .groups = GROUP_KEYSPACE,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS), KEY_AT(2, KEY_OW | KEY_UPDATE)},
     .since = "6.2.0",
     .complexity = "O(N) worst case for collections, where N is the number of nested items. O(1) "
                   "for string values.",
     .summary = "Copies the value of a key to a new key.",
     .syntax = "source destination [DB destination-db] [REPLACE]",
     .reply = "integer",
     .handler = cmd_copy},
    {0},
};

const struct command_family keyspace_commands = {"generic", rows};
