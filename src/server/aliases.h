/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Legacy names of keys.
 *
 * What: a pattern of a catalog may have aliases: templates that its keys had before. A key that is
 *       asked for by a legacy name is the key of the pattern's own template with the same
 *       variables, its canonical name; in every database alike. Keys are made canonical where they
 *       are found in a request (request_find_keys), before shards are taken. Entries may still be
 *       stored under legacy names when a catalog comes into force. Until a walk in the background
 *       has seen that there are none (migrate.c), a key's legacy twins are locked along with it,
 *       and what is stored under one of them is adopted, that is, moved, before the command runs.
 * Always: with shards held and request->generation being aliases_generation, nobody stores under a
 *         legacy name. The generation changes with every shard held, and is 0 until a catalog with
 *         aliases comes. canonical(canonical(name)) is canonical(name).
 * Owner: tables are counted: each thread holds the one it used last, so that names
 *        are found without a shard.
 * Lock: none to read a table. Its own, a leaf, to change which is in force.
 * Errors: none, but where memory is refused for names that clients chose.
 */
#ifndef KN_SERVER_ALIASES_H
#define KN_SERVER_ALIASES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/lock.h"
#include "store/key.h"

struct arena;
struct matcher;
struct server;
struct store;

/* Which two bytes the names begin with that a table is about: a bit for each pair. */
enum { ALIAS_LEADS = 65536 / 64 };

/* Names can be looked up in one; its inside is aliases.c's but for what alias_may_concern reads. */
struct alias_table {
    _Atomic bool pending; /* some pattern is */
    uint64_t legacy[ALIAS_LEADS], all[ALIAS_LEADS];
    _Atomic unsigned refs;
    const struct matcher *matcher;
    void (*release)(void *context);
    void *context;
    size_t numbers;
    struct alias_progress *progress; /* by number; of patterns with aliases */
    struct arena *arena;             /* for what the short ways need */
};

struct aliases {
    _Atomic uint64_t generation;
    struct lock lock;
    struct alias_table *current; /* NULL: no catalog in force has aliases */
    _Atomic bool disturbed;      /* databases were swapped under a walk */
    struct migration *migration; /* worker 0's */
};

struct aliases *aliases_new(void);
void aliases_free(struct aliases *aliases);

static inline uint64_t aliases_generation(const struct aliases *aliases) {
    return atomic_load_explicit(&aliases->generation, memory_order_acquire);
}

/* ---- tables ---- */

/* For a matcher that stays until `release`; NULL when no pattern has aliases, and
 * nothing will be released. */
struct alias_table *alias_table_new(const struct matcher *matcher, void (*release)(void *context),
                                    void *context);
void alias_table_ref(struct alias_table *table);
void alias_table_unref(struct alias_table *table);
/* Whether two tables give every name the same canonical one, and number patterns
 * alike. either: may be NULL. */
bool alias_table_same(const struct alias_table *a, const struct alias_table *b);
/* What was asked of the pattern `old` of a table before is asked of this one's pattern
 * `number`. before: may be NULL. */
void alias_table_continue(struct alias_table *table, unsigned number,
                          const struct alias_table *before, unsigned old);

/* Puts a table (or none: NULL) in force; swallows the caller's reference. Every shard held. Returns
 * whether names may mean something else from now on. */
bool aliases_replace(struct aliases *aliases, struct alias_table *table);
/* The table in force for the calling thread, until it asks again; with its generation. */
struct alias_table *aliases_now(struct aliases *aliases, uint64_t *ret_generation);
/* The thread needs none any more. */
void aliases_leave(void);

/* ---- names ---- */

/* Whether the table has a say in how a name is stored: a quick look at its beginning, that
 * may say so of names that are stored as they are. Once all patterns are migrated, only
 * legacy names are concerned. */
static inline bool alias_may_concern(const struct alias_table *table, struct bytes name);
/* Whether a name's pattern has aliases: other names are canonical as they are. */
bool alias_concerns(const struct alias_table *table, struct bytes name);
/* Whether a name is canonical, and nothing can be stored under legacy ones for it. */
bool alias_is_settled(const struct alias_table *table, struct bytes name);
/* The canonical name, in the arena if it is another (false: there was no memory). ret_number: the
 * pattern's when it has aliases, else 0. */
bool alias_canonical(const struct alias_table *table, struct bytes name, struct arena *arena,
                     struct bytes *ret_name, unsigned *ret_number);
/* Calls visit with each legacy name of a canonical one. */
void alias_each_twin(const struct alias_table *table, unsigned number, struct bytes canonical,
                     void (*visit)(void *context, struct bytes twin), void *context);

/* ---- migration ---- */

/* The short way from an alias to the canonical name, where both are literals and the
 * same variable at the end. */
struct alias_swap {
    struct bytes to; /* instead of so many bytes: */
    size_t from_len;
};

struct alias_progress {
    bool has_aliases;
    struct alias_swap *swaps; /* by alias; .to.data is NULL where there is no short way */
    _Atomic bool pending;     /* entries may be stored under legacy names */
    _Atomic bool wanted;      /* and are to be moved */
    _Atomic int64_t left;     /* of them, as far as is known; ALIAS_LEFT_UNKNOWN */
    _Atomic int64_t moved;    /* entries that came to their canonical names */
    _Atomic int64_t
        conflicts; /* legacy entries that gave way to canonical ones, or to earlier aliases */
    _Atomic int64_t reported; /* of them, in the log: by the walk, and read by who loads */
};
enum { ALIAS_LEFT_UNKNOWN = -1 };

/* NULL for patterns without aliases. */
struct alias_progress *alias_progress(const struct alias_table *table, unsigned number);
const struct matcher *alias_table_matcher(const struct alias_table *table);
/* Whether any pattern is pending; and the generation that this is said of. From any thread. */
bool aliases_pending(struct aliases *aliases, uint64_t *ret_generation);
/* What is stored under legacy names of a pattern has come to an end. */
void alias_migrated(struct alias_table *table, struct alias_progress *progress);

/* Moves what is stored under a twin to its canonical key, or deletes it if that is
 * there. Both shards held. */
void alias_adopt(struct store *store, const struct alias_table *table, unsigned number, unsigned db,
                 const struct key *key, const struct key *twin, int64_t now_ms);

/* A step of the walk, on worker 0: looks at about `most` entries. None held. Returns whether
 * there is more to do soon. */
bool aliases_migrate_step(struct server *server, unsigned most);
/* Two databases were swapped. Every shard held. */
void aliases_disturb(struct aliases *aliases);

static inline bool alias_may_concern(const struct alias_table *table, struct bytes name) {
    uint16_t lead;
    if (name.len < sizeof lead) return true;
    memcpy(&lead, name.data, sizeof lead);
    const uint64_t *leads =
        atomic_load_explicit(&table->pending, memory_order_acquire) ? table->all : table->legacy;
    return leads[lead / 64] >> lead % 64 & 1;
}

struct migration;
void migration_free(struct migration *migration);

#endif
