/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consumer groups of a stream: how far each has read, its consumers, and what
 * they have not acknowledged.
 *
 * What: a group's pending entries are records in a tree by identifier; each consumer has a tree of
 *       the identifiers that are its own.
 * Always: an identifier is pending for one consumer of a group at most: the record and the
 *         consumer's tree agree. Groups, and the consumers of a group, are in the order of their
 *         names, which are unique.
 * Owner: the stream. Pointers to groups and consumers are good until they are deleted; those to
 *        pending records until one is next added or removed in the group. The structs may be read;
 *        what says so may be set.
 * Lock: the caller's. Errors: NULL or false where there is no such thing.
 */
#ifndef KN_TYPES_STREAM_GROUP_H
#define KN_TYPES_STREAM_GROUP_H

#include "types/stream.h"

enum { STREAM_READ_UNKNOWN = -1, STREAM_NEVER = -1 };

struct stream_consumer {
    uint32_t name_len;
    int64_t seen_ms;   /* when it last asked for entries; may be set */
    int64_t active_ms; /* when it last got some; STREAM_NEVER; may be set */
    struct idtree own; /* identifiers that are pending for it */
    char name[];
};

struct stream_pending {
    struct stream_id id;
    int64_t delivered_ms; /* when it was last delivered; may be set */
    uint64_t deliveries;  /* may be set */
    struct stream_consumer *consumer;
};

struct stream_group {
    uint32_t name_len, consumer_count, consumer_cap;
    struct stream_id last_id;           /* the last that was delivered; may be set */
    int64_t entries_read;               /* or STREAM_READ_UNKNOWN; may be set */
    struct idtree pending;              /* struct stream_pending */
    struct stream_consumer **consumers; /* by name */
    char name[];
};

static inline struct bytes stream_group_name(const struct stream_group *group) {
    return bytes_make(group->name, group->name_len);
}

static inline struct bytes stream_consumer_name(const struct stream_consumer *consumer) {
    return bytes_make(consumer->name, consumer->name_len);
}

/* How many entries are pending. */
static inline uint64_t stream_group_pending(const struct stream_group *group) {
    return group->pending.count;
}

static inline uint64_t stream_consumer_pending(const struct stream_consumer *consumer) {
    return consumer->own.count;
}

/* ---- groups ---- */

size_t stream_group_count(const struct stream *stream);
/* index < stream_group_count */
struct stream_group *stream_group_at(const struct stream *stream, size_t index);
struct stream_group *stream_group_find(const struct stream *stream, struct bytes name);
/* NULL when there is one of this name. */
struct stream_group *stream_group_new(struct stream *stream, struct bytes name,
                                      struct stream_id last_id, int64_t entries_read);
void stream_group_delete(struct stream *stream, struct stream_group *group);

/* How many entries were added up to an identifier, STREAM_READ_UNKNOWN
 * where that cannot be told. */
int64_t stream_entries_up_to(const struct stream *stream, struct stream_id id);
/* Are there, from an identifier on, places whose entries were deleted, as far as is known? */
bool stream_has_gap_from(const struct stream *stream, struct stream_id id);
/* How many entries the group has not read yet: all, when it stands before the first. False when
 * that cannot be told. */
bool stream_group_lag(const struct stream *stream, const struct stream_group *group,
                      int64_t *ret_lag);
/* An entry behind the group's last was delivered: last_id and entries_read move on. */
void stream_group_advance(const struct stream *stream, struct stream_group *group,
                          struct stream_id id);

/* ---- consumers ---- */

struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name);
/* NULL when there is one of this name. seen_ms is now, active_ms STREAM_NEVER. */
struct stream_consumer *stream_consumer_new(struct stream *stream, struct stream_group *group,
                                            struct bytes name, int64_t now_ms);
/* Its pending entries go with it. Returns how many they were. */
uint64_t stream_consumer_delete(struct stream *stream, struct stream_group *group,
                                struct stream_consumer *consumer);

/* ---- pending entries ---- */

struct stream_pending *stream_pending_find(const struct stream_group *group, struct stream_id id);
/* Makes an entry pending for a consumer, delivered now for the first time; one that
 * is pending already becomes that consumer's, and keeps its time and count. *ret_new
 * says which (may be NULL). */
struct stream_pending *stream_pending_add(struct stream *stream, struct stream_group *group,
                                          struct stream_consumer *consumer, struct stream_id id,
                                          int64_t now_ms, bool *ret_new);
/* Acknowledges; false when it was not pending. */
bool stream_pending_remove(struct stream *stream, struct stream_group *group, struct stream_id id);
/* The first and the last identifier that are pending; false when none is. */
bool stream_pending_ends(const struct stream_group *group, struct stream_id *ret_first,
                         struct stream_id *ret_last);
/* Is it pending anywhere, or to be read by any group yet? */
bool stream_is_referenced(const struct stream *stream, struct stream_id id);
/* Takes it out of the pending entries of all groups. */
void stream_forget_refs(struct stream *stream, struct stream_id id);

/* Walks the pending entries of a group, or of one consumer, from an identifier on. None must be
 * added or removed meanwhile. */
struct stream_pending_iter {
    const struct stream_group *group;
    bool of_consumer;
    struct idtree_cursor place;
    const struct stream_id *next;
};
/* consumer may be NULL. */
void stream_pending_iter_init(struct stream_pending_iter *iter, const struct stream_group *group,
                              const struct stream_consumer *consumer, struct stream_id from);
struct stream_pending *stream_pending_iter_next(struct stream_pending_iter *iter);

#endif
