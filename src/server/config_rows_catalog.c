/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: the catalog, and who looks at what it counts. */
#include "catalog/model.h"
#include "server/config_row.h"

static const struct config_word mode_words[] = {
    {"off", MODE_OFF}, {"observe", MODE_OBSERVE}, {"enforce", MODE_ENFORCE}, {NULL, 0}};

static const struct config_row rows[] = {
    {"catalog", CONFIG_SPECIAL, "",
     "files of catalogs (.yaml, .yml) or documents (.md) to load at the start; CATALOG LOAD loads "
     "more",
     .special = &config_special_catalog, .flags = CONFIG_WORDS | CONFIG_FIXED | CONFIG_QUOTED},
    {"catalog-mode", CONFIG_ENUM, "observe",
     "what is done about violations of catalogs and documents that state no mode: off (counted "
     "only), observe (noted), enforce (refused)",
     .words = mode_words},
    {"metrics-port", CONFIG_INT, "0", "HTTP port for Prometheus: /metrics and /healthz; 0 for none",
     .min = 0, .max = 65535, .flags = CONFIG_FIXED},
    {"metrics-bind", CONFIG_STRING, "127.0.0.1",
     "address that the metrics port listens on; whoever reaches it may read the metrics",
     .flags = CONFIG_FIXED},
};

const struct config_rows config_rows_catalog = {rows, sizeof rows / sizeof *rows, "Catalog"};
