/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files of any content: read, shown and written back without harm, and
 * what was written reads back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the text has this word; the file system is not this target's business. */
static bool mentions(struct bytes text, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.data + i, word, len) == 0) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_make(data, size);
    struct config_error error;
    struct buffer written, again;
    if (size > 4096 || mentions(text, "include") || mentions(text, "dir")) return 0;
    struct config *config = config_new(), *copy = config_new();
    bool ok = config_load_text(config, text, "fuzz.conf", &error);
    buffer_init(&written, CONFIG_TEXT_MAX);
    buffer_init(&again, CONFIG_TEXT_MAX);
    kn_require(config_rewrite_text(config, ok ? text : bytes_make(NULL, 0), &written));
    kn_require(config_load_text(copy, buffer_bytes(&written), "written.conf", &error));
    kn_require(config_rewrite_text(copy, buffer_bytes(&written), &again));
    kn_require(bytes_equal(buffer_bytes(&written), buffer_bytes(&again)));
    buffer_done(&written);
    buffer_done(&again);
    config_free(copy);
    config_free(config);
    return 0;
}
