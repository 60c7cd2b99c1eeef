/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: adding, ranges, deleting, trimming. Reading as it comes is in stream_read.c, groups are
 * in stream_group.c, their pending entries in stream_pending.c.
 */
#include "types/stream.h"

#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"

/* ---- XADD ---- */

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* The identifier for a new entry: the one asked for, completed, or one
 * that follows from the time. */
static bool choose_id(struct request *request, const struct stream_options *options,
                      struct stream_id last, struct stream_id *ret_id) {
    struct stream_id id = options->id;
    if (stream_id_compare(last, STREAM_ID_MAX) == 0)
        return fail(request,
                    "ERR The stream has exhausted the last possible ID, unable to add more items");
    if (options->any_id) {
        id = (struct stream_id){(uint64_t)request->now_ms, 0};
        if (!stream_id_less(last, id)) {
            id = last;
            stream_id_next(&id);
        }
    } else if (options->any_seq && id.ms == last.ms && last.seq < UINT64_MAX) {
        id.seq = last.seq + 1;
    }
    if (!stream_id_less(last, id))
        return fail(request, "ERR The ID specified in XADD is equal or smaller than the target "
                             "stream top item");
    *ret_id = id;
    return true;
}

static void trim_after_add(struct request *request, struct stream *stream,
                           const struct stream_options *options) {
    if (options->trims && stream_trim(stream, &options->trim) > 0)
        request_changed(request, 0, EVENT_STREAM, "xtrim");
}

static void xadd(struct request *request) {
    struct stream_options options;
    struct entry *entry;
    struct stream_id id;
    if (!stream_parse_options(request, true, &options)) return;
    if (options.next + 2 > request->argc || (request->argc - options.next) % 2 != 0) {
        reply_error(request->reply, "ERR wrong number of arguments for 'xadd' command");
        return;
    }
    if (!options.any_id && !options.any_seq && stream_id_is_zero(options.id)) {
        reply_error(request->reply, "ERR The ID specified in XADD must be greater than 0-0");
        return;
    }
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry && options.no_make) {
        reply_null(request->reply);
        return;
    }
    struct stream_id last = entry ? stream_facts(stream_of(entry))->last_id : STREAM_ID_MIN;
    if (!choose_id(request, &options, last, &id)) return;
    struct stream *stream = entry ? stream_of(entry) : stream_new(request_heap(request, 0));
    if (stream_add(stream, id, request->argv + options.next, (request->argc - options.next) / 2)) {
        if (!entry) stream_free(stream);
        reply_error(request->reply, "ERR Elements are too large to be stored");
        return;
    }
    if (!entry) request_put(request, 0, NULL, TYPE_STREAM, stream);
    stream_reply_id(request->reply, id);
    request_changed(request, 0, EVENT_STREAM, "xadd");
    trim_after_add(request, stream, &options);
}

/* ---- reading ---- */

static void xlen(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_STREAM, &entry)) return;
    reply_int(request->reply, entry ? (int64_t)stream_count(stream_of(entry)) : 0);
}

static void range(struct request *request, bool backward) {
    struct stream_id from, to, id;
    struct entry *entry;
    int64_t count = -1;
    if (!stream_argument_bound(request, backward ? 3 : 2, STREAM_START, &from) ||
        !stream_argument_bound(request, backward ? 2 : 3, STREAM_END, &to))
        return;
    for (uint32_t i = 4; i < request->argc; i += 2) {
        if (i + 1 == request->argc || !argument_is(request, i, "count")) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return;
        }
        if (!argument_i64(request, i + 1, &count, NULL)) return;
        if (count < 0) count = 0;
    }
    if (!request_read_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry) {
        reply_array(request->reply, 0);
        return;
    }
    if (count == 0) {
        reply_null_array(request->reply);
        return;
    }
    struct stream_iter iter;
    size_t fields, replied = 0, mark = reply_defer(request->reply);
    stream_iter_init(&iter, stream_of(entry), from, to, backward);
    for (; (count < 0 || replied < (size_t)count) && stream_iter_next(&iter, &id, &fields);
         replied++)
        stream_reply_entry(request->reply, &iter, id, fields);
    reply_defer_array(request->reply, mark, replied);
}

static void xrange(struct request *request) {
    range(request, false);
}

static void xrevrange(struct request *request) {
    range(request, true);
}

/* ---- taking out ---- */

static void xdel(struct request *request) {
    struct entry *entry;
    struct stream_id id;
    int64_t deleted = 0;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry) {
        reply_int(request->reply, 0);
        return;
    }
    /* None is deleted unless all are identifiers. */
    for (uint32_t i = 2; i < request->argc; i++)
        if (!stream_argument_id(request, i, 0, &id)) return;
    for (uint32_t i = 2; i < request->argc; i++)
        if (stream_parse_id(argument(request, i), 0, &id, NULL))
            deleted += stream_delete(stream_of(entry), id);
    if (deleted) request_changed(request, 0, EVENT_STREAM, "xdel");
    reply_int(request->reply, deleted);
}

static void xtrim(struct request *request) {
    struct stream_options options;
    struct entry *entry;
    if (!stream_parse_options(request, false, &options)) return;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    uint64_t gone = entry ? stream_trim(stream_of(entry), &options.trim) : 0;
    if (gone) request_changed(request, 0, EVENT_STREAM, "xtrim");
    reply_int(request->reply, (int64_t)gone);
}

/* ---- XSETID ---- */

struct setid {
    struct stream_id last_id, max_deleted;
    int64_t added; /* -1: not given */
};

static bool parse_setid(struct request *request, struct setid *ret_setid) {
    struct setid setid = {.added = -1};
    if (!stream_argument_id(request, 2, 0, &setid.last_id)) return false;
    for (uint32_t i = 3; i < request->argc; i += 2) {
        bool more = i + 1 < request->argc;
        if (more && argument_is(request, i, "entriesadded")) {
            if (!argument_i64(request, i + 1, &setid.added, NULL)) return false;
            if (setid.added < 0) return fail(request, "ERR entries_added must be positive");
        } else if (more && argument_is(request, i, "maxdeletedid")) {
            if (!stream_argument_id(request, i + 1, 0, &setid.max_deleted)) return false;
            if (stream_id_less(setid.last_id, setid.max_deleted))
                return fail(request, "ERR The ID specified in XSETID is smaller than the provided "
                                     "max_deleted_entry_id");
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    *ret_setid = setid;
    return true;
}

/* Is it in order with what the stream holds? */
static bool setid_fits(struct request *request, const struct setid *setid,
                       const struct stream *stream) {
    struct stream_iter iter;
    struct stream_id top;
    size_t fields;
    if (stream_id_less(setid->last_id, stream_facts(stream)->max_deleted))
        return fail(request,
                    "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, true);
    if (!stream_iter_next(&iter, &top, &fields)) return true;
    if (stream_id_less(setid->last_id, top))
        return fail(request,
                    "ERR The ID specified in XSETID is smaller than the target stream top item");
    if (setid->added >= 0 && (uint64_t)setid->added < stream_count(stream))
        return fail(request, "ERR The entries_added specified in XSETID is smaller than the target "
                             "stream length");
    return true;
}

static void xsetid(struct request *request) {
    struct setid setid;
    struct entry *entry;
    if (!parse_setid(request, &setid)) return;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    if (!entry) {
        reply_error_code(request->reply, ERROR_NO_SUCH_KEY);
        return;
    }
    struct stream *stream = stream_of(entry);
    if (!setid_fits(request, &setid, stream)) return;
    struct stream_facts facts = *stream_facts(stream);
    facts.last_id = setid.last_id;
    if (setid.added >= 0) facts.entries_added = (uint64_t)setid.added;
    if (!stream_id_is_zero(setid.max_deleted)) facts.max_deleted = setid.max_deleted;
    stream_set_facts(stream, &facts);
    reply_ok(request->reply);
    request_changed(request, 0, EVENT_STREAM, "xsetid");
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "xadd",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "5.0.0",
     .complexity = "O(1), and O(N) for N entries that are trimmed",
     .summary = "Adds an entry to a stream, which is made when there is none.",
     .syntax = "key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [MAXLEN|MINID [=|~] threshold [LIMIT "
               "count]] *|id field value [field value ...]",
     .reply = "bulk | null",
     .handler = xadd},
    {.name = "xlen",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Counts the entries of a stream.",
     .syntax = "key",
     .reply = "integer",
     .handler = xlen},
    {.name = "xrange",
     .arity = -4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for N entries in the stream and M returned",
     .summary = "Returns the entries in a range of identifiers.",
     .syntax = "key start end [COUNT count]",
     .reply = "array of entries | null array",
     .handler = xrange},
    {.name = "xrevrange",
     .arity = -4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for N entries in the stream and M returned",
     .summary = "Returns the entries in a range of identifiers, the last one first.",
     .syntax = "key end start [COUNT count]",
     .reply = "array of entries | null array",
     .handler = xrevrange},
    {.name = "xdel",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "5.0.0",
     .complexity = "O(log(N)) for each entry",
     .summary = "Deletes entries, and counts those that were there.",
     .syntax = "key id [id ...]",
     .reply = "integer",
     .handler = xdel},
    {.name = "xtrim",
     .arity = -4,
     .flags = COMMAND_WRITE,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "5.0.0",
     .complexity = "O(N) for N entries that are trimmed",
     .summary = "Deletes the oldest entries of a stream.",
     .syntax = "key MAXLEN|MINID [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]",
     .reply = "integer",
     .handler = xtrim},
    {.name = "xsetid",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Sets what a stream remembers of the entries it has had.",
     .syntax = "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
     .reply = "OK",
     .handler = xsetid},
    {.name = NULL},
};

const struct command_family stream_commands = {"stream", rows};
