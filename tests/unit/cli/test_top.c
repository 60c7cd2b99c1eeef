/* SPDX-License-Identifier: BSD-3-Clause */
/* What `keynome top` makes of replies: readings, what changed between two, order,
 * filter; texts and figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/page.h"
#include "cli/text.h"
#include "cli/top_board.h"

/* ---- replies, by way of hiredis's own reader ---- */

static void add_bulk(struct buffer *wire, struct bytes text) {
    buffer_printf(wire, "$%zu\r\n", text.len);
    buffer_add_bytes(wire, text);
    buffer_printf(wire, "\r\n");
}

static void add_word(struct buffer *wire, const char *text) {
    add_bulk(wire, bytes_from_string(text));
}

static redisReply *read_wire(struct buffer *wire) {
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_int_equal(redisReaderFeed(reader, wire->data, wire->len), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    buffer_done(wire);
    return reply;
}

struct given {
    const char *catalog, *pattern, *key;
    int64_t figures[FIGURES];
    const char *operations_s;
};

static redisReply *make_stats(const struct given *rows, size_t count) {
    struct buffer wire;
    buffer_init(&wire, 1 << 20);
    buffer_printf(&wire, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        buffer_printf(&wire, "*%u\r\n", 2 * (4 + FIGURES));
        add_word(&wire, "pattern");
        add_word(&wire, rows[i].pattern);
        add_word(&wire, "catalog");
        add_word(&wire, rows[i].catalog);
        add_word(&wire, "key");
        add_word(&wire, rows[i].key);
        for (unsigned j = 0; j < FIGURES; j++) {
            add_word(&wire, figure_names[j]);
            buffer_printf(&wire, ":%lld\r\n", (long long)rows[i].figures[j]);
        }
        add_word(&wire, "operations-per-second");
        add_word(&wire, rows[i].operations_s ? rows[i].operations_s : "0");
    }
    return read_wire(&wire);
}

static redisReply *make_text(char kind, const char *text) {
    struct buffer wire;
    buffer_init(&wire, 1 << 20);
    if (kind == '$')
        add_word(&wire, text);
    else
        buffer_printf(&wire, "%c%s\r\n", kind, text);
    return read_wire(&wire);
}

#define SERVER_INFO \
    "# Server\r\nredis_version:7.4.2\r\nkeynome_version:0.1.0\r\nuptime_in_seconds:70\r\n"

static struct reading *make_reading(const char *info_more, const struct given *rows, size_t count,
                                    int64_t at_us) {
    char info_text[1024], words[READING_WORDS_MAX];
    struct reading *reading = NULL;
    snprintf(info_text, sizeof info_text, SERVER_INFO "%s", info_more);
    redisReply *info = make_text('$', info_text), *stats = make_stats(rows, count);
    assert_int_equal(reading_make(info, stats, at_us, &reading, words), READING_FINE);
    freeReplyObject(info);
    freeReplyObject(stats);
    return reading;
}

/* keys, bytes, reads, hits, misses, writes, expired, evicted, purged, violations */
static const struct given before[] = {
    {"", "(unmatched)", "", {5, 500, 10, 10, 0, 5, 0, 0, 0, 0}, "1.5"},
    {"shop", "cart", "shop:cart:{user}", {10, 2000, 100, 90, 10, 50, 3, 0, 0, 1}, "20"},
    {"shop", "page", "shop:page:{id}", {100, 100000, 1000, 500, 500, 600, 30, 4, 0, 0}, "300"},
};
static const struct given after[] = {
    {"", "(unmatched)", "", {5, 500, 10, 10, 0, 5, 0, 0, 0, 0}, "1.0"},
    {"shop", "cart", "shop:cart:{user}", {8, 1600, 300, 240, 60, 70, 5, 0, 2, 4}, "21"},
    {"shop", "page", "shop:page:{id}", {120, 120000, 1000, 500, 500, 620, 30, 14, 0, 0}, "301"},
};

static struct board two_readings(int64_t apart_us) {
    struct board board = {0};
    board_take(&board, make_reading("run_id:a\r\ntotal_commands_processed:1000\r\n"
                                    "keyspace_hits:100\r\nkeyspace_misses:10\r\n",
                                    before, 3, 1000000));
    board_take(&board, make_reading("run_id:a\r\ntotal_commands_processed:1500\r\n"
                                    "keyspace_hits:130\r\nkeyspace_misses:20\r\n",
                                    after, 3, 1000000 + apart_us));
    return board;
}

/* ---- readings ---- */

static void test_reading_is_read(void **state) {
    (void)state;
    struct reading *reading = make_reading("run_id:abc\r\nconnected_clients:7\r\n"
                                           "used_memory:4096\r\nmaxmemory:8192\r\n",
                                           before, 3, 5);
    assert_int_equal(reading->count, 3);
    assert_string_equal(reading->head.version, "0.1.0");
    assert_string_equal(reading->head.run_id, "abc");
    assert_int_equal(reading->head.uptime_s, 70);
    assert_int_equal(reading->head.clients, 7);
    assert_int_equal(reading->head.memory_bytes, 4096);
    assert_int_equal(reading->head.memory_limit_bytes, 8192);
    assert_string_equal(reading->rows[2].key, "shop:page:{id}");
    assert_int_equal(reading->rows[2].figures[FIGURE_EVICTED], 4);
    assert_true(reading->rows[0].operations_s == 1.5);
    reading_free(reading);
}

static void expect_result(redisReply *info, redisReply *stats, enum reading_result wanted,
                          const char *wanted_words) {
    char words[READING_WORDS_MAX];
    struct reading *untouched = NULL;
    assert_int_equal(reading_make(info, stats, 0, &untouched, words), wanted);
    assert_string_equal(words, wanted_words);
    assert_null(untouched);
    freeReplyObject(info);
    freeReplyObject(stats);
}

static void test_other_servers_are_told_apart(void **state) {
    (void)state;
    expect_result(make_text('$', "redis_version:7.0.15\r\n"),
                  make_text('-', "ERR unknown command 'CATALOG'"), READING_NOT_KEYNOME,
                  "Redis 7.0.15");
    expect_result(make_text('$', "redis_version:7.2.4\r\nvalkey_version:9.1.2\r\n"),
                  make_text('-', "ERR unknown command 'CATALOG'"), READING_NOT_KEYNOME,
                  "Valkey 9.1.2");
    expect_result(make_text('$', SERVER_INFO),
                  make_text('-', "ERR no catalog is loaded: see CATALOG LOAD"), READING_NO_CATALOG,
                  "ERR no catalog is loaded: see CATALOG LOAD");
    expect_result(make_text('-', "NOAUTH Authentication required."), make_text('-', "NOAUTH"),
                  READING_REFUSED, "NOAUTH Authentication required.");
    expect_result(make_text('$', SERVER_INFO), make_text(':', "7"), READING_STRANGE, "");
    expect_result(make_text('$', "hello"), make_text(':', "7"), READING_STRANGE, "");
}

/* ---- what changed ---- */

static void test_rates_are_of_the_time_between(void **state) {
    (void)state;
    struct board board = two_readings(2000000);
    const struct board_row *cart = &board.rows[1], *page = &board.rows[2];
    assert_true(board.known && cart->known);
    assert_true(board.elapsed_s == 2);
    assert_true(board.commands_s == 250);
    assert_true(board.hit_share == 0.75);
    assert_true(cart->rates[FIGURE_READS] == 100);
    assert_true(cart->rates[FIGURE_WRITES] == 10);
    assert_true(cart->operations_s == 110);
    assert_true(cart->rates[FIGURE_KEYS] == -1);
    assert_true(board_value(cart, COLUMN_HIT_RATE, false) == 0.75);
    assert_true(board_value(cart, COLUMN_HIT_RATE, true) == 0.8);
    assert_int_equal(cart->violations_new, 3);
    assert_true(board_value(page, COLUMN_EVICTED, false) == 5);
    assert_true(board_value(page, COLUMN_EVICTED, true) == 14);
    assert_true(board_value(page, COLUMN_HIT_RATE, false) < 0); /* nothing was read */
    assert_true(board_value(page, COLUMN_SIZE, false) == 1000);
    assert_int_equal(board.keys, 133);
    assert_int_equal(board.violations, 4);
    assert_true(board.reads_s == 100 && board.writes_s == 20);
    assert_int_equal(cart->course->count, 2);
    assert_true(cart->course->values[0] == 20 && cart->course->values[1] == 110);
    board_done(&board);
}

static void test_first_reading_has_the_servers_average(void **state) {
    (void)state;
    struct board board = {0};
    board_take(&board, make_reading("instantaneous_ops_per_sec:77\r\n", before, 3, 1));
    assert_false(board.known);
    assert_true(board.commands_s == 77);
    assert_true(board.rows[2].operations_s == 300);
    assert_true(board_value(&board.rows[2], COLUMN_READS, false) < 0);
    assert_true(board_value(&board.rows[2], COLUMN_READS, true) == 1000);
    board_done(&board);
}

static void test_another_run_has_no_rates(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    board_take(&board,
               make_reading("run_id:b\r\ntotal_commands_processed:9999\r\n", after, 3, 9000000));
    assert_false(board.known || board.rows[1].known);
    assert_true(board.rows[1].operations_s == 21);
    assert_true(board_value(&board.rows[1], COLUMN_READS, false) < 0);
    board_done(&board);
}

static void test_a_count_that_fell_has_no_rates(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    struct given again[3];
    memcpy(again, after, sizeof again);
    again[1].figures[FIGURE_READS] = 3; /* a catalog loaded anew */
    board_take(&board,
               make_reading("run_id:a\r\ntotal_commands_processed:2000\r\n", again, 3, 9000000));
    assert_true(board.known && board.rows[2].known);
    assert_false(board.rows[1].known);
    assert_true(board.rows[1].operations_s == 21);
    board_done(&board);
}

static void test_lines_are_found_wherever_they_move(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    const struct given moved[] = {
        {"other", "cart", "other:cart", {1, 1, 1, 1, 0, 1, 0, 0, 0, 0}, "4"}, /* new */
        after[2],
        after[1],
        after[0],
    };
    board_take(&board,
               make_reading("run_id:a\r\ntotal_commands_processed:2000\r\n", moved, 4, 9000000));
    assert_false(board.rows[0].known);
    assert_true(board.rows[1].known && board.rows[2].known && board.rows[3].known);
    assert_int_equal(board.rows[2].course->count, 3);
    assert_int_equal(board.rows[0].course->count, 1);
    assert_int_equal(board.rows[2].violations_new, 0);
    board_take(&board, make_reading("run_id:a\r\n", NULL, 0, 9500000));
    assert_int_equal(board.count, 0);
    board_done(&board);
}

static void test_course_keeps_the_last(void **state) {
    (void)state;
    struct board board = {0};
    struct given one = before[1];
    for (int i = 0; i < BOARD_HISTORY + 30; i++) {
        one.figures[FIGURE_READS] = one.figures[FIGURE_HITS] = (int64_t)i * i;
        board_take(&board, make_reading("run_id:a\r\n", &one, 1, i * INT64_C(1000000)));
    }
    assert_int_equal(board.rows[0].course->count, BOARD_HISTORY);
    /* The rate of step i is i^2 - (i-1)^2. */
    assert_true(board.rows[0].course->values[BOARD_HISTORY - 1] == 2 * (BOARD_HISTORY + 29) - 1);
    assert_true(board.rows[0].course->values[0] == 2 * 30 - 1);
    board_done(&board);
}

static void test_types_are_learnt(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    struct buffer wire;
    buffer_init(&wire, 4096);
    /* A channel between, which the statistics lack; and a pattern of that
     * name in another catalog. */
    static const char *const lines[][3] = {{"cart", "other", "zset"},
                                           {"cart", "shop", "hash"},
                                           {"news", "shop", "any"},
                                           {"page", "shop", "string"}};
    buffer_printf(&wire, "*4\r\n");
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = {"pattern", "catalog", "type"};
        buffer_printf(&wire, "*6\r\n");
        for (size_t j = 0; j < 3; j++) {
            add_word(&wire, names[j]);
            add_word(&wire, lines[i][j]);
        }
    }
    redisReply *described = read_wire(&wire);
    assert_true(board_wants_types(&board));
    board_learn_types(&board, described);
    assert_false(board_wants_types(&board));
    assert_string_equal(board.rows[1].type, "hash");
    assert_string_equal(board.rows[2].type, "string");
    board_take(&board, make_reading("run_id:a\r\n", after, 3, 9000000));
    assert_string_equal(board.rows[1].type, "hash");
    board_learn_types(&board, NULL);
    assert_string_equal(board.rows[1].type, "");
    freeReplyObject(described);
    board_done(&board);
}

/* ---- order ---- */

static void expect_lines(const struct board *board, const struct view *view, const char *wanted) {
    const struct board_row *lines[8];
    char found[256] = "";
    size_t count = board_lines(board, view, lines), len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(found + len, sizeof found - len, "%s%s", i ? " " : "",
                                lines[i]->now->pattern);
    assert_string_equal(found, wanted);
}

static void test_lines_are_ordered(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    struct view view = {.sort = COLUMN_OPERATIONS};
    expect_lines(&board, &view, "cart page (unmatched)");
    view.reverse = true;
    expect_lines(&board, &view, "(unmatched) page cart");
    view = (struct view){.sort = COLUMN_OPERATIONS, .totals = true};
    expect_lines(&board, &view, "page cart (unmatched)");
    view = (struct view){.sort = COLUMN_BYTES};
    expect_lines(&board, &view, "page cart (unmatched)");
    view = (struct view){.sort = COLUMN_KEY};
    expect_lines(&board, &view, "(unmatched) cart page");
    view.reverse = true;
    expect_lines(&board, &view, "page cart (unmatched)");
    /* Alike: by name, whatever the direction; without a value: last, whatever the direction. */
    view = (struct view){.sort = COLUMN_PURGED};
    expect_lines(&board, &view, "cart (unmatched) page");
    view = (struct view){.sort = COLUMN_HIT_RATE, .reverse = true};
    expect_lines(&board, &view, "cart (unmatched) page");
    board_done(&board);
}

static void test_lines_are_filtered(void **state) {
    (void)state;
    struct board board = two_readings(1000000);
    struct view view = {.sort = COLUMN_KEY, .filter = "SHOP:p"};
    expect_lines(&board, &view, "page");
    view = (struct view){.sort = COLUMN_KEY, .filter = "shop"};
    expect_lines(&board, &view, "cart page");
    view = (struct view){.sort = COLUMN_KEY, .filter = "(un"};
    expect_lines(&board, &view, "(unmatched)");
    view = (struct view){.sort = COLUMN_KEY, .filter = "nothing like it"};
    expect_lines(&board, &view, "");
    board_done(&board);
}

/* ---- texts ---- */

static void expect_fit(struct bytes raw, size_t columns, bool utf8, const char *wanted) {
    struct buffer out;
    buffer_init(&out, 1024);
    text_fit(&out, raw, columns, TEXT_LEFT, utf8);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, wanted);
    buffer_done(&out);
}

static void test_texts_are_safe_and_fit(void **state) {
    (void)state;
    expect_fit(BYTES("cart"), 6, true, "cart  ");
    expect_fit(BYTES("shop:cart"), 6, true, "shop:\u2026");
    expect_fit(BYTES("shop:cart"), 6, false, "shop:~");
    expect_fit(BYTES("shop"), 0, true, "");
    expect_fit(BYTES("a\033[2Jb\n"), 16, true, "a\\x1b[2Jb\\x0a   ");
    expect_fit(BYTES("a\xff\xc3"), 10, true, "a\\xff\\xc3 ");
    expect_fit(BYTES("a\\xff"), 7, true, "a\\\\xff ");
    expect_fit(BYTES("caf\u00e9"), 6, true, "caf\u00e9  ");
    expect_fit(BYTES("caf\u00e9"), 12, false, "caf\\xc3\\xa9 ");
    expect_fit(BYTES("\u5e93\u5b58"), 5, true, "\u5e93\u5b58 "); /* two columns each */
    expect_fit(BYTES("\u5e93\u5b58\u91cf"), 5, true, "\u5e93\u5b58\u2026");
    expect_fit(BYTES("\u5e93\u5b58\u91cf"), 4, true,
               "\u5e93\u2026 "); /* half of one would not do */
    expect_fit(BYTES("x\u202ey\u200b"), 14, true, "x\\u202ey\\u200b");
    expect_fit(BYTES("\u0301e\u0301"), 8, true, "\\u0301e\u0301 ");
    expect_fit(BYTES("\x7f\xc2\x9b"), 10, true, "\\x7f\\u009b");
}

static void test_figures_take_five_columns(void **state) {
    (void)state;
    char text[FIGURE_TEXT_MAX];
    static const struct {
        double value;
        const char *plain, *bytes;
    } cases[] = {
        {0, "0", "0"},
        {0.01, "<0.1", "0"},
        {1.04, "1", "1"},
        {0.96, "1", "1"},
        {0.42, "0.4", "0"},
        {9.97, "10", "10"},
        {9999, "9999", "9999"},
        {9999.6, "10.0k", "9.77K"},
        {12345, "12.3k", "12.1K"},
        {999499, "999k", "976K"},
        {999999, "1.00M", "977K"},
        {1023 * 1024, "1.05M", "1.00M"},
        {1e9, "1.00G", "954M"},
        {9.3e18, "9.30E", "8.07E"},
        {-1, "-", "-"},
        {(double)INFINITY, "-", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(figure_short(cases[i].value, text), cases[i].plain);
        assert_string_equal(figure_bytes(cases[i].value, text), cases[i].bytes);
    }
    for (double value = 0; value < 1e19; value = value * 1.01 + 0.01) {
        assert_true(strlen(figure_short(value, text)) <= 5);
        assert_true(strlen(figure_bytes(value, text)) <= 5);
    }
    assert_string_equal(figure_exact(1234567, text), "1,234,567");
    assert_string_equal(figure_exact(-123, text), "-123");
    assert_string_equal(figure_exact(INT64_MIN, text), "-9,223,372,036,854,775,808");
    assert_string_equal(figure_percent(0.99999, text), "99.9");
    assert_string_equal(figure_percent(1, text), "100");
    assert_string_equal(figure_percent(-1, text), "-");
    assert_string_equal(figure_duration(59, text), "59s");
    assert_string_equal(figure_duration(3 * 86400 + 7200, text), "3d 2h");
}

static void test_charts_fill_their_columns(void **state) {
    (void)state;
    static const float values[] = {1, 0, 4, 8};
    struct buffer out;
    buffer_init(&out, 4096);
    text_sparkline(&out, values, 4, 6, true);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, "\u2581 \u2584\u2588  ");
    buffer_clear(&out);
    text_sparkline(&out, values, 4, 2, false);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, ":#");
    for (unsigned i = 0; i <= 100; i++) {
        for (size_t columns = 0; columns < 12; columns++) {
            buffer_clear(&out);
            text_bar(&out, i / 100.0, columns, false);
            assert_int_equal(out.len, columns);
            buffer_clear(&out);
            text_bar(&out, i / 100.0, columns, true);
            assert_int_equal(text_columns(buffer_bytes(&out), true), columns);
        }
    }
    buffer_clear(&out);
    text_bar(&out, 0.001, 4, true);
    buffer_add(&out, "", 1);
    assert_string_equal(out.data, "\u258f   ");
    buffer_done(&out);
}

static void test_pages_stay_within_their_columns(void **state) {
    (void)state;
    struct page page = {0};
    const struct span *spans;
    for (size_t columns = 1; columns < 40; columns++) {
        page_start(&page, columns, true);
        page_put(&page, STYLE_PLAIN, "head ");
        page_fit(&page, STYLE_GOOD, BYTES("\u5e93\u5b58\u91cf"), 9, TEXT_RIGHT);
        page_blank(&page, STYLE_FAINT, 6);
        page_printf(&page, STYLE_BAD, "%d", 1234567);
        page_line(&page);
        page_put(&page, STYLE_PLAIN, "second");
        assert_int_equal(page.line_count, 2);
        for (size_t line = 0; line < 2; line++) {
            size_t count = page_spans(&page, line, &spans), used = 0;
            for (size_t i = 0; i < count; i++)
                used += text_columns(bytes_make(page.text.data + spans[i].at, spans[i].len), true);
            assert_true(used <= columns);
            if (line == 0) assert_int_equal(used, columns < 27 ? columns : 27);
        }
    }
    page_done(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading_is_read),
        cmocka_unit_test(test_other_servers_are_told_apart),
        cmocka_unit_test(test_rates_are_of_the_time_between),
        cmocka_unit_test(test_first_reading_has_the_servers_average),
        cmocka_unit_test(test_another_run_has_no_rates),
        cmocka_unit_test(test_a_count_that_fell_has_no_rates),
        cmocka_unit_test(test_lines_are_found_wherever_they_move),
        cmocka_unit_test(test_course_keeps_the_last),
        cmocka_unit_test(test_types_are_learnt),
        cmocka_unit_test(test_lines_are_ordered),
        cmocka_unit_test(test_lines_are_filtered),
        cmocka_unit_test(test_texts_are_safe_and_fit),
        cmocka_unit_test(test_figures_take_five_columns),
        cmocka_unit_test(test_charts_fill_their_columns),
        cmocka_unit_test(test_pages_stay_within_their_columns),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
