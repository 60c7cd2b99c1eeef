/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/aliases.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "catalog/matcher.h"
#include "store/patterns.h"
#include "store/store.h"

/* The table that this thread used last. */
static _Thread_local struct {
    uint64_t generation;
    struct alias_table *table;
} mine;

struct aliases *aliases_new(void) {
    struct aliases *aliases = mem_zalloc(sizeof *aliases);
    lock_init(&aliases->lock);
    return aliases;
}

void aliases_free(struct aliases *aliases) {
    aliases_leave();
    migration_free(aliases->migration);
    alias_table_unref(aliases->current);
    mem_free(aliases);
}

/* ---- tables ---- */

/* Channels have no entries to move. */
static bool has_aliases(const struct matcher *matcher, unsigned number) {
    const struct pattern *pattern = matcher_pattern(matcher, number);
    return pattern->kind == PATTERN_KEY && pattern->alias_count > 0;
}

static void note_pair(uint64_t leads[ALIAS_LEADS], unsigned char first, unsigned char second) {
    const unsigned char bytes[2] = {first, second};
    uint16_t lead;
    memcpy(&lead, bytes, sizeof lead);
    leads[lead / 64] |= UINT64_C(1) << lead % 64;
}

static void note_lead(uint64_t leads[ALIAS_LEADS], const struct template *template) {
    struct bytes text = {NULL, 0};
    if (template->part_count > 0 && !template->parts[0].is_variable) text = template->parts[0].text;
    if (text.len >= 2) note_pair(leads, (unsigned char)text.data[0], (unsigned char)text.data[1]);
    for (unsigned second = 0; text.len == 1 && second < 256; second++)
        note_pair(leads, (unsigned char)text.data[0], (unsigned char)second);
    if (text.len == 0) memset(leads, 0xff, ALIAS_LEADS * sizeof *leads);
}

/* The literal before a variable that is all the rest; of no length where
 * there is something else. */
static struct bytes literal_before(const struct template *template, struct bytes *ret_variable,
                                   struct arena *arena) {
    struct bytes text = {NULL, 0};
    size_t last = template->part_count - 1, len = 0;
    if (last == 0 || template->variable_count != 1 || !template->parts[last].is_variable)
        return text;
    for (size_t i = 0; i < last; i++) len += template->parts[i].text.len;
    char *at = arena_alloc(arena, len);
    text = bytes_make(at, len);
    for (size_t i = 0; i < last; i++) {
        memcpy(at, template->parts[i].text.data, template->parts[i].text.len);
        at += template->parts[i].text.len;
    }
    *ret_variable = template->parts[last].text;
    return text;
}

static void note_swaps(struct alias_table *table, unsigned number) {
    const struct catalog *catalog = matcher_catalog(table->matcher, number);
    const struct pattern *pattern = matcher_pattern(table->matcher, number);
    struct alias_swap *swaps = arena_zalloc(table->arena, pattern->alias_count * sizeof *swaps);
    struct template own;
    struct bytes variable, other;
    table->progress[number].swaps = swaps;
    /* A prefix that the alias does not name has its usual value, which is
     * that of the first expansion. */
    template_expand(&pattern->key.template, catalog->prefixes, catalog->prefix_count, 0,
                    table->arena, &own);
    struct bytes to = literal_before(&own, &variable, table->arena);
    for (size_t a = 0; to.len > 0 && a < pattern->alias_count; a++) {
        const struct template *alias = &pattern->aliases[a].template;
        struct bytes from = literal_before(alias, &other, table->arena);
        if (from.len > 0 && bytes_equal(variable, other) && !catalog_find_prefix(catalog, other))
            swaps[a] = (struct alias_swap){to, from.len};
    }
}

static void note_leads(struct alias_table *table, unsigned number) {
    const struct catalog *catalog = matcher_catalog(table->matcher, number);
    const struct pattern *pattern = matcher_pattern(table->matcher, number);
    struct arena arena;
    arena_init(&arena);
    for (size_t a = 0; a <= pattern->alias_count; a++) {
        const struct template *each =
            a ? &pattern->aliases[a - 1].template : &pattern->key.template;
        size_t count = template_expansions(each, catalog->prefixes, catalog->prefix_count);
        for (size_t i = 0; i < count; i++) {
            struct template expanded;
            template_expand(each, catalog->prefixes, catalog->prefix_count, i, &arena, &expanded);
            note_lead(table->all, &expanded);
            if (a > 0) note_lead(table->legacy, &expanded);
        }
    }
    arena_done(&arena);
}

struct alias_table *alias_table_new(const struct matcher *matcher, void (*release)(void *context),
                                    void *context) {
    size_t numbers = matcher_pattern_count(matcher) + 1;
    unsigned with = 0;
    for (unsigned i = 1; i < numbers; i++) with += has_aliases(matcher, i);
    if (with == 0) return NULL;
    struct alias_table *table = mem_zalloc(sizeof *table);
    table->progress = mem_zalloc(numbers * sizeof *table->progress);
    table->arena = mem_alloc(sizeof *table->arena);
    arena_init(table->arena);
    table->refs = 1;
    table->matcher = matcher;
    table->release = release;
    table->context = context;
    table->numbers = numbers;
    table->pending = true;
    for (unsigned i = 1; i < numbers; i++) {
        table->progress[i].left = ALIAS_LEFT_UNKNOWN;
        if (!has_aliases(matcher, i)) continue;
        table->progress[i].has_aliases = true;
        table->progress[i].pending = true;
        note_leads(table, i);
        note_swaps(table, i);
    }
    return table;
}

static bool same_template(const struct template *a, const struct template *b) {
    return strcmp(a->text, b->text) == 0;
}

static bool same_pattern(const struct pattern *a, const struct pattern *b) {
    if (a->kind != b->kind || strcmp(a->name, b->name) != 0) return false;
    if (!same_template(&a->key.template, &b->key.template)) return false;
    if (a->alias_count != b->alias_count || a->database_count != b->database_count) return false;
    for (size_t i = 0; i < a->alias_count; i++)
        if (!same_template(&a->aliases[i].template, &b->aliases[i].template)) return false;
    for (size_t i = 0; i < a->database_count; i++)
        if (a->databases[i] != b->databases[i]) return false;
    return true;
}

static bool same_prefixes(const struct catalog *a, const struct catalog *b) {
    if (a->prefix_count != b->prefix_count) return false;
    for (size_t i = 0; i < a->prefix_count; i++) {
        const struct prefix *p = &a->prefixes[i], *q = &b->prefixes[i];
        if (strcmp(p->name, q->name) != 0 || p->value_count != q->value_count ||
            p->chosen != q->chosen)
            return false;
        for (size_t v = 0; v < p->value_count; v++)
            if (strcmp(p->values[v], q->values[v]) != 0) return false;
    }
    return true;
}

bool alias_table_same(const struct alias_table *a, const struct alias_table *b) {
    if (a == NULL || b == NULL || a->numbers != b->numbers) return a == b;
    for (unsigned i = 1; i < a->numbers; i++) {
        const struct catalog *of_a = matcher_catalog(a->matcher, i),
                             *of_b = matcher_catalog(b->matcher, i);
        if (strcmp(of_a->name, of_b->name) != 0 || !same_prefixes(of_a, of_b) ||
            !same_pattern(matcher_pattern(a->matcher, i), matcher_pattern(b->matcher, i)))
            return false;
    }
    return true;
}

void alias_table_ref(struct alias_table *table) {
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

void alias_table_unref(struct alias_table *table) {
    if (table == NULL || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) > 1)
        return;
    table->release(table->context);
    mem_free(table->progress);
    arena_done(table->arena);
    mem_free(table->arena);
    mem_free(table);
}

void alias_table_continue(struct alias_table *table, unsigned number,
                          const struct alias_table *before, unsigned old) {
    if (before == NULL || alias_progress(table, number) == NULL ||
        alias_progress(before, old) == NULL)
        return;
    const struct alias_progress *from = &before->progress[old];
    struct alias_progress *to = &table->progress[number];
    atomic_store(&to->wanted, atomic_load(&from->wanted));
    atomic_store(&to->moved, atomic_load(&from->moved));
    atomic_store(&to->conflicts, atomic_load(&from->conflicts));
    atomic_store(&to->reported, atomic_load(&from->reported));
}

bool aliases_replace(struct aliases *aliases, struct alias_table *table) {
    struct alias_table *before = aliases->current;
    if (before == NULL && table == NULL) return false;
    lock_take(&aliases->lock);
    aliases->current = table;
    atomic_fetch_add_explicit(&aliases->generation, 1, memory_order_release);
    lock_give(&aliases->lock);
    alias_table_unref(before);
    return true;
}

struct alias_table *aliases_now(struct aliases *aliases, uint64_t *ret_generation) {
    if (kn_unlikely(mine.generation != aliases_generation(aliases))) {
        struct alias_table *before = mine.table;
        lock_take(&aliases->lock);
        mine.table = aliases->current;
        if (mine.table != NULL) alias_table_ref(mine.table);
        mine.generation = aliases_generation(aliases);
        lock_give(&aliases->lock);
        alias_table_unref(before);
    }
    if (ret_generation != NULL) *ret_generation = mine.generation;
    return mine.table;
}

void aliases_leave(void) {
    alias_table_unref(mine.table);
    mine.table = NULL;
    mine.generation = 0;
}

const struct matcher *alias_table_matcher(const struct alias_table *table) {
    return table->matcher;
}

struct alias_progress *alias_progress(const struct alias_table *table, unsigned number) {
    if (number >= table->numbers || !table->progress[number].has_aliases) return NULL;
    return &table->progress[number];
}

bool aliases_pending(struct aliases *aliases, uint64_t *ret_generation) {
    const struct alias_table *table = aliases_now(aliases, ret_generation);
    return table != NULL && atomic_load_explicit(&table->pending, memory_order_acquire);
}

void alias_migrated(struct alias_table *table, struct alias_progress *progress) {
    bool others = false;
    atomic_store(&progress->wanted, false);
    atomic_store_explicit(&progress->pending, false, memory_order_release);
    for (unsigned i = 1; i < table->numbers; i++)
        others |= atomic_load_explicit(&table->progress[i].pending, memory_order_relaxed);
    if (!others) atomic_store_explicit(&table->pending, false, memory_order_release);
}

/* ---- names ---- */

/* The longest name that templates make of a name's variables: what a key
 * may be, and all literals. */
static size_t room_for(const struct template *template, const struct match *match) {
    size_t room = TEMPLATE_TEXT_MAX * 2;
    for (size_t i = 0; i < template->part_count; i++) room += template->parts[i].text.len;
    for (size_t i = 0; i < match->count; i++) room += match->variables[i].value.len;
    return room;
}

static const struct match_variable *variable_of(const struct match *match, struct bytes name) {
    for (size_t i = 0; i < match->count; i++)
        if (bytes_equal(match->variables[i].name, name)) return &match->variables[i];
    return NULL;
}

struct filling {
    struct bytes name;
    size_t room;
};

static bool add(struct filling *filling, struct bytes part) {
    if (part.len > filling->room - filling->name.len) return false;
    if (part.len)
        memcpy((char *)(uintptr_t)filling->name.data + filling->name.len, part.data, part.len);
    filling->name.len += part.len;
    return true;
}

/* The pattern's own template with the values of a match. A prefix that the match does not
 * tell has its usual value. */
static bool fill_canonical(const struct catalog *catalog, const struct pattern *pattern,
                           const struct match *match, struct filling *filling) {
    const struct template *template = &pattern->key.template;
    for (size_t i = 0; i < template->part_count; i++) {
        const struct template_part *part = &template->parts[i];
        struct bytes text = part->text;
        if (part->is_variable) {
            const struct match_variable *variable = variable_of(match, text);
            const struct prefix *prefix = catalog_find_prefix(catalog, text);
            if (variable != NULL)
                text = variable->value;
            else if (prefix != NULL && prefix->value_count > 0)
                text = bytes_from_string(prefix->values[prefix->chosen]);
            else
                return false;
        }
        if (!add(filling, text)) return false;
    }
    return true;
}

/* Whether two matches say the same of what both name. */
static bool agree(const struct match *a, const struct match *b) {
    for (size_t i = 0; i < a->count; i++) {
        const struct match_variable *other = variable_of(b, a->variables[i].name);
        if (other != NULL && !bytes_equal(other->value, a->variables[i].value)) return false;
    }
    return true;
}

/* The pattern's number if it has aliases, else 0. */
static unsigned find(const struct alias_table *table, struct bytes name, unsigned *ret_alias) {
    struct match_form form = {0};
    unsigned number =
        matcher_find_form(table->matcher, PATTERN_KEY, name, MATCHER_DATABASE_ANY, &form);
    *ret_alias = form.alias;
    return table->progress[number].has_aliases ? number : 0;
}

bool alias_concerns(const struct alias_table *table, struct bytes name) {
    unsigned alias;
    return find(table, name, &alias) != 0;
}

bool alias_is_settled(const struct alias_table *table, struct bytes name) {
    unsigned alias, number = find(table, name, &alias);
    return number == 0 || (alias == 0 && !atomic_load_explicit(&table->progress[number].pending,
                                                               memory_order_acquire));
}

/* The short way. A name that means something else when it is written canonically
 * is another pattern's key. */
static bool swap(const struct alias_table *table, unsigned number, const struct alias_swap *swap,
                 struct bytes name, struct arena *arena, struct bytes *ret_name,
                 unsigned *ret_number) {
    size_t rest = name.len - swap->from_len;
    struct match_form form;
    char *text = arena_try_alloc(arena, swap->to.len + rest);
    if (text == NULL) return false;
    memcpy(text, swap->to.data, swap->to.len);
    memcpy(text + swap->to.len, name.data + swap->from_len, rest);
    struct bytes canonical = bytes_make(text, swap->to.len + rest);
    /* By the same expansion the variable has the same value. */
    if (matcher_find_form(table->matcher, PATTERN_KEY, canonical, MATCHER_DATABASE_ANY, &form) ==
            number &&
        form.alias == 0 && form.expansion == 0) {
        *ret_name = canonical;
        *ret_number = number;
    }
    return true;
}

bool alias_canonical(const struct alias_table *table, struct bytes name, struct arena *arena,
                     struct bytes *ret_name, unsigned *ret_number) {
    struct match match, own;
    unsigned alias, number = find(table, name, &alias);
    *ret_name = name;
    *ret_number = alias == 0 ? number : 0;
    if (number == 0 || alias == 0) return true;
    const struct alias_swap *short_way = &table->progress[number].swaps[alias - 1];
    if (short_way->to.data != NULL)
        return swap(table, number, short_way, name, arena, ret_name, ret_number);
    if (!matcher_match(table->matcher, PATTERN_KEY, name, MATCHER_DATABASE_ANY, &match))
        return true;
    const struct pattern *pattern = matcher_pattern(table->matcher, number);
    struct filling filling = {.room = room_for(&pattern->key.template, &match)};
    filling.name.data = arena_try_alloc(arena, filling.room);
    if (filling.name.data == NULL) return false;
    /* A name that means something else when it is written canonically stays what it is: another
     * pattern's key, or one with other values, where a trailing variable took several segments. */
    if (fill_canonical(matcher_catalog(table->matcher, number), pattern, &match, &filling) &&
        matcher_match(table->matcher, PATTERN_KEY, filling.name, MATCHER_DATABASE_ANY, &own) &&
        own.id == number && own.alias == 0 && agree(&match, &own)) {
        *ret_name = filling.name;
        *ret_number = number;
    }
    return true;
}

/* Alias number `alias` with the values of the canonical match, prefixes as in
 * expansion number `index`. */
static bool fill_alias(const struct catalog *catalog, const struct template *alias,
                       const struct match *match, size_t index, struct filling *filling) {
    uint32_t expansion = (uint32_t)index;
    for (size_t i = 0; i < alias->part_count; i++) {
        const struct template_part *part = &alias->parts[i];
        struct bytes text = part->text;
        if (part->is_variable) {
            const struct match_variable *variable = variable_of(match, text);
            const char *known = template_expansion_value(catalog->prefixes, catalog->prefix_count,
                                                         text, &expansion);
            if (known == NULL && variable == NULL) return false;
            text = known ? bytes_from_string(known) : variable->value;
            if (known != NULL && variable != NULL && !bytes_equal(text, variable->value))
                return false;
        }
        if (!add(filling, text)) return false;
    }
    return true;
}

void alias_each_twin(const struct alias_table *table, unsigned number, struct bytes canonical,
                     void (*visit)(void *context, struct bytes twin), void *context) {
    struct match match;
    const struct catalog *catalog = matcher_catalog(table->matcher, number);
    const struct pattern *pattern = matcher_pattern(table->matcher, number);
    struct arena arena;
    if (!matcher_match(table->matcher, PATTERN_KEY, canonical, MATCHER_DATABASE_ANY, &match))
        return;
    arena_init(&arena);
    for (size_t a = 0; a < pattern->alias_count; a++) {
        const struct template *alias = &pattern->aliases[a].template;
        size_t expansions = template_expansions(alias, catalog->prefixes, catalog->prefix_count);
        for (size_t index = 0; index < expansions; index++) {
            struct filling filling = {.room = room_for(alias, &match)};
            struct bytes back;
            unsigned of;
            filling.name.data = arena_alloc(&arena, filling.room);
            /* What leads back is a twin; and nothing else does. */
            if (fill_alias(catalog, alias, &match, index, &filling) &&
                alias_canonical(table, filling.name, &arena, &back, &of) &&
                bytes_equal(back, canonical) && !bytes_equal(filling.name, canonical))
                visit(context, filling.name);
        }
    }
    arena_done(&arena);
}

/* ---- adopting ---- */

void alias_adopt(struct store *store, const struct alias_table *table, unsigned number, unsigned db,
                 const struct key *key, const struct key *twin, int64_t now_ms) {
    struct alias_progress *progress = alias_progress(table, number);
    bool there = store_find(store, db, key, now_ms) != NULL;
    /* Whatever its age: it expires under its canonical name. */
    struct entry *legacy = store_find(store, db, twin, INT64_MIN);
    if (legacy == NULL) return;
    if (there)
        store_delete(store, db, twin, legacy, true);
    else
        store_move(store, db, twin, legacy, db, key);
    if (progress == NULL) return;
    atomic_fetch_add_explicit(there ? &progress->conflicts : &progress->moved, 1,
                              memory_order_relaxed);
    if (atomic_load_explicit(&progress->left, memory_order_relaxed) > 0)
        atomic_fetch_sub_explicit(&progress->left, 1, memory_order_relaxed);
}

void aliases_disturb(struct aliases *aliases) {
    atomic_store(&aliases->disturbed, true);
}
