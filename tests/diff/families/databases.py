# SPDX-License-Identifier: BSD-3-Clause
"""Databases: SELECT, MOVE, COPY between them, SWAPDB, FLUSHDB and FLUSHALL."""

from families.keys import FILL
from family import Family

GRAMMARS = FILL + [
    (4, 'SELECT <db>'), (2, 'MOVE <key> <db>'), (2, 'COPY <key> <key> {DB <db>|REPLACE}'),
    (2, 'SWAPDB <db> <db>'), 'DBSIZE', 'KEYS *', (0.4, 'FLUSHDB [SYNC|ASYNC]'),
    (0.15, 'FLUSHALL [SYNC|ASYNC|NOW]'), 'EXPIRE <key> <sec>', 'PTTL <key>', 'GET <key>',
    'RANDOMKEY', 'INFO keyspace',
]

FAMILIES = [Family('databases', 'any', GRAMMARS)]
