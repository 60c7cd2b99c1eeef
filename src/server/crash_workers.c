/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the workers were doing, for the crash report. Runs in a signal handler while other threads
 * go on, so it only looks at what stays in place: workers, and the commands' table.
 */
#include "server/client.h"
#include "server/command.h"
#include "server/crash.h"
#include "server/server.h"
#include "server/worker.h"

void crash_describe_workers(void *context) {
    const struct server *server = context;
    crash_text("threads:");
    crash_decimal(server->worker_count);
    crash_text("\n");
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = server->workers[i];
        const struct client *client = worker->current;
        crash_text("worker ");
        crash_decimal(i);
        if (worker == worker_current()) crash_text(" (this thread)");
        if (!client) {
            crash_text(": runs no command\n");
            continue;
        }
        const struct command *command = client->shared.last_command;
        crash_text(": client ");
        crash_decimal((int64_t)client->id);
        crash_text(", database ");
        crash_decimal(client->db);
        crash_text(", last command ");
        crash_text(command ? command->name : "none");
        crash_text("\n");
    }
}
