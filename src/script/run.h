/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One execution of a script or function.
 *
 * What: prepares Lua, runs the compiled function protected, and replies what it returned or why it
 *       failed. While it runs, redis.call and its kind find it through the engine.
 * Always: the request that runs the script holds the shards of its declared keys, or all of them. A
 *         run that needs others asks for a restart with all of them (struct request, wants_all) and
 *         has then changed nothing.
 * Owner: the stack of whoever runs it. Lock: as above. Errors: replied.
 */
#ifndef KN_SCRIPT_RUN_H
#define KN_SCRIPT_RUN_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "script/claim.h"
#include "store/shard.h"

struct engine;
struct request;

/* What a script says of itself in its first line, and a function when it is registered. */
enum script_flag {
    SCRIPT_NO_WRITES = 1 << 0,
    SCRIPT_ALLOW_OOM = 1 << 1,
    SCRIPT_ALLOW_STALE = 1 << 2,
    SCRIPT_NO_CLUSTER = 1 << 3,
    SCRIPT_CROSS_SLOT = 1 << 4,
    /* It has no first line of that kind: whatever was allowed always is. */
    SCRIPT_UNDECLARED = 1 << 5,
};

enum run_flag {
    RUN_READ_ONLY = 1,
    RUN_ALLOW_OOM = 2,
    RUN_OOM = 4,   /* memory was over its limit at the start */
    RUN_WROTE = 8, /* a command that writes has run */
    RUN_FUNCTION = 16,
};

struct run {
    struct engine *engine;
    struct request *request; /* the EVAL, FCALL ... itself */
    const char *name;        /* for errors: the SHA1 or the function's name */
    int function;            /* in the engine's table of functions */
    uint32_t first_key, key_count;
    unsigned flags; /* enum run_flag */
    unsigned db;
    int resp;           /* as redis.setresp has it */
    int64_t started_us; /* noted when the hook first looks; 0: not yet */
    bool slow;
    struct shard_set held; /* once it is slow */
    _Atomic bool *whole;   /* the script's own mark that it needs every shard */
    struct claim claim;
};

/* Whether a script with these flags may run now; replies when not. read_only: EVAL_RO and its kind.
 * ret_flags: enum run_flag. */
bool run_admit(struct request *request, unsigned script_flags, bool read_only, unsigned *ret_flags);
/* Runs and replies. */
void run_script(struct run *run);

/* The engine's: the protected half of a run, and the hook that looks at the time. */
int run_protected(lua_State *lua);
void run_hook(lua_State *lua, lua_Debug *debug);

/* Leaves a run that is to begin again, whatever the script catches. */
int run_leave(lua_State *lua);

/* redis.call and redis.pcall: call.c */
int run_call(lua_State *lua);
int run_pcall(lua_State *lua);

#endif
