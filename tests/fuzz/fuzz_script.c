/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes into a script from outside: replies of commands, texts for cmsgpack, struct and cjson,
 * formats, programs. Lua makes of them what it likes, within its memory; what it made goes back out
 * as a reply, which is then read again.
 */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "script/engine.h"
#include "script/scripts.h"
#include "script/values.h"
#include "server/server.h"
#include "server/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAP_BYTES = 32 << 20, HOOK_STEPS = 20 };

static struct engine *engine;

struct input {
    unsigned kind;
    struct bytes text;
    int resp;
    unsigned steps;
    struct buffer out;
};

static struct input *running;

/* A program may be endless. */
static void end_endless(lua_State *lua, lua_Debug *debug) {
    (void)debug;
    if (++running->steps > HOOK_STEPS) luaL_error(lua, "too long");
}

/* Runs a program with the input as `x`, and the results packed into one table. */
static void call_with(lua_State *lua, const char *program, struct bytes text) {
    kn_require(luaL_loadbuffer(lua, program, strlen(program), "@fuzz") == 0);
    lua_pushlstring(lua, text.data, text.len);
    lua_call(lua, 1, 1);
}

/* The value on top becomes a reply, and the reply a value, in both protocols. */
static void there_and_back(lua_State *lua, struct input *input) {
    for (int resp = 2; resp <= 3; resp++) {
        struct reply reply;
        buffer_clear(&input->out);
        reply_init(&reply, &input->out, resp);
        lua_pushvalue(lua, -1);
        values_write_reply(lua, &reply, input->resp);
        kn_require(input->out.len > 0 || reply.overflow);
        values_push_reply(lua, buffer_bytes(&input->out));
        lua_pop(lua, 1);
    }
}

static int use(lua_State *lua) {
    struct input *input = lua_touserdata(lua, 1);
    switch (input->kind) {
    case 0: values_push_reply(lua, input->text); break;
    case 1: call_with(lua, "return {cmsgpack.unpack(...)}", input->text); break;
    case 2:
        call_with(
            lua,
            "local x = ... local at = 0 local all = {} "
            "while at ~= -1 and #all < 100 do at, all[#all + 1] = cmsgpack.unpack_one(x, at) end "
            "return {all, cmsgpack.pack(all), cmsgpack.unpack(cmsgpack.pack(all))}",
            input->text);
        break;
    case 3:
        call_with(lua,
                  "local x = ... local cut = x:find('|', 1, true) or 1 "
                  "return {struct.unpack(x:sub(1, cut - 1), x:sub(cut + 1))}",
                  input->text);
        break;
    case 4:
        call_with(lua, "return struct.pack(..., 1, 2, 'three', 4.5, -6) .. struct.size(...)",
                  input->text);
        break;
    case 5:
        call_with(lua, "local t = cjson.decode(...) return {t, cjson.encode(t)}", input->text);
        break;
    default: {
        if (luaL_loadbuffer(lua, "return loadstring(...)", 22, "@fuzz") != 0) lua_error(lua);
        lua_pushlstring(lua, input->text.data, input->text.len);
        lua_call(lua, 1, 1);
        if (!lua_isfunction(lua, -1)) return 0;
        lua_sethook(lua, end_endless, LUA_MASKCOUNT, 1000);
        lua_call(lua, 0, 1);
    }
    }
    there_and_back(lua, input);
    return 0;
}

static void begin(void) {
    static struct server server = {.worker_count = 1};
    static struct worker worker = {.server = &server};
    struct scripts *scripts = scripts_new(&server);
    engine = scripts_engine(scripts, &worker);
    kn_require(engine != NULL);
    engine->limit_bytes = HEAP_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[ENGINE_ERROR_MAX];
    if (size < 1) return 0;
    if (engine == NULL) begin();
    struct input input = {
        .kind = data[0] % 7, .resp = data[0] & 128 ? 3 : 2, .text = bytes_make(data + 1, size - 1)};
    buffer_init(&input.out, 16 << 20);
    running = &input;
    (void)engine_protect(engine, use, &input, error);
    lua_sethook(engine->lua, NULL, 0, 0);
    buffer_done(&input.out);
    if (engine->used_bytes > HEAP_BYTES / 4) engine_collect(engine);
    return 0;
}
