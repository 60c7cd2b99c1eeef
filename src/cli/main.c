/* SPDX-License-Identifier: BSD-3-Clause */
/* The keynome program: finds the command, and helps whoever does not know it. */
#include <stdio.h>
#include <string.h>

#include "catalog/words.h"
#include "cli/commands.h"

enum { COMMANDS_MAX = 16 };

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command catalog_commands[] = {
    {"import", command_catalog_import, "read a Markdown document, write keyspace.yaml"},
    {"check", command_catalog_check, "report what is wrong, and what will hurt"},
    {"match", command_catalog_match, "tell which pattern keys belong to"},
    {"docs", command_catalog_docs, "write a catalog as a Markdown document"},
    {"diff", command_catalog_diff, "compare two catalogs"},
    {NULL, NULL, NULL},
};

static const struct command commands[] = {
    {"audit", command_audit, "compare what a server holds with its catalog"},
    {"top", command_top, "show live what a running server counts for each pattern"},
    {NULL, NULL, NULL},
};

static void print_usage(FILE *stream) {
    fprintf(stream, "keynome " KN_VERSION ": tools for catalogs, the documents that say what a "
                    "keyspace holds\n\nUsage: keynome catalog COMMAND [ARGUMENT...]\n"
                    "       keynome COMMAND [ARGUMENT...]\n\n");
    for (const struct command *command = catalog_commands; command->name; command++)
        fprintf(stream, "  keynome catalog %-8s %s\n", command->name, command->summary);
    for (const struct command *command = commands; command->name; command++)
        fprintf(stream, "  keynome %-16s %s\n", command->name, command->summary);
    fprintf(stream, "\nWith --help, each command tells more. Exit status: 0 fine, 1 something "
                    "found,\n2 it could not be done.\n");
}

static int no_command(const char *name, const char *const *names) {
    const char *near = words_nearest(bytes_from_string(name), names);
    fprintf(stderr, "keynome: no command '%s'", name);
    if (near) {
        fprintf(stderr, "; did you mean '%s'?\n", near);
    } else {
        fprintf(stderr, "\n\n");
        print_usage(stderr);
    }
    return EXIT_TROUBLE;
}

/* Runs the command of that name, or says which there are. */
static int run_command(const struct command *table, int argc, char **argv) {
    const char *names[COMMANDS_MAX + 1];
    size_t count = 0;
    for (const struct command *command = table; command->name && count < COMMANDS_MAX; command++) {
        if (strcmp(argv[0], command->name) == 0) return command->run(argc - 1, argv + 1);
        names[count++] = command->name;
    }
    if (table == commands) names[count++] = "catalog";
    names[count] = NULL;
    return no_command(argv[0], names);
}

static bool asks_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv) {
    bool catalog = argc > 1 && strcmp(argv[1], "catalog") == 0;
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("keynome " KN_VERSION "\n");
        return EXIT_FINE;
    }
    if ((argc > 1 && asks_help(argv[1])) || (argc == 3 && catalog && asks_help(argv[2]))) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    if (argc < (catalog ? 3 : 2)) {
        print_usage(stderr);
        return EXIT_TROUBLE;
    }
    return catalog ? run_command(catalog_commands, argc - 2, argv + 2)
                   : run_command(commands, argc - 1, argv + 1);
}
