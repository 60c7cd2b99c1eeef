/* SPDX-License-Identifier: BSD-3-Clause */
/* keynome top: options, and the first question to the server, before the screen is taken. */
#include "cli/top.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "catalog/words.h"
#include "cli/commands.h"

/* Set by a signal, read by every thread. */
static atomic_bool stopped;

static void stop(int number) {
    (void)number;
    stopped = true;
}

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDINGS = sizeof endings / sizeof *endings };

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = stop};
    for (size_t i = 0; i < ENDINGS; i++) sigaction(endings[i], &action, NULL);
}

/* A signal between the look at `stopped` and the wait would be slept
 * over; so none may come there. */
int top_wait(const struct top *top, struct pollfd *waits, unsigned count, int timeout_ms) {
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = timeout_ms % 1000 * INT64_C(1000000)};
    sigset_t held, before;
    int ready = -1, error = EINTR;
    sigemptyset(&held);
    for (size_t i = 0; i < ENDINGS; i++) sigaddset(&held, endings[i]);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    if (!*top->stopped) {
        ready = ppoll(waits, count, timeout_ms < 0 ? NULL : &timeout, &before);
        error = errno;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return ready;
}

static const char help_text[] =
    "Usage: keynome top [URL] [OPTION...]\n\n"
    "Shows live, pattern by pattern of its catalog, what a running Keynome does: operations, "
    "reads and\n"
    "writes, hit rate, keys, bytes, what expired and was evicted, what was done against the "
    "catalog.\n"
    "On the screen, ? tells the keys. Where standard output is no terminal: a report of plain "
    "text each\n"
    "interval.\n\n"
    "  -d, --interval S    seconds between two looks, 0.1 to 3600 (1)\n"
    "  -s, --sort COLUMN   pattern, ops (as it is), reads, writes, hit-rate, keys, bytes, size,\n"
    "                      expired, evicted, purged, violations\n"
    "  -r, --reverse       the other way round\n"
    "  -f, --filter TEXT   only patterns with the text in template, name, catalog or type\n"
    "  -t, --names         patterns by name, not by template\n"
    "  -c, --totals        counted since the start, not a second\n"
    "      --plain         reports of plain text on a terminal, too\n"
    "      --json          reports as JSON, one object a line\n"
    "  -1, --once          one report, at once: totals\n"
    "  -n, --count N       N reports, each of one interval, then the end\n"
    "      --rows N        at most N patterns in a report\n\n" CONNECTION_HELP
    "\nWithout a URL: 127.0.0.1:6379. Exit status: 0 fine, 2 there is no such server, it is lost, "
    "or it "
    "has no\ncatalog.\n";

/* What the options said, still as texts. */
struct words {
    const char *interval, *count, *sort, *filter, *rows;
    bool plain;
};

static bool wrong(const char *option, const char *text, const char *wanted) {
    fprintf(stderr, "keynome: %s wants %s, not '%s'\n", option, wanted, text);
    return false;
}

static bool read_count(const char *option, const char *text, uint64_t *ret_count) {
    if (!text) return true;
    if (number_parse_u64(bytes_from_string(text), ret_count) && *ret_count > 0) return true;
    return wrong(option, text, "a number from 1");
}

static bool read_sort(const char *text, enum column *ret_column) {
    const char *names[COLUMNS_SORTABLE + 1] = {NULL};
    if (!text) return true;
    for (unsigned i = 0; i < COLUMNS_SORTABLE; i++) {
        names[i] = column_words[i];
        if (strcmp(text, names[i]) != 0) continue;
        *ret_column = (enum column)i;
        return true;
    }
    const char *near = words_nearest(bytes_from_string(text), names);
    fprintf(stderr, "keynome: no column '%s'%s%s%s\n", text, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : "; --help lists them");
    return false;
}

static bool read_words(const struct words *words, struct top *top) {
    double seconds = TOP_INTERVAL_MS / 1000.0;
    if (words->interval &&
        (!number_parse_double(bytes_from_string(words->interval), &seconds) ||
         !(seconds * 1000 >= TOP_INTERVAL_LEAST_MS) || !(seconds * 1000 <= TOP_INTERVAL_MOST_MS)))
        return wrong("--interval", words->interval, "seconds, 0.1 to 3600");
    top->interval_ms = (unsigned)(seconds * 1000 + 0.5);
    if (words->filter && strlen(words->filter) >= FILTER_MAX)
        return wrong("--filter", words->filter, "a shorter text");
    snprintf(top->view.filter, sizeof top->view.filter, "%s", words->filter ? words->filter : "");
    if (top->once && words->count)
        return wrong("--once", words->count, "no --count: it is one report, at once");
    return read_count("--count", words->count, &top->reports) &&
           read_count("--rows", words->rows, &top->rows) && read_sort(words->sort, &top->view.sort);
}

/* One reading, which shows that all is as it has to be; then reports, or the screen. */
static int begin(struct top *top, bool screen) {
    char error[CONNECTION_ERROR_MAX] = "";
    struct board board = {0};
    struct reading *reading = NULL;
    redisReply *types = NULL;
    struct connection *connection = connection_open(top->url, &top->connection, error);
    if (!connection || !top_ask(connection, &reading, &types, error)) {
        if (connection) connection_close(connection);
        fprintf(stderr, "keynome: %s\n", error);
        return EXIT_TROUBLE;
    }
    address_show(connection_address(connection), top->where);
    board_take(&board, reading);
    board_learn_types(&board, types);
    freeReplyObject(types);
    int status = screen ? top_screen(top, connection, &board) : top_plain(top, connection, &board);
    board_done(&board);
    return status;
}

int command_top(int argc, char **argv) {
    struct top top = {.url = "127.0.0.1:6379", .stopped = &stopped};
    struct words words = {0};
    struct connection_flags flags = {0};
    bool help = false;
    top.view.sort = COLUMN_OPERATIONS;
    const struct option_row rows[] = {{"--interval", "-d", &words.interval, NULL},
                                      {"--sort", "-s", &words.sort, NULL},
                                      {"--reverse", "-r", NULL, &top.view.reverse},
                                      {"--filter", "-f", &words.filter, NULL},
                                      {"--names", "-t", NULL, &top.view.names},
                                      {"--totals", "-c", NULL, &top.view.totals},
                                      {"--plain", NULL, NULL, &words.plain},
                                      {"--json", NULL, NULL, &top.json},
                                      {"--once", "-1", NULL, &top.once},
                                      {"--count", "-n", &words.count, NULL},
                                      {"--rows", NULL, &words.rows, NULL},
                                      CONNECTION_ROWS(flags),
                                      {NULL, NULL, NULL, NULL}};
    if (!options_read(argc, argv, rows, &help, &argc)) return EXIT_TROUBLE;
    if (help || argc > 1) {
        fputs(help_text, help ? stdout : stderr);
        return help ? EXIT_FINE : EXIT_TROUBLE;
    }
    if (argc == 1) top.url = argv[0];
    if (!read_words(&words, &top) || !connection_flags_read(&flags, &top.connection))
        return EXIT_TROUBLE;
    top.connection.program = "keynome-top";
    top.connection.stopped = &stopped;
    bool screen = !words.plain && !top.json && !top.once && !words.count && !words.rows &&
                  isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    setlocale(LC_CTYPE, "");
    /* Files and pipes take UTF-8 whatever the terminal's locale is; widths are told by
     * any locale that knows it. */
    if (!screen && !text_utf8() && !isatty(STDOUT_FILENO)) setlocale(LC_CTYPE, "C.UTF-8");
    catch_signals();
    return begin(&top, screen);
}
