/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of the RDB format.
 *
 * What: versions, the type codes that values stand under, and how lengths and strings are marked.
 *       All of what Redis 1 to 8 and Valkey 7 to 9 have written. Three codes (22, 23 and what
 *       Valkey calls HASH_2) depend on who wrote: the version tells.
 * Always: integers of the format are little-endian, but for the 32- and 64-bit lengths, which are
 * big-endian. Lock, owner, errors: none.
 */
#ifndef KN_PERSIST_FORMAT_H
#define KN_PERSIST_FORMAT_H

#include <stdbool.h>

enum {
    /* What we write. 10 is Redis 7.0's, which everything since then reads; lifetimes of hash fields
     * came with 12 (Redis 7.4), and there is no form of them that Redis and Valkey share. */
    RDB_VERSION_WRITTEN = 10,
    RDB_VERSION_ACTIVE_CONSUMERS = 11,
    RDB_VERSION_FIELD_EXPIRY = 12,
    /* What we read: Redis's own numbers from 0, then Valkey's, which go on from 80. */
    RDB_VERSION_REDIS_MAX = 13,
    RDB_VERSION_VALKEY = 80,
    RDB_VERSION_VALKEY_MAX = 80,
};

static inline bool rdb_version_is_known(unsigned version) {
    return version <= RDB_VERSION_REDIS_MAX ||
           (version >= RDB_VERSION_VALKEY && version <= RDB_VERSION_VALKEY_MAX);
}

enum rdb_type {
    RDB_STRING = 0,
    RDB_LIST = 1,
    RDB_SET = 2,
    RDB_ZSET = 3, /* scores as text */
    RDB_HASH = 4,
    RDB_ZSET_2 = 5, /* scores as binary doubles */
    RDB_MODULE = 6,
    RDB_MODULE_2 = 7,
    RDB_HASH_ZIPMAP = 9,
    RDB_LIST_ZIPLIST = 10,
    RDB_SET_INTSET = 11,
    RDB_ZSET_ZIPLIST = 12,
    RDB_HASH_ZIPLIST = 13,
    RDB_LIST_QUICKLIST = 14, /* ziplists */
    RDB_STREAM = 15,
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST_QUICKLIST_2 = 18, /* listpacks and plain elements */
    RDB_STREAM_2 = 19, /* first identifier, highest deleted one, entries added, entries read */
    RDB_SET_LISTPACK = 20,
    RDB_STREAM_3 = 21,          /* when consumers were last active */
    RDB_HASH_METADATA_OLD = 22, /* Redis 7.4's release candidates: absolute expiry a field */
    RDB_HASH_LISTPACK_EX_OLD = 23,
    RDB_HASH_METADATA = 24,
    RDB_HASH_LISTPACK_EX = 25,
    RDB_STREAM_4 = 26, /* tokens of additions */
};
enum { RDB_VALKEY_HASH_2 = 22 };

/* The first two bits of a length's first byte, or all of it. */
enum {
    RDB_LENGTH_6 = 0x00,
    RDB_LENGTH_14 = 0x40,
    RDB_LENGTH_32 = 0x80,
    RDB_LENGTH_64 = 0x81,
    RDB_LENGTH_SPECIAL = 0xc0, /* no length: the other bits tell how a string is kept */
    RDB_LENGTH_KIND = 0xc0,
};
enum { RDB_SPECIAL_INT8, RDB_SPECIAL_INT16, RDB_SPECIAL_INT32, RDB_SPECIAL_LZF };

/* Flags of a stream's entry. */
enum { STREAM_DELETED = 1, STREAM_SAME_NAMES = 2 };

/* A node of a QUICKLIST_2. */
enum { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 };

enum {
    RDB_FOOTER_BYTES = 10,    /* of a payload: the version in 2, the checksum in 8 */
    RDB_COMPRESS_MIN = 21,    /* shorter strings are not worth it */
    RDB_COMPRESS_GAIN = 4,    /* so many bytes at least must be saved */
    RDB_LZF_RATIO_MAX = 88,   /* 3 bytes of LZF stand for 264 at most */
    RDB_INTEGER_TEXT_MAX = 11 /* the longest text of a 32-bit integer */
};

#endif
