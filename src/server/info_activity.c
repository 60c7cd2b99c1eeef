/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections of INFO about what was done and what is kept. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/config.h"
#include "server/dispatch.h"
#include "server/info.h"
#include "server/latency.h"
#include "server/pubsub.h"
#include "server/server.h"
#include "server/stats.h"
#include "store/admin.h"

static void stat_field(const struct info *info, const char *name, enum stat stat) {
    info_field(info, name, "%lld", (long long)stats_read(stat));
}

void info_persistence_section(const struct info *info) {
    info_zeros(info, (const char *[]){"loading", "async_loading", "current_cow_peak",
                                      "current_cow_size", "current_cow_size_age", NULL});
    info_field(info, "current_fork_perc", "0.00");
    info_zeros(info,
               (const char *[]){"current_save_keys_processed", "current_save_keys_total", NULL});
    stat_field(info, "rdb_changes_since_last_save", STAT_CHANGES);
    info_field(info, "rdb_bgsave_in_progress", "0");
    info_field(info, "rdb_last_save_time", "%lld", (long long)(info->server->started_ms / 1000));
    info_field(info, "rdb_last_bgsave_status", "ok");
    info_field(info, "rdb_last_bgsave_time_sec", "-1");
    info_field(info, "rdb_current_bgsave_time_sec", "-1");
    info_zeros(info,
               (const char *[]){"rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired",
                                "rdb_last_load_keys_loaded", "aof_enabled",
                                "aof_rewrite_in_progress", "aof_rewrite_scheduled", NULL});
    info_field(info, "aof_last_rewrite_time_sec", "-1");
    info_field(info, "aof_current_rewrite_time_sec", "-1");
    info_field(info, "aof_last_bgrewrite_status", "ok");
    info_zeros(info, (const char *[]){"aof_rewrites", "aof_rewrites_consecutive_failures", NULL});
    info_field(info, "aof_last_write_status", "ok");
    info_zeros(info, (const char *[]){"aof_last_cow_size", "module_fork_in_progress",
                                      "module_fork_last_cow_size", NULL});
}

static void rate_fields(const struct info *info) {
    info_field(info, "instantaneous_input_kbps", "%.2f",
               (double)stats_rate(STATS_RATE_INPUT) / 1024);
    info_field(info, "instantaneous_output_kbps", "%.2f",
               (double)stats_rate(STATS_RATE_OUTPUT) / 1024);
    info_field(info, "instantaneous_input_repl_kbps", "0.00");
    info_field(info, "instantaneous_output_repl_kbps", "0.00");
}

static uint64_t command_us(struct server *server) {
    uint64_t sum = 0;
    for (unsigned number = 0; number < command_count(server->commands); number++) {
        struct command_counts counts;
        command_stats_read(server, number, &counts);
        sum += counts.microseconds;
    }
    return sum;
}

/* The event loops of all threads together. */
static void round_fields(const struct info *info) {
    uint64_t rounds = stats_rate(STATS_RATE_ROUNDS), us = stats_rate(STATS_RATE_ROUNDS_US);
    stat_field(info, "eventloop_cycles", STAT_ROUNDS);
    stat_field(info, "eventloop_duration_sum", STAT_ROUNDS_US);
    info_field(info, "eventloop_duration_cmd_sum", "%llu",
               (unsigned long long)command_us(info->server));
    info_field(info, "instantaneous_eventloop_cycles_per_sec", "%llu", (unsigned long long)rounds);
    info_field(info, "instantaneous_eventloop_duration_usec", "%llu",
               (unsigned long long)(rounds ? us / rounds : 0));
}

void info_stats_section(const struct info *info) {
    struct server *server = info->server;
    struct store_stats store;
    store_stats(server->store, info->shards_held, &store);
    stat_field(info, "total_connections_received", STAT_CONNECTIONS);
    stat_field(info, "total_commands_processed", STAT_COMMANDS);
    info_field(info, "instantaneous_ops_per_sec", "%llu",
               (unsigned long long)stats_rate(STATS_RATE_COMMANDS));
    stat_field(info, "total_net_input_bytes", STAT_INPUT_BYTES);
    stat_field(info, "total_net_output_bytes", STAT_OUTPUT_BYTES);
    info_zeros(info,
               (const char *[]){"total_net_repl_input_bytes", "total_net_repl_output_bytes", NULL});
    rate_fields(info);
    stat_field(info, "rejected_connections", STAT_CONNECTIONS_REJECTED);
    info_zeros(info, (const char *[]){"sync_full", "sync_partial_ok", "sync_partial_err", NULL});
    info_field(info, "expired_subkeys", "%llu", (unsigned long long)store.expired_fields);
    info_field(info, "expired_fields", "%llu", (unsigned long long)store.expired_fields);
    info_field(info, "expired_keys", "%llu", (unsigned long long)store.expired);
    info_field(info, "expired_stale_perc", "0.00");
    stat_field(info, "expired_time_cap_reached_count", STAT_EXPIRED_TIME_CAP);
    info_field(info, "expire_cycle_cpu_milliseconds", "%lld",
               (long long)(stats_read(STAT_EXPIRE_CYCLE_US) / 1000));
    info_field(info, "evicted_keys", "%llu", (unsigned long long)store.evicted);
    info_zeros(info, (const char *[]){"evicted_clients", "total_eviction_exceeded_time",
                                      "current_eviction_exceeded_time", NULL});
    stat_field(info, "evicted_scripts", STAT_EVICTED_SCRIPTS);
    stat_field(info, "keyspace_hits", STAT_KEYSPACE_HITS);
    stat_field(info, "keyspace_misses", STAT_KEYSPACE_MISSES);
    info_field(info, "pubsub_channels", "%zu", pubsub_topic_count(server->pubsub, TOPIC_CHANNEL));
    info_field(info, "pubsub_patterns", "%zu", pubsub_pattern_count(server->pubsub));
    info_field(info, "pubsubshard_channels", "%zu",
               pubsub_topic_count(server->pubsub, TOPIC_SHARD));
    info_zeros(info, (const char *[]){"latest_fork_usec", "total_forks", "migrate_cached_sockets",
                                      "slave_expires_tracked_keys", "active_defrag_hits",
                                      "active_defrag_misses", "active_defrag_key_hits",
                                      "active_defrag_key_misses", "total_active_defrag_time",
                                      "current_active_defrag_time", "tracking_total_keys",
                                      "tracking_total_items", "tracking_total_prefixes",
                                      "unexpected_error_replies", NULL});
    stat_field(info, "total_error_replies", STAT_ERROR_REPLIES);
    info_field(info, "dump_payload_sanitizations", "0");
    stat_field(info, "total_reads_processed", STAT_READS);
    stat_field(info, "total_writes_processed", STAT_WRITES);
    info_zeros(info, (const char *[]){"io_threaded_reads_processed", "io_threaded_writes_processed",
                                      "reply_buffer_shrinks", "reply_buffer_expands", NULL});
    stat_field(info, "client_query_buffer_limit_disconnections", STAT_QUERY_LIMIT_CLOSES);
    stat_field(info, "client_output_buffer_limit_disconnections", STAT_OUTPUT_LIMIT_CLOSES);
    stat_field(info, "acl_access_denied_auth", STAT_AUTH_DENIED);
    info_zeros(info, (const char *[]){"acl_access_denied_cmd", "acl_access_denied_key",
                                      "acl_access_denied_channel", NULL});
    round_fields(info);
}

void info_replication_section(const struct info *info) {
    info_field(info, "role", "master");
    info_field(info, "connected_slaves", "0");
    info_field(info, "master_failover_state", "no-failover");
    info_field(info, "master_replid", "%s", info_replication_id());
    info_field(info, "master_replid2", "0000000000000000000000000000000000000000");
    info_field(info, "master_repl_offset", "0");
    info_field(info, "second_repl_offset", "-1");
    info_field(info, "repl_backlog_active", "0");
    info_field(info, "repl_backlog_size", "1048576");
    info_zeros(info,
               (const char *[]){"repl_backlog_first_byte_offset", "repl_backlog_histlen", NULL});
}

void info_modules_section(const struct info *info) {
    (void)info; /* there are none */
}

void info_commandstats_section(const struct info *info) {
    struct server *server = info->server;
    for (unsigned number = 0; number < command_count(server->commands); number++) {
        struct command_counts counts;
        char full[COMMAND_NAME_MAX], field[COMMAND_NAME_MAX + 16];
        command_stats_read(server, number, &counts);
        if (!counts.calls && !counts.rejected && !counts.failed) continue;
        const struct command *command = command_by_number(server->commands, number);
        snprintf(field, sizeof field, "cmdstat_%s", command_full_name(server, command, full));
        info_field(info, field,
                   "calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%llu",
                   (unsigned long long)counts.calls, (unsigned long long)counts.microseconds,
                   counts.calls ? (double)counts.microseconds / (double)counts.calls : 0.0,
                   (unsigned long long)counts.rejected, (unsigned long long)counts.failed);
    }
}

static void error_field(const char *code, uint64_t count, void *context) {
    char field[64];
    snprintf(field, sizeof field, "errorstat_%s", code);
    info_field(context, field, "count=%llu", (unsigned long long)count);
}

void info_errorstats_section(const struct info *info) {
    error_stats_each(error_field, (void *)info);
}

void info_latencystats_section(const struct info *info) {
    struct server *server = info->server;
    char *percentiles = config_text(server->config, "latency-tracking-info-percentiles");
    struct latency_sum *sum = mem_alloc(sizeof *sum);
    for (unsigned number = 0; number < command_count(server->commands); number++) {
        char full[COMMAND_NAME_MAX], field[COMMAND_NAME_MAX + 32], values[1024] = "";
        size_t len = 0;
        command_stats_latency(server, number, sum);
        if (sum->total == 0) continue;
        const struct command *command = command_by_number(server->commands, number);
        snprintf(field, sizeof field, "latency_percentiles_usec_%s",
                 command_full_name(server, command, full));
        for (char *at = percentiles, *end; *at && len < sizeof values; at = end) {
            double percentage = strtod(at, &end);
            if (end == at) break;
            len +=
                (size_t)snprintf(values + len, sizeof values - len, "%sp%.10g=%.3f", len ? "," : "",
                                 percentage, latency_percentile_us(sum, percentage));
        }
        info_field(info, field, "%s", values);
    }
    mem_free(sum);
    mem_free(percentiles);
}

void info_cluster_section(const struct info *info) {
    info_field(info, "cluster_enabled", "0");
}

void info_keyspace_section(const struct info *info) {
    struct store *store = info->server->store;
    for (unsigned db = 0; db < store_db_count(store); db++) {
        struct store_db_stats stats;
        char field[32];
        store_db_stats(store, db, info->shards_held, info->now_ms, &stats);
        if (stats.keys == 0) continue;
        snprintf(field, sizeof field, "db%u", db);
        info_field(info, field, "keys=%zu,expires=%zu,avg_ttl=%lld", stats.keys, stats.expiring,
                   (long long)stats.average_ttl_ms);
    }
}
