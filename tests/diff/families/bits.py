# SPDX-License-Identifier: BSD-3-Clause
"""Bitmaps and bit fields."""

from family import Family

FIELD = ('(GET <ftype> <foff>|SET <ftype> <foff> <fval>|INCRBY <ftype> <foff> <fval>|'
         'OVERFLOW (WRAP|SAT|FAIL) INCRBY <ftype> <foff> <fval>|OVERFLOW (WRAP|SAT|FAIL)|'
         'OVERFLOW (WRAP|SAT|FAIL) SET <ftype> <foff> <fval>)')

GRAMMARS = [
    (4, 'SETBIT <key> <bit> (0|1|1)'), (0.2, 'SETBIT <key> <bit> <int>'),
    (2, 'GETBIT <key> <bit>'),
    (1.5, 'BITCOUNT <key> <idx> <idx> [BYTE|BIT]'), 'BITCOUNT <key>',
    (1.5, 'BITCOUNT <key> <bitidx> <bitidx> BIT'), (0.1, 'BITCOUNT <key> <idx>'),
    (1.5, 'BITPOS <key> (0|1) [<idx>]'), 'BITPOS <key> (0|1) <idx> <idx> [BYTE|BIT]',
    (1.5, 'BITPOS <key> (0|1) <bitidx> <bitidx> BIT'), (0.2, 'BITPOS <key> <int> <idx>'),
    (2, 'BITOP (AND|OR|XOR) <key> <key>+'), 'BITOP NOT <key> <key>',
    (3, 'BITFIELD <key> ' + FIELD + '+'), (0.2, 'BITFIELD <key>'),
    'BITFIELD_RO <key> (GET <ftype> <foff>)+', (0.2, 'BITFIELD_RO <key> ' + FIELD + '+'),
    (1.5, 'SET <key> <bitval>'), (0.3, 'SET <key> <val>'), (0.3, 'SET <key> <int>'),
    (0.5, 'SETRANGE <key> <offset> <bitval>'), (0.5, 'APPEND <key> <bitval>'),
    (2, 'GET <key>'), (0.3, 'INCR <key>'), 'STRLEN <key>',
]

# What Redis 8.2 brought to BITOP; the oracles that are at hand may not have it.
NEWER = GRAMMARS + [(3, 'BITOP (DIFF|DIFF1|ANDOR) <key> <key> <key>+'), (1, 'BITOP ONE <key> <key>+')]

FAMILIES = [Family('bits', 'string', GRAMMARS),
            Family('bits-newer', 'string', NEWER, since={'redis': '8.2', 'valkey': '99'})]
