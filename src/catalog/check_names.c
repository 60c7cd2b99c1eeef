/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards in the names of keys: what two patterns match, examples that fit
 * nothing, secrets, text of users. */
#include <stdio.h>

#include "catalog/check_inside.h"
#include "catalog/words.h"

#define EACH(checker, i) for (size_t i = 0; i < (checker)->catalog->pattern_count; i++)

/* ---- keys that two patterns match ---- */

struct cut {
    struct bytes text; /* of one segment, {} for variables */
    bool variable;     /* it is a variable alone */
};

static bool next_segment(struct bytes *rest, struct cut *ret_cut) {
    if (!rest->data) return false;
    size_t colon = words_index(*rest, TEMPLATE_SEPARATOR);
    ret_cut->text = words_until(*rest, colon);
    ret_cut->variable = bytes_equal(ret_cut->text, BYTES("{}"));
    *rest = colon < rest->len ? words_from(*rest, colon + 1) : (struct bytes){0};
    return true;
}

/* Whether a key can be both, with wide having a variable where narrow first has a literal. The
 * literal where they part goes to ret_word. */
static bool overlaps(struct bytes wide, struct bytes narrow, struct bytes *ret_word) {
    struct cut w, n;
    bool parted = false;
    for (;;) {
        bool more_wide = next_segment(&wide, &w), more_narrow = next_segment(&narrow, &n);
        if (!more_wide || !more_narrow) return parted && !more_wide && !more_narrow;
        bool last = wide.data == NULL;
        if (w.variable && !n.variable) {
            if (!parted) *ret_word = n.text;
            parted = true;
            if (last) return true; /* it takes the rest */
        } else if (!w.variable && n.variable) {
            if (!parted) return false;
        } else if (!w.variable && !bytes_equal(w.text, n.text)) {
            return false;
        } else if (w.variable && last && narrow.data) {
            return parted;
        }
    }
}

/* Whether a template begins with what a deployment sets once, rather than with
 * any value: "{ENV}:user". */
static bool begins_with_setting(const struct pattern *pattern) {
    const struct template_part *first = pattern->key.template.parts;
    if (pattern->key.template.part_count == 0 || !first->is_variable) return false;
    bool capitals = first->text.len > 2;
    for (size_t i = 0; i < first->text.len; i++)
        capitals &= word_lower(first->text.data[i]) == first->text.data[i]
                        ? first->text.data[i] == '_'
                        : true;
    return capitals || words_end(first->text, "_env") || words_end(first->text, "_prefix") ||
           words_are(first->text, "env|environment|stage|app|project|namespace");
}

static void check_overlaps(struct checker *checker) {
    EACH(checker, i) {
        const struct pattern *wide = checker_pattern(checker, i);
        struct bytes word = {0}, first_word = {0};
        size_t first = SIZE_MAX, others = 0;
        bool mixed = false;
        if (checker->shapes[i].len == 0) continue;
        bool setting = begins_with_setting(wide);
        EACH(checker, j) {
            const struct pattern *narrow = checker_pattern(checker, j);
            bool apart = narrow->key.template.part_count > 0 && setting &&
                         !narrow->key.template.parts[0].is_variable;
            if (i == j || apart || wide->kind != narrow->kind ||
                !overlaps(checker->shapes[i], checker->shapes[j], &word))
                continue;
            if (others++ == 0) {
                first = j;
                first_word = word;
            }
            mixed |= wide->type && narrow->type && wide->type != narrow->type;
        }
        if (others == 0) continue;
        const struct pattern *narrow = checker_pattern(checker, first);
        char more[64] = "";
        if (others > 1) snprintf(more, sizeof more, " (and %zu other patterns)", others - 1);
        diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "level-shared", wide->place,
                        "a key of '%s' can be one of '%s'%s: all it takes is a value '%.*s'%s",
                        wide->key.template.text, narrow->key.template.text, more,
                        (int)first_word.len, first_word.data,
                        mixed ? "; they are of different types, so one gets WRONGTYPE" : "");
        diagnostics_other(checker->diagnostics, narrow->place);
        diagnostics_remedy(checker->diagnostics,
                           "put a literal segment before the variable, as in '...:by-id:{id}', or "
                           "forbid the value where keys are made");
    }
}

/* ---- one thing under two names ---- */

static void check_twice(struct checker *checker) {
    EACH(checker, i) {
        EACH(checker, j) {
            struct bytes inner = checker->literals[i], outer = checker->literals[j];
            size_t cut = outer.len - inner.len;
            if (i == j || inner.len >= outer.len ||
                words_index(inner, TEMPLATE_SEPARATOR) == inner.len)
                continue;
            if (memcmp(outer.data + cut, inner.data, inner.len) != 0) continue;
            if (!words_are(words_until(outer, cut), "cache:|cached:") || inner.data[0] == '{')
                continue;
            const struct pattern *a = checker_pattern(checker, i), *b = checker_pattern(checker, j);
            diagnostics_add(
                checker->diagnostics, SEVERITY_WARNING, "stored-twice", b->place,
                "'%s' and '%s' hold the same thing: deleting one leaves the other stale",
                b->key.template.text, a->key.template.text);
            diagnostics_other(checker->diagnostics, a->place);
            diagnostics_remedy(checker->diagnostics,
                               "keep one of them, or make one an alias of the other");
        }
    }
}

/* ---- examples ---- */

/* The key matches with no variable taking more than a segment. */
static bool fits_strictly(const struct checker *checker, struct bytes key, enum pattern_kind kind) {
    struct match match;
    if (!matcher_match(checker->matcher, kind, key, MATCHER_DATABASE_ANY, &match)) return false;
    for (size_t i = 0; i < match.count; i++) {
        struct bytes value = match.variables[i].value;
        if (words_index(value, TEMPLATE_SEPARATOR) + 1 < value.len) return false;
    }
    return true;
}

/* The pattern that a key without its first segment would fit. */
static unsigned fits_without_prefix(const struct checker *checker, struct bytes key) {
    size_t colon = words_index(key, TEMPLATE_SEPARATOR);
    if (colon + 1 >= key.len) return 0;
    return matcher_find(checker->matcher, PATTERN_KEY, words_from(key, colon + 1),
                        MATCHER_DATABASE_ANY);
}

static void report_stranger(struct checker *checker, struct bytes key, struct place place,
                            const char *code, const char *what) {
    unsigned near = fits_without_prefix(checker, key);
    diagnostics_add(checker->diagnostics, SEVERITY_WARNING, code, place, "'%.*s' %s", (int)key.len,
                    key.data, what);
    if (near) {
        diagnostics_other(checker->diagnostics, matcher_pattern(checker->matcher, near)->place);
        diagnostics_remedy(checker->diagnostics,
                           "'%s' is what is documented, without the prefix: make them agree",
                           matcher_pattern(checker->matcher, near)->key.template.text);
    } else {
        diagnostics_remedy(checker->diagnostics,
                           "correct it, or document its pattern with type and lifetime");
    }
}

static void check_own_examples(struct checker *checker) {
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        for (size_t j = 0; j < pattern->example_count; j++) {
            struct bytes key = bytes_from_string(pattern->examples[j].text);
            unsigned id = matcher_find(checker->matcher, pattern->kind, key, MATCHER_DATABASE_ANY);
            bool is_key =
                words_index(key, ' ') == key.len && words_index(key, TEMPLATE_SEPARATOR) < key.len;
            if (id == i + 1 || !is_key) continue;
            diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "example-misfit",
                            pattern->examples[j].place,
                            id ? "the example '%.*s' of '%s' is a key of another pattern, '%s'"
                               : "the example '%.*s' does not fit its own pattern '%s'%s",
                            (int)key.len, key.data, pattern->key.template.text,
                            id ? matcher_pattern(checker->matcher, id)->key.template.text : "");
            diagnostics_remedy(checker->diagnostics, "correct the example or the pattern");
        }
    }
}

static void check_examples(struct checker *checker) {
    if (!checker->matcher) return;
    check_own_examples(checker);
    size_t reported = 0;
    for (size_t i = 0; checker->facts && i < checker->facts->example_count; i++) {
        const struct markdown_example *example = &checker->facts->examples[i];
        struct bytes key = example->key;
        if (example->pattern != SIZE_MAX || words_index(key, '{') < key.len) continue;
        if (fits_strictly(checker, key, PATTERN_KEY) ||
            fits_strictly(checker, key, PATTERN_CHANNEL))
            continue;
        if (reported++ > 50) return;
        report_stranger(checker, key, example->place, "example-stranger",
                        "is given as an example, and no pattern describes it");
    }
}

/* ---- what stands in variables ---- */

static bool has_variable(const struct pattern *pattern, const char *choices) {
    for (size_t i = 0; i < pattern->key.template.part_count; i++) {
        const struct template_part *part = &pattern->key.template.parts[i];
        if (part->is_variable && words_are(part->text, choices)) return true;
    }
    return false;
}

static void check_variables(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] =
            pattern->kind == PATTERN_KEY &&
            has_variable(pattern,
                         "token|tokenid|token_id|session_token|sessiontoken|secret|password|apikey|"
                         "api_key|access_token|refresh_token|jwt");
        /* There are sessions of calls and of games, which nobody logs in with. */
        checker->chosen[i] |= pattern->kind == PATTERN_KEY &&
                              has_variable(pattern, "sessionid|session_id") &&
                              checker_literal(checker, i, "session|sessions|sess|auth|login");
    }
    checker_report(checker, SEVERITY_WARNING, "secret-in-key",
                   "whoever sees the names of keys of %s holds what is needed to log in: MONITOR, "
                   "SLOWLOG, KEYS, SCAN and dumps show them",
                   "put a hash (SHA-256) of the token into the key");

    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] = has_variable(checker_pattern(checker, i),
                                          "ip|ipaddress|ip_address|endpoint|email|url|path|filters|"
                                          "query|search|params|term|filename|useragent|user_agent");
    }
    checker_report(
        checker, SEVERITY_WARNING, "raw-text-in-key",
        "keys of %s take text from outside as it is: colons (IPv6, paths), blanks and glob "
        "characters make keys that cannot be told apart or matched, and as many as anybody likes",
        "escape it, or put a hash of it into the key");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = pattern->kind == PATTERN_KEY && checker_variables(checker, i) == 1 &&
                             has_variable(pattern, "code|pin|otp");
    }
    checker_report(checker, SEVERITY_WARNING, "short-code-key",
                   "keys of %s are found by a short code alone: two users that draw the same one "
                   "overwrite each other, and a guess hits somebody",
                   "put the user or the address into the key and compare the code with the value");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = has_variable(pattern, "limit|max|capacity|maximum");
    }
    checker_report(checker, SEVERITY_WARNING, "setting-in-key",
                   "keys of %s have a setting in their names: whoever changes it starts a second "
                   "one beside the first",
                   "keep the setting in the configuration or in the value");

    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        checker->chosen[i] = checker_variables(checker, i) == 1 &&
                             checker_literal(checker, i, "login|signin|auth") &&
                             has_variable(pattern, "email|username|user|user_id|userid|login");
    }
    checker_report(checker, SEVERITY_WARNING, "lockout-by-name",
                   "keys of %s count failures for a name alone: anybody can lock somebody else "
                   "out, and an attacker spreads over many names",
                   "count by address as well, and slow down instead of locking");
}

static void check_lifetime_in_name(struct checker *checker) {
    checker_clear(checker);
    EACH(checker, i) {
        struct bytes rest = checker->literals[i];
        struct cut cut;
        int64_t ms;
        while (next_segment(&rest, &cut)) {
            if (duration_parse(cut.text, &ms) &&
                ms == checker_pattern(checker, i)->lifetime.default_ms)
                checker->chosen[i] = true;
        }
    }
    checker_report(checker, SEVERITY_WARNING, "lifetime-in-name",
                   "keys of %s name their lifetime: a new lifetime is a new key, the old one is "
                   "orphaned, and the name makes nothing expire",
                   "leave it out of the key, and state it as the pattern's lifetime");
}

static void check_clock_variables(struct checker *checker) {
    static const struct {
        const char *names;
        int64_t period_ms;
    } rows[] = {{"hour", INT64_C(86400000)},
                {"minute", INT64_C(3600000)},
                {"day|weekday|dayofweek", INT64_C(7) * 86400000},
                {"month", INT64_C(366) * 86400000}};
    checker_clear(checker);
    EACH(checker, i) {
        const struct pattern *pattern = checker_pattern(checker, i);
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            if (has_variable(pattern, rows[j].names) &&
                pattern->lifetime.default_ms > rows[j].period_ms)
                checker->chosen[i] = true;
        }
    }
    checker_report(checker, SEVERITY_WARNING, "clock-wraps",
                   "keys of %s outlive the round of their variable: if it is a field of the clock "
                   "and no full time, one key mixes two rounds",
                   "say what the variable holds: a full time such as 2024-01-31T17");
}

void check_names(struct checker *checker) {
    check_overlaps(checker);
    check_twice(checker);
    check_examples(checker);
    check_variables(checker);
    check_lifetime_in_name(checker);
    check_clock_variables(checker);
}
