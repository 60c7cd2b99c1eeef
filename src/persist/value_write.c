/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small values are written as listpacks and arrays of integers, as Redis keeps them, large ones
 * element by element. Where a value of Redis is kept in the same way, and in the same order,
 * both write the same bytes.
 */
#include "persist/value.h"

#include <math.h>

#include "base/assert.h"
#include "base/number.h"
#include "persist/format.h"
#include "persist/packed.h"
#include "persist/value_inside.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

/* Fields are visited as if none had expired. */
#define BEFORE_ALL_TIME INT64_MIN

unsigned rdb_value_code(enum value_type type, const void *value, unsigned version) {
    switch (type) {
    case TYPE_STRING: return RDB_STRING;
    case TYPE_LIST: return RDB_LIST_QUICKLIST_2;
    case TYPE_SET: return set_is_integers(value) ? RDB_SET_INTSET : RDB_SET;
    case TYPE_ZSET: return zset_is_large(value) ? RDB_ZSET_2 : RDB_ZSET_LISTPACK;
    case TYPE_HASH:
        if (hash_next_expiry(value) != HASH_NO_EXPIRY) return RDB_HASH_METADATA;
        return hash_is_large(value) ? RDB_HASH : RDB_HASH_LISTPACK;
    case TYPE_STREAM: return version < RDB_VERSION_ACTIVE_CONSUMERS ? RDB_STREAM_2 : RDB_STREAM_3;
    default: kn_require(!"a value of this type");
    }
    __builtin_unreachable();
}

unsigned rdb_code_version(unsigned code) {
    switch (code) {
    case RDB_HASH_METADATA: return RDB_VERSION_FIELD_EXPIRY;
    case RDB_STREAM_3: return RDB_VERSION_ACTIVE_CONSUMERS;
    default: return RDB_VERSION_WRITTEN;
    }
}

static void write_listpack(struct rdb_writer *writer, struct listpack *pack) {
    struct bytes bytes = listpack_end(pack);
    if (pack->error && !writer->error) writer->error = pack->error;
    rdb_write_string(writer, bytes);
}

/* ---- lists ---- */

/* A list goes out in nodes of this size, as Redis makes them by default. */
enum { NODE_BYTES = 8192, NODE_SPARE = 8 };

/* Walks the list node by node: called with every element, it says whether that begins a node. */
struct node_plan {
    size_t bytes; /* of the node so far; 0: none is open */
    uint64_t nodes;
};

static bool is_plain(struct bytes text) {
    return listpack_is_disputed(text);
}

static bool begins_node(struct node_plan *plan, struct bytes text) {
    if (is_plain(text)) {
        plan->bytes = 0;
        plan->nodes++;
        return true;
    }
    bool begins = plan->bytes == 0 || plan->bytes + text.len + NODE_SPARE > NODE_BYTES;
    if (begins) {
        plan->bytes = LISTPACK_EMPTY_BYTES;
        plan->nodes++;
    }
    plan->bytes += listpack_item_bytes(text);
    return begins;
}

static void end_node(struct rdb_writer *writer, struct listpack *pack) {
    if (pack->count == 0) return;
    rdb_write_length(writer, RDB_NODE_PACKED);
    write_listpack(writer, pack);
    listpack_begin(pack);
}

static void write_list(struct rdb_writer *writer, const struct list *list) {
    struct list_iter iter;
    struct bytes text;
    struct node_plan count = {0}, plan = {0};
    struct listpack pack = {0};
    list_iter_init(&iter, list, 0, false);
    while (list_iter_next(&iter, &text)) begins_node(&count, text);
    rdb_write_length(writer, count.nodes);
    listpack_begin(&pack);
    list_iter_init(&iter, list, 0, false);
    while (list_iter_next(&iter, &text) && !writer->error) {
        if (begins_node(&plan, text)) end_node(writer, &pack);
        if (is_plain(text)) {
            rdb_write_length(writer, RDB_NODE_PLAIN);
            rdb_write_string(writer, text);
        } else {
            listpack_add(&pack, text);
        }
    }
    end_node(writer, &pack);
    listpack_done(&pack);
}

/* ---- sets ---- */

static void write_integers(struct rdb_writer *writer, const struct set *set) {
    struct set_iter iter;
    struct bytes text;
    struct buffer bytes;
    uint32_t width = 2, count = (uint32_t)set_count(set);
    int64_t number = 0;
    buffer_init(&bytes, UINT32_MAX);
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &text)) {
        kn_require(number_parse_i64(text, &number));
        if (number < INT32_MIN || number > INT32_MAX)
            width = 8;
        else if (width == 2 && (number < INT16_MIN || number > INT16_MAX))
            width = 4;
    }
    struct rdb_writer inner;
    rdb_writer_init(&inner, &bytes, false);
    rdb_write_raw(&inner, &width, sizeof width);
    rdb_write_raw(&inner, &count, sizeof count);
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &text)) {
        kn_require(number_parse_i64(text, &number));
        rdb_write_raw(&inner, &number, width);
    }
    if (inner.error)
        writer->error = inner.error;
    else
        rdb_write_string(writer, buffer_bytes(&bytes));
    buffer_done(&bytes);
}

static void write_set(struct rdb_writer *writer, const struct set *set) {
    struct set_iter iter;
    struct bytes text;
    if (set_is_integers(set)) {
        write_integers(writer, set);
        return;
    }
    rdb_write_length(writer, set_count(set));
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &text) && !writer->error) rdb_write_string(writer, text);
}

/* ---- sorted sets ---- */

/* A score as it stands in a listpack: an integer where it is one, though not so large
 * that doubles are sparse. */
static void add_score(struct listpack *pack, double score) {
    const double most = (double)(INT64_MAX / 2);
    char text[NUMBER_DOUBLE_MAX];
    if (score >= -most && score <= most && score == (double)(int64_t)score &&
        !(score == 0 && signbit(score)))
        listpack_add_integer(pack, (int64_t)score);
    else
        listpack_add(pack, bytes_make(text, number_format_double(text, score)));
}

static void write_zset(struct rdb_writer *writer, const struct zset *zset) {
    struct zset_iter iter;
    struct bytes member;
    double score;
    struct zset_range all = {0, zset_count(zset)};
    if (zset_is_large(zset)) {
        /* From the back, so that who builds a list from it adds in front. */
        rdb_write_length(writer, all.count);
        zset_iter_init(&iter, zset, all, true);
        while (zset_iter_next(&iter, &member, &score) && !writer->error) {
            rdb_write_string(writer, member);
            rdb_write_double(writer, score);
        }
        return;
    }
    struct listpack pack = {0};
    listpack_begin(&pack);
    zset_iter_init(&iter, zset, all, false);
    while (zset_iter_next(&iter, &member, &score)) {
        listpack_add(&pack, member);
        add_score(&pack, score);
    }
    write_listpack(writer, &pack);
    listpack_done(&pack);
}

/* ---- hashes ---- */

static int64_t first_expiry(const struct hash *hash) {
    struct hash_iter iter;
    struct bytes field, value;
    int64_t first = HASH_NO_EXPIRY;
    hash_iter_init(&iter, hash, BEFORE_ALL_TIME);
    while (hash_iter_next(&iter, &field, &value))
        if (iter.expires_ms < first) first = iter.expires_ms;
    return first;
}

/* Field by field; with lifetimes, each is written as the distance to the first of them, and one
 * more, as 0 says that there is none. */
static void write_fields(struct rdb_writer *writer, const struct hash *hash, bool lifetimes) {
    struct hash_iter iter;
    struct bytes field, value;
    int64_t first = lifetimes ? first_expiry(hash) : 0;
    if (lifetimes) rdb_write_ms(writer, first);
    rdb_write_length(writer, hash_count(hash));
    hash_iter_init(&iter, hash, BEFORE_ALL_TIME);
    while (hash_iter_next(&iter, &field, &value) && !writer->error) {
        if (lifetimes) {
            bool has = iter.expires_ms != HASH_NO_EXPIRY;
            rdb_write_length(writer, has ? (uint64_t)iter.expires_ms - (uint64_t)first + 1 : 0);
        }
        rdb_write_string(writer, field);
        rdb_write_string(writer, value);
    }
}

static void write_packed_hash(struct rdb_writer *writer, const struct hash *hash) {
    struct hash_iter iter;
    struct bytes field, value;
    struct listpack pack = {0};
    listpack_begin(&pack);
    hash_iter_init(&iter, hash, BEFORE_ALL_TIME);
    while (hash_iter_next(&iter, &field, &value)) {
        listpack_add(&pack, field);
        listpack_add(&pack, value);
    }
    write_listpack(writer, &pack);
    listpack_done(&pack);
}

void rdb_write_value(struct rdb_writer *writer, unsigned code, const void *value) {
    switch (code) {
    case RDB_LIST_QUICKLIST_2: write_list(writer, value); return;
    case RDB_SET:
    case RDB_SET_INTSET: write_set(writer, value); return;
    case RDB_ZSET_2:
    case RDB_ZSET_LISTPACK: write_zset(writer, value); return;
    case RDB_HASH:
    case RDB_HASH_METADATA: write_fields(writer, value, code == RDB_HASH_METADATA); return;
    case RDB_HASH_LISTPACK: write_packed_hash(writer, value); return;
    case RDB_STREAM_2:
    case RDB_STREAM_3: write_stream(writer, code, value); return;
    default: kn_require(!"a code that rdb_value_code gives");
    }
}
