/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the commands on streams share.
 *
 * What: identifiers from arguments and into replies, entries into replies, opening streams and
 *       groups, and the options that XADD and XTRIM have in common.
 * Lock: the shard of the key concerned. Owner: none of it is kept.
 * Errors: replied; the functions then return false.
 */
#ifndef KN_COMMANDS_STREAM_COMMON_H
#define KN_COMMANDS_STREAM_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "server/arguments.h"
#include "server/request.h"
#include "types/stream.h"
#include "types/stream_group.h"

static inline struct stream *stream_of(const struct entry *entry) {
    return entry_value(entry);
}

/* ---- identifiers ---- */

/* "ms-seq", or "ms" with a seq that is understood. ret_any_seq: may be NULL; else
 * "ms-*" is allowed, and said. */
bool stream_parse_id(struct bytes text, uint64_t missing_seq, struct stream_id *ret_id,
                     bool *ret_any_seq);
bool stream_argument_id(struct request *request, uint32_t index, uint64_t missing_seq,
                        struct stream_id *ret_id);

/* The beginning or the end of a range: an identifier, "-", "+", or "(" and an
 * identifier to leave out. */
enum stream_bound { STREAM_START, STREAM_END };
bool stream_argument_bound(struct request *request, uint32_t index, enum stream_bound bound,
                           struct stream_id *ret_id);

void stream_reply_id(struct reply *reply, struct stream_id id);

/* ---- replies ---- */

/* The array of names and values of the entry that the iterator is at. */
void stream_reply_fields(struct reply *reply, struct stream_iter *iter, size_t fields);
/* The array of identifier and fields. */
void stream_reply_entry(struct reply *reply, struct stream_iter *iter, struct stream_id id,
                        size_t fields);
/* The same for an entry looked for; returns false, with nothing replied, when there is none. */
bool stream_reply_found(struct reply *reply, const struct stream *stream, struct stream_id id);

/* ---- opening ---- */

/* The group of argument `index` in the stream of key 0. Replies the error that there
 * is no such key or group. */
bool stream_open_group(struct request *request, uint32_t index, struct stream **ret_stream,
                       struct stream_group **ret_group);
/* The consumer, made when there is none: key is its stream's place among the request's
 * keys. Notes that it was seen. */
struct stream_consumer *stream_get_consumer(struct request *request, uint32_t key,
                                            struct stream *stream, struct stream_group *group,
                                            struct bytes name);

/* ---- options of XADD and XTRIM; KEEPREF, DELREF, ACKED ---- */

struct stream_options {
    bool no_make, trims, any_id, any_seq, has_limit, approximate;
    int64_t limit;
    struct stream_id id;
    struct stream_trim trim;
    uint32_t next; /* the argument behind the last option; for XADD, behind the identifier */
};
bool stream_parse_options(struct request *request, bool adds, struct stream_options *ret_options);
/* Is the argument KEEPREF, DELREF or ACKED? */
bool stream_refs_word(const struct request *request, uint32_t index, enum stream_refs *ret_refs);

#endif
