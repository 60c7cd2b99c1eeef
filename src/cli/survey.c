/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting, and walking databases page by page at a measured pace. */
#include "cli/survey.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "catalog/words.h"
#include "cli/seen.h"
#include "cli/show.h"

enum { PAGE_MAX = 500, PAGE_MIN = 10, PAGES_A_SECOND = 20 };

struct survey *survey_new(const struct matcher *matcher, const struct catalog *catalog,
                          struct connection *connection, const struct survey_options *options) {
    struct survey *survey = mem_zalloc(sizeof *survey);
    survey->matcher = matcher;
    survey->catalog = catalog;
    survey->connection = connection;
    survey->options = *options;
    survey->pattern_count = matcher_pattern_count(matcher);
    survey->figures = mem_zalloc((survey->pattern_count + 1) * sizeof *survey->figures);
    for (size_t i = 0; i <= survey->pattern_count; i++)
        sample_init(&survey->figures[i].sample, options->sample);
    survey->suggest = suggest_new();
    return survey;
}

void survey_free(struct survey *survey) {
    if (!survey) return;
    for (size_t i = 0; i <= survey->pattern_count; i++) {
        sample_done(&survey->figures[i].sample);
        for (int kind = 0; kind < EXAMPLES; kind++) {
            struct examples *examples = &survey->figures[i].examples[kind];
            for (size_t j = 0; j < examples->count; j++) mem_free(examples->texts[j]);
        }
    }
    for (int i = 0; i < QUESTIONS; i++) mem_free(survey->refusals[i]);
    mem_free(survey->stopped_by);
    mem_free(survey->figures);
    suggest_free(survey->suggest);
    mem_free(survey);
}

bool survey_stop(struct survey *survey, const char *why) {
    if (!survey->stopped_by) survey->stopped_by = mem_strdup(why);
    return false;
}

static bool lost(struct survey *survey) {
    const char *error = connection_error(survey->connection);
    bool asked = survey->options.stopped && *survey->options.stopped;
    return survey_stop(survey, asked ? "interrupted" : error ? error : "the connection is lost");
}

static bool refused(struct survey *survey, const redisReply *reply, const char *doing) {
    char text[CONNECTION_ERROR_MAX];
    if (reply->type == REDIS_REPLY_ERROR) {
        connection_explain(bytes_make(reply->str, reply->len), doing, text);
    } else {
        snprintf(text, sizeof text,
                 "the answer to %s makes no sense: is this a Redis-compatible "
                 "server?",
                 doing);
    }
    return survey_stop(survey, text);
}

void survey_example(struct figures *figures, enum example_kind kind, struct bytes key,
                    const char *format, ...) {
    struct examples *examples = &figures->examples[kind];
    struct buffer text;
    char detail[80];
    va_list values;
    if (examples->count == SURVEY_EXAMPLES) return;
    va_start(values, format);
    vsnprintf(detail, sizeof detail, format, values);
    va_end(values);
    buffer_init(&text, 4096);
    show_key(&text, key, SHOW_KEY_MAX);
    buffer_printf(&text, "%s%s%s", detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
    buffer_add(&text, "", 1);
    examples->texts[examples->count++] = mem_strdup(text.data);
    buffer_done(&text);
}

/* ---- databases ---- */

static struct survey_database *find_database(struct survey *survey, int number) {
    for (size_t i = 0; i < survey->database_count; i++) {
        if (survey->databases[i].number == number) return &survey->databases[i];
    }
    if (survey->database_count == SURVEY_DATABASES_MAX) return NULL;
    struct survey_database *database = &survey->databases[survey->database_count++];
    *database = (struct survey_database){.number = number, .size = -1};
    return database;
}

bool survey_choose(struct survey *survey, int number, bool named) {
    struct survey_database *database = find_database(survey, number);
    if (!database) return false;
    database->chosen = true;
    database->named = database->named || named;
    return true;
}

static struct bytes info_field(struct bytes info, const char *name) {
    struct bytes line;
    size_t len = strlen(name);
    while (words_next_line(&info, &line)) {
        if (words_start(line, name) && line.len > len && line.data[len] == ':')
            return words_from(line, len + 1);
    }
    return bytes_make(NULL, 0);
}

static void describe_server(struct survey *survey, struct bytes info) {
    struct bytes version = info_field(info, "valkey_version"),
                 own = info_field(info, "keynome_version");
    struct bytes named = info_field(info, "server_name");
    const char *name = own.len ? "Keynome" : version.len ? "Valkey" : "Redis";
    if (own.len) version = own;
    if (!version.len) version = info_field(info, "redis_version");
    if (bytes_equal(named, BYTES("keynome"))) name = "Keynome";
    struct buffer text;
    buffer_init(&text, 1024);
    show_key(&text, version, 40);
    snprintf(survey->server, sizeof survey->server, "%s %.*s",
             version.len ? name : "a server of unknown version", (int)text.len,
             text.data ? text.data : "");
    buffer_done(&text);
    survey->cluster = bytes_equal(info_field(info, "redis_mode"), BYTES("cluster")) ||
                      bytes_equal(info_field(info, "server_mode"), BYTES("cluster"));
}

/* "db3:keys=12,expires=0,..." */
static void note_databases(struct survey *survey, struct bytes info) {
    struct bytes line;
    while (words_next_line(&info, &line)) {
        size_t colon = words_index(line, ':');
        int64_t number;
        uint64_t keys;
        if (!words_start(line, "db") || colon < 3 || colon + 6 > line.len ||
            !number_parse_i64(bytes_make(line.data + 2, colon - 2), &number) || number < 0 ||
            number > CATALOG_DATABASE_MAX)
            continue;
        struct bytes rest = words_from(line, colon + 1);
        if (!words_start(rest, "keys=")) continue;
        rest = words_from(rest, 5);
        if (!number_parse_u64(words_until(rest, words_index(rest, ',')), &keys)) continue;
        struct survey_database *database = find_database(survey, (int)number);
        if (database) database->size = (int64_t)keys;
    }
}

bool survey_look_around(struct survey *survey) {
    static const char *const sections[] = {"server", "cluster", "keyspace"};
    snprintf(survey->server, sizeof survey->server, "a server of unknown version");
    for (int i = 0; i < 3; i++) {
        redisReply *reply = connection_call(survey->connection, "INFO", sections[i], NULL);
        if (!reply) return lost(survey);
        /* Refused: then it is not known. */
        if (reply->type == REDIS_REPLY_STRING) {
            struct bytes info = bytes_make(reply->str, reply->len);
            if (i == 0) describe_server(survey, info);
            if (i == 1 && bytes_equal(info_field(info, "cluster_enabled"), BYTES("1")))
                survey->cluster = true;
            if (i == 2) note_databases(survey, info);
        }
        freeReplyObject(reply);
    }
    return true;
}

/* ---- counting ---- */

void survey_count(struct survey *survey, struct survey_key *key) {
    const struct matcher *matcher = survey->matcher;
    key->pattern = matcher_find(matcher, PATTERN_KEY, key->name, key->database);
    struct figures *figures = &survey->figures[key->pattern];
    figures->keys++;
    figures->name_bytes += key->name.len;
    survey->keys++;
    key->measure = sample_wants(&figures->sample, key->hash);
    key->note = false;
    if (key->pattern == 0) {
        key->note = suggest_add(survey->suggest, key->name, key->database);
        return;
    }
    const struct pattern *pattern = matcher_pattern(matcher, key->pattern);
    if (!pattern_allows_database(pattern, key->database)) {
        figures->wrong_database++;
        survey_example(figures, EXAMPLE_DATABASE, key->name, "database %d", key->database);
    }
    if (pattern->key_bytes_max && key->name.len > pattern->key_bytes_max) {
        figures->long_names++;
        survey_example(figures, EXAMPLE_NAME, key->name, "%zu bytes", key->name.len);
    }
    struct match match;
    if (pattern->alias_count &&
        matcher_match(matcher, PATTERN_KEY, key->name, key->database, &match) && match.alias) {
        figures->legacy++;
        survey_example(figures, EXAMPLE_LEGACY, key->name, "%s", "");
    }
}

/* ---- walking ---- */

struct walk {
    struct survey *survey;
    struct survey_database *database;
    struct seen *seen;
    char cursor[24];
    int64_t started_us, shown_us;
    double cost; /* in keys, since started_us */
};

static void show_progress(struct walk *walk, bool last) {
    const struct survey *survey = walk->survey;
    int64_t now_us = clock_mono_us();
    if (!survey->options.progress || (!last && now_us - walk->shown_us < 250000)) return;
    walk->shown_us = now_us;
    double seconds = (double)(now_us - walk->started_us) / 1e6;
    double keys = (double)walk->database->keys, all = (double)walk->database->size;
    char found[SHOW_NUMBER_MAX], total[SHOW_NUMBER_MAX], left[64] = "";
    if (all > keys && keys > 0 && seconds > 1)
        snprintf(left, sizeof left, ", %.0f s left", seconds * (all - keys) / keys);
    fprintf(stderr, "\r\033[Kdatabase %d: %s of about %s keys, %.0f a second%s%s",
            walk->database->number, show_count(keys, found), all < 0 ? "?" : show_count(all, total),
            seconds > 0 ? keys / seconds : 0.0, left, last ? "\n" : "");
    fflush(stderr);
}

static bool is_stopped(const struct survey *survey) {
    return survey->options.stopped && *survey->options.stopped;
}

/* Waits until what was done is no more than the rate allows. False when interrupted. */
static bool keep_pace(struct walk *walk) {
    const struct survey *survey = walk->survey;
    if (survey->options.rate == 0) return !is_stopped(survey);
    for (;;) {
        double due_us = walk->cost * 1e6 / (double)survey->options.rate;
        double wait_us = due_us - (double)(clock_mono_us() - walk->started_us);
        if (is_stopped(survey)) return false;
        if (wait_us <= 0) return true;
        if (wait_us > 100000) wait_us = 100000;
        struct timespec pause = {0, (long)(wait_us * 1000)};
        nanosleep(&pause, NULL);
        show_progress(walk, false);
    }
}

static bool read_page(struct walk *walk, const redisReply *reply) {
    struct survey *survey = walk->survey;
    bool sane = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                reply->element[0]->type == REDIS_REPLY_STRING &&
                reply->element[1]->type == REDIS_REPLY_ARRAY &&
                reply->element[0]->len < (int)sizeof walk->cursor;
    uint64_t cursor;
    if (!sane ||
        !number_parse_u64(bytes_make(reply->element[0]->str, reply->element[0]->len), &cursor))
        return refused(survey, reply, "SCAN");
    snprintf(walk->cursor, sizeof walk->cursor, "%llu", (unsigned long long)cursor);
    const redisReply *names = reply->element[1];
    struct survey_key *keys = mem_alloc((names->elements + 1) * sizeof *keys);
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; i < names->elements && ok; i++) {
        const redisReply *name = names->element[i];
        if (name->type != REDIS_REPLY_STRING) {
            ok = refused(survey, reply, "SCAN");
            break;
        }
        struct survey_key *key = &keys[count];
        *key = (struct survey_key){.name = bytes_make(name->str, name->len),
                                   .database = walk->database->number};
        key->hash = hash_bytes(key->name) * UINT64_C(0x9e3779b97f4a7c15) +
                    (uint64_t)walk->database->number * UINT64_C(0xbf58476d1ce4e5b9);
        key->hash ^= key->hash >> 32;
        if (seen_before(walk->seen, key->hash)) {
            survey->repeats++;
            continue;
        }
        walk->database->keys++;
        survey_count(survey, key);
        count++;
    }
    uint64_t before = survey->measured;
    ok = ok && survey_measure(survey, keys, count);
    mem_free(keys);
    walk->cost +=
        (double)names->elements + SURVEY_MEASURE_COST * (double)(survey->measured - before);
    return ok || (connection_error(survey->connection) ? lost(survey) : false);
}

static bool ask_page(struct walk *walk, const char *page) {
    struct survey *survey = walk->survey;
    redisReply *reply =
        connection_call(survey->connection, "SCAN", walk->cursor, "COUNT", page, NULL);
    if (!reply) return lost(survey);
    bool ok =
        reply->type == REDIS_REPLY_ERROR ? refused(survey, reply, "SCAN") : read_page(walk, reply);
    freeReplyObject(reply);
    return ok;
}

/* True when the database is selected; *ret_skip when the server does not have it. */
static bool select_database(struct survey *survey, struct survey_database *database,
                            bool *ret_skip) {
    char number[NUMBER_I64_MAX + 1];
    snprintf(number, sizeof number, "%d", database->number);
    *ret_skip = false;
    redisReply *reply = connection_call(survey->connection, "SELECT", number, NULL);
    if (!reply) return lost(survey);
    bool error = reply->type == REDIS_REPLY_ERROR;
    struct bytes text = bytes_make(error ? reply->str : "", error ? reply->len : 0);
    bool denied = words_start(text, "NOPERM") || words_start(text, "NOAUTH");
    bool ok = true;
    if (error && database->number == 0 && !denied) error = false; /* one database, and no SELECT */
    if (error && denied) {
        ok = refused(survey, reply, "SELECT");
    } else if (error) {
        database->missing = *ret_skip = true;
    }
    freeReplyObject(reply);
    return ok;
}

static bool walk_database(struct survey *survey, struct survey_database *database) {
    bool skip;
    if (!select_database(survey, database, &skip)) return false;
    if (skip) return true;
    redisReply *size = connection_call(survey->connection, "DBSIZE", NULL);
    if (!size) return lost(survey);
    if (size->type == REDIS_REPLY_INTEGER) database->size = size->integer;
    freeReplyObject(size);
    struct walk walk = {survey, database, seen_new(), "0", clock_mono_us(), 0, 0};
    uint64_t page = survey->options.rate ? survey->options.rate / PAGES_A_SECOND : PAGE_MAX;
    char page_text[NUMBER_I64_MAX + 1], last[sizeof walk.cursor];
    page = page > PAGE_MAX ? PAGE_MAX : page < PAGE_MIN ? PAGE_MIN : page;
    snprintf(page_text, sizeof page_text, "%llu", (unsigned long long)page);
    bool ok = true;
    do {
        memcpy(last, walk.cursor, sizeof last);
        uint64_t before = survey->keys;
        ok = ask_page(&walk, page_text);
        if (ok && strcmp(last, walk.cursor) == 0 && strcmp(last, "0") != 0 &&
            survey->keys == before)
            ok = survey_stop(survey,
                             "SCAN does not get ahead: the server gives the same cursor again");
        show_progress(&walk, false);
        if (ok && !keep_pace(&walk)) ok = survey_stop(survey, "interrupted");
    } while (ok && strcmp(walk.cursor, "0") != 0);
    database->complete = ok;
    if (walk.shown_us || survey->options.progress) show_progress(&walk, true);
    seen_free(walk.seen);
    return ok;
}

void survey_run(struct survey *survey) {
    survey->started_us = clock_mono_us();
    for (size_t i = 0; i < survey->database_count; i++) {
        if (survey->databases[i].chosen && !walk_database(survey, &survey->databases[i])) break;
    }
    for (size_t i = 0; i <= survey->pattern_count; i++) {
        struct figures *figures = &survey->figures[i];
        sample_sum(&figures->sample, &figures->sums);
        figures->bytes = estimate_total(&figures->sums, figures->keys, figures->name_bytes);
        if (survey->refusals[QUESTION_BYTES] && !survey->name_bytes_only)
            figures->bytes = (struct estimate){.known = false};
    }
    survey->ended_us = clock_mono_us();
}
