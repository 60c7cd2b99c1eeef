/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys that SCAN has told of before.
 *
 * What: remembers the hashes of the last keys that came, at least SEEN_KEYS of them, so that a
 *       repeat is known. A server repeats keys while its table shrinks or grows, and then those
 *       it told of a moment ago.
 * Always: takes 2 * SEEN_BYTES at most, whatever comes. A key is taken for another's repeat with a
 *         probability below one in a million million.
 * Owner: seen_free. Lock: none. Errors: none.
 */
#ifndef KN_CLI_SEEN_H
#define KN_CLI_SEEN_H

#include <stdbool.h>
#include <stdint.h>

enum { SEEN_KEYS = 2 << 20, SEEN_BYTES = 32 << 20 };

struct seen;

struct seen *seen_new(void);
void seen_free(struct seen *seen);
/* True when the hash is among those remembered; otherwise it is remembered from now on. */
bool seen_before(struct seen *seen, uint64_t hash);

#endif
