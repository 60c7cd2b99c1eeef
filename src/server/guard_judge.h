/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with a key as a write has made it, or would.
 *
 * Always: what was there before is not held against a write: only what it brings, or
 *         makes larger than it was.
 * Owner: findings hold copies, which outlast the values that they are about.
 * Lock: the key's shard. Errors: none; for guard*.c only.
 */
#ifndef KN_SERVER_GUARD_JUDGE_H
#define KN_SERVER_GUARD_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/model.h"
#include "server/violations.h"
#include "store/entry.h"
#include "store/key.h"

enum { GUARD_SHOWN_MAX = 128 }; /* bytes of a key or value in a message */

struct guard_finding {
    enum violation_kind kind;
    enum value_format format; /* the one that was asked for */
    uint8_t what_len;         /* of the field, or of the value of a wrong format */
    char what[GUARD_SHOWN_MAX];
};

struct guard_case {
    const struct key *key;
    unsigned db;
    const struct pattern *pattern;
    const struct entry *before, *after; /* NULL: there is no key */
    bool anew;     /* what there was has been overwritten: its type is no excuse */
    bool contents; /* formats and fields, too: costs a look at every element */
    int64_t now_ms;
};

/* ret_finding: the first thing that is wrong; kind VIOLATION_NONE without one. */
void guard_judge(const struct guard_case *about, struct guard_finding *ret_finding);

/* What the key's name and database alone are wrong by: of a value that comes from elsewhere. */
enum violation_kind guard_judge_place(const struct guard_case *about);

/* A value that has no field, and one that has. */
void guard_judge_value(const struct pattern *pattern, struct bytes value,
                       struct guard_finding *ret_finding);
void guard_judge_field(const struct pattern *pattern, struct bytes field, struct bytes value,
                       struct guard_finding *ret_finding);

/* The type that a pattern states, which it does. */
enum value_type guard_type_wanted(const struct pattern *pattern);
/* What the limit of a value's size is about: a string's length, a collection's memory. */
size_t guard_value_size(const struct entry *entry);

#endif
