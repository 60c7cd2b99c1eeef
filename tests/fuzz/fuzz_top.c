/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies of any content to `keynome top`, as a hostile server may send them: read without harm,
 * and every page made of them stays within the screen and holds nothing that a terminal would obey.
 */
#include <hiredis/hiredis.h>
#include <locale.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/memory.h"
#include "cli/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char known_info[] = "redis_version:7.4.2\r\nkeynome_version:0.1.0\r\nrun_id:a\r\n";

static void check_page(const struct page *page) {
    for (size_t line = 0; line < page->line_count; line++) {
        const struct span *spans;
        size_t count = page_spans(page, line, &spans), columns = 0;
        for (size_t i = 0; i < count; i++) {
            struct bytes text = bytes_make(page->text.data + spans[i].at, spans[i].len);
            for (size_t j = 0; j < text.len; j++)
                kn_require((unsigned char)text.data[j] >= ' ' && text.data[j] != 0x7f);
            /* The text is safe already: every backslash in it is one column. */
            columns += text_columns(text, page->utf8);
            for (size_t j = 0; j < text.len; j++) columns -= text.data[j] == '\\';
        }
        kn_require(columns <= page->columns);
    }
}

static void show(const struct board *board, const struct detail *detail, size_t columns,
                 bool utf8) {
    struct top top = {.view = {.sort = COLUMN_OPERATIONS}, .interval_ms = 1000};
    struct screen_state state = {.top = &top, .board = board, .height = 24};
    struct table table = {0};
    struct page page = {0};
    table.lines = mem_alloc((board->count + 1) * sizeof *table.lines);
    for (unsigned sort = 0; sort < COLUMNS_SORTABLE; sort++) {
        top.view.sort = (enum column)sort;
        top.view.totals = sort & 1;
        table.count = board_lines(board, &top.view, table.lines);
        page_start(&page, columns, utf8);
        page_table(&page, &state, &table);
        check_page(&page);
    }
    if (board->count) {
        page_start(&page, columns, utf8);
        page_detail(&page, &board->rows[0], detail, 1700000000);
        check_page(&page);
    }
    page_done(&page);
    mem_free(table.lines);
}

/* NULL when there is none, or no more. */
static redisReply *next_reply(redisReader *reader) {
    void *reply = NULL;
    return redisReaderGetReply(reader, &reply) == REDIS_OK ? reply : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    redisReply info = {.type = REDIS_REPLY_STRING, .len = sizeof known_info - 1};
    struct board board = {0};
    struct detail detail = {0};
    char words[READING_WORDS_MAX];
    redisReply *replies[6] = {NULL};
    if (size == 0) return 0;
    redisReader *reader = redisReaderCreate();
    setlocale(LC_CTYPE, "C.UTF-8");
    info.str = (char *)(uintptr_t)known_info;
    redisReaderFeed(reader, (const char *)data + 1, size - 1);
    for (size_t i = 0; i < 6; i++) replies[i] = next_reply(reader);
    /* Two looks, of which the first may have an INFO of its own. */
    for (size_t i = 0; i < 2; i++) {
        struct reading *reading = NULL;
        const redisReply *head = i == 0 && data[0] & 1 ? replies[5] : &info;
        if (reading_make(head, replies[i], 1000000 * (int64_t)(i + 1), &reading, words) ==
            READING_FINE)
            board_take(&board, reading);
    }
    detail = (struct detail){replies[2], replies[3], replies[4]};
    if (board.now) {
        board_learn_types(&board, replies[2]);
        show(&board, &detail, 20 + (data[0] >> 1), !(data[0] & 1));
    }
    board_done(&board);
    for (size_t i = 0; i < 6; i++)
        if (replies[i]) freeReplyObject(replies[i]);
    redisReaderFree(reader);
    return 0;
}
