/* SPDX-License-Identifier: BSD-3-Clause */
/* The smallest event loop that drives hiredis's asynchronous connections: poll() over a few. */
#ifndef POLL_H
#define POLL_H

#include <hiredis/async.h>

struct poll_loop;

struct poll_loop *poll_loop_new(void);
void poll_loop_free(struct poll_loop *loop);

/* Hands the connection's events to the loop; returns 0, or -1 when the loop is full. */
int poll_loop_attach(struct poll_loop *loop, redisAsyncContext *ac);

/* Runs until *done is true; returns 0, or -1 when that took longer than limit_ms. */
int poll_loop_run(struct poll_loop *loop, const int *done, int limit_ms);

#endif
