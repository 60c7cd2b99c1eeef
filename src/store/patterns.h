/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalogs in force, as the keyspace sees them.
 *
 * What: a key is matched once, when it is created, and its entry carries an id of its pattern from
 *       then on. Ids are the means by which catalogs are replaced and patterns purged at once,
 *       whatever the number of keys: the id is retired and its pattern gets another. Whoever meets
 *       an entry with a retired id settles it on the spot (matches it again, or deletes it), and
 *       the census, a walk in the background, settles the rest.
 *
 *         LIVE     as matched
 *         STALE    matched by catalogs no longer in force, or never (0): to be matched again
 *         DEAD     purged: the entry is not there any more, and only its memory is
 *
 *       A purge is also recorded, for entries that wait to be matched again: whether they were
 *       among what was purged is seen when they are settled. What is counted belongs to a line: the
 *       pattern through all its ids, over reloads and purges.
 * Always: store_find never returns an entry whose id is not live. Ids change
 *         state with every shard held.
 * Lock: said at each function. Whoever holds a shard may use the matcher and what it points to.
 * Owner: the store owns ids and lines, and releases catalogs when no entry can need them any more.
 * Errors: false where there is no id left (a reload or purge while very many others
 *         are still being settled).
 */
#ifndef KN_STORE_PATTERNS_H
#define KN_STORE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/matcher.h"
#include "store/store.h"
#include "store/tally.h"

struct catalogs_in_force {
    const struct matcher *matcher;
    /* For each number of the matcher (and 0): the number in the catalogs before
     * whose statistics go on, or 0. */
    const unsigned *continues;
    /* Gives matcher and catalogs back. */
    void (*release)(void *context);
    void *context;
};

/* Puts catalogs in force instead of those before; swallows what `release` releases, except on
 * failure. Every shard held. */
bool store_set_catalogs(struct store *store, const struct catalogs_in_force *catalogs);
/* NULL when none has ever been in force. A shard is held. */
const struct matcher *store_matcher(const struct store *store);

/* The id for a new key: of the pattern that it matches, or of those that match
 * none. Its shard is held. */
uint16_t store_pattern_id(const struct store *store, unsigned db, struct bytes name);
/* A live id's number in the matcher: 0 for keys that match nothing. A shard is held. */
unsigned store_pattern_number(const struct store *store, uint16_t id);

/* ---- rules ---- */

/* What the catalog asks of keys with an id, ready for looking at on every write. */
struct pattern_rules {
    const struct pattern *pattern; /* NULL for keys that match nothing */
    const struct catalog *catalog; /* NULL for keys that match nothing, and no catalog minds */
    enum catalog_mode mode;        /* off, observe or enforce */
    bool about_entry;              /* type, lifetime, database, sizes: to be seen from the entry */
    bool about_size;               /* among them sizes, which change without the entry */
    bool about_little;             /* of all these only the type and the lifetime */
    bool about_arguments;          /* formats and fields: to be seen from the command */
};
/* Of a live id. A shard is held. */
const struct pattern_rules *store_pattern_rules(const struct store *store, uint16_t id);
/* The mode of catalogs that state none: off, observe or enforce. From any
 * thread; it is in force at once. */
void store_set_catalog_mode(struct store *store, enum catalog_mode mode);
enum catalog_mode store_catalog_mode(const struct store *store);
/* The mode of a catalog's keys, and of a pattern's. */
enum catalog_mode store_mode_of_catalog(const struct store *store, const struct catalog *catalog);
enum catalog_mode store_mode_of_pattern(const struct store *store, const struct catalog *catalog,
                                        const struct pattern *pattern);
/* Whether any pattern is enforced, or keys refused that match none. A shard is held. */
bool store_enforces(const struct store *store);

/* ---- counting: for live ids, the key's shard held ---- */

/* Whether a catalog has ever been in force. No lock needed. */
bool store_counts_patterns(const struct store *store);
/* The id of an entry that store_find returned, or the one that a missing key would get. */
void store_count(struct store *store, uint16_t id, enum tally_count count);
/* A write to a key, which may be gone by now: of the id that this thread saw last
 * for it, else of its name's. */
void store_count_write(struct store *store, unsigned db, const struct key *key);

/* Writes that this thread has counted for an id; and that they were no more than that after all. */
int64_t store_writes_counted(const struct store *store, uint16_t id);
void store_uncount_writes(struct store *store, uint16_t id, int64_t counted);

/* For a script that may have to begin again: what this thread counts of hits, misses, writes
 * and violations is kept from store_hold_counts on, until it is released (the shards have
 * been held since) or dropped. */
void store_hold_counts(void);
void store_release_counts(struct store *store);
void store_drop_counts(void);

/* Says that the entry's value is about to be changed in place; settled by
 * store_settle. Strings need not. */
void store_open(struct store *store, unsigned db, const struct entry *entry);
/* The changes of what this thread opened are over: their bytes are counted. */
void store_settle(struct store *store);
/* How much this thread has opened since. Nothing may be open when its shard is given back: it may
 * be gone when it is settled. */
extern _Thread_local unsigned store_opened;

/* ---- statistics ---- */

enum {
    CENSUS_CLASSES = 24
}; /* powers of two: class n counts values below 1 << n, the last one all others */

struct pattern_census {
    uint64_t elements[CENSUS_CLASSES], idle_s[CENSUS_CLASSES], bytes[CENSUS_CLASSES];
    uint64_t keys, expiring;
};

struct pattern_statistics {
    struct tally_sums
        sums; /* with the keys' share of their tables in the bytes, as MEMORY USAGE has it */
    double operations_s; /* hits, misses and writes a second, over the last seconds */
};

/* Of all patterns: ret_statistics[number], one more than the matcher has
 * patterns. A shard is held. */
void store_pattern_statistics(struct store *store, struct pattern_statistics *ret_statistics);
/* Distributions as the last whole census saw them; false when there was
 * none yet. A shard is held. */
bool store_pattern_census(struct store *store, unsigned number, struct pattern_census *ret_census);

/* What the census has before it. No lock needed. */
struct store_settling {
    bool going_on; /* entries with retired ids may be left */
    /* Entries of purged patterns: nobody sees them, but their memory is not back yet. */
    size_t dead_keys;
};
struct store_settling store_settling(const struct store *store);

/* ---- purging ---- */

/* Takes every key of a pattern out of the keyspace: of those, if variables are
 * given, whose variables have these values. Returns how many keys that were, or one
 * of the two. Every shard held. */
enum {
    PURGE_UNCOUNTED = -1 /* some of many, or of keys to be matched first: not known yet */,
    PURGE_NO_ID = -2 /* refused */
};
int64_t store_purge(struct store *store, unsigned number, const struct match_variable *variables,
                    size_t count);

/* ---- in the background ---- */

/* A step of the census over one shard after the other: looks at up to `most` entries. None held;
 * always called by the same thread. Returns whether entries with retired ids may be left. */
bool store_census_step(struct store *store, unsigned most);
/* Now and then: how busy each pattern was since the last time. None held. */
void store_pattern_tick(struct store *store, int64_t elapsed_ms);

#endif
