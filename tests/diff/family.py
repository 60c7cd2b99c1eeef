# SPDX-License-Identifier: BSD-3-Clause
"""What a family of commands is: its grammars, and how sequences are made of them.

A sequence is a list of steps; a step is (connection number, [arguments]).  Steps whose first
argument starts with a tilde are instructions to the test itself:

    ~compare        compare the whole keyspaces
    ~sleep MS       let time pass (for what expires or times out)
    ~scan COMMAND.. run a SCAN-like command to the end of its iteration and compare what it found
    ~guard ...      check SCAN's guarantee while the table changes (see guard.py)
    ~carry FROM TO  dump a key on each server, and restore it on the other (see carry.py)
"""

from grammar import Atoms, Grammar, as_int, damage, keep_counted, tame

# Limits of the compact encodings, so that small alphabets cross them.
LIMITS = {
    'hash-max-listpack-entries': (128, 4, 0, 512),
    'hash-max-listpack-value': (64, 16, 4),
    'set-max-intset-entries': (512, 3, 0),
    'zset-max-listpack-entries': (128, 4, 0),
    'zset-max-listpack-value': (64, 16, 4),
    'hll-sparse-max-bytes': (3000, 0, 100, 500, 20000),
    'list-max-listpack-size': (-2, 3, 1, -1),
    'stream-node-max-entries': (100, 4, 1, 0),
}

PROBES = [
    Grammar('TYPE <key>'), Grammar('TTL <key>'), Grammar('EXISTS <key>'),
    Grammar('OBJECT ENCODING <key>', 2), Grammar('DEL <key>'), Grammar('PERSIST <key>', 0.3),
    Grammar('EXPIRE <key> <sec>', 0.5),
]


class Sequence:
    """Everything needed to run something again."""

    def __init__(self, steps, proto=2, config=None, mode='fast', name='', why='', needs=''):
        self.steps = steps
        self.proto = proto
        self.config = config or {}
        self.mode = mode
        self.name = name
        self.why = why
        self.needs = needs
        self.expected = {}

    def with_steps(self, steps):
        copy = Sequence(steps, self.proto, self.config, self.mode, self.name, self.why, self.needs)
        return copy


class Family:
    """since: the oracle that knows these commands: {'redis': '8.0', 'valkey': '9.0'}."""

    def __init__(self, name, kind, grammars, probes=PROBES, mode='fast', since=None, broken=0.06,
                 stray=0.06, connections=3, make=None,
                 config=None):
        self.name = name
        self.kind = kind
        self.grammars = [g if isinstance(g, Grammar) else
                         Grammar(g) if isinstance(g, str) else Grammar(g[1], g[0])
                         for g in grammars]
        self.probes = probes
        self.mode = mode
        self.since = since or {}
        self.broken = broken
        self.stray = stray
        self.connections = connections
        self.make = make
        self.config = config or {}
        self.grammar_weights = [g.weight for g in self.grammars]
        self.probe_weights = [g.weight for g in self.probes] if probes else []

    def command(self, rng, atoms):
        if self.probes and rng.random() < 0.12:
            grammar = rng.choices(self.probes, self.probe_weights)[0]
        else:
            grammar = rng.choices(self.grammars, self.grammar_weights)[0]
        args = grammar.draw(atoms)
        if rng.random() < self.broken:
            damage(rng, atoms, args)
        args = apart_in_time(rng, tame(args))
        return keep_counted(args)

    def sequence(self, rng, length):
        config = dict(self.config)
        if rng.random() < 0.6:
            for name, choices in LIMITS.items():
                if rng.random() < 0.5 and name not in config:
                    config[name] = str(rng.choice(choices))
        proto = rng.choice((2, 3))
        atoms = Atoms(rng, self.kind, self.stray)
        if self.make:
            steps = self.make(self, rng, atoms, length)
        else:
            steps = self._steps(rng, atoms, length)
        steps.append((0, [b'~compare']))
        return Sequence(steps, proto, config, self.mode, self.name)

    def _steps(self, rng, atoms, length):
        steps = []
        while len(steps) < length:
            conn = rng.randrange(self.connections)
            for _ in range(rng.choice((1, 3, 10, 40))):
                steps.append((conn, self.command(rng, atoms)))
            chance = rng.random()
            if chance < 0.1:
                steps.append((0, [b'~compare']))
            elif chance < 0.13:
                steps += expire_now(conn, rng, atoms)
        return steps


def apart_in_time(rng, args):
    """GT and LT compare two moments: relative ones must not be equal but for the milliseconds."""
    factor = {b'EXPIRE': 1, b'HEXPIRE': 1, b'PEXPIRE': 1000, b'HPEXPIRE': 1000}.get(args[0].upper())
    if factor and len(args) > 3 and any(arg.upper() in (b'GT', b'LT') for arg in args):
        value = as_int(args[2])
        if value is not None and 0 < value < 10 ** 9 * factor:
            args[2] = b'%d' % (rng.randrange(2000, 90000) * factor)
    return args


def expire_now(conn, rng, atoms):
    """A key that is gone after the pause, whichever way the server goes about it."""
    key = atoms.atom_key()
    steps = [(conn, [b'PEXPIRE', key, b'1'])]
    if rng.random() < 0.3:
        steps = [(conn, [b'SET', key, atoms.atom_val(), b'PX', b'1'])]
    # Looking at it makes sure that it no longer counts as a key anywhere.
    return steps + [(conn, [b'~sleep', b'4']), (conn, [b'EXISTS', key])]
