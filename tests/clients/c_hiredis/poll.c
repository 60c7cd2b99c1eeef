/* SPDX-License-Identifier: BSD-3-Clause */
#include "poll.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define WATCHED_MAX 8

struct watched {
    redisAsyncContext *ac; /* NULL where the place is free */
    int reads;
    int writes;
};

struct poll_loop {
    struct watched watched[WATCHED_MAX];
};

struct poll_loop *poll_loop_new(void) {
    return calloc(1, sizeof(struct poll_loop));
}

void poll_loop_free(struct poll_loop *loop) {
    free(loop);
}

static void add_read(void *data) {
    ((struct watched *)data)->reads = 1;
}

static void del_read(void *data) {
    ((struct watched *)data)->reads = 0;
}

static void add_write(void *data) {
    ((struct watched *)data)->writes = 1;
}

static void del_write(void *data) {
    ((struct watched *)data)->writes = 0;
}

static void cleanup(void *data) {
    ((struct watched *)data)->ac = NULL;
}

int poll_loop_attach(struct poll_loop *loop, redisAsyncContext *ac) {
    for (int i = 0; i < WATCHED_MAX; i++) {
        struct watched *place = &loop->watched[i];
        if (place->ac) continue;
        *place = (struct watched){.ac = ac};
        ac->ev.data = place;
        ac->ev.addRead = add_read;
        ac->ev.delRead = del_read;
        ac->ev.addWrite = add_write;
        ac->ev.delWrite = del_write;
        ac->ev.cleanup = cleanup;
        return 0;
    }
    return -1;
}

static long long now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void turn(struct poll_loop *loop) {
    struct pollfd fds[WATCHED_MAX] = {0};

    for (int i = 0; i < WATCHED_MAX; i++) {
        struct watched *one = &loop->watched[i];
        fds[i].fd = one->ac ? one->ac->c.fd : -1;
        fds[i].events = (short)((one->reads ? POLLIN : 0) | (one->writes ? POLLOUT : 0));
    }
    if (poll(fds, WATCHED_MAX, 100) <= 0) return;
    for (int i = 0; i < WATCHED_MAX; i++) {
        /* A callback may have ended any connection: ask again each time. */
        struct watched *one = &loop->watched[i];
        if (one->ac && fds[i].revents & (POLLIN | POLLHUP | POLLERR)) redisAsyncHandleRead(one->ac);
        if (one->ac && fds[i].revents & POLLOUT) redisAsyncHandleWrite(one->ac);
    }
}

int poll_loop_run(struct poll_loop *loop, const int *done, int limit_ms) {
    long long end = now_ms() + limit_ms;

    while (!*done) {
        if (now_ms() > end) return -1;
        turn(loop);
    }
    return 0;
}
