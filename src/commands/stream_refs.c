/* SPDX-License-Identifier: BSD-3-Clause */
/* Deleting with a say in what groups keep of the entries: XDELEX, XACKDEL. */
#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"

enum outcome { OUTCOME_NONE = -1, OUTCOME_DELETED = 1, OUTCOME_KEPT = 2 };

struct ids {
    enum stream_refs refs;
    uint32_t first, count; /* of the arguments */
};

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* [KEEPREF|DELREF|ACKED] IDS numids id [id ...], from an index to the end. */
static bool parse_ids(struct request *request, uint32_t index, struct ids *ret_ids) {
    struct ids ids = {.refs = STREAM_KEEP_REFS};
    struct stream_id id;
    int64_t count;
    if (stream_refs_word(request, index, &ids.refs)) index++;
    if (index + 1 >= request->argc || !argument_is(request, index, "ids")) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    if (!argument_i64_range(request, index + 1, 1, INT64_MAX, &count,
                            "ERR Number of IDs must be a positive integer"))
        return false;
    ids.first = index + 2;
    if (count != (int64_t)request->argc - ids.first)
        return fail(request, "ERR The `numids` parameter must match the number of arguments");
    ids.count = (uint32_t)count;
    for (uint32_t i = 0; i < ids.count; i++)
        if (!stream_argument_id(request, ids.first + i, 0, &id)) return false;
    *ret_ids = ids;
    return true;
}

static struct stream_id id_at(const struct request *request, const struct ids *ids, uint32_t i) {
    struct stream_id id = STREAM_ID_MIN;
    stream_parse_id(argument(request, ids->first + i), 0, &id, NULL);
    return id;
}

static enum outcome delete_one(struct stream *stream, struct stream_id id, enum stream_refs refs) {
    if (refs == STREAM_DELETE_REFS) stream_forget_refs(stream, id);
    if (!stream_has(stream, id)) return OUTCOME_NONE;
    if (refs == STREAM_ACKED_ONLY && stream_is_referenced(stream, id)) return OUTCOME_KEPT;
    stream_delete(stream, id);
    return OUTCOME_DELETED;
}

static void reply_none(struct request *request, uint32_t count) {
    reply_array(request->reply, count);
    for (uint32_t i = 0; i < count; i++) reply_int(request->reply, OUTCOME_NONE);
}

static void xdelex(struct request *request) {
    struct ids ids;
    struct entry *entry;
    bool deleted = false;
    if (!parse_ids(request, 2, &ids)) return;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry) {
        reply_none(request, ids.count);
        return;
    }
    reply_array(request->reply, ids.count);
    for (uint32_t i = 0; i < ids.count; i++) {
        enum outcome outcome = delete_one(stream_of(entry), id_at(request, &ids, i), ids.refs);
        deleted |= outcome == OUTCOME_DELETED;
        reply_int(request->reply, outcome);
    }
    if (deleted)
        request_changed(request, 0, EVENT_STREAM, "xdel");
    else if (ids.refs == STREAM_DELETE_REFS)
        request_changes(request, 0); /* references may have gone */
}

static void xackdel(struct request *request) {
    struct ids ids;
    struct entry *entry;
    bool deleted = false;
    if (!parse_ids(request, 3, &ids)) return;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    struct stream *stream = entry ? stream_of(entry) : NULL;
    struct stream_group *group = stream ? stream_group_find(stream, argument(request, 2)) : NULL;
    if (!group) {
        reply_none(request, ids.count);
        return;
    }
    reply_array(request->reply, ids.count);
    for (uint32_t i = 0; i < ids.count; i++) {
        struct stream_id id = id_at(request, &ids, i);
        if (!stream_pending_remove(stream, group, id)) {
            reply_int(request->reply, OUTCOME_NONE);
            continue;
        }
        /* It was pending: acknowledged it is, whether or not the entry was still there. */
        enum outcome outcome = delete_one(stream, id, ids.refs);
        request_changes(request, 0);
        deleted |= outcome == OUTCOME_DELETED;
        reply_int(request->reply, outcome == OUTCOME_KEPT ? OUTCOME_KEPT : OUTCOME_DELETED);
    }
    if (deleted) request_changed(request, 0, EVENT_STREAM, "xdel");
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "xdelex",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "8.2.0",
     .complexity = "O(log(N)) for each entry; with DELREF or ACKED times the number of groups",
     .summary = "Deletes entries, with a say in what groups keep of them.",
     .syntax = "key [KEEPREF|DELREF|ACKED] IDS numids id [id ...]",
     .reply = "array of integers",
     .handler = xdelex},
    {.name = "xackdel",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE | KEY_DELETE)},
     .since = "8.2.0",
     .complexity = "O(log(N)) for each entry; with DELREF or ACKED times the number of groups",
     .summary = "Acknowledges entries of a consumer group, and deletes them.",
     .syntax = "key group [KEEPREF|DELREF|ACKED] IDS numids id [id ...]",
     .reply = "array of integers",
     .handler = xackdel},
    {.name = NULL},
};

const struct command_family stream_refs_commands = {"stream", rows};
