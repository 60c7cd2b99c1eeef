/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of a sorted set, by rank, by score and by member: returned, stored, counted, removed. */
#include "types/zset.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "commands/families.h"
#include "server/arguments.h"

/* ---- bounds ---- */

/* As strtod reads it, so spaces may lead, nothing at all is 0, and what
 * is too large is infinite. */
static bool parse_score_bound(struct request *request, struct bytes text, double *ret_score,
                              bool *ret_excluded) {
    char few[64], *copy = few, *end;
    bool excluded = text.len > 0 && text.data[0] == '(';
    if (excluded) text = bytes_make(text.data + 1, text.len - 1);
    if (text.len >= sizeof few && !(copy = arena_try_alloc(request->arena, text.len + 1)))
        return false;
    if (text.len) memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double score = strtod(copy, &end);
    if (*end != '\0' || isnan(score)) return false;
    *ret_score = score;
    *ret_excluded = excluded;
    return true;
}

static bool parse_scores(struct request *request, uint32_t min, uint32_t max,
                         struct zset_scores *ret_scores) {
    struct zset_scores s;
    if (parse_score_bound(request, argument(request, min), &s.min, &s.min_excluded) &&
        parse_score_bound(request, argument(request, max), &s.max, &s.max_excluded)) {
        *ret_scores = s;
        return true;
    }
    reply_error_code(request->reply, ERROR_BAD_RANGE);
    return false;
}

static bool parse_lex_bound(struct bytes text, struct zset_lex_bound *ret_bound) {
    if (text.len == 0) return false;
    *ret_bound = (struct zset_lex_bound){.member = bytes_make(text.data + 1, text.len - 1)};
    switch (text.data[0]) {
    case '[': ret_bound->kind = ZSET_LEX_INCLUDED; return true;
    case '(': ret_bound->kind = ZSET_LEX_EXCLUDED; return true;
    case '-': ret_bound->kind = ZSET_LEX_LOWEST; return text.len == 1;
    case '+': ret_bound->kind = ZSET_LEX_HIGHEST; return text.len == 1;
    default: return false;
    }
}

static bool parse_lex(struct request *request, uint32_t min, uint32_t max,
                      struct zset_lex *ret_lex) {
    if (parse_lex_bound(argument(request, min), &ret_lex->min) &&
        parse_lex_bound(argument(request, max), &ret_lex->max))
        return true;
    reply_error_code(request->reply, ERROR_BAD_LEX_RANGE);
    return false;
}

/* ---- a range as a command asks for it ---- */

enum by { BY_OPTION, BY_RANK, BY_SCORE, BY_LEX };

struct query {
    enum by by;
    bool reverse;
    bool with_scores;
    int64_t offset, limit; /* limit < 0: none */
    int64_t start, stop;   /* by rank */
    struct zset_scores scores;
    struct zset_lex lex;
};

static bool fail(struct request *request, const char *error) {
    reply_error(request->reply, error);
    return false;
}

/* The options behind the bounds. direction_fixed: REV is not among them. */
static bool parse_options(struct request *request, uint32_t at, bool store, bool direction_fixed,
                          struct query *q) {
    bool by_fixed = q->by != BY_OPTION;
    for (; at < request->argc; at++) {
        if (!store && argument_is(request, at, "withscores")) {
            q->with_scores = true;
        } else if (argument_is(request, at, "limit") && request->argc - at > 2) {
            if (!argument_i64(request, at + 1, &q->offset, NULL) ||
                !argument_i64(request, at + 2, &q->limit, NULL))
                return false;
            at += 2;
        } else if (!direction_fixed && argument_is(request, at, "rev")) {
            /* A second one is no option any more, as the direction is then chosen. */
            if (q->reverse) return fail(request, "ERR syntax error");
            q->reverse = true;
        } else if (!by_fixed && q->by == BY_OPTION && argument_is(request, at, "bylex")) {
            q->by = BY_LEX;
        } else if (!by_fixed && q->by == BY_OPTION && argument_is(request, at, "byscore")) {
            q->by = BY_SCORE;
        } else {
            return fail(request, "ERR syntax error");
        }
    }
    if (q->by == BY_OPTION) q->by = BY_RANK;
    if (q->limit != -1 && q->by == BY_RANK)
        return fail(request, "ERR syntax error, LIMIT is only supported in combination with either "
                             "BYSCORE or BYLEX");
    if (q->with_scores && q->by == BY_LEX)
        return fail(request,
                    "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return true;
}

/* by, reverse: as the command's name says; BY_OPTION where its options say. first: where the lower
 * bound is, or the upper one when reverse. */
static bool parse_query(struct request *request, uint32_t first, bool store, struct query *q) {
    uint32_t min = first, max = first + 1;
    q->limit = -1;
    if (!parse_options(request, first + 2, store, q->by != BY_OPTION, q)) return false;
    if (q->reverse && q->by != BY_RANK) min = first + 1, max = first;
    switch (q->by) {
    case BY_SCORE: return parse_scores(request, min, max, &q->scores);
    case BY_LEX: return parse_lex(request, min, max, &q->lex);
    default:
        return argument_i64(request, min, &q->start, NULL) &&
               argument_i64(request, max, &q->stop, NULL);
    }
}

/* Ranks from start to stop, counted from the end when negative. */
static struct zset_range rank_range(size_t all, int64_t start, int64_t stop, bool reverse) {
    struct zset_range range = {0, 0};
    int64_t count = (int64_t)all;
    if (start < 0) start = start < -count ? 0 : start + count;
    if (stop < 0) stop += count;
    if (stop >= count) stop = count - 1;
    if (start > stop || start >= count) return range;
    range.count = (size_t)(stop - start + 1);
    range.first = reverse ? (size_t)(count - 1 - stop) : (size_t)start;
    return range;
}

static struct zset_range find_range(const struct zset *zset, const struct query *q) {
    struct zset_range range = {0, 0};
    if (q->by == BY_RANK) return rank_range(zset_count(zset), q->start, q->stop, q->reverse);
    if (q->offset < 0) return range;
    size_t offset = (size_t)q->offset;
    if (q->by == BY_LEX) {
        range = zset_range_of_members(zset, &q->lex, q->reverse, offset);
    } else {
        range = zset_range_of_scores(zset, &q->scores);
        if (offset > range.count) offset = range.count;
        range.count -= offset;
        if (!q->reverse) range.first += offset;
    }
    if (q->limit >= 0 && (uint64_t)q->limit < range.count) {
        if (q->reverse) range.first += range.count - (size_t)q->limit;
        range.count = (size_t)q->limit;
    }
    return range;
}

/* ---- returning ---- */

static void reply_range(struct request *request, const struct zset *zset, struct zset_range range,
                        const struct query *q) {
    struct reply *reply = request->reply;
    struct zset_iter iter;
    struct bytes member;
    double score;
    reply_array(reply, q->with_scores && reply->resp < 3 ? range.count * 2 : range.count);
    zset_iter_init(&iter, zset, range, q->reverse);
    while (zset_iter_next(&iter, &member, &score)) {
        if (q->with_scores && reply->resp >= 3) reply_array(reply, 2);
        reply_bulk(reply, member);
        if (q->with_scores) reply_double(reply, score);
    }
}

static void range_generic(struct request *request, enum by by, bool reverse) {
    struct query q = {.by = by, .reverse = reverse};
    struct entry *entry;
    if (!parse_query(request, 2, false, &q)) return;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    if (!entry) {
        reply_array(request->reply, 0);
        return;
    }
    const struct zset *zset = entry_value(entry);
    reply_range(request, zset, find_range(zset, &q), &q);
}

static void command_zrange(struct request *request) {
    range_generic(request, BY_OPTION, false);
}

static void command_zrevrange(struct request *request) {
    range_generic(request, BY_RANK, true);
}

static void command_zrangebyscore(struct request *request) {
    range_generic(request, BY_SCORE, false);
}

static void command_zrevrangebyscore(struct request *request) {
    range_generic(request, BY_SCORE, true);
}

static void command_zrangebylex(struct request *request) {
    range_generic(request, BY_LEX, false);
}

static void command_zrevrangebylex(struct request *request) {
    range_generic(request, BY_LEX, true);
}

/* ---- storing ---- */

static void command_zrangestore(struct request *request) {
    struct query q = {.by = BY_OPTION};
    struct zset_range range = {0, 0};
    struct entry *from;
    if (!parse_query(request, 3, true, &q)) return;
    if (!request_read_typed(request, 1, TYPE_ZSET, &from)) return;
    if (from) range = find_range(entry_value(from), &q);
    struct entry *old = request_write(request, 0);
    if (range.count > 0) {
        struct zset *result = zset_new(request_heap(request, 0));
        struct zset_iter iter;
        struct bytes member;
        double score;
        if (q.by == BY_RANK) zset_expect(result, range.count, 0);
        /* In the order asked for, so that a minus zero is kept, or lost to the small
         * encoding, as it is elsewhere. */
        zset_iter_init(&iter, entry_value(from), range, q.reverse);
        while (zset_iter_next(&iter, &member, &score)) zset_add(result, member, score, 0, &score);
        request_put(request, 0, old, TYPE_ZSET, result);
        request_changed(request, 0, EVENT_ZSET, "zrangestore");
    } else if (old) {
        request_delete(request, 0, old);
        request_changed(request, 0, EVENT_GENERIC, "del");
    }
    reply_int(request->reply, (int64_t)range.count);
}

/* ---- counting ---- */

static void command_zcount(struct request *request) {
    struct zset_scores scores;
    struct entry *entry;
    if (!parse_scores(request, 2, 3, &scores)) return;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_int(request->reply,
              entry ? (int64_t)zset_range_of_scores(entry_value(entry), &scores).count : 0);
}

static void command_zlexcount(struct request *request) {
    struct zset_lex lex;
    struct entry *entry;
    if (!parse_lex(request, 2, 3, &lex)) return;
    if (!request_read_typed(request, 0, TYPE_ZSET, &entry)) return;
    reply_int(request->reply,
              entry ? (int64_t)zset_range_of_members(entry_value(entry), &lex, false, 0).count : 0);
}

/* ---- removing ---- */

static void remove_range(struct request *request, enum by by, const char *event) {
    struct query q = {.by = by, .limit = -1};
    struct entry *entry;
    bool parsed = by == BY_SCORE ? parse_scores(request, 2, 3, &q.scores)
                  : by == BY_LEX ? parse_lex(request, 2, 3, &q.lex)
                                 : argument_i64(request, 2, &q.start, NULL) &&
                                       argument_i64(request, 3, &q.stop, NULL);
    if (!parsed || !request_write_typed(request, 0, TYPE_ZSET, &entry)) return;
    struct zset_range range = {0, 0};
    if (entry) range = find_range(entry_value(entry), &q);
    if (range.count > 0) {
        if (range.count == zset_count(entry_value(entry))) {
            /* The whole of it goes, which may be left to the background. */
            request_changed(request, 0, EVENT_ZSET, event);
            request_delete(request, 0, entry);
            request_changed(request, 0, EVENT_GENERIC, "del");
        } else {
            zset_remove_range(entry_value(entry), range);
            request_changed(request, 0, EVENT_ZSET, event);
        }
    }
    reply_int(request->reply, (int64_t)range.count);
}

static void command_zremrangebyrank(struct request *request) {
    remove_range(request, BY_RANK, "zremrangebyrank");
}

static void command_zremrangebyscore(struct request *request) {
    remove_range(request, BY_SCORE, "zremrangebyscore");
}

static void command_zremrangebylex(struct request *request) {
    remove_range(request, BY_LEX, "zremrangebylex");
}

#define COUNTED  "O(log N) where N is the number of members"
#define RETURNED "O(log N + M) where N is the number of members and M of those returned"
#define REMOVED  "O(log N + M) where N is the number of members and M of those removed"
#define READ_KEY \
    { KEY_AT(1, KEY_RO | KEY_ACCESS) }

static const struct command rows[] = {
    {
        .name = "zrange",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "1.2.0",
        .complexity = RETURNED,
        .summary = "Returns a range of members by rank, score or member, in either direction.",
        .syntax = "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zrange,
    },
    {
        .name = "zrangestore",
        .arity = -5,
        .flags = COMMAND_WRITE | COMMAND_DENY_OOM,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_AT(2, KEY_RO | KEY_ACCESS)},
        .since = "6.2.0",
        .complexity = "O(log N + M*log M) where N is the number of members and M of those stored",
        .summary = "Stores a range of members of another sorted set.",
        .syntax = "destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
        .reply = "integer: members stored",
        .handler = command_zrangestore,
    },
    {
        .name = "zrevrange",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "1.2.0",
        .complexity = RETURNED,
        .summary = "Returns a range of members by rank in descending order.",
        .syntax = "key start stop [WITHSCORES]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zrevrange,
    },
    {
        .name = "zrangebyscore",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "1.0.5",
        .complexity = RETURNED,
        .summary = "Returns the members whose scores are in a range, in ascending order.",
        .syntax = "key min max [WITHSCORES] [LIMIT offset count]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zrangebyscore,
    },
    {
        .name = "zrevrangebyscore",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "2.2.0",
        .complexity = RETURNED,
        .summary = "Returns the members whose scores are in a range, in descending order.",
        .syntax = "key max min [WITHSCORES] [LIMIT offset count]",
        .reply = "array of bulks, or of members and scores",
        .handler = command_zrevrangebyscore,
    },
    {
        .name = "zrangebylex",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "2.8.9",
        .complexity = RETURNED,
        .summary =
            "Returns the members of equal scores that lie between two others, in ascending order.",
        .syntax = "key min max [LIMIT offset count]",
        .reply = "array of bulks",
        .handler = command_zrangebylex,
    },
    {
        .name = "zrevrangebylex",
        .arity = -4,
        .flags = COMMAND_READONLY,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "2.8.9",
        .complexity = RETURNED,
        .summary =
            "Returns the members of equal scores that lie between two others, in descending order.",
        .syntax = "key max min [LIMIT offset count]",
        .reply = "array of bulks",
        .handler = command_zrevrangebylex,
    },
    {
        .name = "zcount",
        .arity = 4,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "2.0.0",
        .complexity = COUNTED,
        .summary = "Returns how many members have scores in a range.",
        .syntax = "key min max",
        .reply = "integer",
        .handler = command_zcount,
    },
    {
        .name = "zlexcount",
        .arity = 4,
        .flags = COMMAND_READONLY | COMMAND_FAST,
        .groups = GROUP_SORTED_SET,
        .keys = READ_KEY,
        .since = "2.8.9",
        .complexity = COUNTED,
        .summary = "Returns how many members of equal scores lie between two others.",
        .syntax = "key min max",
        .reply = "integer",
        .handler = command_zlexcount,
    },
    {
        .name = "zremrangebyrank",
        .arity = 4,
        .flags = COMMAND_WRITE,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
        .since = "2.0.0",
        .complexity = REMOVED,
        .summary = "Removes a range of members by rank.",
        .syntax = "key start stop",
        .reply = "integer: members removed",
        .handler = command_zremrangebyrank,
    },
    {
        .name = "zremrangebyscore",
        .arity = 4,
        .flags = COMMAND_WRITE,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
        .since = "1.2.0",
        .complexity = REMOVED,
        .summary = "Removes the members whose scores are in a range.",
        .syntax = "key min max",
        .reply = "integer: members removed",
        .handler = command_zremrangebyscore,
    },
    {
        .name = "zremrangebylex",
        .arity = 4,
        .flags = COMMAND_WRITE,
        .groups = GROUP_SORTED_SET,
        .keys = {KEY_AT(1, KEY_RW | KEY_DELETE)},
        .since = "2.8.9",
        .complexity = REMOVED,
        .summary = "Removes the members of equal scores that lie between two others.",
        .syntax = "key min max",
        .reply = "integer: members removed",
        .handler = command_zremrangebylex,
    },
    {.name = NULL},
};

const struct command_family zset_range_commands = {"sorted-set", rows};
