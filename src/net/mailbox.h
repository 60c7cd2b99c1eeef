/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mail between threads: many senders, one receiver.
 *
 * What: an intrusive lock-free queue. Sending is one compare-and-swap; the receiver
 *       takes all there is at once. A sender wakes the receiver through an eventfd only
 *       when it sleeps, and only once.
 * Always: mail of one sender arrives in the order it was sent; all mail arrives.
 * Owner: sending hands the mail over; its deliver function, run on the receiver's thread, owns it
 *        and may free it or send it on.
 * Lock: none. mailbox_send from any thread; the rest from the receiver's only.
 * Errors: none.
 */
#ifndef KN_NET_MAILBOX_H
#define KN_NET_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

struct mail {
    struct mail *next;
    void (*deliver)(struct mail *mail);
};

struct mailbox {
    _Atomic(struct mail *) newest; /* or NULL: none; or the mark that the receiver sleeps */
    int wake_fd;                   /* readable when the receiver was woken */
};

int mailbox_init(struct mailbox *mailbox) __attribute__((warn_unused_result));
/* Mail still in it is not delivered: its senders have ended before. */
void mailbox_done(struct mailbox *mailbox);

void mailbox_send(struct mailbox *mailbox, struct mail *mail);
/* Wakes the receiver without mail. Safe in signal handlers. */
void mailbox_wake(struct mailbox *mailbox);

/* True when it may sleep, and will be woken; false when there is mail. */
bool mailbox_prepare_sleep(struct mailbox *mailbox);
/* After a sleep that wake_fd ended: makes it quiet again. */
void mailbox_woken(struct mailbox *mailbox);
/* Delivers what has arrived; what is sent meanwhile waits for the next time. Returns how many. */
unsigned mailbox_drain(struct mailbox *mailbox);

#endif
