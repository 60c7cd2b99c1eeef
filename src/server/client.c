/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/client.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/socket.h"
#include "server/auth.h"
#include "server/blocking.h"
#include "server/registry.h"
#include "server/pause.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"

/* No client's buffers grow beyond these, whatever the configuration allows. */
#define INPUT_MAX_BYTES ((size_t)4 << 30)

static void refuse(int fd, const char *error) {
    stats_add(STAT_CONNECTIONS_REJECTED, 1); /* before the peer can know */
    size_t sent;
    (void)!socket_write(fd, error, strlen(error), &sent);
    close(fd);
}

/* Whether protected mode turns this connection away. */
static bool is_protected(struct server *server, int fd, bool is_unix) {
    return !is_unix && atomic_load_explicit(&server->limits.protected_mode, memory_order_relaxed) &&
           !auth_is_required(server->auth) && !socket_peer_is_local(fd);
}

struct client *client_new(struct worker *worker, int fd, bool is_unix) {
    struct server *server = worker->server;
    stats_add(STAT_CONNECTIONS, 1);
    if (is_protected(server, fd, is_unix)) {
        refuse(fd, "-DENIED Keynome is running in protected mode because no password is set. "
                   "Connections are "
                   "only accepted from this machine. Set a password (requirepass), or say "
                   "'protected-mode no', "
                   "to let other machines connect.\r\n");
        return NULL;
    }
    struct client *client = mem_zalloc(sizeof *client);
    client->fd = fd;
    client->worker = worker;
    client->resp = 2;
    client->flags = is_unix ? CLIENT_UNIX : 0;
    client->authenticated = !auth_is_required(server->auth);
    client->watch = (struct loop_watch){.fd = fd, .events = LOOP_READ, .ready = client_ready};
    buffer_init(&client->in, INPUT_MAX_BYTES);
    buffer_init(&client->out, server->limits.output_max_bytes);
    parser_init(&client->parser, 0);
    transaction_init(&client->transaction);
    subscriptions_init(&client->subscriptions);
    struct client_shared *shared = &client->shared;
    int64_t now_ms = clock_realtime_ms();
    atomic_store(&shared->resp, 2);
    atomic_store(&shared->queued, -1);
    atomic_store(&shared->created_ms, now_ms);
    atomic_store(&shared->active_ms, now_ms);
    atomic_store(&shared->flags, client->flags);
    socket_peer_address(fd, shared->address);
    socket_local_address(fd, shared->local_address);
    if (!registry_add(server->registry, client, atomic_load(&server->limits.max_clients))) {
        refuse(fd, "-ERR max number of clients reached\r\n");
        parser_done(&client->parser);
        mem_free(client);
        return NULL;
    }
    if (loop_add(worker->loop, &client->watch) != 0) {
        log_warning("A connection could not be watched");
        registry_remove(server->registry, client);
        close(fd);
        parser_done(&client->parser);
        mem_free(client);
        return NULL;
    }
    chain_add_last(&worker->clients, &client->worker_link);
    return client;
}

void client_close(struct client *client, bool after_reply) {
    struct worker *worker = client->worker;
    bool unsent = client->out.len > client->out_sent ||
                  (client->active_out != NULL && client->active_out->len > 0);
    if (client->flags & CLIENT_CLOSING) return;
    if (after_reply && (unsent || worker->current == client)) {
        client->flags |= CLIENT_CLOSE_AFTER_REPLY;
    } else {
        client->flags |= CLIENT_CLOSING;
        atomic_store(&client->shared.killed, true);
        loop_remove(worker->loop, &client->watch);
    }
    if (!chain_linked(&client->flush_link)) chain_add_last(&worker->to_flush, &client->flush_link);
}

void client_destroy(struct client *client) {
    struct worker *worker = client->worker;
    struct server *server = worker->server;
    if (!(client->flags & CLIENT_CLOSING)) loop_remove(worker->loop, &client->watch);
    if (client->waiter != NULL) blocking_cancel(client, UNBLOCK_SILENT);
    pause_release(client);
    pubsub_unsubscribe_all(client);
    watch_clear(client);
    transaction_clear(&client->transaction);
    registry_remove(server->registry, client);
    chain_remove(&worker->clients, &client->worker_link);
    chain_remove(&worker->to_flush, &client->flush_link);
    close(client->fd);
    buffer_done(&client->in);
    buffer_done(&client->out);
    parser_done(&client->parser);
    mem_free(client->shared.name);
    mem_free(client->shared.lib_name);
    mem_free(client->shared.lib_version);
    mem_free(client);
}

void client_reset(struct client *client) {
    struct server *server = client->worker->server;
    transaction_end(client);
    pubsub_unsubscribe_all(client);
    client->flags &=
        ~(unsigned)(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP_NEXT | CLIENT_NO_EVICT | CLIENT_NO_TOUCH);
    atomic_store(&client->shared.flags, client->flags);
    client->authenticated = !auth_is_required(server->auth);
    client_select(client, 0);
    client_set_resp(client, 2);
    client_set_string(client, &client->shared.name, bytes_make(NULL, 0));
}

void client_select(struct client *client, unsigned db) {
    client->db = db;
    atomic_store_explicit(&client->shared.db, db, memory_order_relaxed);
}

void client_set_resp(struct client *client, int resp) {
    client->resp = resp;
    atomic_store_explicit(&client->shared.resp, (uint32_t)resp, memory_order_relaxed);
}

void client_set_string(struct client *client, char **field, struct bytes value) {
    char *copy = NULL;
    if (value.len) {
        copy = mem_alloc(value.len + 1);
        memcpy(copy, value.data, value.len);
        copy[value.len] = '\0';
    }
    lock_take(&client->shared.lock);
    char *old = *field;
    *field = copy;
    lock_give(&client->shared.lock);
    mem_free(old);
}

/* ---- output ---- */

struct buffer *client_output(struct client *client) {
    return client->active_out != NULL ? client->active_out : &client->out;
}

static struct output_limit *output_limit(const struct client *client) {
    bool subscriber = client->subscriptions.of[TOPIC_CHANNEL].count ||
                      client->subscriptions.of[TOPIC_PATTERN].count ||
                      client->subscriptions.of[TOPIC_SHARD].count;
    return &client->worker->server->limits
                .output[subscriber ? CLIENT_CLASS_PUBSUB : CLIENT_CLASS_NORMAL];
}

size_t client_reply_max(const struct client *client) {
    uint64_t hard = atomic_load_explicit(&output_limit(client)->hard_bytes, memory_order_relaxed);
    return hard == 0 ? SIZE_MAX : hard;
}

/* Closes a client that takes its output too slowly. */
static void check_output_limit(struct client *client, size_t pending) {
    struct output_limit *limit = output_limit(client);
    uint64_t hard = atomic_load_explicit(&limit->hard_bytes, memory_order_relaxed);
    uint64_t soft = atomic_load_explicit(&limit->soft_bytes, memory_order_relaxed);
    /* Whoever has not said the password is owed a few errors, and is to take them. */
    if (!client->authenticated && (hard == 0 || hard > CLIENT_STRANGER_OUTPUT_BYTES))
        hard = CLIENT_STRANGER_OUTPUT_BYTES;
    int64_t seconds = atomic_load_explicit(&limit->soft_seconds, memory_order_relaxed),
            now_ms = client->worker->now_ms;
    bool over_soft = soft != 0 && pending > soft;
    if (!over_soft)
        client->soft_limit_since_ms = 0;
    else if (client->soft_limit_since_ms == 0)
        client->soft_limit_since_ms = now_ms;
    bool too_long = over_soft && now_ms - client->soft_limit_since_ms > seconds * 1000;
    if (!too_long && (hard == 0 || pending <= hard)) return;
    stats_count(STAT_OUTPUT_LIMIT_CLOSES);
    log_warning("Closing client %llu (%s): its output exceeds client-output-buffer-limit",
                (unsigned long long)client->id, client->shared.address);
    client_close(client, false);
}

void client_output_done(struct client *client) {
    if (client->active_out != NULL && client->active_out != &client->out) return;
    size_t pending = client->out.len - client->out_sent;
    atomic_store_explicit(&client->shared.output_bytes, pending, memory_order_relaxed);
    check_output_limit(client, pending);
    if (!chain_linked(&client->flush_link))
        chain_add_last(&client->worker->to_flush, &client->flush_link);
}
