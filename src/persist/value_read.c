/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/value.h"

#include <string.h>

#include "persist/format.h"
#include "persist/value_inside.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

bool read_packed(struct value_source *source, enum packed_form form, struct packed *ret_packed) {
    struct bytes bytes;
    if (!rdb_read_string(source->in, &source->text[0], &bytes)) return false;
    return packed_open(ret_packed, form, bytes) || rdb_bad(source->in);
}

bool read_count(struct value_source *source, uint64_t *ret_count) {
    uint64_t count;
    if (!rdb_read_length(source->in, &count)) return false;
    if (count == 0) return rdb_bad(source->in);
    *ret_count = count;
    return true;
}

/* ---- lists ---- */

static bool add_items(struct value_source *source, struct packed *packed, struct list *list) {
    struct packed_item item;
    char scratch[NUMBER_I64_MAX];
    while (packed_next(packed, &item)) list_push(list, LIST_TAIL, packed_text(&item, scratch));
    return !packed->bad || rdb_bad(source->in);
}

static bool add_packed(struct value_source *source, enum packed_form form, struct list *list) {
    struct packed packed;
    return read_packed(source, form, &packed) && add_items(source, &packed, list);
}

static bool add_string(struct value_source *source, struct list *list) {
    struct bytes element;
    if (!rdb_read_string(source->in, &source->text[0], &element)) return false;
    list_push(list, LIST_TAIL, element);
    return true;
}

static bool add_node(struct value_source *source, struct list *list) {
    uint64_t kind;
    if (!rdb_read_length(source->in, &kind)) return false;
    if (kind == RDB_NODE_PLAIN) return add_string(source, list);
    if (kind != RDB_NODE_PACKED) return rdb_bad(source->in);
    return add_packed(source, PACKED_LISTPACK, list);
}

bool read_list(struct value_source *source, unsigned code, struct list *list) {
    uint64_t count = 1;
    bool whole = code == RDB_LIST_ZIPLIST ? true : read_count(source, &count);
    for (; whole && count > 0; count--) {
        switch (code) {
        case RDB_LIST: whole = add_string(source, list); break;
        case RDB_LIST_QUICKLIST_2: whole = add_node(source, list); break;
        default: whole = add_packed(source, PACKED_ZIPLIST, list); break;
        }
    }
    /* Nodes without elements are borne, since they were once written, if there are others. */
    return whole && (list_count(list) > 0 || rdb_bad(source->in));
}

/* ---- sets ---- */

static bool read_integers(struct value_source *source, struct set *set) {
    enum { HEADER = 8 };
    struct bytes bytes;
    uint32_t width, count;
    if (!rdb_read_string(source->in, &source->text[0], &bytes)) return false;
    if (bytes.len < HEADER) return rdb_bad(source->in);
    memcpy(&width, bytes.data, sizeof width);
    memcpy(&count, bytes.data + sizeof width, sizeof count);
    if ((width != 2 && width != 4 && width != 8) || count == 0 ||
        bytes.len - HEADER != (uint64_t)count * width)
        return rdb_bad(source->in);
    int64_t before = 0;
    const char *at = bytes.data + HEADER;
    for (uint32_t i = 0; i < count; i++, at += width) {
        char digits[NUMBER_I64_MAX];
        uint64_t bits = 0;
        memcpy(&bits, at, width);
        unsigned unused = 64 - 8 * width;
        int64_t number = (int64_t)(bits << unused) >> unused;
        if (i > 0 && number <= before) return rdb_bad(source->in);
        before = number;
        struct bytes text = bytes_make(digits, number_format_i64(digits, number));
        if (i == 0) set_expect(set, count, text);
        set_add(set, text);
    }
    return true;
}

bool read_set(struct value_source *source, unsigned code, struct set *set) {
    if (code == RDB_SET_INTSET) return read_integers(source, set);
    if (code == RDB_SET_LISTPACK) {
        struct packed packed;
        struct packed_item item;
        char scratch[NUMBER_I64_MAX];
        if (!read_packed(source, PACKED_LISTPACK, &packed)) return false;
        while (packed_next(&packed, &item))
            if (!set_add(set, packed_text(&item, scratch))) return rdb_bad(source->in);
        return packed_was_whole(source, &packed);
    }
    uint64_t count;
    struct bytes member;
    if (!read_count(source, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!rdb_read_string(source->in, &source->text[0], &member)) return false;
        if (i == 0) set_expect(set, 1 + believable(source, count - 1), member);
        if (!set_add(set, member)) return rdb_bad(source->in);
    }
    return true;
}

/* ---- sorted sets ---- */

static bool add_member(struct value_source *source, struct zset *zset, struct bytes member,
                       double score) {
    double unused;
    return zset_add(zset, member, score, 0, &unused) == ZSET_ADDED || rdb_bad(source->in);
}

static bool packed_score(const struct packed_item *item, double *ret_score) {
    if (item->data != NULL)
        return number_parse_double(bytes_make(item->data, item->len), ret_score);
    *ret_score = (double)item->integer;
    return true;
}

static bool read_packed_zset(struct value_source *source, enum packed_form form,
                             struct zset *zset) {
    struct packed packed;
    struct packed_item member, number;
    char scratch[NUMBER_I64_MAX];
    double score;
    if (!read_packed(source, form, &packed)) return false;
    while (packed_next(&packed, &member)) {
        if (!packed_next(&packed, &number) || !packed_score(&number, &score))
            return rdb_bad(source->in);
        if (!add_member(source, zset, packed_text(&member, scratch), score)) return false;
    }
    return packed_was_whole(source, &packed);
}

bool read_zset(struct value_source *source, unsigned code, struct zset *zset) {
    if (code == RDB_ZSET_LISTPACK) return read_packed_zset(source, PACKED_LISTPACK, zset);
    if (code == RDB_ZSET_ZIPLIST) return read_packed_zset(source, PACKED_ZIPLIST, zset);
    uint64_t count;
    struct bytes member;
    double score;
    if (!read_count(source, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!rdb_read_string(source->in, &source->text[0], &member)) return false;
        if (code == RDB_ZSET ? !rdb_read_double_text(source->in, &score)
                             : !rdb_read_double(source->in, &score))
            return false;
        if (i == 0) zset_expect(zset, 1 + believable(source, count - 1), member.len);
        if (!add_member(source, zset, member, score)) return false;
    }
    return true;
}

/* ---- any ---- */

static bool code_type(unsigned code, enum value_type *ret_type) {
    switch (code) {
    case RDB_LIST:
    case RDB_LIST_ZIPLIST:
    case RDB_LIST_QUICKLIST:
    case RDB_LIST_QUICKLIST_2: *ret_type = TYPE_LIST; return true;
    case RDB_SET:
    case RDB_SET_INTSET:
    case RDB_SET_LISTPACK: *ret_type = TYPE_SET; return true;
    case RDB_ZSET:
    case RDB_ZSET_2:
    case RDB_ZSET_ZIPLIST:
    case RDB_ZSET_LISTPACK: *ret_type = TYPE_ZSET; return true;
    case RDB_HASH:
    case RDB_HASH_ZIPMAP:
    case RDB_HASH_ZIPLIST:
    case RDB_HASH_LISTPACK:
    case RDB_HASH_METADATA_OLD: /* and RDB_VALKEY_HASH_2 */
    case RDB_HASH_LISTPACK_EX_OLD:
    case RDB_HASH_METADATA:
    case RDB_HASH_LISTPACK_EX: *ret_type = TYPE_HASH; return true;
    case RDB_STREAM:
    case RDB_STREAM_2:
    case RDB_STREAM_3:
    case RDB_STREAM_4: *ret_type = TYPE_STREAM; return true;
    default: return false;
    }
}

static bool read_collection(struct value_source *source, unsigned code, enum value_type type,
                            void **ret_value) {
    struct heap *heap = source->heap;
    void *value;
    bool whole;
    switch (type) {
    case TYPE_LIST: whole = read_list(source, code, value = list_new(heap)); break;
    case TYPE_SET: whole = read_set(source, code, value = set_new(heap)); break;
    case TYPE_ZSET: whole = read_zset(source, code, value = zset_new(heap)); break;
    case TYPE_STREAM: whole = read_stream(source, code, value = stream_new(heap)); break;
    default: whole = read_hash(source, code, value = hash_new(heap)); break;
    }
    if (!whole) {
        value_free(type, value);
        return false;
    }
    *ret_value = value;
    return true;
}

bool rdb_read_value(struct rdb_reader *reader, unsigned code, struct heap *heap,
                    struct rdb_text *text, struct rdb_value *ret_value) {
    struct value_source source = {.in = reader, .heap = heap};
    struct rdb_value value = {.type = TYPE_STRING};
    if (code == RDB_MODULE || code == RDB_MODULE_2) return rdb_fail(reader, ERROR_MODULE_VALUE);
    bool done;
    if (code == RDB_STRING)
        done = rdb_read_string(reader, text, &value.string);
    else if (code_type(code, &value.type))
        done = read_collection(&source, code, value.type, &value.value);
    else
        done = rdb_bad(reader);
    for (unsigned i = 0; i < 2; i++) rdb_text_done(&source.text[i]);
    if (done) *ret_value = value;
    return done;
}
