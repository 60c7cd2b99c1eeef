/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: threads, process, log, monitoring, scripts. */
#include <limits.h>
#include <syslog.h>

#include "base/log.h"
#include "server/config_row.h"
#include "server/process.h"

static const struct config_word loglevel_words[] = {
    {"debug", LOG_LEVEL_DEBUG},     {"verbose", LOG_LEVEL_VERBOSE}, {"notice", LOG_LEVEL_NOTICE},
    {"warning", LOG_LEVEL_WARNING}, {"nothing", LOG_LEVEL_NOTHING}, {NULL, 0}};
static const struct config_word facility_words[] = {{"user", LOG_USER},     {"local0", LOG_LOCAL0},
                                                    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
                                                    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
                                                    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
                                                    {"local7", LOG_LOCAL7}, {NULL, 0}};
static const struct config_word supervised_words[] = {{"upstart", SUPERVISED_UPSTART},
                                                      {"systemd", SUPERVISED_SYSTEMD},
                                                      {"auto", SUPERVISED_AUTO},
                                                      {"no", SUPERVISED_NO},
                                                      {NULL, 0}};
static const struct config_word oom_words[] = {{"no", OOM_ADJUST_NO},
                                               {"yes", OOM_ADJUST_RELATIVE},
                                               {"relative", OOM_ADJUST_RELATIVE},
                                               {"absolute", OOM_ADJUST_ABSOLUTE},
                                               {NULL, 0}};
static const struct config_word shutdown_words[] = {
    {"default", 0},           {"save", SHUTDOWN_ON_SAVE},   {"nosave", SHUTDOWN_ON_NOSAVE},
    {"now", SHUTDOWN_ON_NOW}, {"force", SHUTDOWN_ON_FORCE}, {NULL, 0}};
static const struct config_word log_format_words[] = {{"legacy", 0}, {"logfmt", 1}, {NULL, 0}};
static const struct config_word log_time_words[] = {
    {"legacy", 0}, {"iso8601", 1}, {"milliseconds", 2}, {NULL, 0}};

#define COUNT   .min = 0, .max = INT_MAX
#define WIDE    .min = 0, .max = INT64_MAX
#define SLOWLOG .waits = "the slow log"
#define LATENCY .waits = "the latency monitor"
#define CPULIST .waits = "binding of threads to CPUs"

static const struct config_row rows[] = {
    {"threads", CONFIG_INT, "0",
     "threads that serve clients; 0 for io-threads where that is given, else one for each CPU",
     .min = 0, .max = 256, .flags = CONFIG_FIXED},
    {"io-threads", CONFIG_INT, "1", "taken for threads, where that is not given", .min = 1,
     .max = 256, .flags = CONFIG_FIXED},
    {"io-threads-do-reads", CONFIG_BOOL, "no", "I/O threads also read", .flags = CONFIG_FIXED,
     .idle = "every thread reads, executes and writes for its own clients"},
    {"databases", CONFIG_INT, "16", "databases, for SELECT", .min = 1, .max = 1024,
     .flags = CONFIG_FIXED},
    {"hz", CONFIG_SPECIAL, "10", "rounds of background work a second",
     .special = &config_special_hz, .idle = "background work goes by what is due"},
    {"dynamic-hz", CONFIG_BOOL, "yes", "more rounds with more clients",
     .idle = "background work goes by what is due"},

    {"daemonize", CONFIG_BOOL, "no", "run in the background", .flags = CONFIG_FIXED},
    {"supervised", CONFIG_ENUM, "no", "tell systemd or upstart when ready",
     .words = supervised_words, .flags = CONFIG_FIXED},
    {"pidfile", CONFIG_STRING, "", "file for the process's id", .flags = CONFIG_FIXED},
    {"dir", CONFIG_SPECIAL, ".", "working folder", .special = &config_special_dir,
     .flags = CONFIG_PROTECTED},
    {"set-proc-title", CONFIG_BOOL, "yes", "show address and mode in the list of processes",
     .flags = CONFIG_FIXED},
    {"proc-title-template", CONFIG_SPECIAL, "{title} {listen-addr} {server-mode}", "what to show",
     .special = &config_special_title},
    {"always-show-logo", CONFIG_BOOL, "no", "print a logo", .flags = CONFIG_FIXED,
     .idle = "there is no logo"},
    {"oom-score-adj", CONFIG_ENUM, "no", "tell the kernel which process to end when memory is out",
     .words = oom_words},
    {"oom-score-adj-values", CONFIG_SPECIAL, "0 200 800",
     "scores of primary, replica and background process; the first is used",
     .special = &config_special_oom_values, .flags = CONFIG_WORDS},
    {"disable-thp", CONFIG_BOOL, "yes", "no transparent huge pages for this process",
     .flags = CONFIG_FIXED},
    {"server-cpulist", CONFIG_STRING, "", "CPUs for the threads", .alias = "server_cpulist",
     .flags = CONFIG_FIXED, CPULIST},
    {"bio-cpulist", CONFIG_STRING, "", "CPUs for background threads", .alias = "bio_cpulist",
     .flags = CONFIG_FIXED, CPULIST},
    {"bgsave-cpulist", CONFIG_STRING, "", "CPUs for snapshots", .alias = "bgsave_cpulist",
     .flags = CONFIG_FIXED, CPULIST},
    {"aof-rewrite-cpulist", CONFIG_STRING, "", "CPUs for rewriting the journal",
     .alias = "aof_rewrite_cpulist", .flags = CONFIG_FIXED, CPULIST},
    {"locale-collate", CONFIG_STRING, "", "locale of SORT ALPHA; empty for the environment's",
     .flags = 0},
    {"ignore-warnings", CONFIG_STRING, "", "warnings to start in spite of",
     .idle = "the server starts in spite of its warnings"},
    {"shutdown-timeout", CONFIG_INT, "10", "seconds to wait for replicas at shutdown", COUNT,
     .waits = "replication"},
    {"shutdown-on-sigint", CONFIG_FLAGS, "default", "how SIGINT ends the server",
     .words = shutdown_words, .flags = CONFIG_WORDS, .waits = "persistence"},
    {"shutdown-on-sigterm", CONFIG_FLAGS, "default", "how SIGTERM ends the server",
     .words = shutdown_words, .flags = CONFIG_WORDS, .waits = "persistence"},
    {"crash-log-enabled", CONFIG_BOOL, "yes", "report a crash in the log", .flags = 0},
    {"crash-memcheck-enabled", CONFIG_BOOL, "yes", "test memory after a crash",
     .idle = "a crash report tests no memory"},
    {"availability-zone", CONFIG_STRING, "", "where the server is; shown in INFO and by HELLO",
     .flags = 0},
    {"extended-redis-compatibility", CONFIG_BOOL, "no", "answer as Redis by name",
     .idle = "replies are Redis's anyway"},
    {"import-mode", CONFIG_BOOL, "no", "let expired keys live while another server's data come in",
     .flags = CONFIG_REFUSED, .waits = "the import mode"},

    {"loglevel", CONFIG_ENUM, "notice", "least severity that is logged", .words = loglevel_words},
    {"logfile", CONFIG_STRING, "", "file of the log; empty for standard output",
     .flags = CONFIG_FIXED},
    {"syslog-enabled", CONFIG_BOOL, "no", "log to syslog too", .flags = CONFIG_FIXED},
    {"syslog-ident", CONFIG_STRING, "keynome", "name in syslog", .flags = CONFIG_FIXED},
    {"syslog-facility", CONFIG_ENUM, "local0", "facility in syslog", .words = facility_words,
     .flags = CONFIG_FIXED},
    {"log-format", CONFIG_ENUM, "legacy", "format of the log's lines", .words = log_format_words,
     .flags = CONFIG_REFUSED, .waits = "other formats of the log"},
    {"log-timestamp-format", CONFIG_ENUM, "legacy", "format of its times", .words = log_time_words,
     .flags = CONFIG_REFUSED, .waits = "other formats of the log"},
    {"hide-user-data-from-log", CONFIG_BOOL, "no", "no keys and values in the log",
     .idle = "the log never shows keys or values"},

    {"slowlog-log-slower-than", CONFIG_INT, "10000", "microseconds; -1 for never", .min = -1,
     .max = INT64_MAX, .alias = "commandlog-execution-slower-than", SLOWLOG},
    {"slowlog-max-len", CONFIG_INT, "128", "entries of the slow log", WIDE,
     .alias = "commandlog-slow-execution-max-len", SLOWLOG},
    {"commandlog-request-larger-than", CONFIG_INT, "1048576", "bytes; -1 for never", .min = -1,
     .max = INT64_MAX, SLOWLOG},
    {"commandlog-large-request-max-len", CONFIG_INT, "128", "entries of the log of large requests",
     WIDE, SLOWLOG},
    {"commandlog-reply-larger-than", CONFIG_INT, "1048576", "bytes; -1 for never", .min = -1,
     .max = INT64_MAX, SLOWLOG},
    {"commandlog-large-reply-max-len", CONFIG_INT, "128", "entries of the log of large replies",
     WIDE, SLOWLOG},
    {"latency-monitor-threshold", CONFIG_INT, "0", "milliseconds that count as a spike; 0 for off",
     WIDE, LATENCY},
    {"latency-tracking", CONFIG_BOOL, "yes", "keep a histogram of latencies for each command",
     .flags = 0},
    {"latency-tracking-info-percentiles", CONFIG_SPECIAL, "50 99 99.9",
     "percentiles that INFO latencystats shows", .special = &config_special_percentiles,
     .flags = CONFIG_WORDS},
    {"notify-keyspace-events", CONFIG_SPECIAL, "", "classes of events to publish",
     .special = &config_special_events},

    {"busy-reply-threshold", CONFIG_INT, "5000", "milliseconds before a script is called slow",
     WIDE, .alias = "lua-time-limit"},
    {"propagation-error-behavior", CONFIG_ENUM, "ignore", "when a replicated command fails",
     .words =
         (const struct config_word[]){
             {"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}, {NULL, 0}},
     .waits = "replication"},
};

const struct config_rows config_rows_process = {rows, sizeof rows / sizeof *rows,
                                                "Threads, process, log, monitoring"};
