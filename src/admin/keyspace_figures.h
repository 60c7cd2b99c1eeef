/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is counted in the keyspace, read for a thread that may not look there.
 *
 * What: shards belong to the workers (one worker alone does not even lock them). So another
 *       thread asks the first worker, by mail, to read them: in short steps, between which the
 *       worker serves its clients.
 * Always: the worker never waits for a shard: what is not free is tried again a moment later. It
 *         gives at most a quarter of its time to reading. Whoever asks waits no longer than
 *         FIGURES_WAIT_MS, and not at all once keyspace_reader_stop was called.
 * Owner: whoever reads frees what was read, by keyspace_figures_free. The reader is freed when no
 *        worker runs and none of its mail is left: after server_free.
 * Lock: none held. keyspace_read from one thread.
 * Errors: NULL when it could not all be read in time.
 */
#ifndef KN_ADMIN_KEYSPACE_FIGURES_H
#define KN_ADMIN_KEYSPACE_FIGURES_H

#include <stdint.h>

#include "server/catalog_figures.h"
#include "store/admin.h"

enum { FIGURES_WAIT_MS = 5000 };

struct keyspace_figures {
    struct store_stats store; /* no sizes of heaps */
    unsigned db_count;
    struct store_db_stats *dbs;
    struct catalog_figures catalog;
    int64_t worker_us; /* of the worker's time that reading took */
};

struct keyspace_reader;
struct server;

struct keyspace_reader *keyspace_reader_new(struct server *server);
struct keyspace_figures *keyspace_read(struct keyspace_reader *reader);
void keyspace_figures_free(struct keyspace_figures *figures);
/* From any thread. */
void keyspace_reader_stop(struct keyspace_reader *reader);
void keyspace_reader_free(struct keyspace_reader *reader);

#endif
