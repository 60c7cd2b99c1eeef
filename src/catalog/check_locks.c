/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards of things that several processes do at once: locks, flags, markers, counters, queues. */
#include "catalog/check_inside.h"
#include "catalog/words.h"

#define EACH(checker, i) for (size_t i = 0; i < (checker)->catalog->pattern_count; i++)

static bool has_role(const struct checker *checker, size_t i, unsigned roles) {
    return (checker->roles[i] & roles) != 0;
}

/* Whether the document shows a key of the pattern set with NX. */
static bool shown_with_nx(const struct checker *checker, size_t pattern) {
    for (size_t i = 0; checker->facts && i < checker->facts->usage_count; i++) {
        const struct markdown_usage *usage = &checker->facts->usages[i];
        if (usage->pattern != pattern || !usage->usage.command) continue;
        struct bytes name = bytes_from_string(usage->usage.command->name);
        if (words_are(name, "setnx")) return true;
        for (size_t j = 0; j < usage->usage.count; j++) {
            if (words_are(name, "set") && words_have_any(usage->usage.arguments[j], "nx"))
                return true;
        }
    }
    return false;
}

static void check_holding(struct checker *checker) {
    bool any = false;
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = has_role(checker, i, ROLE_LOCK | ROLE_FLAG) &&
                             !pattern->lifetime.renewed &&
                             pattern->lifetime.kind == LIFETIME_LIMITED;
        any |= has_role(checker, i, ROLE_LOCK);
    }
    checker_report(checker, SEVERITY_WARNING, "lock-outlived",
                   "keys of %s end by themselves while their holders may still be at work: a "
                   "second one enters, and a flag that is not taken with SET NX protects nothing",
                   "take it with SET NX and a token of the owner's, renew it while working, give "
                   "it back only if the token is one's own");
    if (!any || !checker->facts) return;
    if (document_has(checker,
                     "redlock|release script|compare-and-delete|release_script|unlock script"))
        return;
    checker_clear(checker);
    EACH(checker, i) checker->chosen[i] = has_role(checker, i, ROLE_LOCK);
    checker_report(
        checker, SEVERITY_WARNING, "lock-release",
        "how %s is given back is not shown: a plain DEL by a holder that was too slow removes the "
        "lock of the next one",
        "one script that deletes (or renews) only if the value is the caller's own token");
}

static void check_markers(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] =
            has_role(checker, i, ROLE_DEDUPE) && !has_role(checker, i, ROLE_CACHE) &&
            checker_pattern(checker, i)->type <= PATTERN_TYPE_STRING && !shown_with_nx(checker, i);
    }
    checker_report(
        checker, SEVERITY_WARNING, "check-then-set",
        "keys of %s decide whether something was seen: looked up and then written, two workers "
        "both find it new; and what comes back after their lifetime is new again",
        "let SET key value NX EX seconds decide: it answers OK to one of them only");
    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] =
            checker_pattern(checker, i)->kind == PATTERN_KEY &&
            checker_literal(checker, i, "otp|verify|reset|one-time|magic") &&
            checker_words(checker, i, "token|tokens|code|codes|verification|one-time");
    }
    checker_report(
        checker, SEVERITY_WARNING, "used-twice",
        "keys of %s are good for one use: read and then deleted, one can be used twice at once",
        "take it with GETDEL, or compare and delete in one script");
}

static void check_counters(struct checker *checker) {
    bool scripted =
        checker->facts && document_has(checker, "redis.call('incr'|redis.call(\"incr\"");
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] =
            has_role(checker, i, ROLE_LIMIT) && !has_role(checker, i, ROLE_SEMAPHORE) &&
            pattern->lifetime.kind == LIFETIME_LIMITED && pattern->type <= PATTERN_TYPE_STRING;
    }
    if (!scripted)
        checker_report(
            checker, SEVERITY_WARNING, "counter-loses-lifetime",
            "keys of %s count and have a lifetime: where that is INCR and then EXPIRE, a crash in "
            "between leaves a counter that is never reset",
            "do both in one script or transaction, or SET key 0 EX seconds NX before INCR");
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] =
            has_role(checker, i, ROLE_LIMIT) && pattern->type <= PATTERN_TYPE_STRING &&
            !has_role(checker, i, ROLE_SEMAPHORE | ROLE_LOCK) &&
            (pattern->value == FORMAT_INTEGER || pattern->lifetime.kind == LIFETIME_LIMITED ||
             checker_words(checker, i, "rate|limit|limits"));
    }
    checker_report(
        checker, SEVERITY_NOTE, "fixed-window",
        "keys of %s count in fixed windows: across the border of two windows twice the limit gets "
        "through",
        "count in a sliding window (sorted set, or two weighted counters) where that matters");
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = has_role(checker, i, ROLE_LIMIT) &&
                         !has_role(checker, i, ROLE_SEMAPHORE) &&
                         checker_pattern(checker, i)->type == PATTERN_TYPE_ZSET;
    checker_report(
        checker, SEVERITY_WARNING, "window-race",
        "keys of %s are sliding windows of several commands: removing, counting and adding apart, "
        "requests at once pass the limit, and idle users leave sets behind",
        "one script for all three, and EXPIRE by the window's length in it");
    checker_clear(checker);
    EACH(checker, i) checker->chosen[i] = has_role(checker, i, ROLE_SEMAPHORE);
    checker_report(
        checker, SEVERITY_WARNING, "semaphore-race",
        "admission to %s by ZADD and then ZCARD is a race: of two at once both, or none, get in",
        "sweep, count and add in one script");
}

/* Whether one of the words is a segment of its own. */
static bool has_segment(const struct checker *checker, size_t i, const char *words) {
    struct bytes rest = checker->literals[i];
    for (;;) {
        size_t colon = words_index(rest, TEMPLATE_SEPARATOR);
        if (words_are(words_until(rest, colon), words)) return true;
        if (colon == rest.len) return false;
        rest = words_from(rest, colon + 1);
    }
}

static bool shows_in_flight(const struct checker *checker) {
    return checker->facts &&
           document_has(checker, "lmove|blmove|rpoplpush|brpoplpush|xreadgroup|in-flight|in "
                                 "flight|processing list|visibility timeout|acks late|acks_late");
}

static void check_queues(struct checker *checker) {
    bool in_flight = shows_in_flight(checker), dead = false, delayed = false;
    size_t list = SIZE_MAX, zset = SIZE_MAX;
    checker_clear(checker);
    EACH(checker, i) {
        in_flight |= has_role(checker, i, ROLE_QUEUE) &&
                     has_segment(checker, i, "active|processing|inflight");
        dead |= checker_literal(checker, i, "dlq|dead|deadletter|failed");
        delayed |= checker_literal(checker, i, "retry|delayed|retries") &&
                   !checker_literal(checker, i, "celery");
        enum pattern_type type = checker_pattern(checker, i)->type;
        bool queue = has_role(checker, i, ROLE_QUEUE) && !checker_literal(checker, i, "celery");
        checker->chosen[i] = queue && (type <= PATTERN_TYPE_STRING || type == PATTERN_TYPE_LIST ||
                                       type == PATTERN_TYPE_ZSET);
        if (queue && type == PATTERN_TYPE_LIST && list == SIZE_MAX) list = i;
        if (queue && type == PATTERN_TYPE_ZSET && zset == SIZE_MAX) zset = i;
    }
    if (!in_flight)
        checker_report(
            checker, SEVERITY_WARNING, "no-in-flight",
            "nothing holds what was taken from %s until it is done: a worker that crashes loses it",
            "move it (BLMOVE) to a list of what is in work, and delete it there at the end; or a "
            "stream with a consumer group");
    if (list != SIZE_MAX && zset != SIZE_MAX &&
        words_index(checker->literals[list], ':') == words_index(checker->literals[zset], ':') &&
        memcmp(checker->literals[list].data, checker->literals[zset].data,
               words_index(checker->literals[list], ':')) == 0) {
        checker_clear(checker);
        checker->chosen[list] = checker->chosen[zset] = true;
        checker_report(checker, SEVERITY_WARNING, "two-queues",
                       "%s are two queues for the same work: what is put into one is not seen by "
                       "workers on the other, and what is put into both is done twice",
                       "use one of them");
    }
    struct bytes line;
    struct place place;
    size_t at = 0;
    if (!dead && !delayed &&
        (document_next_line(checker, &at,
                            "exponential backoff|attempts with|retry: 3 attempts|retry:", &line,
                            &place) ||
         (at = 0, document_next_line(checker, &at, "\"attempts\"|hincrby", &line, &place)))) {
        bool queues = false;
        EACH(checker, i)
        queues |= has_role(checker, i, ROLE_QUEUE) && !checker_literal(checker, i, "celery");
        if (queues)
            checker_at(checker, SEVERITY_WARNING, "retry-nowhere", place,
                       "attempts are counted or promised, and no key holds what waits for the next "
                       "one or has had its last",
                       "add a sorted set of what is due when, and a dead-letter queue");
    }
    checker_clear(checker);
    EACH(checker, i)
    checker->chosen[i] = checker_pattern(checker, i)->type == PATTERN_TYPE_ZSET &&
                         checker_literal(checker, i, "schedule|scheduled|delayed|timers");
    checker_report(
        checker, SEVERITY_WARNING, "due-twice",
        "two pollers of %s both read what is due: it is done twice unless one of them claims it",
        "act only if ZREM answers 1, or take it with ZPOPMIN or a script");
}

void check_locks(struct checker *checker) {
    check_holding(checker);
    check_markers(checker);
    check_counters(checker);
    check_queues(checker);
}
