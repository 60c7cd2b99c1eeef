# SPDX-License-Identifier: BSD-3-Clause
"""Hashes, as far as the 7.0 commands go.  Lifetimes of fields are in newer.py."""

from family import Family

GRAMMARS = [
    (5, 'HSET <key> <field> <val> (<field> <val>)*'), 'HMSET <key> <field> <val> (<field> <val>)*',
    'HSETNX <key> <field> <val>', 'HGET <key> <field>', 'HMGET <key> <field>+',
    'HGETALL <key>', 'HKEYS <key>', 'HVALS <key>', 'HLEN <key>', 'HEXISTS <key> <field>',
    'HSTRLEN <key> <field>', (2, 'HDEL <key> <field>+'),
    'HINCRBY <key> <field> <int>', 'HINCRBYFLOAT <key> <field> <float>',
    'HRANDFIELD <key>', 'HRANDFIELD <key> <count> [WITHVALUES]',
]

FAMILIES = [Family('hashes', 'hash', GRAMMARS)]
