/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hash.h"

#include "base/random.h"

unsigned char hash_secret[HASH_SECRET_BYTES] __attribute__((aligned(64)));

/* crc_table[k][b] is the CRC of byte b followed by k zero bytes: eight input bytes then need eight
 * independent look-ups instead of eight that wait for one another. */
static uint16_t crc_table[8][256];

void hash_seed_init(uint64_t seed) {
    if (seed == 0) {
        random_secret(hash_secret, sizeof hash_secret);
        return;
    }
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < sizeof hash_secret; i += sizeof(uint64_t)) {
        uint64_t word = rng_next(&rng);
        memcpy(hash_secret + i, &word, sizeof word);
    }
}

static __attribute__((constructor)) void hash_prepare(void) {
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc_table[0][byte] = (uint16_t)crc;
    }
    for (unsigned zeros = 1; zeros < 8; zeros++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            unsigned crc = crc_table[zeros - 1][byte];
            crc_table[zeros][byte] = (uint16_t)((crc << 8) ^ crc_table[0][(crc >> 8) & 0xff]);
        }
    }
    hash_seed_init(0);
}

uint16_t crc16(struct bytes b) {
    const unsigned char *at = (const unsigned char *)b.data;
    size_t left = b.len;
    unsigned crc = 0;
    for (; left >= 8; at += 8, left -= 8) {
        crc = crc_table[7][at[0] ^ (crc >> 8)] ^ crc_table[6][at[1] ^ (crc & 0xff)] ^
              crc_table[5][at[2]] ^ crc_table[4][at[3]] ^ crc_table[3][at[4]] ^
              crc_table[2][at[5]] ^ crc_table[1][at[6]] ^ crc_table[0][at[7]];
    }
    for (; left > 0; at++, left--) {
        crc = ((crc << 8) ^ crc_table[0][(crc >> 8) ^ *at]) & 0xffff;
    }
    return (uint16_t)crc;
}
