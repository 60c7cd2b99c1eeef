/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What scripts see: Lua's own libraries without those that reach outside, and without a way
 * to leave anything behind.
 *
 * What: builds the globals. Scripts see views of tables: an empty table whose metatable leads reads
 *       to the real one and refuses writes. The functions of Lua that could tell or go round the
 *       difference (rawset, next, pairs, setmetatable ...) are replaced by ones that know views.
 * Always: no real table behind a view can be reached from a script; no compiled code is loaded; the
 *         library of debugging, files, the system and modules are never opened.
 * Owner: the engine's state. Lock: none. Errors: Lua's.
 */
#ifndef KN_SCRIPT_SANDBOX_H
#define KN_SCRIPT_SANDBOX_H

#include <lauxlib.h>
#include <lua.h>

/* Pushes the table behind the globals, and makes a view of it the state's globals. Called
 * once, before any script. */
void sandbox_build(lua_State *lua);
/* Replaces the table on top of the stack by a view of it. */
void sandbox_protect(lua_State *lua);

/* Pushes the globals of a new library: while its program runs they hold what it needs
 * to register its functions. */
void sandbox_push_library(lua_State *lua);
/* From now on the library's globals, at this index, are those of functions that run. */
void sandbox_open_library(lua_State *lua, int index);

/* ---- the libraries that are not Lua's own: each pushes its table ---- */

void sandbox_open_redis(lua_State *lua);    /* api.c */
void sandbox_open_register(lua_State *lua); /* api.c: what `redis` is while a library is loaded */
void sandbox_open_messages(lua_State *lua); /* messages.c: cmsgpack */
void sandbox_open_structs(lua_State *lua);  /* structs.c: struct */
/* Puts random and randomseed into the table on top of the stack. random.c */
void sandbox_open_random(lua_State *lua);
/* Wraps the functions of cjson, whose table is on top of the stack, where they
 * could exhaust memory. json.c */
void sandbox_guard_json(lua_State *lua);
/* Replaces the functions of Lua's libraries, just opened, that a script could end the process with;
 * the second does so in the table of bit, on top of the stack. repairs.c */
void sandbox_repair_lua(lua_State *lua);
void sandbox_repair_bit(lua_State *lua);

#endif
