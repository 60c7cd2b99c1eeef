/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a server through hiredis: main HOST PORT SOCKET. Ends with 1 when a test failed. */

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT SOCKET\n", argv[0]);
        return 2;
    }
    struct address address = {.host = argv[1], .port = atoi(argv[2]), .socket = argv[3]};
    sync_tests(&address);
    pipeline_tests(&address);
    async_tests(&address);
    return check_failures() != 0;
}
