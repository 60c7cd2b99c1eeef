/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/command_stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/ticks.h"
#include "server/latency.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"

struct command_cell {
    _Atomic uint64_t calls, ticks, rejected, failed;
    _Atomic(struct latency *) latency; /* from its first call on, while latencies are tracked */
};

struct command_stats {
    uint64_t since;       /* when the command that runs began */
    uint64_t outer_since; /* when the one that it runs within began */
    unsigned commands;
    struct command_cell cells[];
};

static _Atomic bool track_latency = true;

struct command_stats *command_stats_new(unsigned commands) {
    struct command_stats *stats = mem_zalloc(sizeof *stats + commands * sizeof *stats->cells);
    stats->commands = commands;
    return stats;
}

void command_stats_free(struct command_stats *stats) {
    for (unsigned i = 0; stats && i < stats->commands; i++)
        mem_free(atomic_load(&stats->cells[i].latency));
    mem_free(stats);
}

/* Only the worker's own thread adds, so no locked instruction is needed. */
static void cell_add(_Atomic uint64_t *cell, uint64_t amount) {
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static void cell_note_latency(struct command_cell *cell, uint64_t ticks) {
    struct latency *latency = atomic_load_explicit(&cell->latency, memory_order_relaxed);
    if (kn_unlikely(latency == NULL)) {
        latency = mem_zalloc(sizeof *latency);
        atomic_store_explicit(&cell->latency, latency, memory_order_release);
    }
    latency_note(latency, ticks);
}

void command_stats_track_latency(bool on) {
    atomic_store(&track_latency, on);
}

void command_stats_start(struct worker *worker) {
    worker->command_stats->since = ticks_now();
}

void command_stats_called(struct worker *worker, unsigned number, bool failed) {
    struct command_stats *stats = worker->command_stats;
    struct command_cell *cell = &stats->cells[number];
    uint64_t now = ticks_now();
    cell_add(&cell->calls, 1);
    cell_add(&cell->ticks, now - stats->since);
    if (failed) cell_add(&cell->failed, 1);
    if (atomic_load_explicit(&track_latency, memory_order_relaxed))
        cell_note_latency(cell, now - stats->since);
    stats->since = now;
    stats_add(STAT_COMMANDS, 1);
}

void command_stats_begin_nested(struct worker *worker) {
    worker->command_stats->outer_since = worker->command_stats->since;
    command_stats_start(worker);
}

void command_stats_end_nested(struct worker *worker) {
    worker->command_stats->since = worker->command_stats->outer_since;
}

void command_stats_rejected(struct worker *worker, unsigned number) {
    cell_add(&worker->command_stats->cells[number].rejected, 1);
}

void command_stats_failed_later(struct worker *worker, unsigned number) {
    cell_add(&worker->command_stats->cells[number].failed, 1);
}

void command_stats_read(struct server *server, unsigned number, struct command_counts *ret_counts) {
    uint64_t ticks = 0;
    *ret_counts = (struct command_counts){0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct command_cell *cell = &server->workers[i]->command_stats->cells[number];
        ret_counts->calls += atomic_load_explicit(&cell->calls, memory_order_relaxed);
        ret_counts->rejected += atomic_load_explicit(&cell->rejected, memory_order_relaxed);
        ret_counts->failed += atomic_load_explicit(&cell->failed, memory_order_relaxed);
        ticks += atomic_load_explicit(&cell->ticks, memory_order_relaxed);
    }
    ret_counts->microseconds = ticks_to_us(ticks);
}

void command_stats_latency(struct server *server, unsigned number, struct latency_sum *ret_sum) {
    *ret_sum = (struct latency_sum){0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct command_cell *cell = &server->workers[i]->command_stats->cells[number];
        struct latency *latency = atomic_load_explicit(&cell->latency, memory_order_acquire);
        if (latency) latency_add(ret_sum, latency);
    }
}

/* ---- errors ---- */

/* What the server itself says; scripts may make up others. */
static const char *const own_codes[] = {
    "ERR",       "WRONGTYPE", "NOAUTH",     "WRONGPASS",  "NOPROTO",  "OOM",     "BUSY",
    "BUSYKEY",   "BUSYGROUP", "NOGROUP",    "UNBLOCKED",  "NOSCRIPT", "NOTBUSY", "UNKILLABLE",
    "EXECABORT", "TRYAGAIN",  "INVALIDOBJ", "TESTFAILED", "DENIED",   "CATALOG",
};
enum {
    OWN_CODES = sizeof own_codes / sizeof *own_codes,
    OTHER_CODES_MAX = 128,
    ERROR_CODE_LEN = 32
};

struct error_count {
    char code[ERROR_CODE_LEN];
    uint64_t count;
};

/* Whoever sends ever new codes fills the table once; what does not fit is counted under one name.
 * The server's own codes always fit. */
static struct {
    struct lock lock;
    unsigned used, others; /* entries; how many of them are not the server's own */
    struct error_count counts[OWN_CODES + OTHER_CODES_MAX + 1];
} errors;

static bool is_own_code(const char *code) {
    for (unsigned i = 0; i < OWN_CODES; i++)
        if (strcmp(own_codes[i], code) == 0) return true;
    return false;
}

static struct error_count *find_error(const char *code) {
    for (unsigned i = 0; i < errors.used; i++)
        if (strcmp(errors.counts[i].code, code) == 0) return &errors.counts[i];
    return NULL;
}

static struct error_count *error_slot(const char *code) {
    struct error_count *slot = find_error(code);
    if (slot != NULL) return slot;
    if (!is_own_code(code)) {
        if (errors.others == OTHER_CODES_MAX) {
            code = "ERRORSTATS_OVERFLOW";
            slot = find_error(code);
            if (slot != NULL) return slot;
        } else {
            errors.others++;
        }
    }
    kn_require(errors.used < sizeof errors.counts / sizeof *errors.counts);
    slot = &errors.counts[errors.used++];
    snprintf(slot->code, sizeof slot->code, "%s", code);
    slot->count = 0;
    return slot;
}

void error_stats_note(const char *reply, size_t len) {
    char code[ERROR_CODE_LEN];
    size_t used = 0;
    for (size_t i = 1; i < len && used + 1 < sizeof code && reply[i] != ' ' && reply[i] != '\r';
         i++)
        code[used++] = reply[i];
    code[used] = '\0';
    stats_add(STAT_ERROR_REPLIES, 1);
    lock_take(&errors.lock);
    error_slot(code)->count++;
    lock_give(&errors.lock);
}

void error_stats_each(error_stats_visit_fn *visit, void *context) {
    lock_take(&errors.lock);
    for (unsigned i = 0; i < errors.used; i++)
        visit(errors.counts[i].code, errors.counts[i].count, context);
    lock_give(&errors.lock);
}

void command_stats_reset(struct server *server) {
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct command_stats *stats = server->workers[i]->command_stats;
        for (unsigned number = 0; number < stats->commands; number++) {
            struct command_cell *cell = &stats->cells[number];
            atomic_store(&cell->calls, 0);
            atomic_store(&cell->ticks, 0);
            atomic_store(&cell->rejected, 0);
            atomic_store(&cell->failed, 0);
            struct latency *latency = atomic_load(&cell->latency);
            if (latency) latency_reset(latency);
        }
    }
    lock_take(&errors.lock);
    errors.used = errors.others = 0;
    lock_give(&errors.lock);
}
