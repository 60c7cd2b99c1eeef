/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes: one for tables, one for cluster slots.
 *
 * What: hash_bytes is XXH3 with a secret drawn at start, so that nobody outside can
 *       choose keys that collide. slot_of_key is the cluster's: CRC16 of the key, or of
 *       its hash tag, modulo 16384.
 * Always: the secret is drawn before main() runs; a hash is never stored longer than the process
 * lives. Lock and errors: none.
 */
#ifndef KN_BASE_HASH_H
#define KN_BASE_HASH_H

#include <stdint.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "base/bytes.h"

enum { SLOT_COUNT = 16384, HASH_SECRET_BYTES = 192 };

extern unsigned char hash_secret[HASH_SECRET_BYTES];

/* Draws the secret anew, from the system or, when seed is not 0, from that (for tests that repeat).
 * Only while nothing hashed is kept and no other thread runs. */
void hash_seed_init(uint64_t seed);

static inline uint64_t hash_bytes(struct bytes b) {
    return XXH3_64bits_withSecret(b.data, b.len, hash_secret, HASH_SECRET_BYTES);
}

/* CRC16, XMODEM: polynomial 0x1021, start 0, most significant bit first. */
uint16_t crc16(struct bytes b);

/* The part of a key that decides its slot: what stands between the first '{' and
 * the next '}', if anything. */
static inline struct bytes hash_tag(struct bytes key) {
    const char *open = key.len ? memchr(key.data, '{', key.len) : NULL;
    if (!open) return key;
    size_t rest = key.len - (size_t)(open + 1 - key.data);
    const char *close = rest ? memchr(open + 1, '}', rest) : NULL;
    if (!close || close == open + 1) return key;
    return bytes_make(open + 1, (size_t)(close - open - 1));
}

static inline unsigned slot_of_key(struct bytes key) {
    return crc16(hash_tag(key)) & (SLOT_COUNT - 1);
}

#endif
