/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration: the directives of redis.conf, their values, and who is told when one changes.
 *
 * What: one table of directives (config_rows_*.c) says for each its kind, default, bounds, and
 *       whether it may change while the server runs. Values are set by the file, the command line
 *       and CONFIG SET. Modules keep copies of what they read often, and are told of changes by the
 *       functions they watch with.
 * Always: every value has passed its directive's checks. A value and its text agree. A
 *         change is all or nothing: when one of several directives refuses, all are as
 *         they were, owners included.
 * Owner: main makes it and frees it. Lock: its own; every function may be called from every thread,
 *        except where noted. Watchers run on the thread that sets, with the lock held: they may
 *        read numbers and texts, but not set.
 * Errors: sentences, in Redis's words, in a struct config_error.
 */
#ifndef KN_SERVER_CONFIG_H
#define KN_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct config;

enum { CONFIG_ERROR_MAX = 1024, CONFIG_TEXT_MAX = 1024 * 1024 };

struct config_error {
    char text[CONFIG_ERROR_MAX];
};

struct config *config_new(void);
void config_free(struct config *config);

/* ---- reading; name: as in the table, never an alias. A name that is not
 * there ends the process. ---- */

/* Booleans (0, 1), numbers, bytes, positions in a list of words, bits of several words;
 * a percentage is negative. */
int64_t config_number(const struct config *config, const char *name);
static inline bool config_bool(const struct config *config, const char *name) {
    return config_number(config, name) != 0;
}
/* The text as CONFIG GET shows it, a copy of the caller's own (mem_free). */
char *config_text(struct config *config, const char *name);
/* The text itself: for watchers, for the start, and for directives that never change. */
const char *config_peek(const struct config *config, const char *name);
/* Whether the file or the command line named it. */
bool config_was_given(struct config *config, const char *name);

/* ---- starting: one thread ---- */

enum config_start { CONFIG_START_RUN, CONFIG_START_EXIT, CONFIG_START_FAIL };
/*
 * Reads the command line and the files it names. With CONFIG_START_EXIT, --help or --version
 * has been answered on standard output; with CONFIG_START_FAIL, error says what to print
 * before leaving with status 1.
 */
enum config_start config_load(struct config *config, int argc, char **argv,
                              struct config_error *error);
/* A whole file's text, as if it had been read from `path`. Returns false with error. */
bool config_load_text(struct config *config, struct bytes text, const char *path,
                      struct config_error *error);
/* The file given on the command line, as an absolute path; "" when there is none. */
const char *config_file_path(const struct config *config);

/* rename-command, in the order given. to is "" for a command that is
 * taken away. NULL at the end. */
struct config_rename {
    char *from, *to;
    char *where; /* "file, at line 3", for messages */
    struct config_rename *next;
};
const struct config_rename *config_renames(const struct config *config);

/*
 * Calls say with a sentence about directives that were given and do nothing here, or not yet. Once,
 * after the log is open.
 */
void config_report(struct config *config, void (*say)(void *context, const char *line),
                   void *context);

/* ---- watching ---- */

/*
 * Takes a directive's new value over: number and text as above. Returns NULL, or why it cannot be
 * done, in a constant or thread-local string; everything is then put back, and watchers are called
 * again with the values as they were.
 */
typedef const char *config_apply_fn(void *context, const char *name, int64_t number,
                                    const char *text);
/* Watchers of one directive are called in the order they came. One thread, before workers run. */
void config_watch(struct config *config, const char *name, config_apply_fn *apply, void *context);
/* Calls every watcher with the values as they are: main does it once, when all parts are there. */
bool config_apply_all(struct config *config, struct config_error *error);

/* Puts in what the system allows, where that is not what was asked for. Tells no watcher. */
void config_correct(struct config *config, const char *name, int64_t number);

/* ---- CONFIG GET, SET, REWRITE ---- */

/* Values of enable-protected-configs and its kind. */
enum { CONFIG_ACCESS_NO, CONFIG_ACCESS_YES, CONFIG_ACCESS_LOCAL };

/* Calls found for each directive whose name, or alias, matches one of the
 * patterns; each name once. */
void config_get(struct config *config, const struct bytes *patterns, size_t count,
                void (*found)(void *context, const char *name, const char *text), void *context);

struct config_change {
    struct bytes name, value;
};
/* All or nothing; error is the whole reply, from "ERR" on. local: the client is on this machine,
 * which enable-protected-configs may ask for. */
bool config_set(struct config *config, const struct config_change *changes, size_t count,
                bool local, struct config_error *error);

/* Writes the values to the file the server was started with, keeping its comments and order.
 * error is the whole reply. */
bool config_rewrite(struct config *config, struct config_error *error);
/* The text that config_rewrite would write over `old`. */
bool config_rewrite_text(struct config *config, struct bytes old, struct buffer *text);

/* ---- documentation ---- */

/* The table of directives in Markdown: docs/configuration.md. */
bool config_document(struct buffer *text);

#endif
