/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *expression, const char *file, int line, const char *function) {
    fprintf(stderr, "%s:%d: %s: must be true: %s\n", file, line, function, expression);
    fflush(stderr);
    abort();
}
