# SPDX-License-Identifier: BSD-3-Clause
"""Sets."""

from family import Family

GRAMMARS = [
    (4, 'SADD <key> <member>+'), (3, 'SADD <key> <intmember>+'),
    (2, 'SREM <key> <member>+'), 'SREM <key> <intmember>+',
    'SCARD <key>', 'SISMEMBER <key> <member>', 'SMISMEMBER <key> <member>+', 'SMEMBERS <key>',
    'SMOVE <key> <key> <member>', 'SRANDMEMBER <key> [<count>]', 'SPOP <key> [<count>]',
    '(SINTER|SUNION|SDIFF) <key>+', '(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) <key> <key>+',
    'SINTERCARD <nkeys> [LIMIT <count>]',
]

FAMILIES = [Family('sets', 'set', GRAMMARS)]
