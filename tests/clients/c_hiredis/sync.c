/* SPDX-License-Identifier: BSD-3-Clause */
/* hiredis, one command at a time: the platform's work, reply types, timeouts, Unix sockets. */

#include "client.h"

#include <stdlib.h>
#include <string.h>

static void queue_and_task(const struct address *address) {
    redisContext *c = client_fresh(address);

    expect_integer(c, 2, "LPUSH %s %s %s", "ocr:task:queue", "t1", "t2");
    expect_text(c, "t1", "RPOP ocr:task:queue");
    redisReply *reply = client_do(c, "BRPOP ocr:task:queue 5");
    check_that(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2, "BRPOP has no pair");
    check_that(!strcmp(reply->element[1]->str, "t2"), "BRPOP gave %s", reply->element[1]->str);
    freeReplyObject(reply);
    expect_nil(c, "BRPOP ocr:task:queue 0.05");
    expect_integer(c, 3, "HSET ocr:task:data:1 status pending priority %d user_id %s", 5, "u 1");
    expect_integer(c, 1, "HINCRBY ocr:task:data:1 attempts 1");
    expect_text(c, "u 1", "HGET ocr:task:data:1 user_id");
    expect_integer(c, 1, "EXPIRE ocr:task:data:1 86400");
    expect_integer(c, 2, "ZADD ocr:task:priority 3 low 8 high");
    reply = client_do(c, "ZPOPMAX ocr:task:priority");
    check_that(reply->elements == 2 && !strcmp(reply->element[0]->str, "high") &&
                   !strcmp(reply->element[1]->str, "8"),
               "ZPOPMAX");
    freeReplyObject(reply);
    redisFree(c);
}

static void sessions_and_counters(const struct address *address) {
    redisContext *c = client_fresh(address);

    expect_status(c, "OK", "SETEX ocr:session:a 604800 %s", "{\"role\":\"user\"}");
    expect_text(c, "{\"role\":\"user\"}", "GET ocr:session:a");
    expect_nil(c, "SET ocr:session:a x NX");
    expect_integer(c, 1, "DEL ocr:session:a");
    expect_integer(c, -2, "TTL ocr:session:a");
    expect_integer(c, 1, "INCR ocr:stats:tasks:total");
    expect_integer(c, 10, "INCRBY ocr:stats:tasks:total 9");
    expect_integer(c, 0, "PUBLISH ocr:notifications {}");
    expect_error(c, "WRONGTYPE", "LPUSH ocr:stats:tasks:total x");
    expect_error(c, "ERR unknown command", "NOSUCH");
    redisFree(c);
}

static void transaction(const struct address *address) {
    redisContext *c = client_fresh(address);
    redisContext *rival = client_open(address);

    expect_status(c, "OK", "WATCH n");
    expect_status(c, "OK", "MULTI");
    expect_status(c, "QUEUED", "INCR n");
    expect_status(c, "QUEUED", "LPUSH n x");
    redisReply *reply = client_do(c, "EXEC");
    check_that(reply->elements == 2, "EXEC has %zu replies", reply->elements);
    check_that(reply->element[0]->integer == 1, "INCR in EXEC");
    check_that(reply->element[1]->type == REDIS_REPLY_ERROR, "LPUSH in EXEC is no error");
    freeReplyObject(reply);
    expect_status(c, "OK", "WATCH n");
    expect_integer(rival, 2, "INCR n");
    expect_status(c, "OK", "MULTI");
    expect_status(c, "QUEUED", "INCR n");
    expect_nil(c, "EXEC");
    redisFree(rival);
    redisFree(c);
}

static void binary_values(const struct address *address) {
    redisContext *c = client_fresh(address);
    char bytes[256];

    for (int i = 0; i < 256; i++) bytes[i] = (char)i;
    expect_status(c, "OK", "SET %b %b", bytes, sizeof bytes, bytes, sizeof bytes);
    redisReply *reply = client_do(c, "GET %b", bytes, sizeof bytes);
    check_that(reply->len == 256 && !memcmp(reply->str, bytes, 256), "bytes changed");
    freeReplyObject(reply);
    expect_text(c, "", "ECHO %s", "");
    redisFree(c);
}

static void big_value(const struct address *address) {
    redisContext *c = client_fresh(address);
    size_t size = (size_t)64 << 20;
    char *big = malloc(size);

    check_that(big != NULL, "no memory");
    for (size_t i = 0; i < size; i++) big[i] = (char)(i * 2654435761u >> 16);
    expect_status(c, "OK", "SET big %b", big, size);
    expect_integer(c, (long long)size, "STRLEN big");
    redisReply *reply = client_do(c, "GET big");
    check_that(reply->len == size && !memcmp(reply->str, big, size), "64 MB changed");
    freeReplyObject(reply);
    expect_integer(c, 1, "UNLINK big");
    free(big);
    redisFree(c);
}

static void unix_socket(const struct address *address) {
    redisContext *c = redisConnectUnix(address->socket);

    check_that(c && !c->err, "cannot connect to %s", address->socket);
    expect_status(c, "PONG", "PING");
    redisFree(c);
}

static void timeout_leaves_the_server_well(const struct address *address) {
    redisContext *c = client_fresh(address);
    struct timeval soon = {.tv_usec = 50000};

    redisSetTimeout(c, soon);
    check_that(!redisCommand(c, "BLPOP none 0") && c->err == REDIS_ERR_IO, "no timeout");
    check_that(redisReconnect(c) == REDIS_OK, "reconnect: %s", c->errstr);
    expect_status(c, "PONG", "PING");
    redisFree(c);
}

static void nested_replies(const struct address *address) {
    redisContext *c = client_fresh(address);
    redisReply *reply = client_do(c, "COMMAND INFO get nosuch");

    check_that(reply->elements == 2, "COMMAND INFO has %zu entries", reply->elements);
    check_that(!strcmp(reply->element[0]->element[0]->str, "get"), "first is not get");
    check_that(reply->element[0]->element[1]->integer == 2, "arity of get");
    check_that(reply->element[1]->type == REDIS_REPLY_NIL, "nosuch is known");
    freeReplyObject(reply);
    redisFree(c);
}

void sync_tests(const struct address *address) {
    check_run("queue and task", queue_and_task, address);
    check_run("sessions and counters", sessions_and_counters, address);
    check_run("transaction", transaction, address);
    check_run("binary values", binary_values, address);
    check_run("64 MB value", big_value, address);
    check_run("Unix socket", unix_socket, address);
    check_run("timeout", timeout_leaves_the_server_well, address);
    check_run("nested replies", nested_replies, address);
}
