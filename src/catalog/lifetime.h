/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long keys of a pattern live, as people write it.
 *
 * What: durations ("90s", "5m", "7d") strictly, and lifetimes of documents in any wording: "5 min",
 *       "1 hour (completed)", "No expiry", "-", "5-60 minutes", "window duration (e.g., 60s)".
 * Always: durations are milliseconds, above zero and at most LIFETIME_MAX_MS.
 * Owner: text in a lifetime is the arena's that was passed. Lock: none. Errors: false.
 */
#ifndef KN_CATALOG_LIFETIME_H
#define KN_CATALOG_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

#define LIFETIME_MAX_MS (INT64_C(1000) * 366 * 86400 * 1000)
enum { DURATION_TEXT_MAX = 32 };

enum lifetime_kind {
    LIFETIME_UNSTATED, /* nobody said */
    LIFETIME_NONE,     /* keys never expire */
    LIFETIME_LIMITED,  /* keys expire */
};

struct lifetime {
    enum lifetime_kind kind;
    bool required;      /* a key without lifetime is a violation */
    int64_t default_ms; /* given to keys that are created without one; 0 is none */
    int64_t minimum_ms; /* stated as a range; 0 is none */
    int64_t maximum_ms; /* more is a violation; 0 is none */
    const char
        *after; /* it begins with an event ("completion"), not with creation; NULL otherwise */
    const char *renewed; /* what begins it anew ("heartbeat"); NULL when nothing is said to */
    const char *note;    /* the document's own words where they say more; NULL otherwise */
};

/* "90s", "1h30m", "500ms"; units ms s m h d w. */
bool duration_parse(struct bytes text, int64_t *ret_ms);
/* The shortest exact form: "5m", "7d", "90s". Returns out, DURATION_TEXT_MAX bytes. */
const char *duration_format(int64_t ms, char *out);
/* For readers: "5 minutes", "1 hour 30 minutes". Returns out, 64 bytes at least. */
const char *duration_words(int64_t ms, char *out, size_t room);

/* The first amount with a unit in free text; where it lies in ret_start and ret_end. */
bool duration_find(struct bytes text, int64_t *ret_ms, size_t *ret_start, size_t *ret_end);

/* A lifetime in any wording. False when nothing in it can be understood as one. An empty text is
 * LIFETIME_UNSTATED. */
bool lifetime_read(struct bytes text, struct arena *arena, struct lifetime *ret_lifetime);

/* The same where bare numbers count in a unit that the heading of their column told. */
bool lifetime_read_in(struct bytes text, int64_t unit_ms, struct arena *arena,
                      struct lifetime *ret_lifetime);
/* The unit that a heading tells: "TTL (s)", "expiry_ms", "Lifetime in
 * minutes"; 0 when it tells none. */
int64_t lifetime_unit(struct bytes heading);

/* Whether they ask the same of keys; notes do not count. */
bool lifetime_equal(const struct lifetime *a, const struct lifetime *b);

#endif
