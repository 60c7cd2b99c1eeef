/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table `redis` that scripts see.
 */
#include <string.h>

#include "base/log.h"
#include "script/engine.h"
#include "script/functions.h"
#include "script/run.h"
#include "script/sandbox.h"
#include "script/sha1.h"
#include "script/values.h"
#include "server/command.h"
#include "server/command_table.h"
#include "server/server.h"
#include "server/version.h"

enum { LEVEL_DEBUG, LEVEL_VERBOSE, LEVEL_NOTICE, LEVEL_WARNING };
enum { REPLICATE_NONE = 0, REPLICATE_AOF = 1, REPLICATE_REPLICA = 2, REPLICATE_ALL = 3 };

/* Raises {err = "ERR text"}. */
static int raise(lua_State *lua, const char *text) {
    values_push_error(lua, bytes_from_string(text));
    return lua_error(lua);
}

static int api_error_reply(lua_State *lua) {
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
        values_push_error(lua, BYTES("wrong number or type of arguments"));
        return 1;
    }
    const char *text = lua_tostring(lua, 1);
    if (text[0] != '-') {
        lua_pushliteral(lua, "-");
        lua_insert(lua, 1);
        lua_concat(lua, 2);
        text = lua_tostring(lua, 1);
    }
    /* It ends at a zero byte. */
    values_push_error(lua, bytes_from_string(text));
    return 1;
}

static int api_status_reply(lua_State *lua) {
    size_t len;
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
        values_push_error(lua, BYTES("wrong number or type of arguments"));
        return 1;
    }
    const char *text = lua_tolstring(lua, 1, &len);
    values_push_field(lua, "ok", bytes_make(text, len));
    return 1;
}

static int api_sha1hex(lua_State *lua) {
    size_t len;
    char hex[SHA1_HEX + 1];
    if (lua_gettop(lua) != 1) return raise(lua, "wrong number of arguments");
    const char *text = lua_tolstring(lua, 1, &len);
    sha1_hex(bytes_make(text, text == NULL ? 0 : len), hex);
    lua_pushlstring(lua, hex, SHA1_HEX);
    return 1;
}

static int api_log(lua_State *lua) {
    int count = lua_gettop(lua);
    if (count < 2) return raise(lua, "redis.log() requires two arguments or more.");
    if (!lua_isnumber(lua, 1)) return raise(lua, "First argument must be a number (log level).");
    lua_Number level = lua_tonumber(lua, 1);
    if (!(level >= LEVEL_DEBUG && level <= LEVEL_WARNING))
        return raise(lua, "Invalid debug level.");
    lua_pushliteral(lua, "");
    for (int i = 2; i <= count; i++) {
        /* As arguments are joined by a space: what is no text is left out, its space is not. */
        if (i > 2)
            lua_pushliteral(lua, " ");
        else
            lua_pushliteral(lua, "");
        if (lua_isstring(lua, i))
            lua_pushvalue(lua, i);
        else
            lua_pushliteral(lua, "");
        lua_concat(lua, 3);
    }
    const char *text = lua_tostring(lua, -1);
    switch ((int)level) {
    case LEVEL_DEBUG: log_debug("%s", text); break;
    case LEVEL_VERBOSE: log_verbose("%s", text); break;
    case LEVEL_NOTICE: log_notice("%s", text); break;
    default: log_warning("%s", text);
    }
    return 0;
}

static int api_setresp(lua_State *lua) {
    if (lua_gettop(lua) != 1) return raise(lua, "redis.setresp() requires one argument.");
    lua_Number version = lua_tonumber(lua, 1);
    if (version != 2 && version != 3) return raise(lua, "RESP version must be 2 or 3.");
    struct run *run = engine_of(lua)->run;
    if (run == NULL)
        return raise(lua, "redis.setresp can only be called inside a script invocation");
    run->resp = (int)version;
    return 0;
}

/* What a script writes is replicated as its effects, all of them together: the choice is checked,
 * and has no effect while there is nobody to replicate to. */
static int api_set_repl(lua_State *lua) {
    if (lua_gettop(lua) != 1) return raise(lua, "redis.set_repl() requires one argument.");
    lua_Number wish = lua_tonumber(lua, 1);
    if (!(wish >= REPLICATE_NONE && wish <= REPLICATE_ALL))
        return raise(lua, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or "
                          "REPL_NONE.");
    return 0;
}

static int api_replicate_commands(lua_State *lua) {
    lua_pushboolean(lua, 1);
    return 1;
}

/* There is no debugger to stop in. */
static int api_breakpoint(lua_State *lua) {
    lua_pushboolean(lua, 0);
    return 1;
}

static int api_debug(lua_State *lua) {
    (void)lua;
    return 0;
}

/* Everybody may do everything until there are users with rights of their own; what
 * is no command is an error. */
static int api_acl_check_cmd(lua_State *lua) {
    if (lua_gettop(lua) == 0)
        return raise(lua,
                     "Please specify at least one argument for this redis.acl_check_cmd() call");
    size_t len;
    if (!lua_isstring(lua, 1))
        return raise(lua, "redis.acl_check_cmd() command arguments must be strings or integers");
    const char *name = lua_tolstring(lua, 1, &len);
    const struct command *row =
        command_find(engine_of(lua)->server->commands, bytes_make(name, len));
    if (row != NULL && row->subcommands != NULL && lua_isstring(lua, 2)) {
        name = lua_tolstring(lua, 2, &len);
        row = command_find_subcommand(row, bytes_make(name, len));
    }
    if (row == NULL) return raise(lua, "Invalid command passed to redis.acl_check_cmd()");
    lua_pushboolean(lua, 1);
    return 1;
}

/* "7.4.2" as 0x00070402. */
static lua_Number version_number(const char *version) {
    unsigned number = 0, part = 0;
    for (; *version != '\0'; version++) {
        if (*version == '.') {
            number = number << 8 | part;
            part = 0;
        } else {
            part = part * 10 + (unsigned)(*version - '0');
        }
    }
    return number << 8 | part;
}

static void set_constants(lua_State *lua) {
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        {"LOG_DEBUG", LEVEL_DEBUG},        {"LOG_VERBOSE", LEVEL_VERBOSE},
        {"LOG_NOTICE", LEVEL_NOTICE},      {"LOG_WARNING", LEVEL_WARNING},
        {"REPL_NONE", REPLICATE_NONE},     {"REPL_AOF", REPLICATE_AOF},
        {"REPL_SLAVE", REPLICATE_REPLICA}, {"REPL_REPLICA", REPLICATE_REPLICA},
        {"REPL_ALL", REPLICATE_ALL},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        lua_pushinteger(lua, numbers[i].value);
        lua_setfield(lua, -2, numbers[i].name);
    }
    lua_pushliteral(lua, REDIS_VERSION);
    lua_setfield(lua, -2, "REDIS_VERSION");
    lua_pushnumber(lua, version_number(REDIS_VERSION));
    lua_setfield(lua, -2, "REDIS_VERSION_NUM");
    lua_pushliteral(lua, "keynome");
    lua_setfield(lua, -2, "SERVER_NAME");
}

void sandbox_open_redis(lua_State *lua) {
    static const luaL_Reg functions[] = {
        {"call", run_call},
        {"pcall", run_pcall},
        {"error_reply", api_error_reply},
        {"status_reply", api_status_reply},
        {"sha1hex", api_sha1hex},
        {"log", api_log},
        {"setresp", api_setresp},
        {"set_repl", api_set_repl},
        {"replicate_commands", api_replicate_commands},
        {"breakpoint", api_breakpoint},
        {"debug", api_debug},
        {"acl_check_cmd", api_acl_check_cmd},
        {NULL, NULL},
    };
    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
    set_constants(lua);
}

void sandbox_open_register(lua_State *lua) {
    static const luaL_Reg functions[] = {
        {"register_function", functions_register}, {"log", api_log}, {NULL, NULL}};
    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
    set_constants(lua);
}
