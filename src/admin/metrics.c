/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the server as a whole. Those of the catalog are in metrics_catalog.c. */
#include "admin/metrics.h"

#include <stdio.h>
#include <sys/resource.h>

#include "admin/exposition.h"
#include "admin/keyspace_figures.h"
#include "admin/metrics_catalog.h"
#include "base/clock.h"
#include "base/memory.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/config.h"
#include "server/dispatch.h"
#include "server/process.h"
#include "server/pubsub.h"
#include "server/registry.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/version.h"

static void gauge(struct exposition *exposition, const char *name, const char *help,
                  int64_t value) {
    exposition_family(exposition, name, METRIC_GAUGE, help);
    exposition_int(exposition, NULL, 0, value);
}

static void counter(struct exposition *exposition, const char *name, const char *help,
                    int64_t value) {
    exposition_family(exposition, name, METRIC_COUNTER, help);
    exposition_int(exposition, NULL, 0, value);
}

static void counter_seconds(struct exposition *exposition, const char *name, const char *help,
                            const struct timeval *time) {
    exposition_family(exposition, name, METRIC_COUNTER, help);
    exposition_double(exposition, NULL, 0, (double)time->tv_sec + (double)time->tv_usec / 1e6);
}

static void write_process(struct exposition *exposition, struct server *server) {
    int64_t up_s = (clock_realtime_ms() - server->started_ms) / 1000;
    char *policy = config_text(server->config, "maxmemory-policy");
    const struct label labels[] = {
        {"keynome_version", KN_VERSION},
        {"redis_version", REDIS_VERSION},
        {"maxmemory_policy", policy},
    };
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    exposition_family(exposition, "keynome_instance_info", METRIC_GAUGE,
                      "What this server is; the value is always 1.");
    exposition_int(exposition, labels, sizeof labels / sizeof *labels, 1);
    mem_free(policy);
    gauge(exposition, "keynome_start_time_seconds", "When the server started, in Unix time.",
          server->started_ms / 1000);
    gauge(exposition, "keynome_uptime_in_seconds", "How long the server has run.",
          up_s > 0 ? up_s : 0);
    gauge(exposition, "keynome_threads", "Threads that serve clients.", server->worker_count);
    counter_seconds(exposition, "keynome_cpu_user_seconds_total",
                    "Processor time of the process itself.", &usage.ru_utime);
    counter_seconds(exposition, "keynome_cpu_sys_seconds_total",
                    "Processor time of the kernel for the process.", &usage.ru_stime);
}

static void write_clients(struct exposition *exposition, struct server *server) {
    gauge(exposition, "keynome_connected_clients", "Clients that are connected.",
          registry_count(server->registry));
    gauge(exposition, "keynome_blocked_clients", "Clients that wait for a key.",
          stats_read(STAT_CLIENTS_BLOCKED));
    gauge(exposition, "keynome_config_maxclients", "Clients that may be connected.",
          atomic_load(&server->limits.max_clients));
    counter(exposition, "keynome_connections_received_total", "Connections accepted.",
            stats_read(STAT_CONNECTIONS));
    counter(exposition, "keynome_rejected_connections_total",
            "Connections refused, since there were as many clients as may be.",
            stats_read(STAT_CONNECTIONS_REJECTED));
    counter(exposition, "keynome_net_input_bytes_total", "Bytes read from clients.",
            stats_read(STAT_INPUT_BYTES));
    counter(exposition, "keynome_net_output_bytes_total", "Bytes sent to clients.",
            stats_read(STAT_OUTPUT_BYTES));
    gauge(exposition, "keynome_pubsub_channels", "Channels with subscribers.",
          (int64_t)pubsub_topic_count(server->pubsub, TOPIC_CHANNEL));
    gauge(exposition, "keynome_pubsub_patterns", "Patterns of channels with subscribers.",
          (int64_t)pubsub_pattern_count(server->pubsub));
}

static void write_memory(struct exposition *exposition, const struct server *server,
                         const struct store_stats *store) {
    memory_note_peak();
    size_t used = memory_used(), peak = memory_peak();
    gauge(exposition, "keynome_memory_used_bytes",
          "Memory in use, which maxmemory is compared with.", (int64_t)used);
    gauge(exposition, "keynome_memory_used_peak_bytes", "The most that was in use.",
          (int64_t)(peak > used ? peak : used));
    gauge(exposition, "keynome_memory_used_rss_bytes", "Memory of the process in RAM.",
          (int64_t)process_resident_bytes());
    gauge(exposition, "keynome_memory_max_bytes", "The limit, maxmemory; 0 is none.",
          config_number(server->config, "maxmemory"));
    gauge(exposition, "keynome_lazyfree_pending_objects",
          "Values that the background has yet to free.", (int64_t)store->lazy_pending);
}

/* ---- keys ---- */

enum db_figure { DB_KEYS, DB_EXPIRING, DB_TTL };

static void write_db_family(struct exposition *exposition, const struct keyspace_figures *keyspace,
                            enum db_figure figure, const char *name, const char *help) {
    exposition_family(exposition, name, METRIC_GAUGE, help);
    for (unsigned db = 0; db < keyspace->db_count; db++) {
        const struct store_db_stats *stats = &keyspace->dbs[db];
        char number[16];
        struct label label = {"db", number};
        /* The first is always there, so that there is something to look at. */
        if (stats->keys == 0 && db != 0) continue;
        snprintf(number, sizeof number, "db%u", db);
        if (figure == DB_TTL)
            exposition_double(exposition, &label, 1, (double)stats->average_ttl_ms / 1000);
        else
            exposition_int(exposition, &label, 1,
                           (int64_t)(figure == DB_KEYS ? stats->keys : stats->expiring));
    }
}

static void write_keys(struct exposition *exposition, const struct keyspace_figures *keyspace) {
    write_db_family(exposition, keyspace, DB_KEYS, "keynome_db_keys", "Keys, by database.");
    write_db_family(exposition, keyspace, DB_EXPIRING, "keynome_db_keys_expiring",
                    "Keys that have a lifetime, by database.");
    write_db_family(exposition, keyspace, DB_TTL, "keynome_db_avg_ttl_seconds",
                    "What is left of a lifetime on the average, estimated, by database.");
    counter(exposition, "keynome_keyspace_hits_total", "Reads of keys that were there.",
            stats_read(STAT_KEYSPACE_HITS));
    counter(exposition, "keynome_keyspace_misses_total", "Reads of keys that were not there.",
            stats_read(STAT_KEYSPACE_MISSES));
    counter(exposition, "keynome_expired_keys_total", "Keys whose lifetime ended.",
            (int64_t)keyspace->store.expired);
    counter(exposition, "keynome_expired_subkeys_total", "Fields of hashes whose lifetime ended.",
            (int64_t)keyspace->store.expired_fields);
    counter(exposition, "keynome_evicted_keys_total", "Keys that left because memory was full.",
            (int64_t)keyspace->store.evicted);
}

/* ---- commands ---- */

enum command_figure { COMMAND_CALLS, COMMAND_SECONDS, COMMAND_REJECTED, COMMAND_FAILED };

static void write_command_family(struct exposition *exposition, struct server *server,
                                 const struct command_counts *counts, enum command_figure figure,
                                 const char *name, const char *help) {
    exposition_family(exposition, name, METRIC_COUNTER, help);
    for (unsigned number = 0; number < command_count(server->commands); number++) {
        const struct command_counts *mine = &counts[number];
        char full[COMMAND_NAME_MAX];
        if (!mine->calls && !mine->rejected && !mine->failed) continue;
        const struct command *command = command_by_number(server->commands, number);
        struct label label = {"cmd", command_full_name(server, command, full)};
        if (figure == COMMAND_SECONDS)
            exposition_double(exposition, &label, 1, (double)mine->microseconds / 1e6);
        else
            exposition_int(exposition, &label, 1,
                           (int64_t)(figure == COMMAND_CALLS      ? mine->calls
                                     : figure == COMMAND_REJECTED ? mine->rejected
                                                                  : mine->failed));
    }
}

static void error_sample(const char *code, uint64_t count, void *context) {
    struct label label = {"err", code};
    exposition_int(context, &label, 1, (int64_t)count);
}

static void write_commands(struct exposition *exposition, struct server *server) {
    unsigned count = command_count(server->commands);
    struct command_counts *counts = mem_alloc((count + 1) * sizeof *counts);
    for (unsigned i = 0; i < count; i++) command_stats_read(server, i, &counts[i]);
    counter(exposition, "keynome_commands_processed_total", "Commands that were run.",
            stats_read(STAT_COMMANDS));
    write_command_family(exposition, server, counts, COMMAND_CALLS, "keynome_commands_total",
                         "Calls, by command.");
    write_command_family(exposition, server, counts, COMMAND_SECONDS,
                         "keynome_commands_duration_seconds_total",
                         "Time that calls took, by command.");
    write_command_family(exposition, server, counts, COMMAND_REJECTED,
                         "keynome_commands_rejected_calls_total",
                         "Calls refused before they ran, by command.");
    write_command_family(exposition, server, counts, COMMAND_FAILED,
                         "keynome_commands_failed_calls_total",
                         "Calls that ended with an error, by command.");
    mem_free(counts);
    exposition_family(exposition, "keynome_errors_total", METRIC_COUNTER,
                      "Errors replied, by their first word.");
    error_stats_each(error_sample, exposition);
}

bool metrics_write(struct server *server, const struct keyspace_figures *keyspace,
                   struct buffer *out) {
    struct exposition exposition = {.out = out};
    write_process(&exposition, server);
    write_clients(&exposition, server);
    write_memory(&exposition, server, &keyspace->store);
    write_keys(&exposition, keyspace);
    write_commands(&exposition, server);
    metrics_write_catalog(&exposition, &keyspace->catalog);
    exposition_family(&exposition, "keynome_metrics_reading_seconds", METRIC_GAUGE,
                      "Time of a worker that reading the keyspace for this page took.");
    exposition_double(&exposition, NULL, 0, (double)keyspace->worker_us / 1e6);
    return exposition_is_whole(&exposition);
}
