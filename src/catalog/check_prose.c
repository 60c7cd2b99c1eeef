/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards in what a document says in words and in commands to type: promises the server does not
 * keep, and advice that harms. */
#include "catalog/check_inside.h"
#include "catalog/words.h"

struct prose_rule {
    const char *line;     /* any of these in a line, divided by '|' */
    const char *also;     /* and any of these; "" for nothing more */
    const char *document; /* and any of these anywhere; "" for nothing more */
    const char *unless;   /* none of these anywhere */
    enum severity severity;
    const char *code, *what, *remedy;
};

static const struct prose_rule rules[] = {
    {"redis-cli -a|-a ${redis_password}|-a \"$redis_password\"|-a $redis_password", "", "", "",
     SEVERITY_WARNING, "password-in-arguments",
     "-a shows the password to everybody who can list processes; with an empty variable it "
     "swallows the next word",
     "REDISCLI_AUTH in the environment, or --askpass"},
    {"redis-cli monitor|monitor", "redis-cli monitor|# watch", "", "", SEVERITY_WARNING, "monitor",
     "MONITOR shows every value, passwords and tokens among them, and takes much of a busy "
     "server's throughput",
     "SLOWLOG, INFO commandstats, or a sampled MONITOR for a moment"},
    {"config set requirepass", "", "", "config rewrite", SEVERITY_WARNING, "setting-lost",
     "a password set by CONFIG SET is gone after the next restart",
     "CONFIG REWRITE, or the configuration file"},
    {"rename-command config", "", "config set", "", SEVERITY_WARNING, "renamed-config",
     "with CONFIG renamed, the CONFIG SET that this document shows no longer works, nor do tools "
     "that call it",
     "ACL users that may not call CONFIG, in place of rename-command"},
    {"all-or-nothing|all or nothing|rolls back|rollback", "", "multi", "", SEVERITY_WARNING,
     "no-rollback",
     "EXEC does not roll back: a command that fails when it runs (WRONGTYPE) leaves the others "
     "done",
     "a script that checks first, or WATCH"},
    {"cache miss|on a miss", "query|fetch|database|load", "",
     "jitter|stampede|single-flight|singleflight", SEVERITY_WARNING, "stampede",
     "on a miss every process asks the source at once, and a value read before a concurrent update "
     "can be stored after it "
     "and stay stale",
     "a short lock or a random share added to the lifetime; write a version and compare it"},
    {"version-based|cache busting", "", "schema_version|version", "", SEVERITY_WARNING,
     "version-cached",
     "the version that tells caches are stale is a cached key itself: it is noticed a lifetime "
     "late",
     "keep the version without a lifetime, or publish its change"},
};

static void run_rules(struct checker *checker) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct prose_rule *rule = &rules[i];
        struct bytes line;
        struct place place;
        size_t at = 0;
        if (*rule->document && !document_has(checker, rule->document)) continue;
        if (*rule->unless && document_has(checker, rule->unless)) continue;
        while (document_next_line(checker, &at, rule->line, &line, &place)) {
            if (*rule->also && !words_have_any(line, rule->also)) continue;
            checker_at(checker, rule->severity, rule->code, place, rule->what, rule->remedy);
            break;
        }
    }
}

/* A queue in a sorted set: what its order is not, how it is read, what its members are. */
static void check_priority_queues(struct checker *checker) {
    struct bytes line;
    struct place place;
    size_t at = 0, queue = SIZE_MAX;
    for (size_t i = 0; i < checker->catalog->pattern_count && queue == SIZE_MAX; i++) {
        if (checker_pattern(checker, i)->type == PATTERN_TYPE_ZSET &&
            (checker->roles[i] & ROLE_QUEUE))
            queue = i;
    }
    if (queue == SIZE_MAX) return;
    if (document_next_line(checker, &at, "zrevrange|zpopmax|zadd", &line, &place)) {
        at = 0;
        struct bytes fifo;
        struct place promised;
        if (document_next_line(checker, &at, "then fifo|fifo within", &fifo, &promised))
            place = promised;
        checker_at(
            checker, SEVERITY_WARNING, "ties-not-fifo", place,
            "members of equal score come in the order of their bytes, not in the order they were "
            "added",
            "a score of priority and a sequence together, below 2^53 since scores are doubles");
    }
    at = 0;
    while (document_next_line(checker, &at, "zrevrange|zrange", &line, &place)) {
        if (!words_have_any(line, "type|structure|queue") || words_have_any(line, "withscores"))
            continue;
        checker_at(checker, SEVERITY_WARNING, "range-does-not-take", place,
                   "ZRANGE and ZREVRANGE only read: two consumers that read before either removes "
                   "take the same item",
                   "ZPOPMAX, ZPOPMIN or a script");
        if (words_have(line, "zrevrange"))
            checker_at(checker, SEVERITY_NOTE, "deprecated", place,
                       "ZREVRANGE is deprecated since Redis 6.2", "ZRANGE key start stop REV");
        break;
    }
    at = 0;
    if (document_next_line(checker, &at, "retrycount|retry_count|retries:", &line, &place))
        checker_at(checker, SEVERITY_WARNING, "member-changes", place,
                   "where the item itself is the sorted set's member, a changed count is another "
                   "member: removing the old "
                   "text misses, and two equal items are one",
                   "an ID as the member, and the item in a hash");
}

void check_prose(struct checker *checker) {
    run_rules(checker);
    check_priority_queues(checker);
}
