/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 *     head | shape 0 | shape 1 | ... | (gap) | entry | entry | ... | (free)
 *
 * A shape is a list of names:  length (2 bytes) | count (varint) | name | name | ...
 * An entry is:                 length (1 byte, or 255 and 4) | mark (1 byte) | ms | seq | fields
 *
 * The length counts what follows it, so that entries are skipped without being read. The mark's
 * low bits are the number of the entry's shape, whose values alone follow; or 15, and then the
 * number of fields and each name and value. ms is a varint of the distance from the base's, left
 * out when that is 0; seq is the distance from the base's when the ms are equal, else itself,
 * left out when that is 0.
 *
 * A new list of names becomes a shape of its own, behind the others, as long as there are not too
 * many and it is short; the entries are moved up for it. So events of several kinds, each with
 * its names, share them too.
 *
 * An item is a text or a number, by its first byte:
 *     0 - 191     a text of that length
 *     192 - 207   a text of up to 4095 bytes, the lower 8 bits of the length follow
 *     208         a text, 4 bytes of length follow
 *     209 - 214   an integer of 1, 2, 3, 4, 6 or 8 bytes
 *     224 - 255   an integer from 0 to 31
 *
 * Taking the first entry out moves the offset `first`; taking out another
 * moves those behind it down.
 */
#include "types/stream_block.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/number.h"

enum {
    SHAPE_NONE = 15, /* in the mark: the names are in the entry */
    SHAPE_MASK = 15,
    MARK_HAS_MS = 16,
    MARK_HAS_SEQ = 32,
    SHAPES_MAX = 15,
    SHAPE_BYTES_MAX = 1024,
    SHAPE_HEAD = 2,
    LONG_ENTRY = 255, /* in place of the length: 4 bytes of it follow */
    VARINT_MAX = 10,
    ITEM_HEAD_MAX = 5,
    ENTRY_HEAD_MAX = 5 + 1 + 3 * VARINT_MAX, /* length, mark, ms, seq, number of fields */
    ALLOC_STEP = 64,
};

enum {
    ITEM_TEXT_MAX = 191,
    ITEM_TEXT_12 = 192,
    ITEM_TEXT_32 = 208,
    ITEM_INT = 209,
    ITEM_SMALL = 224,
    SMALL_MAX = 31,
};

static const uint8_t int_widths[] = {1, 2, 3, 4, 6, 8};
enum { INT_WIDTHS = sizeof int_widths };

/* ---- items ---- */

static uint8_t *put_varint(uint8_t *to, uint64_t value) {
    while (value >= 128) {
        *to++ = (uint8_t)(value | 128);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static uint64_t read_varint(const uint8_t **at) {
    const uint8_t *from = *at;
    uint64_t value = *from & 127;
    for (unsigned shift = 7; *from & 128; shift += 7) value |= (uint64_t)(*++from & 127) << shift;
    *at = from + 1;
    return value;
}

static uint8_t *put_int(uint8_t *to, int64_t value) {
    if (value >= 0 && value <= SMALL_MAX) {
        *to++ = (uint8_t)(ITEM_SMALL + value);
        return to;
    }
    unsigned kind = 0;
    while (kind < INT_WIDTHS - 1) {
        unsigned bits = int_widths[kind] * 8u;
        if (value >= -((int64_t)1 << (bits - 1)) && value < (int64_t)1 << (bits - 1)) break;
        kind++;
    }
    *to++ = (uint8_t)(ITEM_INT + kind);
    memcpy(to, &value, int_widths[kind]); /* the low bytes come first */
    return to + int_widths[kind];
}

static uint8_t *put_item(uint8_t *to, struct bytes text) {
    int64_t number;
    if (text.len > 0 && text.len < NUMBER_I64_MAX &&
        (uint8_t)(text.data[text.len - 1] - '0') < 10 && number_parse_i64(text, &number))
        return put_int(to, number);
    if (text.len <= ITEM_TEXT_MAX) {
        *to++ = (uint8_t)text.len;
    } else if (text.len < 4096) {
        *to++ = (uint8_t)(ITEM_TEXT_12 + (text.len >> 8));
        *to++ = (uint8_t)text.len;
    } else {
        uint32_t len = (uint32_t)text.len;
        *to++ = ITEM_TEXT_32;
        memcpy(to, &len, sizeof len);
        to += sizeof len;
    }
    if (text.len) memcpy(to, text.data, text.len);
    return to + text.len;
}

/* The text of an item that is one, with what comes behind it. */
static struct bytes item_text(const uint8_t *at, const uint8_t **ret_next) {
    uint8_t head = *at++;
    uint32_t len = head;
    if (head > ITEM_TEXT_MAX && head < ITEM_TEXT_32) {
        len = (uint32_t)(head - ITEM_TEXT_12) << 8 | *at++;
    } else if (head == ITEM_TEXT_32) {
        memcpy(&len, at, sizeof len);
        at += sizeof len;
    }
    *ret_next = at + len;
    return bytes_make(at, len);
}

struct bytes stream_item_read(const uint8_t **at, char scratch[STREAM_TEXT_MAX]) {
    uint8_t head = **at;
    if (kn_likely(head <= ITEM_TEXT_32)) return item_text(*at, at);
    int64_t value = head - ITEM_SMALL;
    if (head < ITEM_SMALL) {
        unsigned width = int_widths[head - ITEM_INT];
        uint64_t bits = 0;
        memcpy(&bits, *at + 1, width);
        unsigned unused = 64 - width * 8;
        value = (int64_t)(bits << unused) >> unused;
        *at += width;
    }
    *at += 1;
    return bytes_make(scratch, number_format_i64(scratch, value));
}

/* ---- shapes ---- */

static const uint8_t *shape_at(const struct stream_block *block, unsigned shape) {
    const uint8_t *at = block->data;
    for (; shape > 0; shape--) {
        uint16_t len;
        memcpy(&len, at, sizeof len);
        at += SHAPE_HEAD + len;
    }
    return at + SHAPE_HEAD;
}

/* A name that looks like a number is kept as one, and then compared as such. */
static bool item_equals(const uint8_t **at, struct bytes text) {
    char scratch[STREAM_TEXT_MAX];
    return bytes_equal(stream_item_read(at, scratch), text);
}

static bool shape_fits(const uint8_t *shape, const struct bytes *pairs, size_t count) {
    if (read_varint(&shape) != count) return false;
    for (size_t i = 0; i < count; i++)
        if (!item_equals(&shape, pairs[2 * i])) return false;
    return true;
}

/* The shape of these names, SHAPE_NONE when there is none. */
static unsigned shape_find(const struct stream_block *block, const struct bytes *pairs,
                           size_t count) {
    if (block->shapes == 0) return SHAPE_NONE;
    unsigned last = block->last_shape;
    if (shape_fits(shape_at(block, last), pairs, count)) return last;
    const uint8_t *at = block->data;
    for (unsigned i = 0; i < block->shapes; i++) {
        uint16_t len;
        memcpy(&len, at, sizeof len);
        if (i != last && shape_fits(at + SHAPE_HEAD, pairs, count)) return i;
        at += SHAPE_HEAD + len;
    }
    return SHAPE_NONE;
}

static size_t names_room(const struct bytes *pairs, size_t count) {
    size_t room = SHAPE_HEAD + VARINT_MAX;
    for (size_t i = 0; i < count; i++) room += ITEM_HEAD_MAX + pairs[2 * i].len;
    return room;
}

/* Makes a shape of the names; the block has room for it. SHAPE_NONE when it shall not. */
static unsigned shape_add(struct stream_block *block, const struct bytes *pairs, size_t count) {
    uint8_t built[SHAPE_BYTES_MAX];
    if (block->shapes == SHAPES_MAX || names_room(pairs, count) > sizeof built) return SHAPE_NONE;
    uint8_t *to = put_varint(built + SHAPE_HEAD, count);
    for (size_t i = 0; i < count; i++) to = put_item(to, pairs[2 * i]);
    uint16_t len = (uint16_t)(to - built - SHAPE_HEAD);
    memcpy(built, &len, sizeof len);
    uint32_t shapes_end = block->shapes_end + SHAPE_HEAD + len;
    uint8_t *start = (uint8_t *)block;
    if (block->first < shapes_end) {
        uint32_t up = shapes_end - block->first;
        memmove(start + block->first + up, start + block->first, block->end - block->first);
        block->first += up;
        block->end += up;
    }
    memcpy(start + block->shapes_end, built, SHAPE_HEAD + len);
    block->shapes_end = shapes_end;
    return block->shapes++;
}

/* ---- blocks ---- */

/* The size to allocate for so many bytes, at least. */
static size_t round_up(size_t bytes) {
    return (bytes + ALLOC_STEP - 1) / ALLOC_STEP * ALLOC_STEP;
}

struct stream_block *stream_block_new(struct idtree_home *home, struct stream_id base,
                                      size_t room) {
    size_t cap = round_up(STREAM_BLOCK_HEAD + room);
    struct stream_block *block = heap_take(home->heap, cap);
    home->bytes += heap_object_bytes(cap);
    *block = (struct stream_block){.base = base,
                                   .cap = (uint32_t)cap,
                                   .shapes_end = STREAM_BLOCK_HEAD,
                                   .first = STREAM_BLOCK_HEAD,
                                   .end = STREAM_BLOCK_HEAD};
    return block;
}

void stream_block_free(struct stream_block *block, struct idtree_home *home) {
    home->bytes -= heap_object_bytes(block->cap);
    heap_give(home->heap, block, block->cap);
}

struct stream_block *stream_block_copy(const struct stream_block *block, struct idtree_home *home) {
    struct stream_block *copy = heap_take(home->heap, block->cap);
    home->bytes += heap_object_bytes(block->cap);
    memcpy(copy, block, block->end);
    return copy;
}

size_t stream_block_bytes(const struct stream_block *block) {
    return heap_object_bytes(block->cap);
}

static struct stream_block *resize(struct stream_block *block, struct idtree_home *home,
                                   size_t cap) {
    home->bytes += heap_object_bytes(cap) - heap_object_bytes(block->cap);
    block = heap_resize(home->heap, block, block->cap, cap);
    block->cap = (uint32_t)cap;
    return block;
}

/* Entries move down to the shapes. */
static void close_gap(struct stream_block *block) {
    uint8_t *start = (uint8_t *)block;
    uint32_t gap = block->first - block->shapes_end;
    if (gap == 0) return;
    memmove(start + block->shapes_end, start + block->first, block->end - block->first);
    block->first -= gap;
    block->end -= gap;
}

struct stream_block *stream_block_fit(struct stream_block *block, struct idtree_home *home) {
    close_gap(block);
    size_t cap = round_up(block->end);
    return cap < block->cap ? resize(block, home, cap) : block;
}

bool stream_block_takes(const struct stream_block *block, size_t room, size_t max_bytes) {
    return block->added < UINT16_MAX &&
           block->end - (block->first - block->shapes_end) + room <= max_bytes;
}

size_t stream_entry_room(const struct bytes *pairs, size_t count) {
    size_t room = SHAPE_HEAD + ENTRY_HEAD_MAX;
    for (size_t i = 0; i < 2 * count; i++) room += ITEM_HEAD_MAX + pairs[i].len;
    return room;
}

/* Writes an entry, but for its length, at `to`. Returns where it ends. */
static uint8_t *put_entry(const struct stream_block *block, uint8_t *to, unsigned shape,
                          struct stream_id id, const struct bytes *pairs, size_t count) {
    uint8_t *mark = to++;
    uint64_t ms = id.ms - block->base.ms, seq = ms == 0 ? id.seq - block->base.seq : id.seq;
    *mark = (uint8_t)(shape | (ms ? MARK_HAS_MS : 0) | (seq ? MARK_HAS_SEQ : 0));
    if (ms) to = put_varint(to, ms);
    if (seq) to = put_varint(to, seq);
    if (shape == SHAPE_NONE) {
        to = put_varint(to, count);
        for (size_t i = 0; i < 2 * count; i++) to = put_item(to, pairs[i]);
    } else {
        for (size_t i = 0; i < count; i++) to = put_item(to, pairs[2 * i + 1]);
    }
    return to;
}

struct stream_block *stream_block_add(struct stream_block *block, struct idtree_home *home,
                                      struct stream_id id, const struct bytes *pairs, size_t count,
                                      size_t room, size_t want_bytes) {
    if (block->end + room > block->cap) close_gap(block);
    if (block->end + room > block->cap) {
        size_t need = block->end + room;
        block = resize(block, home, round_up(need > want_bytes ? need : want_bytes));
    }
    unsigned shape = shape_find(block, pairs, count);
    if (shape == SHAPE_NONE) shape = shape_add(block, pairs, count);
    if (shape != SHAPE_NONE) block->last_shape = (uint8_t)shape;
    /* Most entries are short: only of a long one is the place of the length widened afterwards. */
    uint8_t *head = (uint8_t *)block + block->end;
    uint8_t *to = put_entry(block, head + 1, shape, id, pairs, count);
    size_t len = (size_t)(to - head - 1);
    if (len < LONG_ENTRY) {
        *head = (uint8_t)len;
    } else {
        uint32_t wide = (uint32_t)len;
        memmove(head + 1 + sizeof wide, head + 1, len);
        *head = LONG_ENTRY;
        memcpy(head + 1, &wide, sizeof wide);
        to += sizeof wide;
    }
    block->end = (uint32_t)(to - (uint8_t *)block);
    kn_assert(block->end <= block->cap);
    block->count++;
    block->added++;
    return block;
}

/* ---- entries ---- */

/* Where an entry's mark is, with its length from there on. */
static const uint8_t *entry_mark(const struct stream_block *block, uint32_t at, uint32_t *ret_len) {
    const uint8_t *head = (const uint8_t *)block + at;
    if (kn_likely(*head < LONG_ENTRY)) {
        *ret_len = *head;
        return head + 1;
    }
    memcpy(ret_len, head + 1, sizeof *ret_len);
    return head + 1 + sizeof *ret_len;
}

uint32_t stream_block_next(const struct stream_block *block, uint32_t at) {
    uint32_t len;
    const uint8_t *mark = entry_mark(block, at, &len);
    return (uint32_t)(mark - (const uint8_t *)block) + len;
}

/* Reads the identifier that stands behind a mark, and moves on behind it. */
static struct stream_id read_id(const struct stream_block *block, const uint8_t **at) {
    uint8_t mark = *(*at)++;
    uint64_t ms = mark & MARK_HAS_MS ? read_varint(at) : 0;
    uint64_t seq = mark & MARK_HAS_SEQ ? read_varint(at) : 0;
    return (struct stream_id){block->base.ms + ms, ms == 0 ? block->base.seq + seq : seq};
}

struct stream_id stream_block_id(const struct stream_block *block, uint32_t at) {
    uint32_t len;
    const uint8_t *mark = entry_mark(block, at, &len);
    return read_id(block, &mark);
}

uint32_t stream_block_seek(const struct stream_block *block, struct stream_id id,
                           struct stream_id *ret_id) {
    uint32_t at = block->first;
    while (at < block->end) {
        uint32_t len;
        const uint8_t *mark = entry_mark(block, at, &len);
        uint32_t next = (uint32_t)(mark - (const uint8_t *)block) + len;
        struct stream_id here = read_id(block, &mark);
        if (!stream_id_less(here, id)) {
            *ret_id = here;
            break;
        }
        at = next;
    }
    return at;
}

uint32_t stream_block_read(const struct stream_block *block, uint32_t at, struct stream_id *ret_id,
                           struct stream_fields *ret_fields) {
    uint32_t len;
    const uint8_t *mark = entry_mark(block, at, &len), *from = mark;
    struct stream_fields fields = {0};
    *ret_id = read_id(block, &from);
    unsigned shape = *mark & SHAPE_MASK;
    if (shape == SHAPE_NONE) {
        fields.count = read_varint(&from);
    } else {
        fields.names = shape_at(block, shape);
        fields.count = read_varint(&fields.names);
    }
    fields.values = from;
    *ret_fields = fields;
    return (uint32_t)(mark - (const uint8_t *)block) + len;
}

struct stream_block *stream_block_delete(struct stream_block *block, struct idtree_home *home,
                                         uint32_t at) {
    uint32_t next = stream_block_next(block, at);
    uint8_t *start = (uint8_t *)block;
    block->count--;
    if (at == block->first) {
        block->first = next;
    } else {
        memmove(start + at, start + next, block->end - next);
        block->end -= next - at;
    }
    /* A block that is mostly empty gives memory back, but keeps some room. */
    uint32_t used = block->end - (block->first - block->shapes_end);
    if (block->cap > 4 * ALLOC_STEP && used < block->cap / 4) {
        close_gap(block);
        block = resize(block, home, round_up(used * 2));
    }
    return block;
}

void stream_block_check(const struct stream_block *block) {
    const uint8_t *at = block->data;
    for (unsigned i = 0; i < block->shapes; i++) {
        uint16_t len;
        memcpy(&len, at, sizeof len);
        const uint8_t *shape = at + SHAPE_HEAD, *end = shape + len;
        char scratch[STREAM_TEXT_MAX];
        for (uint64_t names = read_varint(&shape); names > 0; names--)
            stream_item_read(&shape, scratch);
        kn_require(shape == end);
        at = end;
    }
    kn_require((uint32_t)(at - (const uint8_t *)block) == block->shapes_end);
    kn_require(block->shapes_end <= block->first && block->first <= block->end);
    kn_require(block->end <= block->cap && block->count > 0 && block->count <= block->added);
    kn_require(block->shapes == 0 || block->last_shape < block->shapes);
    uint32_t count = 0;
    struct stream_id last = block->base;
    for (uint32_t entry = block->first; entry < block->end; count++) {
        struct stream_id id;
        struct stream_fields fields;
        char scratch[STREAM_TEXT_MAX];
        entry = stream_block_read(block, entry, &id, &fields);
        kn_require(count == 0 ? !stream_id_less(id, last) : stream_id_less(last, id));
        last = id;
        for (; fields.count > 0; fields.count--) {
            if (fields.names == NULL) stream_item_read(&fields.values, scratch);
            stream_item_read(&fields.values, scratch);
        }
        kn_require(fields.values == (const uint8_t *)block + entry);
    }
    kn_require(count == block->count);
}
