/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a server really holds, beside what a catalog says.
 *
 * What: walks databases with SCAN, gently; counts every key for its pattern; measures a sample of
 *       each pattern (or all keys) for type, lifetime and bytes; collects shapes of keys that no
 *       pattern is for. Sends only commands that read: PING, CLIENT SETNAME, SELECT, INFO, DBSIZE,
 *       SCAN, TYPE, PTTL, MEMORY USAGE, STRLEN, LLEN, HLEN, SCARD, ZCARD, XLEN.
 * Always: memory is bounded by patterns, sample and SEEN_BYTES, not by the keyspace. What was
 *         counted stays valid when the survey ends early, for which stopped_by says why.
 * Owner: survey_free; the catalog and the matcher outlive it. Lock: none; one thread.
 * Errors: in stopped_by, and refusals.
 */
#ifndef KN_CLI_SURVEY_H
#define KN_CLI_SURVEY_H

#include "catalog/matcher.h"
#include "cli/connect.h"
#include "cli/sample.h"
#include "cli/suggest.h"

enum {
    SURVEY_DATABASES_MAX = 256,
    SURVEY_EXAMPLES = 3,
    SURVEY_RATE = 20000,    /* keys a second */
    SURVEY_SAMPLE = 400,    /* keys of a pattern that are measured */
    SURVEY_MEASURE_COST = 5 /* measuring a key counts as so many */
};

/* What is asked of every measured key; a server may refuse one of them and not the others. */
enum question { QUESTION_TYPE, QUESTION_LIFETIME, QUESTION_BYTES, QUESTION_SIZE, QUESTIONS };

/* Kinds of keys that examples are kept of. */
enum example_kind {
    EXAMPLE_WRONG_TYPE,
    EXAMPLE_IMMORTAL,
    EXAMPLE_MORTAL, /* has a lifetime */
    EXAMPLE_TOO_LONG,
    EXAMPLE_ELEMENTS,
    EXAMPLE_VALUE_SIZE,
    EXAMPLE_DATABASE,
    EXAMPLE_NAME,
    EXAMPLE_LEGACY,
    EXAMPLES
};

struct examples {
    char *texts[SURVEY_EXAMPLES]; /* as show_key has them, with what was found */
    size_t count;
};

/* Of one pattern; number 0 is for the keys that have none. */
struct figures {
    uint64_t keys, wrong_database, long_names, legacy;
    uint64_t name_bytes;
    struct sample sample;
    struct sums sums; /* filled in at the end of survey_run */
    struct estimate bytes;
    struct examples examples[EXAMPLES];
};

struct survey_database {
    int number;
    bool chosen;  /* it was walked, or should have been */
    bool named;   /* by the catalog */
    bool missing; /* the server has no such database */
    bool complete;
    int64_t size;  /* DBSIZE before; -1 unknown */
    uint64_t keys; /* that were found */
};

struct survey_options {
    uint64_t rate; /* keys a second; 0: no limit */
    size_t sample; /* 0: all */
    bool progress; /* on standard error */
    const atomic_bool *stopped;
};

struct survey {
    const struct matcher *matcher;
    const struct catalog *catalog;
    struct connection *connection;
    struct survey_options options;
    struct figures *figures; /* [0 .. pattern_count] */
    size_t pattern_count;
    struct suggest *suggest;
    struct survey_database databases[SURVEY_DATABASES_MAX];
    size_t database_count;
    char server[128]; /* "Redis 7.0.15" */
    bool restricted;  /* to databases that somebody asked for */
    bool cluster;
    bool name_bytes_only; /* bytes are of names and strings, since MEMORY USAGE is refused */
    uint64_t keys, repeats, measured;
    int64_t started_us, ended_us;
    char *refusals[QUESTIONS]; /* why a question is asked no more; NULL: it is */
    unsigned sizes_refused;    /* 1 << type: STRLEN, LLEN ... of which are refused */
    char *stopped_by;          /* NULL: it went to its end */
};

struct survey *survey_new(const struct matcher *matcher, const struct catalog *catalog,
                          struct connection *connection, const struct survey_options *options);
void survey_free(struct survey *survey);

/* Adds a database to be walked; false when there are too many. */
bool survey_choose(struct survey *survey, int number, bool named);
/* Asks what server it is, and which databases hold keys. False when the connection broke. */
bool survey_look_around(struct survey *survey);
/* Walks one database after the other. */
void survey_run(struct survey *survey);

/* ---- for the files of survey ---- */

struct survey_key {
    struct bytes name;
    uint64_t hash;
    unsigned pattern;
    int database;
    bool measure, note; /* note: the shapes want to know */
};

/* Counts a key; fills in what is to be done with it. */
void survey_count(struct survey *survey, struct survey_key *key);
/* Measures those of the keys that are to be. False when the connection broke. */
bool survey_measure(struct survey *survey, const struct survey_key *keys, size_t count);
void survey_example(struct figures *figures, enum example_kind kind, struct bytes key,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
bool survey_stop(struct survey *survey, const char *why);

#endif
