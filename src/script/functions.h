/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions that one engine has compiled, library by library.
 *
 * What: runs a library's program, which registers its functions, when it is loaded and again in
 *       each engine where one of them is called.
 * Always: a library's own variables belong to the thread: a function that keeps something in them
 *         keeps it for the calls of this thread.
 * Owner: the engine. Lock: none: its thread's. Errors: texts.
 */
#ifndef KN_SCRIPT_FUNCTIONS_H
#define KN_SCRIPT_FUNCTIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "script/library.h"

struct engine;

/* The time that a library may take to register its functions. */
enum { LIBRARY_LOAD_MS = 500 };

struct local_function {
    struct library *library; /* held as long as the engine knows it */
    struct library_function *function;
    int reference; /* in the engine's table of functions */
};

struct local_functions;
struct local_functions *local_functions_new(void);
/* Without a look at the engine's Lua, which is gone. */
void local_functions_free(struct local_functions *functions);

/* The function of a name. Returns false, with an empty text when there is none of that name. */
bool functions_find(struct engine *engine, struct bytes name, struct local_function *ret_function,
                    char error[LIBRARY_ERROR_MAX]);
/* Makes a library of a source and runs it here; NULL with a text when that fails. It is the
 * caller's, who publishes it or not; the engine forgets it again when it finds it dropped. */
struct library *functions_load(struct engine *engine, struct bytes source,
                               char error[LIBRARY_ERROR_MAX]);

/* Forgets libraries that were dropped since it last looked. */
void functions_clean(struct engine *engine);
/* Forgets a library that was loaded and will not be published. */
void functions_withdraw(struct engine *engine, struct library *library);

/* redis.register_function */
int functions_register(lua_State *lua);

#endif
