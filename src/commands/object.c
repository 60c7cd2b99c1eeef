/* SPDX-License-Identifier: BSD-3-Clause */
/* OBJECT: how a value is kept. */
#include "commands/families.h"
#include "server/arguments.h"
#include "server/help.h"
#include "server/server.h"
#include "store/admin.h"

/* The entry, without counting an access; or replies that there is none. */
static const struct entry *look(struct request *request) {
    const struct entry *entry = request_find_key(request, request_key(request, 0));
    if (entry == NULL) reply_null(request->reply);
    return entry;
}

static bool policy_is_lfu(struct request *request) {
    int policy = atomic_load(&store_limits(request->store)->policy);
    return policy == EVICT_ALLKEYS_LFU || policy == EVICT_VOLATILE_LFU;
}

static void cmd_encoding(struct request *request) {
    const struct entry *entry = look(request);
    if (entry != NULL) reply_bulk_string(request->reply, entry_encoding(entry));
}

static void cmd_refcount(struct request *request) {
    /* Values are not shared: each has one owner. */
    if (look(request) != NULL) reply_int(request->reply, 1);
}

static void cmd_idletime(struct request *request) {
    const struct entry *entry = look(request);
    if (entry == NULL) return;
    if (policy_is_lfu(request)) {
        reply_error(
            request->reply,
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that "
            "when switching between policies at runtime LRU and LFU data will take some time "
            "to adjust.");
        return;
    }
    reply_int(request->reply, store_idle_seconds(request->store, entry));
}

static void cmd_freq(struct request *request) {
    const struct entry *entry = look(request);
    if (entry == NULL) return;
    if (!policy_is_lfu(request)) {
        reply_error(
            request->reply,
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please "
            "note that when switching between policies at runtime LRU and LFU data will take "
            "some time to adjust.");
        return;
    }
    reply_int(request->reply, store_frequency(request->store, entry));
}

static void cmd_object_help(struct request *request) {
    static const char *const lines[] = {
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

#define LOOKS                                                                                     \
    .arity = 3, .flags = COMMAND_READONLY, .groups = GROUP_KEYSPACE, .keys = {KEY_AT(2, KEY_RO)}, \
    .complexity = "O(1)", .syntax = "key"

static const struct command object_rows[] = {
    {.name = "encoding",
     LOOKS,
     .since = "2.2.3",
     .summary = "Returns the internal encoding of a value.",
     .reply = "bulk | null",
     .handler = cmd_encoding},
    {.name = "refcount",
     LOOKS,
     .since = "2.2.3",
     .summary = "Returns the reference count of a value of a key.",
     .reply = "integer | null",
     .handler = cmd_refcount},
    {.name = "idletime",
     LOOKS,
     .since = "2.2.3",
     .summary = "Returns the time since the last access to a value.",
     .reply = "integer | null",
     .handler = cmd_idletime},
    {.name = "freq",
     LOOKS,
     .since = "4.0.0",
     .summary = "Returns the logarithmic access frequency counter of a value.",
     .reply = "integer | null",
     .handler = cmd_freq},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .groups = GROUP_KEYSPACE,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_object_help},
    {0},
};

static const struct command rows[] = {
    {.name = "object",
     .arity = -2,
     .groups = 0,
     .since = "2.2.3",
     .complexity = "Depends on subcommand.",
     .summary = "A container for object introspection commands.",
     .syntax = "",
     .reply = "",
     .subcommands = object_rows},
    {0},
};

const struct command_family object_commands = {"generic", rows};
