/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/aliases.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "catalog/matcher.h"
#include "store/patterns.h"
#include "store/store.h"

struct alias_table {
    _Atomic unsigned refs;
    const struct matcher *matcher;
    void (*release)(void *context);
    void *context;
    size_t numbers;
    struct alias_progress progress[]; /* by number; of patterns with aliases */
};

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

struct alias_table *alias_table_new(const struct matcher *matcher, void (*release)(void *context),
                                    void *context) {
    size_t numbers = matcher_pattern_count(matcher) + 1;
    unsigned with = 0;
    for (unsigned i = 1; i < numbers; i++) with += has_aliases(matcher, i);
    if (with == 0) return NULL;
    struct alias_table *table = mem_zalloc(sizeof *table + numbers * sizeof(struct alias_progress));
    table->refs = 1;
    table->matcher = matcher;
    table->release = release;
    table->context = context;
    table->numbers = numbers;
    for (unsigned i = 1; i < numbers; i++) {
        table->progress[i].pending = has_aliases(matcher, i);
        table->progress[i].left = ALIAS_LEFT_UNKNOWN;
    }
    return table;
}

void alias_table_ref(struct alias_table *table) {
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

void alias_table_unref(struct alias_table *table) {
    if (table == NULL || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) > 1)
        return;
    table->release(table->context);
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
    if (number == 0 || number >= table->numbers || !has_aliases(table->matcher, number))
        return NULL;
    return (struct alias_progress *)(uintptr_t)&table->progress[number];
}

bool aliases_pending(struct aliases *aliases) {
    const struct alias_table *table = aliases_now(aliases, NULL);
    if (table == NULL) return false;
    for (unsigned i = 1; i < table->numbers; i++)
        if (atomic_load_explicit(&table->progress[i].pending, memory_order_acquire)) return true;
    return false;
}

/* ---- names ---- */

/* The longest name that templates make of a name's variables: what a key may be, and all literals. */
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

/* The pattern's own template with the values of a match. A prefix that the match does not tell has its usual value. */
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

bool alias_concerns(const struct alias_table *table, struct bytes name) {
    unsigned number = matcher_find(table->matcher, PATTERN_KEY, name, MATCHER_DATABASE_ANY);
    return number != 0 && has_aliases(table->matcher, number);
}

bool alias_canonical(const struct alias_table *table, struct bytes name, struct arena *arena,
                     struct bytes *ret_name, unsigned *ret_number) {
    struct match match, own;
    *ret_name = name;
    *ret_number = 0;
    unsigned number = matcher_find(table->matcher, PATTERN_KEY, name, MATCHER_DATABASE_ANY);
    if (number == 0 || !has_aliases(table->matcher, number)) return true;
    if (!matcher_match(table->matcher, PATTERN_KEY, name, MATCHER_DATABASE_ANY, &match))
        return true;
    const struct pattern *pattern = matcher_pattern(table->matcher, number);
    if (match.alias == 0) {
        *ret_number = number;
        return true;
    }
    struct filling filling = {.room = room_for(&pattern->key.template, &match)};
    filling.name.data = arena_try_alloc(arena, filling.room);
    if (filling.name.data == NULL) return false;
    /* A name that means something else when it is written canonically stays what it is: another pattern's key, or one
     * with other values, where a trailing variable took several segments. */
    if (fill_canonical(matcher_catalog(table->matcher, number), pattern, &match, &filling) &&
        matcher_match(table->matcher, PATTERN_KEY, filling.name, MATCHER_DATABASE_ANY, &own) &&
        own.id == number && own.alias == 0 && agree(&match, &own)) {
        *ret_name = filling.name;
        *ret_number = number;
    }
    return true;
}

/* Alias number `alias` with the values of the canonical match, prefixes as in expansion number `index`. */
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
