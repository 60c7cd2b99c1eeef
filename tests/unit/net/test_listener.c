/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners on real sockets: who gets a connection, what it is called, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/loop.h"
#include "net/socket.h"

enum { WORKERS = 3, CONNECTIONS = 10 };

struct seen {
    _Atomic unsigned count[WORKERS];
    _Atomic int fds[CONNECTIONS];
    _Atomic unsigned started, total;
    pthread_t threads[WORKERS];
    _Atomic bool wrong_thread;
    _Atomic bool is_unix;
};

static void accepted(void *context, unsigned worker, int fd, bool is_unix) {
    struct seen *seen = context;
    if (worker > 0 && !pthread_equal(pthread_self(), seen->threads[worker])) {
        seen->wrong_thread = true;
    }
    seen->count[worker]++;
    seen->is_unix = is_unix;
    seen->fds[seen->started++ % CONNECTIONS] = fd;
    seen->total++;
}

static void *run_loop(void *loop) {
    loop_run(loop);
    return NULL;
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, level, name, &value, &size);
    return value;
}

static int connected(const struct sockaddr *address, socklen_t size) {
    int fd = socket(address->sa_family, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (connect(fd, address, size) == 0) return fd;
    close(fd);
    return -1;
}

static int connect_tcp(const char *host, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    return connected((const struct sockaddr *)&address, sizeof address);
}

static int connect_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connected((const struct sockaddr *)&address, sizeof address);
}

static void test_round(void **state) {
    static const char *const addresses[] = {"127.0.0.1", "-192.0.2.1"};
    struct loop *loops[WORKERS];
    struct seen seen = {0};
    int clients[CONNECTIONS];
    char error[LISTENER_ERROR_MAX];
    struct listener_options options = {.addresses = addresses,
                                       .address_count = 2,
                                       .backlog = 100,
                                       .keepalive_s = 60,
                                       .context = &seen,
                                       .accepted = accepted};
    (void)state;
    struct listener *listener = listener_new(&options, error);
    assert_non_null(listener);
    int port = listener_port(listener);
    assert_true(port > 0);
    for (int i = 0; i < WORKERS; i++) {
        loops[i] = loop_new();
        if (i > 0) pthread_create(&seen.threads[i], NULL, run_loop, loops[i]);
    }
    assert_int_equal(listener_start(listener, loops, WORKERS), 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = connect_tcp("127.0.0.1", port);
        assert_true(clients[i] >= 0);
    }
    while (seen.total < CONNECTIONS) loop_run_once(loops[0], 1000);
    assert_int_equal(seen.count[0], 4);
    assert_int_equal(seen.count[1], 3);
    assert_int_equal(seen.count[2], 3);
    assert_false(seen.wrong_thread);
    assert_false(seen.is_unix);

    int fd = seen.fds[0];
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(option(fd, IPPROTO_TCP, TCP_NODELAY));
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    char name[SOCKET_ADDRESS_MAX], expected[SOCKET_ADDRESS_MAX];
    size_t len = socket_local_address(fd, name);
    assert_int_equal(len, strlen(name));
    snprintf(expected, sizeof expected, "127.0.0.1:%d", port);
    assert_string_equal(name, expected);
    socket_peer_address(fd, name);
    assert_int_equal(strncmp(name, "127.0.0.1:", 10), 0);
    assert_string_not_equal(name, expected);
    assert_true(socket_peer_is_local(fd));

    /* What is taken cannot be taken again. */
    options.address_count = 1;
    options.port = port;
    assert_null(listener_new(&options, error));
    assert_non_null(strstr(error, "127.0.0.1"));
    listener_free(listener);
    assert_int_equal(connect_tcp("127.0.0.1", port), -1);
    for (int i = 0; i < CONNECTIONS; i++) {
        close(clients[i]);
        close(seen.fds[i]);
    }
    for (int i = 0; i < WORKERS; i++) {
        if (i > 0) {
            loop_stop(loops[i]);
            pthread_join(seen.threads[i], NULL);
        }
        loop_free(loops[i]);
    }
}

static void test_unix(void **state) {
    char folder[] = "/tmp/keynome-net-XXXXXX", path[64], error[LISTENER_ERROR_MAX];
    struct seen seen = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    struct listener_options options = {.unix_path = path,
                                       .unix_mode = 0700,
                                       .backlog = 10,
                                       .context = &seen,
                                       .accepted = accepted};
    struct loop *loop = loop_new();
    /* The second time an empty file is in the way. */
    for (int round = 0; round < 2; round++) {
        struct listener *listener = listener_new(&options, error);
        struct stat made;
        assert_non_null(listener);
        assert_int_equal(listener_port(listener), 0);
        assert_int_equal(stat(path, &made), 0);
        assert_int_equal(made.st_mode & 0777, 0700);
        assert_int_equal(listener_start(listener, &loop, 1), 0);
        int client = connect_unix(path);
        assert_true(client >= 0);
        while (seen.total < (unsigned)round + 1) loop_run_once(loop, 1000);
        assert_true(seen.is_unix);
        char name[SOCKET_ADDRESS_MAX], expected[SOCKET_ADDRESS_MAX];
        snprintf(expected, sizeof expected, "%s:0", path);
        socket_peer_address(seen.fds[round], name);
        assert_string_equal(name, expected);

        char data[8];
        size_t len = 0;
        assert_int_equal(socket_read(seen.fds[round], data, 8, &len), SOCKET_AGAIN);
        assert_int_equal(socket_write(client, "hello", 5, &len), SOCKET_OK);
        assert_int_equal(socket_read(seen.fds[round], data, 8, &len), SOCKET_OK);
        assert_int_equal(len, 5);
        close(client);
        assert_int_equal(socket_read(seen.fds[round], data, 8, &len), SOCKET_CLOSED);
        assert_int_equal(socket_write(seen.fds[round], "x", 1, &len), SOCKET_CLOSED);
        close(seen.fds[round]);
        listener_free(listener);
        assert_int_not_equal(stat(path, &made), 0);
        if (round == 0) { /* A file that holds something stays. */
            int left = open(path, O_CREAT | O_WRONLY, 0600);
            assert_int_equal(write(left, "x", 1), 1);
            assert_null(listener_new(&options, error));
            assert_int_equal(ftruncate(left, 0), 0);
            close(left);
        }
    }
    loop_free(loop);
    rmdir(folder);

    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    options.unix_path = longer;
    assert_null(listener_new(&options, error));
    assert_non_null(strstr(error, "too long"));
}

/* ---- other addresses while it runs ---- */

static bool connects(const char *address, int port) {
    int fd = connect_tcp(address, port);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void close_accepted(void *context, unsigned worker, int fd, bool is_unix) {
    _Atomic unsigned *total = context;
    (void)worker, (void)is_unix;
    close(fd);
    ++*total;
}

static void test_rebind(void **state) {
    static const char *const first[] = {"127.0.0.1"}, *const all[] = {"*"},
                             *const both[] = {"127.0.0.2", "127.0.0.1"},
                             *const wrong[] = {"127.0.0.1", "192.0.2.1"};
    char error[LISTENER_ERROR_MAX];
    _Atomic unsigned total = 0;
    struct loop *loop = loop_new();
    struct listener_options options = {.addresses = first,
                                       .address_count = 1,
                                       .backlog = 10,
                                       .context = &total,
                                       .accepted = close_accepted};
    (void)state;
    struct listener *listener = listener_new(&options, error);
    assert_non_null(listener);
    int port = listener_port(listener);
    assert_int_equal(listener_start(listener, &loop, 1), 0);
    for (int round = 0; round < 3; round++) {
        /* Twice before the loop hears of it, and with the loop in between. */
        assert_true(listener_rebind(listener, all, 1, port, error));
        assert_true(connects("127.0.0.2", port));
        if (round == 1) loop_run_once(loop, 0);
        assert_true(listener_rebind(listener, both, 2, port, error));
        assert_true(connects("127.0.0.2", port));
        assert_true(connects("127.0.0.1", port));
        if (round == 2) loop_run_once(loop, 0);
        assert_false(listener_rebind(listener, wrong, 2, port, error));
        assert_non_null(strstr(error, "192.0.2.1"));
        assert_true(connects("127.0.0.2", port));
        assert_true(connects("127.0.0.1", port));
        assert_true(listener_rebind(listener, first, 1, port, error));
        assert_false(connects("127.0.0.2", port));
        /* The same again changes nothing: who waits to be accepted still is. */
        unsigned before = total;
        assert_true(connects("127.0.0.1", port));
        assert_true(listener_rebind(listener, first, 1, port, error));
        while (total == before) loop_run_once(loop, 1000);
        assert_true(listener_rebind(listener, first, 1, 0, error));
        assert_int_equal(listener_port(listener), 0);
        assert_false(connects("127.0.0.1", port));
        if (round == 0) loop_run_once(loop, 0);
        assert_true(listener_rebind(listener, first, 1, port, error));
        assert_int_equal(listener_port(listener), port);
    }
    listener_free(listener); /* with sockets that the loop has not heard of */
    assert_false(connects("127.0.0.1", port));
    loop_free(loop);
}

struct mover {
    struct listener *listener;
    int ports[2];
    unsigned seed;
};

static void *move(void *context) {
    static const char *const first[] = {"127.0.0.1"}, *const both[] = {"127.0.0.1", "127.0.0.2"};
    const struct mover *mover = context;
    char error[LISTENER_ERROR_MAX];
    for (unsigned i = 0; i < 200; i++)
        listener_rebind(mover->listener, i % 3 ? first : both, i % 3 ? 1 : 2,
                        mover->ports[(i * mover->seed / 2) % 2], error);
    return NULL;
}

/* Several threads move it while the loop runs. */
static void test_rebind_threads(void **state) {
    static const char *const first[] = {"127.0.0.1"};
    enum { MOVERS = 3 };
    char error[LISTENER_ERROR_MAX];
    _Atomic unsigned total = 0;
    struct loop *loop = loop_new();
    struct listener_options options = {.addresses = first,
                                       .address_count = 1,
                                       .backlog = 10,
                                       .context = &total,
                                       .accepted = close_accepted};
    struct mover movers[MOVERS];
    pthread_t threads[MOVERS], loop_thread;
    (void)state;
    struct listener *listener = listener_new(&options, error),
                    *other = listener_new(&options, error);
    int ports[2] = {listener_port(listener), listener_port(other)};
    listener_free(other);
    assert_int_equal(listener_start(listener, &loop, 1), 0);
    pthread_create(&loop_thread, NULL, run_loop, loop);
    for (unsigned i = 0; i < MOVERS; i++) {
        movers[i] = (struct mover){listener, {ports[0], ports[1]}, i + 1};
        pthread_create(&threads[i], NULL, move, &movers[i]);
    }
    for (unsigned i = 0; i < MOVERS; i++) pthread_join(threads[i], NULL);
    assert_true(listener_rebind(listener, first, 1, ports[0], error));
    unsigned before = total;
    assert_true(connects("127.0.0.1", ports[0]));
    while (total == before) usleep(100);
    loop_stop(loop);
    pthread_join(loop_thread, NULL);
    listener_free(listener);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_rebind),
        cmocka_unit_test(test_rebind_threads),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
