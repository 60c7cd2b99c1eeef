/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reading goes to and fro: the reading thread posts it to the worker, which does a step and gives
 * it back. While it is on its way it has two holders, and whichever lets go last frees it; so a
 * wait may be given up at any time.
 */
#include "admin/keyspace_figures.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/server.h"
#include "server/worker.h"

enum {
    STEP_US = 250, /* a step ends with the shard in which this has passed */
    SHARE = 4,     /* a worker reads for one part in so many of its time */
    RETRY_US = 1000,
};

struct reading {
    struct keyspace_figures figures; /* first: what is handed out is this */
    struct keyspace_reader *reader;
    struct store_db_sums *dbs;
    unsigned next_shard;
    bool has_catalog;
    int64_t step_us; /* that the last step took */
    _Atomic unsigned holders;
    _Atomic bool given_up;
    bool is_back; /* under the reader's mutex */
};

struct keyspace_reader {
    struct server *server;
    pthread_mutex_t mutex; /* for what follows, and for `is_back` of readings */
    pthread_cond_t changed;
    bool stopped;
    int64_t next_us; /* of the reading thread: when the next step may begin */
};

struct keyspace_reader *keyspace_reader_new(struct server *server) {
    struct keyspace_reader *reader = mem_zalloc(sizeof *reader);
    pthread_condattr_t attributes;
    reader->server = server;
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return reader;
}

void keyspace_reader_stop(struct keyspace_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    reader->stopped = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
}

void keyspace_reader_free(struct keyspace_reader *reader) {
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
    mem_free(reader);
}

static struct reading *reading_new(struct keyspace_reader *reader) {
    struct reading *reading = mem_zalloc(sizeof *reading);
    unsigned db_count = store_db_count(reader->server->store);
    reading->reader = reader;
    reading->holders = 1;
    reading->figures.db_count = db_count;
    reading->figures.dbs = mem_zalloc(db_count * sizeof *reading->figures.dbs);
    reading->dbs = mem_zalloc(db_count * sizeof *reading->dbs);
    return reading;
}

void keyspace_figures_free(struct keyspace_figures *figures) {
    struct reading *reading = (struct reading *)figures;
    if (atomic_fetch_sub(&reading->holders, 1) > 1) return;
    if (reading->has_catalog) catalog_figures_done(&figures->catalog);
    mem_free(figures->dbs);
    mem_free(reading->dbs);
    mem_free(reading);
}

/* ---- on the worker's thread ---- */

static void step(struct reading *reading) {
    struct keyspace_figures *figures = &reading->figures;
    struct server *server = reading->reader->server;
    int64_t start_us = clock_mono_us(), now_ms = clock_realtime_ms();
    if (!reading->has_catalog)
        reading->has_catalog = catalog_figures_take(server, FIGURES_IF_FREE, &figures->catalog);
    while (reading->has_catalog && reading->next_shard < SHARD_COUNT &&
           clock_mono_us() - start_us < STEP_US) {
        if (!store_add_shard_if_free(server->store, reading->next_shard, now_ms, &figures->store,
                                     reading->dbs))
            break;
        reading->next_shard++;
    }
    reading->step_us = clock_mono_us() - start_us;
    figures->worker_us += reading->step_us;
}

static void arrives(struct worker *worker, void *payload) {
    struct reading *reading = *(struct reading **)payload;
    struct keyspace_reader *reader = reading->reader;
    (void)worker;
    if (!atomic_load(&reading->given_up)) step(reading);
    pthread_mutex_lock(&reader->mutex);
    reading->is_back = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    keyspace_figures_free(&reading->figures);
}

/* ---- on the reading thread ---- */

/* Waits until *done (NULL: never) or a time. False when it was stopped, or *done is still to
 * come. The mutex is held. */
static bool wait_for(struct keyspace_reader *reader, const bool *done, int64_t until_us) {
    struct timespec end = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    int failure = 0;
    while (!reader->stopped && !(done && *done) && failure == 0)
        failure = pthread_cond_timedwait(&reader->changed, &reader->mutex, &end);
    return !reader->stopped && (done == NULL || *done);
}

/* One way to the worker and back. */
static bool travel(struct keyspace_reader *reader, struct reading *reading, int64_t until_us) {
    reading->is_back = false;
    atomic_fetch_add(&reading->holders, 1);
    worker_post(reader->server->workers[0], arrives, (const void *)&reading, sizeof reading);
    pthread_mutex_lock(&reader->mutex);
    bool is_back = wait_for(reader, &reading->is_back, until_us);
    pthread_mutex_unlock(&reader->mutex);
    return is_back;
}

static bool rest(struct keyspace_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    bool may_go_on = wait_for(reader, NULL, reader->next_us);
    pthread_mutex_unlock(&reader->mutex);
    return may_go_on;
}

static bool read_all(struct keyspace_reader *reader, struct reading *reading) {
    int64_t until_us = clock_mono_us() + FIGURES_WAIT_MS * 1000;
    while (reading->next_shard < SHARD_COUNT) {
        unsigned before = reading->next_shard;
        if (clock_mono_us() > until_us || !rest(reader) || !travel(reader, reading, until_us))
            return false;
        reader->next_us = clock_mono_us() + (SHARE - 1) * reading->step_us;
        if (reading->next_shard == before) reader->next_us += RETRY_US;
    }
    return true;
}

struct keyspace_figures *keyspace_read(struct keyspace_reader *reader) {
    struct reading *reading = reading_new(reader);
    const struct store *store = reader->server->store;
    struct keyspace_figures *figures = &reading->figures;
    if (!read_all(reader, reading)) {
        atomic_store(&reading->given_up, true);
        keyspace_figures_free(figures);
        return NULL;
    }
    for (unsigned db = 0; db < figures->db_count; db++)
        store_db_stats_of(store, db, &reading->dbs[db], &figures->dbs[db]);
    figures->store.lazy_pending = store_lazy_pending(store);
    return figures;
}
