/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions on the string that a key holds: equal or not, by the value or by its digest.
 *
 * What: IFEQ, IFNE, IFDEQ and IFDNE of SET and DELEX. A digest is XXH3 (64 bits, seed 0) of the
 *       value, sixteen hexadecimal digits: clients compute the same, so it can't be
 *       base/hash.h's, which has a secret.
 * Source: the command reference of Redis 8.4 (DIGEST, DELEX, SET).
 */
#ifndef KN_COMMANDS_STRING_COMPARE_H
#define KN_COMMANDS_STRING_COMPARE_H

#include "commands/string_options.h"

/* The comparison that an argument names, SET_ALWAYS when it names none. */
enum string_condition string_comparison(const struct request *request, uint32_t index);

static inline bool string_compares(enum string_condition condition) {
    return condition >= SET_IF_EQUAL;
}

/* Whether the condition of the options holds for what a key holds: a string, or NULL for nothing.
 * Replies the error and returns false where the digest asked for can't be one. */
bool string_condition_holds(struct request *request, const struct string_options *options,
                            const struct entry *entry, bool *ret_holds);

#endif
