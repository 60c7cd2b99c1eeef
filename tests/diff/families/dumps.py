# SPDX-License-Identifier: BSD-3-Clause
"""DUMP and RESTORE: payloads carried from each server to the other, and payloads of old forms."""

import rdb
from families.keys import FILL
from family import Family
from grammar import Grammar

# Long elements make a hash or a sorted set large here however it came, and in 7.0 not if it came packed. And 7.0
# looks closely only when it is asked to.
CONFIG = {'sanitize-dump-payload': 'yes', 'hash-max-listpack-value': '64', 'zset-max-listpack-value': '64'}

_PACKED = (b'a', 1, b'b', b'-300', b'c', 70000)
_DIGITS = (b'0', b'1', b'-5', b'300')


def _bodies():
    """(code, body): values of every form that 7.0 reads."""
    yield rdb.STRING, rdb.string(b'abc')
    yield rdb.STRING, rdb.string(b'0012')
    for number, size in ((-5, 1), (300, 2), (1 << 30, 4)):
        yield rdb.STRING, rdb.small_int(number, size)
    yield rdb.STRING, rdb.lzf_run(66, 250)
    yield rdb.LIST, rdb.length(4) + rdb.strings(*_DIGITS)
    yield rdb.LIST_ZIPLIST, rdb.string(rdb.ziplist(*_PACKED))
    yield rdb.LIST_QUICKLIST, rdb.length(3) + rdb.strings(
        rdb.ziplist(*_PACKED), rdb.ziplist(), rdb.ziplist(b'z', wide=True))
    yield rdb.LIST_QUICKLIST_2, rdb.length(2) + rdb.length(2) + rdb.string(rdb.listpack(*_PACKED)) + \
        rdb.length(1) + rdb.string(b'y' * 200)
    yield rdb.SET, rdb.length(4) + rdb.strings(*_DIGITS)
    yield rdb.SET, rdb.length(2) + rdb.strings(b'a', b'1')
    for size in (2, 4, 8):
        yield rdb.SET_INTSET, rdb.string(rdb.intset(-7, 0, 5, 30000, size=size))
    yield rdb.HASH, rdb.length(2) + rdb.strings(*_DIGITS)
    yield rdb.HASH_ZIPMAP, rdb.string(rdb.zipmap((b'a', b'1'), (b'f1', b'two'), spare=1))
    yield rdb.HASH_ZIPLIST, rdb.string(rdb.ziplist(*_PACKED))
    yield rdb.HASH_LISTPACK, rdb.string(rdb.listpack(*_PACKED))
    yield rdb.ZSET, rdb.length(2) + rdb.string(b'a') + rdb.double_text(b'1.5') + rdb.string(b'1') + \
        rdb.double_text(b'-inf')
    yield rdb.ZSET_2, rdb.length(2) + rdb.string(b'b') + rdb.double(7) + rdb.string(b'a') + rdb.double(-2.5)
    scored = (b'b', b'-2.5', b'1', 3, b'a', b'1e17')
    yield rdb.ZSET_ZIPLIST, rdb.string(rdb.ziplist(*scored))
    yield rdb.ZSET_LISTPACK, rdb.string(rdb.listpack(*scored))
    node = rdb.stream_node('5-1', (b'a',), (0, 0, (1,)), (2, 0, {b'b': b'x'}), (3, 1, (7,), True))
    for code in (rdb.STREAM, rdb.STREAM_2):
        groups = [rdb.group(code, b'g', '5-1', [('5-1', 1000, 2)], [(b'alice', 1000, 0, ['5-1'])], 1)]
        yield code, rdb.stream(code, [node], 2, '9-0', '5-1', '8-2', 4, groups)
        yield code, rdb.stream(code, [node], 2, '9-0', groups=groups * 2)
    # Of the older form, an empty one has in 7.0 a first identifier that is the last of all.
    yield rdb.STREAM_2, rdb.stream(rdb.STREAM_2, [], 0, '9-0')
    # Damage that both see.
    yield rdb.SET, rdb.length(2) + rdb.strings(b'a', b'a')
    yield rdb.HASH, rdb.length(2) + rdb.strings(b'a', b'1', b'a', b'2')
    yield rdb.LIST, rdb.length(0)
    yield rdb.SET_INTSET, rdb.string(rdb.intset(5, 3))
    yield 8, b''
    yield 200, rdb.string(b'a')


BODIES = list(_bodies())


def make(family, rng, atoms, length):
    def atom_payload():
        code, body = rng.choice(BODIES)
        chance = rng.random()
        if chance < 0.05:
            return rng.choice((b'', b'short', rdb.payload(code, body)[:-1], rdb.payload(code, body, 0),
                               rdb.payload(code, body, 200)))
        data = rdb.payload(code, body, rng.choice((1, 6, 7, 8, 9, 10, 10, 10)))
        if chance < 0.1:
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
        return data

    def atom_ttl():
        return rng.choice((b'0', b'0', b'0', b'100000', b'123456', b'-1', b'abc', b'',
                           b'9223372036854775808'))

    def atom_xid():
        return b'%d-%d' % (rng.randrange(1, 40), rng.randrange(3))

    atoms.atom_payload, atoms.atom_ttl, atoms.atom_xid = atom_payload, atom_ttl, atom_xid
    steps = family._steps(rng, atoms, length)
    return steps + [carry(rng, atoms) for _ in range(3)]


def carry(rng, atoms):
    return 0, [b'~carry', atoms.atom_key(), atoms.atom_key()]


class Dumps(Family):
    def _steps(self, rng, atoms, length):
        steps = []
        for step in super()._steps(rng, atoms, length):
            steps.append(step)
            dying = step[1][-1] == b'1' and step[1][0] in (b'SET', b'PEXPIRE')
            if rng.random() < 0.08 and not dying:
                steps.append(carry(rng, atoms))
        return steps


GRAMMARS = FILL + [Grammar(text, weight) for weight, text in (
    (2, 'DUMP <key>'), (4, 'RESTORE <key> <ttl> <payload> {REPLACE|ABSTTL}'),
    (4, 'RESTORE <key> <ttl> <payload> REPLACE'), (1, 'RESTORE <key> <tms> <payload> REPLACE ABSTTL'),
    (2, 'RESTORE <key> <ttl> <payload> {REPLACE|IDLETIME <int>|FREQ <int>|IDLETIME 100|FREQ 7|<odd>}'),
    (1, 'RESTORE-ASKING <key> 0 <payload> REPLACE'), (1, 'OBJECT FREQ <key>'),
    (1, 'OBJECT IDLETIME <key>'), (2, 'XADD <key> <xid> <field> <val> (<field> <val>)*'),
    (1, 'XDEL <key> <xid>+'), (1, 'XGROUP CREATE <key> (g|h) (0|<xid>) MKSTREAM'), (1, 'XLEN <key>'),
    (1, 'XPENDING <key> (g|h)'), (1, 'XACK <key> (g|h) <xid>+'),
    (1, 'COPY <key> <key> [REPLACE]'), (1, 'OBJECT ENCODING <key>'), (1, 'DEL <key>'),
    (1, 'CONFIG SET maxmemory-policy (allkeys-lru|allkeys-lfu|noeviction)'))]

FAMILIES = [Dumps('dumps', 'any', GRAMMARS, make=make, config=CONFIG)]
