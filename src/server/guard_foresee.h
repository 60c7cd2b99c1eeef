/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a write to an enforced key might break, seen beforehand.
 *
 * Always: what could break the pattern is suspected; a suspicion may prove wrong, so
 *         it is not yet a refusal.
 * Lock: the shards of the request's keys. Errors: none; for guard.c only.
 */
#ifndef KN_SERVER_GUARD_FORESEE_H
#define KN_SERVER_GUARD_FORESEE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/guard_judge.h"

struct pattern_rules;
struct request;

struct guard_foresight {
    struct guard_finding suspicion; /* kind VIOLATION_NONE: nothing can be broken */
    bool doubtful; /* it may break a limit by a little, which is noted when it has */
};

/* Of a key that the command may bring about or change. entry: the key's, or NULL. */
void guard_foresee(const struct request *request, uint32_t index, const struct pattern_rules *rules,
                   const struct entry *entry, struct guard_foresight *ret_foresight);

/* Whether a pattern wants a lifetime that the server cannot give by itself. */
bool guard_wants_lifetime_said(const struct pattern *pattern);
/* Whether an entry is too large to be copied for a trial. */
bool guard_is_large(const struct entry *entry);

#endif
