/* SPDX-License-Identifier: BSD-3-Clause */
/* The tree as templates, and templates as a catalog. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "catalog/words.h"
#include "cli/show.h"
#include "cli/suggest_inside.h"

enum { NAME_MAX_BYTES = 48, TEXT_MAX = TEMPLATE_TEXT_MAX - 64 };

struct walk {
    struct suggest *suggest;
    const struct node *path[TOKENS_MAX + 1];
    size_t room;
};

/* What a variable's values are called. */
static const char *name_for(const struct node *node) {
    static const struct {
        unsigned looks;
        const char *name;
    } names[] = {
        {LOOKS_UUID, "uuid"},      {LOOKS_HEX, "hash"},    {LOOKS_DATE, "date"},
        {LOOKS_TIME, "timestamp"}, {LOOKS_EMAIL, "email"}, {LOOKS_IP, "ip"},
        {LOOKS_TOKEN, "token"},    {LOOKS_WORD, "name"},
    };
    if (node->folded || node->looks & LOOKS_BYTES) return "rest";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (node->looks == names[i].looks) return names[i].name;
    }
    return "id";
}

static bool is_taken(char names[][NAME_MAX_BYTES], size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

/* A name of its own: "id", or after the word before it "order_id", or "id2". */
static void choose_name(const struct node *const *path, size_t at, char names[][NAME_MAX_BYTES],
                        size_t count) {
    const char *base = name_for(path[at]);
    char *name = names[count];
    snprintf(name, NAME_MAX_BYTES, "%s", base);
    const struct node *before = at ? path[at - 1] : NULL;
    if (is_taken(names, count, name) && before && !before->looks && before->word_len > 0 &&
        before->word_len < 32) {
        char word[32];
        size_t len = 0;
        for (size_t i = 0; i < before->word_len; i++)
            word[len++] = word_is_name(before->word[i]) ? before->word[i] : '_';
        if (len > 3 && word[len - 1] == 's' && word[len - 2] != 's') len--; /* "orders" */
        if (!word_is_digit(word[0]))
            snprintf(name, NAME_MAX_BYTES, "%.*s_%s", (int)len, word, base);
    }
    for (unsigned number = 2; is_taken(names, count, name); number++)
        snprintf(name, NAME_MAX_BYTES, "%s%u", base, number);
}

static void add_literal(struct buffer *out, const char *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '{' || data[i] == '}') buffer_add(out, &data[i], 1);
        buffer_add(out, &data[i], 1);
    }
}

/* Whether a literal tells keys from others: it has a letter. */
static bool has_letters(const struct node *node) {
    for (size_t i = 0; i < node->word_len; i++) {
        if (word_is_letter(node->word[i]) || (unsigned char)node->word[i] >= 0x80) return true;
    }
    return false;
}

static void emit(struct walk *walk, size_t depth) {
    struct suggest *suggest = walk->suggest;
    const struct node *node = walk->path[depth - 1];
    char names[TOKENS_MAX + 1][NAME_MAX_BYTES];
    size_t count = 0;
    bool general = true;
    struct buffer text;
    buffer_init(&text, 1 << 16);
    for (size_t i = 0; i < depth; i++) {
        const struct node *at = walk->path[i];
        if (at->separator) add_literal(&text, &at->separator, 1);
        if (at->looks) {
            choose_name(walk->path, i, names, count);
            buffer_printf(&text, "{%s}", names[count++]);
        } else {
            add_literal(&text, at->word, at->word_len);
            general = general && !has_letters(at);
        }
    }
    if (suggest->count == walk->room) {
        walk->room = walk->room ? walk->room * 2 : 64;
        suggest->list = mem_realloc(suggest->list, walk->room * sizeof *suggest->list);
    }
    struct suggestion *made = &suggest->list[suggest->count++];
    *made = node->ending->seen;
    buffer_add(&text, "", 1);
    made->template = arena_copy(&suggest->arena, buffer_bytes(&text)).data;
    made->keys = node->ending->keys;
    made->general = general || text.len > TEXT_MAX;
    buffer_done(&text);
}

static void collect(struct walk *walk, const struct node *node, size_t depth) {
    if (depth) walk->path[depth - 1] = node;
    if (node->ending && depth) emit(walk, depth);
    for (const struct node *child = node->child; child && depth < TOKENS_MAX + 1;
         child = child->next)
        collect(walk, child, depth + 1);
}

static int compare_templates(const void *a, const void *b) {
    return strcmp(((const struct suggestion *)a)->template,
                  ((const struct suggestion *)b)->template);
}

static int compare_suggestions(const void *a, const void *b) {
    const struct suggestion *left = a, *right = b;
    if (left->keys != right->keys) return left->keys > right->keys ? -1 : 1;
    return strcmp(left->template, right->template);
}

/* Different ways through the tree may be written alike. */
static void unite_equal(struct suggest *suggest) {
    size_t kept = 0;
    qsort(suggest->list, suggest->count, sizeof *suggest->list, compare_templates);
    for (size_t i = 0; i < suggest->count; i++) {
        struct suggestion *to = kept ? &suggest->list[kept - 1] : NULL;
        const struct suggestion *from = &suggest->list[i];
        if (!to || strcmp(to->template, from->template) != 0) {
            suggest->list[kept++] = *from;
            continue;
        }
        to->keys += from->keys;
        to->measured += from->measured;
        for (int j = 0; j < SAMPLE_TYPES; j++) to->types[j] += from->types[j];
        to->immortal += from->immortal;
        if (from->longest_ms > to->longest_ms) to->longest_ms = from->longest_ms;
        to->bytes += from->bytes;
        if (to->database != from->database) to->database = -1;
    }
    suggest->count = kept;
}

size_t suggest_finish(struct suggest *suggest, const struct suggestion **ret_suggestions) {
    struct walk walk = {.suggest = suggest};
    generalise(suggest, suggest->root, 0, false);
    collect(&walk, suggest->root, 0);
    if (suggest->count) {
        unite_equal(suggest);
        qsort(suggest->list, suggest->count, sizeof *suggest->list, compare_suggestions);
    }
    *ret_suggestions = suggest->list;
    return suggest->count;
}

/* ---- as a catalog ---- */

/* The shortest round duration that covers what was seen: 47 minutes of an hour that was given. */
static int64_t round_up(int64_t ms) {
    static const int64_t steps_s[] = {
        1,          2,          5,          10,         15,          20,
        30,         60,         120,        300,        600,         900,
        1200,       1800,       3600,       7200,       4 * 3600,    6 * 3600,
        8 * 3600,   12 * 3600,  86400,      2 * 86400,  3 * 86400,   7 * 86400,
        14 * 86400, 30 * 86400, 60 * 86400, 90 * 86400, 180 * 86400, 365 * 86400,
    };
    for (size_t i = 0; i < sizeof steps_s / sizeof *steps_s; i++) {
        if (ms <= steps_s[i] * 1000) return steps_s[i] * 1000;
    }
    return ms < LIFETIME_MAX_MS ? (ms + 86399999) / 86400000 * 86400000 : 0;
}

static void fill_pattern(struct catalog *catalog, struct pattern *pattern,
                         const struct suggestion *from) {
    uint64_t most = 0;
    pattern->guessed = GUESS_KEY;
    for (int type = PATTERN_TYPE_STRING; type < SAMPLE_TYPES; type++) {
        if (from->types[type] <= most) continue;
        most = from->types[type];
        pattern->type = (enum pattern_type)type;
        pattern->guessed |= GUESS_TYPE;
    }
    if (most < from->measured) pattern->type = PATTERN_TYPE_UNSTATED; /* of several types */
    if (pattern->type == PATTERN_TYPE_UNSTATED) pattern->guessed &= ~(unsigned)GUESS_TYPE;
    if (from->measured && from->immortal == from->measured) {
        pattern->lifetime.kind = LIFETIME_NONE;
        pattern->guessed |= GUESS_LIFETIME;
    } else if (from->measured && from->immortal == 0 && round_up(from->longest_ms)) {
        pattern->lifetime.kind = LIFETIME_LIMITED;
        pattern->lifetime.default_ms = round_up(from->longest_ms);
        pattern->guessed |= GUESS_LIFETIME;
    }
    if (from->database > 0) {
        catalog_add_database(catalog, pattern, (uint32_t)from->database);
        pattern->guessed |= GUESS_DATABASE;
    }
    if (from->plain && from->example_count)
        catalog_add_example(catalog, pattern, bytes_from_string(from->examples[0]),
                            (struct place){0});
}

struct catalog *suggest_catalog(const struct suggestion *suggestions, size_t count, size_t most) {
    struct catalog *catalog = catalog_new("suggestions");
    struct diagnostics *diagnostics = diagnostics_new();
    for (size_t i = 0; i < count && catalog->pattern_count < most; i++) {
        const struct suggestion *from = &suggestions[i];
        struct bytes text = bytes_from_string(from->template);
        struct template template;
        struct template_error error;
        if (from->general || !show_is_plain(text) ||
            !template_parse(text, NULL, 0, &catalog->arena, &template, &error))
            continue;
        struct pattern *pattern = catalog_add_pattern(catalog);
        if (!pattern) break;
        pattern->key.template = template;
        fill_pattern(catalog, pattern, from);
    }
    bool ok = catalog->pattern_count > 0 && catalog_finish(catalog, diagnostics);
    diagnostics_free(diagnostics);
    if (ok) return catalog;
    catalog_free(catalog);
    return NULL;
}
