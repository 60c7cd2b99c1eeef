/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards of the commands that a document shows: what they do is not what the text
 * says, or not on this key. */
#include <stdio.h>

#include "catalog/check_inside.h"
#include "catalog/words.h"

static bool is_called(const struct markdown_usage *usage, const char *names) {
    return words_are(bytes_from_string(usage->usage.command->name), names);
}

#define EACH_USAGE(checker, usage)                                                             \
    for (size_t usage##_number = 0; usage##_number < (checker)->facts->usage_count;            \
         usage##_number = SIZE_MAX)                                                            \
        for (const struct markdown_usage *usage = (checker)->facts->usages,                    \
                                         *usage##_end = usage + (checker)->facts->usage_count; \
             usage < usage##_end; usage++)

static void report(struct checker *checker, const struct markdown_usage *usage,
                   enum severity severity, const char *code, const char *what, const char *remedy) {
    checker_at(checker, severity, code, usage->place, what, remedy);
}

static bool has_argument(const struct markdown_usage *usage, const char *words) {
    for (size_t i = 0; i < usage->usage.count; i++) {
        if (words_are(usage->usage.arguments[i], words)) return true;
    }
    return false;
}

/* ---- keys nobody described, and types that do not agree ---- */

static void check_strangers(struct checker *checker) {
    size_t reported = 0;
    /* The reader's notes about the same keys, and about columns, which harm nobody. */
    diagnostics_forget(checker->diagnostics, "stranger");
    diagnostics_forget(checker->diagnostics, "column");
    EACH_USAGE(checker, usage) {
        bool seen = false;
        if (usage->pattern != SIZE_MAX || usage->bad ||
            usage->usage.command->flags & (USAGE_GLOB | USAGE_SERVER))
            continue;
        bool literal = usage->kind == KEY_TEXT_LITERAL;
        bool word = usage->kind == KEY_TEXT_NONE && !usage->usage.called &&
                    usage->usage.count > 0 && usage->usage.command->type &&
                    usage->usage.arguments[0].len > 2;
        for (size_t i = 0; word && i < usage->usage.arguments[0].len; i++)
            word = word_is_letter(usage->usage.arguments[0].data[i]) ||
                   usage->usage.arguments[0].data[i] == '_';
        if (!literal && !word) continue;
        struct bytes key = literal ? usage->key : usage->usage.arguments[0];
        if (words_are(key, "key|mykey|key1|key2|foo|bar")) continue;
        for (const struct markdown_usage *other = checker->facts->usages; other < usage; other++)
            seen |= other->pattern == SIZE_MAX &&
                    (bytes_equal(other->key, key) ||
                     (usage->usage.called && other->usage.called &&
                      other->kind == KEY_TEXT_LITERAL && other->block == usage->block));
        if (seen || reported++ > 50) continue;
        diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "command-stranger", usage->place,
                        "%s is used on '%.*s', and no pattern describes that key",
                        usage->usage.command->name, (int)key.len, key.data);
        diagnostics_remedy(checker->diagnostics,
                           "correct the key, or document its pattern with type and lifetime");
    }
}

static void check_types(struct checker *checker) {
    bool *told = arena_zalloc(&checker->arena, checker->catalog->pattern_count + 1);
    EACH_USAGE(checker, usage) {
        if (usage->pattern == SIZE_MAX || usage->bad || told[usage->pattern]) continue;
        const struct pattern *pattern = checker_pattern(checker, usage->pattern);
        enum pattern_type type = usage->usage.command->type;
        if (!type || !pattern->type || type == pattern->type || pattern->kind == PATTERN_CHANNEL)
            continue;
        if (usage->usage.called && !usage->covered_by_shape) continue;
        if (pattern->guessed & GUESS_TYPE && pattern->guessed & GUESS_KEY) continue;
        told[usage->pattern] = true;
        diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "two-types", usage->place,
                        "%s uses '%s' as a %s, and elsewhere it is a %s: the one fails with "
                        "WRONGTYPE, or silently "
                        "replaces the other",
                        usage->usage.command->name, pattern->key.template.text,
                        pattern_type_names[type], pattern_type_names[pattern->type]);
        diagnostics_other(checker->diagnostics, pattern->place);
        diagnostics_remedy(checker->diagnostics, "use one type, or two keys");
    }
}

/* ---- commands that scan everything ---- */

static void check_scans(struct checker *checker) {
    size_t last_block = SIZE_MAX;
    EACH_USAGE(checker, usage) {
        if (usage->bad || !is_called(usage, "keys") || usage->usage.count == 0) continue;
        bool glob = words_index(usage->usage.arguments[0], '*') < usage->usage.arguments[0].len;
        bool client = usage->usage.called && words_find(usage->usage.text, "keys") == 0;
        if (!glob && !(client && words_have_any(usage->usage.arguments[0], "pattern|glob|match")))
            continue;
        if (usage->block == last_block) continue;
        last_block = usage->block;
        report(checker, usage, SEVERITY_WARNING, "keys-blocks",
               "KEYS looks at every key of the database while every other client waits",
               "SCAN with MATCH, and UNLINK what is to go; or CATALOG PURGE");
    }
    EACH_USAGE(checker, usage) {
        if (usage->bad || !is_called(usage, "scan") || usage->usage.count == 0 ||
            usage->usage.called)
            continue;
        if (!words_are(usage->usage.arguments[0], "0")) continue;
        report(checker, usage, SEVERITY_WARNING, "scan-first-step",
               "SCAN 0 is the first step only: most keys come with the cursors that follow",
               "repeat with the cursor that was answered until it is 0");
        struct bytes text = usage->usage.text;
        if (words_have_any(text, "session:*|sess:*|session"))
            report(checker, usage, SEVERITY_WARNING, "scan-for-owner",
                   "finding what belongs to one user by scanning walks the whole keyspace, reads "
                   "everything, and "
                   "misses what is created meanwhile",
                   "keep a set of IDs for each user");
    }
}

/* ---- a database that the command does not look at ---- */

static bool in_database_zero(const struct checker *checker, struct bytes glob) {
    bool elsewhere = false;
    for (size_t i = 0; i < checker->catalog->pattern_count; i++) {
        const struct pattern *pattern = checker_pattern(checker, i);
        struct bytes text = bytes_from_string(pattern->key.template.text);
        size_t star = words_index(glob, '*');
        if (star > text.len || memcmp(text.data, glob.data, star) != 0) continue;
        if (pattern_allows_database(pattern, 0)) return true;
        elsewhere = true;
    }
    return !elsewhere;
}

static void check_database(struct checker *checker) {
    size_t at = 0;
    struct bytes line;
    struct place place;
    while (document_next_line(checker, &at, "redis-cli --scan|redis-cli --pattern|--pattern", &line,
                              &place)) {
        size_t quote = words_find(line, "--pattern");
        struct bytes glob = words_bare(words_from(line, quote < line.len ? quote + 9 : quote));
        if (glob.len == 0 || words_have(line, "-n") || in_database_zero(checker, glob)) continue;
        checker_at(checker, SEVERITY_WARNING, "wrong-database", place,
                   "this looks at database 0, and keys of this pattern are in another one: it "
                   "finds nothing (nor does "
                   "DBSIZE count them)",
                   "redis-cli -n NUMBER");
    }
    at = 0;
    bool split = false;
    while (!split && document_next_line(checker, &at, "celery_broker_url|celery_result_backend",
                                        &line, &place)) {
        struct bytes url = words_trim(line);
        split = url.len > 2 && word_is_digit(url.data[url.len - 1]) &&
                url.data[url.len - 2] == '/' && url.data[url.len - 1] != '0';
    }
    EACH_USAGE(checker, usage) {
        if (!split || usage->usage.called || usage->usage.count == 0 ||
            words_find(usage->usage.arguments[0], "celery") != 0 || has_argument(usage, "-n"))
            continue;
        report(checker, usage, SEVERITY_WARNING, "wrong-database",
               "the broker's and the results' databases are others than 0, where this looks: it "
               "always shows nothing",
               "redis-cli -n NUMBER, or SELECT first");
        return;
    }
}

/* ---- arguments ---- */

static void check_arguments(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        if (usage->bad) continue;
        struct bytes first = usage->usage.count ? usage->usage.arguments[0] : (struct bytes){0};
        if (is_called(usage, "del|unlink") && !usage->usage.called &&
            words_index(first, '*') < first.len)
            report(
                checker, usage, SEVERITY_WARNING, "del-glob",
                "DEL takes no glob: it deletes a key whose name has a '*' in it, and nothing else",
                "redis-cli --scan --pattern '...' | xargs redis-cli UNLINK; or CATALOG PURGE");
        if (is_called(usage, "memory") && usage->usage.count == 1 && words_are(first, "usage"))
            report(checker, usage, SEVERITY_WARNING, "missing-argument",
                   "MEMORY USAGE wants a key: this is an error",
                   "MEMORY STATS, or INFO memory, for the whole server");
        for (size_t i = 1; i < usage->usage.count &&
                           words_start(bytes_from_string(usage->usage.command->name), "z");
             i++) {
            struct bytes bound = usage->usage.arguments[i];
            if (bound.len < 3 || bound.data[0] != '(' || bound.data[bound.len - 1] != ')') continue;
            report(checker, usage, SEVERITY_WARNING, "bad-range",
                   "an exclusive bound is '(' and a number, without ')': this is a syntax error, "
                   "and a shell wants it "
                   "quoted",
                   "write '(1705579140'");
        }
        if (is_called(usage, "xgroup") && has_argument(usage, "$"))
            report(checker, usage, SEVERITY_WARNING, "group-from-end",
                   "a group from '$' sees only what is added later, and creating it again fails "
                   "with BUSYGROUP",
                   "begin at 0 where nothing may be missed, and take BUSYGROUP for done");
    }
}

/* What follows a command in its block, on the same key. */
static const struct markdown_usage *
followed_by(const struct checker *checker, const struct markdown_usage *usage, const char *names) {
    const struct markdown_usage *end = checker->facts->usages + checker->facts->usage_count;
    for (const struct markdown_usage *next = usage + 1; next < end && next->block == usage->block;
         next++) {
        if (is_called(next, names) && next->key.len && bytes_equal(next->key, usage->key))
            return next;
    }
    return NULL;
}

static void check_sequences(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        if (usage->bad || usage->kind == KEY_TEXT_NONE) continue;
        if (is_called(usage, "set") && usage->usage.lifetime_ms == 0 && !usage->usage.called &&
            followed_by(checker, usage, "expire|pexpire"))
            report(checker, usage, SEVERITY_WARNING, "set-then-expire",
                   "SET and EXPIRE are two commands: a crash between them leaves a key without "
                   "lifetime",
                   "SET key value EX seconds");
        if (is_called(usage, "smembers") && followed_by(checker, usage, "del|unlink"))
            report(checker, usage, SEVERITY_WARNING, "read-then-delete",
                   "what is added between SMEMBERS and DEL is lost with the set, and what it names "
                   "stays",
                   "rename the set first and work on the renamed one, or do it in one script");
        bool session = usage->pattern != SIZE_MAX && checker->roles[usage->pattern] & ROLE_SESSION;
        if (session && usage->usage.called && is_called(usage, "get") &&
            followed_by(checker, usage, "setex|set") && followed_by(checker, usage, "del")) {
            report(checker, usage, SEVERITY_WARNING, "read-then-write",
                   "read, changed and written back: a logout in between is undone, and of two "
                   "changes at once one is "
                   "lost",
                   "a hash whose fields are set singly, or SET ... XX in a script that compares");
        }
    }
}

/* ---- JSON that loses fields ---- */

/* Whether all names of fields in one JSON text are in another. */
static bool loses_fields(struct bytes before, struct bytes after) {
    for (struct bytes rest = before; rest.len;) {
        size_t open = words_index(rest, '"');
        if (open == rest.len) return false;
        rest = words_from(rest, open + 1);
        size_t close = words_index(rest, '"');
        if (close == rest.len) return false;
        struct bytes name = words_until(rest, close);
        rest = words_from(rest, close + 1);
        bool field = rest.len && rest.data[0] == ':';
        if (field && name.len && !memmem(after.data, after.len, name.data, name.len)) return true;
        if (field) { /* past the value, when it is a text */
            size_t comma = words_index(rest, ',');
            rest = words_from(rest, comma);
        }
    }
    return false;
}

static void check_rewrites(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        bool setex = is_called(usage, "setex"), set = is_called(usage, "set");
        if (usage->bad || usage->usage.called || (!set && !setex) || usage->usage.count < 2)
            continue;
        struct bytes value = usage->usage.arguments[setex && usage->usage.count > 2 ? 2 : 1];
        if (value.len == 0 || value.data[0] != '{' || words_index(value, '"') == value.len)
            continue;
        for (const struct markdown_usage *before = checker->facts->usages; before < usage;
             before++) {
            bool old_setex = is_called(before, "setex");
            if (before->usage.called || (!old_setex && !is_called(before, "set")) ||
                before->usage.count < 3 || !bytes_equal(before->key, usage->key))
                continue;
            struct bytes old = before->usage.arguments[old_setex ? 2 : 1];
            if (old.len == 0 || old.data[0] != '{' || !loses_fields(old, value)) continue;
            report(checker, usage, SEVERITY_WARNING, "rewrite-loses-fields",
                   "this writes the whole value anew, without fields that it had: they are lost",
                   "write all fields, or keep them in a hash and set single ones");
            diagnostics_other(checker->diagnostics, before->place);
            break;
        }
    }
}

/* ---- the rest ---- */

static void check_counting(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        if (usage->bad || usage->pattern == SIZE_MAX) continue;
        bool number = false;
        for (size_t i = 2; i < usage->usage.count; i += 2) {
            struct bytes value = usage->usage.arguments[i];
            number |= value.len && word_is_digit(value.data[0]) && value.len < 9;
        }
        if (is_called(usage, "hset") && !usage->usage.called && number &&
            checker_literal(checker, usage->pattern, "stats|counts|daily|metrics"))
            report(
                checker, usage, SEVERITY_WARNING, "absolute-counts",
                "counts are written as absolute values: of two workers, one overwrites the other",
                "HINCRBY");
        if (is_called(usage, "expire") && !usage->usage.called &&
            template_find_variable(&checker_pattern(checker, usage->pattern)->key.template,
                                   BYTES("date")) <
                checker_pattern(checker, usage->pattern)->key.template.part_count)
            report(checker, usage, SEVERITY_WARNING, "expiry-from-call",
                   "EXPIRE counts from the call, not from the date in the key, and days for which "
                   "nobody calls it stay "
                   "for ever",
                   "EXPIREAT with a time reckoned from the date, at the first write");
    }
}

static void check_patterns_of_channels(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        if (!is_called(usage, "psubscribe") || usage->usage.count == 0) continue;
        struct bytes glob = usage->usage.arguments[0];
        if (glob.len < 3 || !words_end(glob, ":*")) continue;
        struct bytes base = words_until(glob, glob.len - 2);
        for (size_t i = 0; i < checker->catalog->pattern_count; i++) {
            const struct pattern *pattern = checker_pattern(checker, i);
            if (pattern->kind != PATTERN_CHANNEL ||
                !bytes_equal(bytes_from_string(pattern->key.template.text), base))
                continue;
            report(checker, usage, SEVERITY_WARNING, "glob-misses-base",
                   "this pattern does not match the channel that has its name without the ':'",
                   "subscribe to that one as well, or match 'name*'");
            diagnostics_other(checker->diagnostics, pattern->place);
        }
    }
    EACH_USAGE(checker, usage) {
        const struct markdown_usage *end = checker->facts->usages + checker->facts->usage_count;
        if (!is_called(usage, "publish") || usage->kind == KEY_TEXT_NONE) continue;
        for (const struct markdown_usage *next = usage + 1;
             next < end && next->block == usage->block; next++) {
            if (!is_called(next, "publish") || next->key.len <= usage->key.len + 1 ||
                memcmp(next->key.data, usage->key.data, usage->key.len) != 0 ||
                next->key.data[usage->key.len] != ':')
                continue;
            report(checker, next, SEVERITY_WARNING, "published-twice",
                   "the same goes to the general and to the special channel: who is subscribed to "
                   "both gets it twice",
                   "publish on one, or give messages an ID to know them by");
            diagnostics_other(checker->diagnostics, usage->place);
        }
    }
}

/* ZRANGE and others took over what these do. */
static void check_deprecated(struct checker *checker) {
    EACH_USAGE(checker, usage) {
        if (usage->bad ||
            !is_called(
                usage,
                "zrevrange|zrangebyscore|zrevrangebyscore|hmset|rpoplpush|brpoplpush|getset|setnx"))
            continue;
        diagnostics_add(checker->diagnostics, SEVERITY_NOTE, "deprecated", usage->place,
                        "%s is deprecated since Redis 6.2 and earlier", usage->usage.command->name);
        diagnostics_remedy(checker->diagnostics,
                           "ZRANGE with REV or BYSCORE, HSET, LMOVE, SET with GET or NX");
        return;
    }
}

void check_commands(struct checker *checker) {
    if (checker->facts->usage_count <= 5000) {
        check_strangers(checker);
        check_rewrites(checker);
        check_patterns_of_channels(checker);
        check_sequences(checker);
    }
    check_types(checker);
    check_scans(checker);
    check_database(checker);
    check_arguments(checker);
    check_counting(checker);
    check_deprecated(checker);
}
