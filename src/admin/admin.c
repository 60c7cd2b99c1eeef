/* SPDX-License-Identifier: BSD-3-Clause */
#include "admin/admin.h"

#include <string.h>

#include "admin/exposition.h"
#include "admin/http.h"
#include "admin/keyspace_figures.h"
#include "admin/metrics.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/config.h"
#include "server/server.h"

struct admin {
    struct server *server;
    struct http_server *http;
    struct keyspace_reader *keyspace;
};

_Static_assert((int)ADMIN_ERROR_MAX >= (int)HTTP_ERROR_MAX, "errors are handed on");

static void unavailable(struct http_page *page, const char *sentence) {
    buffer_clear(&page->text);
    page->status = 503;
    (void)!buffer_printf(&page->text, "%s\n", sentence);
}

static void answer_metrics(void *context, struct http_page *page) {
    struct admin *admin = context;
    struct keyspace_figures *keyspace = keyspace_read(admin->keyspace);
    if (keyspace == NULL) {
        unavailable(page, "The server is busy with one command, or about to end.");
        return;
    }
    if (metrics_write(admin->server, keyspace, &page->text))
        page->content_type = EXPOSITION_CONTENT_TYPE;
    else
        unavailable(page, "There is more to tell than fits a page.");
    keyspace_figures_free(keyspace);
}

static void answer_health(void *context, struct http_page *page) {
    (void)context;
    (void)!buffer_printf(&page->text, "ok\n");
}

static const struct http_route routes[] = {
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {0},
};

struct admin *admin_new(struct config *config, struct server *server, char *error) {
    unsigned port = (unsigned)config_number(config, "metrics-port");
    struct admin *admin = mem_zalloc(sizeof *admin);
    admin->server = server;
    admin->keyspace = keyspace_reader_new(server);
    if (port == 0) return admin;
    const char *address = config_peek(config, "metrics-bind");
    admin->http = http_server_new(address, port, routes, admin, error);
    if (admin->http != NULL) {
        bool is_v6 = strchr(address, ':') != NULL;
        log_notice("Metrics are served at http://%s%s%s:%u/metrics", is_v6 ? "[" : "", address,
                   is_v6 ? "]" : "", port);
        return admin;
    }
    admin_free(admin);
    return NULL;
}

void admin_stop(struct admin *admin) {
    /* A page that is being made waits for a worker that does not run any more. */
    keyspace_reader_stop(admin->keyspace);
    http_server_free(admin->http);
    admin->http = NULL;
}

void admin_free(struct admin *admin) {
    keyspace_reader_free(admin->keyspace);
    mem_free(admin);
}
