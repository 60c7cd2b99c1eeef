/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's password.
 *
 * What: requirepass: whether one is asked for, and whether one that was given is right.
 * Owner: the server. Lock: its own. Errors: none.
 */
#ifndef KN_SERVER_AUTH_H
#define KN_SERVER_AUTH_H

#include <stdbool.h>

#include "base/bytes.h"

struct auth;

struct auth *auth_new(void);
void auth_free(struct auth *auth);
/* An empty password asks for none. */
void auth_set_password(struct auth *auth, struct bytes password);
bool auth_is_required(struct auth *auth);
/* The only user is "default". Takes as long for a wrong password as for the right one. */
bool auth_check(struct auth *auth, struct bytes user, struct bytes password);

#endif
