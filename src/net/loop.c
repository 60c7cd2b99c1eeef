/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/loop.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "net/mailbox.h"

enum { LOOP_EVENTS_MAX = 512, LOOP_TIMERS_MIN = 64 };

struct loop {
    int epoll_fd;
    struct mailbox mailbox;
    int64_t now_us;
    int64_t awake_us;  /* since when it works */
    int64_t worked_us; /* what it has worked and nobody has taken yet */
    bool (*before_sleep)(void *context);
    void *context;
    atomic_bool stopping;

    struct loop_timer **timers; /* a binary heap, the earliest first */
    uint32_t timer_count, timer_capacity;

    int event_count;                            /* of this round */
    struct epoll_event events[LOOP_EVENTS_MAX]; /* of this round; data.ptr is NULL once dropped */
};

struct loop *loop_new(void) {
    struct loop *loop = mem_zalloc(sizeof *loop);
    loop->now_us = loop->awake_us = clock_mono_us();
    loop->mailbox.wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    /* The mailbox is told apart by its address; everything else there is a watch. */
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->mailbox};
    if (loop->epoll_fd < 0 || mailbox_init(&loop->mailbox) != 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->mailbox.wake_fd, &event) != 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop) {
    if (!loop) return;
    mailbox_done(&loop->mailbox);
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    mem_free(loop->timers);
    mem_free(loop);
}

/* ---- descriptors ---- */

static uint32_t to_epoll(unsigned events) {
    return (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

static unsigned from_epoll(uint32_t events) {
    return (events & EPOLLIN ? LOOP_READ : 0u) | (events & EPOLLOUT ? LOOP_WRITE : 0u) |
           (events & (EPOLLHUP | EPOLLERR) ? LOOP_CLOSED : 0u);
}

int loop_add(struct loop *loop, struct loop_watch *watch) {
    struct epoll_event event = {.events = to_epoll(watch->events), .data.ptr = watch};
    watch->due = 0;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0) return ERROR_SYSTEM;
    return 0;
}

int loop_modify(struct loop *loop, struct loop_watch *watch, unsigned events) {
    if (watch->events == events) return 0;
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0) return ERROR_SYSTEM;
    watch->events = events;
    return 0;
}

void loop_remove(struct loop *loop, struct loop_watch *watch) {
    if (watch->due) loop->events[watch->due - 1].data.ptr = NULL;
    watch->due = 0;
    struct epoll_event unused = {0};
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &unused);
}

/* ---- timers ---- */

static void put_timer(struct loop *loop, uint32_t index, struct loop_timer *timer) {
    loop->timers[index] = timer;
    timer->place = index + 1;
}

/* Moves the timer, whose place is free, to where it belongs. */
static void sift(struct loop *loop, uint32_t index, struct loop_timer *timer) {
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (loop->timers[parent]->at_us <= timer->at_us) break;
        put_timer(loop, index, loop->timers[parent]);
        index = parent;
    }
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= loop->timer_count) break;
        if (child + 1 < loop->timer_count &&
            loop->timers[child + 1]->at_us < loop->timers[child]->at_us) {
            child++;
        }
        if (timer->at_us <= loop->timers[child]->at_us) break;
        put_timer(loop, index, loop->timers[child]);
        index = child;
    }
    put_timer(loop, index, timer);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_us) {
    timer->at_us = at_us;
    if (timer->place) {
        sift(loop, timer->place - 1, timer);
        return;
    }
    if (loop->timer_count == loop->timer_capacity) {
        uint32_t capacity = loop->timer_capacity ? loop->timer_capacity * 2 : LOOP_TIMERS_MIN;
        kn_require(capacity > loop->timer_capacity);
        loop->timers = mem_realloc(loop->timers, capacity * sizeof(struct loop_timer *));
        loop->timer_capacity = capacity;
    }
    uint32_t index = loop->timer_count++;
    loop->timers[index] = timer;
    sift(loop, index, timer);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer) {
    if (!timer->place) return;
    uint32_t index = timer->place - 1;
    timer->place = 0;
    struct loop_timer *last = loop->timers[--loop->timer_count];
    if (last != timer) sift(loop, index, last);
}

static void fire_timers(struct loop *loop) {
    /* A timer set again for now, in its own callback, waits for the next round. */
    uint32_t most = loop->timer_count;
    while (most-- > 0 && loop->timer_count > 0 && loop->timers[0]->at_us <= loop->now_us) {
        struct loop_timer *timer = loop->timers[0];
        loop_timer_cancel(loop, timer);
        timer->fire(timer);
    }
}

/* ---- rounds ---- */

void loop_set_before_sleep(struct loop *loop, bool (*before_sleep)(void *context), void *context) {
    loop->before_sleep = before_sleep;
    loop->context = context;
}

int64_t loop_now_us(const struct loop *loop) {
    return loop->now_us;
}

struct mailbox *loop_mailbox(struct loop *loop) {
    return &loop->mailbox;
}

/* Milliseconds to wait at most, rounded up so that a timer is due when
 * the wait ends; -1 for ever. */
static int wait_ms(struct loop *loop, int64_t timeout_us) {
    if (timeout_us == 0) return 0;
    if (loop->timer_count > 0) {
        int64_t now_us = clock_mono_us(), left = loop->timers[0]->at_us - now_us;
        loop->worked_us += now_us - loop->awake_us;
        loop->awake_us = now_us;
        if (left < 0) left = 0;
        if (timeout_us < 0 || left < timeout_us) timeout_us = left;
    }
    if (timeout_us < 0) return -1;
    int64_t ms = timeout_us / 1000 + (timeout_us % 1000 != 0);
    return ms > 3600 * 1000 ? 3600 * 1000 : (int)ms;
}

/* Notes in every watch where its event is, so that removing the watch can drop the event. */
static void note_due(struct loop *loop, int count) {
    for (int i = 0; i < count; i++) {
        void *ptr = loop->events[i].data.ptr;
        if (ptr == &loop->mailbox) {
            mailbox_woken(&loop->mailbox);
            loop->events[i].data.ptr = NULL;
        } else {
            ((struct loop_watch *)ptr)->due = (unsigned)i + 1;
        }
    }
}

static void deliver_events(struct loop *loop) {
    /* A nested round leaves none. */
    for (int i = 0; i < loop->event_count; i++) {
        struct loop_watch *watch = loop->events[i].data.ptr;
        if (!watch) continue;
        watch->due = 0;
        loop->events[i].data.ptr = NULL;
        watch->ready(watch, from_epoll(loop->events[i].events));
    }
}

void loop_run_nested(struct loop *loop) {
    /* Readiness lasts until it is used, so nothing is lost by forgetting events. */
    for (int i = 0; i < loop->event_count; i++) {
        struct loop_watch *watch = loop->events[i].data.ptr;
        if (watch != NULL && watch->due == (unsigned)i + 1) watch->due = 0;
        loop->events[i].data.ptr = NULL;
    }
    loop->event_count = 0;
    loop_run_once(loop, 0);
}

void loop_run_once(struct loop *loop, int64_t timeout_us) {
    bool more = loop->before_sleep && loop->before_sleep(loop->context);
    if (more || atomic_load_explicit(&loop->stopping, memory_order_relaxed)) timeout_us = 0;
    bool slept = timeout_us != 0;
    int ms = wait_ms(loop, timeout_us);
    if (ms != 0 && !mailbox_prepare_sleep(&loop->mailbox)) ms = 0;

    int count = epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS_MAX, ms);
    loop->now_us = clock_mono_us();
    /* Where it did not ask for the time before waiting, it did not wait either,
     * and has worked all along. */
    if (slept) loop->awake_us = loop->now_us;
    if (count < 0) count = 0; /* a signal; whatever it meant to say comes as mail */
    loop->event_count = count;
    note_due(loop, count);
    mailbox_drain(&loop->mailbox);
    fire_timers(loop);
    deliver_events(loop);
    loop->event_count = 0;
}

int64_t loop_take_worked_us(struct loop *loop) {
    int64_t worked_us = loop->worked_us;
    loop->worked_us = 0;
    return worked_us;
}

void loop_run(struct loop *loop) {
    loop->awake_us = clock_mono_us();
    while (!atomic_load_explicit(&loop->stopping, memory_order_acquire)) loop_run_once(loop, -1);
    atomic_store_explicit(&loop->stopping, false, memory_order_relaxed);
}

void loop_stop(struct loop *loop) {
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
    mailbox_wake(&loop->mailbox);
}
