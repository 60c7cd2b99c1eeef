/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Going over hashes: iteration, scans, random fields.
 */
#include "base/memory.h"
#include "base/random.h"
#include "ds/seen.h"
#include "types/hash_inside.h"

void hash_iter_init(struct hash_iter *iter, const struct hash *hash, int64_t now_ms) {
    iter->hash = hash;
    iter->now_ms = now_ms;
    iter->expires_ms = HASH_NO_EXPIRY;
    iter->at = PACK_HEADER;
    if (hash_is_table(hash)) table_iter_init(&iter->table, &hash_table_of(hash)->table);
}

bool hash_iter_next(struct hash_iter *iter, struct bytes *ret_field, struct bytes *ret_value) {
    if (!hash_is_table(iter->hash)) {
        const struct pack *pack = hash_pack_of(iter->hash);
        if (iter->at == pack_end(pack)) return false;
        *ret_field = pack_text(pack, iter->at, iter->scratch[0]);
        iter->at = pack_next(pack, iter->at);
        *ret_value = pack_text(pack, iter->at, iter->scratch[1]);
        iter->at = pack_next(pack, iter->at);
        return true;
    }
    for (void *e; (e = table_iter_next(&iter->table));) {
        struct hash_field field;
        hash_field_read(e, &field);
        if (hash_is_expired(field.expires_ms, iter->now_ms)) continue;
        *ret_field = field.name;
        *ret_value = field.value;
        iter->expires_ms = field.expires_ms;
        return true;
    }
    return false;
}

size_t hash_count_live(const struct hash *hash, int64_t now_ms) {
    if (!hash_has_expired(hash, now_ms)) return hash_count(hash);
    struct hash_iter iter;
    struct bytes field, value;
    size_t count = 0;
    hash_iter_init(&iter, hash, now_ms);
    while (hash_iter_next(&iter, &field, &value)) count++;
    return count;
}

/* ---- scans ---- */

struct visit {
    hash_visit_fn *visit;
    void *context;
    int64_t now_ms;
};

static void visit_element(void *element, void *context) {
    const struct visit *visit = context;
    struct hash_field field;
    hash_field_read(element, &field);
    if (!hash_is_expired(field.expires_ms, visit->now_ms))
        visit->visit(field.name, field.value, visit->context);
}

uint64_t hash_scan(const struct hash *hash, uint64_t cursor, int64_t now_ms, hash_visit_fn *visit,
                   void *context) {
    if (hash_is_table(hash)) {
        struct visit all = {visit, context, now_ms};
        return table_scan(&hash_table_of(hash)->table, cursor, visit_element, &all);
    }
    struct hash_iter iter;
    struct bytes field, value;
    hash_iter_init(&iter, hash, now_ms);
    while (hash_iter_next(&iter, &field, &value)) visit(field, value, context);
    return 0;
}

/* ---- chance ---- */

static uint64_t next_random(void *context) {
    return rng_next(context);
}

static void visit_pack_pair(const struct pack *pack, size_t at, const struct visit *visit) {
    char scratch[2][HASH_SCRATCH];
    struct bytes field = pack_text(pack, at, scratch[0]);
    visit->visit(field, pack_text(pack, pack_next(pack, at), scratch[1]), visit->context);
}

/* Drawing from a pack: with its places known when there is much to draw. */
static void draw_from_pack(const struct pack *pack, struct rng *rng, size_t count,
                           const struct visit *visit) {
    enum { SEEK_MOST = 3 };
    size_t pairs = pack_count(pack) / 2;
    if (count <= SEEK_MOST) {
        while (count--)
            visit_pack_pair(pack, pack_seek(pack, 2 * (int64_t)rng_below(rng, pairs)), visit);
        return;
    }
    uint32_t *places = mem_alloc(pairs * sizeof *places);
    size_t at = pack_first(pack);
    for (size_t i = 0; i < pairs; i++) {
        places[i] = (uint32_t)at;
        at = pack_next(pack, pack_next(pack, at));
    }
    while (count--) visit_pack_pair(pack, places[rng_below(rng, pairs)], visit);
    mem_free(places);
}

/* Drawing from a table of which some fields have expired: from a list of the others. */
static void draw_from_live(const struct hash *hash, struct rng *rng, size_t count,
                           const struct visit *visit) {
    const void **live = mem_alloc(hash_count(hash) * sizeof *live);
    size_t found = 0;
    struct table_iter iter;
    table_iter_init(&iter, &hash_table_of(hash)->table);
    for (void *e; (e = table_iter_next(&iter));) {
        struct hash_field field;
        hash_field_read(e, &field);
        if (!hash_is_expired(field.expires_ms, visit->now_ms)) live[found++] = e;
    }
    while (found && count--) {
        struct hash_field field;
        hash_field_read(live[rng_below(rng, found)], &field);
        visit->visit(field.name, field.value, visit->context);
    }
    mem_free(live);
}

void hash_draw(const struct hash *hash, struct rng *rng, size_t count, int64_t now_ms,
               hash_visit_fn *visit, void *context) {
    struct visit all = {visit, context, now_ms};
    if (hash_count(hash) == 0) return;
    if (!hash_is_table(hash)) {
        draw_from_pack(hash_pack_of(hash), rng, count, &all);
    } else if (hash_has_expired(hash, now_ms)) {
        draw_from_live(hash, rng, count, &all);
    } else {
        while (count--)
            visit_element(table_random(&hash_table_of(hash)->table, next_random, rng), &all);
    }
}

void hash_sample(const struct hash *hash, struct rng *rng, size_t count, int64_t now_ms,
                 hash_visit_fn *visit, void *context) {
    size_t live = hash_count_live(hash, now_ms);
    struct visit all = {visit, context, now_ms};
    if (count > live) count = live;
    if (!hash_is_table(hash) || hash_has_expired(hash, now_ms) || count >= live / 3) {
        /* One pass, in which each field is taken as likely as is needed to
         * end with `count` of them. */
        struct hash_iter iter;
        struct bytes field, value;
        hash_iter_init(&iter, hash, now_ms);
        while (count > 0 && hash_iter_next(&iter, &field, &value)) {
            if (rng_below(rng, live--) >= count) continue;
            visit(field, value, context);
            count--;
        }
        return;
    }
    struct seen seen;
    seen_init(&seen, count);
    while (count > 0) {
        void *element = table_random(&hash_table_of(hash)->table, next_random, rng);
        if (!seen_add(&seen, (uint64_t)(uintptr_t)element)) continue;
        visit_element(element, &all);
        count--;
    }
    seen_done(&seen);
}
