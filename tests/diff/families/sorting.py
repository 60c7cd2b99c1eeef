# SPDX-License-Identifier: BSD-3-Clause
"""SORT and SORT_RO over lists, sets and sorted sets, with weights in strings and hashes."""

from family import Family

OPTIONS = '{ASC|DESC|ALPHA|LIMIT <idx> <count>|GET #|GET w_*|GET h_*->f|GET <pattern>|BY nosort}'
# With BY and ALPHA together, or with elements of equal weight, the order is the server's own
# affair, so nothing of that kind may be stored.
GRAMMARS = [
    'RPUSH <lkey> <float>+', 'RPUSH <lkey> <member>+', 'SADD <tkey> <member>+',
    'SADD <tkey> <intmember>+', 'ZADD <zkey> <score> <member> (<score> <member>)*',
    'SET w_1 <float>', 'SET w_2 <val>', 'SET w_a <int>', 'SET w_b <int>', 'SET w_-7 <float>',
    'HSET h_1 f <val>', 'HSET h_2 f <int>', 'HSET h_a f <int>', '(DEL|UNLINK) <lkey> <tkey>',
    (2, '(SORT|SORT_RO) <lkey> ' + OPTIONS), (2, '(SORT|SORT_RO) <tkey> ' + OPTIONS),
    (2, '(SORT|SORT_RO) <zkey> ' + OPTIONS),
    '(SORT|SORT_RO) <lkey> {ASC|DESC|LIMIT <idx> <count>|GET #|GET w_*|BY w_*|BY h_*->f}',
    '(SORT|SORT_RO) <tkey> {ALPHA|DESC|GET #|GET w_*|GET h_*->f|BY w_*|BY h_*->f}',
    'SORT <lkey> {ASC|DESC|ALPHA|LIMIT <idx> <count>|GET #|GET w_*|BY nosort} STORE <lkey>',
    'SORT (<tkey>|<zkey>) {DESC|LIMIT <idx> <count>|GET #|GET w_*} STORE <lkey>',
    'SORT (<tkey>|<zkey>) {DESC|GET #|GET h_*->f} ALPHA STORE <lkey>',
    (0.3, 'SORT <anykey> <odd> <odd>'),
]


def make(family, rng, atoms, length):
    steps = []
    while len(steps) < length:
        args = family.command(rng, atoms)
        words = [arg.upper() for arg in args]
        if b'STORE' in words and b'BY' in words and b'NOSORT' not in words:
            continue
        steps.append((rng.randrange(2) if rng.random() < 0.1 else 0, args))
    return steps


FAMILIES = [Family('sorting', 'list', GRAMMARS, make=make)]
