/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/set_scan.h"

#include "base/arena.h"
#include "base/glob.h"

enum { STEPS_FOR_EACH = 10, VIEW_MAY_BE_SCRATCH = 32 };

bool scan_page_cursor(struct request *request) {
    struct scan_options options;
    uint32_t argc = request->argc;
    request->argc = 3;
    bool valid = argument_scan(request, 2, &options);
    request->argc = argc;
    return valid;
}

bool scan_page_init(struct scan_page *page, struct request *request, bool scores) {
    *page = (struct scan_page){.request = request};
    if (!argument_scan(request, 2, &page->options)) return false;
    page->scores = scores && !page->options.elements_only;
    return true;
}

void scan_page_add(struct scan_page *page, struct bytes member, double score) {
    struct arena *arena = page->request->arena;
    page->visited++;
    if (page->options.has_match && !glob_match(page->options.match, member, false)) return;
    if (page->count == page->room) {
        size_t room = page->room ? page->room * 2 : 16;
        struct scan_item *items = arena_alloc(arena, room * sizeof *items);
        if (page->count) memcpy(items, page->items, page->count * sizeof *items);
        page->items = items;
        page->room = room;
    }
    /* A short view may lie in what the next step overwrites; a longer one
     * lies in the value itself. */
    if (member.len <= VIEW_MAY_BE_SCRATCH) member = arena_copy(arena, member);
    page->items[page->count++] = (struct scan_item){member, score};
}

bool scan_page_more(const struct scan_page *page, uint64_t cursor, uint64_t steps) {
    return cursor != 0 && page->visited < page->options.count &&
           steps / STEPS_FOR_EACH < page->options.count;
}

static unsigned format_score(char *out, double score, bool whole) {
    const double limit = (double)(INT64_MAX / 2);
    if (whole && score >= -limit && score <= limit && (double)(int64_t)score == score)
        return number_format_i64(out, (int64_t)score);
    return number_format_double(out, score);
}

void scan_page_reply(const struct scan_page *page, uint64_t cursor) {
    struct reply *reply = page->request->reply;
    char text[NUMBER_DOUBLE_MAX];
    reply_array(reply, 2);
    reply_bulk(reply, bytes_make(text, number_format_u64(text, cursor)));
    reply_array(reply, page->scores ? page->count * 2 : page->count);
    for (size_t i = 0; i < page->count; i++) {
        const struct scan_item *item = &page->items[i];
        reply_bulk(reply, item->member);
        if (page->scores)
            reply_bulk(reply,
                       bytes_make(text, format_score(text, item->score, page->whole_scores)));
    }
}

void scan_page_reply_none(struct request *request) {
    REPLY_LITERAL(request->reply, "*2\r\n$1\r\n0\r\n*0\r\n");
}
