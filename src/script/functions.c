/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/functions.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "script/engine.h"
#include "script/sandbox.h"
#include "script/scripts.h"
#include "script/shebang.h"
#include "script/values.h"

/* A library that this engine has run. */
struct local_library {
    struct local_library *next;
    struct library *library; /* held */
    int *references;         /* of its functions */
};

struct local_functions {
    struct local_library *first;
    uint64_t epoch; /* of the libraries, when this was last cleaned */
};

struct local_functions *local_functions_new(void) {
    return mem_zalloc(sizeof(struct local_functions));
}

static void local_library_free(struct local_library *local) {
    library_drop(local->library);
    mem_free(local->references);
    mem_free(local);
}

void local_functions_free(struct local_functions *functions) {
    struct local_library *next;
    for (struct local_library *local = functions->first; local != NULL; local = next) {
        next = local->next;
        local_library_free(local);
    }
    mem_free(functions);
}

/* ---- registering ---- */

/* While a library's program runs. */
struct loading {
    struct library *library;
    bool known; /* its functions are known already: another thread was first */
    int *references;
    uint32_t count;
};

static int raise(lua_State *lua, const char *text) {
    values_push_error(lua, bytes_from_string(text));
    return lua_error(lua);
}

static struct bytes text_at(lua_State *lua, int index) {
    size_t len;
    const char *text = lua_tolstring(lua, index, &len);
    return bytes_make(text, len);
}

/* The function is on top of the stack, and taken off. */
static void add_function(lua_State *lua, struct bytes name, const struct bytes *description,
                         unsigned flags) {
    struct engine *engine = engine_of(lua);
    struct loading *loading = engine->loading;
    struct library *library = loading->library;
    uint32_t index = loading->count;
    if (!library_name_is_good(name))
        raise(lua,
              "Library names can only contain letters, numbers, or underscores(_) and must be at "
              "least one character long");
    if (loading->known) {
        if (library_find(library, name, &index) == NULL)
            raise(lua, "a function that was not there before");
    } else {
        if (library_find(library, name, NULL) != NULL)
            raise(lua, "Function already exists in the library");
        if (library->count == LIBRARY_FUNCTIONS_MAX) raise(lua, "too many functions");
        library_add(library, name, description, flags);
        loading->references = mem_realloc(loading->references, library->count * sizeof(int));
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, engine->functions_ref);
    lua_insert(lua, -2);
    loading->references[index] = LUA_NOREF;
    if (loading->count <= index) loading->count = index + 1;
    loading->references[index] = luaL_ref(lua, -2);
    lua_pop(lua, 1);
}

/* The table of flags is on top of the stack. */
static unsigned take_flags(lua_State *lua) {
    unsigned flags = 0;
    if (!lua_istable(lua, -1))
        raise(lua,
              "flags argument to redis.register_function must be a table representing function "
              "flags");
    for (int i = 1;; i++) {
        lua_rawgeti(lua, -1, i);
        if (lua_isnil(lua, -1)) break;
        unsigned flag = lua_type(lua, -1) == LUA_TSTRING ? shebang_flag(text_at(lua, -1)) : 0;
        if (flag == 0) raise(lua, "unknown flag given");
        flags |= flag;
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return flags;
}

/* Named arguments, in the table at index 1. */
static void register_named(lua_State *lua) {
    struct bytes name = {0}, description;
    bool named = false, described = false, called = false;
    unsigned flags = 0;
    lua_settop(lua, 1);
    lua_pushnil(lua); /* 2: the callback */
    lua_pushnil(lua); /* 3: keeps the name where it is */
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        if (lua_type(lua, -2) != LUA_TSTRING)
            raise(lua, "named argument key given to redis.register_function is not a string");
        const char *key = lua_tostring(lua, -2);
        if (strcasecmp(key, "function_name") == 0) {
            if (lua_type(lua, -1) != LUA_TSTRING)
                raise(lua,
                      "function_name argument given to redis.register_function must be a string");
            name = text_at(lua, -1);
            named = true;
        } else if (strcasecmp(key, "description") == 0) {
            if (lua_type(lua, -1) != LUA_TSTRING)
                raise(lua,
                      "description argument given to redis.register_function must be a string");
            description = text_at(lua, -1);
            described = true;
        } else if (strcasecmp(key, "callback") == 0) {
            if (!lua_isfunction(lua, -1))
                raise(lua, "callback argument given to redis.register_function must be a function");
            lua_pushvalue(lua, -1);
            lua_replace(lua, 2);
            called = true;
        } else if (strcasecmp(key, "flags") == 0) {
            flags = take_flags(lua);
        } else {
            raise(lua, "unknown argument given to redis.register_function");
        }
        lua_pop(lua, 1);
    }
    if (!named) raise(lua, "redis.register_function must get a function name argument");
    if (!called) raise(lua, "redis.register_function must get a callback argument");
    lua_settop(lua, 2);
    add_function(lua, name, described ? &description : NULL, flags);
}

int functions_register(lua_State *lua) {
    int count = lua_gettop(lua);
    if (engine_of(lua)->loading == NULL)
        return raise(lua, "redis.register_function can only be called on FUNCTION LOAD command");
    if (count < 1 || count > 2)
        return raise(lua, "wrong number of arguments to redis.register_function");
    if (count == 1) {
        if (!lua_istable(lua, 1))
            return raise(lua, "calling redis.register_function with a single argument is only "
                              "applicable to Lua table (representing named arguments).");
        register_named(lua);
        return 0;
    }
    if (!lua_isstring(lua, 1))
        return raise(lua, "first argument to redis.register_function must be a string");
    if (!lua_isfunction(lua, 2))
        return raise(lua, "second argument to redis.register_function must be a function");
    add_function(lua, text_at(lua, 1), NULL, 0);
    return 0;
}

/* ---- running a library's program ---- */

struct program {
    struct loading loading;
    char *error;
    bool failed;
};

static void note_failure(lua_State *lua, struct program *program, const char *what) {
    const char *text = "unknown error";
    program->failed = true;
    if (lua_istable(lua, -1)) {
        lua_pushliteral(lua, "err");
        lua_rawget(lua, -2);
    }
    if (lua_type(lua, -1) == LUA_TSTRING) text = lua_tostring(lua, -1);
    snprintf(program->error, LIBRARY_ERROR_MAX, "%s: %s", what, text);
}

static int run_program(lua_State *lua) {
    struct program *program = lua_touserdata(lua, 1);
    const struct library *library = program->loading.library;
    const char *source = library->source.data + library->skipped;
    lua_pushcfunction(lua, engine_error_handler);
    /* It begins with the end of the first line, so compiled code it is not. */
    int status =
        luaL_loadbuffer(lua, source, library->source.len - library->skipped, "@user_function");
    if (status != 0) {
        note_failure(lua, program, "Error compiling function");
        return 0;
    }
    sandbox_push_library(lua);
    lua_pushvalue(lua, -1);
    lua_setfenv(lua, 3);
    lua_insert(lua, 3);
    if (lua_pcall(lua, 0, 0, 2) != 0)
        note_failure(lua, program, "Error registering functions");
    else
        sandbox_open_library(lua, 3);
    return 0;
}

static int forget_functions(lua_State *lua) {
    const struct loading *loading = lua_touserdata(lua, 1);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, engine_of(lua)->functions_ref);
    for (uint32_t i = 0; i < loading->count; i++) luaL_unref(lua, -1, loading->references[i]);
    return 0;
}

/* Runs the program of a library, whose reference it swallows; NULL with a text when it fails. */
static struct local_library *run_library(struct engine *engine, struct library *library, bool known,
                                         char error[LIBRARY_ERROR_MAX]) {
    struct program program = {.loading = {.library = library, .known = known}, .error = error};
    char lua_error_text[ENGINE_ERROR_MAX];
    if (known) {
        program.loading.references = mem_alloc((library->count + 1) * sizeof(int));
        for (uint32_t i = 0; i < library->count; i++) program.loading.references[i] = LUA_NOREF;
    }
    engine->loading = &program.loading;
    engine->loading_until_us = clock_mono_us() + LIBRARY_LOAD_MS * 1000;
    if (engine_protect(engine, run_program, &program, lua_error_text) != 0) {
        program.failed = true;
        snprintf(error, LIBRARY_ERROR_MAX, "Error registering functions: %s", lua_error_text);
    }
    engine->loading = NULL;
    engine_rest(engine);
    if (!program.failed && library->count == 0) {
        program.failed = true;
        snprintf(error, LIBRARY_ERROR_MAX, "No functions registered");
    }
    if (program.failed) {
        (void)engine_protect(engine, forget_functions, &program.loading, NULL);
        mem_free(program.loading.references);
        library_drop(library);
        return NULL;
    }
    struct local_library *local = mem_alloc(sizeof *local);
    *local = (struct local_library){engine->functions->first, library, program.loading.references};
    engine->functions->first = local;
    return local;
}

/* Forgets libraries that are not there any more. */
static void forget_dropped(struct engine *engine) {
    for (struct local_library **at = &engine->functions->first; *at != NULL;) {
        struct local_library *local = *at;
        if (!atomic_load_explicit(&local->library->dropped, memory_order_acquire)) {
            at = &local->next;
            continue;
        }
        struct loading loading = {.references = local->references, .count = local->library->count};
        (void)engine_protect(engine, forget_functions, &loading, NULL);
        *at = local->next;
        local_library_free(local);
    }
}

void functions_clean(struct engine *engine) {
    uint64_t epoch = libraries_epoch(scripts_libraries(engine->scripts));
    if (engine->functions->epoch == epoch) return;
    engine->functions->epoch = epoch;
    forget_dropped(engine);
}

struct library *functions_load(struct engine *engine, struct bytes source,
                               char error[LIBRARY_ERROR_MAX]) {
    struct library *library = library_new(source, error);
    if (library == NULL) return NULL;
    functions_clean(engine); /* a thread may load again and again, and never call */
    struct local_library *local = run_library(engine, library, false, error);
    return local == NULL ? NULL : library_hold(library);
}

/* ---- finding ---- */

void functions_withdraw(struct engine *engine, struct library *library) {
    atomic_store(&library->dropped, true);
    forget_dropped(engine);
}

static bool find_here(const struct local_library *local, struct bytes name,
                      struct local_function *ret_function) {
    uint32_t index;
    struct library_function *function = library_find(local->library, name, &index);
    if (function == NULL) return false;
    *ret_function = (struct local_function){local->library, function, local->references[index]};
    return true;
}

bool functions_find(struct engine *engine, struct bytes name, struct local_function *ret_function,
                    char error[LIBRARY_ERROR_MAX]) {
    functions_clean(engine);
    error[0] = '\0';
    for (struct local_library *local = engine->functions->first; local != NULL; local = local->next)
        if (!atomic_load_explicit(&local->library->dropped, memory_order_acquire) &&
            find_here(local, name, ret_function))
            return true;
    uint32_t index;
    struct library *library =
        libraries_find_function(scripts_libraries(engine->scripts), name, &index);
    if (library == NULL) return false;
    const struct local_library *local = run_library(engine, library, true, error);
    return local != NULL && find_here(local, name, ret_function);
}
