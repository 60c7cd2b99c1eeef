/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an audit found, for the files that write it.
 *
 * What: findings out of a survey's figures, with the severity that the catalog's words give them;
 *       the report for a terminal, as JSON, and as a page of HTML.
 * Always: names of keys in a report went through show_key, and are escaped for where they stand.
 * Owner: audit_findings_done. Lock: none. Errors: reports return what the
 *        buffer does; see cli/json.h.
 */
#ifndef KN_CLI_AUDIT_H
#define KN_CLI_AUDIT_H

#include "cli/files.h"
#include "cli/survey.h"

struct finding {
    enum severity severity;
    const char *code; /* the server's word for the same violation, where it has one */
    unsigned pattern; /* 0: none */
    struct estimate keys;
    const char *text;   /* after the number of keys: "without a lifetime" */
    const char *remedy; /* NULL: none */
    struct place place;
    const struct examples *examples; /* NULL: none */
};

struct audit {
    const struct survey *survey;
    const struct loaded *loaded;
    const char *url; /* without a password */
    size_t suggestions_most;
    const struct suggestion *suggestions;
    size_t suggestion_count;
    struct finding *findings; /* the worst first */
    size_t finding_count, finding_room;
    struct arena arena;
};

void audit_find(struct audit *audit);
void audit_done(struct audit *audit);
size_t audit_count(const struct audit *audit, enum severity severity);

/* Whether an earlier finding of the same code has said what to do. */
bool audit_said_before(const struct audit *audit, size_t index);

/* Patterns of keys in the order of reports, most bytes first; the caller gives the array back. */
unsigned *audit_order(const struct audit *audit, size_t *ret_count);
/* "1,234", "about 1,234 (1,100 to 1,300)", "?"; out has AUDIT_TEXT_MAX bytes. */
enum { AUDIT_TEXT_MAX = 160, AUDIT_KEYS_MAX = AUDIT_TEXT_MAX + 8 };
const char *audit_estimate(struct estimate estimate, bool bytes, bool interval, char *out);
/* "1 key", "about 458 (211 to 982) keys", to which the finding's text is added; out
 * has AUDIT_KEYS_MAX bytes. */
const char *audit_keys(const struct finding *finding, char *out);
/* The pattern of the catalog that a suggestion nearly is, in which case
 * somebody mistyped; NULL: none. */
const char *audit_nearly(const struct audit *audit, const struct suggestion *suggestion);
/* Seconds the survey took. */
double audit_seconds(const struct audit *audit);

void audit_text(const struct audit *audit, FILE *stream);
void audit_json(const struct audit *audit, struct buffer *out);
/* Returns 0 or ERROR_NO_MEMORY. */
int audit_html(const struct audit *audit, struct buffer *out);

#endif
