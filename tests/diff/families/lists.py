# SPDX-License-Identifier: BSD-3-Clause
"""Lists, without waiting."""

from family import Family

GRAMMARS = [
    (3, 'RPUSH <key> <val>+'), (3, 'LPUSH <key> <val>+'), (2, 'RPUSH <key> <member>+'),
    'LPUSHX <key> <val>+', 'RPUSHX <key> <val>+',
    'LPOP <key> [<count>]', 'RPOP <key> [<count>]',
    'LLEN <key>', (2, 'LRANGE <key> <idx> <idx>'), 'LINDEX <key> <idx>',
    'LSET <key> <idx> <val>', (2, 'LINSERT <key> (BEFORE|AFTER) <member> <val>'),
    (2, 'LREM <key> <idx> <member>'), (0.5, 'LTRIM <key> <idx> <idx>'),
    (2, 'LPOS <key> <member> {RANK <idx>|COUNT <count>|MAXLEN <count>}'),
    'RPOPLPUSH <key> <key>', (2, 'LMOVE <key> <key> (LEFT|RIGHT) (LEFT|RIGHT)'),
    (2, 'LMPOP <nkeys> (LEFT|RIGHT) [COUNT <count>]'),
    (0.03, 'BLMPOP 0.001 <nkeys> (LEFT|RIGHT) [COUNT <count>]'),
    (0.03, '(BLPOP|BRPOP) <key>+ 0.001'), (0.03, 'BRPOPLPUSH <key> <key> 0.001'),
    (0.03, 'BLMOVE <key> <key> (LEFT|RIGHT) (LEFT|RIGHT) 0.001'),
]

FAMILIES = [Family('lists', 'list', GRAMMARS)]
