/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT LIST, INFO, KILL, UNBLOCK: other clients, seen through what they share (server/client.h), and acted on by
 * mail to their own threads.
 */
#include "base/arena.h"
#include "base/number.h"
#include "commands/client_rows.h"
#include "server/arguments.h"
#include "server/blocking.h"
#include "server/client.h"
#include "server/registry.h"
#include "server/server.h"
#include "server/worker.h"

enum client_type {
    CLIENT_TYPE_ANY,
    CLIENT_TYPE_NORMAL,
    CLIENT_TYPE_PUBSUB,
    CLIENT_TYPE_MASTER,
    CLIENT_TYPE_REPLICA
};

static bool parse_type(struct request *request, uint32_t index, enum client_type *ret_type) {
    if (argument_is(request, index, "normal"))
        *ret_type = CLIENT_TYPE_NORMAL;
    else if (argument_is(request, index, "pubsub"))
        *ret_type = CLIENT_TYPE_PUBSUB;
    else if (argument_is(request, index, "master"))
        *ret_type = CLIENT_TYPE_MASTER;
    else if (argument_is(request, index, "replica") || argument_is(request, index, "slave"))
        *ret_type = CLIENT_TYPE_REPLICA;
    else {
        struct bytes word = argument(request, index);
        reply_error_format(request->reply, "ERR Unknown client type '%.*s'",
                           (int)(word.len < 128 ? word.len : 128), word.data);
        return false;
    }
    return true;
}

static bool is_of_type(struct client *client, enum client_type type) {
    if (type == CLIENT_TYPE_ANY) return true;
    struct client_shared *shared = &client->shared;
    bool subscriber = atomic_load(&shared->channels) || atomic_load(&shared->patterns) ||
                      atomic_load(&shared->shard_channels);
    return type == (subscriber ? CLIENT_TYPE_PUBSUB : CLIENT_TYPE_NORMAL);
}

/* ---- LIST and INFO ---- */

#define LIST_MAX_BYTES ((size_t)1 << 30)

struct listing {
    struct buffer text;
    int64_t now_ms;
    enum client_type type;
    const uint64_t *ids;
    uint32_t id_count;
};

static bool list_client(struct client *client, void *context) {
    struct listing *listing = context;
    if (atomic_load(&client->shared.killed)) return true;
    bool wanted = is_of_type(client, listing->type) && listing->id_count == 0;
    for (uint32_t i = 0; i < listing->id_count; i++) wanted |= listing->ids[i] == client->id;
    if (!wanted) return true;
    registry_describe(client, listing->now_ms, &listing->text);
    buffer_add(&listing->text, "\n", 1);
    return true;
}

static bool parse_ids(struct request *request, uint32_t first, struct listing *listing) {
    uint64_t *ids = arena_alloc(request->arena, (request->argc - first) * sizeof *ids);
    for (uint32_t i = first; i < request->argc; i++) {
        int64_t id;
        if (!argument_i64(request, i, &id, "ERR Invalid client ID")) return false;
        ids[listing->id_count++] = (uint64_t)id;
    }
    listing->ids = ids;
    return true;
}

void client_cmd_list(struct request *request) {
    struct listing listing = {.now_ms = request->now_ms};
    if (request->argc == 4 && argument_is(request, 2, "type")) {
        if (!parse_type(request, 3, &listing.type)) return;
    } else if (request->argc > 3 && argument_is(request, 2, "id")) {
        if (!parse_ids(request, 3, &listing)) return;
    } else if (request->argc != 2) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    buffer_init(&listing.text, LIST_MAX_BYTES);
    registry_each(request->server->registry, list_client, &listing);
    reply_verbatim(request->reply, "txt", buffer_bytes(&listing.text));
    buffer_done(&listing.text);
}

void client_cmd_info(struct request *request) {
    struct buffer text;
    buffer_init(&text, LIST_MAX_BYTES);
    registry_describe(request->client, request->now_ms, &text);
    buffer_add(&text, "\n", 1);
    reply_verbatim(request->reply, "txt", buffer_bytes(&text));
    buffer_done(&text);
}

/* ---- KILL ---- */

struct kill_job {
    struct client *self;
    bool skip_self;
    int64_t id;        /* 0: any */
    int64_t min_age_s; /* 0: any */
    enum client_type type;
    struct bytes address, local_address; /* data NULL: any */
    int64_t now_ms;
    int64_t killed;
    bool kill_self;
};

static void close_by_id(struct worker *worker, void *payload) {
    uint64_t id;
    memcpy(&id, payload, sizeof id);
    struct client *client = worker_find_client(worker, id);
    if (client != NULL) client_close(client, false);
}

static bool is_meant(struct client *client, const struct kill_job *job) {
    struct client_shared *shared = &client->shared;
    if (job->id != 0 && (uint64_t)job->id != client->id) return false;
    if (!is_of_type(client, job->type)) return false;
    if (job->address.data && !bytes_equal(job->address, bytes_from_string(shared->address)))
        return false;
    if (job->local_address.data &&
        !bytes_equal(job->local_address, bytes_from_string(shared->local_address)))
        return false;
    if (job->min_age_s && (job->now_ms - atomic_load(&shared->created_ms)) / 1000 < job->min_age_s)
        return false;
    return !(job->skip_self && client == job->self) && !atomic_exchange(&shared->killed, true);
}

static bool kill_client(struct client *client, void *context) {
    struct kill_job *job = context;
    if (!is_meant(client, job)) return true;
    job->killed++;
    if (client == job->self)
        job->kill_self = true;
    else
        worker_post(client->worker, close_by_id, &client->id, sizeof client->id);
    return true;
}

static bool kill_option(struct request *request, uint32_t i, struct kill_job *job) {
    if (argument_is(request, i, "id")) {
        return argument_i64_range(request, i + 1, 1, INT64_MAX, &job->id,
                                  "ERR client-id should be greater than 0");
    } else if (argument_is(request, i, "maxage")) {
        return argument_i64_range(request, i + 1, 1, INT64_MAX, &job->min_age_s,
                                  "ERR maxage is not an integer or out of range");
    } else if (argument_is(request, i, "type")) {
        return parse_type(request, i + 1, &job->type);
    } else if (argument_is(request, i, "addr")) {
        job->address = argument(request, i + 1);
    } else if (argument_is(request, i, "laddr")) {
        job->local_address = argument(request, i + 1);
    } else if (argument_is(request, i, "user")) {
        struct bytes user = argument(request, i + 1);
        if (bytes_equal(user, BYTES("default"))) return true;
        reply_error_format(request->reply, "ERR No such user '%.*s'",
                           (int)(user.len < 128 ? user.len : 128), user.data);
        return false;
    } else if (argument_is(request, i, "skipme") && argument_is(request, i + 1, "yes")) {
        job->skip_self = true;
    } else if (argument_is(request, i, "skipme") && argument_is(request, i + 1, "no")) {
        job->skip_self = false;
    } else {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    return true;
}

void client_cmd_kill(struct request *request) {
    bool old_form = request->argc == 3;
    struct kill_job job = {
        .self = request->client, .skip_self = !old_form, .now_ms = request->now_ms};
    if (old_form) job.address = argument(request, 2);
    for (uint32_t i = 2; !old_form && i < request->argc; i += 2) {
        if (i + 1 == request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return;
        }
        if (!kill_option(request, i, &job)) return;
    }
    registry_each(request->server->registry, kill_client, &job);
    if (!old_form)
        reply_int(request->reply, job.killed);
    else if (job.killed == 0)
        reply_error(request->reply, "ERR No such client");
    else
        reply_ok(request->reply);
    if (job.kill_self) client_close(request->client, true);
}

/* ---- UNBLOCK ---- */

struct unblock_job {
    uint64_t id;
    uint64_t turn;
    enum unblock how;
    bool found;
};

static void unblock_by_id(struct worker *worker, void *payload) {
    struct unblock_job job;
    memcpy(&job, payload, sizeof job);
    struct client *client = worker_find_client(worker, job.id);
    if (client != NULL) blocking_unblocked(client, job.turn, job.how);
}

static bool unblock_client(struct client *client, void *context) {
    struct unblock_job *job = context;
    if (client->id != job->id) return true;
    job->found = blocking_unblock(&client->shared, &job->turn);
    if (job->found) worker_post(client->worker, unblock_by_id, job, sizeof *job);
    return false;
}

void client_cmd_unblock(struct request *request) {
    int64_t id;
    struct unblock_job job = {.how = UNBLOCK_TIMEOUT};
    if (request->argc == 4) {
        if (argument_is(request, 3, "error")) {
            job.how = UNBLOCK_ERROR;
        } else if (!argument_is(request, 3, "timeout")) {
            reply_error(request->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
            return;
        }
    } else if (request->argc != 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (!argument_i64(request, 2, &id, NULL)) return;
    job.id = (uint64_t)id;
    registry_each(request->server->registry, unblock_client, &job);
    reply_int(request->reply, job.found);
}
