/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of `keynome top` for scripts and files: tables of plain text, or a JSON object a line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json.h"
#include "cli/top.h"

enum { REPORT_BYTES_MAX = 64 << 20, CELL_MAX = 64, GAP = 2 };

struct report {
    const struct top *top;
    const struct board *board;
    const struct board_row **lines;
    size_t count;
    bool totals; /* nothing to compare with yet, or asked for */
};

static const struct {
    enum column column;
    const char *rate, *total;
} cells[] = {
    {COLUMN_OPERATIONS, "OPS/S", "OPS/S"},
    {COLUMN_READS, "READS/S", "READS"},
    {COLUMN_WRITES, "WRITES/S", "WRITES"},
    {COLUMN_HIT_RATE, "HIT%", "HIT%"},
    {COLUMN_KEYS, "KEYS", "KEYS"},
    {COLUMN_BYTES, "BYTES", "BYTES"},
    {COLUMN_EXPIRED, "EXPIRED/S", "EXPIRED"},
    {COLUMN_EVICTED, "EVICTED/S", "EVICTED"},
    {COLUMN_PURGED, "PURGED/S", "PURGED"},
    {COLUMN_VIOLATIONS, "VIOLATIONS", "VIOLATIONS"},
};
enum { CELLS = sizeof cells / sizeof *cells };

/* ---- plain text ---- */

static const char *cell_text(const struct report *report, const struct board_row *row, size_t i,
                             char *text) {
    enum column column = cells[i].column;
    /* Operations a second are the server's own average where there is nothing to compare with. */
    double value =
        column == COLUMN_OPERATIONS ? row->operations_s : board_value(row, column, report->totals);
    bool whole = column == COLUMN_KEYS || column == COLUMN_BYTES || column == COLUMN_VIOLATIONS ||
                 (report->totals && column != COLUMN_OPERATIONS);
    if (value < 0 && column != COLUMN_KEYS && column != COLUMN_BYTES)
        snprintf(text, CELL_MAX, "-");
    else if (column == COLUMN_HIT_RATE)
        figure_percent(value, text);
    else
        snprintf(text, CELL_MAX, "%.*f", whole ? 0 : 1, value);
    return text;
}

static void head_line(const struct report *report, struct buffer *out) {
    const struct reading_head *head = &report->board->now->head;
    char when[32] = "", text[FIGURE_TEXT_MAX];
    time_t now_s = time(NULL);
    struct tm tm;
    if (gmtime_r(&now_s, &tm)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buffer_printf(out, "%s  %s  Keynome ", when, report->top->where);
    text_show(out, bytes_from_string(head->version), text_utf8());
    buffer_printf(out, "  up %s  clients %lld  ops/s %.1f  ", figure_duration(head->uptime_s, text),
                  (long long)head->clients, report->board->commands_s);
    buffer_printf(out, "hit%% %s  ", figure_percent(report->board->hit_share, text));
    buffer_printf(out, "memory %lld", (long long)head->memory_bytes);
    if (head->memory_limit_bytes > 0)
        buffer_printf(out, " of %lld", (long long)head->memory_limit_bytes);
    buffer_printf(out, "\n");
}

static void write_table(const struct report *report, struct buffer *out) {
    bool names = report->top->view.names;
    size_t title = strlen("PATTERN"), widths[CELLS];
    char text[CELL_MAX];
    for (size_t i = 0; i < CELLS; i++)
        widths[i] = strlen(report->totals ? cells[i].total : cells[i].rate);
    for (size_t j = 0; j < report->count; j++) {
        size_t columns =
            text_columns(bytes_from_string(board_title(report->lines[j], names)), text_utf8());
        if (columns > title) title = columns;
        for (size_t i = 0; i < CELLS; i++) {
            size_t len = strlen(cell_text(report, report->lines[j], i, text));
            if (len > widths[i]) widths[i] = len;
        }
    }
    head_line(report, out);
    text_fit(out, bytes_from_string(names ? "NAME" : "PATTERN"), title, TEXT_LEFT, text_utf8());
    for (size_t i = 0; i < CELLS; i++)
        buffer_printf(out, "%*s", (int)widths[i] + GAP,
                      report->totals ? cells[i].total : cells[i].rate);
    buffer_printf(out, "\n");
    for (size_t j = 0; j < report->count; j++) {
        const struct board_row *row = report->lines[j];
        text_fit(out, bytes_from_string(board_title(row, names)), title, TEXT_LEFT, text_utf8());
        for (size_t i = 0; i < CELLS; i++)
            buffer_printf(out, "%*s", (int)widths[i] + GAP, cell_text(report, row, i, text));
        buffer_printf(out, "\n");
    }
}

/* ---- JSON ---- */

static void json_share(struct buffer *out, const char *name, double share) {
    if (share < 0)
        buffer_printf(out, "\"%s\": null", name);
    else
        buffer_printf(out, "\"%s\": %.4f", name, share);
}

static void json_rates(struct buffer *out, const struct board_row *row) {
    if (!row->known) {
        buffer_printf(out, ", \"per-second\": null");
        return;
    }
    buffer_printf(out, ", \"per-second\": {");
    for (unsigned i = 0; i < FIGURES; i++)
        buffer_printf(out, "%s\"%s\": %.3f", i ? ", " : "", figure_names[i], row->rates[i]);
    buffer_printf(out, ", ");
    json_share(out, "hit-rate", board_value(row, COLUMN_HIT_RATE, false));
    buffer_printf(out, "}");
}

static void json_row(struct buffer *out, const struct board_row *row) {
    const struct reading_row *now = row->now;
    buffer_printf(out, "{\"pattern\": ");
    json_text(out, now->pattern);
    buffer_printf(out, ", \"catalog\": ");
    json_text(out, now->catalog[0] ? now->catalog : NULL);
    buffer_printf(out, ", \"key\": ");
    json_text(out, now->key[0] ? now->key : NULL);
    buffer_printf(out, ", \"type\": ");
    json_text(out, row->type && row->type[0] ? row->type : NULL);
    for (unsigned i = 0; i < FIGURES; i++)
        buffer_printf(out, ", \"%s\": %lld", figure_names[i], (long long)now->figures[i]);
    buffer_printf(out, ", ");
    json_share(out, "hit-rate", board_value(row, COLUMN_HIT_RATE, true));
    buffer_printf(out, ", \"operations-per-second\": %.1f", row->operations_s);
    json_rates(out, row);
    buffer_printf(out, "}");
}

static void write_json(const struct report *report, struct buffer *out) {
    const struct board *board = report->board;
    const struct reading_head *head = &board->now->head;
    buffer_printf(out, "{\"time-ms\": %lld, \"interval-s\": ", (long long)clock_realtime_ms());
    if (board->known)
        buffer_printf(out, "%.3f", board->elapsed_s);
    else
        buffer_printf(out, "null");
    buffer_printf(out, ", \"server\": {\"address\": ");
    json_text(out, report->top->where);
    buffer_printf(out, ", \"version\": ");
    json_text(out, head->version);
    buffer_printf(out,
                  ", \"uptime-s\": %lld, \"clients\": %lld, \"memory-bytes\": %lld, "
                  "\"memory-limit-bytes\": %lld, \"commands\": %lld, "
                  "\"operations-per-second\": %.1f, \"hits\": %lld, \"misses\": %lld, ",
                  (long long)head->uptime_s, (long long)head->clients,
                  (long long)head->memory_bytes, (long long)head->memory_limit_bytes,
                  (long long)head->commands, board->commands_s, (long long)head->hits,
                  (long long)head->misses);
    json_share(out, "hit-rate", board->hit_share);
    buffer_printf(out, "}, \"patterns\": [");
    for (size_t i = 0; i < report->count; i++) {
        if (i) buffer_printf(out, ", ");
        json_row(out, report->lines[i]);
    }
    buffer_printf(out, "]}\n");
}

/* ---- reports ---- */

static bool print_report(const struct top *top, const struct board *board, bool first) {
    struct report report = {
        .top = top, .board = board, .totals = top->view.totals || !board->known};
    struct view view = top->view;
    struct buffer out;
    view.totals = report.totals;
    buffer_init(&out, REPORT_BYTES_MAX);
    report.lines = mem_alloc((board->count ? board->count : 1) * sizeof *report.lines);
    report.count = board_lines(board, &view, report.lines);
    if (top->rows && report.count > top->rows) report.count = top->rows;
    if (!first && !top->json) buffer_printf(&out, "\n");
    if (top->json)
        write_json(&report, &out);
    else
        write_table(&report, &out);
    bool written = file_write(NULL, buffer_bytes(&out));
    mem_free(report.lines);
    buffer_done(&out);
    return written;
}

/* Sleeps until then; false when a signal ended it. */
static bool sleep_until(const struct top *top, int64_t due_us) {
    while (!*top->stopped) {
        int64_t left_us = due_us - clock_mono_us();
        if (left_us <= 0) return true;
        int left_ms = (int)((left_us + 999) / 1000);
        if (top_wait(top, NULL, 0, left_ms) < 0 && errno != EINTR) return false;
    }
    return false;
}

int top_plain(const struct top *top, struct connection *connection, struct board *board) {
    int status = EXIT_FINE;
    char error[CONNECTION_ERROR_MAX];
    int64_t due_us = board->now->at_us;
    if (top->once) status = print_report(top, board, true) ? EXIT_FINE : EXIT_TROUBLE;
    for (uint64_t i = 0; !top->once && status == EXIT_FINE; i++) {
        struct reading *reading;
        redisReply *types = NULL;
        if (top->reports && i == top->reports) break;
        due_us += top->interval_ms * INT64_C(1000);
        if (due_us < clock_mono_us()) due_us = clock_mono_us();
        if (!sleep_until(top, due_us)) break;
        bool ask_types = board_wants_types(board);
        if (!top_ask(connection, &reading, ask_types ? &types : NULL, error)) {
            if (*top->stopped) break;
            fprintf(stderr, "keynome: %s\n", error);
            status = EXIT_TROUBLE;
            break;
        }
        board_take(board, reading);
        if (types) {
            board_learn_types(board, types);
            freeReplyObject(types);
        }
        if (!print_report(top, board, i == 0)) status = EXIT_TROUBLE;
    }
    connection_close(connection);
    return status;
}
