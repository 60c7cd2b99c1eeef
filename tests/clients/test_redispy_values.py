# SPDX-License-Identifier: BSD-3-Clause
"""Bytes of every kind and number through redis-py: binary, large, many at once, numbers."""

import os

import pytest
import redis


def test_every_byte(db, connect):
    raw = connect(decode_responses=False)
    every = bytes(range(256))
    raw.hset(every, every, every)
    assert raw.hgetall(every) == {every: every}
    assert raw.keys() == [every]
    raw.set(b'', b'')
    assert raw.get(b'') == b''


def test_64_megabytes(db, connect):
    raw = connect(decode_responses=False)
    big = os.urandom(1 << 20) * 64
    assert raw.set('big', big) is True
    assert raw.get('big') == big
    assert raw.getrange('big', -3, -1) == big[-3:]
    assert raw.append('big', b'!') == len(big) + 1
    assert raw.unlink('big') == 1


def test_big_list_in_one_reply(db):
    db.rpush('l', *range(100000))
    assert db.lrange('l', 0, -1) == [str(i) for i in range(100000)]


@pytest.mark.parametrize('transaction', [False, True])
def test_ten_thousand_commands_at_once(db, transaction):
    with db.pipeline(transaction=transaction) as pipe:
        for i in range(5000):
            pipe.set('k%d' % i, i)
            pipe.get('k%d' % i)
        assert pipe.execute() == [x for i in range(5000) for x in (True, str(i))]


def test_numbers(db):
    db.set('n', 9223372036854775806)
    assert db.incr('n') == 9223372036854775807
    with pytest.raises(redis.ResponseError, match='increment or decrement would overflow'):
        db.incr('n')
    db.set('f', '3.0e3')
    assert db.incrbyfloat('f', 200) == 3200
    db.zadd('z', {'a': 0.1, 'b': float('inf'), 'c': -1e-300})
    assert db.zscore('z', 'a') == 0.1
    assert db.zscore('z', 'b') == float('inf')
    assert db.zscore('z', 'c') == -1e-300


def test_wrong_type_is_an_error(db):
    db.lpush('l', 1)
    for call in (db.get, db.hgetall, db.smembers, db.zcard, db.incr):
        with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
            call('l')
    assert db.set('l', 'now a string') is True
