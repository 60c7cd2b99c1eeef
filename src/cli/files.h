/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Documents from files, results into files.
 *
 * What: reads a whole file or standard input ("-") up to the size of a document; writes a file so
 *       that it is either the old one or the whole new one. Loads a catalog from YAML or
 *       Markdown, whichever it is.
 * Owner: what is loaded is given back with its _done. Lock: none. Errors: a sentence on
 *        standard error, and false.
 */
#ifndef KN_CLI_FILES_H
#define KN_CLI_FILES_H

#include "catalog/markdown.h"
#include "catalog/model.h"
#include "cli/report.h"

bool file_read(const char *name, struct buffer *ret_text);
/* name NULL or "-": standard output. */
bool file_write(const char *name, struct bytes text);

struct loaded {
    const char *file;
    struct buffer text;
    struct catalog *catalog; /* NULL after an error */
    struct markdown *facts;  /* NULL unless it came from Markdown */
};

/* False when the file cannot be read; findings go to diagnostics. */
bool load_catalog(const char *file, struct diagnostics *diagnostics, struct loaded *ret_loaded);
void loaded_done(struct loaded *loaded);

#endif
