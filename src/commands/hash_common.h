/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the commands on hashes share.
 *
 * What: opening a hash to change it, and the FIELDS numfields field ... part of the arguments.
 * Always: a hash that was opened has been relieved of fields that had expired, if not of too many
 *         at once, and events were published for that. Types skip those that are left.
 * Lock: the shard of the request's first key. Owner: none of it is kept.
 * Errors: replied; the functions then return false.
 */
#ifndef KN_COMMANDS_HASH_COMMON_H
#define KN_COMMANDS_HASH_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "server/arguments.h"
#include "server/request.h"
#include "types/hash.h"

static inline struct hash *hash_of(const struct entry *entry) {
    return entry_value(entry);
}

/* *ret_entry is NULL when there is no hash. */
bool hash_open_read(struct request *request, struct entry **ret_entry);
bool hash_open_write(struct request *request, struct entry **ret_entry);

/* The value of a field, or null. entry may be NULL. */
void hash_reply_value(struct request *request, const struct entry *entry, struct bytes field);

/* Tells the store when to look for fields that have expired, after a field was given an expiry. */
void hash_note_expiry(struct request *request, const struct entry *entry);

struct field_range {
    uint32_t first, count; /* in argv */
};

/* FIELDS numfields field [field ...], from an index to the end. */
bool hash_parse_fields(struct request *request, uint32_t index, const char *bad_count_error,
                       struct field_range *ret_range);
#define HASH_BAD_COUNT "ERR Number of fields must be a positive integer"

void hash_reply_arity(struct request *request);

/* A number of seconds or milliseconds as the time in ms at which it is over. Fields may expire at
 * times from 0 to HASH_EXPIRY_MAX_MS. */
bool hash_parse_expiry(struct request *request, uint32_t index, int64_t unit_ms, bool absolute,
                       int64_t *ret_at_ms);

/* Is this EX, PX, EXAT or PXAT? */
bool hash_expiry_word(struct request *request, uint32_t index, int64_t *ret_unit_ms,
                      bool *ret_absolute);

#endif
