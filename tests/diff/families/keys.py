# SPDX-License-Identifier: BSD-3-Clause
"""Commands on keys of any type."""

from family import Family

FILL = [
    'SET <key> <val>', 'SET <key> <int>', 'RPUSH <key> <member>+', 'HSET <key> <field> <val>',
    'SADD <key> <member>+', 'SADD <key> <intmember>+', 'ZADD <key> <score> <member>',
    'INCR <key>', 'APPEND <key> <val>',
]

GRAMMARS = FILL + [
    'DEL <key>+', 'UNLINK <key>+', 'EXISTS <key>+', 'TOUCH <key>+', 'TYPE <key>',
    (2, 'RENAME <key> <key>'), 'RENAMENX <key> <key>',
    (2, 'COPY <key> <key> {REPLACE|DB 0}'),
    (2, 'EXPIRE <key> <sec> {NX|XX|GT|LT}'), 'PEXPIRE <key> <ms> {NX|XX|GT|LT}',
    'EXPIREAT <key> <tsec> {NX|XX|GT|LT}', 'PEXPIREAT <key> <tms> {NX|XX|GT|LT}',
    'TTL <key>', 'PTTL <key>', 'EXPIRETIME <key>', 'PEXPIRETIME <key>', 'PERSIST <key>',
    'RANDOMKEY', 'KEYS <pattern>', 'DBSIZE',
    'OBJECT ENCODING <key>', 'OBJECT REFCOUNT <key>', 'OBJECT IDLETIME <key>',
    (0.3, 'OBJECT FREQ <key>'), (0.2, 'OBJECT <odd> <key>'), (0.05, 'OBJECT HELP'),
    (0.1, 'FLUSHDB'), (0.1, 'FLUSHALL'), (0.1, 'FLUSHDB (SYNC|ASYNC|abc)'),
]

FAMILIES = [Family('keys', 'any', GRAMMARS, broken=0.08)]
