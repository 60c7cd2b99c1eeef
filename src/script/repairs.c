/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions of Lua 5.1's libraries, and of its bit library, with which a script could end the
 * process: by a count of results or digits that wraps, or by a pattern that takes the whole stack
 * of the thread. Each does here what it is known for, and fails where it would have crashed.
 */
#include <limits.h>
#include <stdint.h>

#include "script/engine.h"
#include "script/sandbox.h"

/* The matcher of patterns calls itself for every character that repeats, and for every capture: at
 * some two hundred bytes of stack each, these stay below a megabyte. */
enum { PATTERN_DEPTH_MAX = 4000 };

/* unpack(table [, first [, last]]): the number of results does not fit into Lua's own
 * int for extreme arguments. */
static int checked_unpack(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    int64_t first = luaL_optint(lua, 2, 1);
    int64_t last = lua_isnoneornil(lua, 3) ? (int)lua_objlen(lua, 1) : luaL_checkint(lua, 3);
    if (first > last) return 0;
    int64_t count = last - first + 1;
    if (count > INT_MAX || !lua_checkstack(lua, (int)count))
        return luaL_error(lua, "too many results to unpack");
    for (int64_t i = first; i <= last; i++) lua_rawgeti(lua, 1, (int)i);
    return (int)count;
}

/* bit.tohex(number [, digits]): the least number of digits has no positive counterpart.
 * Upvalues: the original, tobit. */
static int checked_tohex(lua_State *lua) {
    if (lua_isnumber(lua, 2)) {
        lua_pushvalue(lua, lua_upvalueindex(2));
        lua_pushvalue(lua, 2);
        lua_call(lua, 1, 1);
        /* Eight digits are the most there are, so it makes no other difference. */
        if (lua_tonumber(lua, -1) == INT32_MIN) {
            lua_pushinteger(lua, -INT32_MAX);
            lua_replace(lua, 2);
        }
        lua_pop(lua, 1);
    }
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static void check_pattern(lua_State *lua) {
    size_t len, depth = 0;
    if (lua_type(lua, 2) != LUA_TSTRING) return;
    const char *pattern = lua_tolstring(lua, 2, &len);
    if (len <= PATTERN_DEPTH_MAX) return;
    for (size_t i = 0; i < len; i++) {
        char c = pattern[i];
        depth += c == '?' || c == '*' || c == '+' || c == '-' || c == '(' || c == ')';
    }
    if (depth > PATTERN_DEPTH_MAX) luaL_error(lua, "pattern too complex");
}

/* The original is the upvalue, called in this frame, so that its errors name
 * the place in the script. */
static int checked_pattern(lua_State *lua) {
    check_pattern(lua);
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/* string.find: what is searched for as it stands is no pattern. */
static int checked_find(lua_State *lua) {
    if (!lua_toboolean(lua, 4)) check_pattern(lua);
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static void wrap(lua_State *lua, const char *name, lua_CFunction wrapper) {
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, wrapper, 1);
    lua_setfield(lua, -2, name);
}

void sandbox_repair_lua(lua_State *lua) {
    lua_pushcfunction(lua, checked_unpack);
    lua_setglobal(lua, "unpack");
    lua_getglobal(lua, "string");
    wrap(lua, "find", checked_find);
    wrap(lua, "match", checked_pattern);
    wrap(lua, "gmatch", checked_pattern);
    wrap(lua, "gfind", checked_pattern); /* its old name */
    wrap(lua, "gsub", checked_pattern);
    lua_pop(lua, 1);
}

void sandbox_repair_bit(lua_State *lua) {
    lua_getfield(lua, -1, "tohex");
    lua_getfield(lua, -2, "tobit");
    lua_pushcclosure(lua, checked_tohex, 2);
    lua_setfield(lua, -2, "tohex");
}
