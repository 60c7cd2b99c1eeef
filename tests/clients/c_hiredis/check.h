/* SPDX-License-Identifier: BSD-3-Clause */
/* Named tests for the hiredis program: each prints one line, `ok NAME` or `not ok NAME: why`.
   The first failed expectation ends its test through a jump back; nothing is freed on that path. */
#ifndef CHECK_H
#define CHECK_H

struct address {
    const char *host;
    int port;
    const char *socket; /* path of the Unix socket */
};

typedef void check_test(const struct address *address);

/* Fails the running test with a message unless the condition holds. */
void check_that(int condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

void check_run(const char *name, check_test *test, const struct address *address);

/* How many tests have failed. */
int check_failures(void);

/* The suites. */
void sync_tests(const struct address *address);
void pipeline_tests(const struct address *address);
void async_tests(const struct address *address);

#endif
