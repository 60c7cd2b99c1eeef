/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was done against the catalog, the last of it: for CATALOG VIOLATIONS.
 *
 * What: a ring of records. How many there were of each pattern is counted in the
 *       store (TALLY_VIOLATIONS).
 * Always: a record names things by copies: it may outlive key, pattern and catalog.
 * Owner: the server. Lock: its own, taken inside shards. Errors: none.
 */
#ifndef KN_SERVER_VIOLATIONS_H
#define KN_SERVER_VIOLATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum violation_kind {
    VIOLATION_NONE,
    VIOLATION_TYPE,
    VIOLATION_LIFETIME_MISSING,
    VIOLATION_LIFETIME_LONG,
    VIOLATION_DATABASE,
    VIOLATION_KEY_SIZE,
    VIOLATION_VALUE_SIZE,
    VIOLATION_ELEMENTS,
    VIOLATION_FIELD,
    VIOLATION_FORMAT,
    VIOLATION_UNMATCHED,
    VIOLATION_KINDS
};

extern const char *const violation_names[VIOLATION_KINDS];

enum {
    VIOLATION_KEY_MAX = 256,
    VIOLATION_NAME_MAX = 64,
    VIOLATION_TEXT_MAX = 640,
    VIOLATIONS_KEPT = 1024
};

struct violation {
    uint64_t serial; /* from 1 */
    int64_t at_ms;
    uint64_t client;
    enum violation_kind kind;
    bool refused; /* or put right */
    unsigned db;
    char pattern[VIOLATION_NAME_MAX], catalog[VIOLATION_NAME_MAX], command[VIOLATION_NAME_MAX];
    uint16_t key_len; /* cut at VIOLATION_KEY_MAX */
    char key[VIOLATION_KEY_MAX];
    char text[VIOLATION_TEXT_MAX]; /* what is wrong, and what would be right */
};

struct violations;

struct violations *violations_new(void);
void violations_free(struct violations *violations);
/* Copies the record, and gives it its serial. */
void violations_add(struct violations *violations, const struct violation *violation);
/* For a script that may have to begin again: what this thread adds is kept from violations_hold on,
 * until it is released or dropped. */
void violations_hold(void);
void violations_release(struct violations *violations);
void violations_drop(void);
/* Copies up to most records, the newest first; returns how many. catalog,
 * pattern: of these only, NULL of all. */
unsigned violations_last(struct violations *violations, const char *catalog, const char *pattern,
                         struct violation *ret_violations, unsigned most);
void violations_clear(struct violations *violations);

#endif
