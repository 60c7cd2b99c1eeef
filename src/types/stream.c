/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/heap.h"
#include "types/limits.h"
#include "types/stream_inside.h"

_Static_assert((int)STREAM_SCRATCH == (int)STREAM_TEXT_MAX, "an integer's text fits");

void *stream_take(struct stream *stream, size_t size) {
    stream->home.bytes += heap_object_bytes(size);
    return heap_take(stream->home.heap, size);
}

void stream_give(struct stream *stream, void *object, size_t size) {
    stream->home.bytes -= heap_object_bytes(size);
    heap_give(stream->home.heap, object, size);
}

struct stream *stream_new(struct heap *heap) {
    struct stream *stream = heap_take(heap, sizeof *stream);
    *stream = (struct stream){.home = {heap, heap_object_bytes(sizeof *stream)}};
    idtree_init(&stream->blocks, sizeof(struct stream_place));
    return stream;
}

void stream_free(struct stream *stream) {
    struct idtree_cursor cursor;
    for (const struct stream_place *place = idtree_first(&stream->blocks, &cursor); place;
         place = idtree_next(&cursor))
        stream_block_free(place->block, &stream->home);
    idtree_done(&stream->blocks, &stream->home);
    stream_groups_free(stream);
    kn_assert(stream->home.bytes == heap_object_bytes(sizeof *stream));
    heap_give(stream->home.heap, stream, sizeof *stream);
}

struct stream *stream_copy(const struct stream *stream, struct heap *heap) {
    struct stream *copy = stream_new(heap);
    struct idtree_cursor cursor;
    copy->count = stream->count;
    copy->facts = stream->facts;
    copy->first_id = stream->first_id;
    idtree_copy(&stream->blocks, &copy->blocks, &copy->home);
    for (struct stream_place *place = idtree_first(&copy->blocks, &cursor); place;
         place = idtree_next(&cursor))
        place->block = stream_block_copy(place->block, &copy->home);
    stream_groups_copy(stream, copy);
    return copy;
}

void stream_rehome(struct stream *stream, struct heap *heap) {
    stream->home.heap = heap;
}

size_t stream_count(const struct stream *stream) {
    return stream->count;
}

size_t stream_bytes(const struct stream *stream) {
    return stream->home.bytes;
}

size_t stream_free_cost(const struct stream *stream) {
    size_t cost = 1 + stream->blocks.count + stream->blocks.nodes;
    for (uint32_t i = 0; i < stream->group_count; i++) {
        const struct stream_group *group = stream->groups[i];
        cost += 1 + group->pending.nodes * 2u + group->consumer_count;
    }
    return cost;
}

/* ---- what a stream remembers ---- */

const struct stream_facts *stream_facts(const struct stream *stream) {
    return &stream->facts;
}

void stream_set_facts(struct stream *stream, const struct stream_facts *facts) {
    stream->facts = *facts;
}

struct stream_id stream_first_id(const struct stream *stream) {
    return stream->first_id;
}

void stream_shape(const struct stream *stream, size_t *ret_blocks, size_t *ret_nodes) {
    *ret_blocks = stream->blocks.count;
    *ret_nodes = stream->blocks.nodes;
}

/* ---- adding ---- */

static size_t block_max_bytes(void) {
    int64_t bytes = type_limit(&type_limits.stream_node_max_bytes);
    return bytes <= 0 || bytes > STREAM_BLOCK_MAX ? STREAM_BLOCK_MAX : (size_t)bytes;
}

static bool block_takes(const struct stream_block *block, size_t room, size_t max_bytes) {
    int64_t entries = type_limit(&type_limits.stream_node_max_entries);
    return (entries <= 0 || block->added < entries) && stream_block_takes(block, room, max_bytes);
}

/* Begins a new block. The next one of a long stream is as large at once as the one before it, which
 * gives back what it did not need. */
static struct stream_place *block_add(struct stream *stream, struct stream_place *last,
                                      struct stream_id id, size_t room, size_t max_bytes) {
    bool fresh;
    size_t want = room;
    if (last) {
        last->block = stream_block_fit(last->block, &stream->home);
        size_t like_last = last->block->cap < max_bytes ? last->block->cap : max_bytes;
        if (like_last > want + STREAM_BLOCK_HEAD) want = like_last - STREAM_BLOCK_HEAD;
    }
    struct stream_block *block = stream_block_new(&stream->home, id, want);
    struct stream_place *place = idtree_add(&stream->blocks, &stream->home, id, &fresh);
    kn_assert(fresh);
    place->block = block;
    return place;
}

int stream_add(struct stream *stream, struct stream_id id, const struct bytes *pairs,
               size_t count) {
    struct idtree_cursor cursor;
    struct stream_place *place = idtree_last(&stream->blocks, &cursor);
    size_t room = stream_entry_room(pairs, count), max_bytes = block_max_bytes();
    kn_assert(stream_id_less(stream->facts.last_id, id) && count > 0);
    if (room > STREAM_ENTRY_MAX) return ERROR_TOO_BIG;
    if (!place || !block_takes(place->block, room, max_bytes))
        place = block_add(stream, place, id, room, max_bytes);
    size_t want = place->block->cap * 2u < max_bytes ? place->block->cap * 2u : max_bytes;
    place->block = stream_block_add(place->block, &stream->home, id, pairs, count, room, want);
    if (stream->count++ == 0) stream->first_id = id;
    stream->facts.last_id = id;
    stream->facts.entries_added++;
    return 0;
}

/* ---- reading ---- */

static const struct stream_block *block_of(const struct stream_place *place) {
    return place ? place->block : NULL;
}

/* Stands before the last entries of the range, in its last block. */
static void start_backward(struct stream_iter *iter, const struct stream *stream) {
    struct stream_id id;
    const struct stream_block *block =
        block_of(idtree_seek_back(&stream->blocks, iter->to, &iter->place));
    iter->block = block;
    if (!block) return;
    uint32_t at = stream_block_seek(block, iter->to, &id);
    if (at < block->end && stream_id_compare(id, iter->to) == 0) at = stream_block_next(block, at);
    iter->at = at;
}

static void start_forward(struct stream_iter *iter, const struct stream *stream) {
    struct stream_id id;
    const struct stream_place *place = idtree_seek_back(&stream->blocks, iter->from, &iter->place);
    if (!place) place = idtree_first(&stream->blocks, &iter->place);
    iter->block = block_of(place);
    if (iter->block) iter->at = stream_block_seek(iter->block, iter->from, &id);
}

void stream_iter_init(struct stream_iter *iter, const struct stream *stream, struct stream_id from,
                      struct stream_id to, bool backward) {
    iter->from = from;
    iter->to = to;
    iter->backward = backward;
    iter->window_count = 0;
    iter->block = NULL;
    if (stream->count == 0 || stream_id_less(to, from)) return;
    if (backward)
        start_backward(iter, stream);
    else
        start_forward(iter, stream);
}

/* Fills the window with the last entries that end at iter->at, in a block before if need be. */
static bool fill_window(struct stream_iter *iter) {
    while (iter->at == iter->block->first) {
        iter->block = block_of(idtree_previous(&iter->place));
        if (!iter->block) return false;
        iter->at = iter->block->end;
    }
    uint32_t seen = 0, offsets[STREAM_WINDOW];
    for (uint32_t at = iter->block->first; at < iter->at; at = stream_block_next(iter->block, at))
        offsets[seen++ % STREAM_WINDOW] = at;
    iter->window_count = seen < STREAM_WINDOW ? seen : STREAM_WINDOW;
    for (uint32_t i = 0; i < iter->window_count; i++)
        iter->window[i] = offsets[(seen - iter->window_count + i) % STREAM_WINDOW];
    iter->at = iter->window[0];
    return true;
}

bool stream_iter_next(struct stream_iter *iter, struct stream_id *ret_id, size_t *ret_fields) {
    struct stream_id id;
    struct stream_fields fields;
    if (!iter->block) return false;
    if (iter->backward) {
        if (iter->window_count == 0 && !fill_window(iter)) return false;
        stream_block_read(iter->block, iter->window[--iter->window_count], &id, &fields);
    } else {
        while (iter->at == iter->block->end) {
            iter->block = block_of(idtree_next(&iter->place));
            if (!iter->block) return false;
            iter->at = iter->block->first;
        }
        iter->at = stream_block_read(iter->block, iter->at, &id, &fields);
    }
    if (iter->backward ? stream_id_less(id, iter->from) : stream_id_less(iter->to, id)) {
        iter->block = NULL;
        return false;
    }
    iter->names = fields.names;
    iter->values = fields.values;
    *ret_id = id;
    *ret_fields = fields.count;
    return true;
}

void stream_iter_field(struct stream_iter *iter, struct bytes *ret_name, struct bytes *ret_value) {
    *ret_name = stream_item_read(iter->names ? &iter->names : &iter->values, iter->scratch[0]);
    *ret_value = stream_item_read(&iter->values, iter->scratch[1]);
}

bool stream_has(const struct stream *stream, struct stream_id id) {
    struct idtree_cursor cursor;
    struct stream_id found;
    if (stream_id_less(id, stream->first_id) || stream_id_less(stream->facts.last_id, id))
        return false;
    const struct stream_block *block = block_of(idtree_seek_back(&stream->blocks, id, &cursor));
    return block && stream_block_seek(block, id, &found) < block->end &&
           stream_id_compare(found, id) == 0;
}

/* ---- proof ---- */

void stream_check(const struct stream *stream) {
    struct idtree_cursor cursor;
    uint64_t count = 0;
    bool has_first = false;
    struct stream_id last = STREAM_ID_MIN;
    size_t bytes = heap_object_bytes(sizeof *stream) + idtree_check(&stream->blocks);
    for (const struct stream_place *place = idtree_first(&stream->blocks, &cursor); place;
         place = idtree_next(&cursor)) {
        const struct stream_block *block = place->block;
        stream_block_check(block);
        bytes += stream_block_bytes(block);
        count += block->count;
        kn_require(stream_id_compare(place->base, block->base) == 0);
        struct stream_id first = stream_block_id(block, block->first);
        kn_require(!has_first || stream_id_less(last, first));
        if (!has_first) kn_require(stream_id_compare(first, stream->first_id) == 0);
        has_first = true;
        for (uint32_t at = block->first; at < block->end; at = stream_block_next(block, at))
            last = stream_block_id(block, at);
    }
    kn_require(count == stream->count);
    kn_require(has_first || stream_id_is_zero(stream->first_id));
    kn_require(!stream_id_less(stream->facts.last_id, last));
    bytes += stream_groups_check(stream);
    kn_require(bytes == stream->home.bytes);
}
