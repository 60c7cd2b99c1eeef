/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/library.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/lock.h"
#include "base/memory.h"
#include "proto/inline.h"
#include "server/stats.h"

enum { SHOWN_MAX = 128 };

struct libraries {
    _Atomic uint64_t epoch;
    struct lock lock;
    struct chain all;
};

static const char BAD_NAME[] = "Library names can only contain letters, numbers, or underscores(_) "
                               "and must be at least one character long";

struct libraries *libraries_new(void) {
    struct libraries *libraries = mem_zalloc(sizeof *libraries);
    chain_init(&libraries->all);
    return libraries;
}

void libraries_free(struct libraries *libraries) {
    libraries_flush(libraries);
    mem_free(libraries);
}

/* ---- one library ---- */

static char *copy_text(struct bytes text) {
    char *copy = mem_alloc(text.len + 1);
    if (text.len) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

bool library_name_is_good(struct bytes name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_')
            return false;
    }
    return name.len > 0;
}

static int shown(struct bytes word) {
    return (int)(word.len < SHOWN_MAX ? word.len : SHOWN_MAX);
}

/* Finds the name in a library's first line. */
static bool parse_first_line(struct bytes line, struct bytes *ret_name,
                             char error[LIBRARY_ERROR_MAX]) {
    struct inline_words words;
    struct bytes word = {0}, name = {0};
    bool named = false;
    int found;
    inline_begin(&words, (char *)(uintptr_t)line.data, line.len);
    if (inline_next(&words, &word) != 1) word = BYTES("#!");
    struct bytes engine = bytes_make(word.data + 2, word.len - 2);
    while ((found = inline_next(&words, &word)) == 1) {
        if (word.len < 5 || memcmp(word.data, "name=", 5) != 0) {
            snprintf(error, LIBRARY_ERROR_MAX, "Invalid metadata value given: %.*s", shown(word),
                     word.data);
            return false;
        }
        if (named) {
            snprintf(error, LIBRARY_ERROR_MAX,
                     "Invalid metadata value, name argument was given multiple times");
            return false;
        }
        named = true;
        name = bytes_make(word.data + 5, word.len - 5);
    }
    if (found != 0) {
        snprintf(error, LIBRARY_ERROR_MAX, "Invalid library metadata");
    } else if (!named) {
        snprintf(error, LIBRARY_ERROR_MAX, "Library name was not given");
    } else if (!library_name_is_good(name)) {
        snprintf(error, LIBRARY_ERROR_MAX, "%s", BAD_NAME);
    } else if (!bytes_is_word(engine, "lua")) {
        snprintf(error, LIBRARY_ERROR_MAX, "Engine '%.*s' not found", shown(engine), engine.data);
    } else {
        *ret_name = name;
        return true;
    }
    return false;
}

struct library *library_new(struct bytes source, char error[LIBRARY_ERROR_MAX]) {
    struct bytes name;
    if (source.len < 2 || memcmp(source.data, "#!", 2) != 0) {
        snprintf(error, LIBRARY_ERROR_MAX, "Missing library metadata");
        return NULL;
    }
    const char *end = memchr(source.data, '\n', source.len);
    if (end == NULL) {
        snprintf(error, LIBRARY_ERROR_MAX, "Invalid library metadata");
        return NULL;
    }
    size_t line_len = (size_t)(end - source.data);
    char *line = copy_text(bytes_make(source.data, line_len)); /* its words are unquoted in place */
    struct library *library = NULL;
    if (parse_first_line(bytes_make(line, line_len), &name, error)) {
        library = mem_try_alloc(sizeof *library + source.len);
        if (library == NULL)
            snprintf(error, LIBRARY_ERROR_MAX, "out of memory");
        else
            *library = (struct library){.name = copy_text(name), .skipped = line_len};
    }
    mem_free(line);
    if (library == NULL) return NULL;
    atomic_init(&library->holders, 1);
    memcpy(library->text, source.data, source.len);
    library->source = bytes_make(library->text, source.len);
    return library;
}

struct library *library_hold(struct library *library) {
    atomic_fetch_add_explicit(&library->holders, 1, memory_order_relaxed);
    return library;
}

void library_drop(struct library *library) {
    if (atomic_fetch_sub_explicit(&library->holders, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < library->count; i++) {
        mem_free(library->functions[i]->name);
        mem_free(library->functions[i]->description);
        mem_free(library->functions[i]);
    }
    mem_free(library->functions);
    mem_free(library->name);
    mem_free(library);
}

struct library_function *library_find(const struct library *library, struct bytes name,
                                      uint32_t *ret_index) {
    for (uint32_t i = 0; i < library->count; i++) {
        struct library_function *function = library->functions[i];
        if (strlen(function->name) != name.len ||
            strncasecmp(function->name, name.data, name.len) != 0)
            continue;
        if (ret_index != NULL) *ret_index = i;
        return function;
    }
    return NULL;
}

void library_add(struct library *library, struct bytes name, const struct bytes *description,
                 unsigned flags) {
    struct library_function *function = mem_zalloc(sizeof *function);
    *function = (struct library_function){.name = copy_text(name), .flags = flags};
    if (description != NULL) function->description = copy_text(*description);
    library->functions =
        mem_realloc(library->functions, (library->count + 1) * sizeof(struct library_function *));
    library->functions[library->count++] = function;
}

/* ---- all of them: the lock is held ---- */

static struct library *find_library(struct libraries *libraries, struct bytes name) {
    CHAIN_EACH(&libraries->all, struct library, link, library)
    if (bytes_equal(bytes_from_string(library->name), name)) return library;
    return NULL;
}

static void remove_library(struct libraries *libraries, struct library *library) {
    chain_remove(&libraries->all, &library->link);
    stats_add(STAT_LIBRARIES, -1);
    stats_add(STAT_FUNCTIONS, -(int64_t)library->count);
    stats_add(STAT_LIBRARY_BYTES, -(int64_t)(sizeof *library + library->source.len));
    atomic_store_explicit(&library->dropped, true, memory_order_release);
    library_drop(library);
}

static void enter_library(struct libraries *libraries, struct library *library) {
    chain_add_last(&libraries->all, &library->link);
    stats_add(STAT_LIBRARIES, 1);
    stats_add(STAT_FUNCTIONS, library->count);
    stats_add(STAT_LIBRARY_BYTES, (int64_t)(sizeof *library + library->source.len));
    library_hold(library);
}

static bool names_of_functions_clash(const struct library *a, const struct library *b,
                                     char error[LIBRARY_ERROR_MAX]) {
    for (uint32_t i = 0; i < a->count; i++) {
        struct bytes name = bytes_from_string(a->functions[i]->name);
        if (library_find(b, name, NULL) == NULL) continue;
        snprintf(error, LIBRARY_ERROR_MAX, "Function %s already exists", a->functions[i]->name);
        return true;
    }
    return false;
}

/* Whether a library may stand beside those that are there, and those before it in the same lot. */
static bool fits(struct libraries *libraries, struct library *const *added, size_t index,
                 enum library_policy policy, char error[LIBRARY_ERROR_MAX]) {
    const struct library *library = added[index];
    for (size_t i = 0; i < index; i++) {
        if (strcmp(added[i]->name, library->name) == 0) {
            snprintf(error, LIBRARY_ERROR_MAX, "Library %s already exists", library->name);
            return false;
        }
        if (names_of_functions_clash(library, added[i], error)) return false;
    }
    if (policy == LIBRARY_FLUSH) return true;
    CHAIN_EACH(&libraries->all, struct library, link, there) {
        if (strcmp(there->name, library->name) == 0) {
            if (policy == LIBRARY_REPLACE) continue;
            snprintf(error, LIBRARY_ERROR_MAX, "Library %s already exists", library->name);
            return false;
        }
        /* One that another of the lot replaces does not count. */
        bool goes = false;
        for (size_t i = 0; policy == LIBRARY_REPLACE && added[i] != library; i++)
            goes |= strcmp(added[i]->name, there->name) == 0;
        if (!goes && names_of_functions_clash(library, there, error)) return false;
    }
    return true;
}

bool libraries_publish(struct libraries *libraries, struct library *const *added, size_t count,
                       enum library_policy policy, char error[LIBRARY_ERROR_MAX]) {
    bool good = true;
    lock_take(&libraries->lock);
    for (size_t i = 0; i < count && good; i++) good = fits(libraries, added, i, policy, error);
    if (good) {
        if (policy == LIBRARY_FLUSH) CHAIN_EACH(&libraries->all, struct library, link, library)
        remove_library(libraries, library);
        for (size_t i = 0; i < count; i++) {
            struct library *old = find_library(libraries, bytes_from_string(added[i]->name));
            if (old != NULL) remove_library(libraries, old);
            enter_library(libraries, added[i]);
        }
        atomic_fetch_add(&libraries->epoch, 1);
    }
    lock_give(&libraries->lock);
    return good;
}

bool libraries_delete(struct libraries *libraries, struct bytes name) {
    lock_take(&libraries->lock);
    struct library *library = find_library(libraries, name);
    if (library != NULL) remove_library(libraries, library);
    atomic_fetch_add(&libraries->epoch, 1);
    lock_give(&libraries->lock);
    return library != NULL;
}

void libraries_flush(struct libraries *libraries) {
    lock_take(&libraries->lock);
    CHAIN_EACH(&libraries->all, struct library, link, library) remove_library(libraries, library);
    atomic_fetch_add(&libraries->epoch, 1);
    lock_give(&libraries->lock);
}

bool libraries_has(struct libraries *libraries, struct bytes name) {
    lock_take(&libraries->lock);
    bool has = find_library(libraries, name) != NULL;
    lock_give(&libraries->lock);
    return has;
}

struct library *libraries_find_function(struct libraries *libraries, struct bytes name,
                                        uint32_t *ret_index) {
    struct library *found = NULL;
    lock_take(&libraries->lock);
    CHAIN_EACH(&libraries->all, struct library, link, library) {
        if (library_find(library, name, ret_index) == NULL) continue;
        found = library_hold(library);
        break;
    }
    lock_give(&libraries->lock);
    return found;
}

void libraries_count(struct libraries *libraries, size_t *ret_libraries, size_t *ret_functions) {
    lock_take(&libraries->lock);
    *ret_libraries = libraries->all.count;
    *ret_functions = 0;
    CHAIN_EACH(&libraries->all, struct library, link, library) *ret_functions += library->count;
    lock_give(&libraries->lock);
}

uint64_t libraries_epoch(const struct libraries *libraries) {
    return atomic_load_explicit(&libraries->epoch, memory_order_acquire);
}

struct library **libraries_all(struct libraries *libraries, size_t *ret_count) {
    size_t count = 0;
    lock_take(&libraries->lock);
    struct library **all = mem_alloc((libraries->all.count + 1) * sizeof(struct library *));
    CHAIN_EACH(&libraries->all, struct library, link, library)
    all[count++] = library_hold(library);
    lock_give(&libraries->lock);
    *ret_count = count;
    return all;
}
