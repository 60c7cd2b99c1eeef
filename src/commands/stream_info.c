/* SPDX-License-Identifier: BSD-3-Clause */
/* XINFO: what a stream, its groups and their consumers hold. */
#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"
#include "server/help.h"

static void reply_key_id(struct reply *reply, const char *name, struct stream_id id) {
    reply_bulk_string(reply, name);
    stream_reply_id(reply, id);
}

static void reply_key_int(struct reply *reply, const char *name, int64_t value) {
    reply_bulk_string(reply, name);
    reply_int(reply, value);
}

static bool open_stream(struct request *request, struct stream **ret_stream) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STREAM, &entry)) return false;
    if (!entry) {
        reply_error_code(request->reply, ERROR_NO_SUCH_KEY);
        return false;
    }
    *ret_stream = stream_of(entry);
    return true;
}

/* ---- XINFO STREAM ---- */

/* The seven facts with which both forms begin. */
static void reply_facts(struct reply *reply, const struct stream *stream) {
    const struct stream_facts *facts = stream_facts(stream);
    size_t blocks, nodes;
    stream_shape(stream, &blocks, &nodes);
    reply_key_int(reply, "length", (int64_t)stream_count(stream));
    reply_key_int(reply, "radix-tree-keys", (int64_t)blocks);
    /* A radix tree has a root besides: tools that know it expect one more. */
    reply_key_int(reply, "radix-tree-nodes", (int64_t)nodes + 1);
    reply_key_id(reply, "last-generated-id", facts->last_id);
    reply_key_id(reply, "max-deleted-entry-id", facts->max_deleted);
    reply_key_int(reply, "entries-added", (int64_t)facts->entries_added);
    reply_key_id(reply, "recorded-first-entry-id", stream_first_id(stream));
}

static void reply_edge(struct reply *reply, const char *name, const struct stream *stream,
                       bool last) {
    struct stream_iter iter;
    struct stream_id id;
    size_t fields;
    reply_bulk_string(reply, name);
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, last);
    if (stream_iter_next(&iter, &id, &fields))
        stream_reply_entry(reply, &iter, id, fields);
    else
        reply_null(reply);
}

static void reply_brief(struct reply *reply, const struct stream *stream) {
    reply_map(reply, 10);
    reply_facts(reply, stream);
    reply_key_int(reply, "groups", (int64_t)stream_group_count(stream));
    reply_edge(reply, "first-entry", stream, false);
    reply_edge(reply, "last-entry", stream, true);
}

/* entries-read and lag, null where they are not known. */
static void reply_progress(struct reply *reply, const struct stream *stream,
                           const struct stream_group *group) {
    int64_t lag;
    reply_bulk_string(reply, "entries-read");
    if (group->entries_read == STREAM_READ_UNKNOWN)
        reply_null(reply);
    else
        reply_int(reply, group->entries_read);
    reply_bulk_string(reply, "lag");
    if (stream_group_lag(stream, group, &lag))
        reply_int(reply, lag);
    else
        reply_null(reply);
}

/* The first pending entries of a group, with their consumers, or of one consumer. */
static void reply_pending(struct reply *reply, const struct stream_group *group,
                          const struct stream_consumer *consumer, uint64_t most) {
    struct stream_pending_iter iter;
    const struct stream_pending *pending;
    uint64_t count = consumer ? stream_consumer_pending(consumer) : stream_group_pending(group);
    if (most && count > most) count = most;
    reply_bulk_string(reply, "pending");
    reply_array(reply, count);
    stream_pending_iter_init(&iter, group, consumer, STREAM_ID_MIN);
    for (; count > 0 && (pending = stream_pending_iter_next(&iter)) != NULL; count--) {
        reply_array(reply, consumer ? 3 : 4);
        stream_reply_id(reply, pending->id);
        if (!consumer) reply_bulk(reply, stream_consumer_name(pending->consumer));
        reply_int(reply, pending->delivered_ms);
        reply_int(reply, (int64_t)pending->deliveries);
    }
}

static void reply_consumer_full(struct reply *reply, const struct stream_group *group,
                                const struct stream_consumer *consumer, uint64_t most) {
    reply_map(reply, 5);
    reply_bulk_string(reply, "name");
    reply_bulk(reply, stream_consumer_name(consumer));
    reply_key_int(reply, "seen-time", consumer->seen_ms);
    reply_key_int(reply, "active-time", consumer->active_ms);
    reply_key_int(reply, "pel-count", (int64_t)stream_consumer_pending(consumer));
    reply_pending(reply, group, consumer, most);
}

static void reply_group_full(struct reply *reply, const struct stream *stream,
                             const struct stream_group *group, uint64_t most) {
    reply_map(reply, 7);
    reply_bulk_string(reply, "name");
    reply_bulk(reply, stream_group_name(group));
    reply_key_id(reply, "last-delivered-id", group->last_id);
    reply_progress(reply, stream, group);
    reply_key_int(reply, "pel-count", (int64_t)stream_group_pending(group));
    reply_pending(reply, group, NULL, most);
    reply_bulk_string(reply, "consumers");
    reply_array(reply, group->consumer_count);
    for (uint32_t i = 0; i < group->consumer_count; i++)
        reply_consumer_full(reply, group, group->consumers[i], most);
}

/* most: entries of each kind; 0 for all. */
static void reply_full(struct reply *reply, const struct stream *stream, uint64_t most) {
    struct stream_iter iter;
    struct stream_id id;
    size_t fields;
    uint64_t count = stream_count(stream);
    if (most && count > most) count = most;
    reply_map(reply, 9);
    reply_facts(reply, stream);
    reply_bulk_string(reply, "entries");
    reply_array(reply, count);
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    for (; count > 0 && stream_iter_next(&iter, &id, &fields); count--)
        stream_reply_entry(reply, &iter, id, fields);
    reply_bulk_string(reply, "groups");
    reply_array(reply, stream_group_count(stream));
    for (size_t i = 0; i < stream_group_count(stream); i++)
        reply_group_full(reply, stream, stream_group_at(stream, i), most);
}

static void info_stream(struct request *request) {
    enum { USUAL_MOST = 10 };
    struct stream *stream;
    int64_t most = USUAL_MOST;
    bool full = request->argc > 3;
    bool wrong = (request->argc != 3 && request->argc != 4 && request->argc != 6) ||
                 (full && !argument_is(request, 3, "full")) ||
                 (request->argc == 6 && !argument_is(request, 4, "count"));
    if (!open_stream(request, &stream)) return;
    if (wrong) {
        struct bytes word = argument(request, 1);
        reply_error_format(
            request->reply,
            "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try XINFO HELP.",
            (int)word.len, word.data);
        return;
    }
    if (request->argc == 6) {
        if (!argument_i64(request, 5, &most, NULL)) return;
        if (most < 0) most = USUAL_MOST;
    }
    if (full)
        reply_full(request->reply, stream, (uint64_t)most);
    else
        reply_brief(request->reply, stream);
}

/* ---- XINFO GROUPS, CONSUMERS ---- */

static void info_groups(struct request *request) {
    struct stream *stream;
    if (!open_stream(request, &stream)) return;
    struct reply *reply = request->reply;
    reply_array(reply, stream_group_count(stream));
    for (size_t i = 0; i < stream_group_count(stream); i++) {
        const struct stream_group *group = stream_group_at(stream, i);
        reply_map(reply, 6);
        reply_bulk_string(reply, "name");
        reply_bulk(reply, stream_group_name(group));
        reply_key_int(reply, "consumers", group->consumer_count);
        reply_key_int(reply, "pending", (int64_t)stream_group_pending(group));
        reply_key_id(reply, "last-delivered-id", group->last_id);
        reply_progress(reply, stream, group);
    }
}

static int64_t since(const struct request *request, int64_t then_ms) {
    return then_ms < request->now_ms ? request->now_ms - then_ms : 0;
}

static void info_consumers(struct request *request) {
    struct stream *stream;
    if (!open_stream(request, &stream)) return;
    struct reply *reply = request->reply;
    struct bytes name = argument(request, 3), key = argument(request, 2);
    const struct stream_group *group = stream_group_find(stream, name);
    if (!group) {
        reply_error_format(reply, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                           (int)name.len, name.data, (int)key.len, key.data);
        return;
    }
    reply_array(reply, group->consumer_count);
    for (uint32_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];
        reply_map(reply, 4);
        reply_bulk_string(reply, "name");
        reply_bulk(reply, stream_consumer_name(consumer));
        reply_key_int(reply, "pending", (int64_t)stream_consumer_pending(consumer));
        reply_key_int(reply, "idle", since(request, consumer->seen_ms));
        reply_key_int(reply, "inactive",
                      consumer->active_ms == STREAM_NEVER ? STREAM_NEVER
                                                          : since(request, consumer->active_ms));
    }
}

static void help(struct request *request) {
    static const char *const lines[] = {
        "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CONSUMERS <key> <groupname>",
        "    Show consumers of <groupname>.",
        "GROUPS <key>",
        "    Show the stream consumer groups.",
        "STREAM <key> [FULL [COUNT <count>]",
        "    Show information about the stream.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

/* ---- rows ---- */

static const struct command xinfo_rows[] = {
    {.name = "stream",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(1); O(N) for N entries shown with FULL",
     .summary = "Returns what a stream holds; FULL with its first entries, groups and consumers.",
     .syntax = "key [FULL [COUNT count]]",
     .reply = "map",
     .handler = info_stream},
    {.name = "groups",
     .arity = 3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(N) for N groups",
     .summary = "Returns the consumer groups of a stream.",
     .syntax = "key",
     .reply = "array of maps",
     .handler = info_groups},
    {.name = "consumers",
     .arity = 4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(2, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(N) for N consumers",
     .summary = "Returns the consumers of a group.",
     .syntax = "key group",
     .reply = "array of maps",
     .handler = info_consumers},
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
    {.name = "xinfo",
     .arity = -2,
     .groups = 0,
     .since = "5.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for stream introspection commands.",
     .syntax = "",
     .reply = "",
     .subcommands = xinfo_rows},
    {.name = NULL},
};

const struct command_family stream_info_commands = {"stream", rows};
