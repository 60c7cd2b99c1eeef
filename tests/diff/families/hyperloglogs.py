# SPDX-License-Identifier: BSD-3-Clause
"""HyperLogLogs: the strings have to be the same, byte for byte.

Damaged ones are not among them: the oracle has changed such a string in part by the time it refuses it.
"""

from family import Family

GRAMMARS = [
    (4, 'PFADD <key> <element>+'), (1.5, 'PFADD <key> <elements>'), (0.2, 'PFADD <key>'),
    (2, 'PFCOUNT <key>'), 'PFCOUNT <key>+', 'PFMERGE <key> <key>+', (0.2, 'PFMERGE <key>'),
    (3, 'GET <key>'), (0.5, 'PFDEBUG (ENCODING|DECODE) <key>'),
    (0.1, 'PFDEBUG (TODENSE|GETREG) <key>'), (0.1, 'PFDEBUG (encoding|simd|x) <key>'),
    (0.6, 'SET <key> <hll>'), (0.1, 'SET <key> <val>'),
    (0.3, 'DEL <key>'), (0.3, 'COPY <key> <key> [REPLACE]'),
    (0.2, 'STRLEN <key>'),
]

FAMILIES = [Family('hyperloglogs', 'string', GRAMMARS)]
