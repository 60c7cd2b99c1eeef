/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Glob patterns, as KEYS, SCAN, PSUBSCRIBE and CONFIG GET read them.
 *
 * What: '*', '?', classes with ranges and '^', '\' to escape; a class that is never closed ends
 *       with the pattern. Bytes, not characters.
 * Always: time is bounded by pattern length times string length, whatever the pattern.
 * Owner, lock and errors: none.
 */
#ifndef KN_BASE_GLOB_H
#define KN_BASE_GLOB_H

#include <stdbool.h>

#include "base/bytes.h"

bool glob_match(struct bytes pattern, struct bytes string, bool nocase);

#endif
