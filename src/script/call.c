/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redis.call and redis.pcall: a command run from within a script, by the rules that
 * dispatch has for clients.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "script/engine.h"
#include "script/run.h"
#include "script/values.h"
#include "server/aliases.h"
#include "server/client.h"
#include "server/command.h"
#include "server/command_stats.h"
#include "server/command_table.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "server/worker.h"

enum { NUMBER_TEXT_MAX = 32, CALL_ARGS_MAX = LUAI_MAXCSTACK };

/* Pushes an error of the call itself, which no command has counted. */
static bool fail(lua_State *lua, const char *text) {
    values_push_error(lua, bytes_from_string(text));
    return false;
}

/* A failed check, which counts like a command's own error. */
static bool refuse(lua_State *lua, const char *text) {
    fail(lua, text);
    lua_pushliteral(lua, "ignore_error_stats_update");
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -3);
    error_stats_note(text, strlen(text));
    return false;
}

/* ---- arguments ---- */

static struct bytes number_text(struct engine *engine, lua_Number number) {
    char *text = arena_alloc(&engine->arena, NUMBER_TEXT_MAX);
    int len;
    if (number > -1e15 && number < 1e15 && number == (lua_Number)(int64_t)number &&
        !(number == 0 && signbit(number)))
        len = (int)number_format_i64(text, (int64_t)number);
    else
        len = snprintf(text, NUMBER_TEXT_MAX, "%.17g", number);
    return bytes_make(text, (size_t)len);
}

/* Views of the strings on the stack, which stay there while the command runs. */
static bool take_arguments(lua_State *lua, struct engine *engine, struct request *request) {
    int count = lua_gettop(lua);
    if (count == 0)
        return fail(lua, "Please specify at least one argument for this redis lib call");
    struct bytes *argv = arena_alloc(&engine->arena, (size_t)count * sizeof *argv);
    for (int i = 0; i < count; i++) {
        size_t len;
        switch (lua_type(lua, i + 1)) {
        case LUA_TSTRING: {
            const char *text = lua_tolstring(lua, i + 1, &len);
            argv[i] = bytes_make(text, len);
            break;
        }
        case LUA_TNUMBER: argv[i] = number_text(engine, lua_tonumber(lua, i + 1)); break;
        default: return fail(lua, "Lua redis lib command arguments must be strings or integers");
        }
    }
    request->argv = argv;
    request->argc = (uint32_t)count;
    return true;
}

/* ---- may it run? ---- */

/* Finds the row; pushes an error and returns false when there is none, or it is not for scripts. */
static bool find_row(lua_State *lua, struct engine *engine, struct request *request,
                     unsigned *ret_number) {
    const struct command_table *commands = engine->server->commands;
    const struct command *row = command_lookup(commands, request->argv[0], ret_number);
    uint32_t argc = request->argc;
    if (row != NULL && row->subcommands != NULL && argc > 1) {
        row = command_find_subcommand(row, request->argv[1]);
        if (row != NULL) *ret_number = command_number(commands, row);
    }
    if (row == NULL) return refuse(lua, "-ERR Unknown Redis command called from script");
    if ((row->arity > 0 && (uint32_t)row->arity != argc) ||
        (row->arity < 0 && argc < (uint32_t)-row->arity))
        return refuse(lua, "-ERR Wrong number of args calling Redis command from script");
    if (row->flags & COMMAND_NO_SCRIPT)
        return refuse(lua, "-ERR This Redis command is not allowed from script");
    if (row->handler == NULL)
        return refuse(lua, "-ERR This command is not supported by this version of Keynome");
    request->command = row;
    return true;
}

static bool may_write(lua_State *lua, const struct run *run, const struct command *row) {
    if (run->flags & RUN_READ_ONLY && row->flags & (COMMAND_WRITE | COMMAND_MAY_REPLICATE))
        return refuse(lua, "-ERR Write commands are not allowed from read-only scripts.");
    /* A script that has begun to write goes on: half of its work would be worse. */
    if (row->flags & COMMAND_DENY_OOM &&
        (run->flags & (RUN_OOM | RUN_ALLOW_OOM | RUN_WROTE)) == RUN_OOM)
        return refuse(lua, "-OOM command not allowed when used memory > 'maxmemory'.");
    return true;
}

/* ---- running ---- */

static void run_command(struct engine *engine, struct request *request, unsigned number) {
    struct run *run = engine->run;
    struct reply *reply = request->reply;
    command_stats_begin_nested(engine->worker);
    request_run(request);
    command_stats_called(engine->worker, number, reply->errors != 0);
    command_stats_end_nested(engine->worker);
    if (reply->errors)
        error_stats_note(reply->out->data + reply->error_at, reply->out->len - reply->error_at);
    run->request->changes += request->changes;
    run->db = request->client->db;
}

static bool do_call(lua_State *lua, struct engine *engine) {
    struct run *run = engine->run;
    struct reply reply;
    unsigned number;
    if (run == NULL)
        return fail(lua, "redis.call/pcall can only be called inside a script invocation");
    arena_reset(&engine->arena);
    buffer_clear(&engine->reply);
    reply_init(&reply, &engine->reply, run->resp);
    struct request request = *run->request;
    request.reply = &reply;
    request.arena = &engine->arena;
    request.db = run->db;
    request.changes = 0;
    request.counted = false;
    request.key_count = request.twin_count = 0;
    request.flags = (request.flags & ~(unsigned)REQUEST_RESP3) | REQUEST_NO_BLOCK |
                    REQUEST_IN_SCRIPT | (run->resp >= 3 ? REQUEST_RESP3 : 0);
    if (!take_arguments(lua, engine, &request) || !find_row(lua, engine, &request, &number) ||
        !may_write(lua, run, request.command))
        return false;
    if (!request_find_keys(&request)) return fail(lua, "-ERR out of memory");
    if (request.command->flags & COMMAND_WRITE) {
        run->flags |= RUN_WROTE;
        atomic_store_explicit(&engine->wrote, true, memory_order_relaxed);
    }
    if (!claim_command(run, &request)) run_leave(lua);
    /* A run that held nothing until now may have found the keys by names that mean others since. */
    if (kn_unlikely(request.generation != aliases_generation(engine->server->aliases)) &&
        !request_find_keys(&request))
        return fail(lua, "-ERR out of memory");
    run_command(engine, &request, number);
    lua_settop(lua, 0); /* arguments may fill the stack, and the reply needs some */
    if (reply.overflow) return fail(lua, "not enough memory for the reply of a command");
    values_push_reply(lua, buffer_bytes(&engine->reply));
    return reply.errors == 0;
}

int run_call(lua_State *lua) {
    if (!do_call(lua, engine_of(lua))) lua_error(lua);
    return 1;
}

int run_pcall(lua_State *lua) {
    (void)do_call(lua, engine_of(lua));
    return 1;
}
