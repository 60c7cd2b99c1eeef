/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals that end the server, and those it ignores.
 *
 * What: SIGTERM and SIGINT ask for an orderly end, once; a second one ends the process at once.
 *       SIGHUP and SIGPIPE are ignored. Crashes are crash.h's.
 * Owner: the process. Lock: none: installed by the main thread before others run.
 * Errors: none.
 */
#ifndef KN_SERVER_SIGNALS_H
#define KN_SERVER_SIGNALS_H

/* stop is called in the signal handler, so it must be safe there (server_stop is). */
void signals_install(void (*stop)(void *context), void *context);
/* Back to ignoring: when what `context` points to goes away. */
void signals_forget(void);

#endif
