/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Measuring keys: up to four questions for each, sent together for many. Between SCAN and the
 * answer a key may vanish, and a user may be allowed some questions only, or some keys only.
 */
#include <stdio.h>

#include "base/memory.h"
#include "catalog/words.h"
#include "cli/show.h"
#include "cli/survey.h"

enum { BATCH_KEYS = 64, SLACK_MS = 1000 };

static const char *const question_names[QUESTION_SIZE] = {"TYPE", "PTTL", "MEMORY USAGE"};

/* The command that tells how large a value of a type is. */
static const char *size_command(enum pattern_type type) {
    switch (type) {
    case PATTERN_TYPE_STRING: return "STRLEN";
    case PATTERN_TYPE_LIST: return "LLEN";
    case PATTERN_TYPE_HASH: return "HLEN";
    case PATTERN_TYPE_SET: return "SCARD";
    case PATTERN_TYPE_ZSET: return "ZCARD";
    case PATTERN_TYPE_STREAM: return "XLEN";
    default: return "STRLEN";
    }
}

static const struct pattern *pattern_of(const struct survey *survey, const struct survey_key *key) {
    return key->pattern ? matcher_pattern(survey->matcher, key->pattern) : NULL;
}

/* Sizes are asked for where the catalog limits them, and of strings where nothing else tells bytes.
 * Returns the type whose command is the one. */
static enum pattern_type size_question(const struct survey *survey, const struct survey_key *key) {
    const struct pattern *pattern = pattern_of(survey, key);
    enum pattern_type type = PATTERN_TYPE_UNSTATED;
    if (pattern &&
        (pattern->type == PATTERN_TYPE_STRING ? pattern->value_bytes_max : pattern->elements_max))
        type = pattern->type;
    if (survey->sizes_refused >> type & 1) type = PATTERN_TYPE_UNSTATED;
    if (!type && survey->refusals[QUESTION_BYTES] &&
        !(survey->sizes_refused >> PATTERN_TYPE_STRING & 1))
        type = PATTERN_TYPE_STRING;
    return type;
}

static bool asks(const struct survey *survey, const struct survey_key *key, int question) {
    if (question == QUESTION_SIZE) return size_question(survey, key) != PATTERN_TYPE_UNSTATED;
    return !survey->refusals[question];
}

static bool send_questions(struct survey *survey, const struct survey_key *key, bool *asked) {
    struct bytes words[3];
    for (int question = 0; question < QUESTIONS; question++) {
        size_t count = 0;
        asked[question] = asks(survey, key, question);
        if (!asked[question]) continue;
        if (question == QUESTION_TYPE) words[count++] = BYTES("TYPE");
        if (question == QUESTION_LIFETIME) words[count++] = BYTES("PTTL");
        if (question == QUESTION_BYTES) {
            words[count++] = BYTES("MEMORY");
            words[count++] = BYTES("USAGE");
        }
        if (question == QUESTION_SIZE)
            words[count++] = bytes_from_string(size_command(size_question(survey, key)));
        words[count++] = key->name;
        if (!connection_send(survey->connection, words, count)) return false;
    }
    return true;
}

struct answers {
    bool known[QUESTIONS], refused;
    enum pattern_type sized_as; /* what QUESTION_SIZE asked for */
    int type;                   /* -1: there is no such key */
    int64_t values[QUESTIONS];
};

/* An error: of this key alone, or of the question for good. */
static void take_error(struct survey *survey, int question, struct bytes text,
                       struct answers *answers) {
    if (words_start(text, "WRONGTYPE")) return;
    /* "... to access one of the keys ...", "... to access the 'x' key", beside "...
     * to run the 'x' command". */
    if (words_start(text, "NOPERM") && words_have(text, "access")) {
        answers->refused = true;
        return;
    }
    if (question == QUESTION_SIZE) survey->sizes_refused |= 1U << answers->sized_as;
    if (survey->refusals[question]) return;
    char meaning[CONNECTION_ERROR_MAX];
    const char *doing =
        question == QUESTION_SIZE ? size_command(answers->sized_as) : question_names[question];
    connection_explain(text, doing, meaning);
    survey->refusals[question] = mem_strdup(meaning);
    if (question == QUESTION_BYTES) survey->name_bytes_only = true;
}

static void take_answer(struct survey *survey, int question, const redisReply *reply,
                        struct answers *answers) {
    struct bytes text = bytes_make(reply->str, reply->str ? reply->len : 0);
    if (reply->type == REDIS_REPLY_ERROR) {
        take_error(survey, question, text, answers);
        return;
    }
    if (question == QUESTION_TYPE) {
        if (reply->type != REDIS_REPLY_STATUS && reply->type != REDIS_REPLY_STRING) return;
        answers->known[question] = true;
        answers->type = PATTERN_TYPE_UNSTATED;
        if (bytes_equal(text, BYTES("none"))) answers->type = -1;
        for (int i = PATTERN_TYPE_STRING; i < PATTERN_TYPES; i++) {
            if (bytes_equal(text, bytes_from_string(pattern_type_names[i]))) answers->type = i;
        }
        return;
    }
    answers->known[question] = reply->type == REDIS_REPLY_INTEGER;
    answers->values[question] = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
}

static void judge_lifetime(struct figures *figures, const struct survey_key *key,
                           const struct lifetime *wanted, int64_t left_ms,
                           struct measure *measure) {
    char text[64];
    if (left_ms < 0) {
        measure->traits |= 1 << TRAIT_IMMORTAL;
        if (wanted->kind == LIFETIME_LIMITED)
            survey_example(figures, EXAMPLE_IMMORTAL, key->name, "%s", "");
        return;
    }
    int64_t most_ms = wanted->maximum_ms ? wanted->maximum_ms : wanted->default_ms;
    show_duration(left_ms, text);
    if (wanted->kind == LIFETIME_NONE)
        survey_example(figures, EXAMPLE_MORTAL, key->name, "%s left", text);
    if (wanted->kind != LIFETIME_LIMITED || !most_ms || left_ms <= most_ms + SLACK_MS) return;
    measure->traits |= 1 << TRAIT_TOO_LONG;
    survey_example(figures, EXAMPLE_TOO_LONG, key->name, "%s left", text);
}

static void judge_size(struct figures *figures, const struct survey_key *key,
                       const struct pattern *pattern, const struct answers *answers,
                       struct measure *measure) {
    if (!answers->known[QUESTION_SIZE] || answers->values[QUESTION_SIZE] < 0 ||
        answers->sized_as != pattern->type)
        return;
    uint64_t size = (uint64_t)answers->values[QUESTION_SIZE];
    bool string = pattern->type == PATTERN_TYPE_STRING;
    uint64_t most = string ? pattern->value_bytes_max : pattern->elements_max;
    if (!most || size <= most) return;
    measure->traits |= string ? 1 << TRAIT_VALUE_SIZE : 1 << TRAIT_ELEMENTS;
    survey_example(figures, string ? EXAMPLE_VALUE_SIZE : EXAMPLE_ELEMENTS, key->name, "%llu %s",
                   (unsigned long long)size, string ? "bytes" : "elements");
}

static void judge(struct survey *survey, const struct survey_key *key,
                  const struct answers *answers) {
    struct figures *figures = &survey->figures[key->pattern];
    const struct pattern *pattern = pattern_of(survey, key);
    struct measure measure = {
        .hash = key->hash, .name_len = (uint32_t)key->name.len, .span = SPAN_UNKNOWN};
    int64_t left_ms = answers->known[QUESTION_LIFETIME] ? answers->values[QUESTION_LIFETIME] : -3;
    if (answers->refused) {
        measure.traits = 1 << TRAIT_REFUSED;
    } else if (answers->type == -1 || left_ms == -2) {
        measure.traits = 1 << TRAIT_VANISHED;
    } else {
        measure.type = (uint8_t)answers->type;
        if (pattern && pattern->type && answers->type && answers->type != (int)pattern->type) {
            measure.traits |= 1 << TRAIT_WRONG_TYPE;
            survey_example(figures, EXAMPLE_WRONG_TYPE, key->name, "%s",
                           pattern_type_names[answers->type]);
        }
        static const struct lifetime nothing_stated;
        if (left_ms >= -1) {
            measure.span = (uint8_t)span_of(left_ms);
            judge_lifetime(figures, key, pattern ? &pattern->lifetime : &nothing_stated, left_ms,
                           &measure);
        }
        if (pattern) judge_size(figures, key, pattern, answers, &measure);
        int64_t bytes = answers->known[QUESTION_BYTES] ? answers->values[QUESTION_BYTES] : -1;
        if (bytes < 0 && survey->refusals[QUESTION_BYTES]) {
            bytes = (int64_t)key->name.len;
            if (answers->known[QUESTION_SIZE] && answers->sized_as == PATTERN_TYPE_STRING)
                bytes += answers->values[QUESTION_SIZE] > 0 ? answers->values[QUESTION_SIZE] : 0;
        }
        measure.bytes = bytes > 0 ? (uint64_t)bytes : 0;
    }
    if (key->measure) sample_add(&figures->sample, &measure);
    if (key->note) suggest_note(survey->suggest, key->name, &measure, left_ms);
}

static bool ask_batch(struct survey *survey, const struct survey_key *const *keys, size_t count,
                      struct answers *answers) {
    bool asked[BATCH_KEYS][QUESTIONS];
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct answers){.type = PATTERN_TYPE_UNSTATED,
                                      .sized_as = size_question(survey, keys[i])};
        if (!send_questions(survey, keys[i], asked[i])) return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (int question = 0; question < QUESTIONS; question++) {
            if (!asked[i][question]) continue;
            redisReply *reply = connection_receive(survey->connection);
            if (!reply) return false;
            take_answer(survey, question, reply, &answers[i]);
            freeReplyObject(reply);
        }
    }
    return true;
}

static bool measure_batch(struct survey *survey, const struct survey_key *const *keys,
                          size_t count) {
    struct answers answers[BATCH_KEYS];
    bool knew = survey->refusals[QUESTION_BYTES] != NULL;
    if (!ask_batch(survey, keys, count, answers)) return false;
    /* Now something else is asked in its place. */
    if (!knew && survey->refusals[QUESTION_BYTES] && !ask_batch(survey, keys, count, answers))
        return false;
    for (size_t i = 0; i < count; i++) judge(survey, keys[i], &answers[i]);
    survey->measured += count;
    return true;
}

bool survey_measure(struct survey *survey, const struct survey_key *keys, size_t count) {
    const struct survey_key *batch[BATCH_KEYS];
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        if (keys[i].measure || keys[i].note) batch[waiting++] = &keys[i];
        if (waiting < BATCH_KEYS && i + 1 < count) continue;
        if (waiting && !measure_batch(survey, batch, waiting)) return false;
        waiting = 0;
    }
    return true;
}
