/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for a terminal. */
#include <stdio.h>

#include "base/memory.h"
#include "cli/audit.h"
#include "cli/report.h"
#include "cli/show.h"

enum { NAME_WIDTH = 44, COLUMN = 13, BUFFER_MAX = 1 << 20, IDLE_SHOWN = 12 };

struct paint {
    const char *bold, *dim, *error, *warning, *note, *plain;
};

static struct paint choose_paint(FILE *stream) {
    if (!report_colour(stream)) return (struct paint){"", "", "", "", "", ""};
    return (struct paint){"\033[1m",    "\033[2m",    "\033[1;31m",
                          "\033[1;35m", "\033[1;36m", "\033[0m"};
}

static void print_head(const struct audit *audit, FILE *stream, const struct paint *paint) {
    const struct survey *survey = audit->survey;
    char keys[SHOW_NUMBER_MAX], measured[SHOW_NUMBER_MAX], repeats[SHOW_NUMBER_MAX];
    fprintf(stream, "%s%s%s at %s against %s\n", paint->bold, survey->server, paint->plain,
            audit->url, audit->loaded->file);
    if (survey->stopped_by)
        fprintf(stream, "%sPARTIAL%s: it ended early, so counts are of what had been seen: %s\n",
                paint->error, paint->plain, survey->stopped_by);
    fprintf(stream, "%s keys in %.1f s, %s of them measured%s",
            show_count((double)survey->keys, keys), audit_seconds(audit),
            show_count((double)survey->measured, measured),
            survey->options.sample ? "; ~ marks estimates from samples" : "");
    if (survey->repeats)
        fprintf(stream, "; SCAN told of %s keys twice, which count once",
                show_count((double)survey->repeats, repeats));
    fprintf(stream, "\n");
    if (survey->cluster)
        fprintf(stream, "This is one node of a cluster: these are its keys, not the cluster's.\n");
    if (survey->name_bytes_only)
        fprintf(stream,
                "Bytes are of names and string values only, so the true ones are more: %s\n",
                survey->refusals[QUESTION_BYTES]);
    for (int i = 0; i < QUESTIONS; i++) {
        if (survey->refusals[i] && !(i == QUESTION_BYTES && survey->name_bytes_only))
            fprintf(stream, "Not measured: %s\n", survey->refusals[i]);
    }
    for (size_t i = 0; i < survey->database_count; i++) {
        const struct survey_database *database = &survey->databases[i];
        if (!database->chosen || database->missing) continue;
        fprintf(stream, "%s%d: %s keys%s", i ? ", " : "Database ", database->number,
                show_count((double)database->keys, keys), database->complete ? "" : " so far");
    }
    fprintf(stream, "\n\n");
}

/* ---- the table ---- */

enum { COLUMNS = 7, CELL_MAX = 96 };

struct table {
    char (*cells)[COLUMNS][CELL_MAX];
    const char **names; /* of rows; the first column */
    size_t rows;
    int widths[COLUMNS];
};

static void cell(struct table *table, int at, const char *text) {
    int len = snprintf(table->cells[table->rows][at], CELL_MAX, "%s", text);
    if (len > table->widths[at]) table->widths[at] = len;
}

/* "381 (164-878)": what is likely, and what it is between with a certainty of 95 %. */
static void cell_count(struct table *table, int at, struct estimate estimate, bool sensible) {
    char value[SHOW_NUMBER_MAX], low[SHOW_NUMBER_MAX], high[SHOW_NUMBER_MAX], text[CELL_MAX];
    if (!sensible) {
        cell(table, at, "-");
    } else if (!estimate.known || estimate.exact) {
        cell(table, at, estimate.known ? show_count(estimate.value, value) : "?");
    } else {
        snprintf(text, sizeof text, "~%s (%s-%s)", show_count(estimate.value, value),
                 show_count(estimate.low, low), show_count(estimate.high, high));
        cell(table, at, text);
    }
}

static void cell_bytes(struct table *table, int at, struct estimate estimate, bool sensible) {
    char value[SHOW_NUMBER_MAX], text[CELL_MAX];
    if (!sensible || !estimate.known) {
        cell(table, at, sensible ? "?" : "-");
    } else if (estimate.exact || estimate.value <= 0) {
        cell(table, at, show_bytes(estimate.value, value));
    } else {
        double below = estimate.value - estimate.low, above = estimate.high - estimate.value;
        snprintf(text, sizeof text, "~%s +-%.0f%%", show_bytes(estimate.value, value),
                 100 * (below > above ? below : above) / estimate.value);
        cell(table, at, text);
    }
}

static struct estimate trait(const struct figures *figures, enum trait which) {
    return estimate_count(figures->sums.traits[which], figures->sums.measured, figures->keys);
}

static void add_row(struct table *table, const char *name, const struct figures *figures,
                    const struct pattern *pattern) {
    char count[SHOW_NUMBER_MAX];
    bool types = pattern && pattern->type, some = figures->keys > 0;
    table->names[table->rows] = name;
    int len = strlen(name) < NAME_WIDTH ? (int)strlen(name) : NAME_WIDTH;
    if (len > table->widths[0]) table->widths[0] = len;
    cell(table, 1, show_count((double)figures->keys, count));
    cell_bytes(table, 2, figures->bytes, some);
    cell_count(table, 3, trait(figures, TRAIT_IMMORTAL), some);
    cell_count(table, 4, trait(figures, TRAIT_TOO_LONG),
               pattern && pattern->lifetime.kind == LIFETIME_LIMITED);
    cell_count(table, 5, trait(figures, TRAIT_WRONG_TYPE), types);
    cell(table, 6,
         pattern && pattern->database_count ? show_count((double)figures->wrong_database, count)
                                            : "-");
    table->rows++;
}

static void write_table(const struct table *table, FILE *stream, const struct paint *paint) {
    static const char *const heads[COLUMNS] = {"pattern",  "keys",       "bytes",   "no lifetime",
                                               "too long", "wrong type", "wrong db"};
    fprintf(stream, "%s%-*s", paint->bold, table->widths[0], heads[0]);
    for (int i = 1; i < COLUMNS; i++) fprintf(stream, "  %*s", table->widths[i], heads[i]);
    fprintf(stream, "%s\n", paint->plain);
    for (size_t row = 0; row < table->rows; row++) {
        bool long_name = strlen(table->names[row]) > NAME_WIDTH;
        fprintf(stream, "%-*s", table->widths[0], table->names[row]);
        if (long_name) fprintf(stream, "\n%*s", table->widths[0], "");
        for (int i = 1; i < COLUMNS; i++)
            fprintf(stream, "  %*s", table->widths[i], table->cells[row][i]);
        fprintf(stream, "\n");
    }
}

static void print_idle(const struct audit *audit, FILE *stream, const struct paint *paint,
                       const unsigned *order, size_t count, size_t idle) {
    size_t shown = 0;
    fprintf(stream, "%s%zu pattern%s without keys: ", paint->dim, idle, idle == 1 ? "" : "s");
    for (size_t i = 0; i < count && shown < IDLE_SHOWN; i++) {
        if (audit->survey->figures[order[i]].keys) continue;
        const struct pattern *pattern = matcher_pattern(audit->survey->matcher, order[i]);
        fprintf(stream, "%s%s", shown++ ? ", " : "", pattern->key.template.text);
    }
    fprintf(stream, "%s%s\n", idle > shown ? ", ..." : "", paint->plain);
}

static void print_table(const struct audit *audit, FILE *stream, const struct paint *paint) {
    const struct survey *survey = audit->survey;
    size_t count, idle = 0;
    unsigned *order = audit_order(audit, &count);
    struct table table = {.widths = {16, 6, 8, 11, 8, 10, 8}};
    struct estimate bytes = survey->figures[0].bytes;
    table.cells = mem_zalloc((count + 2) * sizeof *table.cells);
    table.names = mem_zalloc((count + 2) * sizeof *table.names);
    for (size_t i = 0; i < count; i++) {
        const struct figures *figures = &survey->figures[order[i]];
        const struct pattern *pattern = matcher_pattern(survey->matcher, order[i]);
        bytes = estimate_sum(bytes, figures->bytes);
        idle += figures->keys == 0;
        if (figures->keys) add_row(&table, pattern->key.template.text, figures, pattern);
    }
    if (survey->figures[0].keys) add_row(&table, "(no pattern)", &survey->figures[0], NULL);
    char keys[SHOW_NUMBER_MAX];
    table.names[table.rows] = "all";
    cell(&table, 1, show_count((double)survey->keys, keys));
    cell_bytes(&table, 2, bytes, true);
    table.rows++;
    write_table(&table, stream, paint);
    if (idle) print_idle(audit, stream, paint, order, count, idle);
    fprintf(stream, "\n");
    mem_free(table.cells);
    mem_free(table.names);
    mem_free(order);
}

static void add_help(const struct audit *audit, size_t index, struct diagnostics *diagnostics) {
    const struct finding *finding = &audit->findings[index];
    struct buffer help;
    buffer_init(&help, BUFFER_MAX);
    for (size_t i = 0; finding->examples && i < finding->examples->count; i++)
        buffer_printf(&help, "%s%s", i ? ", " : "e.g. ", finding->examples->texts[i]);
    if (finding->remedy && !audit_said_before(audit, index))
        buffer_printf(&help, "%s%s", help.len ? "; " : "", finding->remedy);
    if (help.len) diagnostics_remedy(diagnostics, "%.*s", (int)help.len, help.data);
    buffer_done(&help);
}

/* As diagnostics, so that each stands beside the line of the document that it is about. */
static void print_findings(const struct audit *audit, FILE *stream) {
    struct diagnostics *diagnostics = diagnostics_new();
    struct report_source source = {audit->loaded->file, buffer_bytes(&audit->loaded->text)};
    for (size_t i = 0; i < audit->finding_count; i++) {
        const struct finding *finding = &audit->findings[i];
        char keys[AUDIT_KEYS_MAX];
        /* The table has told. */
        if (strcmp(finding->code, "no-keys") == 0) continue;
        const char *name = finding->pattern
                               ? matcher_pattern(audit->survey->matcher, finding->pattern)->name
                               : NULL;
        diagnostics_add(diagnostics, finding->severity, finding->code, finding->place, "%s%s%s %s",
                        name ? name : "", name ? ": " : "", audit_keys(finding, keys),
                        finding->text);
        add_help(audit, i, diagnostics);
    }
    struct report_options options = {.sources = &source,
                                     .source_count = 1,
                                     .colour = report_colour(stream),
                                     .least = SEVERITY_NOTE};
    report_print(stream, diagnostics, &options);
    if (diagnostics_lost(diagnostics))
        fprintf(stream, "and %zu findings more (--json has them all)\n",
                diagnostics_lost(diagnostics));
    diagnostics_free(diagnostics);
}

static void print_summary(const struct audit *audit, FILE *stream, const struct paint *paint) {
    const char *colours[SEVERITIES] = {paint->note, paint->warning, paint->error};
    bool first = true;
    fprintf(stream, "\n");
    for (int severity = SEVERITIES - 1; severity >= 0; severity--) {
        size_t count = audit_count(audit, (enum severity)severity);
        if (count == 0) continue;
        fprintf(stream, "%s%s%zu %s%s%s", first ? "" : ", ", colours[severity], count,
                severity_name((enum severity)severity), count == 1 ? "" : "s", paint->plain);
        first = false;
    }
    fprintf(stream, "%s%s\n", first ? "nothing found" : "",
            audit->survey->stopped_by ? " so far: this audit is partial" : "");
}

static void print_suggestions(const struct audit *audit, FILE *stream, const struct paint *paint) {
    uint64_t left = 0;
    size_t shown = audit->suggestion_count < audit->suggestions_most ? audit->suggestion_count
                                                                     : audit->suggestions_most;
    if (audit->suggestion_count == 0) return;
    fprintf(stream, "\n%s%-*s%*s%s  types, lifetimes, examples%s\n", paint->bold, NAME_WIDTH,
            "keys without a pattern look like", COLUMN, "keys", "", paint->plain);
    for (size_t i = 0; i < audit->suggestion_count; i++) {
        const struct suggestion *one = &audit->suggestions[i];
        char count[SHOW_NUMBER_MAX], text[64];
        if (i >= shown) {
            left += one->keys;
            continue;
        }
        struct buffer template;
        buffer_init(&template, BUFFER_MAX);
        show_key(&template, bytes_from_string(one->template), 400);
        fprintf(stream, "%-*.*s%*s ", NAME_WIDTH, (int)template.len, template.data, COLUMN,
                show_count((double)one->keys, count));
        buffer_done(&template);
        bool first = true;
        for (int type = 1; type < SAMPLE_TYPES; type++) {
            if (!one->types[type]) continue;
            fprintf(stream, "%s%s", first ? " " : " or ", pattern_type_names[type]);
            first = false;
        }
        if (one->measured && one->immortal == one->measured) fprintf(stream, ", no lifetime");
        if (one->longest_ms > 0)
            fprintf(stream, ", %s%s left", one->immortal ? "some with up to " : "up to ",
                    show_duration(one->longest_ms, text));
        const char *nearly = audit_nearly(audit, one);
        if (nearly) fprintf(stream, "; %snearly%s %s", paint->warning, paint->plain, nearly);
        if (one->example_count)
            fprintf(stream, "\n    %se.g. %s%s", paint->dim, one->examples[0], paint->plain);
        fprintf(stream, "\n");
    }
    if (left) {
        char count[SHOW_NUMBER_MAX];
        fprintf(stream, "and %zu shapes more with %s keys (--shapes N shows more)\n",
                audit->suggestion_count - shown, show_count((double)left, count));
    }
}

void audit_text(const struct audit *audit, FILE *stream) {
    struct paint paint = choose_paint(stream);
    print_head(audit, stream, &paint);
    print_table(audit, stream, &paint);
    print_findings(audit, stream);
    print_suggestions(audit, stream, &paint);
    print_summary(audit, stream, &paint);
}
