/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/run.h"

#include <lauxlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/engine.h"
#include "script/scripts.h"
#include "script/values.h"
#include "server/busy.h"
#include "server/client.h"
#include "server/dispatch.h"
#include "server/request.h"
#include "server/server.h"
#include "store/admin.h"

bool run_admit(struct request *request, unsigned script_flags, bool read_only,
               unsigned *ret_flags) {
    bool declared = !(script_flags & SCRIPT_UNDECLARED);
    bool over_limit = store_over_limit(request->store);
    if (declared && read_only && !(script_flags & SCRIPT_NO_WRITES)) {
        reply_error(request->reply,
                    "ERR Can not execute a script with write flag using *_ro command.");
        return false;
    }
    if (declared && over_limit && !(script_flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES))) {
        reply_error(request->reply, "OOM allow-oom flag is not set on the script, can not run it "
                                    "when used memory > 'maxmemory'");
        return false;
    }
    *ret_flags = (read_only || script_flags & SCRIPT_NO_WRITES ? RUN_READ_ONLY : 0) |
                 (script_flags & SCRIPT_ALLOW_OOM ? RUN_ALLOW_OOM : 0) | (over_limit ? RUN_OOM : 0);
    return true;
}

/* ---- time ---- */

static void become_slow(struct run *run, int64_t now_us) {
    struct engine *engine = run->engine;
    bool function = run->flags & RUN_FUNCTION;
    log_warning(
        "Slow script detected: still in execution after %lld milliseconds. You can try killing the "
        "script using the %s command. Script name is: %s.",
        (long long)((now_us - run->started_us) / 1000), function ? "FUNCTION KILL" : "SCRIPT KILL",
        run->name);
    claim_shards(run, &run->held);
    run->slow = true;
    scripts_note_slow(engine->scripts, engine);
    busy_begin(engine->worker, &run->held, function);
}

/* Every line from now on raises: who catches the error is told again. */
static void insist(lua_State *lua, const struct engine *engine) {
    lua_sethook(lua, run_hook, LUA_MASKCOUNT | LUA_MASKLINE, ENGINE_HOOK_INSTRUCTIONS);
    lua_sethook(engine->lua, run_hook, LUA_MASKCOUNT | LUA_MASKLINE, ENGINE_HOOK_INSTRUCTIONS);
}

int run_leave(lua_State *lua) {
    insist(lua, engine_of(lua));
    lua_pushnil(lua);
    return lua_error(lua);
}

static void raise_killed(lua_State *lua, const struct engine *engine, bool stopping) {
    insist(lua, engine);
    const char *text = "Error running script: Script killed by user with SCRIPT KILL.";
    if (engine->run->flags & RUN_FUNCTION)
        text = "Error running script: Script killed by user with FUNCTION KILL.";
    if (stopping) text = "The server is shutting down.";
    values_push_error(lua, bytes_from_string(text));
    lua_error(lua);
}

void run_hook(lua_State *lua, lua_Debug *debug) {
    struct engine *engine = engine_of(lua);
    struct run *run = engine->run;
    (void)debug;
    if (engine->loading != NULL && clock_mono_us() > engine->loading_until_us)
        luaL_error(lua, "FUNCTION LOAD timeout");
    if (run == NULL) return;
    if (run->claim.restart) run_leave(lua);
    bool stopping = atomic_load_explicit(&engine->server->stopping, memory_order_relaxed);
    bool killed = run->slow && atomic_load_explicit(&engine->kill, memory_order_relaxed);
    if (!stopping && !killed) {
        int64_t now_us = clock_mono_us();
        int64_t most_ms =
            atomic_load_explicit(&engine->server->limits.busy_ms, memory_order_relaxed);
        if (run->started_us == 0) {
            run->started_us = now_us;
            scripts_note_running(engine->scripts, engine, run);
        }
        if (!run->slow) {
            if (most_ms <= 0 || (now_us - run->started_us) / 1000 < most_ms) return;
            become_slow(run, now_us);
        }
        busy_serve(engine->worker, run->request->client);
        stopping = atomic_load_explicit(&engine->server->stopping, memory_order_relaxed);
        killed = atomic_load_explicit(&engine->kill, memory_order_relaxed);
    }
    if (stopping || killed) raise_killed(lua, engine, stopping);
}

static void end_long(struct run *run) {
    struct engine *engine = run->engine;
    if (run->slow) busy_end(engine->worker, &run->held);
    scripts_note_ended(engine->scripts, engine);
}

/* ---- the result ---- */

/* The error, a table of engine_error_handler's making, is on top of the stack. */
static void reply_failure(lua_State *lua, const struct run *run) {
    struct reply *reply = run->request->reply;
    const char *text = "ERR unknown error", *source = NULL;
    int line = 0;
    bool counted = false;
    if (lua_istable(lua, -1)) {
        lua_pushliteral(lua, "err");
        lua_rawget(lua, -2);
        if (lua_isstring(lua, -1)) text = lua_tostring(lua, -1);
        lua_pushliteral(lua, "source");
        lua_rawget(lua, -3);
        if (lua_isstring(lua, -1)) source = lua_tostring(lua, -1);
        lua_pushliteral(lua, "line");
        lua_rawget(lua, -4);
        if (lua_isnumber(lua, -1)) line = (int)lua_tointeger(lua, -1);
        lua_pushliteral(lua, "ignore_error_stats_update");
        lua_rawget(lua, -5);
        counted = lua_toboolean(lua, -1) != 0;
    }
    if (lua_type(lua, -1) == LUA_TSTRING) /* memory was at its end, so there is no table */
        reply_error_format(reply, "ERR %s script: %s", lua_tostring(lua, -1), run->name);
    else if (source != NULL && line != 0)
        reply_error_format(reply, "%s script: %s, on %s:%d.", text, run->name, source, line);
    else
        reply_error_format(reply, "%s", text);
    if (counted) reply->errors = 0;
}

static void push_strings(lua_State *lua, const struct bytes *strings, uint32_t count) {
    lua_createtable(lua, (int)count, 0);
    for (uint32_t i = 0; i < count; i++) {
        lua_pushlstring(lua, strings[i].data, strings[i].len);
        lua_rawseti(lua, -2, (int)i + 1);
    }
}

/* Stack: the slots of enum engine_slot, then the run. */
int run_protected(lua_State *lua) {
    struct run *run = lua_touserdata(lua, ENGINE_SLOTS + 1);
    const struct request *request = run->request;
    uint32_t first_arg = run->first_key + run->key_count;
    int args = 0;
    lua_rawgeti(lua, ENGINE_FUNCTIONS, run->function);
    push_strings(lua, request->argv + run->first_key, run->key_count);
    push_strings(lua, request->argv + first_arg, request->argc - first_arg);
    if (run->flags & RUN_FUNCTION) {
        args = 2;
    } else {
        lua_pushliteral(lua, "ARGV");
        lua_insert(lua, -2);
        lua_rawset(lua, ENGINE_GLOBALS);
        lua_pushliteral(lua, "KEYS");
        lua_insert(lua, -2);
        lua_rawset(lua, ENGINE_GLOBALS);
    }
    if (lua_pcall(lua, args, 1, ENGINE_ERROR_HANDLER) == 0)
        values_write_reply(lua, request->reply, run->resp);
    else if (!run->claim.restart)
        reply_failure(lua, run);
    return 0;
}

void run_script(struct run *run) {
    struct engine *engine = run->engine;
    struct request *request = run->request;
    if (!claim_begin(run)) {
        request->wants_all = true;
        return;
    }
    struct client *client = request->client;
    lua_State *lua = engine->lua;
    size_t mark = reply_defer(request->reply);
    uint32_t errors = request->reply->errors;
    run->db = request->db;
    run->resp = 2;
    engine->run = run;
    atomic_store_explicit(&engine->wrote, false, memory_order_relaxed);
    lua_pushvalue(lua, ENGINE_RUNNER);
    for (int slot = 1; slot <= ENGINE_SLOTS; slot++) lua_pushvalue(lua, slot);
    lua_pushlightuserdata(lua, run);
    if (lua_pcall(lua, ENGINE_SLOTS + 1, 0, 0) != 0 && !run->claim.restart) {
        /* Memory was at its end, or the result is none that can be replied. */
        const char *text =
            lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "unknown error";
        reply_rewind(request->reply, mark);
        request->reply->errors = errors;
        reply_error_format(request->reply, "ERR %s script: %s", text, run->name);
    }
    lua_settop(lua, ENGINE_SLOTS);
    engine->run = NULL;
    if (run->claim.restart) {
        reply_rewind(request->reply, mark);
        request->reply->errors = errors;
    }
    claim_end(run);
    if (kn_unlikely(run->started_us != 0)) end_long(run);
    if (kn_unlikely(lua_gethookmask(lua) != LUA_MASKCOUNT))
        lua_sethook(lua, run_hook, LUA_MASKCOUNT, ENGINE_HOOK_INSTRUCTIONS);
    if (client->db != request->db) client_select(client, request->db);
    engine_rest(engine);
}
