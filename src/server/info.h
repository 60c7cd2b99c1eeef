/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INFO: what the server says of itself, in Redis's sections and fields.
 *
 * What: sections, each with a function that writes its fields. Values come from
 *       their owners when asked.
 * Always: sections come in one order, each at most once, however they are asked for.
 * Owner: nobody keeps anything, but for what was noted at the start. Lock: takes shards one at a
 *        time, unless all are held already, and the registry's.
 * Errors: when the buffer is at its maximum, what does not fit is missing.
 */
#ifndef KN_SERVER_INFO_H
#define KN_SERVER_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct server;

/* Notes what counts as the server's own memory, and makes its run id: once,
 * before clients are served. */
void info_note_start(void);
/* 40 hexadecimal digits, different at each start, by which a replica would
 * know this data's history. */
const char *info_replication_id(void);

struct info {
    struct buffer *out;
    struct server *server;
    bool shards_held; /* all of them, by the caller */
    int64_t now_ms;
};

/* Sections by name; also "default", "all" and "everything". None: the default ones. */
void info_write(const struct info *info, const struct bytes *sections, size_t count);

/* ---- for the writers of sections ---- */

void info_field(const struct info *info, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Bytes, and once more as name_human, for people. */
void info_bytes(const struct info *info, const char *name, uint64_t bytes);
/* Fields that are 0 because what they count is not built yet; the list ends with NULL. */
void info_zeros(const struct info *info, const char *const *names);

/* info_system.c, info_activity.c and info_catalog.c */
void info_server_section(const struct info *info);
void info_clients_section(const struct info *info);
void info_memory_section(const struct info *info);
void info_cpu_section(const struct info *info);
void info_persistence_section(const struct info *info);
void info_stats_section(const struct info *info);
void info_replication_section(const struct info *info);
void info_modules_section(const struct info *info);
void info_commandstats_section(const struct info *info);
void info_errorstats_section(const struct info *info);
void info_latencystats_section(const struct info *info);
void info_cluster_section(const struct info *info);
void info_keyspace_section(const struct info *info);
void info_catalog_section(const struct info *info);

#endif
