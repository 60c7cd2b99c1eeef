/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live screen: keys in, pages out, by ncurses.
 *
 * One thread waits for keys, for news of the feed and for signals, and draws when something has
 * changed; between them it sleeps.
 */
#include <errno.h>
#include <limits.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/top_feed.h"

enum { ESCAPE = 27, ESCAPE_DELAY_MS = 25, BACKSPACE = 8, DELETE = 127, CONTROL_U = 21 };

enum place { PLACE_TABLE, PLACE_DETAIL, PLACE_HELP };

struct screen {
    struct top *top;
    struct board *board;
    struct feed *feed;
    struct page page, body;
    struct detail detail;
    bool detailed, paused, typing, ended, lost, utf8;
    enum place place, before_help;
    /* The pattern that is selected, by its names; NULL: whichever is first. */
    char *chosen_catalog, *chosen_pattern;
    size_t first, scroll, scroll_most;
    char trouble[CONNECTION_ERROR_MAX];
    int64_t trouble_at_us;
    const struct board_row **lines; /* room for the board's */
    size_t line_count, line_room;
};

/* ---- styles ---- */

static attr_t attributes[STYLES];

static void set_styles(void) {
    static const struct {
        short text, ground;  /* -1: the terminal's own */
        attr_t colour, mono; /* with colours, and without */
    } looks[STYLES] = {
        [STYLE_PLAIN] = {-1, -1, A_NORMAL, A_NORMAL},
        [STYLE_FAINT] = {-1, -1, A_DIM, A_NORMAL},
        [STYLE_STRONG] = {-1, -1, A_BOLD, A_BOLD},
        [STYLE_TITLE] = {-1, -1, A_BOLD, A_BOLD},
        [STYLE_HEAD] = {COLOR_BLACK, COLOR_GREEN, A_NORMAL, A_REVERSE},
        [STYLE_SORTED] = {COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE | A_BOLD},
        [STYLE_GOOD] = {COLOR_GREEN, -1, A_NORMAL, A_NORMAL},
        [STYLE_WARNING] = {COLOR_YELLOW, -1, A_NORMAL, A_BOLD},
        [STYLE_BAD] = {COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE},
        [STYLE_CHART] = {COLOR_CYAN, -1, A_NORMAL, A_NORMAL},
        [STYLE_CHOSEN] = {COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE},
        [STYLE_KEY] = {-1, -1, A_BOLD, A_BOLD},
        [STYLE_KEY_TEXT] = {COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE},
    };
    const char *none = getenv("NO_COLOR");
    bool colours = !(none && *none) && has_colors();
    if (colours) {
        start_color();
        use_default_colors();
    }
    for (int i = 0; i < STYLES; i++) {
        attributes[i] = looks[i].mono;
        if (!colours) continue;
        init_pair((short)(i + 1), looks[i].text, looks[i].ground);
        attributes[i] = looks[i].colour | COLOR_PAIR(i + 1);
    }
}

/* ---- drawing ---- */

static void paint_line(const struct page *page, size_t line, int y) {
    const struct span *spans;
    size_t count = page_spans(page, line, &spans);
    move(y, 0);
    for (size_t i = 0; i < count; i++) {
        (void)attrset(attributes[spans[i].style]);
        addnstr(page->text.data + spans[i].at, (int)spans[i].len);
    }
    (void)attrset(A_NORMAL);
}

static void order_lines(struct screen *screen) {
    const struct board *board = screen->board;
    if (screen->line_room < board->count) {
        screen->line_room = board->count;
        screen->lines = mem_realloc(screen->lines, screen->line_room * sizeof *screen->lines);
    }
    screen->line_count = board_lines(board, &screen->top->view, screen->lines);
}

static bool is_chosen(const struct screen *screen, const struct board_row *row) {
    return screen->chosen_pattern && strcmp(row->now->pattern, screen->chosen_pattern) == 0 &&
           strcmp(row->now->catalog, screen->chosen_catalog) == 0;
}

/* Where the selected line is now; the first when it is gone. */
static size_t find_chosen(const struct screen *screen) {
    for (size_t i = 0; i < screen->line_count; i++)
        if (is_chosen(screen, screen->lines[i])) return i;
    return 0;
}

static const struct board_row *chosen_row(const struct screen *screen) {
    for (size_t i = 0; i < screen->board->count; i++)
        if (is_chosen(screen, &screen->board->rows[i])) return &screen->board->rows[i];
    return NULL;
}

static void draw_table(struct screen *screen, const struct screen_state *state) {
    size_t height = table_height(state->height), chosen = find_chosen(screen);
    size_t last_first = screen->line_count > height ? screen->line_count - height : 0;
    if (chosen < screen->first) screen->first = chosen;
    if (chosen >= screen->first + height) screen->first = chosen - height + 1;
    if (screen->first > last_first) screen->first = last_first;
    struct table table = {screen->lines, screen->line_count, screen->first, chosen};
    page_table(&screen->page, state, &table);
    for (size_t i = 0; i < screen->page.line_count && i + 1 < state->height; i++)
        paint_line(&screen->page, i, (int)i);
}

/* The head, and as much of the body as there is room for. */
static void draw_body(struct screen *screen, const struct screen_state *state) {
    struct page *body = &screen->body;
    size_t head = page_head(&screen->page, state);
    size_t room = state->height > head + 2 ? state->height - head - 2 : 1;
    page_start(body, screen->page.columns, screen->utf8);
    if (screen->place == PLACE_HELP)
        page_help(body);
    else
        page_detail(body, chosen_row(screen), screen->detailed ? &screen->detail : NULL,
                    time(NULL));
    size_t lines = body->line_count - 1; /* the last is empty */
    screen->scroll_most = lines > room ? lines - room : 0;
    if (screen->scroll > screen->scroll_most) screen->scroll = screen->scroll_most;
    for (size_t i = 0; i < head && i + 1 < state->height; i++) paint_line(&screen->page, i, (int)i);
    for (size_t i = 0; i < room && screen->scroll + i < lines; i++)
        if (head + 1 + i + 1 < state->height)
            paint_line(body, screen->scroll + i, (int)(head + 1 + i));
}

static void draw(struct screen *screen) {
    int height, width;
    getmaxyx(stdscr, height, width);
    struct screen_state state = {
        .top = screen->top,
        .board = screen->board,
        .paused = screen->paused,
        .typing = screen->typing,
        .inside = screen->place != PLACE_TABLE,
        .height = height > 0 ? (size_t)height : 1,
    };
    if (screen->trouble[0]) {
        state.trouble = screen->trouble;
        state.lost = screen->lost;
        state.trouble_since_s = (clock_mono_us() - screen->trouble_at_us) / 1000000;
    }
    page_start(&screen->page, width > 0 ? (size_t)width : 1, screen->utf8);
    erase();
    if (screen->place == PLACE_TABLE)
        draw_table(screen, &state);
    else
        draw_body(screen, &state);
    page_start(&screen->page, width > 0 ? (size_t)width : 1, screen->utf8);
    page_foot(&screen->page, &state);
    paint_line(&screen->page, 0, height - 1);
    refresh();
}

/* ---- keys ---- */

static void choose(struct screen *screen, const struct board_row *row) {
    mem_free(screen->chosen_catalog);
    mem_free(screen->chosen_pattern);
    screen->chosen_catalog = row ? mem_strdup(row->now->catalog) : NULL;
    screen->chosen_pattern = row ? mem_strdup(row->now->pattern) : NULL;
}

/* Selects a line; at the very top whichever line will be the first. */
static void choose_line(struct screen *screen, size_t line) {
    if (screen->line_count == 0) return;
    if (line >= screen->line_count) line = screen->line_count - 1;
    choose(screen, line ? screen->lines[line] : NULL);
}

static void enter_detail(struct screen *screen) {
    char name[2048];
    if (screen->line_count == 0) return;
    const struct board_row *row = screen->lines[find_chosen(screen)];
    choose(screen, row);
    snprintf(name, sizeof name, "%s%s%s", row->now->catalog, row->now->catalog[0] ? "/" : "",
             row->now->pattern);
    detail_done(&screen->detail);
    screen->detailed = false;
    screen->place = PLACE_DETAIL;
    screen->scroll = 0;
    feed_set_pattern(screen->feed, name);
}

static void leave(struct screen *screen) {
    if (screen->place == PLACE_HELP) {
        screen->place = screen->before_help;
    } else if (screen->place == PLACE_DETAIL) {
        screen->place = PLACE_TABLE;
        feed_set_pattern(screen->feed, NULL);
    } else {
        screen->top->view.filter[0] = '\0';
    }
    screen->scroll = 0;
}

static void sort_by(struct screen *screen, enum column column) {
    struct view *view = &screen->top->view;
    view->reverse = view->sort == column && !view->reverse;
    view->sort = column;
}

static void sort_next(struct screen *screen, int step) {
    struct view *view = &screen->top->view;
    view->sort = (enum column)(((int)view->sort + COLUMNS_SORTABLE + step) % COLUMNS_SORTABLE);
    view->reverse = false;
}

static void change_interval(struct screen *screen, bool longer) {
    static const unsigned steps_ms[] = {100,   200,   500,   1000,   2000,   5000,
                                        10000, 30000, 60000, 300000, 3600000};
    enum { COUNT = sizeof steps_ms / sizeof *steps_ms };
    unsigned now_ms = screen->top->interval_ms, next_ms = now_ms;
    for (int i = 0; i < COUNT; i++) {
        unsigned step_ms = steps_ms[longer ? i : COUNT - 1 - i];
        if (longer ? step_ms > now_ms : step_ms < now_ms) {
            next_ms = step_ms;
            break;
        }
    }
    screen->top->interval_ms = next_ms;
    feed_set_interval(screen->feed, next_ms);
}

static void filter_add(char *filter, wint_t key) {
    char text[MB_LEN_MAX];
    mbstate_t state = {0};
    size_t len = strlen(filter), more = wcrtomb(text, (wchar_t)key, &state);
    if (more == (size_t)-1 || len + more >= FILTER_MAX) return;
    memcpy(filter + len, text, more);
    filter[len + more] = '\0';
}

static void filter_shorten(char *filter) {
    size_t len = strlen(filter);
    while (len && ((unsigned char)filter[len - 1] & 0xc0) == 0x80) len--;
    filter[len ? len - 1 : 0] = '\0';
}

static void key_typed(struct screen *screen, wint_t key, bool special) {
    char *filter = screen->top->view.filter;
    if ((special && key == KEY_ENTER) || (!special && (key == '\n' || key == '\r'))) {
        screen->typing = false;
    } else if (!special && key == ESCAPE) {
        filter[0] = '\0';
        screen->typing = false;
    } else if ((special && key == KEY_BACKSPACE) ||
               (!special && (key == BACKSPACE || key == DELETE))) {
        filter_shorten(filter);
    } else if (!special && key == CONTROL_U) {
        filter[0] = '\0';
    } else if (!special && key >= ' ') {
        filter_add(filter, key);
    }
}

/* Ways to move: by a line, a page, to an end. False for other keys. */
static bool key_moves(struct screen *screen, wint_t key, bool special) {
    size_t height = table_height((size_t)(LINES > 0 ? LINES : 1));
    size_t at = screen->place == PLACE_TABLE ? find_chosen(screen) : screen->scroll;
    size_t most = screen->place == PLACE_TABLE ? screen->line_count : screen->scroll_most;
    if (special ? key == KEY_UP : key == 'k')
        at -= at > 0;
    else if (special ? key == KEY_DOWN : key == 'j')
        at++;
    else if (special && key == KEY_PPAGE)
        at -= at < height ? at : height;
    else if (special && key == KEY_NPAGE)
        at += height;
    else if (special ? key == KEY_HOME : key == 'g')
        at = 0;
    else if (special ? key == KEY_END : key == 'G')
        at = most;
    else
        return false;
    if (screen->place == PLACE_TABLE)
        choose_line(screen, at);
    else
        screen->scroll = at; /* draw_body knows the end */
    return true;
}

static bool key_sorts(struct screen *screen, wint_t key, bool special) {
    static const char letters[COLUMNS_SORTABLE + 1] = {
        [COLUMN_KEY] = 'N',     [COLUMN_OPERATIONS] = 'O', [COLUMN_READS] = 'R',
        [COLUMN_WRITES] = 'W',  [COLUMN_HIT_RATE] = 'H',   [COLUMN_KEYS] = 'K',
        [COLUMN_BYTES] = 'B',   [COLUMN_SIZE] = 'S',       [COLUMN_EXPIRED] = 'X',
        [COLUMN_EVICTED] = 'E', [COLUMN_PURGED] = 'P',     [COLUMN_VIOLATIONS] = 'V'};
    const char *found;
    if (special ? key == KEY_LEFT : key == '<') {
        sort_next(screen, -1);
    } else if (special ? key == KEY_RIGHT : key == '>') {
        sort_next(screen, 1);
    } else if (!special && key == 'i') {
        screen->top->view.reverse = !screen->top->view.reverse;
    } else if (!special && key > ' ' && key < DELETE && (found = strchr(letters, (int)key))) {
        sort_by(screen, (enum column)(found - letters));
    } else {
        return false;
    }
    return true;
}

static void key_other(struct screen *screen, wint_t key) {
    switch (key) {
    case 'q':
    case 'Q': screen->ended = true; break;
    case ESCAPE: leave(screen); break;
    case '?':
    case 'h':
        if (screen->place != PLACE_HELP) screen->before_help = screen->place;
        screen->place = PLACE_HELP;
        screen->scroll = 0;
        break;
    case 'p':
    case ' ':
        screen->paused = !screen->paused;
        feed_set_paused(screen->feed, screen->paused);
        break;
    case '+':
    case '-': change_interval(screen, key == '+'); break;
    case 'c': screen->top->view.totals = !screen->top->view.totals; break;
    case 't': screen->top->view.names = !screen->top->view.names; break;
    case 'L' - '@': /* Ctrl-L: something else has written on the screen */
        clearok(curscr, TRUE);
        break;
    case '/': screen->typing = screen->place == PLACE_TABLE; break;
    case '\n':
    case '\r':
        if (screen->place == PLACE_TABLE) enter_detail(screen);
        break;
    default: break;
    }
}

static void key_special(struct screen *screen, wint_t key) {
    if (key == KEY_ENTER) key_other(screen, '\n');
    if (key == KEY_BACKSPACE && screen->place != PLACE_TABLE) leave(screen);
    if (key == KEY_F(1)) key_other(screen, '?');
    if (key == KEY_F(10)) screen->ended = true;
}

static void key_pressed(struct screen *screen, wint_t key, bool special) {
    if (screen->typing) {
        key_typed(screen, key, special);
    } else if (key_moves(screen, key, special)) {
        return;
    } else if (screen->place != PLACE_TABLE || !key_sorts(screen, key, special)) {
        if (special)
            key_special(screen, key);
        else
            key_other(screen, key);
    }
    order_lines(screen);
}

/* ---- the loop ---- */

static void take_news(struct screen *screen) {
    struct feed_news news;
    if (!feed_take(screen->feed, &news)) return;
    if (news.trouble[0] && !screen->trouble[0]) screen->trouble_at_us = clock_mono_us();
    if (news.trouble[0] || news.reading) {
        memcpy(screen->trouble, news.trouble, sizeof screen->trouble);
        screen->lost = news.lost;
    }
    if (news.reading) {
        board_take(screen->board, news.reading);
        news.reading = NULL;
    }
    if (news.types) board_learn_types(screen->board, news.types);
    if (news.detailed) {
        detail_done(&screen->detail);
        screen->detail = news.detail;
        screen->detailed = true;
        news.detail = (struct detail){0};
    }
    feed_news_done(&news);
    order_lines(screen);
    /* A pattern may go with its catalog. */
    if (screen->place == PLACE_DETAIL && !chosen_row(screen)) leave(screen);
}

/* A terminal that is ready to read and has nothing is gone. */
static bool is_gone(short events) {
    int bytes = 0;
    if (events & (POLLHUP | POLLERR | POLLNVAL)) return true;
    return (events & POLLIN) && ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && bytes == 0;
}

/* Reads all keys that wait; a new size of the window comes as one, without input. */
static void take_keys(struct screen *screen) {
    for (;;) {
        wint_t key;
        int kind = get_wch(&key);
        if (kind == ERR) return;
        key_pressed(screen, key, kind == KEY_CODE_YES);
    }
}

static void loop(struct screen *screen) {
    enum { TROUBLE_TICK_MS = 1000 };
    order_lines(screen);
    while (!screen->ended && !*screen->top->stopped) {
        struct pollfd waits[] = {{STDIN_FILENO, POLLIN, 0}, {feed_fd(screen->feed), POLLIN, 0}};
        draw(screen);
        int ready = top_wait(screen->top, waits, 2, screen->trouble[0] ? TROUBLE_TICK_MS : -1);
        if (ready < 0 && errno != EINTR) break;
        if (ready < 0) waits[0].revents = waits[1].revents = 0;
        if (waits[1].revents) take_news(screen);
        if (is_gone(waits[0].revents)) break;
        take_keys(screen);
    }
}

/* False, with a sentence, when the terminal is none that ncurses can use. */
static bool open_terminal(void) {
    const char *term = getenv("TERM");
    if (!newterm(NULL, stdout, stdin)) {
        fprintf(stderr,
                "keynome: the terminal '%s' is not known here: set TERM, or use --plain for "
                "plain text\n",
                term ? term : "");
        return false;
    }
    set_escdelay(ESCAPE_DELAY_MS);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    (void)curs_set(0);
    set_styles();
    return true;
}

int top_screen(struct top *top, struct connection *connection, struct board *board) {
    struct screen screen = {.top = top, .board = board, .utf8 = text_utf8()};
    if (!open_terminal()) {
        connection_close(connection);
        return EXIT_TROUBLE;
    }
    screen.feed = feed_start(top, connection);
    if (screen.feed) {
        loop(&screen);
        feed_stop(screen.feed);
    }
    endwin();
    if (!screen.feed) fprintf(stderr, "keynome: the system gives no thread\n");
    page_done(&screen.page);
    page_done(&screen.body);
    detail_done(&screen.detail);
    choose(&screen, NULL);
    mem_free(screen.lines);
    return screen.feed ? EXIT_FINE : EXIT_TROUBLE;
}
