/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/families.h"

const struct command_family *const all_families[] = {
    &bitfield_commands,     &bitmap_commands,         &client_commands,      &cluster_commands,
    &command_commands,      &config_commands,         &connection_commands,  &database_commands,
    &dump_commands,         &expire_commands,         &geo_commands,         &geo_search_commands,
    &hash_commands,         &hash_ex_commands,        &hash_expiry_commands, &hash_visit_commands,
    &hyperloglog_commands,  &info_commands,           &keyspace_commands,    &list_commands,
    &list_pop_commands,     &object_commands,         &planned_commands,     &pubsub_commands,
    &scan_commands,         &script_commands,         &server_commands,      &set_algebra_commands,
    &set_commands,          &sort_commands,           &stream_commands,      &stream_group_commands,
    &stream_info_commands,  &stream_pending_commands, &stream_read_commands, &stream_refs_commands,
    &string_commands,       &string_edit_commands,    &string_many_commands, &transaction_commands,
    &zset_algebra_commands, &zset_commands,           &zset_pop_commands,    &zset_range_commands,
};

const size_t all_family_count = sizeof all_families / sizeof all_families[0];
