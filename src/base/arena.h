/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that lives as long as a request.
 *
 * What: a bump allocator over chunks; nothing is given back on its own,
 *       arena_reset drops all of it.
 * Always: what it returns is aligned to 16 bytes.
 * Owner: the arena owns everything it handed out. A struct of zeros is an empty arena.
 * Lock: none; one thread uses it at a time.
 * Errors: arena_try_alloc returns NULL when memory is refused, for sizes that a client
 *         controls; the others never fail.
 */
#ifndef KN_BASE_ARENA_H
#define KN_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { ARENA_ALIGNMENT = 16, ARENA_CHUNK_BYTES = 16384, ARENA_KEEP_BYTES = 65536 };

struct arena_chunk;

struct arena {
    char *at;                  /* where the next allocation starts */
    char *end;                 /* of the current chunk */
    struct arena_chunk *chunk; /* the current one; older ones hang from it */
};

static inline void arena_init(struct arena *arena) {
    *arena = (struct arena){0};
}

/* Drops everything. One chunk of at most ARENA_KEEP_BYTES stays for the next request. */
void arena_reset(struct arena *arena);
void arena_done(struct arena *arena);

void *arena_grow(struct arena *arena, size_t size) __attribute__((warn_unused_result));

static inline void *arena_try_alloc(struct arena *arena, size_t size) {
    size_t rounded = (size + (ARENA_ALIGNMENT - 1)) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (kn_unlikely(rounded < size || rounded > (size_t)(arena->end - arena->at) || !arena->at)) {
        return arena_grow(arena, size);
    }
    void *ptr = arena->at;
    arena->at += rounded;
    return ptr;
}

void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
/* NULL when count * size wraps or memory is refused. */
void *arena_try_array(struct arena *arena, size_t count, size_t size)
    __attribute__((warn_unused_result));
struct bytes arena_copy(struct arena *arena, struct bytes b);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

#endif
