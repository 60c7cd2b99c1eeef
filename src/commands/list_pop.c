/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists whose elements are handed over: popped, moved to another list, and waited for.
 */
#include "base/arena.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/command.h"
#include "server/request.h"
#include "types/list.h"

/* ---- popping ---- */

/* Says that elements were popped, and lets the key go with the last. */
static void popped(struct request *request, uint32_t key, struct entry *entry, enum list_end end) {
    request_changed(request, key, EVENT_LIST, end == LIST_HEAD ? "lpop" : "rpop");
    request_delete_if_empty(request, key, entry);
}

/* Replies one element from an end and takes it out. */
static void pop_one(struct request *request, uint32_t key, struct entry *entry, enum list_end end) {
    struct list *list = entry_value(entry);
    char scratch[LIST_SCRATCH];
    struct bytes value;
    if (list_get(list, end == LIST_HEAD ? 0 : -1, scratch, &value))
        reply_bulk(request->reply, value);
    list_drop(list, end, 1);
    popped(request, key, entry, end);
}

/* The same for an array of up to count elements, at least one. */
static void pop_many(struct request *request, uint32_t key, struct entry *entry, enum list_end end,
                     size_t count) {
    struct list *list = entry_value(entry);
    struct list_iter iter;
    struct bytes value;
    if (count > list_count(list)) count = list_count(list);
    reply_array(request->reply, count);
    list_iter_init(&iter, list, end == LIST_HEAD ? 0 : -1, end == LIST_TAIL);
    for (size_t i = 0; i < count && list_iter_next(&iter, &value); i++)
        reply_bulk(request->reply, value);
    list_drop(list, end, count);
    popped(request, key, entry, end);
}

static void pop(struct request *request, enum list_end end) {
    struct entry *entry;
    int64_t count = 1;
    bool has_count = request->argc == 3;
    if (request->argc > 3) {
        reply_error_format(request->reply, "ERR wrong number of arguments for '%s' command",
                           request->command->name);
        return;
    }
    if (has_count && !argument_i64_range(request, 2, 0, INT64_MAX, &count,
                                         "ERR value is out of range, must be positive"))
        return;
    if (!request_write_typed(request, 0, TYPE_LIST, &entry)) return;
    if (!entry) {
        if (has_count)
            reply_null_array(request->reply);
        else
            reply_null(request->reply);
    } else if (!has_count) {
        pop_one(request, 0, entry, end);
    } else if (count == 0) {
        reply_array(request->reply, 0);
    } else {
        pop_many(request, 0, entry, end, (size_t)count);
    }
}

static void lpop(struct request *request) {
    pop(request, LIST_HEAD);
}

static void rpop(struct request *request) {
    pop(request, LIST_TAIL);
}

/* ---- popping from the first of several lists ---- */

/* The first of the request's keys that is there, with its list. Returns false when an error was
 * replied; *ret_entry is NULL when there is none. */
static bool first_list(struct request *request, uint32_t keys, uint32_t *ret_key,
                       struct entry **ret_entry) {
    *ret_entry = NULL;
    for (uint32_t i = 0; i < keys && !*ret_entry; i++) {
        if (!request_write_typed(request, i, TYPE_LIST, ret_entry)) return false;
        *ret_key = i;
    }
    return true;
}

static bool parse_end(struct request *request, uint32_t index, enum list_end *ret_end) {
    bool left;
    if (!argument_side(request, index, &left)) return false;
    *ret_end = left ? LIST_HEAD : LIST_TAIL;
    return true;
}

struct mpop {
    int64_t keys, count;
    enum list_end end;
};

/* numkeys key [key ...] LEFT|RIGHT [COUNT count], from an index on. */
static bool parse_mpop(struct request *request, uint32_t index, struct mpop *ret_mpop) {
    struct mpop mpop = {.count = 1};
    bool has_count = false;
    if (!argument_i64_range(request, index, 1, INT64_MAX, &mpop.keys,
                            "ERR numkeys should be greater than 0"))
        return false;
    if (mpop.keys >= (int64_t)(request->argc - index - 1)) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return false;
    }
    uint32_t i = index + 1 + (uint32_t)mpop.keys;
    if (!parse_end(request, i, &mpop.end)) return false;
    for (i++; i < request->argc; i += 2) {
        if (has_count || !argument_is(request, i, "count") || i + 1 == request->argc) {
            reply_error_code(request->reply, ERROR_SYNTAX);
            return false;
        }
        has_count = true;
        if (!argument_i64_range(request, i + 1, 1, INT64_MAX, &mpop.count,
                                "ERR count should be greater than 0"))
            return false;
    }
    *ret_mpop = mpop;
    return true;
}

/* Pops from the first list that is there; true when that, or an error, was replied. */
static bool mpop_now(struct request *request, const struct mpop *mpop) {
    struct entry *entry;
    uint32_t key;
    if (!first_list(request, (uint32_t)mpop->keys, &key, &entry)) return true;
    if (!entry) return false;
    reply_array(request->reply, 2);
    reply_bulk(request->reply, request_key_asked(request, key));
    pop_many(request, key, entry, mpop->end, (size_t)mpop->count);
    return true;
}

static void lmpop(struct request *request) {
    struct mpop mpop;
    if (!parse_mpop(request, 1, &mpop)) return;
    if (!mpop_now(request, &mpop)) reply_null_array(request->reply);
}

static void blmpop(struct request *request) {
    struct mpop mpop;
    int64_t timeout_ms;
    if (!parse_mpop(request, 2, &mpop) || !argument_timeout_ms(request, 1, &timeout_ms)) return;
    if (!mpop_now(request, &mpop))
        request_block(request, 0, (uint32_t)mpop.keys, TYPE_LIST, timeout_ms, BLOCK_NULL_ARRAY);
}

static void blocking_pop(struct request *request, enum list_end end) {
    struct entry *entry;
    uint32_t key, keys = request->argc - 2;
    int64_t timeout_ms;
    if (!argument_timeout_ms(request, request->argc - 1, &timeout_ms)) return;
    if (!first_list(request, keys, &key, &entry)) return;
    if (!entry) {
        request_block(request, 0, keys, TYPE_LIST, timeout_ms, BLOCK_NULL_ARRAY);
        return;
    }
    reply_array(request->reply, 2);
    reply_bulk(request->reply, request_key_asked(request, key));
    pop_one(request, key, entry, end);
}

static void blpop(struct request *request) {
    blocking_pop(request, LIST_HEAD);
}

static void brpop(struct request *request) {
    blocking_pop(request, LIST_TAIL);
}

/* ---- moving from one list to another ---- */

/* Moves an element from the list under key 0 to that under key 1, and replies it. */
static void move_one(struct request *request, struct entry *source, enum list_end from,
                     enum list_end to) {
    struct entry *target;
    struct list *list = entry_value(source);
    struct bytes value = {0};
    char scratch[LIST_SCRATCH];
    if (!request_write_typed(request, 1, TYPE_LIST, &target)) return;
    list_get(list, from == LIST_HEAD ? 0 : -1, scratch, &value);
    reply_bulk(request->reply, value);
    if (target == source) {
        value = arena_copy(request->arena, value);
        list_drop(list, from, 1);
        list_push(list, to, value);
    } else {
        struct list *other = target ? entry_value(target) : list_new(request_heap(request, 1));
        list_push(other, to, value);
        if (!target) request_put(request, 1, NULL, TYPE_LIST, other);
        list_drop(list, from, 1);
    }
    request_changed(request, 1, EVENT_LIST, to == LIST_HEAD ? "lpush" : "rpush");
    popped(request, 0, source, from);
}

static void move_now(struct request *request, enum list_end from, enum list_end to) {
    struct entry *source;
    if (!request_write_typed(request, 0, TYPE_LIST, &source)) return;
    if (source)
        move_one(request, source, from, to);
    else
        reply_null(request->reply);
}

static void move_or_wait(struct request *request, uint32_t timeout_index, enum list_end from,
                         enum list_end to) {
    struct entry *source;
    int64_t timeout_ms;
    if (!argument_timeout_ms(request, timeout_index, &timeout_ms)) return;
    if (!request_write_typed(request, 0, TYPE_LIST, &source)) return;
    /* Where it may not wait the answer is that of LMOVE; when its time is up it
     * is another, as from BLPOP. */
    if (source)
        move_one(request, source, from, to);
    else if (request->flags & REQUEST_NO_BLOCK)
        reply_null(request->reply);
    else
        request_block(request, 0, 1, TYPE_LIST, timeout_ms, BLOCK_NULL_ARRAY);
}

static void lmove(struct request *request) {
    enum list_end from, to;
    if (parse_end(request, 3, &from) && parse_end(request, 4, &to)) move_now(request, from, to);
}

static void blmove(struct request *request) {
    enum list_end from, to;
    if (parse_end(request, 3, &from) && parse_end(request, 4, &to))
        move_or_wait(request, 5, from, to);
}

static void rpoplpush(struct request *request) {
    move_now(request, LIST_TAIL, LIST_HEAD);
}

static void brpoplpush(struct request *request) {
    move_or_wait(request, 3, LIST_TAIL, LIST_HEAD);
}

/* ---- rows ---- */

#define KEY_TAKEN_FROM (KEY_RW | KEY_ACCESS | KEY_DELETE)

static const struct command rows[] = {
    {.name = "lpop",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM)},
     .since = "1.0.0",
     .complexity = "O(N) for N elements popped",
     .summary = "Takes elements from the head of a list.",
     .syntax = "key [count]",
     .reply = "bulk | null | array of bulks",
     .handler = lpop},
    {.name = "rpop",
     .arity = -2,
     .flags = COMMAND_WRITE | COMMAND_FAST,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM)},
     .since = "1.0.0",
     .complexity = "O(N) for N elements popped",
     .summary = "Takes elements from the tail of a list.",
     .syntax = "key [count]",
     .reply = "bulk | null | array of bulks",
     .handler = rpop},
    {.name = "lmpop",
     .arity = -4,
     .flags = COMMAND_WRITE,
     .groups = GROUP_LIST,
     .keys = {KEY_COUNTED_AT(1, KEY_TAKEN_FROM)},
     .since = "7.0.0",
     .complexity = "O(N+M) for N keys and M elements popped",
     .summary = "Takes elements from the first of several lists that is there.",
     .syntax = "numkeys key [key ...] LEFT|RIGHT [COUNT count]",
     .reply = "array of key and array of bulks | null array",
     .handler = lmpop},
    {.name = "blpop",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_BLOCKING,
     .groups = GROUP_LIST,
     .keys = {KEY_ALL_BUT_LAST(1, KEY_TAKEN_FROM)},
     .since = "2.0.0",
     .complexity = "O(N) for N keys",
     .summary = "Takes an element from the head of the first list that is there, and waits for one "
                "if there is none.",
     .syntax = "key [key ...] timeout",
     .reply = "array of key and bulk | null array",
     .handler = blpop},
    {.name = "brpop",
     .arity = -3,
     .flags = COMMAND_WRITE | COMMAND_BLOCKING,
     .groups = GROUP_LIST,
     .keys = {KEY_ALL_BUT_LAST(1, KEY_TAKEN_FROM)},
     .since = "2.0.0",
     .complexity = "O(N) for N keys",
     .summary = "Takes an element from the tail of the first list that is there, and waits for one "
                "if there is none.",
     .syntax = "key [key ...] timeout",
     .reply = "array of key and bulk | null array",
     .handler = brpop},
    {.name = "blmpop",
     .arity = -5,
     .flags = COMMAND_WRITE | COMMAND_BLOCKING,
     .groups = GROUP_LIST,
     .keys = {KEY_COUNTED_AT(2, KEY_TAKEN_FROM)},
     .since = "7.0.0",
     .complexity = "O(N+M) for N keys and M elements popped",
     .summary =
         "Takes elements from the first list that is there, and waits for one if there is none.",
     .syntax = "timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]",
     .reply = "array of key and array of bulks | null array",
     .handler = blmpop},
    {.name = "lmove",
     .arity = 5,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM), KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from an end of one list to an end of another.",
     .syntax = "source destination LEFT|RIGHT LEFT|RIGHT",
     .reply = "bulk | null",
     .handler = lmove},
    {.name = "blmove",
     .arity = 6,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_BLOCKING,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM), KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from an end of one list to an end of another, and waits for one "
                "if there is none.",
     .syntax = "source destination LEFT|RIGHT LEFT|RIGHT timeout",
     .reply = "bulk | null",
     .handler = blmove},
    {.name = "rpoplpush",
     .arity = 3,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM), KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from the tail of one list to the head of another.",
     .syntax = "source destination",
     .reply = "bulk | null",
     .handler = rpoplpush},
    {.name = "brpoplpush",
     .arity = 4,
     .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_BLOCKING,
     .groups = GROUP_LIST,
     .keys = {KEY_AT(1, KEY_TAKEN_FROM), KEY_AT(2, KEY_RW | KEY_INSERT)},
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from the tail of one list to the head of another, and waits for "
                "one if there is none.",
     .syntax = "source destination timeout",
     .reply = "bulk | null",
     .handler = brpoplpush},
    {.name = NULL},
};

const struct command_family list_pop_commands = {"list", rows};
