/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

static jmp_buf failed;
static char why[512];
static int failures;

void check_that(int condition, const char *format, ...) {
    va_list args;

    if (condition) return;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    longjmp(failed, 1);
}

void check_run(const char *name, check_test *test, const struct address *address) {
    if (setjmp(failed)) {
        failures++;
        printf("not ok %s: %s\n", name, why);
    } else {
        test(address);
        printf("ok %s\n", name);
    }
    fflush(stdout);
}

int check_failures(void) {
    return failures;
}
