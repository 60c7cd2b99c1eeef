/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The families of commands, each the one symbol that a file of this folder exports: what main
 * hands to the command table.
 */
#ifndef KN_COMMANDS_FAMILIES_H
#define KN_COMMANDS_FAMILIES_H

#include "server/command.h"

extern const struct command_family bitfield_commands;
extern const struct command_family bitmap_commands;
extern const struct command_family catalog_commands;
extern const struct command_family client_commands;
extern const struct command_family cluster_commands;
extern const struct command_family command_commands;
extern const struct command_family config_commands;
extern const struct command_family connection_commands;
extern const struct command_family database_commands;
extern const struct command_family dump_commands;
extern const struct command_family expire_commands;
extern const struct command_family function_commands;
extern const struct command_family geo_commands;
extern const struct command_family geo_search_commands;
extern const struct command_family hash_commands;
extern const struct command_family hash_ex_commands;
extern const struct command_family hash_expiry_commands;
extern const struct command_family hash_visit_commands;
extern const struct command_family hyperloglog_commands;
extern const struct command_family info_commands;
extern const struct command_family keyspace_commands;
extern const struct command_family list_commands;
extern const struct command_family list_pop_commands;
extern const struct command_family object_commands;
extern const struct command_family planned_commands;
extern const struct command_family pubsub_commands;
extern const struct command_family scan_commands;
extern const struct command_family script_commands;
extern const struct command_family server_commands;
extern const struct command_family set_commands;
extern const struct command_family set_algebra_commands;
extern const struct command_family sort_commands;
extern const struct command_family stream_commands;
extern const struct command_family stream_group_commands;
extern const struct command_family stream_info_commands;
extern const struct command_family stream_pending_commands;
extern const struct command_family stream_read_commands;
extern const struct command_family stream_refs_commands;
extern const struct command_family string_commands;
extern const struct command_family string_compare_commands;
extern const struct command_family string_edit_commands;
extern const struct command_family string_many_commands;
extern const struct command_family transaction_commands;
extern const struct command_family zset_commands;
extern const struct command_family zset_algebra_commands;
extern const struct command_family zset_pop_commands;
extern const struct command_family zset_range_commands;

/* A command, or a subcommand, that is not built yet: a row without a handler (planned.c). */
#define PLANNED(word, from, what, group)                                                   \
    {                                                                                      \
        .name = (word), .arity = -1, .groups = (group), .since = (from), .complexity = "", \
        .summary = (what), .syntax = "", .reply = ""                                       \
    }

/* All of them. */
extern const struct command_family *const all_families[];
extern const size_t all_family_count;

#endif
