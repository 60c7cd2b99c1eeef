/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request that is complete when first looked at, the common case, never touches the parser's
 * state: its arguments go to the batch's vector as pointers. One that is cut off leaves its state
 * in struct parser, with its arguments as offsets from its first byte because the input may move
 * before it goes on; they become pointers once, when the last byte is there.
 */
#include "proto/parser.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/number.h"
#include "proto/inline.h"

enum parser_error {
    PARSER_OK,
    PARSER_BAD_MULTIBULK,
    PARSER_LONG_MULTIBULK,
    PARSER_BAD_BULK,
    PARSER_LONG_BULK,
    PARSER_NOT_BULK,
    PARSER_LONG_INLINE,
    PARSER_QUOTES,
    PARSER_MANY_UNAUTHENTICATED,
    PARSER_BIG_UNAUTHENTICATED,
    PARSER_NO_MEMORY,
};

static const char *const error_texts[] = {
    [PARSER_BAD_MULTIBULK] = "Protocol error: invalid multibulk length",
    [PARSER_LONG_MULTIBULK] = "Protocol error: too big mbulk count string",
    [PARSER_BAD_BULK] = "Protocol error: invalid bulk length",
    [PARSER_LONG_BULK] = "Protocol error: too big bulk count string",
    [PARSER_NOT_BULK] = "Protocol error: expected '$', got ' '",
    [PARSER_LONG_INLINE] = "Protocol error: too big inline request",
    [PARSER_QUOTES] = "Protocol error: unbalanced quotes in request",
    [PARSER_MANY_UNAUTHENTICATED] = "Protocol error: unauthenticated multibulk length",
    [PARSER_BIG_UNAUTHENTICATED] = "Protocol error: unauthenticated bulk length",
    [PARSER_NO_MEMORY] = "Protocol error: out of memory",
};

/* What came of looking at one request. */
enum outcome { DONE, MORE, FAILED };

/* The request being looked at. */
struct scan {
    char *base; /* its first byte */
    size_t len; /* bytes from there to the end of the input */
    size_t at;
    size_t scanned;
    uint32_t due;
    int64_t bulk_len;
};

enum { BATCH_KEEP_ARGS = 8192, VECTOR_MIN = 64 };

void parser_init(struct parser *parser, int64_t bulk_max) {
    *parser = (struct parser){.bulk_max = bulk_max, .bulk_len = -1};
}

void parser_done(struct parser *parser) {
    mem_free(parser->argv);
    *parser = (struct parser){0};
}

void parser_batch_init(struct parser_batch *batch) {
    *batch = (struct parser_batch){0};
}

void parser_batch_done(struct parser_batch *batch) {
    mem_free(batch->requests);
    mem_free(batch->argv);
    *batch = (struct parser_batch){0};
}

void parser_restart(struct parser *parser) {
    mem_free(parser->argv);
    *parser = (struct parser){
        .bulk_max = parser->bulk_max, .unauthenticated = parser->unauthenticated, .bulk_len = -1};
}

struct bytes parser_error(const struct parser *parser, char *out) {
    kn_assert(parser->failed);
    size_t len = strlen(error_texts[parser->error]);
    kn_assert(len < PARSER_ERROR_MAX);
    memcpy(out, error_texts[parser->error], len + 1);
    if (parser->error == PARSER_NOT_BULK) out[len - 2] = parser->unexpected;
    return bytes_make(out, len);
}

static enum outcome fail(struct parser *parser, enum parser_error error) {
    parser->failed = true;
    parser->error = (uint8_t)error;
    return FAILED;
}

/* Doubles a vector of items of this size; false when memory is refused. */
static bool grow(void **items, uint32_t *capacity, size_t size) {
    if (*capacity > UINT32_MAX / 2) return false;
    uint32_t wanted = *capacity ? *capacity * 2 : VECTOR_MIN;
    void *moved = mem_try_realloc(*items, wanted * size);
    if (!moved) return false;
    *items = moved;
    *capacity = wanted;
    return true;
}

static bool grow_argv(struct bytes **argv, uint32_t *capacity) {
    void *items = *argv;
    if (!grow(&items, capacity, sizeof **argv)) return false;
    *argv = items;
    return true;
}

/* The header at scan->at when it is whole and plain, nearly always; -1 when
 * read_header has to look closer. */
static inline int64_t peek_header(struct scan *scan, char kind) {
    const char *at = scan->base + scan->at, *end = scan->base + scan->len;
    if (end - at < 4 || *at != kind) return -1;
    unsigned digit = (unsigned char)at[1] - (unsigned)'0';
    if (digit > 9) return -1;
    int64_t value = digit;
    const char *c = at + 2;
    if (value != 0) {
        const char *stop = end - c > 9 ? c + 9 : end;
        while (c < stop && (digit = (unsigned char)*c - (unsigned)'0') <= 9) {
            value = value * 10 + digit;
            c++;
        }
    }
    if (end - c < 2 || *c != '\r') return -1;
    scan->at = (size_t)(c + 2 - scan->base);
    return value;
}

/* The first of this byte from `from` on; NULL when there is none, or a zero byte before
 * it, as Redis has it: who sends one in a line waits until the line is too long. Where
 * to look on is in ret_stop. */
static char *find_line_end(struct scan *scan, size_t from, char wanted, size_t *ret_stop) {
    char *end = memchr(scan->base + from, wanted, scan->len - from);
    size_t stop = end ? (size_t)(end - scan->base) : scan->len;
    const char *zero = memchr(scan->base + from, '\0', stop - from);
    *ret_stop = zero ? (size_t)(zero - scan->base) : stop;
    return zero ? NULL : end;
}

/* Reads "<kind><number>\r\n" at scan->at, of whatever length and in however many pieces. */
static enum outcome read_header(struct parser *parser, struct scan *scan, char kind,
                                int64_t *ret_value) {
    bool bulk = kind == '$';
    size_t from = scan->scanned > scan->at ? scan->scanned : scan->at;
    size_t stop;
    const char *end = find_line_end(scan, from, '\r', &stop);
    size_t length = end ? (size_t)(end - scan->base) - scan->at : scan->len - scan->at;
    if (length > PARSER_LINE_MAX) {
        return fail(parser, bulk ? PARSER_LONG_BULK : PARSER_LONG_MULTIBULK);
    }
    if (!end || scan->at + length + 2 > scan->len) {
        scan->scanned = stop;
        return MORE;
    }
    if (scan->base[scan->at] != kind) {
        parser->unexpected = scan->base[scan->at];
        return fail(parser, PARSER_NOT_BULK);
    }
    if (length == 0 ||
        !number_parse_i64(bytes_make(scan->base + scan->at + 1, length - 1), ret_value)) {
        return fail(parser, bulk ? PARSER_BAD_BULK : PARSER_BAD_MULTIBULK);
    }
    scan->at += length + 2;
    return DONE;
}

static inline enum outcome read_count(struct parser *parser, struct scan *scan) {
    int64_t count = peek_header(scan, '*');
    if (kn_unlikely(count < 0)) {
        enum outcome outcome = read_header(parser, scan, '*', &count);
        if (outcome != DONE) return outcome;
    }
    if (count > INT_MAX) return fail(parser, PARSER_BAD_MULTIBULK);
    if (parser->unauthenticated && count > PARSER_UNAUTHENTICATED_ARGS) {
        return fail(parser, PARSER_MANY_UNAUTHENTICATED);
    }
    scan->due = count > 0 ? (uint32_t)count : 0;
    return DONE;
}

static inline enum outcome read_bulk_len(struct parser *parser, struct scan *scan) {
    int64_t len = peek_header(scan, '$');
    if (kn_unlikely(len < 0)) {
        enum outcome outcome = read_header(parser, scan, '$', &len);
        if (outcome != DONE) return outcome;
    }
    if (len < 0 || len > parser->bulk_max) return fail(parser, PARSER_BAD_BULK);
    if (parser->unauthenticated && len > PARSER_UNAUTHENTICATED_BULK) {
        return fail(parser, PARSER_BIG_UNAUTHENTICATED);
    }
    scan->bulk_len = len;
    return DONE;
}

/* Reads arguments that are due into a vector; origin is what their places count from: the address
 * of the first byte for pointers, 0 for offsets. */
static inline enum outcome read_args(struct parser *parser, struct scan *scan, uintptr_t origin,
                                     struct bytes **argv, uint32_t *argc, uint32_t *capacity) {
    while (scan->due > 0) {
        if (scan->bulk_len < 0) {
            enum outcome outcome = read_bulk_len(parser, scan);
            if (kn_unlikely(outcome != DONE)) return outcome;
        }
        size_t needed = (size_t)scan->bulk_len + 2, left = scan->len - scan->at;
        if (kn_unlikely(left < needed)) {
            parser->wanted = needed - left;
            return MORE;
        }
        if (kn_unlikely(*argc == *capacity) && !grow_argv(argv, capacity)) {
            return fail(parser, PARSER_NO_MEMORY);
        }
        (*argv)[(*argc)++] = bytes_make((const char *)(origin + scan->at), (size_t)scan->bulk_len);
        scan->at += needed;
        scan->bulk_len = -1;
        scan->due--;
    }
    return DONE;
}

/* Keeps what is known of a request that is cut off. Its arguments are those of
 * the batch from first on. */
static enum outcome suspend(struct parser *parser, struct parser_batch *batch,
                            const struct scan *scan, uint32_t first) {
    uint32_t argc = batch->argv_count - first;
    parser->unfinished = true;
    parser->at = scan->at;
    parser->scanned = scan->scanned;
    parser->args_due = scan->due;
    parser->bulk_len = scan->bulk_len;
    parser->argc = argc;
    batch->argv_count = first;
    if (argc == 0) return MORE;
    parser->argv = mem_try_alloc(argc * sizeof *parser->argv);
    if (!parser->argv) return fail(parser, PARSER_NO_MEMORY);
    parser->argv_capacity = argc;
    for (uint32_t i = 0; i < argc; i++) {
        struct bytes arg = batch->argv[first + i];
        size_t offset = (size_t)(arg.data - scan->base);
        parser->argv[i] = bytes_make((const char *)(uintptr_t)offset, arg.len);
    }
    return MORE;
}

/* The cut off request is complete: moves its arguments to the batch as pointers. */
static enum outcome complete(struct parser *parser, struct parser_batch *batch, char *base) {
    while (batch->argv_capacity < parser->argc) {
        if (!grow_argv(&batch->argv, &batch->argv_capacity)) return fail(parser, PARSER_NO_MEMORY);
    }
    for (uint32_t i = 0; i < parser->argc; i++) {
        struct bytes arg = parser->argv[i];
        batch->argv[i] = bytes_make(base + (uintptr_t)arg.data, arg.len);
    }
    batch->argv_count = parser->argc;
    mem_free(parser->argv);
    parser->argv = NULL;
    parser->argc = parser->argv_capacity = 0;
    parser->unfinished = false;
    return DONE;
}

/* Goes on with a request of which *argc arguments or at least the count have been read. */
static enum outcome resume(struct parser *parser, struct parser_batch *batch, struct scan *scan) {
    scan->at = parser->at;
    scan->scanned = parser->scanned;
    scan->due = parser->args_due;
    scan->bulk_len = parser->bulk_len;
    enum outcome outcome =
        read_args(parser, scan, 0, &parser->argv, &parser->argc, &parser->argv_capacity);
    if (outcome == DONE) return complete(parser, batch, scan->base);
    parser->at = scan->at;
    parser->scanned = scan->scanned;
    parser->args_due = scan->due;
    parser->bulk_len = scan->bulk_len;
    return outcome;
}

static inline enum outcome parse_multibulk(struct parser *parser, struct parser_batch *batch,
                                           struct scan *scan) {
    uint32_t first = batch->argv_count;
    enum outcome outcome = read_count(parser, scan);
    if (kn_likely(outcome == DONE)) {
        outcome = read_args(parser, scan, (uintptr_t)scan->base, &batch->argv, &batch->argv_count,
                            &batch->argv_capacity);
    }
    if (kn_unlikely(outcome == MORE)) return suspend(parser, batch, scan, first);
    return outcome;
}

/* A line of words. */
static enum outcome parse_inline(struct parser *parser, struct parser_batch *batch,
                                 struct scan *scan) {
    size_t stop;
    char *end = find_line_end(scan, scan->scanned, '\n', &stop);
    size_t length = end ? (size_t)(end - scan->base) : scan->len;
    if (length > PARSER_LINE_MAX) return fail(parser, PARSER_LONG_INLINE);
    scan->at = length;
    scan->scanned = stop;
    if (!end) {
        scan->at = 0;
        return suspend(parser, batch, scan, batch->argv_count);
    }
    scan->at++;
    if (length > 0 && end[-1] == '\r') length--;

    struct inline_words words;
    struct bytes word;
    int found;
    inline_begin(&words, scan->base, length);
    while ((found = inline_next(&words, &word)) > 0) {
        if (batch->argv_count == batch->argv_capacity &&
            !grow_argv(&batch->argv, &batch->argv_capacity)) {
            return fail(parser, PARSER_NO_MEMORY);
        }
        batch->argv[batch->argv_count++] = word;
    }
    if (found < 0) return fail(parser, PARSER_QUOTES);
    return DONE;
}

/* Looks at the request at scan->base, which has at least one byte. */
static inline enum outcome parse_one(struct parser *parser, struct parser_batch *batch,
                                     struct scan *scan) {
    if (kn_unlikely(parser->unfinished)) {
        /* With the count known it goes on; before that there is little to remember. */
        if (parser->args_due > 0) return resume(parser, batch, scan);
        scan->scanned = parser->scanned;
        parser->unfinished = false;
    }
    if (kn_likely(*scan->base == '*')) return parse_multibulk(parser, batch, scan);
    return parse_inline(parser, batch, scan);
}

/* Arguments that many only come with giant requests: give the vector back before the next batch. */
static void trim(struct parser_batch *batch) {
    if (batch->argv_capacity <= BATCH_KEEP_ARGS) return;
    mem_free(batch->argv);
    batch->argv = NULL;
    batch->argv_capacity = 0;
}

size_t parser_parse(struct parser *parser, struct parser_batch *batch, char *data, size_t len,
                    uint32_t max_requests) {
    size_t taken = 0;
    batch->count = 0;
    batch->argv_count = 0;
    trim(batch);
    parser->wanted = 0;
    if (parser->failed) return 0;
    if (parser->unauthenticated && max_requests > 1) max_requests = 1;

    while (taken < len && batch->count < max_requests) {
        struct scan scan = {.base = data + taken, .len = len - taken, .bulk_len = -1};
        uint32_t first = batch->argv_count;
        bool is_inline = *scan.base != '*';
        if (is_inline && batch->count > 0) break;
        if (batch->count == batch->capacity) {
            void *items = batch->requests;
            if (!grow(&items, &batch->capacity, sizeof *batch->requests)) {
                fail(parser, PARSER_NO_MEMORY);
                break;
            }
            batch->requests = items;
        }
        enum outcome outcome = parse_one(parser, batch, &scan);
        if (outcome != DONE) {
            if (outcome == FAILED) batch->argv_count = first;
            break;
        }
        taken += scan.at;
        if (batch->argv_count == first) continue; /* an empty request */
        batch->requests[batch->count].end = taken;
        batch->requests[batch->count++].argc = batch->argv_count - first;
        if (is_inline) break;
    }

    /* The vector may have moved while it grew: only now are the places of the arguments final. */
    struct bytes *argv = batch->argv;
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->requests[i].argv = argv;
        argv += batch->requests[i].argc;
    }
    return taken;
}
