/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream goes out in nodes, each the identifier it begins with in 16 bytes,
 * big-endian, and a listpack:
 *
 *      entries | deleted entries | n | n names | 0 | entry...
 *      entry: flags | ms | seq | n values | items of the entry               the node's names
 *             flags | ms | seq | fields | a name and a value each | items    other names
 *
 * where ms and seq are distances from the node's. Then come the stream's facts, and its
 * groups: for each its pending entries, and its consumers with the identifiers of theirs.
 * Nodes are cut as Redis cuts them when nothing is configured, so that a stream that was only
 * added to has the same bytes.
 */
#include "base/assert.h"
#include "persist/format.h"
#include "persist/packed.h"
#include "persist/value_inside.h"
#include "types/stream_group.h"

enum { NODE_BYTES = 4096, NODE_ENTRIES = 100 };

/* ---- texts that outlive the iterator's next step ---- */

/* The fields of an entry: names and values by turns; or the names of a node. */
struct texts {
    struct buffer bytes;
    struct buffer ends; /* a uint64_t for each: where its text ends in bytes */
    size_t count;
};

static void texts_clear(struct texts *texts) {
    texts->bytes.max = texts->ends.max = SIZE_MAX / 2;
    buffer_clear(&texts->bytes);
    buffer_clear(&texts->ends);
    texts->count = 0;
}

static int texts_add(struct texts *texts, struct bytes text) {
    if (buffer_add_bytes(&texts->bytes, text)) return ERROR_NO_MEMORY;
    uint64_t end = texts->bytes.len;
    if (buffer_add(&texts->ends, &end, sizeof end)) return ERROR_NO_MEMORY;
    texts->count++;
    return 0;
}

static uint64_t texts_end(const struct texts *texts, size_t index) {
    uint64_t end;
    memcpy(&end, texts->ends.data + index * sizeof end, sizeof end);
    return end;
}

static struct bytes texts_at(const struct texts *texts, size_t index) {
    uint64_t start = index == 0 ? 0 : texts_end(texts, index - 1);
    return bytes_make(texts->bytes.data + start, texts_end(texts, index) - start);
}

static void texts_done(struct texts *texts) {
    buffer_done(&texts->bytes);
    buffer_done(&texts->ends);
}

/* ---- nodes ---- */

struct node_writer {
    struct rdb_writer *writer; /* NULL: nodes are only counted */
    uint64_t nodes;
    struct listpack pack;
    struct stream_id base;
    uint32_t entries; /* of the node that is open; 0: none is */
    struct texts names, fields;
    int error;
};

static void write_node(struct node_writer *node) {
    if (node->entries == 0) return;
    listpack_set_first(&node->pack, node->entries);
    struct bytes bytes = listpack_end(&node->pack);
    if (node->pack.error && !node->error) node->error = node->pack.error;
    if (node->writer != NULL) {
        unsigned char key[STREAM_ID_BYTES];
        stream_id_encode(node->base, key);
        rdb_write_string(node->writer, bytes_make(key, sizeof key));
        rdb_write_string(node->writer, bytes);
    }
    node->entries = 0;
}

static void begin_node(struct node_writer *node, struct stream_id id) {
    node->base = id;
    node->nodes++;
    size_t count = node->fields.count / 2;
    listpack_begin(&node->pack);
    listpack_add_integer(&node->pack, 0); /* entries: write_node knows how many */
    listpack_add_integer(&node->pack, 0);
    listpack_add_integer(&node->pack, (int64_t)count);
    texts_clear(&node->names);
    for (size_t i = 0; i < count; i++) {
        struct bytes name = texts_at(&node->fields, 2 * i);
        listpack_add(&node->pack, name);
        if (texts_add(&node->names, name)) node->error = ERROR_NO_MEMORY;
    }
    listpack_add_integer(&node->pack, 0);
}

static bool same_names(const struct node_writer *node) {
    if (node->fields.count != node->names.count * 2) return false;
    for (size_t i = 0; i < node->names.count; i++)
        if (!bytes_equal(texts_at(&node->fields, 2 * i), texts_at(&node->names, i))) return false;
    return true;
}

/* The entry whose fields were collected. */
static void add_entry(struct node_writer *node, struct stream_id id) {
    struct listpack *pack = &node->pack;
    if (node->entries == NODE_ENTRIES ||
        (node->entries > 0 && pack->bytes.len + 1 + node->fields.bytes.len >= NODE_BYTES))
        write_node(node);
    if (node->entries == 0) begin_node(node, id);
    bool same = same_names(node);
    size_t texts = node->fields.count, items = same ? texts / 2 + 3 : texts + 4;
    listpack_add_integer(pack, same ? STREAM_SAME_NAMES : 0);
    listpack_add_integer(pack, (int64_t)(id.ms - node->base.ms));
    listpack_add_integer(pack, (int64_t)(id.seq - node->base.seq));
    if (!same) listpack_add_integer(pack, (int64_t)(texts / 2));
    for (size_t i = same ? 1 : 0; i < texts; i += same ? 2 : 1)
        listpack_add(pack, texts_at(&node->fields, i));
    listpack_add_integer(pack, (int64_t)items);
    node->entries++;
}

static int collect_fields(struct stream_iter *iter, size_t count, struct texts *fields) {
    texts_clear(fields);
    for (; count > 0; count--) {
        struct bytes name, value;
        stream_iter_field(iter, &name, &value);
        if (texts_add(fields, name) || texts_add(fields, value)) return ERROR_NO_MEMORY;
    }
    return 0;
}

/* Cuts the stream into nodes: writes them, or, without a writer, only counts them. */
static int walk_nodes(const struct stream *stream, struct rdb_writer *writer, uint64_t *ret_nodes) {
    struct node_writer node = {.writer = writer};
    struct stream_iter iter;
    struct stream_id id;
    size_t count;
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    while (!node.error && stream_iter_next(&iter, &id, &count)) {
        node.error = collect_fields(&iter, count, &node.fields);
        if (!node.error) add_entry(&node, id);
        if (writer != NULL && writer->error) break;
    }
    write_node(&node);
    listpack_done(&node.pack);
    texts_done(&node.names);
    texts_done(&node.fields);
    *ret_nodes = node.nodes;
    return node.error;
}

/* ---- groups ---- */

static void write_id(struct rdb_writer *writer, struct stream_id id) {
    rdb_write_length(writer, id.ms);
    rdb_write_length(writer, id.seq);
}

static void write_raw_id(struct rdb_writer *writer, struct stream_id id) {
    unsigned char raw[STREAM_ID_BYTES];
    stream_id_encode(id, raw);
    rdb_write_raw(writer, raw, sizeof raw);
}

static void write_consumer(struct rdb_writer *writer, const struct stream_group *group,
                           const struct stream_consumer *consumer, bool active) {
    struct stream_pending_iter iter;
    const struct stream_pending *pending;
    rdb_write_string(writer, stream_consumer_name(consumer));
    rdb_write_ms(writer, consumer->seen_ms);
    if (active) rdb_write_ms(writer, consumer->active_ms);
    rdb_write_length(writer, stream_consumer_pending(consumer));
    stream_pending_iter_init(&iter, group, consumer, STREAM_ID_MIN);
    while ((pending = stream_pending_iter_next(&iter))) write_raw_id(writer, pending->id);
}

static void write_group(struct rdb_writer *writer, const struct stream_group *group, bool active) {
    struct stream_pending_iter iter;
    const struct stream_pending *pending;
    rdb_write_string(writer, stream_group_name(group));
    write_id(writer, group->last_id);
    rdb_write_length(writer, (uint64_t)group->entries_read); /* unknown is all ones */
    rdb_write_length(writer, stream_group_pending(group));
    stream_pending_iter_init(&iter, group, NULL, STREAM_ID_MIN);
    while ((pending = stream_pending_iter_next(&iter))) {
        write_raw_id(writer, pending->id);
        rdb_write_ms(writer, pending->delivered_ms);
        rdb_write_length(writer, pending->deliveries);
    }
    rdb_write_length(writer, group->consumer_count);
    for (uint32_t i = 0; i < group->consumer_count && !writer->error; i++)
        write_consumer(writer, group, group->consumers[i], active);
}

void write_stream(struct rdb_writer *writer, unsigned code, const struct stream *stream) {
    const struct stream_facts *facts = stream_facts(stream);
    uint64_t nodes;
    int error = walk_nodes(stream, NULL, &nodes);
    if (!error) {
        rdb_write_length(writer, nodes);
        error = walk_nodes(stream, writer, &nodes);
    }
    if (error && !writer->error) writer->error = error;
    rdb_write_length(writer, stream_count(stream));
    write_id(writer, facts->last_id);
    write_id(writer, stream_first_id(stream));
    write_id(writer, facts->max_deleted);
    rdb_write_length(writer, facts->entries_added);
    rdb_write_length(writer, stream_group_count(stream));
    for (size_t i = 0; i < stream_group_count(stream) && !writer->error; i++)
        write_group(writer, stream_group_at(stream, i), code == RDB_STREAM_3);
}
