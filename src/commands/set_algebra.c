/* SPDX-License-Identifier: BSD-3-Clause */
/* Unions, intersections and differences of sets. */
#include "types/set.h"

#include "base/arena.h"
#include "commands/families.h"
#include "server/arguments.h"

/* The sets of `count` keys from request->keys[first] on; NULL for those that are not there. */
static const struct set **read_sets(struct request *request, uint32_t first, size_t count) {
    const struct set **sets = arena_try_array(request->arena, count, sizeof *sets);
    if (!sets) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry;
        if (!request_read_typed(request, first + (uint32_t)i, TYPE_SET, &entry)) return NULL;
        sets[i] = entry ? entry_value(entry) : NULL;
    }
    return sets;
}

/* Collects members in a set, or counts them up to a limit (0: none). */
struct gather {
    struct set *to;
    struct reply *reply;
    size_t count, limit;
};

static bool gather_member(struct bytes member, void *context) {
    struct gather *gather = context;
    if (gather->to) set_add(gather->to, member);
    if (gather->reply) reply_bulk(gather->reply, member);
    return ++gather->count != gather->limit;
}

static void visit_gather(struct bytes member, void *context) {
    gather_member(member, context);
}

typedef void combine_fn(const struct set *const *sets, size_t count, struct heap *heap,
                        struct gather *gather);

static void combine_intersect(const struct set *const *sets, size_t count, struct heap *heap,
                              struct gather *gather) {
    (void)heap;
    set_intersect(sets, count, gather_member, gather);
}

static void combine_subtract(const struct set *const *sets, size_t count, struct heap *heap,
                             struct gather *gather) {
    set_subtract(sets, count, heap, visit_gather, gather);
}

static void combine_unite(const struct set *const *sets, size_t count, struct heap *heap,
                          struct gather *gather) {
    struct set *united = gather->to ? gather->to : set_new(heap);
    struct set_iter iter;
    struct bytes member;
    set_unite(sets, count, united);
    if (gather->to) return;
    set_iter_init(&iter, united);
    while (set_iter_next(&iter, &member)) gather_member(member, gather);
    set_free(united);
}

static void reply_combined(struct request *request, combine_fn *combine) {
    const struct set **sets = read_sets(request, 0, request->key_count);
    if (!sets) return;
    struct gather gather = {.reply = request->reply};
    size_t mark = reply_defer(request->reply);
    combine(sets, request->key_count, request_heap(request, 0), &gather);
    reply_defer_set(request->reply, mark, gather.count);
}

static void store_combined(struct request *request, combine_fn *combine, const char *event) {
    const struct set **sets = read_sets(request, 1, request->key_count - 1);
    if (!sets) return;
    struct heap *heap = request_heap(request, 0);
    struct gather gather = {.to = set_new(heap)};
    combine(sets, request->key_count - 1, heap, &gather);
    struct entry *old = request_write(request, 0);
    size_t count = set_count(gather.to);
    if (count > 0) {
        request_put(request, 0, old, TYPE_SET, gather.to);
        request_changed(request, 0, EVENT_SET, event);
    } else {
        set_free(gather.to);
        if (old) {
            request_delete(request, 0, old);
            request_changed(request, 0, EVENT_GENERIC, "del");
        }
    }
    reply_int(request->reply, (int64_t)count);
}

static void command_sinter(struct request *request) {
    reply_combined(request, combine_intersect);
}

static void command_sunion(struct request *request) {
    reply_combined(request, combine_unite);
}

static void command_sdiff(struct request *request) {
    reply_combined(request, combine_subtract);
}

static void command_sinterstore(struct request *request) {
    store_combined(request, combine_intersect, "sinterstore");
}

static void command_sunionstore(struct request *request) {
    store_combined(request, combine_unite, "sunionstore");
}

static void command_sdiffstore(struct request *request) {
    store_combined(request, combine_subtract, "sdiffstore");
}

static void command_sintercard(struct request *request) {
    int64_t keys, limit = 0;
    if (!argument_i64_range(request, 1, 1, INT64_MAX, &keys,
                            "ERR numkeys should be greater than 0"))
        return;
    if (keys > request->argc - 2) {
        reply_error(request->reply, "ERR Number of keys can't be greater than number of args");
        return;
    }
    for (uint32_t i = 2 + (uint32_t)keys; i < request->argc; i += 2) {
        if (!argument_is(request, i, "limit") || i + 1 == request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return;
        }
        if (!argument_i64_range(request, i + 1, 0, INT64_MAX, &limit,
                                "ERR LIMIT can't be negative"))
            return;
    }
    const struct set **sets = read_sets(request, 0, (size_t)keys);
    if (!sets) return;
    struct gather gather = {.limit = (size_t)limit};
    set_intersect(sets, (size_t)keys, gather_member, &gather);
    reply_int(request->reply, (int64_t)gather.count);
}

#define INTERSECTION "O(N*M) where N is the size of the smallest set and M the number of sets"
#define TOTAL        "O(N) where N is the number of members of all sets together"

static const struct command rows[] = {
    {
        .name = "sinter",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_ALL_FROM(1, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = INTERSECTION,
        .summary = "Returns the members that all of the sets have in common.",
        .syntax = "key [key ...]",
        .reply = "set of bulks",
        .handler = command_sinter,
    },
    {
        .name = "sinterstore",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_ALL_FROM(2, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = INTERSECTION,
        .summary = "Stores the members that all of the sets have in common.",
        .syntax = "destination key [key ...]",
        .reply = "integer: members stored",
        .handler = command_sinterstore,
    },
    {
        .name = "sintercard",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_COUNTED_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "7.0.0",
        .complexity = INTERSECTION,
        .summary =
            "Returns how many members the sets have in common, counting no further than the limit.",
        .syntax = "numkeys key [key ...] [LIMIT limit]",
        .reply = "integer",
        .handler = command_sintercard,
    },
    {
        .name = "sunion",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_ALL_FROM(1, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = TOTAL,
        .summary = "Returns the members of any of the sets.",
        .syntax = "key [key ...]",
        .reply = "set of bulks",
        .handler = command_sunion,
    },
    {
        .name = "sunionstore",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_ALL_FROM(2, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = TOTAL,
        .summary = "Stores the members of any of the sets.",
        .syntax = "destination key [key ...]",
        .reply = "integer: members stored",
        .handler = command_sunionstore,
    },
    {
        .name = "sdiff",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_ALL_FROM(1, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = TOTAL,
        .summary = "Returns the members of the first set that none of the others has.",
        .syntax = "key [key ...]",
        .reply = "set of bulks",
        .handler = command_sdiff,
    },
    {
        .name = "sdiffstore",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_ALL_FROM(2, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = TOTAL,
        .summary = "Stores the members of the first set that none of the others has.",
        .syntax = "destination key [key ...]",
        .reply = "integer: members stored",
        .handler = command_sdiffstore,
    },
    {.name = NULL},
};

const struct command_family set_algebra_commands = {"set", rows};
