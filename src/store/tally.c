/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/tally.h"

#include <string.h>

#include "base/memory.h"

static _Atomic uint64_t serials;
_Thread_local struct tally_own tally_own;

struct tally *tally_new(unsigned db_count) {
    struct tally *tally = mem_zalloc(sizeof *tally);
    tally->db_count = db_count;
    tally->stride = TALLY_COUNTS + 2 * (size_t)db_count;
    tally->serial = atomic_fetch_add(&serials, 1) + 1;
    return tally;
}

void tally_free(struct tally *tally) {
    struct tally_block *block = atomic_load(&tally->blocks);
    while (block != NULL) {
        struct tally_block *next = block->next;
        for (size_t i = 0; i < TALLY_IDS / TALLY_CHUNK; i++)
            mem_free((void *)(uintptr_t)atomic_load(&block->chunks[i]));
        mem_free(block);
        block = next;
    }
    mem_free(tally);
}

static struct tally_block *tally_join(struct tally *tally) {
    struct tally_block *block = mem_zalloc(sizeof *block);
    block->next = atomic_load(&tally->blocks);
    while (!atomic_compare_exchange_weak(&tally->blocks, &block->next, block)) continue;
    tally_own = (struct tally_own){tally->serial, block};
    return block;
}

/* The first time that the thread counts for an id like this. */
__attribute__((noinline)) _Atomic(int64_t) *tally_cell_new(struct tally *tally, unsigned id) {
    struct tally_block *block = tally_own.block;
    if (tally_own.serial != tally->serial) block = tally_join(tally);
    _Atomic(_Atomic(int64_t) *) *chunk = &block->chunks[id / TALLY_CHUNK];
    _Atomic(int64_t) *cells = atomic_load_explicit(chunk, memory_order_relaxed);
    if (cells == NULL) {
        cells = mem_zalloc(TALLY_CHUNK * tally->stride * sizeof *cells);
        atomic_store_explicit(chunk, cells, memory_order_release);
    }
    return cells + (id % TALLY_CHUNK) * tally->stride;
}

/* A thread's cell of an id, NULL when it has never counted for it. */
static _Atomic(int64_t) *block_cell(const struct tally *tally, const struct tally_block *block,
                                    unsigned id) {
    _Atomic(int64_t) *cells =
        atomic_load_explicit(&block->chunks[id / TALLY_CHUNK], memory_order_acquire);
    return cells == NULL ? NULL : cells + (id % TALLY_CHUNK) * tally->stride;
}

static struct tally_block *first_block(const struct tally *tally) {
    return atomic_load_explicit(&tally->blocks, memory_order_acquire);
}

static int64_t cell_read(_Atomic(int64_t) *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void tally_sum(const struct tally *tally, unsigned id, struct tally_sums *ret_sums) {
    struct tally_sums sums;
    memset(&sums, 0, sizeof sums);
    for (struct tally_block *block = first_block(tally); block != NULL; block = block->next) {
        _Atomic(int64_t) *cell = block_cell(tally, block, id);
        if (cell == NULL) continue;
        for (unsigned i = 0; i < TALLY_COUNTS; i++) sums.counts[i] += cell_read(cell + i);
        cell += TALLY_COUNTS;
        for (unsigned db = 0; db < tally->db_count; db++, cell += 2) {
            sums.keys += cell_read(cell);
            sums.bytes += cell_read(cell + 1);
        }
    }
    *ret_sums = sums;
}

void tally_sum_db(const struct tally *tally, unsigned id, unsigned db, int64_t *ret_keys,
                  int64_t *ret_bytes) {
    int64_t keys = 0, bytes = 0;
    for (struct tally_block *block = first_block(tally); block != NULL; block = block->next) {
        _Atomic(int64_t) *cell = block_cell(tally, block, id);
        if (cell == NULL) continue;
        cell += TALLY_COUNTS + 2 * db;
        keys += cell_read(cell);
        bytes += cell_read(cell + 1);
    }
    *ret_keys = keys;
    *ret_bytes = bytes;
}

void tally_forget(struct tally *tally, unsigned id) {
    for (struct tally_block *block = first_block(tally); block != NULL; block = block->next) {
        _Atomic(int64_t) *cell = block_cell(tally, block, id);
        for (size_t i = 0; cell != NULL && i < tally->stride; i++)
            atomic_store_explicit(cell + i, 0, memory_order_relaxed);
    }
}
