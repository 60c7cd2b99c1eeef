/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The section of INFO about the catalog: a summary, and a line for each pattern, as commandstats
 * has one for each command.
 */
#include <stdio.h>
#include <string.h>

#include "server/catalog_figures.h"
#include "server/info.h"

enum { FIELD_NAME_MAX = 1024 };

/* Without what parts fields from values and lines from one another. */
static void write_field_name(const struct pattern_figures *pattern, char *ret_name) {
    if (pattern->has_namesake)
        snprintf(ret_name, FIELD_NAME_MAX, "pattern_%s/%s", pattern->catalog, pattern->name);
    else
        snprintf(ret_name, FIELD_NAME_MAX, "pattern_%s", pattern->name);
    for (char *c = ret_name; *c; c++)
        if ((unsigned char)*c < ' ' || strchr(":# \x7f", *c)) *c = '_';
}

static void pattern_field(const struct info *info, const struct pattern_figures *pattern) {
    const struct tally_sums *sums = &pattern->statistics.sums;
    const int64_t *counts = sums->counts;
    char field[FIELD_NAME_MAX];
    write_field_name(pattern, field);
    info_field(info, field,
               "keys=%lld,bytes=%lld,hits=%lld,misses=%lld,writes=%lld,expired=%lld,"
               "evicted=%lld,purged=%lld,violations=%lld",
               (long long)sums->keys, (long long)sums->bytes, (long long)counts[TALLY_HITS],
               (long long)counts[TALLY_MISSES], (long long)counts[TALLY_WRITES],
               (long long)counts[TALLY_EXPIRED], (long long)counts[TALLY_EVICTED],
               (long long)counts[TALLY_PURGED], (long long)counts[TALLY_VIOLATIONS]);
}

void info_catalog_section(const struct info *info) {
    struct catalog_figures figures;
    struct tally_sums unmatched = {0};
    /* INFO is not run when a script holds shards for long, so there is no waiting for one. */
    if (!catalog_figures_take(info->server, info->shards_held ? FIGURES_HELD : FIGURES_WAIT,
                              &figures))
        return;
    if (figures.count > 0) unmatched = figures.patterns[0].statistics.sums;
    info_field(info, "catalogs_loaded", "%u", figures.catalogs);
    info_field(info, "catalog_patterns", "%zu", figures.count ? figures.count - 1 : 0);
    info_field(info, "catalog_channels", "%zu", figures.channels);
    info_field(info, "catalog_unmatched_keys", "%lld", (long long)unmatched.keys);
    info_field(info, "catalog_unmatched_bytes", "%lld", (long long)unmatched.bytes);
    info_field(info, "catalog_violations", "%lld", (long long)figures.violations);
    info_field(info, "catalog_settling", "%d", figures.settling.going_on);
    info_field(info, "catalog_keys_to_purge", "%zu", figures.settling.dead_keys);
    for (size_t i = 1; i < figures.count; i++) pattern_field(info, &figures.patterns[i]);
    catalog_figures_done(&figures);
}
