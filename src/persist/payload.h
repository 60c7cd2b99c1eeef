/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The envelope of what DUMP and FUNCTION DUMP return.
 *
 * What: a body, then a footer of the RDB version in 2 bytes and the checksum of all before it
 * in 8. Lock, owner: none. Errors: ERROR_NO_MEMORY; ERROR_BAD_CHECKSUM for a version that is
 * not known, or a sum that
 *       is not right.
 */
#ifndef KN_PERSIST_PAYLOAD_H
#define KN_PERSIST_PAYLOAD_H

#include "base/buffer.h"
#include "base/bytes.h"

/* Adds the footer to the body that is in the buffer. */
int payload_seal(struct buffer *buffer, unsigned version);
/* ret_body: a view of the payload without its footer. */
int payload_open(struct bytes payload, struct bytes *ret_body, unsigned *ret_version);

#endif
