/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assertions, and hints about branches and memory.
 *
 * What: kn_assert states what must be true and is checked in debug builds (KN_DEBUG) only;
 *       kn_require is checked always, for what must never be trusted to be true. Both are about
 *       errors of programming: what peers, disks and clients do is handled, never asserted.
 * Lock: none. Errors: a failed check prints where and ends the process with abort().
 */
#ifndef KN_BASE_ASSERT_H
#define KN_BASE_ASSERT_H

#define kn_likely(x)   __builtin_expect(!!(x), 1)
#define kn_unlikely(x) __builtin_expect(!!(x), 0)

/* Starts loading the cache line of an address, which need not be valid. The empty asm
 * keeps the function that does it alive: to gcc 12 one that only prefetches has no
 * effect, and its calls disappear. */
#define kn_prefetch(address)         \
    do {                             \
        __builtin_prefetch(address); \
        __asm__ volatile("");        \
    } while (0)

_Noreturn void assert_failed(const char *expression, const char *file, int line,
                             const char *function);

#define kn_require(x) (kn_likely(x) ? (void)0 : assert_failed(#x, __FILE__, __LINE__, __func__))

#ifdef KN_DEBUG
#define kn_assert(x) kn_require(x)
#else
/* Never evaluated, yet what it names counts as used. */
#define kn_assert(x) ((void)sizeof(!(x)))
#endif

#endif
