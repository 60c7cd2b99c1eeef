# SPDX-License-Identifier: BSD-3-Clause
"""Keyspace notifications: the events of each command are those of Debian's redis-server."""

import pytest

SCRIPTS = {
    'strings': ['SET s 1', 'INCR s', 'APPEND s x', 'SETRANGE s 0 y', 'GETSET s z', 'GETDEL s', 'SET s 1 EX 100',
                'GETEX s PERSIST', 'GETEX s EX 50', 'MSET a 1 b 2', 'SETNX a 9', 'SETNX c 1', 'INCRBYFLOAT c 1.5'],
    'keys': ['SET k 1', 'EXPIRE k 100', 'PERSIST k', 'RENAME k l', 'COPY l m', 'MOVE m 3', 'EXPIRE l -1',
             'SET k 1', 'UNLINK k', 'DEL none', 'SET k 1 PX 1', 'RESTORE-NONE x'],
    'lists': ['RPUSH l a b c', 'LPUSH l z', 'LPOP l', 'RPOP l 2', 'LINSERT l BEFORE a x', 'LSET l 0 y',
              'LTRIM l 1 -1', 'RPUSH l q q', 'LREM l 0 q', 'LMOVE l m LEFT RIGHT', 'RPUSH l 1', 'LMPOP 1 l LEFT',
              'RPOPLPUSH m m', 'LPUSHX none 1', 'RPUSH src 3 1 2', 'SORT src STORE dst', 'SORT none STORE dst'],
    'hashes': ['HSET h a 1 b 2', 'HINCRBY h a 5', 'HINCRBYFLOAT h b 1.5', 'HSETNX h c 1', 'HSETNX h c 2', 'HDEL h a',
               'HDEL h b c', 'HDEL none x'],
    'sets': ['SADD s a b c', 'SADD s a', 'SREM s a', 'SMOVE s t b', 'SPOP s', 'SADD x 1 2', 'SADD y 2 3',
             'SINTERSTORE z x y', 'SUNIONSTORE z x y', 'SDIFFSTORE z x x', 'SPOP x 5'],
    'sorted sets': ['ZADD z 1 a 2 b 3 c', 'ZADD z 1 a', 'ZADD z INCR 1 a', 'ZINCRBY z 1 b', 'ZREM z a', 'ZPOPMIN z',
                    'ZADD z 5 e 6 f', 'ZRANGESTORE y z 0 0', 'ZUNIONSTORE u 1 z', 'ZREMRANGEBYRANK z 0 0',
                    'ZREMRANGEBYSCORE z -inf +inf', 'ZINTERSTORE u 1 none', 'ZADD z 1 a', 'ZMPOP 1 z MIN'],
}
LAST = 'SET the-last 1'


def events(server, script):
    """What a listener hears while the script runs, as (channel, event or key)."""
    with server.client() as client, server.client() as listener:
        client.do('FLUSHALL')
        client.do('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
        listener.do('PSUBSCRIBE', '__key*')
        for line in [*script, LAST]:
            client.call(*line.split())
        heard = []
        while not heard or heard[-1] != (b'__keyevent@0__:set', b'the-last'):
            heard.append(tuple(part[1] for part in listener.read()[1][2:]))
        client.do('CONFIG', 'SET', 'notify-keyspace-events', '')
        return heard


@pytest.mark.parametrize('name', SCRIPTS)
def test_same_events_as_redis(server, reference, name):
    ours, theirs = events(server, SCRIPTS[name]), events(reference, SCRIPTS[name])
    assert without_expiry(ours) == without_expiry(theirs)


def without_expiry(heard):
    """When an expired key is found out is each server's own business."""
    return [event for event in heard if b'expired' not in event[0] + event[1]]


def test_expiry_is_told(server, connect):
    client = connect()
    client.flushall()
    client.config_set('notify-keyspace-events', 'Ex')
    listener = client.pubsub()
    listener.psubscribe('__keyevent@*__:expired')
    assert listener.get_message(timeout=5)['type'] == 'psubscribe'
    for number in range(50):
        client.set('session:%d' % number, 'x', px=1 + number)
    ended = set()
    while len(ended) < 50:
        message = listener.get_message(timeout=10)
        assert message is not None, ended
        ended.add(message['data'])
    assert ended == {'session:%d' % number for number in range(50)}
    client.config_set('notify-keyspace-events', '')
    listener.close()
