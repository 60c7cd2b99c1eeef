/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the Markdown reader share.
 *
 * What: markdown.c walks the blocks, markdown_code.c reads fenced ones,
 *       markdown_words.c understands single properties, markdown_finish.c brings
 *       together what was found in several places.
 * Always: patterns are numbered in the order of the document; the same template read again is the
 *         same pattern, and what the first place did not say is taken from later ones.
 * Owner: the reader lives as long as catalog_read_markdown. Lock, errors: none.
 */
#ifndef KN_CATALOG_MARKDOWN_INSIDE_H
#define KN_CATALOG_MARKDOWN_INSIDE_H

#include "catalog/markdown.h"

enum { MARKDOWN_ITEMS_MAX = 50000, LIST_LEVELS = 16 };
#define NO_PATTERN SIZE_MAX
#define NO_BLOCK   SIZE_MAX

/* Words that show something as what not to do. */
static const char wrong_words[] =
    "bad|wrong|don't|avoid|anti-pattern|incorrect|never do|insecure|unsafe";

/* What a heading, and the words under it, say about all patterns of the section. */
struct section {
    enum pattern_type type;
    struct lifetime lifetime;
    struct bytes purpose, source, owner, title;
    int database; /* -1 is none */
    bool examples, channels, bad, grammar, has_patterns;
    bool lifted; /* its lifetime was said in a section below it */
};

/* What is known about a key where it stands. */
struct found {
    struct bytes key; /* as key_text_read gave it */
    enum key_text kind;
    struct place place;
    bool channel, guessed;
    bool key_only; /* a type or a lifetime stands beside it: no channel has one */
};

/* A key that a program gave a name. */
struct definition {
    struct definition *next;
    struct found found;
    size_t section;
    struct bytes remark; /* the comment beside it */
    int64_t lifetime_ms; /* that stands beside it; 0 none */
    bool only_told;      /* it stands where nothing is read: a note, if nothing describes it */
};

/* A list, by how deep it lies. */
struct list {
    size_t lead;   /* the block whose words stand before its first item */
    bool has_keys; /* one of its items is a template */
};

enum list_kind {
    LIST_UNKNOWN,
    LIST_OF_KEYS,
    LIST_OF_OTHERS,           /* events, permissions, scripts */
    LIST_OF_OTHERS_AMONG_KEYS /* by its heading, with keys in a heading further above */
};

struct importer {
    struct catalog *catalog;
    struct diagnostics *diagnostics;
    struct document *document;
    struct markdown *facts;
    struct arena *arena;      /* the document's */
    struct section *sections; /* by block number; only those of headings are used */
    size_t *origins;          /* of each pattern, the section; room for CATALOG_PATTERNS_MAX */
    size_t current;           /* the section now, SIZE_MAX before the first */
    size_t block;             /* the block now */
    struct list lists[LIST_LEVELS];
    size_t group_first; /* the patterns that properties now belong to */
    size_t group_end;
    unsigned group_level; /* how deep the list lies whose item opened the group; 0 none */
    bool record;          /* it was opened by a heading or by "Key:", and lasts */
    struct found pending; /* what stands where a key may, and is one when something is said of it */
    unsigned pending_level; /* of the list whose item it is; 0 for a heading or a paragraph */
    struct bytes
        stem; /* what all keys are said to begin with: "shop:{env}:"; empty when nothing is */
    bool stem_left_out;             /* the keys of the document are written without it */
    struct usage_names names;       /* what programs so far gave names to */
    struct definition *definitions; /* the last one first */
    uint32_t *shapes;               /* patterns by the hash of their shape: a number + 1, or 0 */
    size_t shape_mask;
};

static inline struct section *section_at(struct importer *importer, size_t number) {
    return number < importer->document->count ? &importer->sections[number] : NULL;
}

/* The pattern of a template, new or known; NO_PATTERN when it cannot be one. A key and a channel
 * may share a template: they are two patterns once both are stated, and one as long as only one of
 * them is, and the other mentioned. */
size_t importer_add(struct importer *importer, const struct found *found);
/* The pattern whose template has the same shape, of this kind where there are two;
 * NO_PATTERN when there is none. */
size_t importer_find(const struct importer *importer, const struct template *template,
                     enum pattern_kind kind);
/* False when there are too many. */
bool importer_add_family(struct importer *importer, struct bytes glob, struct place place,
                         bool announced);
/* The family added last, with the type and the lifetime that words beside it tell. */
void importer_describe_family(struct importer *importer, struct bytes text);
void importer_add_example(struct importer *importer, struct bytes key, struct place place,
                          size_t pattern);
/* Whether a literal key is an example of a pattern known so far, by the digits in it: "user:42" of
 * user:{id}; then it is kept as one. */
bool importer_take_example(struct importer *importer, const struct found *found);
/* A command on a key; what it uses is decided at the end. */
void importer_add_usage(struct importer *importer, const struct usage *usage, struct place place,
                        struct bytes label, bool bad);
void importer_unread(struct importer *importer, struct place place, const char *what,
                     struct bytes text);

/* Properties belong to a group of patterns: the key above them, those of one
 * row, those of a heading. */
void importer_open_group(struct importer *importer, size_t pattern, unsigned level, bool record);
void importer_close_group(struct importer *importer);
/* Whether there is one; a heading that may be a key becomes one by being asked for. */
bool importer_has_group(struct importer *importer);

/* ---- markdown_context.c ---- */

static inline unsigned importer_list_level(const struct block *item) {
    return item->level < LIST_LEVELS ? item->level : LIST_LEVELS - 1;
}
/* To be called for each item in order. */
void importer_note_lead(struct importer *importer, const struct block *item);
/* What the list of an item is, by the words before it and the headings above. */
enum list_kind importer_list_kind(const struct importer *importer, const struct block *item);
/* How far a line goes before something is shown as wrong: "good: `a:{x}`, [cross]
 * `a{x}`"; 0 when all of it is. */
size_t words_until_wrong(struct bytes text);

/* ---- markdown_prose.c ---- */

/* A key within a text, and where what is said of it lies. */
struct mention {
    struct bytes code, key;
    enum key_text kind;
    size_t start, end; /* of the code with its backquotes */
};

/* The next code span from *at on that is a key; *at goes behind it. */
bool importer_next_mention(struct importer *importer, struct bytes text, size_t *at,
                           struct mention *ret_mention);
/* Whether nothing but a joint stands between two keys ("," "and"): what is said
 * behind them is said of both. */
bool words_are_joint(struct bytes gap);
/* Where what is said behind an enumeration of keys begins, and where the next
 * key of another one stands. */
void importer_enumeration(struct importer *importer, struct bytes text, const struct mention *first,
                          size_t *ret_from, size_t *ret_to);
/* Keys in running text: a template is a pattern that the sentence describes. */
void importer_sentence(struct importer *importer, struct bytes text, uint32_t line);
/* Commands in the code spans of a text. */
void importer_inline_commands(struct importer *importer, struct bytes text, uint32_t line);
/* Whether a key is followed by what only a key has: "(list, at most 1000)". */
bool words_state_type(struct bytes after);

/* ---- markdown_lines.c ---- */

/* How long the sign is that parts a label or a key from what is said of
 * it; 0 when there is none. */
size_t words_sign_length(struct bytes text);

/* A paragraph or an item of a list. */
void importer_lines(struct importer *importer, const struct block *block);
/* What stands beside a key, piece by piece: "hash, TTL 5 min, what it is for". */
void importer_pieces(struct importer *importer, size_t pattern, struct bytes text,
                     struct place place);
/* The same, but words that are neither type nor lifetime are left alone. Whether
 * there were none of these. */
bool importer_strict_pieces(struct importer *importer, size_t pattern, struct bytes text,
                            struct place place);
/* The keys behind "Key:", each a pattern that what follows describes; line and
 * level are where they stand. */
void importer_key_label(struct importer *importer, struct bytes label, struct bytes value,
                        uint32_t line, unsigned level);

/* ---- markdown_words.c: single properties ---- */

/* A property by its label ("TTL", "Type", "Fields"). False when the label is none. */
bool importer_property(struct importer *importer, size_t pattern, struct bytes label,
                       struct bytes value, struct place place);
bool is_property_label(struct bytes label);
/* "Key", "Pattern", "Redis key": what follows is one. */
bool is_key_label(struct bytes label);
/* Whether a duration in the text is a lifetime. */
bool words_tell_lifetime(struct bytes text);
/* One more field; false when it is no name. */
bool importer_field(struct importer *importer, size_t pattern, struct bytes name);
/* A property of the section. */
bool importer_section_property(struct importer *importer, size_t section, struct bytes label,
                               struct bytes value);
void importer_type(struct importer *importer, size_t pattern, struct bytes text, struct place place,
                   bool sure);
void importer_lifetime(struct importer *importer, size_t pattern, struct bytes text,
                       struct place place, bool sure);
/* The same of a text whose bare numbers count in a unit. */
void importer_lifetime_in(struct importer *importer, size_t pattern, struct bytes text,
                          int64_t unit_ms, struct place place, bool sure);
/* A lifetime told in words about something else: "string (TTL 30d)", "hash with TTL". */
void importer_lifetime_beside(struct importer *importer, size_t pattern, struct bytes text,
                              struct place place);
/* What words beside a pattern say in passing: purpose, lifetime in brackets, type. */
void importer_comment(struct importer *importer, size_t pattern, struct bytes text,
                      struct place place);
/* What the section says its patterns are for, where the pattern has no purpose. */
void importer_purpose(struct importer *importer, size_t pattern);

/* ---- markdown_types.c ---- */

/* The one type that a text names; PATTERN_TYPE_UNSTATED for none or several. */
enum pattern_type words_type(struct bytes text, enum value_format *ret_format, bool *ret_channel);

/* The type that a text begins with, as its own noun ("sorted set of ids"). */
enum pattern_type words_leading_type(struct bytes text);
/* Whether words in passing name the type of the key rather than a thing: "(Redis LIST)", "Hash of
 * all connections", "- Counter". */
bool words_name_type(struct bytes text, bool *ret_sure);
/* "last 10", "max 100", "keep 50": how many elements a collection is trimmed
 * to; 0 when it does not say. */
uint64_t words_trimmed_to(struct bytes text);
/* What names of commands in a text ("HSET, HGETALL", "SET NX PX 8000") tell about the pattern. */
void importer_commands(struct importer *importer, size_t pattern, struct bytes text,
                       struct place place, bool sure);

/* ---- markdown_code.c ---- */
void importer_code(struct importer *importer, const struct block *block);
/* The text behind a comment's mark; false when the line is no comment. */
bool words_comment(struct bytes line, struct bytes *ret_text);
/* What stands behind a key: its comment, without the mark before it.
 * False when it is no comment. */
bool words_key_comment(struct bytes rest, bool program, struct bytes *ret_comment);

/* ---- markdown_drawn.c ---- */

/* A tree or a table that is drawn in a block of so many lines; false when it is neither. */
bool importer_drawn(struct importer *importer, const struct block *block, size_t line_count);
/* The column where the words of a tree's line begin, past the lines that are drawn. */
size_t words_tree_indent(struct bytes line, struct bytes *ret_words);

/* ---- markdown_program.c ---- */

/* A block of a program; bad_lines are those shown as what not to do. */
void importer_program(struct importer *importer, const struct block *block, const bool *bad_lines,
                      size_t line_count);

/* ---- markdown_finish.c ---- */
void importer_finish(struct importer *importer);

#endif
