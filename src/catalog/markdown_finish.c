/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After the last block: commands are brought to their patterns, sections and families give what
 * patterns did not state, and what can be inferred is, marked as a guess.
 */
#include <stdlib.h>

#include "base/glob.h"
#include "base/memory.h"
#include "catalog/markdown_inside.h"
#include "catalog/markdown_prefix.h"
#include "catalog/matcher.h"
#include "catalog/words.h"

static enum pattern_kind usage_kind(const struct markdown_usage *usage) {
    return usage->usage.command->flags & USAGE_CHANNEL ? PATTERN_CHANNEL : PATTERN_KEY;
}

/* The pattern whose template has the same shape as what a command uses;
 * NO_PATTERN when there is none. */
static size_t find_shape(struct importer *importer, const struct markdown_usage *usage) {
    struct catalog *catalog = importer->catalog;
    struct template template;
    struct template_error error;
    struct bytes key = usage_kind(usage) == PATTERN_CHANNEL
                           ? usage->key
                           : importer_with_stem(importer, usage->key);
    if (!template_parse(key, catalog->prefixes, catalog->prefix_count, importer->arena, &template,
                        &error))
        return NO_PATTERN;
    return importer_find(importer, &template, usage_kind(usage));
}

/* A matcher of what was found so far; NULL when patterns are alike. */
static struct matcher *match_so_far(struct importer *importer) {
    struct diagnostics *unwanted = diagnostics_new();
    const struct catalog *catalogs[] = {importer->catalog};
    struct matcher *matcher = matcher_new(catalogs, 1, unwanted);
    diagnostics_free(unwanted);
    return matcher;
}

/* The pattern of which a template in a command writes out a variable: `cache:tag:campaign:${id}` is
 * cache:tag:{tag}, when both are of one type. */
static size_t find_wider(struct importer *importer, const struct matcher *matcher,
                         const struct markdown_usage *usage) {
    struct catalog *catalog = importer->catalog;
    struct template template;
    struct template_error error;
    if (!matcher || !template_parse(usage->key, catalog->prefixes, catalog->prefix_count,
                                    importer->arena, &template, &error))
        return NO_PATTERN;
    const char *sample =
        template_sample(&template, catalog->prefixes, catalog->prefix_count, importer->arena);
    unsigned id =
        matcher_find(matcher, PATTERN_KEY, bytes_from_string(sample), MATCHER_DATABASE_ANY);
    if (id == 0) return NO_PATTERN;
    enum pattern_type type = catalog->patterns[id - 1].type;
    bool same =
        usage->usage.command->type == PATTERN_TYPE_UNSTATED || usage->usage.command->type == type;
    return type && same ? id - 1 : NO_PATTERN;
}

/* Whether a pattern matches all keys of the template, though it is not that pattern's own. */
static bool is_covered(struct importer *importer, const struct matcher *matcher,
                       const struct template *template) {
    struct catalog *catalog = importer->catalog;
    const char *sample =
        template_sample(template, catalog->prefixes, catalog->prefix_count, importer->arena);
    return matcher &&
           matcher_find(matcher, PATTERN_KEY, bytes_from_string(sample), MATCHER_DATABASE_ANY);
}

/* Keys that programs gave names to: what stands beside them, and patterns where
 * nothing else describes them. */
static void add_definitions(struct importer *importer) {
    struct catalog *catalog = importer->catalog;
    struct matcher *matcher = importer->definitions ? match_so_far(importer) : NULL;
    struct definition *ordered = NULL, *next;
    for (struct definition *at = importer->definitions; at; at = next) {
        next = at->next;
        at->next = ordered;
        ordered = at;
    }
    for (struct definition *at = ordered; at; at = at->next) {
        struct template template;
        struct template_error error;
        enum pattern_kind kind = at->found.channel ? PATTERN_CHANNEL : PATTERN_KEY;
        struct bytes key =
            at->found.channel ? at->found.key : importer_with_stem(importer, at->found.key);
        if (!template_parse(key, catalog->prefixes, catalog->prefix_count, importer->arena,
                            &template, &error))
            continue;
        if (importer_find(importer, &template, kind) == NO_PATTERN &&
            is_covered(importer, matcher, &template))
            continue;
        if (at->only_told) {
            if (importer_find(importer, &template, kind) == NO_PATTERN)
                importer_unread(importer, at->found.place, "a key in a block of settings",
                                at->found.key);
            continue;
        }
        importer->current = at->section;
        size_t pattern = importer_add(importer, &at->found);
        if (pattern == NO_PATTERN) continue;
        char out[DURATION_TEXT_MAX];
        if (!importer_strict_pieces(importer, pattern, at->remark, at->found.place))
            importer_comment(importer, pattern, at->remark, at->found.place);
        if (at->lifetime_ms)
            importer_lifetime(importer, pattern,
                              bytes_from_string(duration_format(at->lifetime_ms, out)),
                              at->found.place, false);
    }
    matcher_free(matcher);
}

/* Templates in commands that stand nowhere else are patterns too. */
static void add_used_templates(struct importer *importer) {
    struct markdown *facts = importer->facts;
    struct matcher *matcher = match_so_far(importer);
    for (size_t i = 0; i < facts->usage_count; i++) {
        struct markdown_usage *usage = &facts->usages[i];
        if (usage->kind != KEY_TEXT_TEMPLATE) continue;
        usage->pattern = find_shape(importer, usage);
        usage->covered_by_shape = usage->pattern != NO_PATTERN;
        if (usage->pattern == NO_PATTERN) usage->pattern = find_wider(importer, matcher, usage);
        bool tells = usage->usage.command->type || usage->usage.command->flags & USAGE_CHANNEL;
        if (usage->pattern != NO_PATTERN || usage->bad || !tells) continue;
        struct found found = {.key = usage->key,
                              .kind = usage->kind,
                              .place = usage->place,
                              .channel = usage_kind(usage) == PATTERN_CHANNEL,
                              .guessed = true};
        importer->current = usage->section;
        usage->pattern = importer_add(importer, &found);
        usage->covered_by_shape = usage->pattern != NO_PATTERN;
        if (usage->covered_by_shape && usage->label.len)
            importer_comment(importer, usage->pattern, usage->label, usage->place);
    }
    matcher_free(matcher);
}

/* Literal keys in commands and examples belong to the pattern that matches them. */
static void match_literals(struct importer *importer) {
    struct markdown *facts = importer->facts;
    struct matcher *matcher = match_so_far(importer);
    if (!matcher) return;
    for (size_t i = 0; i < facts->usage_count; i++) {
        struct markdown_usage *usage = &facts->usages[i];
        if (usage->kind != KEY_TEXT_LITERAL) continue;
        unsigned id = matcher_find(matcher, usage_kind(usage), usage->key, MATCHER_DATABASE_ANY);
        usage->pattern = id ? id - 1 : NO_PATTERN;
    }
    matcher_free(matcher);
}

/* Patterns in the order of their templates, so that those of a family lie together. */
struct order {
    size_t *numbers;
    size_t count;
};

static int compare_templates(const void *a, const void *b, void *context) {
    const struct catalog *catalog = context;
    return strcmp(catalog->patterns[*(const size_t *)a].key.template.text,
                  catalog->patterns[*(const size_t *)b].key.template.text);
}

static void order_init(struct order *order, struct catalog *catalog) {
    order->count = catalog->pattern_count;
    order->numbers = mem_alloc((order->count + 1) * sizeof *order->numbers);
    for (size_t i = 0; i < order->count; i++) order->numbers[i] = i;
    qsort_r(order->numbers, order->count, sizeof *order->numbers, compare_templates, catalog);
}

/* The first place whose template is not below the literal front of the glob. */
static size_t order_find(const struct order *order, const struct catalog *catalog,
                         struct bytes glob, size_t literal) {
    size_t low = 0, high = order->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *text = catalog->patterns[order->numbers[middle]].key.template.text;
        if (strncmp(text, glob.data, literal) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A key that a program writes as it stands, without a number in it, is a pattern of its own where
 * others begin like it; any other literal key is taken for an example. */
static bool is_constant(struct importer *importer, const struct order *order,
                        const struct markdown_usage *usage) {
    const struct command_facts *command = usage->usage.command;
    struct bytes key = importer_with_stem(importer, usage->key);
    size_t first = words_index(key, TEMPLATE_SEPARATOR) + 1;
    if (!usage->usage.called || !command->type || !(command->flags & USAGE_CREATES)) return false;
    for (size_t i = 0; i < usage->key.len; i++) {
        if (word_is_digit(usage->key.data[i])) return false;
    }
    if (first > key.len) return false;
    size_t at = order_find(order, importer->catalog, key, first);
    return at < order->count &&
           strncmp(importer->catalog->patterns[order->numbers[at]].key.template.text, key.data,
                   first) == 0;
}

/* Literal keys in commands that nothing describes are patterns, or told. */
static void add_used_literals(struct importer *importer) {
    struct markdown *facts = importer->facts;
    struct bytes last = {0};
    struct order order;
    order_init(&order, importer->catalog);
    for (size_t i = 0; i < facts->usage_count; i++) {
        struct markdown_usage *usage = &facts->usages[i];
        if (usage->kind != KEY_TEXT_LITERAL || usage->pattern != NO_PATTERN || usage->bad) continue;
        /* "SET key value" is syntax, and "XADD MAXLEN ~ 100" leaves the key out. */
        if (words_are(usage->key, "key|mykey|maxlen|minid|nomkstream|match|count|block|streams"))
            continue;
        usage->pattern = find_shape(importer, usage);
        if (usage->pattern != NO_PATTERN || bytes_equal(usage->key, last)) continue;
        last = usage->key;
        if (is_constant(importer, &order, usage)) {
            struct found found = {
                .key = usage->key, .kind = usage->kind, .place = usage->place, .guessed = true};
            importer->current = usage->section;
            usage->pattern = importer_add(importer, &found);
        } else {
            diagnostics_add(importer->diagnostics, SEVERITY_NOTE, "stranger", usage->place,
                            "'%.*s' is used by a command, and no pattern describes it",
                            (int)(last.len > 80 ? 80 : last.len), last.data);
            diagnostics_remedy(importer->diagnostics, "give its pattern, if it is one");
        }
    }
    mem_free(order.numbers);
}

/* Whether a command says of what type its key is, and how sure that is: 2 for
 * redis-cli's, 1 for a call's. */
static unsigned evidence(const struct markdown_usage *usage) {
    if (usage->bad || usage->pattern == NO_PATTERN) return 0;
    return usage->usage.called ? 1 : 2;
}

static void use_types(struct importer *importer) {
    struct catalog *catalog = importer->catalog;
    struct markdown *facts = importer->facts;
    unsigned(*votes)[PATTERN_TYPES] = mem_zalloc((catalog->pattern_count + 1) * sizeof *votes);
    for (size_t i = 0; i < facts->usage_count; i++) {
        const struct markdown_usage *usage = &facts->usages[i];
        if (evidence(usage)) votes[usage->pattern][usage->usage.command->type] += evidence(usage);
    }
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        struct pattern *pattern = &catalog->patterns[i];
        unsigned best = 0;
        if (pattern->type && !(pattern->guessed & GUESS_TYPE)) continue;
        for (unsigned type = 1; type < PATTERN_TYPES; type++) {
            if (votes[i][type] > votes[i][best] || (best == 0 && votes[i][type])) best = type;
        }
        if (best == 0 || pattern->kind == PATTERN_CHANNEL) continue;
        pattern->type = (enum pattern_type)best;
        pattern->guessed &= ~(unsigned)GUESS_TYPE;
        if (votes[i][best] < 2) pattern->guessed |= GUESS_TYPE;
    }
    mem_free(votes);
}

static void use_lifetimes(struct importer *importer) {
    struct markdown *facts = importer->facts;
    for (size_t i = 0; i < facts->usage_count; i++) {
        const struct markdown_usage *usage = &facts->usages[i];
        if (!evidence(usage) || usage->usage.lifetime_ms <= 0) continue;
        struct pattern *pattern = &importer->catalog->patterns[usage->pattern];
        if (pattern->lifetime.kind != LIFETIME_UNSTATED || pattern->kind == PATTERN_CHANNEL)
            continue;
        pattern->lifetime =
            (struct lifetime){.kind = LIFETIME_LIMITED, .default_ms = usage->usage.lifetime_ms};
        pattern->lifetime_place = usage->place;
        if (usage->usage.called) pattern->guessed |= GUESS_LIFETIME;
    }
}

static const char *keep_text(struct importer *importer, struct bytes text) {
    return text.len ? catalog_copy_prose(importer->catalog, text) : NULL;
}

/* The heading without its number and its brackets: "### 1. Sessions (DB 0)" is "Sessions". */
static struct bytes heading_words(struct bytes title) {
    size_t at = 0;
    title = words_trim(title);
    while (at < title.len && (word_is_digit(title.data[at]) || title.data[at] == '.')) at++;
    title = words_trim(words_from(title, at));
    size_t open = words_index(title, '(');
    return open > 0 ? words_trim(words_until(title, open)) : title;
}

static void use_sections(struct importer *importer, struct pattern *pattern, size_t number) {
    bool own = true,
         typed = pattern->kind == PATTERN_CHANNEL || pattern->type != PATTERN_TYPE_UNSTATED;
    for (; number < importer->document->count;
         number = document_parent(importer->document, number)) {
        const struct section *section = &importer->sections[number];
        if (!typed && section->type) {
            pattern->type = section->type;
            pattern->type_place = importer->document->blocks[number].place;
            pattern->type_place.file = importer->catalog->file;
            typed = true;
        }
        if (section->lifetime.kind && !pattern->lifetime.kind && pattern->kind == PATTERN_KEY) {
            pattern->lifetime = section->lifetime;
            if (section->lifted) pattern->guessed |= GUESS_LIFETIME;
        }
        if (section->database >= 0 && !pattern->database_count)
            catalog_add_database(importer->catalog, pattern, (uint32_t)section->database);
        if (!pattern->purpose) pattern->purpose = keep_text(importer, section->purpose);
        if (!pattern->source) pattern->source = keep_text(importer, section->source);
        if (!pattern->owner) pattern->owner = keep_text(importer, section->owner);
        /* "Key Pattern" says nothing: the heading above it does. */
        if (own && words_index(section->title, '{') == section->title.len &&
            !words_have_any(section->title, "pattern|patterns|operations|example|data structure")) {
            pattern->section = keep_text(importer, heading_words(section->title));
            if (!pattern->purpose && !words_have_any(section->title, "key|keys|channel|channels"))
                pattern->purpose = pattern->section;
            own = false;
        }
        if (importer->document->blocks[number].level <= 2) break;
    }
}

/* "### Queue Implementation: Type: sorted sets" in a section without patterns speaks of those with
 * "queue" in their template. */
static void use_distant_sections(struct importer *importer) {
    for (size_t i = 0; i < importer->document->count; i++) {
        const struct section *section = &importer->sections[i];
        if (section->has_patterns || !section->type || section->title.len == 0) continue;
        struct bytes rest = heading_words(section->title), word;
        while (words_next(&rest, &word)) {
            char lower[40];
            size_t len = 0;
            if (words_end(word, "s")) word.len--;
            if (word.len < 4 || word.len + 2 >= sizeof lower) continue;
            for (; len < word.len; len++) lower[len] = word_lower(word.data[len]);
            lower[len] = '\0';
            for (size_t j = 0; j < importer->catalog->pattern_count; j++) {
                struct pattern *pattern = &importer->catalog->patterns[j];
                struct bytes text = bytes_from_string(pattern->key.template.text);
                if (pattern->type || pattern->kind == PATTERN_CHANNEL || !words_have(text, lower))
                    continue;
                pattern->type = section->type;
                pattern->guessed |= GUESS_TYPE;
            }
        }
    }
}

/* A family of which type or lifetime is stated, and nothing more exact is, is a
 * pattern: a star is a variable. */
static bool add_family(struct importer *importer, struct markdown_family *family) {
    char text[KEY_TEXT_MAX + 64];
    size_t len = 0;
    unsigned stars = 0;
    if (!family->type && !family->lifetime.kind) return false;
    for (size_t i = 0; i < family->glob.len; i++) {
        if (len + 8 > sizeof text || stars > 8) return false;
        if (family->glob.data[i] != '*') {
            text[len++] = family->glob.data[i];
            continue;
        }
        memcpy(text + len, "{rest", 5);
        len += 5;
        if (stars++) text[len++] = (char)('0' + stars);
        text[len++] = '}';
    }
    struct found found = {.key = arena_copy(importer->arena, bytes_make(text, len)),
                          .kind = KEY_TEXT_TEMPLATE,
                          .place = family->place};
    importer->current = family->section;
    size_t number = importer_add(importer, &found);
    if (number == NO_PATTERN) return false;
    struct pattern *pattern = &importer->catalog->patterns[number];
    family->used = true;
    pattern->guessed |= GUESS_KEY;
    if (!pattern->type) pattern->type = family->type;
    if (!pattern->lifetime.kind) pattern->lifetime = family->lifetime;
    if (!pattern->purpose) pattern->purpose = keep_text(importer, family->purpose);
    use_sections(importer, pattern, importer->origins[number]);
    return true;
}

/* Gives a family's lifetime to its patterns. */
static void use_family(struct catalog *catalog, const struct order *order,
                       struct markdown_family *family) {
    size_t literal = words_index(family->glob, '*');
    for (size_t i = order_find(order, catalog, family->glob, literal); i < order->count; i++) {
        struct pattern *pattern = &catalog->patterns[order->numbers[i]];
        const char *text = pattern->key.template.text;
        if (strncmp(text, family->glob.data, literal) != 0) return;
        if (!glob_match(family->glob, bytes_from_string(text), false)) continue;
        family->used = true;
        if (!family->lifetime.kind || pattern->lifetime.kind || pattern->kind == PATTERN_CHANNEL)
            continue;
        pattern->lifetime = family->lifetime;
        pattern->lifetime_place = family->place;
        pattern->guessed |= GUESS_LIFETIME;
    }
}

static void use_families(struct importer *importer) {
    struct markdown *facts = importer->facts;
    struct order order;
    order_init(&order, importer->catalog);
    for (size_t i = 0; i < facts->family_count; i++) {
        struct markdown_family *family = &facts->families[i];
        use_family(importer->catalog, &order, family);
        if (family->used || !family->announced || add_family(importer, family)) continue;
        diagnostics_add(importer->diagnostics, SEVERITY_WARNING, "family-empty", family->place,
                        "'%.*s' is announced, and no pattern of it is given", (int)family->glob.len,
                        family->glob.data);
        diagnostics_remedy(
            importer->diagnostics,
            "correct the overview: an ACL or a monitor built from it misses what there is");
    }
    mem_free(order.numbers);
}

/* What is lost does harm (queues, locks), or can be had again (caches). */
static void guess_eviction(struct pattern *pattern) {
    struct bytes key = bytes_from_string(pattern->key.template.text);
    if (pattern->eviction || pattern->kind == PATTERN_CHANNEL) return;
    if (words_have_any(key, "queue|queues|dlq|lock|locks|semaphore|schedule|scheduled")) {
        pattern->eviction = EVICTION_NEVER;
    } else if (words_have_any(key, "cache|cached") && pattern->lifetime.kind != LIFETIME_NONE) {
        pattern->eviction = EVICTION_CACHE;
    } else {
        return;
    }
    pattern->guessed |= GUESS_EVICTION;
}

/* What only keys have is taken from channels; fields say that the key is a hash. */
static void guess_rest(struct pattern *pattern) {
    if (pattern->kind == PATTERN_CHANNEL) {
        pattern->type = PATTERN_TYPE_UNSTATED;
        pattern->lifetime = (struct lifetime){0};
        pattern->guessed &= ~(unsigned)(GUESS_TYPE | GUESS_LIFETIME);
        return;
    }
    if (pattern->field_count && pattern->type != PATTERN_TYPE_HASH &&
        pattern->type != PATTERN_TYPE_STREAM) {
        if (pattern->type) {
            pattern->field_count = 0;
        } else {
            pattern->type = PATTERN_TYPE_HASH;
            pattern->guessed |= GUESS_TYPE;
        }
    }
    guess_eviction(pattern);
}

/* "### Cache Strategy: Cache Duration: 1 hour" in a section without patterns
 * speaks of its sister sections. */
static void lift_lifetimes(struct importer *importer) {
    for (size_t i = 0; i < importer->document->count; i++) {
        struct section *section = &importer->sections[i], *above;
        if (section->has_patterns || section->lifetime.kind != LIFETIME_LIMITED) continue;
        above = section_at(importer, document_parent(importer->document, i));
        if (above && !above->lifetime.kind && importer->document->blocks[i].level > 2) {
            above->lifetime = section->lifetime;
            above->lifted = true;
        }
    }
}

void importer_finish(struct importer *importer) {
    struct catalog *catalog = importer->catalog;
    lift_lifetimes(importer);
    add_definitions(importer);
    add_used_templates(importer);
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        if (catalog->patterns[i].guessed & GUESS_TYPE) continue;
        use_sections(importer, &catalog->patterns[i], importer->origins[i]);
    }
    match_literals(importer);
    add_used_literals(importer);
    use_types(importer);
    for (size_t i = 0; i < catalog->pattern_count; i++)
        use_sections(importer, &catalog->patterns[i], importer->origins[i]);
    use_lifetimes(importer);
    use_distant_sections(importer);
    use_families(importer);
    for (size_t i = 0; i < catalog->pattern_count; i++) guess_rest(&catalog->patterns[i]);
}
