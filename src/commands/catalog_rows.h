/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subcommands of CATALOG that only look: for the rows in catalog.c. And what they share.
 */
#ifndef KN_COMMANDS_CATALOG_ROWS_H
#define KN_COMMANDS_CATALOG_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/reply.h"

struct matcher;
struct pattern;
struct match_variable;
struct request;

void catalog_cmd_describe(struct request *request);
void catalog_cmd_match(struct request *request);
void catalog_cmd_stats(struct request *request);
void catalog_cmd_keys(struct request *request);
void catalog_cmd_migrate(struct request *request);
void catalog_cmd_violations(struct request *request);

/* The number of a pattern, named by its name, by catalog/name, or by its template; 0 for
 * CATALOG_UNMATCHED. Replies the error and returns false when there is none. What is in force
 * stays in force meanwhile. */
bool catalog_find_pattern(struct request *request, const struct matcher *matcher, struct bytes name,
                          unsigned *ret_number);
/* Arguments from an index to `end`: names of the pattern's variables, each with a
 * value. In the request's arena. */
bool catalog_parse_variables(struct request *request, const struct pattern *pattern, uint32_t index,
                             uint32_t end, struct match_variable **ret_variables,
                             uint32_t *ret_count);
/* One field of a map. */
static inline void catalog_field_int(struct reply *reply, const char *name, int64_t value) {
    reply_bulk_string(reply, name);
    reply_int(reply, value);
}
/* Replies that no catalog is loaded. */
void catalog_reply_none(struct request *request);

#endif
