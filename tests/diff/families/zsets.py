# SPDX-License-Identifier: BSD-3-Clause
"""Sorted sets, without waiting."""

from family import Family

AGGREGATE = '{WEIGHTS <float> <float>|WEIGHTS <float>|AGGREGATE (SUM|MIN|MAX)|WITHSCORES}'

GRAMMARS = [
    (5, 'ZADD <key> {NX|XX|GT|LT|CH|INCR} <score> <member>'),
    (4, 'ZADD <key> {XX|GT|LT|CH} <score> <member> (<score> <member>)*'),
    (3, 'ZADD <key> <score> <member> (<score> <member>)*'),
    (1, 'ZADD <key> 0 <member> 0 <member> 0 <member>'),
    'ZINCRBY <key> <score> <member>', (2, 'ZREM <key> <member>+'), 'ZCARD <key>',
    'ZSCORE <key> <member>', 'ZMSCORE <key> <member>+', '(ZRANK|ZREVRANK) <key> <member>',
    'ZCOUNT <key> <srange> <srange>',
    'ZRANGE <key> <idx> <idx> {REV|WITHSCORES}',
    (2, 'ZRANGE <key> <srange> <srange> BYSCORE {REV|WITHSCORES|LIMIT <idx> <count>}'),
    (0.5, 'ZRANGE <key> <idx> <idx> {BYSCORE|BYLEX|REV|WITHSCORES|LIMIT <idx> <count>}'),
    'ZRANGESTORE <key> <key> <idx> <idx> {REV|BYSCORE|BYLEX|LIMIT <idx> <count>}',
    'ZRANGESTORE <key> <key> <srange> <srange> BYSCORE {REV|LIMIT <idx> <count>}',
    'ZREVRANGE <key> <idx> <idx> [WITHSCORES]',
    '(ZRANGEBYSCORE|ZREVRANGEBYSCORE) <key> <srange> <srange> {WITHSCORES|LIMIT <idx> <count>}',
    'ZREMRANGEBYRANK <key> <idx> <idx>', 'ZREMRANGEBYSCORE <key> <srange> <srange>',
    '(ZPOPMIN|ZPOPMAX) <key> [<count>]', 'ZMPOP <nkeys> (MIN|MAX) [COUNT <pcount>]',
    'ZRANDMEMBER <key>', 'ZRANDMEMBER <key> <count> [WITHSCORES]',
    (0.5, 'SADD <tkey> <member>+'),
    '(ZUNION|ZINTER) <nzkeys> ' + AGGREGATE, 'ZDIFF <nzkeys> [WITHSCORES]',
    '(ZUNIONSTORE|ZINTERSTORE) <key> <nzkeys> ' + AGGREGATE.replace('|WITHSCORES', ''),
    'ZDIFFSTORE <key> <nzkeys>', 'ZINTERCARD <nzkeys> [LIMIT <count>]',
    (0.03, '(BZPOPMIN|BZPOPMAX) <key>+ 0.001'),
    (0.03, 'BZMPOP 0.001 <nkeys> (MIN|MAX) [COUNT <pcount>]'),
]

# Ranges by name mean something only where all scores are equal: keys of their own, see tame().
LEX = [
    (3, 'ZADD <xkey> 0 <member>'), (3, 'ZADD <xkey> 0 <member> 0 <member> 0 <member>'),
    'ZREM <xkey> <member>', 'ZLEXCOUNT <xkey> <lex> <lex>', (0.1, 'SET x3 a'),
    'ZRANGE <xkey> <lex> <lex> BYLEX {REV|WITHSCORES|LIMIT <idx> <count>}',
    'ZRANGESTORE <key> <xkey> <lex> <lex> BYLEX {REV|LIMIT <idx> <count>}',
    '(ZRANGEBYLEX|ZREVRANGEBYLEX) <xkey> <lex> <lex> {LIMIT <idx> <count>}',
    (0.5, 'ZREMRANGEBYLEX <xkey> <lex> <lex>'),
]
GRAMMARS += LEX

FAMILIES = [Family('zsets', 'zset', GRAMMARS)]
