/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reply of a step of SSCAN and ZSCAN.
 *
 * What: collects what a scan visits, leaves out what MATCH does not want, and replies
 *       the cursor and the rest.
 * Always: enough steps are taken for about COUNT elements, but no more than ten times COUNT steps.
 * Owner: the request's arena. Lock: the shard of the key that is scanned.
 */
#ifndef KN_COMMANDS_SET_SCAN_H
#define KN_COMMANDS_SET_SCAN_H

#include <stdbool.h>

#include "server/arguments.h"

struct scan_page {
    struct request *request;
    struct scan_options options;
    bool scores;
    bool whole_scores; /* scores that are integers are written without an exponent */
    size_t visited;
    size_t count, room;
    struct scan_item {
        struct bytes member;
        double score;
    } * items;
};

/* Parses the cursor alone: what is wrong with it is replied even when there is no such key. */
bool scan_page_cursor(struct request *request);
/* Parses the rest. */
bool scan_page_init(struct scan_page *page, struct request *request, bool scores);
void scan_page_add(struct scan_page *page, struct bytes member, double score);
/* Whether another step is due after this many. */
bool scan_page_more(const struct scan_page *page, uint64_t cursor, uint64_t steps);
void scan_page_reply(const struct scan_page *page, uint64_t cursor);
/* The reply for a key that is not there. */
void scan_page_reply_none(struct request *request);

#endif
