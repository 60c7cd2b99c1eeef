/* SPDX-License-Identifier: BSD-3-Clause */
/* XGROUP: consumer groups and their consumers. */
#include "types/stream_group.h"

#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"
#include "server/help.h"

static void reply_bad_option(struct request *request) {
    struct bytes word = argument(request, 1);
    reply_error_format(
        request->reply,
        "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try XGROUP HELP.",
        (int)word.len, word.data);
}

/* With each option once. */
enum { CREATE_ARGS_MAX = 8, SETID_ARGS_MAX = 7 };

struct group_options {
    bool make;
    int64_t entries_read;
};

/* What stands behind the identifier: MKSTREAM (of CREATE only), ENTRIESREAD n. */
static bool parse_options(struct request *request, bool creates,
                          struct group_options *ret_options) {
    struct group_options options = {.entries_read = STREAM_READ_UNKNOWN};
    for (uint32_t i = 5; i < request->argc; i++) {
        if (creates && argument_is(request, i, "mkstream")) {
            options.make = true;
        } else if (i + 1 < request->argc && argument_is(request, i, "entriesread")) {
            if (!argument_i64(request, ++i, &options.entries_read, NULL)) return false;
            if (options.entries_read < 0 && options.entries_read != STREAM_READ_UNKNOWN) {
                reply_error(request->reply, "ERR value for ENTRIESREAD must be positive or -1");
                return false;
            }
        } else {
            reply_bad_option(request);
            return false;
        }
    }
    *ret_options = options;
    return true;
}

static void reply_no_key(struct request *request) {
    reply_error(request->reply,
                "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may "
                "want to use the MKSTREAM option to create an empty stream automatically.");
}

/* The stream, which must be there. */
static bool open_stream(struct request *request, struct stream **ret_stream) {
    struct entry *entry;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return false;
    if (!entry) {
        reply_no_key(request);
        return false;
    }
    *ret_stream = stream_of(entry);
    return true;
}

static bool open_group(struct request *request, struct stream **ret_stream,
                       struct stream_group **ret_group) {
    if (!open_stream(request, ret_stream)) return false;
    struct bytes name = argument(request, 3), key = argument(request, 2);
    *ret_group = stream_group_find(*ret_stream, name);
    if (*ret_group) return true;
    reply_error_format(request->reply, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                       (int)name.len, name.data, (int)key.len, key.data);
    return false;
}

/* "$" is the last identifier; "-" and "+", which SETID takes, the least and the greatest. */
static bool parse_start(struct request *request, const struct stream *stream, bool takes_ends,
                        struct stream_id *ret_id) {
    if (bytes_equal(argument(request, 4), BYTES("$"))) {
        *ret_id = stream ? stream_facts(stream)->last_id : STREAM_ID_MIN;
        return true;
    }
    bool least = takes_ends && bytes_equal(argument(request, 4), BYTES("-"));
    bool greatest = takes_ends && bytes_equal(argument(request, 4), BYTES("+"));
    if (least || greatest) {
        *ret_id = least ? STREAM_ID_MIN : STREAM_ID_MAX;
        return true;
    }
    return stream_argument_id(request, 4, 0, ret_id);
}

static void notify(struct request *request, const char *event) {
    request_changes(request, 0);
    store_notify(request->store, request->db, request_key(request, 0), EVENT_STREAM | EVENT_QUIET,
                 event);
}

static void create(struct request *request) {
    struct group_options options;
    struct entry *entry;
    struct stream_id id;
    if (!parse_options(request, true, &options)) return;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry && !options.make) {
        reply_no_key(request);
        return;
    }
    if (request->argc > CREATE_ARGS_MAX) {
        reply_bad_option(request);
        return;
    }
    if (!parse_start(request, entry ? stream_of(entry) : NULL, false, &id)) return;
    if (entry && stream_group_find(stream_of(entry), argument(request, 3))) {
        reply_error(request->reply, "BUSYGROUP Consumer Group name already exists");
        return;
    }
    struct stream *stream = entry ? stream_of(entry) : stream_new(request_heap(request, 0));
    stream_group_new(stream, argument(request, 3), id, options.entries_read);
    if (!entry) request_put(request, 0, NULL, TYPE_STREAM, stream);
    reply_ok(request->reply);
    request_changed(request, 0, EVENT_STREAM, "xgroup-create");
}

static void setid(struct request *request) {
    struct group_options options;
    struct stream *stream;
    struct stream_group *group;
    struct stream_id id;
    if (!parse_options(request, false, &options)) return;
    if (!open_group(request, &stream, &group)) return;
    if (request->argc > SETID_ARGS_MAX) {
        reply_bad_option(request);
        return;
    }
    if (!parse_start(request, stream, true, &id)) return;
    group->last_id = id;
    group->entries_read = options.entries_read;
    reply_ok(request->reply);
    notify(request, "xgroup-setid");
}

static void destroy(struct request *request) {
    struct stream *stream;
    if (!open_stream(request, &stream)) return;
    struct stream_group *group = stream_group_find(stream, argument(request, 3));
    reply_int(request->reply, group != NULL);
    if (!group) return;
    stream_group_delete(stream, group);
    request_changed(request, 0, EVENT_STREAM, "xgroup-destroy");
}

static void createconsumer(struct request *request) {
    struct stream *stream;
    struct stream_group *group;
    if (!open_group(request, &stream, &group)) return;
    bool made = stream_consumer_new(stream, group, argument(request, 4), request->now_ms) != NULL;
    reply_int(request->reply, made);
    if (made) notify(request, "xgroup-createconsumer");
}

static void delconsumer(struct request *request) {
    struct stream *stream;
    struct stream_group *group;
    if (!open_group(request, &stream, &group)) return;
    struct stream_consumer *consumer = stream_consumer_find(group, argument(request, 4));
    if (!consumer) {
        reply_int(request->reply, 0);
        return;
    }
    reply_int(request->reply, (int64_t)stream_consumer_delete(stream, group, consumer));
    request_changed(request, 0, EVENT_STREAM, "xgroup-delconsumer");
}

static void help(struct request *request) {
    static const char *const lines[] = {
        "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CREATE <key> <groupname> <id|$> [option]",
        "    Create a new consumer group. Options are:",
        "    * MKSTREAM",
        "      Create the empty stream if it does not exist.",
        "    * ENTRIESREAD entries_read",
        "      Set the group's entries_read counter (internal use).",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "    Create a new consumer in the specified group.",
        "DELCONSUMER <key> <groupname> <consumer>",
        "    Remove the specified consumer.",
        "DESTROY <key> <groupname>",
        "    Remove the specified group.",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "    Set the current group ID and entries_read counter.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

/* ---- rows ---- */

static const struct command xgroup_rows[] = {
    {.name = "create",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Creates a consumer group.",
     .syntax = "key group id|$ [MKSTREAM] [ENTRIESREAD entries-read]",
     .reply = "OK",
     .handler = create},
    {.name = "setid",
     .arity = -5,
     .flags = COMMAND_WRITE,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RW | KEY_UPDATE)},
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Sets the identifier that a group delivered last.",
     .syntax = "key group id|$ [ENTRIESREAD entries-read]",
     .reply = "OK",
     .handler = setid},
    {.name = "destroy",
     .arity = 4,
     .flags = COMMAND_WRITE,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RW | KEY_DELETE)},
     .since = "5.0.0",
     .complexity = "O(N) for N pending entries",
     .summary = "Deletes a consumer group.",
     .syntax = "key group",
     .reply = "integer",
     .handler = destroy},
    {.name = "createconsumer",
     .arity = 5,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Creates a consumer in a group.",
     .syntax = "key group consumer",
     .reply = "integer",
     .handler = createconsumer},
    {.name = "delconsumer",
     .arity = 5,
     .flags = COMMAND_WRITE,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RW | KEY_DELETE)},
     .since = "5.0.0",
     .complexity = "O(N*log(M)) for N entries pending for it, of M in the group",
     .summary = "Deletes a consumer of a group, with what is pending for it.",
     .syntax = "key group consumer",
     .reply = "integer",
     .handler = delconsumer},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .groups = GROUP_STREAM,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = help},
    {.name = NULL},
};

static const struct command rows[] = {
    {.name = "xgroup",
     .arity = -2,
     .groups = 0,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for consumer groups commands.",
     .syntax = "",
     .reply = "",
     .subcommands = xgroup_rows},
    {.name = NULL},
};

const struct command_family stream_group_commands = {"stream", rows};
