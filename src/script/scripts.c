/* SPDX-License-Identifier: BSD-3-Clause */
#include "script/scripts.h"

#include <string.h>

#include "base/lock.h"
#include "base/memory.h"
#include "script/engine.h"
#include "script/library.h"
#include "script/shebang.h"
#include "server/request.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/worker.h"

enum { BUCKETS = 4096 };

struct scripts {
    struct server *server;
    struct libraries *libraries;
    struct engine **engines; /* by the worker's index; each its worker's own */
    _Atomic uint64_t epoch, uses;
    struct lock lock; /* guards the rest */
    struct chain buckets[BUCKETS];
    struct chain evictable; /* brought by EVAL, the oldest first */
};

struct scripts *scripts_new(struct server *server) {
    struct scripts *scripts = mem_zalloc(sizeof *scripts);
    scripts->server = server;
    scripts->libraries = libraries_new();
    scripts->engines = mem_zalloc(server->worker_count * sizeof(struct engine *));
    chain_init(&scripts->evictable);
    for (unsigned i = 0; i < BUCKETS; i++) chain_init(&scripts->buckets[i]);
    return scripts;
}

void scripts_free(struct scripts *scripts) {
    scripts_flush(scripts);
    for (unsigned i = 0; i < scripts->server->worker_count; i++) engine_free(scripts->engines[i]);
    libraries_free(scripts->libraries);
    mem_free(scripts->engines);
    mem_free(scripts);
}

struct engine *scripts_engine(struct scripts *scripts, struct worker *worker) {
    struct engine **engine = &scripts->engines[worker->index];
    if (kn_unlikely(*engine == NULL)) *engine = engine_new(scripts, worker);
    return *engine;
}

struct libraries *scripts_libraries(struct scripts *scripts) {
    return scripts->libraries;
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

uint64_t scripts_epoch(const struct scripts *scripts) {
    return atomic_load_explicit(&scripts->epoch, memory_order_acquire);
}
