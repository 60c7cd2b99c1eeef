/* SPDX-License-Identifier: BSD-3-Clause */
/* The request parser: tables of what the protocol says, and random streams
 * whole against in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "proto/parser.h"

enum { BULK_MAX = 1 << 20 };

/* What a stream came to: every argument between < and >, every request ended by a
 * newline, then the error. */
struct outcome {
    struct buffer text;
};

static void note_batch(struct outcome *outcome, const struct parser_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        assert_true(batch->requests[i].argc > 0);
        for (uint32_t j = 0; j < batch->requests[i].argc; j++) {
            buffer_add(&outcome->text, "<", 1);
            buffer_add_bytes(&outcome->text, batch->requests[i].argv[j]);
            buffer_add(&outcome->text, ">", 1);
        }
        buffer_add(&outcome->text, "\n", 1);
    }
}

/* Feeds the stream in pieces of random sizes up to most (0: whole), the input
 * moving in memory meanwhile. */
static void run_with(struct parser *parser, struct bytes stream, size_t most, uint32_t requests,
                     struct outcome *outcome) {
    struct parser_batch batch;
    struct buffer input;
    size_t fed = 0;
    buffer_init(&outcome->text, 1 << 30);
    buffer_init(&input, 1 << 30);
    parser_batch_init(&batch);
    while (fed < stream.len && !parser_failed(parser)) {
        size_t piece = most ? 1 + random_below(most) : stream.len;
        if (piece > stream.len - fed) piece = stream.len - fed;
        buffer_add(&input, stream.data + fed, piece);
        fed += piece;
        size_t taken;
        do {
            /* Exactly as long as it is, and somewhere else each time. */
            char *copy = malloc(input.len ? input.len : 1);
            if (input.len) memcpy(copy, input.data, input.len);
            taken = parser_parse(parser, &batch, copy, input.len, requests);
            assert_true(taken <= input.len);
            assert_true(batch.count <= (parser->unauthenticated ? 1 : requests));
            for (uint32_t i = 0; i < batch.count; i++) assert_true(batch.requests[i].end <= taken);
            note_batch(outcome, &batch);
            buffer_consume(&input, taken);
            free(copy);
            /* Now and then the caller changes its mind about what it has not consumed. */
            if (!parser_failed(parser) && random_below(20) == 0) parser_restart(parser);
        } while (taken > 0);
    }
    if (parser_failed(parser)) {
        char text[PARSER_ERROR_MAX];
        buffer_add_bytes(&outcome->text, parser_error(parser, text));
        assert_int_equal(parser_parse(parser, &batch, input.data, input.len, 10), 0);
        assert_int_equal(batch.count, 0);
    }
    buffer_add(&outcome->text, "", 1);
    buffer_done(&input);
    parser_batch_done(&batch);
}

static void run(struct bytes stream, size_t most, uint32_t requests, struct outcome *outcome) {
    struct parser parser;
    parser_init(&parser, BULK_MAX);
    run_with(&parser, stream, most, requests, outcome);
    parser_done(&parser);
}

static void check(struct bytes stream, const char *expected) {
    struct outcome outcome;
    for (size_t most = 0; most <= 3; most++) {
        run(stream, most, most % 2 ? 1 : 100, &outcome);
        assert_string_equal(outcome.text.data, expected);
        buffer_done(&outcome.text);
    }
}

static void test_requests(void **state) {
    (void)state;
    check(BYTES("*1\r\n$4\r\nPING\r\n"), "<PING>\n");
    check(BYTES("*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$1\r\nx\r\n"), "<GET><>\n<x>\n");
    check(BYTES("*0\r\n*-1\r\n*-100\r\n\r\n\n*1\r\n$1\r\nx\r\n"), "<x>\n");
    check(BYTES("*1\r\n$12\r\na\r\nb$1*\n\"'cc\r\n"), "<a\r\nb$1*\n\"'cc>\n");
    /* What follows a bulk string is skipped without a look, and so is the byte after a '\r'. */
    check(BYTES("*1\r\n$1\r\nxABPING\r\n"), "<x>\n<PING>\n");
    check(BYTES("*1\rX$1\rYx\r\n"), "<x>\n");
    check(BYTES("*3\r\n$1\r\na"), "");
    check(BYTES("*1\r\n$1048576\r\n"), "");
    check(BYTES("*2147483647\r\n"), "");
}

static void test_inline(void **state) {
    (void)state;
    check(BYTES("PING\r\nSET a  b\t c\n"), "<PING>\n<SET><a><b><c>\n");
    check(BYTES("  GET x \r\n \r\nx\n"), "<GET><x>\n<x>\n");
    check(BYTES("SET \"a b\" 'c d' \"\" ''\r\n"), "<SET><a b><c d><><>\n");
    check(BYTES("a\"b c\" x'y z'\r\n"), "<ab c><xy z>\n");
    check(BYTES("\"\\x41\\x4a\\n\\r\\t\\b\\a\\q\\\"\\\\\"\n"), "<AJ\n\r\t\b\aq\"\\>\n");
    check(BYTES("\"\\x4\\xzz\" '\\x41\\'\\n'\n"), "<x4xzz><\\x41'\\n>\n");
    check(BYTES("a\\x41 \\\n"), "<a\\x41><\\>\n");
    /* Behind a zero byte in a line nothing is seen. */
    check(BYTES("d\na\0b c\nd\n"), "<d>\n");
    check(BYTES("PING\n*1\0\r\n$1\r\na\r\n"), "<PING>\n");
    check(BYTES("*2\r\n$1\r\na\r\n$1\0\r\nb\r\n"), "");
    check(BYTES("\"a\"\vb\n"), "<a><b>\n");
    check(BYTES("\"a\n"), "Protocol error: unbalanced quotes in request");
    check(BYTES("PING\n\"a\"b\n"), "<PING>\nProtocol error: unbalanced quotes in request");
    check(BYTES("'a\\'\n"), "Protocol error: unbalanced quotes in request");
    check(BYTES("\"a\\\"\n"), "Protocol error: unbalanced quotes in request");
}

static void test_errors(void **state) {
    static const char *const multibulk[] = {
        "*x\r\n",  "*\r\n",   "* 1\r\n",         "*01\r\n",
        "*+1\r\n", "*1 \r\n", "*2147483648\r\n", "*99999999999999999999\r\n"};
    static const char *const bulk[] = {"$x\r\n",
                                       "$\r\n",
                                       "$-1\r\n",
                                       "$ 1\r\n",
                                       "$01\r\n",
                                       "$1048577\r\n",
                                       "$99999999999999999999\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof multibulk / sizeof multibulk[0]; i++) {
        check(bytes_from_string(multibulk[i]), "Protocol error: invalid multibulk length");
    }
    for (size_t i = 0; i < sizeof bulk / sizeof bulk[0]; i++) {
        char stream[64];
        snprintf(stream, sizeof stream, "*1\r\n$1\r\nx\r\n*2\r\n$1\r\ny\r\n%s", bulk[i]);
        check(bytes_from_string(stream), "<x>\nProtocol error: invalid bulk length");
    }
    check(BYTES("*1\r\nGET\r\n"), "Protocol error: expected '$', got 'G'");
    check(BYTES("*1\r\n\r\n"), "Protocol error: expected '$', got '\r'");
    check(BYTES("*1\r\nGET"), "");
}

static void check_line(const char *start, size_t fill, bool fails, const char *error) {
    size_t head = strlen(start);
    char *stream = malloc(head + fill + 2);
    struct outcome outcome;
    memcpy(stream, start, head);
    memset(stream + head, '1', fill);
    memcpy(stream + head + fill, "\r\n", 2);
    for (int cut = 0; cut <= 2; cut++) {
        run(bytes_make(stream, head + fill + (size_t)cut), cut ? 5000 : 0, 10, &outcome);
        if (fails) {
            assert_string_equal(outcome.text.data, error);
        } else {
            assert_string_not_equal(outcome.text.data, error);
        }
        buffer_done(&outcome.text);
    }
    free(stream);
}

static void test_long_lines(void **state) {
    (void)state;
    check_line("", PARSER_LINE_MAX + 1, true, "Protocol error: too big inline request");
    check_line("", PARSER_LINE_MAX - 1, false, "Protocol error: too big inline request");
    check_line("*", PARSER_LINE_MAX, true, "Protocol error: too big mbulk count string");
    check_line("*", PARSER_LINE_MAX - 1, false, "Protocol error: too big mbulk count string");
    check_line("*1\r\n$", PARSER_LINE_MAX, true, "Protocol error: too big bulk count string");
    check_line("*1\r\n$", PARSER_LINE_MAX - 1, false, "Protocol error: too big bulk count string");
}

static void test_unauthenticated(void **state) {
    static const struct {
        const char *stream, *expected;
    } rows[] = {
        {"*11\r\n", "Protocol error: unauthenticated multibulk length"},
        {"*10\r\n$16385\r\n", "Protocol error: unauthenticated bulk length"},
        {"*10\r\n$16384\r\n", ""},
        {"PING\r\nPING\r\n*11\r\n",
         "<PING>\n<PING>\nProtocol error: unauthenticated multibulk length"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parser parser;
        struct outcome outcome;
        parser_init(&parser, BULK_MAX);
        parser.unauthenticated = true;
        run_with(&parser, bytes_from_string(rows[i].stream), 0, 100, &outcome);
        assert_string_equal(outcome.text.data, rows[i].expected);
        buffer_done(&outcome.text);
        parser_done(&parser);
    }
}

/* A stream of requests of all kinds, most of them good. */
static void make_stream(struct buffer *out) {
    static const char *const junk[] = {"\r\n", "*0\r\n", "*-1\r\n", "GET \"a b\" c\r\n", "x\n"};
    unsigned requests = 1 + (unsigned)random_below(30);
    buffer_clear(out);
    while (requests-- > 0) {
        if (random_below(6) == 0) {
            buffer_add_bytes(out, bytes_from_string(junk[random_below(5)]));
            continue;
        }
        unsigned args = 1 + (unsigned)random_below(random_below(20) ? 5 : 300);
        buffer_printf(out, "*%u\r\n", args);
        while (args-- > 0) {
            size_t len = random_below(random_below(30) ? 20 : 3000);
            buffer_printf(out, "$%zu\r\n", len);
            while (len-- > 0) buffer_add(out, &(char){(char)random_next()}, 1);
            buffer_add(out, "\r\n", 2);
        }
    }
    if (random_below(4) == 0 && out->len) {
        out->data[random_below(out->len)] = "*$\r\n\"0x"[random_below(7)];
    }
}

static void test_pieces(void **state) {
    struct buffer stream;
    (void)state;
    buffer_init(&stream, 1 << 30);
    for (int i = 0; i < 300; i++) {
        struct outcome whole, pieces;
        make_stream(&stream);
        run(buffer_bytes(&stream), 0, 100000, &whole);
        run(buffer_bytes(&stream), 1 + random_below(i % 2 ? 10 : 2000),
            1 + (uint32_t)random_below(50), &pieces);
        assert_true(bytes_equal(buffer_bytes(&whole.text), buffer_bytes(&pieces.text)));
        buffer_done(&whole.text);
        buffer_done(&pieces.text);
    }
    buffer_done(&stream);
}

/* A request of very many arguments in small pieces takes time and memory in proportion. */
static void test_many_arguments(void **state) {
    enum { ARGS = 1000000, PIECE = 16384 };
    struct buffer stream;
    struct parser parser;
    struct parser_batch batch;
    (void)state;
    size_t before = memory_used();
    buffer_init(&stream, 1 << 30);
    parser_init(&parser, BULK_MAX);
    parser_batch_init(&batch);
    buffer_printf(&stream, "*%d\r\n", ARGS);
    for (int i = 0; i < ARGS; i++)
        buffer_printf(&stream, "$%d\r\n%d\r\n", i > 9 ? 2 : 1, i % 90 + (i > 9 ? 10 : 0));
    int64_t started = clock_thread_cpu_us();
    for (size_t have = PIECE; have < stream.len; have += PIECE) {
        assert_int_equal(parser_parse(&parser, &batch, stream.data, have, 10), 0);
        assert_int_equal(batch.count, 0);
        assert_true(parser_memory(&parser) <= 64 * 16 + 6 * have);
    }
    assert_int_equal(parser_parse(&parser, &batch, stream.data, stream.len, 10), stream.len);
    assert_true(clock_thread_cpu_us() - started < 2000000);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.requests[0].argc, ARGS);
    assert_true(bytes_equal(batch.requests[0].argv[9], BYTES("9")));
    assert_int_equal(parser_memory(&parser), 0);

    /* The great vector goes with the next call. */
    char small[] = "PING\r\n";
    assert_int_equal(parser_parse(&parser, &batch, small, 6, 10), 6);
    assert_true(batch.argv_capacity < 1000);
    buffer_done(&stream);
    parser_done(&parser);
    parser_batch_done(&batch);
    assert_int_equal(memory_used(), before);
}

static void test_promises(void **state) {
    struct parser parser;
    struct parser_batch batch;
    size_t before = memory_used();
    char stream[] = "*2000000000\r\n$500000\r\nabc";
    (void)state;
    parser_init(&parser, BULK_MAX);
    parser_batch_init(&batch);
    assert_int_equal(parser_parse(&parser, &batch, stream, sizeof stream - 1, 10), 0);
    assert_int_equal(parser_wanted(&parser), 500002 - 3);
    assert_true(memory_used() - before < 4096);
    parser_done(&parser);
    parser_batch_done(&batch);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    random_seed_thread(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_errors),          cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_unauthenticated), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_many_arguments),  cmocka_unit_test(test_promises),
    };
    return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
