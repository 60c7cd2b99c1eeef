/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of payloads, as RESTORE reads them, behind a checksum that is right: any bytes
 * are refused, or are a value that holds its invariants and that is the same after
 * being written and read again.
 *
 * The first byte says who wrote the payload, the second is the type's code, the rest is the value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/memory.h"
#include "persist/format.h"
#include "persist/value.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 16, OUT_MAX = 1 << 28 };
/* What a byte of a payload may cost: compressed, and then an element of its own
 * with all that belongs to it. */
enum { BYTE_COST = RDB_LZF_RATIO_MAX * 64, FIXED_COST = 1 << 20 };

static void check_value(const struct rdb_value *value) {
    switch (value->type) {
    case TYPE_LIST: list_check(value->value); break;
    case TYPE_SET: set_check(value->value); break;
    case TYPE_ZSET: zset_check(value->value); break;
    case TYPE_HASH: hash_check(value->value); break;
    case TYPE_STREAM: stream_check(value->value); return; /* may be empty */
    default: return;
    }
    kn_require(value_count(value->type, value->value) > 0);
}

/* ---- a source that brings one byte more than is wanted ---- */

struct drip {
    struct bytes left;
    char *window;
};

static bool drip_more(struct rdb_reader *reader, size_t wanted) {
    struct drip *drip = reader->source;
    size_t kept = rdb_left(reader), news = wanted - kept + 1;
    if (news > drip->left.len) news = drip->left.len;
    char *window = malloc(kept + news + 1);
    kn_require(window != NULL);
    if (kept) memcpy(window, reader->at, kept);
    if (news) memcpy(window + kept, drip->left.data, news);
    drip->left.data += news;
    drip->left.len -= news;
    free(drip->window);
    drip->window = window;
    reader->at = (unsigned char *)window;
    reader->end = reader->at + kept + news;
    return kept + news >= wanted;
}

/* Reads the same from a file, as it were; tells whether it could be read. */
static bool read_dripping(struct bytes body, unsigned code, unsigned version, struct heap *heap,
                          size_t *ret_count) {
    struct drip drip = {.left = body};
    struct rdb_reader reader;
    struct rdb_text text = {0};
    struct rdb_value value;
    rdb_reader_init(&reader, bytes_make("", 0), version);
    reader.more = drip_more;
    reader.source = &drip;
    bool done = rdb_read_value(&reader, code, heap, &text, &value);
    if (done) {
        *ret_count =
            value.type == TYPE_STRING ? value.string.len : value_count(value.type, value.value);
        if (value.type != TYPE_STRING) value_free(value.type, value.value);
    }
    rdb_text_done(&text);
    free(drip.window);
    return done;
}

static void write_and_read(const struct rdb_value *value, unsigned version, struct heap *heap) {
    struct buffer out;
    struct rdb_writer writer;
    struct rdb_reader reader;
    struct rdb_text text = {0};
    struct rdb_value again;
    buffer_init(&out, OUT_MAX);
    rdb_writer_init(&writer, &out, value_count(value->type, value->value) % 2 == 0);
    unsigned code = rdb_value_code(value->type, value->value, version);
    rdb_write_value(&writer, code, value->value);
    kn_require(writer.error == 0);
    rdb_reader_init(&reader, buffer_bytes(&out), rdb_code_version(code));
    kn_require(rdb_read_value(&reader, code, heap, &text, &again) && rdb_left(&reader) == 0);
    kn_require(again.type == value->type);
    kn_require(value_count(again.type, again.value) == value_count(value->type, value->value));
    check_value(&again);
    value_free(again.type, again.value);
    rdb_text_done(&text);
    buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const unsigned versions[] = {1, RDB_VERSION_WRITTEN, RDB_VERSION_FIELD_EXPIRY,
                                        RDB_VERSION_REDIS_MAX, RDB_VERSION_VALKEY_MAX};
    struct rdb_reader reader;
    struct rdb_text text = {0};
    struct rdb_value value;
    if (size < 2 || size > INPUT_MAX) return 0;
    unsigned version = versions[data[0] % 5], code = data[1];
    struct bytes body = bytes_make(data + 2, size - 2);
    struct heap *heap = heap_new();
    size_t before = memory_used(), dripped = 0;
    rdb_reader_init(&reader, body, version);
    bool done = rdb_read_value(&reader, code, heap, &text, &value);
    kn_require(memory_used() - before <= body.len * BYTE_COST + FIXED_COST);
    kn_require(done == (reader.error == 0));
    kn_require(read_dripping(body, code, version, heap, &dripped) == done);
    if (done && value.type == TYPE_STRING) {
        kn_require(dripped == value.string.len);
    } else if (done) {
        check_value(&value);
        kn_require(dripped == value_count(value.type, value.value));
        write_and_read(&value, version, heap);
        value_free(value.type, value.value);
    }
    rdb_text_done(&text);
    heap_free(heap);
    return 0;
}
