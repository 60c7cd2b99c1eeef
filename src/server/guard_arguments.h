/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be told of a write from its command and arguments, before it runs.
 *
 * Lock: the key's shard. Errors: none; for guard.c only.
 */
#ifndef KN_SERVER_GUARD_ARGUMENTS_H
#define KN_SERVER_GUARD_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/model.h"
#include "server/violations.h"
#include "store/entry.h"

struct request;

/* What the command does with a key of its own, as its row says. */
unsigned guard_key_flags(const struct request *request, uint32_t index);
/* Whether what was there before does not matter. */
bool guard_overwrites(const struct request *request, uint32_t index);
/* The type of key that the command makes where there is none, or overwrites with; -1 when its row does not tell. */
int guard_type_made(const struct request *request, uint32_t index);
/* How many elements it may add to an entry, at most; exact for the commands that add given elements. */
size_t guard_elements_added(const struct request *request, uint32_t index,
                            const struct entry *entry);
/* Bytes of what it brings. */
size_t guard_bytes_brought(const struct request *request);
/* The first field that the pattern does not know, or value of the wrong format; VIOLATION_NONE without one.
 * *ret_what: which, a view. */
enum violation_kind guard_examine_values(const struct request *request, uint32_t index,
                                         const struct pattern *pattern, struct bytes *ret_what);

#endif
