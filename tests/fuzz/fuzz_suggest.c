/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of any content, one a line: all of them are in a shape, and the shapes are a
 * catalog that reads back. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "catalog/yaml.h"
#include "cli/suggest_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_catalog(const struct suggestion *list, size_t count) {
    struct catalog *made = suggest_catalog(list, count, 1000);
    struct diagnostics *diagnostics = diagnostics_new();
    struct buffer text;
    if (made) {
        buffer_init(&text, 16 << 20);
        kn_require(catalog_write_yaml(made, &text) == 0);
        struct catalog *read = catalog_read_yaml(buffer_bytes(&text), "made.yaml", diagnostics);
        kn_require(read && read->pattern_count == made->pattern_count);
        catalog_free(read);
        buffer_done(&text);
    }
    diagnostics_free(diagnostics);
    catalog_free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct suggest *suggest = suggest_new();
    const struct suggestion *list;
    struct bytes rest = bytes_make(data, size);
    uint64_t added = 0, found = 0;
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        struct bytes key = bytes_make(rest.data, len);
        struct measure measure = {.bytes = len, .type = (uint8_t)(len % SAMPLE_TYPES)};
        if (suggest_add(suggest, key, (int)(len % 2)))
            suggest_note(suggest, key, &measure, (int64_t)len);
        added++;
        rest = bytes_make(rest.data + len, rest.len - len);
        if (rest.len) rest = bytes_make(rest.data + 1, rest.len - 1);
    }
    if (added % 3 == 1) make_room(suggest, suggest->nodes / 2);
    suggest_check(suggest);
    size_t count = suggest_finish(suggest, &list);
    for (size_t i = 0; i < count; i++) found += list[i].keys;
    kn_require(found == added);
    check_catalog(list, count);
    suggest_free(suggest);
    return 0;
}
