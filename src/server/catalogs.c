/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/catalogs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "catalog/matcher.h"
#include "catalog/read.h"
#include "server/aliases.h"
#include "server/server.h"
#include "server/transaction.h"
#include "store/patterns.h"
#include "store/shard.h"

enum { CATALOGS_MAX = 64 };

struct loaded {
    struct catalog *catalog;
    char *file;
    int64_t loaded_ms;
    _Atomic unsigned refs; /* being in the list, and each view that was compiled from it */
};

struct catalogs {
    struct lock lock; /* for the list; taken before shards */
    struct server *server;
    struct store *store;
    struct loaded *list[CATALOGS_MAX];
    size_t count;
    _Atomic unsigned shown; /* count, for those who have not the lock */
};

/* A compiled set, as the store holds it, and the table of aliases. */
struct compiled {
    _Atomic unsigned refs;
    struct matcher *matcher;
    unsigned *continues;
    struct loaded *parts[CATALOGS_MAX];
    size_t count;
};

struct catalogs *catalogs_new(struct server *server) {
    struct catalogs *catalogs = mem_zalloc(sizeof *catalogs);
    lock_init(&catalogs->lock);
    catalogs->server = server;
    catalogs->store = server->store;
    return catalogs;
}

static void loaded_unref(struct loaded *loaded) {
    if (atomic_fetch_sub(&loaded->refs, 1) > 1) return;
    catalog_free(loaded->catalog);
    mem_free(loaded->file);
    mem_free(loaded);
}

void catalogs_free(struct catalogs *catalogs) {
    for (size_t i = 0; i < catalogs->count; i++) loaded_unref(catalogs->list[i]);
    mem_free(catalogs);
}

static void compiled_release(void *context) {
    struct compiled *compiled = context;
    if (atomic_fetch_sub(&compiled->refs, 1) > 1) return;
    matcher_free(compiled->matcher);
    for (size_t i = 0; i < compiled->count; i++) loaded_unref(compiled->parts[i]);
    mem_free(compiled->continues);
    mem_free(compiled);
}

/* ---- compiling and putting in force ---- */

static int by_names(const void *a, const void *b, void *matcher) {
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
    int order = strcmp(matcher_catalog(matcher, left)->name, matcher_catalog(matcher, right)->name);
    if (order != 0) return order;
    return strcmp(matcher_pattern(matcher, left)->name, matcher_pattern(matcher, right)->name);
}

static unsigned *sorted_by_names(const struct matcher *matcher) {
    size_t count = matcher_pattern_count(matcher);
    unsigned *numbers = mem_alloc((count + 1) * sizeof *numbers);
    for (unsigned i = 0; i < count; i++) numbers[i] = i + 1;
    qsort_r(numbers, count, sizeof *numbers, by_names, (void *)(uintptr_t)matcher);
    return numbers;
}

/* For each number of a matcher, the one that the pattern of the same names
 * has in the matcher before. */
static unsigned *numbers_before(const struct matcher *before, const struct matcher *matcher) {
    size_t count = matcher_pattern_count(matcher), at = 0, old_count;
    unsigned *continues = mem_zalloc((count + 1) * sizeof *continues);
    if (before == NULL) return continues;
    unsigned *old = sorted_by_names(before), *fresh = sorted_by_names(matcher);
    old_count = matcher_pattern_count(before);
    for (size_t i = 0; i < count; i++) {
        const char *catalog = matcher_catalog(matcher, fresh[i])->name,
                   *name = matcher_pattern(matcher, fresh[i])->name;
        for (; at < old_count; at++) {
            int order = strcmp(matcher_catalog(before, old[at])->name, catalog);
            if (order == 0) order = strcmp(matcher_pattern(before, old[at])->name, name);
            if (order == 0) continues[fresh[i]] = old[at];
            if (order >= 0) break;
        }
    }
    mem_free(old);
    mem_free(fresh);
    return continues;
}

static struct compiled *compile(const struct catalogs *catalogs, struct loaded *const *list,
                                size_t count, struct diagnostics *diagnostics) {
    const struct catalog *parts[CATALOGS_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) parts[i] = list[i]->catalog;
    struct matcher *matcher = matcher_new(parts, count, diagnostics);
    if (matcher == NULL) return NULL;
    struct compiled *compiled = mem_zalloc(sizeof *compiled);
    compiled->refs = 1;
    compiled->matcher = matcher;
    compiled->count = count;
    for (size_t i = 0; i < count; i++) {
        compiled->parts[i] = list[i];
        atomic_fetch_add(&list[i]->refs, 1);
    }
    /* What is in force is replaced with the lock held only, which this thread has. */
    compiled->continues = numbers_before(store_matcher(catalogs->store), matcher);
    return compiled;
}

static struct alias_table *aliases_of(const struct catalogs *catalogs, struct compiled *compiled) {
    const struct alias_table *before = catalogs->server->aliases->current;
    struct alias_table *table = alias_table_new(compiled->matcher, compiled_release, compiled);
    if (table == NULL) return NULL;
    atomic_fetch_add(&compiled->refs, 1);
    for (unsigned i = 1; i <= matcher_pattern_count(compiled->matcher); i++)
        alias_table_continue(table, i, before, compiled->continues[i]);
    return table;
}

/* Keys may have other names from now on: what clients watch is not what they
 * watched. Every shard held. */
static void put_aliases_in_force(const struct catalogs *catalogs, struct alias_table *table) {
    struct aliases *aliases = catalogs->server->aliases;
    if (alias_table_same(aliases->current, table))
        alias_table_unref(table); /* names stay, and so does what was migrated */
    else if (aliases_replace(aliases, table))
        watch_all_changed(catalogs->server);
}

static bool put_in_force(const struct catalogs *catalogs, struct loaded *const *list, size_t count,
                         struct diagnostics *diagnostics) {
    struct compiled *compiled = compile(catalogs, list, count, diagnostics);
    if (compiled == NULL) return false;
    struct catalogs_in_force in_force = {
        .matcher = compiled->matcher,
        .continues = compiled->continues,
        .release = compiled_release,
        .context = compiled,
    };
    struct shard_set all;
    struct alias_table *aliases = aliases_of(catalogs, compiled);
    shard_set_fill(&all);
    const char *why = "a script is running that takes long";
    bool done = false;
    if (store_take(catalogs->store, &all)) {
        done = store_set_catalogs(catalogs->store, &in_force);
        if (done) put_aliases_in_force(catalogs, aliases);
        store_give(catalogs->store, &all);
        why = "many earlier loads and purges are still being worked off";
    }
    if (done) return true;
    alias_table_unref(aliases);
    compiled_release(compiled);
    diagnostics_add(diagnostics, SEVERITY_ERROR, "busy", (struct place){0}, "%s", why);
    diagnostics_remedy(diagnostics, "try again in a moment");
    return false;
}

/* ---- loading and unloading ---- */

static size_t find(const struct catalogs *catalogs, struct bytes name) {
    size_t i = 0;
    while (i < catalogs->count &&
           !bytes_equal(bytes_from_string(catalogs->list[i]->catalog->name), name))
        i++;
    return i;
}

/* Puts `fresh` in place `at` of the list, or takes that place away (NULL). */
static bool replace(struct catalogs *catalogs, size_t at, struct loaded *fresh,
                    struct diagnostics *diagnostics) {
    struct loaded *list[CATALOGS_MAX + 1], *old = NULL;
    size_t count = catalogs->count;
    memcpy(list, catalogs->list, count * sizeof *list);
    if (at < count) old = list[at];
    if (fresh == NULL)
        memmove(list + at, list + at + 1, (--count - at) * sizeof *list);
    else
        list[at] = fresh;
    if (at == count && fresh != NULL && ++count > CATALOGS_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "too-many", (struct place){0},
                        "%d catalogs are loaded already", CATALOGS_MAX);
        diagnostics_remedy(diagnostics, "unload one first");
        return false;
    }
    if (!put_in_force(catalogs, list, count, diagnostics)) return false;
    memcpy(catalogs->list, list, count * sizeof *list);
    catalogs->count = count;
    atomic_store(&catalogs->shown, (unsigned)count);
    if (old != NULL) loaded_unref(old);
    return true;
}

/* A mode for a catalog that nobody else knows yet. What it states itself stands. */
static void set_mode(struct catalog *catalog, enum catalog_mode mode,
                     struct diagnostics *diagnostics) {
    if (mode == MODE_INHERITED) return;
    if (catalog->mode == MODE_INHERITED) {
        catalog->mode = mode;
    } else if (catalog->mode != mode) {
        diagnostics_add(
            diagnostics, SEVERITY_WARNING, "mode-stated", (struct place){.file = catalog->file},
            "the catalog states its mode, '%s', which stands", mode_names[catalog->mode]);
        diagnostics_remedy(diagnostics, "change it there, or leave it out");
    }
}

bool catalogs_load(struct catalogs *catalogs, struct bytes path, enum catalog_mode mode,
                   struct diagnostics *diagnostics, char *ret_name, size_t room) {
    struct loaded *loaded = mem_zalloc(sizeof *loaded);
    loaded->file = mem_alloc(path.len + 1);
    memcpy(loaded->file, path.data, path.len);
    loaded->file[path.len] = '\0';
    loaded->refs = 1;
    loaded->loaded_ms = clock_realtime_ms();
    loaded->catalog = catalog_read(loaded->file, diagnostics);
    bool done = loaded->catalog != NULL;
    if (done) {
        set_mode(loaded->catalog, mode, diagnostics);
        lock_take(&catalogs->lock);
        struct bytes name = bytes_from_string(loaded->catalog->name);
        done = replace(catalogs, find(catalogs, name), loaded, diagnostics);
        if (done) snprintf(ret_name, room, "%s", loaded->catalog->name);
        lock_give(&catalogs->lock);
    }
    if (!done) loaded_unref(loaded);
    return done;
}

bool catalogs_unload(struct catalogs *catalogs, struct bytes name,
                     struct diagnostics *diagnostics) {
    lock_take(&catalogs->lock);
    size_t at = find(catalogs, name);
    bool done = at < catalogs->count && replace(catalogs, at, NULL, diagnostics);
    lock_give(&catalogs->lock);
    return done;
}

/* ---- listing ---- */

unsigned catalogs_count(const struct catalogs *catalogs) {
    return atomic_load(&catalogs->shown);
}

void catalogs_each(struct catalogs *catalogs,
                   void (*visit)(void *context, const struct catalog_listing *listing),
                   void *context) {
    lock_take(&catalogs->lock);
    for (size_t i = 0; i < catalogs->count; i++) {
        const struct loaded *loaded = catalogs->list[i];
        struct catalog_listing listing = {
            .catalog = loaded->catalog,
            .file = loaded->file,
            .loaded_ms = loaded->loaded_ms,
        };
        for (size_t p = 0; p < loaded->catalog->pattern_count; p++)
            *(loaded->catalog->patterns[p].kind == PATTERN_KEY ? &listing.keys
                                                               : &listing.channels) += 1;
        visit(context, &listing);
    }
    lock_give(&catalogs->lock);
}

const struct matcher *catalogs_hold(struct catalogs *catalogs) {
    lock_take(&catalogs->lock);
    return store_matcher(catalogs->store);
}

void catalogs_let(struct catalogs *catalogs) {
    lock_give(&catalogs->lock);
}
