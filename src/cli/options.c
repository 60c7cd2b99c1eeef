/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "catalog/words.h"

enum { OPTIONS_MAX = 16 };

static bool is_called(const struct option_row *row, const char *text, const char **ret_value) {
    size_t len = strlen(row->name);
    *ret_value = NULL;
    if (row->brief && strcmp(text, row->brief) == 0) return true;
    if (strncmp(text, row->name, len) != 0) return false;
    if (text[len] == '=' && row->value) *ret_value = text + len + 1;
    return text[len] == '\0' || *ret_value;
}

static bool unknown(const char *text, const struct option_row *rows) {
    const char *names[OPTIONS_MAX + 1];
    size_t count = 0;
    for (; rows[count].name && count < OPTIONS_MAX; count++) names[count] = rows[count].name;
    names[count] = NULL;
    const char *near = words_nearest(bytes_from_string(text), names);
    fprintf(stderr, "keynome: no option %s%s%s%s\n", text, near ? "; did you mean " : "",
            near ? near : "", near ? "?" : "; --help lists them");
    return false;
}

bool options_read(int argc, char **argv, const struct option_row *rows, bool *help,
                  int *ret_count) {
    int kept = 0;
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i], *value;
        const struct option_row *row = rows;
        if (ended || text[0] != '-' || text[1] == '\0') {
            argv[kept++] = argv[i];
            continue;
        }
        if (strcmp(text, "--") == 0) {
            ended = true;
            continue;
        }
        if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
            *help = true;
            continue;
        }
        while (row->name && !is_called(row, text, &value)) row++;
        if (!row->name) return unknown(text, rows);
        if (!row->value) {
            *row->flag = true;
            continue;
        }
        if (!value && i + 1 < argc) value = argv[++i];
        if (!value) {
            fprintf(stderr, "keynome: %s wants a value\n", text);
            return false;
        }
        *row->value = value;
    }
    *ret_count = kept;
    return true;
}
