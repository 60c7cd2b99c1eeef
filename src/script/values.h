/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lua values and replies, each made of the other.
 *
 * What: a command's reply becomes a Lua value, and what a script returns becomes its reply.
 *
 *           reply                     Lua
 *           integer                   number             (back: cut to an integer)
 *           bulk string               string
 *           status, error             {ok = text}, {err = text}
 *           array                     table from 1 on    (back: up to the first nil)
 *           missing (RESP2)           false              (back: false is missing)
 *           null (RESP3)              nil
 *           map, set                  {map = {key = value}}, {set = {member = true}}
 *           double                    {double = number}
 *           boolean                   boolean
 *           big number, verbatim      {big_number = digits}, {verbatim_string = {string, format}}
 *
 * Owner: values are on the Lua stack. Lock: none.
 * Errors: Lua's, when its stack or memory is at its end: call them protected.
 */
#ifndef KN_SCRIPT_VALUES_H
#define KN_SCRIPT_VALUES_H

#include <lua.h>

#include "base/bytes.h"
#include "proto/reply.h"

/* Pushes the value of one whole reply. What is no reply becomes nil. */
void values_push_reply(lua_State *lua, struct bytes reply);
/* Writes what is on top of the stack, and takes it off. script_resp: which
 * protocol the script speaks. */
void values_write_reply(lua_State *lua, struct reply *reply, int script_resp);

/* Pushes {err = text}; the text is given as an error reply has it: "-CODE words" (the '-' is taken
 * away), or words that get the code ERR. */
void values_push_error(lua_State *lua, struct bytes text);
/* Pushes {field = text}. */
void values_push_field(lua_State *lua, const char *field, struct bytes text);

#endif
