/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How it works
 *
 * A member of the table is its length and its bytes: one byte of length up to 253, beyond
 * that the byte 254 and four bytes. The table itself is an allocation of its own, so that a
 * small set's head is small.
 */
#include "types/set.h"

#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/number.h"
#include "base/random.h"
#include "ds/intset.h"
#include "ds/pack.h"
#include "ds/seen.h"
#include "types/limits.h"

enum kind { KIND_INTS, KIND_PACK, KIND_TABLE };

struct members {
    struct table table;
    size_t bytes; /* of the members */
};

struct set {
    struct heap *heap;
    enum kind kind;
    union {
        struct intset ints;
        struct pack *pack;
        struct members *members;
    };
};

_Static_assert((int)SET_TEXT_MAX >= (int)PACK_TEXT_MAX && (int)SET_TEXT_MAX >= (int)NUMBER_I64_MAX,
               "room for an integer");

/* ---- members of a table ---- */

enum { MEMBER_LONG = 254 };

static size_t member_size(size_t len) {
    return len < MEMBER_LONG ? 1 + len : 5 + len;
}

static struct bytes member_text(const void *member) {
    const unsigned char *at = member;
    if (*at != MEMBER_LONG) return bytes_make(at + 1, *at);
    uint32_t len;
    memcpy(&len, at + 1, sizeof len);
    return bytes_make(at + 5, len);
}

static uint64_t member_hash(const void *member) {
    return hash_bytes(member_text(member));
}

static void *member_new(struct heap *heap, struct bytes text) {
    unsigned char *member = heap_take(heap, member_size(text.len)), *at = member + 1;
    uint32_t len = (uint32_t)text.len;
    kn_assert(text.len <= UINT32_MAX);
    member[0] = len < MEMBER_LONG ? (unsigned char)len : MEMBER_LONG;
    if (len >= MEMBER_LONG) {
        memcpy(at, &len, sizeof len);
        at += sizeof len;
    }
    if (len) memcpy(at, text.data, len);
    return member;
}

static void *members_find(const struct members *members, struct bytes text, uint64_t hash) {
    struct table_probe probe;
    for (void *m = table_first(&members->table, hash, &probe); m; m = table_next(&probe)) {
        if (bytes_equal(member_text(m), text)) return m;
    }
    return NULL;
}

static bool members_add(struct set *set, struct bytes text) {
    struct members *members = set->members;
    uint64_t hash = hash_bytes(text);
    if (members_find(members, text, hash)) return false;
    table_add(&members->table, hash, member_new(set->heap, text), 0);
    members->bytes += heap_object_bytes(member_size(text.len));
    return true;
}

static void members_free_one(struct set *set, void *member) {
    size_t size = member_size(member_text(member).len);
    set->members->bytes -= heap_object_bytes(size);
    heap_give(set->heap, member, size);
}

/* ---- life ---- */

struct set *set_new(struct heap *heap) {
    struct set *set = heap_take(heap, sizeof *set);
    set->heap = heap;
    set->kind = KIND_INTS;
    intset_init(&set->ints);
    return set;
}

/* Gives back what the set holds, not its head. */
static void set_drop(struct set *set) {
    if (set->kind == KIND_INTS) {
        intset_done(&set->ints, set->heap);
    } else if (set->kind == KIND_PACK) {
        pack_free(set->pack, set->heap);
    } else {
        struct table_iter iter;
        table_iter_init(&iter, &set->members->table);
        for (void *m; (m = table_iter_next(&iter));) members_free_one(set, m);
        table_done(&set->members->table);
        heap_give(set->heap, set->members, sizeof *set->members);
    }
}

void set_free(struct set *set) {
    set_drop(set);
    heap_give(set->heap, set, sizeof *set);
}

static struct members *members_new(struct heap *heap) {
    struct members *members = heap_take(heap, sizeof *members);
    table_init(&members->table, member_hash);
    members->bytes = 0;
    return members;
}

struct set *set_copy(const struct set *set, struct heap *heap) {
    struct set *copy = set_new(heap);
    copy->kind = set->kind;
    if (set->kind == KIND_INTS) {
        intset_copy(&set->ints, heap, &copy->ints);
    } else if (set->kind == KIND_PACK) {
        copy->pack = pack_copy(set->pack, heap);
    } else {
        struct table_iter iter;
        copy->members = members_new(heap);
        table_iter_init(&iter, &set->members->table);
        for (void *m; (m = table_iter_next(&iter));) {
            struct bytes text = member_text(m);
            table_add(&copy->members->table, hash_bytes(text), member_new(heap, text), 0);
        }
        copy->members->bytes = set->members->bytes;
    }
    return copy;
}

void set_rehome(struct set *set, struct heap *heap) {
    set->heap = heap;
}

size_t set_count(const struct set *set) {
    switch (set->kind) {
    case KIND_INTS: return intset_count(&set->ints);
    case KIND_PACK: return pack_count(set->pack);
    default: return table_count(&set->members->table);
    }
}

size_t set_bytes(const struct set *set) {
    size_t head = heap_object_bytes(sizeof *set);
    switch (set->kind) {
    case KIND_INTS: return head + intset_bytes(&set->ints);
    case KIND_PACK: return head + pack_heap_bytes(set->pack);
    default:
        return head + heap_object_bytes(sizeof *set->members) + set->members->bytes +
               table_bytes(&set->members->table);
    }
}

const char *set_encoding(const struct set *set) {
    static const char *const names[] = {"intset", "listpack", "hashtable"};
    return names[set->kind];
}

bool set_is_integers(const struct set *set) {
    return set->kind == KIND_INTS;
}

size_t set_free_cost(const struct set *set) {
    return set->kind == KIND_TABLE ? 2 + table_count(&set->members->table) : 2;
}

/* ---- from one encoding to the next ---- */

static void to_table(struct set *set) {
    struct set old = *set;
    struct set_iter iter;
    struct bytes member;
    set->kind = KIND_TABLE;
    set->members = members_new(set->heap);
    set_iter_init(&iter, &old);
    while (set_iter_next(&iter, &member)) members_add(set, member);
    set_drop(&old);
}

static void ints_to_pack(struct set *set) {
    struct intset ints = set->ints;
    set->kind = KIND_PACK;
    set->pack = pack_new(set->heap);
    for (size_t i = 0; i < intset_count(&ints); i++)
        pack_append(&set->pack, set->heap, pack_item_integer(intset_at(&ints, i)));
    intset_done(&ints, set->heap);
}

static bool within(size_t value, const _Atomic int64_t *limit) {
    int64_t most = type_limit(limit);
    return most >= 0 && value <= (uint64_t)most;
}

static bool pack_may_add(size_t count, size_t bytes, size_t len) {
    return within(count + 1, &type_limits.set_max_listpack_entries) &&
           within(len, &type_limits.set_max_listpack_value) && len <= PACK_MAX &&
           bytes + len + PACK_ITEM_EXTRA <= PACK_MAX;
}

/* Leaves the integers for the encoding that can take this member too. */
static void leave_ints(struct set *set, size_t len) {
    size_t count = intset_count(&set->ints), longest = 0;
    char digits[NUMBER_I64_MAX];
    if (count) {
        size_t first = number_format_i64(digits, intset_at(&set->ints, 0));
        size_t last = number_format_i64(digits, intset_at(&set->ints, count - 1));
        longest = first > last ? first : last;
    }
    if (within(longest, &type_limits.set_max_listpack_value) &&
        pack_may_add(count, count * PACK_TEXT_MAX, len))
        ints_to_pack(set);
    else
        to_table(set);
}

void set_expect(struct set *set, size_t more, struct bytes first) {
    int64_t number;
    bool ints = set->kind == KIND_INTS && (set_count(set) > 0 || number_parse_i64(first, &number));
    const _Atomic int64_t *limit =
        ints ? &type_limits.set_max_intset_entries : &type_limits.set_max_listpack_entries;
    if (set->kind != KIND_TABLE && !within(more, limit)) to_table(set);
}

/* ---- members ---- */

static size_t pack_place(const struct pack *pack, struct bytes member) {
    return pack_find(pack, pack_first(pack), pack_item_of(member), 1);
}

bool set_has(const struct set *set, struct bytes member) {
    int64_t number;
    switch (set->kind) {
    case KIND_INTS:
        return number_parse_i64(member, &number) && intset_find(&set->ints, number, NULL);
    case KIND_PACK: return pack_place(set->pack, member) != pack_end(set->pack);
    default: return members_find(set->members, member, hash_bytes(member)) != NULL;
    }
}

bool set_add(struct set *set, struct bytes member) {
    int64_t number;
    if (set->kind == KIND_INTS) {
        if (number_parse_i64(member, &number) &&
            type_limit(&type_limits.set_max_intset_entries) > 0) {
            if (!intset_add(&set->ints, set->heap, number)) return false;
            if (!within(intset_count(&set->ints), &type_limits.set_max_intset_entries))
                to_table(set);
            return true;
        }
        leave_ints(set, member.len);
    }
    if (set->kind == KIND_PACK) {
        if (pack_place(set->pack, member) != pack_end(set->pack)) return false;
        if (pack_may_add(pack_count(set->pack), pack_size(set->pack), member.len)) {
            pack_append(&set->pack, set->heap, pack_item_of(member));
            return true;
        }
        to_table(set);
    }
    return members_add(set, member);
}

bool set_remove(struct set *set, struct bytes member) {
    if (set->kind == KIND_INTS) {
        int64_t number;
        return number_parse_i64(member, &number) && intset_remove(&set->ints, set->heap, number);
    }
    if (set->kind == KIND_PACK) {
        size_t at = pack_place(set->pack, member);
        if (at == pack_end(set->pack)) return false;
        pack_delete(&set->pack, set->heap, at, 1);
        return true;
    }
    uint64_t hash = hash_bytes(member);
    void *found = members_find(set->members, member, hash);
    if (!found) return false;
    table_remove(&set->members->table, hash, found);
    members_free_one(set, found);
    return true;
}

/* ---- chance ---- */

static struct bytes int_text(int64_t number, char *scratch) {
    return bytes_make(scratch, number_format_i64(scratch, number));
}

static uint64_t next_random(void *rng) {
    return rng_next(rng);
}

struct bytes set_random(const struct set *set, struct rng *rng, char scratch[SET_TEXT_MAX]) {
    kn_assert(set_count(set) > 0);
    if (set->kind == KIND_TABLE)
        return member_text(table_random(&set->members->table, next_random, rng));
    size_t index = rng_below(rng, set_count(set));
    if (set->kind == KIND_INTS) return int_text(intset_at(&set->ints, index), scratch);
    return pack_text(set->pack, pack_seek(set->pack, (int64_t)index), scratch);
}

/* Each member in turn, with the chance that is left to it: no memory, and
 * exactly `count` of them. */
static void sample_in_order(const struct set *set, struct rng *rng, size_t count,
                            set_visit_fn *visit, void *context) {
    struct set_iter iter;
    struct bytes member;
    size_t left = set_count(set);
    set_iter_init(&iter, set);
    while (count > 0 && set_iter_next(&iter, &member)) {
        if (rng_below(rng, left--) >= count) continue;
        visit(member, context);
        count--;
    }
}

void set_sample(const struct set *set, struct rng *rng, size_t count, set_visit_fn *visit,
                void *context) {
    struct seen seen;
    size_t all = set_count(set);
    if (set->kind != KIND_TABLE || count >= all / 3) {
        sample_in_order(set, rng, count < all ? count : all, visit, context);
        return;
    }
    seen_init(&seen, count);
    while (count > 0) {
        void *member = table_random(&set->members->table, next_random, rng);
        if (!seen_add(&seen, (uint64_t)(uintptr_t)member)) continue;
        visit(member_text(member), context);
        count--;
    }
    seen_done(&seen);
}

static void pop_one(struct set *set, struct rng *rng, set_visit_fn *visit, void *context) {
    char scratch[SET_TEXT_MAX];
    if (set->kind == KIND_INTS) {
        size_t index = rng_below(rng, intset_count(&set->ints));
        visit(int_text(intset_at(&set->ints, index), scratch), context);
        intset_remove_at(&set->ints, set->heap, index);
    } else if (set->kind == KIND_PACK) {
        size_t at = pack_seek(set->pack, (int64_t)rng_below(rng, pack_count(set->pack)));
        visit(pack_text(set->pack, at, scratch), context);
        pack_delete(&set->pack, set->heap, at, 1);
    } else {
        void *member = table_random(&set->members->table, next_random, rng);
        visit(member_text(member), context);
        table_remove(&set->members->table, member_hash(member), member);
        members_free_one(set, member);
    }
}

static void add_to(struct bytes member, void *set) {
    set_add(set, member);
}

/* Draws those that stay, which are few, instead of those that go. They get the
 * encoding that suits them. */
static void pop_all_but(struct set *set, struct rng *rng, size_t staying, set_visit_fn *visit,
                        void *context) {
    struct set *rest = set_new(set->heap);
    struct set_iter iter;
    struct bytes member;
    set_sample(set, rng, staying, add_to, rest);
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member)) {
        if (!set_has(rest, member)) visit(member, context);
    }
    set_drop(set);
    *set = *rest;
    heap_give(set->heap, rest, sizeof *rest);
}

enum { POP_FEW_STAY = 5 }; /* so many times as many go */

void set_pop(struct set *set, struct rng *rng, size_t count, set_visit_fn *visit, void *context) {
    size_t all = set_count(set);
    if (count > all) count = all;
    if (count > 0 && all - count <= count / POP_FEW_STAY) {
        pop_all_but(set, rng, all - count, visit, context);
        return;
    }
    for (; count > 0; count--) pop_one(set, rng, visit, context);
}

/* ---- visiting ---- */

void set_iter_init(struct set_iter *iter, const struct set *set) {
    iter->set = set;
    iter->at = set->kind == KIND_PACK ? pack_first(set->pack) : 0;
    if (set->kind == KIND_TABLE) table_iter_init(&iter->table, &set->members->table);
}

bool set_iter_next(struct set_iter *iter, struct bytes *ret_member) {
    const struct set *set = iter->set;
    if (set->kind == KIND_TABLE) {
        const void *member = table_iter_next(&iter->table);
        if (member) *ret_member = member_text(member);
        return member != NULL;
    }
    if (set->kind == KIND_INTS) {
        if (iter->at == intset_count(&set->ints)) return false;
        *ret_member = int_text(intset_at(&set->ints, iter->at++), iter->scratch);
        return true;
    }
    if (iter->at == pack_end(set->pack)) return false;
    *ret_member = pack_text(set->pack, iter->at, iter->scratch);
    iter->at = pack_next(set->pack, iter->at);
    return true;
}

struct scan {
    set_visit_fn *visit;
    void *context;
};

static void scan_visit(void *member, void *context) {
    const struct scan *scan = context;
    scan->visit(member_text(member), scan->context);
}

uint64_t set_scan(const struct set *set, uint64_t cursor, set_visit_fn *visit, void *context) {
    if (set->kind == KIND_TABLE) {
        struct scan scan = {visit, context};
        return table_scan(&set->members->table, cursor, scan_visit, &scan);
    }
    struct set_iter iter;
    struct bytes member;
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member)) visit(member, context);
    return 0;
}

void set_check(const struct set *set) {
    if (set->kind == KIND_INTS) {
        intset_check(&set->ints);
    } else if (set->kind == KIND_PACK) {
        pack_check(set->pack);
    } else {
        struct table_iter iter;
        size_t bytes = 0;
        table_check(&set->members->table);
        table_iter_init(&iter, &set->members->table);
        for (void *m; (m = table_iter_next(&iter));) {
            struct bytes text = member_text(m);
            bytes += heap_object_bytes(member_size(text.len));
            kn_require(members_find(set->members, text, hash_bytes(text)) == m);
        }
        kn_require(bytes == set->members->bytes);
    }
}
