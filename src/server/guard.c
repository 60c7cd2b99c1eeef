/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is looked at when
 *
 * A pattern that is observed must cost next to nothing: so its rules are looked at after the
 * command, and only if the store noted that the key came, or that its type, size or expiry changed,
 * or if the pattern has rules about what values hold.
 *
 * A pattern that is enforced is looked at before, at the price of one more lookup: can this
 * command, with these arguments, break it (guard_foresee.c)? Mostly it cannot, and runs as ever.
 * Where it can, that may still come to nothing, as with SET NX of a key that is there, and many
 * results are not to be told beforehand. So then the command runs on trial: its keys are noted and
 * its events kept back, and its result is judged (guard_judge.c) before the shards are given back.
 * What breaks the pattern is undone, and an error takes the place of the reply. Nobody sees
 * anything of it. So the rules hold for every command, whether or not it is known here; what is
 * known only saves trials.
 *
 * A trial copies what the command writes to. It does not copy a large collection that is changed in
 * place: commands that do that bring what their arguments say, and these decide, if anything a
 * little too strictly (guard_size_after).
 *
 * Lifetimes are seen to afterwards in both modes: a key is often born without one and gets it with
 * the next command. An enforced pattern's default is given, and what is too long is cut. Only who
 * could have said a lifetime, and must, is refused.
 */
#include "server/guard.h"

#include <string.h>

#include "base/arena.h"
#include "server/command.h"
#include "server/guard_arguments.h"
#include "server/guard_foresee.h"
#include "server/guard_judge.h"
#include "server/guard_note.h"
#include "server/guard_owed.h"
#include "server/notify.h"
#include "server/request.h"
#include "server/server.h"
#include "store/dealing.h"
#include "store/patterns.h"
#include "store/undo.h"

enum { TRIAL_KEYS_MAX = 64 };
enum { SLACK_MS = 1000 }; /* between the clocks of those who compute a moment and the server's */

static struct guard_place place_of(const struct request *request, const struct key *key,
                                   unsigned db, const struct entry *entry) {
    uint16_t id = entry ? entry->pattern : store_pattern_id(request->store, db, key->name);
    return (struct guard_place){key, db, id, store_pattern_rules(request->store, id)};
}

/* ---- afterwards ---- */

static void see_to_lifetime(struct request *request, uint32_t index,
                            const struct guard_place *place, struct entry *entry, bool is_new) {
    const struct lifetime *lifetime = &place->rules->pattern->lifetime;
    int64_t at_ms = entry_expiry(entry), wanted_ms = 0;
    bool enforced = place->rules->mode == MODE_ENFORCE;
    struct guard_finding finding;
    finding.kind = VIOLATION_NONE;
    if (at_ms == ENTRY_EXPIRY_NONE) {
        if (!lifetime->required && !lifetime->default_ms) return;
        bool anew = is_new || guard_overwrites(request, index);
        enum guard_lifetime said = guard_lifetime_said(request, true);
        if (lifetime->required || (lifetime->default_ms && anew))
            wanted_ms = lifetime->default_ms ? lifetime->default_ms : lifetime->maximum_ms;
        bool given = enforced && wanted_ms, left_out = said == GUARD_LIFETIME_LEFT_OUT;
        /* A default is a convenience where no lifetime is required. */
        if (given ? lifetime->required : left_out && (lifetime->required || wanted_ms))
            finding.kind = VIOLATION_LIFETIME_MISSING;
        if (!given && lifetime->required && anew && said == GUARD_LIFETIME_UNSAYABLE)
            guard_owe(request, place);
    } else if (lifetime->maximum_ms && at_ms > request->now_ms + lifetime->maximum_ms + SLACK_MS) {
        finding.kind = VIOLATION_LIFETIME_LONG;
        wanted_ms = lifetime->maximum_ms;
    }
    if (enforced && wanted_ms) {
        store_set_expiry(request->store, place->db, place->key, entry, request->now_ms + wanted_ms);
        request->changes++;
        store_count_write(request->store, place->db, place->key);
        store_changed(request->store, place->db, place->key, EVENT_GENERIC, "expire");
    }
    if (finding.kind != VIOLATION_NONE) guard_note(request, place, &finding, enforced && wanted_ms);
}

/* What a command has brought, or computed, of formats and fields that an
 * observed pattern does not know. */
static void examine(const struct request *request, uint32_t index, struct guard_case *about,
                    struct guard_finding *finding) {
    struct guard_brought walk;
    if (guard_brought(&walk, request, index, about->after, true)) {
        guard_judge_brought(&walk, about->pattern, finding);
    } else if (about->after != NULL && !guard_leaves_values(request, about->after) &&
               (guard_overwrites(request, index) || guard_is_transfer(request) ||
                entry_type(about->after) == TYPE_STRING)) {
        about->contents = true;
        guard_judge(about, finding);
    }
}

/* changed: the entry's outside may be another. What is seldom done is kept out of
 * line, so that the usual write does not pay for its registers. */
static __attribute__((noinline)) void look_at(struct request *request, uint32_t index,
                                              const struct guard_place *place, struct entry *entry,
                                              bool changed, bool is_new) {
    const struct pattern_rules *rules = place->rules;
    struct guard_finding finding;
    if (rules->mode == MODE_OFF) return;
    finding.kind = VIOLATION_NONE;
    if (rules->pattern == NULL) {
        finding.kind = VIOLATION_UNMATCHED;
        if (is_new && rules->mode == MODE_OBSERVE) guard_note(request, place, &finding, false);
        return;
    }
    if (rules->mode == MODE_OBSERVE) {
        struct guard_case about = {.key = place->key,
                                   .db = place->db,
                                   .pattern = rules->pattern,
                                   .after = changed && rules->about_entry ? entry : NULL,
                                   .now_ms = request->now_ms};
        guard_judge(&about, &finding);
        about.after = entry;
        if (finding.kind == VIOLATION_NONE && rules->about_arguments)
            examine(request, index, &about, &finding);
        if (finding.kind != VIOLATION_NONE) guard_note(request, place, &finding, false);
    }
    if (entry != NULL && changed && rules->about_entry)
        see_to_lifetime(request, index, place, entry, is_new);
}

/* RENAME, COPY and MOVE have changed one key, which may be in another database. */
static void look_at_target(struct request *request) {
    const struct key *to;
    unsigned db;
    if (!guard_transfer_target(request, &to, &db)) return;
    struct entry *entry = store_find(request->store, db, to, request->now_ms);
    if (entry == NULL) return;
    struct guard_place place = place_of(request, to, db, entry);
    look_at(request, request->key_count - 1, &place, entry, true, true);
}

static __attribute__((noinline)) void look_at_many(struct request *request) {
    if (guard_is_transfer(request)) {
        look_at_target(request);
        return;
    }
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct key *key = request_key(request, i);
        if (!guard_brings(request, i)) continue;
        struct entry *entry = store_find(request->store, request->db, key, request->now_ms);
        if (entry == NULL) continue;
        struct guard_place place = place_of(request, key, request->db, entry);
        look_at(request, i, &place, entry, true, store_has_come(key->hash));
    }
}

static __attribute__((noinline)) void look_at_one(struct request *request, uint16_t id,
                                                  bool changed) {
    const struct store_dealing *dealing = &store_dealing;
    const struct key *key = request_key(request, 0);
    struct entry *entry = dealing->entry;
    if (!guard_brings(request, 0)) return;
    if (entry == NULL || (entry_has(entry, ENTRY_EXPIRES) && entry_expiry(entry) < request->now_ms))
        entry = store_find(request->store, request->db, key, request->now_ms);
    struct guard_place place = {key, request->db, id, store_pattern_rules(request->store, id)};
    look_at(request, 0, &place, entry, changed, dealing->is_new);
}

/* The usual case, seen at a glance. */
static inline bool is_as_asked(const struct request *request, const struct pattern_rules *rules,
                               const struct entry *entry) {
    if (!rules->about_little || entry == NULL) return false;
    const struct pattern *pattern = rules->pattern;
    const struct lifetime *lifetime = &pattern->lifetime;
    if (pattern->type != PATTERN_TYPE_UNSTATED && entry_type(entry) != guard_type_wanted(pattern))
        return false;
    if (!entry_has(entry, ENTRY_EXPIRES)) return !lifetime->required && !lifetime->default_ms;
    int64_t at_ms = entry_expiry(entry);
    return at_ms >= request->now_ms && (lifetime->maximum_ms == 0 ||
                                        at_ms <= request->now_ms + lifetime->maximum_ms + SLACK_MS);
}

void guard_after(struct request *request, bool failed) {
    if (kn_unlikely(failed) || kn_unlikely(request->changes == 0)) return;
    if (kn_unlikely(request->key_count != 1 || request->command->flags & COMMAND_OTHER_DB)) {
        look_at_many(request);
        return;
    }
    const struct store_dealing *dealing = &store_dealing;
    if (dealing->hash != request_key(request, 0)->hash || dealing->db != request->db) return;
    uint16_t id = store_dealing_id();
    const struct pattern_rules *rules = store_pattern_rules(request->store, id);
    /* The store notes that an entry is another, not that its value has grown where it is. */
    bool changed = dealing->changed || rules->about_size;
    if (rules->about_arguments ||
        (changed && rules->about_entry && !is_as_asked(request, rules, dealing->entry)))
        look_at_one(request, id, changed);
}

/* ---- on trial ---- */

struct counted {
    uint16_t id;
    int64_t writes;
};

struct trial {
    struct undo undo;
    struct notify_mark events;
    struct counted *counted; /* for each key */
    size_t reply_mark;
    uint32_t errors;
    uint64_t changes;
};

static void trial_begin(struct request *request, struct trial *trial) {
    struct store *store = request->store;
    *trial = (struct trial){.reply_mark = reply_defer(request->reply),
                            .errors = request->reply->errors,
                            .changes = request->changes};
    trial->counted = arena_alloc(request->arena, request->key_count * sizeof *trial->counted);
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct key *key = request_key(request, i);
        const struct entry *entry = store_find(store, request->db, key, request->now_ms);
        uint16_t id = entry ? entry->pattern : store_pattern_id(store, request->db, key->name);
        trial->counted[i] = (struct counted){id, store_writes_counted(store, id)};
        if (!(guard_key_flags(request, i) & KEY_RO))
            undo_keep(&trial->undo, store, request->db, key, request->now_ms);
    }
    trial->events = notify_begin_trial();
}

static void trial_end(struct request *request, struct trial *trial, bool undone) {
    struct store *store = request->store;
    if (undone) {
        undo_apply(&trial->undo, store);
        for (uint32_t i = 0; i < request->key_count; i++)
            store_uncount_writes(store, trial->counted[i].id, trial->counted[i].writes);
        reply_rewind(request->reply, trial->reply_mark);
        request->reply->errors = trial->errors;
        request->changes = trial->changes;
    } else {
        undo_forget(&trial->undo, store);
    }
    notify_end_trial(request->server, trial->events, undone);
}

/* Whether a key is without a lifetime by what this command said, or left out. */
static bool leaves_lifetime_out(const struct request *request, const struct guard_case *about) {
    const struct entry *before = about->before;
    bool had = before != NULL && entry_expiry(before) != ENTRY_EXPIRY_NONE;
    return guard_wants_lifetime_said(about->pattern) && about->after != NULL &&
           entry_expiry(about->after) == ENTRY_EXPIRY_NONE &&
           (before == NULL || about->anew || had) &&
           guard_lifetime_said(request, had) == GUARD_LIFETIME_LEFT_OUT;
}

/* What the command has made of one of its keys. before: what that was. */
static void judge_result(const struct request *request, uint32_t index,
                         const struct guard_place *place, const struct entry *before,
                         const struct entry *after, struct guard_finding *finding) {
    const struct pattern_rules *rules = place->rules;
    *finding = (struct guard_finding){.kind = VIOLATION_NONE};
    if (rules->mode != MODE_ENFORCE || after == NULL) return;
    if (rules->pattern == NULL) {
        if (before == NULL) finding->kind = VIOLATION_UNMATCHED;
        return;
    }
    struct guard_case about = {.key = place->key,
                               .db = place->db,
                               .pattern = rules->pattern,
                               .before = before,
                               .after = after,
                               .anew = guard_overwrites(request, index),
                               .contents = rules->about_arguments,
                               .now_ms = request->now_ms};
    guard_judge(&about, finding);
    if (finding->kind == VIOLATION_NONE && leaves_lifetime_out(request, &about))
        finding->kind = VIOLATION_LIFETIME_MISSING;
}

/* Judges all keys; false, with where and what, when one must not be. */
static bool trial_passes(const struct request *request, const struct trial *trial,
                         struct guard_place *ret_place, struct guard_finding *ret_finding) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct key *key = request_key(request, i);
        if (!guard_brings(request, i)) continue;
        const struct entry *after = store_find(request->store, request->db, key, request->now_ms);
        *ret_place = place_of(request, key, request->db, after);
        judge_result(request, i, ret_place, undo_saved(&trial->undo, request->db, key), after,
                     ret_finding);
        if (ret_finding->kind != VIOLATION_NONE) return false;
    }
    return true;
}

static void trial_look(struct request *request, const struct trial *trial) {
    for (uint32_t i = 0; i < request->key_count; i++) {
        const struct key *key = request_key(request, i);
        struct entry *entry = store_find(request->store, request->db, key, request->now_ms);
        if (!guard_brings(request, i) || entry == NULL) continue;
        struct guard_place place = place_of(request, key, request->db, entry);
        bool is_new = undo_saved(&trial->undo, request->db, key) == NULL;
        look_at(request, i, &place, entry, true, is_new);
    }
}

static void run_on_trial(struct request *request) {
    struct trial trial;
    struct guard_place place;
    struct guard_finding finding;
    trial_begin(request, &trial);
    request->command->handler(request);
    store_settle(request->store);
    /* What blocks, fails, or has to begin again has changed nothing. */
    bool changed = request->changes != trial.changes;
    bool passes = !changed || trial_passes(request, &trial, &place, &finding);
    if (passes && changed) trial_look(request, &trial);
    trial_end(request, &trial, !passes);
    if (!passes) guard_refuse(request, &place, &finding);
}

/* ---- enforcing ---- */

static void run_plainly(struct request *request) {
    uint32_t errors = request->reply->errors;
    store_begin_dealing();
    request->command->handler(request);
    guard_after(request, request->reply->errors != errors);
}

/* A value that is there is judged where it is, so that nothing has to be undone. */
static void run_transfer(struct request *request) {
    struct guard_transfer transfer;
    struct guard_finding finding = {.kind = VIOLATION_NONE};
    if (guard_transfer(request, &transfer)) {
        const struct pattern_rules *rules;
        struct guard_place place = place_of(request, transfer.to, transfer.db, transfer.there);
        rules = place.rules;
        bool comes = transfer.value->pattern != place.id;
        struct guard_case about = {.key = transfer.to,
                                   .db = transfer.db,
                                   .pattern = rules->pattern,
                                   .before = comes ? NULL : transfer.value,
                                   .after = transfer.value,
                                   .contents = rules->about_arguments && comes,
                                   .now_ms = request->now_ms};
        /* In its own pattern a value brings nothing, but perhaps a name or a database. */
        if (rules->mode == MODE_ENFORCE && rules->pattern == NULL) {
            if (transfer.there == NULL && comes) finding.kind = VIOLATION_UNMATCHED;
        } else if (rules->mode == MODE_ENFORCE) {
            guard_judge(&about, &finding);
            if (finding.kind == VIOLATION_NONE) finding.kind = guard_judge_place(&about);
            if (finding.kind == VIOLATION_NONE && comes && leaves_lifetime_out(request, &about))
                finding.kind = VIOLATION_LIFETIME_MISSING;
        }
        if (finding.kind != VIOLATION_NONE) {
            guard_refuse(request, &place, &finding);
            return;
        }
    }
    run_plainly(request);
}

/* Whether to undo the command would mean to copy a large collection that it changes in place. */
static bool is_large(const struct request *request) {
    struct guard_brought walk;
    bool large = false;
    for (uint32_t i = 0; i < request->key_count && !large; i++) {
        if (guard_key_flags(request, i) & (KEY_RO | KEY_OW)) continue;
        const struct entry *entry =
            store_find(request->store, request->db, request_key(request, i), request->now_ms);
        large = entry != NULL && guard_is_large(entry);
    }
    return large && guard_brought(&walk, request, request->key_count - 1, NULL, false);
}

/* A limit that may have been passed by a little. */
static void note_doubtful(struct request *request) {
    struct guard_finding finding = {.kind = VIOLATION_ELEMENTS};
    const struct key *key = request_key(request, 0);
    const struct entry *entry = store_find(request->store, request->db, key, request->now_ms);
    if (entry == NULL) return;
    struct guard_place place = place_of(request, key, request->db, entry);
    if (entry_count(entry) > place.rules->pattern->elements_max)
        guard_note(request, &place, &finding, false);
}

/* Debug builds run what needs no trial on one now and then, so that tests see
 * that it makes no difference. */
static bool tries_for_practice(const struct request *request) {
#ifdef KN_DEBUG
    static _Thread_local unsigned writes;
    return ++writes % 3 == 0 && request->key_count <= TRIAL_KEYS_MAX && !is_large(request);
#else
    (void)request;
    return false;
#endif
}

void guard_run(struct request *request) {
    struct store *store = request->store;
    struct guard_foresight foresight;
    bool suspected = false, doubtful = false;
    if (guard_is_transfer(request)) {
        run_transfer(request);
        return;
    }
    bool nothing = guard_does_nothing(request);
    for (uint32_t i = 0; i < request->key_count && !nothing; i++) {
        const struct key *key = request_key(request, i);
        if (!guard_brings(request, i)) continue;
        const struct entry *entry = store_find(store, request->db, key, request->now_ms);
        struct guard_place place = place_of(request, key, request->db, entry);
        if (place.rules->mode != MODE_ENFORCE) continue;
        guard_foresee(request, i, place.rules, entry, &foresight);
        doubtful |= foresight.doubtful;
        if (foresight.suspicion.kind == VIOLATION_NONE) continue;
        suspected = true;
        bool certain =
            request->key_count > TRIAL_KEYS_MAX || strcmp(request->command->name, "mset") == 0;
        if (!certain && !is_large(request)) break;
        guard_refuse(request, &place, &foresight.suspicion);
        return;
    }
    if (suspected || tries_for_practice(request))
        run_on_trial(request);
    else
        run_plainly(request);
    if (doubtful && request->changes) note_doubtful(request);
}
