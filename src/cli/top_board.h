/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `keynome top` shows: a line for each pattern, with what happened since the reading before.
 *
 * What: takes readings; knows the rate of everything that is counted, and the course of the last
 *       two minutes or so; chooses and orders the lines to show.
 * Always: rates are of the time between the last two readings of one run of the server. Where a
 *         count fell (another server, a catalog loaded anew) there are none until the next.
 * Owner: board_done gives everything back; texts of lines are good until the next board_take.
 * Lock: none. Errors: none.
 */
#ifndef KN_CLI_TOP_BOARD_H
#define KN_CLI_TOP_BOARD_H

#include "cli/top_reading.h"

enum { BOARD_HISTORY = 120 };

/* The last values of something, the newest at the end. */
struct course {
    float values[BOARD_HISTORY];
    unsigned count;
};

struct board_row {
    const struct reading_row *now;
    char *type;             /* of its keys, once it is known; NULL */
    bool known;             /* the reading before has it too: there are rates */
    double rates[FIGURES];  /* a second; of keys and bytes as well, where they may fall */
    double operations_s;    /* by the rates; by the server's own count while there are none */
    int64_t violations_new; /* in the last interval */
    struct course *course;  /* of operations a second */
};

struct board {
    struct reading *now; /* NULL before the first */
    struct board_row *rows;
    size_t count;
    double elapsed_s; /* between the last two readings; 0 while there is but one */
    bool known;
    double commands_s, reads_s, writes_s, expired_s, evicted_s;
    double hit_share; /* in the last interval; negative when nothing was read */
    int64_t keys, violations;
    struct course course; /* of commands a second */
};

/* Swallows the reading. */
void board_take(struct board *board, struct reading *reading);
void board_done(struct board *board);

struct redisReply;
/* Learns the types of patterns from the reply of CATALOG DESCRIBE. */
void board_learn_types(struct board *board, const struct redisReply *described);
/* Whether there is a pattern whose type is not known. */
bool board_wants_types(const struct board *board);

/* ---- lines ---- */

enum column {
    COLUMN_KEY, /* the template; or the name, as the view wants */
    COLUMN_OPERATIONS,
    COLUMN_READS,
    COLUMN_WRITES,
    COLUMN_HIT_RATE,
    COLUMN_KEYS,
    COLUMN_BYTES,
    COLUMN_SIZE, /* bytes of a key with its value, on the average */
    COLUMN_EXPIRED,
    COLUMN_EVICTED,
    COLUMN_PURGED,
    COLUMN_VIOLATIONS,
    COLUMNS_SORTABLE,
    COLUMN_TYPE = COLUMNS_SORTABLE,
    COLUMN_NAME,
    COLUMN_TREND,
    COLUMNS
};

extern const char *const column_words[COLUMNS_SORTABLE]; /* as --sort takes them */

enum { FILTER_MAX = 128 };

struct view {
    enum column sort;
    bool reverse; /* against the column's own order: texts from a to z, figures from the largest */
    bool totals;  /* since the start, in place of rates */
    bool names;   /* patterns by their names, in place of their templates */
    char filter[FILTER_MAX];
};

/* What a column of figures holds for a line; negative when there is nothing to tell. */
double board_value(const struct board_row *row, enum column column, bool totals);
/* How the line is called: by template or name. The keys of no pattern have a name only. */
const char *board_title(const struct board_row *row, bool names);
/* Orders what passes the filter; ret_lines has room for board->count. Returns how many. */
size_t board_lines(const struct board *board, const struct view *view,
                   const struct board_row **ret_lines);

#endif
