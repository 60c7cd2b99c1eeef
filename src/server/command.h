/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command table: everything that is known about a command, declared once.
 *
 * What: rows that feed dispatch, key extraction, COMMAND and the documentation. Each file in
 *       commands/ exports one family of rows; command_table.c gathers them.
 * Always: a row with a handler works; a row without one answers that it is not supported, and
 *         docs/compatibility.md, generated from the rows, says so.
 * Owner: rows are constant. Lock: none. Errors: none.
 */
#ifndef KN_SERVER_COMMAND_H
#define KN_SERVER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct request;
struct server;

/* As COMMAND INFO names them. */
enum command_flag {
    COMMAND_WRITE = 1 << 0,
    COMMAND_READONLY = 1 << 1,
    COMMAND_DENY_OOM = 1 << 2,
    COMMAND_ADMIN = 1 << 3,
    COMMAND_PUBSUB = 1 << 4,
    COMMAND_NO_SCRIPT = 1 << 5,
    COMMAND_BLOCKING = 1 << 6,
    COMMAND_LOADING = 1 << 7,
    COMMAND_STALE = 1 << 8,
    COMMAND_SKIP_MONITOR = 1 << 9,
    COMMAND_SKIP_SLOWLOG = 1 << 10,
    COMMAND_ASKING = 1 << 11,
    COMMAND_FAST = 1 << 12,
    COMMAND_NO_AUTH = 1 << 13,
    COMMAND_MAY_REPLICATE = 1 << 14,
    COMMAND_NO_ASYNC_LOADING = 1 << 15,
    COMMAND_NO_MULTI = 1 << 16,
    COMMAND_ALLOW_BUSY = 1 << 17,
    COMMAND_NO_MANDATORY_KEYS = 1 << 18,
    /* Ours, not shown: */
    COMMAND_ALL_SHARDS = 1 << 24,    /* runs with the whole keyspace locked */
    COMMAND_IN_SUBSCRIBER = 1 << 25, /* allowed to a RESP2 client that is subscribed */
    /* Calls request_visit_shard: a transaction with it holds every shard. */
    COMMAND_VISITS_SHARDS = 1 << 26,
    COMMAND_RUNS_SCRIPT = 1 << 27, /* likewise, but alone it may do with less */
    COMMAND_OTHER_DB = 1 << 28,    /* its keys may be in another database */
};

/* ACL categories beyond those that follow from the flags (read, write, admin, dangerous with admin,
 * pubsub, fast or slow, blocking). */
enum command_group {
    GROUP_KEYSPACE = 1 << 0,
    GROUP_STRING = 1 << 1,
    GROUP_LIST = 1 << 2,
    GROUP_SET = 1 << 3,
    GROUP_SORTED_SET = 1 << 4,
    GROUP_HASH = 1 << 5,
    GROUP_BITMAP = 1 << 6,
    GROUP_HYPERLOGLOG = 1 << 7,
    GROUP_GEO = 1 << 8,
    GROUP_STREAM = 1 << 9,
    GROUP_PUBSUB = 1 << 10,
    GROUP_DANGEROUS = 1 << 11,
    GROUP_CONNECTION = 1 << 12,
    GROUP_TRANSACTION = 1 << 13,
    GROUP_SCRIPTING = 1 << 14,
    GROUP_ADMIN = 1 << 15,
    GROUP_CATALOG = 1 << 16,
};

/* Key specifications, with the meaning that COMMAND INFO gives them. */
enum key_flag {
    KEY_RO = 1 << 0,
    KEY_RW = 1 << 1,
    KEY_OW = 1 << 2,
    KEY_RM = 1 << 3,
    KEY_ACCESS = 1 << 4,
    KEY_UPDATE = 1 << 5,
    KEY_INSERT = 1 << 6,
    KEY_DELETE = 1 << 7,
    KEY_NOT_KEY = 1 << 8, /* a shard channel */
    KEY_INCOMPLETE = 1 << 9,
    KEY_VARIABLE_FLAGS = 1 << 10,
};

enum key_find { KEYS_NONE, KEYS_RANGE, KEYS_COUNTED, KEYS_UNKNOWN };

struct key_spec {
    uint16_t flags;
    uint8_t find; /* enum key_find; KEYS_NONE ends the list */
    /* Argument index of the first key, or of the count; with a keyword: where its search starts
     * (negative: from the end, backwards). */
    int8_t begin;
    const char *keyword; /* the keys stand behind this word; NULL: at `begin` */
    /* KEYS_RANGE: relative to the first; -1 is the last argument, -2 the one before ...;
     * KEYS_COUNTED: where the first key stands relative to the count. */
    int8_t last;
    int8_t step;
    /* KEYS_RANGE with last -1: only the first 1/limit of the arguments (2: the first half). */
    int8_t limit;
};

/* The usual ones. */
#define KEY_AT(index, how) \
    { .flags = (how), .find = KEYS_RANGE, .begin = (index), .last = 0, .step = 1 }
#define KEY_ALL_FROM(index, how) \
    { .flags = (how), .find = KEYS_RANGE, .begin = (index), .last = -1, .step = 1 }
#define KEY_ALL_BUT_LAST(index, how) \
    { .flags = (how), .find = KEYS_RANGE, .begin = (index), .last = -2, .step = 1 }
#define KEY_EVERY_OTHER(index, how) \
    { .flags = (how), .find = KEYS_RANGE, .begin = (index), .last = -1, .step = 2 }
#define KEY_COUNTED_AT(index, how) \
    { .flags = (how), .find = KEYS_COUNTED, .begin = (index), .last = 1, .step = 1 }

enum { COMMAND_KEY_SPECS = 4 };

struct command {
    const char *name; /* lower case; a subcommand's is its own word only */
    int arity; /* as COMMAND INFO: negative for "at least"; a subcommand's counts its parent */
    uint32_t flags;
    uint32_t groups;
    struct key_spec keys[COMMAND_KEY_SPECS];
    const char *since;      /* the version of Redis (or Valkey) that brought it */
    const char *complexity; /* "O(1)" */
    const char *summary;    /* one sentence */
    const char *syntax;     /* arguments as documentation writes them: "key value [NX | XX]" */
    const char *reply;      /* shape: "integer", "bulk | null", "array of bulks" ... */
    void (*handler)(struct request *request);
    /* Whether a call with these arguments may write, where that depends on what they
     * bring; NULL: as the flags say. */
    bool (*writes)(struct server *server, const struct bytes *argv);
    const struct command
        *subcommands; /* ends with a row without a name; the handler is then NULL */
};

/* What one file of commands exports: rows, ended by one without a name. */
struct command_family {
    const char *name; /* "list", as COMMAND DOCS groups it */
    const struct command *rows;
};

#endif
