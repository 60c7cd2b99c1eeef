# SPDX-License-Identifier: BSD-3-Clause
"""What one server holds for an application: caches, queues, locks and sessions, more than fits its memory.

A Load draws the same commands from the same seed for every server; it knows of each element that it pushed whether it came
back, and of each lock and session whether it was still there when it was wanted. Commands go out over several
connections at once, in batches, and replies decide nothing but what an application would let them decide: who misses
a cache fills it, who lost a session logs in again.
"""

import random

from resp import Client, ReplyError, plain

# The page that such a team would write. Without it a server has only its maxmemory-policy.
CATALOG = """\
keynome: 1
name: app
patterns:
  - {key: "app:cache:{id}", name: cache, type: string, lifetime: {required: true, maximum: 1h}, eviction: cache}
  - {key: "app:queue:{name}", name: queue, type: list, eviction: never}
  - {key: "app:lock:{resource}", name: lock, type: string, lifetime: {required: true}, eviction: never}
  - {key: "app:session:{id}", name: session, type: hash, lifetime: 1h, eviction: normal}
"""

BUSY, IDLE = 8, 24       # queues that are emptied as they fill; those that wait, as for the night or for an operator
SESSIONS = 1500
LOCKS = 64               # held at a time, by all
PAGES = 20000            # of the cache, some asked for far more often than others
BATCH = 40
LIFETIMES = {'cache': 900, 'lock': 900, 'session': 3600}  # seconds: none ends within a run


class Figures:
    """What came of it."""

    def __init__(self):
        self.pushed = self.refused = self.popped = self.twice = self.strange = 0
        self.locks = self.locks_lost = 0
        self.session_reads = self.sessions_lost = 0
        self.hits = self.misses = 0
        self.peak = 0  # of used_memory
        self.server = {}  # INFO, at the end of the load, before the queues were emptied

    @property
    def lost(self):
        return self.pushed - self.popped

    @property
    def hit_rate(self):
        return self.hits / max(1, self.hits + self.misses)

    @property
    def evicted(self):
        return int(self.server['evicted_keys'])

    @property
    def used(self):
        return int(self.server['used_memory'])


class Actor:
    """One connection, with a share of the application's work."""

    def __init__(self, load, number):
        self.load, self.number = load, number
        self.rng = random.Random('%s/%d' % (load.seed, number))
        self.client = Client(load.address, 60)
        self.serial = 0
        self.held = []  # [resource, token], the longest held first
        self.waiting = []  # what to do with each reply

    def ask(self, then, *command):
        self.waiting.append((then, command))

    def flush(self):
        """Sends what was asked; replies are read by take()."""
        self.sent, self.waiting = self.waiting, []
        for _, command in self.sent:
            self.client.send(*command)

    def take(self):
        for then, _ in self.sent:
            reply = plain(self.client.read())
            if then is not None:
                then(reply)

    # ---- what an application does ----

    def draw(self):
        roll = self.rng.random()
        if roll < 0.80:
            self.read_page()
        elif roll < 0.86:
            self.push('busy:%d' % self.rng.randrange(BUSY))
        elif roll < 0.925:
            self.pop('busy:%d' % self.rng.randrange(BUSY))
        elif roll < 0.94:
            self.push('later:%d' % self.rng.randrange(IDLE))
        elif roll < 0.97:
            self.visit()
        else:
            self.lock()

    def read_page(self):
        page = int(PAGES * self.rng.random() ** 2)
        key = 'app:cache:%d' % page
        self.ask(lambda value: self.fill(key, page) if value is None else self.hit(), 'GET', key)

    def hit(self):
        self.load.figures.hits += 1

    def fill(self, key, page):
        self.load.figures.misses += 1
        self.ask(None, 'SET', key, b'p' * (500 + page * 7919 % 1500), 'EX', LIFETIMES['cache'])

    def push(self, name):
        self.serial += 1
        element = b'%s:%d:%d:%s' % (name.encode(), self.number, self.serial, b'j' * self.rng.randrange(100, 300))
        self.ask(lambda reply: self.load.pushed(element, reply), 'RPUSH', 'app:queue:' + name, element)

    def pop(self, name):
        self.ask(self.load.popped, 'LPOP', 'app:queue:' + name)

    def visit(self):
        key = 'app:session:%d' % self.rng.randrange(SESSIONS)
        self.ask(lambda reply: self.seen(key, reply), 'HGET', key, 'user')

    def seen(self, key, user):
        self.load.figures.session_reads += 1
        if user is None:
            self.load.figures.sessions_lost += 1
            self.log_in(key)

    def visit_last(self, key):
        self.ask(lambda user: self.last_seen(user is not None), 'HGET', key, 'user')

    def last_seen(self, is_there):
        self.load.figures.session_reads += 1
        self.load.figures.sessions_lost += not is_there

    def log_in(self, key):
        self.ask(None, 'HSET', key, 'user', self.rng.randrange(10 ** 6), 'name', 'n' * 20, 'roles', 'r' * 40)
        self.ask(None, 'EXPIRE', key, LIFETIMES['session'])

    def lock(self):
        if len(self.held) >= LOCKS // len(self.load.actors):
            self.release()
        self.serial += 1
        resource, token = '%d:%d' % (self.number, self.serial), 'token-%d' % self.serial
        self.held.append((resource, token))
        self.ask(None, 'SET', 'app:lock:' + resource, token, 'NX', 'EX', LIFETIMES['lock'])

    def release(self):
        resource, token = self.held.pop(0)
        self.ask(lambda value: self.released(value == token.encode()), 'GET', 'app:lock:' + resource)
        self.ask(None, 'DEL', 'app:lock:' + resource)

    def released(self, was_held):
        self.load.figures.locks += 1
        self.load.figures.locks_lost += not was_held


class Load:
    def __init__(self, address, seed, actors=4):
        self.address, self.seed = address, seed
        self.figures = Figures()
        self.waiting = {}  # elements that are in a queue: where each is
        self.gone = set()
        self.actors = []
        for number in range(actors):
            self.actors.append(Actor(self, number))

    def pushed(self, element, reply):
        if isinstance(reply, ReplyError):
            self.figures.refused += 1
            return
        self.figures.pushed += 1
        # Another connection may have popped it before this reply was read.
        if element in self.gone:
            self.gone.remove(element)
        else:
            self.waiting[element] = True

    def popped(self, element):
        if element is None:
            return
        self.figures.popped += 1
        if self.waiting.pop(element, None) is None:
            if element in self.gone:
                self.figures.twice += 1
            self.gone.add(element)

    def info(self):
        text = self.actors[0].client.do('INFO').decode()
        return dict(line.split(':', 1) for line in text.splitlines() if ':' in line)

    def _rounds(self):
        """Whatever is asked for, until nothing is: sent on all connections before any is read."""
        while any(actor.waiting for actor in self.actors):
            for actor in self.actors:
                actor.flush()
            for actor in self.actors:
                actor.take()

    def run(self, commands):
        """Fills the server, works for so many commands, empties the queues; returns the figures."""
        figures = self.figures
        for number in range(SESSIONS):
            self.actors[number % len(self.actors)].log_in('app:session:%d' % number)
        for actor in self.actors:
            for number in range(IDLE):
                actor.push('later:%d' % number)
        self._rounds()
        rounds = commands // (BATCH * len(self.actors))
        for number in range(rounds):
            for actor in self.actors:
                for _ in range(BATCH):
                    actor.draw()
            self._rounds()
            if number % 25 == 0:
                figures.peak = max(figures.peak, int(self.info()['used_memory']))
        figures.server = self.info()
        for actor in self.actors:
            while actor.held:
                actor.release()
        for number in range(SESSIONS):
            self.actors[number % len(self.actors)].visit_last('app:session:%d' % number)
        self._rounds()
        self._empty_queues()
        return figures

    def _empty_queues(self):
        names = ['busy:%d' % i for i in range(BUSY)] + ['later:%d' % i for i in range(IDLE)]
        for name in names:
            while True:
                elements = self.actors[0].client.do('LPOP', 'app:queue:' + name, 500)
                if not elements:
                    break
                for element in elements:
                    self.popped(element)
        self.figures.strange = len(self.gone)

    def close(self):
        for actor in self.actors:
            actor.client.close()
