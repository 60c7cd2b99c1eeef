/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The identifier of a stream's entry: two numbers, in order of the first, then the second.
 *
 * What: comparing, and the neighbours of an identifier.
 * Lock and ownership: none. Errors: false where there is no neighbour.
 */
#ifndef KN_DS_STREAM_ID_H
#define KN_DS_STREAM_ID_H

#include <stdbool.h>
#include <stdint.h>

struct stream_id {
    uint64_t ms, seq;
};

#define STREAM_ID_MIN ((struct stream_id){0, 0})
#define STREAM_ID_MAX ((struct stream_id){UINT64_MAX, UINT64_MAX})

static inline int stream_id_compare(struct stream_id a, struct stream_id b) {
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}

static inline bool stream_id_less(struct stream_id a, struct stream_id b) {
    return a.ms < b.ms || (a.ms == b.ms && a.seq < b.seq);
}

static inline bool stream_id_is_zero(struct stream_id id) {
    return id.ms == 0 && id.seq == 0;
}

/* The next identifier; false, and unchanged, for the last of all. */
static inline bool stream_id_next(struct stream_id *id) {
    if (id->seq < UINT64_MAX) {
        id->seq++;
        return true;
    }
    if (id->ms == UINT64_MAX) return false;
    *id = (struct stream_id){id->ms + 1, 0};
    return true;
}

/* The one before; false, and unchanged, for 0-0. */
static inline bool stream_id_previous(struct stream_id *id) {
    if (id->seq > 0) {
        id->seq--;
        return true;
    }
    if (id->ms == 0) return false;
    *id = (struct stream_id){id->ms - 1, UINT64_MAX};
    return true;
}

#endif
