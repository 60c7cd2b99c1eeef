/* SPDX-License-Identifier: BSD-3-Clause */
/* hiredis connections and expectations on one command's reply; each fails the running test. */
#ifndef CLIENT_H
#define CLIENT_H

#include "check.h"

#include <hiredis/hiredis.h>

redisContext *client_open(const struct address *address);

/* A connection to a server that it has just emptied. */
redisContext *client_fresh(const struct address *address);

/* The reply, which the caller frees; never NULL. */
redisReply *client_do(redisContext *c, const char *format, ...);

/* The next reply of a pipeline, likewise. */
redisReply *client_next(redisContext *c);

void expect_integer(redisContext *c, long long value, const char *format, ...);
void expect_text(redisContext *c, const char *text, const char *format, ...);
void expect_status(redisContext *c, const char *text, const char *format, ...);
void expect_error(redisContext *c, const char *prefix, const char *format, ...);
void expect_nil(redisContext *c, const char *format, ...);

#endif
