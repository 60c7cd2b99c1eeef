/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/limits.h"

struct type_limits type_limits = {
    .hash_max_listpack_entries = 512,
    .hash_max_listpack_value = 64,
    .list_max_listpack_size = -2,
    .set_max_intset_entries = 512,
    .set_max_listpack_entries = 128,
    .set_max_listpack_value = 64,
    .zset_max_listpack_entries = 128,
    .zset_max_listpack_value = 64,
    .stream_node_max_bytes = 4096,
    .stream_node_max_entries = 100,
    .hll_sparse_max_bytes = 3000,
};
