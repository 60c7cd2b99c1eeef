/* SPDX-License-Identifier: BSD-3-Clause */
/* The keynome program: finds the command, and helps whoever does not know it. */
#include <stdio.h>
#include <string.h>

#include "catalog/words.h"
#include "cli/commands.h"

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

static void print_usage(FILE *stream) {
    fprintf(stream, "keynome " KN_VERSION ": tools for catalogs, the documents that say what a "
                    "keyspace holds\n\nUsage: keynome catalog COMMAND [ARGUMENT...]\n\n");
    for (const struct command *command = catalog_commands; command->name; command++)
        fprintf(stream, "  keynome catalog %-8s %s\n", command->name, command->summary);
    fprintf(stream, "\nkeynome catalog COMMAND --help tells more of each. Exit status: 0 fine, 1 "
                    "something found,\n2 it could not be done.\n");
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

int main(int argc, char **argv) {
    static const char *const groups[] = {"catalog", NULL};
    const char *names[sizeof catalog_commands / sizeof *catalog_commands];
    size_t count = 0;
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("keynome " KN_VERSION "\n");
        return EXIT_FINE;
    }
    bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                             strcmp(argv[1], "help") == 0);
    bool bare = argc < 3;
    if (help || (argc == 3 && strcmp(argv[1], "catalog") == 0 &&
                 (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    if (argc > 1 && strcmp(argv[1], "catalog") != 0) return no_command(argv[1], groups);
    if (bare) {
        print_usage(stderr);
        return EXIT_TROUBLE;
    }
    for (const struct command *command = catalog_commands; command->name; command++) {
        if (strcmp(argv[2], command->name) == 0) return command->run(argc - 3, argv + 3);
        names[count++] = command->name;
    }
    names[count] = NULL;
    return no_command(argv[2], names);
}
