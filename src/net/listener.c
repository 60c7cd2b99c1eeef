/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/chain.h"
#include "base/error.h"
#include "base/memory.h"
#include "net/loop.h"
#include "net/mailbox.h"
#include "net/socket.h"

enum {
    LISTENER_SOCKETS_MAX = 17, /* sixteen addresses and a Unix socket */
    LISTENER_ACCEPTS_MAX =
        1000,                 /* at one readiness, so that clients already here are not starved */
    LISTENER_REST_US = 100000 /* after descriptors ran out */
};

struct listening {
    struct loop_watch watch;
    struct listener *listener;
    bool is_unix;
};

struct listener {
    struct listening sockets[LISTENER_SOCKETS_MAX];
    unsigned socket_count;
    int port;
    int backlog;
    _Atomic int keepalive_s; /* may be set from any thread */
    char *unix_path;         /* to be removed at the end */
    void *context;
    void (*accepted)(void *context, unsigned worker, int fd, bool is_unix);
    void (*failed)(void *context, int error);

    struct loop *const *loops; /* NULL until started */
    unsigned loop_count;
    unsigned next; /* whose turn it is */
    struct loop_timer rest;
};

/* An accepted connection on its way to its thread. */
struct handover {
    struct mail mail;
    void *context;
    void (*accepted)(void *context, unsigned worker, int fd, bool is_unix);
    unsigned worker;
    int fd;
    bool is_unix;
};

/* ---- binding ---- */

static __attribute__((format(printf, 2, 3))) bool refuse(char *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error, LISTENER_ERROR_MAX, format, args);
    va_end(args);
    return false;
}

static void add_socket(struct listener *listener, int fd, bool is_unix) {
    kn_assert(listener->socket_count < LISTENER_SOCKETS_MAX);
    struct listening *socket = &listener->sockets[listener->socket_count++];
    *socket = (struct listening){
        .watch = {.fd = fd, .events = LOOP_READ}, .listener = listener, .is_unix = is_unix};
}

/* A listening socket on one address, or -1 with errno. */
static int open_tcp(const struct addrinfo *address, int backlog) {
    int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    address->ai_protocol);
    if (fd < 0) return -1;
    if ((address->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, backlog) < 0) {
        int kept = errno;
        close(fd);
        errno = kept;
        return -1;
    }
    return fd;
}

/* Errors that mean this machine does not speak the address's family: no reason not to start. */
static bool is_missing_family(int error) {
    return error == ENOPROTOOPT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT ||
           error == EPFNOSUPPORT || error == EAFNOSUPPORT;
}

static bool bind_address(struct listener *listener, const char *name, char *error) {
    bool optional = name[0] == '-';
    const char *host = name + optional;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    if (strcmp(host, "*") == 0) {
        hints.ai_family = AF_INET;
        host = NULL;
    } else if (strcmp(host, "::*") == 0) {
        hints.ai_family = AF_INET6;
        host = NULL;
    }
    char service[16];
    snprintf(service, sizeof service, "%d", listener->port);
    struct addrinfo *found;
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) {
        if (optional) return true;
        return refuse(error, "cannot listen on %s: %s", name, gai_strerror(code));
    }
    int fd = -1;
    for (struct addrinfo *each = found; each && fd < 0; each = each->ai_next) {
        fd = open_tcp(each, listener->backlog);
    }
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        if (is_missing_family(reason) || (optional && reason == EADDRNOTAVAIL)) return true;
        return refuse(error, "cannot listen on %s port %d: %s", name, listener->port,
                      strerror(reason));
    }
    add_socket(listener, fd, false);
    listener->port = socket_local_port(fd);
    return true;
}

static bool bind_unix(struct listener *listener, const char *path, unsigned mode, char *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return refuse(error, "the path of the Unix socket is too long: %s", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse(error, "cannot make a Unix socket: %s", strerror(errno));
    /* A socket that an earlier process left behind would be in the way; any other file stays. */
    struct stat there;
    if (lstat(path, &there) == 0 && S_ISSOCK(there.st_mode)) unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        refuse(error, "cannot listen on %s: %s", path, strerror(errno));
        close(fd);
        return false;
    }
    listener->unix_path = mem_strdup(path);
    add_socket(listener, fd, true);
    if ((mode && chmod(path, (mode_t)mode) < 0) || listen(fd, listener->backlog) < 0) {
        return refuse(error, "cannot listen on %s: %s", path, strerror(errno));
    }
    return true;
}

struct listener *listener_new(const struct listener_options *options, char *error) {
    struct listener *listener = mem_zalloc(sizeof *listener);
    listener->port = options->port;
    listener->backlog = options->backlog;
    listener->keepalive_s = options->keepalive_s;
    listener->context = options->context;
    listener->accepted = options->accepted;
    listener->failed = options->failed;

    size_t count = options->no_tcp ? 0 : options->address_count;
    bool ok = true;
    if (count > LISTENER_SOCKETS_MAX - 1) ok = refuse(error, "too many addresses to listen on");
    for (size_t i = 0; ok && i < count; i++) {
        ok = bind_address(listener, options->addresses[i], error);
    }
    if (ok && count > 0 && listener->socket_count == 0) {
        ok = refuse(error, "none of the addresses to listen on is there");
    }
    if (ok && options->unix_path && options->unix_path[0]) {
        ok = bind_unix(listener, options->unix_path, options->unix_mode, error);
    }
    if (!ok) {
        listener_free(listener);
        return NULL;
    }
    return listener;
}

/* ---- accepting ---- */

static void deliver_handover(struct mail *mail) {
    struct handover *handover = CONTAINER_OF(mail, struct handover, mail);
    handover->accepted(handover->context, handover->worker, handover->fd, handover->is_unix);
    mem_free(handover);
}

static void hand_over(struct listener *listener, int fd, bool is_unix) {
    unsigned worker = listener->next;
    listener->next = worker + 1 == listener->loop_count ? 0 : worker + 1;
    if (!is_unix) {
        /* A connection that refuses options still works. */
        (void)socket_set_nodelay(fd, true);
        if (listener->keepalive_s > 0) (void)socket_set_keepalive(fd, listener->keepalive_s);
    }
    if (worker == 0) {
        listener->accepted(listener->context, 0, fd, is_unix);
        return;
    }
    struct handover *handover = mem_alloc(sizeof *handover);
    *handover = (struct handover){.mail.deliver = deliver_handover,
                                  .context = listener->context,
                                  .accepted = listener->accepted,
                                  .worker = worker,
                                  .fd = fd,
                                  .is_unix = is_unix};
    mailbox_send(loop_mailbox(listener->loops[worker]), &handover->mail);
}

static void watch_all(struct listener *listener, unsigned events) {
    for (unsigned i = 0; i < listener->socket_count; i++) {
        (void)loop_modify(listener->loops[0], &listener->sockets[i].watch, events);
    }
}

static void rested(struct loop_timer *timer) {
    watch_all(CONTAINER_OF(timer, struct listener, rest), LOOP_READ);
}

/* Whether accept may be tried again at once after this error. */
static bool is_passing(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTUNREACH || error == ENETUNREACH;
}

static void accept_ready(struct loop_watch *watch, unsigned events) {
    struct listening *socket = CONTAINER_OF(watch, struct listening, watch);
    struct listener *listener = socket->listener;
    (void)events;
    for (int i = 0; i < LISTENER_ACCEPTS_MAX; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(listener, fd, socket->is_unix);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (!is_passing(errno)) {
            int error = errno;
            struct loop *loop = listener->loops[0];
            watch_all(listener, 0);
            loop_timer_set(loop, &listener->rest, loop_now_us(loop) + LISTENER_REST_US);
            if (listener->failed) listener->failed(listener->context, error);
            return;
        }
    }
}

int listener_start(struct listener *listener, struct loop *const *loops, unsigned loop_count) {
    kn_require(loop_count > 0);
    listener->loops = loops;
    listener->loop_count = loop_count;
    listener->rest.fire = rested;
    for (unsigned i = 0; i < listener->socket_count; i++) {
        listener->sockets[i].watch.ready = accept_ready;
        if (loop_add(loops[0], &listener->sockets[i].watch) != 0) return ERROR_SYSTEM;
    }
    return 0;
}

void listener_set_keepalive(struct listener *listener, int seconds) {
    listener->keepalive_s = seconds;
}

void listener_free(struct listener *listener) {
    if (!listener) return;
    if (listener->loops) loop_timer_cancel(listener->loops[0], &listener->rest);
    for (unsigned i = 0; i < listener->socket_count; i++) {
        struct loop_watch *watch = &listener->sockets[i].watch;
        if (listener->loops) loop_remove(listener->loops[0], watch);
        close(watch->fd);
    }
    if (listener->unix_path) unlink(listener->unix_path);
    mem_free(listener->unix_path);
    mem_free(listener);
}

int listener_port(const struct listener *listener) {
    for (unsigned i = 0; i < listener->socket_count; i++) {
        if (!listener->sockets[i].is_unix) return listener->port;
    }
    return 0;
}
