/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The composition root: builds the parts, hands them to each other, runs, and shuts down. The only
 * file that sees all floors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/ticks.h"
#include "commands/families.h"
#include "net/listener.h"
#include "script/scripts.h"
#include "server/catalogs.h"
#include "server/client.h"
#include "server/command_table.h"
#include "server/config.h"
#include "server/config_apply.h"
#include "server/crash.h"
#include "server/info.h"
#include "server/process.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/worker.h"
#include "store/admin.h"

enum { ADDRESSES_MAX = LISTENER_ADDRESSES_MAX };

static int fail(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    return EXIT_FAILURE;
}

/* Applies rename-command; returns false with a sentence in error. */
static bool rename_commands(struct config *config, struct command_table *commands,
                            struct config_error *error) {
    for (const struct config_rename *each = config_renames(config); each != NULL;
         each = each->next) {
        int code = command_table_rename(commands, bytes_from_string(each->from),
                                        bytes_from_string(each->to));
        if (code == 0) continue;
        snprintf(
            error->text, sizeof error->text, "%s: rename-command %s: %s", each->where, each->from,
            code == ERROR_NO_SUCH_KEY ? "No such command" : "Target command name already exists");
        return false;
    }
    return true;
}

static void accepted(void *context, unsigned worker, int fd, bool is_unix) {
    struct server *server = context;
    client_new(server->workers[worker], fd, is_unix);
}

static void accept_failed(void *context, int error) {
    (void)context;
    log_warning("Accepting a client connection failed: %s", strerror(error));
}

/* Splits the addresses of bind, in place. */
static size_t split_addresses(char *text, const char **ret_addresses) {
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < ADDRESSES_MAX;
         word = strtok_r(NULL, " ", &rest))
        ret_addresses[count++] = word;
    return count;
}

static void log_report(void *context, const char *line) {
    (void)context;
    log_notice("%s", line);
}

static struct listener *listen_for_clients(struct config *config, struct server *server,
                                           char *error) {
    char *bind = config_text(config, "bind"), *unix_path = config_text(config, "unixsocket");
    const char *addresses[ADDRESSES_MAX];
    int port = (int)config_number(config, "port");
    struct listener_options options = {
        .addresses = addresses,
        .address_count = split_addresses(bind, addresses),
        .port = port,
        .no_tcp = port == 0,
        .backlog = (int)config_number(config, "tcp-backlog"),
        .unix_path = unix_path,
        .unix_mode = (unsigned)config_number(config, "unixsocketperm"),
        .keepalive_s = (int)config_number(config, "tcp-keepalive"),
        .context = server,
        .accepted = accepted,
        .failed = accept_failed,
    };
    process_warn(config);
    config_report(config, log_report, NULL);
    info_note_start();
    struct listener *listener = listener_new(&options, error);
    mem_free(bind);
    mem_free(unix_path);
    return listener;
}

/* A watcher of tcp-keepalive. */
static const char *set_keepalive(void *context, const char *name, int64_t number,
                                 const char *text) {
    (void)name, (void)text;
    listener_set_keepalive(context, (int)number);
    return NULL;
}

/* What CONFIG SET bind and port change. */
struct listening_place {
    struct config *config;
    struct server *server;
    struct listener *listener;
};

/* A watcher of bind and port. When both are set, the first to be told sees both, and the
 * second has nothing to do. */
static const char *set_place(void *context, const char *name, int64_t number, const char *text) {
    static _Thread_local char error[LISTENER_ERROR_MAX];
    const struct listening_place *place = context;
    const char *addresses[ADDRESSES_MAX];
    (void)name, (void)number, (void)text;
    char *bind = mem_strdup(config_peek(place->config, "bind"));
    size_t count = split_addresses(bind, addresses);
    int port = (int)config_number(place->config, "port");
    bool ok = listener_rebind(place->listener, addresses, count, port, error);
    mem_free(bind);
    atomic_store(&place->server->port, (unsigned)listener_port(place->listener));
    process_set_title(place->config, config_peek(place->config, "proc-title-template"),
                      (int)atomic_load(&place->server->port));
    return ok ? NULL : error;
}

/* Loads the files of the directive `catalog`; says what is wrong, to whoever started the
 * server, and returns false. */
static bool load_catalogs(struct config *config, struct catalogs *catalogs) {
    enum { NAME_MAX_LEN = 256 };
    char *files = config_text(config, "catalog"), *rest = NULL, name[NAME_MAX_LEN];
    bool done = true;
    for (char *file = strtok_r(files, " ", &rest); file != NULL && done;
         file = strtok_r(NULL, " ", &rest)) {
        struct diagnostics *findings = diagnostics_new();
        struct buffer line;
        buffer_init(&line, DIAGNOSTIC_TEXT_MAX * 4);
        done = catalogs_load(catalogs, bytes_from_string(file), MODE_INHERITED, findings, name,
                             sizeof name);
        for (size_t i = 0; i < diagnostics_count(findings); i++) {
            const struct diagnostic *finding = diagnostics_at(findings, i);
            line.len = 0;
            diagnostic_print(finding, &line);
            if (finding->severity == SEVERITY_ERROR)
                fprintf(stderr, "%.*s\n", (int)line.len, line.data);
            else
                log_notice("%.*s", (int)line.len, line.data);
        }
        if (done) log_notice("Catalog '%s' is in force (%s)", name, file);
        buffer_done(&line);
        diagnostics_free(findings);
    }
    mem_free(files);
    return done;
}

static void stop(void *context) {
    server_stop(context);
}

static int serve(struct config *config, struct server *server, struct listener *listener,
                 struct admin *admin) {
    struct loop **loops = mem_alloc(server->worker_count * sizeof *loops);
    for (unsigned i = 0; i < server->worker_count; i++) loops[i] = server->workers[i]->loop;
    int status = EXIT_FAILURE;
    if (listener_start(listener, loops, server->worker_count) == 0) {
        atomic_store(&server->port, (unsigned)listener_port(listener));
        signals_install(stop, server);
        crash_describe(crash_describe_workers, server);
        process_ready(config, listener_port(listener));
        status = server_run(server) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        signals_forget();
        admin_stop(admin);
        log_notice("Keynome is shutting down; bye.");
        process_stop();
    }
    admin_stop(admin); /* also where nothing was served */
    listener_free(listener);
    mem_free(loops);
    return status;
}

/* ret_admin: to be freed after the server; NULL when it could not be made. */
static int listen_and_serve(struct config *config, struct server *server,
                            struct admin **ret_admin) {
    char error[LISTENER_ERROR_MAX];
    _Static_assert((int)LISTENER_ERROR_MAX >= (int)ADMIN_ERROR_MAX, "one room for both");
    struct listener *listener = listen_for_clients(config, server, error);
    if (listener != NULL) *ret_admin = admin_new(config, server, error);
    if (*ret_admin == NULL) {
        log_warning("%s", error);
        if (listener != NULL) listener_free(listener);
        process_stop();
        return EXIT_FAILURE;
    }
    struct listening_place place = {config, server, listener};
    config_watch(config, "tcp-keepalive", set_keepalive, listener);
    config_watch(config, "bind", set_place, &place);
    config_watch(config, "port", set_place, &place);
    return serve(config, server, listener, *ret_admin);
}

static int run(struct config *config) {
    struct config_error error;
    struct command_table *commands = command_table_new(all_families, all_family_count);
    if (!rename_commands(config, commands, &error)) return fail(error.text);
    if (config_bool(config, "crash-log-enabled")) crash_install();
    hash_seed_init(0);
    ticks_calibrate();
    if (!process_start(config, &error)) return fail(error.text);
    memory_start_giving_back();
    unsigned threads = config_thread_count(config);
    struct store *store = store_new((unsigned)config_number(config, "databases"), threads);
    struct server *server = server_new(store, commands, config, threads);
    if (server == NULL) return fail("The system refuses another event loop.");
    server->scripts = scripts_new(server);
    struct catalogs *catalogs = server->catalogs = catalogs_new(server);
    struct admin *admin = NULL;
    int status = EXIT_FAILURE;
    if (!config_connect(config, server, &error))
        fail(error.text);
    else if (load_catalogs(config, catalogs))
        status = listen_and_serve(config, server, &admin);
    scripts_free(server->scripts);
    server_free(server);
    if (admin != NULL) admin_free(admin);
    store_free(store);
    catalogs_free(catalogs);
    command_table_free(commands);
    crash_uninstall();
    return status;
}

int main(int argc, char **argv) {
    struct config_error error;
    process_prepare(argc, argv);
    struct config *config = config_new();
    int status = EXIT_SUCCESS;
    switch (config_load(config, argc, argv, &error)) {
    case CONFIG_START_EXIT: break;
    case CONFIG_START_FAIL: status = fail(error.text); break;
    default: status = run(config);
    }
    config_free(config);
    return status;
}
