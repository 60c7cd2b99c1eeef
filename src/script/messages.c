/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmsgpack: MessagePack, with libmpack for the tokens. Here is only what a Lua value becomes
 * and the other way round.
 */
#include <mpack.h>
#include <string.h>

#include "script/engine.h"
#include "script/sandbox.h"

/* Tables within tables beyond this are packed as nil, so that one that
 * contains itself has an end. */
enum { PACK_DEPTH_MAX = 16 };

/* ---- packing ---- */

static void put(lua_State *lua, const void *data, size_t len) {
    if (buffer_add(&engine_of(lua)->scratch, data, len) != 0) luaL_error(lua, "not enough memory");
}

static void put_token(lua_State *lua, mpack_token_t token) {
    char bytes[MPACK_MAX_TOKEN_LEN], *to = bytes;
    size_t room = sizeof bytes;
    mpack_tokbuf_t state;
    mpack_tokbuf_init(&state);
    (void)mpack_write(&state, &to, &room, &token);
    put(lua, bytes, (size_t)(to - bytes));
}

static void pack_number(lua_State *lua, lua_Number number) {
    if (number >= -0x1p63 && number < 0x1p63 && number == (lua_Number)(int64_t)number) {
        int64_t integer = (int64_t)number;
        put_token(lua, integer < 0 ? mpack_pack_sint(integer) : mpack_pack_uint((uint64_t)integer));
    } else {
        put_token(lua, mpack_pack_float(number));
    }
}

/* Whether the keys of the table at the top are 1, 2 ... n; counts them. */
static bool is_array(lua_State *lua, uint32_t *ret_count) {
    lua_Number most = 0;
    uint32_t count = 0;
    bool array = true;
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_Number key = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
        if (!(key > 0 && key <= UINT32_MAX && key == (lua_Number)(uint32_t)key)) array = false;
        if (key > most) most = key;
        count++;
        lua_pop(lua, 1);
    }
    *ret_count = count;
    return array && most == (lua_Number)count;
}

static void pack_value(lua_State *lua, int depth);

static void pack_table(lua_State *lua, int depth) {
    uint32_t count;
    if (is_array(lua, &count)) {
        put_token(lua, mpack_pack_array(count));
        for (uint32_t i = 1; i <= count; i++) {
            lua_rawgeti(lua, -1, (int)i);
            pack_value(lua, depth + 1);
            lua_pop(lua, 1);
        }
        return;
    }
    put_token(lua, mpack_pack_map(count));
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_pushvalue(lua, -2);
        pack_value(lua, depth + 1);
        lua_pop(lua, 1);
        pack_value(lua, depth + 1);
        lua_pop(lua, 1);
    }
}

/* The value at the top of the stack, which stays there. */
static void pack_value(lua_State *lua, int depth) {
    size_t len;
    const char *text;
    luaL_checkstack(lua, 5, "cmsgpack.pack");
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(lua, -1, &len);
        if (len > UINT32_MAX) luaL_error(lua, "not enough memory");
        put_token(lua, mpack_pack_str((mpack_uint32_t)len));
        put(lua, text, len);
        break;
    case LUA_TBOOLEAN: put_token(lua, mpack_pack_boolean((unsigned)lua_toboolean(lua, -1))); break;
    case LUA_TNUMBER: pack_number(lua, lua_tonumber(lua, -1)); break;
    case LUA_TTABLE:
        if (depth < PACK_DEPTH_MAX) {
            pack_table(lua, depth);
            break;
        }
        /* fall through */
    default: put_token(lua, mpack_pack_nil());
    }
}

static int messages_pack(lua_State *lua) {
    int count = lua_gettop(lua);
    struct buffer *scratch = &engine_of(lua)->scratch;
    if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
    buffer_clear(scratch);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(lua, i);
        pack_value(lua, 0);
        lua_pop(lua, 1);
    }
    lua_pushlstring(lua, scratch->data, scratch->len);
    buffer_shrink(scratch, 4096);
    return 1;
}

/* ---- unpacking ---- */

struct input {
    const char *at;
    size_t left;
};

static void unpack_value(lua_State *lua, struct input *input);

static void unpack_items(lua_State *lua, struct input *input, uint32_t count, bool map) {
    lua_newtable(lua);
    for (uint32_t i = 1; i <= count; i++) {
        if (map)
            unpack_value(lua, input);
        else
            lua_pushnumber(lua, i);
        unpack_value(lua, input);
        lua_rawset(lua, -3);
    }
}

static void unpack_text(lua_State *lua, struct input *input, uint32_t len) {
    if (len > input->left) luaL_error(lua, "Missing bytes in input.");
    lua_pushlstring(lua, input->at, len);
    input->at += len;
    input->left -= len;
}

static void unpack_value(lua_State *lua, struct input *input) {
    mpack_tokbuf_t state;
    mpack_token_t token;
    int status = MPACK_EOF;
    luaL_checkstack(lua, 3, "cmsgpack.unpack");
    mpack_tokbuf_init(&state);
    if (input->left > 0) status = mpack_read(&state, &input->at, &input->left, &token);
    if (status == MPACK_EOF) luaL_error(lua, "Missing bytes in input.");
    if (status != MPACK_OK) luaL_error(lua, "Bad data format in input.");
    switch (token.type) {
    case MPACK_TOKEN_NIL: lua_pushnil(lua); break;
    case MPACK_TOKEN_BOOLEAN: lua_pushboolean(lua, mpack_unpack_boolean(token) != 0); break;
    case MPACK_TOKEN_UINT: lua_pushnumber(lua, (lua_Number)mpack_unpack_uint(token)); break;
    case MPACK_TOKEN_SINT: lua_pushnumber(lua, (lua_Number)mpack_unpack_sint(token)); break;
    case MPACK_TOKEN_FLOAT: lua_pushnumber(lua, mpack_unpack_float(token)); break;
    case MPACK_TOKEN_STR:
    case MPACK_TOKEN_BIN: unpack_text(lua, input, token.length); break;
    case MPACK_TOKEN_ARRAY: unpack_items(lua, input, token.length, false); break;
    case MPACK_TOKEN_MAP: unpack_items(lua, input, token.length, true); break;
    default: luaL_error(lua, "Bad data format in input.");
    }
}

/* limit 0 and offset 0: everything, and no offset is returned. The text is at index 1, alone. */
static int unpack_from(lua_State *lua, lua_Integer limit, lua_Integer offset) {
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    bool all = limit == 0 && offset == 0;
    if (offset < 0 || limit < 0)
        return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                          (int)offset, (int)len);
    if ((size_t)offset > len)
        return luaL_error(lua, "Start offset %d greater than input length %d.", (int)offset,
                          (int)len);
    struct input input = {text + offset, len - (size_t)offset};
    lua_Integer count = 0;
    for (; input.left > 0 && (all || count < limit); count++) unpack_value(lua, &input);
    if (all) return (int)count;
    luaL_checkstack(lua, 1, "cmsgpack.unpack");
    lua_pushinteger(lua, input.left == 0 ? -1 : (lua_Integer)(len - input.left));
    lua_insert(lua, 2);
    return (int)count + 1;
}

static int messages_unpack(lua_State *lua) {
    lua_settop(lua, 1);
    return unpack_from(lua, 0, 0);
}

static int messages_unpack_one(lua_State *lua) {
    lua_Integer offset = luaL_optinteger(lua, 2, 0);
    lua_settop(lua, 1);
    return unpack_from(lua, 1, offset);
}

static int messages_unpack_limit(lua_State *lua) {
    lua_Integer limit = luaL_checkinteger(lua, 2), offset = luaL_optinteger(lua, 3, 0);
    lua_settop(lua, 1);
    return unpack_from(lua, limit, offset);
}

void sandbox_open_messages(lua_State *lua) {
    static const luaL_Reg functions[] = {{"pack", messages_pack},
                                         {"unpack", messages_unpack},
                                         {"unpack_one", messages_unpack_one},
                                         {"unpack_limit", messages_unpack_limit},
                                         {NULL, NULL}};
    lua_newtable(lua);
    luaL_register(lua, NULL, functions);
    lua_pushliteral(lua, "cmsgpack");
    lua_setfield(lua, -2, "_NAME");
    lua_pushliteral(lua, "cmsgpack 0.4.0, on libmpack");
    lua_setfield(lua, -2, "_VERSION");
}
