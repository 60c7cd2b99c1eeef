/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a server says of itself at one moment: the replies of INFO and CATALOG STATS, read.
 *
 * What: figures of the server as a whole and of each pattern, as plain numbers and texts.
 * Always: what a reply lacks is 0 or empty; the order of patterns is the server's.
 *         Replies are of RESP2 or RESP3.
 * Owner: reading_free gives everything back. Texts are of any bytes, without a zero in them.
 * Lock: none. Errors: READING_ codes for servers that have no catalog, or are no Keynome.
 */
#ifndef KN_CLI_TOP_READING_H
#define KN_CLI_TOP_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct redisReply;

/* What is counted for each pattern; keys and bytes are what is there now, all others
 * have grown since the start. */
enum figure {
    FIGURE_KEYS,
    FIGURE_BYTES,
    FIGURE_READS,
    FIGURE_HITS,
    FIGURE_MISSES,
    FIGURE_WRITES,
    FIGURE_EXPIRED,
    FIGURE_EVICTED,
    FIGURE_PURGED,
    FIGURE_VIOLATIONS,
    FIGURES
};

extern const char *const figure_names[FIGURES]; /* as CATALOG STATS calls them */

struct reading_row {
    char *catalog; /* empty for the keys of no pattern */
    char *pattern; /* its name */
    char *key;     /* its template; empty for the keys of no pattern */
    int64_t figures[FIGURES];
    double operations_s; /* the server's own average of the last seconds */
};

struct reading_head {
    char version[32], run_id[48];
    int64_t uptime_s, clients, operations_s;
    int64_t memory_bytes, memory_limit_bytes; /* no limit: 0 */
    int64_t commands, hits, misses, expired, evicted;
};

struct reading {
    int64_t at_us; /* on the monotonic clock */
    struct reading_head head;
    struct reading_row *rows;
    size_t count;
};

enum reading_result {
    READING_FINE,
    READING_NOT_KEYNOME, /* another server; its name and version are in ret_words */
    READING_NO_CATALOG,
    READING_REFUSED, /* ret_words holds the server's error */
    READING_STRANGE  /* replies that no Keynome gives */
};

enum { READING_WORDS_MAX = 256 };

/* info: of "INFO everything" or of its sections server, clients, memory, stats. ret_reading is
 * set only when all is fine. */
enum reading_result reading_make(const struct redisReply *info, const struct redisReply *stats,
                                 int64_t at_us, struct reading **ret_reading,
                                 char ret_words[READING_WORDS_MAX]);
void reading_free(struct reading *reading);

/* A field of a map, which RESP2 sends as an array; NULL when it has none of the name. */
const struct redisReply *reply_field(const struct redisReply *map, const char *name);
/* The text of a string or status; empty for everything else. */
struct bytes reply_bytes(const struct redisReply *reply);
/* Numbers, also those that RESP2 sends as strings; 0 for everything else. */
int64_t reply_number(const struct redisReply *reply);
double reply_fraction(const struct redisReply *reply);

/* The value of a field of INFO; empty when it is not there. */
struct bytes info_value(struct bytes info, const char *field);

#endif
