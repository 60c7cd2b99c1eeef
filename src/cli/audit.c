/* SPDX-License-Identifier: BSD-3-Clause */
/* keynome audit: what a server really holds, beside its catalog. */
#include "cli/audit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/number.h"
#include "catalog/words.h"
#include "catalog/yaml.h"
#include "cli/commands.h"
#include "cli/options.h"

enum {
    OUTPUT_MAX = 256 << 20,
    SHAPES = 20,
    SHAPES_MAX = 10000,
    SAMPLE_MIN = 10,
    SAMPLE_MAX = 1 << 20
};

static const char help_text[] =
    "Usage: keynome audit URL CATALOG [OPTION...]\n\n"
    "Compares what a Redis, Valkey or Keynome server holds with its catalog (YAML or Markdown):\n"
    "every key is counted for its pattern, and a random sample of each pattern is measured for\n"
    "type, lifetime and bytes. Reads only, and gently. Keys of no pattern are grouped into\n"
    "patterns that would fit them.\n\n"
    "      --db LIST      these databases: 0,2,5 or all (those that the catalog names, and 0 for\n"
    "                     patterns without a database)\n"
    "      --rate N       at most so many keys a second, a measured one counting as 5 more\n"
    "                     (20000; 0 is no limit)\n"
    "      --sample N     measure so many keys of each pattern (400)\n"
    "      --full         measure every key\n"
    "      --shapes N     show so many shapes of keys without a pattern (20)\n"
    "      --json         as JSON on standard output\n"
    "      --html FILE    a page with charts, too\n"
    "      --yaml FILE    the shapes as patterns, to be pasted into the catalog\n"
    "      --fail-on S    error, warning or note: what makes the exit status 1 (warning)\n"
    "      --seed N       the same choice of keys for the sample each time\n\n" CONNECTION_HELP
    "\nExit status: 0 nothing found, 1 something found, 2 it could not be done, or not to the "
    "end.\n"
    "Ctrl-C ends it early and reports what had been seen.\n";

static atomic_bool stopped;

static void on_signal(int number) {
    (void)number;
    stopped = true;
}

/* The first signal asks for an early end, a second one ends the program. */
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct wishes {
    const char *db, *rate, *sample, *shapes, *html, *yaml, *fail_on, *seed;
    bool full, json, help;
    struct connection_flags connection;
    struct connection_options connect;
    struct survey_options survey;
    uint64_t shapes_most;
    enum severity least;
};

static bool complain(const char *option, const char *wants, const char *value) {
    fprintf(stderr, "keynome: %s wants %s, not '%s'\n", option, wants, value);
    return false;
}

static bool read_number(const char *option, const char *text, uint64_t least, uint64_t most,
                        const char *wants, uint64_t *ret_value) {
    uint64_t value = *ret_value;
    if (text &&
        (!number_parse_u64(bytes_from_string(text), &value) || value < least || value > most))
        return complain(option, wants, text);
    *ret_value = value;
    return true;
}

static bool read_wishes(int *argc, char **argv, struct wishes *wishes) {
    const struct option_row rows[] = {
        {"--db", "-n", &wishes->db, NULL},           {"--rate", NULL, &wishes->rate, NULL},
        {"--sample", NULL, &wishes->sample, NULL},   {"--full", NULL, NULL, &wishes->full},
        {"--shapes", NULL, &wishes->shapes, NULL},   {"--json", NULL, NULL, &wishes->json},
        {"--html", NULL, &wishes->html, NULL},       {"--yaml", NULL, &wishes->yaml, NULL},
        {"--fail-on", NULL, &wishes->fail_on, NULL}, {"--seed", NULL, &wishes->seed, NULL},
        CONNECTION_ROWS(wishes->connection),         {NULL, NULL, NULL, NULL}};
    uint64_t sample = SURVEY_SAMPLE, seed = 0;
    if (!options_read(*argc, argv, rows, &wishes->help, argc)) return false;
    if (wishes->help) return true;
    wishes->survey.rate = SURVEY_RATE;
    wishes->shapes_most = SHAPES;
    wishes->least = SEVERITY_WARNING;
    if (!read_number("--rate", wishes->rate, 0, UINT64_C(1) << 40, "keys a second, or 0",
                     &wishes->survey.rate) ||
        !read_number("--sample", wishes->sample, SAMPLE_MIN, SAMPLE_MAX,
                     "a number from 10 to 1048576", &sample) ||
        !read_number("--shapes", wishes->shapes, 0, SHAPES_MAX, "a number from 0 to 10000",
                     &wishes->shapes_most) ||
        !read_number("--seed", wishes->seed, 1, UINT64_MAX, "a number from 1", &seed) ||
        !connection_flags_read(&wishes->connection, &wishes->connect))
        return false;
    if (wishes->fail_on) {
        struct bytes word = bytes_from_string(wishes->fail_on);
        if (words_are(word, "error|errors")) {
            wishes->least = SEVERITY_ERROR;
        } else if (words_are(word, "note|notes")) {
            wishes->least = SEVERITY_NOTE;
        } else if (!words_are(word, "warning|warnings")) {
            return complain("--fail-on", "error, warning or note", wishes->fail_on);
        }
    }
    if (seed) hash_seed_init(seed);
    wishes->survey.sample = wishes->full ? 0 : (size_t)sample;
    return true;
}

static bool choose_listed(struct survey *survey, const char *list) {
    struct bytes rest = bytes_from_string(list);
    while (rest.len) {
        size_t comma = words_index(rest, ',');
        int64_t number;
        if (!number_parse_i64(words_trim(words_until(rest, comma)), &number) || number < 0 ||
            number > CATALOG_DATABASE_MAX)
            return complain("--db", "numbers with commas between them, or all", list);
        if (!survey_choose(survey, (int)number, false))
            return complain("--db", "256 databases at most", list);
        rest = words_from(rest, comma < rest.len ? comma + 1 : comma);
    }
    return survey->database_count > 0 || complain("--db", "a number", list);
}

/* Keys of patterns without a database may be anywhere, which is most often 0. */
static void choose_named(struct survey *survey, const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->database_count; i++)
        survey_choose(survey, (int)catalog->databases[i].number, true);
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        if (pattern->kind != PATTERN_KEY) continue;
        if (pattern->database_count == 0) survey_choose(survey, 0, false);
        for (size_t j = 0; j < pattern->database_count; j++)
            survey_choose(survey, (int)pattern->databases[j], true);
    }
}

/* --db, else the URL's database, else those of the catalog. */
static bool choose_databases(struct survey *survey, const struct wishes *wishes,
                             const struct catalog *catalog) {
    int of_url = connection_address(survey->connection)->database;
    bool all = wishes->db && words_are(bytes_from_string(wishes->db), "all");
    survey->restricted = wishes->db || of_url >= 0;
    if (wishes->db && !all) return choose_listed(survey, wishes->db);
    if (!wishes->db && of_url >= 0) return survey_choose(survey, of_url, false);
    choose_named(survey, catalog);
    if (survey->database_count == 0 || all) survey_choose(survey, 0, false);
    return true;
}

static void choose_filled(struct survey *survey) {
    for (size_t i = 0; i < survey->database_count; i++) survey->databases[i].chosen = true;
}

static int compare_databases(const void *a, const void *b) {
    return ((const struct survey_database *)a)->number -
           ((const struct survey_database *)b)->number;
}

static bool write_file(const char *name, struct buffer *out, int error) {
    bool ok = error == 0 && file_write(name, buffer_bytes(out));
    if (error) fprintf(stderr, "keynome: %s: it would be too large\n", name);
    return ok;
}

static bool write_reports(const struct audit *audit, const struct wishes *wishes) {
    struct buffer out;
    bool ok = true;
    buffer_init(&out, OUTPUT_MAX);
    if (wishes->json) {
        audit_json(audit, &out);
        ok = write_file(NULL, &out, 0);
    } else {
        audit_text(audit, stdout);
        ok = fflush(stdout) == 0;
    }
    if (wishes->html) {
        buffer_clear(&out);
        ok = write_file(wishes->html, &out, audit_html(audit, &out)) && ok;
    }
    if (wishes->yaml) {
        struct catalog *catalog =
            suggest_catalog(audit->suggestions, audit->suggestion_count, audit->suggestions_most);
        buffer_clear(&out);
        if (catalog) {
            ok = write_file(wishes->yaml, &out, catalog_write_yaml(catalog, &out)) && ok;
        } else {
            fprintf(stderr, "keynome: %s is not written: no keys without a pattern form one\n",
                    wishes->yaml);
        }
        catalog_free(catalog);
    }
    buffer_done(&out);
    return ok;
}

static int report(struct survey *survey, const struct loaded *loaded, const struct wishes *wishes) {
    char url[ADDRESS_SHOWN_MAX];
    struct audit audit = {.survey = survey,
                          .loaded = loaded,
                          .url = url,
                          .suggestions_most = (size_t)wishes->shapes_most};
    address_show(connection_address(survey->connection), url);
    audit.suggestion_count = suggest_finish(survey->suggest, &audit.suggestions);
    audit_find(&audit);
    bool ok = write_reports(&audit, wishes);
    if (survey->stopped_by)
        fprintf(stderr, "keynome: the audit is partial: %s\n", survey->stopped_by);
    bool found = false;
    for (int severity = wishes->least; severity < SEVERITIES; severity++)
        found = found || audit_count(&audit, (enum severity)severity) > 0;
    int status = !ok || survey->stopped_by ? EXIT_TROUBLE : found ? EXIT_FOUND : EXIT_FINE;
    audit_done(&audit);
    return status;
}

static int run(const char *url, const struct loaded *loaded, const struct matcher *matcher,
               struct wishes *wishes) {
    char error[CONNECTION_ERROR_MAX];
    int status = EXIT_TROUBLE;
    wishes->connect.program = "keynome-audit";
    wishes->connect.stopped = wishes->survey.stopped = &stopped;
    wishes->survey.progress = isatty(STDERR_FILENO);
    catch_signals();
    struct connection *connection = connection_open(url, &wishes->connect, error);
    if (!connection) {
        fprintf(stderr, "keynome: %s\n", error);
        return EXIT_TROUBLE;
    }
    struct survey *survey = survey_new(matcher, loaded->catalog, connection, &wishes->survey);
    if (choose_databases(survey, wishes, loaded->catalog)) {
        if (survey_look_around(survey)) {
            if (wishes->db && words_are(bytes_from_string(wishes->db), "all"))
                choose_filled(survey);
            qsort(survey->databases, survey->database_count, sizeof *survey->databases,
                  compare_databases);
            survey_run(survey);
        }
        /* Nothing was seen at all: no report that would look like one. */
        if (survey->stopped_by && survey->keys == 0) {
            fprintf(stderr, "keynome: %s\n", survey->stopped_by);
        } else {
            status = report(survey, loaded, wishes);
        }
    }
    survey_free(survey);
    connection_close(connection);
    return status;
}

int command_audit(int argc, char **argv) {
    struct wishes wishes = {0};
    struct loaded loaded;
    if (!read_wishes(&argc, argv, &wishes)) return EXIT_TROUBLE;
    if (wishes.help || argc != 2) {
        fputs(help_text, wishes.help ? stdout : stderr);
        return wishes.help ? EXIT_FINE : EXIT_TROUBLE;
    }
    struct diagnostics *diagnostics = diagnostics_new();
    int status = EXIT_TROUBLE;
    if (load_catalog(argv[1], diagnostics, &loaded)) {
        const struct catalog *catalogs[] = {loaded.catalog};
        struct matcher *matcher = loaded.catalog ? matcher_new(catalogs, 1, diagnostics) : NULL;
        struct report_source source = {loaded.file, buffer_bytes(&loaded.text)};
        struct report_options options = {.sources = &source,
                                         .source_count = 1,
                                         .colour = report_colour(stderr),
                                         .least = SEVERITY_ERROR};
        report_print(stderr, diagnostics, &options);
        if (matcher) status = run(argv[0], &loaded, matcher, &wishes);
        matcher_free(matcher);
        loaded_done(&loaded);
    }
    diagnostics_free(diagnostics);
    return status;
}
