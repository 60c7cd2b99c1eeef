/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state is 0 open, 1 taken, 2 taken with somebody asleep. Whoever had to sleep takes the
 * lock as 2, because it cannot know whether others still sleep; the price is at most one
 * wake that was not needed.
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_SPINS = 100, LOCK_NAP_NS = 5 * 1000 * 1000 };

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void lock_wait(struct lock *lock) {
#ifdef KN_DEBUG
    kn_require(!lock_held(lock));
#endif
    for (int i = 0; i < LOCK_SPINS; i++) {
        uint32_t open = 0;
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->state, &open, 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return;
        }
        relax();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0) {
        syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    }
}

bool lock_wait_while(struct lock *lock, bool (*keep_waiting)(void *context), void *context) {
    const struct timespec nap = {.tv_nsec = LOCK_NAP_NS};
    for (int i = 0; i < LOCK_SPINS; i++) {
        uint32_t open = 0;
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->state, &open, 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return true;
        }
        relax();
    }
    do {
        if (!keep_waiting(context)) return false;
#ifdef KN_DEBUG
        kn_require(!lock_held(lock));
#endif
        if (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) == 0) return true;
        syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, &nap, NULL, 0);
    } while (true);
}

void lock_wake(struct lock *lock) {
    syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#ifdef KN_DEBUG
uintptr_t lock_thread_id(void) {
    static _Thread_local char self;
    return (uintptr_t)&self;
}
#endif
