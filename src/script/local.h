/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scripts that one engine has compiled.
 *
 * What: found by SHA1, or by source, which saves EVAL the SHA1 of what it runs again and again.
 * Owner: the engine. Lock: none: its thread's. Errors: replied.
 */
#ifndef KN_SCRIPT_LOCAL_H
#define KN_SCRIPT_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct engine;
struct request;
struct script;
struct sha1;

struct local_script {
    struct local_script *next_by_sha1, *next_by_source;
    struct script *script; /* held */
    uint64_t source_hash;
    int function; /* in the engine's table of functions */
};

struct local_scripts;
struct local_scripts *local_scripts_new(void);
/* Without a look at the engine, which is gone. */
void local_scripts_free(struct local_scripts *scripts);

/* Forgets what the cache has dropped. */
void local_clean(struct engine *engine);
/* A script that was compiled here or, if not, is in the cache; NULL when there is none, or
 * (*ret_replied) it cannot be compiled. */
struct local_script *local_find(struct engine *engine, struct request *request,
                                const struct sha1 *sha1, bool *ret_replied);
/* The script of this source, compiled and put into the cache if it was not known; NULL when an
 * error was replied. keep: SCRIPT LOAD. */
struct local_script *local_load(struct engine *engine, struct request *request, struct bytes source,
                                bool keep);

#endif
