/* SPDX-License-Identifier: BSD-3-Clause */
/* PING, HELLO, AUTH, SELECT and what else concerns only the connection itself. */
#include "base/memory.h"
#include "base/number.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/auth.h"
#include "server/client.h"
#include "server/config.h"
#include "server/server.h"
#include "server/version.h"

static bool is_resp2_subscriber(const struct request *request) {
    const struct client *client = request->client;
    if (client == NULL || client->resp >= 3) return false;
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        if (subscriptions_count(&client->subscriptions, (enum topic_kind)kind)) return true;
    return false;
}

static void cmd_ping(struct request *request) {
    if (request->argc > 2) {
        reply_error(request->reply, "ERR wrong number of arguments for 'ping' command");
        return;
    }
    struct bytes text = request->argc == 2 ? argument(request, 1) : BYTES("");
    if (is_resp2_subscriber(request)) {
        reply_array(request->reply, 2);
        reply_bulk_string(request->reply, "pong");
        reply_bulk(request->reply, text);
    } else if (request->argc == 2) {
        reply_bulk(request->reply, text);
    } else {
        REPLY_LITERAL(request->reply, "+PONG\r\n");
    }
}

static void cmd_echo(struct request *request) {
    reply_bulk(request->reply, argument(request, 1));
}

static void cmd_quit(struct request *request) {
    reply_ok(request->reply);
    client_close(request->client, true);
}

static void cmd_select(struct request *request) {
    unsigned db;
    if (!argument_db(request, 1, NULL, &db)) return;
    client_select(request->client, db);
    reply_ok(request->reply);
}

static void cmd_reset(struct request *request) {
    client_reset(request->client);
    request->reply->resp = 2;
    REPLY_LITERAL(request->reply, "+RESET\r\n");
}

/* ---- authentication ---- */

#define WRONG_PASSWORD "WRONGPASS invalid username-password pair or user is disabled."

static bool authenticate(struct request *request, struct bytes user, struct bytes password) {
    if (!auth_check(request->server->auth, user, password)) {
        reply_error(request->reply, WRONG_PASSWORD);
        return false;
    }
    request->client->authenticated = true;
    return true;
}

static void cmd_auth(struct request *request) {
    if (request->argc > 3) {
        reply_error_code(request->reply, ERROR_SYNTAX);
        return;
    }
    if (request->argc == 2 && !auth_is_required(request->server->auth)) {
        reply_error(request->reply,
                    "ERR AUTH <password> called without any password configured for the default "
                    "user. Are you sure your configuration is correct?");
        return;
    }
    struct bytes user = request->argc == 3 ? argument(request, 1) : BYTES("default");
    if (authenticate(request, user, argument(request, request->argc - 1))) reply_ok(request->reply);
}

static bool is_printable(struct bytes name) {
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < '!' || name.data[i] > '~') return false;
    return true;
}

static void reply_hello(struct request *request) {
    struct reply *reply = request->reply;
    char *zone = config_text(request->server->config, "availability-zone");
    reply_map(reply, *zone ? 8 : 7);
    reply_bulk_string(reply, "server");
    reply_bulk_string(reply, "redis");
    reply_bulk_string(reply, "version");
    reply_bulk_string(reply, REDIS_VERSION);
    reply_bulk_string(reply, "proto");
    reply_int(reply, reply->resp);
    reply_bulk_string(reply, "id");
    reply_int(reply, (int64_t)request->client->id);
    reply_bulk_string(reply, "mode");
    reply_bulk_string(reply, "standalone");
    reply_bulk_string(reply, "role");
    reply_bulk_string(reply, "master");
    reply_bulk_string(reply, "modules");
    reply_array(reply, 0);
    if (*zone) {
        reply_bulk_string(reply, "availability_zone");
        reply_bulk_string(reply, zone);
    }
    mem_free(zone);
}

struct hello {
    int64_t resp;
    bool named;
    struct bytes name;
};

/* AUTH is tried where it stands, as in Redis: what is wrong behind it does not undo it. */
static bool hello_parse(struct request *request, struct hello *hello) {
    uint32_t i = 1;
    if (request->argc > 1) {
        if (!argument_i64(request, 1, &hello->resp,
                          "ERR Protocol version is not an integer or out of range"))
            return false;
        if (hello->resp < 2 || hello->resp > 3) {
            reply_error(request->reply, "NOPROTO unsupported protocol version");
            return false;
        }
        i = 2;
    }
    while (i < request->argc) {
        uint32_t left = request->argc - i - 1;
        if (argument_is(request, i, "auth") && left >= 2) {
            if (!authenticate(request, argument(request, i + 1), argument(request, i + 2)))
                return false;
            i += 3;
        } else if (argument_is(request, i, "setname") && left >= 1) {
            hello->named = true;
            hello->name = argument(request, i + 1);
            if (!is_printable(hello->name)) {
                reply_error(
                    request->reply,
                    "ERR Client names cannot contain spaces, newlines or special characters.");
                return false;
            }
            i += 2;
        } else {
            reply_error_format(request->reply, "ERR Syntax error in HELLO option '%.*s'",
                               (int)argument(request, i).len, argument(request, i).data);
            return false;
        }
    }
    return true;
}

static void cmd_hello(struct request *request) {
    struct client *client = request->client;
    struct hello hello = {.resp = client->resp};
    if (!hello_parse(request, &hello)) return;
    if (!client->authenticated) {
        reply_error(request->reply, "NOAUTH HELLO must be called with the client already "
                                    "authenticated, otherwise the HELLO <proto> "
                                    "AUTH <user> <pass> option can be used to authenticate the "
                                    "client and select the RESP protocol "
                                    "version at the same time");
        return;
    }
    if (hello.named) client_set_string(client, &client->shared.name, hello.name);
    client_set_resp(client, (int)hello.resp);
    request->reply->resp = (int)hello.resp;
    reply_hello(request);
}

enum {
    AT_ANY_TIME = COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST |
                  COMMAND_NO_AUTH | COMMAND_ALLOW_BUSY,
};

static const struct command rows[] = {
    {.name = "ping",
     .arity = -1,
     .flags = COMMAND_FAST | COMMAND_IN_SUBSCRIBER,
     .groups = GROUP_CONNECTION,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the server's liveliness response.",
     .syntax = "[message]",
     .reply = "PONG | bulk",
     .handler = cmd_ping},
    {.name = "echo",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST,
     .groups = GROUP_CONNECTION,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the given string.",
     .syntax = "message",
     .reply = "bulk",
     .handler = cmd_echo},
    {.name = "quit",
     .arity = -1,
     .flags = AT_ANY_TIME | COMMAND_IN_SUBSCRIBER,
     .groups = GROUP_CONNECTION,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Closes the connection.",
     .syntax = "",
     .reply = "OK",
     .handler = cmd_quit},
    {.name = "select",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST,
     .groups = GROUP_CONNECTION,
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Changes the selected database.",
     .syntax = "index",
     .reply = "OK",
     .handler = cmd_select},
    {.name = "reset",
     .arity = 1,
     .flags = AT_ANY_TIME | COMMAND_IN_SUBSCRIBER,
     .groups = GROUP_CONNECTION,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Resets the connection.",
     .syntax = "",
     .reply = "RESET",
     .handler = cmd_reset},
    {.name = "auth",
     .arity = -2,
     .flags = AT_ANY_TIME,
     .groups = GROUP_CONNECTION,
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of passwords defined for the user",
     .summary = "Authenticates the connection.",
     .syntax = "[username] password",
     .reply = "OK",
     .handler = cmd_auth},
    {.name = "hello",
     .arity = -1,
     .flags = AT_ANY_TIME,
     .groups = GROUP_CONNECTION,
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Handshakes with the server.",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
     .reply = "map",
     .handler = cmd_hello},
    {0},
};

const struct command_family connection_commands = {"connection", rows};
