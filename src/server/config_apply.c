/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/config_apply.h"

#include <errno.h>
#include <locale.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "net/socket.h"
#include "server/auth.h"
#include "server/client.h"
#include "server/command_stats.h"
#include "server/notify.h"
#include "server/process.h"
#include "server/server.h"
#include "store/admin.h"
#include "store/patterns.h"
#include "types/limits.h"

/* ---- numbers that go straight to an atomic ---- */

static const char *set_i64(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)text;
    atomic_store_explicit((_Atomic int64_t *)context, number, memory_order_relaxed);
    return NULL;
}

static const char *set_u64(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)text;
    atomic_store_explicit((_Atomic uint64_t *)context, (uint64_t)number, memory_order_relaxed);
    return NULL;
}

static const char *set_int(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)text;
    atomic_store_explicit((_Atomic int *)context, (int)number, memory_order_relaxed);
    return NULL;
}

static const char *set_bool(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)text;
    atomic_store_explicit((_Atomic bool *)context, number != 0, memory_order_relaxed);
    return NULL;
}

/* ---- the others ---- */

static const char *set_max_memory(void *context, const char *name, int64_t number,
                                  const char *text) {
    struct server *server = context;
    (void)name, (void)text;
    atomic_store_explicit(&store_limits(server->store)->max_memory, (uint64_t)number,
                          memory_order_relaxed);
    if (number > 0 && (uint64_t)number < memory_used()) {
        log_warning(
            "maxmemory (%lld bytes) is below the memory in use (%zu bytes): keys are evicted, or "
            "writes refused, depending on maxmemory-policy",
            (long long)number, memory_used());
    }
    return NULL;
}

static const char *set_max_clients(void *context, const char *name, int64_t number,
                                   const char *text) {
    static _Thread_local char error[128];
    struct server *server = context;
    (void)name, (void)text;
    unsigned before = atomic_load(&server->limits.max_clients);
    /* Fewer than before need no more files than before. */
    if (number > before) {
        unsigned possible = process_reserve_files((unsigned)number);
        if (possible < number) {
            snprintf(error, sizeof error,
                     "The operating system is not able to handle the specified number of clients, "
                     "try with %u",
                     possible);
            return error;
        }
    }
    atomic_store(&server->limits.max_clients, (uint32_t)number);
    return NULL;
}

static const char *set_output_limits(void *context, const char *name, int64_t number,
                                     const char *text) {
    struct server *server = context;
    char class[16];
    unsigned long long hard, soft;
    long long seconds;
    int used;
    (void)name, (void)number;
    for (; sscanf(text, "%15s %llu %llu %lld%n", class, &hard, &soft, &seconds, &used) == 4;
         text += used) {
        int index = strcmp(class, "normal") == 0   ? CLIENT_CLASS_NORMAL
                    : strcmp(class, "pubsub") == 0 ? CLIENT_CLASS_PUBSUB
                                                   : -1;
        if (index < 0) continue; /* replicas: there are none yet */
        struct output_limit *limit = &server->limits.output[index];
        atomic_store(&limit->hard_bytes, hard);
        atomic_store(&limit->soft_bytes, soft);
        atomic_store(&limit->soft_seconds, seconds);
    }
    return NULL;
}

static const char *set_catalog_mode(void *context, const char *name, int64_t number,
                                    const char *text) {
    (void)name, (void)text;
    store_set_catalog_mode(context, (enum catalog_mode)number);
    return NULL;
}

static const char *set_password(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)number;
    auth_set_password(((struct server *)context)->auth, bytes_from_string(text));
    return NULL;
}

static const char *set_events(void *context, const char *name, int64_t number, const char *text) {
    (void)name, (void)text;
    notify_set_flags(context, (unsigned)number);
    return NULL;
}

static const char *set_latency_tracking(void *context, const char *name, int64_t number,
                                        const char *text) {
    (void)context, (void)name, (void)text;
    command_stats_track_latency(number != 0);
    return NULL;
}

static const char *set_log_level(void *context, const char *name, int64_t number,
                                 const char *text) {
    (void)context, (void)name, (void)text;
    log_set_level((enum log_level)number);
    return NULL;
}

static const char *set_dir(void *context, const char *name, int64_t number, const char *text) {
    (void)context, (void)name, (void)number;
    return chdir(text) == 0 ? NULL : strerror(errno);
}

static const char *set_locale(void *context, const char *name, int64_t number, const char *text) {
    (void)context, (void)name, (void)number;
    return setlocale(LC_COLLATE, text) ? NULL : "Invalid locale name";
}

static const char *set_oom_score(void *context, const char *name, int64_t number,
                                 const char *text) {
    (void)name, (void)number, (void)text;
    return process_adjust_oom_score(context);
}

static const char *set_title(void *context, const char *name, int64_t number, const char *text) {
    struct server *server = context;
    (void)name, (void)number;
    process_set_title(server->config, text, (int)atomic_load(&server->port));
    return NULL;
}

/* ---- wiring ---- */

static void connect_store(struct config *config, struct server *server) {
    struct store_limits *limits = store_limits(server->store);
    config_watch(config, "maxmemory", set_max_memory, server);
    config_watch(config, "maxmemory-policy", set_int, &limits->policy);
    config_watch(config, "maxmemory-samples", set_int, &limits->samples);
    config_watch(config, "lfu-log-factor", set_int, &limits->lfu_log_factor);
    config_watch(config, "lfu-decay-time", set_int, &limits->lfu_decay_minutes);
    config_watch(config, "lazyfree-lazy-expire", set_bool, &limits->lazy_expire);
    config_watch(config, "lazyfree-lazy-eviction", set_bool, &limits->lazy_evict);
    config_watch(config, "catalog-mode", set_catalog_mode, server->store);

    struct type_limits *types = &type_limits;
    config_watch(config, "hash-max-listpack-entries", set_i64, &types->hash_max_listpack_entries);
    config_watch(config, "hash-max-listpack-value", set_i64, &types->hash_max_listpack_value);
    config_watch(config, "list-max-listpack-size", set_i64, &types->list_max_listpack_size);
    config_watch(config, "set-max-intset-entries", set_i64, &types->set_max_intset_entries);
    config_watch(config, "set-max-listpack-entries", set_i64, &types->set_max_listpack_entries);
    config_watch(config, "set-max-listpack-value", set_i64, &types->set_max_listpack_value);
    config_watch(config, "zset-max-listpack-entries", set_i64, &types->zset_max_listpack_entries);
    config_watch(config, "zset-max-listpack-value", set_i64, &types->zset_max_listpack_value);
    config_watch(config, "stream-node-max-bytes", set_i64, &types->stream_node_max_bytes);
    config_watch(config, "stream-node-max-entries", set_i64, &types->stream_node_max_entries);
    config_watch(config, "hll-sparse-max-bytes", set_i64, &types->hll_sparse_max_bytes);
}

bool config_connect(struct config *config, struct server *server, struct config_error *error) {
    struct client_limits *limits = &server->limits;
    connect_store(config, server);
    config_watch(config, "maxclients", set_max_clients, server);
    config_watch(config, "timeout", set_i64, &limits->idle_timeout_s);
    config_watch(config, "proto-max-bulk-len", set_i64, &limits->bulk_max_bytes);
    config_watch(config, "client-query-buffer-limit", set_u64, &limits->query_max_bytes);
    config_watch(config, "protected-mode", set_bool, &limits->protected_mode);
    config_watch(config, "busy-reply-threshold", set_i64, &limits->busy_ms);
    config_watch(config, "lazyfree-lazy-user-flush", set_bool, &limits->flush_lazily);
    config_watch(config, "client-output-buffer-limit", set_output_limits, server);
    config_watch(config, "requirepass", set_password, server);
    config_watch(config, "notify-keyspace-events", set_events, server);
    config_watch(config, "latency-tracking", set_latency_tracking, NULL);
    config_watch(config, "loglevel", set_log_level, server);
    config_watch(config, "dir", set_dir, server);
    config_watch(config, "locale-collate", set_locale, server);
    config_watch(config, "oom-score-adj", set_oom_score, config);
    config_watch(config, "oom-score-adj-values", set_oom_score, config);
    config_watch(config, "proc-title-template", set_title, server);

    /* What the system does not allow at the start is made do without, as it always was. */
    unsigned wanted = (unsigned)config_number(config, "maxclients");
    unsigned possible = process_reserve_files(wanted);
    if (possible < wanted) config_correct(config, "maxclients", possible);
    atomic_store(&limits->max_clients, possible);
    return config_apply_all(config, error);
}

bool config_client_is_local(const struct client *client) {
    return client->flags & CLIENT_UNIX || socket_peer_is_local(client->fd);
}

unsigned config_thread_count(struct config *config) {
    int64_t threads = config_number(config, "threads");
    if (threads == 0 && config_was_given(config, "io-threads")) {
        threads = config_number(config, "io-threads");
    }
    if (threads == 0) {
        cpu_set_t cpus;
        threads = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus)
                                                                : sysconf(_SC_NPROCESSORS_ONLN);
    }
    return threads < 1 ? 1 : threads > 256 ? 256 : (unsigned)threads;
}
