/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on one set; those on several are in set_algebra.c. */
#include "types/set.h"

#include "base/random.h"
#include "commands/families.h"
#include "commands/set_scan.h"

static struct set *entry_set(const struct entry *entry) {
    return entry_value(entry);
}

/* Members that are given may be there, or come twice: so many more must be given
 * than are expected to be new. */
enum { GIVEN_FOR_EXPECTED = 8 };

static void command_sadd(struct request *request) {
    struct entry *entry;
    int64_t added = 0;
    if (!request_write_typed(request, 0, TYPE_SET, &entry)) return;
    struct set *set = entry ? entry_set(entry) : set_new(request_heap(request, 0));
    set_expect(set, (request->argc - 2) / GIVEN_FOR_EXPECTED, argument(request, 2));
    for (uint32_t i = 2; i < request->argc; i++) added += set_add(set, argument(request, i));
    if (!entry) request_put(request, 0, NULL, TYPE_SET, set);
    if (added) request_changed(request, 0, EVENT_SET, "sadd");
    reply_int(request->reply, added);
}

static void command_srem(struct request *request) {
    struct entry *entry;
    int64_t removed = 0;
    if (!request_write_typed(request, 0, TYPE_SET, &entry)) return;
    if (entry) {
        for (uint32_t i = 2; i < request->argc; i++)
            removed += set_remove(entry_set(entry), argument(request, i));
        if (removed) {
            request_changed(request, 0, EVENT_SET, "srem");
            request_delete_if_empty(request, 0, entry);
        }
    }
    reply_int(request->reply, removed);
}

static bool is_set_or_none(struct request *request, const struct entry *entry) {
    if (!entry || entry_type(entry) == TYPE_SET) return true;
    reply_error_code(request->reply, ERROR_WRONG_TYPE);
    return false;
}

static void command_smove(struct request *request) {
    struct bytes member = argument(request, 3);
    struct entry *from = request_write(request, 0), *to = request_write(request, 1);
    if (!from) {
        reply_int(request->reply, 0);
        return;
    }
    if (!is_set_or_none(request, from) || !is_set_or_none(request, to)) return;
    if (from == to) {
        reply_int(request->reply, set_has(entry_set(from), member));
        return;
    }
    if (!set_remove(entry_set(from), member)) {
        reply_int(request->reply, 0);
        return;
    }
    request_changed(request, 0, EVENT_SET, "srem");
    request_delete_if_empty(request, 0, from);
    struct set *set = to ? entry_set(to) : set_new(request_heap(request, 1));
    bool added = set_add(set, member);
    if (!to) request_put(request, 1, NULL, TYPE_SET, set);
    if (added) request_changed(request, 1, EVENT_SET, "sadd");
    reply_int(request->reply, 1);
}

static void command_sismember(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_SET, &entry)) return;
    reply_int(request->reply, entry && set_has(entry_set(entry), argument(request, 2)));
}

static void command_smismember(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_SET, &entry)) return;
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++)
        reply_int(request->reply, entry && set_has(entry_set(entry), argument(request, i)));
}

static void command_scard(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_SET, &entry)) return;
    reply_int(request->reply, entry ? (int64_t)set_count(entry_set(entry)) : 0);
}

static void command_smembers(struct request *request) {
    struct entry *entry;
    struct set_iter iter;
    struct bytes member;
    if (!request_read_typed(request, 0, TYPE_SET, &entry)) return;
    if (!entry) {
        reply_set(request->reply, 0);
        return;
    }
    reply_set(request->reply, set_count(entry_set(entry)));
    set_iter_init(&iter, entry_set(entry));
    while (set_iter_next(&iter, &member)) reply_bulk(request->reply, member);
}

static void visit_reply(struct bytes member, void *context) {
    struct request *request = context;
    reply_bulk(request->reply, member);
}

static void command_spop(struct request *request) {
    bool several = request->argc == 3;
    int64_t count = 1;
    struct entry *entry;
    if (request->argc > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (several && !argument_i64_range(request, 2, 0, INT64_MAX, &count,
                                       "ERR value is out of range, must be positive"))
        return;
    if (!request_write_typed(request, 0, TYPE_SET, &entry)) return;
    if (!entry || count == 0) {
        if (several)
            reply_set(request->reply, 0);
        else
            reply_null(request->reply);
        return;
    }
    struct set *set = entry_set(entry);
    size_t all = set_count(set), taken = (uint64_t)count < all ? (size_t)count : all;
    if (several) reply_set(request->reply, taken);
    if (taken == all) {
        set_sample(set, random_thread(), all, visit_reply, request);
        request_changed(request, 0, EVENT_SET, "spop");
        request_delete(request, 0, entry);
        request_changed(request, 0, EVENT_GENERIC, "del");
        return;
    }
    set_pop(set, random_thread(), taken, visit_reply, request);
    request_changed(request, 0, EVENT_SET, "spop");
}

static void command_srandmember(struct request *request) {
    char scratch[SET_TEXT_MAX];
    int64_t count = 1;
    struct entry *entry;
    struct reply *reply = request->reply;
    if (request->argc > 3) {
        reply_error_code(reply, ERROR_SYNTAX);
        return;
    }
    bool several = request->argc == 3;
    if (several && !argument_i64_range(request, 2, -INT64_MAX, INT64_MAX, &count, NULL)) return;
    if (!request_read_typed(request, 0, TYPE_SET, &entry)) return;
    if (!entry || count == 0) {
        if (several)
            reply_array(reply, 0);
        else
            reply_null(reply);
        return;
    }
    const struct set *set = entry_set(entry);
    if (!several) {
        reply_bulk(reply, set_random(set, random_thread(), scratch));
    } else if (count < 0) {
        reply_array(reply, (size_t)-count);
        /* There may be more of them than the reply can hold. */
        for (; count < 0 && !reply->overflow; count++)
            reply_bulk(reply, set_random(set, random_thread(), scratch));
    } else {
        size_t all = set_count(set), wanted = (uint64_t)count < all ? (size_t)count : all;
        reply_array(reply, wanted);
        set_sample(set, random_thread(), wanted, visit_reply, request);
    }
}

static void visit_page(struct bytes member, void *context) {
    scan_page_add(context, member, 0);
}

static void command_sscan(struct request *request) {
    struct entry *entry;
    struct scan_page page;
    if (!scan_page_cursor(request) || !request_read_typed(request, 0, TYPE_SET, &entry)) return;
    if (!entry) {
        scan_page_reply_none(request);
        return;
    }
    if (!scan_page_init(&page, request, false)) return;
    uint64_t cursor = page.options.cursor, steps = 0;
    do cursor = set_scan(entry_set(entry), cursor, visit_page, &page);
    while (scan_page_more(&page, cursor, ++steps));
    scan_page_reply(&page, cursor);
}

static const struct command rows[] = {
    {
        .name = "sadd",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of members given",
        .summary = "Adds members to a set, which is created when it does not exist.",
        .syntax = "key member [member ...]",
        .reply = "integer: members added",
        .handler = command_sadd,
    },
    {
        .name = "srem",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of members given",
        .summary = "Removes members from a set, and the key with the last of them.",
        .syntax = "key member [member ...]",
        .reply = "integer: members removed",
        .handler = command_srem,
    },
    {
        .name = "smove",
        .arity = 4,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT)},
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Moves a member from one set to another.",
        .syntax = "source destination member",
        .reply = "integer: 1 when it was moved, 0 when it was not in the source",
        .handler = command_smove,
    },
    {
        .name = "sismember",
        .arity = 3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO)},
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Tells whether a set has a member.",
        .syntax = "key member",
        .reply = "integer: 1 or 0",
        .handler = command_sismember,
    },
    {
        .name = "smismember",
        .arity = -3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of members given",
        .summary = "Tells for each of several members whether a set has it.",
        .syntax = "key member [member ...]",
        .reply = "array of integers: 1 or 0",
        .handler = command_smismember,
    },
    {
        .name = "scard",
        .arity = 2,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO)},
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Returns how many members a set has.",
        .syntax = "key",
        .reply = "integer",
        .handler = command_scard,
    },
    {
        .name = "smembers",
        .arity = 2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of members",
        .summary = "Returns all members of a set.",
        .syntax = "key",
        .reply = "set of bulks",
        .handler = command_smembers,
    },
    {
        .name = "spop",
        .arity = -2,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE)},
        .since = "1.0.0",
        .complexity = "O(N) where N is the count, 1 unless given",
        .summary = "Removes and returns random members of a set.",
        .syntax = "key [count]",
        .reply = "bulk | null, with a count: set of bulks",
        .handler = command_spop,
    },
    {
        .name = "srandmember",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "1.0.0",
        .complexity = "O(N) where N is the absolute value of the count, 1 unless given",
        .summary = "Returns random members of a set; a negative count allows repetitions.",
        .syntax = "key [count]",
        .reply = "bulk | null, with a count: array of bulks",
        .handler = command_srandmember,
    },
    {
        .name = "sscan",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "2.8.0",
        .complexity = "O(1) for a call, O(N) for a whole iteration over N members",
        .summary = "Iterates over the members of a set.",
        .syntax = "key cursor [MATCH pattern] [COUNT count]",
        .reply = "array: cursor, array of bulks",
        .handler = command_sscan,
    },
    {.name = NULL},
};

const struct command_family set_commands = {"set", rows};
