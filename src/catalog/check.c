/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/check.h"

#include <stdio.h>

#include "base/memory.h"
#include "catalog/check_inside.h"
#include "catalog/words.h"

enum { LIST_TEXT_MAX = 400, LISTED_MAX = 6 };

bool checker_literal(const struct checker *checker, size_t i, const char *choices) {
    return words_have_any(checker->literals[i], choices);
}

bool checker_words(const struct checker *checker, size_t i, const char *choices) {
    const struct pattern *pattern = checker_pattern(checker, i);
    if (checker_literal(checker, i, choices)) return true;
    if (pattern->purpose && words_have_any(bytes_from_string(pattern->purpose), choices))
        return true;
    return pattern->section && words_have_any(bytes_from_string(pattern->section), choices);
}

size_t checker_variables(const struct checker *checker, size_t i) {
    struct bytes rest = checker->shapes[i];
    size_t count = 0;
    for (size_t at; (at = words_find(rest, "{}")) < rest.len; count++)
        rest = words_from(rest, at + 2);
    return count;
}

void checker_clear(struct checker *checker) {
    memset(checker->chosen, 0, checker->catalog->pattern_count * sizeof *checker->chosen);
}

const char *checker_list(struct checker *checker) {
    char *text = arena_alloc(&checker->arena, LIST_TEXT_MAX);
    size_t len = 0, listed = 0, count = 0, told = 0;
    for (size_t i = 0; i < checker->catalog->pattern_count; i++) count += checker->chosen[i];
    text[0] = '\0';
    for (size_t i = 0; i < checker->catalog->pattern_count && listed < LISTED_MAX; i++) {
        const char *key = checker_pattern(checker, i)->key.template.text;
        if (!checker->chosen[i]) continue;
        listed++;
        if (len + strlen(key) + 40 > LIST_TEXT_MAX) break;
        const char *join = told == 0 ? "" : listed == count ? " and " : ", ";
        len += (size_t)snprintf(text + len, LIST_TEXT_MAX - len, "%s'%s'", join, key);
        told++;
    }
    if (told < count)
        snprintf(text + len, LIST_TEXT_MAX - len, "%s%zu more", told ? " and " : "", count - told);
    return text;
}

void checker_report(struct checker *checker, enum severity severity, const char *code,
                    const char *format, const char *remedy) {
    size_t first = 0, count = checker->catalog->pattern_count, second;
    while (first < count && !checker->chosen[first]) first++;
    if (first == count) return;
    for (second = first + 1; second < count && !checker->chosen[second];) second++;
    char what[DIAGNOSTIC_TEXT_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(what, sizeof what, format, checker_list(checker));
#pragma GCC diagnostic pop
    diagnostics_add(checker->diagnostics, severity, code, checker_pattern(checker, first)->place,
                    "%s", what);
    if (second < count)
        diagnostics_other(checker->diagnostics, checker_pattern(checker, second)->place);
    if (remedy) diagnostics_remedy(checker->diagnostics, "%s", remedy);
}

void checker_at(struct checker *checker, enum severity severity, const char *code,
                struct place place, const char *what, const char *remedy) {
    diagnostics_add(checker->diagnostics, severity, code, place, "%s", what);
    if (remedy) diagnostics_remedy(checker->diagnostics, "%s", remedy);
}

bool document_next_line(const struct checker *checker, size_t *at, const char *choices,
                        struct bytes *ret_line, struct place *ret_place) {
    if (!checker->facts) return false;
    const struct document *document = checker->facts->document;
    for (; *at < document->line_count; ++*at) {
        struct bytes line = document->lines[*at];
        if (!words_have_any(line, choices)) continue;
        struct bytes words = words_trim(line);
        *ret_line = line;
        *ret_place = document_place(document, (uint32_t)*at + 1, words);
        ++*at;
        return true;
    }
    return false;
}

bool document_has(const struct checker *checker, const char *choices) {
    struct bytes line;
    struct place place;
    size_t at = 0;
    return document_next_line(checker, &at, choices, &line, &place);
}

struct place block_place(const struct checker *checker, const struct block *block, size_t offset) {
    uint32_t line = block->place.line;
    size_t start = 0;
    (void)checker;
    for (size_t i = 0; i < offset && i < block->text.len; i++) {
        if (block->text.data[i] != '\n') continue;
        line++;
        start = i + 1;
    }
    return (struct place){block->place.file, line, (uint32_t)(offset - start) + 1};
}

static struct bytes literal_text(struct checker *checker, const struct template *template) {
    size_t len = 0, room = 0;
    for (size_t i = 0; i < template->part_count; i++) room += template->parts[i].text.len + 2;
    char *text = arena_alloc(&checker->arena, room + 1);
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        struct bytes piece = part->is_variable ? BYTES("{}") : part->text;
        memcpy(text + len, piece.data, piece.len);
        len += piece.len;
    }
    return bytes_make(text, len);
}

static unsigned find_roles(const struct checker *checker, size_t i) {
    static const struct {
        enum role role;
        const char *literals, *words; /* in the key; or anywhere */
    } rows[] = {
        {ROLE_QUEUE, "queue|queues|dlq|inbox|outbox|backlog",
         "priority queue|task queue|job queue"},
        {ROLE_LOCK, "lock|locks|mutex", ""},
        {ROLE_CACHE, "cache|cached|caches", ""},
        {ROLE_SESSION, "session|sessions|sess", ""},
        {ROLE_LIMIT, "rate_limit|ratelimit|limit|limits|throttle|quota|rate", ""},
        {ROLE_DEDUPE, "dedupe|dedup|seen|idempotency", "deduplication|idempotency|duplicate"},
        {ROLE_COUNTER, "", "counter|counters"},
        {ROLE_REGISTRY, "connections|online|active|clients", ""},
        {ROLE_SEMAPHORE, "semaphore|semaphores", ""},
        {ROLE_FLAG, "closing|processing|running|in_progress", ""},
    };
    const struct pattern *pattern = checker_pattern(checker, i);
    unsigned roles = 0;
    if (pattern->kind == PATTERN_CHANNEL) return 0;
    for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
        if ((*rows[j].literals && checker_literal(checker, i, rows[j].literals)) ||
            (*rows[j].words && checker_words(checker, i, rows[j].words)))
            roles |= rows[j].role;
    }
    if (pattern->type == PATTERN_TYPE_LIST || pattern->type == PATTERN_TYPE_SET ||
        pattern->type == PATTERN_TYPE_ZSET)
        roles |= ROLE_COLLECTION;
    if (pattern->value == FORMAT_INTEGER && pattern->type == PATTERN_TYPE_STRING)
        roles |= ROLE_COUNTER;
    if (pattern->lifetime.kind == LIFETIME_NONE) roles |= ROLE_STATE;
    if (roles & ROLE_COLLECTION) roles &= ~(unsigned)ROLE_FLAG;
    if (roles & ROLE_LIMIT && roles & ROLE_CACHE) roles &= ~(unsigned)ROLE_LIMIT;
    return roles;
}

void catalog_check(const struct catalog *catalog, const struct markdown *facts,
                   struct diagnostics *diagnostics) {
    struct checker checker = {.catalog = catalog, .facts = facts, .diagnostics = diagnostics};
    const struct catalog *catalogs[] = {catalog};
    struct diagnostics *unwanted = diagnostics_new();
    size_t count = catalog->pattern_count;
    arena_init(&checker.arena);
    checker.matcher = matcher_new(catalogs, 1, unwanted);
    diagnostics_free(unwanted);
    checker.roles = arena_zalloc(&checker.arena, (count + 1) * sizeof *checker.roles);
    checker.literals = arena_zalloc(&checker.arena, (count + 1) * sizeof *checker.literals);
    checker.shapes = arena_zalloc(&checker.arena, (count + 1) * sizeof *checker.shapes);
    checker.chosen = arena_zalloc(&checker.arena, (count + 1) * sizeof *checker.chosen);
    for (size_t i = 0; i < count; i++) {
        checker.literals[i] = literal_text(&checker, &catalog->patterns[i].key.template);
        struct template written;
        template_expand(&catalog->patterns[i].key.template, catalog->prefixes,
                        catalog->prefix_count, 0, &checker.arena, &written);
        checker.shapes[i] = literal_text(&checker, &written);
        checker.roles[i] = find_roles(&checker, i);
    }
    for (size_t i = 0; facts && i < facts->statement_count; i++) {
        if (facts->statements[i].lifetime_unread)
            checker.roles[facts->statements[i].pattern] |= ROLE_EXPIRES;
    }
    check_names(&checker);
    check_prefixes(&checker);
    check_lifetimes(&checker);
    check_locks(&checker);
    check_server(&checker);
    if (facts) {
        check_commands(&checker);
        check_programs(&checker);
        check_prose(&checker);
    }
    matcher_free(checker.matcher);
    arena_done(&checker.arena);
}
