/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/entry.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/memory.h"
#include "base/number.h"
#include "store/internal.h"
#include "types/hash.h"

enum { EMBSTR_MAX = 44 }; /* longer inline strings are called raw, as tools expect */

static size_t parts_key_offset(const struct entry_parts *parts) {
    return (parts->flags & ENTRY_EXTERNAL ? 8 : 0) +
           (parts->expires_ms != ENTRY_EXPIRY_NONE ? 8 : 0) +
           (parts->key.len >= ENTRY_KEY_LONG ? 4 : 0);
}

static size_t parts_tail(const struct entry_parts *parts) {
    if (parts->flags & ENTRY_EXTERNAL) return 0;
    return parts->flags & ENTRY_INTEGER ? sizeof parts->integer : parts->data_len;
}

struct entry *entry_build(struct heap *heap, const struct entry_parts *parts) {
    size_t key_offset = parts_key_offset(parts), tail = parts_tail(parts);
    struct entry *entry = heap_take(heap, sizeof *entry + key_offset + parts->key.len + tail);
    bool expires = parts->expires_ms != ENTRY_EXPIRY_NONE,
         long_key = parts->key.len >= ENTRY_KEY_LONG;
    entry->access = parts->access & 0xffffff;
    entry->inline_len =
        parts->flags & (ENTRY_EXTERNAL | ENTRY_INTEGER) ? 0 : (uint8_t)parts->data_len;
    entry->pattern = parts->pattern;
    entry->type = parts->type & 15;
    entry->flags = (parts->flags & (ENTRY_EXTERNAL | ENTRY_INTEGER | ENTRY_RAW)) |
                   (expires ? ENTRY_EXPIRES : 0);
    entry->key_len = long_key ? ENTRY_KEY_LONG : (uint8_t)parts->key.len;
    if (parts->flags & ENTRY_EXTERNAL) memcpy(entry->body, &parts->value, sizeof parts->value);
    if (expires)
        memcpy(entry->body + entry_expiry_offset(entry), &parts->expires_ms,
               sizeof parts->expires_ms);
    uint8_t *key = entry->body + key_offset;
    if (long_key) {
        uint32_t len = (uint32_t)parts->key.len;
        memcpy(key - 4, &len, sizeof len);
    }
    if (parts->key.len) memcpy(key, parts->key.data, parts->key.len);
    uint8_t *end = key + parts->key.len;
    if (parts->flags & ENTRY_EXTERNAL) return entry;
    if (parts->flags & ENTRY_INTEGER)
        memcpy(end, &parts->integer, sizeof parts->integer);
    else if (parts->data != NULL)
        memcpy(end, parts->data, parts->data_len);
    else if (parts->data_len)
        memset(end, 0, parts->data_len);
    return entry;
}

struct entry_parts entry_take_apart(const struct entry *entry) {
    struct entry_parts parts = {
        .key = entry_key(entry),
        .type = entry_type(entry),
        .flags = entry->flags & (ENTRY_EXTERNAL | ENTRY_INTEGER | ENTRY_RAW),
        .expires_ms = entry_expiry(entry),
        .access = entry->access,
        .pattern = entry->pattern,
    };
    if (entry_has(entry, ENTRY_EXTERNAL)) {
        parts.value = entry_value(entry);
    } else if (entry_has(entry, ENTRY_INTEGER)) {
        parts.integer = entry_integer(entry);
    } else {
        parts.data = parts.key.data + parts.key.len;
        parts.data_len = entry->inline_len;
    }
    return parts;
}

size_t entry_size(const struct entry *entry) {
    size_t tail = entry_has(entry, ENTRY_INTEGER) ? sizeof(int64_t) : entry->inline_len;
    return sizeof *entry + entry_key_offset(entry) + entry_key(entry).len + tail;
}

void entry_free(struct heap *user, struct entry *entry) {
    heap_give(user, entry, entry_size(entry));
}

char *entry_string_bytes(struct entry *entry) {
    if (entry_has(entry, ENTRY_EXTERNAL)) return ((struct string_block *)entry_value(entry))->data;
    struct bytes key = entry_key(entry);
    return (char *)(uintptr_t)key.data + key.len;
}

struct bytes entry_string(const struct entry *entry, char scratch[ENTRY_SCRATCH]) {
    kn_assert(entry_type(entry) == TYPE_STRING);
    if (entry_has(entry, ENTRY_EXTERNAL)) {
        const struct string_block *block = entry_value(entry);
        return bytes_make(block->data, block->len);
    }
    if (entry_has(entry, ENTRY_INTEGER))
        return bytes_make(scratch, number_format_i64(scratch, entry_integer(entry)));
    struct bytes key = entry_key(entry);
    return bytes_make(key.data + key.len, entry->inline_len);
}

size_t entry_string_len(const struct entry *entry) {
    char scratch[ENTRY_SCRATCH];
    return entry_string(entry, scratch).len;
}

const char *entry_encoding(const struct entry *entry) {
    if (entry_type(entry) != TYPE_STRING)
        return value_encoding(entry_type(entry), entry_value(entry));
    if (entry_has(entry, ENTRY_INTEGER)) return "int";
    return entry->flags & (ENTRY_RAW | ENTRY_EXTERNAL) || entry->inline_len > EMBSTR_MAX ? "raw"
                                                                                         : "embstr";
}

size_t entry_bytes(const struct entry *entry) {
    size_t own = heap_object_bytes(entry_size(entry));
    if (!entry_has(entry, ENTRY_EXTERNAL)) return own;
    if (entry_type(entry) != TYPE_STRING)
        return own + value_bytes(entry_type(entry), entry_value(entry));
    const struct string_block *block = entry_value(entry);
    return own + heap_object_bytes(sizeof *block + block->cap);
}

size_t entry_count(const struct entry *entry) {
    return entry_type(entry) == TYPE_STRING ? 1
                                            : value_count(entry_type(entry), entry_value(entry));
}

uint64_t entry_hash(const void *entry) {
    return hash_bytes(entry_key(entry));
}

int64_t entry_fields_expiry(const struct entry *entry) {
    return entry_type(entry) == TYPE_HASH ? hash_next_expiry(entry_value(entry)) : INT64_MAX;
}

unsigned entry_marks(const struct entry *entry) {
    unsigned marks = entry_has(entry, ENTRY_EXPIRES) ? ENTRY_MARK_EXPIRES : 0;
    return entry_fields_expiry(entry) == INT64_MAX ? marks : marks | ENTRY_MARK_FIELDS_EXPIRE;
}

void entry_free_whole(struct heap *user, struct entry *entry) {
    if (entry_has(entry, ENTRY_EXTERNAL)) {
        if (entry_type(entry) == TYPE_STRING) {
            struct string_block *block = entry_value(entry);
            heap_give(user, block, sizeof *block + block->cap);
        } else {
            value_rehome(entry_type(entry), entry_value(entry), user);
            value_free(entry_type(entry), entry_value(entry));
        }
    }
    entry_free(user, entry);
}

void kept_key_init(struct kept_key *kept, const struct entry *entry) {
    struct bytes name = entry_key(entry);
    kept->name = name.len <= sizeof kept->few ? kept->few : mem_alloc(name.len);
    if (name.len) memcpy(kept->name, name.data, name.len);
    kept->key = key_make(bytes_make(kept->name, name.len));
}

void kept_key_done(struct kept_key *kept) {
    if (kept->name != kept->few) mem_free(kept->name);
}
