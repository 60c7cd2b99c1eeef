/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of `keynome top`, which shows live what a running Keynome counts for each pattern.
 *
 * What: top.c reads options and asks once; top_screen.c is the live screen, top_plain.c
 *       prints reports for scripts. top_table.c and top_detail.c lay out pages and know
 *       neither terminal nor network.
 * Owner: the caller's. Lock: none. Errors: an exit status, after a sentence on standard error.
 */
#ifndef KN_CLI_TOP_H
#define KN_CLI_TOP_H

#include <poll.h>

#include "cli/connect.h"
#include "cli/page.h"
#include "cli/top_board.h"

enum {
    TOP_INTERVAL_MS = 1000,
    TOP_INTERVAL_LEAST_MS = 100,
    TOP_INTERVAL_MOST_MS = 3600000,
    TOP_VIOLATIONS = 20 /* of the pattern that is looked at */
};

struct top {
    const char *url;
    struct connection_options connection;
    atomic_bool *stopped;          /* set by signals, and by whoever ends it */
    char where[ADDRESS_SHOWN_MAX]; /* the server, without its password */
    struct view view;
    unsigned interval_ms;
    uint64_t reports; /* how many to print; 0: until interrupted */
    uint64_t rows;    /* of a report, at most; 0: all */
    bool once;        /* one report, at once, of totals */
    bool json;
};

/* Asks for one reading. False when there is none: error (CONNECTION_ERROR_MAX bytes) says why and
 * what to do; the connection may be good for another try. ret_types: the reply of CATALOG DESCRIBE;
 * NULL when it is not wanted. */
bool top_ask(struct connection *connection, struct reading **ret_reading, redisReply **ret_types,
             char *error);

/* What is known of the pattern that is looked at; replies are NULL where the server gave none. */
struct detail {
    redisReply *described, *counted, *violations;
};
/* pattern: as CATALOG DESCRIBE takes it. Replies that are errors are kept. False
 * when the connection broke. */
bool top_ask_detail(struct connection *connection, const char *pattern, struct detail *ret_detail);
void detail_done(struct detail *detail);

/* poll(), which a signal that ends the program always ends too: -1 with
 * EINTR. timeout_ms < 0: none. */
int top_wait(const struct top *top, struct pollfd *waits, unsigned count, int timeout_ms);

/* Both have a board with one reading on it, and close the connection.
 * Reports on standard output, until there were enough. */
int top_plain(const struct top *top, struct connection *connection, struct board *board);
/* The live screen, until the user has enough. */
int top_screen(struct top *top, struct connection *connection, struct board *board);

/* ---- pages ---- */

struct screen_state {
    const struct top *top;
    const struct board *board;
    bool paused;
    const char *trouble;     /* why there is nothing new; NULL while there is */
    bool lost;               /* the server does not even answer */
    int64_t trouble_since_s; /* how long already */
    bool typing;             /* the filter is being written */
    bool inside;             /* a page that Esc leaves */
    size_t height;           /* lines of the screen */
};

/* The lines of the head, which every page has; how many. */
size_t page_head(struct page *page, const struct screen_state *state);

struct table {
    const struct board_row **lines;
    size_t count, first, chosen; /* the first line shown; the one that is selected */
};
/* Lines of the table that a screen of this height shows. */
size_t table_height(size_t height);
void page_table(struct page *page, const struct screen_state *state, const struct table *table);
/* The last line: what can be pressed. */
void page_foot(struct page *page, const struct screen_state *state);

void page_detail(struct page *page, const struct board_row *row, const struct detail *detail,
                 int64_t now_s);
void page_help(struct page *page);

#endif
