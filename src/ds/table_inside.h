/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table's inside, for table.c and table_visit.c only: how a segment lies in memory, and how the
 * directory finds it. table.c tells how it all works.
 */
#ifndef KN_DS_TABLE_INSIDE_H
#define KN_DS_TABLE_INSIDE_H

#include <string.h>

#include "ds/table.h"

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
};

struct place {
    unsigned bucket, slot;
};

static inline unsigned char *segment_bucket(const struct segment *segment, unsigned index) {
    return (unsigned char *)(uintptr_t)segment + TABLE_BUCKET_BYTES * (1 + index);
}

static inline unsigned slot_tag(const unsigned char *bucket, unsigned slot) {
    uint16_t tag;
    memcpy(&tag, bucket + 2 * slot, sizeof tag);
    return tag;
}

static inline bool slot_empty(const unsigned char *bucket, unsigned slot) {
    return (table_slot(bucket, slot) & TABLE_POINTER_MASK) == 0;
}

static inline bool bucket_flag(const unsigned char *bucket) {
    return (table_slot(bucket, 0) & 1) != 0;
}

static inline unsigned segment_slots(const struct segment *segment) {
    return segment->buckets * (unsigned)TABLE_BUCKET_SLOTS;
}

static inline unsigned segment_home(const struct segment *segment, unsigned tag) {
    return (tag * segment->buckets) >> TAG_BITS;
}

static inline unsigned segment_after(const struct segment *segment, unsigned bucket,
                                     unsigned steps) {
    unsigned sum = bucket + steps;
    return sum >= segment->buckets ? sum - segment->buckets : sum;
}

static inline unsigned segment_distance(const struct segment *segment, unsigned home,
                                        unsigned bucket) {
    return bucket >= home ? bucket - home : bucket + segment->buckets - home;
}

static inline unsigned hash_tag(uint64_t hash, unsigned depth) {
    return (unsigned)((hash << depth) >> (64 - TAG_BITS));
}

static inline uint64_t segment_word(const struct segment *segment) {
    return (uint64_t)(uintptr_t)segment | segment->depth | (uint64_t)segment->buckets << 48;
}

static inline struct segment *word_segment(uint64_t word) {
    return (struct segment *)(uintptr_t)(word & TABLE_SEGMENT_MASK);
}

static inline size_t directory_size(const struct table *table) {
    return (size_t)1 << table->depth;
}

static inline uint64_t directory_word_at(const struct table *table, size_t index) {
    return table->depth == 0 ? table->single : table->directory[index];
}

static inline struct segment *table_segment(const struct table *table, uint64_t hash) {
    return word_segment(table_word(table, hash));
}

static inline uint64_t hash_prefix(uint64_t hash, unsigned bits) {
    return bits == 0 ? 0 : hash >> (64 - bits);
}

/* An element that lies behind this bucket though its home is here or before. */
bool segment_find_spill(const struct segment *segment, unsigned bucket, struct place *ret_place);

#endif
