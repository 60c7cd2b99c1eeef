/* SPDX-License-Identifier: BSD-3-Clause */
/* load: sends requests made from a template to a server and prints, as one line of JSON, how many
 * were answered, how fast, and what they cost the server. */
#include "driver.h"
#include "usage.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 10000, MAX_PIPELINE = 10000 };

struct settings {
    struct driver_options driver;
    struct template_options templates;
    uint64_t requests;
    uint64_t warmup_requests;
    double seconds;
    int server_pid;
    const char *text;
};

static const char usage_text[] =
    "usage: load [options] 'REQUEST {num} ...'\n"
    "  -h HOST, -p PORT, -s PATH   where the server is (127.0.0.1, 6379; or a Unix socket)\n"
    "  -c N     connections (50)        -P N     requests under way in each (1)\n"
    "  -n N     requests in all         -t SEC   or for how long (1 second when neither)\n"
    "  -w N     requests to warm up with, not counted (0)\n"
    "  -r N     key space of {num} (1000000)   -z T  zipfian with this theta (uniform)\n"
    "  -d N     bytes of {value} (32)          -S N  first {seq} (0)\n"
    "  --seed N, --verify (GET replies must be the key's value), --pid N (server to meter)\n"
    "placeholders: {num} {num:R} {seq} {same} {rand:R} {value} {value:S} {value:A-B}\n"
    "a mix: '9 GET key:{num} ; 1 SET key:{num} {value}'\n";

static _Noreturn void usage_exit(const char *message) {
    fprintf(stderr, "load: %s\n%s", message, usage_text);
    exit(2);
}

static uint64_t number_option(const char *text, uint64_t low, uint64_t high) {
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    if (end == text || *end || number < low || number > high)
        usage_exit("a number is missing or out of range");
    return number;
}

static void options_parse(int argc, char **argv, struct settings *settings) {
    static const struct option long_options[] = {
        {"seed", required_argument, NULL, 'x'},
        {"verify", no_argument, NULL, 'v'},
        {"pid", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "h:p:s:c:P:n:t:w:r:z:d:S:", long_options, NULL)) !=
           -1) {
        switch (option) {
        case 'h': settings->driver.host = optarg; break;
        case 'p': settings->driver.port = optarg; break;
        case 's': settings->driver.socket_path = optarg; break;
        case 'c':
            settings->driver.connections = (unsigned)number_option(optarg, 1, MAX_CONNECTIONS);
            break;
        case 'P':
            settings->driver.pipeline = (unsigned)number_option(optarg, 1, MAX_PIPELINE);
            break;
        case 'n': settings->requests = number_option(optarg, 1, UINT64_MAX); break;
        case 't': settings->seconds = strtod(optarg, NULL); break;
        case 'w': settings->warmup_requests = number_option(optarg, 0, UINT64_MAX); break;
        case 'r': settings->templates.range = number_option(optarg, 1, UINT32_MAX - 1); break;
        case 'z': settings->templates.zipf_theta = strtod(optarg, NULL); break;
        case 'd': settings->templates.value_bytes = number_option(optarg, 1, 1 << 20); break;
        case 'S': settings->templates.start = number_option(optarg, 0, 999999999999); break;
        case 'x': settings->templates.seed = number_option(optarg, 0, UINT64_MAX); break;
        case 'v': settings->driver.verify = true; break;
        case 'i': settings->server_pid = (int)number_option(optarg, 1, INT32_MAX); break;
        default: usage_exit("unknown option");
        }
    }
    if (optind + 1 != argc) usage_exit("one request template is needed");
    settings->text = argv[optind];
    if (!settings->requests && settings->seconds <= 0) settings->seconds = 1;
}

/* The reply text goes into JSON; what would need escaping is shown as a question mark. */
static void message_clean(char *message) {
    for (; *message; message++)
        if (*message < ' ' || *message == '"' || *message == '\\') *message = '?';
}

static void result_print(struct driver_result *result, const struct usage *before,
                         const struct usage *after) {
    static const double percents[] = {50, 90, 99, 99.9};
    double seconds = (double)result->elapsed_ns / 1e9;
    int64_t instructions =
        before->instructions < 0 ? -1 : after->instructions - before->instructions;
    message_clean(result->message);
    printf("{\"requests\": %" PRIu64 ", \"seconds\": %.6f, \"requests_per_second\": %.1f",
           result->requests, seconds, seconds > 0 ? (double)result->requests / seconds : 0.0);
    printf(", \"errors\": %" PRIu64 ", \"misses\": %" PRIu64 ", \"mismatches\": %" PRIu64,
           result->errors, result->misses, result->mismatches);
    for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++)
        printf(", \"p%g_us\": %.1f", percents[i],
               (double)histogram_percentile(&result->latency, percents[i]) / 1e3);
    printf(", \"max_us\": %.1f", (double)result->latency.max_ns / 1e3);
    printf(", \"server_cpu_ns\": %" PRIu64 ", \"server_user_ticks\": %" PRIu64
           ", \"server_system_ticks\": %" PRIu64 ", \"server_instructions\": %" PRId64,
           after->cpu_ns - before->cpu_ns, after->user_ticks - before->user_ticks,
           after->system_ticks - before->system_ticks, instructions);
    printf(", \"message\": \"%s\"}\n", result->message);
}

int main(int argc, char **argv) {
    struct settings settings = {
        .driver = {.host = "127.0.0.1", .port = "6379", .connections = 50, .pipeline = 1},
        .templates = {.range = 1000000, .value_bytes = 32, .seed = 1},
    };
    options_parse(argc, argv, &settings);
    const char *message = NULL;
    struct template_set *templates = template_set_new(settings.text, &settings.templates, &message);
    if (!templates) usage_exit(message);
    struct driver *driver = driver_new(&settings.driver, templates, &message);
    if (!driver) {
        fprintf(stderr, "load: cannot connect: %s\n", message);
        return 1;
    }
    static struct driver_result warmup, result;
    struct usage_meter meter;
    bool done =
        !settings.warmup_requests || driver_run(driver, settings.warmup_requests, 0, &warmup);
    usage_open(&meter, settings.server_pid);
    struct usage before = usage_read(&meter);
    if (done)
        done = driver_run(driver, settings.requests, (uint64_t)(settings.seconds * 1e9), &result);
    struct usage after = usage_read(&meter);
    if (done)
        result_print(&result, &before, &after);
    else
        fprintf(stderr, "load: %s%s\n", warmup.message, result.message);
    usage_close(&meter);
    driver_free(driver);
    template_set_free(templates);
    return done ? 0 : 1;
}
