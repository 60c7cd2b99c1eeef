/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/scripts.h"

#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/memory.h"
#include "script/engine.h"
#include "script/functions.h"
#include "script/library.h"
#include "script/local.h"
#include "script/run.h"
#include "script/shebang.h"
#include "server/busy.h"
#include "server/request.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"

enum { BUCKETS = 4096 };

/* What is told of a run that has lasted for a while. */
struct long_run {
    int64_t started_us; /* 0: there is none */
    char *name;
    struct buffer command; /* its arguments, as a reply */
};

struct scripts {
    struct server *server;
    struct libraries *libraries;
    _Atomic(struct engine *) *engines; /* by the worker's index; each its worker's own */
    struct long_run *running;          /* likewise, under the lock */
    _Atomic uint64_t epoch, uses;
    struct lock lock; /* guards the rest */
    struct chain buckets[BUCKETS];
    struct chain evictable; /* brought by EVAL, the oldest first */
};

struct scripts *scripts_new(struct server *server) {
    struct scripts *scripts = mem_zalloc(sizeof *scripts);
    scripts->server = server;
    scripts->libraries = libraries_new();
    scripts->engines = mem_zalloc(server->worker_count * sizeof *scripts->engines);
    scripts->running = mem_zalloc(server->worker_count * sizeof *scripts->running);
    chain_init(&scripts->evictable);
    for (unsigned i = 0; i < BUCKETS; i++) chain_init(&scripts->buckets[i]);
    return scripts;
}

void scripts_free(struct scripts *scripts) {
    scripts_flush(scripts);
    for (unsigned i = 0; i < scripts->server->worker_count; i++)
        engine_free(atomic_load(&scripts->engines[i]));
    libraries_free(scripts->libraries);
    mem_free(scripts->engines);
    mem_free(scripts->running);
    mem_free(scripts);
}

struct engine *scripts_engine(struct scripts *scripts, struct worker *worker) {
    struct engine *engine =
        atomic_load_explicit(&scripts->engines[worker->index], memory_order_relaxed);
    if (kn_unlikely(engine == NULL)) {
        engine = engine_new(scripts, worker);
        atomic_store_explicit(&scripts->engines[worker->index], engine, memory_order_release);
    }
    return engine;
}

struct libraries *scripts_libraries(struct scripts *scripts) {
    return scripts->libraries;
}

/* ---- scripts that run for long ---- */

enum { TOLD_ARGS = 32, TOLD_BYTES = 4096 };

void scripts_note_running(struct scripts *scripts, struct engine *engine, const struct run *run) {
    struct long_run *running = &scripts->running[engine->worker->index];
    const struct request *request = run->request;
    struct reply reply;
    lock_take(&scripts->lock);
    running->started_us = run->started_us;
    running->name = mem_strdup(run->name);
    buffer_init(&running->command, (TOLD_ARGS + 1) * (TOLD_BYTES + 64));
    reply_init(&reply, &running->command, 2);
    uint32_t told = request->argc < TOLD_ARGS ? request->argc : TOLD_ARGS;
    reply_array(&reply, told);
    for (uint32_t i = 0; i < told; i++) {
        struct bytes arg = request->argv[i];
        reply_bulk(&reply, bytes_make(arg.data, arg.len < TOLD_BYTES ? arg.len : TOLD_BYTES));
    }
    atomic_store(&engine->is_function, (run->flags & RUN_FUNCTION) != 0);
    atomic_store(&engine->running, true);
    lock_give(&scripts->lock);
}

void scripts_note_slow(struct scripts *scripts, struct engine *engine) {
    lock_take(&scripts->lock);
    /* Who asked for its end before now asked for it if it had not written when it became slow. */
    if (atomic_load(&engine->wrote)) atomic_store(&engine->kill, false);
    atomic_store(&engine->slow, true);
    lock_give(&scripts->lock);
}

void scripts_note_ended(struct scripts *scripts, struct engine *engine) {
    struct long_run *running = &scripts->running[engine->worker->index];
    lock_take(&scripts->lock);
    /* Under the lock: nobody asks for its end, and means the next one. */
    atomic_store(&engine->running, false);
    atomic_store(&engine->slow, false);
    atomic_store(&engine->kill, false);
    mem_free(running->name);
    buffer_done(&running->command);
    *running = (struct long_run){0};
    lock_give(&scripts->lock);
}

/*
 * A script that is not slow yet is asked to end as well, and does so when it becomes slow: a server
 * with one thread does not hear of the wish before that moment, and answers then. One that has
 * written by now is let go.
 */
void scripts_kill(struct request *request, bool functions) {
    struct scripts *scripts = request->server->scripts;
    bool any = false, other = false, wrote = false;
    bool never_slow = atomic_load(&scripts->server->limits.busy_ms) <= 0;
    lock_take(&scripts->lock);
    for (unsigned i = 0; i < scripts->server->worker_count; i++) {
        struct engine *engine = atomic_load_explicit(&scripts->engines[i], memory_order_acquire);
        if (engine == NULL || !atomic_load(&engine->running)) continue;
        bool slow = atomic_load(&engine->slow);
        if (!slow && never_slow) continue;
        if (atomic_load(&engine->wrote)) {
            wrote |= slow;
        } else if (atomic_load(&engine->is_function) != functions) {
            other |= slow;
        } else {
            atomic_store(&engine->kill, true);
            any = true;
        }
    }
    lock_give(&scripts->lock);
    if (any)
        reply_ok(request->reply);
    else if (wrote)
        reply_error(
            request->reply,
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
            "can either wait the script termination or kill the server in a hard way using the "
            "SHUTDOWN NOSAVE command.");
    else if (other)
        reply_error(request->reply, busy_text(!functions));
    else
        reply_error(request->reply, "NOTBUSY No scripts in execution right now.");
}

void scripts_reply_running(struct request *request) {
    struct scripts *scripts = request->server->scripts;
    const struct long_run *longest = NULL;
    struct reply *reply = request->reply;
    lock_take(&scripts->lock);
    for (unsigned i = 0; i < scripts->server->worker_count; i++) {
        const struct long_run *run = &scripts->running[i];
        if (run->started_us == 0) continue;
        if (longest == NULL || run->started_us < longest->started_us) longest = run;
    }
    if (longest == NULL) {
        reply_null(reply);
    } else {
        reply_map(reply, 3);
        reply_bulk_string(reply, "name");
        reply_bulk_string(reply, longest->name);
        reply_bulk_string(reply, "command");
        reply_raw(reply, buffer_bytes(&longest->command));
        reply_bulk_string(reply, "duration_ms");
        reply_int(reply, (clock_mono_us() - longest->started_us) / 1000);
    }
    lock_give(&scripts->lock);
}

/* ---- one script ---- */

void script_drop(struct script *script) {
    if (atomic_fetch_sub_explicit(&script->holders, 1, memory_order_acq_rel) != 1) return;
    mem_free(script);
}

static struct script *script_hold(struct script *script) {
    atomic_fetch_add_explicit(&script->holders, 1, memory_order_relaxed);
    return script;
}

struct script *script_new(struct request *request, struct bytes source, const struct sha1 *sha1) {
    struct shebang shebang;
    if (!shebang_parse(request, source, &shebang)) return NULL;
    struct script *script = mem_try_alloc(sizeof *script + source.len);
    if (script == NULL) {
        reply_error_code(request->reply, ERROR_NO_MEMORY);
        return NULL;
    }
    *script = (struct script){.sha1 = *sha1, .flags = shebang.flags, .skipped = shebang.len};
    atomic_init(&script->holders, 1);
    if (source.len) memcpy(script->text, source.data, source.len);
    script->source = bytes_make(script->text, source.len);
    sha1_format(sha1, script->name);
    return script;
}

/* ---- the cache ---- */

static struct chain *bucket_of(struct scripts *scripts, const struct sha1 *sha1) {
    return &scripts->buckets[(sha1->bytes[0] | sha1->bytes[1] << 8) % BUCKETS];
}

/* The cache's lock is held. */
static struct script *cache_find(struct scripts *scripts, const struct sha1 *sha1) {
    CHAIN_EACH(bucket_of(scripts, sha1), struct script, link, script)
    if (memcmp(&script->sha1, sha1, sizeof *sha1) == 0) return script;
    return NULL;
}

static size_t script_bytes(const struct script *script) {
    return sizeof *script + script->source.len;
}

/* The cache's lock is held. */
static void cache_remove(struct scripts *scripts, struct script *script) {
    chain_remove(bucket_of(scripts, &script->sha1), &script->link);
    if (script->evictable) chain_remove(&scripts->evictable, &script->eval_link);
    stats_add(STAT_SCRIPTS, -1);
    stats_add(STAT_SCRIPT_BYTES, -(int64_t)script_bytes(script));
    atomic_store_explicit(&script->dropped, true, memory_order_release);
    script_drop(script);
}

/* Drops the one of EVAL's that was used longest ago. The cache's lock is held. */
static void cache_evict(struct scripts *scripts) {
    struct script *oldest = NULL;
    CHAIN_EACH(&scripts->evictable, struct script, eval_link, script)
    if (oldest == NULL || atomic_load_explicit(&script->used, memory_order_relaxed) <
                              atomic_load_explicit(&oldest->used, memory_order_relaxed))
        oldest = script;
    if (oldest == NULL) return;
    cache_remove(scripts, oldest);
    stats_count(STAT_EVICTED_SCRIPTS);
    atomic_fetch_add(&scripts->epoch, 1);
}

struct script *scripts_find(struct scripts *scripts, const struct sha1 *sha1) {
    lock_take(&scripts->lock);
    struct script *script = cache_find(scripts, sha1);
    if (script != NULL) script_hold(script);
    lock_give(&scripts->lock);
    return script;
}

struct script *scripts_add(struct scripts *scripts, struct script *script, bool keep) {
    lock_take(&scripts->lock);
    struct script *there = cache_find(scripts, &script->sha1);
    if (there != NULL) {
        script_hold(there);
        lock_give(&scripts->lock);
        script_drop(script);
        return there;
    }
    atomic_store_explicit(&script->evictable, !keep, memory_order_relaxed);
    if (!keep && scripts->evictable.count >= SCRIPTS_EVAL_MAX) cache_evict(scripts);
    chain_add_last(bucket_of(scripts, &script->sha1), &script->link);
    if (!keep) chain_add_last(&scripts->evictable, &script->eval_link);
    script_hold(script);
    stats_add(STAT_SCRIPTS, 1);
    stats_add(STAT_SCRIPT_BYTES, (int64_t)script_bytes(script));
    lock_give(&scripts->lock);
    return script;
}

void scripts_keep(struct scripts *scripts, struct script *script) {
    lock_take(&scripts->lock);
    if (script->evictable && !atomic_load(&script->dropped)) {
        chain_remove(&scripts->evictable, &script->eval_link);
        atomic_store_explicit(&script->evictable, false, memory_order_relaxed);
    }
    lock_give(&scripts->lock);
}

void scripts_touch(struct scripts *scripts, struct script *script) {
    /* Only those of EVAL are ever looked at for their age; the count need not be exact. */
    if (!atomic_load_explicit(&script->evictable, memory_order_relaxed)) return;
    uint64_t uses = atomic_load_explicit(&scripts->uses, memory_order_relaxed) + 1;
    atomic_store_explicit(&scripts->uses, uses, memory_order_relaxed);
    atomic_store_explicit(&script->used, uses, memory_order_relaxed);
}

void scripts_flush(struct scripts *scripts) {
    lock_take(&scripts->lock);
    for (unsigned i = 0; i < BUCKETS; i++)
        CHAIN_EACH(&scripts->buckets[i], struct script, link, script) cache_remove(scripts, script);
    atomic_fetch_add(&scripts->epoch, 1);
    lock_give(&scripts->lock);
}

static void tidy_engine(struct worker *worker, void *payload) {
    struct scripts *scripts;
    memcpy(&scripts, payload, sizeof scripts);
    struct engine *engine = atomic_load(&scripts->engines[worker->index]);
    /* A run that takes long sees to its mail: what it may need stays until the next one looks. */
    if (engine == NULL || engine->run != NULL || engine->loading != NULL) return;
    local_clean(engine);
    functions_clean(engine);
    engine_collect(engine);
    engine_rest(engine);
}

void scripts_tidy(struct scripts *scripts) {
    struct server *server = scripts->server;
    for (unsigned i = 0; i < server->worker_count; i++)
        if (atomic_load(&scripts->engines[i]) != NULL)
            worker_post(server->workers[i], tidy_engine, &scripts, sizeof(struct scripts *));
}

uint64_t scripts_epoch(const struct scripts *scripts) {
    return atomic_load_explicit(&scripts->epoch, memory_order_acquire);
}
