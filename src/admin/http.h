/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small HTTP server for people and programs that look after this one.
 *
 * What: answers GET and HEAD of a few fixed paths, on one thread of its own, through libmicrohttpd.
 *       Anything else is 404 or 405; a request that has a body is refused.
 * Always: connections, their memory and their idle time are bounded (the enum below). One
 *         request is answered at a time.
 * Owner: whoever made it frees it, after which no handler runs. A page's text is the
 *        server's from http_page_text on.
 * Lock: none. Handlers run on the HTTP thread.
 * Errors: http_server_new returns NULL with a sentence in error.
 */
#ifndef KN_ADMIN_HTTP_H
#define KN_ADMIN_HTTP_H

#include <stddef.h>

#include "base/buffer.h"

enum {
    HTTP_CONNECTIONS_MAX = 32,
    HTTP_REQUEST_BYTES_MAX = 16 * 1024, /* of the request's line and headers, and what they need */
    HTTP_IDLE_S = 5,                    /* without a byte moving */
    HTTP_ERROR_MAX = 256,
};

struct http_page {
    unsigned status; /* 200 and so on */
    const char *content_type;
    struct buffer text; /* empty, and bounded, when the handler is called */
};

struct http_route {
    const char *path;
    void (*answer)(void *context, struct http_page *page);
};

struct http_server;

/* address: a numeric one, or a name. routes: ends with a path of NULL, and outlives the
 * server, as the context does. */
struct http_server *http_server_new(const char *address, unsigned port,
                                    const struct http_route *routes, void *context, char *error);
void http_server_free(struct http_server *server);

#endif
