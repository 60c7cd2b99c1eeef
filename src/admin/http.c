/* SPDX-License-Identifier: BSD-3-Clause */
#include "admin/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { BACKLOG = 64 };
#define PAGE_BYTES_MAX ((size_t)256 << 20)

struct http_server {
    struct MHD_Daemon *daemon;
    const struct http_route *routes;
    void *context;
};

/* ---- answering ---- */

static enum MHD_Result send_page(struct MHD_Connection *connection, struct http_page *page,
                                 const char *allow) {
    /* The response frees the text when it is sent, or when the connection ends before. */
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        page->text.len, page->text.data, mem_free);
    if (response == NULL) {
        buffer_done(&page->text);
        return MHD_NO; /* closes the connection */
    }
    enum MHD_Result result =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->content_type);
    if (result == MHD_YES)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (result == MHD_YES && allow)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    if (result == MHD_YES) result = MHD_queue_response(connection, page->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_error(struct MHD_Connection *connection, unsigned status,
                                  const char *sentence) {
    struct http_page page = {.status = status, .content_type = "text/plain; charset=utf-8"};
    buffer_init(&page.text, PAGE_BYTES_MAX);
    (void)!buffer_printf(&page.text, "%s\n", sentence);
    return send_page(connection, &page, status == MHD_HTTP_METHOD_NOT_ALLOWED ? "GET, HEAD" : NULL);
}

static enum MHD_Result send_route(struct http_server *server, struct MHD_Connection *connection,
                                  const struct http_route *route) {
    struct http_page page = {.status = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8"};
    buffer_init(&page.text, PAGE_BYTES_MAX);
    route->answer(server->context, &page);
    return send_page(connection, &page, NULL);
}

static bool has_body(struct MHD_Connection *connection) {
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* Called when the headers have arrived, with *state NULL, and once more
 * when the request is whole. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **state) {
    static char headers_seen;
    struct http_server *server = context;
    const struct http_route *route = server->routes;
    (void)version, (void)data, (void)data_len;
    while (route->path != NULL && strcmp(route->path, url) != 0) route++;
    if (route->path == NULL)
        return send_error(connection, MHD_HTTP_NOT_FOUND, "There is no such page.");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return send_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "This page can only be read.");
    if (has_body(connection))
        return send_error(connection, MHD_HTTP_CONTENT_TOO_LARGE, "No request here has a body.");
    if (*state == NULL) {
        *state = &headers_seen;
        return MHD_YES;
    }
    return send_route(server, connection, route);
}

/* ---- listening ---- */

static int listen_on(const struct addrinfo *address) {
    int yes = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_socket(const char *address, unsigned port, char *error) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char digits[16];
    snprintf(digits, sizeof digits, "%u", port);
    int failure = getaddrinfo(address, digits, &hints, &found), fd = -1;
    if (failure != 0) {
        snprintf(error, HTTP_ERROR_MAX, "Could not listen for metrics on %s:%u: %s", address, port,
                 failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
        return -1;
    }
    for (const struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next)
        fd = listen_on(each);
    if (fd < 0)
        snprintf(error, HTTP_ERROR_MAX, "Could not listen for metrics on %s:%u: %s", address, port,
                 strerror(errno));
    freeaddrinfo(found);
    return fd;
}

/* ---- life ---- */

/* The thread that is made here takes no signals: they are the workers'. */
static struct MHD_Daemon *start_daemon(struct http_server *server, int fd) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, server,
                         MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)HTTP_REQUEST_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)HTTP_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

struct http_server *http_server_new(const char *address, unsigned port,
                                    const struct http_route *routes, void *context, char *error) {
    int fd = open_socket(address, port, error);
    if (fd < 0) return NULL;
    struct http_server *server = mem_zalloc(sizeof *server);
    server->routes = routes;
    server->context = context;
    server->daemon = start_daemon(server, fd);
    if (server->daemon != NULL) return server;
    snprintf(error, HTTP_ERROR_MAX, "Could not start the thread for metrics: %s", strerror(errno));
    close(fd);
    mem_free(server);
    return NULL;
}

void http_server_free(struct http_server *server) {
    if (server == NULL) return;
    MHD_stop_daemon(server->daemon); /* closes the socket too */
    mem_free(server);
}
