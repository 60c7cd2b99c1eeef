/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Markdown of any content as a catalog: imported and checked without harm, and what was imported,
 * written as YAML, is a catalog.
 */
#include <stdint.h>

#include "base/assert.h"
#include "catalog/check.h"
#include "catalog/markdown.h"
#include "catalog/matcher.h"
#include "catalog/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct diagnostics *diagnostics = diagnostics_new();
    struct markdown *facts = NULL;
    struct catalog *catalog =
        catalog_read_markdown(bytes_make(data, size), "fuzz.md", diagnostics, &facts);
    if (catalog && diagnostics_of(diagnostics, SEVERITY_ERROR) == 0) {
        struct buffer yaml;
        const struct catalog *catalogs[] = {catalog};
        buffer_init(&yaml, 64 << 20);
        matcher_free(matcher_new(catalogs, 1, diagnostics));
        catalog_check(catalog, facts, diagnostics);
        kn_require(catalog_write_yaml(catalog, &yaml) == 0);
        struct catalog *again = catalog_read_yaml(buffer_bytes(&yaml), "fuzz.yaml", diagnostics);
        kn_require(again);
        kn_require(again->pattern_count == catalog->pattern_count);
        catalog_free(again);
        buffer_done(&yaml);
    }
    markdown_free(facts);
    catalog_free(catalog);
    diagnostics_free(diagnostics);
    return 0;
}
