/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process: in the background or supervised, its pid file, its limits, its title.
 *
 * What: what is done once for the process as the operating system sees it, from the values of
 *       configuration. main calls process_prepare before anything else, process_start when the
 *       configuration is loaded, before any thread is made, process_ready when clients are served,
 *       and process_stop at the end.
 * Always: the pid file is removed by the process that wrote it.
 * Owner: there is one process. Lock: none: called from the main thread; process_set_title is a
 *        watcher of configuration, which calls one at a time.
 * Errors: process_start returns false with a sentence in error; what is
 *         merely unfortunate is logged.
 */
#ifndef KN_SERVER_PROCESS_H
#define KN_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"

/* Values of `supervised`, `oom-score-adj`, and `shutdown-on-sigterm`. */
enum { SUPERVISED_NO, SUPERVISED_AUTO, SUPERVISED_SYSTEMD, SUPERVISED_UPSTART };
enum { OOM_ADJUST_NO, OOM_ADJUST_RELATIVE, OOM_ADJUST_ABSOLUTE };
enum { SHUTDOWN_ON_SAVE = 1, SHUTDOWN_ON_NOSAVE = 2, SHUTDOWN_ON_NOW = 4, SHUTDOWN_ON_FORCE = 8 };

/* Locale, time zone, umask's consequences; remembers where argv lies, so that
 * the title can be put there. */
void process_prepare(int argc, char **argv);
/* Goes to the background when asked to, opens the log, writes the pid file, adjusts the process. */
bool process_start(struct config *config, struct config_error *error);
/* Raises the limit of open files for max_clients and what the server itself needs. Returns how many
 * clients there may be, max_clients or fewer, having logged why. */
unsigned process_reserve_files(unsigned max_clients);
/* Warns of settings of the system that hurt. */
void process_warn(struct config *config);
/* Logs where clients are served, tells the supervisor, sets the title. port: 0 for none. */
void process_ready(struct config *config, int port);
/* Tells the supervisor, removes the pid file. */
void process_stop(void);
/* The last part of process_stop; safe in a signal handler. */
void process_remove_pid_file(void);

/* Shows the template, filled in, in the list of processes, where set-proc-title says so. No config
 * lock is taken, so that a watcher may call it. */
void process_set_title(const struct config *config, const char *title_template, int port);
/* As oom-score-adj and its values say; may be called by a watcher. NULL, or why not. */
const char *process_adjust_oom_score(struct config *config);
/* What is supervised: "no", "systemd", "upstart". */
const char *process_supervision(void);
/* Its memory in RAM; 0 when it cannot be told. From any thread. */
uint64_t process_resident_bytes(void);
/* The path of the program. "" when it cannot be told. */
const char *process_executable(void);

#endif
