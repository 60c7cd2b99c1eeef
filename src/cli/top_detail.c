/* SPDX-License-Identifier: BSD-3-Clause */
/* One pattern: what the catalog asks, what was counted, how its keys are spread, what was
 * done against it. And help. */
#include <stdio.h>
#include <time.h>

#include "catalog/lifetime.h"
#include "cli/top.h"

enum { LABEL_COLUMNS = 12 };

/* ---- what is asked ---- */

/* Parts of a line with dots between; a part that does not fit begins a new line under the first. */
struct facts {
    struct page *page;
    const char *label;
    bool any;
};

static struct facts facts_start(struct page *page, const char *label) {
    return (struct facts){.page = page, .label = label};
}

static void fact(struct facts *facts, const char *name, struct bytes value) {
    struct page *page = facts->page;
    if (value.len == 0) return;
    size_t wanted = strlen(name) + text_columns(value, page->utf8) + 4;
    if (facts->any && wanted > page_left(page)) {
        page_line(page);
        page_blank(page, STYLE_PLAIN, LABEL_COLUMNS);
    } else if (facts->any) {
        page_put(page, STYLE_FAINT, page->utf8 ? " \u00b7 " : ", ");
    } else {
        page_blank(page, STYLE_PLAIN, 1);
        page_fit(page, STYLE_FAINT, bytes_from_string(facts->label), LABEL_COLUMNS - 1, TEXT_LEFT);
    }
    facts->any = true;
    if (*name) {
        page_put(page, STYLE_FAINT, name);
        page_blank(page, STYLE_PLAIN, 1);
    }
    page_put_bytes(page, STYLE_PLAIN, value);
}

static void fact_text(struct facts *facts, const char *name, const char *value) {
    fact(facts, name, bytes_from_string(value));
}

static void fact_unless(struct facts *facts, const char *name, struct bytes value,
                        const char *usual) {
    if (!bytes_equal(value, bytes_from_string(usual))) fact(facts, name, value);
}

static void fact_limit(struct facts *facts, const char *name, const struct redisReply *reply,
                       const char *unit) {
    char text[FIGURE_TEXT_MAX], words[2 * FIGURE_TEXT_MAX];
    int64_t most = reply_number(reply);
    if (most <= 0) return;
    snprintf(words, sizeof words, "at most %s%s", figure_exact(most, text), unit);
    fact_text(facts, name, words);
}

static void facts_end(struct facts *facts) {
    if (facts->any) page_line(facts->page);
}

static struct bytes field(const struct redisReply *map, const char *name) {
    return reply_bytes(reply_field(map, name));
}

static void describe_lifetime(struct facts *facts, const struct redisReply *lifetime) {
    char words[192] = "", duration[DURATION_TEXT_MAX];
    int64_t usual = reply_number(reply_field(lifetime, "default-ms"));
    int64_t most = reply_number(reply_field(lifetime, "maximum-ms"));
    bool required = reply_number(reply_field(lifetime, "required")) != 0;
    size_t len = 0;
    if (bytes_equal(field(lifetime, "kind"), BYTES("none"))) {
        fact_text(facts, "lifetime", "none");
    } else if (usual > 0 || most > 0 || required) {
        if (usual > 0)
            len += (size_t)snprintf(words, sizeof words, "%s", duration_format(usual, duration));
        if (most > 0)
            len += (size_t)snprintf(words + len, sizeof words - len, "%sat most %s",
                                    len ? ", " : "", duration_format(most, duration));
        if (required) snprintf(words + len, sizeof words - len, "%srequired", len ? ", " : "");
        fact_text(facts, "lifetime", words);
    } else if (field(lifetime, "note").len) {
        fact(facts, "lifetime", field(lifetime, "note"));
    }
    fact(facts, "after", field(lifetime, "after"));
    fact(facts, "renewed by", field(lifetime, "renewed"));
}

/* The texts of a list, or the pairs of a map, with commas between. */
static void fact_list(struct facts *facts, const char *name, const struct redisReply *list,
                      bool pairs) {
    struct buffer text;
    buffer_init(&text, 4096);
    for (size_t i = 0; list && list->element && i < list->elements; i++) {
        const struct redisReply *item = list->element[i];
        buffer_printf(&text, "%s", i == 0 ? "" : pairs && i % 2 ? " " : ", ");
        if (item->type == REDIS_REPLY_INTEGER)
            buffer_printf(&text, "%lld", item->integer);
        else
            buffer_add_bytes(&text, reply_bytes(item));
    }
    if (text.len) fact(facts, name, buffer_bytes(&text));
    buffer_done(&text);
}

static void describe_limits(struct page *page, const struct redisReply *described) {
    struct facts facts = facts_start(page, "Limits");
    fact_limit(&facts, "key", reply_field(described, "key-bytes-max"), " bytes");
    fact_limit(&facts, "value", reply_field(described, "value-bytes-max"), " bytes");
    fact_limit(&facts, "elements", reply_field(described, "elements-max"), "");
    fact_unless(&facts, "value is", field(described, "value"), "any");
    if (reply_number(reply_field(described, "fields-closed")))
        fact_text(&facts, "", "only the fields below");
    facts_end(&facts);
}

static void describe(struct page *page, const struct redisReply *described) {
    char place[320];
    if (!described || described->elements == 0) return;
    struct facts facts = facts_start(page, "Asked");
    fact(&facts, "", field(described, "type"));
    describe_lifetime(&facts, reply_field(described, "lifetime"));
    fact_unless(&facts, "eviction", field(described, "eviction"), "unstated");
    fact(&facts, "mode", field(described, "mode"));
    fact_list(&facts, "database", reply_field(described, "databases"), false);
    facts_end(&facts);
    describe_limits(page, described);
    facts = facts_start(page, "Fields");
    fact_list(&facts, "", reply_field(described, "fields"), true);
    facts_end(&facts);
    facts = facts_start(page, "Also called");
    fact_list(&facts, "", reply_field(described, "aliases"), false);
    facts_end(&facts);
    facts = facts_start(page, "Example");
    fact_list(&facts, "", reply_field(described, "examples"), false);
    facts_end(&facts);
    facts = facts_start(page, "From");
    struct bytes file = field(described, "file");
    if (file.len) {
        snprintf(place, sizeof place, "%.*s:%lld", (int)(file.len < 256 ? file.len : 256),
                 file.data, (long long)reply_number(reply_field(described, "line")));
        fact_text(&facts, "", place);
    }
    fact(&facts, "owner", field(described, "owner"));
    fact(&facts, "tenant", field(described, "tenant"));
    fact_list(&facts, "guessed:", reply_field(described, "guessed"), false);
    facts_end(&facts);
}

/* ---- what was counted ---- */

static void counted_line(struct page *page, const char *label, const struct board_row *row,
                         bool totals, const enum column *columns, size_t count) {
    char text[FIGURE_TEXT_MAX];
    page_blank(page, STYLE_PLAIN, 1);
    page_fit(page, STYLE_FAINT, bytes_from_string(label), LABEL_COLUMNS - 1, TEXT_LEFT);
    for (size_t i = 0; i < count; i++) {
        double value = board_value(row, columns[i], totals);
        if (columns[i] == COLUMN_VIOLATIONS && !totals)
            value = row->known ? row->rates[FIGURE_VIOLATIONS] : -1;
        bool alarm = value > 0 && (columns[i] == COLUMN_VIOLATIONS || columns[i] == COLUMN_EVICTED);
        enum style style = alarm ? STYLE_WARNING : value > 0 ? STYLE_PLAIN : STYLE_FAINT;
        page_fit(page, style,
                 bytes_from_string(columns[i] == COLUMN_HIT_RATE ? figure_percent(value, text)
                                                                 : figure_short(value, text)),
                 8, TEXT_RIGHT);
    }
    page_line(page);
}

static void counted(struct page *page, const struct board_row *row,
                    const struct redisReply *counts) {
    static const enum column columns[] = {COLUMN_OPERATIONS, COLUMN_READS,     COLUMN_HIT_RATE,
                                          COLUMN_WRITES,     COLUMN_EXPIRED,   COLUMN_EVICTED,
                                          COLUMN_PURGED,     COLUMN_VIOLATIONS};
    static const char *const titles[] = {"ops",     "reads",   "hit%",   "writes",
                                         "expired", "evicted", "purged", "against"};
    enum { COUNT = sizeof columns / sizeof *columns };
    char text[FIGURE_TEXT_MAX];
    page_line(page);
    page_blank(page, STYLE_FAINT, LABEL_COLUMNS);
    for (size_t i = 0; i < COUNT; i++)
        page_fit(page, STYLE_FAINT, bytes_from_string(titles[i]), 8, TEXT_RIGHT);
    page_line(page);
    counted_line(page, "Per second", row, false, columns, COUNT);
    counted_line(page, "In all", row, true, columns, COUNT);
    int64_t keys = row->now->figures[FIGURE_KEYS];
    struct facts facts = facts_start(page, "Now");
    fact_text(&facts, "keys", figure_exact(keys, text));
    fact_text(&facts, "bytes", figure_exact(row->now->figures[FIGURE_BYTES], text));
    if (keys > 0)
        fact_text(&facts, "a key takes", figure_bytes(board_value(row, COLUMN_SIZE, true), text));
    const struct redisReply *expiring = reply_field(counts, "keys-with-lifetime");
    if (expiring) fact_text(&facts, "with a lifetime", figure_exact(reply_number(expiring), text));
    facts_end(&facts);
    page_blank(page, STYLE_PLAIN, 1);
    page_fit(page, STYLE_FAINT, BYTES("Ops/s"), LABEL_COLUMNS - 1, TEXT_LEFT);
    page_sparkline(page, STYLE_CHART, row->course->values, row->course->count, BOARD_HISTORY);
    page_line(page);
}

/* ---- how keys are spread ---- */

enum { CHARTS = 3, CHART_LABEL = 8, CHART_FIGURE = 6, CHART_GAP = 2 };

static const char *bound_elements(double bound, char *text) {
    return figure_short(bound, text);
}

static const char *bound_idle(double bound, char *text) {
    return figure_duration((int64_t)bound, text);
}

struct chart {
    const char *title, *field;
    const char *(*bound)(double bound, char *text);
    const struct redisReply *classes;
    double most;
};

static size_t chart_classes(const struct chart *chart) {
    return chart->classes && chart->classes->element ? chart->classes->elements / 2 : 0;
}

static void chart_line(struct page *page, const struct chart *chart, size_t i, size_t columns) {
    char label[2 * FIGURE_TEXT_MAX], text[FIGURE_TEXT_MAX];
    size_t bar = columns - CHART_LABEL - CHART_FIGURE - CHART_GAP - 1;
    if (i >= chart_classes(chart)) {
        page_blank(page, STYLE_PLAIN, columns);
        return;
    }
    const struct redisReply *bound = chart->classes->element[2 * i];
    double count = reply_fraction(chart->classes->element[2 * i + 1]);
    if (bytes_equal(reply_bytes(bound), BYTES("more")))
        snprintf(label, sizeof label, "more");
    else
        snprintf(label, sizeof label, "%s%s",
                 page->utf8 ? "\u2264 " : "<=", chart->bound(reply_fraction(bound), text));
    page_fit(page, STYLE_FAINT, bytes_from_string(label), CHART_LABEL, TEXT_RIGHT);
    page_fit(page, STYLE_PLAIN, bytes_from_string(figure_short(count, text)), CHART_FIGURE,
             TEXT_RIGHT);
    page_blank(page, STYLE_PLAIN, 1);
    page_bar(page, STYLE_CHART, chart->most > 0 ? count / chart->most : 0, bar);
    page_blank(page, STYLE_PLAIN, CHART_GAP);
}

static void spread(struct page *page, const struct redisReply *counts) {
    struct chart charts[CHARTS] = {
        {"Elements of a key", "elements", bound_elements, NULL, 0},
        {"Bytes of a key", "bytes-each", figure_bytes, NULL, 0},
        {"Not used for", "idle-seconds", bound_idle, NULL, 0},
    };
    enum { COLUMNS_LEAST = CHART_LABEL + CHART_FIGURE + CHART_GAP + 5, COLUMNS_MOST = 44 };
    size_t lines = 0, columns = page->columns / CHARTS;
    if (columns > COLUMNS_MOST) columns = COLUMNS_MOST;
    if (columns < COLUMNS_LEAST) columns = COLUMNS_LEAST;
    for (size_t i = 0; i < CHARTS; i++) {
        struct chart *chart = &charts[i];
        chart->classes = reply_field(counts, chart->field);
        size_t classes = chart_classes(chart);
        if (classes > lines) lines = classes;
        for (size_t j = 0; j < classes; j++) {
            double count = reply_fraction(chart->classes->element[2 * j + 1]);
            if (count > chart->most) chart->most = count;
        }
    }
    if (lines == 0) return;
    page_line(page);
    for (size_t i = 0; i < CHARTS; i++) {
        page_blank(page, STYLE_PLAIN, 1);
        page_fit(page, STYLE_STRONG, bytes_from_string(charts[i].title), columns - 1, TEXT_LEFT);
    }
    page_line(page);
    for (size_t j = 0; j < lines; j++) {
        for (size_t i = 0; i < CHARTS; i++) chart_line(page, &charts[i], j, columns);
        page_line(page);
    }
}

/* ---- what was done against it ---- */

static void violation(struct page *page, const struct redisReply *reply, int64_t now_s) {
    char text[64];
    time_t at_s = (time_t)(reply_number(reply_field(reply, "time-ms")) / 1000);
    struct tm tm;
    if (!localtime_r(&at_s, &tm) ||
        strftime(text, sizeof text, now_s - at_s < 86400 && now_s >= at_s ? "%H:%M:%S" : "%Y-%m-%d",
                 &tm) == 0)
        text[0] = '\0';
    bool prevented = reply_number(reply_field(reply, "prevented")) != 0;
    page_blank(page, STYLE_PLAIN, 1);
    page_fit(page, STYLE_FAINT, bytes_from_string(text), 11, TEXT_LEFT);
    page_fit(page, STYLE_WARNING, field(reply, "kind"), 17, TEXT_LEFT);
    page_fit(page, prevented ? STYLE_GOOD : STYLE_FAINT,
             bytes_from_string(prevented ? "prevented" : "noted"), 10, TEXT_LEFT);
    page_fit(page, STYLE_PLAIN, field(reply, "command"), 10, TEXT_LEFT);
    snprintf(text, sizeof text, "db%lld #%lld",
             (long long)reply_number(reply_field(reply, "database")),
             (long long)reply_number(reply_field(reply, "client")));
    page_fit(page, STYLE_FAINT, bytes_from_string(text), 10, TEXT_LEFT);
    page_blank(page, STYLE_PLAIN, 1);
    struct bytes key = field(reply, "key");
    page_fit(page, STYLE_PLAIN, key, page_left(page), TEXT_LEFT);
    page_line(page);
}

static void violations(struct page *page, const struct redisReply *list, int64_t now_s) {
    if (!list || list->type == REDIS_REPLY_ERROR || list->elements == 0) return;
    page_line(page);
    page_put(page, STYLE_STRONG, " Last violations");
    page_line(page);
    for (size_t i = 0; i < list->elements; i++) violation(page, list->element[i], now_s);
}

/* ---- the page ---- */

static void say_error(struct page *page, const struct redisReply *reply) {
    if (!reply || reply->type != REDIS_REPLY_ERROR) return;
    page_blank(page, STYLE_PLAIN, 1);
    page_put_bytes(page, STYLE_BAD, reply_bytes(reply));
    page_line(page);
}

void page_detail(struct page *page, const struct board_row *row, const struct detail *detail,
                 int64_t now_s) {
    const struct reading_row *now = row->now;
    page_blank(page, STYLE_PLAIN, 1);
    page_put(page, STYLE_STRONG, board_title(row, false));
    if (now->catalog[0]) {
        page_put(page, STYLE_FAINT, "   ");
        page_put(page, STYLE_FAINT, now->catalog);
        page_put(page, STYLE_FAINT, "/");
        page_put(page, STYLE_FAINT, now->pattern);
    }
    page_line(page);
    if (!now->key[0]) {
        page_put(page, STYLE_FAINT, " Keys that match no pattern of the catalogs.");
        page_line(page);
    }
    if (detail) {
        struct bytes purpose = field(detail->described, "purpose");
        if (purpose.len) {
            page_blank(page, STYLE_PLAIN, 1);
            page_put_bytes(page, STYLE_PLAIN, purpose);
            page_line(page);
        }
        page_line(page);
        say_error(page, detail->described);
        describe(page, detail->described);
    }
    counted(page, row, detail ? detail->counted : NULL);
    if (!detail) return;
    say_error(page, detail->counted);
    spread(page, detail->counted);
    say_error(page, detail->violations);
    violations(page, detail->violations, now_s);
}

/* ---- help ---- */

void page_help(struct page *page) {
    static const struct {
        const char *keys, *what;
    } lines[] = {
        {"up down PgUp PgDn j k", "choose a pattern; Home, g: the first; End, G: the last"},
        {"Enter", "what is asked of it, what was counted, what was done"},
        {"", "against it; Esc: back"},
        {"/", "only patterns with a text in their template, name,"},
        {"", "catalog or type; Esc: all again"},
        {"< > left right", "sort by the next column; i: the other way round"},
        {"N O R W H K", "sort by pattern, Ops, Reads, Writes, Hit rate, Keys,"},
        {"B S X E P V", "Bytes, Size, eXpired, Evicted, Purged, Violations"},
        {"c", "figures per second, or counted since the start"},
        {"t", "patterns by their templates, or by their names"},
        {"p space", "pause, and go on"},
        {"+ -", "look less often, or more often"},
        {"q ctrl-C", "quit"},
    };
    static const char *const notes[] = {
        " OPS/S, READ, WRITE, HIT%, EXPIR, EVICT, PURGE: in the last interval. KEYS,",
        " BYTES: now. SIZE: bytes of one key. VIOL: since the start, red when new.",
    };
    page_put(page, STYLE_STRONG, " What can be pressed");
    page_line(page);
    page_line(page);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        page_blank(page, STYLE_PLAIN, 1);
        page_fit(page, STYLE_CHART, bytes_from_string(lines[i].keys), 23, TEXT_LEFT);
        page_put(page, STYLE_PLAIN, lines[i].what);
        page_line(page);
    }
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        page_put(page, STYLE_FAINT, notes[i]);
        page_line(page);
    }
}
