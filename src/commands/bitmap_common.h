/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the commands on bits share: where a bit is, and a string made long enough for it.
 *
 * Lock: that of the request's keys. Errors: replied, as arguments.h has it.
 */
#ifndef KN_COMMANDS_BITMAP_COMMON_H
#define KN_COMMANDS_BITMAP_COMMON_H

#include "server/request.h"

/* A place in bits, below what proto-max-bulk-len allows. With bits > 0, "#n" is n times as many. */
bool bitmap_offset(struct request *request, uint32_t index, unsigned bits, uint64_t *ret_at);

/* Makes the first key's string reach to this bit, and returns its bytes, to be changed until the
 * next store call; NULL when that failed. ret_grown: the key is new or longer now. */
char *bitmap_reach(struct request *request, struct entry *entry, uint64_t last, bool *ret_grown);

#endif
