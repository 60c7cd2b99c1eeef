/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_note.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/format.h"
#include "server/client.h"
#include "server/command.h"
#include "server/guard.h"
#include "server/guard_arguments.h"
#include "server/notify.h"
#include "server/request.h"
#include "server/server.h"
#include "store/patterns.h"

static void copy_name(char to[VIOLATION_NAME_MAX], const char *name) {
    snprintf(to, VIOLATION_NAME_MAX, "%s", name);
}

/* How many bytes of a text's beginning are one character that can be shown; 0: none is. */
static size_t character(struct bytes text) {
    unsigned char first = (unsigned char)text.data[0];
    if (first < 0x80) return first >= ' ' && first != 0x7f;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    return len <= text.len && format_accepts(FORMAT_TEXT, bytes_make(text.data, len)) ? len : 0;
}

enum { SHOWN_ROOM = GUARD_SHOWN_MAX + 8 };

/* The beginning of a key or value as text that any client can decode. */
static const char *shown(struct bytes text, char out[SHOWN_ROOM]) {
    size_t used = 0;
    while (text.len > 0 && used < GUARD_SHOWN_MAX) {
        size_t len = character(text);
        if (len > 0)
            memcpy(out + used, text.data, len);
        else
            snprintf(out + used, 5, "\\x%02x", (unsigned char)text.data[0]);
        used += len ? len : 4;
        text = bytes_make(text.data + (len ? len : 1), text.len - (len ? len : 1));
    }
    out[used] = '\0';
    return out;
}

/* What is wrong with a key, and what would be right. */
static void describe(char *out, size_t room, const struct request *request,
                     const struct guard_place *place, const struct guard_finding *finding) {
    const struct pattern *pattern = place->rules->pattern;
    const char *catalog = place->rules->catalog->name;
    char what[SHOWN_ROOM];
    shown(bytes_make(finding->what, finding->what_len), what);
    switch (finding->kind) {
    case VIOLATION_TYPE:
        snprintf(out, room, "must be a %s", pattern_type_names[pattern->type]);
        break;
    case VIOLATION_DATABASE:
        snprintf(out, room, "does not belong in database %u, but in database %u", place->db,
                 pattern->databases[0]);
        break;
    case VIOLATION_KEY_SIZE:
        snprintf(out, room, "has a longer name than %llu bytes",
                 (unsigned long long)pattern->key_bytes_max);
        break;
    case VIOLATION_VALUE_SIZE:
        snprintf(out, room, "may have no more than %llu bytes",
                 (unsigned long long)pattern->value_bytes_max);
        break;
    case VIOLATION_ELEMENTS:
        snprintf(out, room, "may have no more than %llu elements",
                 (unsigned long long)pattern->elements_max);
        break;
    case VIOLATION_FIELD:
        snprintf(out, room, "has no field '%s': CATALOG DESCRIBE lists them", what);
        break;
    case VIOLATION_FORMAT:
        snprintf(out, room, "must hold %s, which '%s' does not", format_names[finding->format],
                 what);
        break;
    case VIOLATION_LIFETIME_MISSING:
        snprintf(out, room, "needs a lifetime: %s", guard_lifetime_remedy(request));
        break;
    case VIOLATION_LIFETIME_LONG:
        snprintf(out, room, "may live no longer than %lld ms",
                 (long long)pattern->lifetime.maximum_ms);
        break;
    default: snprintf(out, room, "matches no pattern, and %.64s allows no others", catalog);
    }
}

static void write_text(char out[VIOLATION_TEXT_MAX], const struct request *request,
                       const struct guard_place *place, const struct guard_finding *finding) {
    enum { WHAT_MAX = 288 };
    const struct pattern_rules *rules = place->rules;
    char key[SHOWN_ROOM], what[WHAT_MAX];
    shown(place->key->name, key);
    describe(what, sizeof what, request, place, finding);
    if (rules->pattern)
        snprintf(out, VIOLATION_TEXT_MAX, "'%s' %s (pattern %.64s of %.64s)", key, what,
                 rules->pattern->name, rules->catalog->name);
    else
        snprintf(out, VIOLATION_TEXT_MAX, "'%s' %s", key, what);
}

/* ---- counting ---- */

/* A script that is on trial may be run again, and do the same again. */
struct held_violation {
    struct held_violation *next;
    uint16_t id;
    struct violation violation;
};

static _Thread_local struct { struct held_violation *first, *last; } held;

static void count(struct server *server, uint16_t id, const struct violation *violation) {
    store_count(server->store, id, TALLY_VIOLATIONS);
    violations_add(server->violations, violation);
}

static void hold(uint16_t id, const struct violation *violation) {
    struct held_violation *each = mem_alloc(sizeof *each);
    *each = (struct held_violation){.id = id, .violation = *violation};
    if (held.first == NULL)
        held.first = each;
    else
        held.last->next = each;
    held.last = each;
}

void guard_end_holding(struct server *server) {
    struct held_violation *next;
    for (struct held_violation *each = held.first; each != NULL; each = next) {
        next = each->next;
        if (server != NULL) count(server, each->id, &each->violation);
        mem_free(each);
    }
    held.first = NULL;
}

static void note(const struct request *request, uint64_t client, const struct guard_place *place,
                 const struct guard_finding *finding, bool prevented, const char *text) {
    const struct pattern_rules *rules = place->rules;
    struct bytes name = place->key->name;
    struct violation violation;
    memset(&violation, 0, sizeof violation);
    violation.at_ms = request->now_ms;
    violation.client = client;
    violation.kind = finding->kind;
    violation.refused = prevented;
    violation.db = place->db;
    copy_name(violation.pattern, rules->pattern ? rules->pattern->name : "");
    copy_name(violation.catalog, rules->catalog ? rules->catalog->name : "");
    copy_name(violation.command, request->command->name);
    memcpy(violation.text, text, strlen(text));
    violation.key_len = (uint16_t)(name.len < VIOLATION_KEY_MAX ? name.len : VIOLATION_KEY_MAX);
    if (violation.key_len) memcpy(violation.key, name.data, violation.key_len);
    if (notify_holds())
        hold(place->id, &violation);
    else
        count(request->server, place->id, &violation);
}

static uint64_t client_of(const struct request *request) {
    return request->client ? request->client->id : 0;
}

void guard_note_of(const struct request *request, uint64_t client, const struct guard_place *place,
                   const struct guard_finding *finding, bool prevented) {
    char text[VIOLATION_TEXT_MAX];
    write_text(text, request, place, finding);
    note(request, client, place, finding, prevented, text);
}

void guard_note(const struct request *request, const struct guard_place *place,
                const struct guard_finding *finding, bool prevented) {
    guard_note_of(request, client_of(request), place, finding, prevented);
}

void guard_refuse(struct request *request, const struct guard_place *place,
                  const struct guard_finding *finding) {
    char text[VIOLATION_TEXT_MAX];
    write_text(text, request, place, finding);
    note(request, client_of(request), place, finding, true, text);
    reply_error_format(request->reply, "CATALOG %s: %s", violation_names[finding->kind], text);
}
