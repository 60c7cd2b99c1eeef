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


def events(server, script, classes='KEA'):
    """What a listener hears while the script runs, as (channel, event or key)."""
    with server.client() as client, server.client() as listener:
        client.do('FLUSHALL')
        client.do('CONFIG', 'SET', 'notify-keyspace-events', classes)
        listener.do('PSUBSCRIBE', '__key*')
        for line in [*script, LAST]:
            client.call(*line.split())
        heard = []
        while not heard or heard[-1] != (b'__keyevent@0__:set', b'the-last'):
            heard.append(tuple(part[1] for part in listener.read()[1][2:]))
        client.do('CONFIG', 'SET', 'notify-keyspace-events', '')
        return heard


# Keys that appear, and that are looked for in vain: of every way to make a key, and of every way to look.
APPEARING = {
    'made': ['SET a 1', 'LPUSH l a b', 'SADD s a b', 'ZADD z 1 a', 'HSET h f v', 'XADD x 1-1 f v', 'HSETNX h2 f v',
             'HINCRBY h3 f 1', 'ZINCRBY z2 1 a', 'XGROUP CREATE x2 g 0 MKSTREAM', 'GEOADD g 1 1 a', 'PFADD p a',
             'SETBIT b 1 1', 'LPUSH l x', 'SADD s x', 'HSET h g w', 'APPEND ap x', 'INCR n', 'SETRANGE sr 1 x'],
    'moved': ['RPUSH l a b c', 'LMOVE l l2 LEFT RIGHT', 'RPOPLPUSH l l3', 'SADD s a b', 'SMOVE s s2 a', 'SET a 1',
              'SET b 2', 'RENAME a c', 'RENAME b c', 'COPY c d', 'COPY c d REPLACE', 'MOVE c 3', 'RENAMENX d e'],
    'stored': ['SADD s 1 2', 'ZADD z 1 a', 'SINTERSTORE d1 s s', 'SUNIONSTORE d2 s none', 'SDIFFSTORE d3 s none',
               'ZUNIONSTORE d4 2 z none', 'ZRANGESTORE d5 z 0 -1', 'ZINTERSTORE d6 1 z', 'ZDIFFSTORE d7 1 z',
               'SORT s STORE d8', 'GEOADD g 1 1 a', 'GEOSEARCHSTORE d9 g FROMLONLAT 1 1 BYRADIUS 9 km',
               'SINTERSTORE d4 s s', 'SORT s STORE d4', 'BITOP NOT d10 none', 'PFMERGE d11'],
    'missed': ['GET k', 'TYPE k', 'TTL k', 'PTTL k', 'EXPIRETIME k', 'PEXPIRETIME k', 'EXISTS k', 'TOUCH k',
               'OBJECT ENCODING k', 'DUMP k', 'STRLEN k', 'SET k 1 GET', 'DEL k', 'GETSET k 1', 'LLEN none',
               'HGET none f', 'SCARD none', 'ZSCORE none m', 'XLEN none', 'SET k 1', 'TTL k', 'TYPE k'],
}


@pytest.mark.parametrize('name', SCRIPTS)
def test_same_events_as_redis(server, reference, name):
    ours, theirs = events(server, SCRIPTS[name]), events(reference, SCRIPTS[name])
    assert without_expiry(ours) == without_expiry(theirs)


@pytest.mark.parametrize('name', APPEARING)
def test_keys_that_appear_and_keys_that_are_missed(server, reference, name):
    ours, theirs = events(server, APPEARING[name], 'KEAmn'), events(reference, APPEARING[name], 'KEAmn')
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
