/* SPDX-License-Identifier: BSD-3-Clause */
/* What a server process has used so far: processor time of all its threads, and instructions in
 * user mode where the machine counts them.
 * Holds: counters only grow while the process's threads live. Owner: usage_close() closes the
 * counters. Errors: a figure that cannot be had is 0, instructions -1. */
#ifndef BENCH_LOAD_USAGE_H
#define BENCH_LOAD_USAGE_H

#include <stdint.h>

enum { USAGE_MAX_THREADS = 256 };

struct usage_meter {
    int pid;
    int counter_count;
    int counters[USAGE_MAX_THREADS];
};

struct usage {
    uint64_t cpu_ns;
    uint64_t user_ticks, system_ticks; /* of the clock in /proc/PID/stat, 100 a second */
    int64_t instructions;
};

void usage_open(struct usage_meter *meter, int pid);
void usage_close(struct usage_meter *meter);
struct usage usage_read(const struct usage_meter *meter);

#endif
