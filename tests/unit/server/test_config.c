/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration: what a file may say, what CONFIG SET may, and what a rewritten file says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "server/config.h"

static bool load(struct config *config, const char *text, struct config_error *error) {
    return config_load_text(config, bytes_from_string(text), "test.conf", error);
}

/* The file is read, and the directive has this text. */
static void expect(const char *file, const char *name, const char *text) {
    struct config_error error;
    struct config *config = config_new();
    if (!load(config, file, &error)) fail_msg("%s: %s", file, error.text);
    assert_string_equal(config_peek(config, name), text);
    config_free(config);
}

/* The file is refused at this line, for this reason. */
static void expect_error(const char *file, int line, const char *reason) {
    struct config_error error = {""};
    struct config *config = config_new();
    char place[64];
    assert_false(load(config, file, &error));
    snprintf(place, sizeof place, "test.conf, at line %d", line);
    assert_non_null(strstr(error.text, place));
    if (!strstr(error.text, reason)) fail_msg("'%s' does not say '%s'", error.text, reason);
    config_free(config);
}

static bool set(struct config *config, const char *name, const char *value,
                struct config_error *error) {
    struct config_change change = {bytes_from_string(name), bytes_from_string(value)};
    return config_set(config, &change, 1, false, error);
}

static void values_of_every_kind(void **state) {
    (void)state;
    expect("", "timeout", "0");
    expect("timeout 5", "timeout", "5");
    expect("\n# timeout 7\n   \t\n  TimeOut\t5  \r\n", "timeout", "5");
    expect("timeout 5\ntimeout 6\n", "timeout", "6");
    expect("maxmemory 1kb", "maxmemory", "1024");
    expect("maxmemory 1K", "maxmemory", "1000");
    expect("maxmemory 3GB", "maxmemory", "3221225472");
    expect("maxmemory-clients 5%", "maxmemory-clients", "5%");
    expect("maxmemory-clients 1mb", "maxmemory-clients", "1048576");
    expect("daemonize YES", "daemonize", "yes");
    expect("maxmemory-policy ALLKEYS-lru", "maxmemory-policy", "allkeys-lru");
    expect("unixsocketperm 0770", "unixsocketperm", "770");
    expect("shutdown-on-sigterm now force", "shutdown-on-sigterm", "now force");
    expect("shutdown-on-sigterm default", "shutdown-on-sigterm", "default");
    expect("hz 9999", "hz", "500");
    expect("requirepass \"a b\\x21\\n\"", "requirepass", "a b!\n");
    expect("requirepass 'it\\'s'", "requirepass", "it's");
    expect("logfile \"\"", "logfile", "");
    expect("hash-max-ziplist-entries 7", "hash-max-listpack-entries", "7");
    expect("slave-priority 7", "replica-priority", "7");
    expect("lua-time-limit 7", "busy-reply-threshold", "7");
    expect("list-max-ziplist-entries 1\nlua-replicate-commands yes\n", "timeout", "0");
}

static void directives_of_several_words(void **state) {
    (void)state;
    expect("bind 127.0.0.1 -::1", "bind", "127.0.0.1 -::1");
    expect("bind \"\"", "bind", "");
    expect("save 900 1 60 5", "save", "900 1 60 5");
    expect("save 900 1\nsave 60 5\n", "save", "900 1 60 5");
    expect("save 900 1\nsave \"\"\n", "save", "");
    expect("save \"\"\nsave 60 5\n", "save", "60 5");
    expect("save\n", "save", "");
    expect("save \nsave 60 5\nsave\n", "save", "60 5");
    expect("bind\n", "bind", "");
    expect("save \"3600 1 300 100\"\n", "save", "3600 1 300 100");
    expect("bind '127.0.0.1 -::1'\n", "bind", "127.0.0.1 -::1");
    expect("client-output-buffer-limit \"pubsub 2mb 1mb 10\"", "client-output-buffer-limit",
           "normal 0 0 0 slave 268435456 67108864 60 pubsub 2097152 1048576 10");
    expect("shutdown-on-sigterm \"nosave force\"", "shutdown-on-sigterm", "nosave force");
    expect("oom-score-adj-values \"1 2 3\"", "oom-score-adj-values", "1 2 3");
    expect("latency-tracking-info-percentiles \"50 99\"", "latency-tracking-info-percentiles",
           "50 99");
    expect("replicaof \"no one\"", "replicaof", "");
    expect("client-output-buffer-limit pubsub 2mb 1mb 10", "client-output-buffer-limit",
           "normal 0 0 0 slave 268435456 67108864 60 pubsub 2097152 1048576 10");
    expect("client-output-buffer-limit replica 1 2 3\nclient-output-buffer-limit normal 4 5 6\n",
           "client-output-buffer-limit", "normal 4 5 6 slave 1 2 3 pubsub 33554432 8388608 60");
    expect("notify-keyspace-events KEA", "notify-keyspace-events", "AKE");
    expect("notify-keyspace-events g$lshzxetd", "notify-keyspace-events", "A");
    expect("notify-keyspace-events mnxE", "notify-keyspace-events", "xEmn");
    expect("latency-tracking-info-percentiles 50.0 99.99", "latency-tracking-info-percentiles",
           "50 99.99");
    expect("oom-score-adj-values 1 -2 3", "oom-score-adj-values", "1 -2 3");
    expect("replicaof no one", "replicaof", "");
    expect("proc-title-template \"{title} at {port}\"", "proc-title-template", "{title} at {port}");
}

static void mistakes_are_named_with_their_line(void **state) {
    (void)state;
    expect_error("nonsense 1", 1, ">>> 'nonsense 1'\nBad directive or wrong number of arguments");
    expect_error("\n\ntimeout", 3, "wrong number of arguments");
    expect_error("catalog", 1, "wrong number of arguments");
    expect_error("catalog \"a b.md\"", 1, "a catalog's path may not have spaces");
    expect_error("save \"900 'x\"", 1, "Invalid save parameters");
    expect_error("replicaof", 1, "wrong number of arguments");
    expect_error("oom-score-adj-values", 1, "wrong number of arguments");
    expect_error("timeout 1 2", 1, "wrong number of arguments");
    expect_error("timeout 1x", 1, "argument couldn't be parsed into an integer");
    expect_error("timeout -1", 1, "argument must be between 0 and 2147483647 inclusive");
    expect_error("maxmemory 1zb", 1, "argument must be a memory value");
    expect_error("maxmemory -1", 1, "argument must be a memory value");
    expect_error("maxmemory 99999999999999999999", 1, "argument must be a memory value");
    expect_error("maxmemory-clients 101%", 1, "percentage argument must be less or equal to 100");
    expect_error("maxmemory-clients -1%", 1, "argument must be a memory or percent value");
    expect_error("daemonize on", 1, "argument must be 'yes' or 'no'");
    expect_error(
        "loglevel loud", 1,
        "argument(s) must be one of the following: debug, verbose, notice, warning, nothing");
    expect_error("unixsocketperm 9", 1, "argument couldn't be parsed as an octal number");
    expect_error("unixsocketperm 7777", 1, "argument must be between");
    expect_error("requirepass \"open", 1, "Unbalanced quotes in configuration line");
    expect_error("requirepass \"a\"b", 1, "Unbalanced quotes in configuration line");
    expect_error("save 1", 1, "Invalid save parameters");
    expect_error("save 0 1", 1, "Invalid save parameters");
    expect_error("client-output-buffer-limit normal 1 2", 1,
                 "Wrong number of arguments in buffer limit");
    expect_error("client-output-buffer-limit nobody 1 2 3", 1, "Invalid client class");
    expect_error("client-output-buffer-limit normal x 2 3", 1,
                 "Error in hard, soft or soft_seconds");
    expect_error("notify-keyspace-events Q", 1, "Invalid event class character");
    expect_error("oom-score-adj-values 1 2", 1, "wrong number of arguments");
    expect_error("oom-score-adj-values 1 2 3000", 1, "between -2000 and 2000");
    expect_error("latency-tracking-info-percentiles 101", 1, "should sit between [0.0,100.0]");
    expect_error("proc-title-template {me}", 1, "template format is invalid");
    expect_error("dbfilename a/b", 1, "dbfilename can't be a path, just a filename");
    expect_error("appendfilename \"\"", 1, "appendfilename can't be empty");
    expect_error("dir /nonexistent", 1, "No such file or directory");
    expect_error("bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", 1, "Too many bind addresses");
    expect_error("bind \"a\\nb\"", 1, "Invalid bind address");
    expect_error("rename-command GET", 1, "Bad directive or wrong number of arguments");
    expect_error("include /nonexistent", 1, "/nonexistent");
}

static void what_is_not_built_is_refused(void **state) {
    (void)state;
    static const char *const harmless[] = {
        "appendonly no",
        "cluster-enabled no",
        "tls-port 0",
        "aclfile \"\"",
        "replicaof no one",
        "appendfsync always",
        "save 60 1000",
        "masterauth x",
        "repl-backlog-size 1mb",
        "cluster-node-timeout 5000",
        "tls-cert-file x.crt",
        "min-replicas-to-write 0",
    };
    static const char *const asking[] = {
        "appendonly yes",          "cluster-enabled yes", "tls-port 6380",
        "aclfile users.acl",       "replicaof a 1",       "slaveof a 1",
        "min-replicas-to-write 1", "tls-replication yes", "user joe on",
        "loadmodule /lib/mod.so",  "import-mode yes",     "log-format logfmt",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        struct config_error error;
        struct config *config = config_new();
        if (!load(config, harmless[i], &error)) fail_msg("%s", error.text);
        config_free(config);
    }
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        expect_error(asking[i], 1, "not supported");
}

/* A watcher that refuses what is above its limit, and remembers what it was told last. */
struct owner {
    int64_t limit, last;
    int calls;
};

static const char *owner_apply(void *context, const char *name, int64_t number, const char *text) {
    struct owner *owner = context;
    (void)name, (void)text;
    owner->calls++;
    if (number > owner->limit) return "too much for me";
    owner->last = number;
    return NULL;
}

static void a_change_is_all_or_nothing(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    struct owner timeout = {.limit = 100}, keepalive = {.limit = 1000};
    config_watch(config, "timeout", owner_apply, &timeout);
    config_watch(config, "tcp-keepalive", owner_apply, &keepalive);
    assert_true(config_apply_all(config, &error));
    assert_int_equal(keepalive.last, 300);

    struct config_change both[] = {{BYTES("tcp-keepalive"), BYTES("7")},
                                   {BYTES("timeout"), BYTES("101")}};
    assert_false(config_set(config, both, 2, false, &error));
    assert_string_equal(
        error.text,
        "ERR CONFIG SET failed (possibly related to argument 'timeout') - too much for me");
    assert_int_equal(config_number(config, "tcp-keepalive"), 300);
    assert_string_equal(config_peek(config, "tcp-keepalive"), "300");
    assert_int_equal(keepalive.last, 300);
    assert_int_equal(timeout.last, 0);

    both[1].value = BYTES("100");
    assert_true(config_set(config, both, 2, false, &error));
    assert_int_equal(keepalive.last, 7);
    assert_int_equal(timeout.last, 100);

    /* A value that does not parse: no owner hears of it. */
    int calls = keepalive.calls;
    both[1].value = BYTES("soon");
    assert_false(config_set(config, both, 2, false, &error));
    assert_int_equal(keepalive.calls, calls);
    both[1].name = BYTES("no-such");
    assert_false(config_set(config, both, 2, false, &error));
    assert_string_equal(error.text,
                        "ERR Unknown option or number of arguments for CONFIG SET - 'no-such'");
    both[1].name = BYTES("tcp-keepalive");
    assert_false(config_set(config, both, 2, false, &error));
    assert_non_null(strstr(error.text, "duplicate parameter"));
    config_free(config);
}

static void a_name_and_its_alias_roll_back_together(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    struct owner timeout = {.limit = 1};
    config_watch(config, "timeout", owner_apply, &timeout);
    struct config_change changes[] = {{BYTES("hash-max-ziplist-entries"), BYTES("3")},
                                      {BYTES("hash-max-listpack-entries"), BYTES("4")},
                                      {BYTES("timeout"), BYTES("2")}};
    assert_false(config_set(config, changes, 3, false, &error));
    assert_string_equal(config_peek(config, "hash-max-listpack-entries"), "512");
    assert_true(config_set(config, changes, 2, false, &error));
    assert_int_equal(config_number(config, "hash-max-listpack-entries"), 4);
    config_free(config);
}

static void some_directives_do_not_change(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    assert_false(set(config, "databases", "3", &error));
    assert_non_null(strstr(error.text, "can't set immutable config"));
    assert_false(set(config, "dir", "/", &error));
    assert_non_null(strstr(error.text, "can't set protected config"));
    assert_false(set(config, "appendonly", "yes", &error));
    assert_non_null(strstr(error.text, "not supported yet"));
    assert_true(set(config, "appendonly", "no", &error));
    config_free(config);

    config = config_new();
    assert_true(load(config, "enable-protected-configs local\n", &error));
    struct config_change change = {BYTES("dir"), BYTES("/")};
    assert_false(config_set(config, &change, 1, false, &error));
    assert_true(config_set(config, &change, 1, true, &error));
    assert_string_equal(config_peek(config, "dir"), "/");
    config_free(config);
}

struct seen {
    char text[512];
};

static void collect(void *context, const char *name, const char *text) {
    struct seen *seen = context;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s=%s;", name, text);
}

static void get_takes_patterns(void **state) {
    (void)state;
    struct config *config = config_new();
    struct seen seen = {""};
    struct bytes patterns[] = {BYTES("TIMEOUT"), BYTES("time*"), BYTES("maxmemory-s*")};
    config_get(config, patterns, 3, collect, &seen);
    assert_string_equal(seen.text, "maxmemory-samples=5;timeout=0;");
    seen.text[0] = '\0';
    patterns[0] = BYTES("slave-prio*");
    config_get(config, patterns, 1, collect, &seen);
    assert_string_equal(seen.text, "slave-priority=100;");
    config_free(config);
}

/* ---- rewriting ---- */

static char *rewritten(struct config *config, const char *old) {
    struct buffer text;
    buffer_init(&text, CONFIG_TEXT_MAX);
    assert_true(config_rewrite_text(config, bytes_from_string(old), &text));
    assert_int_equal(buffer_add(&text, "", 1), 0);
    char *copy = mem_strdup(text.data);
    buffer_done(&text);
    return copy;
}

static void rewriting_keeps_what_is_not_its_own(void **state) {
    (void)state;
    static const char old[] = "# mine\n"
                              "timeout 5\n"
                              "\n"
                              "rename-command GET fetch\n"
                              "save 1 2\n"
                              "save 3 4\n"
                              "timeout 6\n"
                              "slave-priority 5\n"
                              "requirepass \"a b\"";
    struct config_error error;
    struct config *config = config_new();
    assert_true(load(config, old, &error));
    assert_true(set(config, "timeout", "9", &error));
    assert_true(set(config, "maxmemory", "1073741824", &error));
    assert_true(set(config, "hz", "20", &error));
    assert_true(set(config, "client-output-buffer-limit", "pubsub 1 2 3", &error));
    char *text = rewritten(config, old);
    assert_string_equal(text, "# mine\n"
                              "timeout 9\n"
                              "\n"
                              "rename-command GET fetch\n"
                              "save 1 2\n"
                              "save 3 4\n"
                              "replica-priority 5\n"
                              "requirepass \"a b\"\n"
                              "# Generated by CONFIG REWRITE\n"
                              "client-output-buffer-limit normal 0 0 0\n"
                              "client-output-buffer-limit replica 268435456 67108864 60\n"
                              "client-output-buffer-limit pubsub 1 2 3\n"
                              "maxmemory 1gb\n"
                              "hz 20\n");
    char *again = rewritten(config, text);
    assert_string_equal(again, text);

    /* What was written reads back as it was. */
    struct config *copy = config_new();
    assert_true(load(copy, text, &error));
    struct seen left = {""}, right = {""};
    struct bytes names[] = {BYTES("requirepass"), BYTES("save"), BYTES("hz"),
                            BYTES("client-output*"), BYTES("maxm*")};
    config_get(config, names, 5, collect, &left);
    config_get(copy, names, 5, collect, &right);
    assert_string_equal(left.text, right.text);
    mem_free(text);
    mem_free(again);
    config_free(copy);
    config_free(config);
}

static void odd_passwords_survive(void **state) {
    (void)state;
    static const char *const odd[] = {
        "", " ", "a\"b", "a\\b", "#x", "'", "\x01\x7f\xff", "tab\there", "line\nbreak"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct config_error error;
        struct config *config = config_new(), *copy = config_new();
        assert_true(set(config, "requirepass", odd[i], &error));
        char *text = rewritten(config, "requirepass old\n");
        assert_true(load(copy, text, &error));
        assert_string_equal(config_peek(copy, "requirepass"), odd[i]);
        mem_free(text);
        config_free(copy);
        config_free(config);
    }
}

static void the_file_is_replaced_and_keeps_its_mode(void **state) {
    (void)state;
    char path[] = "/tmp/keynome-test-XXXXXX";
    struct config_error error;
    struct stat before, after;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "timeout 1\n", 10), 10);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(fstat(fd, &before), 0);
    close(fd);
    struct config *config = config_new();
    char *argv[] = {(char *)"keynome-server", path, (char *)"--timeout", (char *)"3", NULL};
    assert_int_equal(config_load(config, 4, argv, &error), CONFIG_START_RUN);
    assert_int_equal(config_number(config, "timeout"), 3);
    assert_true(config_rewrite(config, &error));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0640);
    FILE *file = fopen(path, "r");
    char line[64] = "";
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "timeout 3\n");
    fclose(file);
    unlink(path);
    config_free(config);
}

static void without_a_file_there_is_nothing_to_rewrite(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    assert_false(config_rewrite(config, &error));
    assert_string_equal(error.text, "ERR The server is running without a config file");
    config_free(config);
}

/* ---- the command line ---- */

static enum config_start run(struct config *config, struct config_error *error, int argc, ...) {
    char *argv[16] = {(char *)"keynome-server"};
    va_list args;
    va_start(args, argc);
    for (int i = 0; i < argc; i++) argv[i + 1] = va_arg(args, char *);
    va_end(args);
    return config_load(config, argc + 1, argv, error);
}

static void flags_are_read_as_redis_reads_them(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    assert_int_equal(run(config, &error, 6, "--timeout", "1", "--timeout", "2", "--save", ""),
                     CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "timeout"), "2");
    assert_int_equal(run(config, &error, 3, "--save", "--timeout", "3"), CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "timeout"), "3");
    assert_int_equal(run(config, &error, 2, "--timeout 4", "--save"), CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "timeout"), "4");
    assert_int_equal(run(config, &error, 3, "--bind", "127.0.0.1", "::1"), CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "bind"), "127.0.0.1 ::1");
    /* The word after a flag is its value, whatever it looks like. */
    assert_int_equal(run(config, &error, 2, "--requirepass", "--secret"), CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "requirepass"), "--secret");
    assert_int_equal(run(config, &error, 2, "--requirepass", "a b\"c"), CONFIG_START_RUN);
    assert_string_equal(config_peek(config, "requirepass"), "a b\"c");

    assert_int_equal(run(config, &error, 1, "--port"), CONFIG_START_FAIL);
    assert_non_null(strstr(error.text, "the command line\n>>> 'port'"));
    assert_int_equal(run(config, &error, 3, "--port", "1", "2"), CONFIG_START_FAIL);
    assert_int_equal(run(config, &error, 1, "-x"), CONFIG_START_FAIL);
    assert_int_equal(run(config, &error, 1, "/nonexistent.conf"), CONFIG_START_FAIL);
    assert_int_equal(run(config, &error, 2, "--include", "/nonexistent.conf"), CONFIG_START_FAIL);
    config_free(config);
}

static void renamed_commands_are_kept_in_order(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    assert_true(load(config, "rename-command GET fetch\nrename-command FLUSHALL \"\"\n", &error));
    const struct config_rename *rename = config_renames(config);
    assert_string_equal(rename->from, "GET");
    assert_string_equal(rename->to, "fetch");
    assert_non_null(strstr(rename->where, "test.conf, at line 1"));
    assert_string_equal(rename->next->to, "");
    assert_null(rename->next->next);
    config_free(config);
}

static void include_does_not_go_on_for_ever(void **state) {
    (void)state;
    char path[] = "/tmp/keynome-test-XXXXXX";
    struct config_error error;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "include %s\n", path) > 0);
    close(fd);
    struct config *config = config_new();
    assert_int_equal(run(config, &error, 1, path), CONFIG_START_FAIL);
    assert_non_null(strstr(error.text, "too deeply"));
    unlink(path);
    config_free(config);
}

static void count_line(void *context, const char *line) {
    (void)line;
    ++*(int *)context;
}

static void what_was_given_in_vain_is_said(void **state) {
    (void)state;
    struct config_error error;
    struct config *config = config_new();
    int lines = 0;
    assert_true(load(config, "hz 10\nsave \"\"\ntimeout 4\n", &error));
    config_report(config, count_line, &lines);
    assert_int_equal(lines, 0);
    assert_true(load(config, "hz 20\nactiverehashing no\nsave 1 1\nslowlog-max-len 5\n", &error));
    config_report(config, count_line, &lines);
    assert_int_equal(lines, 3);
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_kind),
        cmocka_unit_test(directives_of_several_words),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(what_is_not_built_is_refused),
        cmocka_unit_test(a_change_is_all_or_nothing),
        cmocka_unit_test(a_name_and_its_alias_roll_back_together),
        cmocka_unit_test(some_directives_do_not_change),
        cmocka_unit_test(get_takes_patterns),
        cmocka_unit_test(rewriting_keeps_what_is_not_its_own),
        cmocka_unit_test(odd_passwords_survive),
        cmocka_unit_test(the_file_is_replaced_and_keeps_its_mode),
        cmocka_unit_test(without_a_file_there_is_nothing_to_rewrite),
        cmocka_unit_test(flags_are_read_as_redis_reads_them),
        cmocka_unit_test(renamed_commands_are_kept_in_order),
        cmocka_unit_test(include_does_not_go_on_for_ever),
        cmocka_unit_test(what_was_given_in_vain_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
