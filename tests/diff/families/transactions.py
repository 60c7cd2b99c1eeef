# SPDX-License-Identifier: BSD-3-Clause
"""MULTI, EXEC, DISCARD, WATCH and UNWATCH, over several connections."""

from families import hashes, lists, sets, strings, zsets
from family import Family, expire_now

# What answers at random would leave the two servers with different contents.
RANDOM = ('SPOP', 'SRANDMEMBER', 'HRANDFIELD', 'ZRANDMEMBER', '0.001')


def _plain(grammars):
    texts = [g if isinstance(g, str) else g[1] for g in grammars]
    return [text for text in texts if not any(word in text for word in RANDOM)]


BODY = [Family(name, kind, _plain(module.GRAMMARS)) for name, kind, module in (
    ('strings', 'string', strings), ('lists', 'list', lists), ('hashes', 'hash', hashes),
    ('sets', 'set', sets), ('zsets', 'zset', zsets))]

CONTROL = ['MULTI', 'EXEC', 'DISCARD', 'WATCH <anykey>+', 'UNWATCH']
EXTRA = Family('extra', 'any', [
    'SELECT <db>', 'FLUSHDB', 'FLUSHALL', 'SWAPDB <db> <db>', 'MOVE <key> <db>', 'DBSIZE', 'PING',
    'ECHO <val>', 'RENAME <key> <key>', 'COPY <key> <key>', 'KEYS *', 'nosuchcommand <odd>',
    'BLPOP <lkey> 0', 'BRPOP <lkey> <lkey> 0', 'BZPOPMIN <zkey> 0', 'BLMOVE <lkey> <lkey> LEFT LEFT 0',
    'BLMPOP 0 1 <lkey> LEFT', 'WATCH <anykey>', 'MULTI', 'CLIENT SETNAME <member>',
    'CLIENT GETNAME', 'OBJECT ENCODING <anykey>', 'PUBLISH <channel> <val>', 'HELLO 2', 'HELLO 3',
    'EXPIRE <anykey> <sec>', 'RESET', 'UNLINK <anykey>', 'COMMAND COUNT',
    # A list of its own: SORT would convert a sorted set, in the oracle only.
    'RPUSH sortlist <member>', 'SORT sortlist ALPHA STORE <lkey>',
], probes=None)
# Outside of MULTI these would wait.
WAITS = (b'BLPOP', b'BRPOP', b'BZPOPMIN', b'BLMOVE', b'BLMPOP')


def make(family, rng, atoms, length):
    steps = []
    inside = {}
    while len(steps) < length:
        conn = rng.randrange(3)
        chance = rng.random()
        if chance < 0.13:
            args = [b'EXEC' if inside.get(conn) else b'MULTI']
            if rng.random() < 0.2:
                args = [b'DISCARD']
        elif chance < 0.22:
            args = family.command(rng, atoms)
        elif chance < 0.32:
            args = EXTRA.command(rng, atoms)
            # Only where the connection is in a transaction for certain.
            if args[0].upper() in WAITS and not inside.get(conn):
                continue
        elif chance < 0.33:
            steps += expire_now(conn, rng, atoms) if not inside.get(conn) else []
            continue
        else:
            body = rng.choice(BODY)
            atoms.kind = body.kind
            args = body.command(rng, atoms)
            atoms.kind = 'any'
        name = args[0].upper()
        if name in (b'ZRANK', b'ZREVRANK'):
            del args[3:]  # WITHSCORE is newer
        if name == b'MULTI' and len(args) == 1:
            inside[conn] = True
        elif name in (b'EXEC', b'DISCARD', b'RESET', b'QUIT'):
            inside[conn] = False
        steps.append((conn, args))
    for conn in range(3):
        steps.append((conn, [b'EXEC']))
        steps.append((conn, [b'SELECT', b'0']))
    return steps


FAMILIES = [Family('transactions', 'any', CONTROL, probes=None, make=make)]
