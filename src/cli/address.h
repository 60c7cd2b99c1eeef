/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a server is, as people write it.
 *
 * What: reads redis://[user[:password]@]host[:port][/db] (also valkey:// and keynome://),
 *       rediss:// and valkeys:// (TLS), unix://[user[:password]@]/path[?db=N], /path, host,
 *       host:port and [IPv6]:port.
 * Always: texts end with a zero byte and hold no other; what is shown again
 *         never holds the password.
 * Owner: the struct holds everything. Lock: none.
 * Errors: a sentence that says what is wrong and does not repeat what might be a password.
 * Source: the schemes "redis" and "rediss" as registered with IANA; percent-encoding by RFC 3986.
 */
#ifndef KN_CLI_ADDRESS_H
#define KN_CLI_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum {
    ADDRESS_HOST_MAX = 256, /* of a name, or of a socket's path, with the zero */
    ADDRESS_USER_MAX = 256,
    ADDRESS_PASSWORD_MAX = 1024,
    ADDRESS_SHOWN_MAX = 512,
    ADDRESS_PORT = 6379,
    ADDRESS_DATABASE_UNSTATED = -1
};

enum address_kind { ADDRESS_TCP, ADDRESS_TLS, ADDRESS_UNIX };

struct address {
    enum address_kind kind;
    unsigned port;
    int database;                /* ADDRESS_DATABASE_UNSTATED when nobody said */
    char host[ADDRESS_HOST_MAX]; /* or the path of a socket */
    char user[ADDRESS_USER_MAX];
    char password[ADDRESS_PASSWORD_MAX];
    bool has_password;
};

/* False with a sentence in *ret_error, which is a constant. */
bool address_parse(struct bytes text, struct address *ret_address, const char **ret_error);
/* "redis://host:port/db" without user and password; out has ADDRESS_SHOWN_MAX bytes. */
void address_show(const struct address *address, char *out);

#endif
