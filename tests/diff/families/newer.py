# SPDX-License-Identifier: BSD-3-Clause
"""Commands and options younger than 7.0, for an oracle that knows them (run --oracle ...)."""

from family import Family

FIELDS = 'FIELDS <hfields>'
LIFETIME = '{EX <sec>|PX <ms>|EXAT <tsec>|PXAT <tms>|%s}'

HASH_FILL = [(3, 'HSET <key> <field> <val> (<field> <val>)*'), 'HDEL <key> <field>+',
             'HGETALL <key>', 'HLEN <key>', 'HEXISTS <key> <field>', 'HINCRBY <key> <field> 1',
             'HKEYS <key>', 'HMGET <key> <field>+', 'COPY <key> <key> [REPLACE]',
             'RENAME <key> <key>', 'HSTRLEN <key> <field>', 'HSETNX <key> <field> <val>']

HEXPIRE = HASH_FILL + [
    (2, 'HEXPIRE <key> <sec> [NX|XX|GT|LT] ' + FIELDS), 'HPEXPIRE <key> <ms> [NX|XX|GT|LT] ' + FIELDS,
    'HEXPIREAT <key> <tsec> [NX|XX|GT|LT] ' + FIELDS, 'HPEXPIREAT <key> <tms> [NX|XX|GT|LT] ' + FIELDS,
    '(HTTL|HPTTL|HEXPIRETIME|HPEXPIRETIME|HPERSIST) <key> ' + FIELDS,
]

HGETEX = HEXPIRE + [
    (2, 'HGETEX <key> ' + LIFETIME % 'PERSIST' + ' ' + FIELDS),
    (2, 'HSETEX <key> {FNX|FXX} ' + LIFETIME % 'KEEPTTL' + ' FIELDS <hpairs>'),
    'HGETDEL <key> ' + FIELDS,
]

IFEQ = [
    (2, 'SET <key> <val> {IFEQ <val>|GET|KEEPTTL|EX <sec>|PX <ms>}'),
    'SET <key> <val> {IFEQ <val>|NX|XX|GET|IFEQ <val>}', 'SET <key> (a|b|c)', 'GET <key>',
    'SET <key> (a|b|c) IFEQ (a|b|c) [GET]', 'TTL <key>', 'LPUSH <key> <val>', 'DEL <key>',
]
DELIFEQ = IFEQ + ['DELIFEQ <key> (a|b|c)', 'DELIFEQ <key> <val>']
DELEX = IFEQ + ['DELEX <key> [{IFEQ (a|b|c)|IFNE (a|b|c)|IFDEQ (a|zzzzzzzzzzzzzzzz)|IFDNE zzzzzzzzzzzzzzzz}]',
                'SET <key> (a|b|c) {IFNE (a|b|c)|IFDEQ zzzzzzzzzzzzzzzz|IFDNE zzzzzzzzzzzzzzzz}', 'DIGEST <key>']
# The newest of both: a digest or several keys at once.
MSETEX = ['MSETEX <npairs> {NX|XX|KEEPTTL|EX <sec>|PX <ms>|EXAT <tsec>|PXAT <tms>}', 'GET <key>',
          'MGET <key>+', 'PTTL <key>', 'DEL <key>', 'LPUSH <key> a']


def _counted(rng, count, args):
    stated = b'%d' % count
    if rng.random() < 0.05:
        stated = rng.choice((b'0', b'-1', b'1', b'3', b'abc', b'9223372036854775807', b''))
    return [stated] + args


def make(family, rng, atoms, length):
    def hfields():
        count = rng.choice((1, 1, 2, 3))
        return _counted(rng, count, [atoms.atom_field() for _ in range(count)])

    def pairs(draw):
        count = rng.choice((1, 1, 2, 3))
        return _counted(rng, count, [x for _ in range(count) for x in (draw(), atoms.atom_val())])

    atoms.atom_hfields = hfields
    atoms.atom_hpairs = lambda: pairs(atoms.atom_field)
    atoms.atom_npairs = lambda: pairs(atoms.atom_key)
    steps = []
    while len(steps) < length:
        steps.append((rng.randrange(2) if rng.random() < 0.1 else 0, family.command(rng, atoms)))
        if rng.random() < 0.01:
            key, field = atoms.atom_key(), atoms.atom_field()
            if family.kind == 'hash':
                steps.append((0, [b'HPEXPIRE', key, b'1', b'FIELDS', b'1', field]))
                steps.append((0, [b'~sleep', b'4']))
                steps.append((0, [b'HGET', key, field]))
            steps.append((0, [b'~compare']))
    return steps


FAMILIES = [
    Family('hexpire', 'hash', HEXPIRE, make=make, since={'redis': '7.4', 'valkey': '9.0'}),
    Family('hgetex', 'hash', HGETEX, make=make, since={'redis': '8.0', 'valkey': '9.1'}),
    Family('ifeq', 'string', IFEQ, make=make, since={'redis': '8.4', 'valkey': '8.1'}),
    Family('delifeq', 'string', DELIFEQ, make=make, since={'valkey': '9.0'}),
    Family('delex', 'string', DELEX, make=make, since={'redis': '8.4'}),
    Family('msetex', 'string', MSETEX, make=make, since={'redis': '8.4', 'valkey': '9.1'}),
]
