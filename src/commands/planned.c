/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that are not built yet: rows without a handler. They answer that they are not supported,
 * and docs/compatibility.md lists them; COMMAND does not, since tools would believe in them.
 */
#include "commands/families.h"

static const struct command rows[] = {
    /* generic */
    PLANNED("migrate", "2.6.0", "Moves keys to another server.", GROUP_KEYSPACE),
    PLANNED("wait", "3.0.0", "Waits until replicas have what was written.", GROUP_KEYSPACE),
    PLANNED("waitaof", "7.2.0", "Waits until what was written is on disk.", GROUP_KEYSPACE),
    /* server */
    PLANNED("acl", "6.0.0", "Users and their rights: a container.", GROUP_ADMIN),
    PLANNED("bgrewriteaof", "1.0.0", "Rewrites the journal in the background.", GROUP_ADMIN),
    PLANNED("bgsave", "1.0.0", "Takes a snapshot in the background.", GROUP_ADMIN),
    PLANNED("commandlog", "8.1.0", "Commands that took much: a container.", GROUP_ADMIN),
    PLANNED("debug", "1.0.0", "For those who look into the server: a container.", GROUP_ADMIN),
    PLANNED("failover", "6.2.0", "Hands over to a replica.", GROUP_ADMIN),
    PLANNED("lastsave", "1.0.0", "Returns when the last snapshot was taken.", GROUP_ADMIN),
    PLANNED("latency", "2.8.13", "Latencies that were noticed: a container.", GROUP_ADMIN),
    PLANNED("module", "4.0.0", "Modules: a container.", GROUP_ADMIN),
    PLANNED("monitor", "1.0.0", "Shows every command as it runs.", GROUP_ADMIN),
    PLANNED("psync", "2.8.0", "Used by replicas.", GROUP_ADMIN),
    PLANNED("replconf", "3.0.0", "Used by replicas.", GROUP_ADMIN),
    PLANNED("replicaof", "5.0.0", "Makes the server a replica.", GROUP_ADMIN),
    PLANNED("save", "1.0.0", "Takes a snapshot.", GROUP_ADMIN),
    PLANNED("slaveof", "1.0.0", "Makes the server a replica.", GROUP_ADMIN),
    PLANNED("slowlog", "2.2.12", "Commands that took long: a container.", GROUP_ADMIN),
    PLANNED("sync", "1.0.0", "Used by replicas.", GROUP_ADMIN),
    {0},
};

const struct command_family planned_commands = {"not built yet", rows};
