/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: one a thread.
 *
 * What: calls back when a file descriptor is ready, when a timer is due, when mail
 *       arrives from another thread.
 * Always: a round is: before_sleep, wait, mail, timers, descriptors. A watch or timer may be
 *         removed and freed in any callback, its own or another's, also with an event of this round
 *         still due: that event is dropped.
 * Owner: watches and timers are embedded in what they serve, which removes them before it goes.
 * Lock: none: a loop and all in it belong to one thread. From other threads only loop_stop, and
 *       mailbox_send to loop_mailbox.
 * Errors: loop_add and loop_modify return 0 or ERROR_SYSTEM.
 */
#ifndef KN_NET_LOOP_H
#define KN_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct mailbox;

enum {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    /* Reported without being asked for: the other end is gone, or an error is pending. */
    LOOP_CLOSED = 4,
};

struct loop_watch {
    int fd;
    unsigned events; /* what is asked for: LOOP_READ and LOOP_WRITE */
    void (*ready)(struct loop_watch *watch, unsigned events);
    unsigned due; /* the loop's: 1 + place among this round's events, 0 when none */
};

struct loop_timer {
    int64_t at_us; /* on the clock of clock_mono_us */
    void (*fire)(struct loop_timer *timer);
    uint32_t place; /* the loop's: 1 + place in the heap, 0 when not set */
};

struct loop *loop_new(void); /* NULL when the system refuses */
void loop_free(struct loop *loop);

/* fd, events and ready are set by the caller. Readiness is reported as long as it lasts. */
int loop_add(struct loop *loop, struct loop_watch *watch) __attribute__((warn_unused_result));
/* Asks for other events. Costs nothing when they are what they were. */
int loop_modify(struct loop *loop, struct loop_watch *watch, unsigned events);
/* The descriptor must still be open. Does nothing for a watch that was not added. */
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Sets, or moves, a timer; it fires once. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_us);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
static inline bool loop_timer_is_set(const struct loop_timer *timer) {
    return timer->place != 0;
}

/* Called once a round before waiting: the place to write what the round produced. Returns true when
 * there is more to do at once, so that the loop does not wait. */
void loop_set_before_sleep(struct loop *loop, bool (*before_sleep)(void *context), void *context);

/* Time when the loop last woke: clock_mono_us, without asking the clock. */
int64_t loop_now_us(const struct loop *loop);

/* Microseconds that rounds took, without the waits, since this was last called; exact where timers
 * are set. On the loop's thread. */
int64_t loop_take_worked_us(struct loop *loop);

struct mailbox *loop_mailbox(struct loop *loop);

/* One round. timeout_us: the longest wait, -1 for none. */
void loop_run_once(struct loop *loop, int64_t timeout_us);
/* A round within a callback of another one, without waiting. What the other had still to deliver is
 * reported anew when it is next waited for. */
void loop_run_nested(struct loop *loop);
/* Rounds until loop_stop. */
void loop_run(struct loop *loop);
/* From any thread, and from signal handlers. */
void loop_stop(struct loop *loop);

#endif
