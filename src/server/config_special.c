/* SPDX-License-Identifier: BSD-3-Clause */
/* The directives whose words mean something of their own: see struct config_special. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/number.h"
#include "server/config_row.h"
#include "server/notify.h"
#include "store/store.h"

enum { BIND_ADDRESSES_MAX = 16 };

static bool add_word(struct buffer *text, const char *word) {
    return buffer_printf(text, "%s%s", text->len ? " " : "", word) == 0;
}

static const char *too_long(bool fits) {
    return fits ? NULL : "argument is too long";
}

/* One empty word stands for none. */
static struct config_words without_empty(struct config_words words) {
    if (words.count == 1 && words.words[0][0] == '\0') words.count = 0;
    return words;
}

/* ---- bind ---- */

static const char *parse_bind(const struct config_row *row, struct config_words words,
                              const char *current, bool loading, bool given, struct buffer *text,
                              int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given, (void)ret_number;
    words = without_empty(words);
    if (words.count > BIND_ADDRESSES_MAX) return "Too many bind addresses specified.";
    bool ok = true;
    for (size_t i = 0; i < words.count; i++) {
        /* The text is the words, one after another, so a word must be whole without quotes. */
        for (const char *at = words.words[i]; *at; at++) {
            if ((unsigned char)*at <= ' ' || *at == '"' || *at == '\'')
                return "Invalid bind address.";
        }
        ok = ok && add_word(text, words.words[i]);
    }
    return too_long(ok);
}
const struct config_special config_special_bind = {.parse = parse_bind};

/* ---- save ---- */

static const char *parse_save(const struct config_row *row, struct config_words words,
                              const char *current, bool loading, bool given, struct buffer *text,
                              int64_t *ret_number) {
    (void)row, (void)ret_number;
    bool clear = words.count == 1 && words.words[0][0] == '\0', bare = words.count == 0;
    words = without_empty(words);
    if (words.count % 2 != 0 || (bare && !loading)) return "Invalid save parameters";
    bool ok = true;
    /* Lines of one start add up. */
    if (loading && given && !clear && current[0]) ok = add_word(text, current);
    for (size_t i = 0; i < words.count; i++) {
        int64_t number;
        if (!number_parse_i64(bytes_from_string(words.words[i]), &number) ||
            number < (i % 2 == 0 ? 1 : 0) || number > INT_MAX) {
            return "Invalid save parameters";
        }
        ok = ok && add_word(text, words.words[i]);
    }
    return too_long(ok);
}

static bool rewrite_save(const char *name, const char *text, struct buffer *lines) {
    if (!*text) return buffer_printf(lines, "%s \"\"\n", name) == 0;
    long long seconds, changes;
    int used;
    for (; sscanf(text, "%lld %lld%n", &seconds, &changes, &used) == 2; text += used) {
        if (buffer_printf(lines, "%s %lld %lld\n", name, seconds, changes) != 0) return false;
    }
    return true;
}
const struct config_special config_special_save = {parse_save, rewrite_save};

/* ---- catalog ---- */

/* Files of catalogs; lines of one start add up. */
static const char *parse_catalog(const struct config_row *row, struct config_words words,
                                 const char *current, bool loading, bool given, struct buffer *text,
                                 int64_t *ret_number) {
    (void)row, (void)ret_number;
    if (words.count == 0) return "wrong number of arguments";
    words = without_empty(words);
    bool ok = true;
    if (loading && given && current[0]) ok = add_word(text, current);
    for (size_t i = 0; i < words.count; i++) {
        if (strchr(words.words[i], ' ')) return "a catalog's path may not have spaces";
        ok = ok && add_word(text, words.words[i]);
    }
    return too_long(ok);
}
const struct config_special config_special_catalog = {.parse = parse_catalog};

/* ---- client-output-buffer-limit ---- */

enum { OUTPUT_CLASSES = 3 };
static const char *const output_classes[OUTPUT_CLASSES] = {"normal", "slave", "pubsub"};

struct output_limits {
    unsigned long long hard, soft;
    long long seconds;
};

static void scan_limits(const char *text, struct output_limits limits[OUTPUT_CLASSES]) {
    char class[16];
    struct output_limits limit;
    int used;
    memset(limits, 0, OUTPUT_CLASSES * sizeof *limits);
    for (; sscanf(text, "%15s %llu %llu %lld%n", class, &limit.hard, &limit.soft, &limit.seconds,
                  &used) == 4;
         text += used) {
        for (int i = 0; i < OUTPUT_CLASSES; i++) {
            if (strcmp(class, output_classes[i]) == 0) limits[i] = limit;
        }
    }
}

static const char *parse_limits(const struct config_row *row, struct config_words words,
                                const char *current, bool loading, bool given, struct buffer *text,
                                int64_t *ret_number) {
    (void)row, (void)loading, (void)given, (void)ret_number;
    struct output_limits limits[OUTPUT_CLASSES];
    words = without_empty(words);
    if (words.count % 4 != 0) {
        return "Wrong number of arguments in buffer limit configuration.";
    }
    scan_limits(current ? current : "", limits);
    for (size_t i = 0; i < words.count; i += 4) {
        const char *name = words.words[i];
        int class = strcasecmp(name, "normal") == 0    ? 0
                    : strcasecmp(name, "slave") == 0   ? 1
                    : strcasecmp(name, "replica") == 0 ? 1
                    : strcasecmp(name, "pubsub") == 0  ? 2
                                                       : -1;
        if (class < 0) return "Invalid client class specified in buffer limit configuration.";
        uint64_t hard, soft;
        int64_t seconds;
        if (!number_parse_memory(bytes_from_string(words.words[i + 1]), &hard) ||
            !number_parse_memory(bytes_from_string(words.words[i + 2]), &soft) ||
            !number_parse_i64(bytes_from_string(words.words[i + 3]), &seconds) || seconds < 0) {
            return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        }
        limits[class] = (struct output_limits){hard, soft, seconds};
    }
    bool ok = true;
    for (int i = 0; i < OUTPUT_CLASSES; i++) {
        ok = ok && buffer_printf(text, "%s%s %llu %llu %lld", i ? " " : "", output_classes[i],
                                 limits[i].hard, limits[i].soft, limits[i].seconds) == 0;
    }
    return too_long(ok);
}

static bool rewrite_limits(const char *name, const char *text, struct buffer *lines) {
    struct output_limits limits[OUTPUT_CLASSES];
    scan_limits(text, limits);
    bool ok = true;
    for (int i = 0; i < OUTPUT_CLASSES; i++) {
        ok = ok && buffer_printf(lines, "%s %s %llu %llu %lld\n", name,
                                 i == 1 ? "replica" : output_classes[i], limits[i].hard,
                                 limits[i].soft, limits[i].seconds) == 0;
    }
    return ok;
}
const struct config_special config_special_output_limits = {parse_limits, rewrite_limits};

/* ---- oom-score-adj-values ---- */

static const char *parse_oom(const struct config_row *row, struct config_words words,
                             const char *current, bool loading, bool given, struct buffer *text,
                             int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given, (void)ret_number;
    if (words.count != 3) return "wrong number of arguments";
    bool ok = true;
    for (size_t i = 0; i < words.count; i++) {
        int64_t number;
        if (!number_parse_i64(bytes_from_string(words.words[i]), &number) || number < -2000 ||
            number > 2000) {
            return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
        }
        ok = ok && add_word(text, words.words[i]);
    }
    return too_long(ok);
}
const struct config_special config_special_oom_values = {.parse = parse_oom};

/* ---- latency-tracking-info-percentiles ---- */

static const char *parse_percentiles(const struct config_row *row, struct config_words words,
                                     const char *current, bool loading, bool given,
                                     struct buffer *text, int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given, (void)ret_number;
    words = without_empty(words);
    bool ok = true;
    for (size_t i = 0; i < words.count; i++) {
        double percentile;
        char digits[32];
        if (!number_parse_double(bytes_from_string(words.words[i]), &percentile)) {
            return "Invalid latency-tracking-info-percentiles parameters";
        }
        if (percentile < 0 || percentile > 100) {
            return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
        }
        snprintf(digits, sizeof digits, "%.10g", percentile);
        ok = ok && add_word(text, digits);
    }
    return too_long(ok);
}
const struct config_special config_special_percentiles = {.parse = parse_percentiles};

/* ---- notify-keyspace-events ---- */

/* In the order in which CONFIG GET names them. */
static const struct {
    char letter;
    int flag;
} event_letters[] = {
    {'g', EVENT_GENERIC}, {'$', EVENT_STRING}, {'l', EVENT_LIST},      {'s', EVENT_SET},
    {'h', EVENT_HASH},    {'z', EVENT_ZSET},   {'x', EVENT_EXPIRED},   {'e', EVENT_EVICTED},
    {'t', EVENT_STREAM},  {'d', EVENT_MODULE}, {'K', NOTIFY_KEYSPACE}, {'E', NOTIFY_KEYEVENT},
    {'m', EVENT_MISSED},  {'n', EVENT_NEW},
};
enum {
    EVENT_LETTERS = sizeof event_letters / sizeof *event_letters,
    EVENT_ALL = EVENT_GENERIC | EVENT_STRING | EVENT_LIST | EVENT_SET | EVENT_HASH | EVENT_ZSET |
                EVENT_EXPIRED | EVENT_EVICTED | EVENT_STREAM | EVENT_MODULE,
};

static const char *parse_events(const struct config_row *row, struct config_words words,
                                const char *current, bool loading, bool given, struct buffer *text,
                                int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given;
    if (words.count != 1) return "wrong number of arguments";
    int64_t flags = 0;
    for (const char *at = words.words[0]; *at; at++) {
        int i = 0;
        while (i < EVENT_LETTERS && event_letters[i].letter != *at) i++;
        if (i == EVENT_LETTERS && *at != 'A') {
            return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        }
        flags |= *at == 'A' ? EVENT_ALL : event_letters[i].flag;
    }
    bool all = (flags & EVENT_ALL) == EVENT_ALL, ok = !all || buffer_add(text, "A", 1) == 0;
    for (int i = 0; i < EVENT_LETTERS; i++) {
        int flag = event_letters[i].flag;
        if (!(flags & flag) || (all && flag & EVENT_ALL)) continue;
        ok = ok && buffer_add(text, &event_letters[i].letter, 1) == 0;
    }
    *ret_number = flags;
    return too_long(ok);
}
const struct config_special config_special_events = {.parse = parse_events};

/* ---- dir ---- */

static const char *parse_dir(const struct config_row *row, struct config_words words,
                             const char *current, bool loading, bool given, struct buffer *text,
                             int64_t *ret_number) {
    (void)row, (void)current, (void)given, (void)ret_number;
    char path[PATH_MAX];
    if (words.count != 1) return "wrong number of arguments";
    if (!realpath(words.words[0], path)) return strerror(errno);
    /* Paths in later lines of a file count from here; at run time a watcher moves. */
    if (loading && chdir(path) != 0) return strerror(errno);
    if (!loading && access(path, X_OK) != 0) return strerror(errno);
    return too_long(buffer_add(text, path, strlen(path)) == 0);
}
const struct config_special config_special_dir = {.parse = parse_dir};

/* ---- replicaof ---- */

static const char *parse_replicaof(const struct config_row *row, struct config_words words,
                                   const char *current, bool loading, bool given,
                                   struct buffer *text, int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given, (void)ret_number;
    if (words.count == 0) return "wrong number of arguments";
    words = without_empty(words);
    if (words.count == 0) return NULL;
    if (words.count != 2) return "wrong number of arguments";
    if (strcasecmp(words.words[0], "no") == 0 && strcasecmp(words.words[1], "one") == 0)
        return NULL;
    return too_long(add_word(text, words.words[0]) && add_word(text, words.words[1]));
}
const struct config_special config_special_replicaof = {.parse = parse_replicaof};

/* ---- proc-title-template ---- */

static const char *parse_title(const struct config_row *row, struct config_words words,
                               const char *current, bool loading, bool given, struct buffer *text,
                               int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given, (void)ret_number;
    static const char *const variables[] = {"{title}",      "{listen-addr}", "{server-mode}",
                                            "{port}",       "{tls-port}",    "{unixsocket}",
                                            "{config-file}"};
    enum { VARIABLES = sizeof variables / sizeof *variables };
    if (words.count != 1) return "wrong number of arguments";
    if (!words.words[0][0]) return "template format is invalid or contains unknown variables";
    for (const char *at = words.words[0]; (at = strchr(at, '{')) != NULL; at++) {
        int i = 0;
        while (i < VARIABLES && strncmp(at, variables[i], strlen(variables[i])) != 0) i++;
        if (i == VARIABLES) return "template format is invalid or contains unknown variables";
    }
    return too_long(buffer_add(text, words.words[0], strlen(words.words[0])) == 0);
}
const struct config_special config_special_title = {.parse = parse_title};

/* ---- names of files in `dir`: no paths ---- */

static const char *parse_plain_name(const struct config_row *row, struct config_words words,
                                    const char *current, bool loading, bool given,
                                    struct buffer *text, int64_t *ret_number) {
    (void)current, (void)loading, (void)given, (void)ret_number;
    static _Thread_local char error[128];
    if (words.count != 1) return "wrong number of arguments";
    const char *name = words.words[0];
    if (!*name && strcmp(row->name, "dbfilename") != 0) {
        snprintf(error, sizeof error, "%s can't be empty", row->name);
        return error;
    }
    if (strpbrk(name, "/\\") || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        snprintf(error, sizeof error, "%s can't be a path, just a filename", row->name);
        return error;
    }
    return too_long(buffer_add(text, name, strlen(name)) == 0);
}
const struct config_special config_special_plain_name = {.parse = parse_plain_name};

/* ---- hz ---- */

static const char *parse_hz(const struct config_row *row, struct config_words words,
                            const char *current, bool loading, bool given, struct buffer *text,
                            int64_t *ret_number) {
    (void)row, (void)current, (void)loading, (void)given;
    int64_t number;
    if (words.count != 1) return "wrong number of arguments";
    if (!number_parse_i64(bytes_from_string(words.words[0]), &number)) {
        return "argument couldn't be parsed into an integer";
    }
    if (number < 0 || number > INT_MAX)
        return "argument must be between 0 and 2147483647 inclusive";
    number = number < 1 ? 1 : number > 500 ? 500 : number;
    *ret_number = number;
    return too_long(buffer_printf(text, "%lld", (long long)number) == 0);
}
const struct config_special config_special_hz = {.parse = parse_hz};
