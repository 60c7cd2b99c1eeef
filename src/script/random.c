/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * math.random and math.randomseed: the generator of POSIX's lrand48, from the beginning that POSIX
 * gives it. A Lua state without seed draws the same numbers after every start.
 */
#include <math.h>

#include "script/engine.h"
#include "script/random.h"
#include "script/sandbox.h"

enum { RANDOM_LOW = 0x330e };
#define RANDOM_FIRST  0x1234abcdull
#define RANDOM_FACTOR 0x5deece66dull
#define RANDOM_ADD    0xbull
#define RANDOM_MASK   ((1ull << 48) - 1)

void random_begin(struct engine *engine) {
    engine->random = RANDOM_FIRST << 16 | RANDOM_LOW;
}

static int32_t random_next(struct engine *engine) {
    engine->random = (engine->random * RANDOM_FACTOR + RANDOM_ADD) & RANDOM_MASK;
    return (int32_t)(engine->random >> 17);
}

static int math_random(lua_State *lua) {
    /* Never 1: one number of the generator's 2^31 stands for 0 twice. */
    lua_Number part = (lua_Number)(random_next(engine_of(lua)) % INT32_MAX) / (lua_Number)INT32_MAX;
    switch (lua_gettop(lua)) {
    case 0: lua_pushnumber(lua, part); break;
    case 1: {
        int upper = luaL_checkint(lua, 1);
        luaL_argcheck(lua, 1 <= upper, 1, "interval is empty");
        lua_pushnumber(lua, floor(part * upper) + 1);
        break;
    }
    case 2: {
        int lower = luaL_checkint(lua, 1), upper = luaL_checkint(lua, 2);
        luaL_argcheck(lua, lower <= upper, 2, "interval is empty");
        lua_pushnumber(lua, floor(part * ((lua_Number)upper - lower + 1)) + lower);
        break;
    }
    default: return luaL_error(lua, "wrong number of arguments");
    }
    return 1;
}

static int math_randomseed(lua_State *lua) {
    engine_of(lua)->random = (uint64_t)(uint32_t)luaL_checkint(lua, 1) << 16 | RANDOM_LOW;
    return 0;
}

void sandbox_open_random(lua_State *lua) {
    lua_pushcfunction(lua, math_random);
    lua_setfield(lua, -2, "random");
    lua_pushcfunction(lua, math_randomseed);
    lua_setfield(lua, -2, "randomseed");
}
