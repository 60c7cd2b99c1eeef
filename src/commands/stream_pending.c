/* SPDX-License-Identifier: BSD-3-Clause */
/* What a group has delivered and nobody has acknowledged: XACK, XPENDING, XCLAIM, XAUTOCLAIM. */
#include <string.h>

#include "base/arena.h"
#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"

/* ---- XACK ---- */

static void xack(struct request *request) {
    struct entry *entry;
    struct stream_id id;
    int64_t acknowledged = 0;
    if (!request_write_typed(request, 0, TYPE_STREAM, &entry)) return;
    struct stream *stream = entry ? stream_of(entry) : NULL;
    struct stream_group *group = stream ? stream_group_find(stream, argument(request, 2)) : NULL;
    if (!group) {
        reply_int(request->reply, 0);
        return;
    }
    for (uint32_t i = 3; i < request->argc; i++)
        if (!stream_argument_id(request, i, 0, &id)) return;
    for (uint32_t i = 3; i < request->argc; i++)
        if (stream_parse_id(argument(request, i), 0, &id, NULL))
            acknowledged += stream_pending_remove(stream, group, id);
    if (acknowledged) request_changes(request, 0);
    reply_int(request->reply, acknowledged);
}

/* ---- XPENDING ---- */

struct pending_query {
    struct stream_id from, to;
    int64_t min_idle_ms, count;
    bool has_consumer;
    struct bytes consumer;
};

/* [IDLE min-idle-time] start end count [consumer] */
static bool parse_query(struct request *request, struct pending_query *ret_query) {
    struct pending_query query = {0};
    uint32_t i = 3;
    if (request->argc < 6 || request->argc > 9) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    if (argument_is(request, i, "idle")) {
        if (!argument_i64(request, i + 1, &query.min_idle_ms, NULL)) return false;
        i += 2;
        if (i + 3 > request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    if (!argument_i64(request, i + 2, &query.count, NULL) ||
        !stream_argument_bound(request, i, STREAM_START, &query.from) ||
        !stream_argument_bound(request, i + 1, STREAM_END, &query.to))
        return false;
    query.has_consumer = i + 3 < request->argc;
    if (query.has_consumer) query.consumer = argument(request, i + 3);
    *ret_query = query;
    return true;
}

static void reply_summary(struct request *request, const struct stream_group *group) {
    struct reply *reply = request->reply;
    struct stream_id first, last;
    reply_array(reply, 4);
    reply_int(reply, (int64_t)stream_group_pending(group));
    if (!stream_pending_ends(group, &first, &last)) {
        reply_null(reply);
        reply_null(reply);
        reply_null_array(reply);
        return;
    }
    stream_reply_id(reply, first);
    stream_reply_id(reply, last);
    size_t busy = 0;
    for (uint32_t i = 0; i < group->consumer_count; i++)
        busy += stream_consumer_pending(group->consumers[i]) > 0;
    reply_array(reply, busy);
    for (uint32_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];
        if (stream_consumer_pending(consumer) == 0) continue;
        reply_array(reply, 2);
        reply_bulk(reply, stream_consumer_name(consumer));
        reply_bulk_i64(reply, (int64_t)stream_consumer_pending(consumer));
    }
}

static void reply_pending(struct request *request, const struct stream_group *group,
                          const struct pending_query *query) {
    const struct stream_consumer *consumer = NULL;
    struct reply *reply = request->reply;
    if (query->has_consumer) {
        consumer = stream_consumer_find(group, query->consumer);
        if (!consumer) {
            reply_array(reply, 0);
            return;
        }
    }
    struct stream_pending_iter iter;
    const struct stream_pending *pending;
    size_t mark = reply_defer(reply), count = 0;
    stream_pending_iter_init(&iter, group, consumer, query->from);
    while ((int64_t)count < query->count && (pending = stream_pending_iter_next(&iter)) != NULL &&
           !stream_id_less(query->to, pending->id)) {
        int64_t idle_ms = request->now_ms - pending->delivered_ms;
        if (query->min_idle_ms && idle_ms < query->min_idle_ms) continue;
        count++;
        reply_array(reply, 4);
        stream_reply_id(reply, pending->id);
        reply_bulk(reply, stream_consumer_name(pending->consumer));
        reply_int(reply, idle_ms < 0 ? 0 : idle_ms);
        reply_int(reply, (int64_t)pending->deliveries);
    }
    reply_defer_array(reply, mark, count);
}

static void xpending(struct request *request) {
    struct pending_query query;
    struct stream *stream;
    struct stream_group *group;
    bool summary = request->argc == 3;
    if (!summary && !parse_query(request, &query)) return;
    if (!stream_open_group(request, 2, &stream, &group)) return;
    if (summary)
        reply_summary(request, group);
    else
        reply_pending(request, group, &query);
}

/* ---- XCLAIM ---- */

struct claim {
    int64_t min_idle_ms, delivered_ms, deliveries; /* deliveries -1: one more */
    struct stream_id last_id;
    uint32_t ids_end; /* the argument behind the last identifier */
    bool force, just_ids;
};

static bool parse_min_idle(struct request *request, const char *error, int64_t *ret_min_idle_ms) {
    if (!argument_i64(request, 4, ret_min_idle_ms, error)) return false;
    if (*ret_min_idle_ms < 0) *ret_min_idle_ms = 0;
    return true;
}

static bool fail_option(struct request *request, uint32_t index) {
    struct bytes word = argument(request, index);
    reply_error_format(request->reply, "ERR Unrecognized XCLAIM option '%.*s'", (int)word.len,
                       word.data);
    return false;
}

/* One option; *index comes to stand on its last argument. */
static bool parse_claim_option(struct request *request, uint32_t *index, struct claim *claim) {
    uint32_t i = *index;
    bool more = i + 1 < request->argc;
    int64_t value;
    if (argument_is(request, i, "force")) {
        claim->force = true;
        return true;
    }
    if (argument_is(request, i, "justid")) {
        claim->just_ids = true;
        return true;
    }
    *index = i + 1;
    if (more && argument_is(request, i, "idle")) {
        if (!argument_i64(request, i + 1, &value, "ERR Invalid IDLE option argument for XCLAIM"))
            return false;
        if (__builtin_sub_overflow(request->now_ms, value, &claim->delivered_ms))
            claim->delivered_ms = request->now_ms;
    } else if (more && argument_is(request, i, "time")) {
        if (!argument_i64(request, i + 1, &claim->delivered_ms,
                          "ERR Invalid TIME option argument for XCLAIM"))
            return false;
    } else if (more && argument_is(request, i, "retrycount")) {
        if (!argument_i64(request, i + 1, &claim->deliveries,
                          "ERR Invalid RETRYCOUNT option argument for XCLAIM"))
            return false;
    } else if (more && argument_is(request, i, "lastid")) {
        return stream_argument_id(request, i + 1, 0, &claim->last_id);
    } else {
        return fail_option(request, i);
    }
    return true;
}

static bool parse_claim(struct request *request, struct claim *ret_claim) {
    struct claim claim = {.delivered_ms = request->now_ms, .deliveries = -1};
    struct stream_id id;
    if (!parse_min_idle(request, "ERR Invalid min-idle-time argument for XCLAIM",
                        &claim.min_idle_ms))
        return false;
    uint32_t i = 5;
    while (i < request->argc && stream_parse_id(argument(request, i), 0, &id, NULL)) i++;
    claim.ids_end = i;
    for (; i < request->argc; i++)
        if (!parse_claim_option(request, &i, &claim)) return false;
    /* A time to come would make it look idle for less than no time. */
    if (claim.delivered_ms < 0 || claim.delivered_ms > request->now_ms)
        claim.delivered_ms = request->now_ms;
    *ret_claim = claim;
    return true;
}

/* Takes one entry over; returns whether it was replied. */
static bool claim_one(struct request *request, const struct claim *claim, struct stream *stream,
                      struct stream_group *group, struct stream_consumer *consumer,
                      struct stream_id id) {
    struct stream_pending *pending = stream_pending_find(group, id);
    if (!stream_has(stream, id)) {
        if (pending && stream_pending_remove(stream, group, id)) request_changes(request, 0);
        return false;
    }
    if (!pending && !claim->force) return false;
    if (pending && claim->min_idle_ms &&
        request->now_ms - pending->delivered_ms < claim->min_idle_ms)
        return false;
    pending = stream_pending_add(stream, group, consumer, id, request->now_ms, NULL);
    pending->delivered_ms = claim->delivered_ms;
    if (claim->deliveries >= 0)
        pending->deliveries = (uint64_t)claim->deliveries;
    else if (!claim->just_ids)
        pending->deliveries++;
    request_changes(request, 0);
    if (claim->just_ids)
        stream_reply_id(request->reply, id);
    else
        stream_reply_found(request->reply, stream, id);
    return true;
}

static void xclaim(struct request *request) {
    struct claim claim;
    struct stream *stream;
    struct stream_group *group;
    struct stream_id id;
    if (!stream_open_group(request, 2, &stream, &group) || !parse_claim(request, &claim)) return;
    if (stream_id_less(group->last_id, claim.last_id)) {
        group->last_id = claim.last_id;
        request_changes(request, 0);
    }
    struct stream_consumer *consumer =
        stream_get_consumer(request, 0, stream, group, argument(request, 3));
    size_t mark = reply_defer(request->reply), count = 0;
    for (uint32_t i = 5; i < claim.ids_end; i++)
        if (stream_parse_id(argument(request, i), 0, &id, NULL))
            count += claim_one(request, &claim, stream, group, consumer, id);
    reply_defer_array(request->reply, mark, count);
    if (count) consumer->active_ms = request->now_ms;
}

/* ---- XAUTOCLAIM ---- */

struct auto_claim {
    int64_t min_idle_ms, count;
    struct stream_id from;
    bool just_ids;
};

static bool parse_auto_claim(struct request *request, struct auto_claim *ret_claim) {
    enum { USUAL_COUNT = 100, ENTRY_BYTES = 16 }; /* Redis keeps room for all identifiers */
    struct auto_claim claim = {.count = USUAL_COUNT};
    if (!parse_min_idle(request, "ERR Invalid min-idle-time argument for XAUTOCLAIM",
                        &claim.min_idle_ms) ||
        !stream_argument_bound(request, 5, STREAM_START, &claim.from))
        return false;
    for (uint32_t i = 6; i < request->argc; i++) {
        if (i + 1 < request->argc && argument_is(request, i, "count")) {
            if (!argument_i64_range(request, ++i, 1, INT64_MAX / ENTRY_BYTES, &claim.count,
                                    "ERR COUNT must be > 0"))
                return false;
        } else if (argument_is(request, i, "justid")) {
            claim.just_ids = true;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    *ret_claim = claim;
    return true;
}

/* Identifiers of entries that were pending and are no longer in the stream. */
struct gone {
    struct stream_id *ids;
    size_t count, room;
};

static bool gone_add(struct request *request, struct gone *gone, struct stream_id id) {
    enum { FIRST_ROOM = 16 };
    if (gone->count == gone->room) {
        size_t room = gone->room ? gone->room * 2 : FIRST_ROOM;
        struct stream_id *ids = arena_try_array(request->arena, room, sizeof *ids);
        if (!ids) return false;
        if (gone->count) memcpy(ids, gone->ids, gone->count * sizeof *ids);
        gone->ids = ids;
        gone->room = room;
    }
    gone->ids[gone->count++] = id;
    return true;
}

static void take_over(struct request *request, const struct auto_claim *claim,
                      struct stream *stream, struct stream_group *group,
                      struct stream_consumer *consumer, struct stream_pending *pending) {
    stream_pending_add(stream, group, consumer, pending->id, request->now_ms, NULL);
    pending->delivered_ms = request->now_ms;
    if (!claim->just_ids) pending->deliveries++;
    request_changes(request, 0);
    if (claim->just_ids)
        stream_reply_id(request->reply, pending->id);
    else
        stream_reply_found(request->reply, stream, pending->id);
}

/* Replies what is claimed, and returns how much; *ret_next is where to go on, 0-0 at the
 * end. Claiming gives a pending entry to another consumer and leaves its place among the
 * group's, so the walk goes on. */
static size_t claim_idle(struct request *request, const struct auto_claim *claim,
                         struct stream *stream, struct stream_group *group,
                         struct stream_consumer *consumer, struct gone *gone,
                         struct stream_id *ret_next) {
    enum { LOOKS = 10 }; /* at pending entries, for each that is wanted */
    struct stream_pending_iter iter;
    struct stream_pending *pending = NULL;
    size_t claimed = 0;
    int64_t left = claim->count, looks = claim->count * LOOKS;
    stream_pending_iter_init(&iter, group, NULL, claim->from);
    while (looks > 0 && left > 0 && (pending = stream_pending_iter_next(&iter)) != NULL) {
        struct stream_id id = pending->id;
        looks--;
        if (!stream_has(stream, id)) {
            if (!gone_add(request, gone, id)) break;
            stream_pending_remove(stream, group, id);
            stream_pending_iter_init(&iter, group, NULL, id);
            request_changes(request, 0);
            left--;
        } else if (!claim->min_idle_ms ||
                   request->now_ms - pending->delivered_ms >= claim->min_idle_ms) {
            take_over(request, claim, stream, group, consumer, pending);
            claimed++;
            left--;
        }
    }
    pending = stream_pending_iter_next(&iter);
    *ret_next = pending ? pending->id : STREAM_ID_MIN;
    return claimed;
}

static void xautoclaim(struct request *request) {
    struct auto_claim claim;
    struct stream *stream;
    struct stream_group *group;
    struct gone gone = {0};
    struct stream_id next;
    if (!parse_auto_claim(request, &claim) || !stream_open_group(request, 2, &stream, &group))
        return;
    struct reply *reply = request->reply;
    struct stream_consumer *consumer =
        stream_get_consumer(request, 0, stream, group, argument(request, 3));
    /* What comes first in the reply is known last: it is put in where the entries begin. */
    size_t mark = reply_defer(reply);
    size_t claimed = claim_idle(request, &claim, stream, group, consumer, &gone, &next);
    if (claimed) consumer->active_ms = request->now_ms;
    reply_defer_array(reply, mark, claimed);
    struct bytes entries =
        arena_copy(request->arena, bytes_make(reply->out->data + mark, reply->out->len - mark));
    reply_rewind(reply, mark);
    reply_array(reply, 3);
    stream_reply_id(reply, next);
    reply_raw(reply, entries);
    reply_array(reply, gone.count);
    for (size_t i = 0; i < gone.count; i++) stream_reply_id(reply, gone.ids[i]);
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "xack",
     .arity = -4,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "5.0.0",
     .complexity = "O(log(N)) for each entry, with N that are pending",
     .summary = "Acknowledges entries of a consumer group, and counts those that were pending.",
     .syntax = "key group id [id ...]",
     .reply = "integer",
     .handler = xack},
    {.name = "xpending",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "5.0.0",
     .complexity = "O(N) for N entries looked at; O(M) for M consumers without a range",
     .summary = "Lists entries that were delivered and not acknowledged, or sums them up.",
     .syntax = "key group [[IDLE min-idle-time] start end count [consumer]]",
     .reply = "array",
     .handler = xpending},
    {.name = "xclaim",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "5.0.0",
     .complexity = "O(log(N)) for each entry, with N that are pending",
     .summary = "Takes over pending entries of other consumers.",
     .syntax = "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-ms] "
               "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]",
     .reply = "array of entries | array of bulks",
     .handler = xclaim},
    {.name = "xautoclaim",
     .arity = -6,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_STREAM,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "6.2.0",
     .complexity = "O(1) for a small COUNT",
     .summary = "Takes over entries that have been pending for long.",
     .syntax = "key group consumer min-idle-time start [COUNT count] [JUSTID]",
     .reply = "array of bulk, array of entries, array of bulks",
     .handler = xautoclaim},
    {.name = NULL},
};

const struct command_family stream_pending_commands = {"stream", rows};
