# SPDX-License-Identifier: BSD-3-Clause
"""The catalog in the server: loaded, matched, counted, enforced, purged; through redis-py."""

import random
import time

import pytest
import redis

CATALOG = """\
keynome: 1
name: shop
mode: {mode}
unmatched: {unmatched}
patterns:
  - name: queue
    key: "shop:queue:{{name}}"
    type: list
    eviction: never
    limits: {{elements: 5}}
  - name: cache
    key: "shop:cache:{{kind}}:{{id}}"
    type: string
    eviction: cache
    lifetime: 5m
  - name: session
    key: "shop:session:{{id}}"
    type: hash
    lifetime: {{required: true, default: 1h, maximum: 2h}}
    fields: {{user: integer, seen: timestamp, notes: text}}
    only-these-fields: true
  - name: profile
    key: "shop:profile:{{id}}"
    type: string
    value: json
    limits: {{value: 100, key: 40}}
    database: 0
"""

def write(path, mode='observe', unmatched='allow', text=CATALOG):
    path.write_text(text.format(mode=mode, unmatched=unmatched))
    return str(path)


@pytest.fixture
def catalog(tmp_path):
    return tmp_path / 'shop.yaml'


def connect(server, **options):
    return redis.Redis(port=server.port, **options)


def stats(client, pattern):
    reply = client.execute_command('CATALOG', 'STATS', pattern)
    return as_dict(reply)


def as_dict(pairs):
    if isinstance(pairs, dict):
        return {key.decode(): value for key, value in pairs.items()}
    return {pairs[i].decode(): pairs[i + 1] for i in range(0, len(pairs), 2)}


def violations(client, *args):
    return [as_dict(each) for each in client.execute_command('CATALOG', 'VIOLATIONS', *args)]


def settled(client, pattern, field, value):
    """Waits until the census has come round."""
    for _ in range(200):
        if stats(client, pattern).get(field) == value:
            return True
        time.sleep(0.05)
    return False


def test_loading(start, catalog):
    server = start()
    client = connect(server)
    with pytest.raises(redis.ResponseError, match='no catalog is loaded'):
        client.execute_command('CATALOG', 'STATS')
    assert client.execute_command('CATALOG', 'LIST') == []
    client.execute_command('CATALOG', 'LOAD', write(catalog))
    listed = [as_dict(each) for each in client.execute_command('CATALOG', 'LIST')]
    assert [(each['name'], each['patterns']) for each in listed] == [(b'shop', 4)]
    # All or nothing: a bad version changes nothing, and says what is wrong, and where.
    catalog.write_text(CATALOG.format(mode='observed', unmatched='allow'))
    with pytest.raises(redis.ResponseError, match=r'shop.yaml:3:7: error: .*observe'):
        client.execute_command('CATALOG', 'LOAD', str(catalog))
    assert len(client.execute_command('CATALOG', 'DESCRIBE')) == 4
    with pytest.raises(redis.ResponseError, match='no catalog is called'):
        client.execute_command('CATALOG', 'UNLOAD', 'other')
    client.execute_command('CATALOG', 'UNLOAD', 'shop')
    assert client.execute_command('CATALOG', 'LIST') == []
    with pytest.raises(redis.ResponseError, match='catalogs end in'):
        client.execute_command('CATALOG', 'LOAD', '/etc/passwd')


def test_directive(start, catalog, tmp_path):
    other = tmp_path / 'other.yml'
    other.write_text('keynome: 1\nname: other\npatterns:\n  - {name: all, key: "o:{x}"}\n')
    server = start('--catalog', write(catalog), str(other))
    names = [as_dict(each)['name'] for each in connect(server).execute_command('CATALOG', 'LIST')]
    assert names == [b'shop', b'other']


def test_matching(start, catalog):
    client = connect(start('--catalog', write(catalog)))
    match = as_dict(client.execute_command('CATALOG', 'MATCH', 'shop:cache:user:7'))
    assert match['pattern'] == b'cache'
    assert as_dict(match['variables']) == {'kind': b'user', 'id': b'7'}
    assert client.execute_command('CATALOG', 'MATCH', 'elsewhere') is None
    described = as_dict(client.execute_command('CATALOG', 'DESCRIBE', 'shop/session'))
    assert described['type'] == b'hash'
    assert as_dict(described['lifetime'])['maximum-ms'] == 7200_000


def test_counts_are_exact(start, catalog):
    """A random workload over commands that make, change, move and drop keys; then a recount."""
    server = start('--catalog', write(catalog))
    rng = random.Random(7)
    clients = [connect(server, db=db) for db in (0, 1, 2)]
    client = clients[0]
    names = ([f'shop:queue:{i}' for i in range(8)] + [f'shop:cache:k:{i}' for i in range(20)] +
             [f'shop:session:{i}' for i in range(10)] + [f'other:{i}' for i in range(10)])
    steps = [
        lambda c, a, b: c.set(a, 'x' * rng.randrange(600)),
        lambda c, a, b: c.set(a, rng.randrange(10**6), ex=rng.choice([1, 100])),
        lambda c, a, b: c.append(a, 'y' * rng.randrange(300)),
        lambda c, a, b: c.rpush(a, *['e' * rng.randrange(200) for _ in range(rng.randrange(1, 30))]),
        lambda c, a, b: c.lpop(a, rng.randrange(1, 40)),
        lambda c, a, b: c.hset(a, mapping={str(i): 'v' * rng.randrange(90)
                                           for i in range(rng.randrange(1, 200))}),
        lambda c, a, b: c.hdel(a, *map(str, range(rng.randrange(1, 200)))),
        lambda c, a, b: c.sadd(a, *range(rng.randrange(1, 300))),
        lambda c, a, b: c.zadd(a, {str(i): i for i in range(rng.randrange(1, 200))}),
        lambda c, a, b: c.sunionstore(a, b, *rng.sample(names, 2)),
        lambda c, a, b: c.xadd(a, {'f': 'v' * 50}),
        lambda c, a, b: c.rename(a, b),
        lambda c, a, b: c.copy(a, b, replace=True),
        lambda c, a, b: c.copy(a, b, destination_db=rng.randrange(3), replace=True),
        lambda c, a, b: c.move(a, rng.randrange(3)),
        lambda c, a, b: c.delete(a),
        lambda c, a, b: c.unlink(a, b),
        lambda c, a, b: c.persist(a),
        lambda c, a, b: c.pexpire(a, rng.choice([1, 1000000])),
        lambda c, a, b: c.sort(b, store=a, alpha=True),
        lambda c, a, b: c.restore(a, 0, c.dump(b), replace=True),
        lambda c, a, b: c.setbit(a, rng.randrange(9000), 1),
        lambda c, a, b: c.lmove(a, b),
    ]
    rare = [
        lambda c: c.execute_command('CATALOG', 'PURGE', 'cache'),
        lambda c: c.execute_command('CATALOG', 'PURGE', 'cache', 'kind', 'k', 'id', '3'),
        lambda c: c.swapdb(*rng.sample(range(3), 2)),
        lambda c: c.flushdb(asynchronous=True),
        lambda c: c.execute_command('CATALOG', 'LOAD', str(catalog)),
    ]
    for i in range(6000):
        c = rng.choice(clients)
        try:
            if rng.randrange(400) == 0:
                rng.choice(rare)(c)
            else:
                rng.choice(steps)(c, rng.choice(names), rng.choice(names))
        except redis.RedisError:
            pass
    time.sleep(0.01)
    recount = {}
    for c in clients:
        for key in c.scan_iter(count=1000):
            found = as_dict(c.execute_command('CATALOG', 'MATCH', key) or {})
            recount.setdefault(found.get('pattern', b'(unmatched)'), set()).add((c, key))
    for pattern in (b'queue', b'cache', b'session', b'profile', b'(unmatched)'):
        keys = len(recount.get(pattern, ()))
        assert settled(client, pattern, 'keys', keys), (pattern, keys, stats(client, pattern))
    total = sum(stats(client, p)['bytes'] for p in (b'queue', b'cache', b'session', b'profile',
                                                    b'(unmatched)'))
    assert total > 0
    for c in clients:
        c.flushall()
    for pattern in (b'queue', b'cache', b'session', b'profile', b'(unmatched)'):
        counted = stats(client, pattern)
        assert (counted['keys'], counted['bytes']) == (0, 0), (pattern, counted)


def test_reads_and_writes_are_counted(start, catalog):
    client = connect(start('--catalog', write(catalog)))
    client.set('shop:cache:a:1', 'x')
    for i in range(3):
        client.get('shop:cache:a:1')
        client.get('shop:cache:a:2')
    client.delete('shop:cache:a:1')
    counted = stats(client, 'cache')
    assert (counted['hits'], counted['misses'], counted['writes']) == (3, 3, 2)
    client.rpush('shop:queue:q', 1, 2, 3)
    assert settled(client, 'queue', 'elements', [b'3', 1])  # a map, in this protocol


def test_keys_of_a_pattern(start, catalog):
    client = connect(start('--catalog', write(catalog)))
    wanted = {f'shop:cache:{kind}:{i}'.encode() for kind in ('a', 'b') for i in range(200)}
    client.mset({key: 1 for key in wanted})
    client.mset({f'other:{i}': 1 for i in range(100)})

    def walk(*args):
        cursor, found = b'0', []
        while True:
            cursor, keys = client.execute_command('CATALOG', 'KEYS', 'cache', *args, 'CURSOR', cursor)
            found += keys
            if cursor == b'0':
                return found

    assert sorted(walk()) == sorted(wanted)
    assert set(walk('kind', 'a')) == {key for key in wanted if b':a:' in key}
    with pytest.raises(redis.ResponseError, match="has no variable 'colour'"):
        client.execute_command('CATALOG', 'KEYS', 'cache', 'colour', 'red')


def test_purge(start, catalog):
    server = start('--catalog', write(catalog))
    client = connect(server)
    client.mset({f'shop:cache:{kind}:{i}': 'v' for kind in ('a', 'b') for i in range(300)})
    client.rpush('shop:queue:q', 1)
    watcher = connect(server)
    pipe = watcher.pipeline()
    pipe.watch('shop:cache:a:1')
    assert client.execute_command('CATALOG', 'PURGE', 'cache', 'kind', 'a') is None
    assert not client.exists('shop:cache:a:7') and client.exists('shop:cache:b:7')
    assert all(b':a:' not in key for key in client.scan_iter(count=1000))
    pipe.multi()
    pipe.set('x', 1)
    with pytest.raises(redis.WatchError):
        pipe.execute()
    assert settled(client, 'cache', 'keys', 300)
    assert client.execute_command('CATALOG', 'PURGE', 'cache') == 300
    assert client.dbsize() == 1
    assert client.keys('*') == [b'shop:queue:q']
    client.set('shop:cache:a:1', 'again')
    assert client.get('shop:cache:a:1') == b'again' and client.dbsize() == 2
    assert settled(client, 'cache', 'purged', 600)
    assert client.get('shop:cache:a:1') == b'again'


def test_observed(start, catalog):
    client = connect(start('--catalog', write(catalog, unmatched='observe')))
    client.set('shop:queue:q', 'a string')
    client.rpush('shop:queue:r', *range(6))
    client.hset('shop:session:1', mapping={'user': 'seven'})
    client.expire('shop:session:1', 100000)
    client.set('shop:profile:1', '{"a": [1, 2]}')
    client.set('shop:profile:2', '{broken')
    client.set('elsewhere', 1)
    found = [(each['kind'], each['key'], each['prevented']) for each in violations(client)]
    assert found == [
        (b'unmatched', b'elsewhere', 0), (b'format', b'shop:profile:2', 0),
        (b'lifetime-long', b'shop:session:1', 0), (b'format', b'shop:session:1', 0),
        (b'elements', b'shop:queue:r', 0), (b'type', b'shop:queue:q', 0)]
    assert stats(client, 'queue')['violations'] == 2
    assert len(violations(client, 'session')) == 2
    client.execute_command('CATALOG', 'VIOLATIONS', 'CLEAR')
    assert violations(client) == []


def test_enforced(start, catalog):
    client = connect(start('--catalog', write(catalog, mode='enforce', unmatched='deny')))

    def refused(text, *args):
        with pytest.raises(redis.ResponseError) as error:
            client.execute_command(*args)
        assert str(error.value).startswith('CATALOG ') and text in str(error.value), error.value

    refused('must be a list', 'SET', 'shop:queue:q', 'a string')
    refused('must be a string', 'LPUSH', 'shop:cache:a:1', 'x')
    client.rpush('shop:queue:q', *range(5))
    refused('more than 5 elements', 'RPUSH', 'shop:queue:q', 6)
    refused('must be a list', 'SET', 'shop:queue:q', 'a string')
    refused("has no field 'colour'", 'HSET', 'shop:session:1', 'colour', 'red')
    refused('must hold integer', 'HSET', 'shop:session:1', 'user', 'seven')
    refused('must hold json', 'SET', 'shop:profile:1', '{broken')
    refused('more than 100 bytes', 'SET', 'shop:profile:1', '"%s"' % ('x' * 100))
    refused('matches no pattern', 'SET', 'elsewhere', 1)
    refused('longer name', 'SET', 'shop:profile:' + 'x' * 40, '{}')
    assert client.keys('*') == [b'shop:queue:q'] and client.llen('shop:queue:q') == 5
    # Reading and deleting are nobody's business, nor is what takes from a value.
    assert client.get('elsewhere') is None and client.delete('elsewhere') == 0
    assert client.lpop('shop:queue:q') == b'0'
    # Lifetimes are seen to.
    client.set('shop:cache:a:1', 'x')
    assert 299_000 < client.pttl('shop:cache:a:1') <= 300_000
    client.set('shop:cache:a:1', 'x', ex=10)
    assert client.ttl('shop:cache:a:1') <= 10
    client.hset('shop:session:1', mapping={'user': 7})
    assert 3500 < client.ttl('shop:session:1') <= 3600
    client.expire('shop:session:1', 100000)
    assert client.ttl('shop:session:1') <= 7200
    client.persist('shop:session:1')
    assert 3500 < client.ttl('shop:session:1') <= 3600
    kinds = {each['kind'] for each in violations(client, 'COUNT', 100)}
    assert kinds >= {b'type', b'elements', b'field', b'format', b'value-size', b'key-size',
                     b'unmatched', b'lifetime-long', b'lifetime-missing'}
    assert all(each['prevented'] for each in violations(client, 'COUNT', 100))


def test_enforced_in_transactions(start, catalog):
    client = connect(start('--catalog', write(catalog, mode='enforce')))
    pipe = client.pipeline(transaction=True)
    pipe.rpush('shop:queue:q', 1)
    pipe.set('shop:queue:q', 'x')
    pipe.rpush('shop:queue:q', 2)
    first, error, last = pipe.execute(raise_on_error=False)
    assert (first, last) == (1, 2) and 'must be a list' in str(error)


def test_never_is_never_evicted(start, catalog):
    client = connect(start('--catalog', write(catalog), '--maxmemory-policy', 'allkeys-lru'))
    for i in range(400):
        client.rpush('shop:queue:%d' % (i % 40), 'job' * 10)
    used = client.info('memory')['used_memory']
    client.config_set('maxmemory', used + 3_000_000)
    for i in range(0, 30000, 100):
        client.mset({f'shop:cache:a:{j}': 'x' * 300 for j in range(i, i + 100)})
    assert sum(client.llen(f'shop:queue:{i}') for i in range(40)) == 400
    assert stats(client, 'cache')['evicted'] > 1000 and stats(client, 'queue')['evicted'] == 0
    # With nothing left but what may not go, writes are refused and nothing is lost.
    client.execute_command('CATALOG', 'PURGE', 'cache')
    with pytest.raises(redis.ResponseError, match='OOM'):
        for i in range(200000):
            client.rpush('shop:queue:%d' % (i % 40), 'job' * 100)
    assert stats(client, 'queue')['evicted'] == 0
