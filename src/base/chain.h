/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An intrusive doubly linked list.
 *
 * What: elements carry a struct chain_link; a struct chain is the ends.
 * Always: the links form a ring through the chain's root. A link of zeros is in no chain.
 * Owner: the elements' owner; the chain owns nothing. Lock: the caller's. Errors: none.
 */
#ifndef KN_BASE_CHAIN_H
#define KN_BASE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct chain_link {
    struct chain_link *next, *prev;
};

struct chain {
    struct chain_link root;
    size_t count;
};

/* The element that a link is a member of. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void chain_init(struct chain *chain) {
    chain->root.next = chain->root.prev = &chain->root;
    chain->count = 0;
}

static inline bool chain_linked(const struct chain_link *link) {
    return link->next != NULL;
}

static inline void chain_insert_after(struct chain *chain, struct chain_link *place,
                                      struct chain_link *link) {
    kn_assert(!chain_linked(link));
    link->prev = place;
    link->next = place->next;
    place->next->prev = link;
    place->next = link;
    chain->count++;
}

static inline void chain_add_last(struct chain *chain, struct chain_link *link) {
    chain_insert_after(chain, chain->root.prev, link);
}

static inline void chain_add_first(struct chain *chain, struct chain_link *link) {
    chain_insert_after(chain, &chain->root, link);
}

/* Does nothing when the link is in no chain. */
static inline void chain_remove(struct chain *chain, struct chain_link *link) {
    if (!chain_linked(link)) return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
    chain->count--;
}

static inline struct chain_link *chain_first(const struct chain *chain) {
    return chain->root.next == &chain->root ? NULL : chain->root.next;
}

static inline struct chain_link *chain_next(const struct chain *chain,
                                            const struct chain_link *link) {
    return link->next == &chain->root ? NULL : link->next;
}

/* Takes the first link out; NULL when there is none. */
static inline struct chain_link *chain_pop_first(struct chain *chain) {
    struct chain_link *link = chain_first(chain);
    if (link) chain_remove(chain, link);
    return link;
}

/* Visits every element; the one being visited may be removed, and freed. */
#define CHAIN_EACH(chain, type, member, name)                               \
    for (type *name = CONTAINER_OF((chain)->root.next, type, member),       \
              *name##_next = CONTAINER_OF(name->member.next, type, member); \
         &name->member != &(chain)->root;                                   \
         name = name##_next, name##_next = CONTAINER_OF(name->member.next, type, member))

#endif
