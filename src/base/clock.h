/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks. Floors below the server take the time as an argument instead.
 *
 * What: monotonic time for durations and timers, real time for lifetimes and logs.
 * Lock and errors: none.
 */
#ifndef KN_BASE_CLOCK_H
#define KN_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_ns(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t clock_mono_ns(void) {
    return clock_read_ns(CLOCK_MONOTONIC);
}

static inline int64_t clock_mono_us(void) {
    return clock_read_ns(CLOCK_MONOTONIC) / 1000;
}

static inline int64_t clock_realtime_us(void) {
    return clock_read_ns(CLOCK_REALTIME) / 1000;
}

static inline int64_t clock_realtime_ms(void) {
    return clock_read_ns(CLOCK_REALTIME) / 1000000;
}

/* CPU time of the calling thread. */
static inline int64_t clock_thread_cpu_us(void) {
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}

#endif
