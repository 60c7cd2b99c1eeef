/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/server.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/aliases.h"
#include "server/auth.h"
#include "server/blocking.h"
#include "server/notify.h"
#include "server/pause.h"
#include "server/pubsub.h"
#include "server/registry.h"
#include "server/transaction.h"
#include "server/violations.h"
#include "server/worker.h"

/* Half of the machine: a request of a few bytes may ask for any number of random members, and must
 * not be able to end the process. */
static size_t output_max_bytes(void) {
    const size_t least = (size_t)1 << 30;
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    size_t half = pages > 0 && page_bytes > 0 ? (size_t)pages * (size_t)page_bytes / 2 : 0;
    return half > least ? half : least;
}

struct server *server_new(struct store *store, struct command_table *commands,
                          struct config *config, unsigned threads) {
    struct server *server = mem_zalloc(sizeof *server);
    server->store = store;
    server->commands = commands;
    server->config = config;
    server->limits.output_max_bytes = output_max_bytes();
    server->started_ms = clock_realtime_ms();
    server->registry = registry_new();
    server->pubsub = pubsub_new(threads);
    server->blocking = blocking_new();
    server->watching = watching_new();
    server->pause = pause_new();
    server->auth = auth_new();
    server->violations = violations_new();
    server->aliases = aliases_new();
    server->workers = mem_zalloc(threads * sizeof *server->workers);
    notify_connect(server);
    while (server->worker_count < threads) {
        struct worker *worker = worker_new(server, server->worker_count);
        if (worker == NULL) {
            server_free(server);
            return NULL;
        }
        server->workers[server->worker_count++] = worker;
    }
    return server;
}

void server_free(struct server *server) {
    for (unsigned i = 0; i < server->worker_count; i++) worker_free(server->workers[i]);
    mem_free(server->workers);
    aliases_free(server->aliases);
    violations_free(server->violations);
    auth_free(server->auth);
    pause_free(server->pause);
    watching_free(server->watching);
    blocking_free(server->blocking);
    pubsub_free(server->pubsub);
    registry_free(server->registry);
    mem_free(server);
}

static void *worker_thread(void *context) {
    worker_run(context);
    return NULL;
}

int server_run(struct server *server) {
    pthread_t *threads = mem_zalloc(server->worker_count * sizeof *threads);
    unsigned started = 1;
    for (; started < server->worker_count; started++) {
        if (pthread_create(&threads[started], NULL, worker_thread, server->workers[started]) != 0) {
            log_warning("Worker thread %u could not be started", started);
            server_stop(server);
            break;
        }
        char name[24];
        snprintf(name, sizeof name, "worker-%u", started % 10000);
        pthread_setname_np(threads[started], name);
    }
    bool whole = started == server->worker_count;
    if (whole) worker_run(server->workers[0]);
    for (unsigned i = 1; i < started; i++) pthread_join(threads[i], NULL);
    mem_free(threads);
    return whole ? 0 : 1;
}

void server_stop(struct server *server) {
    atomic_store(&server->stopping, true);
    for (unsigned i = 0; i < server->worker_count; i++) loop_stop(server->workers[i]->loop);
}
