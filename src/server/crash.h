/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The crash report.
 *
 * What: on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, writes into the log what is known: signal,
 *       address, registers, backtrace, version, and what the server was doing; then lets the signal
 *       do what it does by default, a core dump included.
 * Always: the report uses only what is safe in a signal handler. The first thread to
 *         crash writes it; others wait.
 * Owner: the process. Lock: none. Errors: none.
 */
#ifndef KN_SERVER_CRASH_H
#define KN_SERVER_CRASH_H

#include <stdbool.h>
#include <stdint.h>

/* Installs the handlers, and a stack for them, on the main thread. */
void crash_install(void);
/* Takes both back, from the same thread. */
void crash_uninstall(void);
/* A stack of its own for the calling thread's handler, so that a stack overflow is reported, too.
 * Returns true when the thread had none yet, and has to leave before it ends. */
bool crash_join_thread(void);
void crash_leave_thread(void);

/* Says more, with crash_text and its kind: runs in the handler, so it may
 * take no lock and no memory. */
void crash_describe(void (*describe)(void *context), void *context);
void crash_text(const char *text);
void crash_decimal(int64_t number);
void crash_hex(uint64_t number);
/* What each worker is doing; context: the server. */
void crash_describe_workers(void *context);

#endif
