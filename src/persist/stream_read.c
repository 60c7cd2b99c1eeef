/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams, as stream_write.c draws them. An entry may be marked as deleted, and is passed over. In
 * the first form there are no facts but the last identifier, and groups do not know how much they
 * have read; in the fourth, what was remembered to recognise repeated additions stands behind the
 * groups, of which we have no use.
 */
#include "base/memory.h"
#include "persist/format.h"
#include "persist/value_inside.h"
#include "types/stream_group.h"

/*
 * Entries that share long names may take many times their bytes once each has its own; and
 * a node may claim any number of them. So the stream as a whole may not take more than this
 * for each byte that was read: far more than any node that was ever written, of a hundred
 * entries or of 4 KiB, comes to.
 */
enum { STREAM_BYTE_COST = 512, STREAM_FIXED_COST = 1 << 20 };

/* ---- arrays that grow as what they hold is read ---- */

struct array {
    void *data;
    size_t count, cap;
};

static void *array_add(struct array *array, size_t size) {
    if (array->count == array->cap) {
        size_t cap = array->cap ? array->cap * 2 : 16;
        void *data = mem_try_realloc(array->data, cap * size);
        if (data == NULL) return NULL;
        array->data = data;
        array->cap = cap;
    }
    return (char *)array->data + array->count++ * size;
}

static void array_done(struct array *array) {
    mem_free(array->data);
}

/* ---- nodes ---- */

struct node_reader {
    struct value_source *source;
    struct stream *stream;
    struct packed packed;
    struct stream_id base;
    struct stream_id last; /* of all entries so far, the deleted ones included */
    bool any;              /* whether there were some */
    struct array names;    /* struct packed_item: of the node */
    struct array fields;   /* struct packed_item: of an entry, names and values by turns */
    struct array texts;    /* struct bytes: the same */
    struct array digits;   /* texts of those that are integers */
};

static bool node_bad(struct node_reader *node) {
    return rdb_bad(node->source->in);
}

static bool no_memory(struct node_reader *node) {
    return rdb_fail(node->source->in, ERROR_NO_MEMORY);
}

static bool next_integer(struct node_reader *node, int64_t *ret_integer) {
    struct packed_item item;
    return (packed_next(&node->packed, &item) && packed_integer(&item, ret_integer)) ||
           node_bad(node);
}

static bool next_count(struct node_reader *node, uint64_t *ret_count) {
    int64_t count;
    if (!next_integer(node, &count)) return false;
    if (count < 0) return node_bad(node);
    *ret_count = (uint64_t)count;
    return true;
}

static bool next_item(struct node_reader *node, struct array *items) {
    struct packed_item item, *to;
    if (!packed_next(&node->packed, &item)) return node_bad(node);
    to = array_add(items, sizeof item);
    if (to == NULL) return no_memory(node);
    *to = item;
    return true;
}

static bool read_fields(struct node_reader *node, bool same_names, uint64_t count) {
    const struct packed_item *names = node->names.data;
    node->fields.count = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (same_names) {
            struct packed_item *to = array_add(&node->fields, sizeof *to);
            if (to == NULL) return no_memory(node);
            *to = names[i];
        } else if (!next_item(node, &node->fields)) {
            return false;
        }
        if (!next_item(node, &node->fields)) return false;
    }
    return true;
}

/* The texts of the items; those of integers are written beside them, once it is
 * known how many there are. */
static bool make_texts(struct node_reader *node) {
    const struct packed_item *fields = node->fields.data;
    size_t integers = 0;
    for (size_t i = 0; i < node->fields.count; i++) integers += fields[i].data == NULL;
    node->texts.count = node->digits.count = 0;
    while (node->digits.count < integers)
        if (array_add(&node->digits, NUMBER_I64_MAX) == NULL) return no_memory(node);
    char *digits = node->digits.data;
    for (size_t i = 0; i < node->fields.count; i++) {
        struct bytes *text = array_add(&node->texts, sizeof *text);
        if (text == NULL) return no_memory(node);
        *text = packed_text(&fields[i], digits);
        if (fields[i].data == NULL) digits += NUMBER_I64_MAX;
    }
    return true;
}

static bool within_cost(const struct node_reader *node) {
    uint64_t passed = node->source->in->passed;
    return stream_bytes(node->stream) <= passed * STREAM_BYTE_COST + STREAM_FIXED_COST;
}

static bool add_entry(struct node_reader *node, struct stream_id id) {
    if (!make_texts(node)) return false;
    int error = stream_add(node->stream, id, node->texts.data, node->texts.count / 2);
    return (!error && within_cost(node)) || node_bad(node);
}

static bool read_entry(struct node_reader *node, bool *ret_deleted) {
    int64_t flags, ms, seq;
    uint64_t count = node->names.count, items, expected;
    if (!next_integer(node, &flags) || !next_integer(node, &ms) || !next_integer(node, &seq))
        return false;
    if (flags & ~(int64_t)(STREAM_DELETED | STREAM_SAME_NAMES)) return node_bad(node);
    bool same = flags & STREAM_SAME_NAMES;
    if (!same && !next_count(node, &count)) return false;
    if (count == 0 || !read_fields(node, same, count) || !next_count(node, &items))
        return node_bad(node);
    expected = same ? count + 3 : 2 * count + 4;
    struct stream_id id = {node->base.ms + (uint64_t)ms, node->base.seq + (uint64_t)seq};
    if (items != expected || (node->any && !stream_id_less(node->last, id)) ||
        stream_id_is_zero(id))
        return node_bad(node);
    node->last = id;
    node->any = true;
    *ret_deleted = flags & STREAM_DELETED;
    return *ret_deleted || add_entry(node, id);
}

static bool read_names(struct node_reader *node) {
    uint64_t count, zero;
    if (!next_count(node, &count)) return false;
    node->names.count = 0;
    for (uint64_t i = 0; i < count; i++)
        if (!next_item(node, &node->names)) return false;
    if (!next_count(node, &zero)) return false;
    return zero == 0 || node_bad(node);
}

static bool read_node(struct node_reader *node) {
    struct bytes key;
    uint64_t kept, deleted, found[2] = {0};
    struct value_source *source = node->source;
    if (!rdb_read_string(source->in, &source->text[1], &key)) return false;
    if (key.len != STREAM_ID_BYTES) return node_bad(node);
    node->base = stream_id_decode((const unsigned char *)key.data);
    if (!read_packed(source, PACKED_LISTPACK, &node->packed) || !next_count(node, &kept) ||
        !next_count(node, &deleted) || !read_names(node))
        return false;
    while (!packed_is_empty(&node->packed)) {
        bool is_deleted = false;
        if (!read_entry(node, &is_deleted)) return false;
        found[is_deleted]++;
    }
    struct packed_item none;
    if (packed_next(&node->packed, &none) || node->packed.bad || found[0] != kept ||
        found[1] != deleted)
        return node_bad(node);
    return true;
}

static bool read_nodes(struct value_source *source, struct stream *stream) {
    struct node_reader node = {.source = source, .stream = stream};
    uint64_t count;
    bool whole = rdb_read_length(source->in, &count);
    for (; whole && count > 0; count--) whole = read_node(&node);
    array_done(&node.names);
    array_done(&node.fields);
    array_done(&node.texts);
    array_done(&node.digits);
    return whole;
}

/* ---- facts ---- */

static bool read_id(struct rdb_reader *in, struct stream_id *ret_id) {
    struct stream_id id;
    if (!rdb_read_length(in, &id.ms) || !rdb_read_length(in, &id.seq)) return false;
    *ret_id = id;
    return true;
}

static bool read_facts(struct rdb_reader *in, unsigned code, struct stream *stream) {
    uint64_t count;
    struct stream_id unused, last = stream_facts(stream)->last_id;
    struct stream_facts facts = {.entries_added = stream_count(stream)};
    if (!rdb_read_length(in, &count) || !read_id(in, &facts.last_id)) return false;
    if (code != RDB_STREAM &&
        (!read_id(in, &unused) || /* the first identifier, which is seen */
         !read_id(in, &facts.max_deleted) || !rdb_read_length(in, &facts.entries_added)))
        return false;
    if (count != stream_count(stream) || stream_id_less(facts.last_id, last) ||
        stream_id_less(facts.last_id, facts.max_deleted) || facts.entries_added < count ||
        facts.entries_added > INT64_MAX)
        return rdb_bad(in);
    stream_set_facts(stream, &facts);
    return true;
}

/* ---- groups ---- */

static bool read_raw_id(struct rdb_reader *in, struct stream_id *ret_id) {
    const unsigned char *raw;
    if (!rdb_read_raw(in, STREAM_ID_BYTES, &raw)) return false;
    *ret_id = stream_id_decode(raw);
    return true;
}

/* What is pending in a group: without consumers, who come later. */
static bool read_pending(struct rdb_reader *in, struct array *pending) {
    uint64_t count;
    if (!rdb_read_length(in, &count)) return false;
    for (; count > 0; count--) {
        struct stream_pending one = {.consumer = NULL}, *to;
        if (!read_raw_id(in, &one.id) || !rdb_read_ms(in, &one.delivered_ms) ||
            !rdb_read_length(in, &one.deliveries))
            return false;
        const struct stream_pending *before = pending->data;
        if (pending->count > 0 && !stream_id_less(before[pending->count - 1].id, one.id))
            return rdb_bad(in);
        to = array_add(pending, sizeof *to);
        if (to == NULL) return rdb_fail(in, ERROR_NO_MEMORY);
        *to = one;
    }
    return true;
}

static const struct stream_pending *find_pending(const struct array *pending, struct stream_id id) {
    const struct stream_pending *at = pending->data;
    size_t low = 0, high = pending->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stream_id_compare(at[middle].id, id);
        if (order == 0) return &at[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool read_consumer(struct value_source *source, unsigned code, struct stream *stream,
                          struct stream_group *group, const struct array *pending) {
    struct rdb_reader *in = source->in;
    struct bytes name;
    int64_t seen_ms, active_ms;
    uint64_t count;
    if (!rdb_read_string(in, &source->text[0], &name) || !rdb_read_ms(in, &seen_ms)) return false;
    active_ms = seen_ms; /* the best guess where it is not told */
    if (code >= RDB_STREAM_3 && !rdb_read_ms(in, &active_ms)) return false;
    if (!rdb_read_length(in, &count)) return false;
    struct stream_consumer *consumer = stream_consumer_new(stream, group, name, seen_ms);
    if (consumer == NULL) return rdb_bad(in);
    consumer->active_ms = active_ms < 0 ? STREAM_NEVER : active_ms;
    for (; count > 0; count--) {
        struct stream_id id;
        bool is_new;
        if (!read_raw_id(in, &id)) return false;
        const struct stream_pending *known = find_pending(pending, id);
        if (known == NULL) return rdb_bad(in);
        struct stream_pending *own =
            stream_pending_add(stream, group, consumer, id, known->delivered_ms, &is_new);
        if (!is_new) return rdb_bad(in);
        own->deliveries = known->deliveries;
    }
    return true;
}

static bool read_consumers(struct value_source *source, unsigned code, struct stream *stream,
                           struct stream_group *group) {
    struct array pending = {0};
    uint64_t count;
    bool whole = read_pending(source->in, &pending) && rdb_read_length(source->in, &count);
    for (; whole && count > 0; count--)
        whole = read_consumer(source, code, stream, group, &pending);
    /* What is pending is somebody's. */
    if (whole && stream_group_pending(group) != pending.count) whole = rdb_bad(source->in);
    array_done(&pending);
    return whole;
}

static bool read_group(struct value_source *source, unsigned code, struct stream *stream) {
    struct rdb_reader *in = source->in;
    struct bytes name;
    struct stream_id last_id;
    uint64_t entries_read;
    if (!rdb_read_string(in, &source->text[0], &name) || !read_id(in, &last_id)) return false;
    if (code == RDB_STREAM)
        entries_read = (uint64_t)stream_entries_up_to(stream, last_id);
    else if (!rdb_read_length(in, &entries_read))
        return false;
    if ((int64_t)entries_read < STREAM_READ_UNKNOWN) return rdb_bad(in);
    struct stream_group *group = stream_group_new(stream, name, last_id, (int64_t)entries_read);
    if (group == NULL) return rdb_bad(in);
    return read_consumers(source, code, stream, group);
}

/* Who added what with which token, so that it is not added twice. */
static bool pass_over_tokens(struct value_source *source) {
    struct rdb_reader *in = source->in;
    uint64_t passed[4], producers, tokens;
    struct stream_id id;
    struct bytes text;
    if (!rdb_read_length(in, &passed[0]) || !rdb_read_length(in, &passed[1]) ||
        !rdb_read_length(in, &producers))
        return false;
    for (; producers > 0; producers--) {
        if (!rdb_read_string(in, &source->text[0], &text) || !rdb_read_length(in, &tokens))
            return false;
        for (; tokens > 0; tokens--)
            if (!rdb_read_string(in, &source->text[0], &text) || !read_id(in, &id)) return false;
    }
    return rdb_read_length(in, &passed[2]) && rdb_read_length(in, &passed[3]);
}

bool read_stream(struct value_source *source, unsigned code, struct stream *stream) {
    uint64_t groups;
    if (!read_nodes(source, stream) || !read_facts(source->in, code, stream) ||
        !rdb_read_length(source->in, &groups))
        return false;
    for (; groups > 0; groups--)
        if (!read_group(source, code, stream)) return false;
    return code != RDB_STREAM_4 || pass_over_tokens(source);
}
