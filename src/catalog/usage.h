/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command in a document gives away about the key it is used on.
 *
 * What: finds commands in lines of a shell or of redis-cli, in inline code, and as calls of
 *       client libraries (client.setEx(`session:${id}`, 604800, ...)), with the key, and type and
 *       lifetime where they tell one.
 * Owner: views lie in the text that was read. Lock: none. Errors: false.
 */
#ifndef KN_CATALOG_USAGE_H
#define KN_CATALOG_USAGE_H

#include <stdint.h>

#include "catalog/model.h"

enum usage_flags {
    USAGE_READ = 1,
    USAGE_WRITE = 2,
    USAGE_GLOB = 4,     /* its argument is a glob pattern, not a key */
    USAGE_CHANNEL = 8,  /* its argument is a channel */
    USAGE_EXPIRES = 16, /* gives its key a lifetime in argument 2 */
    USAGE_MANY = 32,    /* every argument is a key */
    USAGE_CREATES = 64, /* makes the key when it is not there */
    USAGE_SERVER = 128  /* takes no key */
};

struct command_facts {
    const char *name; /* lower case */
    enum pattern_type type;
    unsigned flags;
};

/* NULL when it is no command that documents use. */
const struct command_facts *command_facts(struct bytes name);

enum { USAGE_ARGUMENTS_MAX = 24, USAGE_NAMES_MAX = 128 };

struct usage {
    const struct command_facts *command;
    struct bytes arguments[USAGE_ARGUMENTS_MAX]; /* quotes removed; without the command's name */
    size_t count;
    struct bytes text;   /* all of it */
    bool called;         /* of a client library, not of redis-cli */
    bool shell;          /* behind redis-cli */
    int64_t lifetime_ms; /* -1 unknown, 0 none given */
};

/* A line such as "redis-cli -a x keys 'batch:*'", "SETEX k 60 v", "1. GET k", "> LLEN q". */
bool usage_read_line(struct bytes line, struct usage *ret_usage);

/* The next call in a program's text from position *at on; ret_start is where it begins.
 * assigned holds "name = text" pairs that the program made before, looked up for
 * arguments that are names. */
struct usage_names {
    struct {
        struct bytes name, text;
    } items[USAGE_NAMES_MAX];
    size_t count;
};
bool usage_next_call(struct bytes text, size_t *at, struct usage_names *assigned,
                     struct usage *ret_usage, size_t *ret_start);

/* What the program gave a name, a number or a text; empty when nothing. */
struct bytes usage_look_up(const struct usage_names *names, struct bytes name, bool number);
/* A text in quotes at position at, with f, r or b before it; its end in ret_end. */
bool usage_quoted(struct bytes text, size_t at, struct bytes *ret_text, size_t *ret_end);

/* Fills in the lifetime that the command's arguments tell. */
void usage_find_lifetime(struct usage *usage);
/* An amount of time as programs write it: "Duration.ofHours(1)", "10*time.Minute",
 * "12.hours", "timedelta(days=7)". */
bool usage_duration(struct bytes text, int64_t *ret_ms);

/* A product of numbers: "604800", "7 * 24 * 60 * 60". */
bool usage_number(struct bytes text, int64_t *ret_number);

#endif
