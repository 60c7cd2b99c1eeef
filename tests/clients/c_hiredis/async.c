/* SPDX-License-Identifier: BSD-3-Clause */
/* hiredis, asynchronous: callbacks in order, a worker waiting, pub/sub, leaving. */

#include "client.h"
#include "poll.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MS 10000

/* What a test's callbacks have seen. */
struct seen {
    int done;
    int replies;
    int wrong;
    int expected;
    redisAsyncContext *other;
};

static redisAsyncContext *open_async(struct poll_loop *loop, const struct address *address) {
    redisAsyncContext *ac = redisAsyncConnect(address->host, address->port);

    check_that(ac && !ac->err, "cannot connect");
    check_that(poll_loop_attach(loop, ac) == 0, "the loop is full");
    return ac;
}

static void on_gone(const redisAsyncContext *ac, int status) {
    struct seen *seen = ac->data;

    seen->wrong += status != REDIS_OK;
    seen->done = 1;
}

/* Leaves politely: pending replies are delivered first. */
static void leave(struct poll_loop *loop, redisAsyncContext *ac) {
    struct seen seen = {0};

    ac->data = &seen;
    redisAsyncSetDisconnectCallback(ac, on_gone);
    redisAsyncDisconnect(ac);
    check_that(poll_loop_run(loop, &seen.done, LIMIT_MS) == 0, "did not disconnect");
    check_that(!seen.wrong, "disconnected with an error");
}

static void on_count(redisAsyncContext *ac, void *data, void *privdata) {
    struct seen *seen = privdata;
    redisReply *reply = data;

    (void)ac;
    seen->replies++;
    seen->wrong += !reply || reply->type != REDIS_REPLY_INTEGER || reply->integer != seen->replies;
    seen->done = seen->replies == seen->expected;
}

static void ordered_callbacks(const struct address *address) {
    struct poll_loop *loop = poll_loop_new();
    struct seen seen = {.expected = 10000};

    redisFree(client_fresh(address));
    redisAsyncContext *ac = open_async(loop, address);
    for (int i = 0; i < seen.expected; i++) redisAsyncCommand(ac, on_count, &seen, "INCR n");
    check_that(poll_loop_run(loop, &seen.done, LIMIT_MS) == 0, "%d replies only", seen.replies);
    check_that(!seen.wrong, "%d replies out of order", seen.wrong);
    leave(loop, ac);
    poll_loop_free(loop);
}

static void on_taken(redisAsyncContext *ac, void *data, void *privdata) {
    struct seen *seen = privdata;
    redisReply *reply = data;

    (void)ac;
    seen->wrong += !reply || reply->elements != 2 || strcmp(reply->element[1]->str, "job") != 0;
    seen->done = 1;
}

/* Runs once the worker's command is known to be sent: its own connection answered before it. */
static void on_worker_ready(redisAsyncContext *ac, void *data, void *privdata) {
    struct seen *seen = privdata;

    (void)ac;
    (void)data;
    redisAsyncCommand(seen->other, NULL, NULL, "LPUSH ocr:task:queue job");
}

static void waiting_worker(const struct address *address) {
    struct poll_loop *loop = poll_loop_new();
    struct seen seen = {0};

    redisFree(client_fresh(address));
    redisAsyncContext *worker = open_async(loop, address);
    redisAsyncContext *producer = open_async(loop, address);
    seen.other = producer;
    redisAsyncCommand(worker, on_worker_ready, &seen, "PING");
    redisAsyncCommand(worker, on_taken, &seen, "BRPOP ocr:task:queue 0");
    check_that(poll_loop_run(loop, &seen.done, LIMIT_MS) == 0, "the worker was not woken");
    check_that(!seen.wrong, "the worker got something else");
    leave(loop, producer);
    leave(loop, worker);
    poll_loop_free(loop);
}

static void on_news(redisAsyncContext *ac, void *data, void *privdata) {
    struct seen *seen = privdata;
    redisReply *reply = data;

    (void)ac;
    if (!reply) return; /* the connection is going */
    if (!strcmp(reply->element[0]->str, "subscribe") ||
        !strcmp(reply->element[0]->str, "psubscribe")) {
        if (++seen->expected == 2)
            for (int i = 0; i < 50; i++)
                redisAsyncCommand(seen->other, NULL, NULL, "PUBLISH ocr:news %d", i);
        return;
    }
    const char *text = reply->element[reply->elements - 1]->str;
    seen->wrong += atoi(text) != seen->replies / 2; /* each comes by channel and by pattern */
    seen->replies++;
    seen->done = seen->replies == 100;
}

static void subscriber(const struct address *address) {
    struct poll_loop *loop = poll_loop_new();
    struct seen seen = {0};

    redisAsyncContext *listener = open_async(loop, address);
    redisAsyncContext *publisher = open_async(loop, address);
    seen.other = publisher;
    redisAsyncCommand(listener, on_news, &seen, "SUBSCRIBE ocr:news");
    redisAsyncCommand(listener, on_news, &seen, "PSUBSCRIBE ocr:*");
    check_that(poll_loop_run(loop, &seen.done, LIMIT_MS) == 0, "%d messages only", seen.replies);
    check_that(!seen.wrong, "%d messages out of order", seen.wrong);
    redisAsyncFree(listener);
    leave(loop, publisher);
    poll_loop_free(loop);
}

void async_tests(const struct address *address) {
    check_run("async callbacks in order", ordered_callbacks, address);
    check_run("async worker waits", waiting_worker, address);
    check_run("async subscriber", subscriber, address);
}
