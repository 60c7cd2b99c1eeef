/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A catalog out of a Markdown document that was never written for a machine.
 *
 * What: finds patterns in tables, lists, paragraphs, fenced blocks, comments, tree drawings and
 *       commands, with the types, lifetimes, databases and purposes that stand around them; and
 *       keeps, beside the catalog, what else a reader of the document learns from it: commands on
 *       keys, families, examples.
 * Always: what is inferred is marked as a guess in the pattern; what stands where a pattern or a
 *         property stands and cannot be understood becomes a note with its line.
 * Owner: markdown_free takes the document's facts; the catalog is the
 *        caller's own and outlives them.
 * Lock: none. Errors: only a document that is too large; there is always a catalog otherwise.
 */
#ifndef KN_CATALOG_MARKDOWN_H
#define KN_CATALOG_MARKDOWN_H

#include "catalog/document.h"
#include "catalog/keytext.h"
#include "catalog/model.h"
#include "catalog/usage.h"

/* A family of keys, "cache:*", that the document speaks about. */
struct markdown_family {
    struct bytes glob;
    struct place place;
    size_t section;
    bool announced; /* by a tree or a table, rather than in passing */
    bool used;      /* there is a pattern in it */
    struct lifetime lifetime;
    enum pattern_type type;
    struct bytes purpose;
};

/* A command on a key. */
struct markdown_usage {
    struct usage usage;
    struct place place;
    enum key_text kind;
    struct bytes key; /* as a template, a literal key or a glob */
    size_t pattern;   /* its number in the catalog, from 0; SIZE_MAX when there is none */
    size_t section, block;
    struct bytes label;    /* the comment above it */
    bool bad;              /* shown as what not to do */
    bool covered_by_shape; /* the pattern has the same literals and variables */
};

/* A literal key, written as an example. */
struct markdown_example {
    struct bytes key;
    struct place place;
    size_t pattern; /* the one beside which it stands; SIZE_MAX when it stands alone */
};

/* A pattern stated again: where, and by what words. */
struct markdown_statement {
    size_t pattern, block;
    struct place place;
    enum pattern_type type;
    struct lifetime lifetime;
    enum pattern_kind kind;
    struct bytes key;
    bool lifetime_unread; /* one is stated in words that are not understood */
};

struct markdown {
    struct document *document;
    struct markdown_family *families;
    size_t family_count, family_room;
    struct markdown_usage *usages;
    size_t usage_count, usage_room;
    struct markdown_example *examples;
    size_t example_count, example_room;
    struct markdown_statement *statements;
    size_t statement_count, statement_room;
};

/* NULL after an error. ret_facts may be NULL. */
struct catalog *catalog_read_markdown(struct bytes text, const char *file,
                                      struct diagnostics *diagnostics, struct markdown **ret_facts);
void markdown_free(struct markdown *facts);

/* Writes the catalog as a document that reads well and is read back as the same catalog.
 * Returns 0 or ERROR_NO_MEMORY. */
int catalog_write_markdown(const struct catalog *catalog, struct buffer *buffer);

/* Whether a text is a Markdown document rather than YAML, by the file's name or,
 * failing that, its beginning. */
bool catalog_is_markdown(struct bytes text, const char *file);

#endif
