/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hiredis resolves, connects, and reads the protocol; bytes are moved here, so that TLS, timeouts
 * and signals are the same on every kind of connection. (Debian's hiredis has no TLS.)
 */
#include "cli/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"

enum { READ_BYTES = 64 << 10, OUTPUT_MAX = 1 << 30, REPLY_ELEMENTS_MAX = 1 << 22 };

struct connection {
    struct address address;
    redisContext *context;               /* the socket and the reader */
    redisReplyObjectFunctions functions; /* hiredis's, with create_array between */
    void *(*create_array)(const redisReadTask *task, int elements);
    struct secure *secure; /* NULL without TLS */
    struct buffer output;
    size_t unread_bytes; /* of the reply that is not complete yet */
    int timeout_ms;
    const atomic_bool *stopped;
    bool broken, answered; /* answered: a reply has come, so it is a server */
    char error[CONNECTION_ERROR_MAX];
};

static bool fail(struct connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct connection *connection, const char *format, ...) {
    char where[ADDRESS_SHOWN_MAX];
    va_list values;
    if (connection->broken) return false;
    connection->broken = true;
    address_show(&connection->address, where);
    int len = snprintf(connection->error, sizeof connection->error, "%s: ", where);
    va_start(values, format);
    vsnprintf(connection->error + len, sizeof connection->error - (size_t)len, format, values);
    va_end(values);
    return false;
}

static bool is_stopped(const struct connection *connection) {
    return connection->stopped && *connection->stopped;
}

/* Waits until the socket is ready or the deadline is over. */
static bool wait_for(struct connection *connection, short events, int64_t deadline_ms) {
    struct pollfd socket = {connection->context->fd, events, 0};
    for (;;) {
        int64_t left = deadline_ms - clock_mono_us() / 1000;
        if (is_stopped(connection)) return fail(connection, "interrupted");
        int ready = left > 0 ? poll(&socket, 1, left > 200 ? 200 : (int)left) : 0;
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return fail(connection, "%s", strerror(errno));
        if (left <= 0)
            return fail(connection,
                        "no answer within %d s; it may be busy, or this is no Redis-compatible "
                        "server (--timeout waits longer)",
                        connection->timeout_ms / 1000);
    }
}

static int64_t deadline(const struct connection *connection) {
    return clock_mono_us() / 1000 + connection->timeout_ms;
}

/* ---- bytes ---- */

static bool write_some(struct connection *connection, bool *ret_moved, short *ret_events) {
    struct buffer *output = &connection->output;
    char error[SECURE_ERROR_MAX];
    long done;
    *ret_moved = false;
    if (connection->secure) {
        done = secure_write(connection->secure, output->data, output->len, error);
        if (done == SECURE_FAILED) return fail(connection, "%s", error);
        if (done == 0) return fail(connection, "the server closed the connection");
        if (done == SECURE_WAIT) *ret_events |= secure_events(connection->secure);
    } else {
        done = send(connection->context->fd, output->data, output->len, MSG_NOSIGNAL);
        /* What the server had to say before it closed may still be read. */
        if (done < 0 && (errno == EPIPE || errno == ECONNRESET)) done = (long)output->len;
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return fail(connection, "%s", strerror(errno));
        if (done < 0) *ret_events |= POLLOUT;
    }
    if (done > 0) {
        buffer_consume(output, (size_t)done);
        *ret_moved = true;
    }
    return true;
}

static bool closed(struct connection *connection) {
    return fail(connection, connection->answered
                                ? "the server closed the connection"
                                : "the server closed the connection without a word: is this a "
                                  "port for TLS (rediss://), or is maxclients reached?");
}

static bool read_some(struct connection *connection, bool *ret_moved, short *ret_events) {
    char bytes[READ_BYTES], error[SECURE_ERROR_MAX];
    long done;
    *ret_moved = false;
    if (connection->secure) {
        done = secure_read(connection->secure, bytes, sizeof bytes, error);
        if (done == SECURE_FAILED) return fail(connection, "%s", error);
        if (done == SECURE_WAIT) *ret_events |= secure_events(connection->secure);
    } else {
        done = recv(connection->context->fd, bytes, sizeof bytes, 0);
        if (done < 0 && errno == ECONNRESET) done = 0;
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return fail(connection, "%s", strerror(errno));
        if (done < 0) *ret_events |= POLLIN;
    }
    if (done == 0) return closed(connection);
    if (done < 0) return true;
    if (!connection->answered && !connection->secure && bytes[0] == 0x15)
        return fail(connection, "this port speaks TLS: use rediss://");
    connection->unread_bytes += (size_t)done;
    if (connection->unread_bytes >> 20 >= CONNECTION_REPLY_MAX_MB)
        return fail(connection, "a reply is larger than %d MiB", CONNECTION_REPLY_MAX_MB);
    if (redisReaderFeed(connection->context->reader, bytes, (size_t)done) != REDIS_OK)
        return fail(connection, "out of memory for the reply");
    *ret_moved = true;
    return true;
}

static bool take_reply(struct connection *connection, redisReply **ret_reply) {
    redisReader *reader = connection->context->reader;
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK)
        return fail(connection,
                    connection->answered ? "its answer is not the protocol of Redis (%s)"
                                         : "what listens there is no Redis-compatible server (%s)",
                    reader->errstr);
    *ret_reply = reply;
    if (reply) {
        connection->answered = true;
        connection->unread_bytes = reader->len - reader->pos;
    }
    return true;
}

redisReply *connection_receive(struct connection *connection) {
    int64_t until_ms = deadline(connection);
    redisReply *reply = NULL;
    while (!connection->broken) {
        bool wrote = false, read = false;
        short events = 0;
        if (connection->output.len && !write_some(connection, &wrote, &events)) return NULL;
        if (!take_reply(connection, &reply)) return NULL;
        if (reply) return reply;
        if (!read_some(connection, &read, &events)) return NULL;
        if (wrote || read) {
            until_ms = deadline(connection);
        } else if (!wait_for(connection, events, until_ms)) {
            return NULL;
        }
    }
    return NULL;
}

bool connection_send(struct connection *connection, const struct bytes *arguments, size_t count) {
    if (connection->broken) return false;
    kn_assert(count > 0 && count <= CONNECTION_ARGUMENTS_MAX);
    const char *data[CONNECTION_ARGUMENTS_MAX];
    size_t lengths[CONNECTION_ARGUMENTS_MAX];
    for (size_t i = 0; i < count; i++) {
        data[i] = arguments[i].len ? arguments[i].data : "";
        lengths[i] = arguments[i].len;
    }
    char *request = NULL;
    int len = redisFormatCommandArgv(&request, (int)count, data, lengths);
    bool ok = len >= 0 && buffer_add(&connection->output, request, (size_t)len) == 0;
    if (len >= 0) redisFreeCommand(request);
    return ok || fail(connection, "out of memory for the request");
}

redisReply *connection_call(struct connection *connection, ...) {
    struct bytes arguments[CONNECTION_ARGUMENTS_MAX];
    size_t count = 0;
    va_list words;
    va_start(words, connection);
    for (const char *word; (word = va_arg(words, const char *));)
        arguments[count++] = bytes_from_string(word);
    va_end(words);
    return connection_send(connection, arguments, count) ? connection_receive(connection) : NULL;
}

/* ---- opening ---- */

/* An array is made before its elements have come: one of two thousand million would
 * take 16 GB for ten bytes. */
static void *create_array(const redisReadTask *task, int elements) {
    const struct connection *connection = task->privdata;
    if (elements > REPLY_ELEMENTS_MAX) return NULL;
    return connection->create_array(task, elements);
}

static void bound_arrays(struct connection *connection) {
    redisReader *reader = connection->context->reader;
    connection->functions = *reader->fn;
    connection->create_array = connection->functions.createArray;
    connection->functions.createArray = create_array;
    reader->fn = &connection->functions;
    reader->privdata = connection;
}

static bool connect_socket(struct connection *connection) {
    const struct address *address = &connection->address;
    struct timeval limit = {connection->timeout_ms / 1000, connection->timeout_ms % 1000 * 1000};
    connection->context = address->kind == ADDRESS_UNIX
                              ? redisConnectUnixWithTimeout(address->host, limit)
                              : redisConnectWithTimeout(address->host, (int)address->port, limit);
    redisContext *context = connection->context;
    int number = errno;
    if (!context) return fail(connection, "out of memory");
    if (is_stopped(connection)) return fail(connection, "interrupted");
    if (!context->err) bound_arrays(connection);
    if (!context->err) return true;
    if (context->err != REDIS_ERR_IO) return fail(connection, "%s", context->errstr);
    switch (number) {
    case ECONNREFUSED:
        return fail(connection, "nothing listens there (connection refused): is the server "
                                "running, and is this its port?");
    case ENOENT: return fail(connection, "there is no such socket: is the server running?");
    case EACCES: return fail(connection, "this user may not use the socket (permission denied)");
    case ETIMEDOUT:
        return fail(connection, "it cannot be reached within %d s: a wrong host, or a firewall",
                    connection->timeout_ms / 1000);
    default: return fail(connection, "%s", context->errstr);
    }
}

static bool start_tls(struct connection *connection, const struct secure_options *options) {
    char error[SECURE_ERROR_MAX];
    int64_t until_ms = deadline(connection);
    /* OpenSSL writes with write(), which raises it. */
    signal(SIGPIPE, SIG_IGN);
    connection->secure =
        secure_new(connection->context->fd, connection->address.host, options, error);
    if (!connection->secure) return fail(connection, "%s", error);
    for (;;) {
        int result = secure_shake(connection->secure, error);
        if (result == 0) return true;
        if (result != SECURE_WAIT) return fail(connection, "%s", error);
        if (!wait_for(connection, secure_events(connection->secure), until_ms)) return false;
    }
}

/* True when the reply is no error; otherwise the connection is broken, with what it means. */
static bool settle(struct connection *connection, redisReply *reply, const char *doing) {
    if (!reply) return false;
    bool ok = reply->type != REDIS_REPLY_ERROR;
    if (!ok) {
        char meaning[CONNECTION_ERROR_MAX];
        connection_explain(bytes_make(reply->str, reply->len), doing, meaning);
        fail(connection, "%s", meaning);
    }
    freeReplyObject(reply);
    return ok;
}

static bool authenticate(struct connection *connection) {
    struct address *address = &connection->address;
    const char *password = address->has_password ? address->password : getenv("KEYNOME_PASSWORD");
    if (!password) password = getenv("REDISCLI_AUTH");
    if (!password && !address->user[0]) return true;
    if (!password)
        return fail(connection,
                    "the URL names a user and no password: put it into KEYNOME_PASSWORD, or after "
                    "the user and ':' (if this is the password, put a ':' before it)");
    redisReply *reply = address->user[0]
                            ? connection_call(connection, "AUTH", address->user, password, NULL)
                            : connection_call(connection, "AUTH", password, NULL);
    return settle(connection, reply, "AUTH");
}

static bool introduce(struct connection *connection, const char *program) {
    char number[NUMBER_I64_MAX] = "";
    if (!authenticate(connection)) return false;
    /* The first request that needs a server, and permission: it tells what else is wrong. */
    if (!settle(connection, connection_call(connection, "PING", NULL), "PING")) return false;
    if (program) {
        redisReply *reply = connection_call(connection, "CLIENT", "SETNAME", program, NULL);
        if (!reply) return false;
        freeReplyObject(reply); /* a courtesy; some services refuse it */
    }
    if (connection->address.database <= 0) return true;
    snprintf(number, sizeof number, "%d", connection->address.database);
    return settle(connection, connection_call(connection, "SELECT", number, NULL), "SELECT");
}

struct connection *connection_open(const char *url, const struct connection_options *options,
                                   char *error) {
    struct connection *connection = mem_zalloc(sizeof *connection);
    const char *wrong;
    buffer_init(&connection->output, OUTPUT_MAX);
    connection->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : CONNECTION_TIMEOUT_MS;
    connection->stopped = options->stopped;
    if (!address_parse(bytes_from_string(url), &connection->address, &wrong)) {
        snprintf(error, CONNECTION_ERROR_MAX, "the server's URL cannot be read: %s", wrong);
        connection_close(connection);
        return NULL;
    }
    bool ok = connect_socket(connection);
    if (ok) {
        int flags = fcntl(connection->context->fd, F_GETFL);
        ok = fcntl(connection->context->fd, F_SETFL, flags | O_NONBLOCK) == 0 ||
             fail(connection, "%s", strerror(errno));
    }
    if (ok && connection->address.kind == ADDRESS_TLS) ok = start_tls(connection, &options->secure);
    if (ok && introduce(connection, options->program)) return connection;
    snprintf(error, CONNECTION_ERROR_MAX, "%s", connection->error);
    connection_close(connection);
    return NULL;
}

void connection_close(struct connection *connection) {
    if (!connection) return;
    secure_free(connection->secure);
    if (connection->context) redisFree(connection->context);
    buffer_done(&connection->output);
    explicit_bzero(connection->address.password, sizeof connection->address.password);
    mem_free(connection);
}

const struct address *connection_address(const struct connection *connection) {
    return &connection->address;
}

const char *connection_error(const struct connection *connection) {
    return connection->broken ? connection->error : NULL;
}

/* ---- words ---- */

void connection_explain(struct bytes reply, const char *doing, char *out) {
    static const struct {
        const char *starts, *remedy;
    } known[] = {
        {"NOAUTH", "it wants a password: put it into KEYNOME_PASSWORD, or into the URL"},
        {"WRONGPASS", "user or password is wrong, or the user is off"},
        {"ERR Client sent AUTH", "a password was given and the server has none: leave it out"},
        {"ERR AUTH <password> called",
         "a password was given and the server has none: leave it out"},
        {"NOPERM", "this user may not do it: give its ACL what is needed, or take another user"},
        {"DENIED", "protected mode: it takes connections from its own machine only, until it has a "
                   "password"},
        {"LOADING", "it is still loading its data: try again later"},
        {"BUSY", "a script has been running for long: try again later"},
        {"MASTERDOWN", "this replica has lost its primary: ask another server"},
        {"ERR max number of clients", "maxclients is reached"},
        {"ERR DB index is out of range", "it has no such database"},
        {"ERR SELECT is not allowed in cluster mode", "a cluster has database 0 only"},
    };
    char text[256];
    size_t len = reply.len < sizeof text - 1 ? reply.len : sizeof text - 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)reply.data[i];
        text[i] = c < ' ' || c == 127 ? ' ' : (char)c;
    }
    text[len] = '\0';
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(text, known[i].starts, strlen(known[i].starts)) != 0) continue;
        snprintf(out, CONNECTION_ERROR_MAX, "%s was refused: %s (%s)", doing, known[i].remedy,
                 text);
        return;
    }
    snprintf(out, CONNECTION_ERROR_MAX, "%s was refused: %s", doing, text);
}

bool connection_flags_read(const struct connection_flags *flags,
                           struct connection_options *ret_options) {
    int64_t seconds = CONNECTION_TIMEOUT_MS / 1000;
    if (flags->timeout && (!number_parse_i64(bytes_from_string(flags->timeout), &seconds) ||
                           seconds < 1 || seconds > 86400)) {
        fprintf(stderr, "keynome: --timeout wants seconds, 1 to 86400, not '%s'\n", flags->timeout);
        return false;
    }
    if (flags->key_file && !flags->cert_file) {
        fprintf(stderr, "keynome: --key is of no use without --cert\n");
        return false;
    }
    ret_options->timeout_ms = (int)seconds * 1000;
    ret_options->secure = (struct secure_options){
        .ca_file = flags->ca_file,
        .cert_file = flags->cert_file,
        .key_file = flags->key_file,
        .insecure = flags->insecure,
    };
    return true;
}
