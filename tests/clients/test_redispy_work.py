# SPDX-License-Identifier: BSD-3-Clause
"""redis-py as the platform uses it: queue, task hashes, urgency, sessions, counters, cache."""

import json
import threading

import pytest
import redis

from conftest import blocked, until

QUEUE = 'ocr:task:queue'


def test_queue_is_first_in_first_out(db):
    assert db.lpush(QUEUE, 'a', 'b', 'c') == 3
    assert db.llen(QUEUE) == 3
    assert db.lrange(QUEUE, 0, -1) == ['c', 'b', 'a']
    assert [db.rpop(QUEUE) for _ in range(4)] == ['a', 'b', 'c', None]
    assert db.exists(QUEUE) == 0


def test_blocking_take_waits_for_work(db, connect):
    taken = []
    worker = threading.Thread(target=lambda: taken.append(connect().brpop([QUEUE, 'retry'], 10)))
    worker.start()
    blocked(db)
    db.lpush('retry', 'job')
    worker.join()
    assert taken == [('retry', 'job')]


def test_blocking_take_gives_up(db):
    assert db.brpop(QUEUE, timeout=0.05) is None
    assert db.blmove(QUEUE, 'busy', 0.05) is None
    assert db.bzpopmax('z', timeout=0.05) is None
    assert db.blmpop(0.05, 2, 'a', 'b', direction='LEFT') is None


def test_workers_are_served_in_the_order_they_came(db, connect):
    order = []
    threads = []
    for name in range(5):
        client = connect()
        threads.append(threading.Thread(
            target=lambda c=client, n=name: order.append((c.blpop(QUEUE, 10)[1], n))))
        threads[-1].start()
        blocked(db, name + 1)
    for job in range(5):
        db.rpush(QUEUE, job)
    for thread in threads:
        thread.join()
    assert sorted(order) == [(str(n), n) for n in range(5)]


def test_job_moves_to_the_working_list(db):
    db.rpush(QUEUE, 1, 2)
    assert db.lmove(QUEUE, 'busy', 'LEFT', 'RIGHT') == '1'
    assert db.rpoplpush(QUEUE, 'busy') == '2'
    assert db.lmpop(2, 'none', 'busy', direction='RIGHT', count=5) == ['busy', ['1', '2']]


def test_task_hash(db):
    task = 'ocr:task:data:1'
    assert db.hset(task, mapping={'status': 'pending', 'priority': 5, 'user_id': 'u'}) == 3
    assert db.hset(task, 'status', 'processing') == 0
    assert db.hincrby(task, 'attempts') == 1
    assert db.hgetall(task) == {'status': 'processing', 'priority': '5', 'user_id': 'u',
                                'attempts': '1'}
    assert db.hmget(task, 'status', 'none') == ['processing', None]
    assert db.expire(task, 86400) is True
    assert 86390 < db.ttl(task) <= 86400
    assert db.delete(task) == 1


def test_urgency(db):
    key = 'ocr:task:priority'
    assert db.zadd(key, {'low': 3, 'mid': 5, 'high': 8, 'top': 10}) == 4
    assert db.zpopmax(key) == [('top', 10.0)]
    assert db.zpopmin(key) == [('low', 3.0)]
    assert db.zadd(key, {'mid': 9}) == 0
    assert db.zrange(key, 0, -1, withscores=True) == [('high', 8.0), ('mid', 9.0)]
    assert db.zrevrange(key, 0, -1) == ['mid', 'high']
    assert db.zrangebyscore(key, 8.5, '+inf') == ['mid']
    assert db.zcard(key) == 2
    assert db.zadd(key, {'mid': 1.5}, incr=True) == 10.5
    assert db.zmpop(1, [key], max=True) == [key, [['mid', '10.5']]]
    assert db.zrandmember(key) == 'high'


def test_session(db):
    key = 'ocr:session:abc'
    assert db.setex(key, 604800, json.dumps({'user_id': 'u'})) is True
    assert json.loads(db.get(key)) == {'user_id': 'u'}
    assert 604790 < db.ttl(key) <= 604800
    assert db.set(key, 'later', ex=100) is True
    assert db.ttl(key) <= 100
    assert db.set(key, 'no', nx=True) is None
    assert db.set(key, 'yes', xx=True, keepttl=True, get=True) == 'later'
    assert db.pexpire(key, 20) is True
    until(lambda: db.get(key) is None, 'the session to end')
    assert db.ttl(key) == -2


def test_sessions_of_a_user_end_together(db):
    for i in range(500):
        db.setex('ocr:session:%d' % i, 60, json.dumps({'user_id': i % 5}))
    mine = [key for key in db.scan_iter('ocr:session:*', count=100)
            if json.loads(db.get(key))['user_id'] == 3]
    assert db.delete(*mine) == 100
    assert db.dbsize() == 400


def test_counters_and_daily_figures(db):
    assert db.incr('ocr:stats:tasks:total') == 1
    assert db.incrby('ocr:stats:tasks:completed', 5) == 5
    assert db.decr('ocr:stats:tasks:pending') == -1
    assert db.incrbyfloat('ocr:stats:load', 0.5) == 0.5
    with pytest.raises(redis.ResponseError, match='value is not an integer or out of range'):
        db.incr('ocr:stats:load')
    day = 'ocr:stats:daily:2024-10-14'
    db.hset(day, mapping={'tasks_completed': 45, 'tasks_failed': 2})
    assert db.hincrbyfloat(day, 'tasks_failed', 0.25) == 2.25
    assert db.expire(day, 2592000) is True


def test_cache_reads_through_and_is_invalidated(db):
    asked = []

    def user(user_id):
        hit = db.get('ocr:cache:user:' + user_id)
        if hit is not None:
            return json.loads(hit)
        asked.append(user_id)
        value = {'name': user_id.upper(), 'version': len(asked)}
        db.setex('ocr:cache:user:' + user_id, 300, json.dumps(value))
        return value

    assert user('ann') == user('ann') == {'name': 'ANN', 'version': 1}
    db.delete('ocr:cache:user:ann')
    assert user('ann')['version'] == 2
    user('bob')
    assert db.unlink(*db.keys('ocr:cache:user:*')) == 2
    assert user('bob')['version'] == 4


def test_memory_figures(db):
    memory = db.info('memory')
    assert memory['used_memory'] > 0
    assert memory['maxmemory_policy'] == 'noeviction'
    db.hset('ocr:task:data:1', 'text', 'x' * 5000)
    assert db.memory_usage('ocr:task:data:1') > 5000
    assert db.memory_usage('none') is None
