/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/usage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "catalog/words.h"

#define R        USAGE_READ
#define W        USAGE_WRITE
#define WC       (USAGE_WRITE | USAGE_CREATES)
#define STRING   PATTERN_TYPE_STRING
#define LIST     PATTERN_TYPE_LIST
#define HASH     PATTERN_TYPE_HASH
#define SET      PATTERN_TYPE_SET
#define ZSET     PATTERN_TYPE_ZSET
#define STREAM   PATTERN_TYPE_STREAM
#define UNSTATED PATTERN_TYPE_UNSTATED

/* Sorted by name. */
static const struct command_facts commands[] = {
    /* clang-format off */
    {"acl", UNSTATED, USAGE_SERVER},
    {"append", STRING, WC},
    {"auth", UNSTATED, USAGE_SERVER},
    {"bgrewriteaof", UNSTATED, USAGE_SERVER},
    {"bgsave", UNSTATED, USAGE_SERVER},
    {"bitcount", STRING, R},
    {"blmove", LIST, W},
    {"blpop", LIST, W},
    {"brpop", LIST, W},
    {"brpoplpush", LIST, W},
    {"bzpopmax", ZSET, W},
    {"bzpopmin", ZSET, W},
    {"client", UNSTATED, USAGE_SERVER},
    {"config", UNSTATED, USAGE_SERVER},
    {"copy", UNSTATED, W},
    {"dbsize", UNSTATED, USAGE_SERVER},
    {"debug", UNSTATED, USAGE_SERVER},
    {"decr", STRING, WC},
    {"decrby", STRING, WC},
    {"del", UNSTATED, W | USAGE_MANY},
    {"discard", UNSTATED, USAGE_SERVER},
    {"dump", UNSTATED, R},
    {"eval", UNSTATED, USAGE_SERVER},
    {"evalsha", UNSTATED, USAGE_SERVER},
    {"exec", UNSTATED, USAGE_SERVER},
    {"exists", UNSTATED, R | USAGE_MANY},
    {"expire", UNSTATED, W | USAGE_EXPIRES},
    {"expireat", UNSTATED, W},
    {"expiretime", UNSTATED, R},
    {"flushall", UNSTATED, USAGE_SERVER},
    {"flushdb", UNSTATED, USAGE_SERVER},
    {"geoadd", ZSET, WC},
    {"get", STRING, R},
    {"getbit", STRING, R},
    {"getdel", STRING, W},
    {"getex", STRING, W},
    {"getrange", STRING, R},
    {"getset", STRING, WC},
    {"hdel", HASH, W},
    {"hexists", HASH, R},
    {"hget", HASH, R},
    {"hgetall", HASH, R},
    {"hincrby", HASH, WC},
    {"hincrbyfloat", HASH, WC},
    {"hkeys", HASH, R},
    {"hlen", HASH, R},
    {"hmget", HASH, R},
    {"hmset", HASH, WC},
    {"hscan", HASH, R},
    {"hset", HASH, WC},
    {"hsetnx", HASH, WC},
    {"hstrlen", HASH, R},
    {"hvals", HASH, R},
    {"incr", STRING, WC},
    {"incrby", STRING, WC},
    {"incrbyfloat", STRING, WC},
    {"info", UNSTATED, USAGE_SERVER},
    {"keys", UNSTATED, R | USAGE_GLOB},
    {"lastsave", UNSTATED, USAGE_SERVER},
    {"latency", UNSTATED, USAGE_SERVER},
    {"lindex", LIST, R},
    {"linsert", LIST, WC},
    {"llen", LIST, R},
    {"lmove", LIST, W},
    {"lpop", LIST, W},
    {"lpos", LIST, R},
    {"lpush", LIST, WC},
    {"lpushx", LIST, W},
    {"lrange", LIST, R},
    {"lrem", LIST, WC},
    {"lset", LIST, WC},
    {"ltrim", LIST, WC},
    {"memory", UNSTATED, USAGE_SERVER},
    {"mget", STRING, R | USAGE_MANY},
    {"monitor", UNSTATED, USAGE_SERVER},
    {"multi", UNSTATED, USAGE_SERVER},
    {"object", UNSTATED, R},
    {"persist", UNSTATED, W},
    {"pexpire", UNSTATED, W | USAGE_EXPIRES},
    {"pexpireat", UNSTATED, W},
    {"pfadd", STRING, WC},
    {"pfcount", STRING, R},
    {"ping", UNSTATED, USAGE_SERVER},
    {"psetex", STRING, WC | USAGE_EXPIRES},
    {"psubscribe", UNSTATED, USAGE_CHANNEL | USAGE_GLOB},
    {"pttl", UNSTATED, R},
    {"publish", UNSTATED, USAGE_CHANNEL},
    {"punsubscribe", UNSTATED, USAGE_CHANNEL | USAGE_GLOB},
    {"rename", UNSTATED, W},
    {"renamenx", UNSTATED, W},
    {"rpop", LIST, W},
    {"rpoplpush", LIST, W},
    {"rpush", LIST, WC},
    {"rpushx", LIST, W},
    {"sadd", SET, WC},
    {"save", UNSTATED, USAGE_SERVER},
    {"scan", UNSTATED, R | USAGE_GLOB},
    {"scard", SET, R},
    {"script", UNSTATED, USAGE_SERVER},
    {"sdiff", SET, R | USAGE_MANY},
    {"select", UNSTATED, USAGE_SERVER},
    {"set", STRING, WC},
    {"setbit", STRING, WC},
    {"setex", STRING, WC | USAGE_EXPIRES},
    {"setnx", STRING, WC},
    {"setrange", STRING, WC},
    {"sinter", SET, R | USAGE_MANY},
    {"sismember", SET, R},
    {"slowlog", UNSTATED, USAGE_SERVER},
    {"smembers", SET, R},
    {"smismember", SET, R},
    {"smove", SET, W},
    {"spop", SET, W},
    {"spublish", UNSTATED, USAGE_CHANNEL},
    {"srandmember", SET, R},
    {"srem", SET, W},
    {"sscan", SET, R},
    {"ssubscribe", UNSTATED, USAGE_CHANNEL},
    {"strlen", STRING, R},
    {"subscribe", UNSTATED, USAGE_CHANNEL},
    {"sunion", SET, R | USAGE_MANY},
    {"swapdb", UNSTATED, USAGE_SERVER},
    {"time", UNSTATED, USAGE_SERVER},
    {"touch", UNSTATED, R | USAGE_MANY},
    {"ttl", UNSTATED, R},
    {"type", UNSTATED, R},
    {"unlink", UNSTATED, W | USAGE_MANY},
    {"unsubscribe", UNSTATED, USAGE_CHANNEL},
    {"watch", UNSTATED, R | USAGE_MANY},
    {"xack", STREAM, W},
    {"xadd", STREAM, WC},
    {"xautoclaim", STREAM, W},
    {"xclaim", STREAM, W},
    {"xdel", STREAM, W},
    {"xgroup", STREAM, WC},
    {"xinfo", STREAM, R},
    {"xlen", STREAM, R},
    {"xpending", STREAM, R},
    {"xrange", STREAM, R},
    {"xrevrange", STREAM, R},
    {"xtrim", STREAM, W},
    {"zadd", ZSET, WC},
    {"zcard", ZSET, R},
    {"zcount", ZSET, R},
    {"zincrby", ZSET, WC},
    {"zmscore", ZSET, R},
    {"zpopmax", ZSET, W},
    {"zpopmin", ZSET, W},
    {"zrange", ZSET, R},
    {"zrangebylex", ZSET, R},
    {"zrangebyscore", ZSET, R},
    {"zrank", ZSET, R},
    {"zrem", ZSET, W},
    {"zremrangebyrank", ZSET, W},
    {"zremrangebyscore", ZSET, W},
    {"zrevrange", ZSET, R},
    {"zrevrangebyscore", ZSET, R},
    {"zrevrank", ZSET, R},
    {"zscan", ZSET, R},
    {"zscore", ZSET, R},
    /* clang-format on */
};

enum { COMMANDS = sizeof commands / sizeof *commands, COMMAND_NAME_MAX = 24 };

static int compare_names(const void *name, const void *row) {
    return strcmp(name, ((const struct command_facts *)row)->name);
}

const struct command_facts *command_facts(struct bytes name) {
    char lower[COMMAND_NAME_MAX];
    if (name.len < 2 || name.len >= sizeof lower) return NULL;
    for (size_t i = 0; i < name.len; i++) lower[i] = word_lower(name.data[i]);
    lower[name.len] = '\0';
    return bsearch(lower, commands, COMMANDS, sizeof *commands, compare_names);
}

bool usage_number(struct bytes text, int64_t *ret_number) {
    int64_t product = 1;
    text = words_trim(text);
    if (text.len == 0 || text.len > 60) return false;
    for (size_t at = 0; at < text.len;) {
        int64_t number = 0;
        size_t start = at;
        while (at < text.len && (word_is_digit(text.data[at]) || text.data[at] == '_')) {
            if (text.data[at] != '_') number = number * 10 + (text.data[at] - '0');
            if (number > INT64_C(1000000000000)) return false;
            at++;
        }
        if (at == start || number == 0 || product > INT64_C(1000000000000) / number) return false;
        product *= number;
        while (at < text.len && text.data[at] == ' ') at++;
        if (at == text.len) break;
        if (text.data[at++] != '*') return false;
        while (at < text.len && text.data[at] == ' ') at++;
        if (at == text.len) return false;
    }
    *ret_number = product;
    return true;
}

/* A number, or a product, right before a position. */
static bool number_before(struct bytes text, size_t at, int64_t *ret_number) {
    size_t end = at, start;
    while (end > 0 && memchr(" *(.", text.data[end - 1], 4)) end--;
    for (start = end; start > 0 && memchr("0123456789_* ", text.data[start - 1], 13);) start--;
    return usage_number(bytes_make(text.data + start, end - start), ret_number);
}

bool usage_duration(struct bytes text, int64_t *ret_ms) {
    /* How programs write units: the word, what comes behind it, whether
     * the number stands before. */
    static const struct {
        const char *front, *back;
        bool before;
    } forms[] = {{"of", "(", false},
                 {"From", "(", false},
                 {"", "=", false},
                 {"time.", "", true},
                 {".", "", true}};
    static const char *const units[] = {"week", "day", "hour", "minute", "second", "milli"};
    static const int64_t ms[] = {INT64_C(604800000), 86400000, 3600000, 60000, 1000, 1};
    if (text.len > 200) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t at = words_find(text, units[i]), end = at + strlen(units[i]);
        if (at == text.len) continue;
        while (end < text.len && word_is_letter(text.data[end])) end++;
        for (size_t j = 0; j < sizeof forms / sizeof *forms; j++) {
            int64_t number = 1;
            struct bytes rest = words_from(text, end);
            if (!words_end(words_until(text, at), forms[j].front) ||
                !words_start(rest, forms[j].back))
                continue;
            if (forms[j].before) {
                bool bare = at == strlen(forms[j].front);
                if (!number_before(text, at - strlen(forms[j].front), &number) && !bare) continue;
            } else {
                size_t close = 1;
                while (close < rest.len && memchr("0123456789_* ", rest.data[close], 13)) close++;
                if (!usage_number(bytes_make(rest.data + 1, close - 1), &number)) continue;
            }
            if (number <= 0 || number > LIFETIME_MAX_MS / ms[i]) return false;
            *ret_ms = number * ms[i];
            return true;
        }
    }
    return false;
}

/* Takes an argument off the front: a word, or what stands in quotes. False at
 * the end and at a comment. */
static bool next_argument(struct bytes *rest, struct bytes *ret_argument) {
    while (rest->len && word_is_space(rest->data[0])) *rest = words_from(*rest, 1);
    if (rest->len == 0 || rest->data[0] == '#' || words_start(*rest, "//") ||
        words_start(*rest, "|"))
        return false;
    char quote = rest->data[0];
    if (quote == '"' || quote == '\'') {
        size_t end = 1;
        while (end < rest->len && rest->data[end] != quote) end += 1 + (rest->data[end] == '\\');
        if (end > rest->len) end = rest->len;
        *ret_argument = bytes_make(rest->data + 1, end - 1);
        *rest = words_from(*rest, end < rest->len ? end + 1 : end);
        return true;
    }
    return words_next(rest, ret_argument);
}

static bool is_upper_word(struct bytes word) {
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < 'A' || word.data[i] > 'Z') return false;
    }
    return word.len > 1;
}

/* Which argument is the key: that of XGROUP CREATE key, OBJECT ENCODING key is the second. */
static void drop_subcommand(struct usage *usage) {
    if (usage->count < 2 ||
        !words_are(bytes_from_string(usage->command->name), "xgroup|xinfo|object"))
        return;
    memmove(usage->arguments, usage->arguments + 1, --usage->count * sizeof *usage->arguments);
}

/* Options of a call have their name before a colon: "EX: 300", "ex=300". */
static int64_t option_seconds(const struct usage *usage) {
    for (size_t i = 1; i < usage->count; i++) {
        struct bytes option = usage->arguments[i], value = {0};
        size_t at = 0;
        int64_t number;
        while (at < option.len && memchr("{( ", option.data[at], 3)) at++;
        option = words_from(option, at);
        for (at = 0; at < option.len && word_is_letter(option.data[at]);) at++;
        struct bytes name = words_until(option, at);
        if (!words_are(name, "ex|px|expire|ttl")) continue;
        while (at < option.len && memchr(":= ", option.data[at], 3)) at++;
        value = words_from(option, at);
        if (value.len == 0 && i + 1 < usage->count) value = usage->arguments[i + 1];
        while (value.len && memchr("}) ", value.data[value.len - 1], 3)) value.len--;
        int64_t ms;
        if (usage_duration(value, &ms)) return ms;
        if (!usage_number(value, &number)) return -1;
        return words_are(name, "px") ? number : number * 1000;
    }
    return 0;
}

/* set(key, value, 10*time.Minute), set(key, value, 5, TimeUnit.MINUTES):
 * what options do not say. */
static int64_t argument_lifetime(const struct usage *usage) {
    int64_t ms = usage->lifetime_ms, number;
    struct bytes unit = usage->count >= 4 ? usage->arguments[3] : (struct bytes){0};
    if (words_start(unit, "TimeUnit.") || words_start(unit, "ChronoUnit.")) {
        unit = words_from(unit, words_index(unit, '.') + 1);
        char text[64];
        if (!usage_number(usage->arguments[2], &number) || unit.len > 12) return ms;
        snprintf(text, sizeof text, "%lld %.*s", (long long)number, (int)unit.len, unit.data);
        size_t start, end;
        return duration_find(bytes_from_string(text), &number, &start, &end) ? number : ms;
    }
    if (usage->count >= 3 && usage_duration(usage->arguments[2], &number)) return number;
    return ms;
}

void usage_find_lifetime(struct usage *usage) {
    struct bytes name = bytes_from_string(usage->command->name);
    int64_t number;
    usage->lifetime_ms = -1;
    int64_t ms;
    if ((usage->command->flags & USAGE_EXPIRES) && usage->count >= 2 &&
        usage_duration(usage->arguments[1], &ms)) {
        usage->lifetime_ms = ms;
    } else if ((usage->command->flags & USAGE_EXPIRES) && usage->count >= 2 &&
               usage_number(usage->arguments[1], &number)) {
        usage->lifetime_ms = words_are(name, "psetex|pexpire") ? number : number * 1000;
    } else if (words_are(name, "set") && usage->count >= 2) {
        usage->lifetime_ms = option_seconds(usage);
        if (usage->called && usage->lifetime_ms <= 0) usage->lifetime_ms = argument_lifetime(usage);
    }
}

/* Past the options of redis-cli, whose values are not the command. */
static void skip_options(struct bytes *rest) {
    for (;;) {
        struct bytes before = *rest, word;
        if (!next_argument(rest, &word)) return;
        if (word.len == 0 || word.data[0] != '-') {
            *rest = before;
            return;
        }
        if (words_are(word, "-a|-n|-h|-p|-u|-s|-r|-i|--user|--pass")) {
            struct bytes value;
            next_argument(rest, &value);
        }
    }
}

static struct bytes skip_prompt(struct bytes line) {
    line = words_trim(line);
    size_t at = 0;
    while (at < line.len && word_is_digit(line.data[at])) at++;
    if (at && at < line.len && line.data[at] == '.') line = words_trim(words_from(line, at + 1));
    size_t prompt = words_find(line, "> ");
    if (prompt < line.len && words_index(line, ' ') > prompt)
        line = words_trim(words_from(line, prompt + 2));
    if (words_start(line, "$ ") || words_start(line, "- ")) line = words_trim(words_from(line, 2));
    return line;
}

bool usage_read_line(struct bytes line, struct usage *ret_usage) {
    struct usage usage = {.text = words_trim(line)};
    struct bytes rest = skip_prompt(line), word;
    size_t cli = words_find_whole(rest, "redis-cli");
    if (cli < rest.len && rest.data[0] != '#') {
        usage.shell = true;
        rest = words_from(rest, cli + 9);
        skip_options(&rest);
    }
    if (!next_argument(&rest, &word)) return false;
    if (!usage.shell && !is_upper_word(word)) return false;
    usage.command = command_facts(word);
    if (!usage.command) return false;
    while (usage.count < USAGE_ARGUMENTS_MAX && next_argument(&rest, &word))
        usage.arguments[usage.count++] = word;
    drop_subcommand(&usage);
    usage_find_lifetime(&usage);
    *ret_usage = usage;
    return true;
}
