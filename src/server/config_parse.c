/* SPDX-License-Identifier: BSD-3-Clause */
/* Words into values and back, for the kinds of directives that need no functions of their own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/number.h"
#include "proto/inline.h"
#include "server/config_row.h"

void config_fail(struct config_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
}

/* ---- words ---- */

bool config_split(struct bytes line, struct config_words *ret_words) {
    char *copy = mem_alloc(line.len + 1);
    if (line.len) memcpy(copy, line.data, line.len);
    copy[line.len] = '\0'; /* a line of the file ends with its first zero byte */
    struct inline_words words;
    struct bytes word;
    size_t capacity = 8, count = 0;
    char **list = mem_alloc(capacity * sizeof *list);
    inline_begin(&words, copy, strlen(copy));
    int more;
    while ((more = inline_next(&words, &word)) > 0) {
        if (count == capacity) list = mem_realloc(list, (capacity *= 2) * sizeof *list);
        list[count] = mem_alloc(word.len + 1);
        if (word.len) memcpy(list[count], word.data, word.len);
        list[count++][word.len] = '\0';
    }
    mem_free(copy);
    *ret_words = (struct config_words){list, count};
    if (more == 0) return true;
    config_words_done(ret_words);
    return false;
}

void config_words_done(struct config_words *words) {
    for (size_t i = 0; i < words->count; i++) mem_free(words->words[i]);
    mem_free(words->words);
    *words = (struct config_words){NULL, 0};
}

bool config_quote(const char *word, bool always, struct buffer *text) {
    bool plain = !always && *word && *word != '"' && *word != '\'' && *word != '#';
    for (const char *at = word; plain && *at; at++) {
        plain = (unsigned char)*at > ' ' && (unsigned char)*at < 127;
    }
    if (plain) return buffer_add(text, word, strlen(word)) == 0;
    bool ok = buffer_add(text, "\"", 1) == 0;
    for (const char *at = word; ok && *at; at++) {
        unsigned char c = (unsigned char)*at;
        switch (c) {
        case '\\':
        case '"': ok = buffer_printf(text, "\\%c", c) == 0; break;
        case '\n': ok = buffer_add(text, "\\n", 2) == 0; break;
        case '\r': ok = buffer_add(text, "\\r", 2) == 0; break;
        case '\t': ok = buffer_add(text, "\\t", 2) == 0; break;
        default:
            ok = c >= ' ' && c < 127 ? buffer_add(text, at, 1) == 0
                                     : buffer_printf(text, "\\x%02x", c) == 0;
        }
    }
    return ok && buffer_add(text, "\"", 1) == 0;
}

/* ---- kinds ---- */

/* Room for the longest list of words there is, in an error. */
static _Thread_local char parse_error[512];

static const char *range_error(int64_t min, int64_t max) {
    snprintf(parse_error, sizeof parse_error, "argument must be between %lld and %lld inclusive",
             (long long)min, (long long)max);
    return parse_error;
}

static const char *parse_word(const struct config_row *row, struct config_words words,
                              int64_t *ret_number) {
    int64_t number = 0;
    for (size_t i = 0; i < words.count; i++) {
        const struct config_word *word = row->words;
        while (word->name && strcasecmp(word->name, words.words[i]) != 0) word++;
        if (!word->name) {
            size_t len = (size_t)snprintf(parse_error, sizeof parse_error,
                                          "argument(s) must be one of the following: ");
            for (word = row->words; word->name && len < sizeof parse_error; word++) {
                len += (size_t)snprintf(parse_error + len, sizeof parse_error - len, "%s%s",
                                        word == row->words ? "" : ", ", word->name);
            }
            return parse_error;
        }
        number |= word->value;
    }
    *ret_number = number;
    return NULL;
}

static const char *parse_int(const struct config_row *row, struct bytes word, int64_t *ret_number) {
    int64_t number;
    if (row->kind == CONFIG_OCTAL) {
        char *end;
        number = strtoll(word.data, &end, 8);
        if (*end || end == word.data) return "argument couldn't be parsed as an octal number";
    } else if (!number_parse_i64(word, &number)) {
        return "argument couldn't be parsed into an integer";
    }
    if (number < row->min || number > row->max) return range_error(row->min, row->max);
    *ret_number = number;
    return NULL;
}

static const char *parse_memory(const struct config_row *row, struct bytes word,
                                int64_t *ret_number) {
    uint64_t bytes;
    if (row->kind == CONFIG_PERCENT && word.len > 1 && word.data[word.len - 1] == '%') {
        int64_t percent;
        if (!number_parse_i64(bytes_make(word.data, word.len - 1), &percent) || percent < 0) {
            return "argument must be a memory or percent value";
        }
        if (percent > 100) return "percentage argument must be less or equal to 100";
        *ret_number = -percent;
        return NULL;
    }
    /* Redis takes an empty amount for 0. */
    if (word.len == 0) {
        bytes = 0;
    } else if (!number_parse_memory(word, &bytes)) {
        return row->kind == CONFIG_PERCENT ? "argument must be a memory or percent value"
                                           : "argument must be a memory value";
    }
    int64_t max = row->max ? row->max : INT64_MAX;
    if (bytes > (uint64_t)max || (int64_t)bytes < row->min) return range_error(row->min, max);
    *ret_number = (int64_t)bytes;
    return NULL;
}

static const char *parse_bool(const char *word, int64_t *ret_number) {
    if (strcasecmp(word, "yes") == 0) {
        *ret_number = 1;
    } else if (strcasecmp(word, "no") == 0) {
        *ret_number = 0;
    } else {
        return "argument must be 'yes' or 'no'";
    }
    return NULL;
}

bool config_format(const struct config_row *row, int64_t number, struct buffer *text) {
    switch (row->kind) {
    case CONFIG_BOOL: return buffer_printf(text, "%s", number ? "yes" : "no") == 0;
    case CONFIG_OCTAL: return buffer_printf(text, "%llo", (unsigned long long)number) == 0;
    case CONFIG_PERCENT:
        if (number < 0) return buffer_printf(text, "%lld%%", (long long)-number) == 0;
        break;
    case CONFIG_ENUM:
        for (const struct config_word *word = row->words; word->name; word++) {
            if (word->value == number) return buffer_add(text, word->name, strlen(word->name)) == 0;
        }
        return false;
    case CONFIG_FLAGS: {
        bool first = true, ok = true;
        for (const struct config_word *word = row->words; word->name; word++) {
            bool on = number == 0 ? word->value == 0 : (word->value & number) != 0;
            if (!on) continue;
            ok = ok && buffer_printf(text, "%s%s", first ? "" : " ", word->name) == 0;
            first = false;
        }
        return ok;
    }
    default: break;
    }
    return buffer_printf(text, "%lld", (long long)number) == 0;
}

const char *config_parse(const struct config_value *value, struct config_words words, bool loading,
                         struct buffer *text, int64_t *ret_number) {
    const struct config_row *row = value->row;
    const char *error = NULL;
    int64_t number = 0;
    if (row->kind == CONFIG_SPECIAL) {
        return row->special->parse(row, words, value->text, loading, value->given, text,
                                   ret_number);
    }
    if (words.count == 0 || (words.count > 1 && row->kind != CONFIG_FLAGS)) {
        return "wrong number of arguments";
    }
    struct bytes word = bytes_from_string(words.words[0]);
    switch (row->kind) {
    case CONFIG_STRING:
        if (buffer_add_bytes(text, word) != 0) return "argument is too long";
        *ret_number = 0;
        return NULL;
    case CONFIG_BOOL: error = parse_bool(words.words[0], &number); break;
    case CONFIG_INT:
    case CONFIG_OCTAL: error = parse_int(row, word, &number); break;
    case CONFIG_MEMORY:
    case CONFIG_PERCENT: error = parse_memory(row, word, &number); break;
    default: error = parse_word(row, words, &number); break;
    }
    if (error) return error;
    if (!config_format(row, number, text)) return "argument is too long";
    *ret_number = number;
    return NULL;
}
