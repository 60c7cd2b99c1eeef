/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT LIST, INFO, KILL, UNBLOCK: other clients, seen through what they share (server/client.h),
 * and acted on by mail to their own threads.
 */
#include "commands/client_filter.h"
#include "commands/client_rows.h"
#include "server/arguments.h"
#include "server/blocking.h"
#include "server/client.h"
#include "server/registry.h"
#include "server/server.h"
#include "server/worker.h"

/* ---- LIST and INFO ---- */

#define LIST_MAX_BYTES ((size_t)1 << 30)

struct listing {
    struct buffer text;
    const struct request *request;
    struct client_filter filter;
};

static bool list_client(struct client *client, void *context) {
    struct listing *listing = context;
    if (atomic_load(&client->shared.killed)) return true;
    if (!client_filter_matches(&listing->filter, client, listing->request)) return true;
    registry_describe(client, listing->request->now_ms, &listing->text);
    buffer_add(&listing->text, "\n", 1);
    return true;
}

void client_cmd_list(struct request *request) {
    struct listing listing = {.request = request};
    if (!client_filter_parse(request, 2, CLIENT_FILTER_LIST, &listing.filter)) return;
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
    const struct request *request;
    struct client_filter filter;
    int64_t killed;
    bool kill_self;
};

static void close_by_id(struct worker *worker, void *payload) {
    uint64_t id;
    memcpy(&id, payload, sizeof id);
    struct client *client = worker_find_client(worker, id);
    if (client != NULL) client_close(client, false);
}

static bool kill_client(struct client *client, void *context) {
    struct kill_job *job = context;
    if (!client_filter_matches(&job->filter, client, job->request) ||
        atomic_exchange(&client->shared.killed, true))
        return true;
    job->killed++;
    if (client == job->request->client)
        job->kill_self = true;
    else
        worker_post(client->worker, close_by_id, &client->id, sizeof client->id);
    return true;
}

void client_cmd_kill(struct request *request) {
    bool old_form = request->argc == 3;
    struct kill_job job = {.request = request, .filter.skip_self = !old_form};
    if (old_form)
        job.filter.wanted.address = argument(request, 2);
    else if (!client_filter_parse(request, 2, CLIENT_FILTER_KILL, &job.filter))
        return;
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
