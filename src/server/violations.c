/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/violations.h"

#include <assert.h>
#include <string.h>

#include "base/lock.h"
#include "base/memory.h"

const char *const violation_names[VIOLATION_KINDS] = {
    [VIOLATION_NONE] = "none",
    [VIOLATION_TYPE] = "type",
    [VIOLATION_LIFETIME_MISSING] = "lifetime-missing",
    [VIOLATION_LIFETIME_LONG] = "lifetime-long",
    [VIOLATION_DATABASE] = "database",
    [VIOLATION_KEY_SIZE] = "key-size",
    [VIOLATION_VALUE_SIZE] = "value-size",
    [VIOLATION_ELEMENTS] = "elements",
    [VIOLATION_FIELD] = "field",
    [VIOLATION_FORMAT] = "format",
    [VIOLATION_UNMATCHED] = "unmatched",
};

static_assert((VIOLATIONS_KEPT & (VIOLATIONS_KEPT - 1)) == 0, "rings that double");

struct violations {
    struct lock lock;
    uint64_t serial;
    unsigned count;         /* of records that are kept */
    struct violation *ring; /* serial % VIOLATIONS_KEPT; made with the first */
};

struct violations *violations_new(void) {
    struct violations *violations = mem_zalloc(sizeof *violations);
    lock_init(&violations->lock);
    return violations;
}

void violations_free(struct violations *violations) {
    mem_free(violations->ring);
    mem_free(violations);
}

/* Of a script that may still be undone. */
static _Thread_local struct {
    bool on;
    unsigned count, room;
    struct violation *ring; /* the last VIOLATIONS_KEPT */
} held;

void violations_hold(void) {
    held.on = true;
}

void violations_release(struct violations *violations) {
    unsigned first = held.count > VIOLATIONS_KEPT ? held.count - VIOLATIONS_KEPT : 0;
    held.on = false;
    for (unsigned i = first; i < held.count; i++)
        violations_add(violations, &held.ring[i % VIOLATIONS_KEPT]);
    violations_drop();
}

void violations_drop(void) {
    mem_free(held.ring);
    held.on = false;
    held.ring = NULL;
    held.count = held.room = 0;
}

static void hold(const struct violation *violation) {
    if (held.count == held.room && held.room < VIOLATIONS_KEPT) {
        held.room = held.room ? held.room * 2 : 4;
        held.ring = mem_realloc(held.ring, held.room * sizeof *held.ring);
    }
    held.ring[held.count++ % VIOLATIONS_KEPT] = *violation;
}

void violations_add(struct violations *violations, const struct violation *violation) {
    if (held.on) {
        hold(violation);
        return;
    }
    lock_take(&violations->lock);
    if (violations->ring == NULL)
        violations->ring = mem_zalloc(VIOLATIONS_KEPT * sizeof *violations->ring);
    struct violation *record = &violations->ring[++violations->serial % VIOLATIONS_KEPT];
    *record = *violation;
    record->serial = violations->serial;
    if (violations->count < VIOLATIONS_KEPT) violations->count++;
    lock_give(&violations->lock);
}

unsigned violations_last(struct violations *violations, const char *catalog, const char *pattern,
                         struct violation *ret_violations, unsigned most) {
    unsigned found = 0;
    lock_take(&violations->lock);
    for (unsigned i = 0; i < violations->count && found < most; i++) {
        const struct violation *record =
            &violations->ring[(violations->serial - i) % VIOLATIONS_KEPT];
        if (pattern != NULL && strcmp(record->pattern, pattern) != 0) continue;
        if (catalog != NULL && strcmp(record->catalog, catalog) != 0) continue;
        ret_violations[found++] = *record;
    }
    lock_give(&violations->lock);
    return found;
}

void violations_clear(struct violations *violations) {
    lock_take(&violations->lock);
    violations->count = 0;
    lock_give(&violations->lock);
}
