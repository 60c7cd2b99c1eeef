/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The title is written over the memory where the kernel keeps the arguments and the environment,
 * which is what ps reads. So the environment is first moved elsewhere, and the arguments may not be
 * used any more afterwards.
 */
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/version.h"

extern char **environ;

/* Files besides clients: logs, listeners, and a few for each thread. */
enum { RESERVED_FILES = 128, TITLE_MAX = 1024 };
#define DEFAULT_PID_FILE "/var/run/keynome.pid"

static struct {
    char *title; /* where the kernel looks; NULL: unknown */
    size_t title_size;
    char executable[PATH_MAX];
    int supervised;
    bool pid_file_written;
    char pid_file[PATH_MAX];
    int oom_before; /* the score that the process had when its adjustment was switched on */
    bool oom_known;
} process;

/* ---- before anything else ---- */

static void find_title_space(int argc, char **argv) {
    if (argc < 1 || !argv[0]) return;
    char *end = argv[0] + strlen(argv[0]) + 1;
    for (int i = 1; i < argc && argv[i]; i++) {
        if (argv[i] == end) end += strlen(argv[i]) + 1;
    }
    size_t count = 0;
    for (; environ[count]; count++) {
        if (environ[count] == end) end += strlen(environ[count]) + 1;
    }
    char **copy = mem_alloc((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) copy[i] = mem_strdup(environ[i]);
    copy[count] = NULL;
    environ = copy;
    process.title = argv[0];
    process.title_size = (size_t)(end - argv[0]);
}

void process_prepare(int argc, char **argv) {
    ssize_t len = readlink("/proc/self/exe", process.executable, sizeof process.executable - 1);
    process.executable[len > 0 ? len : 0] = '\0';
    setlocale(LC_COLLATE, "");
    tzset();
    find_title_space(argc, argv);
}

const char *process_executable(void) {
    return process.executable;
}

/* ---- supervisors ---- */

static void notify_supervisor(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (process.supervised != SUPERVISED_SYSTEMD || len == 0) return;
    if (len >= sizeof address.sun_path) {
        log_warning("The path in NOTIFY_SOCKET is too long");
        return;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') address.sun_path[0] = '\0'; /* an abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 ||
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0) {
        log_warning("Can't send to the supervisor's socket: %s", strerror(errno));
    }
    if (fd >= 0) close(fd);
}

static int detect_supervisor(int wanted) {
    bool systemd = getenv("NOTIFY_SOCKET") != NULL, upstart = getenv("UPSTART_JOB") != NULL;
    if ((wanted == SUPERVISED_AUTO || wanted == SUPERVISED_SYSTEMD) && systemd) {
        return SUPERVISED_SYSTEMD;
    }
    if ((wanted == SUPERVISED_AUTO || wanted == SUPERVISED_UPSTART) && upstart) {
        return SUPERVISED_UPSTART;
    }
    return SUPERVISED_NO;
}

const char *process_supervision(void) {
    return process.supervised == SUPERVISED_SYSTEMD   ? "systemd"
           : process.supervised == SUPERVISED_UPSTART ? "upstart"
                                                      : "no";
}

/* ---- starting ---- */

static bool go_to_background(struct config_error *error) {
    pid_t child = fork();
    if (child < 0) {
        snprintf(error->text, sizeof error->text, "Can't go to the background: %s",
                 strerror(errno));
        return false;
    }
    if (child > 0) _exit(0);
    setsid();
    int fd = open("/dev/null", O_RDWR);
    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO) close(fd);
    }
    return true;
}

static bool open_log(struct config *config, struct config_error *error) {
    const char *file = config_peek(config, "logfile");
    struct log_options options = {
        .level = (enum log_level)config_number(config, "loglevel"),
        .file = file,
        .syslog = config_bool(config, "syslog-enabled"),
        .syslog_ident = config_peek(config, "syslog-ident"),
        .syslog_facility = (int)config_number(config, "syslog-facility"),
    };
    if (log_open(&options) == 0) return true;
    snprintf(error->text, sizeof error->text, "Can't open the log file '%.512s': %s", file,
             strerror(errno));
    return false;
}

static void write_pid_file(struct config *config, bool in_background) {
    const char *path = config_peek(config, "pidfile");
    if (!*path && !in_background) return;
    if (!*path) path = DEFAULT_PID_FILE;
    FILE *file = fopen(path, "we");
    bool ok = file && fprintf(file, "%d\n", (int)getpid()) > 0;
    if (file && fclose(file) != 0) ok = false;
    if (!ok) {
        log_warning("Failed to write PID file: %s", strerror(errno));
        return;
    }
    /* `dir` may change before the end. */
    if (!realpath(path, process.pid_file))
        snprintf(process.pid_file, sizeof process.pid_file, "%s", path);
    process.pid_file_written = true;
}

const char *process_adjust_oom_score(struct config *config) {
    int64_t mode = config_number(config, "oom-score-adj");
    static const char path[] = "/proc/self/oom_score_adj";
    char text[32];
    int fd = -1, score;
    if (!process.oom_known) {
        if (mode == OOM_ADJUST_NO) return NULL;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
        if (fd >= 0) close(fd);
        if (len <= 0) return "Failed to read the process's oom_score_adj";
        text[len] = '\0';
        process.oom_before = (int)strtol(text, NULL, 10);
        process.oom_known = true;
    }
    score = process.oom_before;
    if (mode != OOM_ADJUST_NO) {
        score = (int)strtol(config_peek(config, "oom-score-adj-values"), NULL, 10);
        if (mode == OOM_ADJUST_RELATIVE) score += process.oom_before;
        score = score < -1000 ? -1000 : score > 1000 ? 1000 : score;
    }
    int len = snprintf(text, sizeof text, "%d\n", score);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, (size_t)len) == len;
    if (fd >= 0) close(fd);
    /* From now on the score is whoever's: what it is when this is switched on again, counts. */
    if (ok && mode == OOM_ADJUST_NO) process.oom_known = false;
    return ok ? NULL : "Failed to apply new oom_score_adj configuration, check server logs.";
}

bool process_start(struct config *config, struct config_error *error) {
    int wanted = (int)config_number(config, "supervised");
    if (config_number(config, "port") == 0 && !*config_peek(config, "unixsocket")) {
        snprintf(error->text, sizeof error->text, "Configured to not listen anywhere, exiting.");
        return false;
    }
    process.supervised = detect_supervisor(wanted);
    bool in_background = config_bool(config, "daemonize") && process.supervised == SUPERVISED_NO;
    /* The folder and the log are settled first: what is wrong is still told
     * to whoever started this. */
    if (!open_log(config, error)) return false;
    if (in_background) {
        if (!go_to_background(error)) return false;
        if (!open_log(config, error)) return false;
    }
    log_notice("Keynome %s starts: pid %d, %d bits, serving the commands of Redis %s", KN_VERSION,
               (int)getpid(), (int)(sizeof(void *) * CHAR_BIT), REDIS_VERSION);
    if (*config_file_path(config)) {
        log_notice("Configuration loaded from %s", config_file_path(config));
    } else {
        log_notice("No configuration file: running with defaults. To give one: keynome-server "
                   "/path/to/redis.conf");
    }
    if (wanted != SUPERVISED_NO && wanted != SUPERVISED_AUTO &&
        process.supervised == SUPERVISED_NO) {
        log_warning("supervised is set, but the supervisor's %s is not in the environment",
                    wanted == SUPERVISED_SYSTEMD ? "NOTIFY_SOCKET" : "UPSTART_JOB");
    }
    write_pid_file(config, in_background);
    if (config_bool(config, "disable-thp")) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    return true;
}

unsigned process_reserve_files(unsigned max_clients) {
    struct rlimit limit;
    rlim_t needed = (rlim_t)max_clients + RESERVED_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warning("Can't tell the limit of open files (%s), assuming 1024", strerror(errno));
        return max_clients < 1024 - RESERVED_FILES ? max_clients : 1024 - RESERVED_FILES;
    }
    if (limit.rlim_cur >= needed) return max_clients;
    rlim_t before = limit.rlim_cur;
    struct rlimit wanted = {needed, limit.rlim_max > needed ? limit.rlim_max : needed};
    if (setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
        /* Without the right to raise the hard limit, up to it is the most. */
        wanted = (struct rlimit){limit.rlim_max < needed ? limit.rlim_max : needed, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &wanted) != 0) wanted.rlim_cur = before;
    }
    if (wanted.rlim_cur >= needed) {
        log_verbose("Raised the limit of open files from %llu to %llu", (unsigned long long)before,
                    (unsigned long long)wanted.rlim_cur);
        return max_clients;
    }
    unsigned possible =
        wanted.rlim_cur > RESERVED_FILES ? (unsigned)wanted.rlim_cur - RESERVED_FILES : 1;
    log_warning(
        "maxclients %u needs %llu open files, but the system allows %llu: maxclients is %u. To "
        "have more, raise the limit with ulimit -n or LimitNOFILE.",
        max_clients, (unsigned long long)needed, (unsigned long long)wanted.rlim_cur, possible);
    return possible;
}

void process_warn(struct config *config) {
    int64_t backlog = config_number(config, "tcp-backlog");
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
    long long allowed;
    if (file && fscanf(file, "%lld", &allowed) == 1 && allowed > 0 && allowed < backlog) {
        log_warning("tcp-backlog %lld has no effect beyond %lld, the value of "
                    "/proc/sys/net/core/somaxconn",
                    (long long)backlog, allowed);
    }
    if (file) fclose(file);
    log_notice("Data live in memory only: snapshots, journal and replication are not built yet");
}

/* ---- serving ---- */

/* Appends at most what fits; len may reach TITLE_MAX - 1. */
static void append(char *out, size_t *len, const char *text, size_t text_len) {
    if (text_len > TITLE_MAX - 1 - *len) text_len = TITLE_MAX - 1 - *len;
    memcpy(out + *len, text, text_len);
    *len += text_len;
}

/* The first address as ps should show it. */
static void listen_address(const struct config *config, int port, char *out, size_t size) {
    const char *bind = config_peek(config, "bind"), *path = config_peek(config, "unixsocket");
    size_t len = strcspn(bind, " ");
    if (port == 0 && *path) {
        snprintf(out, size, "unixsocket:%s", path);
    } else {
        snprintf(out, size, "%.*s:%d", (int)len, bind, port);
    }
}

void process_set_title(const struct config *config, const char *title_template, int port) {
    char title[TITLE_MAX], address[256], number[16];
    size_t len = 0;
    if (!process.title || !config_bool(config, "set-proc-title")) return;
    const char *name = strrchr(process.executable, '/');
    listen_address(config, port, address, sizeof address);
    snprintf(number, sizeof number, "%d", port);
    const struct {
        const char *variable, *value;
    } values[] = {{"{title}", name ? name + 1 : "keynome-server"},
                  {"{listen-addr}", address},
                  {"{server-mode}", ""},
                  {"{port}", number},
                  {"{tls-port}", "0"},
                  {"{unixsocket}", config_peek(config, "unixsocket")},
                  {"{config-file}", config_file_path(config)}};
    for (const char *at = title_template; *at;) {
        size_t i = 0, count = sizeof values / sizeof *values;
        while (i < count && strncmp(at, values[i].variable, strlen(values[i].variable)) != 0) i++;
        if (i < count) {
            append(title, &len, values[i].value, strlen(values[i].value));
            at += strlen(values[i].variable);
        } else {
            append(title, &len, at++, 1);
        }
    }
    while (len && title[len - 1] == ' ') len--;
    if (len >= process.title_size) len = process.title_size - 1;
    memset(process.title, 0, process.title_size);
    memcpy(process.title, title, len);
}

void process_ready(struct config *config, int port) {
    const char *path = config_peek(config, "unixsocket");
    process_set_title(config, config_peek(config, "proc-title-template"), port);
    if (port != 0) {
        log_notice(
            "Ready to accept connections on %s, port %d. Talk to it with: redis-cli -p %d ping",
            config_peek(config, "bind"), port, port);
    }
    if (*path)
        log_notice("Ready to accept connections at %s. Talk to it with: redis-cli -s %s ping", path,
                   path);
    notify_supervisor("READY=1\nSTATUS=Ready to accept connections\n");
    if (process.supervised == SUPERVISED_UPSTART) raise(SIGSTOP);
}

void process_stop(void) {
    notify_supervisor("STOPPING=1\nSTATUS=Shutting down\n");
    process_remove_pid_file();
}

void process_remove_pid_file(void) {
    if (process.pid_file_written) unlink(process.pid_file);
    process.pid_file_written = false;
}

uint64_t process_resident_bytes(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
