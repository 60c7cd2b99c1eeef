/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/top_reading.h"

#include <hiredis/hiredis.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/number.h"
#include "catalog/words.h"

const char *const figure_names[FIGURES] = {
    [FIGURE_KEYS] = "keys",       [FIGURE_BYTES] = "bytes",
    [FIGURE_READS] = "reads",     [FIGURE_HITS] = "hits",
    [FIGURE_MISSES] = "misses",   [FIGURE_WRITES] = "writes",
    [FIGURE_EXPIRED] = "expired", [FIGURE_EVICTED] = "evicted",
    [FIGURE_PURGED] = "purged",   [FIGURE_VIOLATIONS] = "violations",
};

/* ---- replies ---- */

struct bytes reply_bytes(const struct redisReply *reply) {
    if (reply && reply->str &&
        (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
         reply->type == REDIS_REPLY_ERROR))
        return bytes_make(reply->str, reply->len);
    return BYTES("");
}

const struct redisReply *reply_field(const struct redisReply *map, const char *name) {
    if (!map || !map->element) return NULL;
    for (size_t i = 0; i + 1 < map->elements; i += 2) {
        if (bytes_equal(reply_bytes(map->element[i]), bytes_from_string(name)))
            return map->element[i + 1];
    }
    return NULL;
}

int64_t reply_number(const struct redisReply *reply) {
    int64_t number = 0;
    if (reply && reply->type == REDIS_REPLY_INTEGER) return reply->integer;
    number_parse_i64(reply_bytes(reply), &number);
    return number;
}

double reply_fraction(const struct redisReply *reply) {
    double number = 0;
    if (reply && reply->type == REDIS_REPLY_INTEGER) return (double)reply->integer;
    if (!number_parse_double(reply_bytes(reply), &number) || !isfinite(number)) return 0;
    return number;
}

struct bytes info_value(struct bytes info, const char *field) {
    size_t len = strlen(field);
    struct bytes line;
    while (words_next_line(&info, &line)) {
        line = words_trim(line);
        if (line.len > len && line.data[len] == ':' && words_start(line, field))
            return words_from(line, len + 1);
    }
    return BYTES("");
}

/* ---- reading ---- */

static int64_t info_number(struct bytes info, const char *field) {
    int64_t number = 0;
    number_parse_i64(info_value(info, field), &number);
    return number;
}

static void copy_text(char *to, size_t room, struct bytes text) {
    size_t len = text.len < room ? text.len : room - 1;
    if (len) memcpy(to, text.data, len);
    to[len] = '\0';
}

static void read_head(struct bytes info, struct reading_head *ret_head) {
    struct reading_head *head = ret_head;
    copy_text(head->version, sizeof head->version, info_value(info, "keynome_version"));
    copy_text(head->run_id, sizeof head->run_id, info_value(info, "run_id"));
    head->uptime_s = info_number(info, "uptime_in_seconds");
    head->clients = info_number(info, "connected_clients");
    head->operations_s = info_number(info, "instantaneous_ops_per_sec");
    head->memory_bytes = info_number(info, "used_memory");
    head->memory_limit_bytes = info_number(info, "maxmemory");
    head->commands = info_number(info, "total_commands_processed");
    head->hits = info_number(info, "keyspace_hits");
    head->misses = info_number(info, "keyspace_misses");
    head->expired = info_number(info, "expired_keys");
    head->evicted = info_number(info, "evicted_keys");
}

/* Without what stands behind a zero byte, which no name of the catalog has. */
static char *take_text(const struct redisReply *reply) {
    struct bytes text = reply_bytes(reply);
    size_t len = text.len ? strnlen(text.data, text.len) : 0;
    char *copy = mem_alloc(len + 1);
    copy_text(copy, len + 1, bytes_make(text.data, len));
    return copy;
}

static void read_row(const struct redisReply *map, struct reading_row *ret_row) {
    ret_row->catalog = take_text(reply_field(map, "catalog"));
    ret_row->pattern = take_text(reply_field(map, "pattern"));
    ret_row->key = take_text(reply_field(map, "key"));
    for (unsigned i = 0; i < FIGURES; i++)
        ret_row->figures[i] = reply_number(reply_field(map, figure_names[i]));
    ret_row->operations_s = reply_fraction(reply_field(map, "operations-per-second"));
}

/* Who it is that does not know what keynome_version is. */
static enum reading_result not_keynome(struct bytes info, char ret_words[READING_WORDS_MAX]) {
    enum { VERSION_SHOWN_MAX = 32 };
    struct bytes version = info_value(info, "valkey_version");
    const char *name = version.len ? "Valkey" : "Redis";
    if (!version.len) version = info_value(info, "redis_version");
    snprintf(ret_words, READING_WORDS_MAX, "%s %.*s", name,
             (int)(version.len < VERSION_SHOWN_MAX ? version.len : VERSION_SHOWN_MAX),
             version.data);
    return READING_NOT_KEYNOME;
}

enum reading_result reading_make(const struct redisReply *info, const struct redisReply *stats,
                                 int64_t at_us, struct reading **ret_reading,
                                 char ret_words[READING_WORDS_MAX]) {
    struct bytes text = reply_bytes(info), error = reply_bytes(stats);
    ret_words[0] = '\0';
    if (!info || !stats) return READING_STRANGE;
    if (info->type == REDIS_REPLY_ERROR) {
        copy_text(ret_words, READING_WORDS_MAX, text);
        return READING_REFUSED;
    }
    if (info_value(text, "redis_version").len == 0) return READING_STRANGE;
    if (info_value(text, "keynome_version").len == 0) return not_keynome(text, ret_words);
    if (stats->type == REDIS_REPLY_ERROR) {
        copy_text(ret_words, READING_WORDS_MAX, error);
        return words_have(error, "no catalog") ? READING_NO_CATALOG : READING_REFUSED;
    }
    if (stats->type != REDIS_REPLY_ARRAY) return READING_STRANGE;
    struct reading *reading = mem_zalloc(sizeof *reading);
    reading->at_us = at_us;
    read_head(text, &reading->head);
    reading->rows = mem_zalloc((stats->elements ? stats->elements : 1) * sizeof *reading->rows);
    reading->count = stats->elements;
    for (size_t i = 0; i < stats->elements; i++) read_row(stats->element[i], &reading->rows[i]);
    *ret_reading = reading;
    return READING_FINE;
}

void reading_free(struct reading *reading) {
    if (!reading) return;
    for (size_t i = 0; i < reading->count; i++) {
        mem_free(reading->rows[i].catalog);
        mem_free(reading->rows[i].pattern);
        mem_free(reading->rows[i].key);
    }
    mem_free(reading->rows);
    mem_free(reading);
}
