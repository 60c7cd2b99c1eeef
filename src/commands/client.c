/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT: what concerns the connection that asks, and pauses. LIST, INFO, KILL and
 * UNBLOCK are in client_list.c. */
#include "commands/client_rows.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/help.h"
#include "server/pause.h"
#include "server/server.h"
#include "server/worker.h"

static void share_flags(struct client *client) {
    atomic_store_explicit(&client->shared.flags, client->flags, memory_order_relaxed);
}

static void cmd_id(struct request *request) {
    reply_int(request->reply, (int64_t)request->client->id);
}

/* ---- names ---- */

static bool is_printable(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '!' || text.data[i] > '~') return false;
    return true;
}

static void cmd_setname(struct request *request) {
    struct client *client = request->client;
    struct bytes name = argument(request, 2);
    if (!is_printable(name)) {
        reply_error(request->reply,
                    "ERR Client names cannot contain spaces, newlines or special characters.");
        return;
    }
    client_set_string(client, &client->shared.name, name);
    reply_ok(request->reply);
}

static void cmd_getname(struct request *request) {
    const char *name = request->client->shared.name; /* written by this thread only */
    if (name == NULL)
        reply_null(request->reply);
    else
        reply_bulk_string(request->reply, name);
}

static void cmd_setinfo(struct request *request) {
    struct client *client = request->client;
    struct bytes value = argument(request, 3);
    bool name = argument_is(request, 2, "lib-name"), version = argument_is(request, 2, "lib-ver");
    if (!name && !version) {
        reply_error_format(request->reply, "ERR Unrecognized option '%.*s'",
                           (int)(argument(request, 2).len < 128 ? argument(request, 2).len : 128),
                           argument(request, 2).data);
        return;
    }
    if (!is_printable(value)) {
        reply_error_format(request->reply,
                           "ERR %s cannot contain spaces, newlines or special characters.",
                           name ? "lib-name" : "lib-ver");
        return;
    }
    client_set_string(client, name ? &client->shared.lib_name : &client->shared.lib_version, value);
    reply_ok(request->reply);
}

/* What the client can do. A redirection is for clients of replicas, of which this server is none;
 * what it does not know it passes over, so that clients can say more than servers understand. */
static void cmd_capa(struct request *request) {
    struct client *client = request->client;
    for (uint32_t i = 2; i < request->argc; i++)
        if (argument_is(request, i, "redirect")) client->flags |= CLIENT_CAN_REDIRECT;
    share_flags(client);
    reply_ok(request->reply);
}

/* ---- switches ---- */

static void set_switch(struct request *request, unsigned flag) {
    struct client *client = request->client;
    bool on = argument_is(request, 2, "on");
    if (!on && !argument_is(request, 2, "off")) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    client->flags = on ? client->flags | flag : client->flags & ~flag;
    share_flags(client);
    reply_ok(request->reply);
}

static void cmd_no_evict(struct request *request) {
    set_switch(request, CLIENT_NO_EVICT);
}

static void cmd_no_touch(struct request *request) {
    set_switch(request, CLIENT_NO_TOUCH);
}

static void cmd_reply(struct request *request) {
    struct client *client = request->client;
    if (argument_is(request, 2, "on")) {
        client->flags &= ~(unsigned)(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT);
        reply_ok(request->reply);
    } else if (argument_is(request, 2, "off")) {
        client->flags |= CLIENT_REPLY_OFF;
    } else if (argument_is(request, 2, "skip")) {
        if (!(client->flags & CLIENT_REPLY_OFF)) client->flags |= CLIENT_REPLY_SKIP_NEXT;
    } else {
        reply_error_code(request->reply, ERROR_SYNTAX);
    }
}

/* ---- pauses ---- */

static void cmd_pause(struct request *request) {
    int64_t timeout_ms;
    bool all = true;
    if (request->argc == 4) {
        all = argument_is(request, 3, "all");
        if (!all && !argument_is(request, 3, "write")) {
            reply_error(request->reply, "ERR CLIENT PAUSE mode must be WRITE or ALL");
            return;
        }
    } else if (request->argc > 4) {
        reply_error_format(
            request->reply,
            "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try CLIENT HELP.",
            (int)request->argv[1].len, request->argv[1].data);
        return;
    }
    if (!argument_i64(request, 2, &timeout_ms, "ERR timeout is not an integer or out of range"))
        return;
    if (timeout_ms < 0) {
        reply_error(request->reply, "ERR timeout is negative");
        return;
    }
    if (timeout_ms > INT64_MAX - request->now_ms) {
        reply_error(request->reply, "ERR timeout is out of range");
        return;
    }
    pause_begin(request->server->pause, request->now_ms + timeout_ms, all);
    reply_ok(request->reply);
}

static void let_go(struct worker *worker, void *payload) {
    (void)payload;
    worker_watch_pause(worker);
}

static void cmd_unpause(struct request *request) {
    struct server *server = request->server;
    pause_end(server->pause);
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_post(server->workers[i], let_go, NULL, 0);
    reply_ok(request->reply);
}

static void cmd_client_help(struct request *request) {
    static const char *const lines[] = {
        "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CAPA <capability> [<capability> ...]",
        "    Say what this client can do (REDIRECT).",
        "GETNAME",
        "    Return the name of the current connection.",
        "ID",
        "    Return the ID of the current connection.",
        "INFO",
        "    Return information about the current client connection.",
        "KILL <ip:port>",
        "    Kill connection made from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Kill connections. Options are:",
        "    * ID <client-id> [<client-id> ...], ADDR, LADDR (<ip:port>|<unixsocket>:0),",
        "      IP <ip>, TYPE (NORMAL|MASTER|REPLICA|PUBSUB), USER <username>, NAME <name>,",
        "      LIB-NAME <name>, LIB-VER <version>, DB <db>, FLAGS <flags>, CAPA <capa>",
        "      Kill connections of which this is true; with NOT- before the word",
        "      (NOT-ID, NOT-ADDR ...), those of which it is not.",
        "    * SKIPME (YES|NO)",
        "      Skip killing current connection (default: yes).",
        "    * MAXAGE <seconds>, IDLE <seconds>",
        "      Kill connections that are older, or idle for longer.",
        "LIST [<option> <value> [<option> <value> [...]]]",
        "    Return information about client connections. The options are those of KILL;",
        "    SKIPME is no by default.",
        "UNPAUSE",
        "    Stop the current client pause, resuming traffic.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Suspend all, or just write, clients for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Control the replies sent to the current connection.",
        "SETNAME <name>",
        "    Assign the name <name> to the current connection.",
        "SETINFO <option> <value>",
        "    Set the name or version of the client library (LIB-NAME, LIB-VER).",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "    Unblock the specified blocked client.",
        "NO-EVICT (ON|OFF)",
        "    Protect current client connection from eviction.",
        "NO-TOUCH (ON|OFF)",
        "    Will not touch LRU/LFU stats when this mode is on.",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

enum {
    OWN = COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE,
    ADMIN = OWN | COMMAND_ADMIN,
};
#define ROW(word, args, how, from) \
    .name = (word), .arity = (args), .flags = (how), .groups = GROUP_CONNECTION, .since = (from)

/* clang-format off */
#define TRAITS(no) \
    no "ID client-id [client-id ...] | " no "TYPE <NORMAL | MASTER | REPLICA | PUBSUB> | " \
    no "USER username | " no "ADDR addr | " no "LADDR laddr | " no "IP ip | " no "NAME name | " \
    no "LIB-NAME lib-name | " no "LIB-VER lib-ver | " no "DB db | " no "FLAGS flags | " \
    no "CAPA capa | "
/* clang-format on */
#define FILTERS "<" TRAITS("") TRAITS("NOT-") "SKIPME <YES | NO> | MAXAGE maxage | IDLE idle>"

static const struct command client_rows[] = {
    {ROW("id", 2, OWN, "5.0.0"), .complexity = "O(1)",
     .summary = "Returns the unique client ID of the connection.", .syntax = "", .reply = "integer",
     .handler = cmd_id},
    {ROW("setname", 3, OWN, "2.6.9"), .complexity = "O(1)", .summary = "Sets the connection name.",
     .syntax = "connection-name", .reply = "OK", .handler = cmd_setname},
    {ROW("getname", 2, OWN, "2.6.9"), .complexity = "O(1)",
     .summary = "Returns the name of the connection.", .syntax = "", .reply = "bulk | null",
     .handler = cmd_getname},
    {ROW("setinfo", 4, OWN, "7.2.0"), .complexity = "O(1)",
     .summary = "Sets information specific to the client or connection.",
     .syntax = "<LIB-NAME libname | LIB-VER libver>", .reply = "OK", .handler = cmd_setinfo},
    {ROW("capa", -3, OWN, "8.0.0"), .complexity = "O(1)", .summary = "Says what the client can do.",
     .syntax = "capability [capability ...]", .reply = "OK", .handler = cmd_capa},
    {ROW("info", 2, OWN, "6.2.0"), .complexity = "O(1)",
     .summary = "Returns information about the connection.", .syntax = "", .reply = "verbatim",
     .handler = client_cmd_info},
    {ROW("list", -2, ADMIN, "2.4.0"),
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Lists open connections.", .syntax = "[" FILTERS " ...]", .reply = "verbatim",
     .handler = client_cmd_list},
    {ROW("kill", -3, ADMIN, "2.4.0"),
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Terminates open connections.", .syntax = "<old-format | <" FILTERS " ...>>",
     .reply = "OK | integer", .handler = client_cmd_kill},
    {ROW("unblock", -3, ADMIN, "5.0.0"),
     .complexity = "O(log N) where N is the number of client connections",
     .summary = "Unblocks a client blocked by a blocking command from a different connection.",
     .syntax = "client-id [TIMEOUT | ERROR]", .reply = "integer", .handler = client_cmd_unblock},
    {ROW("no-evict", 3, ADMIN, "7.0.0"), .complexity = "O(1)",
     .summary = "Sets the client eviction mode of the connection.", .syntax = "<ON | OFF>",
     .reply = "OK", .handler = cmd_no_evict},
    {ROW("no-touch", 3, OWN, "7.2.0"), .complexity = "O(1)",
     .summary = "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
     .syntax = "<ON | OFF>", .reply = "OK", .handler = cmd_no_touch},
    {ROW("reply", 3, OWN, "3.2.0"), .complexity = "O(1)",
     .summary = "Instructs the server whether to reply to commands.", .syntax = "<ON | OFF | SKIP>",
     .reply = "OK", .handler = cmd_reply},
    {ROW("pause", -3, ADMIN, "3.0.0"), .complexity = "O(1)",
     .summary = "Suspends commands processing.", .syntax = "timeout [WRITE | ALL]", .reply = "OK",
     .handler = cmd_pause},
    {ROW("unpause", 2, ADMIN, "6.2.0"),
     .complexity = "O(N) Where N is the number of paused clients",
     .summary = "Resumes processing commands from paused clients.", .syntax = "", .reply = "OK",
     .handler = cmd_unpause},
    PLANNED("caching", "6.0.0", "Says which keys of the next command to track.", GROUP_CONNECTION),
    PLANNED("getredir", "6.0.0", "Says who hears of tracked keys.", GROUP_CONNECTION),
    PLANNED("import-source", "8.1.0", "Marks a client that brings data in.", GROUP_CONNECTION),
    PLANNED("tracking", "6.0.0", "Switches the tracking of keys.", GROUP_CONNECTION),
    PLANNED("trackinginfo", "6.2.0", "Says what is tracked.", GROUP_CONNECTION),
    {ROW("help", 2, COMMAND_LOADING | COMMAND_STALE, "5.0.0"), .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.", .syntax = "",
     .reply = "array of statuses", .handler = cmd_client_help},
    {0},
};

static const struct command rows[] = {
    {.name = "client",
     .arity = -2,
     .groups = GROUP_CONNECTION,
     .since = "2.4.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for client connection commands.",
     .syntax = "",
     .reply = "",
     .subcommands = client_rows},
    {0},
};

const struct command_family client_commands = {"connection", rows};
