/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/guard_foresee.h"

#include <string.h>

#include "catalog/matcher.h"
#include "server/command.h"
#include "server/guard_arguments.h"
#include "server/request.h"
#include "store/patterns.h"

enum { LARGE_BYTES = 256 << 10, LARGE_ELEMENTS = 4096 };

bool guard_is_large(const struct entry *entry) {
    return entry_type(entry) != TYPE_STRING &&
           (entry_count(entry) > LARGE_ELEMENTS || guard_value_size(entry) > LARGE_BYTES);
}

bool guard_wants_lifetime_said(const struct pattern *pattern) {
    const struct lifetime *lifetime = &pattern->lifetime;
    return lifetime->required && !lifetime->default_ms && !lifetime->maximum_ms;
}

static enum violation_kind foresee_limits(const struct request *request, uint32_t index,
                                          const struct pattern *pattern, const struct entry *entry,
                                          bool anew, bool *ret_doubtful) {
    /* What is overwritten counts no more; but whether it is, who knows. */
    const struct entry *before = anew ? NULL : entry;
    if (pattern->value_bytes_max &&
        guard_size_after(request, index, before) > pattern->value_bytes_max)
        return VIOLATION_VALUE_SIZE;
    if (!pattern->elements_max || guard_type_made(request, index) == TYPE_STRING)
        return VIOLATION_NONE;
    if (guard_elements_after(request, index, before) <= pattern->elements_max)
        return VIOLATION_NONE;
    *ret_doubtful = before != NULL && guard_is_large(before) && guard_trims_roughly(request);
    return *ret_doubtful ? VIOLATION_NONE : VIOLATION_ELEMENTS;
}

static void foresee_contents(const struct request *request, uint32_t index,
                             const struct pattern *pattern, const struct entry *entry,
                             struct guard_finding *finding) {
    struct guard_brought walk;
    if (guard_brought(&walk, request, index, entry, false))
        guard_judge_brought(&walk, pattern, finding);
    else
        finding->kind = VIOLATION_FORMAT;
}

void guard_foresee(const struct request *request, uint32_t index, const struct pattern_rules *rules,
                   const struct entry *entry, struct guard_foresight *ret_foresight) {
    const struct pattern *pattern = rules->pattern;
    struct guard_finding *finding = &ret_foresight->suspicion;
    finding->kind = VIOLATION_NONE;
    finding->what_len = 0;
    ret_foresight->doubtful = false;
    if (pattern == NULL) {
        if (entry == NULL) finding->kind = VIOLATION_UNMATCHED;
        return;
    }
    if (guard_wants_lifetime_said(pattern) &&
        guard_lifetime_said(request, entry && entry_expiry(entry) != ENTRY_EXPIRY_NONE) ==
            GUARD_LIFETIME_LEFT_OUT) {
        finding->kind = VIOLATION_LIFETIME_MISSING;
        return;
    }
    if (guard_leaves_values(request, entry)) return;
    bool anew = entry == NULL || guard_overwrites(request, index);
    int made = guard_type_made(request, index);
    if (anew && pattern->type != PATTERN_TYPE_UNSTATED &&
        (made < 0 || (enum value_type)made != guard_type_wanted(pattern)))
        finding->kind = VIOLATION_TYPE;
    else if (entry == NULL && !pattern_allows_database(pattern, (int)request->db))
        finding->kind = VIOLATION_DATABASE;
    else if (entry == NULL && pattern->key_bytes_max &&
             request_key(request, index)->name.len > pattern->key_bytes_max)
        finding->kind = VIOLATION_KEY_SIZE;
    else
        finding->kind =
            foresee_limits(request, index, pattern, entry, anew, &ret_foresight->doubtful);
    if (finding->kind == VIOLATION_NONE && rules->about_arguments)
        foresee_contents(request, index, pattern, entry, finding);
}
