/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/pause.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "server/client.h"
#include "server/command.h"
#include "server/stats.h"
#include "server/worker.h"

struct pause {
    _Atomic int64_t all_until_ms, writes_until_ms; /* 0: none */
};

struct pause *pause_new(void) {
    return mem_zalloc(sizeof(struct pause));
}

void pause_free(struct pause *pause) {
    mem_free(pause);
}

static int64_t all_until_ms(const struct pause *pause) {
    return atomic_load_explicit(&pause->all_until_ms, memory_order_relaxed);
}

static int64_t writes_until_ms(const struct pause *pause) {
    return atomic_load_explicit(&pause->writes_until_ms, memory_order_relaxed);
}

bool pause_is_on(const struct pause *pause, int64_t now_ms) {
    return pause_until_ms(pause) > now_ms;
}

bool pause_stops_all(const struct pause *pause, int64_t now_ms) {
    return all_until_ms(pause) > now_ms;
}

void pause_begin(struct pause *pause, int64_t until_ms, bool all_commands) {
    _Atomic int64_t *end = all_commands ? &pause->all_until_ms : &pause->writes_until_ms;
    if (until_ms > atomic_load(end)) atomic_store(end, until_ms);
}

int64_t pause_until_ms(const struct pause *pause) {
    int64_t all_ms = all_until_ms(pause), writes_ms = writes_until_ms(pause);
    return all_ms > writes_ms ? all_ms : writes_ms;
}

int64_t pause_next_ms(const struct pause *pause, int64_t now_ms) {
    int64_t all_ms = all_until_ms(pause), last_ms = pause_until_ms(pause);
    return all_ms > now_ms && all_ms < last_ms ? all_ms : last_ms;
}

void pause_end(struct pause *pause) {
    atomic_store(&pause->all_until_ms, 0);
    atomic_store(&pause->writes_until_ms, 0);
}

/* CLIENT itself runs, so that a pause can be ended by whoever began it. */
static bool never_waits(const struct command *command) {
    return (command->groups & GROUP_CONNECTION) &&
           (command->flags & (COMMAND_ADMIN | COMMAND_NO_SCRIPT));
}

static bool call_writes(const struct client *client, const struct command *command,
                        const struct bytes *argv) {
    if (!(command->flags & (COMMAND_WRITE | COMMAND_MAY_REPLICATE))) return false;
    return command->writes == NULL || command->writes(client->worker->server, argv);
}

static bool transaction_writes(const struct client *client) {
    const struct transaction *transaction = &client->transaction;
    for (uint32_t i = 0; i < transaction->count; i++)
        if (call_writes(client, transaction->queue[i].command, transaction->queue[i].argv))
            return true;
    return false;
}

void pause_release(struct client *client) {
    if (!(client->flags & CLIENT_PAUSED)) return;
    client->flags &= ~(unsigned)CLIENT_PAUSED;
    atomic_store_explicit(&client->shared.blocked, false, memory_order_relaxed);
    stats_add(STAT_CLIENTS_BLOCKED, -1);
}

bool pause_concerns(const struct pause *pause, int64_t now_ms, struct client *client,
                    const struct command *command, const struct bytes *argv) {
    if (__builtin_expect(!pause_is_on(pause, now_ms), 1) || never_waits(command)) return false;
    bool runs_queue = command->handler == transaction_exec;
    if (!pause_stops_all(pause, now_ms)) {
        bool writes =
            call_writes(client, command, argv) || (runs_queue && transaction_writes(client));
        if (!writes) return false;
    }
    /* To whoever asks, a client that is held counts as blocked. */
    if (!(client->flags & CLIENT_PAUSED)) stats_add(STAT_CLIENTS_BLOCKED, 1);
    client->flags |= CLIENT_PAUSED;
    atomic_store_explicit(&client->shared.blocked, true, memory_order_relaxed);
    worker_watch_pause(client->worker);
    return true;
}
