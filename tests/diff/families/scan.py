# SPDX-License-Identifier: BSD-3-Clause
"""The SCAN family: whole iterations, odd arguments, and its guarantee while tables change."""

from family import Family

FILL = [
    'SET <anykey> <val>', 'SADD <tkey> <member>+', 'SADD <tkey> <intmember>+',
    'HSET <hkey> <field> <val> (<field> <val>)*', 'ZADD <zkey> <score> <member>',
    'DEL <anykey>', 'RPUSH <lkey> <val>',
]
WALKS = [
    'SCAN {MATCH <pattern>|COUNT <pcount>|TYPE (string|list|hash|set|zset|stream|abc|STRING)}',
    '(SSCAN <tkey>|HSCAN <hkey>|ZSCAN <zkey>) {MATCH <pattern>|COUNT <pcount>}',
]
SINGLE = [
    'SCAN <cursor> {MATCH <pattern>|COUNT <count>|TYPE <odd>}',
    '(SSCAN|HSCAN|ZSCAN) <anykey> <cursor> {MATCH <pattern>|COUNT <count>|NOVALUES|NOSCORES}',
]
GROUPS = [Family('fill', 'any', FILL), Family('walks', 'any', WALKS, probes=None),
          Family('single', 'any', SINGLE, probes=None, broken=0.15)]


def make(family, rng, atoms, length):
    steps = []
    if rng.random() < 0.5:
        size = rng.choice((20, 200, 1000))
        steps += [(0, [b'SET', b'k:%d' % i, b'v']) for i in range(size)]
        steps += [(0, [b'SADD', b't0', b'member:%d' % i]) for i in range(size)]
        steps += [(0, [b'HSET', b'h0', b'f%d' % i, b'v']) for i in range(size)]
        steps += [(0, [b'ZADD', b'z0', b'%d' % i, b'm%d' % i]) for i in range(size)]
    while len(steps) < length:
        group = rng.choices(GROUPS, (6, 1, 1))[0]
        args = group.command(rng, atoms)
        if group.name == 'walks':
            args = [b'~scan'] + args
        steps.append((rng.randrange(3) if rng.random() < 0.2 else 0, args))
        if rng.random() < 0.004:
            kind = rng.choice((b'SCAN', b'SSCAN', b'HSCAN', b'ZSCAN'))
            steps.append((0, [b'~guard', kind, b'%d' % rng.randrange(1 << 30)]))
    return steps


FAMILIES = [Family('scan', 'any', FILL, make=make)]
