/* SPDX-License-Identifier: BSD-3-Clause */
/* Unions, intersections and differences of sorted sets, and of sets among them. */
#include "types/zset.h"

#include "base/arena.h"
#include "commands/families.h"
#include "server/arguments.h"

enum operation { OPERATION_UNION, OPERATION_INTERSECTION, OPERATION_DIFFERENCE };

/* What a command of this kind asks for. */
struct combination {
    enum operation operation;
    bool store, cardinality;
    struct zset_source *sources;
    size_t source_count;
    enum zset_aggregate aggregate;
    bool with_scores;
    size_t limit;
};

static bool syntax_error(struct request *request) {
    reply_error_code(request->reply, ERROR_SYNTAX);
    return false;
}

/* numkeys key ..., from `at` on; *ret_next is where the options begin. */
static bool read_sources(struct request *request, uint32_t at, struct combination *c,
                         uint32_t *ret_next) {
    int64_t count;
    uint32_t first = c->store ? 1 : 0;
    if (!argument_i64(request, at, &count, NULL)) return false;
    if (count < 1) {
        reply_error_format(request->reply, "ERR at least 1 input key is needed for '%s' command",
                           request->command->name);
        return false;
    }
    if (count > (int64_t)request->argc - at - 1) return syntax_error(request);
    c->source_count = (size_t)count;
    c->sources = arena_try_array(request->arena, c->source_count, sizeof *c->sources);
    if (!c->sources) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return false;
    }
    for (uint32_t i = 0; i < c->source_count; i++) {
        struct entry *entry = request_read(request, first + i);
        c->sources[i] = (struct zset_source){.weight = 1};
        if (!entry) continue;
        if (entry_type(entry) == TYPE_ZSET) {
            c->sources[i].zset = entry_value(entry);
        } else if (entry_type(entry) == TYPE_SET) {
            c->sources[i].set = entry_value(entry);
        } else {
            reply_error_code(request->reply, ERROR_WRONG_TYPE);
            return false;
        }
    }
    *ret_next = at + 1 + (uint32_t)count;
    return true;
}

static bool parse_aggregate(struct request *request, uint32_t at,
                            enum zset_aggregate *ret_aggregate) {
    if (argument_is(request, at, "sum"))
        *ret_aggregate = ZSET_SUM;
    else if (argument_is(request, at, "min"))
        *ret_aggregate = ZSET_MIN;
    else if (argument_is(request, at, "max"))
        *ret_aggregate = ZSET_MAX;
    else
        return syntax_error(request);
    return true;
}

static bool parse_options(struct request *request, uint32_t at, struct combination *c) {
    bool weighs = c->operation != OPERATION_DIFFERENCE && !c->cardinality;
    while (at < request->argc) {
        uint32_t left = request->argc - at - 1;
        if (weighs && left >= c->source_count && argument_is(request, at, "weights")) {
            for (uint32_t i = 0; i < c->source_count; i++) {
                if (!argument_double(request, at + 1 + i, &c->sources[i].weight,
                                     "ERR weight value is not a float"))
                    return false;
            }
            at += 1 + (uint32_t)c->source_count;
        } else if (weighs && left >= 1 && argument_is(request, at, "aggregate")) {
            if (!parse_aggregate(request, at + 1, &c->aggregate)) return false;
            at += 2;
        } else if (!c->store && !c->cardinality && argument_is(request, at, "withscores")) {
            c->with_scores = true;
            at++;
        } else if (c->cardinality && left >= 1 && argument_is(request, at, "limit")) {
            int64_t limit;
            if (!argument_i64_range(request, at + 1, 0, INT64_MAX, &limit,
                                    "ERR LIMIT can't be negative"))
                return false;
            c->limit = (size_t)limit;
            at += 2;
        } else {
            return syntax_error(request);
        }
    }
    return true;
}

static struct zset *combine(struct request *request, const struct combination *c) {
    struct zset *result = zset_new(request_heap(request, 0));
    switch (c->operation) {
    case OPERATION_UNION: zset_unite(c->sources, c->source_count, c->aggregate, result); break;
    case OPERATION_INTERSECTION:
        zset_intersect(c->sources, c->source_count, c->aggregate, result);
        break;
    case OPERATION_DIFFERENCE: zset_subtract(c->sources, c->source_count, result); break;
    }
    return result;
}

static void reply_combined(struct request *request, enum operation operation) {
    struct combination c = {.operation = operation};
    struct reply *reply = request->reply;
    struct zset_iter iter;
    struct bytes member;
    double score;
    uint32_t next;
    if (!read_sources(request, 1, &c, &next) || !parse_options(request, next, &c)) return;
    struct zset *result = combine(request, &c);
    size_t count = zset_count(result);
    reply_array(reply, c.with_scores && reply->resp < 3 ? 2 * count : count);
    zset_iter_init(&iter, result, (struct zset_range){0, count}, false);
    while (zset_iter_next(&iter, &member, &score)) {
        if (c.with_scores && reply->resp >= 3) reply_array(reply, 2);
        reply_bulk(reply, member);
        if (c.with_scores) reply_double(reply, score);
    }
    zset_free(result);
}

static void store_combined(struct request *request, enum operation operation, const char *event) {
    struct combination c = {.operation = operation, .store = true};
    uint32_t next;
    if (!read_sources(request, 2, &c, &next) || !parse_options(request, next, &c)) return;
    struct zset *result = combine(request, &c);
    zset_compact(result);
    struct entry *old = request_write(request, 0);
    size_t count = zset_count(result);
    if (count > 0) {
        request_put(request, 0, old, TYPE_ZSET, result);
        request_changed(request, 0, EVENT_ZSET, event);
    } else {
        zset_free(result);
        if (old) {
            request_delete(request, 0, old);
            request_changed(request, 0, EVENT_GENERIC, "del");
        }
    }
    reply_int(request->reply, (int64_t)count);
}

static void command_zunion(struct request *request) {
    reply_combined(request, OPERATION_UNION);
}

static void command_zinter(struct request *request) {
    reply_combined(request, OPERATION_INTERSECTION);
}

static void command_zdiff(struct request *request) {
    reply_combined(request, OPERATION_DIFFERENCE);
}

static void command_zunionstore(struct request *request) {
    store_combined(request, OPERATION_UNION, "zunionstore");
}

static void command_zinterstore(struct request *request) {
    store_combined(request, OPERATION_INTERSECTION, "zinterstore");
}

static void command_zdiffstore(struct request *request) {
    store_combined(request, OPERATION_DIFFERENCE, "zdiffstore");
}

static void command_zintercard(struct request *request) {
    struct combination c = {.operation = OPERATION_INTERSECTION, .cardinality = true};
    uint32_t next;
    if (!read_sources(request, 1, &c, &next) || !parse_options(request, next, &c)) return;
    reply_int(request->reply, (int64_t)zset_intersect_count(c.sources, c.source_count, c.limit));
}

#define UNION \
    "O(N + M*log M) where N is the number of members of all inputs together and M of the result"
#define INTERSECTION                                                                            \
    "O(N*K + M*log M) where N is the size of the smallest input, K the number of inputs and M " \
    "the size of the "                                                                          \
    "result"
#define DIFFERENCE                                                                               \
    "O(N*K + M*log M) where N is the size of the first input, K the number of inputs and M the " \
    "size of the result"
#define OPTIONS "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"

static const struct command rows[] = {
    {
        .name = "zunion",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = UNION,
        .summary = "Returns the members of any of the inputs, their scores aggregated.",
        .syntax = OPTIONS " [WITHSCORES]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zunion,
    },
    {
        .name = "zinter",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = INTERSECTION,
        .summary = "Returns the members that all inputs have in common, their scores aggregated.",
        .syntax = OPTIONS " [WITHSCORES]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zinter,
    },
    {
        .name = "zdiff",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = DIFFERENCE,
        .summary = "Returns the members of the first input that none of the others has.",
        .syntax = "numkeys key [key ...] [WITHSCORES]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zdiff,
    },
    {
        .name = "zintercard",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_COUNTED_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "7.0.0",
        .complexity = "O(N*K) where N is the size of the smallest input and K the number of inputs",
        .summary = "Returns how many members all inputs have in common, counting no further than "
                   "the limit.",
        .syntax = "numkeys key [key ...] [LIMIT limit]",
        .reply = "integer",
        .handler = command_zintercard,
    },
    {
        .name = "zunionstore",
        .arity = -4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_COUNTED_AT(2, KEY_RO | KEY_ACCESS)},
        .since = "2.0.0",
        .complexity = UNION,
        .summary = "Stores the members of any of the inputs, their scores aggregated.",
        .syntax = "destination " OPTIONS,
        .reply = "integer: members stored",
        .handler = command_zunionstore,
    },
    {
        .name = "zinterstore",
        .arity = -4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_COUNTED_AT(2, KEY_RO | KEY_ACCESS)},
        .since = "2.0.0",
        .complexity = INTERSECTION,
        .summary = "Stores the members that all inputs have in common, their scores aggregated.",
        .syntax = "destination " OPTIONS,
        .reply = "integer: members stored",
        .handler = command_zinterstore,
    },
    {
        .name = "zdiffstore",
        .arity = -4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_COUNTED_AT(2, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = DIFFERENCE,
        .summary = "Stores the members of the first input that none of the others has.",
        .syntax = "destination numkeys key [key ...]",
        .reply = "integer: members stored",
        .handler = command_zdiffstore,
    },
    {.name = NULL},
};

const struct command_family zset_algebra_commands = {"sorted-set", rows};
