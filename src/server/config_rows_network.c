/* SPDX-License-Identifier: BSD-3-Clause */
/* Directives: connections, clients, access, TLS. */
#include <limits.h>

#include "server/config_row.h"

static const struct config_word access_words[] = {{"no", CONFIG_ACCESS_NO},
                                                  {"yes", CONFIG_ACCESS_YES},
                                                  {"local", CONFIG_ACCESS_LOCAL},
                                                  {NULL, 0}};
static const struct config_word pubsub_words[] = {
    {"allchannels", 1}, {"resetchannels", 0}, {NULL, 0}};
static const struct config_word tls_auth_words[] = {
    {"no", 0}, {"yes", 1}, {"optional", 2}, {NULL, 0}};
static const struct config_word tls_user_words[] = {{"off", 0}, {"cn", 1}, {"uri", 2}, {NULL, 0}};

#define TLS      .waits = "TLS"
#define ACL      .waits = "access control lists"
#define TRACKING .waits = "client tracking"
#define SECONDS  .min = 0, .max = INT_MAX
#define PORT     .min = 0, .max = 65535
#define WIDE     .min = 0, .max = INT64_MAX

static const struct config_row rows[] = {
    {"bind", CONFIG_SPECIAL, "* -::*", "addresses to listen on; '-' before one that may be missing",
     .special = &config_special_bind, .flags = CONFIG_WORDS},
    {"port", CONFIG_INT, "6379", "TCP port; 0 for none", PORT},
    {"unixsocket", CONFIG_STRING, "", "path of a Unix socket to listen on", .flags = CONFIG_FIXED},
    {"unixsocketperm", CONFIG_OCTAL, "0", "permissions of the Unix socket; 0 for the default",
     .min = 0, .max = 0777, .flags = CONFIG_FIXED},
    {"unixsocketgroup", CONFIG_STRING, "", "group of the Unix socket",
     .flags = CONFIG_FIXED | CONFIG_REFUSED, .waits = "a group for the Unix socket"},
    {"tcp-backlog", CONFIG_INT, "511", "connections the kernel may queue before they are accepted",
     SECONDS, .flags = CONFIG_FIXED},
    {"tcp-keepalive", CONFIG_INT, "300", "seconds before an idle connection is probed; 0 for never",
     SECONDS, .flags = 0},
    {"timeout", CONFIG_INT, "0", "seconds before an idle client is closed; 0 for never", SECONDS},
    {"protected-mode", CONFIG_BOOL, "yes", "without a password, serve clients of this machine only",
     .flags = 0},
    {"bind-source-addr", CONFIG_STRING, "", "local address of outgoing connections",
     .waits = "replication"},
    {"socket-mark-id", CONFIG_INT, "0", "mark of listening sockets", .min = 0, .max = UINT32_MAX,
     .flags = CONFIG_FIXED | CONFIG_REFUSED, .waits = "marking of sockets"},
    {"mptcp", CONFIG_BOOL, "no", "listen with multipath TCP",
     .flags = CONFIG_FIXED | CONFIG_REFUSED, .waits = "multipath TCP"},
    {"rdma-bind", CONFIG_STRING, "", "addresses to listen on with RDMA",
     .flags = CONFIG_FIXED | CONFIG_REFUSED, .waits = "RDMA"},
    {"rdma-port", CONFIG_INT, "0", "port for RDMA", PORT, .flags = CONFIG_FIXED | CONFIG_REFUSED,
     .waits = "RDMA"},
    {"rdma-rx-size", CONFIG_INT, "1048576", "buffer of an RDMA connection", .min = 65536,
     .max = 16777216, .flags = CONFIG_FIXED, .waits = "RDMA"},
    {"rdma-completion-vector", CONFIG_INT, "-1", "completion vector of an RDMA connection",
     .min = -1, .max = 1024, .flags = CONFIG_FIXED, .waits = "RDMA"},
    {"max-new-connections-per-cycle", CONFIG_INT, "10", "connections accepted in one go", .min = 1,
     .max = 1000, .idle = "connections are accepted as they come and go to all threads in turn"},

    {"maxclients", CONFIG_INT, "10000", "clients connected at a time", .min = 1, .max = UINT32_MAX},
    {"client-output-buffer-limit", CONFIG_SPECIAL,
     "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
     "for each class of clients: hard limit, soft limit, seconds above the soft one",
     .special = &config_special_output_limits, .flags = CONFIG_WORDS},
    {"client-query-buffer-limit", CONFIG_MEMORY, "1gb", "bytes of one client's unfinished request",
     .min = 1024 * 1024},
    {"proto-max-bulk-len", CONFIG_MEMORY, "512mb", "bytes of one argument and of one string",
     .min = 1024 * 1024},
    {"maxmemory-clients", CONFIG_PERCENT, "0",
     "memory of all clients before the largest are closed; may be a percentage of maxmemory",
     .waits = "eviction of clients"},
    {"tracking-table-max-keys", CONFIG_INT, "1000000", "keys remembered for client-side caching",
     WIDE, TRACKING},

    {"requirepass", CONFIG_STRING, "", "password of the default user", .flags = 0},
    {"enable-debug-command", CONFIG_ENUM, "no", "allow DEBUG", .words = access_words,
     .flags = CONFIG_FIXED, .waits = "DEBUG"},
    {"enable-module-command", CONFIG_ENUM, "no", "allow MODULE", .words = access_words,
     .flags = CONFIG_FIXED, .waits = "the loading of modules"},
    {"enable-protected-configs", CONFIG_ENUM, "no", "allow CONFIG SET of protected directives",
     .words = access_words, .flags = CONFIG_FIXED},
    {"aclfile", CONFIG_STRING, "", "file of users", .flags = CONFIG_FIXED | CONFIG_REFUSED, ACL},
    {"acl-pubsub-default", CONFIG_ENUM, "resetchannels", "channels a new user may use",
     .words = pubsub_words, ACL},
    {"acllog-max-len", CONFIG_INT, "128", "entries of the log of refused commands", WIDE, ACL},

    {"tls-port", CONFIG_INT, "0", "port for TLS; 0 for none", PORT, .flags = CONFIG_REFUSED, TLS},
    {"tls-replication", CONFIG_BOOL, "no", "TLS towards the primary", .flags = CONFIG_REFUSED, TLS},
    {"tls-cluster", CONFIG_BOOL, "no", "TLS among cluster nodes", .flags = CONFIG_REFUSED, TLS},
    {"tls-cert-file", CONFIG_STRING, "", "certificate", TLS},
    {"tls-key-file", CONFIG_STRING, "", "its key", TLS},
    {"tls-key-file-pass", CONFIG_STRING, "", "the key's passphrase", TLS},
    {"tls-client-cert-file", CONFIG_STRING, "", "certificate towards other servers", TLS},
    {"tls-client-key-file", CONFIG_STRING, "", "its key", TLS},
    {"tls-client-key-file-pass", CONFIG_STRING, "", "the key's passphrase", TLS},
    {"tls-dh-params-file", CONFIG_STRING, "", "Diffie-Hellman parameters", TLS},
    {"tls-ca-cert-file", CONFIG_STRING, "", "certificates to trust", TLS},
    {"tls-ca-cert-dir", CONFIG_STRING, "", "folder of certificates to trust", TLS},
    {"tls-auth-clients", CONFIG_ENUM, "yes", "ask clients for certificates",
     .words = tls_auth_words, TLS},
    {"tls-auth-clients-user", CONFIG_ENUM, "off", "take the user's name from the certificate",
     .words = tls_user_words, TLS},
    {"tls-auto-reload-interval", CONFIG_INT, "0", "seconds between looks for new certificates",
     SECONDS, TLS},
    {"tls-protocols", CONFIG_STRING, "", "versions of TLS", TLS},
    {"tls-ciphers", CONFIG_STRING, "", "ciphers up to TLS 1.2", TLS},
    {"tls-ciphersuites", CONFIG_STRING, "", "ciphers of TLS 1.3", TLS},
    {"tls-prefer-server-ciphers", CONFIG_BOOL, "no", "the server's order of ciphers counts", TLS},
    {"tls-session-caching", CONFIG_BOOL, "yes", "resume sessions", TLS},
    {"tls-session-cache-size", CONFIG_INT, "20480", "sessions remembered", SECONDS, TLS},
    {"tls-session-cache-timeout", CONFIG_INT, "300", "seconds they are remembered", SECONDS, TLS},
    {"max-new-tls-connections-per-cycle", CONFIG_INT, "1", "TLS connections accepted in one go",
     .min = 1, .max = 1000, TLS},
};

const struct config_rows config_rows_network = {rows, sizeof rows / sizeof *rows,
                                                "Connections, clients, access"};
