/* SPDX-License-Identifier: BSD-3-Clause */
#include "admin/exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct exposition *exposition, const char *data, size_t len) {
    if (buffer_add(exposition->out, data, len) != 0) exposition->failed = true;
}

static void add_string(struct exposition *exposition, const char *text) {
    add(exposition, text, strlen(text));
}

/* Bytes of the UTF-8 character at the start of text; 0 when there is none. */
static size_t character_bytes(const unsigned char *text) {
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = text[0] < 0x80             ? 1
                 : (text[0] & 0xe0) == 0xc0 ? 2
                 : (text[0] & 0xf0) == 0xe0 ? 3
                 : (text[0] & 0xf8) == 0xf0 ? 4
                                            : 0;
    unsigned code = text[0] & (0x7fu >> len);
    if (len < 2) return len;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0; /* the zero at the end, too */
        code = code << 6 | (text[i] & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[len] || code > 0x10ffff || is_surrogate ? 0 : len;
}

static void add_escaped(struct exposition *exposition, const char *text) {
    while (*text) {
        size_t len = character_bytes((const unsigned char *)text);
        switch (*text) {
        case '\\': add_string(exposition, "\\\\"); break;
        case '"': add_string(exposition, "\\\""); break;
        case '\n': add_string(exposition, "\\n"); break;
        default:
            if (len)
                add(exposition, text, len);
            else
                add_string(exposition, "\xef\xbf\xbd");
        }
        text += len ? len : 1;
    }
}

void exposition_family(struct exposition *exposition, const char *name, enum metric_kind kind,
                       const char *help) {
    exposition->family = name;
    if (buffer_printf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                      kind == METRIC_COUNTER ? "counter" : "gauge") != 0)
        exposition->failed = true;
}

static void add_name(struct exposition *exposition, const struct label *labels, size_t count) {
    add_string(exposition, exposition->family);
    for (size_t i = 0; i < count; i++) {
        add_string(exposition, i == 0 ? "{" : ",");
        add_string(exposition, labels[i].name);
        add_string(exposition, "=\"");
        add_escaped(exposition, labels[i].value);
        add_string(exposition, "\"");
    }
    add_string(exposition, count ? "} " : " ");
}

void exposition_int(struct exposition *exposition, const struct label *labels, size_t count,
                    int64_t value) {
    add_name(exposition, labels, count);
    if (buffer_printf(exposition->out, "%lld\n", (long long)value) != 0) exposition->failed = true;
}

void exposition_double(struct exposition *exposition, const struct label *labels, size_t count,
                       double value) {
    enum { DIGITS = 15, DIGITS_MAX = 17 };
    char text[64];
    /* As few digits as give the same number again. */
    for (int digits = DIGITS; digits <= DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*g\n", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    add_name(exposition, labels, count);
    add_string(exposition, text);
}
