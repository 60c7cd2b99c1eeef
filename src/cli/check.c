/* SPDX-License-Identifier: BSD-3-Clause */
/* keynome catalog check: is the document a catalog, and what in it will hurt? */
#include <stdio.h>

#include "catalog/check.h"
#include "catalog/matcher.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/options.h"

enum { FILES_MAX = 64, OUTPUT_MAX = 64 << 20 };

struct check {
    struct loaded loaded[FILES_MAX];
    size_t count;
    struct diagnostics *diagnostics;
};

/* All catalogs together: patterns of different files may be alike, too. */
static void check_together(struct check *check) {
    const struct catalog *catalogs[FILES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < check->count; i++) {
        if (check->loaded[i].catalog) catalogs[count++] = check->loaded[i].catalog;
    }
    matcher_free(matcher_new(catalogs, count, check->diagnostics));
}

static bool print_findings(const struct check *check, bool json, enum severity least) {
    if (json) {
        struct buffer out;
        buffer_init(&out, OUTPUT_MAX);
        report_json(&out, check->diagnostics, least);
        buffer_printf(&out, "\n");
        bool ok = file_write(NULL, buffer_bytes(&out));
        buffer_done(&out);
        return ok;
    }
    struct report_source sources[FILES_MAX];
    for (size_t i = 0; i < check->count; i++) {
        sources[i] =
            (struct report_source){check->loaded[i].file, buffer_bytes(&check->loaded[i].text)};
    }
    struct report_options options = {.sources = sources,
                                     .source_count = check->count,
                                     .colour = report_colour(stderr),
                                     .least = least};
    report_print(stderr, check->diagnostics, &options);
    report_summary(stderr, check->diagnostics);
    return true;
}

int command_catalog_check(int argc, char **argv) {
    static const char help_text[] = "Usage: keynome catalog check FILE... [--quiet] [--json]\n\n"
                                    "Reads catalogs (YAML or Markdown) together and reports, with "
                                    "line, reason and remedy, what is\n"
                                    "wrong and what will hurt in operation. Exit status 1 when "
                                    "there is an error or a warning.\n\n"
                                    "  -q, --quiet  errors and warnings only, no notes\n"
                                    "      --json   as JSON, on standard output\n";
    bool help = false, quiet = false, json = false, readable = true;
    const struct option_row rows[] = {
        {"--quiet", "-q", NULL, &quiet}, {"--json", NULL, NULL, &json}, {NULL, NULL, NULL, NULL}};
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc < 1 || argc > FILES_MAX) {
        fputs(help_text, help ? stdout : stderr);
        return help ? EXIT_FINE : EXIT_TROUBLE;
    }
    static struct check check;
    check.diagnostics = diagnostics_new();
    for (int i = 0; i < argc && readable; i++) {
        readable = load_catalog(argv[i], check.diagnostics, &check.loaded[check.count]);
        check.count += readable;
    }
    if (readable) {
        check_together(&check);
        for (size_t i = 0; i < check.count; i++) {
            const struct loaded *loaded = &check.loaded[i];
            bool free_form =
                loaded->facts && loaded->facts->usage_count + loaded->facts->statement_count;
            if (loaded->catalog)
                catalog_check(loaded->catalog, free_form ? loaded->facts : NULL, check.diagnostics);
        }
        diagnostics_sort(check.diagnostics);
        readable = print_findings(&check, json, quiet ? SEVERITY_WARNING : SEVERITY_NOTE);
    }
    bool found = diagnostics_of(check.diagnostics, SEVERITY_ERROR) +
                     diagnostics_of(check.diagnostics, SEVERITY_WARNING) >
                 0;
    for (size_t i = 0; i < check.count; i++) loaded_done(&check.loaded[i]);
    diagnostics_free(check.diagnostics);
    return !readable ? EXIT_TROUBLE : found ? EXIT_FOUND : EXIT_FINE;
}
