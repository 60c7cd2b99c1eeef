/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purging: a pattern's id is retired, and the pattern goes on with another. So a purge costs the
 * same whatever the number of keys, and is one effect.
 *
 * Where some of the keys are chosen by their variables, or where keys still wait to be matched
 * again after catalogs were replaced, a record of the purge says which of them it concerned:
 * those that were there before.
 */
#include <string.h>

#include "base/memory.h"
#include "store/patterns_inside.h"

enum { PURGES_MAX = 256 }; /* waiting for the census */

/* A record with copies of the variables, in one allocation. */
static struct purge *purge_new(const struct store *store, struct view *view, unsigned number,
                               const struct match_variable *variables, size_t count) {
    size_t bytes = store->db_count * sizeof(uint16_t);
    for (size_t i = 0; i < count; i++) bytes += variables[i].name.len + variables[i].value.len;
    struct purge *purge = mem_alloc(sizeof *purge + count * sizeof *variables + bytes);
    *purge = (struct purge){.view = view, .number = number, .count = count};
    purge->was = (uint16_t *)(purge->variables + count);
    for (unsigned db = 0; db < store->db_count; db++) purge->was[db] = (uint16_t)db;
    char *text = (char *)(purge->was + store->db_count);
    for (size_t i = 0; i < count; i++) {
        struct bytes *to[] = {&purge->variables[i].name, &purge->variables[i].value};
        struct bytes from[] = {variables[i].name, variables[i].value};
        for (unsigned part = 0; part < 2; part++) {
            if (from[part].len) memcpy(text, from[part].data, from[part].len);
            *to[part] = bytes_make(text, from[part].len);
            text += from[part].len;
        }
    }
    view_ref(view);
    return purge;
}

void purges_forget(struct patterns *patterns, uint64_t before_pass) {
    struct purge **link = &patterns->purges;
    /* The last come first: behind the first that may go, all may. */
    while (*link != NULL && (*link)->pass >= before_pass) link = &(*link)->next;
    struct purge *purge = *link;
    *link = NULL;
    while (purge != NULL) {
        struct purge *next = purge->next;
        view_unref(purge->view);
        mem_free(purge);
        patterns->purge_count--;
        purge = next;
    }
}

void purges_swap_dbs(struct patterns *patterns, unsigned a, unsigned b) {
    for (struct purge *purge = patterns->purges; purge != NULL; purge = purge->next) {
        uint16_t was = purge->was[a];
        purge->was[a] = purge->was[b];
        purge->was[b] = was;
        purge->pass = census_pass(patterns->census);
    }
}

bool purges_concern(struct patterns *patterns, uint64_t moment, unsigned db, struct bytes name) {
    bool took = false;
    lock_take(&patterns->lock);
    for (const struct purge *purge = patterns->purges;
         purge != NULL && purge->moment >= moment && !took; purge = purge->next)
        took = matcher_is(purge->view->catalogs.matcher, PATTERN_KEY, name, purge->was[db],
                          purge->number, purge->variables, purge->count);
    lock_give(&patterns->lock);
    return took;
}

/* Whether there may be keys that are to be matched again, and that then belong to this line. Every
 * shard is held, so that the counts are exact. */
static bool keys_wait(const struct patterns *patterns, const struct line *line) {
    if (!patterns->ids[ID_NEVER_MATCHED].settled) return true;
    for (unsigned id = ID_FIRST; id < patterns->id_count; id++) {
        struct tally_sums sums;
        if (patterns->state[id] != ID_STALE) continue;
        if (!patterns->ids[id].elsewhere && patterns->ids[id].line != line) continue;
        tally_sum(patterns->tally, id, &sums);
        if (sums.keys > 0) return true;
    }
    return false;
}

int64_t store_purge(struct store *store, unsigned number, const struct match_variable *variables,
                    size_t count) {
    struct patterns *patterns = patterns_of(store);
    struct view *view = patterns->view;
    struct line *line = patterns->lines[number];
    uint16_t old = view->ids[number];
    struct tally_sums sums;
    lock_take(&patterns->lock);
    uint16_t fresh =
        patterns->purge_count < PURGES_MAX ? pattern_id_take(patterns, view, number, line) : 0;
    if (fresh == 0) {
        lock_give(&patterns->lock);
        return PURGE_NO_ID;
    }
    bool others_wait = keys_wait(patterns, line);
    tally_sum(patterns->tally, old, &sums);
    if (count == 0) tally_add(patterns->tally, fresh, TALLY_PURGED, sums.keys);
    pattern_id_retire(patterns, old, count == 0 ? ID_DEAD : ID_STALE);
    view->ids[number] = fresh;
    if (count > 0 || others_wait) {
        struct purge *purge = purge_new(store, view, number, variables, count);
        purge->moment = patterns->moment;
        purge->pass = census_pass(patterns->census);
        purge->next = patterns->purges;
        patterns->purges = purge;
        patterns->purge_count++;
    }
    lock_give(&patterns->lock);
    return count > 0 || others_wait ? PURGE_UNCOUNTED : sums.keys;
}
