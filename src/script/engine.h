/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One Lua state, with what belongs to it.
 *
 * What: an engine is a worker's Lua 5.1 state: its memory, which has a limit, the sandbox, the
 *       scripts and libraries that this thread has compiled so far.
 * Always: nothing of Lua that may fail is called outside of a protected call once the engine
 *         is built, so that a state without memory raises an error and never ends the
 *         process. The engine is found from any coroutine through the allocator's context,
 *         without a look into the registry.
 * Owner: its worker's thread, from the first script on; the scripts (scripts.h) free it.
 * Lock: none. Errors: Lua's own, raised inside of protected calls.
 */
#ifndef KN_SCRIPT_ENGINE_H
#define KN_SCRIPT_ENGINE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct heap;
struct loading;
struct local_functions;
struct local_scripts;
struct run;
struct scripts;
struct server;
struct worker;

/* The most memory that one Lua state may take: what a script wants beyond it is an error. */
#define ENGINE_BYTES_MAX ((size_t)512 << 20)
/* A script's time is looked at whenever it has run so many instructions. */
enum { ENGINE_HOOK_INSTRUCTIONS = 100000 };

/* What every run needs stands at the foot of the main thread's stack. */
enum engine_slot {
    ENGINE_ERROR_HANDLER = 1,
    ENGINE_RUNNER,    /* the C function that protects a run */
    ENGINE_GLOBALS,   /* the table behind the globals of scripts */
    ENGINE_FUNCTIONS, /* compiled scripts and functions, by number */
    ENGINE_SLOTS = ENGINE_FUNCTIONS
};

struct engine {
    lua_State *lua;
    struct scripts *scripts;
    struct server *server;
    struct worker *worker;
    struct heap *heap;
    size_t used_bytes, limit_bytes;
    size_t reported_bytes; /* as the statistics know it */
    size_t collect_bytes;  /* above this, garbage is collected after a run */
    struct arena arena;    /* for one command of a script at a time */
    struct buffer reply;   /* of the command that a script called */
    struct buffer scratch; /* of one call of a library */
    struct run *run;       /* NULL when nothing runs */
    /* What other threads may read of a run, and ask of it: SCRIPT KILL. */
    _Atomic bool running, slow, is_function, wrote, kill;
    bool gc_changed;                   /* a script has told the garbage collector something */
    uint64_t random;                   /* the state of math.random */
    struct local_scripts *here;        /* what this state has compiled */
    struct local_functions *functions; /* of libraries */
    struct loading *loading;           /* while a library registers its functions */
    int64_t loading_until_us;
    int functions_ref; /* the table of ENGINE_FUNCTIONS, in the registry */
};

/* NULL when there is no memory. */
struct engine *engine_new(struct scripts *scripts, struct worker *worker);
void engine_free(struct engine *engine);

static inline struct engine *engine_of(lua_State *lua) {
    void *context;
    (void)lua_getallocf(lua, &context);
    return context;
}

/* Calls function(lua) protected, with `context` as its only argument, a light userdata. Returns 0
 * or Lua's status; the error's text, cut to fit, in ret_error. */
enum { ENGINE_ERROR_MAX = 512 };
int engine_protect(struct engine *engine, lua_CFunction function, void *context,
                   char ret_error[ENGINE_ERROR_MAX]);

/* After a run: garbage and statistics. */
void engine_rest(struct engine *engine);
void engine_collect(struct engine *engine);

/* The message handler of runs: makes a table of any error, with the place where it was raised. */
int engine_error_handler(lua_State *lua);

#endif
