/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scripts that the server knows, and the engines that run them.
 *
 * What: scripts by the SHA1 of their source, shared by all threads; and one engine for each worker,
 *       made when its first script runs.
 * Always: a script that EVAL brought is forgotten when SCRIPTS_EVAL_MAX others came after its
 *         last use; one of SCRIPT LOAD stays until SCRIPT FLUSH. A script that somebody holds
 *         stays in memory, dropped or not.
 * Owner: main makes and frees them; the server knows them by a pointer that
 *        only commands look behind.
 * Lock: the cache's own, for every function that does not say otherwise; an engine is its thread's.
 * Errors: replied where a request is given; NULL otherwise.
 */
#ifndef KN_SCRIPT_SCRIPTS_H
#define KN_SCRIPT_SCRIPTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/chain.h"
#include "script/sha1.h"

struct engine;
struct libraries;
struct request;
struct run;
struct scripts;
struct server;
struct worker;

enum { SCRIPTS_EVAL_MAX = 500 };

struct script {
    struct chain_link link;      /* in its bucket, under the cache's lock */
    struct chain_link eval_link; /* among those of EVAL, the oldest first, likewise */
    _Atomic unsigned holders;
    _Atomic bool dropped;   /* out of the cache */
    _Atomic bool whole;     /* it used keys that it does not declare: it is run with every shard */
    _Atomic uint64_t used;  /* when: a count of uses */
    _Atomic bool evictable; /* changed under the cache's lock */
    struct sha1 sha1;
    char name[SHA1_HEX + 1];
    unsigned flags; /* enum script_flag */
    size_t skipped; /* bytes of source before the program: its first line */
    struct bytes source;
    char text[];
};

struct scripts *scripts_new(struct server *server);
/* No thread runs any more. */
void scripts_free(struct scripts *scripts);

/* The worker's own; NULL when there is no memory. On the worker's thread. */
struct engine *scripts_engine(struct scripts *scripts, struct worker *worker);

/* ---- scripts that run for long ---- */

/* Notes that this engine's run has lasted long enough to be told of, that it is slow, that
 * it is over; on its thread. */
void scripts_note_running(struct scripts *scripts, struct engine *engine, const struct run *run);
void scripts_note_slow(struct scripts *scripts, struct engine *engine);
void scripts_note_ended(struct scripts *scripts, struct engine *engine);
/* SCRIPT KILL, FUNCTION KILL: ends those that are slow as soon as they look, others as soon as
 * they become slow. Replies. */
void scripts_kill(struct request *request, bool functions);
/* The value of running_script in FUNCTION STATS. */
void scripts_reply_running(struct request *request);

struct libraries *scripts_libraries(struct scripts *scripts);

/* ---- the cache: what they return is held ---- */

struct script *scripts_find(struct scripts *scripts, const struct sha1 *sha1);
/* Makes a script that is not in the cache. Replies and returns NULL when
 * its first line is wrong. */
struct script *script_new(struct request *request, struct bytes source, const struct sha1 *sha1);
/* Puts it in, or returns the one that is there already, with the reference that was
 * given. keep: SCRIPT LOAD. */
struct script *scripts_add(struct scripts *scripts, struct script *script, bool keep);
void script_drop(struct script *script);
/* From now on it stays until SCRIPT FLUSH. */
void scripts_keep(struct scripts *scripts, struct script *script);
/* Notes a use. Lock: none. */
void scripts_touch(struct scripts *scripts, struct script *script);

void scripts_flush(struct scripts *scripts);
/* After scripts or libraries were flushed: every thread gives back what it compiled
 * of them, soon. Lock: none. */
void scripts_tidy(struct scripts *scripts);
/* Changes whenever a script is dropped. Lock: none. */
uint64_t scripts_epoch(const struct scripts *scripts);

#endif
