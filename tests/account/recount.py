# SPDX-License-Identifier: BSD-3-Clause
"""What a server has counted for each pattern, and what a walk over all its keys finds."""

import time

from resp import plain

COUNT = {b'list': b'LLEN', b'set': b'SCARD', b'hash': b'HLEN', b'zset': b'ZCARD', b'stream': b'XLEN', b'string': None}
OPERATIONS = ('hits', 'misses', 'writes', 'expired', 'evicted', 'purged', 'violations')
DBS = 16
PATIENCE_S = 90
SOON_MS = 5000


def pairs(reply):
    if isinstance(reply, dict):
        return {key.decode(): value for key, value in reply.items()}
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


def info(client, section):
    text = client.do('INFO', section).decode()
    return dict(line.split(':', 1) for line in text.splitlines() if ':' in line)


def statistics(client):
    """{pattern: what CATALOG STATS says}."""
    return {each['pattern'].decode(): each for each in map(pairs, client.do('CATALOG', 'STATS'))}


def class_of(elements):
    """The upper bound of the class that CATALOG STATS puts such a key in."""
    return str((1 << int(elements).bit_length()) - 1) if elements else '0'


class Sum:
    def __init__(self):
        self.keys = self.bytes = self.expiring = 0
        self.elements = {}

    def line(self):
        return (self.keys, self.bytes, self.expiring, dict(sorted(self.elements.items())))


def walk(client, matcher):
    """({pattern: Sum}, {db: (keys, with lifetimes)}, [keys whose lifetime ends soon])."""
    sums = {name: Sum() for name in matcher.names()}
    databases, ending = {}, []
    for db in range(DBS):
        client.do('SELECT', db)
        keys, cursor = set(), b'0'
        while True:
            cursor, found = client.do('SCAN', cursor, 'COUNT', 1000)
            keys.update(found)
            if cursor == b'0':
                break
        keys = sorted(keys)
        types = [plain(reply) for reply in client.pipeline([[b'TYPE', key] for key in keys])]
        asked = []
        for key, kind in zip(keys, types):
            asked += [[b'MEMORY', b'USAGE', key], [b'PTTL', key], [b'CATALOG', b'MATCH', key, b'DB', b'%d' % db],
                      [COUNT.get(kind) or b'TYPE', key]]
        replies = [plain(reply) for reply in client.pipeline(asked)]
        expiring = gone = 0
        for i, (key, kind) in enumerate(zip(keys, types)):
            used, lifetime, match, elements = replies[4 * i:4 * i + 4]
            if used is None:
                gone += 1
                continue
            name = matcher.find(db, key)
            told = pairs(match)['pattern'].decode() if match else '(unmatched)'
            if told != name:
                raise AssertionError('%r of database %d matches %s, and should %s' % (key, db, told, name))
            sums[name].keys += 1
            sums[name].bytes += used
            sums[name].expiring += lifetime >= 0
            expiring += lifetime >= 0
            if 0 <= lifetime < SOON_MS:
                ending.append((db, key))
            where = class_of(1 if kind == b'string' else elements)
            sums[name].elements[where] = sums[name].elements.get(where, 0) + 1
        if keys:
            databases[db] = (len(keys) - gone, expiring)
    client.do('SELECT', 0)
    return sums, databases, ending


def counted(client, names):
    """The same as the server says it."""
    lines = {}
    for name in names:
        stats = pairs(client.do('CATALOG', 'STATS', name))
        elements = pairs(stats.get('elements') or [])
        lines[name] = (stats['keys'], stats['bytes'], stats.get('keys-with-lifetime'),
                       dict(sorted(elements.items())))
    databases = {}
    for name, text in info(client, 'keyspace').items():
        fields = dict(field.split('=') for field in text.split(','))
        databases[int(name[2:])] = (int(fields['keys']), int(fields['expires']))
    return lines, databases


def compare(client, matcher):
    """Waits until nothing goes on in the background any more, and what was counted is what is there.

    Returns the number of keys. A difference that stays is an AssertionError: nothing else but the background changes
    anything here, so what is off once it has come to rest is off for good.
    """
    names = matcher.names()
    end = time.monotonic() + PATIENCE_S
    pause_s = 0.02
    while True:
        sums, databases, ending = walk(client, matcher)
        lines, told = counted(client, names)
        lines = {name: line for name, line in lines.items() if line[0] or line[1] or sums[name].keys}
        expected = {name: sums[name].line() for name in names if sums[name].keys}
        if not ending and lines == expected and databases == told:
            return sum(sums[name].keys for name in names)
        if time.monotonic() > end:
            raise AssertionError(difference(expected, lines, databases, told, ending))
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 1)


def difference(expected, lines, databases, told, ending):
    out = ['what was counted is not what is there: (keys, bytes, with a lifetime, {elements: keys})']
    for name in sorted(set(expected) | set(lines)):
        if expected.get(name) != lines.get(name):
            out += ['  %s' % name, '    there    %s' % (expected.get(name),), '    counted  %s' % (lines.get(name),)]
    for db in sorted(set(databases) | set(told)):
        if databases.get(db) != told.get(db):
            out.append('  database %d: there %s, counted %s (keys, with a lifetime)' % (db, databases.get(db), told.get(db)))
    if ending:
        out.append('  and keys that expire: %r' % ending[:5])
    return '\n'.join(out)


def migrated(client):
    """All keys are under their canonical names."""
    end = time.monotonic() + PATIENCE_S
    client.do('CATALOG', 'MIGRATE')
    while True:
        states = [pairs(each)['state'] for each in client.do('CATALOG', 'MIGRATE', 'STATUS')]
        if all(state == b'done' for state in states):
            return
        if time.monotonic() > end:
            raise AssertionError('still migrating: %r' % states)
        time.sleep(0.01)


def operations(client):
    """Operations of all patterns together, and what INFO says of them, both at one moment."""
    while True:
        before = info(client, 'stats')
        stats = statistics(client)
        after = info(client, 'stats')
        sums = {name: sum(each[name] for each in stats.values()) for name in OPERATIONS}
        told = {'hits': int(after['keyspace_hits']), 'misses': int(after['keyspace_misses']),
                'expired': int(after['expired_keys']), 'evicted': int(after['evicted_keys'])}
        if all(before[name] == after[name] for name in ('expired_keys', 'evicted_keys', 'keyspace_hits', 'keyspace_misses')):
            return sums, told, stats
