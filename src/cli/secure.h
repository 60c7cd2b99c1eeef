/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS over a connected socket.
 *
 * What: shakes hands with a server and checks its certificate; reads and writes without waiting.
 * Always: without `insecure` a connection exists only to who proved to be the
 *         host that was asked for.
 * Owner: secure_free takes it back; the socket stays the caller's. Lock: none.
 * Errors: a sentence; SECURE_WAIT is none, it says what to wait for.
 */
#ifndef KN_CLI_SECURE_H
#define KN_CLI_SECURE_H

#include <stdbool.h>
#include <stddef.h>

struct secure;

struct secure_options {
    const char *ca_file;              /* NULL: those that the system trusts */
    const char *cert_file, *key_file; /* the client's own; NULL for none */
    bool insecure;                    /* believe anybody */
};

enum { SECURE_WAIT = -1, SECURE_FAILED = -2, SECURE_ERROR_MAX = 320 };

/* NULL after an error; error has SECURE_ERROR_MAX bytes. fd does not block. */
struct secure *secure_new(int fd, const char *host, const struct secure_options *options,
                          char *error);
void secure_free(struct secure *secure);
/* One step of the handshake: 0 when it is done. */
int secure_shake(struct secure *secure, char *error);
/* Bytes that were read or written, 0 at the end of the stream, or a code above. */
long secure_read(struct secure *secure, void *to, size_t room, char *error);
long secure_write(struct secure *secure, const void *data, size_t len, char *error);
/* What SECURE_WAIT waits for: POLLIN or POLLOUT. */
short secure_events(const struct secure *secure);

#endif
