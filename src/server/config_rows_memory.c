/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: memory, eviction, expiry, and the sizes up to which small values are packed. */
#include <limits.h>

#include "server/config_row.h"
#include "store/admin.h"

/* In the order in which Redis lists them in its error. */
static const struct config_word policy_words[] = {{"volatile-lru", EVICT_VOLATILE_LRU},
                                                  {"volatile-lfu", EVICT_VOLATILE_LFU},
                                                  {"volatile-random", EVICT_VOLATILE_RANDOM},
                                                  {"volatile-ttl", EVICT_VOLATILE_TTL},
                                                  {"allkeys-lru", EVICT_ALLKEYS_LRU},
                                                  {"allkeys-lfu", EVICT_ALLKEYS_LFU},
                                                  {"allkeys-random", EVICT_ALLKEYS_RANDOM},
                                                  {"noeviction", EVICT_NONE},
                                                  {NULL, 0}};

#define COUNT  .min = 0, .max = INT_MAX
#define WIDE   .min = 0, .max = INT64_MAX
#define DEFRAG .idle = "memory is not moved: the heap packs by size from the start"

static const struct config_row rows[] = {
    {"maxmemory", CONFIG_MEMORY, "0", "bytes in use before keys are evicted; 0 for no limit",
     .flags = 0},
    {"maxmemory-policy", CONFIG_ENUM, "noeviction", "which keys are evicted",
     .words = policy_words},
    {"maxmemory-samples", CONFIG_INT, "5", "candidates looked at for each evicted key", .min = 1,
     .max = INT_MAX},
    {"maxmemory-eviction-tenacity", CONFIG_INT, "10", "how long one round of eviction may take",
     .min = 0, .max = 100, .idle = "a round of eviction has a fixed share of a thread's time"},
    {"lfu-log-factor", CONFIG_INT, "10", "how slowly the counter of accesses grows", COUNT},
    {"lfu-decay-time", CONFIG_INT, "1", "minutes after which it halves or steps down", COUNT},
    {"lazyfree-lazy-eviction", CONFIG_BOOL, "no", "free evicted values in the background",
     .flags = 0},
    {"lazyfree-lazy-expire", CONFIG_BOOL, "no", "free expired values in the background",
     .flags = 0},
    {"lazyfree-lazy-server-del", CONFIG_BOOL, "no", "free overwritten values in the background",
     .idle = "costly values are always freed in the background"},
    {"lazyfree-lazy-user-del", CONFIG_BOOL, "no", "DEL frees in the background, as UNLINK does",
     .idle = "costly values are always freed in the background"},
    {"lazyfree-lazy-user-flush", CONFIG_BOOL, "no", "FLUSHALL and FLUSHDB without a word are ASYNC",
     .flags = 0},
    {"active-expire-effort", CONFIG_INT, "1", "effort to find expired keys", .min = 1, .max = 10,
     .idle = "the sweep knows which parts of the table have something due"},

    {"hash-max-listpack-entries", CONFIG_INT, "512", "fields of a packed hash", WIDE,
     .alias = "hash-max-ziplist-entries"},
    {"hash-max-listpack-value", CONFIG_MEMORY, "64", "bytes of a field or value in a packed hash",
     .alias = "hash-max-ziplist-value"},
    {"list-max-listpack-size", CONFIG_INT, "-2",
     "elements of a list's node, or -1 to -5 for 4 to 64 KB", .min = INT_MIN, .max = INT_MAX,
     .alias = "list-max-ziplist-size"},
    {"list-compress-depth", CONFIG_INT, "0", "nodes left uncompressed at both ends of a list",
     COUNT, .idle = "lists are not compressed"},
    {"set-max-intset-entries", CONFIG_INT, "512", "members of a packed set of integers", WIDE},
    {"set-max-listpack-entries", CONFIG_INT, "128", "members of a packed set", WIDE},
    {"set-max-listpack-value", CONFIG_MEMORY, "64", "bytes of a member in a packed set",
     .flags = 0},
    {"zset-max-listpack-entries", CONFIG_INT, "128", "members of a packed sorted set", WIDE,
     .alias = "zset-max-ziplist-entries"},
    {"zset-max-listpack-value", CONFIG_MEMORY, "64", "bytes of a member in a packed sorted set",
     .alias = "zset-max-ziplist-value"},
    {"hll-sparse-max-bytes", CONFIG_MEMORY, "3000", "bytes of a sparse HyperLogLog", .min = 0},
    {"stream-node-max-bytes", CONFIG_MEMORY, "4096",
     "bytes of a stream's block; 0, and more than 256 KB: 256 KB", .flags = 0},
    {"stream-node-max-entries", CONFIG_INT, "100", "entries of a stream's block; 0: any number",
     WIDE},

    {"activerehashing", CONFIG_BOOL, "yes", "rehash in idle time",
     .idle = "the table never rehashes"},
    {"activedefrag", CONFIG_BOOL, "no", "move values to free pages", DEFRAG},
    {"active-defrag-ignore-bytes", CONFIG_MEMORY, "100mb", "waste below which nothing is moved",
     .min = 1, DEFRAG},
    {"active-defrag-threshold-lower", CONFIG_INT, "10", "percentage of waste to begin at", .min = 0,
     .max = 1000, DEFRAG},
    {"active-defrag-threshold-upper", CONFIG_INT, "100", "percentage of waste for full effort",
     .min = 0, .max = 1000, DEFRAG},
    {"active-defrag-cycle-min", CONFIG_INT, "1", "percentage of CPU at least", .min = 1, .max = 99,
     DEFRAG},
    {"active-defrag-cycle-max", CONFIG_INT, "25", "percentage of CPU at most", .min = 1, .max = 99,
     DEFRAG},
    {"active-defrag-cycle-us", CONFIG_INT, "500", "microseconds of one round", .min = 0,
     .max = 100000, DEFRAG},
    {"active-defrag-max-scan-fields", CONFIG_INT, "1000", "fields moved in one round", .min = 1,
     .max = INT64_MAX, DEFRAG},
    {"jemalloc-bg-thread", CONFIG_BOOL, "yes", "let the allocator purge in a thread of its own",
     .idle = "the allocator keeps its own setting"},
    {"prefetch-batch-max-size", CONFIG_INT, "16", "commands whose keys are prefetched together",
     .min = 0, .max = 128, .idle = "keys of a whole pipeline are prefetched"},
    {"hash-seed", CONFIG_STRING, "", "makes SCAN's order the same on several servers",
     .flags = CONFIG_FIXED | CONFIG_REFUSED, .waits = "a fixed hash seed"},
};

const struct config_rows config_rows_memory = {rows, sizeof rows / sizeof *rows,
                                               "Memory and values"};
