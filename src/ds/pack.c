/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The format. An item is a head, a content and a back. The head's first byte says what the item is:
 *
 *         0 .. 127    a string of that length
 *         128 .. 227  the integer 0 .. 99, no content
 *         228         a string; its length follows in 4 bytes
 *         229 .. 236  an integer of 1 .. 8 bytes, the fewest that hold it
 *         240 .. 255  a string of 128 .. 4223 bytes: the length less 128, of which the head has
 *                     the upper 4 bits and the byte that follows the lower 8
 *
 * The back is the length of head and content in one byte or, from 255 on, in four bytes and a 255.
 * Numbers are little-endian. As a value has only one form, finding one is comparing bytes, and most
 * items differ in the first.
 */
#include "ds/pack.h"

#include "base/assert.h"
#include "base/heap.h"
#include "base/number.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers are copied as they lie in memory");

enum {
    HEAD_SMALL = 128,
    HEAD_SMALL_COUNT = 100,
    HEAD_LONG = 228,
    HEAD_INTEGER = 229,
    HEAD_MIDDLE = 240,
    MIDDLE_MIN = 128,
    MIDDLE_MAX = MIDDLE_MIN + 4095,
    BACK_LONG = 255,
};

#define TEN 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
const unsigned char pack_head_span[128] = {
    TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, /* 128 .. 227 */
    0,                                                /* HEAD_LONG */
    2,   3,   4,   5,   6,   7,   8,   9,             /* HEAD_INTEGER on */
};

/* An item taken apart as it will be written. */
struct code {
    unsigned char head[10];
    unsigned head_len;
    const char *data;
    size_t len;
};

static size_t code_span(const struct code *code) {
    return code->head_len + code->len;
}

static size_t code_bytes(const struct code *code) {
    size_t span = code_span(code);
    return span + (span < BACK_LONG ? 1 : 5);
}

static void code_integer(int64_t integer, struct code *ret_code) {
    ret_code->data = NULL;
    ret_code->len = 0;
    if (integer >= 0 && integer < HEAD_SMALL_COUNT) {
        ret_code->head[0] = (unsigned char)(HEAD_SMALL + integer);
        ret_code->head_len = 1;
        return;
    }
    /* Bits that are not copies of the sign, and one for the sign. */
    unsigned bits = 65 - (unsigned)__builtin_clzll((uint64_t)(integer ^ (integer >> 63)) | 1);
    unsigned bytes = (bits + 7) / 8;
    ret_code->head[0] = (unsigned char)(HEAD_INTEGER + bytes - 1);
    memcpy(ret_code->head + 1, &integer, bytes);
    ret_code->head_len = 1 + bytes;
}

static void code_item(struct pack_item item, struct code *ret_code) {
    if (!item.data) {
        code_integer(item.integer, ret_code);
        return;
    }
    ret_code->data = item.data;
    ret_code->len = item.len;
    if (item.len < MIDDLE_MIN) {
        ret_code->head[0] = (unsigned char)item.len;
        ret_code->head_len = 1;
    } else if (item.len <= MIDDLE_MAX) {
        size_t over = item.len - MIDDLE_MIN;
        ret_code->head[0] = (unsigned char)(HEAD_MIDDLE + (over >> 8));
        ret_code->head[1] = (unsigned char)over;
        ret_code->head_len = 2;
    } else {
        uint32_t len = (uint32_t)item.len;
        kn_assert(item.len <= PACK_MAX);
        ret_code->head[0] = HEAD_LONG;
        memcpy(ret_code->head + 1, &len, sizeof len);
        ret_code->head_len = 5;
    }
}

static void code_write(const struct code *code, unsigned char *to) {
    memcpy(to, code->head, code->head_len);
    to += code->head_len;
    if (code->len) memcpy(to, code->data, code->len);
    to += code->len;
    size_t span = code_span(code);
    if (span < BACK_LONG) {
        *to = (unsigned char)span;
    } else {
        uint32_t back = (uint32_t)span;
        memcpy(to, &back, sizeof back);
        to[4] = BACK_LONG;
    }
}

struct pack_item pack_item_of(struct bytes text) {
    int64_t integer;
    /* Most text is ruled out by its length or first character. */
    if (text.len > 0 && text.len <= 20 && (unsigned char)(text.data[0] - '-') <= '9' - '-' &&
        number_parse_i64(text, &integer))
        return pack_item_integer(integer);
    return pack_item_raw(text);
}

size_t pack_item_bytes(struct pack_item item) {
    struct code code;
    code_item(item, &code);
    return code_bytes(&code);
}

/* ---- the allocation ---- */

/*
 * Room for this many bytes: in steps of at most an eighth up to HEAP_OBJECT_MAX and of a quarter of
 * a power of two behind it, as allocators have them. So growing item by item moves the pack seldom.
 */
static size_t capacity(size_t bytes) {
    unsigned log2 = 63 - (unsigned)__builtin_clzll((uint64_t)bytes - 1);
    size_t step =
        bytes <= HEAP_OBJECT_MAX ? (size_t)1 << (log2 < 6 ? 3 : log2 - 3) : (size_t)1 << (log2 - 2);
    return (bytes + step - 1) & ~(step - 1);
}

static struct pack *resized(struct pack *pack, struct heap *heap, size_t bytes) {
    size_t had = capacity(pack->bytes), wanted = capacity(bytes);
    return had == wanted ? pack : heap_resize(heap, pack, had, wanted);
}

struct pack *pack_new(struct heap *heap) {
    struct pack *pack = heap_take(heap, capacity(PACK_HEADER));
    pack->bytes = PACK_HEADER;
    pack->count = 0;
    return pack;
}

void pack_free(struct pack *pack, struct heap *user) {
    heap_give(user, pack, capacity(pack->bytes));
}

struct pack *pack_copy(const struct pack *pack, struct heap *heap) {
    struct pack *copy = heap_take(heap, capacity(pack->bytes));
    memcpy(copy, pack, pack->bytes);
    return copy;
}

size_t pack_heap_bytes(const struct pack *pack) {
    /* A multiple of eight, so no more is taken than is asked for. */
    size_t bytes = capacity(pack->bytes);
    kn_assert(bytes == heap_object_bytes(bytes));
    return bytes;
}

/* ---- places ---- */

size_t pack_long_span(const unsigned char *item) {
    size_t span;
    if (*item == HEAD_LONG) {
        uint32_t len;
        memcpy(&len, item + 1, sizeof len);
        span = 5 + (size_t)len;
    } else {
        kn_assert(*item >= HEAD_MIDDLE);
        span = 2 + MIDDLE_MIN + ((size_t)(*item - HEAD_MIDDLE) << 8) + item[1];
    }
    return span + (span < BACK_LONG ? 1 : 5);
}

size_t pack_seek(const struct pack *pack, int64_t index) {
    int64_t count = pack->count;
    if (index < 0) index += count;
    if (index < 0 || index >= count) return pack_end(pack);
    size_t at;
    if (index <= count / 2) {
        at = pack_first(pack);
        while (index-- > 0) at = pack_next(pack, at);
    } else {
        at = pack_end(pack);
        while (index++ < count) at = pack_prev(pack, at);
    }
    return at;
}

/* ---- reading ---- */

void pack_get(const struct pack *pack, size_t at, struct pack_item *ret_item) {
    const unsigned char *item = (const unsigned char *)pack + at;
    kn_assert(at < pack->bytes);
    unsigned head = *item;
    if (head < HEAD_SMALL) {
        *ret_item = (struct pack_item){(const char *)item + 1, head, 0};
    } else if (head < HEAD_SMALL + HEAD_SMALL_COUNT) {
        *ret_item = pack_item_integer((int64_t)head - HEAD_SMALL);
    } else if (head >= HEAD_MIDDLE) {
        size_t len = MIDDLE_MIN + ((size_t)(head - HEAD_MIDDLE) << 8) + item[1];
        *ret_item = (struct pack_item){(const char *)item + 2, len, 0};
    } else if (head == HEAD_LONG) {
        uint32_t len;
        memcpy(&len, item + 1, sizeof len);
        *ret_item = (struct pack_item){(const char *)item + 5, len, 0};
    } else {
        unsigned bytes = head - HEAD_INTEGER + 1;
        uint64_t bits = 0;
        kn_assert(bytes <= 8);
        memcpy(&bits, item + 1, bytes);
        unsigned unused = 64 - 8 * bytes;
        *ret_item = pack_item_integer((int64_t)(bits << unused) >> unused);
    }
}

struct bytes pack_text(const struct pack *pack, size_t at, char scratch[PACK_TEXT_MAX]) {
    struct pack_item item;
    pack_get(pack, at, &item);
    if (item.data) return bytes_make(item.data, item.len);
    return bytes_make(scratch, number_format_i64(scratch, item.integer));
}

static bool code_at(const struct code *code, const unsigned char *item) {
    return memcmp(item, code->head, code->head_len) == 0 &&
           (code->len == 0 || memcmp(item + code->head_len, code->data, code->len) == 0);
}

/* Whether two texts of this length are equal, in few instructions. Names that share a prefix are
 * common, so the ends are compared first. */
static inline bool short_equal(const unsigned char *a, const char *b, size_t len) {
    if (len >= 8) {
        uint64_t x, y;
        memcpy(&x, a + len - 8, 8);
        memcpy(&y, b + len - 8, 8);
        return x == y && (len == 8 || memcmp(a, b, len - 8) == 0);
    }
    if (len >= 4) {
        uint32_t x, y, v, w;
        memcpy(&x, a + len - 4, 4);
        memcpy(&y, b + len - 4, 4);
        memcpy(&v, a, 4);
        memcpy(&w, b, 4);
        return x == y && v == w;
    }
    return len == 0 || (a[len - 1] == (unsigned char)b[len - 1] && a[0] == (unsigned char)b[0] &&
                        a[len / 2] == (unsigned char)b[len / 2]);
}

bool pack_equal(const struct pack *pack, size_t at, struct pack_item item) {
    const unsigned char *place = (const unsigned char *)pack + at;
    if (item.data && item.len < MIDDLE_MIN)
        return *place == item.len && short_equal(place + 1, item.data, item.len);
    struct code code;
    code_item(item, &code);
    /* Equal heads have equal lengths: comparing on stays inside the item. */
    return *place == code.head[0] && pack_span(place) == code_bytes(&code) && code_at(&code, place);
}

size_t pack_find(const struct pack *pack, size_t from, struct pack_item item, unsigned stride) {
    const unsigned char *start = (const unsigned char *)pack, *end = start + pack->bytes;
    const unsigned char *place = start + from;
    if (item.data && item.len < MIDDLE_MIN) {
        for (unsigned len = (unsigned)item.len; place < end;) {
            if (*place == len && short_equal(place + 1, item.data, len))
                return (size_t)(place - start);
            for (unsigned i = 0; i < stride; i++) place += pack_span(place);
        }
        return pack->bytes;
    }
    struct code code;
    code_item(item, &code);
    for (size_t bytes = code_bytes(&code); place < end;) {
        if (*place == code.head[0] && pack_span(place) == bytes && code_at(&code, place))
            return (size_t)(place - start);
        for (unsigned i = 0; i < stride; i++) place += pack_span(place);
    }
    return pack->bytes;
}

/* ---- changing ---- */

/* Makes the bytes between two places `bytes` many; returns where they begin. */
static unsigned char *replace_bytes(struct pack **pack, struct heap *heap, size_t from, size_t to,
                                    size_t bytes) {
    struct pack *p = *pack;
    size_t tail = p->bytes - to, now = p->bytes - (to - from) + bytes;
    kn_assert(from <= to && to <= p->bytes && now <= PACK_MAX);
    unsigned char *base = (unsigned char *)p;
    if (bytes > to - from) {
        p = *pack = resized(p, heap, now);
        base = (unsigned char *)p;
        memmove(base + from + bytes, base + to, tail);
    } else if (bytes < to - from) {
        memmove(base + from + bytes, base + to, tail);
        p = *pack = resized(p, heap, now);
        base = (unsigned char *)p;
    }
    p->bytes = (uint32_t)now;
    return base + from;
}

void pack_insert(struct pack **pack, struct heap *heap, size_t at, struct pack_item item) {
    struct code code;
    code_item(item, &code);
    code_write(&code, replace_bytes(pack, heap, at, at, code_bytes(&code)));
    (*pack)->count++;
}

void pack_insert_pair(struct pack **pack, struct heap *heap, size_t at, struct pack_item first,
                      struct pack_item second) {
    struct code a, b;
    code_item(first, &a);
    code_item(second, &b);
    size_t a_bytes = code_bytes(&a);
    unsigned char *place = replace_bytes(pack, heap, at, at, a_bytes + code_bytes(&b));
    code_write(&a, place);
    code_write(&b, place + a_bytes);
    (*pack)->count += 2;
}

void pack_replace(struct pack **pack, struct heap *heap, size_t at, struct pack_item item) {
    struct code code;
    code_item(item, &code);
    code_write(&code, replace_bytes(pack, heap, at, pack_next(*pack, at), code_bytes(&code)));
}

void pack_delete(struct pack **pack, struct heap *heap, size_t at, uint32_t items) {
    size_t to = at;
    kn_assert(items <= (*pack)->count);
    if (items == (*pack)->count)
        to = pack_end(*pack);
    else
        for (uint32_t i = 0; i < items; i++) to = pack_next(*pack, to);
    (*pack)->count -= items;
    replace_bytes(pack, heap, at, to, 0);
}

struct pack *pack_split(struct pack **pack, struct heap *heap, size_t at) {
    struct pack *head = *pack;
    size_t moved = head->bytes - at;
    struct pack *tail = heap_take(heap, capacity(PACK_HEADER + moved));
    uint32_t before = 0;
    for (size_t place = pack_first(head); place < at; place = pack_next(head, place)) before++;
    memcpy(tail->items, (const unsigned char *)head + at, moved);
    tail->bytes = (uint32_t)(PACK_HEADER + moved);
    tail->count = head->count - before;
    replace_bytes(pack, heap, at, head->bytes, 0);
    (*pack)->count = before;
    return tail;
}

void pack_append_all(struct pack **pack, struct heap *heap, const struct pack *other) {
    size_t bytes = other->bytes - PACK_HEADER, end = (*pack)->bytes;
    memcpy(replace_bytes(pack, heap, end, end, bytes), other->items, bytes);
    (*pack)->count += other->count;
}

void pack_check(const struct pack *pack) {
    uint32_t forward = 0, backward = 0;
    size_t at;
    kn_require(pack->bytes >= PACK_HEADER && pack->bytes <= PACK_MAX);
    for (at = pack_first(pack); at < pack_end(pack); forward++) {
        size_t next = pack_next(pack, at);
        struct pack_item item;
        kn_require(next > at && next <= pack_end(pack) && pack_prev(pack, next) == at);
        pack_get(pack, at, &item);
        kn_require(pack_item_bytes(item) == next - at && pack_equal(pack, at, item));
        at = next;
    }
    kn_require(at == pack_end(pack) && forward == pack->count);
    for (at = pack_end(pack); at > pack_first(pack); backward++) at = pack_prev(pack, at);
    kn_require(at == pack_first(pack) && backward == pack->count);
}
