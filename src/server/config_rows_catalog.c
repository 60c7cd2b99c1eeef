/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: the catalog. */
#include "server/config_row.h"

static const struct config_row rows[] = {
    {"catalog", CONFIG_SPECIAL, "",
     "files of catalogs (.yaml, .yml) or documents (.md) to load at the start; CATALOG LOAD loads "
     "more",
     .special = &config_special_catalog, .flags = CONFIG_WORDS | CONFIG_FIXED},
};

const struct config_rows config_rows_catalog = {rows, sizeof rows / sizeof *rows, "Catalog"};
