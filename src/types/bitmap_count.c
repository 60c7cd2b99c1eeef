/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counting bits, by the widest means that the processor has: it is asked at run time, as the
 * program is built for the oldest.
 */
#include "base/assert.h"
#include "types/bitmap.h"

static uint64_t load64(const char *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* Fewer than eight bytes are left. */
static uint64_t count_rest(const char *data, size_t len) {
    char room[sizeof(uint64_t)] = {0};
    if (len) memcpy(room, data, len);
    return (uint64_t)__builtin_popcountll(load64(room));
}

static inline __attribute__((always_inline)) uint64_t count_words(const char *data, size_t len) {
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; len >= 32; data += 32, len -= 32) {
        a += (uint64_t)__builtin_popcountll(load64(data));
        b += (uint64_t)__builtin_popcountll(load64(data + 8));
        c += (uint64_t)__builtin_popcountll(load64(data + 16));
        d += (uint64_t)__builtin_popcountll(load64(data + 24));
    }
    for (; len >= 8; data += 8, len -= 8) a += (uint64_t)__builtin_popcountll(load64(data));
    return a + b + c + d + count_rest(data, len);
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("popcnt"))) static uint64_t count_popcnt(const char *data, size_t len) {
    return count_words(data, len);
}

/* How many bits half a byte has, looked up for 64 of them at once. */
__attribute__((target("avx2,popcnt"))) static uint64_t count_avx2(const char *data, size_t len) {
    const __m256i bits = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                          2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i half = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
    __m256i sum = zero;
    while (len >= 32) {
        /* A byte holds the sums of 31 rounds, 8 bits each at most. */
        size_t rounds = len / 32 < 31 ? len / 32 : 31;
        __m256i some = zero;
        len -= rounds * 32;
        for (; rounds > 0; rounds--, data += 32) {
            __m256i in = _mm256_loadu_si256((const __m256i *)(const void *)data);
            __m256i low = _mm256_and_si256(in, half);
            __m256i high = _mm256_and_si256(_mm256_srli_epi16(in, 4), half);
            some = _mm256_add_epi8(some, _mm256_add_epi8(_mm256_shuffle_epi8(bits, low),
                                                         _mm256_shuffle_epi8(bits, high)));
        }
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(some, zero));
    }
    uint64_t four[4];
    _mm256_storeu_si256((__m256i *)(void *)four, sum);
    return four[0] + four[1] + four[2] + four[3] + count_words(data, len);
}

__attribute__((target("avx512f,avx512vpopcntdq,popcnt"))) static uint64_t
count_avx512(const char *data, size_t len) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (; len >= 256; data += 256, len -= 256) {
        a = _mm512_add_epi64(a, _mm512_popcnt_epi64(_mm512_loadu_si512(data)));
        b = _mm512_add_epi64(b, _mm512_popcnt_epi64(_mm512_loadu_si512(data + 64)));
        c = _mm512_add_epi64(c, _mm512_popcnt_epi64(_mm512_loadu_si512(data + 128)));
        d = _mm512_add_epi64(d, _mm512_popcnt_epi64(_mm512_loadu_si512(data + 192)));
    }
    a = _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d));
    return (uint64_t)_mm512_reduce_add_epi64(a) + count_words(data, len);
}

static uint64_t count_bytes(const char *data, size_t len) {
    enum { WORTH_VECTORS = 512 };
    if (len >= WORTH_VECTORS) {
        if (__builtin_cpu_supports("avx512vpopcntdq")) return count_avx512(data, len);
        if (__builtin_cpu_supports("avx2")) return count_avx2(data, len);
    }
    if (__builtin_cpu_supports("popcnt")) return count_popcnt(data, len);
    return count_words(data, len);
}
#else
static uint64_t count_bytes(const char *data, size_t len) {
    return count_words(data, len);
}
#endif

uint64_t bitmap_count(struct bytes string, uint64_t first, uint64_t last) {
    kn_assert(first <= last && last / 8 < string.len);
    size_t from = first / 8, to = last / 8;
    uint64_t count = count_bytes(string.data + from, to - from + 1);
    /* Less the bits at either end that are outside. */
    unsigned before = (uint8_t)string.data[from] & ~(0xffu >> first % 8) & 0xff;
    unsigned behind = (uint8_t)string.data[to] & (0x7fu >> last % 8);
    return count - (unsigned)__builtin_popcount(before) - (unsigned)__builtin_popcount(behind);
}
