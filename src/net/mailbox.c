/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `newest` is the head of a stack. Its other two values say that it is empty: NULL while the
 * receiver is awake, &asleep once it may sleep. Only the sender that replaces &asleep wakes the
 * receiver. The receiver takes the whole stack at once and turns it over, so mail is delivered in
 * the order in which it was sent.
 */
#include "net/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

static struct mail asleep;

int mailbox_init(struct mailbox *mailbox) {
    atomic_init(&mailbox->newest, NULL);
    mailbox->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return mailbox->wake_fd < 0 ? ERROR_SYSTEM : 0;
}

void mailbox_done(struct mailbox *mailbox) {
    if (mailbox->wake_fd >= 0) close(mailbox->wake_fd);
    mailbox->wake_fd = -1;
}

void mailbox_wake(struct mailbox *mailbox) {
    int kept = errno;
    eventfd_write(mailbox->wake_fd, 1);
    errno = kept;
}

void mailbox_send(struct mailbox *mailbox, struct mail *mail) {
    struct mail *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
    do {
        mail->next = newest == &asleep ? NULL : newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, mail,
                                                    memory_order_release, memory_order_relaxed));
    /* From here on the mail may be delivered and gone. */
    if (newest == &asleep) mailbox_wake(mailbox);
}

bool mailbox_prepare_sleep(struct mailbox *mailbox) {
    struct mail *none = NULL;
    return atomic_compare_exchange_strong_explicit(&mailbox->newest, &none, &asleep,
                                                   memory_order_relaxed, memory_order_relaxed) ||
           none == &asleep;
}

void mailbox_woken(struct mailbox *mailbox) {
    eventfd_t count;
    (void)eventfd_read(mailbox->wake_fd, &count);
}

unsigned mailbox_drain(struct mailbox *mailbox) {
    if (!atomic_load_explicit(&mailbox->newest, memory_order_relaxed)) return 0;
    struct mail *mail = atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire);
    if (mail == &asleep) return 0;
    struct mail *oldest = NULL;
    while (mail) {
        struct mail *next = mail->next;
        mail->next = oldest;
        oldest = mail;
        mail = next;
    }
    unsigned count = 0;
    while (oldest) {
        struct mail *next = oldest->next;
        oldest->deliver(oldest);
        oldest = next;
        count++;
    }
    return count;
}
