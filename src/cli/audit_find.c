/* SPDX-License-Identifier: BSD-3-Clause */
/* From figures to findings: what the catalog asked, beside what was there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "catalog/words.h"
#include "cli/audit.h"
#include "cli/show.h"

static struct finding *add(struct audit *audit, enum severity severity, const char *code,
                           unsigned pattern, struct estimate keys, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static struct finding *add(struct audit *audit, enum severity severity, const char *code,
                           unsigned pattern, struct estimate keys, const char *format, ...) {
    char text[600];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (audit->finding_count == audit->finding_room) {
        audit->finding_room = audit->finding_room ? audit->finding_room * 2 : 32;
        audit->findings =
            mem_realloc(audit->findings, audit->finding_room * sizeof *audit->findings);
    }
    struct finding *finding = &audit->findings[audit->finding_count++];
    *finding =
        (struct finding){.severity = severity, .code = code, .pattern = pattern, .keys = keys};
    finding->text = arena_printf(&audit->arena, "%s", text);
    if (pattern) finding->place = matcher_pattern(audit->survey->matcher, pattern)->place;
    return finding;
}

static struct estimate exactly(uint64_t count) {
    double value = (double)count;
    return (struct estimate){true, true, value, value, value};
}

/* What rests on a guess of the importer is no error. */
static enum severity unless_guessed(const struct pattern *pattern, unsigned guess) {
    return pattern->guessed & guess ? SEVERITY_WARNING : SEVERITY_ERROR;
}

static const char *guess_note(const struct pattern *pattern, unsigned guess) {
    return pattern->guessed & guess ? " (which was guessed)" : "";
}

static struct place better_place(struct place place, const struct pattern *pattern) {
    return place.line ? place : pattern->place;
}

static void find_types(struct audit *audit, unsigned id, const struct pattern *pattern,
                       const struct figures *figures) {
    const struct sums *sums = &figures->sums;
    if (!sums->traits[TRAIT_WRONG_TYPE]) return;
    char types[200] = "";
    size_t len = 0;
    for (int type = PATTERN_TYPE_STRING; type < SAMPLE_TYPES; type++) {
        if (type == (int)pattern->type || !sums->types[type]) continue;
        len += (size_t)snprintf(types + len, sizeof types - len, "%s%s", len ? ", " : "",
                                pattern_type_names[type]);
    }
    struct finding *finding =
        add(audit, unless_guessed(pattern, GUESS_TYPE), "type", id,
            estimate_count(sums->traits[TRAIT_WRONG_TYPE], sums->measured, figures->keys),
            "of another type (%s) than %s%s", types, pattern_type_names[pattern->type],
            guess_note(pattern, GUESS_TYPE));
    finding->place = better_place(pattern->type_place, pattern);
    finding->examples = &figures->examples[EXAMPLE_WRONG_TYPE];
    finding->remedy = "find out who writes them so; a command for the other type fails on them";
}

static void find_lifetimes(struct audit *audit, unsigned id, const struct pattern *pattern,
                           const struct figures *figures) {
    const struct lifetime *wanted = &pattern->lifetime;
    const struct sums *sums = &figures->sums;
    uint64_t mortal = 0;
    char text[DURATION_TEXT_MAX];
    struct finding *finding = NULL;
    int64_t most_ms = wanted->maximum_ms ? wanted->maximum_ms : wanted->default_ms;
    const char *stated = most_ms ? duration_format(most_ms, text) : "that they expire";
    enum severity worst = unless_guessed(pattern, GUESS_LIFETIME);
    for (int span = SPAN_MINUTE; span < SPAN_UNKNOWN; span++) mortal += sums->spans[span];
    if (wanted->kind == LIFETIME_LIMITED && sums->traits[TRAIT_IMMORTAL]) {
        enum severity severity = wanted->after      ? SEVERITY_NOTE
                                 : wanted->required ? worst
                                                    : SEVERITY_WARNING;
        finding = add(audit, severity, "lifetime-missing", id,
                      estimate_count(sums->traits[TRAIT_IMMORTAL], sums->measured, figures->keys),
                      "without a lifetime, hence for ever; the catalog says %s%s%s%s", stated,
                      wanted->after ? " after " : "", wanted->after ? wanted->after : "",
                      guess_note(pattern, GUESS_LIFETIME));
        finding->examples = &figures->examples[EXAMPLE_IMMORTAL];
        finding->place = better_place(pattern->lifetime_place, pattern);
        finding->remedy =
            "let whoever writes them set the lifetime with the value: SET key value EX n";
    }
    if (sums->traits[TRAIT_TOO_LONG]) {
        finding = add(audit, wanted->maximum_ms ? worst : SEVERITY_WARNING, "lifetime-long", id,
                      estimate_count(sums->traits[TRAIT_TOO_LONG], sums->measured, figures->keys),
                      "with more lifetime left than the catalog gives: %s%s", stated,
                      guess_note(pattern, GUESS_LIFETIME));
        finding->examples = &figures->examples[EXAMPLE_TOO_LONG];
        finding->place = better_place(pattern->lifetime_place, pattern);
    }
    if (wanted->kind == LIFETIME_NONE && mortal) {
        finding = add(audit, SEVERITY_WARNING, "lifetime-unexpected", id,
                      estimate_count(mortal, sums->measured, figures->keys),
                      "with a lifetime, where the catalog says that there is none%s",
                      guess_note(pattern, GUESS_LIFETIME));
        finding->examples = &figures->examples[EXAMPLE_MORTAL];
        finding->place = better_place(pattern->lifetime_place, pattern);
    }
}

static void find_sizes(struct audit *audit, unsigned id, const struct pattern *pattern,
                       const struct figures *figures) {
    const struct sums *sums = &figures->sums;
    struct finding *finding;
    if (sums->traits[TRAIT_ELEMENTS]) {
        finding = add(audit, SEVERITY_ERROR, "elements", id,
                      estimate_count(sums->traits[TRAIT_ELEMENTS], sums->measured, figures->keys),
                      "with more than %llu elements", (unsigned long long)pattern->elements_max);
        finding->examples = &figures->examples[EXAMPLE_ELEMENTS];
    }
    if (sums->traits[TRAIT_VALUE_SIZE]) {
        finding = add(audit, SEVERITY_ERROR, "value-size", id,
                      estimate_count(sums->traits[TRAIT_VALUE_SIZE], sums->measured, figures->keys),
                      "with a value of more than %llu bytes",
                      (unsigned long long)pattern->value_bytes_max);
        finding->examples = &figures->examples[EXAMPLE_VALUE_SIZE];
    }
    if (figures->long_names) {
        finding =
            add(audit, SEVERITY_ERROR, "key-size", id, exactly(figures->long_names),
                "with a name of more than %llu bytes", (unsigned long long)pattern->key_bytes_max);
        finding->examples = &figures->examples[EXAMPLE_NAME];
    }
}

static void find_of_pattern(struct audit *audit, unsigned id) {
    const struct pattern *pattern = matcher_pattern(audit->survey->matcher, id);
    const struct figures *figures = &audit->survey->figures[id];
    struct finding *finding;
    if (pattern->kind != PATTERN_KEY) return;
    if (figures->keys == 0) {
        if (!audit->survey->stopped_by)
            add(audit, SEVERITY_NOTE, "no-keys", id, exactly(0), "at the moment");
        return;
    }
    find_types(audit, id, pattern, figures);
    find_lifetimes(audit, id, pattern, figures);
    find_sizes(audit, id, pattern, figures);
    if (figures->wrong_database) {
        finding =
            add(audit, unless_guessed(pattern, GUESS_DATABASE), "database", id,
                exactly(figures->wrong_database), "outside the databases that the catalog gives%s",
                guess_note(pattern, GUESS_DATABASE));
        finding->examples = &figures->examples[EXAMPLE_DATABASE];
    }
    if (figures->legacy) {
        finding = add(audit, SEVERITY_NOTE, "legacy-name", id, exactly(figures->legacy),
                      "with a legacy name still");
        finding->examples = &figures->examples[EXAMPLE_LEGACY];
    }
}

static void find_databases(struct audit *audit) {
    const struct survey *survey = audit->survey;
    for (size_t i = 0; i < survey->database_count; i++) {
        const struct survey_database *database = &survey->databases[i];
        uint64_t size = database->size > 0 ? (uint64_t)database->size : 0;
        if (database->missing)
            add(audit, database->named ? SEVERITY_WARNING : SEVERITY_ERROR, "database-missing", 0,
                exactly(0), "in database %d, which the server does not have", database->number);
        if (database->chosen || !size) continue;
        /* Whoever asks for one database knows that there are others. */
        struct finding *finding =
            add(audit, survey->restricted ? SEVERITY_NOTE : SEVERITY_WARNING, "database-unnamed", 0,
                exactly(size), "in database %d, which %s; not looked at", database->number,
                survey->restricted ? "was not asked for" : "the catalog does not name");
        finding->remedy =
            arena_printf(&audit->arena, "--db %d, or --db all, looks at them", database->number);
    }
}

static void find_unmatched(struct audit *audit) {
    const struct figures *figures = &audit->survey->figures[0];
    if (figures->keys == 0) return;
    struct finding *finding =
        add(audit,
            audit->loaded->catalog->unmatched == UNMATCHED_DENY ? SEVERITY_ERROR : SEVERITY_WARNING,
            "unmatched", 0, exactly(figures->keys), "of no pattern in the catalog");
    finding->remedy = "see which shapes they have below; --yaml FILE writes those as patterns";
}

static int compare_findings(const void *a, const void *b) {
    const struct finding *left = a, *right = b;
    if (left->severity != right->severity) return left->severity > right->severity ? -1 : 1;
    if (left->place.line != right->place.line) return left->place.line < right->place.line ? -1 : 1;
    if (left->pattern != right->pattern) return left->pattern < right->pattern ? -1 : 1;
    return strcmp(left->code, right->code);
}

void audit_find(struct audit *audit) {
    for (unsigned id = 1; id <= audit->survey->pattern_count; id++) find_of_pattern(audit, id);
    find_databases(audit);
    find_unmatched(audit);
    if (audit->finding_count)
        qsort(audit->findings, audit->finding_count, sizeof *audit->findings, compare_findings);
}

void audit_done(struct audit *audit) {
    mem_free(audit->findings);
    arena_done(&audit->arena);
}

size_t audit_count(const struct audit *audit, enum severity severity) {
    size_t count = 0;
    for (size_t i = 0; i < audit->finding_count; i++)
        count += audit->findings[i].severity == severity;
    return count;
}

bool audit_said_before(const struct audit *audit, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(audit->findings[i].code, audit->findings[index].code) == 0) return true;
    }
    return false;
}

double audit_seconds(const struct audit *audit) {
    return (double)(audit->survey->ended_us - audit->survey->started_us) / 1e6;
}

/* ---- words ---- */

const char *audit_keys(const struct finding *finding, char *out) {
    char keys[AUDIT_TEXT_MAX];
    bool none = finding->keys.exact && finding->keys.value == 0;
    bool one = finding->keys.exact && finding->keys.value == 1;
    audit_estimate(finding->keys, false, true, keys);
    snprintf(out, AUDIT_KEYS_MAX, "%s key%s", none ? "no" : keys, one ? "" : "s");
    return out;
}

const char *audit_estimate(struct estimate estimate, bool bytes, bool interval, char *out) {
    char value[SHOW_NUMBER_MAX], low[SHOW_NUMBER_MAX], high[SHOW_NUMBER_MAX];
    const char *(*show)(double, char *) = bytes ? show_bytes : show_count;
    if (!estimate.known) {
        snprintf(out, AUDIT_TEXT_MAX, "?");
        return out;
    }
    show(estimate.value, value);
    if (estimate.exact) {
        snprintf(out, AUDIT_TEXT_MAX, "%s", value);
    } else if (interval) {
        snprintf(out, AUDIT_TEXT_MAX, "about %s (%s to %s)", value, show(estimate.low, low),
                 show(estimate.high, high));
    } else {
        snprintf(out, AUDIT_TEXT_MAX, "~%s", value);
    }
    return out;
}

static const struct audit *ordered; /* qsort hands nothing on; one thread */

static int compare_patterns(const void *a, const void *b) {
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
    const struct figures *l = &ordered->survey->figures[left],
                         *r = &ordered->survey->figures[right];
    if (l->bytes.value != r->bytes.value) return l->bytes.value > r->bytes.value ? -1 : 1;
    if (l->keys != r->keys) return l->keys > r->keys ? -1 : 1;
    return left < right ? -1 : 1;
}

unsigned *audit_order(const struct audit *audit, size_t *ret_count) {
    unsigned *order = mem_alloc((audit->survey->pattern_count + 1) * sizeof *order);
    size_t count = 0;
    for (unsigned id = 1; id <= audit->survey->pattern_count; id++) {
        if (matcher_pattern(audit->survey->matcher, id)->kind == PATTERN_KEY) order[count++] = id;
    }
    ordered = audit;
    qsort(order, count, sizeof *order, compare_patterns);
    *ret_count = count;
    return order;
}

/* A template without the names of its variables. */
static struct bytes skeleton(const char *template, char *out, size_t room) {
    size_t len = 0;
    for (const char *at = template; *at && len + 1 < room; at++) {
        out[len++] = *at;
        if (*at != '{') continue;
        while (*at && *at != '}') at++;
        if (!*at) break;
    }
    return bytes_make(out, len);
}

const char *audit_nearly(const struct audit *audit, const struct suggestion *suggestion) {
    char mine[200], theirs[200];
    struct bytes text = skeleton(suggestion->template, mine, sizeof mine);
    const char *nearest = NULL;
    unsigned best = text.len < 8 ? 1 : 2;
    if (text.len < 5 || suggestion->general) return NULL;
    for (unsigned id = 1; id <= audit->survey->pattern_count; id++) {
        const struct pattern *pattern = matcher_pattern(audit->survey->matcher, id);
        if (pattern->kind != PATTERN_KEY) continue;
        struct bytes other = skeleton(pattern->key.template.text, theirs, sizeof theirs);
        unsigned distance = words_distance(text, other, best);
        if (distance == 0 || distance > best) continue;
        if (distance == best && nearest) continue;
        nearest = pattern->key.template.text;
        best = distance;
    }
    return nearest;
}
