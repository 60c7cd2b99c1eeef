/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets are watched by the first loop, on its thread; they may be replaced by any thread, at
 * once, so that it can say whether that worked. So it puts /dev/null in the place of the old
 * sockets, which frees their addresses while their descriptors stay what the loop thinks they are;
 * binds the new ones; and sends the loop mail, upon which it takes them over.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
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
#include "base/lock.h"
#include "base/memory.h"
#include "net/loop.h"
#include "net/mailbox.h"
#include "net/socket.h"

enum {
    /* At one readiness, so that clients already here are not starved. */
    LISTENER_ACCEPTS_MAX = 1000,
    LISTENER_REST_US = 100000 /* after descriptors ran out */
};

struct listening {
    struct loop_watch watch;
    struct listener *listener;
    bool is_unix;
};

/* TCP sockets that are bound, and what for. */
struct bound {
    int fds[LISTENER_ADDRESSES_MAX];
    unsigned count;
    int port;
    char *names[LISTENER_ADDRESSES_MAX];
    size_t name_count;
};

struct listener {
    struct listening tcp[LISTENER_ADDRESSES_MAX];
    unsigned tcp_count;
    struct listening local; /* the Unix socket */
    bool has_local;
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

    struct lock lock;   /* guards what follows, and writing to tcp */
    struct bound bound; /* what is listened on */
    bool waiting;       /* these sockets are on their way to the loop: tcp has others, silenced */
    struct mail mail;
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

static bool bind_address(struct bound *bound, const char *name, int backlog, char *error) {
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
    snprintf(service, sizeof service, "%d", bound->port);
    struct addrinfo *found;
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) {
        if (optional) return true;
        return refuse(error, "cannot listen on %s: %s", name, gai_strerror(code));
    }
    int fd = -1;
    for (struct addrinfo *each = found; each && fd < 0; each = each->ai_next) {
        fd = open_tcp(each, backlog);
    }
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        if (is_missing_family(reason) || (optional && reason == EADDRNOTAVAIL)) return true;
        return refuse(error, "cannot listen on %s port %d: %s", name, bound->port,
                      strerror(reason));
    }
    bound->fds[bound->count++] = fd;
    bound->port = socket_local_port(fd);
    return true;
}

static void bound_done(struct bound *bound, bool close_sockets) {
    for (unsigned i = 0; close_sockets && i < bound->count; i++) close(bound->fds[i]);
    for (size_t i = 0; i < bound->name_count; i++) mem_free(bound->names[i]);
    *bound = (struct bound){0};
}

/* Binds all of them, or nothing. */
static bool bind_all(struct bound *ret_bound, const char *const *names, size_t count, int port,
                     int backlog, char *error) {
    struct bound bound = {.port = port};
    bool ok = true;
    if (count > LISTENER_ADDRESSES_MAX) return refuse(error, "too many addresses to listen on");
    for (size_t i = 0; ok && i < count; i++) {
        bound.names[bound.name_count++] = mem_strdup(names[i]);
        ok = bind_address(&bound, names[i], backlog, error);
    }
    if (ok && count > 0 && bound.count == 0)
        ok = refuse(error, "none of the addresses to listen on is there");
    if (ok)
        *ret_bound = bound;
    else
        bound_done(&bound, true);
    return ok;
}

static bool bind_unix(struct listener *listener, const char *path, unsigned mode, char *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return refuse(error, "the path of the Unix socket is too long: %s", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse(error, "cannot make a Unix socket: %s", strerror(errno));
    /* A socket that an earlier process left behind would be in the way, and so would an empty file,
     * with which some reserve the name (mktemp). A file that holds something stays. */
    struct stat there;
    if (lstat(path, &there) == 0 &&
        (S_ISSOCK(there.st_mode) || (S_ISREG(there.st_mode) && there.st_size == 0)))
        unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        refuse(error, "cannot listen on %s: %s", path, strerror(errno));
        close(fd);
        return false;
    }
    listener->unix_path = mem_strdup(path);
    listener->local = (struct listening){
        .watch = {.fd = fd, .events = LOOP_READ}, .listener = listener, .is_unix = true};
    listener->has_local = true;
    if ((mode && chmod(path, (mode_t)mode) < 0) || listen(fd, listener->backlog) < 0) {
        return refuse(error, "cannot listen on %s: %s", path, strerror(errno));
    }
    return true;
}

/* The bound sockets become those that are watched; the lock is held, or
 * nobody else is there yet. */
static void take_bound(struct listener *listener) {
    listener->tcp_count = listener->bound.count;
    for (unsigned i = 0; i < listener->tcp_count; i++)
        listener->tcp[i] = (struct listening){
            .watch = {.fd = listener->bound.fds[i], .events = LOOP_READ}, .listener = listener};
}

static void rebound(struct mail *mail);

struct listener *listener_new(const struct listener_options *options, char *error) {
    struct listener *listener = mem_zalloc(sizeof *listener);
    lock_init(&listener->lock);
    listener->mail.deliver = rebound;
    listener->backlog = options->backlog;
    listener->keepalive_s = options->keepalive_s;
    listener->context = options->context;
    listener->accepted = options->accepted;
    listener->failed = options->failed;

    size_t count = options->no_tcp ? 0 : options->address_count;
    bool ok = bind_all(&listener->bound, options->addresses, count, options->port, options->backlog,
                       error);
    take_bound(listener);
    if (ok && options->unix_path && options->unix_path[0])
        ok = bind_unix(listener, options->unix_path, options->unix_mode, error);
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
    struct loop *loop = listener->loops[0];
    for (unsigned i = 0; i < listener->tcp_count; i++)
        (void)loop_modify(loop, &listener->tcp[i].watch, events);
    if (listener->has_local) (void)loop_modify(loop, &listener->local.watch, events);
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
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTSOCK) {
            return; /* no socket: it was silenced, and others are about to come */
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

static int watch_tcp(struct listener *listener) {
    int code = 0;
    for (unsigned i = 0; i < listener->tcp_count; i++) {
        listener->tcp[i].watch.ready = accept_ready;
        if (loop_add(listener->loops[0], &listener->tcp[i].watch) != 0) code = ERROR_SYSTEM;
    }
    return code;
}

int listener_start(struct listener *listener, struct loop *const *loops, unsigned loop_count) {
    kn_require(loop_count > 0);
    listener->loops = loops;
    listener->loop_count = loop_count;
    listener->rest.fire = rested;
    listener->local.watch.ready = accept_ready;
    if (listener->has_local && loop_add(loops[0], &listener->local.watch) != 0) return ERROR_SYSTEM;
    return watch_tcp(listener);
}

/* ---- other addresses ---- */

/* Takes the address of a socket away and leaves its descriptor, which somebody
 * watches, to something harmless. */
static void silence(int fd) {
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        (void)dup3(nothing, fd, O_CLOEXEC);
        close(nothing);
    } else {
        /* No descriptor left: it stops listening, at least, and its port is free. */
        (void)shutdown(fd, SHUT_RDWR);
    }
}

/* On the first loop's thread: the sockets that were bound are watched instead of
 * those that were silenced. */
static void rebound(struct mail *mail) {
    struct listener *listener = CONTAINER_OF(mail, struct listener, mail);
    lock_take(&listener->lock);
    for (unsigned i = 0; i < listener->tcp_count; i++) {
        loop_remove(listener->loops[0], &listener->tcp[i].watch);
        close(listener->tcp[i].watch.fd);
    }
    take_bound(listener);
    listener->waiting = false;
    int code = watch_tcp(listener);
    lock_give(&listener->lock);
    if (code != 0 && listener->failed) listener->failed(listener->context, ENOMEM);
}

static bool is_bound_to(const struct bound *bound, const char *const *names, size_t count,
                        int port) {
    if (bound->name_count != count || (count > 0 && bound->port != port)) return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(bound->names[i], names[i]) != 0) return false;
    return true;
}

bool listener_rebind(struct listener *listener, const char *const *addresses, size_t count,
                     int port, char *error) {
    kn_require(listener->loops != NULL);
    if (port == 0) count = 0;
    lock_take(&listener->lock);
    if (is_bound_to(&listener->bound, addresses, count, port)) {
        lock_give(&listener->lock);
        return true;
    }
    /* Old and new may overlap (one address and all of them), so the old ones go first. */
    struct bound old = listener->bound;
    for (unsigned i = 0; i < old.count; i++) {
        if (listener->waiting)
            close(old.fds[i]);
        else
            silence(old.fds[i]);
    }
    bool ok = bind_all(&listener->bound, addresses, count, port, listener->backlog, error);
    if (!ok) {
        char again[LISTENER_ERROR_MAX];
        const char *names[LISTENER_ADDRESSES_MAX];
        for (size_t i = 0; i < old.name_count; i++) names[i] = old.names[i];
        listener->bound = (struct bound){0};
        (void)bind_all(&listener->bound, names, old.name_count, old.port, listener->backlog, again);
    }
    bound_done(&old, false);
    bool mail = !listener->waiting;
    listener->waiting = true;
    lock_give(&listener->lock);
    if (mail) mailbox_send(loop_mailbox(listener->loops[0]), &listener->mail);
    return ok;
}

void listener_set_keepalive(struct listener *listener, int seconds) {
    listener->keepalive_s = seconds;
}

static void stop_listening(struct listener *listener, struct listening *socket) {
    if (listener->loops) loop_remove(listener->loops[0], &socket->watch);
    close(socket->watch.fd);
}

void listener_free(struct listener *listener) {
    if (!listener) return;
    if (listener->loops) loop_timer_cancel(listener->loops[0], &listener->rest);
    for (unsigned i = 0; i < listener->tcp_count; i++) stop_listening(listener, &listener->tcp[i]);
    if (listener->has_local) stop_listening(listener, &listener->local);
    /* Sockets that were still on their way to the loop are not among those above. */
    bound_done(&listener->bound, listener->waiting);
    if (listener->unix_path) unlink(listener->unix_path);
    mem_free(listener->unix_path);
    mem_free(listener);
}

int listener_port(struct listener *listener) {
    lock_take(&listener->lock);
    int port = listener->bound.count > 0 ? listener->bound.port : 0;
    lock_give(&listener->lock);
    return port;
}
