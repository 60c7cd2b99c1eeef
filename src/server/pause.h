/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT PAUSE: requests that have to wait.
 *
 * What: until when commands, or those that write, are held back. A client whose next request is
 *       held back reads on, but runs nothing until the pause is over.
 * Owner: the server. Lock: none: atomics. Errors: none.
 */
#ifndef KN_SERVER_PAUSE_H
#define KN_SERVER_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct bytes;
struct client;
struct command;
struct pause;

struct pause *pause_new(void);
void pause_free(struct pause *pause);

/* A pause in force is lengthened, never shortened. All commands, and writes, are paused
 * each until its own time. */
void pause_begin(struct pause *pause, int64_t until_ms, bool all_commands);
void pause_end(struct pause *pause);
/* 0 when none is in force. */
int64_t pause_until_ms(const struct pause *pause);
/* When some of those that are held back may go on; in the past when none is. */
int64_t pause_next_ms(const struct pause *pause, int64_t now_ms);
/* Whether a pause is in force; workers that hold clients back ask from time to time. */
bool pause_is_on(const struct pause *pause, int64_t now_ms);
bool pause_stops_all(const struct pause *pause, int64_t now_ms);
/* Whether this command must wait; marks the client if so. */
bool pause_concerns(const struct pause *pause, int64_t now_ms, struct client *client,
                    const struct command *command, const struct bytes *argv);
/* Takes the mark away; nothing when there is none. */
void pause_release(struct client *client);

#endif
