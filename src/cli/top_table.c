/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of patterns, and what stands above and below it.
 *
 * Columns that matter most are there at 80 columns; a wider screen first shows templates in full,
 * then more columns, and what is left at the end shows the course of each line.
 */
#include <stdio.h>
#include <string.h>

#include "cli/top.h"

enum {
    HEAD_LINES = 4,
    OTHER_LINES = HEAD_LINES + 2, /* with the table's head and the last line */
    TITLE_LEAST = 16,
    NAME_MOST = 48,
    TREND_LEAST = 12,
    CHART_MOST = 60 /* of the last minute, by default */
};

struct column_look {
    const char *rate, *total; /* its title */
    size_t width;             /* with the blank before it */
    enum text_side side;
};

static const struct column_look looks[COLUMNS] = {
    [COLUMN_KEY] = {"PATTERN", "PATTERN", 0, TEXT_LEFT},
    [COLUMN_OPERATIONS] = {"OPS/S", "OPS", 6, TEXT_RIGHT},
    [COLUMN_READS] = {"READ", "READ", 6, TEXT_RIGHT},
    [COLUMN_WRITES] = {"WRITE", "WRITE", 6, TEXT_RIGHT},
    [COLUMN_HIT_RATE] = {"HIT%", "HIT%", 6, TEXT_RIGHT},
    [COLUMN_KEYS] = {"KEYS", "KEYS", 6, TEXT_RIGHT},
    [COLUMN_BYTES] = {"BYTES", "BYTES", 6, TEXT_RIGHT},
    [COLUMN_SIZE] = {"SIZE", "SIZE", 6, TEXT_RIGHT},
    [COLUMN_EXPIRED] = {"EXPIR", "EXPIR", 6, TEXT_RIGHT},
    [COLUMN_EVICTED] = {"EVICT", "EVICT", 6, TEXT_RIGHT},
    [COLUMN_PURGED] = {"PURGE", "PURGE", 6, TEXT_RIGHT},
    [COLUMN_VIOLATIONS] = {"VIOL", "VIOL", 6, TEXT_RIGHT},
    [COLUMN_TYPE] = {"TYPE", "TYPE", 8, TEXT_LEFT},
    [COLUMN_NAME] = {"NAME", "NAME", 0, TEXT_LEFT},
    [COLUMN_TREND] = {"", "", 0, TEXT_LEFT},
};

struct layout {
    size_t widths[COLUMNS]; /* 0: not shown */
};

/* ---- the head ---- */

static const char *mark(const struct page *page, const char *utf8, const char *ascii) {
    return page->utf8 ? utf8 : ascii;
}

static void head_figure(struct page *page, const char *label, enum style style, const char *text) {
    page_put(page, STYLE_FAINT, label);
    page_fit(page, style, bytes_from_string(text), 6, TEXT_RIGHT);
}

static void head_title(struct page *page, const struct screen_state *state) {
    const struct reading_head *head = &state->board->now->head;
    const char *dot = mark(page, " \u00b7 ", ", ");
    char right[256], text[FIGURE_TEXT_MAX];
    snprintf(right, sizeof right, "Keynome %s%sup %s%s%lld client%s ", head->version, dot,
             figure_duration(head->uptime_s, text), dot, (long long)head->clients,
             head->clients == 1 ? "" : "s");
    size_t width = text_columns(bytes_from_string(right), page->utf8);
    page_put(page, STYLE_TITLE, " keynome top  ");
    size_t room = page_left(page) > width + 1 ? page_left(page) - width - 1 : page_left(page);
    page_fit(page, STYLE_TITLE, bytes_from_string(state->top->where), room, TEXT_LEFT);
    page_blank(page, STYLE_TITLE, 1);
    page_put(page, STYLE_TITLE, right);
    page_blank(page, STYLE_TITLE, page_left(page));
    page_line(page);
}

static enum style hit_style(double share) {
    return share < 0      ? STYLE_FAINT
           : share >= 0.9 ? STYLE_GOOD
           : share >= 0.5 ? STYLE_WARNING
                          : STYLE_BAD;
}

enum { HEAD_LEFT = 16, HEAD_RIGHT = 51, HEAD_CHART_LEAST = 4 };

/* Columns of the charts in the head. */
static size_t chart_columns(const struct page *page) {
    if (page->columns < HEAD_LEFT + HEAD_RIGHT + HEAD_CHART_LEAST) return 0;
    size_t left = page->columns - HEAD_LEFT - HEAD_RIGHT;
    return left < CHART_MOST ? left : CHART_MOST;
}

static void head_operations(struct page *page, const struct board *board) {
    char text[FIGURE_TEXT_MAX], share[FIGURE_TEXT_MAX + 1];
    head_figure(page, " ops/s  ", STYLE_STRONG, figure_short(board->commands_s, text));
    page_blank(page, STYLE_PLAIN, 2);
    page_sparkline(page, STYLE_CHART, board->course.values, board->course.count,
                   chart_columns(page));
    snprintf(share, sizeof share, "%s%s", figure_percent(board->hit_share, text),
             board->hit_share < 0 ? "" : "%");
    head_figure(page, "  hit rate", hit_style(board->hit_share), share);
    head_figure(page, "  reads/s ", STYLE_PLAIN, figure_short(board->reads_s, text));
    head_figure(page, "  writes/s ", STYLE_PLAIN, figure_short(board->writes_s, text));
    page_line(page);
}

static void head_memory(struct page *page, const struct board *board) {
    const struct reading_head *head = &board->now->head;
    char text[FIGURE_TEXT_MAX], limit[FIGURE_TEXT_MAX + 8];
    size_t columns = chart_columns(page), bar = columns > 9 ? columns - 9 : 0;
    double share = 0;
    if (head->memory_limit_bytes > 0)
        share = (double)head->memory_bytes / (double)head->memory_limit_bytes;
    head_figure(page, " memory ", STYLE_STRONG, figure_bytes((double)head->memory_bytes, text));
    page_blank(page, STYLE_PLAIN, 2);
    if (head->memory_limit_bytes > 0) {
        snprintf(limit, sizeof limit, " of %s",
                 figure_bytes((double)head->memory_limit_bytes, text));
        page_bar(page,
                 share >= 0.95  ? STYLE_BAD
                 : share >= 0.8 ? STYLE_WARNING
                                : STYLE_CHART,
                 share, bar);
        page_fit(page, STYLE_FAINT, bytes_from_string(limit), columns - bar, TEXT_LEFT);
    } else {
        page_fit(page, STYLE_FAINT, BYTES("no limit"), columns, TEXT_LEFT);
    }
    head_figure(page, "  keys    ", STYLE_PLAIN, figure_short((double)board->keys, text));
    head_figure(page, "  expired ", STYLE_PLAIN, figure_short(board->expired_s, text));
    head_figure(page, "  evicted  ", board->evicted_s > 0 ? STYLE_WARNING : STYLE_PLAIN,
                figure_short(board->evicted_s, text));
    page_line(page);
}

static void head_trouble(struct page *page, const struct screen_state *state) {
    char text[FIGURE_TEXT_MAX];
    const char *why = state->trouble, *where = state->top->where;
    size_t len = strlen(where);
    page_put(page, STYLE_BAD, state->lost ? " NO ANSWER " : " NO FIGURES ");
    page_printf(page, STYLE_BAD,
                "for %s, trying again: ", figure_duration(state->trouble_since_s, text));
    if (strncmp(why, where, len) == 0) { /* the title says where */
        why += len;
        while (*why == ':' || *why == ' ') why++;
    }
    page_put(page, STYLE_WARNING, why);
}

static void head_status(struct page *page, const struct screen_state *state,
                        const struct table *table) {
    const struct board *board = state->board;
    const struct view *view = &state->top->view;
    if (state->trouble) {
        head_trouble(page, state);
        page_line(page);
        return;
    }
    if (state->paused) {
        page_put(page, STYLE_PLAIN, " ");
        page_put(page, STYLE_CHOSEN, " PAUSED ");
    }
    if (table && table->count < board->count)
        page_printf(page, STYLE_FAINT, " %zu of %zu patterns", table->count, board->count);
    else
        page_printf(page, STYLE_FAINT, " %zu pattern%s", board->count,
                    board->count == 1 ? "" : "s");
    if (view->filter[0]) {
        page_put(page, STYLE_FAINT, " with ");
        page_put(page, STYLE_WARNING, view->filter);
    }
    const char *dot = mark(page, " \u00b7 ", ", ");
    page_put(page, STYLE_FAINT, dot);
    page_put(page, STYLE_FAINT, view->totals ? "counted since the start" : "per second");
    page_put(page, STYLE_FAINT, dot);
    page_printf(page, STYLE_FAINT, "by %s", column_words[view->sort]); /* it may not be shown */
    page_put(page, STYLE_FAINT, dot);
    page_printf(page, STYLE_FAINT, "every %g s", state->top->interval_ms / 1000.0);
    if (board->violations > 0)
        page_printf(page, STYLE_WARNING, "  %lld violation%s", (long long)board->violations,
                    board->violations == 1 ? "" : "s");
    page_line(page);
}

static void head_lines(struct page *page, const struct screen_state *state,
                       const struct table *table) {
    head_title(page, state);
    head_operations(page, state->board);
    head_memory(page, state->board);
    head_status(page, state, table);
}

size_t page_head(struct page *page, const struct screen_state *state) {
    head_lines(page, state, NULL);
    return HEAD_LINES;
}

/* ---- the table ---- */

size_t table_height(size_t height) {
    return height > OTHER_LINES ? height - OTHER_LINES : 1;
}

static size_t widest(const struct page *page, const struct table *table, bool names) {
    size_t most = strlen("PATTERN");
    for (size_t i = 0; i < table->count; i++) {
        size_t columns =
            text_columns(bytes_from_string(board_title(table->lines[i], names)), page->utf8);
        if (columns > most) most = columns;
    }
    return most;
}

/* Takes room for a column if there is as much left. */
static size_t grant(struct layout *layout, enum column column, size_t width, size_t *left) {
    if (width == 0 || *left < width) return 0;
    *left -= width;
    return layout->widths[column] = width;
}

static void layout_make(const struct page *page, const struct view *view, const struct table *table,
                        struct layout *ret_layout) {
    static const enum column core[] = {COLUMN_OPERATIONS, COLUMN_KEYS,    COLUMN_BYTES,
                                       COLUMN_HIT_RATE,   COLUMN_READS,   COLUMN_WRITES,
                                       COLUMN_VIOLATIONS, COLUMN_EVICTED, COLUMN_EXPIRED};
    static const enum column more[] = {COLUMN_TYPE, COLUMN_SIZE, COLUMN_PURGED};
    struct layout *layout = ret_layout;
    *layout = (struct layout){0};
    size_t wanted = widest(page, table, view->names), left = page->columns;
    size_t title = TITLE_LEAST + 1 < left ? TITLE_LEAST + 1 : left;
    left -= title; /* with a blank before it */
    for (size_t i = 0; i < sizeof core / sizeof *core; i++)
        grant(layout, core[i], looks[core[i]].width, &left);
    while (title < wanted + 1 && left > 0) title++, left--;
    layout->widths[COLUMN_KEY] = title;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        grant(layout, more[i], looks[more[i]].width, &left);
    size_t name = widest(page, table, !view->names) + 2;
    if (name > NAME_MOST) name = NAME_MOST;
    if (left >= name + TREND_LEAST + 2) grant(layout, COLUMN_NAME, name, &left);
    if (left >= TREND_LEAST + 2)
        grant(layout, COLUMN_TREND, left > CHART_MOST + 2 ? (size_t)CHART_MOST + 2 : left, &left);
}

/* From left to right. */
static const enum column order[COLUMNS] = {
    COLUMN_KEY,     COLUMN_NAME,     COLUMN_TYPE,   COLUMN_OPERATIONS, COLUMN_READS,
    COLUMN_WRITES,  COLUMN_HIT_RATE, COLUMN_KEYS,   COLUMN_BYTES,      COLUMN_SIZE,
    COLUMN_EXPIRED, COLUMN_EVICTED,  COLUMN_PURGED, COLUMN_VIOLATIONS, COLUMN_TREND};

static void table_head(struct page *page, const struct view *view, const struct layout *layout) {
    for (size_t i = 0; i < COLUMNS; i++) {
        enum column column = order[i];
        const struct column_look *look = &looks[column];
        size_t width = layout->widths[column];
        char title[32];
        if (width == 0) continue;
        bool sorted = column == view->sort;
        bool falls = (column == COLUMN_KEY) == view->reverse;
        snprintf(title, sizeof title, "%s%s",
                 sorted ? falls ? mark(page, "\u25bc", "v") : mark(page, "\u25b2", "^") : "",
                 column == COLUMN_KEY && view->names    ? "NAME"
                 : column == COLUMN_NAME && view->names ? "PATTERN"
                 : view->totals                         ? look->total
                                                        : look->rate);
        enum style style = sorted ? STYLE_SORTED : STYLE_HEAD;
        if (look->side == TEXT_LEFT) {
            /* The mark stands in the blank before the title. */
            size_t indent = sorted || width < 2 ? 0 : column == COLUMN_KEY ? 1 : 2;
            page_blank(page, STYLE_HEAD, indent);
            page_fit(page, style, bytes_from_string(title), width - indent, TEXT_LEFT);
        } else {
            page_fit(page, style, bytes_from_string(title), width, TEXT_RIGHT);
        }
    }
    page_blank(page, STYLE_HEAD, page_left(page));
    page_line(page);
}

static enum style cell_style(const struct board_row *row, enum column column, double value) {
    if (value <= 0 && column != COLUMN_HIT_RATE) return STYLE_FAINT;
    switch (column) {
    case COLUMN_OPERATIONS: return STYLE_STRONG;
    case COLUMN_HIT_RATE: return hit_style(value);
    case COLUMN_EVICTED: return STYLE_WARNING;
    case COLUMN_VIOLATIONS:
        return row->known && row->violations_new > 0 ? STYLE_BAD : STYLE_WARNING;
    default: return STYLE_PLAIN;
    }
}

static void table_cell(struct page *page, const struct view *view, const struct board_row *row,
                       enum column column, size_t width) {
    char text[FIGURE_TEXT_MAX];
    switch (column) {
    case COLUMN_KEY:
    case COLUMN_NAME:
        page_blank(page, STYLE_PLAIN, column == COLUMN_KEY ? 1 : 2);
        width -= column == COLUMN_KEY ? 1 : 2;
        page_fit(page, column == COLUMN_NAME ? STYLE_FAINT : STYLE_PLAIN,
                 bytes_from_string(board_title(row, view->names == (column == COLUMN_KEY))), width,
                 TEXT_LEFT);
        return;
    case COLUMN_TYPE:
        page_blank(page, STYLE_PLAIN, 2);
        page_fit(page, STYLE_PLAIN, bytes_from_string(row->type ? row->type : ""), width - 2,
                 TEXT_LEFT);
        return;
    case COLUMN_TREND:
        page_blank(page, STYLE_PLAIN, 2);
        page_sparkline(page, STYLE_CHART, row->course->values, row->course->count, width - 2);
        return;
    default: break;
    }
    double value = board_value(row, column, view->totals);
    const char *figure = column == COLUMN_HIT_RATE ? figure_percent(value, text)
                         : column == COLUMN_BYTES || column == COLUMN_SIZE
                             ? figure_bytes(value, text)
                             : figure_short(value, text);
    page_fit(page, cell_style(row, column, value), bytes_from_string(figure), width, TEXT_RIGHT);
}

void page_table(struct page *page, const struct screen_state *state, const struct table *table) {
    const struct view *view = &state->top->view;
    size_t last = table->first + table_height(state->height);
    struct layout layout;
    layout_make(page, view, table, &layout);
    head_lines(page, state, table);
    table_head(page, view, &layout);
    for (size_t i = table->first; i < last && i < table->count; i++) {
        page->over = i == table->chosen ? STYLE_CHOSEN : STYLE_PLAIN;
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t width = layout.widths[order[j]];
            if (width) table_cell(page, view, table->lines[i], order[j], width);
        }
        page_blank(page, STYLE_PLAIN, page->over == STYLE_PLAIN ? 0 : page_left(page));
        page->over = STYLE_PLAIN;
        page_line(page);
    }
    if (table->count == 0) {
        page_put(page, STYLE_FAINT,
                 view->filter[0] ? " No pattern has this in it. Esc shows all again."
                                 : " The catalog has no pattern of keys.");
        page_line(page);
    }
}

/* ---- the last line ---- */

static void foot_key(struct page *page, const char *key, const char *text) {
    if (page_left(page) < strlen(text) + 4) return;
    page_printf(page, STYLE_KEY, " %s ", key);
    page_put(page, STYLE_KEY_TEXT, text);
    page_put(page, STYLE_KEY_TEXT, " ");
}

void page_foot(struct page *page, const struct screen_state *state) {
    if (state->typing) {
        page_put(page, STYLE_KEY, " Filter: ");
        page_put(page, STYLE_KEY_TEXT, state->top->view.filter);
        page_put(page, STYLE_SORTED, " ");
        foot_key(page, "Enter", "keep");
        foot_key(page, "Esc", "drop");
    } else if (state->inside) {
        foot_key(page, "Esc", "Back");
        foot_key(page, mark(page, "\u2191\u2193", "jk"), "Scroll");
        foot_key(page, "p", state->paused ? "Go on" : "Pause");
        foot_key(page, "?", "Help");
        foot_key(page, "q", "Quit");
    } else {
        foot_key(page, "?", "Help");
        foot_key(page, "/", "Filter");
        foot_key(page, "<>", "Sort");
        foot_key(page, "i", "Invert");
        foot_key(page, "Enter", "Detail");
        foot_key(page, "p", state->paused ? "Go on" : "Pause");
        foot_key(page, "c", state->top->view.totals ? "Rates" : "Totals");
        foot_key(page, "q", "Quit");
        foot_key(page, "t", state->top->view.names ? "Templates" : "Names");
        foot_key(page, "+-", "Interval");
    }
    page_blank(page, STYLE_KEY_TEXT, page_left(page));
}
