/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A directive, declared.
 *
 * What: the rows of the table behind config.h, and what its files share among themselves;
 *       nobody else includes this.
 * Always: a row's `initial` passes the row's own checks (config_new proves it).
 * Owner: rows are constant. Lock and errors: see config.h.
 */
#ifndef KN_SERVER_CONFIG_ROW_H
#define KN_SERVER_CONFIG_ROW_H

#include <stdatomic.h>

#include "base/lock.h"
#include "server/config.h"

enum config_kind {
    CONFIG_BOOL,
    CONFIG_INT,
    CONFIG_OCTAL,
    CONFIG_MEMORY,  /* bytes, with units */
    CONFIG_PERCENT, /* bytes, or a percentage */
    CONFIG_ENUM,    /* one of words; the number is its value */
    CONFIG_FLAGS,   /* several of words, or'ed */
    CONFIG_STRING,
    CONFIG_SPECIAL, /* several words, by functions of its own */
};

struct config_word {
    const char *name;
    int64_t value;
};

/* Words being given to a directive. */
struct config_words {
    char **words;
    size_t count;
};

struct config_row;

/* For CONFIG_SPECIAL. */
struct config_special {
    /* Appends the new value's text. current: the value so far; given: the file or the
     * command line set it before, in this start, so that a directive that may be repeated
     * adds to it. NULL, or an error. */
    const char *(*parse)(const struct config_row *row, struct config_words words,
                         const char *current, bool loading, bool given, struct buffer *text,
                         int64_t *ret_number);
    /* Appends the lines of a rewritten file; NULL: the name and the text, word by word. */
    bool (*rewrite)(const char *name, const char *text, struct buffer *lines);
};

enum config_row_flag {
    CONFIG_FIXED = 1,     /* not to be changed by CONFIG SET */
    CONFIG_PROTECTED = 2, /* only with enable-protected-configs */
    CONFIG_WORDS = 4,     /* CONFIG SET splits the value into words */
    CONFIG_REFUSED = 8,   /* a value other than the default asks for what is not built: refused */
    CONFIG_UNSHOWN = 16,  /* not in CONFIG GET unless named in full */
    CONFIG_QUOTED = 32,   /* of several words: one in quotes stays one when a file is read */
};

struct config_row {
    const char *name;
    enum config_kind kind;
    const char *initial;
    const char *summary;
    const char *alias;
    unsigned flags;
    int64_t min, max; /* CONFIG_INT, CONFIG_OCTAL; CONFIG_MEMORY: max 0 is INT64_MAX */
    const struct config_word *words;
    const struct config_special *special;
    /* Neither: the server acts on it. */
    const char *waits; /* for this feature, which is not built yet */
    const char *idle;  /* nothing here depends on it: why */
};

struct config_rows {
    const struct config_row *rows;
    size_t count;
    const char *title; /* of its section in the documentation */
};
extern const struct config_rows config_rows_network, config_rows_memory, config_rows_process,
    config_rows_catalog, config_rows_data, config_rows_replication;
enum { CONFIG_ROW_GROUPS = 6 };
extern const struct config_rows *const config_row_groups[CONFIG_ROW_GROUPS];

struct config_watcher {
    config_apply_fn *apply;
    void *context;
    struct config_watcher *next;
};

struct config_value {
    const struct config_row *row;
    _Atomic int64_t number;
    char *text;
    char *initial; /* the text as it was before the file and the command line */
    bool given;
    struct config_watcher *watchers;
};

struct config {
    struct lock lock;
    struct config_value *values;
    size_t count;
    struct config_rename *renames;
    char *file_path;
};

/* By name or alias, any case; NULL. */
struct config_value *config_find(const struct config *config, struct bytes name);

/* Checks words against the row and gives the number and the text. NULL, or an error. */
const char *config_parse(const struct config_value *value, struct config_words words, bool loading,
                         struct buffer *text, int64_t *ret_number);
/* The text of a number of the row's kind. */
bool config_format(const struct config_row *row, int64_t number, struct buffer *text);

/* Puts a checked value in place; text is swallowed. The lock is held, or nobody else runs. */
void config_put(struct config_value *value, int64_t number, char *text);

/* Splits a line into words, with Redis's quotes. False when a quote is not closed. */
bool config_split(struct bytes line, struct config_words *ret_words);
void config_words_done(struct config_words *words);
/* Appends a word as it stands in a file, quoted where needed. */
bool config_quote(const char *word, bool always, struct buffer *text);

void config_fail(struct config_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

extern const struct config_special config_special_bind, config_special_save,
    config_special_output_limits, config_special_oom_values, config_special_percentiles,
    config_special_events, config_special_dir, config_special_replicaof, config_special_title,
    config_special_plain_name, config_special_hz, config_special_catalog;

#endif
