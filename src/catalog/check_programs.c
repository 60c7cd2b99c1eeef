/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hazards in the programs that a document shows. Each rule looks for words of the program's text in
 * one block: enough to see the mistake, and no parser.
 */
#include <stdio.h>

#include "base/hash.h"
#include "catalog/check_inside.h"
#include "catalog/words.h"

struct code_rule {
    const char *languages; /* of the block, divided by '|' */
    const char *has;       /* all of these, divided by "&&" */
    const char *lacks;     /* none of these */
    const char *code, *what, *remedy;
};

static const char js[] = "javascript|js|typescript|ts";
static const char python[] = "python|py";

/* The first of the words that the rule wants is where it points. */
static const struct code_rule rules[] = {
    {js, ".del(...", "length", "del-of-none",
     "with nothing to delete this sends DEL without arguments, which is an error, and what follows "
     "never runs",
     "ask for the length first, or UNLINK in batches while scanning"},
    {js, "new redis({", "", "one-connection",
     "this is one connection, and no pool: once it subscribes it can do nothing else (RESP2)",
     "a connection of its own for subscriptions and for blocking commands"},
    {js, "scaniterator(&&const key of", "", "scan-yields-arrays",
     "scanIterator of current node-redis yields arrays of keys: taken for one key, it does the "
     "wrong thing",
     "for await (const keys of ...) and a loop within"},
    {js, "const taskid = await client.brpop(", ".element", "pop-is-object",
     "BRPOP answers an object {key, element}, or null after the timeout: put into a key it gives "
     "'[object Object]' "
     "or 'null'",
     "const result = await client.brPop(...); if (result) use(result.element)"},
    {js, "client.pipeline()", "", "pipeline-of-other-library",
     "node-redis has no pipeline(): that is ioredis's",
     "client.multi() ... execAsPipeline(), or just await several"},
    {js, "'incr', key&&== 1&&'expire'", "", "expiry-once",
     "the lifetime is set only by the first increment: a counter that ever loses it (PERSIST, SET, "
     "a restore) blocks "
     "for ever",
     "set the lifetime whenever TTL answers -1"},
    {"lua", "'incr', key&&== 1&&'expire'", "", "expiry-once",
     "the lifetime is set only by the first increment: a counter that ever loses it (PERSIST, SET, "
     "a restore) blocks "
     "for ever",
     "set the lifetime whenever TTL answers -1"},
    {python, "return self.redis is not none", "", "availability-once",
     "that tells whether the connection was made once: when the server dies later, it still says "
     "yes, no fallback "
     "is taken, and when it was down at the start nothing tries again",
     "take the fallback where a command fails, and connect anew"},
    {python, "json.dumps(value) if not isinstance(value, str)", "", "parse-of-raw",
     "texts are written as they are and parsed when read: the text \"123\" comes back as a number",
     "json.dumps always"},
    {python, "ttl or self.", "", "zero-is-default",
     "'ttl or default' takes a lifetime of 0 for none given", "default if ttl is None else ttl"},
    {python, ".set(key, value, expire=", "", "unknown-option",
     "redis-py's set() has no 'expire': on a stock client this is a TypeError", "ex=seconds"},
    {python, "maxlen=&&xadd", "", "trim-before-ack",
     "the stream is trimmed whatever consumers have done: a group that is slow loses what it has "
     "not read",
     "trim by MINID behind the slowest group, or make room for the longest outage"},
    {"bash|sh|shell|redis|", "unpack(redis.call('keys'", "", "eval-keys",
     "unpack of many keys fails (\"too many results to unpack\"), KEYS blocks the server "
     "meanwhile, and keys that are "
     "not declared are refused by a cluster",
     "SCAN with UNLINK in batches; or CATALOG PURGE"},
    {"bash|sh|shell|redis|", "call('del', unpack(redis.call('keys'", "", "del-of-none",
     "when nothing matches, DEL gets no argument and fails", "ask for the number of keys first"},
    {"yaml|yml", "redis-server&&6379:6379", "requirepass", "open-port",
     "the port is published and the server demands no password: the variable alone sets none",
     "redis-server --requirepass, and publish on 127.0.0.1 only"},
    {"yaml|yml|bash|sh", "appendonly yes", "appendfsync", "fsync-default",
     "with appendonly and no appendfsync, about a second of writes is lost at a crash of the "
     "machine",
     "appendfsync always for what must not be lost, or say that a second may be"},
};

/* Every part of a "&&" list is in the text; the first one's place goes to ret_at. */
static bool has_all(struct bytes text, const char *list, size_t *ret_at) {
    bool first = true;
    for (const char *at = list; *at != '\0';) {
        const char *end = strstr(at, "&&");
        char words[80];
        size_t len = end ? (size_t)(end - at) : strlen(at);
        if (len >= sizeof words) return false;
        memcpy(words, at, len);
        words[len] = '\0';
        size_t found = words_find(text, words);
        if (found == text.len) return false;
        if (first) *ret_at = found;
        first = false;
        at += len + (end ? 2 : 0);
    }
    return true;
}

static bool has_any(struct bytes text, const char *list) {
    for (const char *at = list; *at != '\0';) {
        char words[80];
        size_t len = strcspn(at, "|");
        if (len >= sizeof words) return false;
        memcpy(words, at, len);
        words[len] = '\0';
        if (words_find(text, words) < text.len) return true;
        at += len + (at[len] == '|');
    }
    return false;
}

static bool in_language(const struct block *block, const char *languages) {
    if (words_are(block->info, languages)) return true;
    return block->info.len == 0 && languages[strlen(languages) - 1] == '|';
}

/* Whether the line where a match stands, or the comment above it, shows what not to do. */
static bool is_bad_there(struct bytes text, size_t at) {
    size_t start = at, lines = 0;
    while (start > 0 && lines < 3) {
        start--;
        if (text.data[start] == '\n') lines++;
    }
    struct bytes before = bytes_make(text.data + start, at - start);
    return words_have_any(before, "bad|wrong|don't|avoid");
}

static void run_rules(struct checker *checker) {
    const struct document *document = checker->facts->document;
    bool told[sizeof rules / sizeof *rules] = {false};
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        if (block->kind != BLOCK_CODE) continue;
        for (size_t j = 0; j < sizeof rules / sizeof *rules; j++) {
            const struct code_rule *rule = &rules[j];
            size_t at = 0;
            if (told[j] || !in_language(block, rule->languages) ||
                !has_all(block->text, rule->has, &at) ||
                (*rule->lacks && has_any(block->text, rule->lacks)) ||
                is_bad_there(block->text, at))
                continue;
            told[j] = true;
            checker_at(checker, SEVERITY_WARNING, rule->code, block_place(checker, block, at),
                       rule->what, rule->remedy);
        }
    }
}

/* ---- names that nothing imports ---- */

static void check_imports(struct checker *checker, const struct block *block) {
    static const char *const names[] = {"datetime", "json", "asyncio",
                                        "settings", "uuid", "logging"};
    if (!words_are(block->info, python) || words_find(block->text, "import ") == block->text.len)
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char use[40];
        struct bytes rest = block->text, line;
        bool imported = false;
        snprintf(use, sizeof use, "%s.", names[i]);
        size_t at = words_find_whole(block->text, use);
        if (at == block->text.len || (at > 0 && block->text.data[at - 1] == '.')) continue;
        while (words_next_line(&rest, &line)) {
            struct bytes words = words_trim(line);
            if ((words_start(words, "import ") || words_start(words, "from ")) &&
                words_have(words, names[i]))
                imported = true;
        }
        if (imported) continue;
        diagnostics_add(
            checker->diagnostics, SEVERITY_WARNING, "not-imported", block_place(checker, block, at),
            "'%s' is used and not imported: this raises NameError when it runs", names[i]);
        diagnostics_remedy(checker->diagnostics, "import it");
    }
}

/* ---- calls ---- */

static bool is_called(const struct markdown_usage *usage, const char *names) {
    return usage->usage.called && words_are(bytes_from_string(usage->usage.command->name), names);
}

static void check_calls(struct checker *checker) {
    const struct markdown *facts = checker->facts;
    const struct markdown_usage *blocking = NULL, *whole = NULL, *health = NULL;
    bool own = document_has(checker, "duplicate()|.duplicate"), others = false;
    for (size_t i = 0; i < facts->usage_count; i++) {
        const struct markdown_usage *usage = &facts->usages[i];
        if (usage->bad || !usage->usage.called) continue;
        if (is_called(usage, "brpop|blpop|blmove|bzpopmin") && !blocking) blocking = usage;
        others |= is_called(usage, "lpush|rpush|hset|get");
        bool global = usage->pattern != SIZE_MAX && checker_variables(checker, usage->pattern) == 0;
        if (is_called(usage, "hgetall|smembers") && global && !whole) whole = usage;
        if (is_called(usage, "hset|hmset") && usage->kind == KEY_TEXT_LITERAL &&
            words_have(usage->key, "health") && !health)
            health = usage;
    }
    if (blocking && others && !own)
        checker_at(checker, SEVERITY_WARNING, "blocking-shared", blocking->place,
                   "a blocking command holds up everything else on its connection until it returns",
                   "a connection of its own for the worker: client.duplicate()");
    if (whole)
        checker_at(checker, SEVERITY_WARNING, "reads-all", whole->place,
                   "this reads the whole collection, of everybody, to find a few: the work grows "
                   "with all there is",
                   "an index for what is asked: a set for each user, flow or tenant");
    if (health)
        checker_at(checker, SEVERITY_WARNING, "health-key-shared", health->place,
                   "fixed names, and a hash without lifetime: two checks at once disturb each "
                   "other, and a crash leaves "
                   "the key behind",
                   "a name of its own for each check, and a lifetime on all of them");
}

/* ---- node-redis ---- */

static void check_node(struct checker *checker) {
    struct bytes line;
    struct place place;
    size_t at = 0;
    if (document_next_line(checker, &at, "createclient()|redis.createclient", &line, &place) &&
        !document_has(checker, ".connect()"))
        checker_at(checker, SEVERITY_WARNING, "not-connected", place,
                   "a client of node-redis that is never connected fails every command: \"The "
                   "client is closed\"",
                   "await client.connect()");
    const struct document *document = checker->facts->document;
    for (size_t i = 0; i < document->count; i++) {
        const struct block *block = &document->blocks[i];
        size_t pop = words_find(block->text, "= await client.zpopmax(");
        if (block->kind != BLOCK_CODE || pop == block->text.len ||
            words_find(block->text, "if (") < block->text.len ||
            words_find(words_from(block->text, pop), ".value") == block->text.len - pop)
            continue;
        checker_at(checker, SEVERITY_WARNING, "pop-of-none", block_place(checker, block, pop),
                   "ZPOPMAX on an empty set answers null: reading a field of it throws",
                   "if (result) ...");
        return;
    }
}

/* ---- clocks ---- */

static bool has_seconds(struct bytes text, struct bytes name) {
    for (struct bytes rest = text; rest.len;) {
        const char *found = memmem(rest.data, rest.len, name.data, name.len);
        if (!found) return false;
        rest = words_from(rest, (size_t)(found - rest.data) + name.len);
        size_t at = 0, digits;
        while (at < rest.len && at < 6 && memchr("\": ", rest.data[at], 3)) at++;
        for (digits = at; digits < rest.len && word_is_digit(rest.data[digits]);) digits++;
        if (at > 0 && digits - at == 10) return true;
    }
    return false;
}

static void check_units(struct checker *checker) {
    static const char *const names[] = {"created_at", "last_activity", "started_at", "timestamp",
                                        "updated_at"};
    const struct document *document = checker->facts->document;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct bytes name = bytes_from_string(names[n]);
        char use[60];
        snprintf(use, sizeof use, "%s: date.now()", names[n]);
        if (!has_seconds(document->source, name) ||
            words_find(document->source, use) == document->source.len)
            continue;
        struct bytes line;
        struct place place;
        size_t at = 0;
        if (!document_next_line(checker, &at, use, &line, &place)) continue;
        checker_at(checker, SEVERITY_WARNING, "seconds-or-milliseconds", place,
                   "this time is milliseconds here and seconds elsewhere in the document: what is "
                   "compared is wrong by a "
                   "factor of 1000",
                   "one unit everywhere, and its name in the field's");
        return;
    }
}

/* MULTI: what is enqueued and what is written are of one ID; keys are in one
 * slot; nothing is rolled back. */
static void check_transactions(struct checker *checker) {
    const struct markdown *facts = checker->facts;
    const struct markdown_usage *multi = NULL, *push = NULL;
    struct bytes first = {0};
    bool several = false;
    for (size_t i = 0; i < facts->usage_count; i++) {
        const struct markdown_usage *usage = &facts->usages[i];
        struct bytes name = bytes_from_string(usage->usage.command->name);
        if (usage->usage.called) continue;
        if (words_are(name, "multi")) {
            multi = usage;
            push = NULL;
            first = (struct bytes){0};
            several = false;
        } else if (!multi || multi->block != usage->block) {
            continue;
        } else if (words_are(name, "exec")) {
            if (several)
                checker_at(checker, SEVERITY_NOTE, "transaction-slots", multi->place,
                           "the keys of this transaction have no hash tag in common: on Redis "
                           "Cluster it fails with "
                           "CROSSSLOT",
                           "put the same {tag} into keys that change together");
            multi = NULL;
        } else if (usage->key.len) {
            if (first.len && !bytes_equal(hash_tag(first), hash_tag(usage->key))) several = true;
            if (!first.len) first = usage->key;
            if (words_are(name, "lpush|rpush") && usage->usage.count > 1) push = usage;
            if (!words_are(name, "hset|set|hmset") || !push) continue;
            struct bytes id = push->usage.arguments[1], key = usage->key;
            size_t colon = key.len;
            while (colon > 0 && key.data[colon - 1] != ':') colon--;
            struct bytes tail = words_from(key, colon);
            if (tail.len == 0 || bytes_equal(tail, id) ||
                !memmem(id.data, id.len, tail.data, tail.len))
                continue;
            diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "ids-differ", usage->place,
                            "what is enqueued is '%.*s' and what is written belongs to '%.*s': a "
                            "worker that builds the "
                            "key from the queue finds nothing",
                            (int)id.len, id.data, (int)tail.len, tail.data);
            diagnostics_remedy(checker->diagnostics, "use one form of the ID");
        }
    }
}

void check_programs(struct checker *checker) {
    const struct document *document = checker->facts->document;
    run_rules(checker);
    for (size_t i = 0; i < document->count; i++) {
        if (document->blocks[i].kind == BLOCK_CODE) check_imports(checker, &document->blocks[i]);
    }
    check_calls(checker);
    check_node(checker);
    check_units(checker);
    check_transactions(checker);
}
