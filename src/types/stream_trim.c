/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries that leave a stream: one by one, and from its beginning.
 */
#include "base/assert.h"
#include "types/stream_inside.h"

static void find_first_id(struct stream *stream) {
    struct idtree_cursor cursor;
    const struct stream_place *place = idtree_first(&stream->blocks, &cursor);
    stream->first_id = place ? stream_block_id(place->block, place->block->first) : STREAM_ID_MIN;
}

/* Takes out the entry at an offset of a block, and the block with its last. */
static void delete_at(struct stream *stream, struct stream_place *place, uint32_t at) {
    struct stream_block *block = place->block;
    stream->count--;
    if (block->count > 1) {
        place->block = stream_block_delete(block, &stream->home, at);
        return;
    }
    idtree_remove(&stream->blocks, &stream->home, place->base);
    stream_block_free(block, &stream->home);
}

bool stream_delete(struct stream *stream, struct stream_id id) {
    struct idtree_cursor cursor;
    struct stream_id found;
    struct stream_place *place = idtree_seek_back(&stream->blocks, id, &cursor);
    if (!place) return false;
    uint32_t at = stream_block_seek(place->block, id, &found);
    if (at == place->block->end || stream_id_compare(found, id) != 0) return false;
    delete_at(stream, place, at);
    if (stream_id_less(stream->facts.max_deleted, id)) stream->facts.max_deleted = id;
    if (stream_id_compare(id, stream->first_id) == 0) find_first_id(stream);
    return true;
}

/* ---- trimming ---- */

/* How many entries of the first blocks are to go, from this block, when
 * so many have gone already. */
static uint64_t excess_of(const struct stream *stream, const struct stream_trim *trim,
                          const struct stream_block *block, uint64_t gone) {
    struct stream_id found;
    if (!trim->by_id) {
        uint64_t left = stream->count - gone;
        uint64_t excess = left > trim->keep ? left - trim->keep : 0;
        return excess < block->count ? excess : block->count;
    }
    uint64_t excess = 0;
    uint32_t end = stream_block_seek(block, trim->min_id, &found);
    if (end == block->end) return block->count;
    for (uint32_t at = block->first; at < end; at = stream_block_next(block, at)) excess++;
    return excess;
}

/* Is it enough, with a block's so many entries to go? */
static bool trim_stops(const struct stream_trim *trim, const struct stream_block *block,
                       uint64_t excess, uint64_t gone) {
    if (excess == 0) return true;
    if (!trim->whole_blocks) return false;
    return excess < block->count || (trim->most && gone + excess > trim->most);
}

static uint64_t trim_blocks(struct stream *stream, const struct stream_trim *trim) {
    struct idtree_cursor cursor;
    uint64_t gone = 0;
    for (;;) {
        struct stream_place *place = idtree_first(&stream->blocks, &cursor);
        if (!place) break;
        uint64_t excess = excess_of(stream, trim, place->block, 0);
        if (trim_stops(trim, place->block, excess, gone)) break;
        gone += excess;
        if (excess == place->block->count) {
            struct stream_block *block = place->block;
            stream->count -= block->count;
            idtree_remove(&stream->blocks, &stream->home, place->base);
            stream_block_free(block, &stream->home);
            continue;
        }
        for (; excess > 0; excess--) delete_at(stream, place, place->block->first);
        break;
    }
    if (gone > 0) find_first_id(stream);
    return gone;
}

/* How many of the oldest entries are to go, if nothing spares them. */
static uint64_t trim_candidates(const struct stream *stream, const struct stream_trim *trim) {
    struct idtree_cursor cursor;
    uint64_t candidates = 0;
    for (const struct stream_place *place = idtree_first(&stream->blocks, &cursor); place;
         place = idtree_next(&cursor)) {
        uint64_t excess = excess_of(stream, trim, place->block, candidates);
        if (trim_stops(trim, place->block, excess, candidates)) break;
        candidates += excess;
        if (excess < place->block->count) break;
    }
    return candidates;
}

/* One entry after the other, with a look at the groups for each. */
static uint64_t trim_entries(struct stream *stream, const struct stream_trim *trim) {
    uint64_t gone = 0, left = trim_candidates(stream, trim);
    struct stream_id next = STREAM_ID_MIN, id;
    struct stream_iter iter;
    size_t fields;
    for (; left > 0; left--) {
        stream_iter_init(&iter, stream, next, STREAM_ID_MAX, false);
        if (!stream_iter_next(&iter, &id, &fields)) break;
        next = id;
        if (trim->refs == STREAM_DELETE_REFS || !stream_is_referenced(stream, id)) {
            struct stream_id max_deleted = stream->facts.max_deleted;
            bool is_first = stream_id_compare(id, stream->first_id) == 0;
            if (trim->refs == STREAM_DELETE_REFS) stream_forget_refs(stream, id);
            stream_delete(stream, id);
            /* A trimmed beginning is no gap. */
            if (is_first) stream->facts.max_deleted = max_deleted;
            gone++;
        }
        if (!stream_id_next(&next)) break;
    }
    return gone;
}

uint64_t stream_trim(struct stream *stream, const struct stream_trim *trim) {
    if (trim->refs == STREAM_KEEP_REFS || stream->group_count == 0)
        return trim_blocks(stream, trim);
    return trim_entries(stream, trim);
}
