/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/sandbox.h"

#include <lua-bitop.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "script/engine.h"

/* In the registry: view -> real table. */
static char views_key;
/* There too: what functions of libraries see, and what libraries see while they are loaded. */
static char function_globals_key, function_redis_key, loading_redis_key;

static const char READ_ONLY_ERROR[] = "Attempt to modify a readonly table";

/* ---- views ---- */

/* Pushes the real table behind a view; returns false, with nothing pushed, for any other value. */
static bool push_real(lua_State *lua, int index) {
    /* A view has a metatable, most tables have none: the usual case is decided at once. */
    if (!lua_istable(lua, index) || !lua_getmetatable(lua, index)) return false;
    lua_pop(lua, 1);
    lua_pushvalue(lua, index);
    lua_pushlightuserdata(lua, &views_key);
    lua_rawget(lua, LUA_REGISTRYINDEX);
    lua_insert(lua, -2);
    lua_rawget(lua, -2);
    lua_remove(lua, -2);
    if (lua_istable(lua, -1)) return true;
    lua_pop(lua, 1);
    return false;
}

/* Raised as the language itself raises errors: with the place for what a script does, without for
 * what a function does on its behalf. */
static int refuse_write(lua_State *lua) {
    return luaL_error(lua, "%s", READ_ONLY_ERROR);
}

static void check_writable(lua_State *lua, int index) {
    if (!push_real(lua, index)) return;
    lua_pushstring(lua, READ_ONLY_ERROR);
    lua_error(lua);
}

void sandbox_protect(lua_State *lua) {
    lua_newtable(lua); /* the view */
    lua_createtable(lua, 0, 2);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_write);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_pushlightuserdata(lua, &views_key);
    lua_rawget(lua, LUA_REGISTRYINDEX);
    lua_pushvalue(lua, -2);
    lua_pushvalue(lua, -4);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
    lua_remove(lua, -2);
}

/* ---- functions that know views ---- */

/* The original function is the first upvalue. It is called as C calls, in the frame of this one, so
 * that its errors name the place in the script. */
static int call_original(lua_State *lua) {
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static int guarded_write(lua_State *lua) {
    check_writable(lua, 1);
    return call_original(lua);
}

static int guarded_rawset(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    luaL_checkany(lua, 3);
    check_writable(lua, 1);
    lua_settop(lua, 3);
    lua_rawset(lua, 1);
    return 1;
}

static int guarded_rawget(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    lua_settop(lua, 2);
    if (push_real(lua, 1)) lua_replace(lua, 1);
    lua_rawget(lua, 1);
    return 1;
}

static int guarded_next(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    if (push_real(lua, 1)) lua_replace(lua, 1);
    if (lua_next(lua, 1)) return 2;
    lua_pushnil(lua);
    return 1;
}

/* next is the upvalue. */
static int guarded_pairs(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

/* A view has no metatable, as far as a script can see; the globals of scripts, and those of
 * functions, answer with the upvalue. */
static int guarded_getmetatable(lua_State *lua) {
    luaL_checkany(lua, 1);
    if (lua_rawequal(lua, 1, LUA_GLOBALSINDEX)) {
        lua_pushvalue(lua, lua_upvalueindex(2));
        return 1;
    }
    if (push_real(lua, 1)) {
        lua_pushlightuserdata(lua, &function_globals_key);
        lua_rawget(lua, LUA_REGISTRYINDEX);
        if (lua_rawequal(lua, -1, -2))
            lua_pushvalue(lua, lua_upvalueindex(2));
        else
            lua_pushnil(lua);
        return 1;
    }
    return call_original(lua);
}

/* What pcall catches of an error of a command is its text, as scripts have always known it. */
static int guarded_pcall(lua_State *lua) {
    luaL_checkany(lua, 1);
    int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
    if (status != 0 && lua_istable(lua, -1)) {
        lua_pushliteral(lua, "err");
        lua_rawget(lua, -2);
        if (lua_isstring(lua, -1))
            lua_replace(lua, -2);
        else
            lua_pop(lua, 1);
    }
    lua_pushboolean(lua, status == 0);
    lua_insert(lua, 1);
    return lua_gettop(lua);
}

static int guarded_collectgarbage(lua_State *lua) {
    engine_of(lua)->gc_changed = true;
    return call_original(lua);
}

/* ---- loading: source only ---- */

struct chunk {
    const char *data;
    size_t len;
    bool begun;
};

static const char *refuse_code(lua_State *lua, struct chunk *chunk) {
    /* Compiled code is not verified by Lua 5.1 and could reach anywhere. Its
     * first byte begins no program. */
    if (!chunk->begun && chunk->len > 0 && chunk->data[0] == LUA_SIGNATURE[0])
        luaL_error(lua, "unexpected symbol near 'char(%d)'", LUA_SIGNATURE[0]);
    chunk->begun |= chunk->len > 0;
    return chunk->data;
}

/* Calls the function at index 1 for the next piece; index 3 keeps it alive. */
static const char *read_piece(lua_State *lua, void *context, size_t *ret_size) {
    struct chunk *chunk = context;
    luaL_checkstack(lua, 2, "too many nested functions");
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    *ret_size = 0;
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        return NULL;
    }
    if (!lua_isstring(lua, -1)) luaL_error(lua, "reader function must return a string");
    lua_replace(lua, 3);
    chunk->data = lua_tolstring(lua, 3, &chunk->len);
    *ret_size = chunk->len;
    return refuse_code(lua, chunk);
}

/* The function that was loaded sees the globals of who loads it. */
static int loaded(lua_State *lua, int status) {
    lua_Debug caller;
    if (status == 0) {
        if (lua_getstack(lua, 1, &caller) && lua_getinfo(lua, "f", &caller)) {
            lua_getfenv(lua, -1);
            lua_remove(lua, -2);
            if (lua_istable(lua, -1))
                lua_setfenv(lua, -2);
            else
                lua_pop(lua, 1);
        }
        return 1;
    }
    lua_pushnil(lua);
    lua_insert(lua, -2);
    return 2;
}

static int guarded_load(lua_State *lua) {
    struct chunk chunk = {0};
    const char *name = luaL_optstring(lua, 2, "=(load)");
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_settop(lua, 3);
    return loaded(lua, lua_load(lua, read_piece, &chunk, name));
}

static int guarded_loadstring(lua_State *lua) {
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    const char *name = luaL_optstring(lua, 2, text);
    if (len > 0 && text[0] == LUA_SIGNATURE[0]) {
        /* Behind a space it is text, and no good text: compiled code is only
         * known by its first byte. */
        lua_pushliteral(lua, " ");
        lua_pushvalue(lua, 1);
        lua_concat(lua, 2);
        text = lua_tolstring(lua, -1, &len);
    }
    return loaded(lua, luaL_loadbuffer(lua, text, len, name));
}

static int processor_time(lua_State *lua) {
    lua_pushnumber(lua, (lua_Number)clock() / (lua_Number)CLOCKS_PER_SEC);
    return 1;
}

/* ---- globals ---- */

static int missing_global(lua_State *lua) {
    const char *name =
        lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : luaL_typename(lua, 2);
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

/* Wraps table.name, where the table is on top of the stack; the original
 * is the wrapper's upvalue. */
static void wrap(lua_State *lua, const char *name, lua_CFunction wrapper) {
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, wrapper, 1);
    lua_setfield(lua, -2, name);
}

static void open_library(lua_State *lua, const char *name, lua_CFunction open) {
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 0);
}

/* Copies a global of the state, protected if it is a table, into the table on top of the stack. */
static void offer(lua_State *lua, const char *name) {
    lua_getglobal(lua, name);
    if (lua_istable(lua, -1)) sandbox_protect(lua);
    lua_setfield(lua, -2, name);
}

static void offer_functions(lua_State *lua) {
    static const char *const names[] = {"assert",   "error",  "gcinfo",   "ipairs",
                                        "rawequal", "select", "tonumber", "tostring",
                                        "type",     "unpack", "xpcall",   "_VERSION"};
    static const struct {
        const char *name;
        lua_CFunction function;
    } replaced[] = {
        {"rawset", guarded_rawset},      {"rawget", guarded_rawget},
        {"next", guarded_next},          {"pcall", guarded_pcall},
        {"load", guarded_load},          {"loadstring", guarded_loadstring},
        {"setmetatable", guarded_write}, {"collectgarbage", guarded_collectgarbage},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) offer(lua, names[i]);
    for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++) {
        lua_getglobal(lua, replaced[i].name);
        lua_pushcclosure(lua, replaced[i].function, 1);
        lua_setfield(lua, -2, replaced[i].name);
    }
    lua_getfield(lua, -1, "next");
    lua_pushcclosure(lua, guarded_pairs, 1);
    lua_setfield(lua, -2, "pairs");
}

/* What Lua brings; the debug, io, os and package libraries are not opened at all. */
static void offer_libraries(lua_State *lua) {
    open_library(lua, "", luaopen_base);
    open_library(lua, LUA_STRLIBNAME, luaopen_string);
    open_library(lua, LUA_TABLIBNAME, luaopen_table);
    open_library(lua, LUA_MATHLIBNAME, luaopen_math);
    sandbox_repair_lua(lua);
    lua_getglobal(lua, "table");
    wrap(lua, "insert", guarded_write);
    wrap(lua, "remove", guarded_write);
    wrap(lua, "setn", guarded_write);
    wrap(lua, "sort", guarded_write);
    lua_pop(lua, 1);
    lua_getglobal(lua, "math");
    sandbox_open_random(lua);
    lua_pop(lua, 1);
    offer(lua, "string");
    offer(lua, "table");
    offer(lua, "math");
    offer(lua, "coroutine");
    lua_newtable(lua);
    lua_pushcfunction(lua, processor_time);
    lua_setfield(lua, -2, "clock");
    sandbox_protect(lua);
    lua_setfield(lua, -2, "os");
}

static void offer_extensions(lua_State *lua) {
    lua_pushcfunction(lua, luaopen_bit);
    lua_call(lua, 0, 1);
    sandbox_repair_bit(lua);
    sandbox_protect(lua);
    lua_setfield(lua, -2, "bit");
    lua_pushcfunction(lua, luaopen_cjson);
    lua_call(lua, 0, 1);
    sandbox_guard_json(lua);
    sandbox_protect(lua);
    lua_setfield(lua, -2, "cjson");
    sandbox_open_messages(lua);
    sandbox_protect(lua);
    lua_setfield(lua, -2, "cmsgpack");
    sandbox_open_structs(lua);
    sandbox_protect(lua);
    lua_setfield(lua, -2, "struct");
    sandbox_open_redis(lua);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "redis");
    lua_setfield(lua, -2, "server");
    lua_pushcfunction(lua, engine_error_handler);
    lua_setfield(lua, -2, "__redis__err__handler");
}

/* Strings share one metatable among all scripts: what they see of it is a view. */
static void protect_strings(lua_State *lua) {
    lua_pushliteral(lua, "");
    if (lua_getmetatable(lua, -1)) {
        lua_createtable(lua, 0, 1);
        lua_getfield(lua, -4, "string");
        lua_setfield(lua, -2, "__index");
        sandbox_protect(lua);
        lua_setfield(lua, -2, "__metatable");
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* ---- libraries of functions ---- */

static void keep(lua_State *lua, char *key) {
    lua_pushlightuserdata(lua, key);
    lua_insert(lua, -2);
    lua_rawset(lua, LUA_REGISTRYINDEX);
}

static void push_kept(lua_State *lua, char *key) {
    lua_pushlightuserdata(lua, key);
    lua_rawget(lua, LUA_REGISTRYINDEX);
}

static void copy_table(lua_State *lua, int from, int to) {
    lua_pushnil(lua);
    while (lua_next(lua, from)) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, to);
    }
}

static void refuse_missing(lua_State *lua) {
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, missing_global);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
}

/* What a function sees: the globals of scripts, on top of the stack,
 * less what only scripts have. */
static void build_function_globals(lua_State *lua) {
    static const char *const absent[] = {"breakpoint", "debug", "replicate_commands"};
    int globals = lua_gettop(lua);
    lua_newtable(lua);
    copy_table(lua, globals, globals + 1);
    sandbox_open_redis(lua);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, absent[i]);
    }
    lua_pushvalue(lua, -1);
    keep(lua, &function_redis_key);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, globals + 1, "redis");
    lua_setfield(lua, globals + 1, "server");
    refuse_missing(lua);
    lua_pushvalue(lua, -1);
    sandbox_protect(lua);
    lua_setfield(lua, globals + 1, "_G");
    keep(lua, &function_globals_key);
    sandbox_open_register(lua);
    refuse_missing(lua);
    keep(lua, &loading_redis_key);
}

void sandbox_push_library(lua_State *lua) {
    lua_createtable(lua, 0, 2); /* what its globals are at first */
    push_kept(lua, &loading_redis_key);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "redis");
    lua_setfield(lua, -2, "server");
    refuse_missing(lua);
    sandbox_protect(lua);
}

/* Makes the view at this index one of the table on top of the stack, which is taken off. */
static void turn_view(lua_State *lua, int index) {
    lua_pushlightuserdata(lua, &views_key);
    lua_rawget(lua, LUA_REGISTRYINDEX);
    lua_pushvalue(lua, index);
    lua_pushvalue(lua, -3);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
    lua_getmetatable(lua, index);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

void sandbox_open_library(lua_State *lua, int index) {
    lua_getfield(lua, index, "redis");
    push_kept(lua, &function_redis_key);
    turn_view(lua, lua_gettop(lua) - 1);
    lua_pop(lua, 1);
    push_kept(lua, &function_globals_key);
    turn_view(lua, index);
}

void sandbox_build(lua_State *lua) {
    /* It keeps no view alive. */
    lua_pushlightuserdata(lua, &views_key);
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_rawset(lua, LUA_REGISTRYINDEX);
    lua_newtable(lua); /* the globals of scripts */
    offer_libraries(lua);
    offer_functions(lua);
    offer_extensions(lua);
    protect_strings(lua);
    /* What is in none of them is an error. */
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, missing_global);
    lua_setfield(lua, -2, "__index");
    lua_pushvalue(lua, -1);
    lua_setmetatable(lua, -3);
    sandbox_protect(lua); /* what getmetatable(_G) shows */
    lua_getglobal(lua, "getmetatable");
    lua_insert(lua, -2);
    lua_pushcclosure(lua, guarded_getmetatable, 2);
    lua_setfield(lua, -2, "getmetatable");
    build_function_globals(lua);
    lua_pushvalue(lua, -1);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "_G");
    lua_replace(lua, LUA_GLOBALSINDEX);
}
