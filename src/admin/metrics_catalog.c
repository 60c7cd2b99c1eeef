/* SPDX-License-Identifier: BSD-3-Clause */
#include "admin/metrics_catalog.h"

#include "server/catalog_figures.h"

struct pattern_family {
    const char *name, *help;
    enum tally_count count;
};

static const struct pattern_family counted[] = {
    {"keynome_pattern_hits_total", "Reads of keys that were there, by pattern.", TALLY_HITS},
    {"keynome_pattern_misses_total", "Reads of keys that were not there, by pattern.",
     TALLY_MISSES},
    {"keynome_pattern_writes_total", "Writes to keys, by pattern.", TALLY_WRITES},
    {"keynome_pattern_expired_total", "Keys whose lifetime ended, by pattern.", TALLY_EXPIRED},
    {"keynome_pattern_evicted_total", "Keys that left because memory was full, by pattern.",
     TALLY_EVICTED},
    {"keynome_pattern_purged_total", "Keys that purges took, by pattern.", TALLY_PURGED},
    {"keynome_pattern_violations_total", "What was done against the catalog, by pattern.",
     TALLY_VIOLATIONS},
};
_Static_assert(sizeof counted / sizeof *counted == TALLY_COUNTS, "a family for each count");

/* The labels of a pattern; keys that match none have an empty catalog,
 * which is as good as no label. */
static void with_labels(const struct pattern_figures *pattern, struct label labels[2]) {
    labels[0] = (struct label){"catalog", pattern->catalog};
    labels[1] = (struct label){"pattern", pattern->name};
}

static void write_held(struct exposition *exposition, const struct catalog_figures *figures) {
    struct label labels[2];
    exposition_family(exposition, "keynome_pattern_keys", METRIC_GAUGE, "Keys, by pattern.");
    for (size_t i = 0; i < figures->count; i++) {
        with_labels(&figures->patterns[i], labels);
        exposition_int(exposition, labels, 2, figures->patterns[i].statistics.sums.keys);
    }
    exposition_family(exposition, "keynome_pattern_bytes", METRIC_GAUGE,
                      "Memory of keys and their values, by pattern.");
    for (size_t i = 0; i < figures->count; i++) {
        with_labels(&figures->patterns[i], labels);
        exposition_int(exposition, labels, 2, figures->patterns[i].statistics.sums.bytes);
    }
    exposition_family(exposition, "keynome_pattern_operations_per_second", METRIC_GAUGE,
                      "Hits, misses and writes a second over the last seconds, by pattern.");
    for (size_t i = 0; i < figures->count; i++) {
        with_labels(&figures->patterns[i], labels);
        exposition_double(exposition, labels, 2, figures->patterns[i].statistics.operations_s);
    }
}

static void write_counted(struct exposition *exposition, const struct catalog_figures *figures,
                          const struct pattern_family *family) {
    struct label labels[2];
    exposition_family(exposition, family->name, METRIC_COUNTER, family->help);
    for (size_t i = 0; i < figures->count; i++) {
        const int64_t *counts = figures->patterns[i].statistics.sums.counts;
        with_labels(&figures->patterns[i], labels);
        exposition_int(exposition, labels, 2, counts[family->count]);
    }
}

void metrics_write_catalog(struct exposition *exposition, const struct catalog_figures *figures) {
    const struct {
        const char *name, *help;
        int64_t value;
    } sums[] = {
        {"keynome_catalogs_loaded", "Catalogs that are loaded.", figures->catalogs},
        {"keynome_catalog_patterns", "Patterns of keys in force.",
         figures->count ? (int64_t)figures->count - 1 : 0},
        {"keynome_catalog_channels", "Patterns of channels in force.", (int64_t)figures->channels},
        {"keynome_catalog_settling", "Whether keys are being matched again, or purged.",
         figures->settling.going_on},
        {"keynome_catalog_keys_to_purge", "Keys that were purged and whose memory is not back yet.",
         (int64_t)figures->settling.dead_keys},
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        exposition_family(exposition, sums[i].name, METRIC_GAUGE, sums[i].help);
        exposition_int(exposition, NULL, 0, sums[i].value);
    }
    write_held(exposition, figures);
    for (size_t i = 0; i < TALLY_COUNTS; i++) write_counted(exposition, figures, &counted[i]);
}
