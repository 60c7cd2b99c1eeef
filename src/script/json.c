/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cjson takes the memory for its text outside of the Lua state, and ends the process when there is
 * none. A small table can stand for any amount of text, as its parts may be the same string many
 * times over: so what a value will become is counted first.
 */
#include "script/engine.h"
#include "script/sandbox.h"

enum { JSON_NUMBER_BYTES = 16, JSON_DEPTH_MAX = 1100 };
/* Escapes make six bytes of one at most. */
#define JSON_BYTES_MAX ((size_t)128 << 20)

/* Takes from *left what the value at the top of the stack needs. */
static void count_value(lua_State *lua, unsigned depth, size_t *left) {
    size_t need = JSON_NUMBER_BYTES;
    if (lua_type(lua, -1) == LUA_TSTRING) need += lua_objlen(lua, -1);
    if (need > *left) luaL_error(lua, "not enough memory");
    *left -= need;
    if (!lua_istable(lua, -1) || depth == JSON_DEPTH_MAX) return;
    luaL_checkstack(lua, 3, "cjson");
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        if (lua_type(lua, -2) == LUA_TSTRING) {
            need = lua_objlen(lua, -2);
            if (need > *left) luaL_error(lua, "not enough memory");
            *left -= need;
        }
        count_value(lua, depth + 1, left);
        lua_pop(lua, 1);
    }
}

/* Upvalues: the original's own, then the original, which is called in
 *           the frame of this function. */
static int guarded_encode(lua_State *lua) {
    size_t left = JSON_BYTES_MAX;
    if (lua_gettop(lua) == 1 && lua_istable(lua, 1)) count_value(lua, 0, &left);
    return lua_tocfunction(lua, lua_upvalueindex(2))(lua);
}

/* cjson.new() makes another instance, which is guarded like the first. */
static int guarded_new(lua_State *lua) {
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_call(lua, 0, 1);
    sandbox_guard_json(lua);
    return 1;
}

void sandbox_guard_json(lua_State *lua) {
    lua_getfield(lua, -1, "encode");
    if (lua_getupvalue(lua, -1, 1) == NULL) lua_pushnil(lua);
    lua_insert(lua, -2);
    lua_pushcclosure(lua, guarded_encode, 2);
    lua_setfield(lua, -2, "encode");
    lua_getfield(lua, -1, "new");
    lua_pushcclosure(lua, guarded_new, 1);
    lua_setfield(lua, -2, "new");
}
