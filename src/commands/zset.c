/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands on members of one sorted set. Ranges are in zset_range.c, pops in zset_pop.c, what works
 * on several in zset_algebra.c.
 */
#include "types/zset.h"

#include "base/arena.h"
#include "base/random.h"
#include "commands/families.h"
#include "commands/set_scan.h"

static struct zset *entry_zset(const struct entry *entry) {
    return entry_value(entry);
}

/* ---- ZADD, ZINCRBY ---- */

struct add_options {
    unsigned flags; /* enum zset_add_flag */
    bool changed;   /* CH */
};

/* Reads the words before the first score; returns where that is. */
static uint32_t parse_add_options(const struct request *request, struct add_options *options) {
    uint32_t i = 2;
    for (; i < request->argc; i++) {
        if (argument_is(request, i, "nx"))
            options->flags |= ZSET_NEW_ONLY;
        else if (argument_is(request, i, "xx"))
            options->flags |= ZSET_PRESENT_ONLY;
        else if (argument_is(request, i, "gt"))
            options->flags |= ZSET_GREATER;
        else if (argument_is(request, i, "lt"))
            options->flags |= ZSET_LESS;
        else if (argument_is(request, i, "incr"))
            options->flags |= ZSET_INCREMENT;
        else if (argument_is(request, i, "ch"))
            options->changed = true;
        else
            break;
    }
    return i;
}

static const char *add_options_error(unsigned flags, uint32_t arguments) {
    bool nx = flags & ZSET_NEW_ONLY, gt = flags & ZSET_GREATER, lt = flags & ZSET_LESS;
    if (arguments % 2 || arguments == 0) return "ERR syntax error";
    if (nx && (flags & ZSET_PRESENT_ONLY))
        return "ERR XX and NX options at the same time are not compatible";
    if ((gt && nx) || (lt && nx) || (gt && lt))
        return "ERR GT, LT, and/or NX options at the same time are not compatible";
    if ((flags & ZSET_INCREMENT) && arguments > 2)
        return "ERR INCR option supports a single increment-element pair";
    return NULL;
}

struct add_result {
    int64_t added, updated;
    bool processed; /* the member has the score that follows */
    bool nan;
    double score;
};

static void add_members(struct zset *zset, const struct request *request, uint32_t first,
                        const double *scores, unsigned flags, struct add_result *result) {
    for (uint32_t i = first; i < request->argc && !result->nan; i += 2) {
        double score = 0;
        switch (zset_add(zset, argument(request, i + 1), scores[(i - first) / 2], flags, &score)) {
        case ZSET_ADDED: result->added++; break;
        case ZSET_UPDATED: result->updated++; break;
        case ZSET_SAME: break;
        case ZSET_SKIPPED: continue;
        case ZSET_NAN: result->nan = true; continue;
        }
        result->processed = true;
        result->score = score;
    }
}

static void reply_add(struct reply *reply, const struct add_options *options,
                      const struct add_result *result) {
    if (result->nan)
        reply_error_code(reply, ERROR_NAN_SCORE);
    else if (!(options->flags & ZSET_INCREMENT))
        reply_int(reply, options->changed ? result->added + result->updated : result->added);
    else if (result->processed)
        reply_double(reply, result->score);
    else
        reply_null(reply);
}

/* Members that are given may come twice: so many more must be given than are expected to be new. */
enum { GIVEN_FOR_EXPECTED = 8 };

static void add_generic(struct request *request, unsigned flags) {
    enum { FEW = 8 }; /* scores that need no memory of the request's */
    struct add_options options = {.flags = flags};
    struct add_result result = {0};
    struct entry *entry;
    uint32_t first = parse_add_options(request, &options), pairs = (request->argc - first) / 2;
    const char *error = add_options_error(options.flags, request->argc - first);
    if (error) {
        reply_error(request->reply, error);
        return;
    }
    double few[FEW] = {0}, *scores = few;
    if (pairs > FEW && !(scores = arena_try_array(request->arena, pairs, sizeof *scores))) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        if (!argument_double(request, first + 2 * i, &scores[i], NULL)) return;
    }
    if (!request_write_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (entry || !(options.flags & ZSET_PRESENT_ONLY)) {
        struct zset *zset = entry ? entry_zset(entry) : zset_new(request_heap(request, 0));
        if (!entry) zset_expect(zset, pairs / GIVEN_FOR_EXPECTED, argument(request, first + 1).len);
        add_members(zset, request, first, scores, options.flags, &result);
        if (!entry) request_put(request, 0, NULL, TYPE_ZSET, zset);
    }
    if (result.added || result.updated)
        request_changed(request, 0, EVENT_ZSET, options.flags & ZSET_INCREMENT ? "zincr" : "zadd");
    reply_add(request->reply, &options, &result);
}

static void command_zadd(struct request *request) {
    add_generic(request, 0);
}

static void command_zincrby(struct request *request) {
    add_generic(request, ZSET_INCREMENT);
}

/* ---- the rest ---- */

static void command_zrem(struct request *request) {
    struct entry *entry;
    int64_t removed = 0;
    if (!request_write_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (entry) {
        for (uint32_t i = 2; i < request->argc; i++)
            removed += zset_remove(entry_zset(entry), argument(request, i));
        if (removed) {
            request_changed(request, 0, EVENT_ZSET, "zrem");
            request_delete_if_empty(request, 0, entry);
        }
    }
    reply_int(request->reply, removed);
}

static void command_zcard(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_int(request->reply, entry ? (int64_t)zset_count(entry_zset(entry)) : 0);
}

static void reply_score(struct request *request, const struct entry *entry, struct bytes member) {
    double score;
    if (entry && zset_find(entry_zset(entry), member, &score))
        reply_double(request->reply, score);
    else
        reply_null(request->reply);
}

static void command_zscore(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_score(request, entry, argument(request, 2));
}

static void command_zmscore(struct request *request) {
    struct entry *entry;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_array(request->reply, request->argc - 2);
    for (uint32_t i = 2; i < request->argc; i++) reply_score(request, entry, argument(request, i));
}

static void rank_generic(struct request *request, bool reverse) {
    struct entry *entry;
    struct reply *reply = request->reply;
    bool with_score = request->argc == 4;
    size_t rank;
    double score;
    if (request->argc > 4) {
        reply_error_format(reply, "ERR wrong number of arguments for '%s' command",
                           request->command->name);
        return;
    }
    if (with_score && !argument_is(request, 3, "withscore")) {
        reply_error_code(reply, ERROR_SYNTAX);
        return;
    }
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (!entry || !zset_rank(entry_zset(entry), argument(request, 2), &rank, &score)) {
        if (with_score)
            reply_null_array(reply);
        else
            reply_null(reply);
        return;
    }
    if (reverse) rank = zset_count(entry_zset(entry)) - 1 - rank;
    if (with_score) reply_array(reply, 2);
    reply_int(reply, (int64_t)rank);
    if (with_score) reply_double(reply, score);
}

static void command_zrank(struct request *request) {
    rank_generic(request, false);
}

static void command_zrevrank(struct request *request) {
    rank_generic(request, true);
}

/* ---- ZRANDMEMBER ---- */

static void reply_member(struct reply *reply, struct bytes member, double score, bool with_scores) {
    if (with_scores && reply->resp >= 3) reply_array(reply, 2);
    reply_bulk(reply, member);
    if (with_scores) reply_double(reply, score);
}

static void reply_member_count(struct reply *reply, size_t count, bool with_scores) {
    reply_array(reply, with_scores && reply->resp < 3 ? count * 2 : count);
}

struct sample {
    struct reply *reply;
    bool with_scores;
};

static void visit_sample(struct bytes member, double score, void *context) {
    const struct sample *sample = context;
    reply_member(sample->reply, member, score, sample->with_scores);
}

static void command_zrandmember(struct request *request) {
    struct reply *reply = request->reply;
    struct entry *entry;
    char scratch[ZSET_TEXT_MAX];
    int64_t count = 1;
    double score;
    bool several = request->argc >= 3, with_scores = request->argc == 4;
    if (several) {
        if (!argument_i64_range(request, 2, -INT64_MAX, INT64_MAX, &count, NULL)) return;
        if (request->argc > 4 || (with_scores && !argument_is(request, 3, "withscores"))) {
            reply_error_code(reply, ERROR_SYNTAX);
            return;
        }
        if (with_scores && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
            reply_error(reply, "ERR value is out of range");
            return;
        }
    }
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (!entry || count == 0) {
        if (several)
            reply_array(reply, 0);
        else
            reply_null(reply);
        return;
    }
    const struct zset *zset = entry_zset(entry);
    size_t all = zset_count(zset);
    if (!several) {
        reply_bulk(reply, zset_at(zset, random_below(all), scratch, &score));
    } else if (count > 0) {
        struct sample sample = {reply, with_scores};
        size_t wanted = (uint64_t)count < all ? (size_t)count : all;
        reply_member_count(reply, wanted, with_scores);
        zset_sample(zset, random_thread(), wanted, visit_sample, &sample);
    } else {
        reply_member_count(reply, (size_t)-count, with_scores);
        /* There may be more of them than the reply can hold. */
        for (; count < 0 && !reply->overflow; count++) {
            struct bytes member = zset_at(zset, random_below(all), scratch, &score);
            reply_member(reply, member, score, with_scores);
        }
    }
}

static void visit_page(struct bytes member, double score, void *context) {
    scan_page_add(context, member, score);
}

static void command_zscan(struct request *request) {
    struct entry *entry;
    struct scan_page page;
    if (!scan_page_cursor(request) || !request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (!entry) {
        scan_page_reply_none(request);
        return;
    }
    if (!scan_page_init(&page, request, true)) return;
    /* Small ones are replied as they are kept by others: integers as integers. */
    page.whole_scores = !zset_is_large(entry_zset(entry));
    uint64_t cursor = page.options.cursor, steps = 0;
    do cursor = zset_scan(entry_zset(entry), cursor, visit_page, &page);
    while (scan_page_more(&page, cursor, ++steps));
    scan_page_reply(&page, cursor);
}

#define LOG_N "O(log N) where N is the number of members"

static const struct command rows[] = {
    {
        .name = "zadd",
        .arity = -4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_UPDATE)},
        .since = "1.2.0",
        .complexity = "O(log N) for each member given, where N is the number of members",
        .summary = "Adds members to a sorted set, or changes their scores.",
        .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
        .reply = "integer: members added, with CH also those changed | with INCR: double | null",
        .handler = command_zadd,
    },
    {
        .name = "zincrby",
        .arity = 4,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE)},
        .since = "1.2.0",
        .complexity = LOG_N,
        .summary = "Adds to the score of a member, which counts as 0 when it is not there.",
        .syntax = "key increment member",
        .reply = "double: the new score",
        .handler = command_zincrby,
    },
    {
        .name = "zrem",
        .arity = -3,
        .flags = COMMAND_WRITE | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
        .since = "1.2.0",
        .complexity = "O(M*log N) where N is the number of members and M of those given",
        .summary = "Removes members from a sorted set, and the key with the last of them.",
        .syntax = "key member [member ...]",
        .reply = "integer: members removed",
        .handler = command_zrem,
    },
    {
        .name = "zcard",
        .arity = 2,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO)},
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Returns how many members a sorted set has.",
        .syntax = "key",
        .reply = "integer",
        .handler = command_zcard,
    },
    {
        .name = "zscore",
        .arity = 3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Returns the score of a member.",
        .syntax = "key member",
        .reply = "double | null",
        .handler = command_zscore,
    },
    {
        .name = "zmscore",
        .arity = -3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of members given",
        .summary = "Returns the scores of several members.",
        .syntax = "key member [member ...]",
        .reply = "array of doubles | nulls",
        .handler = command_zmscore,
    },
    {
        .name = "zrank",
        .arity = -3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "2.0.0",
        .complexity = LOG_N,
        .summary = "Returns how many members come before a member in ascending order.",
        .syntax = "key member [WITHSCORE]",
        .reply = "integer | null, with WITHSCORE: array: integer, double | null",
        .handler = command_zrank,
    },
    {
        .name = "zrevrank",
        .arity = -3,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "2.0.0",
        .complexity = LOG_N,
        .summary = "Returns how many members come before a member in descending order.",
        .syntax = "key member [WITHSCORE]",
        .reply = "integer | null, with WITHSCORE: array: integer, double | null",
        .handler = command_zrevrank,
    },
    {
        .name = "zrandmember",
        .arity = -2,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity =
            "O(N*log M) where N is the absolute value of the count and M the number of members",
        .summary = "Returns random members of a sorted set; a negative count allows repetitions.",
        .syntax = "key [count [WITHSCORES]]",
        .reply = "bulk | null, with a count: array of bulks, or of members and scores",
        .handler = command_zrandmember,
    },
    {
        .name = "zscan",
        .arity = -3,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RO | KEY_ACCESS)},
        .since = "2.8.0",
        .complexity = "O(1) for a call, O(N) for a whole iteration over N members",
        .summary = "Iterates over the members of a sorted set and their scores.",
        .syntax = "key cursor [MATCH pattern] [COUNT count] [NOSCORES]",
        .reply = "array: cursor, array of members and scores",
        .handler = command_zscan,
    },
    {.name = NULL},
};

const struct command_family zset_commands = {"sorted-set", rows};
