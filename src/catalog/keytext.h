/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which words of a document are keys.
 *
 * What: tells templates, literal keys, families ("cache:*") and grammars
 *       ("{service}:{feature}:{id}[:{sub}]") from everything else that has a colon in it, and
 *       brings every way to write a variable ({id}, <id>, ${id}, %s) to the one that templates use.
 * Owner: the arena that was passed. Lock: none. Errors: KEY_TEXT_NONE.
 */
#ifndef KN_CATALOG_KEYTEXT_H
#define KN_CATALOG_KEYTEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"

enum key_text {
    KEY_TEXT_NONE,
    KEY_TEXT_LITERAL,  /* a whole key */
    KEY_TEXT_TEMPLATE, /* with variables */
    KEY_TEXT_FAMILY,   /* with a '*' */
    KEY_TEXT_GRAMMAR,  /* tells how keys are built, not which there are */
};

enum { KEY_TEXT_MAX = 400 };

/* sure: the text stands where only keys stand, so that a single word is one too. ret_text: the
 * text as a template has it. */
enum key_text key_text_read(struct bytes text, bool sure, struct arena *arena,
                            struct bytes *ret_text);

#endif
