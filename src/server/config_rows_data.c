/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: snapshots and the journal. */
#include <limits.h>

#include "server/config_row.h"

static const struct config_word fsync_words[] = {
    {"everysec", 1}, {"always", 2}, {"no", 0}, {NULL, 0}};
static const struct config_word sanitize_words[] = {
    {"no", 0}, {"yes", 1}, {"clients", 2}, {NULL, 0}};
static const struct config_word version_words[] = {{"strict", 0}, {"relaxed", 1}, {NULL, 0}};

#define PERSIST .waits = "persistence"

static const struct config_row rows[] = {
    {"save", CONFIG_SPECIAL, "", "seconds and changes after which a snapshot is taken",
     .special = &config_special_save, .flags = CONFIG_WORDS, PERSIST},
    {"stop-writes-on-bgsave-error", CONFIG_BOOL, "yes", "refuse writes while snapshots fail",
     PERSIST, .flags = 0},
    {"rdbcompression", CONFIG_BOOL, "yes", "compress strings in snapshots and DUMP payloads",
     .flags = 0},
    {"rdbchecksum", CONFIG_BOOL, "yes", "end a snapshot with a checksum", .flags = CONFIG_FIXED,
     PERSIST},
    {"rdb-version-check", CONFIG_ENUM, "strict", "refuse snapshots of a newer format",
     .words = version_words, PERSIST},
    {"sanitize-dump-payload", CONFIG_ENUM, "no", "check payloads of RESTORE and snapshots in depth",
     .words = sanitize_words, .idle = "payloads are always checked in depth"},
    {"dbfilename", CONFIG_SPECIAL, "dump.rdb", "name of the snapshot's file",
     .special = &config_special_plain_name, .flags = CONFIG_PROTECTED, PERSIST},
    {"rdb-del-sync-files", CONFIG_BOOL, "no", "delete snapshots made for replicas", PERSIST},
    {"rdb-save-incremental-fsync", CONFIG_BOOL, "yes", "flush snapshots to disk as they grow",
     PERSIST, .flags = 0},

    {"appendonly", CONFIG_BOOL, "no", "keep a journal", .flags = CONFIG_REFUSED, PERSIST},
    {"appendfilename", CONFIG_SPECIAL, "appendonly.aof", "name of the journal's files",
     .special = &config_special_plain_name, .flags = CONFIG_FIXED, PERSIST},
    {"appenddirname", CONFIG_SPECIAL, "appendonlydir", "their folder",
     .special = &config_special_plain_name, .flags = CONFIG_FIXED, PERSIST},
    {"appendfsync", CONFIG_ENUM, "everysec", "when the journal reaches the disk",
     .words = fsync_words, PERSIST},
    {"no-appendfsync-on-rewrite", CONFIG_BOOL, "no", "no flush while a rewrite runs", PERSIST},
    {"auto-aof-rewrite-percentage", CONFIG_INT, "100",
     "growth after which the journal is rewritten", .min = 0, .max = INT_MAX, PERSIST},
    {"auto-aof-rewrite-min-size", CONFIG_MEMORY, "64mb", "size below which it is not", PERSIST},
    {"aof-load-truncated", CONFIG_BOOL, "yes", "load a journal whose end is missing", PERSIST},
    {"aof-use-rdb-preamble", CONFIG_BOOL, "yes", "begin a rewritten journal with a snapshot",
     PERSIST, .flags = 0},
    {"aof-timestamp-enabled", CONFIG_BOOL, "no", "write times into the journal", PERSIST},
    {"aof-rewrite-incremental-fsync", CONFIG_BOOL, "yes", "flush a rewrite to disk as it grows",
     PERSIST, .flags = 0},
    {"aof-disable-auto-gc", CONFIG_BOOL, "no", "keep old files of the journal", PERSIST},
};

const struct config_rows config_rows_data = {rows, sizeof rows / sizeof *rows,
                                             "Snapshots and journal"};
