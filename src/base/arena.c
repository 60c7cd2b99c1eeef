/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct arena_chunk {
    struct arena_chunk *older;
    size_t bytes; /* of data */
    _Alignas(ARENA_ALIGNMENT) char data[];
};

static void use_chunk(struct arena *arena, struct arena_chunk *chunk) {
    arena->chunk = chunk;
    arena->at = chunk->data;
    arena->end = chunk->data + chunk->bytes;
}

void *arena_grow(struct arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size_t rounded = (size + (ARENA_ALIGNMENT - 1)) & ~(size_t)(ARENA_ALIGNMENT - 1);
    size_t bytes = ARENA_CHUNK_BYTES - sizeof(struct arena_chunk);
    /* What is large gets a chunk of its own behind the current one, whose rest stays in use. */
    bool large = rounded > bytes / 4;
    if (large && (rounded > bytes || arena->chunk)) bytes = rounded;
    struct arena_chunk *chunk = mem_try_alloc(sizeof *chunk + bytes);
    if (!chunk) return NULL;
    chunk->bytes = bytes;
    if (large && arena->chunk) {
        chunk->older = arena->chunk->older;
        arena->chunk->older = chunk;
        return chunk->data;
    }
    chunk->older = arena->chunk;
    use_chunk(arena, chunk);
    arena->at += rounded;
    return chunk->data;
}

void arena_reset(struct arena *arena) {
    struct arena_chunk *kept = arena->chunk;
    if (!kept) return;
    struct arena_chunk *chunk = kept->older;
    kept->older = NULL;
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        mem_free(chunk);
        chunk = older;
    }
    if (kept->bytes > ARENA_KEEP_BYTES) {
        mem_free(kept);
        *arena = (struct arena){0};
    } else {
        use_chunk(arena, kept);
    }
}

void arena_done(struct arena *arena) {
    arena_reset(arena);
    mem_free(arena->chunk);
    *arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size) {
    void *ptr = arena_try_alloc(arena, size);
    if (kn_unlikely(!ptr)) {
        fprintf(stderr, "out of memory: a request wanted %zu bytes\n", size);
        abort();
    }
    return ptr;
}

void *arena_zalloc(struct arena *arena, size_t size) {
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_try_array(struct arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return arena_try_alloc(arena, bytes);
}

struct bytes arena_copy(struct arena *arena, struct bytes b) {
    char *copy = arena_alloc(arena, b.len);
    if (b.len) memcpy(copy, b.data, b.len);
    return bytes_make(copy, b.len);
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char room[256];
    int len = vsnprintf(room, sizeof room, format, args);
    va_end(args);
    kn_require(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    if ((size_t)len < sizeof room) {
        memcpy(text, room, (size_t)len + 1);
    } else {
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return text;
}
