# SPDX-License-Identifier: BSD-3-Clause
"""Bitmaps and bit fields, as their users rely on them."""

import pytest
import redis

from conftest import until


def test_daily_visitors(db):
    """A bit for each user and day: visitors of a day, of all days, of any day."""
    for day, users in enumerate(((1, 5, 900), (5, 900, 70000), (5,))):
        for user in users:
            assert db.setbit('day:%d' % day, user, 1) == 0
    assert db.setbit('day:0', 5, 1) == 1
    assert [db.bitcount('day:%d' % day) for day in range(3)] == [3, 3, 1]
    assert db.bitop('AND', 'every', 'day:0', 'day:1', 'day:2') == 70000 // 8 + 1
    assert (db.bitcount('every'), db.bitpos('every', 1)) == (1, 5)
    db.bitop('OR', 'any', 'day:0', 'day:1', 'day:2')
    assert [db.getbit('any', user) for user in (1, 5, 6, 900, 70000, 70001)] == [1, 1, 0, 1, 1, 0]
    db.bitop('XOR', 'odd', 'day:0', 'day:1')
    assert db.bitcount('odd') == 2
    assert db.bitop('NOT', 'none', 'missing') == 0 and not db.exists('none')


def test_ranges(connect):
    db = connect(decode_responses=False)
    db.flushall()
    db.set('k', b'\xff\xf0\x00')
    assert db.bitcount('k', 1, 1) == 4
    assert db.bitcount('k', 5, 12, 'BIT') == 7
    assert db.bitcount('k', -8, -1, 'BIT') == 0
    assert db.bitpos('k', 0) == 12
    assert db.bitpos('k', 0, 0, 0) == -1
    assert db.bitpos('k', 1, 13, -1, 'BIT') == -1
    db.set('ones', b'\xff\xff\xff')
    assert db.bitpos('ones', 0) == 24  # zeros go on behind the end
    assert db.bitpos('ones', 0, 0, -1) == -1
    assert db.bitpos('missing', 0) == 0 and db.bitpos('missing', 1) == -1


def test_large_strings_agree_with_python(connect):
    """Sizes around the steps of the wide loops."""
    db = connect(decode_responses=False)
    db.flushall()
    for size in (2, 31, 32, 33, 511, 512, 513, 4095, 4097, 100003):
        a, b, c = (bytes((i * k + i // 7) % 256 for i in range(size - k % 2)) for k in (3, 5, 11))
        db.mset({'a': a, 'b': b, 'c': c})
        size = max(len(a), len(b), len(c))
        wide = [int.from_bytes(x.ljust(size, b'\0'), 'big') for x in (a, b, c)]
        assert db.bitcount('a') == bin(wide[0]).count('1')
        for name, result in (('AND', wide[0] & wide[1] & wide[2]), ('OR', wide[0] | wide[1] | wide[2]),
                             ('XOR', wide[0] ^ wide[1] ^ wide[2])):
            assert db.bitop(name, 'd', 'a', 'b', 'c') == size
            assert int.from_bytes(db.get('d'), 'big') == result, (name, size)


@pytest.mark.newer
def test_newer_operations(raw):
    client = raw()
    a, b, c = 0b11110000, 0b11001100, 0b10101010
    for name, value in (('a', a), ('b', b), ('c', c)):
        client.do('SET', name, bytes([value]))
    for name, result in (('DIFF', a & ~(b | c)), ('DIFF1', (b | c) & ~a), ('ANDOR', a & (b | c)),
                         ('ONE', (a ^ b ^ c) & ~(a & b & c))):
        assert client.do('BITOP', name, 'd', 'a', 'b', 'c') == 1
        assert client.do('GET', 'd') == bytes([result]), name
    assert client.call('BITOP', 'DIFF', 'd', 'a') == (
        '-', b'ERR BITOP DIFF must be called with at least two source keys.')


def test_result_replaces_a_source_and_its_lifetime(db):
    db.set('k', 'abc', ex=100)
    db.rpush('list', 'x')
    assert db.bitop('OR', 'k', 'k') == 3
    assert db.ttl('k') == -1 and db.get('k') == 'abc'
    assert db.bitop('NOT', 'list', 'missing') == 0 and not db.exists('list')
    db.rpush('list', 'x')
    with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
        db.bitop('AND', 'k', 'list')


def test_counters_in_a_field(db):
    """The example that BITFIELD's documentation is known for, and its three kinds of overflow."""
    counts = [db.bitfield('stats').incrby('u2', 100, 1).overflow('SAT').incrby('u2', 102, 1).execute()
              for _ in range(4)]
    assert counts == [[1, 1], [2, 2], [3, 3], [0, 3]]
    assert db.bitfield('stats').overflow('FAIL').incrby('u2', 102, 1).execute() == [None]
    assert db.bitfield('player').set('u32', '#1', 1000).get('u32', '#1').get('i5', 32).execute() == [0, 1000, 0]
    assert db.strlen('player') == 8
    assert db.execute_command('BITFIELD_RO', 'player', 'GET', 'u32', '#1') == [1000]
    with pytest.raises(redis.ResponseError, match='BITFIELD_RO only supports the GET'):
        db.execute_command('BITFIELD_RO', 'player', 'SET', 'u8', '0', '1')


def test_limits(db):
    assert db.setbit('huge', 2 ** 32 - 1, 1) == 0
    assert (db.strlen('huge'), db.bitcount('huge'), db.bitpos('huge', 1)) == (2 ** 29, 1, 2 ** 32 - 1)
    db.delete('huge')
    for offset in (2 ** 32, -1, 'x'):
        with pytest.raises(redis.ResponseError, match='bit offset is not an integer or out of range'):
            db.setbit('huge', offset, 1)
    with pytest.raises(redis.ResponseError, match='bit offset'):
        db.bitfield('huge').set('u8', '#%d' % (2 ** 62), 1).execute()


def test_only_changes_are_published(db, connect):
    db.config_set('notify-keyspace-events', 'KEA')
    listener = connect().pubsub()
    listener.psubscribe('__keyevent@0__:*')
    until(lambda: listener.get_message(), 'subscription')
    try:
        db.setbit('k', 7, 0)   # grows
        db.setbit('k', 7, 0)   # nothing
        db.setbit('k', 7, 1)
        db.bitfield('k').set('u8', 0, 1).execute()  # nothing
        db.bitfield('k').set('u8', 0, 2).execute()
        db.bitop('NOT', 'd', 'k')
        db.bitop('NOT', 'd', 'missing')
        db.set('end', '1')
        seen = []
        while 'end' not in seen[-1:]:
            message = until(lambda: listener.get_message(), 'event')
            seen += [message['channel'].split(':')[1], message['data']]
        events = list(zip(seen[::2], seen[1::2]))
        assert [e for e in events if e[0] != 'new'] == [
            ('setbit', 'k'), ('setbit', 'k'), ('setbit', 'k'), ('set', 'd'), ('del', 'd'), ('set', 'end')]
    finally:
        db.config_set('notify-keyspace-events', '')
        listener.close()
