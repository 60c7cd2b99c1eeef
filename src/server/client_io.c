/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes in, requests run, bytes out.
 *
 * All clients of a worker share its two buffers: input is read into one, sliced and executed where
 * it lies, and replies gather in the other until one write sends them. So a thousand idle clients
 * hold no buffers, and the bytes of a busy one are always in the cache. Only what is left over, an
 * unfinished request or output that the socket did not take, moves to buffers of the client's own.
 */
#include "base/memory.h"
#include "net/socket.h"
#include "server/client.h"
#include "server/command_stats.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"
#include "store/admin.h"
#include "store/prefetch.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    READ_BYTES = 64 * 1024,
    READ_MAX_BYTES = 4 * 1024 * 1024,
    BATCH_REQUESTS = 64,
    WRITE_EARLY_BYTES = 256 * 1024,
    KEEP_BYTES = 16 * 1024,
    HOLD_OUTPUT_BYTES = 1024 * 1024,
};

static bool client_waits(const struct client *client) {
    return client->waiter != NULL || client->flags & (CLIENT_PAUSED | CLIENT_HELD | CLIENT_AHEAD);
}

static bool client_ends(const struct client *client) {
    return (client->flags & (CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY)) != 0;
}

/* ---- holding back ---- */

void client_go_on(struct client *client) {
    client->flags |= CLIENT_PENDING_INPUT;
    if (!chain_linked(&client->flush_link))
        chain_add_last(&client->worker->to_flush, &client->flush_link);
}

/*
 * A client that asks for much and reads little must not fill the memory with its replies. Where no
 * limit on output is set, its requests wait, as bytes, until it has read; the server goes on
 * reading them, for a client may write a whole pipeline before it reads the first reply. Where a
 * limit is set, the limit decides.
 */
static void client_hold_if_full(struct client *client) {
    struct output_limit *limit = &client->worker->server->limits.output[CLIENT_CLASS_NORMAL];
    if (client->out.len - client->out_sent <= HOLD_OUTPUT_BYTES) return;
    if (atomic_load_explicit(&limit->hard_bytes, memory_order_relaxed) != 0 ||
        atomic_load_explicit(&limit->soft_bytes, memory_order_relaxed) != 0)
        client_output_done(client);
    else
        client->flags |= CLIENT_HELD;
}

/* Whoever is to be closed is not read any more, and what it still sends must not keep the loop
 * awake; nor is a publisher that has to wait: what it sends stays with it. */
static void client_watch(struct client *client, bool writes) {
    bool reads = !(client->flags & (CLIENT_CLOSE_AFTER_REPLY | CLIENT_AHEAD));
    if (!(client->flags & CLIENT_CLOSING))
        loop_modify(client->worker->loop, &client->watch,
                    (reads ? LOOP_READ : 0) | (writes ? LOOP_WRITE : 0));
}

static void client_hold_publisher(struct client *client) {
    struct worker *worker = client->worker;
    worker->publishes_ahead = false;
    if (!pubsub_is_ahead(worker->server->pubsub)) return;
    client->flags |= CLIENT_AHEAD;
    client_watch(client, client->out.len > client->out_sent);
    worker_watch_mail(worker);
}

static void client_go_on_if_read(struct client *client) {
    if (!(client->flags & CLIENT_HELD) ||
        client->out.len - client->out_sent > HOLD_OUTPUT_BYTES / 2)
        return;
    client->flags &= ~(unsigned)CLIENT_HELD;
    client_go_on(client);
}

/* ---- counting ---- */

/* Only this thread writes: a read and a write do, without a locked instruction. */
static void count_more(_Atomic uint64_t *count, uint64_t more) {
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static void count_read(struct client *client, size_t bytes) {
    stats_add(STAT_INPUT_BYTES, (int64_t)bytes);
    stats_add(STAT_READS, 1);
    count_more(&client->shared.bytes_in, bytes);
}

static void count_written(struct client *client, size_t bytes) {
    stats_add(STAT_OUTPUT_BYTES, (int64_t)bytes);
    stats_add(STAT_WRITES, 1);
    count_more(&client->shared.bytes_out, bytes);
}

/* ---- output ---- */

static void client_write_failed(struct client *client) {
    client->out.len = client->out_sent = 0;
    client_close(client, false);
}

/* Sends from the client's own buffer. */
void client_flush(struct client *client) {
    while (client->out_sent < client->out.len && !(client->flags & CLIENT_CLOSING)) {
        size_t sent = 0;
        enum socket_status status = socket_write(client->fd, client->out.data + client->out_sent,
                                                 client->out.len - client->out_sent, &sent);
        if (status == SOCKET_AGAIN) break;
        if (status != SOCKET_OK) {
            client_write_failed(client);
            return;
        }
        count_written(client, sent);
        client->out_sent += sent;
    }
    bool all = client->out_sent == client->out.len;
    if (all) {
        client->out.len = client->out_sent = 0;
        buffer_shrink(&client->out, 0);
        client->soft_limit_since_ms = 0;
        if (client->flags & CLIENT_CLOSE_AFTER_REPLY) client_close(client, false);
    } else if (client->out_sent > client->out.len / 2) {
        /* A reader that is always a little behind must not keep what it has read. */
        buffer_consume(&client->out, client->out_sent);
        client->out_sent = 0;
    }
    client_go_on_if_read(client);
    atomic_store_explicit(&client->shared.output_bytes, client->out.len - client->out_sent,
                          memory_order_relaxed);
    client_watch(client, !all);
}

/* Sends from the worker's buffer as much as the socket takes, and keeps the rest. */
static void client_send_shared(struct client *client, struct buffer *out) {
    size_t at = 0;
    while (at < out->len && !(client->flags & CLIENT_CLOSING)) {
        size_t sent = 0;
        enum socket_status status = socket_write(client->fd, out->data + at, out->len - at, &sent);
        if (status == SOCKET_AGAIN) break;
        if (status != SOCKET_OK) {
            client_write_failed(client);
            break;
        }
        count_written(client, sent);
        at += sent;
    }
    if (at < out->len && !(client->flags & CLIENT_CLOSING)) {
        if (buffer_add(&client->out, out->data + at, out->len - at) != 0)
            client_close(client, false);
        else
            client_output_done(client);
    }
    out->len = 0;
    if (out->cap > 2 * WRITE_EARLY_BYTES) buffer_shrink(out, 0);
}

/* ---- running requests ---- */

/* Runs a batch; returns how many bytes of input it consumed, and how many requests.
 * *ret_stop: the rest has to wait. */
static size_t client_run_batch(struct client *client, size_t parsed, uint32_t *ret_ran,
                               bool *ret_stop) {
    struct worker *worker = client->worker;
    struct parser_batch *batch = &worker->batch;
    struct prepared prepared[BATCH_REQUESTS];
    struct store *store = worker->server->store;
    *ret_stop = false;
    *ret_ran = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        dispatch_prepare(client, batch->requests[i].argv, batch->requests[i].argc, &prepared[i]);
    /* All of them at once, with nothing between: a prefetch waits for its page to be translated,
     * and only neighbours wait together. */
    for (uint32_t i = 0; i < batch->count; i++)
        if (prepared[i].has_key) store_prefetch_entry(store, client->db, &prepared[i].key.key);
    for (uint32_t i = 0; i < batch->count; i++) {
        enum dispatch_result result =
            dispatch(client, batch->requests[i].argv, batch->requests[i].argc, &prepared[i]);
        if (result == DISPATCH_POSTPONED) {
            *ret_stop = true;
            return i == 0 ? 0 : batch->requests[i - 1].end;
        }
        *ret_ran = i + 1;
        if (client->active_out == &client->out) client_hold_if_full(client);
        if (kn_unlikely(worker->publishes_ahead)) client_hold_publisher(client);
        if (client_ends(client)) return parsed;
        if (client->active_out == &worker->out && worker->out.len > WRITE_EARLY_BYTES) {
            client_send_shared(client, &worker->out);
            if (client->out.len) client->active_out = &client->out;
        }
        if (client_waits(client)) {
            *ret_stop = true;
            return batch->requests[i].end;
        }
    }
    return parsed;
}

static void client_protocol_error(struct client *client) {
    char text[PARSER_ERROR_MAX];
    struct reply reply;
    struct bytes error = parser_error(&client->parser, text);
    log_verbose("Protocol error from client %llu (%s): %.*s", (unsigned long long)client->id,
                client->shared.address, (int)error.len, error.data);
    reply_init(&reply, client_output(client), client->resp);
    reply_error_format(&reply, "ERR %.*s", (int)error.len, error.data);
    error_stats_note(reply.out->data + reply.error_at, reply.out->len - reply.error_at);
    client_close(client, true);
}

/* Runs what `in` holds; returns how much of it was consumed. */
static size_t client_run_input(struct client *client, struct buffer *in) {
    struct worker *worker = client->worker;
    size_t at = 0;
    bool stop = false;
    while (!client_ends(client) && !stop) {
        client->parser.bulk_max =
            atomic_load_explicit(&worker->server->limits.bulk_max_bytes, memory_order_relaxed);
        client->parser.unauthenticated = !client->authenticated;
        size_t parsed = parser_parse(&client->parser, &worker->batch, in->data + at, in->len - at,
                                     BATCH_REQUESTS);
        uint32_t ran = 0;
        at += worker->batch.count ? client_run_batch(client, parsed, &ran, &stop) : parsed;
        count_more(&client->shared.commands, ran);
        if (stop)
            parser_restart(&client->parser);
        else if (parser_failed(&client->parser) && !client_ends(client))
            client_protocol_error(client);
        else if (parsed == 0)
            break;
    }
    return at;
}

static void client_check_query_limit(struct client *client) {
    uint64_t most =
        atomic_load_explicit(&client->worker->server->limits.query_max_bytes, memory_order_relaxed);
    if (client->in.len + parser_memory(&client->parser) + client->transaction.bytes <= most) return;
    stats_count(STAT_QUERY_LIMIT_CLOSES);
    log_warning("Closing client %llu (%s): its request exceeds client-query-buffer-limit",
                (unsigned long long)client->id, client->shared.address);
    client_close(client, false);
}

/* Runs what has arrived and sends the replies. `in` is the client's own buffer or the worker's. */
static void client_run(struct client *client, struct buffer *in) {
    struct worker *worker = client->worker;
    struct client_shared *shared = &client->shared;
    worker->now_ms = clock_realtime_ms();
    /* Before the replies: who has seen one does not see it idle. */
    atomic_store_explicit(&shared->active_ms, worker->now_ms, memory_order_relaxed);
    store_note_time(worker->server->store, worker->now_ms);
    command_stats_start(worker);
    worker->current = client;
    client->active_out = client->out.len > client->out_sent ? &client->out : &worker->out;
    size_t consumed = client_run_input(client, in);
    if (in == &client->in) {
        buffer_consume(in, consumed);
        if (in->len == 0) buffer_shrink(in, 0);
    } else if (consumed < in->len && !client_ends(client)) {
        if (buffer_add(&client->in, in->data + consumed, in->len - consumed) != 0)
            client_close(client, false);
    }
    client_check_query_limit(client);
    if (client->active_out == &worker->out) {
        client->active_out = NULL;
        client_send_shared(client, &worker->out);
    } else {
        client->active_out = NULL;
        client_flush(client);
    }
    client_go_on_if_read(client);
    if (client->flags & CLIENT_CLOSE_AFTER_REPLY && client->out.len == client->out_sent)
        client_close(client, false);
    worker->current = NULL;
    atomic_store_explicit(&shared->query_bytes, client->in.len, memory_order_relaxed);
    atomic_store_explicit(&shared->query_room, buffer_room(&client->in), memory_order_relaxed);
    atomic_store_explicit(&shared->argument_bytes, parser_memory(&client->parser),
                          memory_order_relaxed);
}

void client_resume(struct client *client) {
    if (client_ends(client) || client_waits(client) || client->in.len == 0) return;
    client_run(client, &client->in);
}

/* ---- input ---- */

static void client_read(struct client *client) {
    struct worker *worker = client->worker;
    struct buffer *in = client->in.len ? &client->in : &worker->in;
    size_t room = READ_BYTES, got = 0;
    if (in == &client->in) {
        /* As much as has come already, so that a large argument is copied few times, but no more
         * than that: a promised length is no reason to set memory aside. */
        size_t wanted = parser_wanted(&client->parser);
        room = wanted < KEEP_BYTES ? KEEP_BYTES : wanted;
        if (room > client->in.len) room = client->in.len < KEEP_BYTES ? KEEP_BYTES : client->in.len;
        if (room > READ_MAX_BYTES) room = READ_MAX_BYTES;
    } else {
        in->len = 0;
    }
    char *to = buffer_reserve(in, room);
    if (to == NULL) {
        log_warning("Closing client %llu: no memory for its request",
                    (unsigned long long)client->id);
        client_close(client, false);
        return;
    }
    enum socket_status status =
        socket_read(client->fd, to, in == &worker->in ? READ_BYTES : buffer_room(in), &got);
    if (status == SOCKET_AGAIN) return;
    if (status != SOCKET_OK) {
        client_close(client, false);
        return;
    }
    buffer_commit(in, got);
    count_read(client, got);
    if (client_waits(client)) {
        if (in == &worker->in && buffer_add(&client->in, in->data, in->len) != 0)
            client_close(client, false);
        client_check_query_limit(client);
        return;
    }
    client_run(client, in);
}

void client_ready(struct loop_watch *watch, unsigned events) {
    struct client *client = CONTAINER_OF(watch, struct client, watch);
    if (kn_unlikely(client == client->worker->busy_client)) return;
    if (events & LOOP_WRITE && !(client->flags & CLIENT_CLOSING)) client_flush(client);
    if (client_ends(client)) {
        if (events & LOOP_CLOSED) client_close(client, false);
        return;
    }
    if (events & (LOOP_READ | LOOP_CLOSED)) client_read(client);
}
