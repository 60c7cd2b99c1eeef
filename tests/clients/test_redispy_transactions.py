# SPDX-License-Identifier: BSD-3-Clause
"""Transactions and optimistic locking through redis-py."""

import threading

import pytest
import redis


def test_transaction_answers_in_order(db):
    with db.pipeline(transaction=True) as pipe:
        pipe.set('a', 1).incr('a').lrange('none', 0, -1).hset('h', 'f', 'v')
        assert pipe.execute() == [True, 2, [], 1]


def test_failure_is_raised_or_returned(db):
    db.set('text', 'x')
    pipe = db.pipeline().set('before', 1).lpush('text', 1).set('after', 2)
    with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
        pipe.execute()
    replies = db.pipeline().lpush('text', 1).get('after').execute(raise_on_error=False)
    assert isinstance(replies[0], redis.ResponseError)
    assert replies[1] == '2'


def test_bad_command_aborts_everything(db):
    with pytest.raises(redis.ResponseError):
        db.pipeline().set('k', 1).execute_command('NOSUCH').execute()
    assert db.get('k') is None


def test_transaction_helper_retries(db, connect):
    rival = connect()
    db.set('n', 10)
    seen = []

    def add_one(pipe):
        value = int(pipe.get('n'))
        seen.append(value)
        if len(seen) < 3:
            rival.incrby('n', 100)
        pipe.multi()
        pipe.set('n', value + 1)

    assert db.transaction(add_one, 'n') == [True]
    assert seen == [10, 110, 210]
    assert db.get('n') == '211'


def test_watch_error(db, connect):
    with db.pipeline() as pipe:
        pipe.watch('k')
        connect().set('k', 1)
        pipe.multi()
        pipe.set('k', 2)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert db.get('k') == '1'


def test_no_update_is_lost(db, connect):
    def add_one(pipe):
        value = int(pipe.get('n') or 0)
        pipe.multi()
        pipe.set('n', value + 1)

    def add(client):
        for _ in range(25):
            client.transaction(add_one, 'n')

    threads = [threading.Thread(target=add, args=(connect(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.get('n') == '100'


def test_readers_never_see_half_a_transfer(db, connect):
    db.mset({'left': 500, 'right': 500})
    stop = threading.Event()

    def transfer(client, amount):
        while not stop.is_set():
            client.pipeline().incrby('left', amount).decrby('right', amount).execute()

    threads = [threading.Thread(target=transfer, args=(connect(), n)) for n in (1, -7, 13)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(500):
            left, right = db.mget('left', 'right')
            assert int(left) + int(right) == 1000
    finally:
        stop.set()
        for thread in threads:
            thread.join()
