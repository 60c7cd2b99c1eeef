/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rules of the check share.
 *
 * What: each pattern with what it is used for, by its words; lists of patterns for
 *       messages; looking in documents.
 * Always: a rule that speaks of several patterns reports once, at the first of
 *         them, and names the others.
 * Owner: the checker lives as long as catalog_check. Lock, errors: none.
 */
#ifndef KN_CATALOG_CHECK_INSIDE_H
#define KN_CATALOG_CHECK_INSIDE_H

#include "catalog/check.h"
#include "catalog/matcher.h"

/* What a pattern's words say it is; bits. */
enum role {
    ROLE_QUEUE = 1,
    ROLE_LOCK = 2,
    ROLE_CACHE = 4,
    ROLE_SESSION = 8,
    ROLE_LIMIT = 16,  /* counts requests */
    ROLE_DEDUPE = 32, /* remembers what was seen */
    ROLE_COUNTER = 64,
    ROLE_REGISTRY = 128, /* who is connected, what is active */
    ROLE_SEMAPHORE = 256,
    ROLE_COLLECTION = 512, /* list, set, sorted set */
    ROLE_FLAG = 1024,      /* held by one at a time without being called a lock */
    ROLE_STATE = 2048,     /* kept for good: no lifetime */
    ROLE_EXPIRES = 4096    /* its lifetime is told in words that are not understood */
};

struct checker {
    const struct catalog *catalog;
    const struct markdown *facts; /* NULL without a document */
    struct diagnostics *diagnostics;
    struct matcher *matcher; /* NULL when patterns are alike */
    struct arena arena;
    unsigned *roles;        /* of each pattern */
    struct bytes *literals; /* of each pattern: the template with {} for variables */
    struct bytes *shapes;   /* the same with the usual prefixes written out */
    bool *chosen;           /* patterns of the finding that is being made */
};

static inline const struct pattern *checker_pattern(const struct checker *checker, size_t i) {
    return &checker->catalog->patterns[i];
}

/* The words of a pattern's literals, purpose and section. */
bool checker_words(const struct checker *checker, size_t pattern, const char *choices);
bool checker_literal(const struct checker *checker, size_t pattern, const char *choices);

/* How many variables a pattern has besides prefixes. */
size_t checker_variables(const struct checker *checker, size_t pattern);

void checker_clear(struct checker *checker);
/* Reports the chosen patterns as one finding; format has one %s, for their list.
 * Nothing when none is chosen. */
void checker_report(struct checker *checker, enum severity severity, const char *code,
                    const char *format, const char *remedy);
/* The chosen patterns as "a, b and 3 more". */
const char *checker_list(struct checker *checker);
void checker_at(struct checker *checker, enum severity severity, const char *code,
                struct place place, const char *what, const char *remedy);

/* Lines of the document that have any of the words; *at is the line to begin with, from 0, and then
 * the one behind what was found. */
bool document_next_line(const struct checker *checker, size_t *at, const char *choices,
                        struct bytes *ret_line, struct place *ret_place);
bool document_has(const struct checker *checker, const char *choices);
/* The place of an offset in a block of code. */
struct place block_place(const struct checker *checker, const struct block *block, size_t offset);

void check_names(struct checker *checker);
void check_prefixes(struct checker *checker);
void check_lifetimes(struct checker *checker);
void check_locks(struct checker *checker);
void check_server(struct checker *checker);
void check_commands(struct checker *checker);
void check_programs(struct checker *checker);
void check_prose(struct checker *checker);

#endif
