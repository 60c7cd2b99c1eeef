/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/prefetch.h"

#include "store/internal.h"

/* The first bytes of an entry are its header and key; a short value, that most
 * entries have, ends about here. */
enum { ENTRY_REST = 48 };

void store_prefetch_bucket(struct store *store, unsigned db, const struct key *key) {
    if (!store->locking) table_prefetch(&store->shards[key->shard].dbs[db].table, key->hash);
}

void store_prefetch_entry(struct store *store, unsigned db, const struct key *key) {
    struct table_probe probe;
    if (store->locking) return;
    const char *entry = table_first(&store->shards[key->shard].dbs[db].table, key->hash, &probe);
    if (entry == NULL) return;
    kn_prefetch(entry);
    kn_prefetch(entry + ENTRY_REST);
}
