# SPDX-License-Identifier: BSD-3-Clause
"""Blocking commands over several connections: who is served, in which order, and what wakes whom."""

from family import Family, Grammar

FEED = [Grammar(text, weight) for weight, text in (
    (3, '(RPUSH|LPUSH) <lkey> <member>+'), (2, 'ZADD <zkey> <score> <member>'),
    (1, 'ZADD <zkey> <score> <member> <score> <member>'),
    (0.5, 'LMOVE <lkey> <lkey> (LEFT|RIGHT) (LEFT|RIGHT)'), (0.4, 'RENAME <anykey> (<lkey>|<zkey>)'),
    (0.4, 'COPY <anykey> (<lkey>|<zkey>) [REPLACE]'), (0.4, 'DEL <lkey> <zkey>'),
    (0.3, 'SORT <lkey> ALPHA STORE <lkey>'), (0.3, 'LINSERT <lkey> BEFORE <member> <member>'),
    (0.3, 'LPUSHX <lkey> <member>'), (0.4, 'ZUNIONSTORE <zkey> <nzkeys>'),
    (0.3, 'ZRANGESTORE <zkey> <zkey> 0 -1'), (0.4, 'SET (<lkey>|<zkey>) <val>'),
    (0.3, 'SADD <lkey> <member>'), (0.3, 'ZINCRBY <zkey> 1 <member>'),
    (0.2, 'FLUSHALL'), (0.3, 'MOVE <lkey> 1'), (0.2, 'LLEN <lkey>'),
    (0.3, 'LPOP <lkey>'), (0.2, 'PEXPIRE <lkey> 100000'),
)]
WAIT = [Grammar(text, weight) for weight, text in (
    (2, '(BLPOP|BRPOP) <lkey>+ 0'), (2, '(BLPOP|BRPOP) <lkey> 0'), (1, '(BZPOPMIN|BZPOPMAX) <zkey> 0'), (2, 'BLMOVE <lkey> <lkey> (LEFT|RIGHT) (LEFT|RIGHT) 0'),
    (1, 'BRPOPLPUSH <lkey> <lkey> 0'), (2, 'BLMPOP 0 1 <lkey> (LEFT|RIGHT) [COUNT <pcount>]'),
    (1, 'BLMPOP 0 2 <lkey> <lkey> (LEFT|RIGHT) COUNT 2'),
    (2, '(BZPOPMIN|BZPOPMAX) <zkey>+ 0'), (1, 'BZMPOP 0 1 <zkey> (MIN|MAX) [COUNT <pcount>]'),
    (1, 'BZMPOP 0 2 <zkey> <zkey> (MIN|MAX) COUNT 2'),
)]
WRONG = [Grammar(text) for text in (
    'BLPOP <lkey> <float>', 'BLPOP <lkey>', 'BLMOVE <lkey> <lkey> LEFT UP 0', 'BRPOP <lkey> -1',
    'BLMPOP 0 0 <lkey> LEFT', 'BLMPOP 0 1 <lkey> LEFT COUNT 0', 'BZMPOP 0 1 <zkey> MID',
    'BZPOPMIN <zkey> abc', 'BLMPOP <odd> 1 <lkey> LEFT', 'CLIENT UNBLOCK 999999999',
    'CLIENT UNBLOCK abc', 'CLIENT UNBLOCK 1 abc',
)]


class Draw:
    def __init__(self, rng, atoms):
        self.rng = rng
        self.atoms = atoms

    def one(self, grammars):
        grammar = self.rng.choices(grammars, [g.weight for g in grammars])[0]
        return grammar.draw(self.atoms)


def instead_of_waiting(args):
    """A wrong command must not happen to be right and wait for ever."""
    out = list(args)
    for i in (1, len(out) - 1):
        try:
            if float(out[i]) >= 0:
                out[i] = b'0.01'
        except ValueError:
            pass
    return out


def fed(args):
    """What is stored over a key of another type wakes nobody in Redis (overwritten-key-wakes)."""
    name = args[0].upper()
    if name in (b'ZUNIONSTORE', b'ZRANGESTORE'):
        return [[b'DEL', args[1]], args]
    return [[b'DEL', args[-1]], args] if name == b'SORT' else [args]


def make(_family, rng, atoms, length):
    draw = Draw(rng, atoms)
    # A client that waits for several keys is served from the first of them that has something, as
    # since 7.2; 7.0 serves it from the key that was pushed to.  Where two keys can become ready at
    # once, clients wait for one key each (first-key-serves).
    several = rng.random() < 0.4
    waits = [g for g in WAIT if ('MOVE' not in g.text and 'PUSH' not in g.text if several else
                                 '>+' not in g.text and ' 0 2 ' not in g.text)]
    steps = []
    last = 4
    while len(steps) < length:
        chance = rng.random()
        conn = rng.randrange(1, last)
        if chance < 0.38:
            steps.append((conn, draw.one(waits)))
        elif chance < 0.8:
            steps += [(0, args) for args in fed(draw.one(FEED))]
        elif chance < 0.85 and not several:
            steps.append((0, [b'MULTI']))
            for _ in range(rng.randrange(4)):
                steps += [(0, args) for args in fed(draw.one(FEED + WAIT))]
            steps.append((0, [b'EXEC']))
        elif chance < 0.9:
            how = rng.choice(([], [b'TIMEOUT'], [b'ERROR']))
            steps.append((0, [b'CLIENT', b'UNBLOCK', b'{id:%d}' % conn] + how))
        elif chance < 0.92:
            # Served or timed out, long before the pause is over.
            args = draw.one(WAIT)
            args = [b'0.02' if arg == b'0' else arg for arg in args]
            steps.append((last, args))
            steps.append((last, [b'~sleep', b'90']))
        elif chance < 0.95:
            steps.append((0, instead_of_waiting(draw.one(WRONG))))
            steps.append((0, [b'~sleep', b'30']))
        elif chance < 0.965:
            steps.append((0, [b'CLIENT', b'KILL', b'ID', b'{id:%d}' % conn]))
        elif chance < 0.98:
            steps.append((conn, rng.choice(([b'PING'], [b'SELECT', b'1'], [b'SELECT', b'0']))))
        else:
            steps.append((0, [b'~compare']))
    return steps


FAMILIES = [Family('blocking', 'list', ['PING'], mode='multi', make=make,
                   config={'zset-max-listpack-entries': '0'})]
