/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values as data files and payloads hold them.
 *
 * What: writes a value under a type code that Redis 7.0 knows, and reads every code that Redis 1 to
 *       8 and Valkey 7 to 9 have written, those of modules excepted. The code stands apart from the
 *       value, since a file has the key between them.
 * Always: what comes out of reading is whole and holds the invariants of its type, whatever
 *         went in: sizes, ends, counts, lengths backward, duplicates, order and NaN are
 *         checked. Memory that is taken on the way is in proportion to the bytes that were
 *         read. Fields whose lifetime has ended are written and read like the others: who uses
 *         the hash finds them gone.
 * Owner: a value that was read belongs to the caller, in the heap that was named; a string is a
 *        view, as rdb_read_string gives it.
 * Lock: that of the value, and of its heap. Errors: in the writer's and the reader's `error`;
 *       ERROR_BAD_FORMAT, ERROR_MODULE_VALUE, ERROR_NO_MEMORY.
 */
#ifndef KN_PERSIST_VALUE_H
#define KN_PERSIST_VALUE_H

#include <stdbool.h>

#include "persist/reader.h"
#include "persist/writer.h"
#include "types/value.h"

struct heap;

struct rdb_value {
    enum value_type type;
    struct bytes string; /* of TYPE_STRING */
    void *value;         /* of all others */
};

/* Under which code to write it for readers of a version of the format; one for which it has no form
 * gets what came later. value: NULL for a string. */
unsigned rdb_value_code(enum value_type type, const void *value, unsigned version);
/* The lowest version of the format that has this code. */
unsigned rdb_code_version(unsigned code);
/* Anything but a string, for which rdb_write_string serves. code: as rdb_value_code
 * gave it; it is not written. */
void rdb_write_value(struct rdb_writer *writer, unsigned code, const void *value);

/* text: where a string may lie. */
bool rdb_read_value(struct rdb_reader *reader, unsigned code, struct heap *heap,
                    struct rdb_text *text, struct rdb_value *ret_value);

#endif
