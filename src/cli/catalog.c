/* SPDX-License-Identifier: BSD-3-Clause */
/* keynome catalog import, docs and match. */
#include "base/number.h"
#include "catalog/matcher.h"
#include "catalog/yaml.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json.h"
#include "cli/options.h"

enum { OUTPUT_MAX = 64 << 20 };

static int usage(const char *text, bool asked) {
    fputs(text, asked ? stdout : stderr);
    return asked ? EXIT_FINE : EXIT_TROUBLE;
}

/* Shows findings of at least a severity on standard error. */
static void show(const struct diagnostics *diagnostics, const struct loaded *loaded,
                 enum severity least) {
    struct report_source source = {loaded->file, buffer_bytes(&loaded->text)};
    struct report_options options = {
        .sources = &source, .source_count = 1, .colour = report_colour(stderr), .least = least};
    report_print(stderr, diagnostics, &options);
}

static void count_guesses(const struct catalog *catalog, size_t *ret_guessed, size_t *ret_untyped) {
    *ret_guessed = *ret_untyped = 0;
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        *ret_guessed += catalog->patterns[i].guessed != 0;
        *ret_untyped += catalog->patterns[i].kind == PATTERN_KEY && !catalog->patterns[i].type;
    }
}

/* Two patterns alike, which only the matcher sees. */
static void check_matching(const struct catalog *catalog, struct diagnostics *diagnostics) {
    const struct catalog *catalogs[] = {catalog};
    if (catalog) matcher_free(matcher_new(catalogs, 1, diagnostics));
}

int command_catalog_import(int argc, char **argv) {
    static const char help_text[] =
        "Usage: keynome catalog import FILE.md [-o keyspace.yaml] [--quiet] [--json]\n\n"
        "Reads a Markdown document about keys, in whatever form it was written, and writes what "
        "it\n"
        "says as a catalog in YAML. What was guessed is marked so in the catalog; what could not\n"
        "be understood is listed, with its line, on standard error.\n\n"
        "  -o, --output FILE  write there instead of to standard output\n"
        "  -q, --quiet        do not list what could not be understood\n"
        "      --json         list it as JSON on standard error\n";
    const char *output = NULL;
    bool help = false, quiet = false, json = false;
    const struct option_row rows[] = {{"--output", "-o", &output, NULL},
                                      {"--quiet", "-q", NULL, &quiet},
                                      {"--json", NULL, NULL, &json},
                                      {NULL, NULL, NULL, NULL}};
    struct loaded loaded;
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc != 1) return usage(help_text, help);
    struct diagnostics *diagnostics = diagnostics_new();
    if (!load_catalog(argv[0], diagnostics, &loaded)) {
        diagnostics_free(diagnostics);
        return EXIT_TROUBLE;
    }
    check_matching(loaded.catalog, diagnostics);
    diagnostics_sort(diagnostics);
    struct buffer out;
    buffer_init(&out, OUTPUT_MAX);
    if (json) {
        report_json(&out, diagnostics, SEVERITY_NOTE);
        fprintf(stderr, "%.*s\n", (int)out.len, out.data);
        buffer_clear(&out);
    } else {
        show(diagnostics, &loaded, quiet ? SEVERITY_ERROR : SEVERITY_NOTE);
    }
    bool ok = loaded.catalog && catalog_write_yaml(loaded.catalog, &out) == 0 &&
              file_write(output, buffer_bytes(&out));
    if (ok && !quiet && !json) {
        size_t guessed, untyped;
        count_guesses(loaded.catalog, &guessed, &untyped);
        fprintf(stderr,
                "%zu patterns: %zu with something guessed, %zu without a type; %zu lines not "
                "understood\n",
                loaded.catalog->pattern_count, guessed, untyped,
                diagnostics_of(diagnostics, SEVERITY_NOTE));
    }
    bool errors = diagnostics_of(diagnostics, SEVERITY_ERROR) > 0;
    buffer_done(&out);
    loaded_done(&loaded);
    diagnostics_free(diagnostics);
    return !ok ? EXIT_TROUBLE : errors ? EXIT_FOUND : EXIT_FINE;
}

int command_catalog_docs(int argc, char **argv) {
    static const char help_text[] =
        "Usage: keynome catalog docs FILE [-o KEYS.md]\n\n"
        "Writes a catalog as a Markdown document for people. The same catalog always gives the "
        "same\n"
        "document, and the document, imported again, gives the same catalog.\n\n"
        "  -o, --output FILE  write there instead of to standard output\n";
    const char *output = NULL;
    bool help = false;
    const struct option_row rows[] = {{"--output", "-o", &output, NULL}, {NULL, NULL, NULL, NULL}};
    struct loaded loaded;
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc != 1) return usage(help_text, help);
    struct diagnostics *diagnostics = diagnostics_new();
    if (!load_catalog(argv[0], diagnostics, &loaded)) {
        diagnostics_free(diagnostics);
        return EXIT_TROUBLE;
    }
    struct buffer out;
    buffer_init(&out, OUTPUT_MAX);
    show(diagnostics, &loaded, SEVERITY_ERROR);
    bool ok = loaded.catalog && catalog_write_markdown(loaded.catalog, &out) == 0 &&
              file_write(output, buffer_bytes(&out));
    buffer_done(&out);
    loaded_done(&loaded);
    diagnostics_free(diagnostics);
    return ok ? EXIT_FINE : EXIT_TROUBLE;
}

static void match_json(struct buffer *out, const struct matcher *matcher, const char *key,
                       const struct match *match) {
    buffer_printf(out, "  {\"key\": ");
    json_text(out, key);
    if (!match) {
        buffer_printf(out, ", \"pattern\": null}");
        return;
    }
    const struct pattern *pattern = matcher_pattern(matcher, match->id);
    buffer_printf(out, ", \"pattern\": ");
    json_text(out, pattern->name);
    buffer_printf(out, ", \"template\": ");
    json_text(out, pattern->key.template.text);
    buffer_printf(out, ", \"alias\": %s, \"line\": %u, \"variables\": {",
                  match->alias ? "true" : "false", pattern->place.line);
    for (size_t i = 0; i < match->count; i++) {
        if (i) buffer_printf(out, ", ");
        json_bytes(out, match->variables[i].name);
        buffer_printf(out, ": ");
        json_bytes(out, match->variables[i].value);
    }
    buffer_printf(out, "}}");
}

static void match_print(const struct matcher *matcher, const char *key, const struct match *match) {
    if (!match) {
        printf("%s: no pattern\n", key);
        return;
    }
    const struct pattern *pattern = matcher_pattern(matcher, match->id);
    printf("%s: %s  %s", key, pattern->name, pattern->key.template.text);
    if (pattern->type) printf("  %s", pattern_type_names[pattern->type]);
    if (match->alias) printf("  (alias %s)", pattern->aliases[match->alias - 1].template.text);
    printf("\n");
    for (size_t i = 0; i < match->count; i++) {
        printf("    %.*s = %.*s\n", (int)match->variables[i].name.len,
               match->variables[i].name.data, (int)match->variables[i].value.len,
               match->variables[i].value.data);
    }
}

static int match_keys(const struct matcher *matcher, int count, char **keys, enum pattern_kind kind,
                      int database, bool json) {
    int status = EXIT_FINE;
    struct buffer out;
    buffer_init(&out, OUTPUT_MAX);
    buffer_add(&out, "[\n", 2);
    for (int i = 0; i < count; i++) {
        struct match match;
        bool found = matcher_match(matcher, kind, bytes_from_string(keys[i]), database, &match);
        if (!found) status = EXIT_FOUND;
        if (json) {
            match_json(&out, matcher, keys[i], found ? &match : NULL);
            buffer_printf(&out, i + 1 < count ? ",\n" : "\n");
        } else {
            match_print(matcher, keys[i], found ? &match : NULL);
        }
    }
    buffer_add(&out, "]\n", 2);
    if (json && !file_write(NULL, buffer_bytes(&out))) status = EXIT_TROUBLE;
    buffer_done(&out);
    return status;
}

int command_catalog_match(int argc, char **argv) {
    static const char help_text[] =
        "Usage: keynome catalog match FILE KEY... [--channel] [--db N] [--json]\n\n"
        "Tells for each key which pattern of the catalog (YAML or Markdown) it belongs to, and "
        "the\n"
        "values of its variables. Exit status 1 when a key has none.\n\n"
        "      --channel  they are channels, not keys\n"
        "      --db N     the database they are in\n"
        "      --json     for programs\n";
    const char *db = NULL;
    bool help = false, channel = false, json = false;
    const struct option_row rows[] = {{"--db", "-n", &db, NULL},
                                      {"--channel", NULL, NULL, &channel},
                                      {"--json", NULL, NULL, &json},
                                      {NULL, NULL, NULL, NULL}};
    struct loaded loaded;
    int64_t database = MATCHER_DATABASE_ANY;
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc < 2) return usage(help_text, help);
    if (db && (!number_parse_i64(bytes_from_string(db), &database) || database < 0 ||
               database > CATALOG_DATABASE_MAX)) {
        fprintf(stderr, "keynome: --db wants a number from 0, not '%s'\n", db);
        return EXIT_TROUBLE;
    }
    struct diagnostics *diagnostics = diagnostics_new();
    int status = EXIT_TROUBLE;
    if (load_catalog(argv[0], diagnostics, &loaded)) {
        const struct catalog *catalogs[] = {loaded.catalog};
        struct matcher *matcher = loaded.catalog ? matcher_new(catalogs, 1, diagnostics) : NULL;
        show(diagnostics, &loaded, SEVERITY_ERROR);
        if (matcher)
            status = match_keys(matcher, argc - 1, argv + 1,
                                channel ? PATTERN_CHANNEL : PATTERN_KEY, (int)database, json);
        matcher_free(matcher);
        loaded_done(&loaded);
    }
    diagnostics_free(diagnostics);
    return status;
}
