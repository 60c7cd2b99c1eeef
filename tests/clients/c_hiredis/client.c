/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <stdarg.h>
#include <string.h>

redisContext *client_open(const struct address *address) {
    redisContext *c = redisConnect(address->host, address->port);

    check_that(c && !c->err, "cannot connect: %s", c ? c->errstr : "no memory");
    return c;
}

redisContext *client_fresh(const struct address *address) {
    redisContext *c = client_open(address);

    expect_status(c, "OK", "FLUSHALL");
    return c;
}

static redisReply *do_args(redisContext *c, const char *format, va_list args) {
    redisReply *reply = redisvCommand(c, format, args);

    check_that(reply != NULL, "%s: %s", format, c->errstr);
    return reply;
}

redisReply *client_do(redisContext *c, const char *format, ...) {
    va_list args;

    va_start(args, format);
    redisReply *reply = do_args(c, format, args);
    va_end(args);
    return reply;
}

redisReply *client_next(redisContext *c) {
    void *reply = NULL;

    check_that(redisGetReply(c, &reply) == REDIS_OK, "no reply: %s", c->errstr);
    return reply;
}

/* Runs the command and checks type and, where given, the text or how it begins. */
#define EXPECT(kind, condition)                                                                \
    do {                                                                                       \
        va_list args;                                                                          \
        va_start(args, format);                                                                \
        redisReply *reply = do_args(c, format, args);                                          \
        va_end(args);                                                                          \
        check_that(reply->type == (kind) && (condition), "%s: type %d, integer %lld, text %s", \
                   format, reply->type, reply->integer, reply->str ? reply->str : "(none)");   \
        freeReplyObject(reply);                                                                \
    } while (0)

void expect_integer(redisContext *c, long long value, const char *format, ...) {
    EXPECT(REDIS_REPLY_INTEGER, reply->integer == value);
}

void expect_text(redisContext *c, const char *text, const char *format, ...) {
    EXPECT(REDIS_REPLY_STRING, !strcmp(reply->str, text));
}

void expect_status(redisContext *c, const char *text, const char *format, ...) {
    EXPECT(REDIS_REPLY_STATUS, !strcmp(reply->str, text));
}

void expect_error(redisContext *c, const char *prefix, const char *format, ...) {
    EXPECT(REDIS_REPLY_ERROR, !strncmp(reply->str, prefix, strlen(prefix)));
}

void expect_nil(redisContext *c, const char *format, ...) {
    EXPECT(REDIS_REPLY_NIL, reply->str == NULL);
}
