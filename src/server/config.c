/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The values, and their changes.
 *
 * A value is kept twice: as the number that code reads and as the text that CONFIG GET shows and a
 * rewritten file gets. Both come from one parse. To put a value back is to put its old text and
 * number back, so no kind of directive needs an undo of its own.
 */
#include "server/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/glob.h"
#include "base/memory.h"
#include "server/config_row.h"

const struct config_rows *const config_row_groups[CONFIG_ROW_GROUPS] = {
    &config_rows_network, &config_rows_memory, &config_rows_process,
    &config_rows_catalog, &config_rows_data,   &config_rows_replication,
};

/* ---- life ---- */

static void set_initial(struct config_value *value) {
    struct buffer text;
    struct config_words words;
    int64_t number = 0;
    buffer_init(&text, CONFIG_TEXT_MAX);
    if (value->row->flags & CONFIG_WORDS && value->row->initial[0]) {
        kn_require(config_split(bytes_from_string(value->row->initial), &words));
    } else {
        words.words = mem_alloc(sizeof *words.words);
        words.words[0] = mem_strdup(value->row->initial);
        words.count = 1;
    }
    kn_require(config_parse(value, words, true, &text, &number) == NULL);
    kn_require(buffer_add(&text, "", 1) == 0);
    config_put(value, number, mem_strdup(text.data));
    value->initial = mem_strdup(text.data);
    buffer_done(&text);
    config_words_done(&words);
}

struct config *config_new(void) {
    struct config *config = mem_zalloc(sizeof *config);
    lock_init(&config->lock);
    for (int i = 0; i < CONFIG_ROW_GROUPS; i++) config->count += config_row_groups[i]->count;
    config->values = mem_zalloc(config->count * sizeof *config->values);
    size_t at = 0;
    for (int i = 0; i < CONFIG_ROW_GROUPS; i++) {
        for (size_t j = 0; j < config_row_groups[i]->count; j++, at++) {
            config->values[at].row = &config_row_groups[i]->rows[j];
            set_initial(&config->values[at]);
        }
    }
    config->file_path = mem_strdup("");
    return config;
}

void config_free(struct config *config) {
    if (!config) return;
    for (size_t i = 0; i < config->count; i++) {
        struct config_value *value = &config->values[i];
        mem_free(value->text);
        mem_free(value->initial);
        while (value->watchers) {
            struct config_watcher *next = value->watchers->next;
            mem_free(value->watchers);
            value->watchers = next;
        }
    }
    while (config->renames) {
        struct config_rename *next = config->renames->next;
        mem_free(config->renames->from);
        mem_free(config->renames->to);
        mem_free(config->renames->where);
        mem_free(config->renames);
        config->renames = next;
    }
    mem_free(config->values);
    mem_free(config->file_path);
    mem_free(config);
}

/* ---- reading ---- */

static bool name_is(const char *name, struct bytes word) {
    return name && strlen(name) == word.len && strncasecmp(name, word.data, word.len) == 0;
}

struct config_value *config_find(const struct config *config, struct bytes name) {
    for (size_t i = 0; i < config->count; i++) {
        struct config_value *value = &config->values[i];
        if (name_is(value->row->name, name) || name_is(value->row->alias, name)) return value;
    }
    return NULL;
}

static struct config_value *find_own(const struct config *config, const char *name) {
    struct config_value *value = config_find(config, bytes_from_string(name));
    kn_require(value && strcmp(value->row->name, name) == 0);
    return value;
}

int64_t config_number(const struct config *config, const char *name) {
    return atomic_load_explicit(&find_own(config, name)->number, memory_order_relaxed);
}

char *config_text(struct config *config, const char *name) {
    struct config_value *value = find_own(config, name);
    lock_take(&config->lock);
    char *copy = mem_strdup(value->text);
    lock_give(&config->lock);
    return copy;
}

const char *config_peek(const struct config *config, const char *name) {
    return find_own(config, name)->text;
}

bool config_was_given(struct config *config, const char *name) {
    return find_own(config, name)->given;
}

const char *config_file_path(const struct config *config) {
    return config->file_path;
}

const struct config_rename *config_renames(const struct config *config) {
    return config->renames;
}

struct shown {
    const char *name, *text;
};

static int compare_shown(const void *left, const void *right) {
    return strcmp(((const struct shown *)left)->name, ((const struct shown *)right)->name);
}

static bool is_asked_for(const struct config_value *value, const char *name,
                         const struct bytes *patterns, size_t count) {
    bool matches = false;
    for (size_t p = 0; p < count && !matches; p++)
        matches = value->row->flags & CONFIG_UNSHOWN
                      ? name_is(name, patterns[p])
                      : glob_match(patterns[p], bytes_from_string(name), true);
    return matches;
}

void config_get(struct config *config, const struct bytes *patterns, size_t count,
                void (*found)(void *context, const char *name, const char *text), void *context) {
    struct shown *shown = mem_alloc(2 * config->count * sizeof *shown);
    size_t shown_count = 0;
    lock_take(&config->lock);
    for (size_t i = 0; i < config->count; i++) {
        const struct config_value *value = &config->values[i];
        const char *names[2] = {value->row->name, value->row->alias};
        for (int n = 0; n < 2 && names[n]; n++)
            if (is_asked_for(value, names[n], patterns, count))
                shown[shown_count++] = (struct shown){names[n], value->text};
    }
    qsort(shown, shown_count, sizeof *shown, compare_shown);
    for (size_t i = 0; i < shown_count; i++) found(context, shown[i].name, shown[i].text);
    lock_give(&config->lock);
    mem_free(shown);
}

/* ---- changing ---- */

void config_put(struct config_value *value, int64_t number, char *text) {
    mem_free(value->text);
    value->text = text;
    atomic_store_explicit(&value->number, number, memory_order_relaxed);
}

void config_correct(struct config *config, const char *name, int64_t number) {
    struct config_value *value = find_own(config, name);
    struct buffer text;
    buffer_init(&text, CONFIG_TEXT_MAX);
    kn_require(config_format(value->row, number, &text) && buffer_add(&text, "", 1) == 0);
    lock_take(&config->lock);
    config_put(value, number, mem_strdup(text.data));
    lock_give(&config->lock);
    buffer_done(&text);
}

void config_watch(struct config *config, const char *name, config_apply_fn *apply, void *context) {
    struct config_watcher **end = &find_own(config, name)->watchers;
    while (*end) end = &(*end)->next;
    *end = mem_alloc(sizeof **end);
    **end = (struct config_watcher){apply, context, NULL};
}

static const char *call_watchers(const struct config_value *value) {
    int64_t number = atomic_load_explicit(&value->number, memory_order_relaxed);
    for (struct config_watcher *watcher = value->watchers; watcher; watcher = watcher->next) {
        const char *error = watcher->apply(watcher->context, value->row->name, number, value->text);
        if (error) return error;
    }
    return NULL;
}

bool config_apply_all(struct config *config, struct config_error *error) {
    const char *reason = NULL;
    lock_take(&config->lock);
    for (size_t i = 0; i < config->count && !reason; i++) {
        reason = call_watchers(&config->values[i]);
        if (reason) config_fail(error, "%s: %s", config->values[i].row->name, reason);
    }
    lock_give(&config->lock);
    return reason == NULL;
}

/* A directive on its way from one value to another. */
struct pending {
    struct config_value *value;
    char *text; /* the new one; the old one once it is in place */
    int64_t number;
};

static void swap_value(struct pending *change) {
    char *text = change->value->text;
    int64_t number = atomic_load_explicit(&change->value->number, memory_order_relaxed);
    change->value->text = change->text;
    atomic_store_explicit(&change->value->number, change->number, memory_order_relaxed);
    change->text = text;
    change->number = number;
}

/* Finds the directive and parses its value. NULL, or an error. */
static const char *prepare(struct config *config, const struct config_change *wanted, bool local,
                           struct pending *ret_change) {
    struct config_value *value = ret_change->value;
    const struct config_row *row = value->row;
    struct config_words words;
    struct buffer text;
    if (row->flags & CONFIG_FIXED) return "can't set immutable config";
    if (row->flags & CONFIG_PROTECTED) {
        int64_t allowed = config_number(config, "enable-protected-configs");
        bool may = allowed == CONFIG_ACCESS_YES || (allowed == CONFIG_ACCESS_LOCAL && local);
        if (!may) return "can't set protected config";
    }
    if (wanted->value.len && memchr(wanted->value.data, '\0', wanted->value.len)) {
        return "argument can't contain zero bytes";
    }
    if (row->flags & CONFIG_WORDS && wanted->value.len) {
        if (!config_split(wanted->value, &words)) return "Unbalanced quotes in argument";
    } else {
        words.words = mem_alloc(sizeof *words.words);
        words.words[0] = mem_zalloc(wanted->value.len + 1);
        if (wanted->value.len) memcpy(words.words[0], wanted->value.data, wanted->value.len);
        words.count = 1;
    }
    buffer_init(&text, CONFIG_TEXT_MAX);
    const char *error = config_parse(value, words, false, &text, &ret_change->number);
    if (!error && buffer_add(&text, "", 1) != 0) error = "argument is too long";
    if (!error && row->flags & CONFIG_REFUSED && strcmp(text.data, value->initial) != 0) {
        error = "not supported yet";
    }
    if (!error) ret_change->text = mem_strdup(text.data);
    buffer_done(&text);
    config_words_done(&words);
    return error;
}

static void set_failed(struct config_error *error, const char *name, const char *reason) {
    config_fail(error, "ERR CONFIG SET failed (possibly related to argument '%s') - %s", name,
                reason);
}

static bool set_locked(struct config *config, const struct config_change *wanted,
                       struct pending *changes, size_t count, bool local,
                       struct config_error *error) {
    for (size_t i = 0; i < count; i++) {
        changes[i].value = config_find(config, wanted[i].name);
        if (!changes[i].value) {
            int shown = wanted[i].name.len < 128 ? (int)wanted[i].name.len : 128;
            config_fail(error, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                        shown, wanted[i].name.data);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *reason = NULL;
        for (size_t j = 0; j < i && !reason; j++) {
            /* Once under its name and once under its alias is allowed: the last one counts. */
            if (bytes_equal(wanted[i].name, wanted[j].name)) reason = "duplicate parameter";
        }
        if (!reason) reason = prepare(config, &wanted[i], local, &changes[i]);
        if (reason) {
            char name[64];
            snprintf(name, sizeof name, "%.*s",
                     (int)(wanted[i].name.len < 63 ? wanted[i].name.len : 63), wanted[i].name.data);
            set_failed(error, name, reason);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) swap_value(&changes[i]);
    for (size_t i = 0; i < count; i++) {
        const char *reason = call_watchers(changes[i].value);
        if (!reason) continue;
        set_failed(error, changes[i].value->row->name, reason);
        /* In reverse, so that a directive that was named twice ends with the first text it had. */
        for (size_t j = count; j-- > 0;) swap_value(&changes[j]);
        /* An owner that had a value before cannot well refuse it now;
         * there is nobody left to tell. */
        for (size_t j = 0; j < count; j++) call_watchers(changes[j].value);
        return false;
    }
    return true;
}

bool config_set(struct config *config, const struct config_change *changes, size_t count,
                bool local, struct config_error *error) {
    struct pending *pending = mem_zalloc((count ? count : 1) * sizeof *pending);
    lock_take(&config->lock);
    bool ok = set_locked(config, changes, pending, count, local, error);
    lock_give(&config->lock);
    for (size_t i = 0; i < count; i++) mem_free(pending[i].text);
    mem_free(pending);
    return ok;
}

/* ---- what was given in vain ---- */

void config_report(struct config *config, void (*say)(void *context, const char *line),
                   void *context) {
    char line[1024];
    struct buffer idle;
    buffer_init(&idle, sizeof line / 2);
    for (size_t i = 0; i < config->count; i++) {
        const struct config_value *value = &config->values[i];
        if (!value->given || (!value->row->waits && !value->row->idle)) continue;
        if (strcmp(value->text, value->initial) == 0) continue;
        if (value->row->waits) {
            snprintf(line, sizeof line, "%s: no effect yet, as %s is not built yet",
                     value->row->name, value->row->waits);
            say(context, line);
        } else if (buffer_printf(&idle, "%s%s", idle.len ? ", " : "", value->row->name) != 0) {
            break;
        }
    }
    if (idle.len) {
        snprintf(line, sizeof line, "Kept for CONFIG GET, without effect here: %.*s", (int)idle.len,
                 idle.data);
        say(context, line);
    }
    buffer_done(&idle);
}
