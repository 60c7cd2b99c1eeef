/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XREAD and XREADGROUP: what comes after an identifier, from several
 * streams, waited for if need be.
 *
 * A command that waits is run anew by whoever changed one of its keys. So that "$" means then
 * what it meant when it was asked, it is replaced by the identifier among the arguments before
 * the client begins to wait.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "commands/families.h"
#include "commands/stream_common.h"
#include "server/command.h"

struct source {
    uint32_t key;               /* its place among the request's */
    struct stream *stream;      /* NULL: there is none */
    struct stream_group *group; /* XREADGROUP, */
    struct stream_consumer *consumer;
    struct stream_id after;       /* entries behind it are read */
    bool is_new;                  /* ">": what the group has not delivered yet */
    struct stream_pending **idle; /* with CLAIM: what is claimed */
    size_t idle_count;
};

struct read {
    bool is_group, no_ack, blocks, claims;
    struct bytes group, consumer;
    int64_t count, timeout_ms, min_idle_ms; /* count 0: all */
    uint32_t first;                         /* argument of the first key */
    uint32_t keys;
    struct source *sources;
    /* With CLAIM: when the next pending entry may have been idle for long enough. */
    int64_t retry_ms;
};

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* ---- options ---- */

static bool fail_unbalanced(struct request *request, const struct read *read) {
    reply_error_format(
        request->reply,
        "ERR Unbalanced '%s' list of streams: for each stream key an ID%s must be specified.",
        request->command->name, read->is_group ? " or '>'" : ", '+', or '$'");
    return false;
}

/* BLOCK, in milliseconds. */
static bool parse_timeout(struct request *request, uint32_t index, int64_t *ret_timeout_ms) {
    int64_t timeout_ms, at_ms;
    if (!argument_i64(request, index, &timeout_ms, "ERR timeout is not an integer or out of range"))
        return false;
    if (timeout_ms < 0) return fail(request, "ERR timeout is negative");
    if (__builtin_add_overflow(timeout_ms, request->now_ms, &at_ms))
        return fail(request, "ERR timeout is out of range");
    *ret_timeout_ms = timeout_ms;
    return true;
}

/* One option; *index comes to stand on its last argument. */
static bool parse_option(struct request *request, uint32_t *index, struct read *read) {
    uint32_t i = *index, more = request->argc - i - 1;
    if (more >= 1 && argument_is(request, i, "block")) {
        read->blocks = true;
        if (!parse_timeout(request, i + 1, &read->timeout_ms)) return false;
        *index = i + 1;
    } else if (more >= 1 && argument_is(request, i, "count")) {
        if (!argument_i64(request, i + 1, &read->count, NULL)) return false;
        if (read->count < 0) read->count = 0;
        *index = i + 1;
    } else if (more >= 2 && argument_is(request, i, "group")) {
        if (!read->is_group)
            return fail(request, "ERR The GROUP option is only supported by XREADGROUP. You called "
                                 "XREAD instead.");
        read->group = argument(request, i + 1);
        read->consumer = argument(request, i + 2);
        *index = i + 2;
    } else if (argument_is(request, i, "noack")) {
        if (!read->is_group)
            return fail(request, "ERR The NOACK option is only supported by XREADGROUP. You called "
                                 "XREAD instead.");
        read->no_ack = true;
    } else if (more >= 1 && argument_is(request, i, "claim")) {
        if (!read->is_group)
            return fail(request, "ERR The CLAIM option is only supported by XREADGROUP. You called "
                                 "XREAD instead.");
        if (!argument_i64(request, i + 1, &read->min_idle_ms,
                          "ERR min-idle-time is not an integer or out of range"))
            return false;
        if (read->min_idle_ms < 0)
            return fail(request, "ERR min-idle-time must be a positive integer");
        read->claims = true;
        read->retry_ms = read->min_idle_ms;
        *index = i + 1;
    } else {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    return true;
}

static bool parse_options(struct request *request, struct read *read) {
    uint32_t i = 1;
    for (; i < request->argc; i++) {
        if (i + 1 < request->argc && argument_is(request, i, "streams")) break;
        if (!parse_option(request, &i, read)) return false;
    }
    if (i >= request->argc) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    read->first = i + 1;
    uint32_t rest = request->argc - read->first;
    if (rest % 2 != 0) return fail_unbalanced(request, read);
    read->keys = rest / 2;
    if (read->is_group && !read->group.data)
        return fail(request, "ERR Missing GROUP option for XREADGROUP");
    /* The keys are those that were found, and locked, by the first STREAMS: a group or consumer of
     * that name may stand before it. */
    if (request->key_count != read->keys || request->keys[0].arg != read->first) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    return true;
}

/* ---- where to read from ---- */

static bool open_group(struct request *request, struct bytes key, const struct read *read,
                       struct source *source) {
    if (source->stream) source->group = stream_group_find(source->stream, read->group);
    if (source->group) return true;
    reply_error_format(
        request->reply,
        "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP with GROUP option",
        (int)key.len, key.data, (int)read->group.len, read->group.data);
    return false;
}

/* The identifier before the last entry, so that the last one is read; for "+". */
static struct stream_id before_last(const struct stream *stream) {
    struct stream_iter iter;
    struct stream_id id = STREAM_ID_MIN;
    size_t fields;
    if (!stream) return id;
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, true);
    if (!stream_iter_next(&iter, &id, &fields)) return stream_facts(stream)->last_id;
    stream_id_previous(&id);
    return id;
}

static bool fail_meaningless(struct request *request, char word) {
    reply_error_format(request->reply,
                       "ERR The %c ID is meaningless in the context of XREADGROUP: you want to "
                       "read the history of this consumer by specifying a proper ID, or use the > "
                       "ID to get new messages. The %c ID would just return an empty result set.",
                       word, word);
    return false;
}

static bool parse_after(struct request *request, uint32_t index, const struct read *read,
                        struct source *source) {
    struct bytes text = argument(request, index);
    char word = text.len == 1 ? text.data[0] : '\0';
    if (word == '>') {
        if (!read->is_group)
            return fail(request, "ERR The > ID can be specified only when calling XREADGROUP using "
                                 "the GROUP <group> <consumer> option.");
        source->is_new = true;
        source->after = source->group->last_id;
        return true;
    }
    if (word == '$' || word == '+') {
        if (read->is_group) return fail_meaningless(request, word);
        if (word == '+')
            source->after = before_last(source->stream);
        else
            source->after = source->stream ? stream_facts(source->stream)->last_id : STREAM_ID_MIN;
        return true;
    }
    if (!stream_argument_id(request, index, 0, &source->after)) return false;
    /* The greatest of all is what ">" stands for. */
    source->is_new = read->is_group && stream_id_compare(source->after, STREAM_ID_MAX) == 0;
    return true;
}

/* A key of another type is an error, but to a waiting XREAD, which goes on waiting. */
static bool open_stream(struct request *request, uint32_t key, const struct read *read,
                        struct source *source) {
    struct entry *entry;
    if (!read->is_group) {
        if (!request_read_typed(request, key, TYPE_STREAM, &entry)) return false;
    } else {
        entry = request_write(request, key);
        if (entry && entry_type(entry) != TYPE_STREAM) {
            reply_error_code(request->reply, ERROR_WRONG_TYPE);
            return false;
        }
    }
    if (entry) source->stream = stream_of(entry);
    return true;
}

static bool open_sources(struct request *request, struct read *read) {
    read->sources = arena_try_array(request->arena, read->keys, sizeof *read->sources);
    if (!read->sources) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    for (uint32_t i = 0; i < read->keys; i++) {
        struct source *source = &read->sources[i];
        *source = (struct source){.key = i};
        if (!open_stream(request, i, read, source)) return false;
        if (read->is_group &&
            !open_group(request, argument(request, read->first + i), read, source))
            return false;
        if (!parse_after(request, read->first + read->keys + i, read, source)) return false;
    }
    return true;
}

/* ---- CLAIM ---- */

static int by_delivery(const void *a, const void *b) {
    const struct stream_pending *const *first = a, *const *second = b;
    if ((*first)->delivered_ms != (*second)->delivered_ms)
        return (*first)->delivered_ms < (*second)->delivered_ms ? -1 : 1;
    return stream_id_compare((*first)->id, (*second)->id);
}

/* Counts what has been idle for long; what of it is no longer in the stream
 * leaves the pending entries. */
static size_t count_idle(struct request *request, struct read *read, struct source *source) {
    struct stream_pending_iter iter;
    struct stream_id next = STREAM_ID_MIN;
    size_t count = 0;
    for (;;) {
        const struct stream_pending *pending;
        stream_pending_iter_init(&iter, source->group, NULL, next);
        while ((pending = stream_pending_iter_next(&iter)) != NULL) {
            int64_t left_ms = read->min_idle_ms - (request->now_ms - pending->delivered_ms);
            if (left_ms > 0) {
                if (left_ms < read->retry_ms) read->retry_ms = left_ms;
                continue;
            }
            if (!stream_has(source->stream, pending->id)) break;
            count++;
        }
        if (!pending) return count;
        next = pending->id;
        stream_pending_remove(source->stream, source->group, next);
        request_changes(request, source->key);
        if (!stream_id_next(&next)) return count;
    }
}

/* Finds what a source has for the consumer to claim, the longest idle first. */
static bool find_idle(struct request *request, struct read *read, struct source *source) {
    struct stream_pending_iter iter;
    struct stream_pending *pending;
    size_t count = count_idle(request, read, source), at = 0;
    if (count == 0) return true;
    source->idle = arena_try_array(request->arena, count, sizeof *source->idle);
    if (!source->idle) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    stream_pending_iter_init(&iter, source->group, NULL, STREAM_ID_MIN);
    while ((pending = stream_pending_iter_next(&iter)) != NULL)
        if (request->now_ms - pending->delivered_ms >= read->min_idle_ms)
            source->idle[at++] = pending;
    qsort(source->idle, count, sizeof *source->idle, by_delivery);
    source->idle_count = count;
    return true;
}

/* ---- delivering ---- */

/* With CLAIM an entry tells how long it had been idle and how often it was delivered before. */
static void reply_claim(struct request *request, const struct read *read, struct stream_iter *iter,
                        struct stream_id id, size_t fields, int64_t idle_ms, uint64_t deliveries) {
    if (!read->claims) {
        stream_reply_entry(request->reply, iter, id, fields);
        return;
    }
    reply_array(request->reply, 4);
    stream_reply_id(request->reply, id);
    stream_reply_fields(request->reply, iter, fields);
    reply_int(request->reply, idle_ms);
    reply_int(request->reply, (int64_t)deliveries);
}

static size_t deliver_idle(struct request *request, const struct read *read,
                           struct source *source) {
    struct stream_iter iter;
    size_t fields, done = 0;
    for (; done < source->idle_count && (read->count == 0 || done < (size_t)read->count); done++) {
        struct stream_pending *pending = source->idle[done];
        struct stream_id id = pending->id;
        int64_t idle_ms = request->now_ms - pending->delivered_ms;
        uint64_t deliveries = pending->deliveries;
        stream_pending_add(source->stream, source->group, source->consumer, id, request->now_ms,
                           NULL);
        pending->delivered_ms = request->now_ms;
        pending->deliveries++;
        stream_iter_init(&iter, source->stream, id, id, false);
        if (stream_iter_next(&iter, &id, &fields))
            reply_claim(request, read, &iter, id, fields, idle_ms, deliveries);
    }
    return done;
}

/* Entries that the group has not delivered yet become pending, unless
 * nobody will acknowledge them. */
static size_t deliver_new(struct request *request, const struct read *read, struct source *source,
                          size_t done) {
    struct stream_iter iter;
    struct stream_id id = source->group->last_id;
    size_t fields;
    if (!stream_id_next(&id)) return done;
    stream_iter_init(&iter, source->stream, id, STREAM_ID_MAX, false);
    for (;
         (read->count == 0 || done < (size_t)read->count) && stream_iter_next(&iter, &id, &fields);
         done++) {
        stream_group_advance(source->stream, source->group, id);
        if (!read->no_ack) {
            struct stream_pending *pending = stream_pending_add(
                source->stream, source->group, source->consumer, id, request->now_ms, NULL);
            pending->delivered_ms = request->now_ms;
            pending->deliveries = 1;
        }
        reply_claim(request, read, &iter, id, fields, 0, 0);
    }
    return done;
}

static size_t reply_new(struct request *request, const struct read *read, struct source *source) {
    size_t claimed = deliver_idle(request, read, source);
    size_t done = deliver_new(request, read, source, claimed);
    if (claimed > 0 || !read->no_ack) source->consumer->active_ms = request->now_ms;
    request_changes(request, source->key);
    return done;
}

/* What is pending for the consumer, with null instead of the fields of entries that are gone. */
static size_t reply_history(struct request *request, const struct read *read,
                            struct source *source) {
    struct stream_pending_iter iter;
    struct stream_pending *pending;
    struct stream_id from = source->after;
    size_t done = 0;
    if (!stream_id_next(&from)) return 0;
    stream_pending_iter_init(&iter, source->group, source->consumer, from);
    while ((read->count == 0 || done < (size_t)read->count) &&
           (pending = stream_pending_iter_next(&iter)) != NULL) {
        done++;
        if (stream_reply_found(request->reply, source->stream, pending->id)) {
            pending->delivered_ms = request->now_ms;
            pending->deliveries++;
        } else {
            reply_array(request->reply, 2);
            stream_reply_id(request->reply, pending->id);
            reply_null_array(request->reply);
        }
    }
    if (done) request_changes(request, source->key);
    return done;
}

static size_t reply_after(struct request *request, const struct read *read,
                          const struct source *source) {
    struct stream_iter iter;
    struct stream_id id = source->after;
    size_t fields, done = 0;
    if (!stream_id_next(&id)) return 0;
    stream_iter_init(&iter, source->stream, id, STREAM_ID_MAX, false);
    for (;
         (read->count == 0 || done < (size_t)read->count) && stream_iter_next(&iter, &id, &fields);
         done++)
        stream_reply_entry(request->reply, &iter, id, fields);
    return done;
}

/* Has the stream an entry behind this identifier? */
static bool has_after(const struct stream *stream, struct stream_id after) {
    struct stream_iter iter;
    struct stream_id id;
    size_t fields;
    if (!stream_id_less(after, stream_facts(stream)->last_id) || !stream_id_next(&after))
        return false;
    stream_iter_init(&iter, stream, after, STREAM_ID_MAX, false);
    return stream_iter_next(&iter, &id, &fields);
}

/* Is there anything to reply? Found out when it is the stream's turn: it may be named twice, and
 * read by then. Returns false when an error was replied. */
static bool look(struct request *request, struct read *read, struct source *source,
                 bool *ret_ready) {
    *ret_ready = false;
    if (!source->stream) return true;
    if (read->is_group && !source->is_new) {
        *ret_ready = true; /* history is replied even when it is empty */
        return true;
    }
    if (source->is_new) source->after = source->group->last_id;
    if (source->is_new && read->claims && !find_idle(request, read, source)) return false;
    *ret_ready = source->idle_count > 0 || has_after(source->stream, source->after);
    return true;
}

/* One of the streams that have something: its name, and the entries. */
static void serve(struct request *request, const struct read *read, uint32_t index) {
    struct source *source = &read->sources[index];
    struct reply *reply = request->reply;
    if (reply->resp < 3) reply_array(reply, 2);
    reply_bulk(reply, argument(request, read->first + index));
    size_t mark = reply_defer(reply), done;
    if (!read->is_group)
        done = reply_after(request, read, source);
    else if (source->is_new)
        done = reply_new(request, read, source);
    else
        done = reply_history(request, read, source);
    reply_defer_array(reply, mark, done);
}

/* ---- waiting ---- */

/* Writes the identifiers that "$" and "+" stood for into the arguments. */
static void settle_ids(struct request *request, const struct read *read) {
    for (uint32_t i = 0; i < read->keys; i++) {
        uint32_t index = read->first + read->keys + i;
        struct bytes text = argument(request, index);
        if (text.len != 1 || (text.data[0] != '$' && text.data[0] != '+')) continue;
        struct stream_id after = read->sources[i].after;
        const char *id = arena_printf(request->arena, "%llu-%llu", (unsigned long long)after.ms,
                                      (unsigned long long)after.seq);
        request->argv[index] = bytes_from_string(id);
    }
}

/* A consumer counts as seen, and is made, also when there is nothing for it. */
static void note_consumers(struct request *request, const struct read *read) {
    for (uint32_t i = 0; i < read->keys; i++) {
        struct source *source = &read->sources[i];
        source->consumer =
            stream_get_consumer(request, i, source->stream, source->group, read->consumer);
    }
}

static void wait_or_give_up(struct request *request, const struct read *read) {
    if (!read->blocks) {
        reply_null_array(request->reply);
        return;
    }
    if (!(request->flags & REQUEST_NO_BLOCK)) settle_ids(request, read);
    request_block(request, 0, read->keys, TYPE_STREAM, read->timeout_ms, BLOCK_NULL_ARRAY);
    /* A group's reader also has to hear that its group is gone. */
    if (!request->block.wanted) return;
    request->block.any_change = read->is_group;
    /* Whatever becomes pending from now on is not idle for long enough any sooner. */
    enum { RETRY_LEAST_MS = 10 };
    if (read->claims)
        request->block.retry_ms = read->retry_ms < RETRY_LEAST_MS ? RETRY_LEAST_MS : read->retry_ms;
}

static void read_streams(struct request *request, bool is_group) {
    struct read read = {.is_group = is_group};
    if (!parse_options(request, &read) || !open_sources(request, &read)) return;
    if (is_group) note_consumers(request, &read);
    struct reply *reply = request->reply;
    size_t mark = reply_defer(reply), served = 0;
    for (uint32_t i = 0; i < read.keys; i++) {
        bool ready;
        size_t before = reply_defer(reply);
        if (!look(request, &read, &read.sources[i], &ready)) {
            /* Only the error is left of the reply. */
            struct bytes error = arena_copy(
                request->arena, bytes_make(reply->out->data + before, reply->out->len - before));
            reply_rewind(reply, mark);
            reply->error_at = mark;
            reply_raw(reply, error);
            return;
        }
        if (ready) serve(request, &read, i);
        served += ready;
    }
    if (served == 0)
        wait_or_give_up(request, &read);
    else if (reply->resp >= 3)
        reply_defer_map(reply, mark, served);
    else
        reply_defer_array(reply, mark, served);
}

static void xread(struct request *request) {
    read_streams(request, false);
}

static void xreadgroup(struct request *request) {
    read_streams(request, true);
}

/* ---- rows ---- */

/* Half of what stands behind STREAMS are keys. */
#define KEYS_OF_STREAMS(from)                                                                    \
    {                                                                                            \
        .flags = KEY_RO | KEY_ACCESS, .find = KEYS_RANGE, .begin = (from), .keyword = "STREAMS", \
        .last = -1, .step = 1, .limit = 2                                                        \
    }

static const struct command rows[] = {
    {.name = "xread",
     .arity = -4,
     .flags = COMMAND_READONLY | COMMAND_BLOCKING,
     .groups = GROUP_STREAM,
     .keys = {KEYS_OF_STREAMS(1)},
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for each stream with N entries, of which M are returned",
     .summary = "Returns what comes after an identifier in each of several streams, and waits for "
                "it if asked to.",
     .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
     .reply = "map of arrays of entries | null array",
     .handler = xread},
    {.name = "xreadgroup",
     .arity = -7,
     .flags = COMMAND_WRITE | COMMAND_BLOCKING,
     .groups = GROUP_STREAM,
     .keys = {KEYS_OF_STREAMS(4)},
     .since = "5.0.0",
     .complexity = "O(log(N)+M) for each stream with N entries, of which M are returned; CLAIM "
                   "looks at all pending entries",
     .summary = "Returns what a consumer group has not delivered yet, or what is pending for the "
                "consumer, and waits for it if asked to.",
     .syntax = "GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] "
               "[NOACK] STREAMS key [key ...] id [id ...]",
     .reply = "map of arrays of entries | null array",
     .handler = xreadgroup},
    {.name = NULL},
};

const struct command_family stream_read_commands = {"stream", rows};
