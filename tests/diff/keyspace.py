# SPDX-License-Identifier: BSD-3-Clause
"""Compares everything that two servers hold: keys of each database, types, values, lifetimes."""

import compare

READ = {
    b'string': [b'GET'], b'list': [b'LRANGE', b'0', b'-1'], b'set': [b'SMEMBERS'],
    b'hash': [b'HGETALL'], b'zset': [b'ZRANGE', b'0', b'-1', b'WITHSCORES'],
    b'stream': [b'XRANGE', b'-', b'+'],
}


def differ(oracle, subject, accept):
    """None, or (expected, actual, note) of the first difference."""
    a, b = oracle.control, subject.control
    try:
        return _differ(a, b, accept)
    finally:
        a.call('SELECT', '0')
        b.call('SELECT', '0')


def _databases(client):
    """The databases that hold keys."""
    text = client.call('INFO', 'keyspace')[1]
    return sorted(int(line.split(b':')[0][2:]) for line in text.split(b'\r\n')
                  if line.startswith(b'db'))


def _differ(a, b, accept):
    databases = _databases(a)
    ours = _databases(b)
    # Keys that have expired but were not yet removed may still count for one side.
    for db in sorted(set(databases) | set(ours)):
        a.call('SELECT', str(db))
        b.call('SELECT', str(db))
        keys_a, keys_b = (client.call('KEYS', '*') for client in (a, b))
        keys_a, keys_b = compare.unordered(None, keys_a), compare.unordered(None, keys_b)
        if keys_a != keys_b:
            return keys_a, keys_b, 'keys of database %d' % db
        keys = [key for _, key in keys_a[1]]
        found = _values(a, b, keys, db, accept)
        if found:
            return found
    return None


def _values(a, b, keys, db, accept):
    # TYPE first, so that both replies stay in step whatever the value is.
    types = a.pipeline([[b'TYPE', key] for key in keys])
    commands = []
    for key, (_, type_name) in zip(keys, types):
        commands.append([b'TYPE', key])
        if type_name in READ:
            read = READ[type_name]
            commands.append([read[0], key] + read[1:])
        if type_name == b'stream':
            commands.append([b'XRANGE', key, b'-', b'+'])
            commands.append([b'XINFO', b'STREAM', key, b'FULL', b'COUNT', b'0'])
        commands.append([b'PTTL', key])
        commands.append([b'OBJECT', b'ENCODING', key])
    for args, x, y in zip(commands, a.pipeline(commands), b.pipeline(commands)):
        if x != y and not accept(args, x, y):
            return x, y, '%s: database %d, %s' % (
                args[0].decode().lower(), db, b' '.join(args).decode('latin-1'))
    return None
