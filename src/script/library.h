/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Libraries of functions, shared by all threads.
 *
 * What: what FUNCTION LOAD brought: sources, with the names and flags of the functions that
 *       they register. Each engine compiles a library when one of its functions is first
 *       called there (functions.h).
 * Always: a name of a library is there once, whatever its case a name of a function too. What
 *         stands in a library does not change; a changed one is another.
 * Owner: whoever holds one; the libraries hold those that are there. Lock: the libraries' own.
 * Errors: texts, for the caller to reply.
 */
#ifndef KN_SCRIPT_LIBRARY_H
#define KN_SCRIPT_LIBRARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/chain.h"

struct libraries;

enum { LIBRARY_ERROR_MAX = 640, LIBRARY_FUNCTIONS_MAX = 65536 };

struct library_function {
    char *name, *description; /* NULL: none was given */
    unsigned flags;           /* enum script_flag */
    _Atomic bool whole;       /* uses undeclared keys: run with every shard */
};

struct library {
    struct chain_link link; /* under the libraries' lock */
    _Atomic unsigned holders;
    _Atomic bool dropped; /* not there any more */
    char *name;
    struct bytes source;
    size_t skipped; /* bytes of the source before the program */
    struct library_function **functions;
    uint32_t count;
    char text[];
};

struct libraries *libraries_new(void);
void libraries_free(struct libraries *libraries);

/* ---- one library ---- */

/* A library without functions, from its source; NULL with a text when its first line is wrong. */
struct library *library_new(struct bytes source, char error[LIBRARY_ERROR_MAX]);
struct library *library_hold(struct library *library);
void library_drop(struct library *library);
/* Letters, digits, underscores. */
bool library_name_is_good(struct bytes name);
/* Case-insensitive; NULL when there is none. */
struct library_function *library_find(const struct library *library, struct bytes name,
                                      uint32_t *ret_index);
/* Adds a function; description may be NULL. */
void library_add(struct library *library, struct bytes name, const struct bytes *description,
                 unsigned flags);

/* ---- all of them ---- */

enum library_policy { LIBRARY_APPEND, LIBRARY_REPLACE, LIBRARY_FLUSH };
/* Puts all of them in, or none: then returns false with a text. They are held by
 * the libraries from then on. */
bool libraries_publish(struct libraries *libraries, struct library *const *added, size_t count,
                       enum library_policy policy, char error[LIBRARY_ERROR_MAX]);
bool libraries_delete(struct libraries *libraries, struct bytes name);
void libraries_flush(struct libraries *libraries);
bool libraries_has(struct libraries *libraries, struct bytes name);
/* The library that has a function, held; NULL when there is none. */
struct library *libraries_find_function(struct libraries *libraries, struct bytes name,
                                        uint32_t *ret_index);
void libraries_count(struct libraries *libraries, size_t *ret_libraries, size_t *ret_functions);
/* Changes with every change. Lock: none. */
uint64_t libraries_epoch(const struct libraries *libraries);
/* All of them, held, in an array that the caller frees. */
struct library **libraries_all(struct libraries *libraries, size_t *ret_count);

#endif
