/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The request parser on any bytes: cut anywhere, they give the same requests, and
 * the same error, as whole.
 *
 * The first byte says where to cut (a seed), the second whether the client has authenticated.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "base/random.h"
#include "proto/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BULK_MAX = 4096, INPUT_MAX = 1 << 16, BATCH = 7 };
#define RECORD_MAX ((size_t)1 << 28)

/* Everything that a run told: each argument with its length, each request with
 * its count, and the error. */
static void record_number(struct buffer *record, uint64_t number) {
    kn_require(buffer_add(record, &number, sizeof number) == 0);
}

static void record_batch(struct buffer *record, const struct parser_batch *batch) {
    size_t end = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct parsed_request *request = &batch->requests[i];
        kn_require(request->argc > 0 && request->end > end);
        end = request->end;
        record_number(record, request->argc);
        for (uint32_t arg = 0; arg < request->argc; arg++) {
            record_number(record, request->argv[arg].len);
            kn_require(buffer_add_bytes(record, request->argv[arg]) == 0);
        }
    }
}

/* Feeds the input in pieces of at most `piece` bytes, each length drawn anew; 0 is all at once. */
static void run(const uint8_t *data, size_t size, bool unauthenticated, size_t piece,
                struct rng *rng, struct buffer *record) {
    struct parser parser;
    struct parser_batch batch;
    struct buffer in;
    parser_init(&parser, BULK_MAX);
    parser.unauthenticated = unauthenticated;
    parser_batch_init(&batch);
    buffer_init(&in, INPUT_MAX * 2);
    for (size_t at = 0; at < size && !parser_failed(&parser);) {
        size_t len = piece == 0 ? size : 1 + rng_below(rng, piece);
        if (len > size - at) len = size - at;
        kn_require(buffer_add(&in, data + at, len) == 0);
        at += len;
        for (;;) {
            size_t taken = parser_parse(&parser, &batch, in.data, in.len, BATCH);
            kn_require(taken <= in.len);
            record_batch(record, &batch);
            if (taken == 0) break;
            buffer_consume(&in, taken);
            /* What was looked at and not consumed may have to be looked at again from the start. */
            if (piece != 0 && rng_below(rng, 8) == 0 && !parser_failed(&parser))
                parser_restart(&parser);
        }
    }
    if (parser_failed(&parser)) {
        char text[PARSER_ERROR_MAX];
        kn_require(buffer_add_bytes(record, parser_error(&parser, text)) == 0);
    }
    kn_require(parser_memory(&parser) <= 64 * (size + 64) * sizeof(struct bytes));
    parser_done(&parser);
    parser_batch_done(&batch);
    buffer_done(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer whole, pieces;
    struct rng rng;
    if (size < 2 || size > INPUT_MAX) return 0;
    rng_seed(&rng, data[0]);
    bool unauthenticated = data[1] & 1;
    data += 2;
    size -= 2;
    buffer_init(&whole, RECORD_MAX);
    run(data, size, unauthenticated, 0, &rng, &whole);
    for (size_t piece = 1; piece <= 64; piece *= 8) {
        buffer_init(&pieces, RECORD_MAX);
        run(data, size, unauthenticated, piece, &rng, &pieces);
        kn_require(bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces)));
        buffer_done(&pieces);
    }
    buffer_done(&whole);
    return 0;
}
