/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A very cheap clock for statistics.
 *
 * What: on x86-64 the processor's time stamp counter, which takes a third of the time of
 *       clock_gettime; elsewhere nanoseconds.
 * Always: ticks of one processor grow; their length is measured by ticks_calibrate, once at start.
 * Lock and errors: none.
 */
#ifndef KN_BASE_TICKS_H
#define KN_BASE_TICKS_H

#include <stdint.h>

#include "base/clock.h"

static inline uint64_t ticks_now(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)clock_mono_ns();
#endif
}

/* Takes a few milliseconds, before other threads start. */
void ticks_calibrate(void);
uint64_t ticks_to_us(uint64_t ticks);

#endif
