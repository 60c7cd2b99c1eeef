# SPDX-License-Identifier: BSD-3-Clause
"""The catalogs of this test, and which pattern a key belongs to, worked out once more in Python."""

import re

ALL_DBS = range(16)

# (name, template, what else the YAML says, databases or None), the more literal ones first.
STRINGS = ('strings', 'acc:s{n}:{i}', 'type: string', None)
STRING_ZERO = ('string-zero', 'acc:s0:{i}', 'type: string, lifetime: {default: 1h}', None)
LISTS = ('lists', 'acc:l{n}:{i}', 'type: list, eviction: never', None)
HASHES = ('hashes', 'acc:h{n}:{i}', 'type: hash, limits: {elements: 8}', None)
SETS = ('sets', 'acc:t{n}:{i}', 'type: set, eviction: cache', None)
ZSETS = ('zsets', 'acc:z{n}:{i}', 'type: zset, lifetime: {maximum: 2h}', None)
# One shape, told apart by the database: so SWAPDB gives keys another pattern.
FRONT = ('front', 'acc:k{n}:{i}', 'eviction: cache', (0, 1))
BACK = ('back', 'acc:k{n}:{i}', 'eviction: normal', tuple(range(2, 16)))
STREAMS = ('streams', 'acc:e{n}:{i}', 'type: stream', None)
MOVED = ('streams', 'acc:e{n}:{i}', 'type: stream, aliases: ["old:e{n}:{i}"]', None)
SEVENTH = ('seventh', 'acc:{name}:7', '', None)
REST = ('rest', 'acc:{rest}', '', None)
OTHERS = ('others', 'old:{rest}', 'eviction: cache', None)

VARIANTS = {
    'whole': [STRINGS, LISTS, HASHES, SETS, ZSETS, FRONT, BACK, MOVED, REST],
    'split': [STRING_ZERO, STRINGS, LISTS, HASHES, ZSETS, FRONT, BACK, STREAMS, REST],
    'coarse': [SEVENTH, REST, OTHERS],
    # Enforced, so that commands are refused and lifetimes given.
    'strict': [STRING_ZERO, STRINGS, LISTS, HASHES, SETS, ZSETS, FRONT, BACK, MOVED],
}
# What known.py sends: INCR of what APPEND made would fail, so those are keys of their own.
KNOWN = [
    ('strings', 'known:s:{rest}', 'type: string, eviction: cache', None),
    ('lists', 'known:l:{i}', 'type: list, eviction: never, mode: enforce', None),
    ('hashes', 'known:h:{i}', 'type: hash', None),
    ('sets', 'known:t:{i}', 'type: set', None),
    ('zsets', 'known:z:{i}', 'type: zset', None),
]
UNMATCHED = '(unmatched)'


def lines_of(variant):
    return KNOWN if variant == 'known' else VARIANTS[variant]


def yaml(variant):
    lines = ['keynome: 1', 'name: acc', 'mode: %s' % ('enforce' if variant == 'strict' else 'observe'), 'unmatched: ' + ('observe' if variant == 'known' else 'allow'),
             'patterns:']
    for name, template, more, databases in lines_of(variant):
        parts = ['name: ' + name, 'key: "%s"' % template]
        if more:
            parts.append(more)
        if databases:
            parts.append('database: [%s]' % ', '.join(map(str, databases)))
        lines.append('  - {%s}' % ', '.join(parts))
    return '\n'.join(lines) + '\n'


def _regex(template):
    """A variable is one segment, or a part of one; the last, where it stands alone, takes the rest."""
    whole = re.sub(r'\\\{(\w+)\\\}', lambda match: '[^:]+', re.escape(template.replace('{rest}', '<rest>')))
    return re.compile(whole.replace('<rest>', '.+').encode() + rb'\Z', re.DOTALL)


class Matcher:
    def __init__(self, variant):
        self.lines = []
        for name, template, _, databases in lines_of(variant):
            text = template
            if template.endswith(':{i}'):
                text = template[:-3] + '{rest}'
            self.lines.append((name, _regex(text), databases))

    def find(self, db, key):
        for name, regex, databases in self.lines:
            if regex.match(key) and (databases is None or db in databases):
                return name
        return UNMATCHED

    def names(self):
        return [line[0] for line in self.lines] + [UNMATCHED]
