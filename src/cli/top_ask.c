/* SPDX-License-Identifier: BSD-3-Clause */
/* What `keynome top` asks a server, and what it says when that gets no answer. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/top.h"

static void give_back(redisReply *reply) {
    if (reply) freeReplyObject(reply);
}

static bool send_words(struct connection *connection, const char *const *words, size_t count) {
    struct bytes arguments[8];
    for (size_t i = 0; i < count; i++) arguments[i] = bytes_from_string(words[i]);
    return connection_send(connection, arguments, count);
}

/* A reply, unless the connection breaks; then its error is told. */
static redisReply *receive(struct connection *connection, char *error) {
    redisReply *reply = connection_receive(connection);
    const char *broken = connection_error(connection);
    if (!reply && error) snprintf(error, CONNECTION_ERROR_MAX, "%s", broken ? broken : "");
    return reply;
}

static void explain(const struct connection *connection, enum reading_result result,
                    const char *words, char *error) {
    char where[ADDRESS_SHOWN_MAX];
    address_show(connection_address(connection), where);
    switch (result) {
    case READING_NOT_KEYNOME:
        snprintf(error, CONNECTION_ERROR_MAX,
                 "%s is %s, not Keynome: only Keynome counts by pattern. Start keynome-server with "
                 "--catalog FILE in its place, or have its keys looked at by `keynome audit`",
                 where, words);
        break;
    case READING_NO_CATALOG:
        snprintf(error, CONNECTION_ERROR_MAX,
                 "%s has no catalog, so there are no patterns. Load one with CATALOG LOAD FILE, or "
                 "start the server with --catalog FILE; your Markdown page of keys will do",
                 where);
        break;
    case READING_REFUSED:
        connection_explain(bytes_from_string(words), "INFO and CATALOG STATS", error);
        break;
    default:
        snprintf(error, CONNECTION_ERROR_MAX,
                 "%s answers INFO and CATALOG STATS in a way that no Keynome does", where);
        break;
    }
}

bool top_ask(struct connection *connection, struct reading **ret_reading, redisReply **ret_types,
             char *error) {
    static const char *const info[] = {"INFO", "server", "clients", "memory", "stats"};
    static const char *const stats[] = {"CATALOG", "STATS"}, *const types[] = {"CATALOG",
                                                                               "DESCRIBE"};
    char words[READING_WORDS_MAX];
    enum reading_result result = READING_STRANGE;
    send_words(connection, info, 5);
    send_words(connection, stats, 2);
    if (ret_types) send_words(connection, types, 2);
    redisReply *head = receive(connection, error);
    redisReply *rows = head ? receive(connection, error) : NULL;
    redisReply *described = rows && ret_types ? receive(connection, error) : NULL;
    bool answered = rows && (described || !ret_types);
    if (answered && head->type == REDIS_REPLY_ERROR) {
        /* Until Redis 7, INFO took one section. */
        redisReply *whole = connection_call(connection, "INFO", NULL);
        if (whole && whole->type != REDIS_REPLY_ERROR) {
            give_back(head);
            head = whole;
        } else {
            give_back(whole);
        }
    }
    if (answered) {
        result = reading_make(head, rows, clock_mono_us(), ret_reading, words);
        if (result != READING_FINE) explain(connection, result, words, error);
    }
    if (result == READING_FINE && ret_types) {
        *ret_types = described;
        described = NULL;
    }
    give_back(head);
    give_back(rows);
    give_back(described);
    return result == READING_FINE;
}

bool top_ask_detail(struct connection *connection, const char *pattern, struct detail *ret_detail) {
    char count[16];
    snprintf(count, sizeof count, "%d", TOP_VIOLATIONS);
    const char *const described[] = {"CATALOG", "DESCRIBE", pattern};
    const char *const counted[] = {"CATALOG", "STATS", pattern};
    const char *const violations[] = {"CATALOG", "VIOLATIONS", pattern, "COUNT", count};
    struct detail detail = {0};
    send_words(connection, described, 3);
    send_words(connection, counted, 3);
    send_words(connection, violations, 5);
    detail.described = receive(connection, NULL);
    detail.counted = detail.described ? receive(connection, NULL) : NULL;
    detail.violations = detail.counted ? receive(connection, NULL) : NULL;
    if (!detail.violations) {
        detail_done(&detail);
        return false;
    }
    *ret_detail = detail;
    return true;
}

void detail_done(struct detail *detail) {
    give_back(detail->described);
    give_back(detail->counted);
    give_back(detail->violations);
    *detail = (struct detail){0};
}
