/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * A segment is one allocation: a header line, then its buckets. The hash of an element reads, from the top:
 * `depth` bits that chose the segment, then 16 bits of tag. The tag times the number of buckets, divided by
 * 65536, is the home bucket: it rises with the tag, so elements lie in the order of their hashes and a segment
 * can get more or fewer buckets from the tags alone, without touching a single element. Only a split, which
 * needs one more bit of each hash, asks the elements.
 *
 * A bucket that is full sends what comes next to the bucket behind it, round the end of the segment, and
 * keeps a flag (the lowest bit of its first slot) for as long as an element at home there or before lies
 * behind it. A search stops at the first bucket without that flag; a removal closes the gap it leaves.
 *
 * Sizes in buckets are chosen so that header and buckets fill a size class of the allocator. Growing in steps
 * of an eighth to a quarter keeps buckets about 85 % full, where doubling would leave them at 70 %.
 *
 * Invariants (table_check proves them):
 *  1. an element at distance n from its home bucket passed n buckets that all carry the flag;
 *  2. the directory entries of a segment of depth d are 1 << (depth - d) neighbours, all the same word;
 *  3. `deepest` segments have the directory's own depth, and it is above 0 unless depth is 0.
 */
#include "ds/table.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

struct segment {
    uint64_t due; /* no marked element is due before */
    uint32_t count;
    uint8_t depth;
    uint8_t buckets;
};

enum {
    TAG_BITS = 16,
    DEPTH_MAX = TABLE_CURSOR_BITS - TAG_BITS,
    BUCKETS_MAX = 127,
    SLOTS_MAX = BUCKETS_MAX * TABLE_BUCKET_SLOTS,
    PROBE_SOFT_MAX = 8, /* further from home than this, the segment rather grows */
    MERGE_BUCKETS = 31, /* segments that shrank below this look at their neighbour */
};

static const uint8_t bucket_counts[] = {1,  2,  3,  4,  5,  6,  7,  9,  11, 13,  15, 19,
                                        23, 27, 31, 39, 47, 55, 63, 79, 95, 111, BUCKETS_MAX};
enum { BUCKET_COUNTS = sizeof bucket_counts / sizeof bucket_counts[0] };

/* ---- a bucket ---- */

static unsigned char *segment_bucket(const struct segment *segment, unsigned index) {
    return (unsigned char *)(uintptr_t)segment + TABLE_BUCKET_BYTES * (1 + index);
}

static unsigned slot_tag(const unsigned char *bucket, unsigned slot) {
    uint16_t tag;
    memcpy(&tag, bucket + 2 * slot, sizeof tag);
    return tag;
}

static bool slot_empty(const unsigned char *bucket, unsigned slot) {
    return (table_slot(bucket, slot) & TABLE_POINTER_MASK) == 0;
}

static bool bucket_flag(const unsigned char *bucket) {
    return (table_slot(bucket, 0) & 1) != 0;
}

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

static unsigned segment_slots(const struct segment *segment) {
    return segment->buckets * (unsigned)TABLE_BUCKET_SLOTS;
}

static unsigned segment_home(const struct segment *segment, unsigned tag) {
    return (tag * segment->buckets) >> TAG_BITS;
}

static unsigned segment_after(const struct segment *segment, unsigned bucket, unsigned steps) {
    unsigned sum = bucket + steps;
    return sum >= segment->buckets ? sum - segment->buckets : sum;
}

static unsigned segment_distance(const struct segment *segment, unsigned home, unsigned bucket) {
    return bucket >= home ? bucket - home : bucket + segment->buckets - home;
}

static unsigned hash_tag(uint64_t hash, unsigned depth) {
    return (unsigned)((hash << depth) >> (64 - TAG_BITS));
}

static struct segment *segment_new(unsigned buckets, unsigned depth) {
    size_t size = TABLE_BUCKET_BYTES * (1 + (size_t)buckets);
    struct segment *segment = mem_alloc_aligned(TABLE_BUCKET_BYTES, size);
    memset(segment, 0, size);
    segment->due = UINT64_MAX;
    segment->depth = (uint8_t)depth;
    segment->buckets = (uint8_t)buckets;
    return segment;
}

/* The smallest number of buckets that holds so many elements without being too full. */
static unsigned buckets_for(size_t count) {
    for (unsigned i = 0; i < BUCKET_COUNTS; i++)
        if (count * 100 <= (size_t)bucket_counts[i] * TABLE_BUCKET_SLOTS * 92) return bucket_counts[i];
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

struct place {
    unsigned bucket, slot;
};

/* An element that lies behind this bucket though its home is here or before. */
static bool segment_find_spill(const struct segment *segment, unsigned bucket, struct place *ret_place) {
    for (unsigned distance = 1; distance < segment->buckets; distance++) {
        if (!bucket_flag(segment_bucket(segment, segment_after(segment, bucket, distance - 1)))) return false;
        unsigned at = segment_after(segment, bucket, distance);
        const unsigned char *candidate = segment_bucket(segment, at);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            if (slot_empty(candidate, slot)) continue;
            if (segment_distance(segment, segment_home(segment, slot_tag(candidate, slot)), at) < distance) continue;
            *ret_place = (struct place){at, slot};
            return true;
        }
    }
    return false;
}

/* Empties a slot, brings back elements that had to pass this bucket, and clears flags that are no longer true. */
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
        slot_store(bucket, gap.slot, slot_tag(from, spill.slot), table_slot(from, spill.slot) & ~1ull);
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
        if (bucket_flag(bucket) && !segment_find_spill(segment, at, &ignored)) bucket_set_flag(bucket, false);
    }
}

/* ---- the directory ---- */

static uint64_t segment_word(const struct segment *segment) {
    return (uint64_t)(uintptr_t)segment | segment->depth | (uint64_t)segment->buckets << 48;
}

static struct segment *word_segment(uint64_t word) {
    return (struct segment *)(uintptr_t)(word & TABLE_SEGMENT_MASK);
}

static size_t directory_size(const struct table *table) {
    return (size_t)1 << table->depth;
}

static uint64_t *directory_words(struct table *table) {
    return table->depth == 0 ? &table->single : table->directory;
}

static uint64_t directory_word_at(const struct table *table, size_t index) {
    return table->depth == 0 ? table->single : table->directory[index];
}

static struct segment *table_segment(const struct table *table, uint64_t hash) {
    return word_segment(table_word(table, hash));
}

static uint64_t hash_prefix(uint64_t hash, unsigned bits) {
    return bits == 0 ? 0 : hash >> (64 - bits);
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

static void segment_refill(struct segment *to, const struct segment *from, unsigned tag_shift, unsigned tag_top) {
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
    struct segment *segment = segment_new(buckets, old->depth);
    segment_refill(segment, old, 0, 0);
    directory_enter(table, hash_prefix(hash, old->depth), segment);
    mem_free(old);
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
        if (i + AHEAD < count) __builtin_prefetch((const void *)(uintptr_t)(words[i + AHEAD] & TABLE_POINTER_MASK));
        hashes[i] = table->hash((const void *)(uintptr_t)(words[i] & TABLE_POINTER_MASK));
        upper += (hashes[i] >> (64 - depth)) & 1;
    }
    struct segment *halves[2] = {segment_new(buckets_for(count - upper + 1), depth),
                                 segment_new(buckets_for(upper + 1), depth)};
    for (unsigned i = 0; i < count; i++)
        kn_require(segment_put(halves[(hashes[i] >> (64 - depth)) & 1], hash_tag(hashes[i], depth), words[i],
                               BUCKETS_MAX));
    halves[0]->due = halves[1]->due = old->due;
    if (depth > table->depth) directory_double(table);
    uint64_t prefix = hash_prefix(hash, depth - 1) << 1;
    directory_enter(table, prefix, halves[0]);
    directory_enter(table, prefix | 1, halves[1]);
    if (depth == table->depth) table->deepest += 2;
    mem_free(old);
}

/* Joins the segment of this hash with its neighbour when both together are small. */
static void table_try_merge(struct table *table, uint64_t hash) {
    struct segment *own = table_segment(table, hash);
    if (own->depth == 0) return;
    struct segment *other = table_segment(table, hash ^ 1ull << (64 - own->depth));
    if (other->depth != own->depth || own->count + other->count > SLOTS_MAX / 2) return;
    bool own_is_upper = (hash >> (64 - own->depth)) & 1;
    struct segment *lower = own_is_upper ? other : own, *upper = own_is_upper ? own : other;
    struct segment *merged = segment_new(buckets_for(own->count + other->count + 1), own->depth - 1u);
    segment_refill(merged, lower, 1, 0);
    segment_refill(merged, upper, 1, 1u << (TAG_BITS - 1));
    directory_enter(table, hash_prefix(hash, merged->depth), merged);
    if (lower->depth == table->depth) table->deepest -= 2;
    mem_free(lower);
    mem_free(upper);
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
            mem_free(segment);
        }
    }
    if (table->depth > 0) mem_free(table->directory);
    table_init(table, table->hash);
}

size_t table_bytes(const struct table *table) {
    size_t sum = table->depth > 0 ? directory_size(table) * sizeof *table->directory : 0;
    if (table_word(table, 0) == 0) return sum;
    for (size_t i = 0; i < directory_size(table);) {
        const struct segment *segment = word_segment(directory_word_at(table, i));
        sum += TABLE_BUCKET_BYTES * (1u + segment->buckets);
        i += (size_t)1 << (table->depth - segment->depth);
    }
    return sum;
}

void table_add(struct table *table, uint64_t hash, void *element, unsigned marks) {
    uint64_t word = (uint64_t)(uintptr_t)element | marks;
    kn_assert(((uintptr_t)element & ~(uintptr_t)TABLE_POINTER_MASK) == 0 && element != NULL);
    if (table->count == 0 && table_word(table, 0) == 0) table->single = segment_word(segment_new(1, 0));
    for (;;) {
        struct segment *segment = table_segment(table, hash);
        bool largest = segment->buckets == BUCKETS_MAX;
        unsigned slots = segment_slots(segment);
        unsigned limit = segment->buckets == 1 ? slots : slots * 92 / 100;
        if (segment->count < limit &&
            segment_put(segment, hash_tag(hash, segment->depth), word, largest ? BUCKETS_MAX : PROBE_SOFT_MAX))
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

void table_replace(struct table *table, uint64_t hash, const void *old, void *element, unsigned marks) {
    struct place place;
    struct segment *segment = table_locate(table, hash, old, &place);
    unsigned char *bucket = segment_bucket(segment, place.bucket);
    slot_store(bucket, place.slot, slot_tag(bucket, place.slot), (uint64_t)(uintptr_t)element | marks);
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

uint64_t table_scan(const struct table *table, uint64_t cursor, table_visit_fn *visit, void *context) {
    if (table->count == 0 || cursor >> TABLE_CURSOR_BITS) return 0;
    uint64_t start = cursor << (64 - TABLE_CURSOR_BITS);
    const struct segment *segment = table_segment(table, start);
    unsigned depth = segment->depth, tag = hash_tag(start, depth), home = segment_home(segment, tag);
    bool between_tags = (start << depth << TAG_BITS) != 0;
    for (unsigned distance = 0; distance < segment->buckets; distance++) {
        const unsigned char *bucket = segment_bucket(segment, segment_after(segment, home, distance));
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            unsigned its_tag = slot_tag(bucket, slot);
            if (slot_empty(bucket, slot) || segment_home(segment, its_tag) != home || its_tag < tag) continue;
            void *element = (void *)(uintptr_t)(table_slot(bucket, slot) & TABLE_POINTER_MASK);
            /* A cursor from a time of smaller segments may lie between two elements of one tag. */
            if (its_tag == tag && between_tags && table->hash(element) < start) continue;
            visit(element, context);
        }
        if (!bucket_flag(bucket)) break;
    }
    uint64_t prefix = hash_prefix(start, depth);
    uint64_t next_tag = ((uint64_t)(home + 1) << TAG_BITS) / segment->buckets +
                        ((((uint64_t)(home + 1) << TAG_BITS) % segment->buckets) != 0);
    uint64_t next = ((prefix << TAG_BITS) + next_tag) << (TABLE_CURSOR_BITS - TAG_BITS - depth);
    return next >> TABLE_CURSOR_BITS ? 0 : next;
}

void table_iter_init(struct table_iter *iter, const struct table *table) {
    *iter = (struct table_iter){.table = table};
}

void *table_iter_next(struct table_iter *iter) {
    const struct table *table = iter->table;
    if (table->count == 0) return NULL;
    while (iter->directory_index < directory_size(table)) {
        const struct segment *segment = word_segment(directory_word_at(table, iter->directory_index));
        while (iter->bucket < segment->buckets) {
            const unsigned char *bucket = segment_bucket(segment, iter->bucket);
            while (iter->slot < TABLE_BUCKET_SLOTS) {
                uint64_t pointer = table_slot(bucket, iter->slot++) & TABLE_POINTER_MASK;
                if (pointer) return (void *)(uintptr_t)pointer;
            }
            iter->bucket++;
            iter->slot = 0;
        }
        iter->directory_index += (size_t)1 << (table->depth - segment->depth);
        iter->bucket = 0;
    }
    return NULL;
}

unsigned table_sample(const struct table *table, uint64_t random, unsigned marks, void **ret_elements,
                      unsigned most) {
    unsigned found = 0;
    if (table->count == 0) return 0;
    const struct segment *segment = table_segment(table, random);
    unsigned start = (unsigned)((random & 0xffff) * segment->buckets >> 16);
    for (unsigned i = 0; i < segment->buckets && found < most; i++) {
        const unsigned char *bucket = segment_bucket(segment, segment_after(segment, start, i));
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS && found < most; slot++) {
            uint64_t word = table_slot(bucket, slot);
            if ((word & TABLE_POINTER_MASK) == 0 || (marks && !(word & marks))) continue;
            ret_elements[found] = (void *)(uintptr_t)(word & TABLE_POINTER_MASK);
            __builtin_prefetch(ret_elements[found++]);
        }
    }
    return found;
}

void *table_random(const struct table *table, uint64_t (*next_random)(void *context), void *context) {
    if (table->count == 0) return NULL;
    /* Every slot of an imagined table of segments of equal size is as likely; slots that are not there, or
     * empty, and second directory entries of one segment mean another throw. */
    unsigned slots = table->depth == 0 ? segment_slots(word_segment(table->single)) : (unsigned)SLOTS_MAX;
    for (;;) {
        uint64_t random = next_random(context);
        size_t index = (size_t)hash_prefix(random, table->depth);
        const struct segment *segment = word_segment(directory_word_at(table, index));
        if (index & (((size_t)1 << (table->depth - segment->depth)) - 1)) continue;
        unsigned slot = (unsigned)((random & 0xffffffff) * slots >> 32);
        if (slot >= segment_slots(segment)) continue;
        uint64_t pointer = table_slot(segment_bucket(segment, slot / TABLE_BUCKET_SLOTS), slot % TABLE_BUCKET_SLOTS) &
                           TABLE_POINTER_MASK;
        if (pointer) return (void *)(uintptr_t)pointer;
    }
}

/* One segment's part of a sweep; returns the new number of elements in ret_due. */
static unsigned segment_sweep(struct segment *segment, const struct table_sweep *sweep, void **ret_due, unsigned found,
                              unsigned due_max) {
    uint64_t earliest = UINT64_MAX;
    for (unsigned b = 0; b < segment->buckets; b++) {
        const unsigned char *bucket = segment_bucket(segment, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            uint64_t word = table_slot(bucket, slot);
            if ((word & TABLE_POINTER_MASK) == 0 || !(word & sweep->marks)) continue;
            void *element = (void *)(uintptr_t)(word & TABLE_POINTER_MASK);
            uint64_t due = sweep->due(element, sweep->context);
            if (due <= sweep->now && found < due_max) ret_due[found++] = element;
            else if (due < earliest) earliest = due;
        }
    }
    segment->due = earliest;
    return found;
}

unsigned table_sweep(struct table *table, struct table_sweep *sweep, void **ret_due, unsigned due_max) {
    unsigned found = 0, looked = 0;
    sweep->finished = table->count == 0;
    if (sweep->finished) sweep->position = 0;
    while (!sweep->finished && looked < sweep->most && found < due_max) {
        uint64_t start = sweep->position << (64 - TABLE_CURSOR_BITS);
        struct segment *segment = table_segment(table, start);
        looked++;
        if (segment->due <= sweep->now) {
            found = segment_sweep(segment, sweep, ret_due, found, due_max);
            looked += segment_slots(segment);
            if (segment->due <= sweep->now) break; /* more are due here than the caller takes at a time */
        }
        uint64_t next = (hash_prefix(start, segment->depth) + 1) << (TABLE_CURSOR_BITS - segment->depth);
        sweep->finished = next >> TABLE_CURSOR_BITS != 0;
        sweep->position = sweep->finished ? 0 : next;
    }
    return found;
}

uint64_t table_next_due(const struct table *table) {
    uint64_t earliest = UINT64_MAX;
    if (table->count == 0) return earliest;
    for (size_t i = 0; i < directory_size(table);) {
        const struct segment *segment = word_segment(directory_word_at(table, i));
        if (segment->due < earliest) earliest = segment->due;
        i += (size_t)1 << (table->depth - segment->depth);
    }
    return earliest;
}

static void segment_check(const struct table *table, const struct segment *segment, uint64_t prefix) {
    unsigned count = 0;
    for (unsigned b = 0; b < segment->buckets; b++) {
        const unsigned char *bucket = segment_bucket(segment, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            if (slot_empty(bucket, slot)) continue;
            uint64_t hash = table->hash((void *)(uintptr_t)(table_slot(bucket, slot) & TABLE_POINTER_MASK));
            unsigned home = segment_home(segment, slot_tag(bucket, slot));
            kn_require(hash_prefix(hash, segment->depth) == prefix);
            kn_require(hash_tag(hash, segment->depth) == slot_tag(bucket, slot));
            for (unsigned i = 0; i < segment_distance(segment, home, b); i++)
                kn_require(bucket_flag(segment_bucket(segment, segment_after(segment, home, i))));
            count++;
        }
        struct place ignored;
        if (bucket_flag(bucket)) kn_require(segment_find_spill(segment, b, &ignored));
    }
    kn_require(count == segment->count);
}

void table_check(const struct table *table) {
    size_t count = 0, deepest = 0;
    if (table_word(table, 0) == 0) {
        kn_require(table->count == 0);
        return;
    }
    for (size_t i = 0; i < directory_size(table);) {
        const struct segment *segment = word_segment(directory_word_at(table, i));
        size_t span = (size_t)1 << (table->depth - segment->depth);
        kn_require((i & (span - 1)) == 0);
        for (size_t j = 0; j < span; j++) kn_require(directory_word_at(table, i + j) == segment_word(segment));
        segment_check(table, segment, i / span);
        count += segment->count;
        deepest += segment->depth == table->depth;
        i += span;
    }
    kn_require(count == table->count && deepest == table->deepest && deepest > 0);
}
