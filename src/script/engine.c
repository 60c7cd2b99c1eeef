/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/memory.h"
#include "script/functions.h"
#include "script/local.h"
#include "script/random.h"
#include "script/run.h"
#include "script/sandbox.h"
#include "server/stats.h"
#include "server/worker.h"

enum { COLLECT_MIN_BYTES = 8 << 20, REPLY_KEEP_BYTES = 64 * 1024 };
#define REPLY_MAX_BYTES   ((size_t)1 << 30)
#define SCRATCH_MAX_BYTES ENGINE_BYTES_MAX

/* ---- memory ---- */

static bool is_small(size_t size) {
    return size <= HEAP_OBJECT_MAX;
}

/* Small objects come from a heap of the engine's own: they have no header there,
 * and Lua knows their sizes. */
static void *take(struct engine *engine, size_t size) {
    return is_small(size) ? heap_take(engine->heap, size) : mem_try_alloc(size);
}

static void give(struct engine *engine, void *object, size_t size) {
    if (is_small(size))
        heap_give(engine->heap, object, size);
    else
        mem_free(object);
}

static void *resize(struct engine *engine, void *object, size_t old_size, size_t size) {
    if (is_small(size) && is_small(old_size))
        return heap_resize(engine->heap, object, old_size, size);
    if (!is_small(size) && !is_small(old_size)) {
        void *moved = mem_try_realloc(object, size);
        /* To Lua, what shrinks cannot fail. */
        return moved == NULL && size <= old_size ? object : moved;
    }
    void *moved = take(engine, size);
    if (moved == NULL) return NULL;
    memcpy(moved, object, old_size < size ? old_size : size);
    give(engine, object, old_size);
    return moved;
}

static void *engine_allocate(void *context, void *object, size_t old_size, size_t size) {
    struct engine *engine = context;
    void *result = NULL;
    if (object == NULL) old_size = 0;
    if (size > old_size && size - old_size > engine->limit_bytes - engine->used_bytes) return NULL;
    if (size == 0) {
        if (object != NULL) give(engine, object, old_size);
    } else {
        result = object == NULL ? take(engine, size) : resize(engine, object, old_size, size);
        if (result == NULL) return NULL;
    }
    engine->used_bytes += size - old_size;
    return result;
}

/* ---- errors ---- */

/* The text of an error that is no table, under the code that errors have by default. */
static void push_error_text(lua_State *lua) {
    lua_pushliteral(lua, "ERR ");
    if (lua_isstring(lua, 1)) {
        lua_pushvalue(lua, 1);
    } else if (lua_isnil(lua, 1)) {
        lua_pushliteral(lua, "nil");
    } else if (lua_isboolean(lua, 1)) {
        lua_pushstring(lua, lua_toboolean(lua, 1) ? "true" : "false");
    } else {
        lua_pushfstring(lua, "%s: %p", luaL_typename(lua, 1), lua_topointer(lua, 1));
    }
    lua_concat(lua, 2);
}

int engine_error_handler(lua_State *lua) {
    lua_Debug where;
    bool known = lua_getstack(lua, 1, &where) && lua_getinfo(lua, "Sl", &where);
    if (known && strcmp(where.what, "C") == 0)
        known = lua_getstack(lua, 2, &where) && lua_getinfo(lua, "Sl", &where);
    lua_settop(lua, 1);
    if (!lua_istable(lua, 1)) {
        push_error_text(lua);
        lua_createtable(lua, 0, 3);
        lua_pushliteral(lua, "err");
        lua_pushvalue(lua, 2);
        lua_rawset(lua, 3);
    }
    if (known) {
        lua_pushliteral(lua, "source");
        lua_pushstring(lua, where.source);
        lua_rawset(lua, -3);
        lua_pushliteral(lua, "line");
        lua_pushinteger(lua, where.currentline);
        lua_rawset(lua, -3);
    }
    return 1;
}

int engine_protect(struct engine *engine, lua_CFunction function, void *context,
                   char ret_error[ENGINE_ERROR_MAX]) {
    lua_State *lua = engine->lua;
    int status = lua_cpcall(lua, function, context);
    if (status != 0 && ret_error != NULL) {
        /* Not lua_tostring: a number would be made a string, which needs memory. */
        const char *text =
            lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "unknown error";
        snprintf(ret_error, ENGINE_ERROR_MAX, "%s", text);
    }
    lua_settop(lua, ENGINE_SLOTS);
    return status;
}

/* ---- life ---- */

struct building {
    int slots[ENGINE_SLOTS + 1]; /* references in the registry */
};

static int build(lua_State *lua) {
    struct building *building = lua_touserdata(lua, 1);
    lua_pushcfunction(lua, engine_error_handler);
    building->slots[ENGINE_ERROR_HANDLER] = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pushcfunction(lua, run_protected);
    building->slots[ENGINE_RUNNER] = luaL_ref(lua, LUA_REGISTRYINDEX);
    sandbox_build(lua);
    building->slots[ENGINE_GLOBALS] = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_newtable(lua);
    building->slots[ENGINE_FUNCTIONS] = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

struct engine *engine_new(struct scripts *scripts, struct worker *worker) {
    struct engine *engine = mem_zalloc(sizeof *engine);
    struct building building = {{0}};
    *engine = (struct engine){.scripts = scripts,
                              .worker = worker,
                              .server = worker->server,
                              .heap = heap_new(),
                              .limit_bytes = ENGINE_BYTES_MAX,
                              .collect_bytes = COLLECT_MIN_BYTES,
                              .here = local_scripts_new(),
                              .functions = local_functions_new()};
    random_begin(engine);
    arena_init(&engine->arena);
    buffer_init(&engine->reply, REPLY_MAX_BYTES);
    buffer_init(&engine->scratch, SCRATCH_MAX_BYTES);
    engine->lua = lua_newstate(engine_allocate, engine);
    if (engine->lua == NULL || lua_cpcall(engine->lua, build, &building) != 0) {
        engine_free(engine);
        return NULL;
    }
    lua_settop(engine->lua, 0);
    for (int slot = 1; slot <= ENGINE_SLOTS; slot++)
        lua_rawgeti(engine->lua, LUA_REGISTRYINDEX, building.slots[slot]);
    engine->functions_ref = building.slots[ENGINE_FUNCTIONS];
    lua_sethook(engine->lua, run_hook, LUA_MASKCOUNT, ENGINE_HOOK_INSTRUCTIONS);
    engine_rest(engine);
    return engine;
}

void engine_free(struct engine *engine) {
    if (engine == NULL) return;
    if (engine->lua != NULL) lua_close(engine->lua);
    stats_add(STAT_SCRIPT_VM_BYTES, -(int64_t)engine->reported_bytes);
    local_scripts_free(engine->here);
    local_functions_free(engine->functions);
    heap_free(engine->heap);
    arena_done(&engine->arena);
    buffer_done(&engine->reply);
    buffer_done(&engine->scratch);
    mem_free(engine);
}

void engine_collect(struct engine *engine) {
    lua_gc(engine->lua, LUA_GCCOLLECT, 0);
    engine->collect_bytes = 2 * engine->used_bytes;
    if (engine->collect_bytes < COLLECT_MIN_BYTES) engine->collect_bytes = COLLECT_MIN_BYTES;
}

void engine_rest(struct engine *engine) {
    if (engine->gc_changed) {
        engine->gc_changed = false;
        lua_gc(engine->lua, LUA_GCSETPAUSE, 200);
        lua_gc(engine->lua, LUA_GCSETSTEPMUL, 200);
        lua_gc(engine->lua, LUA_GCRESTART, 0);
    }
    if (engine->used_bytes > engine->collect_bytes) engine_collect(engine);
    if (engine->reply.cap > REPLY_KEEP_BYTES) {
        engine->reply.len = 0;
        buffer_shrink(&engine->reply, 0);
    }
    if (engine->used_bytes == engine->reported_bytes) return;
    stats_add(STAT_SCRIPT_VM_BYTES, (int64_t)engine->used_bytes - (int64_t)engine->reported_bytes);
    engine->reported_bytes = engine->used_bytes;
}
