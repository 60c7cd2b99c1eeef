/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/set.h"

static size_t count_of(const struct set *set) {
    return set ? set_count(set) : 0;
}

void set_intersect(const struct set *const *sets, size_t count,
                   bool (*visit)(struct bytes member, void *context), void *context) {
    struct set_iter iter;
    struct bytes member;
    size_t smallest = 0;
    if (count == 0) return;
    for (size_t i = 1; i < count; i++)
        if (count_of(sets[i]) < count_of(sets[smallest])) smallest = i;
    if (count_of(sets[smallest]) == 0) return;
    set_iter_init(&iter, sets[smallest]);
    while (set_iter_next(&iter, &member)) {
        size_t i = 0;
        while (i < count && (sets[i] == sets[smallest] || set_has(sets[i], member))) i++;
        if (i == count && !visit(member, context)) return;
    }
}

void set_unite(const struct set *const *sets, size_t count, struct set *to) {
    for (size_t i = 0; i < count; i++) {
        struct set_iter iter;
        struct bytes member;
        if (!sets[i]) continue;
        set_iter_init(&iter, sets[i]);
        while (set_iter_next(&iter, &member)) set_add(to, member);
    }
}

static bool in_any(const struct set *const *sets, size_t count, struct bytes member) {
    for (size_t i = 0; i < count; i++)
        if (sets[i] && set_has(sets[i], member)) return true;
    return false;
}

/* Takes everything out of a copy of the first one: good when the others are small. */
static void subtract_by_removing(const struct set *const *sets, size_t count,
                                 struct heap *work_heap, set_visit_fn *visit, void *context) {
    struct set *rest = set_copy(sets[0], work_heap);
    struct set_iter iter;
    struct bytes member;
    for (size_t i = 1; i < count && set_count(rest) > 0; i++) {
        if (!sets[i]) continue;
        set_iter_init(&iter, sets[i]);
        while (set_iter_next(&iter, &member)) set_remove(rest, member);
    }
    set_iter_init(&iter, rest);
    while (set_iter_next(&iter, &member)) visit(member, context);
    set_free(rest);
}

void set_subtract(const struct set *const *sets, size_t count, struct heap *work_heap,
                  set_visit_fn *visit, void *context) {
    struct set_iter iter;
    struct bytes member;
    double lookups, removals = 0;
    if (count == 0 || count_of(sets[0]) == 0) return;
    for (size_t i = 1; i < count; i++) {
        if (sets[i] == sets[0]) return;
        removals += (double)count_of(sets[i]);
    }
    /* A lookup is cheaper than a removal, and it stops at the first set that has the member. */
    lookups = (double)set_count(sets[0]) * (double)(count - 1) / 2;
    if (lookups > removals + (double)set_count(sets[0])) {
        subtract_by_removing(sets, count, work_heap, visit, context);
        return;
    }
    set_iter_init(&iter, sets[0]);
    while (set_iter_next(&iter, &member))
        if (!in_any(sets + 1, count - 1, member)) visit(member, context);
}
