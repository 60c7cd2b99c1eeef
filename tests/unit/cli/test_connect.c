/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections to a server that says what the test tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/connect.h"

enum { PATIENT_MS = 20000 };

/* Answers the first connection with a text, a bit at a time, then reads until the peer is gone. */
struct stage {
    int listener;
    unsigned port;
    pthread_t thread;
    const char *text;
    size_t len;
    bool closes;
    char heard[4096];
    size_t heard_len;
};

static void *play(void *data) {
    struct stage *stage = data;
    int fd = accept(stage->listener, NULL, NULL);
    for (size_t at = 0; fd >= 0 && at < stage->len; at++) {
        if (send(fd, stage->text + at, 1, MSG_NOSIGNAL) != 1) break;
    }
    if (stage->closes) shutdown(fd, SHUT_WR);
    ssize_t got;
    while (fd >= 0 && stage->heard_len < sizeof stage->heard - 1 &&
           (got = recv(fd, stage->heard + stage->heard_len,
                       sizeof stage->heard - 1 - stage->heard_len, 0)) > 0)
        stage->heard_len += (size_t)got;
    if (fd >= 0) close(fd);
    return NULL;
}

static void stage_open(struct stage *stage, const char *text, bool closes) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    *stage = (struct stage){.text = text, .len = strlen(text), .closes = closes};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stage->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(stage->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(stage->listener, 4), 0);
    assert_int_equal(getsockname(stage->listener, (struct sockaddr *)&address, &len), 0);
    stage->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&stage->thread, NULL, play, stage), 0);
}

static void stage_close(struct stage *stage) {
    pthread_join(stage->thread, NULL);
    close(stage->listener);
}

static struct connection *visit(const struct stage *stage, int timeout_ms, const char *user,
                                const char *rest, char *error) {
    struct connection_options options = {.program = "test", .timeout_ms = timeout_ms};
    char url[128];
    snprintf(url, sizeof url, "redis://%s127.0.0.1:%u%s", user, stage->port, rest);
    return connection_open(url, &options, error);
}

static void test_introduction(void **state) {
    (void)state;
    struct stage stage;
    char error[CONNECTION_ERROR_MAX];
    stage_open(&stage, "+OK\r\n+PONG\r\n-ERR unknown command\r\n+OK\r\n*2\r\n$1\r\na\r\n:7\r\n",
               false);
    struct connection *connection = visit(&stage, PATIENT_MS, "ann:pw@", "/3", error);
    assert_non_null(connection);
    redisReply *reply = connection_call(connection, "LIST", "all", NULL);
    assert_non_null(reply);
    assert_int_equal(reply->elements, 2);
    assert_int_equal(reply->element[1]->integer, 7);
    freeReplyObject(reply);
    assert_null(connection_error(connection));
    connection_close(connection);
    stage_close(&stage);
    assert_string_equal(stage.heard,
                        "*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$2\r\npw\r\n*1\r\n$4\r\nPING\r\n"
                        "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n"
                        "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$4\r\nLIST\r\n$3\r\nall\r\n");
}

static void test_what_is_wrong(void **state) {
    static const struct {
        const char *text;
        bool closes;
        const char *said;
    } rows[] = {
        {"-NOAUTH Authentication required.\r\n", false, "KEYNOME_PASSWORD"},
        {"-DENIED Redis is running in protected mode\r\n", true, "protected mode"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", true, "no Redis-compatible server"},
        {"\x15\x03\x01", true, "rediss://"},
        {"", true, "without a word"},
        {"+PONG\r\n+OK", true, "closed the connection"},
        {"+PONG\r\n!what\r\n", false, "not the protocol"},
        {"+PON", false, "no answer within"},
        {"", false, "no answer within"},
        {"$99999999999999999999\r\n", false, "no Redis-compatible server"},
        {"*-5\r\n", false, "no Redis-compatible server"},
        {"*2147483647\r\n", false, "no Redis-compatible server"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stage stage;
        char error[CONNECTION_ERROR_MAX] = "";
        stage_open(&stage, rows[i].text, rows[i].closes);
        int timeout_ms = strstr(rows[i].said, "no answer") ? 300 : PATIENT_MS;
        struct connection *connection = visit(&stage, timeout_ms, "", "", error);
        if (connection) fail_msg("'%s' was taken for a server", rows[i].text);
        if (!strstr(error, rows[i].said)) fail_msg("'%s': %s", rows[i].text, error);
        stage_close(&stage);
    }
}

static void test_broken_later(void **state) {
    (void)state;
    struct stage stage;
    char error[CONNECTION_ERROR_MAX];
    stage_open(&stage, "+PONG\r\n+OK\r\n:1\r\n", true);
    struct connection *connection = visit(&stage, PATIENT_MS, "", "", error);
    assert_non_null(connection);
    redisReply *reply = connection_call(connection, "DBSIZE", NULL);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    assert_null(connection_call(connection, "DBSIZE", NULL));
    assert_non_null(strstr(connection_error(connection), "closed the connection"));
    assert_null(connection_call(connection, "DBSIZE", NULL));
    connection_close(connection);
    stage_close(&stage);
}

static void test_interrupted(void **state) {
    (void)state;
    struct stage stage;
    atomic_bool stopped = true;
    char error[CONNECTION_ERROR_MAX], url[64];
    stage_open(&stage, "", false);
    struct connection_options options = {.timeout_ms = 60000, .stopped = &stopped};
    snprintf(url, sizeof url, "127.0.0.1:%u", stage.port);
    assert_null(connection_open(url, &options, error));
    assert_non_null(strstr(error, "interrupted"));
    stage_close(&stage);
}

static void test_meanings(void **state) {
    char out[CONNECTION_ERROR_MAX];
    (void)state;
    connection_explain(BYTES("NOPERM this user has no permissions to run the 'scan' command"),
                       "SCAN", out);
    assert_non_null(strstr(out, "SCAN was refused"));
    assert_non_null(strstr(out, "ACL"));
    connection_explain(BYTES("ERR odd\x1b[31m\nthing"), "SCAN", out);
    assert_string_equal(out, "SCAN was refused: ERR odd [31m thing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_introduction), cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_broken_later), cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_meanings),
    };
    unsetenv("KEYNOME_PASSWORD");
    unsetenv("REDISCLI_AUTH");
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
