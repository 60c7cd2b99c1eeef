/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first line of a script, "#!lua flags=no-writes,allow-oom", or of a
 * library, "#!lua name=mylib".
 *
 * What: parses it. Owner: views into the source. Lock: none. Errors: replied.
 */
#ifndef KN_SCRIPT_SHEBANG_H
#define KN_SCRIPT_SHEBANG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct request;

struct shebang {
    size_t len;     /* bytes before the program, which begins with the line's end */
    unsigned flags; /* enum script_flag */
};

/* The script's; all there is to know is in ret_shebang, also when there is no such line. */
bool shebang_parse(struct request *request, struct bytes source, struct shebang *ret_shebang);
/* Whether a script says this of itself. Replies nothing. */
bool shebang_says(struct bytes source, unsigned flag);
/* The flag of a name; 0 when there is none. */
unsigned shebang_flag(struct bytes name);

#endif
