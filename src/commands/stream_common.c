/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/stream_common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/command.h"
#include "types/limits.h"

/* ---- identifiers ---- */

enum { ID_TEXT_MAX = 127 };

/* A number as Redis reads it here: what strtoull takes, but for a sign that makes it negative. */
static bool parse_part(const char *text, uint64_t *ret_value) {
    if (number_parse_u64(bytes_from_string(text), ret_value)) return true;
    int64_t negative;
    if (*text == '\0' || number_parse_i64(bytes_from_string(text), &negative)) return false;
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') return false;
    *ret_value = value;
    return true;
}

bool stream_parse_id(struct bytes text, uint64_t missing_seq, struct stream_id *ret_id,
                     bool *ret_any_seq) {
    char copy[ID_TEXT_MAX + 1];
    struct stream_id id = {.seq = missing_seq};
    bool any_seq = false;
    if (text.len > ID_TEXT_MAX) return false;
    if (text.len) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    char *dash = strchr(copy, '-');
    if (dash) *dash = '\0';
    if (!parse_part(copy, &id.ms)) return false;
    if (dash && ret_any_seq && strcmp(dash + 1, "*") == 0) {
        any_seq = true;
        id.seq = 0;
    } else if (dash && !parse_part(dash + 1, &id.seq)) {
        return false;
    }
    if (ret_any_seq) *ret_any_seq = any_seq;
    *ret_id = id;
    return true;
}

static bool reply_bad_id(struct request *request) {
    reply_error(request->reply, "ERR Invalid stream ID specified as stream command argument");
    return false;
}

bool stream_argument_id(struct request *request, uint32_t index, uint64_t missing_seq,
                        struct stream_id *ret_id) {
    return stream_parse_id(argument(request, index), missing_seq, ret_id, NULL) ||
           reply_bad_id(request);
}

bool stream_argument_bound(struct request *request, uint32_t index, enum stream_bound bound,
                           struct stream_id *ret_id) {
    struct bytes text = argument(request, index);
    uint64_t missing_seq = bound == STREAM_START ? 0 : UINT64_MAX;
    if (bytes_equal(text, BYTES("-"))) {
        *ret_id = STREAM_ID_MIN;
        return true;
    }
    if (bytes_equal(text, BYTES("+"))) {
        *ret_id = STREAM_ID_MAX;
        return true;
    }
    bool excludes = text.len > 1 && text.data[0] == '(';
    struct stream_id id;
    if (excludes) text = bytes_make(text.data + 1, text.len - 1);
    if (!stream_parse_id(text, missing_seq, &id, NULL)) return reply_bad_id(request);
    if (excludes && !(bound == STREAM_START ? stream_id_next(&id) : stream_id_previous(&id))) {
        reply_error(request->reply, bound == STREAM_START ? "ERR invalid start ID for the interval"
                                                          : "ERR invalid end ID for the interval");
        return false;
    }
    *ret_id = id;
    return true;
}

void stream_reply_id(struct reply *reply, struct stream_id id) {
    char text[2 * NUMBER_I64_MAX + 1];
    unsigned len = number_format_u64(text, id.ms);
    text[len++] = '-';
    len += number_format_u64(text + len, id.seq);
    reply_bulk(reply, bytes_make(text, len));
}

/* ---- replies ---- */

void stream_reply_fields(struct reply *reply, struct stream_iter *iter, size_t fields) {
    struct bytes name, value;
    reply_array(reply, fields * 2);
    for (; fields > 0; fields--) {
        stream_iter_field(iter, &name, &value);
        reply_bulk(reply, name);
        reply_bulk(reply, value);
    }
}

void stream_reply_entry(struct reply *reply, struct stream_iter *iter, struct stream_id id,
                        size_t fields) {
    reply_array(reply, 2);
    stream_reply_id(reply, id);
    stream_reply_fields(reply, iter, fields);
}

bool stream_reply_found(struct reply *reply, const struct stream *stream, struct stream_id id) {
    struct stream_iter iter;
    size_t fields;
    stream_iter_init(&iter, stream, id, id, false);
    if (!stream_iter_next(&iter, &id, &fields)) return false;
    stream_reply_entry(reply, &iter, id, fields);
    return true;
}

/* ---- opening ---- */

bool stream_open_group(struct request *request, uint32_t index, struct stream **ret_stream,
                       struct stream_group **ret_group) {
    struct entry *entry;
    struct bytes name = argument(request, index);
    bool writes = request->command->flags & COMMAND_WRITE;
    if (!(writes ? request_write_typed : request_read_typed)(request, 0, TYPE_STREAM, &entry))
        return false;
    struct stream_group *group = entry ? stream_group_find(stream_of(entry), name) : NULL;
    if (!group) {
        struct bytes key = request_key_asked(request, 0);
        reply_error_format(request->reply, "NOGROUP No such key '%.*s' or consumer group '%.*s'",
                           (int)key.len, key.data, (int)name.len, name.data);
        return false;
    }
    *ret_stream = stream_of(entry);
    *ret_group = group;
    return true;
}

struct stream_consumer *stream_get_consumer(struct request *request, uint32_t key,
                                            struct stream *stream, struct stream_group *group,
                                            struct bytes name) {
    struct stream_consumer *consumer = stream_consumer_find(group, name);
    if (!consumer) {
        consumer = stream_consumer_new(stream, group, name, request->now_ms);
        request_changes(request, key);
        store_notify(request->store, request->db, request_key(request, key),
                     EVENT_STREAM | EVENT_QUIET, "xgroup-createconsumer");
    }
    consumer->seen_ms = request->now_ms;
    return consumer;
}

/* ---- options of XADD and XTRIM ---- */

bool stream_refs_word(const struct request *request, uint32_t index, enum stream_refs *ret_refs) {
    if (argument_is(request, index, "keepref"))
        *ret_refs = STREAM_KEEP_REFS;
    else if (argument_is(request, index, "delref"))
        *ret_refs = STREAM_DELETE_REFS;
    else if (argument_is(request, index, "acked"))
        *ret_refs = STREAM_ACKED_ONLY;
    else
        return false;
    return true;
}

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* MAXLEN or MINID from its word on; *index comes to stand on the last argument that was read. */
static bool parse_threshold(struct request *request, uint32_t *index,
                            struct stream_options *options) {
    struct stream_trim *trim = &options->trim;
    if (options->trims)
        return fail(request, "ERR syntax error, MAXLEN and MINID options at the same time are not "
                             "compatible");
    options->trims = true;
    trim->by_id = argument_is(request, *index, "minid");
    uint32_t i = *index + 1;
    if (i + 1 < request->argc && bytes_equal(argument(request, i), BYTES("~"))) {
        options->approximate = true;
        i++;
    } else if (i + 1 < request->argc && bytes_equal(argument(request, i), BYTES("="))) {
        i++;
    }
    *index = i;
    if (trim->by_id) return stream_argument_id(request, i, 0, &trim->min_id);
    int64_t keep;
    if (!argument_i64(request, i, &keep, NULL)) return false;
    if (keep < 0) return fail(request, "ERR The MAXLEN argument must be >= 0.");
    trim->keep = (uint64_t)keep;
    return true;
}

/* What goes together, and how much an approximate trim does at once if it is not told. */
static bool settle_options(struct request *request, bool adds, struct stream_options *options) {
    enum { BLOCKS_AT_ONCE = 100, USUAL_MOST = 10000, LARGEST_MOST = 1000000 };
    if (options->limit && !options->trims)
        return fail(request, "ERR syntax error, LIMIT cannot be used without specifying a trimming "
                             "strategy");
    if (!adds && !options->trims)
        return fail(request, "ERR syntax error, XTRIM must be called with a trimming strategy");
    if (options->has_limit && !options->approximate)
        return fail(request, "ERR syntax error, LIMIT cannot be used without the special ~ option");
    struct stream_trim *trim = &options->trim;
    trim->whole_blocks = options->approximate;
    if (!options->approximate) return true;
    if (options->has_limit) {
        trim->most = (uint64_t)options->limit;
        return true;
    }
    int64_t entries = type_limit(&type_limits.stream_node_max_entries);
    trim->most = entries <= 0                              ? USUAL_MOST
                 : entries > LARGEST_MOST / BLOCKS_AT_ONCE ? LARGEST_MOST
                                                           : (uint64_t)entries * BLOCKS_AT_ONCE;
    return true;
}

bool stream_parse_options(struct request *request, bool adds, struct stream_options *ret_options) {
    struct stream_options options = {0};
    uint32_t i = 2;
    for (; i < request->argc; i++) {
        bool more = i + 1 < request->argc;
        if (adds && bytes_equal(argument(request, i), BYTES("*"))) {
            options.any_id = true;
            break;
        }
        if (more && (argument_is(request, i, "maxlen") || argument_is(request, i, "minid"))) {
            if (!parse_threshold(request, &i, &options)) return false;
        } else if (more && argument_is(request, i, "limit")) {
            if (!argument_i64(request, ++i, &options.limit, NULL)) return false;
            if (options.limit < 0) return fail(request, "ERR The LIMIT argument must be >= 0.");
            options.has_limit = true;
        } else if (adds && argument_is(request, i, "nomkstream")) {
            options.no_make = true;
        } else if (stream_refs_word(request, i, &options.trim.refs)) {
            continue;
        } else if (adds) {
            if (!stream_parse_id(argument(request, i), 0, &options.id, &options.any_seq))
                return reply_bad_id(request);
            break;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    options.next = i + 1;
    if (!settle_options(request, adds, &options)) return false;
    *ret_options = options;
    return true;
}
