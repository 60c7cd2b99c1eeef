/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each command cost and how it ended: INFO commandstats and errorstats.
 *
 * What: calls, time, refusals and failures per command, counted by each worker for itself; errors
 *       by their first word, counted by all together, as errors are rare.
 * Owner: a worker owns its counts; readers add them up, and may lag. Lock: the
 *        errors' own. Errors: none.
 */
#ifndef KN_SERVER_COMMAND_STATS_H
#define KN_SERVER_COMMAND_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct latency_sum;
struct server;
struct worker;

struct command_counts {
    uint64_t calls, microseconds, rejected, failed;
};

struct command_stats;
struct command_stats *command_stats_new(unsigned commands);
void command_stats_free(struct command_stats *stats);

/* Around a command on the worker's own thread: the time since the last call of either, or of
 * command_stats_start, is the command's. */
void command_stats_start(struct worker *worker);
void command_stats_called(struct worker *worker, unsigned number, bool failed);
/* A command that another one runs, between these two: its time counts for both. */
void command_stats_begin_nested(struct worker *worker);
void command_stats_end_nested(struct worker *worker);
void command_stats_rejected(struct worker *worker, unsigned number);
/* A call that was counted when it began to wait has come to an error. */
void command_stats_failed_later(struct worker *worker, unsigned number);

/* Sums over all workers. */
void command_stats_read(struct server *server, unsigned number, struct command_counts *ret_counts);
/* Keep histograms of the commands' times? Yes, unless told otherwise. */
void command_stats_track_latency(bool on);
/* The times of all workers together. */
void command_stats_latency(struct server *server, unsigned number, struct latency_sum *ret_sum);
/* Zeroes everything, errors too. */
void command_stats_reset(struct server *server);

/* ---- errors by code ---- */

/* reply: an error as it was written, from its '-' on. */
void error_stats_note(const char *reply, size_t len);
typedef void error_stats_visit_fn(const char *code, uint64_t count, void *context);
void error_stats_each(error_stats_visit_fn *visit, void *context);

#endif
