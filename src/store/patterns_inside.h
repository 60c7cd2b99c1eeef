/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids, lines and views, for patterns.c, account.c, purge.c and census.c only.
 * patterns.h tells the idea.
 *
 * Lock: ids change with every shard held, so that whoever holds one may read them. `lock` is for
 *       lines, and for what the census changes while it holds one shard at most; it is taken inside
 *       a shard's, and nothing inside it.
 */
#ifndef KN_STORE_PATTERNS_INSIDE_H
#define KN_STORE_PATTERNS_INSIDE_H

#include "base/lock.h"
#include "store/internal.h"
#include "store/patterns.h"

enum { ID_NEVER_MATCHED = 0, ID_FIRST = 1 };

/* The modes that can be the default of catalogs that state none. */
enum { MODE_DEFAULTS = MODES - MODE_OFF };

enum id_state { ID_STALE, ID_LIVE, ID_DEAD, ID_FREE };

/* Catalogs in force, or still needed by ids that are not settled. */
struct view {
    struct catalogs_in_force catalogs;
    size_t numbers;               /* matcher_pattern_count, and one for what matches nothing */
    uint16_t *ids;                /* by number */
    bool enforces[MODE_DEFAULTS]; /* by the default mode, as pattern_id.rules */
    bool by_database;             /* of some patterns it is the database that tells them apart */
    unsigned refs;                /* ids that name it, and being in force */
};

/* A pattern through all its ids. */
struct line {
    unsigned refs;                /* ids, and standing in `lines` */
    unsigned number;              /* in the catalogs in force */
    bool current;                 /* it has such a number */
    int64_t counts[TALLY_COUNTS]; /* by ids that are free again */
    int64_t operations_then;
    double operations_s;
};

/* A purge, as long as there may be entries that it concerns and that are not settled. */
struct purge {
    struct purge *next; /* an earlier one */
    uint64_t moment;    /* among retirements */
    uint64_t pass;      /* of the census, in which it was */
    struct view *view;
    unsigned number; /* in that view */
    uint16_t *was;   /* by database: which one it was then, before databases were swapped */
    size_t count;    /* of variables; 0: all keys */
    struct match_variable variables[];
};

struct pattern_id {
    struct view *view;
    struct line *line;
    unsigned number;     /* in its view */
    uint64_t retired_at; /* the census pass in which it was */
    uint64_t moment;     /* when it was: purges from then on concern its entries */
    struct pattern_rules rules[MODE_DEFAULTS]; /* by the default mode in force, less MODE_OFF */
    uint8_t eviction;                          /* enum eviction_class */
    bool elsewhere; /* retired: its entries may belong to other patterns now */
    bool settled;   /* no entry has it any more (ID_NEVER_MATCHED alone stays around then) */
};

struct census;

struct patterns {
    struct lock lock;
    struct view *view;   /* in force */
    struct line **lines; /* by number */
    struct tally *tally;
    struct census *census;
    unsigned id_count;   /* ids from ID_FIRST to below this have been used */
    unsigned maybe_free; /* no id below this is free */
    unsigned free_ids, retired, dead;
    struct purge *purges; /* the last one first */
    unsigned purge_count;
    uint64_t moment;        /* the last one */
    unsigned ids_room;      /* at least id_count, TALLY_IDS at most */
    struct pattern_id *ids; /* may move when one is taken */
    uint8_t state[TALLY_IDS];
};

static inline struct patterns *patterns_of(const struct store *store) {
    return atomic_load_explicit(&store->patterns, memory_order_acquire);
}

/* Takes an id for a number of a view; 0 when there is none. Every shard held. */
uint16_t pattern_id_take(struct patterns *patterns, struct view *view, unsigned number,
                         struct line *line);
/* Every shard held. */
void pattern_id_retire(struct patterns *patterns, uint16_t id, enum id_state state);
/* Two databases have been swapped. Every shard held. */
void patterns_swap_dbs(struct store *store, unsigned a, unsigned b);
/* The same for purges that are not through yet. patterns->lock is held, and every shard. */
void purges_swap_dbs(struct patterns *patterns, unsigned a, unsigned b);
/* Gives back purges that were before a pass of the census, or all. patterns->lock is held. */
void purges_forget(struct patterns *patterns, uint64_t before_pass);
/* Whether a key whose id was retired at a moment has been purged since. A shard is held. */
bool purges_concern(struct patterns *patterns, uint64_t moment, unsigned db, struct bytes name);
void view_ref(struct view *view);
void view_unref(struct view *view);
/* Nothing has the id any more. patterns->lock is held. */
void pattern_id_free(struct patterns *patterns, uint16_t id);

static inline bool pattern_is_settled(const struct store *store, const struct entry *entry) {
    const struct patterns *patterns = patterns_of(store);
    return kn_likely(patterns == NULL) || kn_likely(patterns->state[entry->pattern] == ID_LIVE);
}
/* Settles an entry whose id is not live: matched again (true), or deleted
 * (false). Its shard is held. */
bool pattern_settle_entry(struct store *store, unsigned db, const struct key *key,
                          struct entry *entry);
/* The same, without changing anything: whether the entry is still there. */
bool pattern_entry_lives(const struct store *store, unsigned db, const struct entry *entry);

struct census *census_new(void);
void census_free(struct census *census);
/* The pass that is going on, counted from 1. */
uint64_t census_pass(const struct census *census);

#endif
