/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All commands together: found by name, their keys found in a request.
 *
 * What: made once at start from the families that main hands over, with rename-command applied.
 * Owner: one table a server; rows stay where they are. Lock: none: constant after start.
 * Errors: said at each function.
 */
#ifndef KN_SERVER_COMMAND_TABLE_H
#define KN_SERVER_COMMAND_TABLE_H

#include "server/command.h"

struct command_table;

struct command_table *command_table_new(const struct command_family *const *families, size_t count);
void command_table_free(struct command_table *table);

/* Gives a command another name, or none when to is empty. Returns 0, or ERROR_NO_SUCH_KEY when
 * there is no such command, ERROR_SAME_KEY when the new name is taken. */
int command_table_rename(struct command_table *table, struct bytes from, struct bytes to);

/* Case-insensitive; NULL when there is none. */
const struct command *command_find(const struct command_table *table, struct bytes name);
/* The same, with the row's number. */
const struct command *command_lookup(const struct command_table *table, struct bytes name,
                                     unsigned *ret_number);
/* A row below a container; NULL when there is none. */
const struct command *command_find_subcommand(const struct command *command, struct bytes name);
/* The container of a subcommand's row; NULL for a command of its own. */
const struct command *command_parent(const struct command_table *table,
                                     const struct command *command);
/* The family's name of a command. */
const char *command_family_name(const struct command_table *table, const struct command *command);
/* A small number of the row's own, below command_count, for statistics. */
unsigned command_number(const struct command_table *table, const struct command *command);
/* Rows in all, subcommands included; and the row of a number. */
unsigned command_count(const struct command_table *table);
const struct command *command_by_number(const struct command_table *table, unsigned number);
/* Goes over the commands under the names they go by now. Starts with
 * *position 0; NULL at the end. */
const struct command *command_next(const struct command_table *table, size_t *position,
                                   struct bytes *ret_name);

/* ---- keys ---- */

struct key_place {
    uint32_t arg;
    uint16_t flags; /* enum key_flag */
};
enum { COMMAND_KEYS_INVALID = -1 };
/*
 * Finds the keys of a request: fills ret_places with up to most of them and returns how many
 * there are, which may be more than most; or COMMAND_KEYS_INVALID when a count among the
 * arguments makes no sense.
 */
int64_t command_keys(const struct command *command, const struct bytes *argv, uint32_t argc,
                     struct key_place *ret_places, size_t most);

/* As COMMAND INFO shows them: 0 0 0 when there are none. */
void command_key_range(const struct command *command, int *ret_first, int *ret_last, int *ret_step);
/* Whether the keys' places cannot be told from first, last and step alone. */
bool command_has_movable_keys(const struct command *command);

#endif
