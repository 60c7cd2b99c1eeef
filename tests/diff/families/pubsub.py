# SPDX-License-Identifier: BSD-3-Clause
"""Publish and subscribe: channels, patterns, shard channels, over several connections."""

from family import Family

GRAMMARS = [
    (3, 'SUBSCRIBE <channel>+'), (3, 'PSUBSCRIBE <cpattern>+'), (2, 'SSUBSCRIBE <channel>+'),
    'UNSUBSCRIBE <channel>*', 'PUNSUBSCRIBE <cpattern>*', 'SUNSUBSCRIBE <channel>*',
    (6, 'PUBLISH <channel> <val>'), (3, 'SPUBLISH <channel> <val>'),
    'PUBSUB CHANNELS [<cpattern>]', 'PUBSUB NUMSUB <channel>*', 'PUBSUB NUMPAT',
    'PUBSUB SHARDCHANNELS [<cpattern>]', 'PUBSUB SHARDNUMSUB <channel>*',
    (0.2, 'PUBSUB <odd> <odd>'), 'PING', 'PING <val>', (0.5, 'GET s0'), (0.3, 'SET s0 <val>'),
    (0.4, 'RESET'), (0.2, 'QUIT'), (0.3, 'MULTI'), (0.4, 'EXEC'), (0.2, 'ECHO <val>'),
    (0.2, 'HELLO 3'), (0.2, 'HELLO 2'), (0.2, 'SELECT 1'),
]


def make(family, rng, atoms, length):
    return [(rng.randrange(4), family.command(rng, atoms)) for _ in range(length)]


FAMILIES = [Family('pubsub', 'string', GRAMMARS, probes=None, mode='multi', make=make,
                   broken=0.04)]
