# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of command on the same few keys: mostly the wrong type."""

from families import databases, hashes, keys, lists, sets, strings, zsets
from family import Family

PARTS = [module.FAMILIES[0] for module in (keys, strings, lists, hashes, sets, zsets, databases)]


def make(family, rng, atoms, length):
    steps = []
    # All kinds share one small set of keys.
    shared = atoms.atom_key
    for name in ('atom_skey', 'atom_lkey', 'atom_hkey', 'atom_tkey', 'atom_zkey'):
        setattr(atoms, name, shared)
    while len(steps) < length:
        conn = rng.randrange(family.connections)
        for _ in range(rng.choice((1, 5, 20))):
            steps.append((conn, rng.choice(PARTS).command(rng, atoms)))
        if rng.random() < 0.1:
            steps.append((0, [b'~compare']))
    return steps


FAMILIES = [Family('mixed', 'any', ['PING'], make=make)]
