/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strings that claim to be HyperLogLogs, of any content: read, added to, merged and made
 * dense without harm; what was sound stays sound, and only the registers that were to be
 * raised differ afterwards.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "types/hyperloglog.h"
#include "types/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes view(const struct hll *hll) {
    return bytes_make(hll->bytes, hll->len);
}

/* Raises registers as the input says, three bytes each. */
static void raise_some(struct hll *hll, const uint8_t *data, size_t size) {
    uint8_t expected[HLL_REGISTERS] = {0}, found[HLL_REGISTERS] = {0};
    bool sound = hll_merge(view(hll), expected);
    for (; size >= 3; data += 3, size -= 3) {
        unsigned index = (data[0] | (unsigned)data[1] << 8) % HLL_REGISTERS;
        uint8_t value = (uint8_t)(data[2] % 51 + 1);
        enum hll_outcome outcome = hll_raise(hll, index, value);
        if (!sound && outcome == HLL_DAMAGED) return;
        kn_require(outcome != HLL_DAMAGED);
        kn_require(hll->len <= HLL_ROOM_BYTES);
        if (sound) kn_require((outcome == HLL_CHANGED) == (value > expected[index]));
        if (value > expected[index]) expected[index] = value;
    }
    if (sound) {
        kn_require(hll_merge(view(hll), found));
        kn_require(memcmp(found, expected, sizeof found) == 0);
    }
}

static void use(const char *bytes, size_t len, const uint8_t *more, size_t more_len) {
    struct bytes string = bytes_make(bytes, len);
    uint8_t registers[HLL_REGISTERS] = {0}, dense[HLL_REGISTERS] = {0};
    uint64_t kept;
    if (!hll_recognise(string)) return;
    hll_kept_estimate(string, &kept);
    bool sound = hll_merge(string, registers);
    if (sound) hll_estimate(registers);
    if (!hll_is_dense(string)) {
        struct buffer text;
        buffer_init(&text, 1 << 20);
        kn_require(hll_describe(string, &text) || !sound);
        buffer_done(&text);
        if (len > HLL_SPARSE_BYTES_MAX) return;
    }
    char *room = malloc(HLL_ROOM_BYTES);
    kn_require(room != NULL);
    struct hll hll = {.bytes = room, .len = len};
    memcpy(room, bytes, len);
    kn_require(hll_make_dense(&hll) == sound);
    if (sound) {
        kn_require(hll.len == HLL_DENSE_BYTES && hll_merge(view(&hll), dense));
        kn_require(memcmp(dense, registers, sizeof dense) == 0);
        raise_some(&hll, more, more_len);
    }
    hll = (struct hll){.bytes = room, .len = len};
    memcpy(room, bytes, len);
    raise_some(&hll, more, more_len);
    free(room);
}

/* The first byte: how many bytes raise registers, and whether the limit of sparse ones is low. The
 * rest is the string, with a header put before it so that most inputs have one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t more = (size_t)(data[0] & 63) * 3;
    atomic_store(&type_limits.hll_sparse_max_bytes, data[0] & 64 ? 64 : 3000);
    bool dense = data[0] & 128;
    data++;
    size--;
    if (more > size) more = size;
    const uint8_t *content = data + more;
    size_t content_len = size - more, len = HLL_HEADER_BYTES + content_len;
    if (dense) len = HLL_DENSE_BYTES;
    char *string = calloc(1, len);
    kn_require(string != NULL);
    memcpy(string, "HYLL", 4);
    string[4] = dense ? 0 : 1;
    size_t kept = content_len < len - HLL_HEADER_BYTES ? content_len : len - HLL_HEADER_BYTES;
    if (kept) memcpy(string + HLL_HEADER_BYTES, content, kept);
    use(string, len, data, more);
    free(string);
    /* And as it is. */
    use((const char *)content, content_len, data, more);
    return 0;
}
