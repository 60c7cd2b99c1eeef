/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * YAML of any content as a catalog: read without harm; what is accepted can be matched, is written,
 * and reads back as what was written, also by way of Markdown.
 */
#include <stdint.h>

#include "base/assert.h"
#include "catalog/markdown.h"
#include "catalog/matcher.h"
#include "catalog/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match_some(const struct catalog *catalog, struct diagnostics *diagnostics) {
    const struct catalog *catalogs[] = {catalog};
    struct matcher *matcher = matcher_new(catalogs, 1, diagnostics);
    for (size_t i = 0; matcher && i < catalog->pattern_count; i++) {
        const struct pattern *pattern = &catalog->patterns[i];
        struct arena arena = {0};
        struct match match;
        const char *sample = template_sample(&pattern->key.template, catalog->prefixes,
                                             catalog->prefix_count, &arena);
        /* Its own sample fits a pattern: this one, or one that is more literal. An empty prefix
         * alone may leave nothing. */
        bool found = matcher_match(matcher, pattern->kind, bytes_from_string(sample),
                                   MATCHER_DATABASE_ANY, &match);
        kn_require(found || *sample == '\0' || pattern->key.template.variable_count > 0);
        arena_done(&arena);
    }
    matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct diagnostics *diagnostics = diagnostics_new();
    struct catalog *catalog = catalog_read_yaml(bytes_make(data, size), "fuzz.yaml", diagnostics);
    kn_require(!catalog == (diagnostics_of(diagnostics, SEVERITY_ERROR) > 0));
    if (catalog) {
        struct buffer first, second, document;
        buffer_init(&first, 64 << 20);
        buffer_init(&second, 64 << 20);
        buffer_init(&document, 64 << 20);
        match_some(catalog, diagnostics);
        kn_require(catalog_write_yaml(catalog, &first) == 0);
        struct diagnostics *unwanted = diagnostics_new();
        struct catalog *again = catalog_read_yaml(buffer_bytes(&first), "again.yaml", unwanted);
        kn_require(again);
        kn_require(catalog_write_yaml(again, &second) == 0);
        kn_require(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
        kn_require(catalog_write_markdown(catalog, &document) == 0);
        struct catalog *back =
            catalog_read_markdown(buffer_bytes(&document), "back.md", unwanted, NULL);
        kn_require(back);
        buffer_clear(&second);
        kn_require(catalog_write_yaml(back, &second) == 0);
        kn_require(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
        diagnostics_free(unwanted);
        catalog_free(again);
        catalog_free(back);
        buffer_done(&first);
        buffer_done(&second);
        buffer_done(&document);
    }
    catalog_free(catalog);
    diagnostics_free(diagnostics);
    return 0;
}
