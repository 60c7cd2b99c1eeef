/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "catalog/markdown.h"
#include "catalog/yaml.h"

static bool ends_with(const char *path, const char *ending) {
    size_t len = strlen(path), end = strlen(ending);
    return len > end && strcasecmp(path + len - end, ending) == 0;
}

bool catalog_is_document(const char *path) {
    return ends_with(path, ".md") || ends_with(path, ".markdown");
}

/* Reports why not, and returns false. */
static bool read_file(const char *path, struct buffer *text, struct diagnostics *diagnostics) {
    enum { STEP = 64 << 10 };
    struct place place = {.file = path};
    FILE *file = fopen(path, "rbe");
    bool done = file != NULL;
    size_t got = 1;
    while (done && got > 0) {
        done = buffer_reserve(text, STEP) != NULL;
        if (!done) break;
        got = fread(text->data + text->len, 1, STEP, file);
        text->len += got;
        done = !ferror(file) && text->len <= CATALOG_DOCUMENT_MAX;
    }
    if (!done && text->len > CATALOG_DOCUMENT_MAX)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "too-large", place,
                        "the file has more than %d MB", CATALOG_DOCUMENT_MAX >> 20);
    else if (!done)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "no-file", place, "cannot be read: %s",
                        strerror(errno));
    if (file != NULL) fclose(file);
    return done;
}

struct catalog *catalog_read(const char *path, struct diagnostics *diagnostics) {
    struct buffer text;
    struct catalog *catalog = NULL;
    if (!catalog_is_document(path) && !ends_with(path, ".yaml") && !ends_with(path, ".yml")) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "file-name", (struct place){.file = path},
                        "this is no catalog's name");
        diagnostics_remedy(diagnostics, "catalogs end in .yaml or .yml, documents in .md");
        return NULL;
    }
    buffer_init(&text, 2 * CATALOG_DOCUMENT_MAX);
    if (read_file(path, &text, diagnostics)) {
        struct bytes whole = bytes_make(text.data, text.len);
        catalog = catalog_is_document(path) ? catalog_read_markdown(whole, path, diagnostics, NULL)
                                            : catalog_read_yaml(whole, path, diagnostics);
    }
    buffer_done(&text);
    return catalog;
}
