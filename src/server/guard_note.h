/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said of a violation: to who wrote, and in what CATALOG VIOLATIONS shows.
 *
 * Always: both get the same words, which say what is wrong, of which key, and what would
 *         be right. An error begins with CATALOG and the violation's kind: programs may
 *         rely on these two words.
 * Lock: the key's shard. Errors: none; for guard*.c only.
 */
#ifndef KN_SERVER_GUARD_NOTE_H
#define KN_SERVER_GUARD_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/guard_judge.h"

struct pattern_rules;
struct request;

struct guard_place {
    const struct key *key;
    unsigned db;
    uint16_t id; /* of the pattern */
    const struct pattern_rules *rules;
};

/* prevented: the write was refused, or what was wrong was put right. */
void guard_note(const struct request *request, const struct guard_place *place,
                const struct guard_finding *finding, bool prevented);
/* The same of a client that may be gone. */
void guard_note_of(const struct request *request, uint64_t client, const struct guard_place *place,
                   const struct guard_finding *finding, bool prevented);
/* Notes and replies. */
void guard_refuse(struct request *request, const struct guard_place *place,
                  const struct guard_finding *finding);

#endif
