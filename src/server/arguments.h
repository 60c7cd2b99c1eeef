/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arguments parsed, or an error replied.
 *
 * What: each function parses argv[index] and returns true; or it replies the error that Redis
 *       would, and returns false with the output untouched.
 * Lock and ownership: none.
 */
#ifndef KN_SERVER_ARGUMENTS_H
#define KN_SERVER_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/request.h"

static inline struct bytes argument(const struct request *request, uint32_t index) {
    return request->argv[index];
}

/* Is it this option word (given in lower case)? */
static inline bool argument_is(const struct request *request, uint32_t index, const char *lower) {
    return bytes_is_word(request->argv[index], lower);
}

/* error: NULL for "ERR value is not an integer or out of range". */
bool argument_i64(struct request *request, uint32_t index, int64_t *ret_value, const char *error);
/* A database's index. bad_number: the error when it is no number at all; NULL: the usual ones. */
bool argument_db(struct request *request, uint32_t index, const char *bad_number, unsigned *ret_db);
bool argument_i64_range(struct request *request, uint32_t index, int64_t min, int64_t max,
                        int64_t *ret_value, const char *error);
/* error: NULL for "ERR value is not a valid float". */
bool argument_double(struct request *request, uint32_t index, double *ret_value, const char *error);
bool argument_long_double(struct request *request, uint32_t index, long double *ret_value,
                          const char *error);
/* A blocking timeout in seconds, with fractions; 0 for ever. */
bool argument_timeout_ms(struct request *request, uint32_t index, int64_t *ret_timeout_ms);
/* LEFT or RIGHT, for LMOVE and its kind: true is left. */
bool argument_side(struct request *request, uint32_t index, bool *ret_left);
/* An expiry: EX seconds, PX ms, EXAT, PXAT as absolute ms. unit_ms: 1000 or 1; absolute: not
 * relative to now. Replies "ERR invalid expire time in 'name' command" where it cannot be. */
bool argument_expiry(struct request *request, uint32_t index, int64_t unit_ms, bool absolute,
                     int64_t *ret_at_ms);

/* ---- COUNT, MATCH and the cursor of the SCAN family ---- */

struct scan_options {
    uint64_t cursor;
    uint64_t count; /* 10 unless told otherwise */
    bool has_match;
    struct bytes match; /* a glob pattern */
    bool elements_only; /* HSCAN NOVALUES, ZSCAN NOSCORES */
    struct bytes type;  /* SCAN TYPE; empty when not given */
};
/* Parses from the cursor's index on. */
bool argument_scan(struct request *request, uint32_t cursor_index,
                   struct scan_options *ret_options);

#endif
