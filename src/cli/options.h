/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of the program's commands.
 *
 * What: --name and --name=value, -x value; "--" ends them. What is no option is kept,
 *       in order, as an argument.
 * Owner: texts are argv's. Lock: none. Errors: a sentence on standard error that
 *        names the nearest option.
 */
#ifndef KN_CLI_OPTIONS_H
#define KN_CLI_OPTIONS_H

#include <stdbool.h>

struct option_row {
    const char *name;   /* "--output" */
    const char *brief;  /* "-o", or NULL */
    const char **value; /* NULL for a flag */
    bool *flag;
};

/* Sorts argv: arguments to the front, their number in ret_count. False after a mistake.
 * --help and -h set *help. */
bool options_read(int argc, char **argv, const struct option_row *rows, bool *help, int *ret_count);

#endif
