/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_owed.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/client.h"
#include "server/guard_note.h"
#include "server/request.h"
#include "server/server.h"
#include "server/worker.h"
#include "store/patterns.h"
#include "store/shard.h"

struct owing {
    struct owing *next;
    int64_t due_ms;
    uint64_t client;
    const struct command *command;
    unsigned db;
    uint16_t id;
    struct key key; /* its name is the one below */
    char name[];
};

enum { NOTED_LAST = 256 };

struct guard_owed {
    struct owing *first, **end; /* in the order of their times */
    unsigned count;
    /* What was noted last: a script that had to begin again has made its keys twice. */
    struct noted {
        uint64_t hash;
        int64_t due_ms;
        unsigned db;
    } noted[NOTED_LAST];
    unsigned noted_next;
};

struct guard_owed *guard_owed_new(void) {
    struct guard_owed *owed = mem_zalloc(sizeof *owed);
    owed->end = &owed->first;
    return owed;
}

static struct owing *take_first(struct guard_owed *owed) {
    struct owing *owing = owed->first;
    owed->first = owing->next;
    if (owed->first == NULL) owed->end = &owed->first;
    owed->count--;
    return owing;
}

void guard_owed_free(struct guard_owed *owed) {
    while (owed->first != NULL) mem_free(take_first(owed));
    mem_free(owed);
}

void guard_owe(const struct request *request, const struct guard_place *place) {
    struct guard_owed *owed = worker_current()->owed;
    struct bytes name = place->key->name;
    if (owed->count >= GUARD_OWED_MAX) return;
    struct owing *owing = mem_alloc(sizeof *owing + name.len);
    *owing = (struct owing){.due_ms = request->now_ms + GUARD_OWED_MS,
                            .client = request->client ? request->client->id : 0,
                            .command = request->command,
                            .db = place->db,
                            .id = place->id,
                            .key = *place->key};
    if (name.len) memcpy(owing->name, name.data, name.len);
    owing->key.name = bytes_make(owing->name, name.len);
    *owed->end = owing;
    owed->end = &owing->next;
    owed->count++;
}

/* Whether the key has been noted within the same second; it is from now on. */
static bool is_noted(struct guard_owed *owed, const struct owing *owing) {
    for (unsigned i = 0; i < NOTED_LAST; i++) {
        const struct noted *noted = &owed->noted[i];
        if (noted->hash == owing->key.hash && noted->db == owing->db &&
            owing->due_ms - noted->due_ms < GUARD_OWED_MS)
            return true;
    }
    owed->noted[owed->noted_next++ % NOTED_LAST] =
        (struct noted){owing->key.hash, owing->due_ms, owing->db};
    return false;
}

/* Its shard is held. The catalog may be another by now: then the key is no longer of that id. */
static void look_again(struct worker *worker, const struct owing *owing) {
    struct server *server = worker->server;
    int64_t now_ms = worker->now_ms;
    struct store *store = server->store;
    const struct entry *entry = store_find(store, owing->db, &owing->key, now_ms);
    struct request request = {
        .command = owing->command, .store = store, .server = server, .now_ms = now_ms};
    struct guard_finding finding = {.kind = VIOLATION_LIFETIME_MISSING};
    if (entry == NULL || entry->pattern != owing->id || entry_expiry(entry) != ENTRY_EXPIRY_NONE)
        return;
    struct guard_place place = {&owing->key, owing->db, owing->id,
                                store_pattern_rules(store, owing->id)};
    const struct pattern *pattern = place.rules->pattern;
    if (place.rules->mode != MODE_OFF && pattern != NULL && pattern->lifetime.required &&
        !is_noted(worker->owed, owing))
        guard_note_of(&request, owing->client, &place, &finding, false);
}

void guard_owed_settle(struct worker *worker) {
    enum { BUDGET_US = 5000, LOOK_AT_TIME = 64 };
    struct guard_owed *owed = worker->owed;
    struct store *store = worker->server->store;
    int64_t start_us = clock_mono_us();
    for (unsigned looked = 1; owed->first != NULL && owed->first->due_ms <= worker->now_ms;
         looked++) {
        unsigned shard = owed->first->key.shard;
        if (looked % LOOK_AT_TIME == 0 && clock_mono_us() - start_us > BUDGET_US) return;
        /* A script that runs too long has it: the next time. */
        if (!store_take_one(store, shard)) return;
        struct owing *owing = take_first(owed);
        look_again(worker, owing);
        store_give_one(store, shard);
        mem_free(owing);
    }
}
