/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Going over a table: scans, iteration, chance, the sweep of what is due, and the
 * proof of the invariants.
 */
#include "base/assert.h"
#include "ds/table_inside.h"

uint64_t table_scan(const struct table *table, uint64_t cursor, table_visit_fn *visit,
                    void *context) {
    if (table->count == 0 || cursor >> TABLE_CURSOR_BITS) return 0;
    uint64_t start = cursor << (64 - TABLE_CURSOR_BITS);
    const struct segment *segment = table_segment(table, start);
    unsigned depth = segment->depth, tag = hash_tag(start, depth),
             home = segment_home(segment, tag);
    bool between_tags = (start << depth << TAG_BITS) != 0;
    for (unsigned distance = 0; distance < segment->buckets; distance++) {
        const unsigned char *bucket =
            segment_bucket(segment, segment_after(segment, home, distance));
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            unsigned its_tag = slot_tag(bucket, slot);
            if (slot_empty(bucket, slot) || segment_home(segment, its_tag) != home || its_tag < tag)
                continue;
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
        const struct segment *segment =
            word_segment(directory_word_at(table, iter->directory_index));
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

unsigned table_sample(const struct table *table, uint64_t random, unsigned marks,
                      void **ret_elements, unsigned most) {
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

void *table_random(const struct table *table, uint64_t (*next_random)(void *context),
                   void *context) {
    if (table->count == 0) return NULL;
    /* Every slot of an imagined table of segments of equal size is as likely; slots that are not
     * there, or empty, and second directory entries of one segment mean another throw. */
    unsigned slots =
        table->depth == 0 ? segment_slots(word_segment(table->single)) : (unsigned)SLOTS_MAX;
    for (;;) {
        uint64_t random = next_random(context);
        size_t index = (size_t)hash_prefix(random, table->depth);
        const struct segment *segment = word_segment(directory_word_at(table, index));
        if (index & (((size_t)1 << (table->depth - segment->depth)) - 1)) continue;
        unsigned slot = (unsigned)((random & 0xffffffff) * slots >> 32);
        if (slot >= segment_slots(segment)) continue;
        uint64_t pointer = table_slot(segment_bucket(segment, slot / TABLE_BUCKET_SLOTS),
                                      slot % TABLE_BUCKET_SLOTS) &
                           TABLE_POINTER_MASK;
        if (pointer) return (void *)(uintptr_t)pointer;
    }
}

/* One segment's part of a sweep; returns the new number of elements in ret_due. */
static unsigned segment_sweep(struct segment *segment, const struct table_sweep *sweep,
                              void **ret_due, unsigned found, unsigned due_max) {
    uint64_t earliest = UINT64_MAX;
    for (unsigned b = 0; b < segment->buckets; b++) {
        const unsigned char *bucket = segment_bucket(segment, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            uint64_t word = table_slot(bucket, slot);
            if ((word & TABLE_POINTER_MASK) == 0 || !(word & sweep->marks)) continue;
            void *element = (void *)(uintptr_t)(word & TABLE_POINTER_MASK);
            uint64_t due = sweep->due(element, sweep->context);
            if (due <= sweep->now && found < due_max)
                ret_due[found++] = element;
            else if (due < earliest)
                earliest = due;
        }
    }
    segment->due = earliest;
    return found;
}

unsigned table_sweep(struct table *table, struct table_sweep *sweep, void **ret_due,
                     unsigned due_max) {
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
            if (segment->due <= sweep->now)
                break; /* more are due here than the caller takes at a time */
        }
        uint64_t next = (hash_prefix(start, segment->depth) + 1)
                        << (TABLE_CURSOR_BITS - segment->depth);
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

static void segment_check(const struct table *table, const struct segment *segment,
                          uint64_t prefix) {
    unsigned count = 0;
    for (unsigned b = 0; b < segment->buckets; b++) {
        const unsigned char *bucket = segment_bucket(segment, b);
        for (unsigned slot = 0; slot < TABLE_BUCKET_SLOTS; slot++) {
            if (slot_empty(bucket, slot)) continue;
            uint64_t hash =
                table->hash((void *)(uintptr_t)(table_slot(bucket, slot) & TABLE_POINTER_MASK));
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
    size_t count = 0, deepest = 0, bytes = 0;
    if (table_word(table, 0) == 0) {
        kn_require(table->count == 0 && table->segment_bytes == 0);
        return;
    }
    for (size_t i = 0; i < directory_size(table);) {
        const struct segment *segment = word_segment(directory_word_at(table, i));
        size_t span = (size_t)1 << (table->depth - segment->depth);
        kn_require((i & (span - 1)) == 0);
        for (size_t j = 0; j < span; j++)
            kn_require(directory_word_at(table, i + j) == segment_word(segment));
        segment_check(table, segment, i / span);
        count += segment->count;
        bytes += TABLE_BUCKET_BYTES * (1 + (size_t)segment->buckets);
        deepest += segment->depth == table->depth;
        i += span;
    }
    kn_require(count == table->count && deepest == table->deepest && deepest > 0 &&
               bytes == table->segment_bytes);
}
