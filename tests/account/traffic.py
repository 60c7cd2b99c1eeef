# SPDX-License-Identifier: BSD-3-Clause
"""Commands of every kind: those that the differential test draws, on more keys, and what only concerns the account.

The families of tests/diff make sequences for several connections; here each connection plays one after the other, by
itself. Instructions to that test are left out, nothing waits for more than a moment, and nothing is sent that would end
the connection's ability to say when a batch is over.
"""

import re

from families import FAMILIES
from grammar import ALL_KEYS, Grammar, LEX_KEYS, as_int, tame

KNOWN = set(ALL_KEYS) | set(LEX_KEYS) | {b'e0', b'e1', b'e2', b'k4'}
NEVER = {b'CONFIG', b'CLIENT', b'SHUTDOWN', b'DEBUG', b'MONITOR', b'QUIT', b'REPLICAOF', b'SLAVEOF', b'WAIT', b'WAITAOF',
         b'FAILOVER', b'PSYNC', b'SYNC', b'LATENCY', b'RESET'}
FLUSHES = {b'FLUSHALL', b'FLUSHDB'}
BLOCKS = {b'BLPOP': -1, b'BRPOP': -1, b'BRPOPLPUSH': -1, b'BLMOVE': -1, b'BZPOPMIN': -1, b'BZPOPMAX': -1, b'BLMPOP': 1,
          b'BZMPOP': 1}
WAIT_MS = (b'1', b'5', b'20')

# What the families have little of: many elements, long strings, short lifetimes, whole keys carried about.
OWN = [Grammar(text, weight) for weight, text in (
    (3, 'PEXPIRE <any> <soon>'), (2, 'SET <any> <bulk> PX <soon>'), (1, 'PSETEX <any> <soon> <val>'), (1, 'GETEX <any> PX <soon>'),
    (2, 'HPEXPIRE <hkey> <soon> FIELDS 2 a b'), (1, 'HPEXPIRE <hkey> <soon> FIELDS 1 <field>'),
    (1, 'HSETEX <hkey> PX <soon> FIELDS 2 a 1 <field> <val>'), (1, 'HGETEX <hkey> PX <soon> FIELDS 1 <field>'),
    (1, 'HGETDEL <hkey> FIELDS 2 a <field>'), (1, 'HPERSIST <hkey> FIELDS 1 a'),
    (2, 'RPUSH <lkey> <many>'), (1, 'LPOP <lkey> <some>'), (1, 'RPOP <lkey> <some>'), (1, 'LTRIM <lkey> 2 <some>'),
    (2, 'SADD <tkey> <many>'), (1, 'SPOP <tkey> <some>'), (1, 'SREM <tkey> <many>'), (1, 'SMOVE <tkey> <tkey> <member>'),
    (2, 'HSET <hkey> <manypairs>'), (1, 'HDEL <hkey> <many>'), (2, 'ZADD <zkey> <manyscores>'), (1, 'ZREM <zkey> <many>'),
    (1, 'ZPOPMIN <zkey> <some>'), (1, 'ZREMRANGEBYRANK <zkey> 0 <some>'), (1, 'ZADD <zkey> <score> <bulk>'),
    (2, 'XADD <ekey> * <names>'), (1, 'XADD <ekey> MAXLEN 3 * f <bulk>'), (1, 'XTRIM <ekey> MAXLEN 2'),
    (1, 'SET (short:1|short:2) <val>'), (1, 'SET <any> <bulk>'), (1, 'APPEND <any> <bulk>'), (1, 'SETRANGE <any> <some> <bulk>'), (1, 'SETBIT <any> <some> 1'),
    (1, 'HSET <hkey> f <bulk>'), (1, 'RPUSH <lkey> <bulk>'), (1, 'LSET <lkey> 0 <bulk>'),
    (2, 'RENAME <any> <any>'), (1, 'RENAMENX <any> <any>'), (3, 'COPY <any> <any> REPLACE'), (1, 'COPY <any> <any> DB <db> REPLACE'),
    (2, 'MOVE <any> <db>'), (2, 'SELECT <db>'), (2, 'DEL <any> <any>'), (2, 'UNLINK <any> <any>'), (1, 'PERSIST <any>'),
    (1, 'SORT <tkey> ALPHA STORE <lkey>'), (1, 'SORT <lkey> BY nosort GET # GET *->f STORE <any>'),
    (1, 'SUNIONSTORE <any> <tkey> <tkey>'), (1, 'ZUNIONSTORE <any> 2 <zkey> <tkey>'), (1, 'ZRANGESTORE <any> <zkey> 0 -1'),
    (1, 'BITOP NOT <any> <any>'), (1, 'PFADD <any> <many>'), (1, 'PFMERGE <any> <any>'), (1, 'GEOADD <any> 13.3 38.1 a 15 37 b'),
    (1, 'GEOSEARCHSTORE <any> <any> FROMLONLAT 15 37 BYRADIUS 500 km'), (1, 'DUMP <any>'), (1, 'TOUCH <any> <any>'),
    (1, 'MSETEX 2 <any> <val> <any> <bulk> PX <soon>'), (1, 'DELIFEQ <any> a'), (0.5, 'RANDOMKEY'), (0.5, 'SCAN 0 COUNT 100'),
    (0.3, 'KEYS *'), (1, 'MEMORY USAGE <any>'), (1, 'SPUBLISH news a'), (1, 'EVAL <script> 2 <any> <any>'),
    (1, 'XACKDEL <ekey> g DELREF IDS 1 0-1'), (1, 'XDELEX <ekey> ACKED IDS 1 0-1'),
    (1, 'XREADGROUP GROUP g a COUNT 5 STREAMS <ekey> >'), (1, 'XGROUP CREATE <ekey> g 0 MKSTREAM'), (0.5, 'EXISTS <any> <any>'),
)]
# The third uses keys that it does not declare, and the last ends in an error after it has written.
SCRIPTS = [
    b"redis.call('set', KEYS[1], string.rep('x', 300)) return redis.call('rename', KEYS[1], KEYS[2])",
    b"for i = 1, 40 do redis.call('rpush', KEYS[1], i) end return redis.call('copy', KEYS[1], KEYS[2], 'REPLACE')",
    b"redis.call('get', KEYS[1]) redis.pcall('hset', 'acc:h1:2', 'f', 'v') redis.pcall('sadd', 'acc:t1:2', 'v') "
    b"return redis.pcall('del', KEYS[2])",
    b"redis.call('del', KEYS[1]) redis.call('sadd', KEYS[1], 1, 2, 3) return redis.call('incr', KEYS[1])",
]


class Traffic:
    """What one connection sends."""

    def __init__(self, rng, names=None):
        self.rng = rng
        self.names = sorted(names or FAMILIES)
        self.steps = []

    def batch(self, size):
        out = []
        while len(out) < size:
            if self.rng.random() < 0.35:
                out.append(self._own())
                continue
            if not self.steps:
                self._begin()
            args = self._fit(self.steps.pop(0))
            if args:
                out.append(args)
        return out

    def take(self, replies):
        """What comes back says nothing that is not counted elsewhere."""

    def _begin(self):
        family = FAMILIES[self.rng.choice(self.names)]
        sequence = family.sequence(self.rng, self.rng.choice((20, 60)))
        # All its connections' steps, one after the other: what one of them began, another may end here.
        self.steps = [args for _, args in sequence.steps if args[0][:1] != b'~'] or [[b'PING']]
        self.number = self.rng.randrange(8)

    # ---- what is drawn elsewhere, made to fit ----

    def _fit(self, args):
        name = args[0].upper()
        if name in NEVER or (name in FLUSHES and self.rng.random() < 0.9):
            return None
        if any(b'{id:' in arg or b'{addr:' in arg for arg in args):
            return None
        args = self._hurry([self._rename(arg) for arg in args], name)
        if name == b'LCS':
            # It takes minutes of strings as long as some are here.
            args[1:3] = [b'short:1', b'short:2'][:len(args) - 1]
        if name == b'SCRIPT' and len(args) > 1 and args[1].upper() == b'DEBUG':
            return None
        return args

    def _rename(self, arg):
        if arg in KNOWN and arg and arg != b'nokey':
            kind = b'old' if arg[:1] == b'e' and self.rng.random() < 0.2 else b'acc'
            return b'%s:%s:%d' % (kind, arg, self.number)
        if b"'k" in arg:
            return re.sub(rb"'(k[1-4])'", rb"'acc:\1:%d'" % self.number, arg)
        return arg

    def _hurry(self, args, name):
        """Nothing waits for ever."""
        at = BLOCKS.get(name)
        if at and len(args) > 2:
            args[at] = self.rng.choice((b'0.001', b'0.01', b'0.02')) if args[at][:1].isdigit() else args[at]
        if name in (b'XREAD', b'XREADGROUP'):
            for i in range(1, len(args) - 1):
                if args[i].upper() == b'BLOCK' and as_int(args[i + 1]) is not None:
                    args[i + 1] = self.rng.choice(WAIT_MS)
        return tame(args) if name not in BLOCKS else args

    # ---- what is drawn here ----

    def _own(self):
        grammar = self.rng.choices(OWN, [g.weight for g in OWN])[0]
        return grammar.draw(self)

    def _key(self, kind):
        return b'acc:%s%d:%d' % (kind, self.rng.randrange(4), self.rng.randrange(8))

    def atom_any(self):
        kind = self.rng.choice((b's', b'l', b'h', b't', b'z', b'k', b'k', b'e', b'other'))
        if kind == b'e' and self.rng.random() < 0.3:
            return b'old:e%d:%d' % (self.rng.randrange(4), self.rng.randrange(8))
        return b'elsewhere:%d' % self.rng.randrange(8) if kind == b'other' else self._key(kind)

    def atom_lkey(self):
        return self._key(b'l')

    def atom_hkey(self):
        return self._key(b'h')

    def atom_tkey(self):
        return self._key(b't')

    def atom_zkey(self):
        return self._key(b'z')

    def atom_ekey(self):
        return self._key(b'e')

    def atom_db(self):
        return b'%d' % self.rng.choice((0, 0, 1, 2, 3))

    def atom_soon(self):
        return b'%d' % self.rng.choice((1, 2, 5, 20, 50, 200))

    def atom_some(self):
        return b'%d' % self.rng.choice((1, 3, 50, 200, 3000))

    def atom_val(self):
        return self.rng.choice((b'a', b'7', b'1.5', b'hello', b'x' * 60))

    def atom_member(self):
        return b'%d' % self.rng.randrange(300)

    def atom_field(self):
        return self.rng.choice((b'a', b'b', b'f', b'%d' % self.rng.randrange(300)))

    def atom_score(self):
        return b'%d' % self.rng.randrange(100)

    def atom_bulk(self):
        return b'b' * self.rng.choice((40, 250, 260, 1000, 5000, 70000 if self.rng.random() < 0.2 else 3000))

    def atom_names(self):
        return [b'f', self.atom_val(), b'g', self.atom_bulk()]

    def atom_many(self):
        if self.rng.random() < 0.5:
            first = self.rng.randrange(1000)
            return [b'%d' % i for i in range(first, first + self.rng.randrange(1, 300))]
        return [b'member:%d' % i * self.rng.choice((1, 10)) for i in range(self.rng.randrange(1, 200))]

    def atom_manypairs(self):
        return [x for member in self.atom_many() for x in (member, b'v')]

    def atom_manyscores(self):
        return [x for number, member in enumerate(self.atom_many()) for x in (b'%d' % number, member)]

    def atom_script(self):
        return self.rng.choice(SCRIPTS)
