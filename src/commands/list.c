/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists that stay where they are: pushing, reading, changing. What takes elements out to hand
 * them over is in list_pop.c.
 */
#include "types/list.h"

#include "commands/families.h"
#include "server/arguments.h"
#include "server/command.h"
#include "server/request.h"

/* ---- pushing ---- */

static void push(struct request *request, enum list_end end, bool existing_only) {
    struct entry *entry;
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry && existing_only) {
        reply_int(request->reply, 0);
        return;
    }
    struct list *list = entry ? entry_value(entry) : list_new(request_heap(request, 0));
    for (uint32_t i = 2; i < request->argc; i++) list_push(list, end, argument(request, i));
    if (!entry) request_put(request, 0, NULL, TYPE_LIST, list);
    reply_int(request->reply, (int64_t)list_count(list));
    request_changed(request, 0, EVENT_LIST, end == LIST_HEAD ? "lpush" : "rpush");
}

static void lpush(struct request *request) {
    push(request, LIST_HEAD, false);
}

static void rpush(struct request *request) {
    push(request, LIST_TAIL, false);
}

static void lpushx(struct request *request) {
    push(request, LIST_HEAD, true);
}

static void rpushx(struct request *request) {
    push(request, LIST_TAIL, true);
}

/* ---- reading ---- */

static void llen(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_LIST, &entry)) return;
    reply_int(request->reply, entry ? (int64_t)list_count(entry_value(entry)) : 0);
}

static void lindex(struct request *request) {
    struct entry *entry;
    int64_t index;
    struct bytes value;
    char scratch[LIST_SCRATCH];
    if (!request_read_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_null(request->reply);
        return;
    }
    if (!argument_i64(request, 2, &index, NULL)) return;
    if (list_get(entry_value(entry), index, scratch, &value))
        reply_bulk(request->reply, value);
    else
        reply_null(request->reply);
}

/* Brings a range of indexes, of which negative ones count from the end, into the
 * list. Returns its length. */
static size_t range_length(const struct list *list, int64_t *start, int64_t *stop) {
    int64_t count = (int64_t)list_count(list);
    if (*start < 0) *start += count;
    if (*stop < 0) *stop += count;
    if (*start < 0) *start = 0;
    if (*stop >= count) *stop = count - 1;
    return *start > *stop ? 0 : (size_t)(*stop - *start + 1);
}

static void lrange(struct request *request) {
    struct entry *entry;
    int64_t start, stop;
    if (!argument_i64(request, 2, &start, NULL) || !argument_i64(request, 3, &stop, NULL)) return;
    if (!request_read_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_array(request->reply, 0);
        return;
    }
    const struct list *list = entry_value(entry);
    size_t length = range_length(list, &start, &stop);
    struct list_iter iter;
    struct bytes value;
    reply_array(request->reply, length);
    if (length == 0) return;
    list_iter_init(&iter, list, start, false);
    while (length-- > 0 && list_iter_next(&iter, &value)) reply_bulk(request->reply, value);
}

struct search {
    int64_t rank;
    bool has_count;
    int64_t count;  /* 0: all */
    int64_t maxlen; /* 0: no limit */
};

static bool parse_search(struct request *request, struct search *ret_search) {
    struct search search = {.rank = 1};
    for (uint32_t i = 3; i < request->argc; i += 2) {
        bool has_value = i + 1 < request->argc;
        if (argument_is(request, i, "rank") && has_value) {
            if (!argument_i64_range(request, i + 1, -INT64_MAX, INT64_MAX, &search.rank, NULL))
                return false;
            if (search.rank == 0) {
                reply_error(request->reply, "ERR RANK can't be zero: use 1 to start from the first "
                                            "match, 2 from the second ... "
                                            "or use negative to start from the end of the list");
                return false;
            }
        } else if (argument_is(request, i, "count") && has_value) {
            search.has_count = true;
            if (!argument_i64_range(request, i + 1, 0, INT64_MAX, &search.count,
                                    "ERR COUNT can't be negative"))
                return false;
        } else if (argument_is(request, i, "maxlen") && has_value) {
            if (!argument_i64_range(request, i + 1, 0, INT64_MAX, &search.maxlen,
                                    "ERR MAXLEN can't be negative"))
                return false;
        } else {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
    }
    *ret_search = search;
    return true;
}

static void reply_positions(struct request *request, const struct list *list,
                            const struct search *search) {
    bool backward = search->rank < 0;
    int64_t skip = (backward ? -search->rank : search->rank) - 1, count = (int64_t)list_count(list),
            found = 0;
    size_t allowed = search->maxlen ? (size_t)search->maxlen : SIZE_MAX, left = allowed, passed = 0;
    size_t mark = reply_defer(request->reply);
    struct list_iter iter;
    list_iter_init(&iter, list, backward ? -1 : 0, backward);
    while (list_iter_find(&iter, argument(request, 2), &left, &passed)) {
        int64_t distance = (int64_t)(allowed - left) - 1;
        if (skip-- > 0) continue;
        reply_int(request->reply, backward ? count - 1 - distance : distance);
        found++;
        if (!search->has_count || found == search->count) break;
    }
    if (search->has_count)
        reply_defer_array(request->reply, mark, (size_t)found);
    else if (found == 0)
        reply_null(request->reply);
}

static void lpos(struct request *request) {
    struct search search;
    struct entry *entry;
    if (!parse_search(request, &search)) return;
    if (!request_read_typed(request, 0, TYPE_LIST, &entry)) return;
    if (entry)
        reply_positions(request, entry_value(entry), &search);
    else if (search.has_count)
        reply_array(request->reply, 0);
    else
        reply_null(request->reply);
}

/* ---- changing ---- */

static void lset(struct request *request) {
    struct entry *entry;
    int64_t index;
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_error_code(request->reply, ERROR_NO_SUCH_KEY);
        return;
    }
    if (!argument_i64(request, 2, &index, NULL)) return;
    if (!list_set(entry_value(entry), index, argument(request, 3))) {
        reply_error_code(request->reply, ERROR_INDEX_RANGE);
        return;
    }
    reply_ok(request->reply);
    request_changed(request, 0, EVENT_LIST, "lset");
}

static void linsert(struct request *request) {
    struct entry *entry;
    bool after = argument_is(request, 2, "after");
    if (!after && !argument_is(request, 2, "before")) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_int(request->reply, 0);
        return;
    }
    struct list *list = entry_value(entry);
    if (!list_insert(list, argument(request, 3), after, argument(request, 4))) {
        reply_int(request->reply, -1);
        return;
    }
    reply_int(request->reply, (int64_t)list_count(list));
    request_changed(request, 0, EVENT_LIST, "linsert");
}

static void lrem(struct request *request) {
    struct entry *entry;
    int64_t count;
    if (!argument_i64(request, 2, &count, NULL)) return;
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_int(request->reply, 0);
        return;
    }
    size_t most = count == 0 ? SIZE_MAX : count > 0 ? (size_t)count : 0 - (size_t)count;
    enum list_end from = count < 0 ? LIST_TAIL : LIST_HEAD;
    size_t removed = list_remove(entry_value(entry), argument(request, 3), most, from);
    reply_int(request->reply, (int64_t)removed);
    if (removed == 0) return;
    request_changed(request, 0, EVENT_LIST, "lrem");
    request_delete_if_empty(request, 0, entry);
}

static void ltrim(struct request *request) {
    struct entry *entry;
    int64_t start, stop;
    if (!argument_i64(request, 2, &start, NULL) || !argument_i64(request, 3, &stop, NULL)) return;
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    reply_ok(request->reply);
    if (!entry) return;
    struct list *list = entry_value(entry);
    size_t count = list_count(list), length = range_length(list, &start, &stop);
    if (length == 0) {
        list_drop(list, LIST_HEAD, count);
    } else {
        list_drop(list, LIST_TAIL, count - (size_t)stop - 1);
        list_drop(list, LIST_HEAD, (size_t)start);
    }
    request_changed(request, 0, EVENT_LIST, "ltrim");
    request_delete_if_empty(request, 0, entry);
}

/* ---- rows ---- */

static const struct command rows[] = {
    {.name = "lpush",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "1.0.0",
     .complexity = "O(N) for N elements",
     .summary = "Adds elements at the head of a list, which is made if there is none.",
     .syntax = "key element [element ...]",
     .reply = "integer",
     .handler = lpush},
    {.name = "rpush",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "1.0.0",
     .complexity = "O(N) for N elements",
     .summary = "Adds elements at the tail of a list, which is made if there is none.",
     .syntax = "key element [element ...]",
     .reply = "integer",
     .handler = rpush},
    {.name = "lpushx",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "2.2.0",
     .complexity = "O(N) for N elements",
     .summary = "Adds elements at the head of a list that exists.",
     .syntax = "key element [element ...]",
     .reply = "integer",
     .handler = lpushx},
    {.name = "rpushx",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "2.2.0",
     .complexity = "O(N) for N elements",
     .summary = "Adds elements at the tail of a list that exists.",
     .syntax = "key element [element ...]",
     .reply = "integer",
     .handler = rpushx},
    {.name = "llen",
     .arity = 2,
     .flags = COMMAND_READONLY | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RO)},
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Tells how many elements a list has.",
     .syntax = "key",
     .reply = "integer",
     .handler = llen},
    {.name = "lindex",
     .arity = 3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "1.0.0",
     .complexity = "O(N) for N nodes between the nearer end and the index",
     .summary = "Gets the element at an index.",
     .syntax = "key index",
     .reply = "bulk | null",
     .handler = lindex},
    {.name = "lset",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
     .since = "1.0.0",
     .complexity = "O(N) for N nodes between the nearer end and the index",
     .summary = "Replaces the element at an index.",
     .syntax = "key index element",
     .reply = "OK",
     .handler = lset},
    {.name = "lrange",
     .arity = 4,
     .flags = COMMAND_READONLY,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "1.0.0",
     .complexity = "O(S+N) for N elements that start S nodes from the nearer end",
     .summary = "Gets the elements between two indexes.",
     .syntax = "key start stop",
     .reply = "array of bulks",
     .handler = lrange},
    {.name = "ltrim",
     .arity = 4,
     .flags = COMMAND_WRITE,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "1.0.0",
     .complexity = "O(N) for N elements removed",
     .summary = "Removes all elements but those between two indexes.",
     .syntax = "key start stop",
     .reply = "OK",
     .handler = ltrim},
    {.name = "lrem",
     .arity = 4,
     .flags = COMMAND_WRITE,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
     .since = "1.0.0",
     .complexity = "O(N+M) for N elements in the list and M removed",
     .summary = "Removes elements that equal a value, from the head or the tail.",
     .syntax = "key count element",
     .reply = "integer",
     .handler = lrem},
    {.name = "linsert",
     .arity = 5,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RW | KEY_INSERT)},
     .since = "2.2.0",
     .complexity = "O(N) for N elements before the pivot",
     .summary = "Adds an element before or after another one.",
     .syntax = "key BEFORE|AFTER pivot element",
     .reply = "integer",
     .handler = linsert},
    {.name = "lpos",
     .arity = -3,
     .flags = COMMAND_READONLY,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
     .since = "6.0.6",
     .complexity = "O(N) for N elements looked at",
     .summary = "Finds the indexes of elements that equal a value.",
     .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
     .reply = "integer | null | array of integers",
     .handler = lpos},
    {.name = NULL},
};

const struct command_family list_commands = {"list", rows};
