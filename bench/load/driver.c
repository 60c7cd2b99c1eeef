/* SPDX-License-Identifier: BSD-3-Clause */
#include "driver.h"

#include "reply.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, MAX_EVENTS = 64 };

struct connection {
    int fd;
    unsigned pending; /* requests without a reply yet */
    unsigned batch;   /* requests of the batch under way */
    uint64_t sent_ns;
    struct request_note *notes; /* of the batch, in order */
    char *in;
    size_t in_length, in_capacity;
    size_t out_length, out_sent; /* of the driver's write buffer, when a write fell short */
    char *out;
};

struct driver {
    struct driver_options options;
    struct template_set *templates;
    int poll_fd;
    struct connection *connections;
    uint64_t to_send; /* requests that may still be sent */
    unsigned busy;    /* connections with a batch under way */
};

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int unix_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path)) return -1;
    memcpy(address.sun_path, path, length + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int tcp_connect(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    int on = 1;
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static bool connection_open(struct driver *driver, struct connection *connection) {
    const struct driver_options *options = &driver->options;
    connection->fd = options->socket_path ? unix_connect(options->socket_path)
                                          : tcp_connect(options->host, options->port);
    connection->notes = calloc(options->pipeline, sizeof(*connection->notes));
    connection->in_capacity = READ_BYTES;
    connection->in = malloc(connection->in_capacity);
    connection->out = malloc(options->pipeline * template_max_bytes(driver->templates));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    return connection->fd >= 0 && connection->notes && connection->in && connection->out &&
           epoll_ctl(driver->poll_fd, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

struct driver *driver_new(const struct driver_options *options, struct template_set *templates,
                          const char **ret_message) {
    struct driver *driver = calloc(1, sizeof(*driver));
    *ret_message = "out of memory";
    if (!driver) return NULL;
    driver->options = *options;
    driver->templates = templates;
    driver->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    driver->connections = calloc(options->connections, sizeof(*driver->connections));
    if (!driver->connections) {
        driver->options.connections = 0;
        driver_free(driver);
        return NULL;
    }
    for (unsigned i = 0; i < options->connections; i++) driver->connections[i].fd = -1;
    for (unsigned i = 0; i < options->connections; i++) {
        if (!connection_open(driver, &driver->connections[i])) {
            *ret_message = strerror(errno);
            driver_free(driver);
            return NULL;
        }
    }
    return driver;
}

void driver_free(struct driver *driver) {
    for (unsigned i = 0; i < driver->options.connections; i++) {
        struct connection *connection = &driver->connections[i];
        if (connection->fd >= 0) close(connection->fd);
        free(connection->notes);
        free(connection->in);
        free(connection->out);
    }
    free(driver->connections);
    close(driver->poll_fd);
    free(driver);
}

static bool fail(struct driver_result *result, const char *reason) {
    snprintf(result->message, sizeof(result->message), "%s", reason);
    return false;
}

/* Writes what is left of the batch; the socket blocks, so a short write
 * only happens on a signal. */
static bool batch_flush(struct connection *connection, struct driver_result *result) {
    while (connection->out_sent < connection->out_length) {
        ssize_t n = send(connection->fd, connection->out + connection->out_sent,
                         connection->out_length - connection->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(result, strerror(errno));
        connection->out_sent += (size_t)n;
    }
    return true;
}

static bool batch_send(struct driver *driver, struct connection *connection,
                       struct driver_result *result) {
    unsigned count = driver->options.pipeline;
    if (count > driver->to_send) count = (unsigned)driver->to_send;
    if (count == 0) return true;
    driver->to_send -= count;
    driver->busy++;
    connection->out_length = connection->out_sent = 0;
    for (unsigned i = 0; i < count; i++)
        connection->out_length += template_next(
            driver->templates, connection->out + connection->out_length, &connection->notes[i]);
    connection->batch = connection->pending = count;
    connection->sent_ns = now_ns();
    return batch_flush(connection, result);
}

static void reply_count(const struct driver *driver, const struct request_note *note,
                        const struct reply *reply, struct driver_result *result) {
    result->requests++;
    if (reply->kind == REPLY_ERROR) {
        if (result->errors++ == 0)
            snprintf(result->message, sizeof(result->message), "%.*s",
                     (int)(reply->text_length < 200 ? reply->text_length : 200), reply->text);
        return;
    }
    result->misses += reply->kind == REPLY_NIL;
    if (driver->options.verify && reply->kind == REPLY_BULK &&
        template_checks_value(driver->templates, note->template_index) &&
        !template_value_matches(driver->templates, note->number, reply->text, reply->text_length))
        result->mismatches++;
}

static bool replies_read(const struct driver *driver, struct connection *connection,
                         struct driver_result *result) {
    size_t at = 0;
    while (at < connection->in_length) {
        struct reply reply = reply_scan(connection->in + at, connection->in_length - at);
        if (reply.kind == REPLY_PARTIAL) break;
        if (reply.kind == REPLY_BROKEN || connection->pending == 0)
            return fail(result, "the server sent something that is no reply");
        reply_count(driver, &connection->notes[connection->batch - connection->pending], &reply,
                    result);
        connection->pending--;
        at += reply.total_bytes;
    }
    connection->in_length -= at;
    memmove(connection->in, connection->in + at, connection->in_length);
    return true;
}

static bool connection_read(struct driver *driver, struct connection *connection,
                            struct driver_result *result) {
    if (connection->in_length == connection->in_capacity) {
        char *larger = realloc(connection->in, connection->in_capacity * 2);
        if (!larger) return fail(result, "out of memory");
        connection->in = larger;
        connection->in_capacity *= 2;
    }
    ssize_t n = recv(connection->fd, connection->in + connection->in_length,
                     connection->in_capacity - connection->in_length, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) return fail(result, n == 0 ? "the server closed the connection" : strerror(errno));
    connection->in_length += (size_t)n;
    if (!replies_read(driver, connection, result)) return false;
    if (connection->pending > 0) return true;
    histogram_add(&result->latency, now_ns() - connection->sent_ns);
    driver->busy--;
    return batch_send(driver, connection, result);
}

bool driver_run(struct driver *driver, uint64_t requests, uint64_t limit_ns,
                struct driver_result *result) {
    uint64_t start_ns = now_ns();
    driver->to_send = requests ? requests : UINT64_MAX;
    for (unsigned i = 0; i < driver->options.connections; i++)
        if (!batch_send(driver, &driver->connections[i], result)) return false;
    struct epoll_event events[MAX_EVENTS];
    while (driver->busy > 0) {
        int count = epoll_wait(driver->poll_fd, events, MAX_EVENTS, 30000);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return fail(result, count ? strerror(errno) : "no reply within 30 seconds");
        if (limit_ns && now_ns() - start_ns > limit_ns) driver->to_send = 0;
        for (int i = 0; i < count; i++)
            if (!connection_read(driver, events[i].data.ptr, result)) return false;
    }
    result->elapsed_ns = now_ns() - start_ns;
    return true;
}
