/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purging: a pattern's id is retired, and the pattern goes on with another. So a purge costs the same whatever
 * the number of keys, and is one effect.
 */
#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

/* A copy in one allocation. */
static struct sieve *sieve_new(const struct purge_variable *variables, size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += variables[i].name.len + variables[i].value.len;
    struct sieve *sieve = mem_alloc(sizeof *sieve + count * sizeof *variables + bytes);
    char *text = (char *)(sieve->variables + count);
    sieve->count = count;
    for (size_t i = 0; i < count; i++) {
        struct bytes *to[] = {&sieve->variables[i].name, &sieve->variables[i].value};
        struct bytes from[] = {variables[i].name, variables[i].value};
        for (unsigned part = 0; part < 2; part++) {
            if (from[part].len) memcpy(text, from[part].data, from[part].len);
            *to[part] = bytes_make(text, from[part].len);
            text += from[part].len;
        }
    }
    return sieve;
}

int64_t store_purge(struct store *store, unsigned number, const struct purge_variable *variables,
                    size_t count) {
    struct patterns *patterns = patterns_of(store);
    uint16_t old = patterns->view->ids[number];
    lock_take(&patterns->lock);
    uint16_t fresh = pattern_id_take(patterns, patterns->view, number, patterns->lines[number]);
    if (fresh == 0) {
        lock_give(&patterns->lock);
        return PURGE_NO_ID;
    }
    int64_t purged = PURGE_UNCOUNTED;
    if (count == 0) {
        struct tally_sums sums;
        tally_sum(patterns->tally, old, &sums);
        purged = sums.keys;
    } else {
        patterns->ids[old].sieve = sieve_new(variables, count);
    }
    pattern_id_retire(patterns, old, count == 0 ? ID_DEAD : ID_SIEVED);
    patterns->view->ids[number] = fresh;
    lock_give(&patterns->lock);
    return purged;
}
