/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sequence of small byte strings and integers in one allocation.
 *
 * What: the encoding of small lists, hashes, sets and sorted sets, and the node of large lists. An
 *       item costs two bytes more than its text (more from 128 bytes on); text that is the decimal
 *       form of a 64-bit integer is kept as the integer, in 2 to 10 bytes. Items are walked in both
 *       directions. pack.c draws the format.
 * Always: an item's bytes depend only on its value, so equal items are equal bytes. A place
 *         is an offset: that of an item, or pack_end(); a change makes places behind it
 *         void, and all views of items. A pack's allocation is a function of its bytes, so
 *         it needs no field of its own.
 * Owner: whoever called pack_new. Functions that change a pack take a pointer to the owner's
 *        pointer, since the pack may move.
 * Lock: the caller's. Errors: none; before it adds, the caller asks pack_has_room where a client
 *       could bring more than PACK_MAX.
 */
#ifndef KN_DS_PACK_H
#define KN_DS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct heap;

struct pack {
    uint32_t bytes; /* of header and items */
    uint32_t count;
    unsigned char items[];
};

enum {
    PACK_MAX = 1 << 30, /* bytes; half of what an offset could address */
    PACK_HEADER = 8,
    PACK_TEXT_MAX = 24,  /* room for the text of any integer */
    PACK_ITEM_EXTRA = 10 /* most bytes that an item takes beyond its text */
};

/* One item as it comes or goes: a view of bytes, or an integer. */
struct pack_item {
    const char *data; /* NULL: an integer */
    size_t len;
    int64_t integer;
};

/* The item for a text: an integer if the text is exactly how that integer is written. */
struct pack_item pack_item_of(struct bytes text);

static inline struct pack_item pack_item_integer(int64_t integer) {
    return (struct pack_item){NULL, 0, integer};
}

/* Bytes that are no text, and shall come back as they are even if they look like digits. An item
 * made so is found again only by a raw item. */
static inline struct pack_item pack_item_raw(struct bytes bytes) {
    return (struct pack_item){bytes.data ? bytes.data : "", bytes.len, 0};
}

/* ---- the pack ---- */

struct pack *pack_new(struct heap *heap);
/* user: as in heap_give. */
void pack_free(struct pack *pack, struct heap *user);
struct pack *pack_copy(const struct pack *pack, struct heap *heap);

static inline uint32_t pack_count(const struct pack *pack) {
    return pack->count;
}

/* Bytes of header and items, the measure for size limits. */
static inline size_t pack_size(const struct pack *pack) {
    return pack->bytes;
}

/* Bytes that the allocation really occupies. */
size_t pack_heap_bytes(const struct pack *pack);

/* Can items with this much text altogether be added? */
static inline bool pack_has_room(const struct pack *pack, size_t items, size_t text) {
    return items <= PACK_MAX && text <= PACK_MAX &&
           pack->bytes + text + items * PACK_ITEM_EXTRA <= PACK_MAX;
}

/* Bytes that this item takes in a pack. */
size_t pack_item_bytes(struct pack_item item);

/* ---- places ---- */

/* Bytes of an item's head and content for heads from 0x80 on; 0 where the
 * length follows the head. */
extern const unsigned char pack_head_span[128];
size_t pack_long_span(const unsigned char *item);

/* Bytes from this item to the next one. */
static inline size_t pack_span(const unsigned char *item) {
    unsigned head = *item;
    if (head < 128) return head + 2;
    unsigned span = pack_head_span[head - 128];
    return span ? span + 1u : pack_long_span(item);
}

static inline size_t pack_first(const struct pack *pack) {
    (void)pack;
    return PACK_HEADER;
}

static inline size_t pack_end(const struct pack *pack) {
    return pack->bytes;
}

/* at: the place of an item. */
static inline size_t pack_next(const struct pack *pack, size_t at) {
    return at + pack_span((const unsigned char *)pack + at);
}

/* at: any place but the first. */
static inline size_t pack_prev(const struct pack *pack, size_t at) {
    const unsigned char *end = (const unsigned char *)pack + at;
    uint32_t span = end[-1];
    if (__builtin_expect(span != 255, 1)) return at - span - 1;
    __builtin_memcpy(&span, end - 5, sizeof span);
    return at - span - 5;
}

/* The place of the item with this index, counted from 0, or from -1 backwards;
 * pack_end() if there is none. */
size_t pack_seek(const struct pack *pack, int64_t index);

/* ---- reading ---- */

void pack_get(const struct pack *pack, size_t at, struct pack_item *ret_item);
/* The text of an item, in the pack itself or, for an integer, written to scratch. */
struct bytes pack_text(const struct pack *pack, size_t at, char scratch[PACK_TEXT_MAX]);
bool pack_equal(const struct pack *pack, size_t at, struct pack_item item);
/* The first place of this item from `from` on, looking at every stride-th item; pack_end() if there
 * is none. From `from` there must follow a multiple of stride. */
size_t pack_find(const struct pack *pack, size_t from, struct pack_item item, unsigned stride);

/* ---- changing ---- */

/* Before the item at `at`, which may be pack_end(). The new item's place is `at`. */
void pack_insert(struct pack **pack, struct heap *heap, size_t at, struct pack_item item);
void pack_insert_pair(struct pack **pack, struct heap *heap, size_t at, struct pack_item first,
                      struct pack_item second);
void pack_replace(struct pack **pack, struct heap *heap, size_t at, struct pack_item item);
/* Takes out items from `at` on. `at` is then the place of what followed. */
void pack_delete(struct pack **pack, struct heap *heap, size_t at, uint32_t items);
/* Moves the items from `at` on to a new pack. */
struct pack *pack_split(struct pack **pack, struct heap *heap, size_t at);
/* Adds all items of another pack at the end. */
void pack_append_all(struct pack **pack, struct heap *heap, const struct pack *other);

static inline void pack_append(struct pack **pack, struct heap *heap, struct pack_item item) {
    pack_insert(pack, heap, (*pack)->bytes, item);
}

/* Walks all items in both directions and proves the counts; for tests. */
void pack_check(const struct pack *pack);

#endif
