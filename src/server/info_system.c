/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections of INFO about the process: server, clients, memory, cpu. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/client.h"
#include "server/config.h"
#include "server/info.h"
#include "server/pause.h"
#include "server/process.h"
#include "server/registry.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/version.h"
#include "store/admin.h"

static struct {
    char run_id[41], replication_id[41];
    size_t used_bytes; /* before there were data or clients */
} start;

static void random_id(char *ret_id) {
    unsigned char random[20];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        int64_t now_ns = clock_read_ns(CLOCK_REALTIME);
        memset(random, 0, sizeof random);
        memcpy(random, &now_ns, sizeof now_ns);
    }
    for (size_t i = 0; i < sizeof random; i++) snprintf(ret_id + 2 * i, 3, "%02x", random[i]);
}

void info_note_start(void) {
    random_id(start.run_id);
    random_id(start.replication_id);
    start.used_bytes = memory_used();
}

const char *info_replication_id(void) {
    return start.replication_id;
}

void info_server_section(const struct info *info) {
    struct server *server = info->server;
    struct utsname system;
    int64_t now_us = clock_realtime_us(), up_s = (info->now_ms - server->started_ms) / 1000;
    if (up_s < 0) up_s = 0;
    uname(&system);
    info_field(info, "redis_version", "%s", REDIS_VERSION);
    info_field(info, "server_name", "keynome");
    info_field(info, "keynome_version", "%s", KN_VERSION);
    info_field(info, "redis_git_sha1", "00000000");
    info_field(info, "redis_git_dirty", "0");
    info_field(info, "redis_build_id", "0");
    info_field(info, "redis_mode", "standalone");
    info_field(info, "os", "%s %s %s", system.sysname, system.release, system.machine);
    info_field(info, "arch_bits", "%zu", sizeof(void *) * 8);
    info_field(info, "monotonic_clock", "POSIX clock_gettime");
    info_field(info, "multiplexing_api", "epoll");
    info_field(info, "atomicvar_api", "c11-builtin");
    info_field(info, "gcc_version", "%d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
    info_field(info, "process_id", "%d", (int)getpid());
    info_field(info, "process_supervised", "%s", process_supervision());
    info_field(info, "run_id", "%s", start.run_id);
    info_field(info, "tcp_port", "%u", atomic_load(&server->port));
    info_field(info, "server_time_usec", "%lld", (long long)now_us);
    info_field(info, "uptime_in_seconds", "%lld", (long long)up_s);
    info_field(info, "uptime_in_days", "%lld", (long long)(up_s / 86400));
    info_field(info, "hz", "%lld", (long long)config_number(server->config, "hz"));
    info_field(info, "configured_hz", "%lld", (long long)config_number(server->config, "hz"));
    info_field(info, "lru_clock", "%lld", (long long)(now_us / 1000000 & 0xffffff));
    info_field(info, "executable", "%s", process_executable());
    info_field(info, "config_file", "%s", config_file_path(server->config));
    info_field(info, "io_threads_active", "%d", server->worker_count > 1);
    info_field(info, "threads", "%u", server->worker_count);
    char *zone = config_text(server->config, "availability-zone");
    info_field(info, "availability_zone", "%s", zone);
    mem_free(zone);
    char *bind = config_text(server->config, "bind");
    info_field(info, "listener0", "name=tcp,bind=%s,port=%u", bind, atomic_load(&server->port));
    mem_free(bind);
    const char *unix_path = config_peek(server->config, "unixsocket");
    if (*unix_path) info_field(info, "listener1", "name=unix,bind=%s", unix_path);
}

/* ---- clients ---- */

static void pause_fields(const struct info *info) {
    const struct pause *pause = info->server->pause;
    bool on = pause_is_on(pause, info->now_ms);
    info_field(info, "paused_reason", on ? "client_pause" : "none");
    info_field(info, "paused_actions",
               !on                                    ? "none"
               : pause_stops_all(pause, info->now_ms) ? "all"
                                                      : "write");
    info_field(info, "paused_timeout_milliseconds", "%lld",
               on ? (long long)(pause_until_ms(pause) - info->now_ms) : 0ll);
}

struct client_totals {
    uint64_t pubsub, watching, watched_keys;
    uint64_t input_max, output_max, bytes;
};

static uint64_t load(const _Atomic uint64_t *value) {
    return atomic_load_explicit(value, memory_order_relaxed);
}

static bool add_client(struct client *client, void *context) {
    struct client_totals *totals = context;
    const struct client_shared *shared = &client->shared;
    uint64_t input = load(&shared->query_bytes), output = load(&shared->output_bytes);
    uint32_t watched = atomic_load_explicit(&shared->watched, memory_order_relaxed);
    totals->pubsub += (shared->channels || shared->patterns || shared->shard_channels);
    totals->watching += watched > 0;
    totals->watched_keys += watched;
    if (input > totals->input_max) totals->input_max = input;
    if (output > totals->output_max) totals->output_max = output;
    totals->bytes += sizeof *client + input + output + load(&shared->query_room) +
                     load(&shared->queued_bytes) + load(&shared->argument_bytes);
    return true;
}

void info_clients_section(const struct info *info) {
    struct server *server = info->server;
    struct client_totals totals = {0};
    registry_each(server->registry, add_client, &totals);
    info_field(info, "connected_clients", "%u", registry_count(server->registry));
    info_field(info, "cluster_connections", "0");
    info_field(info, "maxclients", "%u", atomic_load(&server->limits.max_clients));
    info_field(info, "client_recent_max_input_buffer", "%llu",
               (unsigned long long)totals.input_max);
    info_field(info, "client_recent_max_output_buffer", "%llu",
               (unsigned long long)totals.output_max);
    info_field(info, "blocked_clients", "%lld", (long long)stats_read(STAT_CLIENTS_BLOCKED));
    info_field(info, "tracking_clients", "0");
    info_field(info, "pubsub_clients", "%llu", (unsigned long long)totals.pubsub);
    info_field(info, "watching_clients", "%llu", (unsigned long long)totals.watching);
    info_field(info, "clients_in_timeout_table", "0");
    info_field(info, "total_watched_keys", "%llu", (unsigned long long)totals.watched_keys);
    info_field(info, "total_blocking_keys", "%lld", (long long)stats_read(STAT_BLOCKING_KEYS));
    info_field(info, "total_blocking_keys_on_nokey", "%lld",
               (long long)stats_read(STAT_BLOCKING_KEYS_ON_NOKEY));
    pause_fields(info);
}

/* ---- memory ---- */

static double ratio(uint64_t a, uint64_t b) {
    return b ? (double)a / (double)b : 0;
}

static void allocator_fields(const struct info *info, uint64_t used, uint64_t resident) {
    struct memory_stats allocator;
    memory_stats(&allocator);
    /* Where the allocator cannot tell, its share is what is in use. */
    if (!allocator.allocated) allocator = (struct memory_stats){used, used, used};
    info_field(info, "allocator_allocated", "%zu", allocator.allocated);
    info_field(info, "allocator_active", "%zu", allocator.active);
    info_field(info, "allocator_resident", "%zu", allocator.resident);
    info_field(info, "allocator_frag_ratio", "%.2f", ratio(allocator.active, allocator.allocated));
    info_field(info, "allocator_frag_bytes", "%lld",
               (long long)(allocator.active - allocator.allocated));
    info_field(info, "allocator_rss_ratio", "%.2f", ratio(allocator.resident, allocator.active));
    info_field(info, "allocator_rss_bytes", "%lld",
               (long long)(allocator.resident - allocator.active));
    info_field(info, "rss_overhead_ratio", "%.2f", ratio(resident, allocator.resident));
    info_field(info, "rss_overhead_bytes", "%lld",
               (long long)resident - (long long)allocator.resident);
    info_field(info, "mem_fragmentation_ratio", "%.2f", ratio(resident, used));
    info_field(info, "mem_fragmentation_bytes", "%lld", (long long)resident - (long long)used);
}

static void memory_size_fields(const struct info *info, uint64_t used, uint64_t clients,
                               uint64_t tables) {
    uint64_t overhead = start.used_bytes + clients + tables;
    uint64_t dataset = used > overhead ? used - overhead : 0;
    uint64_t beyond_start = used > start.used_bytes ? used - start.used_bytes : 0;
    size_t peak = memory_peak();
    if (peak < used) peak = used;
    info_bytes(info, "used_memory", used);
    info_bytes(info, "used_memory_rss", process_resident_bytes());
    info_bytes(info, "used_memory_peak", peak);
    info_field(info, "used_memory_peak_perc", "%.2f%%", 100 * ratio(used, peak));
    info_field(info, "used_memory_overhead", "%llu", (unsigned long long)overhead);
    info_field(info, "used_memory_startup", "%zu", start.used_bytes);
    info_field(info, "used_memory_dataset", "%llu", (unsigned long long)dataset);
    info_field(info, "used_memory_dataset_perc", "%.2f%%", 100 * ratio(dataset, beyond_start));
}

static void script_fields(const struct info *info) {
    /* One Lua state a thread serves scripts and functions alike. */
    uint64_t vm = (uint64_t)stats_read(STAT_SCRIPT_VM_BYTES);
    uint64_t sources = (uint64_t)stats_read(STAT_SCRIPT_BYTES);
    info_field(info, "used_memory_vm_eval", "%llu", (unsigned long long)vm);
    info_bytes(info, "used_memory_lua", vm);
    info_field(info, "used_memory_scripts_eval", "%llu", (unsigned long long)sources);
    info_field(info, "number_of_cached_scripts", "%lld", (long long)stats_read(STAT_SCRIPTS));
    uint64_t libraries = (uint64_t)stats_read(STAT_LIBRARY_BYTES);
    info_field(info, "number_of_functions", "%lld", (long long)stats_read(STAT_FUNCTIONS));
    info_field(info, "number_of_libraries", "%lld", (long long)stats_read(STAT_LIBRARIES));
    info_zeros(info, (const char *[]){"used_memory_vm_functions", NULL});
    info_bytes(info, "used_memory_vm_total", vm);
    info_field(info, "used_memory_functions", "%llu", (unsigned long long)libraries);
    info_bytes(info, "used_memory_scripts", sources + libraries);
}

void info_memory_section(const struct info *info) {
    struct server *server = info->server;
    struct store_stats store;
    struct client_totals clients = {0};
    struct sysinfo system;
    memory_note_peak();
    uint64_t used = memory_used(), resident = process_resident_bytes();
    store_stats(server->store, info->shards_held, &store);
    registry_each(server->registry, add_client, &clients);
    memory_size_fields(info, used, clients.bytes, store.table_bytes);
    if (sysinfo(&system) == 0)
        info_bytes(info, "total_system_memory", (uint64_t)system.totalram * system.mem_unit);
    script_fields(info);
    info_bytes(info, "maxmemory", (uint64_t)config_number(server->config, "maxmemory"));
    char *policy = config_text(server->config, "maxmemory-policy");
    info_field(info, "maxmemory_policy", "%s", policy);
    mem_free(policy);
    allocator_fields(info, used, resident);
    info_field(info, "mem_clients_normal", "%llu", (unsigned long long)clients.bytes);
    info_zeros(info, (const char *[]){
                         "mem_not_counted_for_evict", "mem_replication_backlog",
                         "mem_total_replication_buffers", "mem_clients_slaves", "mem_cluster_links",
                         "mem_aof_buffer", "mem_replica_full_sync_buffer",
                         "mem_overhead_db_hashtable_rehashing", "active_defrag_running", NULL});
    info_field(info, "mem_allocator", "%s", memory_allocator_name());
    info_field(info, "lazyfree_pending_objects", "%zu", store.lazy_pending);
    info_field(info, "lazyfreed_objects", "%zu", store.lazy_freed);
}

/* ---- cpu ---- */

static void cpu_fields(const struct info *info, const struct rusage *usage, const char *suffix) {
    char name[64];
    snprintf(name, sizeof name, "used_cpu_sys%s", suffix);
    info_field(info, name, "%lld.%06lld", (long long)usage->ru_stime.tv_sec,
               (long long)usage->ru_stime.tv_usec);
    snprintf(name, sizeof name, "used_cpu_user%s", suffix);
    info_field(info, name, "%lld.%06lld", (long long)usage->ru_utime.tv_sec,
               (long long)usage->ru_utime.tv_usec);
}

/* The main thread's times from the kernel's table, as this may be another thread. */
static bool main_thread_usage(struct rusage *ret_usage) {
    char path[64], line[1024];
    unsigned long long user, system;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool ok = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    /* The name, in brackets, may hold anything. */
    char *end = ok ? strrchr(line, ')') : NULL;
    if (!end ||
        sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return false;
    unsigned long long ticks = (unsigned long long)sysconf(_SC_CLK_TCK);
    *ret_usage = (struct rusage){
        .ru_utime = {(time_t)(user / ticks), (suseconds_t)(user % ticks * 1000000 / ticks)},
        .ru_stime = {(time_t)(system / ticks), (suseconds_t)(system % ticks * 1000000 / ticks)},
    };
    return true;
}

void info_cpu_section(const struct info *info) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) cpu_fields(info, &usage, "");
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0) cpu_fields(info, &usage, "_children");
    if (main_thread_usage(&usage)) cpu_fields(info, &usage, "_main_thread");
}
