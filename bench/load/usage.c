/* SPDX-License-Identifier: BSD-3-Clause */
/* schedstat counts nanoseconds but is kept per thread; stat has the split into user and system
 * time but in ticks of 10 ms. Both are read: the one for the figure, the other for the split. */
#include "usage.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int counter_open(int thread) {
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static DIR *threads_open(int pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    return opendir(path);
}

void usage_open(struct usage_meter *meter, int pid) {
    *meter = (struct usage_meter){.pid = pid};
    DIR *threads = pid ? threads_open(pid) : NULL;
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        int thread = (int)strtol(entry->d_name, NULL, 10);
        int counter = thread ? counter_open(thread) : -1;
        if (counter >= 0 && meter->counter_count < USAGE_MAX_THREADS)
            meter->counters[meter->counter_count++] = counter;
    }
    if (threads) closedir(threads);
}

void usage_close(struct usage_meter *meter) {
    for (int i = 0; i < meter->counter_count; i++) close(meter->counters[i]);
    meter->counter_count = 0;
}

static uint64_t thread_cpu_ns(int pid, const char *thread) {
    char path[320];
    unsigned long long cpu_ns = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    if (fscanf(file, "%llu", &cpu_ns) != 1) cpu_ns = 0;
    fclose(file);
    return cpu_ns;
}

static void ticks_read(int pid, struct usage *usage) {
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return;
    unsigned long long user = 0, system = 0;
    /* The name in parentheses may hold anything; the fields are counted from behind it. */
    char *after = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (after && sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                        &system) == 2) {
        usage->user_ticks = user;
        usage->system_ticks = system;
    }
    fclose(file);
}

struct usage usage_read(const struct usage_meter *meter) {
    struct usage usage = {.instructions = meter->counter_count ? 0 : -1};
    DIR *threads = meter->pid ? threads_open(meter->pid) : NULL;
    for (struct dirent *entry; threads && (entry = readdir(threads));)
        if (entry->d_name[0] != '.') usage.cpu_ns += thread_cpu_ns(meter->pid, entry->d_name);
    if (threads) closedir(threads);
    if (meter->pid) ticks_read(meter->pid, &usage);
    for (int i = 0; i < meter->counter_count; i++) {
        uint64_t count = 0;
        if (read(meter->counters[i], &count, sizeof(count)) == sizeof(count))
            usage.instructions += (int64_t)count;
    }
    return usage;
}
