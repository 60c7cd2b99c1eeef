# SPDX-License-Identifier: BSD-3-Clause
"""DUMP and RESTORE between this server and others: payloads travel both ways, for every type and size."""

import os
import random
import shutil

import pytest
import redis

from conftest import REFERENCE
from content import content
from server import Server

PEERS = os.environ.get('KEYNOME_PEERS', '/opt/peers')
LONG = b'0123456789abcdef' * 20
WORDS = [b'', b'a', b'0', b'-1', b'127', b'128', b'4095', b'-4096', b'4096', b'32768', b'8388608',
         b'-8388609', b'2147483648', b'9223372036854775807', b'-9223372036854775808', b'01', b'+1',
         b'1.5', b'x' * 63, b'x' * 64, bytes(range(256)), b'\x00\xff']


def random_texts(count, seed=1):
    rng = random.Random(seed)
    return list({bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))
                 for _ in range(count)})


def hset(client, key, pairs):
    client.hset(key, mapping=pairs)


def zadd(client, key, pairs):
    client.zadd(key, pairs)


SCORES = {b'a': 1, b'b': 2.5, b'c': -3, b'd': float('inf'), b'e': float('-inf'), b'f': 1e300,
          b'g': 0.1, b'h': 1 << 53, b'i': 1e18, b'j': 5e18, b'k': -128, b'l': 1e-310}

def xadd(client, key, count, kinds=1, start=1000):
    with client.pipeline(transaction=False) as pipe:
        for i in range(count):
            fields = {b'sensor': b'%d' % (i % 7), b'value': b'v' * (i % 40)}
            if i % kinds:
                fields[b'kind%d' % (i % kinds)] = b'%d' % i
            pipe.xadd(key, fields, id='%d-%d' % (start + i // 3, i % 3 + 1))
        pipe.execute()


def grouped(client, key):
    """Groups that have read all, something, nothing; pending entries, some of them deleted from the stream."""
    xadd(client, key, 40)
    client.xgroup_create(key, 'all', 0)
    client.xgroup_create(key, 'some', 0)
    client.xgroup_create(key, 'none', '$', mkstream=True)
    client.execute_command('XGROUP', 'CREATECONSUMER', key, 'none', 'idle')
    client.xreadgroup('all', 'alice', {key: '>'}, count=25)
    client.xreadgroup('all', 'bob', {key: '>'})
    client.xreadgroup('some', 'alice', {key: '>'}, count=5)
    client.xreadgroup('some', 'alice', {key: '0'})
    client.xack(key, 'all', '1000-1', '1001-2', '1012-1')
    client.xdel(key, '1000-2', '1003-1')
    client.execute_command('XCLAIM', key, 'all', 'carol', 0, '1002-1', '1002-2', 'RETRYCOUNT', 7)


def thinned(client, key):
    xadd(client, key, 300, kinds=3)
    client.xdel(key, *('%d-%d' % (1000 + i // 3, i % 3 + 1) for i in range(0, 300, 7)))
    client.xtrim(key, maxlen=200, approximate=False)


# name: (makes it, whether its bytes are those of 7.0)
VALUES = {
    'empty string': (lambda c, k: c.set(k, b''), True),
    'string': (lambda c, k: c.set(k, b'hello'), True),
    'small int': (lambda c, k: c.set(k, b'-5'), True),
    'int': (lambda c, k: c.set(k, b'123456'), True),
    'big int': (lambda c, k: c.set(k, b'123456789012345'), True),
    'compressible': (lambda c, k: c.set(k, b'ab' * 5000), True),
    'binary': (lambda c, k: c.set(k, bytes(range(256)) * 40), False),
    'appended': (lambda c, k: (c.set(k, b'12'), c.append(k, b'34')), True),
    'long string': (lambda c, k: c.set(k, b''.join(random_texts(4000))), False),
    'list': (lambda c, k: c.rpush(k, *WORDS), True),
    'long list': (lambda c, k: c.rpush(k, *random_texts(3000)), True),
    'list of ints': (lambda c, k: c.rpush(k, *range(-5000, 5000, 3)), True),
    'list of big ones': (lambda c, k: c.rpush(k, b'x' * 9000, b'y' * 100000, b'z', b'w' * 8200), True),
    'list of a disputed length': (lambda c, k: c.rpush(k, b'a', b'x' * 16378, b'b'), False),
    'ints 16': (lambda c, k: c.sadd(k, 1, 2, -3, 32767, -32768), True),
    'ints 32': (lambda c, k: c.sadd(k, 1, 70000, -3), True),
    'ints 64': (lambda c, k: c.sadd(k, 1, 1 << 40, -(1 << 63), (1 << 63) - 1), True),
    'set': (lambda c, k: c.sadd(k, *WORDS), False),
    'large set': (lambda c, k: c.sadd(k, *random_texts(2000)), False),
    'large set of ints': (lambda c, k: c.sadd(k, *range(3000)), False),
    'hash': (lambda c, k: hset(c, k, {b'f' + w[:40]: w[:60] for w in WORDS}), True),
    'large hash': (lambda c, k: hset(c, k, {w: b'v' + w for w in random_texts(2000)}), False),
    'hash of a long value': (lambda c, k: hset(c, k, {b'a': b'1', b'b': LONG}), False),
    'zset': (lambda c, k: zadd(c, k, SCORES), True),
    'zset of equal scores': (lambda c, k: zadd(c, k, dict.fromkeys([w[:60] for w in WORDS], 7)), True),
    'large zset': (lambda c, k: zadd(c, k, {w: i / 7 for i, w in enumerate(random_texts(2000))}), True),
    'stream': (lambda c, k: xadd(c, k, 10), True),
    'stream of one': (lambda c, k: c.xadd(k, {b'a': b'1'}, id='5-1'), True),
    'stream of several kinds': (lambda c, k: xadd(c, k, 500, kinds=4), True),
    'large stream': (lambda c, k: xadd(c, k, 3000), True),
    'stream of large entries': (lambda c, k: [c.xadd(k, {b'a': b'x' * n, b'b' * n: b''}, id=n) for n in
                                              (1, 1000, 5000, 100000, 100001)], True),
    'stream of the last identifiers': (lambda c, k: [c.xadd(k, {b'a': b'b'}, id=i) for i in (
        '0-1', '18446744073709551615-0', '18446744073709551615-18446744073709551615')], True),
    'empty stream': (lambda c, k: c.xgroup_create(k, 'g', '0', mkstream=True), True),
    'emptied stream': (lambda c, k: (xadd(c, k, 3), c.xtrim(k, maxlen=0, approximate=False)), True),
    'thinned stream': (thinned, False),
    'stream with groups': (grouped, False),
    'zset of a long member': (lambda c, k: zadd(c, k, {**SCORES, LONG: -0.0}), True),
}


class Peer:
    def __init__(self, name, running):
        self.name = name
        self.client = redis.Redis(port=running.port)


def peer_commands():
    found = [('redis-7.0', [REFERENCE])]
    for name in ('valkey-server', 'redis-server'):
        if os.geteuid() == 0 and shutil.which(name, path=os.path.join(PEERS, 'usr/bin') + ':' +
                                              os.path.join(PEERS, 'usr/local/bin') + ':' +
                                              os.path.join(PEERS, 'bin')):
            found.append((name, ['chroot', PEERS, name]))
    return found


@pytest.fixture(scope='module', params=peer_commands(), ids=lambda found: found[0])
def peer(request):
    name, command = request.param
    # In its own root nobody knows what others have left to be loaded.
    with Server(['--save', '', '--dbfilename', 'keynome-test.rdb'], command=command) as running:
        yield Peer(name, running)


@pytest.fixture
def ours(connect):
    client = connect(decode_responses=False)
    client.flushall()
    return client


@pytest.mark.parametrize('name', VALUES)
def test_from_us_to_them(ours, peer, name):
    VALUES[name][0](ours, 'k')
    peer.client.restore('k', 0, ours.dump('k'), replace=True)
    assert content(peer.client, 'k') == content(ours, 'k')


@pytest.mark.parametrize('name', VALUES)
def test_from_them_to_us(ours, peer, name):
    make, same_bytes = VALUES[name]
    peer.client.flushall()
    make(peer.client, 'k')
    payload = peer.client.dump('k')
    ours.restore('k', 0, payload)
    assert content(ours, 'k') == content(peer.client, 'k')
    if same_bytes and peer.name == 'redis-7.0':
        make(ours, 'made here')
        assert ours.dump('made here') == payload
        assert ours.dump('k') == payload


@pytest.mark.parametrize('name', VALUES)
def test_from_us_to_us(ours, name):
    VALUES[name][0](ours, 'k')
    payload = ours.dump('k')
    ours.restore('l', 0, payload)
    assert content(ours, 'k') == content(ours, 'l')
    assert ours.object('encoding', 'k') in (ours.object('encoding', 'l'), b'raw')
    assert ours.dump('l') == payload or ours.object('encoding', 'k') == b'hashtable'
    assert ours.type('l') != b'stream' or ours.object('encoding', 'l') == b'stream'


@pytest.mark.parametrize('name', VALUES)
def test_copies_are_like_what_they_are_of(ours, name):
    VALUES[name][0](ours, 'k')
    assert ours.copy('k', 'l') == 1
    assert content(ours, 'k') == content(ours, 'l')
    assert ours.object('encoding', 'k') == ours.object('encoding', 'l')
    ours.delete('k')
    assert content(ours, 'l')[0] != 'none'


FIELDS = {b'a': b'1', b'b': b'two', b'c': LONG}


def set_lifetimes(client, key):
    client.execute_command('HPEXPIREAT', key, 4102444800000, 'FIELDS', 1, 'a')
    client.execute_command('HPEXPIREAT', key, 4102444799000, 'FIELDS', 1, 'b')


def lifetimes(client, key):
    return client.execute_command('HPEXPIRETIME', key, 'FIELDS', 3, 'a', 'b', 'c')


@pytest.mark.newer
@pytest.mark.parametrize('fields', [FIELDS, {**FIELDS, b'c': b'3'}], ids=['large', 'small'])
def test_lifetimes_of_fields(ours, peer, fields):
    if peer.name == 'redis-7.0':
        pytest.skip('7.0 has no lifetimes of fields')
    peer.client.flushall()
    for client in (ours, peer.client):
        client.hset('h', mapping=fields)
        set_lifetimes(client, 'h')
    expected = [4102444800000, 4102444799000, -1]
    ours.restore('from them', 0, peer.client.dump('h'))
    assert lifetimes(ours, 'from them') == expected
    assert content(ours, 'from them') == content(ours, 'h')
    ours.restore('from us', 0, ours.dump('h'))
    assert lifetimes(ours, 'from us') == expected
    if peer.name == 'redis-server':
        peer.client.restore('from us', 0, ours.dump('h'))
        assert lifetimes(peer.client, 'from us') == expected
        assert content(peer.client, 'from us') == content(ours, 'h')


def test_lifetimes_of_fields_go_on(ours):
    ours.hset('h', mapping={'short': 'v', 'long': 'w'})
    ours.execute_command('HPEXPIRE', 'h', 30, 'FIELDS', 1, 'short')
    ours.restore('l', 0, ours.dump('h'))
    while ours.hexists('l', 'short'):
        pass
    assert ours.hgetall('l') == {b'long': b'w'}


def test_keys_with_lifetimes(ours, peer):
    """A payload has no lifetime: it travels beside it."""
    ours.set('k', 'v', px=100000)
    peer.client.restore('k', ours.pttl('k'), ours.dump('k'), replace=True)
    assert 90000 < peer.client.pttl('k') <= 100000
    ours.restore('l', peer.client.pttl('k'), peer.client.dump('k'))
    assert 90000 < ours.pttl('l') <= 100000
    ours.restore('m', 4102444800000, ours.dump('k'), absttl=True)
    assert ours.execute_command('PEXPIRETIME', 'm') == 4102444800000


def test_without_compression(ours, start):
    with redis.Redis(port=start('--rdbcompression', 'no').port) as plain:
        plain.set('k', b'ab' * 5000)
        payload = plain.dump('k')
        assert len(payload) > 10000
        ours.restore('k', 0, payload)
        assert len(ours.dump('k')) < 500
        plain.config_set('rdbcompression', 'yes')
        assert plain.dump('k') == ours.dump('k')


def test_what_is_restored_serves_who_waits(raw):
    client, waiter = raw(), raw()
    client.do('RPUSH', 'made', 'a')
    payload = client.do('DUMP', 'made')
    waiter.send('BLPOP', 'wanted', '20')
    while b'blocked_clients:1\r' not in client.do('INFO', 'clients'):
        pass
    assert client.call('RESTORE', 'wanted', '0', payload) == ('+', b'OK')
    assert waiter.read() == ('*', [('$', b'wanted'), ('$', b'a')])
    assert client.do('EXISTS', 'wanted') == 0


def test_notifications(connect):
    client = connect(decode_responses=False)
    client.flushall()
    client.set('k', 'v')
    payload = client.dump('k')
    client.config_set('notify-keyspace-events', 'EAn')
    try:
        with client.pubsub(ignore_subscribe_messages=True) as events:
            events.psubscribe('__keyevent@0__:*')
            events.get_message(timeout=5)
            client.restore('new', 0, payload)
            client.restore('new', 1, payload, absttl=True, replace=True)
            client.restore('new', 1, payload, absttl=True, replace=True)
            client.restore('k', 0, payload, replace=True)
            client.delete('k')
            seen = []
            while len(seen) < 6:
                message = events.get_message(timeout=5)
                seen.append((message['channel'].split(b':')[1], message['data']))
    finally:
        client.config_set('notify-keyspace-events', '')
    assert seen == [(b'new', b'new'), (b'restore', b'new'), (b'del', b'new'), (b'new', b'k'),
                    (b'restore', b'k'), (b'del', b'k')]


def test_watched_keys(connect):
    client, other = connect(decode_responses=False), connect(decode_responses=False)
    client.set('k', 'v')
    payload = client.dump('k')
    with client.pipeline() as pipe:
        pipe.watch('k')
        other.restore('k', 0, payload, replace=True)
        pipe.multi()
        pipe.set('k', 'w')
        with pytest.raises(redis.WatchError):
            pipe.execute()
