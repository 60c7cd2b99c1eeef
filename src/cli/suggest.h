/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Patterns for keys that no pattern is for.
 *
 * What: takes any number of keys, one after the other, and says which templates would cover
 *       them, with how many keys each, examples, and what was seen of their types and
 *       lifetimes. suggest.c tells how.
 * Always: takes at most about SUGGEST_NODES_MAX times 250 bytes, whatever comes. Counts are exact:
 *         every key is in one suggestion, or in the remainder.
 * Owner: suggest_free; suggestions live as long. Lock: none. Errors: none.
 */
#ifndef KN_CLI_SUGGEST_H
#define KN_CLI_SUGGEST_H

#include "base/bytes.h"
#include "catalog/model.h"
#include "cli/sample.h"

enum {
    SUGGEST_NODES_MAX = 60000,
    SUGGEST_CHILDREN_MAX = 256, /* words at one place, before some of them are taken together */
    SUGGEST_KEY_MAX = 16 << 10, /* bytes of a key that are looked at */
    SUGGEST_MEASURED = 32,      /* keys of a shape that are measured */
    SUGGEST_ASKED = 5000,       /* of all shapes: so many, and of each so many keys one */
    SUGGEST_ASKED_SHARE = 50,
    SUGGEST_EXAMPLES = 3,
    SUGGEST_EXAMPLE_MAX = 120
};

struct suggest;

struct suggestion {
    const char *template;
    uint64_t keys;
    uint64_t measured; /* with the type, the lifetime and the bytes below */
    uint64_t types[SAMPLE_TYPES];
    uint64_t immortal;
    int64_t longest_ms;
    double bytes;                     /* of those that were measured */
    int database;                     /* -1: several */
    char *examples[SUGGEST_EXAMPLES]; /* as show_key has them */
    size_t example_count;
    bool plain;   /* the first example is the key itself */
    bool general; /* it has no literal part to tell its keys from others by */
};

struct suggest *suggest_new(void);
void suggest_free(struct suggest *suggest);

/* True when the key should be measured, and told of with suggest_note. */
bool suggest_add(struct suggest *suggest, struct bytes key, int database);
void suggest_note(struct suggest *suggest, struct bytes key, const struct measure *measure,
                  int64_t left_ms);

/* All that was added, most keys first. Afterwards only suggest_free may be called. */
size_t suggest_finish(struct suggest *suggest, const struct suggestion **ret_suggestions);

/* A catalog of the first `most` that can be patterns; NULL when there is none. */
struct catalog *suggest_catalog(const struct suggestion *suggestions, size_t count, size_t most);

#endif
