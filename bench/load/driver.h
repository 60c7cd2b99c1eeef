/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a server over many pipelined connections from one thread and counts what comes back.
 * Holds: each connection has at most `pipeline` requests under way; a batch's latency is the time
 * from its write to its last reply.
 * Owner: driver_free(). Errors: a message from driver_new(); driver_run() returns false and leaves
 * the reason in the result when a connection fails or a reply is broken. */
#ifndef BENCH_LOAD_DRIVER_H
#define BENCH_LOAD_DRIVER_H

#include "histogram.h"
#include "template.h"

struct driver;

struct driver_options {
    const char *host;
    const char *port;
    const char *socket_path; /* instead of host and port */
    unsigned connections;
    unsigned pipeline;
    bool verify;
};

struct driver_result {
    uint64_t requests;
    uint64_t errors, misses, mismatches;
    uint64_t elapsed_ns;
    struct histogram latency;
    char message[256]; /* the first error reply, or why the run failed */
};

struct driver *driver_new(const struct driver_options *options, struct template_set *templates,
                          const char **ret_message);
void driver_free(struct driver *driver);

/* Sends until `requests` are answered (0: no limit) or `limit_ns` have passed (0: no limit). */
bool driver_run(struct driver *driver, uint64_t requests, uint64_t limit_ns,
                struct driver_result *result);

#endif
