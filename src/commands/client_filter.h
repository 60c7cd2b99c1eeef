/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which clients CLIENT LIST and CLIENT KILL mean.
 *
 * What: the filters of both commands, read once and held against one client after the other. Those
 * that begin with NOT leave out the clients that they describe.
 * Always: a client is meant when all filters agree; of a filter said several times the
 *         last counts, but IDs add up.
 * Owner: views of the request's arguments and its arena: a filter lives as long as the request.
 * Lock: to match takes the client's own lock; under the registry's (a visit).
 * Errors: parsing replies them.
 */
#ifndef KN_COMMANDS_CLIENT_FILTER_H
#define KN_COMMANDS_CLIENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct client;
struct request;

enum client_type {
    CLIENT_TYPE_ANY,
    CLIENT_TYPE_NORMAL,
    CLIENT_TYPE_PUBSUB,
    CLIENT_TYPE_MASTER,
    CLIENT_TYPE_REPLICA
};

/* What a client may be asked about; data NULL, ANY, and 0 of a count or a number: not asked. */
struct client_traits {
    const uint64_t *ids; /* ascending */
    uint32_t id_count;
    enum client_type type;
    bool has_user; /* the one user there is */
    bool has_db;
    unsigned db;
    struct bytes address, local_address, ip, name, lib_name, lib_version;
    struct bytes flags, capabilities; /* all letters of it */
};

struct client_filter {
    struct client_traits wanted, unwanted;
    int64_t min_age_s, min_idle_s;
    bool skip_self;
};

enum client_filter_use { CLIENT_FILTER_LIST, CLIENT_FILTER_KILL };

/* The request's arguments from `first` to its end, into a filter that holds the defaults. */
bool client_filter_parse(struct request *request, uint32_t first, enum client_filter_use use,
                         struct client_filter *filter);
bool client_filter_matches(const struct client_filter *filter, struct client *client,
                           const struct request *request);

#endif
