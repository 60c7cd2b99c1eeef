/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shape of a pattern's keys: literal bytes and variables.
 *
 * What: "{prefix}:cache:cameras:{id}", parsed. A variable stands for one segment, that is, for
 *       bytes without ':', at least one; a variable at the very end takes the rest of the key.
 *       "{{" and "}}" are braces.
 * Always: no two variables touch once prefixes are written out, no name appears twice, literals
 *         that touch are one. A template has at most TEMPLATE_PARTS_MAX parts and
 *         TEMPLATE_TEXT_MAX bytes.
 * Owner: the arena that was passed, with the text it was parsed from copied. Lock: none.
 * Errors: a sentence about what is wrong, with the byte where.
 */
#ifndef KN_CATALOG_TEMPLATE_H
#define KN_CATALOG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

enum {
    TEMPLATE_TEXT_MAX = 1024,
    TEMPLATE_PARTS_MAX = 64,
    TEMPLATE_VARIABLES_MAX = 16,
    TEMPLATE_SEGMENTS_MAX = 48,
    TEMPLATE_EXPANSIONS_MAX = 64
};
#define TEMPLATE_SEPARATOR ':'

struct template_part {
    bool is_variable;
    struct bytes text; /* literal bytes, or the variable's name */
};

struct template {
    const char *text; /* as written */
    struct template_part *parts;
    size_t part_count;
    size_t variable_count;
};

/* A variable whose values are known: templates are expanded to one for each of them. */
struct prefix {
    const char *name;    /* of the variable, without braces */
    const char **values; /* may end in, or hold, the separator */
    size_t value_count;
    size_t chosen; /* which of them is the usual one */
};

struct template_error {
    size_t at; /* the byte of the text */
    const char *what;
    const char *remedy; /* NULL when none is known */
};

/* Reads a template. Adjacent variables are allowed where the first is one of the prefixes. */
bool template_parse(struct bytes text, const struct prefix *prefixes, size_t prefix_count,
                    struct arena *arena, struct template *ret_template,
                    struct template_error *ret_error);

/* How many templates it becomes with every prefix written out: 1 when it uses none; at most
 * TEMPLATE_EXPANSIONS_MAX + 1, which is one more than anybody may use. */
size_t template_expansions(const struct template *template, const struct prefix *prefixes,
                           size_t prefix_count);
/* The template with prefixes written out, as expansion number index has them; the usual values are
 * number 0. Names of variables and literals are the arena's. */
void template_expand(const struct template *template, const struct prefix *prefixes,
                     size_t prefix_count, size_t index, struct arena *arena,
                     struct template *ret_template);

/* The value that a prefix has in expansion number *index, of which it takes its share; NULL when no
 * prefix has that name. To be asked for each variable of the template, in order. */
const char *template_expansion_value(const struct prefix *prefixes, size_t prefix_count,
                                     struct bytes name, uint32_t *index);

/* The variable of that name; part_count when there is none. */
size_t template_find_variable(const struct template *template, struct bytes name);
/* Whether both have the same literals and variables in the same places,
 * whatever the variables' names. */
bool template_same_shape(const struct template *a, const struct template *b);

/* A key that fits, each variable standing for its own name, or for what the prefixes say. */
const char *template_sample(const struct template *template, const struct prefix *prefixes,
                            size_t prefix_count, struct arena *arena);

#endif
