/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keynome catalog diff: patterns are the same when their keys are; then their fields are compared,
 * one by one, in the form in which they would be written.
 */
#include <stdio.h>
#include <string.h>

#include "catalog/words.h"
#include "catalog/yaml.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json.h"
#include "cli/options.h"

enum { LINES_MAX = 1 << 20, OUTPUT_MAX = 64 << 20 };

struct comparison {
    struct buffer out;
    bool json, colour, differs;
    struct buffer old_lines, new_lines;
};

static const struct pattern *find_pattern(const struct catalog *catalog,
                                          const struct pattern *like) {
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        if (pattern->kind == like->kind &&
            strcmp(pattern->key.template.text, like->key.template.text) == 0)
            return pattern;
    }
    return NULL;
}

/* The value of a field among lines; no data when it is not there. */
static struct bytes find_field(struct bytes lines, struct bytes name, struct bytes *ret_rest) {
    struct bytes line;
    while (words_next_line(&lines, &line)) {
        size_t skip = words_start(line, "  - ") ? 4 : 0;
        line = words_trim(words_from(line, skip));
        size_t colon = words_index(line, ':');
        if (name.data && !bytes_equal(words_until(line, colon), name)) continue;
        if (ret_rest) *ret_rest = lines;
        return words_trim(words_from(line, colon + 1));
    }
    return (struct bytes){0};
}

static void tell_field(struct comparison *comparison, bool *first, struct bytes name,
                       struct bytes from, struct bytes to) {
    struct buffer *out = &comparison->out;
    if (comparison->json) {
        buffer_printf(out, "%s{\"field\": ", *first ? "" : ", ");
        json_bytes(out, name);
        buffer_printf(out, ", \"from\": ");
        if (from.data)
            json_bytes(out, from);
        else
            buffer_printf(out, "null");
        buffer_printf(out, ", \"to\": ");
        if (to.data)
            json_bytes(out, to);
        else
            buffer_printf(out, "null");
        buffer_printf(out, "}");
    } else {
        buffer_printf(out, "    %.*s: ", (int)name.len, name.data);
        buffer_add_bytes(out, from.data ? from : BYTES("(nothing)"));
        buffer_printf(out, " -> ");
        buffer_add_bytes(out, to.data ? to : BYTES("(nothing)"));
        buffer_printf(out, "\n");
    }
    *first = false;
}

static void tell(struct comparison *comparison, const char *change, char sign, const char *kind,
                 const char *what) {
    struct buffer *out = &comparison->out;
    if (comparison->json) {
        buffer_printf(out, "%s\n  {\"change\": \"%s\", \"%s\": ", comparison->differs ? "," : "",
                      change, kind);
        json_text(out, what);
    } else {
        const char *paint = sign == '+' ? "\033[32m" : sign == '-' ? "\033[31m" : "\033[33m";
        buffer_printf(out, "%s%c %s %s%s\n", comparison->colour ? paint : "", sign, kind, what,
                      comparison->colour ? "\033[0m" : "");
    }
    comparison->differs = true;
}

/* Fields of the old that are other or gone in the new, then those that are new. */
static void compare_fields(struct comparison *comparison, const char *kind, const char *what) {
    struct bytes old_lines = buffer_bytes(&comparison->old_lines),
                 new_lines = buffer_bytes(&comparison->new_lines), line, rest;
    bool told = false, first = true;
    for (int turn = 0; turn < 2; turn++) {
        rest = turn ? new_lines : old_lines;
        while (words_next_line(&rest, &line)) {
            line = words_trim(words_from(line, words_start(line, "  - ") ? 4 : 0));
            struct bytes name = words_until(line, words_index(line, ':'));
            struct bytes from = find_field(old_lines, name, NULL),
                         to = find_field(new_lines, name, NULL);
            if (turn ? from.data != NULL : to.data && bytes_equal(from, to)) continue;
            if (!told) tell(comparison, "changed", '~', kind, what);
            if (!told && comparison->json) buffer_printf(&comparison->out, ", \"fields\": [");
            told = true;
            tell_field(comparison, &first, name, from, to);
        }
    }
    if (told && comparison->json) buffer_printf(&comparison->out, "]}");
}

static void compare(struct comparison *comparison, const struct catalog *old,
                    const struct catalog *new) {
    buffer_init(&comparison->old_lines, LINES_MAX);
    buffer_init(&comparison->new_lines, LINES_MAX);
    catalog_write_lines(old, NULL, &comparison->old_lines);
    catalog_write_lines(new, NULL, &comparison->new_lines);
    compare_fields(comparison, "catalog", new->name);
    for (size_t i = 0; i < old->pattern_count; i++) {
        const struct pattern *before = &old->patterns[i], *after = find_pattern(new, before);
        const char *kind = before->kind == PATTERN_CHANNEL ? "channel" : "key";
        if (!after) {
            tell(comparison, "removed", '-', kind, before->key.template.text);
            if (comparison->json) buffer_printf(&comparison->out, "}");
            continue;
        }
        buffer_clear(&comparison->old_lines);
        buffer_clear(&comparison->new_lines);
        catalog_write_lines(old, before, &comparison->old_lines);
        catalog_write_lines(new, after, &comparison->new_lines);
        compare_fields(comparison, kind, before->key.template.text);
    }
    for (size_t i = 0; i < new->pattern_count; i++) {
        const struct pattern *pattern = &new->patterns[i];
        if (find_pattern(old, pattern)) continue;
        tell(comparison, "added", '+', pattern->kind == PATTERN_CHANNEL ? "channel" : "key",
             pattern->key.template.text);
        if (comparison->json) buffer_printf(&comparison->out, "}");
    }
    buffer_done(&comparison->old_lines);
    buffer_done(&comparison->new_lines);
}

int command_catalog_diff(int argc, char **argv) {
    static const char help_text[] =
        "Usage: keynome catalog diff OLD NEW [--json]\n\n"
        "Tells what changed between two catalogs, each YAML or Markdown: patterns added and "
        "removed,\n"
        "and every field that is other. Exit status 1 when anything is.\n";
    bool help = false, json = false, ok = true;
    const struct option_row rows[] = {{"--json", NULL, NULL, &json}, {NULL, NULL, NULL, NULL}};
    struct loaded loaded[2] = {{0}, {0}};
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc != 2) {
        fputs(help_text, help ? stdout : stderr);
        return help ? EXIT_FINE : EXIT_TROUBLE;
    }
    for (int i = 0; i < 2; i++) {
        struct diagnostics *diagnostics = diagnostics_new();
        if (load_catalog(argv[i], diagnostics, &loaded[i])) {
            struct report_source source = {argv[i], buffer_bytes(&loaded[i].text)};
            struct report_options options = {.sources = &source,
                                             .source_count = 1,
                                             .colour = report_colour(stderr),
                                             .least = SEVERITY_ERROR};
            report_print(stderr, diagnostics, &options);
        }
        ok = ok && loaded[i].catalog;
        diagnostics_free(diagnostics);
    }
    struct comparison comparison = {.json = json, .colour = !json && report_colour(stdout)};
    buffer_init(&comparison.out, OUTPUT_MAX);
    if (ok) {
        if (json) buffer_printf(&comparison.out, "[");
        compare(&comparison, loaded[0].catalog, loaded[1].catalog);
        if (json) buffer_printf(&comparison.out, "\n]\n");
        ok = file_write(NULL, buffer_bytes(&comparison.out));
    }
    buffer_done(&comparison.out);
    loaded_done(&loaded[0]);
    loaded_done(&loaded[1]);
    return !ok ? EXIT_TROUBLE : comparison.differs ? EXIT_FOUND : EXIT_FINE;
}
