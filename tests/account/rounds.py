# SPDX-License-Identifier: BSD-3-Clause
"""Rounds: several connections at once send whatever there is, then it is counted what came of it."""

import collections
import os
import random
import time

import catalogs
import recount
from known import Known
from resp import Client, encode
from traffic import Traffic

CONNECTIONS = 6
BATCHES = (20, 60)
BATCH = 25
MANY = 20000
TOKEN = b'the end of batch %d'
PATIENCE_S = 60

LIMITS = {
    'hash-max-listpack-entries': (128, 4, 0), 'hash-max-listpack-value': (64, 16), 'set-max-intset-entries': (512, 3),
    'zset-max-listpack-entries': (128, 4, 0), 'zset-max-listpack-value': (64, 16), 'list-max-listpack-size': (-2, 3, -1),
    'stream-node-max-entries': (100, 4), 'stream-node-max-bytes': (4096, 0), 'hll-sparse-max-bytes': (3000, 100),
    'lazyfree-lazy-user-del': ('yes', 'no'), 'lazyfree-lazy-expire': ('yes', 'no'),
    'lazyfree-lazy-eviction': ('yes', 'no'), 'lazyfree-lazy-server-del': ('yes', 'no'),
    'maxmemory-policy': ('allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl', 'volatile-random'),
}
LIBRARY = b"#!lua name=fa\nredis.register_function('fa', function(keys) return redis.call('lpush', keys[1], 'x') end)"


class Seen:
    """Which commands have been sent, and which of them did something once."""

    def __init__(self):
        self.sent = self.refused = 0
        self.done = set()
        self.events = collections.Counter()  # what happened to keys meanwhile
        self.rows = {}

    def note(self, args, reply):
        self.sent += 1
        if reply[0] == '-':
            self.refused += 1
        else:
            name = args[0].lower()
            self.done.add(name)
            if len(args) > 1:
                self.done.add(name + b'|' + args[1].lower())

    def ask(self, client):
        """Which commands of the table have keys, and are built."""
        if self.rows:
            return
        for command in client.do('COMMAND'):
            for row in [command] + command[9]:
                flags = {flag if isinstance(flag, bytes) else flag for flag in row[2]}
                if row[8] or b'write' in flags:
                    self.rows[row[0]] = row

    def missing(self):
        return sorted(name.decode() for name, row in self.rows.items()
                      if name not in self.done and not any(sub[0] in self.rows for sub in row[9]))


class Bench:
    def __init__(self, server, threads, families, seen):
        self.server, self.threads, self.families, self.seen = server, threads, families, seen
        self.control = self.client()
        self.files = {}
        for variant in [*catalogs.VARIANTS, 'known']:
            self.files[variant] = os.path.join(server.dir, variant + '.yaml')
            with open(self.files[variant], 'w', encoding='utf-8') as file:
                file.write(catalogs.yaml(variant))
        self.file = os.path.join(server.dir, 'acc.yaml')
        self.control.do('CONFIG', 'SET', 'notify-keyspace-events', 'Egxe$lshztd')
        self.watcher = self.client()
        for event in ('expired', 'evicted'):
            self.watcher.do('PSUBSCRIBE', '__keyevent@*__:' + event)
        self.watcher.do('SUBSCRIBE', 'over')
        seen.ask(self.control)
        self.load('whole')

    def client(self):
        return Client(self.server.address, PATIENCE_S)

    def close(self):
        self.control.close()
        self.watcher.close()

    def load(self, variant):
        """Always under one name, so that it is a reload."""
        with open(self.files[variant], encoding='utf-8') as source, open(self.file, 'w', encoding='utf-8') as file:
            file.write(source.read())
        self.control.do('CATALOG', 'LOAD', self.file)
        self.variant, self.matcher = variant, catalogs.Matcher(variant)

    def functions(self):
        """A library that scripts find, as it came from another server."""
        self._call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)
        dump = self._call('FUNCTION', 'DUMP')[1]
        self._call('FUNCTION', 'RESTORE', dump, 'REPLACE')

    def fill(self):
        """So many keys that the background is not through with them before the next thing happens to them."""
        for db in range(4):
            self.control.do('SELECT', db)
            for start in range(0, MANY // 4, 500):
                words = []
                for i in range(start, start + 500):
                    words += [b'acc:%s%d:%d' % (self.rng.choice((b's', b'k', b'other')), i % 7, i), b'v%d' % i]
                self.control.do('MSET', *words)
        self.control.do('SELECT', 0)

    # ---- a round ----

    def play(self, seed, end):
        self.rng = random.Random(seed)
        rng = self.rng
        self.control.do('CONFIG', 'RESETSTAT')
        self.kind = rng.choice(('moving', 'moving', 'steady', 'known'))
        self.load('known' if self.kind == 'known' else rng.choice(sorted(catalogs.VARIANTS)))
        for name, choices in LIMITS.items():
            self.control.do('CONFIG', 'SET', name, rng.choice(choices))
        many = self.kind != 'known' and rng.random() < 0.12
        if many:
            self.fill()
        self.functions()
        self.purged, self.purges_known, self.events = 0, True, {}
        before = self._steady_begin()
        self.expected = collections.Counter()
        traffic = [self._source(random.Random(rng.getrandbits(48))) for _ in range(CONNECTIONS)]
        clients = [self.client() for _ in traffic]
        start, commands = self.seen.sent, 0
        for number in range(rng.choice(BATCHES)):
            self._turn(clients, traffic, number)
            commands += CONNECTIONS * BATCH
            if rng.random() < 0.5:
                self._disturb()
            if time.monotonic() > end + 10:
                break
        for client in clients:
            client.close()
        self.control.do('CONFIG', 'SET', 'maxmemory', 0)
        if before is not None:
            self._steady_check(before)
        told = recount.info(self.control, 'stats')
        happened = {'expired': int(told['expired_keys']), 'fields expired': int(told['expired_subkeys']),
                    'evicted': int(told['evicted_keys']), 'purged': self.purged}
        self.seen.events.update(happened)
        self._rest()
        keys = recount.compare(self.control, self.matcher)
        flushed = many or rng.random() < 0.4
        if flushed:
            self.control.do('FLUSHALL', rng.choice(('SYNC', 'ASYNC')))
            if recount.compare(self.control, self.matcher) != 0:
                raise AssertionError('keys are left after FLUSHALL')
        return '%s %s: %d commands, %s; %d keys recounted%s' % (
            self.kind, self.variant, self.seen.sent - start,
            ', '.join('%d %s' % (times, what) for what, times in happened.items()), keys, ', flushed' if flushed else '')

    def _source(self, rng):
        return Known(rng, self.expected) if self.kind == 'known' else Traffic(rng, self.families)

    def _turn(self, clients, traffic, number):
        """A batch over every connection at once, then all their replies."""
        token = TOKEN % number
        batches = []
        for at, (client, source) in enumerate(zip(clients, traffic)):
            batch = source.batch(BATCH)
            batches.append(batch)
            # Whatever state the batch left the connection in: this ends it, and then the token comes.
            tail = [[b'EXEC'], [b'UNSUBSCRIBE'], [b'PUNSUBSCRIBE'], [b'SUNSUBSCRIBE'], [b'PING', token]]
            try:
                client.send_raw(b''.join(map(encode, batch + tail)))
            except (ConnectionError, OSError):
                clients[at] = self.client()
                batches[at] = None
        for at, batch in enumerate(batches):
            if batch is None:
                continue
            try:
                replies = []
                while True:
                    reply = clients[at].read()
                    if reply == ('$', token) or (reply[0] in '*>' and reply[1] and reply[1][-1] == ('$', token)):
                        break
                    replies.append(reply)
                for args, reply in zip(batch, replies):
                    self.seen.note(args, reply)
                traffic[at].take(replies)
            except ConnectionError:
                self.server.check()
                clients[at] = self.client()

    def _disturb(self):
        rng, control = self.rng, self.control
        chance = rng.random()
        if chance < 0.2:
            self._purge()
        elif chance < 0.4:
            used = int(recount.info(control, 'memory')['used_memory'])
            control.do('CONFIG', 'SET', 'maxmemory', rng.choice((0, used, used - used // 20, used + 200_000)))
            control.do('CONFIG', 'SET', 'maxmemory-policy', rng.choice(LIMITS['maxmemory-policy']))
        elif chance < 0.5:
            name = rng.choice(sorted(LIMITS))
            control.do('CONFIG', 'SET', name, rng.choice(LIMITS[name]))
        elif chance < 0.6:
            # While the purged keys and those to be matched again are still there.
            a, b = rng.sample((0, 0, 1, 2, 3), 2)
            control.do('SWAPDB', a, b)
        elif chance < 0.65:
            control.do('SELECT', rng.randrange(4))
            control.do('FLUSHDB', rng.choice(('SYNC', 'ASYNC')))
            control.do('SELECT', 0)
        elif chance < 0.68:
            control.do('FLUSHALL', rng.choice(('SYNC', 'ASYNC')))
        elif chance < 0.75:
            control.do('CATALOG', 'MIGRATE')
        elif chance < 0.8:
            self.load(self.variant)
        elif self.kind == 'moving':
            if rng.random() < 0.2:
                control.do('CATALOG', 'UNLOAD', 'acc')
            if rng.random() < 0.8:
                self._purge()
            self.load(rng.choice(sorted(catalogs.VARIANTS)))
            if rng.random() < 0.5:
                self._purge()
        self._watch()

    def _purge(self):
        rng = self.rng
        name = rng.choice(self.matcher.names() if self.variant_loaded() else ['x'])
        args = ['CATALOG', 'PURGE', name]
        template = next((line[1] for line in catalogs.lines_of(self.variant) if line[0] == name), '')
        if '{i}' in template and rng.random() < 0.4:
            args += ['i', rng.randrange(8)]
        reply = self._call(*args)
        if reply[0] == ':':
            self.purged += reply[1]
        elif reply[0] != '-':
            self.purges_known = False

    def _call(self, *args):
        reply = self.control.call(*args)
        self.seen.note([arg.encode() if isinstance(arg, str) else arg for arg in args], reply)
        return reply

    def variant_loaded(self):
        return bool(self.control.do('CATALOG', 'LIST'))

    def _rest(self):
        """Ends what would go on changing keys by itself."""
        control = self.control
        if not self.variant_loaded():
            self.load(self.variant)
        recount.migrated(control)
        for db in range(recount.DBS):
            control.do('SELECT', db)
            keys = control.do('KEYS', '*')
            lifetimes = control.pipeline([[b'PTTL', key] for key in keys])
            long = [key for key, reply in zip(keys, lifetimes) if recount.SOON_MS <= reply[1] < 200_000]
            control.pipeline([[b'PERSIST', key] for key in long])
        control.do('SELECT', 0)

    # ---- a steady round: which pattern a key belongs to stays, so operations can be followed ----

    def _steady_begin(self):
        if self.kind == 'moving':
            return None
        # Keys from before are matched, or nothing could be known of purges.
        recount.migrated(self.control)
        recount.compare(self.control, self.matcher)
        self._watch()
        self.events = {}
        return recount.operations(self.control)

    def _watch(self):
        """Takes what was published so far."""
        self.control.do('PUBLISH', 'over', 'x')
        while True:
            words = [item[1] for item in self.watcher.read()[1]]
            if words[0] == b'message':
                return
            db, event = int(words[2].split(b'@')[1].split(b'_')[0]), words[2].split(b':')[1].decode()
            name = self.matcher.find(db, words[3])
            self.events[event, name] = self.events.get((event, name), 0) + 1

    def _steady_check(self, before):
        sums_before, told_before, stats_before = before
        # Twice: what was published before the second look at the counts, the first has seen.
        while True:
            sums, told, stats = recount.operations(self.control)
            self._watch()
            if recount.operations(self.control)[1]['expired'] == told['expired']:
                break
        for name, value in told.items():
            mine, theirs = sums[name] - sums_before[name], value - told_before[name]
            if mine != theirs:
                raise AssertionError('%s: patterns have %d, INFO has %d' % (name, mine, theirs))
        for event in ('expired', 'evicted'):
            for name in stats:
                seen, counted = self.events.get((event, name), 0), stats[name][event] - stats_before[name][event]
                if seen != counted:
                    raise AssertionError('%s of %s: %d were published, %d counted' % (event, name, seen, counted))
        for name in stats if self.kind == 'known' else ():
            for what in ('hits', 'misses', 'writes', 'violations'):
                sent, counted = self.expected[what, name], stats[name][what] - stats_before[name][what]
                if sent != counted:
                    raise AssertionError('%s of %s: %d were sent, %d counted' % (what, name, sent, counted))
        if self.purges_known and sums['purged'] - sums_before['purged'] != self.purged:
            raise AssertionError('purged: replies told %d, counted are %d' % (
                self.purged, sums['purged'] - sums_before['purged']))
