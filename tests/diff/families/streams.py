# SPDX-License-Identifier: BSD-3-Clause
"""Streams: entries, groups, what is pending; and readers that wait for them.

Identifiers are given, never taken from the clock, so that both servers have the same ones.
"""

from family import Family, Grammar

KEYS = [b'e0', b'e1', b'e2']
REFERENCE = b'XGROUP CREATE %s g 0 MKSTREAM'

ADD = [
    (6, 'XADD <ekey> <newid> <names>'), (3, 'XADD <ekey> <newid> n <val>'),
    (1, 'XADD <ekey> [NOMKSTREAM] (MAXLEN|MAXLEN =|MAXLEN ~) <few> <newid> <names>'),
    (1, 'XADD <ekey> [NOMKSTREAM] (MINID|MINID =|MINID ~) <id> <newid> <names>'),
    (0.3, 'XADD <ekey> MAXLEN ~ <few> LIMIT <count> <newid> <names>'),
    (0.3, 'XADD <ekey> <id> <field> <val>'),
]
READ = [
    (2, 'XRANGE <ekey> <from> <to> [COUNT <count>]'), (2, 'XREVRANGE <ekey> <to> <from> [COUNT <count>]'),
    'XLEN <ekey>', (2, 'XREAD [COUNT <count>] STREAMS <ekey> <id>'),
    'XREAD [COUNT <count>] STREAMS <ekey> <ekey> <id> <id>', 'XINFO STREAM <ekey>',
    'XINFO STREAM <ekey> FULL [COUNT <count>]', 'XREAD COUNT 2 BLOCK 1 STREAMS <ekey> <id>',
]
TAKE = [
    (2, 'XDEL <ekey> <id>+'), (0.7, 'XTRIM <ekey> (MAXLEN|MAXLEN =|MAXLEN ~) <few>'),
    (0.7, 'XTRIM <ekey> (MINID|MINID =|MINID ~) <id>'),
    (0.3, 'XTRIM <ekey> (MAXLEN|MINID) ~ <few> LIMIT <count>'),
    (0.15, 'XSETID <ekey> <high> [ENTRIESADDED <entries>] [MAXDELETEDID <id>]'),
    (0.1, 'XSETID <ekey> <high> ENTRIESADDED <entries> MAXDELETEDID <id>'),
    (0.1, 'DEL <ekey>'),
]
GROUPS = [
    (2, 'XGROUP CREATE <ekey> <group> (<id>|$|0) [MKSTREAM] [ENTRIESREAD <entries>]'),
    (0.5, 'XGROUP SETID <ekey> <group> (<id>|$|0) [ENTRIESREAD <entries>]'),
    (0.3, 'XGROUP DESTROY <ekey> <group>'), (0.3, 'XGROUP CREATECONSUMER <ekey> <group> <who>'),
    (0.3, 'XGROUP DELCONSUMER <ekey> <group> <who>'),
    (8, 'XREADGROUP GROUP <group> <who> [COUNT <count>] [NOACK] STREAMS <ekey> >'),
    (2, 'XREADGROUP GROUP <group> <who> [COUNT <count>] STREAMS <ekey> <id>'),
    (1, 'XREADGROUP GROUP <group> <who> COUNT 3 STREAMS <ekey> <ekey> (>|<id>) (>|<id>)'),
    (3, 'XACK <ekey> <group> <id>+'),
    (1, 'XPENDING <ekey> <group>'),
    (2, 'XPENDING <ekey> <group> [IDLE <idle>] <from> <to> <count> [<who>]'),
    (2, 'XCLAIM <ekey> <group> <who> <idle> <id>+ {JUSTID|FORCE|IDLE <idle>|RETRYCOUNT <few>|LASTID <id>}'),
    (0.3, 'XCLAIM <ekey> <group> <who> <idle> <id> TIME <idle>'),
    (2, 'XAUTOCLAIM <ekey> <group> <who> <idle> <from> {COUNT <pcount>|JUSTID}'),
    (1, 'XINFO GROUPS <ekey>'), (1, 'XINFO CONSUMERS <ekey> <group>'),
]
WHOLE = [(0.3, 'COPY <ekey> <ekey> [REPLACE]'), (0.2, 'RENAME <ekey> <ekey>'), 'TYPE <ekey>',
         (0.3, 'OBJECT ENCODING <ekey>'), (0.1, 'SET <ekey> x')]

LIMITS = {'stream-node-max-bytes': '0'}


def extend(rng, atoms):
    """What the grammars above need to draw."""
    def new_id():
        chance = rng.random()
        atoms.last_ms += rng.choice((0, 0, 0, 1, 1, 2))
        if chance < 0.5:
            return b'%d-*' % atoms.last_ms
        if chance < 0.6:
            atoms.last_ms += 1
            return b'%d' % atoms.last_ms
        return b'%d-%d' % (atoms.last_ms, rng.randrange(4))

    def some_id():
        chance = rng.random()
        if chance < 0.85:
            ms = max(0, atoms.last_ms - rng.choice((0, 1, 2, 3, 5, 8, 13, rng.randrange(60))))
            return b'%d-%d' % (ms, rng.choice((0, 0, 0, 1, 2))) if rng.random() < 0.8 else b'%d' % ms
        if chance < 0.95:
            return rng.choice((b'0', b'0-0', b'0-1', b'18446744073709551615', b'99999',
                               b'18446744073709551615-18446744073709551615'))
        return rng.choice((b'', b'-', b'+', b'$', b'>', b'1-', b'-1', b'1-1-1', b'abc', b'(1', b'007',
                           b' 5', b'1-*', b'18446744073709551616', b'1\x00', b'9' * 130))

    def bound(word):
        def draw():
            text = word if rng.random() < 0.5 else some_id()
            return b'(' + text if rng.random() < 0.15 else text
        return draw

    def names():
        kind = rng.randrange(12)
        if kind < 4:
            names = (b'n', b'text')
        elif kind < 6:
            names = (b'n',)
        elif kind < 8:
            names = (b'event', b'job', b'1')
        else:
            names = [atoms.atom_field() for _ in range(rng.choice((1, 2, 2, 3, 9)))]
        return [x for name in names for x in (name, atoms.atom_val())]

    atoms.last_ms = rng.choice((1, 100, 1700000000000))
    atoms.atom_newid, atoms.atom_id, atoms.atom_names = new_id, some_id, names
    atoms.atom_from, atoms.atom_to = bound(b'-'), bound(b'+')
    atoms.atom_ekey = lambda: (rng.choice(KEYS) if rng.random() < 0.97 else
                               rng.choice((b's0', b'nokey', b'l0')))
    atoms.atom_few = lambda: b'%d' % rng.choice((0, 1, 2, 5, 10, 20, 50, 200))
    atoms.atom_entries = lambda: rng.choice((b'0', b'1', b'5', b'100', b'-1', b'-2', b'x', b'40'))
    atoms.atom_high = lambda: (b'%d-%d' % (atoms.last_ms + rng.randrange(3), rng.randrange(9)))
    atoms.atom_group = lambda: rng.choice((b'g', b'g', b'g', b'h', b'h', b'other', b''))
    atoms.atom_who = lambda: rng.choice((b'a', b'a', b'b', b'b', b'c', b''))
    # Moments are far apart, so that none comes between the two servers.
    atoms.atom_idle = lambda: rng.choice((b'0', b'0', b'0', b'100000', b'200000', b'150000', b'-5',
                                          b'9223372036854775807', b'x'))


def still(args):
    """Nothing that depends on the clock, or waits for ever."""
    name = args[0].upper()
    if name == b'XADD':
        args = args[:2] + [b'9-*' if arg == b'*' else arg for arg in args[2:]]
    if name in (b'XREAD', b'XREADGROUP'):
        words = [arg.upper() for arg in args]
        for at in range(1, len(args) - 1):
            if words[at] == b'BLOCK':
                args[at + 1] = b'1' if args[at + 1][:1].isdigit() else args[at + 1]
        args = [arg for arg, word in zip(args, words) if word != b'CLAIM']
    if name == b'XCLAIM':
        words = [arg.upper() for arg in args]
        for at in range(5, len(args) - 1):
            if words[at] in (b'TIME', b'IDLE') and args[at + 1].isdigit():
                # What is idle for less than the tests run looks the same as what is not.
                args[at + 1] = args[at + 1] if len(args[at + 1]) in (1, 6) else b'100000'
    return args


def apart(args, deletes):
    """Blocks with deleted entries are measured in two ways (emptied-blocks)."""
    if deletes and args[0].upper() in (b'XADD', b'XTRIM'):
        return [b'=' if arg == b'~' else arg for arg in args]
    if not deletes and args[0].upper() == b'XDEL':
        return [b'XLEN'] + args[1:2]
    return args


def make(family, rng, atoms, length):
    extend(rng, atoms)
    deletes = rng.random() < 0.5
    steps = []
    for key in KEYS[:2]:
        for group in (b'g', b'h'):
            steps.append((0, [b'XGROUP', b'CREATE', key, group, b'0', b'MKSTREAM']))
    while len(steps) < length:
        conn = rng.randrange(family.connections)
        for _ in range(rng.choice((1, 3, 10, 40))):
            steps.append((conn, apart(still(family.command(rng, atoms)), deletes)))
        if rng.random() < 0.1:
            steps.append((0, [b'~compare']))
    return steps


# ---- waiting ----

WAIT = [Grammar(text, weight) for weight, text in (
    (3, 'XREAD BLOCK 0 [COUNT <pcount>] STREAMS <ekey> ($|<known>)'),
    (4, 'XREADGROUP GROUP <group> <who> BLOCK 0 [COUNT <pcount>] [NOACK] STREAMS <ekey> >'),
    (1, 'XREAD BLOCK 0 STREAMS e0 e1 $ <known>'),
    (1, 'XREADGROUP GROUP g <who> BLOCK 0 STREAMS e0 e1 > >'),
    (0.5, 'XREADGROUP GROUP g <who> BLOCK 0 STREAMS e0 e1 > 0'),
)]
FEED = [Grammar(text, weight) for weight, text in (
    (6, 'XADD <ekey> <newid> n <val>'), (0.5, 'XADD <ekey> MAXLEN <few> <newid> n <val>'),
    (0.4, 'XDEL <ekey> <known>'),
    (0.3, 'XTRIM <ekey> MAXLEN <few>'), (0.3, 'DEL <ekey>'), (0.2, 'RENAME <ekey> <ekey>'),
    (0.1, 'FLUSHALL'), (0.3, 'XGROUP DESTROY <ekey> <group>'), (0.2, 'SET <ekey> x'),
    (1, 'XGROUP CREATE <ekey> <group> $ MKSTREAM'), (0.5, 'XGROUP SETID <ekey> <group> 0'),
    (1, 'XACK <ekey> <group> <known>'), (0.5, 'XPENDING <ekey> <group>'), (0.2, 'XINFO GROUPS <ekey>'),
    (0.2, 'COPY <ekey> <ekey> REPLACE'), (0.2, 'LPUSH <ekey> x'), (0.2, 'XLEN <ekey>'),
)]


def one(grammars, rng, atoms):
    return rng.choices(grammars, [g.weight for g in grammars])[0].draw(atoms)


def make_waiting(_family, rng, atoms, length):
    extend(rng, atoms)
    atoms.atom_known = lambda: b'%d-%d' % (max(0, atoms.last_ms - rng.randrange(4)), rng.randrange(2))
    # An entry that goes as it comes is no news since 7.2 (trimmed-news).
    atoms.atom_few = lambda: rng.choice((b'1', b'2', b'5'))
    atoms.atom_group = lambda: rng.choice((b'g', b'g', b'g', b'h'))
    atoms.atom_ekey = lambda: rng.choice(KEYS)
    # 7.0 serves a reader of several streams from the one that changed; since 7.2 it gets what all
    # of them have by then.
    several = rng.random() < 0.4
    waits = [g for g in WAIT if several or ' e0 e1 ' not in g.text]
    feed = [g for g in FEED if not several or 'SETID' not in g.text]
    steps = [(0, [b'XGROUP', b'CREATE', key, b'g', b'$', b'MKSTREAM']) for key in KEYS]
    while len(steps) < length:
        chance = rng.random()
        conn = rng.randrange(1, 4)
        if chance < 0.38:
            steps.append((conn, one(waits, rng, atoms)))
        elif chance < 0.85:
            steps.append((0, one(feed, rng, atoms)))
        elif chance < 0.88:
            steps.append((0, [b'MULTI']))
            only = rng.choice(KEYS)
            for _ in range(rng.randrange(4)):
                args = one([g for g in feed + waits if '<ekey>' in g.text and
                            'RENAME' not in g.text and 'COPY' not in g.text], rng, atoms)
                steps.append((0, [only if arg in KEYS else arg for arg in args]))
            steps.append((0, [b'EXEC']))
        elif chance < 0.93:
            how = rng.choice(([], [b'TIMEOUT'], [b'ERROR']))
            steps.append((0, [b'CLIENT', b'UNBLOCK', b'{id:%d}' % conn] + how))
        elif chance < 0.96:
            args = [b'15' if arg == b'0' and i < 7 else arg
                    for i, arg in enumerate(one(WAIT[:2], rng, atoms))]
            # On a connection that nothing else waits on.
            steps += [(4, args), (4, [b'~sleep', b'90'])]
        else:
            steps.append((0, [b'~compare']))
    return steps


FAMILIES = [
    Family('streams', 'any', ADD + READ + TAKE + WHOLE, make=make, config=LIMITS),
    Family('groups', 'any', ADD + READ + TAKE + GROUPS * 2 + WHOLE, make=make, config=LIMITS),
    Family('stream_waits', 'any', ['PING'], mode='multi', make=make_waiting, config=LIMITS),
]
