/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of math.random.
 *
 * What: the sequence's beginning. Owner: the engine. Lock and errors: none.
 */
#ifndef KN_SCRIPT_RANDOM_H
#define KN_SCRIPT_RANDOM_H

struct engine;

void random_begin(struct engine *engine);

#endif
