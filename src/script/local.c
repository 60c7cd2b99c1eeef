/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/local.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "script/engine.h"
#include "script/scripts.h"
#include "server/request.h"

enum { BUCKETS = 1024 };

struct local_scripts {
    struct local_script *by_sha1[BUCKETS], *by_source[BUCKETS];
    uint64_t epoch; /* of the cache, when this was last cleaned */
};

struct local_scripts *local_scripts_new(void) {
    return mem_zalloc(sizeof(struct local_scripts));
}

void local_scripts_free(struct local_scripts *scripts) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct local_script *next;
        for (struct local_script *each = scripts->by_sha1[i]; each != NULL; each = next) {
            next = each->next_by_sha1;
            script_drop(each->script);
            mem_free(each);
        }
    }
    mem_free(scripts);
}

static struct local_script **sha1_bucket(struct local_scripts *scripts, const struct sha1 *sha1) {
    return &scripts->by_sha1[(sha1->bytes[0] | sha1->bytes[1] << 8) % BUCKETS];
}

static struct local_script **source_bucket(struct local_scripts *scripts, uint64_t hash) {
    return &scripts->by_source[hash % BUCKETS];
}

/* ---- forgetting ---- */

static int release_function(lua_State *lua) {
    const struct local_script *local = lua_touserdata(lua, 1);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, engine_of(lua)->functions_ref);
    luaL_unref(lua, -1, local->function);
    return 0;
}

static void unlink_source(struct local_scripts *here, struct local_script *local) {
    struct local_script **at = source_bucket(here, local->source_hash);
    while (*at != local) at = &(*at)->next_by_source;
    *at = local->next_by_source;
}

void local_clean(struct engine *engine) {
    struct local_scripts *here = engine->here;
    uint64_t epoch = scripts_epoch(engine->scripts);
    if (here->epoch == epoch) return;
    here->epoch = epoch;
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct local_script **at = &here->by_sha1[i]; *at != NULL;) {
            struct local_script *local = *at;
            if (!atomic_load_explicit(&local->script->dropped, memory_order_acquire)) {
                at = &local->next_by_sha1;
                continue;
            }
            *at = local->next_by_sha1;
            unlink_source(here, local);
            (void)engine_protect(engine, release_function, local, NULL);
            script_drop(local->script);
            mem_free(local);
        }
    }
}

/* ---- compiling ---- */

struct compiling {
    const struct script *script;
    int function;
};

static int compile(lua_State *lua) {
    struct compiling *compiling = lua_touserdata(lua, 1);
    const struct script *script = compiling->script;
    const char *program = script->source.data + script->skipped;
    size_t len = script->source.len - script->skipped;
    /* Compiled code, which begins so, is no program. */
    if (len > 0 && program[0] == LUA_SIGNATURE[0])
        return luaL_error(lua, "user_script:1: unexpected symbol near 'char(%d)'", program[0]);
    if (luaL_loadbuffer(lua, program, len, "@user_script") != 0) return lua_error(lua);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, engine_of(lua)->functions_ref);
    lua_insert(lua, -2);
    compiling->function = luaL_ref(lua, -2);
    return 0;
}

/* Swallows the reference to the script. */
static struct local_script *local_compile(struct engine *engine, struct request *request,
                                          struct script *script) {
    struct compiling compiling = {.script = script};
    char error[ENGINE_ERROR_MAX];
    if (engine_protect(engine, compile, &compiling, error) != 0) {
        reply_error_format(request->reply, "ERR Error compiling script (new function): %s", error);
        script_drop(script);
        return NULL;
    }
    struct local_script *local = mem_zalloc(sizeof *local);
    struct local_script **by_sha1 = sha1_bucket(engine->here, &script->sha1);
    *local = (struct local_script){.script = script,
                                   .function = compiling.function,
                                   .source_hash = hash_bytes(script->source)};
    struct local_script **by_source = source_bucket(engine->here, local->source_hash);
    local->next_by_sha1 = *by_sha1;
    local->next_by_source = *by_source;
    *by_sha1 = *by_source = local;
    return local;
}

/* ---- finding ---- */

static struct local_script *find_compiled(struct engine *engine, const struct sha1 *sha1) {
    struct local_script *local = *sha1_bucket(engine->here, sha1);
    while (local != NULL && memcmp(&local->script->sha1, sha1, sizeof *sha1) != 0)
        local = local->next_by_sha1;
    return local;
}

struct local_script *local_find(struct engine *engine, struct request *request,
                                const struct sha1 *sha1, bool *ret_replied) {
    *ret_replied = false;
    local_clean(engine);
    struct local_script *local = find_compiled(engine, sha1);
    if (local == NULL) {
        struct script *script = scripts_find(engine->scripts, sha1);
        if (script == NULL) return NULL;
        local = local_compile(engine, request, script);
        *ret_replied = local == NULL;
    }
    if (local != NULL) scripts_touch(engine->scripts, local->script);
    return local;
}

static struct local_script *find_source(struct engine *engine, struct bytes source) {
    uint64_t hash = hash_bytes(source);
    struct local_script *local = *source_bucket(engine->here, hash);
    while (local != NULL &&
           (local->source_hash != hash || !bytes_equal(local->script->source, source)))
        local = local->next_by_source;
    return local;
}

struct local_script *local_load(struct engine *engine, struct request *request, struct bytes source,
                                bool keep) {
    local_clean(engine);
    struct local_script *local = find_source(engine, source);
    if (local == NULL) {
        struct sha1 sha1 = sha1_of(source);
        struct script *script = scripts_find(engine->scripts, &sha1);
        bool known = script != NULL;
        if (!known) script = script_new(request, source, &sha1);
        if (script == NULL) return NULL;
        local = local_compile(engine, request, script);
        if (local == NULL) return NULL;
        if (!known) local->script = scripts_add(engine->scripts, script, keep);
    }
    if (keep) scripts_keep(engine->scripts, local->script);
    scripts_touch(engine->scripts, local->script);
    return local;
}
