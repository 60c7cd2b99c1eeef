/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: what a line looks like, levels, and files that are moved away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

static char folder[] = "/tmp/keynome-log-XXXXXX";
static char path[64], moved[64];

static size_t read_all(const char *name, char *out, size_t size) {
    FILE *file = fopen(name, "r");
    size_t len = 0;
    if (file) {
        len = fread(out, 1, size - 1, file);
        fclose(file);
    }
    out[len] = '\0';
    return len;
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    log_close();
    unlink(path);
    unlink(moved);
    return rmdir(folder);
}

static void test_lines(void **state) {
    static char text[8192];
    (void)state;
    struct log_options options = {.level = LOG_LEVEL_NOTICE, .file = path};
    assert_int_equal(log_open(&options), 0);
    log_verbose("not this");
    log_notice("the number is %d", 7);
    log_warning("look out");
    static char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    log_warning("%s", longer);
    log_raw("raw", 3);
    read_all(path, text, sizeof text);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, "xxx\nraw"));

    regex_t line;
    assert_int_equal(regcomp(&line,
                             "^[0-9]+:M [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
                             "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} \\* the number is 7\n"
                             "[0-9]+:M .* # look out\n",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&line, text, 0, NULL, 0), 0);
    regfree(&line);

    log_set_level(LOG_LEVEL_NOTHING);
    size_t before = strlen(text);
    log_warning("silence");
    assert_int_equal(read_all(path, text, sizeof text), before);
    log_set_level(LOG_LEVEL_NOTICE);
}

/* A rotated file is let go of: lines soon arrive at the path again. */
static void test_rotation(void **state) {
    char text[4096];
    (void)state;
    assert_int_equal(rename(path, moved), 0);
    struct stat there;
    for (int i = 0; i < 300 && stat(path, &there) != 0; i++) {
        log_notice("line %d", i);
        usleep(10000);
    }
    log_notice("the last");
    read_all(path, text, sizeof text);
    assert_non_null(strstr(text, "the last"));
}

static void test_errors(void **state) {
    (void)state;
    struct log_options options = {.level = LOG_LEVEL_NOTICE, .file = "/nonexistent/folder/log"};
    assert_int_equal(log_open(&options), ERROR_SYSTEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_rotation),
                                       cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests_name("log", tests, make_folder, remove_folder);
}
