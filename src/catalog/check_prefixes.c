/* SPDX-License-Identifier: BSD-3-Clause */
/* Hazards of prefixes: patterns without the common one, with it written out,
 * environments that share a server. */
#include <stdio.h>

#include "catalog/check_inside.h"
#include "catalog/words.h"

#define EACH(checker, i) for (size_t i = 0; i < (checker)->catalog->pattern_count; i++)

static bool is_prefixed(const struct checker *checker, size_t i) {
    const struct template *template = &checker_pattern(checker, i)->key.template;
    return template->part_count && template->parts[0].is_variable &&
           catalog_find_prefix(checker->catalog, template->parts[0].text);
}

/* The value of a prefix that the template begins with, written out. */
static const char *written_out(const struct checker *checker, size_t i) {
    struct bytes text = bytes_from_string(checker_pattern(checker, i)->key.template.text);
    for (size_t j = 0; j < checker->catalog->prefix_count; j++) {
        const struct prefix *prefix = &checker->catalog->prefixes[j];
        for (size_t k = 0; k < prefix->value_count; k++) {
            size_t len = strlen(prefix->values[k]);
            if (len == 0 || len >= text.len || memcmp(text.data, prefix->values[k], len) != 0)
                continue;
            if (text.data[len] == TEMPLATE_SEPARATOR || text.data[len - 1] == TEMPLATE_SEPARATOR)
                return prefix->values[k];
        }
    }
    return NULL;
}

static struct bytes first_segment(const struct checker *checker, size_t i) {
    struct bytes literal = checker->literals[i];
    return words_until(literal, words_index(literal, TEMPLATE_SEPARATOR));
}

static bool family_listed(const struct checker *checker, struct bytes family, size_t section) {
    for (size_t i = 0; i < checker->facts->family_count; i++) {
        const struct markdown_family *listed = &checker->facts->families[i];
        if (listed->section == section && !listed->announced &&
            bytes_equal(words_until(listed->glob, words_index(listed->glob, ':')), family))
            return true;
    }
    return false;
}

/* The document lists the families without the prefix, in a section that speaks of
 * it: is the list complete? */
static void check_family_list(struct checker *checker) {
    const struct markdown *facts = checker->facts;
    if (facts && facts->family_count > 1000) return;
    for (size_t i = 0; facts && i < facts->family_count; i++) {
        size_t section = facts->families[i].section, listed = 0, missing = 0;
        char names[400];
        size_t len = 0;
        bool first_of_section = !facts->families[i].announced && section != SIZE_MAX;
        for (size_t j = 0; j < i; j++) first_of_section &= facts->families[j].section != section;
        if (!first_of_section) continue;
        EACH(checker, p) {
            struct bytes family = first_segment(checker, p);
            bool again = false;
            for (size_t q = 0; q < p; q++)
                again |= checker->chosen[q] && bytes_equal(first_segment(checker, q), family);
            if (!checker->chosen[p] || again) continue;
            if (family_listed(checker, family, section)) {
                listed++;
            } else if (len + family.len + 4 < sizeof names) {
                len += (size_t)snprintf(names + len, sizeof names - len, "%s%.*s", len ? ", " : "",
                                        (int)family.len, family.data);
                missing++;
            }
        }
        if (listed < 3 || missing == 0) continue;
        diagnostics_add(checker->diagnostics, SEVERITY_WARNING, "prefix-list-incomplete",
                        facts->families[i].place,
                        "this list of families without the prefix leaves out %s: moving only what "
                        "it lists leaves them shared",
                        names);
        diagnostics_remedy(checker->diagnostics, "complete the list");
    }
}

static void check_missing(struct checker *checker) {
    size_t prefixed = 0;
    EACH(checker, i) prefixed += is_prefixed(checker, i);
    if (prefixed == 0) return;
    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] = checker_pattern(checker, i)->kind == PATTERN_KEY &&
                             !is_prefixed(checker, i) && !written_out(checker, i);
    }
    checker_report(
        checker, SEVERITY_WARNING, "prefix-missing",
        "%s carry no prefix, as others do: deployments and environments on one server overwrite "
        "each other's",
        "put the prefix before them, and keep the old names as aliases while data moves");
    check_family_list(checker);
    checker_clear(checker);
    EACH(checker, i) checker->chosen[i] = !is_prefixed(checker, i) && written_out(checker, i);
    checker_report(
        checker, SEVERITY_WARNING, "prefix-written-out",
        "keys of %s have the prefix written out: with another prefix they still use this one",
        "write {prefix} in its place");
    checker_clear(checker);
    EACH(checker, i) {
        checker->chosen[i] =
            checker_pattern(checker, i)->kind == PATTERN_CHANNEL && !is_prefixed(checker, i);
    }
    checker_report(checker, SEVERITY_WARNING, "channel-without-prefix",
                   "the channels %s carry no prefix: Pub/Sub knows neither prefixes nor databases, "
                   "so every deployment hears the others",
                   "put the prefix into the channels' names");
}

static void check_environments(struct checker *checker) {
    for (size_t i = 0; i < checker->catalog->prefix_count; i++) {
        const struct prefix *prefix = &checker->catalog->prefixes[i];
        bool test = false, live = false;
        for (size_t j = 0; j < prefix->value_count; j++) {
            struct bytes value = bytes_from_string(prefix->values[j]);
            test |= words_have_any(value, "stg|staging|dev|test|qa|local");
            live |= words_have_any(value, "prod|production|live|prd");
        }
        if (!test || !live) continue;
        struct bytes line;
        struct place place = checker->catalog->prefix_places[i];
        size_t at = 0;
        document_next_line(checker, &at, "stg:|staging|dev:|test:", &line, &place);
        checker_at(
            checker, SEVERITY_WARNING, "environments-by-prefix", place,
            "test and production are kept apart by a prefix alone: FLUSHDB, memory, eviction and "
            "slow commands of one are the other's too",
            "give each environment a server of its own, or ACL users limited to their prefix");
    }
    struct bytes line;
    struct place place;
    size_t at = 0;
    while (checker->catalog->prefix_count &&
           document_next_line(checker, &at, "fallback|default", &line, &place)) {
        if (!words_have_any(line, "fallback") || !words_have(line, "prefix")) continue;
        checker_at(checker, SEVERITY_WARNING, "prefix-fallback", place,
                   "a process whose prefix is not set works, silently, in a namespace of its own",
                   "refuse to start without a prefix");
        return;
    }
}

void check_prefixes(struct checker *checker) {
    if (checker->catalog->prefix_count == 0) return;
    check_missing(checker);
    check_environments(checker);
}
