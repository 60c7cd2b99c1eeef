/* SPDX-License-Identifier: BSD-3-Clause */
/* hiredis pipelines: many commands written before the first reply is read. */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define COMMANDS 10000

static void ten_thousand(const struct address *address) {
    redisContext *c = client_fresh(address);

    for (int i = 0; i < COMMANDS; i++)
        check_that(redisAppendCommand(c, "INCR n") == REDIS_OK, "append");
    for (int i = 0; i < COMMANDS; i++) {
        redisReply *reply = client_next(c);
        check_that(reply->integer == i + 1, "reply %d is %lld", i, reply->integer);
        freeReplyObject(reply);
    }
    redisFree(c);
}

static void mixed_sizes(const struct address *address) {
    redisContext *c = client_fresh(address);
    size_t size = 300000;
    char *big = malloc(size);

    check_that(big != NULL, "no memory");
    memset(big, 'x', size);
    for (int i = 0; i < 20; i++) {
        redisAppendCommand(c, "SET k%d %b", i, big, size - (size_t)i);
        redisAppendCommand(c, "STRLEN k%d", i);
        redisAppendCommand(c, "PING");
    }
    for (int i = 0; i < 20; i++) {
        freeReplyObject(client_next(c));
        redisReply *reply = client_next(c);
        check_that(reply->integer == (long long)(size - (size_t)i), "k%d: %lld", i, reply->integer);
        freeReplyObject(reply);
        freeReplyObject(client_next(c));
    }
    free(big);
    redisFree(c);
}

static void errors_keep_their_place(const struct address *address) {
    redisContext *c = client_fresh(address);
    static const int kinds[] = {REDIS_REPLY_STATUS, REDIS_REPLY_ERROR, REDIS_REPLY_ERROR,
                                REDIS_REPLY_STRING};

    redisAppendCommand(c, "SET k v");
    redisAppendCommand(c, "LPUSH k v");
    redisAppendCommand(c, "GET");
    redisAppendCommand(c, "GET k");
    for (int i = 0; i < 4; i++) {
        redisReply *reply = client_next(c);
        check_that(reply->type == kinds[i], "reply %d has type %d", i, reply->type);
        freeReplyObject(reply);
    }
    redisFree(c);
}

static void subscriber(const struct address *address) {
    redisContext *c = client_open(address);
    redisContext *publisher = client_open(address);

    freeReplyObject(client_do(c, "SUBSCRIBE news"));
    for (int i = 0; i < 100; i++) expect_integer(publisher, 1, "PUBLISH news %d", i);
    for (int i = 0; i < 100; i++) {
        redisReply *reply = client_next(c);
        check_that(reply->elements == 3 && atoi(reply->element[2]->str) == i, "message %d", i);
        freeReplyObject(reply);
    }
    redisFree(publisher);
    redisFree(c);
}

void pipeline_tests(const struct address *address) {
    check_run("pipeline of 10000", ten_thousand, address);
    check_run("pipeline of mixed sizes", mixed_sizes, address);
    check_run("pipeline with errors", errors_keep_their_place, address);
    check_run("subscriber", subscriber, address);
}
