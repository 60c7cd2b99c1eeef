/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * A segment is one allocation: a header line, then its buckets. The hash of an element reads,
 * from the top: `depth` bits that chose the segment, then 16 bits of tag. The tag times the
 * number of buckets, divided by 65536, is the home bucket: it rises with the tag, so elements
 * lie in the order of their hashes and a segment can get more or fewer buckets from the tags
 * alone, without touching a single element. Only a split, which needs one more bit of each
 * hash, asks the elements.
 *
 * A bucket that is full sends what comes next to the bucket behind it, round the end of the
 * segment, and keeps a flag (the lowest bit of its first slot) for as long as an element at home
 * there or before lies behind it. A search stops at the first bucket without that flag; a removal
 * closes the gap it leaves.
 *
 * Sizes in buckets are chosen so that header and buckets fill a size class of the allocator.
 * Growing in steps of an eighth to a quarter keeps buckets about 85 % full, where doubling
 * would leave them at 70 %.
 *
 * Invariants (table_check proves them): 1. an element at distance n from its home bucket passed n
 *  buckets that all carry the flag; 2. the directory entries of a segment of depth d are 1 <<
 *  (depth - d) neighbours, all the same word; 3. `deepest` segments have the directory's own depth,
 *  and it is above 0 unless depth is 0; 4. `segment_bytes` is the size of all segments.
 */
#include "ds/table.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "ds/table_inside.h"

enum {
    PROBE_SOFT_MAX = 8, /* further from home than this, the segment rather grows */
    MERGE_BUCKETS = 31, /* segments that shrank below this look at their neighbour */
};

static const uint8_t bucket_counts[] = {1,  2,  3,  4,  5,  6,  7,  9,  11, 13,  15,         19,
                                        23, 27, 31, 39, 47, 55, 63, 79, 95, 111, BUCKETS_MAX};
enum { BUCKET_COUNTS = sizeof bucket_counts / sizeof bucket_counts[0] };

/* ---- a bucket ---- */

static void slot_store(unsigned char *bucket, unsigned slot, unsigned tag, uint64_t word) {
    uint16_t tag16 = (uint16_t)tag;
    if (slot == 0) word |= bucket_flag(bucket);
    memcpy(bucket + 2 * slot, &tag16, sizeof tag16);
    memcpy(bucket + 16 + 6 * slot, &word, 6);
}

static void bucket_set_flag(unsigned char *bucket, bool flag) {
    bucket[16] = (unsigned char)((bucket[16] & ~1u) | flag);
}

static int bucket_free_slot(const unsigned char *bucket) {
    for (unsigned i = 0; i < TABLE_BUCKET_SLOTS; i++)
        if (slot_empty(bucket, i)) return (int)i;
    return -1;
}

/* ---- a segment ---- */

static size_t segment_size(unsigned buckets) {
    return TABLE_BUCKET_BYTES * (1 + (size_t)buckets);
}

static struct segment *segment_new(struct table *table, unsigned buckets, unsigned depth) {
    size_t size = segment_size(buckets);
    struct segment *segment = mem_alloc_aligned(TABLE_BUCKET_BYTES, size);
    memset(segment, 0, size);
    table->segment_bytes += size;
    segment->due = UINT64_MAX;
    segment->depth = (uint8_t)depth;
    segment->buckets = (uint8_t)buckets;
    return segment;
}

static void segment_free(struct table *table, struct segment *segment) {
    table->segment_bytes -= segment_size(segment->buckets);
    mem_free(segment);
}

/* The smallest number of buckets that holds so many elements without being too full. */
static unsigned buckets_for(size_t count) {
    for (unsigned i = 0; i < BUCKET_COUNTS; i++)
        if (count * 100 <= (size_t)bucket_counts[i] * TABLE_BUCKET_SLOTS * 92)
            return bucket_counts[i];
    return BUCKETS_MAX;
}

/* Finds room within `reach` buckets of home; returns false when there is none. */
static bool segment_put(struct segment *segment, unsigned tag, uint64_t word, unsigned reach) {
    unsigned home = segment_home(segment, tag);
    if (reach > segment->buckets) reach = segment->buckets;
    for (unsigned distance = 0; distance < reach; distance++) {
        unsigned char *bucket = segment_bucket(segment, segment_after(segment, home, distance));
        int slot = bucket_free_slot(bucket);
        if (slot < 0) continue;
        slot_store(bucket, (unsigned)slot, tag, word);
        for (unsigned i = 0; i < distance; i++)
            bucket_set_flag(segment_bucket(segment, segment_after(segment, home, i)), true);
        segment->count++;
        return true;
    }
    return false;
}

bool segment_find_spill(const struct segment *segment, unsigned bucket, struct place *ret_place) {
    for (unsigned distance = 1; distance < segment->buckets; distance++) {
        if (!bucket_flag(segment_bucket(segment, segment_after(segment, bucket, distance - 1))))
            return false;
        unsigned at = segment_after(segment, bucket, distance);
        const unsigned char *candidate = segment_bucket(segment, at);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            if (slot_empty(candidate, slot)) continue;
            if (segment_distance(segment, segment_home(segment, slot_tag(candidate, slot)), at) <
                distance)
                continue;
            *ret_place = (struct place){at, slot};
            return true;
        }
    }
    return false;
}

/* Empties a slot, brings back elements that had to pass this bucket, and clears flags
 * that are no longer true. */
static void segment_clear_slot(struct segment *segment, struct place gap) {
    unsigned home = segment_home(segment, slot_tag(segment_bucket(segment, gap.bucket), gap.slot));
    unsigned first_passed = home, passed = segment_distance(segment, home, gap.bucket);
    slot_store(segment_bucket(segment, gap.bucket), gap.slot, 0, 0);
    segment->count--;
    for (;;) {
        unsigned char *bucket = segment_bucket(segment, gap.bucket);
        struct place spill;
        if (!bucket_flag(bucket)) break;
        if (!segment_find_spill(segment, gap.bucket, &spill)) {
            bucket_set_flag(bucket, false);
            break;
        }
        unsigned char *from = segment_bucket(segment, spill.bucket);
        slot_store(bucket, gap.slot, slot_tag(from, spill.slot),
                   table_slot(from, spill.slot) & ~1ull);
        slot_store(from, spill.slot, 0, 0);
        /* Buckets between the two may have been passed by this element alone. */
        first_passed = passed ? first_passed : gap.bucket;
        passed = segment_distance(segment, first_passed, spill.bucket);
        gap = spill;
    }
    struct place ignored;
    for (unsigned i = passed; i-- > 0;) {
        unsigned at = segment_after(segment, first_passed, i);
        unsigned char *bucket = segment_bucket(segment, at);
        if (bucket_flag(bucket) && !segment_find_spill(segment, at, &ignored))
            bucket_set_flag(bucket, false);
    }
}

/* ---- the directory ---- */

static uint64_t *directory_words(struct table *table) {
    return table->depth == 0 ? &table->single : table->directory;
}

/* Enters a segment for all hashes with this prefix of the segment's depth. */
static void directory_enter(struct table *table, uint64_t prefix, const struct segment *segment) {
    unsigned below = table->depth - segment->depth;
    uint64_t *words = directory_words(table);
    for (size_t i = (size_t)prefix << below, end = ((size_t)prefix + 1) << below; i < end; i++)
        words[i] = segment_word(segment);
}

static void directory_double(struct table *table) {
    size_t size = directory_size(table);
    uint64_t *wider = mem_alloc(2 * size * sizeof *wider);
    for (size_t i = 0; i < 2 * size; i++) wider[i] = directory_word_at(table, i / 2);
    if (table->depth > 0) mem_free(table->directory);
    table->directory = wider;
    table->depth++;
    table->deepest = 0;
}

static void directory_halve(struct table *table) {
    while (table->depth > 0 && table->deepest == 0) {
        uint64_t *words = table->directory;
        size_t size = directory_size(table) / 2;
        table->depth--;
        if (table->depth == 0) {
            table->single = words[0];
            table->deepest = 1;
            mem_free(words);
            table->directory = NULL;
            return;
        }
        for (size_t i = 0; i < size; i++) {
            words[i] = words[2 * i];
            table->deepest += (words[i] & 63) == table->depth;
        }
        table->directory = mem_realloc(words, size * sizeof *words);
    }
}

/* ---- growing and shrinking ---- */

static void segment_refill(struct segment *to, const struct segment *from, unsigned tag_shift,
                           unsigned tag_top) {
    for (unsigned b = 0; b < from->buckets; b++) {
        const unsigned char *bucket = segment_bucket(from, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            if (slot_empty(bucket, slot)) continue;
            unsigned tag = slot_tag(bucket, slot) >> tag_shift | tag_top;
            kn_require(segment_put(to, tag, table_slot(bucket, slot) & ~1ull, BUCKETS_MAX));
        }
    }
    if (from->due < to->due) to->due = from->due;
}

/* Gives the segment of this hash another number of buckets. */
static void table_resize_segment(struct table *table, uint64_t hash, unsigned buckets) {
    struct segment *old = table_segment(table, hash);
    struct segment *segment = segment_new(table, buckets, old->depth);
    segment_refill(segment, old, 0, 0);
    directory_enter(table, hash_prefix(hash, old->depth), segment);
    segment_free(table, old);
}

static void table_split(struct table *table, uint64_t hash) {
    struct segment *old = table_segment(table, hash);
    unsigned depth = old->depth + 1u;
    uint64_t words[SLOTS_MAX], hashes[SLOTS_MAX];
    unsigned count = 0, upper = 0;
    kn_require(depth <= DEPTH_MAX);
    for (unsigned b = 0; b < old->buckets; b++) {
        const unsigned char *bucket = segment_bucket(old, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++)
            if (!slot_empty(bucket, slot)) words[count++] = table_slot(bucket, slot) & ~1ull;
    }
    /* The elements are all over memory: ask for them well ahead. */
    enum { AHEAD = 8 };
    for (unsigned i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch((const void *)(uintptr_t)(words[i + AHEAD] & TABLE_POINTER_MASK));
        hashes[i] = table->hash((const void *)(uintptr_t)(words[i] & TABLE_POINTER_MASK));
        upper += (hashes[i] >> (64 - depth)) & 1;
    }
    struct segment *halves[2] = {segment_new(table, buckets_for(count - upper + 1), depth),
                                 segment_new(table, buckets_for(upper + 1), depth)};
    for (unsigned i = 0; i < count; i++)
        kn_require(segment_put(halves[(hashes[i] >> (64 - depth)) & 1], hash_tag(hashes[i], depth),
                               words[i], BUCKETS_MAX));
    halves[0]->due = halves[1]->due = old->due;
    if (depth > table->depth) directory_double(table);
    uint64_t prefix = hash_prefix(hash, depth - 1) << 1;
    directory_enter(table, prefix, halves[0]);
    directory_enter(table, prefix | 1, halves[1]);
    if (depth == table->depth) table->deepest += 2;
    segment_free(table, old);
}

/* Joins the segment of this hash with its neighbour when both together are small. */
static void table_try_merge(struct table *table, uint64_t hash) {
    struct segment *own = table_segment(table, hash);
    if (own->depth == 0) return;
    struct segment *other = table_segment(table, hash ^ 1ull << (64 - own->depth));
    if (other->depth != own->depth || own->count + other->count > SLOTS_MAX / 2) return;
    bool own_is_upper = (hash >> (64 - own->depth)) & 1;
    struct segment *lower = own_is_upper ? other : own, *upper = own_is_upper ? own : other;
    struct segment *merged =
        segment_new(table, buckets_for(own->count + other->count + 1), own->depth - 1u);
    segment_refill(merged, lower, 1, 0);
    segment_refill(merged, upper, 1, 1u << (TAG_BITS - 1));
    directory_enter(table, hash_prefix(hash, merged->depth), merged);
    if (lower->depth == table->depth) table->deepest -= 2;
    segment_free(table, lower);
    segment_free(table, upper);
    directory_halve(table);
}

/* Room for one more in the segment of this hash. */
static void table_grow(struct table *table, uint64_t hash) {
    struct segment *segment = table_segment(table, hash);
    if (segment->buckets == BUCKETS_MAX) {
        table_split(table, hash);
        return;
    }
    unsigned i = 0;
    while (bucket_counts[i] <= segment->buckets) i++;
    table_resize_segment(table, hash, bucket_counts[i]);
}

/* ---- public ---- */

void table_init(struct table *table, table_hash_fn *hash) {
    *table = (struct table){.hash = hash, .deepest = 1};
}

void table_done(struct table *table) {
    if (table_word(table, 0) != 0) {
        for (size_t i = 0; i < directory_size(table);) {
            struct segment *segment = word_segment(directory_word_at(table, i));
            i += (size_t)1 << (table->depth - segment->depth);
            segment_free(table, segment);
        }
    }
    kn_assert(table->segment_bytes == 0);
    if (table->depth > 0) mem_free(table->directory);
    table_init(table, table->hash);
}

void table_add(struct table *table, uint64_t hash, void *element, unsigned marks) {
    uint64_t word = (uint64_t)(uintptr_t)element | marks;
    kn_assert(((uintptr_t)element & ~(uintptr_t)TABLE_POINTER_MASK) == 0 && element != NULL);
    if (table->count == 0 && table_word(table, 0) == 0)
        table->single = segment_word(segment_new(table, 1, 0));
    for (;;) {
        struct segment *segment = table_segment(table, hash);
        bool largest = segment->buckets == BUCKETS_MAX;
        unsigned slots = segment_slots(segment);
        unsigned limit = segment->buckets == 1 ? slots : slots * 92 / 100;
        if (segment->count < limit && segment_put(segment, hash_tag(hash, segment->depth), word,
                                                  largest ? BUCKETS_MAX : PROBE_SOFT_MAX))
            break;
        table_grow(table, hash);
    }
    table->count++;
}

/* Where a given element lies; it must be there. */
static struct segment *table_locate(const struct table *table, uint64_t hash, const void *element,
                                    struct place *ret_place) {
    struct segment *segment = table_segment(table, hash);
    unsigned tag = hash_tag(hash, segment->depth), home = segment_home(segment, tag);
    for (unsigned distance = 0; distance < segment->buckets; distance++) {
        unsigned at = segment_after(segment, home, distance);
        const unsigned char *bucket = segment_bucket(segment, at);
        for (unsigned hits = table_tag_hits(bucket, tag); hits; hits &= hits - 1) {
            unsigned slot = (unsigned)__builtin_ctz(hits);
            if ((table_slot(bucket, slot) & TABLE_POINTER_MASK) != (uintptr_t)element) continue;
            *ret_place = (struct place){at, slot};
            return segment;
        }
    }
    kn_require(!"the element is not in the table");
    return NULL;
}

void table_remove(struct table *table, uint64_t hash, const void *element) {
    struct place place;
    struct segment *segment = table_locate(table, hash, element, &place);
    segment_clear_slot(segment, place);
    table->count--;
    if (segment->count * 10 > segment_slots(segment) * 4 || segment->buckets == 1) return;
    unsigned buckets = buckets_for(segment->count + segment->count / 8 + 1);
    if (buckets < segment->buckets) table_resize_segment(table, hash, buckets);
    if (buckets <= MERGE_BUCKETS) table_try_merge(table, hash);
}

void table_replace(struct table *table, uint64_t hash, const void *old, void *element,
                   unsigned marks) {
    struct place place;
    struct segment *segment = table_locate(table, hash, old, &place);
    unsigned char *bucket = segment_bucket(segment, place.bucket);
    slot_store(bucket, place.slot, slot_tag(bucket, place.slot),
               (uint64_t)(uintptr_t)element | marks);
}

unsigned table_marks(const struct table *table, uint64_t hash, const void *element) {
    struct place place;
    const struct segment *segment = table_locate(table, hash, element, &place);
    return (unsigned)(table_slot(segment_bucket(segment, place.bucket), place.slot) & TABLE_MARKS);
}

void table_note_due(struct table *table, uint64_t hash, uint64_t due) {
    if (table->count == 0) return;
    struct segment *segment = table_segment(table, hash);
    if (due < segment->due) segment->due = due;
}
