# SPDX-License-Identifier: BSD-3-Clause
"""Commands whose reply tells what they did: so hits, misses, writes and violations can be counted by who sent them.

A write is a command that changed a key, however many changes that were; a command that changes two keys is two.
"""

import collections

NAMES = 12
# The second key is not declared: a run that began with the shard of the first alone may have to begin again.
# pcall, since memory may be short.
SCRIPT = b"""
local value = redis.call('get', KEYS[1])
local counted, taken = redis.pcall('incr', KEYS[1]), redis.call('lpop', ARGV[1])
return {value and 1 or 0, type(counted) == 'number' and 1 or 0, taken and 1 or 0}
"""
REFUSED = b"""
local set, wrong = redis.pcall('set', KEYS[1], 1), redis.pcall('set', ARGV[1], 'no list')
return {set.ok and 1 or 0, string.find(wrong.err, 'CATALOG') and 1 or 0}
"""


class Known:
    """What one connection sends, and what it has to come to."""

    def __init__(self, rng, counts=None):
        self.rng = rng
        self.counts = counts if counts is not None else collections.Counter()
        self.after = []
        self.draws = [(getattr(self, name), weight) for name, weight in WEIGHTS]

    def batch(self, size):
        """Commands; the replies are for take()."""
        out = []
        while len(out) < size:
            draw = self.rng.choices([d for d, _ in self.draws], [w for _, w in self.draws])[0]
            command, after = draw()
            if self.rng.random() < 0.08:
                out += [[b'MULTI'], command, [b'EXEC']]
                self.after += [None, None, lambda reply, after=after: after(reply[1][0]) if reply[0] == '*' else None]
            else:
                out.append(command)
                self.after.append(after)
        return out

    def take(self, replies):
        for after, reply in zip(self.after, replies):
            if after is not None:
                after(reply)
        self.after = []

    # ---- what is counted ----

    def add(self, what, key, times=1):
        if times:
            name = {b's': 'strings', b'l': 'lists', b'h': 'hashes', b't': 'sets', b'z': 'zsets', b'x': '(unmatched)'}[
                key.split(b':')[1][:1]]
            self.counts[what, name] += times

    def read(self, key, found):
        self.add('hits' if found else 'misses', key)

    def key(self, kind):
        return b'known:%s:%d' % (kind, self.rng.randrange(NAMES))

    def writes(self, key, *command, when=lambda value: True):
        """It is a write when the reply says so."""
        def after(reply):
            if reply[0] != '-' and when(reply[1]):
                self.add('writes', key)
        return [*command], after

    def reads(self, key, *command, found=lambda value: value is not None):
        return [*command], lambda reply: self.read(key, found(reply[1]))

    # ---- strings ----

    def get(self):
        key = self.key(b's')
        return self.reads(key, b'GET', key)

    def mget(self):
        keys = [self.key(b's') for _ in range(3)]
        return [b'MGET', *keys], lambda reply: [self.read(key, one[1] is not None) for key, one in zip(keys, reply[1])]

    def exists(self):
        key = self.key(b's')
        return self.reads(key, b'EXISTS', key, found=bool)

    def set(self):
        key = self.key(b's')
        more = self.rng.choice(([], [], [b'PX', b'%d' % self.rng.choice((1, 5, 50))]))
        return self.writes(key, b'SET', key, b'%d' % self.rng.randrange(10 ** 6), *more)

    def setnx(self):
        key = self.key(b's')
        return self.writes(key, b'SETNX', key, b'7', when=bool)

    def incr(self):
        key = self.key(b's')
        return self.writes(key, b'INCR', key)

    def append(self):
        key = self.key(b's:text')
        return self.writes(key, b'APPEND', key, b'a' * self.rng.choice((1, 300)))

    def getdel(self):
        key = self.key(b's')

        def after(reply):
            self.read(key, reply[1] is not None)
            self.add('writes', key, reply[1] is not None)
        return [b'GETDEL', key], after

    def delete(self):
        a, b = self.key(b's'), self.key(b's')
        return [self.rng.choice((b'DEL', b'UNLINK')), a, b], lambda reply: self.add('writes', a, reply[1])

    def expire(self):
        key = self.key(self.rng.choice((b's', b'l', b'h', b't', b'z')))
        return self.writes(key, b'PEXPIRE', key, b'%d' % self.rng.choice((1, 20, 100)), when=bool)

    def persist(self):
        key = self.key(self.rng.choice((b's', b'l', b'h', b't', b'z')))
        return self.writes(key, b'PERSIST', key, when=bool)

    def rename(self):
        kind = self.rng.choice((b's', b'l', b'h', b't', b'z'))
        a = b = self.key(kind)
        while a == b:
            b = self.key(kind)

        def after(reply):
            self.add('writes', a, 2 * (reply[0] == '+'))
        return [b'RENAME', a, b], after

    def copy(self):
        kind = self.rng.choice((b's', b'l', b'h', b't', b'z'))
        a = b = self.key(kind)
        while a == b:
            b = self.key(kind)
        more = self.rng.choice(([], [b'DB', b'1'], [b'DB', b'0']))

        def after(reply):
            if reply[0] == ':':
                self.read(a, reply[1])
                self.add('writes', a, reply[1])
        return [b'COPY', a, b, *more, b'REPLACE'], after

    def move(self):
        key = self.key(self.rng.choice((b's', b'h')))
        return [b'MOVE', key, b'1'], lambda reply: self.add('writes', key, 2 * (reply[1] == 1))

    # ---- collections ----

    def rpush(self):
        key = self.key(b'l')
        return self.writes(key, b'RPUSH', key, *[b'e' * self.rng.choice((3, 200))] * self.rng.randrange(1, 4))

    def lpushx(self):
        key = self.key(b'l')
        return self.writes(key, b'LPUSHX', key, b'e', when=bool)

    def lpop(self):
        """With the last element goes the key: that is one write all the same."""
        key = self.key(b'l')
        return self.writes(key, b'LPOP', key, when=lambda value: value is not None)

    def blpop(self):
        key = self.key(b'l')
        return self.writes(key, b'BLPOP', key, b'0.003', when=lambda value: value is not None)

    def lmove(self):
        a, b = self.key(b'l'), self.key(b'l')

        def after(reply):
            if reply[0] == '$' and reply[1] is not None:
                self.add('writes', a, 1 if a == b else 2)
        return [b'LMOVE', a, b, b'LEFT', b'RIGHT'], after

    def llen(self):
        key = self.key(b'l')
        return self.reads(key, b'LLEN', key, found=bool)

    def hset(self):
        key = self.key(b'h')
        return self.writes(key, b'HSET', key, b'%d' % self.rng.randrange(9), b'v', b'w', b'w' * self.rng.choice((1, 100)))

    def hdel(self):
        key = self.key(b'h')
        return self.writes(key, b'HDEL', key, b'w', *[b'%d' % i for i in range(self.rng.randrange(9))], when=bool)

    def hgetall(self):
        key = self.key(b'h')
        return self.reads(key, b'HGETALL', key, found=bool)

    def sadd(self):
        key = self.key(b't')
        return self.writes(key, b'SADD', key, *[b'%d' % self.rng.randrange(900) for _ in range(3)], when=bool)

    def srem(self):
        key = self.key(b't')
        return self.writes(key, b'SREM', key, *[b'%d' % i for i in range(self.rng.randrange(1, 900))], when=bool)

    def scard(self):
        key = self.key(b't')
        return self.reads(key, b'SCARD', key, found=bool)

    def zadd(self):
        key = self.key(b'z')
        return self.writes(key, b'ZADD', key, b'CH', b'%d' % self.rng.randrange(3), b'%d' % self.rng.randrange(99), when=bool)

    def zpopmin(self):
        key = self.key(b'z')
        return self.writes(key, b'ZPOPMIN', key, b'%d' % self.rng.choice((1, 99)), when=bool)

    def zcard(self):
        key = self.key(b'z')
        return self.reads(key, b'ZCARD', key, found=bool)

    # ---- scripts, and what the catalog minds ----

    def script(self):
        key, queue = self.key(b's'), self.key(b'l')

        def after(reply):
            if reply[0] == '*':
                found, counted, taken = (item[1] for item in reply[1])
                self.read(key, found)
                self.add('writes', key, counted)
                self.add('writes', queue, taken)
        return [b'EVAL', SCRIPT, b'1', key, queue], after

    def refused_script(self):
        """What it wrote before the catalog refused it stays."""
        key, queue = self.key(b's'), self.key(b'l')

        def after(reply):
            if reply[0] == '*':
                self.add('writes', key, reply[1][0][1])
                self.add('violations', queue, reply[1][1][1])
        return [b'EVAL', REFUSED, b'1', key, queue], after

    def refused(self):
        key = self.key(b'l')

        def after(reply):
            if reply[0] == '-' and reply[1].startswith(b'CATALOG'):
                self.add('violations', key)
        return [b'SET', key, b'text'], after

    def unmatched(self):
        key = self.key(b'x')

        def after(reply):
            if reply[0] == ':':
                self.add('writes', key, reply[1])
                self.add('violations', key, reply[1])
        return [b'SETNX', key, b'1'], after

    def drop_unmatched(self):
        key = self.key(b'x')
        return self.writes(key, b'DEL', key, when=bool)


WEIGHTS = [
    ('get', 3), ('mget', 2), ('exists', 1), ('set', 3), ('setnx', 1), ('incr', 2), ('append', 2), ('getdel', 1), ('delete', 2),
    ('expire', 2), ('persist', 1), ('rename', 2), ('copy', 2), ('move', 1), ('rpush', 5), ('lpushx', 1), ('lpop', 4), ('blpop', 1),
    ('lmove', 3), ('llen', 2), ('hset', 3), ('hdel', 2), ('hgetall', 2), ('sadd', 3), ('srem', 2), ('scard', 1), ('zadd', 3),
    ('zpopmin', 2), ('zcard', 1), ('script', 5), ('refused_script', 2), ('refused', 2), ('unmatched', 2), ('drop_unmatched', 2),
]
