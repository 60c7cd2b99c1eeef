/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subcommands of CLIENT that look at other clients: for the rows in client.c.
 */
#ifndef KN_COMMANDS_CLIENT_ROWS_H
#define KN_COMMANDS_CLIENT_ROWS_H

struct request;

void client_cmd_info(struct request *request);
void client_cmd_list(struct request *request);
void client_cmd_kill(struct request *request);
void client_cmd_unblock(struct request *request);

#endif
