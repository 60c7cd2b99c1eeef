/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/prefetch.h"

#include "store/internal.h"

void store_prefetch_bucket(struct store *store, unsigned db, const struct key *key) {
    if (!store->locking) table_prefetch(&store->shards[key->shard].dbs[db].table, key->hash);
}

void store_prefetch_entry(struct store *store, unsigned db, const struct key *key) {
    struct table_probe probe;
    if (store->locking) return;
    const void *entry = table_first(&store->shards[key->shard].dbs[db].table, key->hash, &probe);
    if (entry != NULL) kn_prefetch(entry);
}
