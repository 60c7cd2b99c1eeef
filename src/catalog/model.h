/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A catalog: the patterns of a keyspace, and what each asks of its keys.
 *
 * What: the model that YAML and Markdown are read into, that the matcher is compiled from, and
 *       that is written back. It says where in which document each thing stands, and what was
 *       guessed rather than stated.
 * Always: after catalog_finish every pattern has a name of its own, and its templates, tenant and
 *         aliases agree with one another. A finished catalog is not changed any more.
 * Owner: the catalog owns everything in it; catalog_free takes all of it back.
 * Lock: none; a finished catalog may be read by any number of threads. Errors:
 *       reported as diagnostics.
 */
#ifndef KN_CATALOG_MODEL_H
#define KN_CATALOG_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "catalog/diagnostics.h"
#include "catalog/lifetime.h"
#include "catalog/template.h"

enum {
    CATALOG_PATTERNS_MAX = 20000,
    CATALOG_LIST_MAX = 256, /* aliases, databases, fields, examples, values of one thing */
    CATALOG_DATABASE_MAX = 16383,
    CATALOG_PROSE_MAX = 2000,
    CATALOG_DOCUMENT_MAX = 8 << 20 /* bytes of a document */
};

enum pattern_kind { PATTERN_KEY, PATTERN_CHANNEL, PATTERN_KINDS };

enum pattern_type {
    PATTERN_TYPE_UNSTATED,
    PATTERN_TYPE_STRING,
    PATTERN_TYPE_LIST,
    PATTERN_TYPE_HASH,
    PATTERN_TYPE_SET,
    PATTERN_TYPE_ZSET,
    PATTERN_TYPE_STREAM,
    PATTERN_TYPES
};

enum eviction_class {
    EVICTION_UNSTATED, /* normal, or what the type of use suggests */
    EVICTION_NORMAL,
    EVICTION_CACHE, /* goes first */
    EVICTION_NEVER, /* is never a candidate */
    EVICTION_CLASSES
};

enum catalog_mode { MODE_INHERITED, MODE_OFF, MODE_OBSERVE, MODE_ENFORCE, MODES };

enum unmatched_keys { UNMATCHED_ALLOW, UNMATCHED_OBSERVE, UNMATCHED_DENY, UNMATCHED_KINDS };

enum value_format {
    FORMAT_ANY,
    FORMAT_TEXT, /* UTF-8 */
    FORMAT_INTEGER,
    FORMAT_NUMBER,
    FORMAT_BOOLEAN,
    FORMAT_JSON,
    FORMAT_TIMESTAMP, /* seconds or milliseconds since 1970, or ISO 8601 */
    FORMAT_UUID,
    FORMATS
};

/* What a reader inferred rather than read; bits of pattern.guessed. */
enum guess {
    GUESS_KEY = 1,
    GUESS_KIND = 2,
    GUESS_TYPE = 4,
    GUESS_LIFETIME = 8,
    GUESS_DATABASE = 16,
    GUESS_EVICTION = 32,
    GUESS_VALUE = 64,
    GUESSES = 7 /* how many there are */
};

struct pattern_template {
    struct template template;
    struct place place;
};

struct pattern_example {
    const char *text;
    struct place place;
};

struct pattern_field {
    const char *name;
    enum value_format format;
};

struct pattern {
    const char *name;
    enum pattern_kind kind;
    struct pattern_template key;
    struct pattern_template *aliases; /* legacy names of the same keys */
    size_t alias_count;

    enum pattern_type type;
    struct lifetime lifetime;
    uint32_t *databases; /* where its keys may be; none means anywhere */
    size_t database_count;
    enum eviction_class eviction;
    enum catalog_mode mode;
    uint64_t key_bytes_max, value_bytes_max, elements_max; /* 0 is no limit */
    enum value_format value; /* of a string's value, of elements and of unnamed fields */
    struct pattern_field *fields;
    size_t field_count;
    bool fields_closed; /* a field that is not named is a violation */

    const char *tenant; /* the variable that names a key's tenant */
    const char *owner, *purpose, *source, *section;
    struct pattern_example *examples;
    size_t example_count;

    unsigned guessed;
    struct place place, type_place, lifetime_place;
};

struct catalog_database {
    uint32_t number;
    const char *purpose;
};

struct catalog {
    struct arena arena;
    const char *name, *file, *owner, *purpose;
    const char *grammar;         /* how the team says its keys are built; not a pattern */
    const char *eviction_policy; /* the maxmemory-policy that the document states */
    enum catalog_mode mode;
    enum unmatched_keys unmatched;
    struct prefix *prefixes;
    struct place *prefix_places;
    size_t prefix_count;
    struct catalog_database *databases;
    size_t database_count;
    struct pattern *patterns;
    size_t pattern_count, pattern_room;
};

struct catalog *catalog_new(const char *file);
void catalog_free(struct catalog *catalog);

/* A new pattern of zeros at the end; NULL when there are CATALOG_PATTERNS_MAX. It, and those before
 * it, may move when the next one is added. */
struct pattern *catalog_add_pattern(struct catalog *catalog);
/* A copy, ended by a zero byte, that lives as long as the catalog. */
const char *catalog_copy(struct catalog *catalog, struct bytes text);
/* The same of a sentence: one blank between words, cut to CATALOG_PROSE_MAX bytes. */
const char *catalog_copy_prose(struct catalog *catalog, struct bytes text);
/* Gives an array of the catalog's arena room for one more; the array's length is count. */
void *catalog_grow(struct catalog *catalog, void *array, size_t count, size_t size);
void catalog_add_example(struct catalog *catalog, struct pattern *pattern, struct bytes text,
                         struct place place);
void catalog_add_database(struct catalog *catalog, struct pattern *pattern, uint32_t database);
struct prefix *catalog_find_prefix(const struct catalog *catalog, struct bytes name);

/* Names what has no name, checks what must agree, and reports; false when there was an error. */
bool catalog_finish(struct catalog *catalog, struct diagnostics *diagnostics);

/* The words of YAML for each value; the lists end with NULL and are in the order of the enums. */
extern const char *const pattern_type_names[PATTERN_TYPES + 1];
extern const char *const eviction_names[EVICTION_CLASSES + 1];
extern const char *const mode_names[MODES + 1];
extern const char *const unmatched_names[UNMATCHED_KINDS + 1];
extern const char *const format_names[FORMATS + 1];
extern const char *const guess_names[GUESSES + 1]; /* in the order of their bits */

#endif
