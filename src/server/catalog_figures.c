/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/catalog_figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "server/catalogs.h"
#include "server/server.h"
#include "store/shard.h"

static char *copy(char **end, const char *text) {
    size_t size = strlen(text) + 1;
    char *start = memcpy(*end, text, size);
    *end += size;
    return start;
}

/* Bytes for all names: a catalog's once, as its patterns follow one another. */
static size_t text_bytes(const struct matcher *matcher, size_t count) {
    const struct catalog *catalog = NULL;
    size_t bytes = 0;
    for (unsigned i = 1; i <= count; i++) {
        if (matcher_catalog(matcher, i) != catalog)
            bytes += strlen((catalog = matcher_catalog(matcher, i))->name) + 1;
        bytes += strlen(matcher_pattern(matcher, i)->name) + 1;
    }
    return bytes;
}

static void copy_patterns(const struct matcher *matcher, const struct pattern_statistics *all,
                          struct catalog_figures *figures) {
    size_t count = matcher_pattern_count(matcher);
    const struct catalog *catalog = NULL;
    const char *catalog_name = "";
    char *end = figures->text = mem_alloc(text_bytes(matcher, count) + 1);
    figures->patterns[figures->count++] =
        (struct pattern_figures){.catalog = "", .name = CATALOG_UNMATCHED, .statistics = all[0]};
    for (unsigned i = 1; i <= count; i++) {
        const struct pattern *pattern = matcher_pattern(matcher, i);
        if (matcher_catalog(matcher, i) != catalog)
            catalog_name = copy(&end, (catalog = matcher_catalog(matcher, i))->name);
        if (pattern->kind != PATTERN_KEY) {
            figures->channels++;
            continue;
        }
        figures->patterns[figures->count++] = (struct pattern_figures){
            .catalog = catalog_name, .name = copy(&end, pattern->name), .statistics = all[i]};
    }
}

static void take(struct shard *shard, void *context) {
    struct catalog_figures *figures = context;
    struct store *store = shard->store;
    const struct matcher *matcher = store_matcher(store);
    figures->settling = store_settling(store);
    if (matcher == NULL) return;
    size_t numbers = matcher_pattern_count(matcher) + 1;
    struct pattern_statistics *all = mem_alloc(numbers * sizeof *all);
    figures->patterns = mem_alloc(numbers * sizeof *figures->patterns);
    store_pattern_statistics(store, all);
    copy_patterns(matcher, all, figures);
    mem_free(all);
}

static int by_name(const void *a, const void *b) {
    const struct pattern_figures *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static void find_namesakes(struct catalog_figures *figures) {
    struct pattern_figures **sorted = mem_alloc((figures->count + 1) * sizeof *sorted);
    for (size_t i = 0; i < figures->count; i++) sorted[i] = &figures->patterns[i];
    qsort(sorted, figures->count, sizeof(struct pattern_figures *), by_name);
    for (size_t i = 1; i < figures->count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0) continue;
        sorted[i - 1]->has_namesake = sorted[i]->has_namesake = true;
    }
    mem_free((void *)sorted);
}

/* The cells of several threads are added one after the other: while a key moves from one pattern to
 * another, the sum may be off by it, and below zero. */
static int64_t not_negative(int64_t sum) {
    return sum > 0 ? sum : 0;
}

bool catalog_figures_take(struct server *server, enum figures_access access,
                          struct catalog_figures *ret_figures) {
    struct catalog_figures figures = {.catalogs = catalogs_count(server->catalogs)};
    bool taken = access == FIGURES_IF_FREE
                     ? store_visit_if_free(server->store, 0, take, &figures)
                     : store_visit(server->store, 0, access == FIGURES_HELD, take, &figures);
    if (!taken) return false;
    for (size_t i = 0; i < figures.count; i++) {
        struct tally_sums *sums = &figures.patterns[i].statistics.sums;
        sums->keys = not_negative(sums->keys);
        sums->bytes = not_negative(sums->bytes);
        figures.violations += sums->counts[TALLY_VIOLATIONS];
    }
    find_namesakes(&figures);
    *ret_figures = figures;
    return true;
}

void catalog_figures_done(struct catalog_figures *figures) {
    mem_free(figures->patterns);
    mem_free(figures->text);
    *figures = (struct catalog_figures){0};
}
