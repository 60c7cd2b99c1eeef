/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/value.h"

#include "base/assert.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

const char *value_type_name(enum value_type type) {
    switch (type) {
    case TYPE_STRING: return "string";
    case TYPE_LIST: return "list";
    case TYPE_SET: return "set";
    case TYPE_ZSET: return "zset";
    case TYPE_HASH: return "hash";
    case TYPE_STREAM: return "stream";
    default: return "none";
    }
}

/* One case for each type that has a value behind a pointer. */
#define VALUE_SWITCH(type, list_case, set_case, zset_case, hash_case, stream_case) \
    switch (type) {                                                                \
    case TYPE_LIST: list_case;                                                     \
    case TYPE_SET: set_case;                                                       \
    case TYPE_ZSET: zset_case;                                                     \
    case TYPE_HASH: hash_case;                                                     \
    case TYPE_STREAM: stream_case;                                                 \
    default: kn_require(!"a value of this type");                                  \
    }                                                                              \
    __builtin_unreachable()

void value_free(enum value_type type, void *value) {
    VALUE_SWITCH(type, list_free(value); return, set_free(value); return, zset_free(value);
                 return, hash_free(value); return, stream_free(value); return );
}

void *value_copy(enum value_type type, const void *value, struct heap *heap) {
    VALUE_SWITCH(type, return list_copy(value, heap), return set_copy(value, heap),
                 return zset_copy(value, heap), return hash_copy(value, heap),
                 return stream_copy(value, heap));
}

void value_rehome(enum value_type type, void *value, struct heap *heap) {
    VALUE_SWITCH(type, list_rehome(value, heap); return, set_rehome(value, heap);
                 return, zset_rehome(value, heap); return, hash_rehome(value, heap);
                 return, stream_rehome(value, heap); return );
}

size_t value_count(enum value_type type, const void *value) {
    VALUE_SWITCH(type, return list_count(value), return set_count(value), return zset_count(value),
                 return hash_count(value), return stream_count(value));
}

size_t value_bytes(enum value_type type, const void *value) {
    VALUE_SWITCH(type, return list_bytes(value), return set_bytes(value), return zset_bytes(value),
                 return hash_bytes_used(value), return stream_bytes(value));
}

size_t value_free_cost(enum value_type type, const void *value) {
    VALUE_SWITCH(type, return list_free_cost(value), return set_free_cost(value),
                 return zset_free_cost(value), return hash_free_cost(value),
                 return stream_free_cost(value));
}

const char *value_encoding(enum value_type type, const void *value) {
    VALUE_SWITCH(type, return list_encoding(value), return set_encoding(value),
                 return zset_encoding(value), return hash_encoding(value), return "stream");
}
