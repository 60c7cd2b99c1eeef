/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all types of values have in common, chosen by type.
 *
 * What: the calls that the keyspace needs of any value without knowing what it is. Strings are not
 *       here: they live inside their entry (store/entry.h).
 * Owner: the entry that holds the value; value_free swallows it.
 * Lock: the shard's that the value's heap belongs to; a value that was rehomed to NULL belongs to
 *       the thread that holds it.
 */
#ifndef KN_TYPES_VALUE_H
#define KN_TYPES_VALUE_H

#include <stddef.h>
#include <stdint.h>

struct heap;

/* The numbers that data files and tools know the types by. */
enum value_type {
    TYPE_STRING = 0,
    TYPE_LIST = 1,
    TYPE_SET = 2,
    TYPE_ZSET = 3,
    TYPE_HASH = 4,
    TYPE_STREAM = 6,
    TYPE_ANY = 15, /* as a wish: whatever type it is */
};

/* "string", "list", ... as TYPE replies. */
const char *value_type_name(enum value_type type);

void value_free(enum value_type type, void *value);
void *value_copy(enum value_type type, const void *value, struct heap *heap);
/* From now on the value takes from and gives to this heap; NULL before it is
 * freed in the background. */
void value_rehome(enum value_type type, void *value, struct heap *heap);
size_t value_count(enum value_type type, const void *value);
/* Bytes allocated for it. */
size_t value_bytes(enum value_type type, const void *value);
/* Allocations that freeing it would give back: what decides whether that
 * is left to the background. */
size_t value_free_cost(enum value_type type, const void *value);
/* As OBJECT ENCODING replies. */
const char *value_encoding(enum value_type type, const void *value);

#endif
