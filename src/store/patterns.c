/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/patterns.h"

#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

/* ---- made and freed ---- */

/* Every shard is held. */
static bool is_empty(const struct store *store) {
    size_t keys = 0;
    for (unsigned i = 0; i < SHARD_COUNT; i++)
        for (unsigned db = 0; db < store->db_count; db++)
            keys += table_count(&store->shards[i].dbs[db].table);
    return keys == 0;
}

static struct patterns *patterns_new(const struct store *store) {
    struct patterns *patterns = mem_zalloc(sizeof *patterns);
    lock_init(&patterns->lock);
    patterns->tally = tally_new(store->db_count);
    patterns->census = census_new();
    patterns->ids_room = 64;
    patterns->ids = mem_zalloc(patterns->ids_room * sizeof *patterns->ids);
    patterns->id_count = patterns->maybe_free = ID_FIRST;
    memset(patterns->state + ID_FIRST, ID_FREE, TALLY_IDS - ID_FIRST);
    patterns->free_ids = TALLY_IDS - ID_FIRST;
    /* Keys that were there before the first catalog: the census looks for them. */
    patterns->ids[ID_NEVER_MATCHED].settled = is_empty(store);
    if (!patterns->ids[ID_NEVER_MATCHED].settled)
        pattern_id_retire(patterns, ID_NEVER_MATCHED, ID_STALE);
    return patterns;
}

void view_ref(struct view *view) {
    view->refs++;
}

void view_unref(struct view *view) {
    if (--view->refs > 0) return;
    if (view->catalogs.release) view->catalogs.release(view->catalogs.context);
    mem_free(view->ids);
    mem_free(view);
}

static void line_unref(struct line *line) {
    if (--line->refs == 0) mem_free(line);
}

void patterns_free(struct patterns *patterns) {
    if (patterns == NULL) return;
    purges_forget(patterns, UINT64_MAX);
    for (unsigned id = ID_FIRST; id < patterns->id_count; id++)
        if (patterns->state[id] != ID_FREE) pattern_id_free(patterns, (uint16_t)id);
    if (patterns->view) {
        for (size_t i = 0; i < patterns->view->numbers; i++) line_unref(patterns->lines[i]);
        view_unref(patterns->view);
    }
    mem_free(patterns->lines);
    census_free(patterns->census);
    tally_free(patterns->tally);
    mem_free(patterns->ids);
    mem_free(patterns);
}

/* ---- rules ---- */

static enum catalog_mode mode_or(enum catalog_mode mode, enum catalog_mode otherwise) {
    return mode == MODE_INHERITED ? otherwise : mode;
}

/* Of several catalogs the strictest has its way with keys that match none of them;
 * one that is off has none. */
static struct pattern_rules rules_of_unmatched(const struct view *view,
                                               enum catalog_mode default_mode) {
    static const enum catalog_mode modes[] = {
        [UNMATCHED_ALLOW] = MODE_OFF,
        [UNMATCHED_OBSERVE] = MODE_OBSERVE,
        [UNMATCHED_DENY] = MODE_ENFORCE,
    };
    const struct matcher *matcher = view->catalogs.matcher;
    const struct catalog *strictest = NULL;
    for (unsigned i = 1; i <= matcher_pattern_count(matcher); i++) {
        const struct catalog *catalog = matcher_catalog(matcher, i);
        if (mode_or(catalog->mode, default_mode) != MODE_OFF &&
            catalog->unmatched > (strictest ? strictest->unmatched : UNMATCHED_ALLOW))
            strictest = catalog;
    }
    return (struct pattern_rules){
        .catalog = strictest,
        .mode = strictest ? modes[strictest->unmatched] : MODE_OFF,
        .about_entry = strictest != NULL,
    };
}

static struct pattern_rules rules_of(const struct view *view, unsigned number,
                                     enum catalog_mode default_mode) {
    if (number == 0) return rules_of_unmatched(view, default_mode);
    const struct pattern *pattern = matcher_pattern(view->catalogs.matcher, number);
    const struct catalog *catalog = matcher_catalog(view->catalogs.matcher, number);
    enum catalog_mode mode = mode_or(pattern->mode, mode_or(catalog->mode, default_mode));
    const struct lifetime *lifetime = &pattern->lifetime;
    bool little = pattern->type != PATTERN_TYPE_UNSTATED || lifetime->required ||
                  lifetime->default_ms || lifetime->maximum_ms,
         size = pattern->value_bytes_max || pattern->elements_max,
         place = pattern->database_count || pattern->key_bytes_max,
         arguments = pattern->value != FORMAT_ANY || pattern->field_count;
    struct pattern_rules rules = {.pattern = pattern, .catalog = catalog, .mode = mode};
    if (mode == MODE_OFF) return rules;
    rules.about_entry = little || size || place;
    rules.about_size = size;
    rules.about_little = little && !size && !place && !arguments;
    rules.about_arguments = arguments;
    return rules;
}

static unsigned default_mode_index(const struct store *store) {
    return atomic_load_explicit(&store->catalog_mode, memory_order_relaxed);
}

const struct pattern_rules *store_pattern_rules(const struct store *store, uint16_t id) {
    return &patterns_of(store)->ids[id].rules[default_mode_index(store)];
}

bool store_enforces(const struct store *store) {
    const struct patterns *patterns = patterns_of(store);
    return patterns != NULL && patterns->view->enforces[default_mode_index(store)];
}

void store_set_catalog_mode(struct store *store, enum catalog_mode mode) {
    kn_assert(mode >= MODE_OFF && mode < MODES);
    atomic_store_explicit(&store->catalog_mode, mode - MODE_OFF, memory_order_relaxed);
}

enum catalog_mode store_catalog_mode(const struct store *store) {
    return (enum catalog_mode)(MODE_OFF + default_mode_index(store));
}

enum catalog_mode store_mode_of_catalog(const struct store *store, const struct catalog *catalog) {
    return mode_or(catalog->mode, store_catalog_mode(store));
}

enum catalog_mode store_mode_of_pattern(const struct store *store, const struct catalog *catalog,
                                        const struct pattern *pattern) {
    return mode_or(pattern->mode, store_mode_of_catalog(store, catalog));
}

/* ---- ids ---- */

/* What all ids could need would be counted against maxmemory, though few are ever used. */
static void ids_make_room(struct patterns *patterns, unsigned id) {
    unsigned before = patterns->ids_room;
    if (id < before) return;
    patterns->ids_room = before * 2;
    patterns->ids = mem_realloc(patterns->ids, patterns->ids_room * sizeof *patterns->ids);
    memset(patterns->ids + before, 0, before * sizeof *patterns->ids);
}

uint16_t pattern_id_take(struct patterns *patterns, struct view *view, unsigned number,
                         struct line *line) {
    unsigned id = patterns->maybe_free;
    if (patterns->free_ids == 0) return 0;
    /* The lowest, since what is counted takes memory up to the highest. */
    while (patterns->state[id] != ID_FREE) id++;
    patterns->maybe_free = id + 1;
    if (id >= patterns->id_count) patterns->id_count = id + 1;
    ids_make_room(patterns, id);
    tally_forget(patterns->tally, id);
    struct pattern_id *slot = &patterns->ids[id];
    *slot = (struct pattern_id){.view = view, .line = line, .number = number};
    for (unsigned i = 0; i < MODE_DEFAULTS; i++) {
        slot->rules[i] = rules_of(view, number, (enum catalog_mode)(MODE_OFF + i));
        view->enforces[i] |= slot->rules[i].mode == MODE_ENFORCE;
    }
    slot->eviction = EVICTION_NORMAL;
    if (number != 0)
        slot->eviction = (uint8_t)matcher_pattern(view->catalogs.matcher, number)->eviction;
    view->refs++;
    line->refs++;
    patterns->state[id] = ID_LIVE;
    patterns->free_ids--;
    return (uint16_t)id;
}

void pattern_id_retire(struct patterns *patterns, uint16_t id, enum id_state state) {
    patterns->state[id] = (uint8_t)state;
    patterns->ids[id].retired_at = census_pass(patterns->census);
    patterns->ids[id].moment = ++patterns->moment;
    patterns->retired++;
    if (state == ID_DEAD) patterns->dead++;
}

void pattern_id_free(struct patterns *patterns, uint16_t id) {
    struct pattern_id *slot = &patterns->ids[id];
    struct tally_sums sums;
    if (patterns->state[id] != ID_LIVE) patterns->retired--;
    slot->settled = true;
    if (id == ID_NEVER_MATCHED) return;
    tally_sum(patterns->tally, id, &sums);
    for (unsigned i = 0; i < TALLY_COUNTS; i++) slot->line->counts[i] += sums.counts[i];
    if (patterns->state[id] == ID_DEAD) patterns->dead--;
    patterns->state[id] = ID_FREE;
    patterns->free_ids++;
    if (id < patterns->maybe_free) patterns->maybe_free = id;
    line_unref(slot->line);
    view_unref(slot->view);
    *slot = (struct pattern_id){0};
}

/* ---- catalogs in force ---- */

static struct line *line_for(const struct patterns *patterns, const struct view *view,
                             unsigned number) {
    const struct view *before = patterns->view;
    unsigned old = number == 0 ? 0 : view->catalogs.continues[number];
    struct line *line;
    if (before != NULL && (number == 0 || old != 0)) {
        line = patterns->lines[old];
    } else {
        line = mem_zalloc(sizeof *line);
    }
    line->refs++;
    line->number = number;
    line->current = true;
    return line;
}

bool store_set_catalogs(struct store *store, const struct catalogs_in_force *catalogs) {
    size_t numbers = matcher_pattern_count(catalogs->matcher) + 1;
    struct patterns *patterns = patterns_of(store);
    if (patterns == NULL) {
        patterns = patterns_new(store);
        atomic_store_explicit(&store->patterns, patterns, memory_order_release);
    }
    if (patterns->free_ids < numbers) return false;
    lock_take(&patterns->lock);
    struct view *before = patterns->view, *view = mem_zalloc(sizeof *view);
    struct line **lines = mem_alloc(numbers * sizeof *lines);
    *view = (struct view){.catalogs = *catalogs, .numbers = numbers, .refs = 1};
    view->ids = mem_alloc(numbers * sizeof *view->ids);
    for (unsigned i = 1; i < numbers; i++)
        view->by_database |= matcher_pattern(catalogs->matcher, i)->database_count > 0;
    for (size_t i = 0; before != NULL && i < before->numbers; i++) {
        patterns->lines[i]->current = false;
        pattern_id_retire(patterns, before->ids[i], ID_STALE);
        patterns->ids[before->ids[i]].elsewhere = true;
    }
    for (unsigned i = 0; i < numbers; i++) {
        lines[i] = line_for(patterns, view, i);
        view->ids[i] = pattern_id_take(patterns, view, i, lines[i]);
    }
    for (size_t i = 0; before != NULL && i < before->numbers; i++) line_unref(patterns->lines[i]);
    mem_free(patterns->lines);
    patterns->lines = lines;
    patterns->view = view;
    if (before != NULL) view_unref(before);
    lock_give(&patterns->lock);
    return true;
}

/* Where databases tell patterns apart, keys belong to others now. */
static void match_again(struct patterns *patterns) {
    struct view *view = patterns->view;
    if (!view->by_database || patterns->free_ids < view->numbers) return;
    for (unsigned i = 0; i < view->numbers; i++) {
        pattern_id_retire(patterns, view->ids[i], ID_STALE);
        patterns->ids[view->ids[i]].elsewhere = true;
        view->ids[i] = pattern_id_take(patterns, view, i, patterns->lines[i]);
    }
}

void patterns_swap_dbs(struct store *store, unsigned a, unsigned b) {
    struct patterns *patterns = patterns_of(store);
    if (patterns == NULL || a == b) return;
    lock_take(&patterns->lock);
    purges_swap_dbs(patterns, a, b);
    /* Keys may have moved to where the census has been: it has to go all
     * the way round once more. */
    for (unsigned id = 0; id < patterns->id_count; id++)
        if (patterns->state[id] != ID_LIVE)
            patterns->ids[id].retired_at = census_pass(patterns->census);
    match_again(patterns);
    lock_give(&patterns->lock);
}

bool store_counts_patterns(const struct store *store) {
    return patterns_of(store) != NULL;
}

const struct matcher *store_matcher(const struct store *store) {
    const struct patterns *patterns = patterns_of(store);
    return patterns == NULL || patterns->view == NULL ? NULL : patterns->view->catalogs.matcher;
}

uint16_t store_pattern_id(const struct store *store, unsigned db, struct bytes name) {
    const struct view *view = patterns_of(store)->view;
    return view->ids[matcher_find(view->catalogs.matcher, PATTERN_KEY, name, (int)db)];
}

unsigned store_pattern_number(const struct store *store, uint16_t id) {
    kn_assert(patterns_of(store)->state[id] == ID_LIVE);
    return patterns_of(store)->ids[id].number;
}

/* ---- entries with a retired id ---- */

bool pattern_entry_lives(const struct store *store, unsigned db, const struct entry *entry) {
    struct patterns *patterns = patterns_of(store);
    uint16_t id = entry->pattern;
    if (patterns->state[id] == ID_DEAD) return false;
    return !purges_concern(patterns, patterns->ids[id].moment, db, entry_key(entry));
}

bool pattern_settle_entry(struct store *store, unsigned db, const struct key *key,
                          struct entry *entry) {
    struct patterns *patterns = patterns_of(store);
    uint16_t old = entry->pattern;
    kn_assert(patterns->state[old] != ID_LIVE && patterns->state[old] != ID_FREE);
    if (!pattern_entry_lives(store, db, entry)) {
        /* Those of a dead id were counted when they were purged. */
        if (patterns->state[old] == ID_STALE) tally_add(patterns->tally, old, TALLY_PURGED, 1);
        store_delete(store, db, key, entry, true);
        store_changed(store, db, key, EVENT_GENERIC, "del");
        return false;
    }
    size_t bytes = entry_bytes(entry);
    entry->pattern = store_pattern_id(store, db, key->name);
    tally_held(patterns->tally, old, db, -1, -(int64_t)bytes);
    tally_held(patterns->tally, entry->pattern, db, 1, (int64_t)bytes);
    return true;
}
