/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ticks.h"

#include <time.h>

static double us_per_tick = 0.001;

void ticks_calibrate(void) {
    int64_t start_ns = clock_mono_ns();
    uint64_t start = ticks_now();
    struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    uint64_t ticks = ticks_now() - start;
    if (ticks > 0) us_per_tick = (double)(clock_mono_ns() - start_ns) / 1000 / (double)ticks;
}

uint64_t ticks_to_us(uint64_t ticks) {
    return (uint64_t)((double)ticks * us_per_tick);
}
