/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash table of pointers that grows without ever being rehashed.
 *
 * What: extendible hashing. The top bits of an element's 64-bit hash choose a segment from a
 *       directory; the 16 bits that follow are its tag, and choose its home bucket in the segment.
 *       A bucket is one cache line: eight tags and eight 48-bit pointers. A full segment grows by a
 *       few buckets, and once it has grown to its largest it splits in two; nothing else moves. The
 *       keyspace, sets, hashes and sorted sets all use it. table.c tells how it works.
 * Always: elements lie in the order of their hashes, bucket by bucket. So a cursor of table_scan is
 *       simply a place in the space of hashes, and a scan meets every element that stays in the
 *       table from its start to its end exactly once, whatever the table does meanwhile. Elements
 *       are 8-byte aligned, and an element's hash never changes.
 * Owner: the table owns its segments; the elements belong to the caller.
 * Lock: the caller's (the shard's). Reading alone needs only that nobody writes.
 * Errors: none: memory comes from mem_alloc. The caller sees to it that an
 *         element is added only once.
 */
#ifndef KN_DS_TABLE_H
#define KN_DS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/assert.h"

/* The full hash of an element, needed when a segment splits. */
typedef uint64_t table_hash_fn(const void *element);

struct table {
    /* 1 << depth words that pack segment, bucket count and the segment's depth. */
    uint64_t *directory;
    /* The directory of a table of one segment, so that small tables need no array. */
    uint64_t single;
    size_t count;
    size_t segment_bytes;
    table_hash_fn *hash;
    uint32_t depth;
    uint32_t deepest; /* segments whose own depth is the directory's */
};

/* Two bits of the caller's own beside each pointer, readable without touching the element. */
enum { TABLE_MARK_1 = 2, TABLE_MARK_2 = 4, TABLE_MARKS = 6 };

void table_init(struct table *table, table_hash_fn *hash);
/* Gives the segments back; the elements are the caller's to free first. The
 * table is empty afterwards. */
void table_done(struct table *table);

static inline size_t table_count(const struct table *table) {
    return table->count;
}

/* Bytes of segments and directory. */
static inline size_t table_bytes(const struct table *table) {
    return table->segment_bytes + (table->depth ? sizeof *table->directory << table->depth : 0);
}

/* Adds an element that is not there yet. marks: of TABLE_MARKS. */
void table_add(struct table *table, uint64_t hash, void *element, unsigned marks);
/* Takes out an element that is there. May shrink the table. */
void table_remove(struct table *table, uint64_t hash, const void *element);
/* Puts another element of the same hash in its place, with these marks. */
void table_replace(struct table *table, uint64_t hash, const void *old, void *element,
                   unsigned marks);
unsigned table_marks(const struct table *table, uint64_t hash, const void *element);

/*
 * A time hint for each segment: table_note_due lowers the hint of the segment that holds this hash,
 * and table_sweep visits the marked elements of segments whose hint has come.
 */
void table_note_due(struct table *table, uint64_t hash, uint64_t due);

/* ---- finding: for (e = table_first(...); e; e = table_next(...)) if (it is the one) ... ---- */

struct table_probe {
    const unsigned char *segment;
    unsigned bucket, buckets, left, tag, hits;
};

enum { TABLE_BUCKET_SLOTS = 8, TABLE_BUCKET_BYTES = 64 };
#define TABLE_SEGMENT_MASK 0x0000ffffffffffc0ull
#define TABLE_POINTER_MASK 0x0000fffffffffff8ull

static inline uint64_t table_word(const struct table *table, uint64_t hash) {
    return table->depth == 0 ? table->single : table->directory[hash >> (64 - table->depth)];
}

/* The pointer word of a slot: 48 bits, of which the lowest three are marks. */
static inline uint64_t table_slot(const unsigned char *bucket, unsigned slot) {
    uint64_t word;
    /* Pointers are 6 bytes from offset 16 on; reading from two bytes before
     * keeps the last one inside. */
    __builtin_memcpy(&word, bucket + 14 + 6 * slot, sizeof word);
    return word >> 16;
}

/* Bits of the slots whose tag this is; slots that are empty may be among them. */
static inline unsigned table_tag_hits(const unsigned char *bucket, unsigned tag) {
#if defined(__SSE2__)
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)bucket);
    __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
#else
    unsigned hits = 0;
    uint16_t tags[TABLE_BUCKET_SLOTS];
    __builtin_memcpy(tags, bucket, sizeof tags);
    for (unsigned i = 0; i < TABLE_BUCKET_SLOTS; i++) hits |= (unsigned)(tags[i] == tag) << i;
    return hits;
#endif
}

static inline const unsigned char *table_probe_bucket(const struct table_probe *probe) {
    return probe->segment + TABLE_BUCKET_BYTES * (1 + probe->bucket);
}

static inline void *table_next(struct table_probe *probe) {
    for (;;) {
        const unsigned char *bucket = table_probe_bucket(probe);
        while (probe->hits) {
            unsigned slot = (unsigned)__builtin_ctz(probe->hits);
            probe->hits &= probe->hits - 1;
            uint64_t pointer = table_slot(bucket, slot) & TABLE_POINTER_MASK;
            if (pointer) return (void *)(uintptr_t)pointer;
        }
        /* The lowest bit of the first slot says that elements at home here,
         * or before, went further. */
        if (!(table_slot(bucket, 0) & 1) || --probe->left == 0) return NULL;
        if (++probe->bucket == probe->buckets) probe->bucket = 0;
        probe->hits = table_tag_hits(table_probe_bucket(probe), probe->tag);
    }
}

static inline void *table_first(const struct table *table, uint64_t hash,
                                struct table_probe *probe) {
    if (table->count == 0) return NULL;
    uint64_t word = table_word(table, hash);
    probe->segment = (const unsigned char *)(uintptr_t)(word & TABLE_SEGMENT_MASK);
    probe->buckets = probe->left = (unsigned)(word >> 48);
    probe->tag = (unsigned)((hash << (word & 63)) >> 48);
    probe->bucket = (probe->tag * probe->buckets) >> 16;
    probe->hits = table_tag_hits(table_probe_bucket(probe), probe->tag);
    return table_next(probe);
}

/* Starts loading the bucket that table_first will read. */
static inline void table_prefetch(const struct table *table, uint64_t hash) {
    if (table->count == 0) return;
    uint64_t word = table_word(table, hash);
    unsigned tag = (unsigned)((hash << (word & 63)) >> 48);
    kn_prefetch((const unsigned char *)(uintptr_t)(word & TABLE_SEGMENT_MASK) +
                TABLE_BUCKET_BYTES * (1 + ((tag * (unsigned)(word >> 48)) >> 16)));
}

/* ---- visiting ---- */

typedef void table_visit_fn(void *element, void *context);

/*
 * One step of a scan: visits the elements of one home bucket and returns where to go on, 0 at the
 * end. Starts with cursor 0. Elements may be removed by the visit function only after the step is
 * over. Cursors stay below 1 << TABLE_CURSOR_BITS.
 */
enum { TABLE_CURSOR_BITS = 44 };
uint64_t table_scan(const struct table *table, uint64_t cursor, table_visit_fn *visit,
                    void *context);

/* Goes over all elements, in order of hash; the table must not change meanwhile. */
struct table_iter {
    const struct table *table;
    size_t directory_index;
    unsigned bucket, slot;
};
void table_iter_init(struct table_iter *iter, const struct table *table);
void *table_iter_next(struct table_iter *iter);

/*
 * Elements of randomly chosen buckets, each element about as likely as any other: fills
 * ret_elements with up to most elements (fewer only when the table has fewer or chance had it),
 * without repeating one; returns how many. marks: only elements that carry one of these, 0 for all.
 * random: a fresh random number for each call.
 */
unsigned table_sample(const struct table *table, uint64_t random, unsigned marks,
                      void **ret_elements, unsigned most);
/* One element, every one exactly as likely; NULL when empty. next_random is
 * called until it succeeds. */
void *table_random(const struct table *table, uint64_t (*next_random)(void *context),
                   void *context);

/*
 * Looks for marked elements that are due, in the segments whose hint says that there may be some,
 * from sweep->position on, until about `most` slots were looked at.
 */
struct table_sweep {
    uint64_t position; /* where to go on; 0 to begin */
    bool finished;     /* the end was reached; position is 0 again */
    uint64_t now;
    unsigned marks;
    unsigned most;
    uint64_t (*due)(const void *element, void *context); /* when it is due; UINT64_MAX for never */
    void *context;
};
/* Fills ret_due with elements that are due, up to due_max, and returns how many. The caller removes
 * them afterwards, or notes anew when they are due. */
unsigned table_sweep(struct table *table, struct table_sweep *sweep, void **ret_due,
                     unsigned due_max);
/* No hint is earlier: when to sweep next; UINT64_MAX when nothing was ever noted. */
uint64_t table_next_due(const struct table *table);

/* Proves the invariants; for tests. */
void table_check(const struct table *table);

#endif
