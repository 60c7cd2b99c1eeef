/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: replication and cluster. */
#include <limits.h>

#include "server/config_row.h"

static const struct config_word load_words[] = {
    {"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {"flush-before-load", 3}, {NULL, 0}};
static const struct config_word endpoint_words[] = {
    {"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}, {NULL, 0}};
static const struct config_word sync_words[] = {{"sync", 0}, {"best-effort", 1}, {NULL, 0}};

#define REPL    .waits = "replication"
#define CLUSTER .waits = "cluster mode"
#define COUNT   .min = 0, .max = INT_MAX
#define FROM_1  .min = 1, .max = INT_MAX
#define WIDE    .min = 0, .max = INT64_MAX
#define PORT    .min = 0, .max = 65535

static const struct config_row rows[] = {
    {"replicaof", CONFIG_SPECIAL, "", "the primary to follow", .alias = "slaveof",
     .special = &config_special_replicaof, .flags = CONFIG_FIXED | CONFIG_REFUSED | CONFIG_WORDS,
     REPL},
    {"masterauth", CONFIG_STRING, "", "password at the primary", .alias = "primaryauth", REPL},
    {"masteruser", CONFIG_STRING, "", "user at the primary", .alias = "primaryuser", REPL},
    {"replica-serve-stale-data", CONFIG_BOOL, "yes", "serve while cut off from the primary",
     .alias = "slave-serve-stale-data", REPL},
    {"replica-read-only", CONFIG_BOOL, "yes", "a replica refuses writes",
     .alias = "slave-read-only", REPL},
    {"replica-priority", CONFIG_INT, "100", "preference at failover", COUNT,
     .alias = "slave-priority", REPL},
    {"replica-announced", CONFIG_BOOL, "yes", "show to sentinels", REPL},
    {"replica-announce-ip", CONFIG_STRING, "", "address shown to the primary",
     .alias = "slave-announce-ip", REPL},
    {"replica-announce-port", CONFIG_INT, "0", "port shown to the primary", PORT,
     .alias = "slave-announce-port", REPL},
    {"replica-ignore-maxmemory", CONFIG_BOOL, "yes", "a replica does not evict",
     .alias = "slave-ignore-maxmemory", REPL},
    {"replica-ignore-disk-write-errors", CONFIG_BOOL, "no", "a replica goes on when its disk fails",
     REPL, .flags = 0},
    {"replica-lazy-flush", CONFIG_BOOL, "no", "free old data in the background at a full sync",
     .alias = "slave-lazy-flush", REPL},
    {"replica-full-sync-buffer-limit", CONFIG_MEMORY, "0", "buffer of a replica in a full sync",
     REPL, .flags = 0},
    {"repl-diskless-sync", CONFIG_BOOL, "yes", "full sync without a file", REPL},
    {"repl-diskless-sync-delay", CONFIG_INT, "5", "seconds to wait for further replicas", COUNT,
     REPL},
    {"repl-diskless-sync-max-replicas", CONFIG_INT, "0", "replicas not to wait beyond", COUNT,
     REPL},
    {"repl-diskless-load", CONFIG_ENUM, "disabled", "load a full sync without a file",
     .words = load_words, REPL},
    {"repl-ping-replica-period", CONFIG_INT, "10", "seconds between pings", FROM_1,
     .alias = "repl-ping-slave-period", REPL},
    {"repl-timeout", CONFIG_INT, "60", "seconds before a link counts as dead", FROM_1, REPL},
    {"repl-disable-tcp-nodelay", CONFIG_BOOL, "no", "fewer, larger packets to replicas", REPL},
    {"repl-backlog-size", CONFIG_MEMORY, "1mb", "bytes kept for partial syncs", .min = 1, REPL},
    {"repl-backlog-ttl", CONFIG_INT, "3600", "seconds they are kept without replicas", WIDE, REPL},
    {"repl-mptcp", CONFIG_BOOL, "no", "multipath TCP to the primary", REPL},
    {"dual-channel-replication-enabled", CONFIG_BOOL, "no",
     "a connection of its own for full syncs", REPL, .flags = 0},
    {"min-replicas-to-write", CONFIG_INT, "0", "replicas without which writes are refused", COUNT,
     .alias = "min-slaves-to-write", .flags = CONFIG_REFUSED, REPL},
    {"min-replicas-max-lag", CONFIG_INT, "10", "seconds of lag up to which they count", COUNT,
     .alias = "min-slaves-max-lag", REPL},

    {"cluster-enabled", CONFIG_BOOL, "no", "be a node of a cluster",
     .flags = CONFIG_FIXED | CONFIG_REFUSED, CLUSTER},
    {"cluster-config-file", CONFIG_STRING, "nodes.conf", "file of the node's view",
     .flags = CONFIG_FIXED, CLUSTER},
    {"cluster-config-save-behavior", CONFIG_ENUM, "sync", "how it is written", .words = sync_words,
     CLUSTER},
    {"cluster-node-timeout", CONFIG_INT, "15000", "milliseconds before a node counts as failing",
     WIDE, CLUSTER},
    {"cluster-port", CONFIG_INT, "0", "port of the cluster's bus", PORT, .flags = CONFIG_FIXED,
     CLUSTER},
    {"cluster-databases", CONFIG_INT, "1", "databases in cluster mode", FROM_1,
     .flags = CONFIG_FIXED, CLUSTER},
    {"cluster-announce-ip", CONFIG_STRING, "", "address shown to others", CLUSTER},
    {"cluster-announce-client-ipv4", CONFIG_STRING, "", "address shown to clients", CLUSTER},
    {"cluster-announce-client-ipv6", CONFIG_STRING, "", "address shown to clients", CLUSTER},
    {"cluster-announce-client-port", CONFIG_INT, "0", "port shown to clients", PORT, CLUSTER},
    {"cluster-announce-client-tls-port", CONFIG_INT, "0", "TLS port shown to clients", PORT,
     CLUSTER},
    {"cluster-announce-port", CONFIG_INT, "0", "port shown to others", PORT, CLUSTER},
    {"cluster-announce-tls-port", CONFIG_INT, "0", "TLS port shown to others", PORT, CLUSTER},
    {"cluster-announce-bus-port", CONFIG_INT, "0", "bus port shown to others", PORT, CLUSTER},
    {"cluster-announce-hostname", CONFIG_STRING, "", "name shown to others", CLUSTER},
    {"cluster-announce-human-nodename", CONFIG_STRING, "", "name for people", CLUSTER},
    {"cluster-preferred-endpoint-type", CONFIG_ENUM, "ip", "what clients are redirected to",
     .words = endpoint_words, CLUSTER},
    {"cluster-replica-validity-factor", CONFIG_INT, "10", "how old a replica's data may be", COUNT,
     .alias = "cluster-slave-validity-factor", CLUSTER},
    {"cluster-replica-no-failover", CONFIG_BOOL, "no", "never take over",
     .alias = "cluster-slave-no-failover", CLUSTER},
    {"cluster-migration-barrier", CONFIG_INT, "1", "replicas a primary keeps", COUNT, CLUSTER},
    {"cluster-allow-replica-migration", CONFIG_BOOL, "yes", "replicas move to orphaned primaries",
     CLUSTER, .flags = 0},
    {"cluster-require-full-coverage", CONFIG_BOOL, "yes", "refuse when slots have no owner",
     CLUSTER},
    {"cluster-allow-reads-when-down", CONFIG_BOOL, "no", "serve reads all the same", CLUSTER},
    {"cluster-allow-pubsubshard-when-down", CONFIG_BOOL, "yes", "serve shard channels all the same",
     CLUSTER, .flags = 0},
    {"cluster-link-sendbuf-limit", CONFIG_MEMORY, "0", "buffer of a link between nodes", CLUSTER},
    {"cluster-blacklist-ttl", CONFIG_INT, "60", "seconds a forgotten node is kept out", WIDE,
     CLUSTER},
    {"cluster-manual-failover-timeout", CONFIG_INT, "5000", "milliseconds", FROM_1, CLUSTER},
    {"cluster-slot-stats-enabled", CONFIG_BOOL, "no", "statistics of slots", CLUSTER},
    {"cluster-slot-migration-log-max-len", CONFIG_INT, "1000", "migrations remembered", WIDE,
     CLUSTER},
    {"slot-migration-max-failover-repl-bytes", CONFIG_MEMORY, "0", "lag at which a slot moves",
     CLUSTER, .flags = 0},
    {"cluster-compatibility-sample-ratio", CONFIG_INT, "0", "commands checked for cluster mode",
     .min = 0, .max = 100, CLUSTER},
};

const struct config_rows config_rows_replication = {rows, sizeof rows / sizeof *rows,
                                                    "Replication and cluster"};
