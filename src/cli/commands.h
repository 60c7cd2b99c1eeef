/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of the keynome program.
 *
 * What: each takes what stands behind its name and answers with the exit status:
 *       EXIT_FINE, EXIT_FOUND when a check or a comparison found something, EXIT_TROUBLE
 *       when it could not be done.
 * Owner, lock: none. Errors: told on standard error.
 */
#ifndef KN_CLI_COMMANDS_H
#define KN_CLI_COMMANDS_H

enum exit_status { EXIT_FINE = 0, EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

int command_catalog_import(int argc, char **argv);
int command_catalog_docs(int argc, char **argv);
int command_catalog_diff(int argc, char **argv);
int command_catalog_check(int argc, char **argv);
int command_catalog_match(int argc, char **argv);
int command_top(int argc, char **argv);
int command_audit(int argc, char **argv);

#endif
