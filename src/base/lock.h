/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mutex that knows its holder, and words for clang's thread-safety analysis.
 *
 * What: four bytes, one atomic exchange to take and one to give back when nobody else wants it;
 *       whoever has to wait spins a moment, then sleeps in the kernel. Not recursive, not fair.
 * Always: the thread that takes it gives it back. Debug builds (KN_DEBUG) check that, and that a
 *         thread never waits for itself.
 * Owner: the struct it is part of. Zeros are an open lock; there is nothing to free.
 * Errors: none.
 */
#ifndef KN_BASE_LOCK_H
#define KN_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"

#if defined(__clang__)
#define KN_CAPABILITY(name)  __attribute__((capability(name)))
#define KN_ACQUIRES(...)     __attribute__((acquire_capability(__VA_ARGS__)))
#define KN_RELEASES(...)     __attribute__((release_capability(__VA_ARGS__)))
#define KN_TRY_ACQUIRES(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define KN_REQUIRES(...)     __attribute__((requires_capability(__VA_ARGS__)))
#define KN_EXCLUDES(...)     __attribute__((locks_excluded(__VA_ARGS__)))
#define KN_ASSERTS_HELD(...) __attribute__((assert_capability(__VA_ARGS__)))
#define KN_NO_LOCK_CHECK     __attribute__((no_thread_safety_analysis))
#else
#define KN_CAPABILITY(name)
#define KN_ACQUIRES(...)
#define KN_RELEASES(...)
#define KN_TRY_ACQUIRES(...)
#define KN_REQUIRES(...)
#define KN_EXCLUDES(...)
#define KN_ASSERTS_HELD(...)
#define KN_NO_LOCK_CHECK
#endif

struct KN_CAPABILITY("lock") lock {
    _Atomic uint32_t state; /* 0 open, 1 taken, 2 taken and somebody may sleep */
#ifdef KN_DEBUG
    _Atomic uintptr_t holder; /* lock_thread_id() of the thread that has it */
#endif
};

void lock_wait(struct lock *lock);
/* Waits as long as keep_waiting(context) says so, which is asked before each sleep of a few
 * milliseconds. Returns whether the lock was taken. */
bool lock_wait_while(struct lock *lock, bool (*keep_waiting)(void *context), void *context);
void lock_wake(struct lock *lock);

#ifdef KN_DEBUG
/* A number of the calling thread's own, never 0. */
uintptr_t lock_thread_id(void);
static inline void lock_note_taken(struct lock *lock) {
    atomic_store_explicit(&lock->holder, lock_thread_id(), memory_order_relaxed);
}
static inline bool lock_held(struct lock *lock) {
    return atomic_load_explicit(&lock->holder, memory_order_relaxed) == lock_thread_id();
}
static inline void lock_note_given(struct lock *lock) {
    kn_assert(lock_held(lock));
    atomic_store_explicit(&lock->holder, 0, memory_order_relaxed);
}
#else
static inline void lock_note_taken(struct lock *lock) {
    (void)lock;
}
static inline void lock_note_given(struct lock *lock) {
    (void)lock;
}
#endif

static inline void lock_init(struct lock *lock) {
    *lock = (struct lock){0};
}

static inline bool lock_try_take(struct lock *lock) KN_TRY_ACQUIRES(true, lock) KN_NO_LOCK_CHECK {
    uint32_t open = 0;
    if (!atomic_compare_exchange_strong_explicit(&lock->state, &open, 1, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return false;
    }
    lock_note_taken(lock);
    return true;
}

static inline void lock_take(struct lock *lock) KN_ACQUIRES(lock) KN_NO_LOCK_CHECK {
    uint32_t open = 0;
    if (kn_unlikely(!atomic_compare_exchange_strong_explicit(
            &lock->state, &open, 1, memory_order_acquire, memory_order_relaxed))) {
        lock_wait(lock);
    }
    lock_note_taken(lock);
}

static inline void lock_give(struct lock *lock) KN_RELEASES(lock) KN_NO_LOCK_CHECK {
    lock_note_given(lock);
    if (kn_unlikely(atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)) {
        lock_wake(lock);
    }
}

/* Debug builds end the process when the calling thread does not hold it. */
static inline void lock_assert_held(struct lock *lock) KN_ASSERTS_HELD(lock) {
#ifdef KN_DEBUG
    kn_assert(lock_held(lock));
#else
    (void)lock;
#endif
}

#endif
