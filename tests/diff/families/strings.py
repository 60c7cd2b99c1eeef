# SPDX-License-Identifier: BSD-3-Clause
"""Strings."""

from family import Family

GRAMMARS = [
    (4, 'SET <key> <val> {NX|XX|GET|KEEPTTL|EX <sec>|PX <ms>|EXAT <tsec>|PXAT <tms>}'),
    (2, 'SET <key> <int>'),
    (3, 'GET <key>'),
    'GETSET <key> <val>', 'SETNX <key> <val>', 'SETEX <key> <sec> <val>',
    'PSETEX <key> <ms> <val>', 'GETDEL <key>',
    'GETEX <key> {EX <sec>|PX <ms>|EXAT <tsec>|PXAT <tms>|PERSIST}',
    'MGET <key>+', 'MSET <key> <val> (<key> <val>)*', 'MSETNX <key> <val> (<key> <val>)*',
    'APPEND <key> <val>', 'STRLEN <key>', 'GETRANGE <key> <idx> <idx>',
    'SUBSTR <key> <idx> <idx>', 'SETRANGE <key> <off32> <val>',
    'INCR <key>', 'DECR <key>', 'INCRBY <key> <int>', 'DECRBY <key> <int>',
    (2, 'INCRBYFLOAT <key> <float>'),
    (0.7, 'LCS <key> <key> {LEN|IDX|MINMATCHLEN <count>|WITHMATCHLEN}'),
]

FAMILIES = [Family('strings', 'string', GRAMMARS)]
