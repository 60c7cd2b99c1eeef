/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command's syntax as a tree of arguments, for COMMAND DOCS.
 *
 * What: reads the one line that a row has, "key [NX | XX] value [value ...]", into what COMMAND
 *       DOCS answers and tools build their hints from: tokens, choices, groups, what is
 *       optional and what repeats.
 * Always: the tree is what the line says; types of values are told from their names.
 * Owner: the caller's arena; names point into the line.
 * Errors: none: lines are the program's own, and a bracket that is never closed ends with the line.
 */
#ifndef KN_COMMANDS_COMMAND_SYNTAX_H
#define KN_COMMANDS_COMMAND_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena;

enum syntax_kind { SYNTAX_VALUE, SYNTAX_TOKEN, SYNTAX_ONEOF, SYNTAX_BLOCK };

struct syntax {
    enum syntax_kind kind;
    bool optional, multiple;
    bool multiple_token; /* the token is said again with each value */
    struct bytes name;   /* of a value */
    struct bytes token;  /* of a token; of a value or block that follows one; else empty */
    struct syntax *children, *next;
};

/* The arguments in their order; NULL when there are none. */
struct syntax *syntax_parse(const char *line, struct arena *arena);

/* "string", "integer", "oneof" ... */
const char *syntax_type(const struct syntax *node);

#endif
