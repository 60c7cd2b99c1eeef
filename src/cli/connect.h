/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to a server, from a URL.
 *
 * What: connects to any Redis-compatible server over TCP, TLS or a socket file (address.h),
 *       authenticates, selects the URL's database and gives the connection a name; then sends
 *       requests, any number at once, and receives their replies, in order. RESP2, read by hiredis.
 * Always: no call waits longer than the timeout without a byte having moved. After the first
 *         failure every call fails and connection_error says what it was. A password that the URL
 *         does not hold is taken from the environment: KEYNOME_PASSWORD, or REDISCLI_AUTH.
 * Owner: connection_close takes it back; replies are given back with freeReplyObject.
 * Lock: none; one thread. Errors: sentences that say what is wrong and what can be done. An error
 *       reply of the server is a reply (REDIS_REPLY_ERROR), not a failure.
 */
#ifndef KN_CLI_CONNECT_H
#define KN_CLI_CONNECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <hiredis/hiredis.h>

#include "base/bytes.h"
#include "cli/address.h"
#include "cli/options.h"
#include "cli/secure.h"

enum {
    CONNECTION_ERROR_MAX = 1024,
    CONNECTION_TIMEOUT_MS = 10000,
    CONNECTION_REPLY_MAX_MB = 1024, /* a reply that is larger is taken for nonsense */
    CONNECTION_ARGUMENTS_MAX = 64
};

struct connection;

struct connection_options {
    const char *program; /* what CLIENT LIST shows: "keynome-audit"; NULL for nothing */
    int timeout_ms;      /* 0: CONNECTION_TIMEOUT_MS */
    struct secure_options secure;
    const atomic_bool *stopped; /* when a signal has set it, waiting ends; or NULL */
};

/* NULL after an error; error has CONNECTION_ERROR_MAX bytes. */
struct connection *connection_open(const char *url, const struct connection_options *options,
                                   char *error);
void connection_close(struct connection *connection);

const struct address *connection_address(const struct connection *connection);
/* What broke the connection; NULL while it works. */
const char *connection_error(const struct connection *connection);

/* Queues a request; it travels with the next call of connection_receive. False when
 * the connection is broken. */
bool connection_send(struct connection *connection, const struct bytes *arguments, size_t count);
/* The next reply, which somebody has to give back; NULL when the connection is broken. */
redisReply *connection_receive(struct connection *connection);
/* One request of words and its reply: connection_call(c, "INFO", "server", NULL). */
redisReply *connection_call(struct connection *connection, ...) __attribute__((sentinel));

/* What an error reply means and what can be done, for `doing` ("SCAN"); out has
 * CONNECTION_ERROR_MAX bytes. */
void connection_explain(struct bytes reply, const char *doing, char *out);

/* --timeout, --cacert, --cert, --key, --insecure of a command; its rows of
 * options, its help, its values. */
struct connection_flags {
    const char *timeout, *ca_file, *cert_file, *key_file;
    bool insecure;
};
#define CONNECTION_ROWS(flags)                                                                  \
    {"--timeout", NULL, &(flags).timeout, NULL}, {"--cacert", NULL, &(flags).ca_file, NULL},    \
        {"--cert", NULL, &(flags).cert_file, NULL}, {"--key", NULL, &(flags).key_file, NULL}, { \
        "--insecure", NULL, NULL, &(flags).insecure                                             \
    }
#define CONNECTION_HELP                                                                           \
    "URL is redis://[user:password@]host[:port][/db], rediss://... (TLS), unix:///path[?db=N],\n" \
    "host:port or /path. A password is better kept out of the command line: in the\n"             \
    "environment, as KEYNOME_PASSWORD or REDISCLI_AUTH.\n\n"                                      \
    "      --timeout S    give up when the server is silent for S seconds (10)\n"                 \
    "      --cacert FILE  whom to trust with TLS (what the system trusts)\n"                      \
    "      --cert FILE    the client's own certificate\n"                                         \
    "      --key FILE     its key\n"                                                              \
    "      --insecure     with TLS, trust anybody\n"
/* False after a mistake, with a sentence on standard error. */
bool connection_flags_read(const struct connection_flags *flags,
                           struct connection_options *ret_options);

#endif
