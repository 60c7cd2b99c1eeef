/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "base/log.h"
#include "server/process.h"

static void (*stop_function)(void *context);
static void *stop_context;
static _Atomic int received;

static void on_stop(int signal_number) {
    int saved = errno, none = 0;
    if (!atomic_compare_exchange_strong(&received, &none, signal_number)) {
        static const char text[] = "Asked to stop again: leaving at once.\n";
        log_raw(text, sizeof text - 1);
        process_remove_pid_file();
        _exit(1);
    }
    if (stop_function) stop_function(stop_context);
    errno = saved;
}

void signals_install(void (*stop)(void *context), void *context) {
    struct sigaction action = {.sa_handler = on_stop};
    stop_function = stop;
    stop_context = context;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

void signals_forget(void) {
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    stop_function = NULL;
}
