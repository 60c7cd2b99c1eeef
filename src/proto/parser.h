/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests from bytes: the incremental parser of the Redis protocol.
 *
 * What: slices whole requests, as many as have arrived, into views of the input itself. A
 *       struct parser is one connection's state; a struct parser_batch, one a thread,
 *       receives what a call found.
 * Always: a request that is not complete is remembered, not scanned again: what arrives in pieces
 *         costs as much as what arrives at once. Memory grows only with bytes that arrived. The
 *         caller passes the input from the first byte that was not consumed, each time: it may have
 *         moved in memory, but what was passed before may not have changed. Inline requests (words
 *         on a line) are unquoted in place, so the input is writable.
 * Owner: the views point into the input and the argument vectors belong to parser and batch; all
 *        are good until the next parser_parse with either of them, or the input is touched.
 * Lock: none.
 * Errors: a protocol error is final. It stands behind the requests that came before it: the caller
 *         answers those, then sends parser_error as an error reply and closes.
 */
#ifndef KN_PROTO_PARSER_H
#define KN_PROTO_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    PARSER_LINE_MAX = 64 * 1024,        /* of an inline request, and of a header */
    PARSER_UNAUTHENTICATED_ARGS = 10,   /* until the client has authenticated */
    PARSER_UNAUTHENTICATED_BULK = 16384 /* bytes, likewise */
};

struct parsed_request {
    struct bytes *argv;
    uint32_t argc; /* at least 1: empty requests are skipped */
    size_t end;    /* bytes of the input up to its end */
};

struct parser_batch {
    struct parsed_request *requests; /* in the order they came */
    uint32_t count;
    uint32_t capacity;
    struct bytes *argv; /* the arguments of all of them, one after another */
    uint32_t argv_count;
    uint32_t argv_capacity;
};

struct parser {
    int64_t bulk_max;     /* proto-max-bulk-len: set by the owner at any time */
    bool unauthenticated; /* set by the owner: smaller limits, and one request a call */

    /* The rest is the request whose bytes have not all arrived. Offsets
     * count from its first byte. */
    bool failed;
    bool unfinished; /* there is one, with its state below */
    char unexpected; /* what stood in the place of a '$' */
    uint8_t error;
    uint32_t args_due; /* arguments still to come */
    uint32_t argc, argv_capacity;
    struct bytes *argv; /* offsets instead of pointers, until the request is complete */
    size_t at;          /* where to go on */
    size_t scanned;     /* no end of line before this */
    int64_t bulk_len;   /* of the argument whose header was read; -1 when none was */
    size_t wanted;
};

void parser_init(struct parser *parser, int64_t bulk_max);
void parser_done(struct parser *parser);
void parser_batch_init(struct parser_batch *batch);
void parser_batch_done(struct parser_batch *batch);

/*
 * Fills the batch with at most max_requests requests and returns how many bytes of data they took:
 * these the caller drops when it has answered. When it takes none, more input is needed (or the
 * parser failed). An inline request, which is unquoted in place, is a batch of its own; so is any
 * when the client is not authenticated.
 */
size_t parser_parse(struct parser *parser, struct parser_batch *batch, char *data, size_t len,
                    uint32_t max_requests) __attribute__((warn_unused_result));

/* Forgets what is known of input that was passed but, after all, not consumed: the next
 * call starts over at the first byte it is given. For a caller that stops in the middle of
 * a batch and keeps the rest. */
void parser_restart(struct parser *parser);

static inline bool parser_failed(const struct parser *parser) {
    return parser->failed;
}

/* The error's text without "-ERR "; out holds at least PARSER_ERROR_MAX bytes. */
enum { PARSER_ERROR_MAX = 64 };
struct bytes parser_error(const struct parser *parser, char *out);

/* How many bytes beyond those passed so far would complete the argument that is arriving; 0
 * when unknown. A promise of the client, so not a reason to reserve as much: a reason to read
 * more than usual at once. */
static inline size_t parser_wanted(const struct parser *parser) {
    return parser->wanted;
}

/* Bytes that the parser holds for an unfinished request, for the client's account. */
static inline size_t parser_memory(const struct parser *parser) {
    return parser->argv_capacity * sizeof(struct bytes);
}

#endif
