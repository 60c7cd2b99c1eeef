/* SPDX-License-Identifier: BSD-3-Clause */
/* SUBSCRIBE, PUBLISH and their kind. */
#include "base/glob.h"
#include "base/memory.h"
#include "commands/families.h"
#include "server/arguments.h"
#include "server/client.h"
#include "server/pubsub.h"
#include "server/help.h"
#include "server/server.h"

/* What a subscription command works on, and how it is told. */
struct kind_words {
    enum topic_kind kind;
    const char *subscribed, *unsubscribed;
};
static const struct kind_words channel_words = {TOPIC_CHANNEL, "subscribe", "unsubscribe"};
static const struct kind_words pattern_words = {TOPIC_PATTERN, "psubscribe", "punsubscribe"};
static const struct kind_words shard_words = {TOPIC_SHARD, "ssubscribe", "sunsubscribe"};

/* Channels and patterns are counted together, shard channels by themselves. */
static size_t total(const struct client *client, enum topic_kind kind) {
    const struct subscriptions *own = &client->subscriptions;
    if (kind == TOPIC_SHARD) return subscriptions_count(own, TOPIC_SHARD);
    return subscriptions_count(own, TOPIC_CHANNEL) + subscriptions_count(own, TOPIC_PATTERN);
}

static void tell(struct request *request, const char *word, const struct bytes *name,
                 enum topic_kind kind) {
    struct reply *reply = request->reply;
    reply_push(reply, 3);
    reply_bulk_string(reply, word);
    if (name != NULL)
        reply_bulk(reply, *name);
    else
        reply_null(reply);
    reply_int(reply, (int64_t)total(request->client, kind));
}

static void subscribe(struct request *request, const struct kind_words *words) {
    for (uint32_t i = 1; i < request->argc; i++) {
        struct bytes name = argument(request, i);
        pubsub_subscribe(request->client, words->kind, name);
        tell(request, words->subscribed, &name, words->kind);
    }
}

static void unsubscribe(struct request *request, const struct kind_words *words) {
    struct bytes name;
    for (uint32_t i = 1; i < request->argc; i++) {
        name = argument(request, i);
        pubsub_unsubscribe(request->client, words->kind, name);
        tell(request, words->unsubscribed, &name, words->kind);
    }
    if (request->argc > 1) return;
    bool any = false;
    while (pubsub_unsubscribe_any(request->client, words->kind, &name)) {
        any = true;
        tell(request, words->unsubscribed, &name, words->kind);
        mem_free((char *)(uintptr_t)name.data);
    }
    if (!any) tell(request, words->unsubscribed, NULL, words->kind);
}

static void cmd_subscribe(struct request *request) {
    subscribe(request, &channel_words);
}

static void cmd_psubscribe(struct request *request) {
    subscribe(request, &pattern_words);
}

static void cmd_ssubscribe(struct request *request) {
    /* As Redis has it; the other kinds may be subscribed to in a transaction. */
    if (request->flags & REQUEST_NO_BLOCK) {
        reply_error(request->reply, "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
        return;
    }
    subscribe(request, &shard_words);
}

static void cmd_unsubscribe(struct request *request) {
    unsubscribe(request, &channel_words);
}

static void cmd_punsubscribe(struct request *request) {
    unsubscribe(request, &pattern_words);
}

static void cmd_sunsubscribe(struct request *request) {
    unsubscribe(request, &shard_words);
}

static void publish(struct request *request, enum topic_kind kind) {
    size_t receivers =
        pubsub_publish(request->server, kind, argument(request, 1), argument(request, 2));
    reply_int(request->reply, (int64_t)receivers);
}

static void cmd_publish(struct request *request) {
    publish(request, TOPIC_CHANNEL);
}

static void cmd_spublish(struct request *request) {
    publish(request, TOPIC_SHARD);
}

/* ---- PUBSUB ---- */

struct listing {
    struct reply *reply;
    const struct bytes *pattern; /* NULL: all */
    size_t count;
};

static void list_topic(struct bytes name, size_t subscribers, void *context) {
    struct listing *listing = context;
    (void)subscribers;
    if (listing->pattern != NULL && !glob_match(*listing->pattern, name, false)) return;
    reply_bulk(listing->reply, name);
    listing->count++;
}

static void list_topics(struct request *request, enum topic_kind kind) {
    struct listing listing = {.reply = request->reply};
    if (request->argc > 3) {
        reply_error_format(
            request->reply,
            "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try PUBSUB HELP.",
            (int)request->argv[1].len, request->argv[1].data);
        return;
    }
    if (request->argc > 2) listing.pattern = &request->argv[2];
    size_t mark = reply_defer(request->reply);
    pubsub_each(request->server->pubsub, kind, list_topic, &listing);
    reply_defer_array(request->reply, mark, listing.count);
}

static void cmd_channels(struct request *request) {
    list_topics(request, TOPIC_CHANNEL);
}

static void cmd_shardchannels(struct request *request) {
    list_topics(request, TOPIC_SHARD);
}

static void count_subscribers(struct request *request, enum topic_kind kind) {
    /* Pairs in an array, in RESP3 too. */
    reply_array(request->reply, (request->argc - 2) * 2);
    for (uint32_t i = 2; i < request->argc; i++) {
        reply_bulk(request->reply, argument(request, i));
        reply_int(request->reply,
                  (int64_t)pubsub_subscribers(request->server->pubsub, kind, argument(request, i)));
    }
}

static void cmd_numsub(struct request *request) {
    count_subscribers(request, TOPIC_CHANNEL);
}

static void cmd_shardnumsub(struct request *request) {
    count_subscribers(request, TOPIC_SHARD);
}

static void cmd_numpat(struct request *request) {
    reply_int(request->reply, (int64_t)pubsub_pattern_count(request->server->pubsub));
}

static void cmd_pubsub_help(struct request *request) {
    static const char *const lines[] = {
        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CHANNELS [<pattern>]",
        "    Return the currently active channels matching a <pattern> (default: '*').",
        "NUMPAT",
        "    Return number of subscriptions to patterns.",
        "NUMSUB [<channel> ...]",
        "    Return the number of subscribers for the specified channels, excluding",
        "    pattern subscriptions(default: no channels).",
        "SHARDCHANNELS [<pattern>]",
        "    Return the currently active shard level channels matching a <pattern> (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Return the number of subscribers for the specified shard level channel(s)",
        "HELP",
        "    Prints this help.",
    };
    REPLY_HELP(request, lines);
}

enum {
    SUBSCRIBES = COMMAND_PUBSUB | COMMAND_NO_SCRIPT | COMMAND_LOADING | COMMAND_STALE |
                 COMMAND_IN_SUBSCRIBER,
    PUBLISHES =
        COMMAND_PUBSUB | COMMAND_LOADING | COMMAND_STALE | COMMAND_FAST | COMMAND_MAY_REPLICATE,
    LOOKS = COMMAND_PUBSUB | COMMAND_LOADING | COMMAND_STALE,
};
#define SHARD_CHANNELS(how)                                                                \
    {                                                                                      \
        { .flags = KEY_NOT_KEY, .find = KEYS_RANGE, .begin = 1, .last = (how), .step = 1 } \
    }

static const struct command pubsub_rows[] = {
    {.name = "channels",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_PUBSUB,
     .since = "2.8.0",
     .complexity = "O(N) where N is the number of active channels",
     .summary = "Returns the active channels.",
     .syntax = "[pattern]",
     .reply = "array of bulk",
     .handler = cmd_channels},
    {.name = "numsub",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_PUBSUB,
     .since = "2.8.0",
     .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
     .summary = "Returns a count of subscribers to channels.",
     .syntax = "[channel [channel ...]]",
     .reply = "array",
     .handler = cmd_numsub},
    {.name = "numpat",
     .arity = 2,
     .flags = LOOKS,
     .groups = GROUP_PUBSUB,
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Returns a count of unique pattern subscriptions.",
     .syntax = "",
     .reply = "integer",
     .handler = cmd_numpat},
    {.name = "shardchannels",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_PUBSUB,
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of active shard channels",
     .summary = "Returns the active shard channels.",
     .syntax = "[pattern]",
     .reply = "array of bulk",
     .handler = cmd_shardchannels},
    {.name = "shardnumsub",
     .arity = -2,
     .flags = LOOKS,
     .groups = GROUP_PUBSUB,
     .since = "7.0.0",
     .complexity =
         "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
     .summary = "Returns the count of subscribers of shard channels.",
     .syntax = "[shardchannel [shardchannel ...]]",
     .reply = "array",
     .handler = cmd_shardnumsub},
    {.name = "help",
     .arity = 2,
     .flags = COMMAND_LOADING | COMMAND_STALE,
     .groups = 0,
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns helpful text about the different subcommands.",
     .syntax = "",
     .reply = "array of statuses",
     .handler = cmd_pubsub_help},
    {0},
};

static const struct command rows[] = {
    {.name = "subscribe",
     .arity = -2,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to subscribe to.",
     .summary = "Listens for messages published to channels.",
     .syntax = "channel [channel ...]",
     .reply = "pushes",
     .handler = cmd_subscribe},
    {.name = "unsubscribe",
     .arity = -1,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to unsubscribe.",
     .summary = "Stops listening to messages posted to channels.",
     .syntax = "[channel [channel ...]]",
     .reply = "pushes",
     .handler = cmd_unsubscribe},
    {.name = "psubscribe",
     .arity = -2,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to subscribe to.",
     .summary = "Listens for messages published to channels that match one or more patterns.",
     .syntax = "pattern [pattern ...]",
     .reply = "pushes",
     .handler = cmd_psubscribe},
    {.name = "punsubscribe",
     .arity = -1,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to unsubscribe.",
     .summary =
         "Stops listening to messages published to channels that match one or more patterns.",
     .syntax = "[pattern [pattern ...]]",
     .reply = "pushes",
     .handler = cmd_punsubscribe},
    {.name = "ssubscribe",
     .arity = -2,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .keys = SHARD_CHANNELS(-1),
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to subscribe to.",
     .summary = "Listens for messages published to shard channels.",
     .syntax = "shardchannel [shardchannel ...]",
     .reply = "pushes",
     .handler = cmd_ssubscribe},
    {.name = "sunsubscribe",
     .arity = -1,
     .flags = SUBSCRIBES,
     .groups = GROUP_PUBSUB,
     .keys = SHARD_CHANNELS(-1),
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to unsubscribe.",
     .summary = "Stops listening to messages posted to shard channels.",
     .syntax = "[shardchannel [shardchannel ...]]",
     .reply = "pushes",
     .handler = cmd_sunsubscribe},
    {.name = "publish",
     .arity = 3,
     .flags = PUBLISHES,
     .groups = GROUP_PUBSUB,
     .since = "2.0.0",
     .complexity = "O(N+M) where N is the number of clients subscribed to the receiving channel "
                   "and M is the total "
                   "number of subscribed patterns (by any client).",
     .summary = "Posts a message to a channel.",
     .syntax = "channel message",
     .reply = "integer",
     .handler = cmd_publish},
    {.name = "spublish",
     .arity = 3,
     .flags = PUBLISHES,
     .groups = GROUP_PUBSUB,
     .keys = SHARD_CHANNELS(0),
     .since = "7.0.0",
     .complexity =
         "O(N) where N is the number of clients subscribed to the receiving shard channel.",
     .summary = "Posts a message to a shard channel.",
     .syntax = "shardchannel message",
     .reply = "integer",
     .handler = cmd_spublish},
    {.name = "pubsub",
     .arity = -2,
     .groups = GROUP_PUBSUB,
     .since = "2.8.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for Pub/Sub commands.",
     .syntax = "",
     .reply = "",
     .subcommands = pubsub_rows},
    {0},
};

const struct command_family pubsub_commands = {"pubsub", rows};
