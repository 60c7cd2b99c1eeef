/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to find a key's pattern: bench/match FILE..., catalogs in YAML or Markdown, all
 * loaded together. Keys are the examples of the catalogs, or samples where there are none, and as
 * many that match nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "catalog/markdown.h"
#include "catalog/matcher.h"
#include "catalog/yaml.h"

enum { KEYS_MAX = 4096, ROUNDS = 7, MATCHES = 4000000 };

static struct catalog *load(const char *file, struct diagnostics *diagnostics) {
    FILE *stream = fopen(file, "rb");
    if (!stream) return NULL;
    char *text = mem_alloc(CATALOG_DOCUMENT_MAX);
    struct bytes bytes = bytes_make(text, fread(text, 1, CATALOG_DOCUMENT_MAX, stream));
    fclose(stream);
    struct catalog *catalog = catalog_is_markdown(bytes, file)
                                  ? catalog_read_markdown(bytes, file, diagnostics, NULL)
                                  : catalog_read_yaml(bytes, file, diagnostics);
    mem_free(text);
    return catalog;
}

static size_t add_keys(struct catalog *catalog, struct bytes *keys, size_t count) {
    for (size_t i = 0; i < catalog->pattern_count && count < KEYS_MAX; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        if (pattern->kind != PATTERN_KEY) continue;
        keys[count++] = bytes_from_string(
            pattern->example_count ? pattern->examples[0].text
                                   : template_sample(&pattern->key.template, catalog->prefixes,
                                                     catalog->prefix_count, &catalog->arena));
    }
    return count;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Median nanoseconds of processor time for one key. */
static double measure(const struct matcher *matcher, const struct bytes *keys, size_t count) {
    double rounds[ROUNDS];
    unsigned found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t started = clock_thread_cpu_us();
        for (size_t i = 0, at = 0; i < MATCHES; i++) {
            found += matcher_find(matcher, PATTERN_KEY, keys[at], 0);
            if (++at == count) at = 0;
        }
        rounds[round] = 1000.0 * (double)(clock_thread_cpu_us() - started) / MATCHES;
    }
    if (found == 1) printf("one key was found\n"); /* so that the work is not left out */
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    return rounds[ROUNDS / 2];
}

int main(int argc, char **argv) {
    static struct bytes keys[KEYS_MAX], strangers[KEYS_MAX];
    const struct catalog *catalogs[64];
    struct diagnostics *diagnostics = diagnostics_new();
    size_t count = 0, loaded = 0, patterns = 0, bytes = 0;
    for (int i = 1; i < argc && loaded < 64; i++) {
        struct catalog *catalog = load(argv[i], diagnostics);
        if (!catalog) {
            fprintf(stderr, "match: %s cannot be read\n", argv[i]);
            return 1;
        }
        count = add_keys(catalog, keys, count);
        patterns += catalog->pattern_count;
        catalogs[loaded++] = catalog;
    }
    struct matcher *matcher = loaded ? matcher_new(catalogs, loaded, diagnostics) : NULL;
    if (!matcher || count == 0) {
        fprintf(stderr, "usage: match FILE..., catalogs that can be loaded together\n");
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        char *copy = mem_strdup(keys[i].data);
        copy[0] = '~';
        strangers[i] = bytes_from_string(copy);
        bytes += keys[i].len;
    }
    printf("%zu catalogs, %zu patterns, %zu keys of %.1f bytes\n", loaded, patterns, count,
           (double)bytes / (double)count);
    printf("found: %.1f ns a key; not found: %.1f ns a key\n", measure(matcher, keys, count),
           measure(matcher, strangers, count));
    return 0;
}
