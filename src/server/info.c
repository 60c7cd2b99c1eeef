/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/info.h"

#include <stdarg.h>
#include <stdio.h>

struct info_section {
    const char *name, *title;
    void (*write)(const struct info *info);
    bool by_default;
};

static const struct info_section sections[] = {
    {"server", "Server", info_server_section, true},
    {"clients", "Clients", info_clients_section, true},
    {"memory", "Memory", info_memory_section, true},
    {"persistence", "Persistence", info_persistence_section, true},
    {"stats", "Stats", info_stats_section, true},
    {"replication", "Replication", info_replication_section, true},
    {"cpu", "CPU", info_cpu_section, true},
    {"modules", "Modules", info_modules_section, true},
    {"commandstats", "Commandstats", info_commandstats_section, false},
    {"errorstats", "Errorstats", info_errorstats_section, true},
    {"latencystats", "Latencystats", info_latencystats_section, false},
    {"cluster", "Cluster", info_cluster_section, true},
    {"keyspace", "Keyspace", info_keyspace_section, true},
    {"catalog", "Catalog", info_catalog_section, false},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

void info_write(const struct info *info, const struct bytes *names, size_t count) {
    bool wanted[SECTIONS] = {false}, first = true;
    for (size_t i = 0; i < count || (count == 0 && i == 0); i++) {
        struct bytes name = count ? names[i] : BYTES("default");
        bool by_default = bytes_is_word(name, "default");
        bool all = bytes_is_word(name, "all") || bytes_is_word(name, "everything");
        for (int s = 0; s < SECTIONS; s++) {
            if (all || (by_default && sections[s].by_default) ||
                bytes_is_word(name, sections[s].name)) {
                wanted[s] = true;
            }
        }
    }
    for (int s = 0; s < SECTIONS; s++) {
        if (!wanted[s]) continue;
        (void)!buffer_printf(info->out, "%s# %s\r\n", first ? "" : "\r\n", sections[s].title);
        sections[s].write(info);
        first = false;
    }
}

void info_field(const struct info *info, const char *name, const char *format, ...) {
    char value[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    (void)!buffer_printf(info->out, "%s:%s\r\n", name, value);
}

void info_bytes(const struct info *info, const char *name, uint64_t bytes) {
    static const char units[] = "BKMGTP";
    double amount = (double)bytes;
    int unit = 0;
    for (; amount >= 1024 && unit < 5; unit++) amount /= 1024;
    (void)!buffer_printf(info->out, "%s:%llu\r\n%s_human:%.*f%c\r\n", name,
                         (unsigned long long)bytes, name, unit ? 2 : 0, amount, units[unit]);
}

void info_zeros(const struct info *info, const char *const *names) {
    for (; *names; names++) info_field(info, *names, "0");
}
