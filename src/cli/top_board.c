/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/top_board.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "catalog/words.h"

const char *const column_words[COLUMNS_SORTABLE] = {
    [COLUMN_KEY] = "pattern",       [COLUMN_OPERATIONS] = "ops",
    [COLUMN_READS] = "reads",       [COLUMN_WRITES] = "writes",
    [COLUMN_HIT_RATE] = "hit-rate", [COLUMN_KEYS] = "keys",
    [COLUMN_BYTES] = "bytes",       [COLUMN_SIZE] = "size",
    [COLUMN_EXPIRED] = "expired",   [COLUMN_EVICTED] = "evicted",
    [COLUMN_PURGED] = "purged",     [COLUMN_VIOLATIONS] = "violations",
};

/* ---- taking readings ---- */

static void course_add(struct course *course, double value) {
    if (course->count == BOARD_HISTORY) {
        memmove(course->values, course->values + 1, (BOARD_HISTORY - 1) * sizeof *course->values);
        course->count--;
    }
    course->values[course->count++] = (float)value;
}

static int compare_identity(const struct reading_row *a, const struct reading_row *b) {
    int order = strcmp(a->catalog, b->catalog);
    return order ? order : strcmp(a->pattern, b->pattern);
}

static int compare_rows(const void *a, const void *b) {
    const struct board_row *const *one = a, *const *other = b;
    return compare_identity((*one)->now, (*other)->now);
}

/* The lines before, found by name; in most cases where they were. */
struct before {
    struct board_row *rows;
    size_t count;
    struct board_row **sorted; /* made when it is first needed */
};

static struct board_row *find_before(struct before *before, const struct reading_row *row,
                                     size_t place) {
    struct board_row wanted = {.now = row}, *key = &wanted;
    if (place < before->count && compare_identity(before->rows[place].now, row) == 0)
        return &before->rows[place];
    if (before->count == 0) return NULL;
    if (!before->sorted) {
        before->sorted = mem_alloc(before->count * sizeof(struct board_row *));
        for (size_t i = 0; i < before->count; i++) before->sorted[i] = &before->rows[i];
        qsort(before->sorted, before->count, sizeof(struct board_row *), compare_rows);
    }
    struct board_row **found =
        bsearch(&key, before->sorted, before->count, sizeof(struct board_row *), compare_rows);
    return found ? *found : NULL;
}

static bool is_level(enum figure figure) {
    return figure == FIGURE_KEYS || figure == FIGURE_BYTES;
}

/* Compares a line with what it was; false when it cannot be its continuation. */
static bool row_compare(struct board_row *row, const struct reading_row *then, double elapsed_s) {
    for (unsigned i = 0; i < FIGURES; i++) {
        double change = (double)row->now->figures[i] - (double)then->figures[i];
        if (change < 0 && !is_level((enum figure)i)) return false;
        row->rates[i] = change / elapsed_s;
    }
    row->violations_new = row->now->figures[FIGURE_VIOLATIONS] - then->figures[FIGURE_VIOLATIONS];
    return true;
}

static void row_take(struct board *board, struct board_row *row, struct board_row *then) {
    if (then) {
        row->course = then->course;
        then->course = NULL;
        if (strcmp(then->now->key, row->now->key) == 0) {
            row->type = then->type;
            then->type = NULL;
        }
        row->known = board->known && row_compare(row, then->now, board->elapsed_s);
    }
    if (!row->known) memset(row->rates, 0, sizeof row->rates);
    row->operations_s =
        row->known ? row->rates[FIGURE_READS] + row->rates[FIGURE_WRITES] : row->now->operations_s;
    if (!row->course) row->course = mem_zalloc(sizeof *row->course);
    course_add(row->course, row->operations_s);
    board->keys += row->now->figures[FIGURE_KEYS];
    board->violations += row->now->figures[FIGURE_VIOLATIONS];
    board->reads_s += row->rates[FIGURE_READS];
    board->writes_s += row->rates[FIGURE_WRITES];
}

/* The server as a whole. then: NULL for the first. */
static void head_take(struct board *board, const struct reading *then) {
    const struct reading_head *now = &board->now->head, *old = then ? &then->head : NULL;
    int64_t hits = now->hits, misses = now->misses;
    board->known = old && board->now->at_us > then->at_us &&
                   strcmp(old->run_id, now->run_id) == 0 && now->commands >= old->commands;
    board->elapsed_s = board->known ? (double)(board->now->at_us - then->at_us) / 1e6 : 0;
    board->commands_s = (double)now->operations_s;
    board->expired_s = board->evicted_s = 0;
    if (board->known) {
        board->commands_s = (double)(now->commands - old->commands) / board->elapsed_s;
        board->expired_s = (double)(now->expired - old->expired) / board->elapsed_s;
        board->evicted_s = (double)(now->evicted - old->evicted) / board->elapsed_s;
        hits -= old->hits;
        misses -= old->misses;
    }
    board->hit_share =
        hits >= 0 && misses >= 0 && hits + misses > 0 ? (double)hits / (double)(hits + misses) : -1;
    course_add(&board->course, board->commands_s);
}

static void rows_free(struct board_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        mem_free(rows[i].course);
        mem_free(rows[i].type);
    }
    mem_free(rows);
}

void board_take(struct board *board, struct reading *reading) {
    struct reading *then = board->now;
    struct before before = {.rows = board->rows, .count = board->count};
    board->now = reading;
    board->count = reading->count;
    board->rows = mem_zalloc((reading->count ? reading->count : 1) * sizeof *board->rows);
    board->keys = board->violations = 0;
    board->reads_s = board->writes_s = 0;
    head_take(board, then);
    for (size_t i = 0; i < reading->count; i++) {
        board->rows[i].now = &reading->rows[i];
        row_take(board, &board->rows[i], find_before(&before, &reading->rows[i], i));
    }
    rows_free(before.rows, before.count);
    mem_free(before.sorted);
    reading_free(then);
}

void board_done(struct board *board) {
    rows_free(board->rows, board->count);
    reading_free(board->now);
    *board = (struct board){0};
}

bool board_wants_types(const struct board *board) {
    for (size_t i = 0; i < board->count; i++)
        if (!board->rows[i].type && board->rows[i].now->key[0]) return true;
    return false;
}

static void learn_type(struct board_row *row, struct bytes type) {
    size_t len = type.len ? strnlen(type.data, type.len) : 0;
    mem_free(row->type);
    row->type = mem_alloc(len + 1);
    if (len) memcpy(row->type, type.data, len);
    row->type[len] = '\0';
}

/* Both replies list patterns in one order; channels, which the statistics lack, are passed over. */
void board_learn_types(struct board *board, const struct redisReply *described) {
    size_t at = 0;
    for (size_t i = 0; i < board->count; i++) {
        struct board_row *row = &board->rows[i];
        struct bytes type = BYTES("");
        if (!row->now->key[0]) continue;
        for (size_t j = at; described && j < described->elements; j++) {
            const struct redisReply *line = described->element[j];
            if (!bytes_equal(reply_bytes(reply_field(line, "pattern")),
                             bytes_from_string(row->now->pattern)) ||
                !bytes_equal(reply_bytes(reply_field(line, "catalog")),
                             bytes_from_string(row->now->catalog)))
                continue;
            type = reply_bytes(reply_field(line, "type"));
            at = j + 1;
            break;
        }
        learn_type(row, type);
    }
}

/* ---- lines ---- */

static double share(double part, double rest) {
    return part + rest > 0 ? part / (part + rest) : -1;
}

static double rate_or_total(const struct board_row *row, enum figure figure, bool totals) {
    if (totals) return (double)row->now->figures[figure];
    return row->known ? row->rates[figure] : -1;
}

double board_value(const struct board_row *row, enum column column, bool totals) {
    const int64_t *figures = row->now->figures;
    switch (column) {
    case COLUMN_OPERATIONS:
        return totals ? (double)figures[FIGURE_READS] + (double)figures[FIGURE_WRITES]
                      : row->operations_s;
    case COLUMN_READS: return rate_or_total(row, FIGURE_READS, totals);
    case COLUMN_WRITES: return rate_or_total(row, FIGURE_WRITES, totals);
    case COLUMN_HIT_RATE:
        if (totals) return share((double)figures[FIGURE_HITS], (double)figures[FIGURE_MISSES]);
        return row->known ? share(row->rates[FIGURE_HITS], row->rates[FIGURE_MISSES]) : -1;
    case COLUMN_KEYS: return (double)figures[FIGURE_KEYS];
    case COLUMN_BYTES: return (double)figures[FIGURE_BYTES];
    case COLUMN_SIZE:
        return figures[FIGURE_KEYS] > 0
                   ? (double)figures[FIGURE_BYTES] / (double)figures[FIGURE_KEYS]
                   : -1;
    case COLUMN_EXPIRED: return rate_or_total(row, FIGURE_EXPIRED, totals);
    case COLUMN_EVICTED: return rate_or_total(row, FIGURE_EVICTED, totals);
    case COLUMN_PURGED: return rate_or_total(row, FIGURE_PURGED, totals);
    case COLUMN_VIOLATIONS: /* rare, so that how many there were says more than how many a second */
        return (double)figures[FIGURE_VIOLATIONS];
    default: return -1;
    }
}

const char *board_title(const struct board_row *row, bool names) {
    return names || !row->now->key[0] ? row->now->pattern : row->now->key;
}

static bool passes(const struct board_row *row, const char *lower) {
    const char *const texts[] = {row->now->key, row->now->pattern, row->now->catalog, row->type};
    if (*lower == '\0') return true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!texts[i]) continue;
        struct bytes text = bytes_from_string(texts[i]);
        if (words_find(text, lower) < text.len) return true;
    }
    return false;
}

/* Lines alike in the column stand by title; those without a value stand
 * last, in either direction. */
static int compare_lines(const void *a, const void *b, void *context) {
    const struct board_row *one = *(const struct board_row *const *)a;
    const struct board_row *other = *(const struct board_row *const *)b;
    const struct view *view = context;
    int order = 0;
    if (view->sort != COLUMN_KEY) {
        double x = board_value(one, view->sort, view->totals);
        double y = board_value(other, view->sort, view->totals);
        if ((x < 0) != (y < 0)) return x < 0 ? 1 : -1;
        order = x > y ? -1 : x < y;
        if (order) return view->reverse ? -order : order;
    }
    order = strcmp(board_title(one, view->names), board_title(other, view->names));
    if (order == 0) order = compare_identity(one->now, other->now);
    return view->sort == COLUMN_KEY && view->reverse ? -order : order;
}

size_t board_lines(const struct board *board, const struct view *view,
                   const struct board_row **ret_lines) {
    char lower[FILTER_MAX];
    size_t count = 0, len = strnlen(view->filter, FILTER_MAX - 1);
    kn_assert(view->sort < COLUMNS_SORTABLE);
    for (size_t i = 0; i < len; i++) lower[i] = word_lower(view->filter[i]);
    lower[len] = '\0';
    for (size_t i = 0; i < board->count; i++)
        if (passes(&board->rows[i], lower)) ret_lines[count++] = &board->rows[i];
    qsort_r(ret_lines, count, sizeof *ret_lines, compare_lines, (void *)(uintptr_t)view);
    return count;
}
