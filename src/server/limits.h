/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What connections are allowed, readable by every worker.
 *
 * What: the limits on clients that configuration sets and workers read while they serve.
 * Always: every field but output_max_bytes, which is set at the start, is written by configuration
 *         only, and may change at any time.
 * Owner: the server. Lock: none: each field is atomic, and no two must agree.
 */
#ifndef KN_SERVER_LIMITS_H
#define KN_SERVER_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of clients that client-output-buffer-limit tells apart. */
enum client_class { CLIENT_CLASS_NORMAL, CLIENT_CLASS_PUBSUB, CLIENT_CLASSES };

struct output_limit {
    _Atomic uint64_t hard_bytes, soft_bytes; /* 0: none */
    _Atomic int64_t soft_seconds;
};

struct client_limits {
    _Atomic uint32_t max_clients;
    _Atomic int64_t idle_timeout_s; /* 0: none */
    _Atomic int64_t bulk_max_bytes; /* proto-max-bulk-len */
    _Atomic uint64_t query_max_bytes;
    _Atomic bool protected_mode;
    _Atomic bool flush_lazily; /* FLUSHALL and FLUSHDB without a word are ASYNC */
    _Atomic int64_t busy_ms;   /* busy-reply-threshold; 0: scripts may run as long as they like */
    struct output_limit output[CLIENT_CLASSES];
    /* What replies that wait for a client may take, whatever is configured. */
    size_t output_max_bytes;
};

#endif
