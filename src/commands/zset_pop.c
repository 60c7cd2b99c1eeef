/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking members out at either end, waiting for them where asked. */
#include "types/zset.h"

#include "commands/families.h"
#include "server/arguments.h"

/* How the members are replied. */
enum shape {
    SHAPE_FLAT,      /* member, score, member, score ... */
    SHAPE_PAIRS,     /* an array for each member */
    SHAPE_KEY_FLAT,  /* key, member, score */
    SHAPE_KEY_PAIRS, /* key, array of arrays */
};

/* Takes up to `count` members of the key, which is there and has some, and replies them. */
static void pop_members(struct request *request, uint32_t index, struct entry *entry, bool max,
                        size_t count, enum shape shape) {
    struct reply *reply = request->reply;
    struct zset *zset = entry_value(entry);
    struct zset_iter iter;
    struct bytes member;
    double score;
    size_t all = zset_count(zset);
    if (count > all) count = all;
    struct zset_range range = {max ? all - count : 0, count};

    if (shape == SHAPE_KEY_PAIRS) reply_array(reply, 2);
    if (shape == SHAPE_KEY_FLAT) reply_array(reply, 1 + 2 * count);
    if (shape == SHAPE_KEY_PAIRS || shape == SHAPE_KEY_FLAT)
        reply_bulk(reply, request_key_asked(request, index));
    if (shape == SHAPE_FLAT) reply_array(reply, 2 * count);
    if (shape == SHAPE_PAIRS || shape == SHAPE_KEY_PAIRS) reply_array(reply, count);
    zset_iter_init(&iter, zset, range, max);
    while (zset_iter_next(&iter, &member, &score)) {
        if (shape == SHAPE_PAIRS || shape == SHAPE_KEY_PAIRS) reply_array(reply, 2);
        reply_bulk(reply, member);
        reply_double(reply, score);
    }
    request_changed(request, index, EVENT_ZSET, max ? "zpopmax" : "zpopmin");
    if (count == all) {
        request_delete(request, index, entry);
        request_changed(request, index, EVENT_GENERIC, "del");
    } else {
        zset_remove_range(zset, range);
    }
}

static void pop_one_key(struct request *request, bool max) {
    int64_t count = 1;
    struct entry *entry;
    bool several = request->argc == 3;
    if (request->argc > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (several && !argument_i64_range(request, 2, 0, INT64_MAX, &count,
                                       "ERR value is out of range, must be positive"))
        return;
    if (!request_write_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (!entry || count == 0) {
        reply_array(request->reply, 0);
        return;
    }
    enum shape shape = several && request->reply->resp >= 3 ? SHAPE_PAIRS : SHAPE_FLAT;
    pop_members(request, 0, entry, max, (size_t)count, shape);
}

static void command_zpopmin(struct request *request) {
    pop_one_key(request, false);
}

static void command_zpopmax(struct request *request) {
    pop_one_key(request, true);
}

/* Pops from the first key that is there. Returns whether it, or an error, has been replied. */
static bool pop_first_key(struct request *request, bool max, size_t count, enum shape shape) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct entry *entry;
        if (!request_write_typed(request, i, TYPE_ZSET, &entry)) return true;
        if (!entry) continue;
        pop_members(request, i, entry, max, count, shape);
        return true;
    }
    return false;
}

static void pop_or_wait(struct request *request, bool max) {
    int64_t timeout_ms;
    if (!argument_timeout_ms(request, request->argc - 1, &timeout_ms)) return;
    if (pop_first_key(request, max, 1, SHAPE_KEY_FLAT)) return;
    request_block(request, 0, request->key_count, TYPE_ZSET, timeout_ms, BLOCK_NULL_ARRAY);
}

static void command_bzpopmin(struct request *request) {
    pop_or_wait(request, false);
}

static void command_bzpopmax(struct request *request) {
    pop_or_wait(request, true);
}

struct pop_arguments {
    bool max;
    int64_t count;
};

/* numkeys key ... MIN | MAX [COUNT count], from `at` on. */
static bool parse_pop(struct request *request, uint32_t at, struct pop_arguments *ret_pop) {
    int64_t keys;
    struct pop_arguments pop = {.count = -1};
    if (!argument_i64_range(request, at, 1, INT64_MAX, &keys,
                            "ERR numkeys should be greater than 0"))
        return false;
    if (keys >= (int64_t)request->argc - at - 1) goto syntax;
    at += 1 + (uint32_t)keys;
    pop.max = argument_is(request, at, "max");
    if (!pop.max && !argument_is(request, at, "min")) goto syntax;
    for (at++; at < request->argc; at += 2) {
        if (pop.count != -1 || !argument_is(request, at, "count") || at + 1 == request->argc)
            goto syntax;
        if (!argument_i64_range(request, at + 1, 1, INT64_MAX, &pop.count,
                                "ERR count should be greater than 0"))
            return false;
    }
    if (pop.count == -1) pop.count = 1;
    *ret_pop = pop;
    return true;
syntax:
    reply_error_code(request->reply, ERROR_SYNTAX);
    return false;
}

static void command_zmpop(struct request *request) {
    struct pop_arguments pop;
    if (!parse_pop(request, 1, &pop)) return;
    if (!pop_first_key(request, pop.max, (size_t)pop.count, SHAPE_KEY_PAIRS))
        reply_null_array(request->reply);
}

static void command_bzmpop(struct request *request) {
    struct pop_arguments pop;
    int64_t timeout_ms;
    if (!parse_pop(request, 2, &pop) || !argument_timeout_ms(request, 1, &timeout_ms)) return;
    if (pop_first_key(request, pop.max, (size_t)pop.count, SHAPE_KEY_PAIRS)) return;
    request_block(request, 0, request->key_count, TYPE_ZSET, timeout_ms, BLOCK_NULL_ARRAY);
}

#define POPPED   "O(log N + M) where N is the number of members and M of those popped"
#define POP_KEYS (KEY_RW | KEY_ACCESS | KEY_DELETE)

static const struct command rows[] = {
    {
        .name = "zpopmin",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, POP_KEYS)},
        .since = "5.0.0",
        .complexity = POPPED,
        .summary = "Removes and returns the members with the lowest scores.",
        .syntax = "key [count]",
        .reply = "array of members and scores",
        .handler = command_zpopmin,
    },
    {
        .name = "zpopmax",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, POP_KEYS)},
        .since = "5.0.0",
        .complexity = POPPED,
        .summary = "Removes and returns the members with the highest scores.",
        .syntax = "key [count]",
        .reply = "array of members and scores",
        .handler = command_zpopmax,
    },
    {
        .name = "zmpop",
        .arity = -4,
        .flags = COMMAND_WRITE,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(1, POP_KEYS)},
        .since = "7.0.0",
        .complexity = POPPED,
        .summary = "Removes and returns members of the first sorted set that has any.",
        .syntax = "numkeys key [key ...] <MIN | MAX> [COUNT count]",
        .reply = "array: key, array of members and scores | null",
        .handler = command_zmpop,
    },
    {
        .name = "bzpopmin",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_ALL_BUT_LAST(1, POP_KEYS)},
        .since = "5.0.0",
        .complexity = POPPED,
        .summary =
            "Removes and returns the member with the lowest score, waiting until there is one.",
        .syntax = "key [key ...] timeout",
        .reply = "array: key, member, double | null",
        .handler = command_bzpopmin,
    },
    {
        .name = "bzpopmax",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_ALL_BUT_LAST(1, POP_KEYS)},
        .since = "5.0.0",
        .complexity = POPPED,
        .summary =
            "Removes and returns the member with the highest score, waiting until there is one.",
        .syntax = "key [key ...] timeout",
        .reply = "array: key, member, double | null",
        .handler = command_bzpopmax,
    },
    {
        .name = "bzmpop",
        .arity = -5,
        .flags = COMMAND_WRITE | COMMAND_BLOCKING,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(2, POP_KEYS)},
        .since = "7.0.0",
        .complexity = POPPED,
        .summary = "Removes and returns members of the first sorted set that has any, waiting "
                   "until one has.",
        .syntax = "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
        .reply = "array: key, array of members and scores | null",
        .handler = command_bzmpop,
    },
    {.name = NULL},
};

const struct command_family zset_pop_commands = {"sorted-set", rows};
