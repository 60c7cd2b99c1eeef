/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sizes up to which small values keep their packed encodings.
 *
 * What: the numbers behind hash-max-listpack-entries and its kind, in one place that the types
 *       read and CONFIG SET writes.
 * Always: a value is within what its directive allows; whoever writes has checked that. A
 *         changed limit counts for what happens to a value from then on; nothing is
 *         converted because of it.
 * Owner: this file. Lock: none, the numbers are atomic. Errors: none.
 */
#ifndef KN_TYPES_LIMITS_H
#define KN_TYPES_LIMITS_H

#include <stdatomic.h>
#include <stdint.h>

struct type_limits {
    _Atomic int64_t hash_max_listpack_entries;
    _Atomic int64_t hash_max_listpack_value;
    _Atomic int64_t
        list_max_listpack_size; /* > 0: elements in a node; -1 .. -5: 4 to 64 KB in a node */
    _Atomic int64_t set_max_intset_entries;
    _Atomic int64_t set_max_listpack_entries;
    _Atomic int64_t set_max_listpack_value;
    _Atomic int64_t zset_max_listpack_entries;
    _Atomic int64_t zset_max_listpack_value;
    _Atomic int64_t stream_node_max_bytes;   /* 0: no limit of one's own */
    _Atomic int64_t stream_node_max_entries; /* 0: none */
    _Atomic int64_t hll_sparse_max_bytes;    /* header included */
};

extern struct type_limits type_limits;

static inline int64_t type_limit(const _Atomic int64_t *limit) {
    return atomic_load_explicit(limit, memory_order_relaxed);
}

#endif
