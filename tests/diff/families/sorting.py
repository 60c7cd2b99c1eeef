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


# Weights that the oracle reads with strtod and a stale errno, so that what it says of them, and
# of whatever it sorts next, depends on what it did before.
PLAIN = {b'4.9e-324': b'7', b'1e-320': b'7', b'2.2250738585072014e-308': b'7', b'1e400': b'7',
         b'1e-400': b'7'}


def make(family, rng, atoms, length):
    steps = []
    while len(steps) < length:
        args = family.command(rng, atoms)
        words = [arg.upper() for arg in args]
        if b'STORE' in words and b'BY' in words and b'NOSORT' not in words:
            continue
        args = [PLAIN.get(arg, arg.replace(b'\0', b'0')) for arg in args]
        steps.append((rng.randrange(2) if rng.random() < 0.1 else 0, args))
    return steps


FAMILIES = [Family('sorting', 'list', GRAMMARS, make=make,
                   # The oracle converts what it sorts, which ours does not.
                   config={'zset-max-listpack-entries': '0'})]
