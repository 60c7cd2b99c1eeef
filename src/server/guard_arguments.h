/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be told of a write from its command, its arguments, and the keys as they are.
 *
 * What: which keys it may change, what type it makes, which elements and values it brings, what
 *       it says of lifetimes. A command that is not known here is never taken for harmless:
 *       guard.c looks at its result.
 * Lock: the shards of the request's keys. Errors: none; for guard*.c only.
 */
#ifndef KN_SERVER_GUARD_ARGUMENTS_H
#define KN_SERVER_GUARD_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/guard_judge.h"
#include "types/hash.h"

struct request;

/* ---- by the row ---- */

/* What the command does with a key of its own. */
unsigned guard_key_flags(const struct request *request, uint32_t index);
/* Whether it may bring the key about, or change it otherwise than by taking from it. */
bool guard_brings(const struct request *request, uint32_t index);
/* Whether what was there before does not matter. */
bool guard_overwrites(const struct request *request, uint32_t index);
/* The type of key that it makes where there is none, or overwrites with; -1
 * when its row does not tell. */
int guard_type_made(const struct request *request, uint32_t index);
/* Whether it changes neither what a value holds nor whether there is one:
 * lifetimes and who has read what. */
bool guard_leaves_values(const struct request *request, const struct entry *entry);

/* ---- RENAME, COPY, MOVE: a value that is there goes to another name or database ---- */

struct guard_transfer {
    const struct key *to;
    unsigned db;
    const struct entry *value, *there; /* where it goes; NULL: nothing */
};
/* By the name alone. */
bool guard_is_transfer(const struct request *request);
/* Where it will go, or went; false when the arguments do not tell. */
bool guard_transfer_target(const struct request *request, const struct key **ret_to,
                           unsigned *ret_db);
/* False when the command is none of them, or will move nothing. */
bool guard_transfer(const struct request *request, struct guard_transfer *ret_transfer);

/* SETNX and MSETNX where a key is there. */
bool guard_does_nothing(const struct request *request);

/* ---- what it brings ---- */

/* Goes over what the command brings to a key. */
struct guard_brought {
    const struct request *request;
    uint32_t at, end, step, value; /* arguments; where the value stands in a step */
    bool fields;                   /* the first of a step is the name of a field */
    bool computed;                 /* one, which is not an argument */
    struct bytes one_field, one;
    char scratch[HASH_SCRATCH];
};
/* False when the command is not known to bring elements or values one by one. ran: it has done so
 * already. entry: the key's, or NULL. */
bool guard_brought(struct guard_brought *walk, const struct request *request, uint32_t index,
                   const struct entry *entry, bool ran);
bool guard_brought_next(struct guard_brought *walk, struct bytes *ret_field,
                        struct bytes *ret_value);
/* The first of them that the pattern does not like, if any. */
void guard_judge_brought(struct guard_brought *walk, const struct pattern *pattern,
                         struct guard_finding *ret_finding);

/* How many elements the entry (or NULL) will have at most; SIZE_MAX when that is not known. */
size_t guard_elements_after(const struct request *request, uint32_t index,
                            const struct entry *entry);
/* How large its value will be at most, as guard_value_size has it;
 * SIZE_MAX when that is not known. */
size_t guard_size_after(const struct request *request, uint32_t index, const struct entry *entry);
/* XADD with a trimming whose outcome is not known beforehand. */
bool guard_trims_roughly(const struct request *request);

/* ---- lifetimes ---- */

enum guard_lifetime {
    GUARD_LIFETIME_UNSAYABLE, /* the command could not say one: clients give it with the next one */
    GUARD_LIFETIME_SAID,      /* or kept */
    GUARD_LIFETIME_LEFT_OUT,  /* it could have said one, or takes one away */
};
/* had: whether the key had one. */
enum guard_lifetime guard_lifetime_said(const struct request *request, bool had);
/* How to say it, for a message. */
const char *guard_lifetime_remedy(const struct request *request);

#endif
