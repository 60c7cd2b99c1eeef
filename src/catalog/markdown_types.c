/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What words say about the type of keys: "sorted set", "a list of ids", "JSON
 * (gzipped)", "HSET, HGETALL".
 */
#include "base/number.h"
#include "catalog/lifetime.h"
#include "catalog/markdown_inside.h"
#include "catalog/words.h"

struct type_row {
    const char *words; /* longer ones before those they begin with */
    enum pattern_type type;
    enum value_format format;
};

static const struct type_row rows[] = {
    {"sorted sets|sorted set|sorted-set|sorted_set|sortedset|zsets|zset|geospatial|geo",
     PATTERN_TYPE_ZSET, FORMAT_ANY},
    {"streams|stream", PATTERN_TYPE_STREAM, FORMAT_ANY},
    {"hashmap|hash map|hashes|hash", PATTERN_TYPE_HASH, FORMAT_ANY},
    {"sets|set", PATTERN_TYPE_SET, FORMAT_ANY},
    {"lists|list", PATTERN_TYPE_LIST, FORMAT_ANY},
    {"counters|counter", PATTERN_TYPE_STRING, FORMAT_INTEGER},
    {"strings|string|bitmaps|bitmap|hyperloglog|hll|json|integer|int|text", PATTERN_TYPE_STRING,
     FORMAT_ANY},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* The row whose word begins the text, with the word's length. */
static const struct type_row *noun_row(struct bytes text, size_t *ret_length) {
    for (size_t i = 0; i < ROWS; i++) {
        for (const char *at = rows[i].words; *at != '\0';) {
            size_t len = strcspn(at, "|");
            bool same = len <= text.len && (len == text.len || !word_is_name(text.data[len]));
            for (size_t j = 0; j < len && same; j++) same = word_lower(text.data[j]) == at[j];
            if (same) {
                *ret_length = len;
                return &rows[i];
            }
            at += len + (at[len] == '|');
        }
    }
    return NULL;
}

/* Whether "SET" is the command: "SET NX PX 30000", "SET `k`". */
static bool set_is_command(struct bytes text) {
    size_t at = words_find_whole(text, "set");
    if (at + 3 >= text.len || memcmp(text.data + at, "SET", 3) != 0) return false;
    struct bytes rest = words_from(text, at + 3), word;
    if (!words_next(&rest, &word)) return false;
    bool upper = word.len > 1;
    for (size_t i = 0; i < word.len; i++) upper &= word.data[i] >= 'A' && word.data[i] <= 'Z';
    return upper || word.data[0] == '`' || words_index(word, TEMPLATE_SEPARATOR) < word.len;
}

static struct bytes skip_articles(struct bytes text) {
    struct bytes rest = words_trim(text), word;
    while (words_next(&rest, &word) &&
           words_are(word,
                     "a|an|the|redis|plain|simple|single|one|capped|native|integer|json|small|"
                     "short|bounded")) {
        size_t length;
        if (words_are(word, "integer|json") && !noun_row(words_trim(rest), &length)) break;
        text = words_trim(rest);
    }
    return words_trim(text);
}

/* The type that a text begins with, as its own noun: "sorted set scored by time", "a list (newest
 * first)"; not "list page", "set by the worker", "hash or string". */
static const struct type_row *leading_type(struct bytes text) {
    size_t length, next_length;
    struct bytes noun = skip_articles(text), word;
    const struct type_row *row = noun_row(noun, &length);
    /* "A text" is one for people; "text" may be a type. */
    if (row && words_find(noun, "text") == 0 && noun.data != words_trim(text).data) return NULL;
    if (!row || (row->type == PATTERN_TYPE_SET && set_is_command(noun))) return NULL;
    struct bytes rest = words_from(noun, length);
    if (rest.len == 0) return row;
    if (memchr(",;.():", rest.data[0], 6)) return row;
    if (!word_is_space(rest.data[0])) return NULL;
    rest = words_trim(rest);
    if (rest.len == 0 || memchr(",;(:", rest.data[0], 4)) return row;
    bool sign = words_start(rest, "/ ") || words_start(rest, "| ") || words_start(rest, "+ ");
    if (words_start(rest, "\xe2\x86") || words_start(rest, "-> ") || words_start(rest, "=> "))
        return row;
    struct bytes behind = sign ? words_trim(words_from(rest, 2)) : rest;
    if (noun_row(behind, &next_length))
        return row->type == PATTERN_TYPE_STRING && !sign ? row : NULL;
    if (sign || words_start(rest, "- ") || words_start(rest, "\xe2\x80") ||
        word_is_digit(rest.data[0]))
        return row;
    words_next(&rest, &word);
    /* "STRING expected count": in capitals it is no word of the sentence. */
    bool capitals = row->type != PATTERN_TYPE_SET && length > 3;
    for (size_t i = 0; i < length; i++)
        capitals &= !word_is_letter(noun.data[i]) || noun.data[i] != word_lower(noun.data[i]);
    if (capitals && !words_are(word, "or|and|&")) return row;
    /* "A set tracking who reads": what it does, not what it is part of. */
    bool article = noun.data != words_trim(text).data || row->type == PATTERN_TYPE_ZSET;
    if (article && word.len > 5 && words_end(word, "ing")) return row;
    if (words_are(word, "of|containing|holding|storing|that|which|keyed|members|where|ttl|no|never|"
                        "expires|expiring|expire|per|without"))
        return row;
    bool joined =
        words_are(word, "with|scored|sorted|ordered|mapping|indexed|by|in|for|from|to|and|used|"
                        "capped|trimmed|index|blob|object|document|value|payload|array|encoded|"
                        "kept|key|score|has|is");
    if (row->type == PATTERN_TYPE_SET || words_are(word, "key|and|is|in|to|by|has"))
        joined = joined && row->type == PATTERN_TYPE_ZSET;
    return joined ? row : NULL;
}

/* The same where a title may stand before it: "Rate limit: sorted set". */
static const struct type_row *titled_type(struct bytes text) {
    const struct type_row *row = leading_type(text);
    size_t colon = words_find(text, ": ");
    if (row || colon > 40 || colon == text.len) return row;
    return leading_type(words_from(text, colon + 2));
}

enum pattern_type words_leading_type(struct bytes text) {
    const struct type_row *row = leading_type(text);
    return row ? row->type : PATTERN_TYPE_UNSTATED;
}

enum pattern_type words_type(struct bytes text, enum value_format *ret_format, bool *ret_channel) {
    enum pattern_type type = PATTERN_TYPE_UNSTATED;
    bool several = false, sorted = false;
    *ret_format = words_have(text, "json") ? FORMAT_JSON : FORMAT_ANY;
    *ret_channel = words_have_any(text, "channel|channels|pub/sub|pubsub");
    const struct type_row *leading = titled_type(text);
    if (leading) {
        for (size_t i = 0; i < ROWS; i++) {
            if (rows[i].type == leading->type && rows[i].format &&
                words_have_any(text, rows[i].words))
                *ret_format = rows[i].format;
        }
        return leading->type;
    }
    bool command = set_is_command(text);
    for (size_t i = 0; i < ROWS; i++) {
        if (!words_have_any(text, rows[i].words)) continue;
        if (command && rows[i].type == PATTERN_TYPE_SET) continue;
        if (i == 0) sorted = true;
        if (rows[i].type == PATTERN_TYPE_SET && sorted) continue;
        if (type && type != rows[i].type) {
            /* "Hash (JSON)", "List of JSON": the words behind say what is in it. */
            if (rows[i].type == PATTERN_TYPE_STRING) continue;
            several = true;
        }
        type = rows[i].type;
        if (rows[i].format) *ret_format = rows[i].format;
    }
    return several ? PATTERN_TYPE_UNSTATED : type;
}

/* "last 10", "max 100", "keep 50": how many elements a collection is trimmed to. */
uint64_t words_trimmed_to(struct bytes text) {
    static const char *const words[] = {"keep last", "last",  "keep", "max",
                                        "maximum",   "up to", "top"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t at = words_find_whole(text, words[i]);
        if (at == text.len) continue;
        struct bytes rest = words_trim(words_from(text, at + strlen(words[i])));
        size_t digits = 0;
        int64_t ms;
        size_t start, end;
        uint64_t number;
        while (digits < rest.len && word_is_digit(rest.data[digits])) digits++;
        if (digits == 0 || (duration_find(rest, &ms, &start, &end) && start == 0)) continue;
        if (number_parse_u64(words_until(rest, digits), &number)) return number;
    }
    return 0;
}

void importer_type(struct importer *importer, size_t number, struct bytes text, struct place place,
                   bool sure) {
    struct pattern *pattern = &importer->catalog->patterns[number];
    enum value_format format;
    bool channel;
    enum pattern_type type = words_type(text, &format, &channel);
    if (channel && type == PATTERN_TYPE_UNSTATED && pattern->kind != PATTERN_CHANNEL) {
        if (sure || pattern->type == PATTERN_TYPE_UNSTATED) pattern->kind = PATTERN_CHANNEL;
        return;
    }
    if (type == PATTERN_TYPE_UNSTATED) {
        if (sure && !channel && words_trim(text).len &&
            !words_are(words_bare(text), "-|any|n/a|various"))
            importer_unread(importer, place, "the type", text);
        return;
    }
    struct markdown *facts = importer->facts;
    for (size_t i = facts->statement_count; sure && i > 0; i--) {
        if (facts->statements[i - 1].pattern != number) continue;
        facts->statements[i - 1].type = type;
        break;
    }
    if (pattern->type && !(pattern->guessed & GUESS_TYPE)) return;
    if (pattern->type && !sure) return;
    pattern->type = type;
    pattern->type_place = place;
    if (format && (!pattern->value || sure)) pattern->value = format;
    pattern->guessed =
        sure ? pattern->guessed & ~(unsigned)GUESS_TYPE : pattern->guessed | GUESS_TYPE;
    if (!pattern->elements_max && type != PATTERN_TYPE_STRING)
        pattern->elements_max = words_trimmed_to(text);
}

/* Whether the word in a comment names the type of the key rather than a thing: "(Redis LIST)",
 * "Sorted set of job IDs", "Hash of all connections", "- Counter". */
bool words_name_type(struct bytes text, bool *ret_sure) {
    static const char *const starts[] = {
        "sorted set", "hash of",   "set of",  "list of", "redis stream", "redis hash", "redis list",
        "redis set",  "stream of", "counter", "hash (",  "list (",       "set (",      "pub/sub"};
    *ret_sure = true;
    if (titled_type(text)) return true;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (words_find(text, starts[i]) == 0) return true;
    }
    size_t open = words_index(text, '(');
    struct bytes inner = words_from(text, open);
    inner = words_until(inner, words_index(inner, ')'));
    enum value_format format;
    bool channel;
    if (open < text.len && inner.len < 40 && (words_type(inner, &format, &channel) || channel))
        return true;
    if (words_are(text, "hash|list|set|string|stream|sorted set|counter")) return true;
    *ret_sure = false;
    return words_end(text, " hash") || words_end(text, " JSON") || words_end(text, " counter") ||
           words_end(text, " stream") || words_have_any(text, "errors list|ids list");
}

/* A type that a command told. */
static void note_type(struct importer *importer, size_t number, enum pattern_type type,
                      struct place place, bool sure) {
    struct pattern *pattern = &importer->catalog->patterns[number];
    if (pattern->kind == PATTERN_CHANNEL || (pattern->type && !(pattern->guessed & GUESS_TYPE)))
        return;
    if (pattern->type && !sure) return;
    pattern->type = type;
    pattern->type_place = place;
    pattern->guessed =
        sure ? pattern->guessed & ~(unsigned)GUESS_TYPE : pattern->guessed | GUESS_TYPE;
}

static bool is_upper(struct bytes word) {
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < 'A' || word.data[i] > 'Z') return false;
    }
    return word.len > 2;
}

void importer_commands(struct importer *importer, size_t number, struct bytes text,
                       struct place place, bool sure) {
    enum pattern_type type = PATTERN_TYPE_UNSTATED;
    bool several = false;
    int64_t unit = 0, amount;
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        for (end = at; end < text.len && word_is_name(text.data[end]);) end++;
        struct bytes word = bytes_make(text.data + at, end - at);
        if (unit && usage_number(word, &amount) && amount <= LIFETIME_MAX_MS / unit) {
            char out[DURATION_TEXT_MAX];
            importer_lifetime(importer, number,
                              bytes_from_string(duration_format(amount * unit, out)), place, sure);
        }
        unit = 0;
        if (bytes_equal(word, BYTES("EX")) || bytes_equal(word, BYTES("EXPIRE"))) unit = 1000;
        if (bytes_equal(word, BYTES("PX")) || bytes_equal(word, BYTES("PEXPIRE"))) unit = 1;
        const struct command_facts *facts = is_upper(word) ? command_facts(word) : NULL;
        if (!facts || !facts->type) continue;
        several |= type && type != facts->type;
        type = facts->type;
    }
    if (type && !several) note_type(importer, number, type, place, sure);
}
