/* SPDX-License-Identifier: BSD-3-Clause */
#include "catalog/diagnostics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"

struct kept {
    struct diagnostic diagnostic;
    size_t order; /* in which it was added: qsort is not stable */
};

struct diagnostics {
    struct arena arena;
    struct kept *kept;
    size_t count, room;
    size_t added[SEVERITIES];
    size_t lost;
    const char *file; /* the last copy of a file's name */
    bool last_kept;   /* the finding added last was kept */
};

struct diagnostics *diagnostics_new(void) {
    struct diagnostics *diagnostics = mem_zalloc(sizeof *diagnostics);
    arena_init(&diagnostics->arena);
    return diagnostics;
}

void diagnostics_free(struct diagnostics *diagnostics) {
    if (!diagnostics) return;
    arena_done(&diagnostics->arena);
    mem_free(diagnostics->kept);
    mem_free(diagnostics);
}

static struct place keep_place(struct diagnostics *diagnostics, struct place place) {
    if (!place.file) return place;
    if (!diagnostics->file || strcmp(diagnostics->file, place.file) != 0)
        diagnostics->file = arena_printf(&diagnostics->arena, "%s", place.file);
    place.file = diagnostics->file;
    return place;
}

/* Copies a sentence; what would break a line or a terminal is shown as
 * '?', bytes above 127 stay. */
static const char *keep_text(struct diagnostics *diagnostics, const char *format, va_list args) {
    char text[DIAGNOSTIC_TEXT_MAX];
    vsnprintf(text, sizeof text, format, args);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 127) *at = '?';
    }
    return arena_printf(&diagnostics->arena, "%s", text);
}

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
                     struct place place, const char *format, ...) {
    va_list args;
    diagnostics->added[severity]++;
    diagnostics->last_kept = diagnostics->count < DIAGNOSTICS_MAX;
    if (!diagnostics->last_kept) {
        diagnostics->lost++;
        return;
    }
    if (diagnostics->count == diagnostics->room) {
        diagnostics->room = diagnostics->room ? 2 * diagnostics->room : 16;
        diagnostics->kept =
            mem_realloc(diagnostics->kept, diagnostics->room * sizeof *diagnostics->kept);
    }
    va_start(args, format);
    diagnostics->kept[diagnostics->count] = (struct kept){
        .diagnostic = {.severity = severity,
                       .code = code,
                       .place = keep_place(diagnostics, place),
                       .what = keep_text(diagnostics, format, args)},
        .order = diagnostics->count,
    };
    va_end(args);
    diagnostics->count++;
}

static struct diagnostic *last(struct diagnostics *diagnostics) {
    return diagnostics->last_kept && diagnostics->count
               ? &diagnostics->kept[diagnostics->count - 1].diagnostic
               : NULL;
}

void diagnostics_remedy(struct diagnostics *diagnostics, const char *format, ...) {
    struct diagnostic *diagnostic = last(diagnostics);
    va_list args;
    if (!diagnostic) return;
    va_start(args, format);
    diagnostic->remedy = keep_text(diagnostics, format, args);
    va_end(args);
}

void diagnostics_other(struct diagnostics *diagnostics, struct place other) {
    struct diagnostic *diagnostic = last(diagnostics);
    if (diagnostic) diagnostic->other = keep_place(diagnostics, other);
}

void diagnostics_forget(struct diagnostics *diagnostics, const char *code) {
    size_t kept = 0;
    for (size_t i = 0; i < diagnostics->count; i++) {
        if (strcmp(diagnostics->kept[i].diagnostic.code, code) == 0) {
            diagnostics->added[diagnostics->kept[i].diagnostic.severity]--;
        } else {
            diagnostics->kept[kept++] = diagnostics->kept[i];
        }
    }
    diagnostics->count = kept;
    diagnostics->last_kept = false;
}

static int compare(const void *left, const void *right) {
    const struct kept *a = left, *b = right;
    const struct place *x = &a->diagnostic.place, *y = &b->diagnostic.place;
    int order = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (order != 0) return order;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void diagnostics_sort(struct diagnostics *diagnostics) {
    if (diagnostics->count)
        qsort(diagnostics->kept, diagnostics->count, sizeof *diagnostics->kept, compare);
    diagnostics->last_kept = false;
}

size_t diagnostics_count(const struct diagnostics *diagnostics) {
    return diagnostics->count;
}

const struct diagnostic *diagnostics_at(const struct diagnostics *diagnostics, size_t index) {
    kn_require(index < diagnostics->count);
    return &diagnostics->kept[index].diagnostic;
}

size_t diagnostics_of(const struct diagnostics *diagnostics, enum severity severity) {
    return diagnostics->added[severity];
}

size_t diagnostics_lost(const struct diagnostics *diagnostics) {
    return diagnostics->lost;
}

const char *severity_name(enum severity severity) {
    static const char *const names[SEVERITIES] = {"note", "warning", "error"};
    return names[severity];
}

int diagnostic_print(const struct diagnostic *diagnostic, struct buffer *buffer) {
    const struct place *place = &diagnostic->place;
    int error = buffer_printf(buffer, "%s:", place->file ? place->file : "catalog");
    if (!error && place->line)
        error = buffer_printf(buffer, "%u:%u:", place->line, place->column ? place->column : 1);
    if (!error)
        error =
            buffer_printf(buffer, " %s: %s", severity_name(diagnostic->severity), diagnostic->what);
    if (!error && diagnostic->other.line)
        error =
            buffer_printf(buffer, " (see %s:%u)", diagnostic->other.file, diagnostic->other.line);
    if (!error && diagnostic->remedy) error = buffer_printf(buffer, "; %s", diagnostic->remedy);
    if (!error) error = buffer_printf(buffer, " [%s]", diagnostic->code);
    return error;
}
