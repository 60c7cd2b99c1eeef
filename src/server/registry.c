/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/registry.h"

#include "base/memory.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"

struct registry {
    struct lock lock;
    struct chain clients;
    uint64_t last_id;
    _Atomic uint32_t count;
};

struct registry *registry_new(void) {
    struct registry *registry = mem_zalloc(sizeof *registry);
    chain_init(&registry->clients);
    return registry;
}

void registry_free(struct registry *registry) {
    mem_free(registry);
}

bool registry_add(struct registry *registry, struct client *client, uint32_t max_clients) {
    lock_take(&registry->lock);
    bool room = registry->clients.count < max_clients;
    if (room) {
        client->id = ++registry->last_id;
        chain_add_last(&registry->clients, &client->registry_link);
        atomic_store_explicit(&registry->count, (uint32_t)registry->clients.count,
                              memory_order_relaxed);
    }
    lock_give(&registry->lock);
    if (room) stats_add(STAT_CLIENTS, 1);
    return room;
}

void registry_remove(struct registry *registry, struct client *client) {
    lock_take(&registry->lock);
    chain_remove(&registry->clients, &client->registry_link);
    atomic_store_explicit(&registry->count, (uint32_t)registry->clients.count,
                          memory_order_relaxed);
    lock_give(&registry->lock);
    stats_add(STAT_CLIENTS, -1);
}

uint32_t registry_count(struct registry *registry) {
    return atomic_load_explicit(&registry->count, memory_order_relaxed);
}

void registry_each(struct registry *registry, registry_visit_fn *visit, void *context) {
    lock_take(&registry->lock);
    CHAIN_EACH(&registry->clients, struct client, registry_link, client)
    if (!visit(client, context)) break;
    lock_give(&registry->lock);
}

void registry_describe_flags(const struct client *client, char out[CLIENT_FLAGS_MAX]) {
    const struct client_shared *shared = &client->shared;
    char *to = out;
    uint32_t flags = atomic_load(&shared->flags);
    if (atomic_load(&shared->channels) || atomic_load(&shared->patterns) ||
        atomic_load(&shared->shard_channels))
        *to++ = 'P';
    if (atomic_load(&shared->queued) >= 0) *to++ = 'x';
    if (atomic_load(&shared->blocked)) *to++ = 'b';
    if (atomic_load(&client->transaction.dirty)) *to++ = 'd';
    if (flags & CLIENT_CLOSE_AFTER_REPLY) *to++ = 'c';
    if (flags & CLIENT_CLOSING) *to++ = 'A';
    if (flags & CLIENT_UNIX) *to++ = 'U';
    if (flags & CLIENT_NO_EVICT) *to++ = 'e';
    if (flags & CLIENT_NO_TOUCH) *to++ = 'T';
    if (to == out) *to++ = 'N';
    *to = '\0';
}

const char *registry_capabilities(const struct client *client) {
    return atomic_load(&client->shared.flags) & CLIENT_CAN_REDIRECT ? "r" : "";
}

/* What a client can do is told of those that have said it: some libraries refuse a line with a
 * field that Redis does not have, and theirs never say it. */
void registry_describe(struct client *client, int64_t now_ms, struct buffer *out) {
    struct client_shared *shared = &client->shared;
    char flags[CLIENT_FLAGS_MAX], name[COMMAND_NAME_MAX];
    const struct command *last = atomic_load(&shared->last_command);
    uint64_t in = atomic_load(&shared->query_bytes), room = atomic_load(&shared->query_room);
    uint64_t output = atomic_load(&shared->output_bytes),
             queued = atomic_load(&shared->queued_bytes);
    uint64_t arguments = atomic_load(&shared->argument_bytes);
    const char *can = registry_capabilities(client);
    registry_describe_flags(client, flags);
    lock_take(&shared->lock);
    buffer_printf(
        out,
        "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s %s%s%sdb=%u sub=%u "
        "psub=%u ssub=%u multi=%d watch=%u ",
        (unsigned long long)client->id, shared->address, shared->local_address, client->fd,
        shared->name ? shared->name : "",
        (long long)((now_ms - atomic_load(&shared->created_ms)) / 1000),
        (long long)((now_ms - atomic_load(&shared->active_ms)) / 1000), flags,
        can[0] ? "capa=" : "", can, can[0] ? " " : "", atomic_load(&shared->db),
        atomic_load(&shared->channels), atomic_load(&shared->patterns),
        atomic_load(&shared->shard_channels), atomic_load(&shared->queued),
        atomic_load(&shared->watched));
    buffer_printf(
        out,
        "qbuf=%llu qbuf-free=%llu argv-mem=%llu multi-mem=%llu rbs=%u rbp=%u obl=0 oll=%u "
        "omem=%llu "
        "tot-mem=%llu events=%s cmd=%s user=default redir=-1 resp=%u lib-name=%s lib-ver=%s "
        "io-thread=%u tot-net-in=%llu tot-net-out=%llu tot-cmds=%llu",
        (unsigned long long)in, (unsigned long long)room, (unsigned long long)arguments,
        (unsigned long long)queued, 0u, 0u, output ? 1u : 0u, (unsigned long long)output,
        (unsigned long long)(sizeof *client + in + room + output + queued + arguments),
        output ? "rw" : "r", last ? command_full_name(client->worker->server, last, name) : "NULL",
        atomic_load(&shared->resp), shared->lib_name ? shared->lib_name : "",
        shared->lib_version ? shared->lib_version : "", client->worker->index,
        (unsigned long long)atomic_load(&shared->bytes_in),
        (unsigned long long)atomic_load(&shared->bytes_out),
        (unsigned long long)atomic_load(&shared->commands));
    lock_give(&shared->lock);
}
