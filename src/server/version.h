/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the server says of its version; its own, KN_VERSION, comes from the build.
 *
 * What: the version of Redis whose commands it offers, which client libraries look at to learn what
 *       they may use (commands on expiring hash fields came with 7.4).
 */
#ifndef KN_SERVER_VERSION_H
#define KN_SERVER_VERSION_H

#define REDIS_VERSION "7.4.2"

#endif
