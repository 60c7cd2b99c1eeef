/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of byte strings.
 *
 * What: a sequence that is cheap at both ends. A small one is a single pack ("listpack"); behind
 *       list-max-listpack-size it is a chain of packs ("quicklist", list_chain.h), and returns to
 *       one pack when it has become half that small.
 * Always: list_bytes is what is allocated. Indexes count from 0, or from -1 backwards.
 * Owner: the list owns copies of its elements. Texts that it hands out are views that last until
 *        its next change, or until the scratch they may lie in is used again.
 * Lock: the caller's. Errors: none; false where there is no such element.
 *       No argument may be a view into the list that it changes.
 */
#ifndef KN_TYPES_LIST_H
#define KN_TYPES_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct heap;
struct list;

enum list_end { LIST_HEAD, LIST_TAIL };
enum { LIST_SCRATCH = 24 }; /* room for the text of an integer element */

struct list *list_new(struct heap *heap);
void list_free(struct list *list);
struct list *list_copy(const struct list *list, struct heap *heap);
/* From now on it takes from and gives to this heap; NULL: it will only be freed, by any thread. */
void list_rehome(struct list *list, struct heap *heap);

size_t list_count(const struct list *list);
size_t list_bytes(const struct list *list);
size_t list_free_cost(const struct list *list);
const char *list_encoding(const struct list *list);

/* ---- changing ---- */

void list_push(struct list *list, enum list_end end, struct bytes value);
/* Takes up to count elements away from an end. */
void list_drop(struct list *list, enum list_end end, size_t count);
bool list_set(struct list *list, int64_t index, struct bytes value);
/* Next to the first element that equals pivot. */
bool list_insert(struct list *list, struct bytes pivot, bool after, struct bytes value);
/* Removes up to `most` elements that equal value, looking from this end; returns how many. */
size_t list_remove(struct list *list, struct bytes value, size_t most, enum list_end from);

/* ---- reading ---- */

bool list_get(const struct list *list, int64_t index, char scratch[LIST_SCRATCH],
              struct bytes *ret_value);

/* Walks from an element towards the tail, or towards the head. */
struct list_iter {
    const struct list *list;
    uint32_t node;
    bool backward;
    size_t at;
    char scratch[LIST_SCRATCH];
};
/* index: in range, or the walk is over at once. */
void list_iter_init(struct list_iter *iter, const struct list *list, int64_t index, bool backward);
bool list_iter_next(struct list_iter *iter, struct bytes *ret_value);
/* Goes on to the next element that equals value, looking at no more than *most, which is lowered by
 * those looked at; *ret_passed grows by the elements that were passed before it. */
bool list_iter_find(struct list_iter *iter, struct bytes value, size_t *most, size_t *ret_passed);

/* Proves the invariants; for tests. */
void list_check(const struct list *list);

#endif
