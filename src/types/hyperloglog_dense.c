/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All registers of a dense HyperLogLog at once: unpacked, compared, packed.
 *
 * Four registers are three bytes. Put into 32 bits, each register is shifted into a byte of its
 * own, for as many fours as fit a word.
 */
#include <endian.h>

#include "types/hyperloglog_inside.h"

/* Eight registers from six bytes. */
static void merge_eight(const uint8_t *from, uint8_t *max) {
    uint64_t six = 0;
    uint8_t eight[8];
    memcpy(&six, from, 6);
    six = le64toh(six);
    six = (six & 0xffffff) | (six & UINT64_C(0xffffff000000)) << 8;
    six = (six & UINT64_C(0x0000003f0000003f)) | (six << 2 & UINT64_C(0x00003f0000003f00)) |
          (six << 4 & UINT64_C(0x003f0000003f0000)) | (six << 6 & UINT64_C(0x3f0000003f000000));
    six = htole64(six);
    memcpy(eight, &six, sizeof eight);
    for (unsigned i = 0; i < 8; i++) {
        if (max[i] < eight[i]) max[i] = eight[i];
    }
}

static void merge_plainly(const uint8_t *registers, uint8_t *max, unsigned count) {
    for (unsigned i = 0; i < count; i += 8, registers += 6) merge_eight(registers, max + i);
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void merge_avx2(const uint8_t *registers, uint8_t *max) {
    enum { AT_ONCE = 32, HALF_BYTES = 12 };
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 0,
                                            1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    const __m256i first = _mm256_set1_epi32(0x3f), second = _mm256_set1_epi32(0x3f00);
    const __m256i third = _mm256_set1_epi32(0x3f0000), fourth = _mm256_set1_epi32(0x3f000000);
    unsigned i = 0;
    /* Of 16 bytes that are read, 12 are used: the last ones are left to merge_plainly. */
    for (; i < HLL_REGISTERS - AT_ONCE; i += AT_ONCE, registers += 2 * HALF_BYTES) {
        const __m128i *low = (const __m128i *)(const void *)registers;
        const __m128i *high = (const __m128i *)(const void *)(registers + HALF_BYTES);
        __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
                                            _mm_loadu_si128(high), 1);
        x = _mm256_shuffle_epi8(x, spread);
        x = _mm256_or_si256(_mm256_or_si256(_mm256_and_si256(x, first),
                                            _mm256_and_si256(_mm256_slli_epi32(x, 2), second)),
                            _mm256_or_si256(_mm256_and_si256(_mm256_slli_epi32(x, 4), third),
                                            _mm256_and_si256(_mm256_slli_epi32(x, 6), fourth)));
        __m256i *to = (__m256i *)(void *)(max + i);
        _mm256_storeu_si256(to, _mm256_max_epu8(_mm256_loadu_si256(to), x));
    }
    merge_plainly(registers, max + i, HLL_REGISTERS - i);
}

void hll_dense_merge(const uint8_t *registers, uint8_t max[HLL_REGISTERS]) {
    if (__builtin_cpu_supports("avx2"))
        merge_avx2(registers, max);
    else
        merge_plainly(registers, max, HLL_REGISTERS);
}
#else
void hll_dense_merge(const uint8_t *registers, uint8_t max[HLL_REGISTERS]) {
    merge_plainly(registers, max, HLL_REGISTERS);
}
#endif

void hll_dense_pack(uint8_t *registers, const uint8_t values[HLL_REGISTERS]) {
    for (unsigned i = 0; i < HLL_REGISTERS; i += 8, registers += 6) {
        uint64_t eight;
        memcpy(&eight, values + i, sizeof eight);
        eight = le64toh(eight);
        eight = (eight & UINT64_C(0x0000003f0000003f)) |
                (eight >> 2 & UINT64_C(0x00000fc000000fc0)) |
                (eight >> 4 & UINT64_C(0x0003f0000003f000)) |
                (eight >> 6 & UINT64_C(0x00fc000000fc0000));
        eight = (eight & 0xffffff) | (eight >> 8 & UINT64_C(0xffffff000000));
        eight = htole64(eight);
        memcpy(registers, &eight, 6);
    }
}
