/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readings, fetched in the background, so that the screen never waits for the network.
 *
 * What: a thread asks the server once an interval, connects anew when the server went away, and
 *       leaves the newest answers for whoever takes them.
 * Always: at most one answer waits; a newer one takes its place. feed_fd is
 *         readable while one does.
 * Owner: the feed closes the connection; what is taken is the taker's.
 * Lock: one inside, which nobody holds while waiting for the network; all functions are for one
 *       thread, not the feed's own.
 * Errors: in the news.
 */
#ifndef KN_CLI_TOP_FEED_H
#define KN_CLI_TOP_FEED_H

#include "cli/top.h"

struct feed;

struct feed_news {
    struct reading *reading; /* NULL: none since the last time */
    redisReply *types;       /* of CATALOG DESCRIBE, or NULL */
    struct detail detail;    /* of the pattern that was wished for */
    bool detailed;
    char trouble[CONNECTION_ERROR_MAX]; /* why there is no reading; empty while all is well */
    bool lost;                          /* there is no connection */
};

/* connection: open, and the feed's from now on. NULL when the system gives no thread. */
struct feed *feed_start(const struct top *top, struct connection *connection);
/* Ends the thread, within a moment. */
void feed_stop(struct feed *feed);

int feed_fd(const struct feed *feed);
/* False when there is nothing new. */
bool feed_take(struct feed *feed, struct feed_news *ret_news);
void feed_news_done(struct feed_news *news);

void feed_set_interval(struct feed *feed, unsigned interval_ms);
void feed_set_paused(struct feed *feed, bool paused);
/* Ask for this pattern in detail, at once and with every reading; NULL: no more. */
void feed_set_pattern(struct feed *feed, const char *pattern);

#endif
