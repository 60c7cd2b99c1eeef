# SPDX-License-Identifier: BSD-3-Clause
"""Legacy names of keys: a pattern's aliases and its own template name the same keys, before, during and after they are
moved; through redis-py."""

import random
import threading
import time

import pytest
import redis

CATALOG = """\
keynome: 1
name: move
patterns:
  - name: batch
    key: "hsi:batch:{{id}}"
    aliases: [{aliases}]
  - name: other
    key: "hsi:other:{{id}}"
"""
BOTH = '"batch:{id}", "old:{id}:batch"'
KINDS = ('batch:{}', 'old:{}:batch', 'hsi:batch:{}')


def canonical(i):
    return KINDS[2].format(i)


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / 'move.yaml'

    def write(aliases=BOTH):
        path.write_text(CATALOG.format(aliases=aliases))
        return str(path)
    return write


def connect(server, **options):
    return redis.Redis(port=server.port, **options)


def as_dict(pairs):
    if isinstance(pairs, dict):
        return {key.decode(): value for key, value in pairs.items()}
    return {pairs[i].decode(): pairs[i + 1] for i in range(0, len(pairs), 2)}


def load(client, path):
    client.execute_command('CATALOG', 'LOAD', path)


def status(client):
    return as_dict(client.execute_command('CATALOG', 'MIGRATE', 'STATUS')[0])


def migrated(client):
    for _ in range(600):
        if status(client)['state'] == b'done':
            return True
        time.sleep(0.05)
    return False


def fill(client):
    """One key of each type, under three names each."""
    for name in KINDS:
        client.set(name.format('string'), 'value')
        client.rpush(name.format('list'), 'a', 'b')
        client.hset(name.format('hash'), mapping={'f': 1})
        client.sadd(name.format('set'), 'm')
        client.zadd(name.format('zset'), {'m': 1})
        client.xadd(name.format('stream'), {'f': 'v'}, id='1-1')
        client.execute_command('DEL', name.format('none'))


def read(client, name):
    return (client.get(name.format('string')), client.lrange(name.format('list'), 0, -1),
            client.hgetall(name.format('hash')), client.smembers(name.format('set')),
            client.zrange(name.format('zset'), 0, -1, withscores=True),
            client.xrange(name.format('stream')), client.type(name.format('list')),
            client.exists(name.format('string'), name.format('none')))


@pytest.mark.parametrize('stored', KINDS[:2])
def test_one_key_by_all_names(start, catalog, stored):
    client = connect(start())
    client.set(stored.format('string'), 'value')
    client.rpush(stored.format('list'), 'a', 'b')
    client.hset(stored.format('hash'), mapping={'f': 1})
    client.sadd(stored.format('set'), 'm')
    client.zadd(stored.format('zset'), {'m': 1})
    client.xadd(stored.format('stream'), {'f': 'v'}, id='1-1')
    client.set('elsewhere', 1)
    before = read(client, stored)
    assert before[0] == b'value'
    load(client, catalog())
    expected = sorted([canonical(t).encode() for t in
                       ('string', 'list', 'hash', 'set', 'zset', 'stream')] + [b'elsewhere'])
    assert sorted(client.keys('*')) == expected
    assert set(client.scan_iter(count=3)) == set(expected)
    for name in KINDS:
        assert read(client, name) == before
    assert client.dbsize() == 7
    client.execute_command('CATALOG', 'MIGRATE')
    assert migrated(client)
    assert sorted(client.scan_iter(count=3)) == expected
    for name in KINDS:
        assert read(client, name) == before
    for i, name in enumerate(KINDS):
        client.append(name.format('string'), i)
        client.rpush(name.format('list'), i)
    assert client.get(KINDS[0].format('string')) == b'value012'
    assert client.llen(KINDS[1].format('list')) == 5
    assert client.dbsize() == 7


def test_finished_in_the_background(start, catalog):
    client = connect(start())
    with client.pipeline(transaction=False) as pipe:
        for i in range(3000):
            pipe.set(KINDS[i % 2].format(i), i, ex=1000 if i % 3 else None)
        pipe.execute()
    load(client, catalog())
    for _ in range(200):
        if status(client)['left'] == 3000:
            break
        time.sleep(0.05)
    assert status(client) == {'pattern': b'batch', 'catalog': b'move', 'state': b'pending',
                              'left': 3000, 'moved': 0, 'conflicts': 0}
    assert client.get(canonical(17)) == b'17'
    assert status(client)['moved'] == 1
    with pytest.raises(redis.ResponseError, match='no aliases'):
        client.execute_command('CATALOG', 'MIGRATE', 'other')
    reply = as_dict(client.execute_command('CATALOG', 'MIGRATE', 'batch')[0])
    assert reply['state'] == b'moving'
    assert migrated(client)
    done = status(client)
    assert (done['left'], done['moved'], done['conflicts']) == (0, 3000, 0)
    assert client.dbsize() == 3000
    assert client.mget([KINDS[i % 3].format(i) for i in range(3000)]) == \
        [str(i).encode() for i in range(3000)]
    assert 0 < client.ttl(KINDS[0].format(1)) <= 1000 and client.ttl(KINDS[0].format(3)) == -1
    # Nothing is left under a legacy name: without the catalog those are keys of their own again.
    client.execute_command('CATALOG', 'UNLOAD', 'move')
    assert client.exists(*[KINDS[i % 2].format(i) for i in range(3000)]) == 0
    assert client.exists(*[canonical(i) for i in range(3000)]) == 3000


def test_the_canonical_one_wins(start, catalog):
    client = connect(start())
    for name, value in zip(KINDS, ('first', 'second', 'canonical')):
        client.set(name.format(1), value)
    client.set(KINDS[0].format(2), 'first')
    client.set(KINDS[1].format(2), 'second')
    client.set(KINDS[0].format(3), 'first')
    client.set(canonical(3), 'canonical')
    load(client, catalog())
    assert sorted(client.keys()) == [canonical(i).encode() for i in (1, 2, 3)]
    assert client.get(KINDS[1].format(1)) == b'canonical'
    assert client.get(canonical(2)) == b'first'
    client.execute_command('CATALOG', 'MIGRATE')
    assert migrated(client)
    assert client.get(KINDS[0].format(3)) == b'canonical'
    assert status(client)['conflicts'] == 4
    assert client.dbsize() == 3


def test_blocking(start, catalog):
    server = start('--catalog', catalog())
    client = connect(server)
    waits = [
        (('BLPOP', 'batch:1', 0), ('RPUSH', 'hsi:batch:1', 'x'), [b'batch:1', b'x']),
        (('BLPOP', 'hsi:batch:1', 0), ('RPUSH', 'batch:1', 'x'), [b'hsi:batch:1', b'x']),
        (('BLMPOP', 0, 2, 'no', 'old:1:batch', 'LEFT'), ('RPUSH', 'batch:1', 'x'),
         [b'old:1:batch', [b'x']]),
        (('BZPOPMIN', 'batch:1', 0), ('ZADD', 'hsi:batch:1', 1, 'x'), [b'batch:1', b'x', b'1']),
        (('BZMPOP', 0, 1, 'batch:1', 'MIN'), ('ZADD', 'old:1:batch', 1, 'x'),
         [b'batch:1', [[b'x', b'1']]]),
        (('XREAD', 'BLOCK', 0, 'STREAMS', 'batch:1', '$'), ('XADD', 'hsi:batch:1', '5-1', 'f', 'v'),
         [[b'batch:1', [[b'5-1', [b'f', b'v']]]]]),
    ]
    for wait, push, expected in waits:
        assert answer(server, client, wait, push) == expected
        client.delete('batch:1')


def answer(server, client, wait, *steps):
    """The reply, in the wire's own shape, that a command which blocks gets once the steps are done."""
    got = []
    waiter = connect(server)
    for name in list(waiter.response_callbacks):
        waiter.response_callbacks.pop(name)

    def ask():
        got.append(waiter.execute_command(*wait))
    thread = threading.Thread(target=ask)
    thread.start()
    while client.info('clients')['blocked_clients'] == 0:
        time.sleep(0.005)
    for step in steps:
        if callable(step):
            step()
        else:
            client.execute_command(*step)
    thread.join(20)
    assert not thread.is_alive()
    return got[0]


def test_blocked_while_names_change(start, catalog):
    server = start()
    client = connect(server)
    path = catalog()
    # Who waits for what is a legacy name from now on.
    assert answer(server, client, ('BLPOP', 'batch:1', 0), lambda: load(client, path),
                  ('RPUSH', 'hsi:batch:1', 'x')) == [b'batch:1', b'x']
    # And a name that means its own key again.
    assert answer(server, client, ('BLPOP', 'batch:1', 0),
                  lambda: client.execute_command('CATALOG', 'UNLOAD', 'move'),
                  ('RPUSH', 'hsi:batch:1', 'new'), ('RPUSH', 'batch:1', 'x')) == [b'batch:1', b'x']
    assert client.lpop('hsi:batch:1') == b'new'
    # What is there by the other name serves who waits, as soon as it is the same key.
    client.rpush('old:1:batch', 'there')
    assert answer(server, client, ('BLPOP', 'hsi:batch:1', 0),
                  lambda: load(client, path)) == [b'hsi:batch:1', b'there']
    # A time that was set is kept.
    began = time.monotonic()
    assert answer(server, client, ('BLPOP', 'batch:1', 1), lambda: load(client, path)) is None
    assert 0.9 < time.monotonic() - began < 10
    # First come, first served, whatever the names.
    replies = []
    threads = []
    for i in range(6):
        one = connect(server)
        threads.append(threading.Thread(
            target=lambda one=one, i=i: replies.append((i, one.blpop(KINDS[i % 3].format(1), 20)[1]))))
        threads[-1].start()
        while client.info('clients')['blocked_clients'] <= i:
            time.sleep(0.005)
    load(client, path)
    time.sleep(0.5)
    client.rpush(canonical(1), *range(6))
    for thread in threads:
        thread.join(20)
    assert sorted(replies) == [(i, str(i).encode()) for i in range(6)]


def test_transactions(start, catalog):
    server = start()
    client, other = connect(server), connect(server)
    client.set('batch:1', 1)
    load(client, catalog())
    with client.pipeline() as pipe:
        pipe.watch('batch:1')
        pipe.multi()
        pipe.incr('hsi:batch:1')
        pipe.get('old:1:batch')
        pipe.rename('batch:1', 'old:2:batch')
        pipe.get('hsi:batch:2')
        pipe.select(1)
        pipe.set('batch:1', 'in another database')
        pipe.get('hsi:batch:1')
        assert pipe.execute() == [2, b'2', True, b'2', True, True, b'in another database']
    client.close()
    client = connect(server)
    for watched, changed in (('batch:2', 'hsi:batch:2'), ('hsi:batch:2', 'old:2:batch')):
        with client.pipeline() as pipe:
            pipe.watch(watched)
            other.set(changed, 'changed')
            pipe.multi()
            pipe.set(watched, 'mine')
            with pytest.raises(redis.WatchError):
                pipe.execute()
    # What was watched may be another key once names have changed.
    with client.pipeline() as pipe:
        pipe.watch('batch:2')
        load(other, catalog('"old:{id}:batch"'))
        pipe.multi()
        pipe.get('batch:2')
        with pytest.raises(redis.WatchError):
            pipe.execute()


def test_scripts(start, catalog):
    client = connect(start())
    client.set('batch:1', 5)
    client.rpush('batch:list', 3, 1, 2)
    for i in (1, 2, 3):
        client.set(KINDS[i % 3].format(f'w{i}'), -i)
    load(client, catalog())
    assert client.eval("return {KEYS[1], redis.call('incr', KEYS[1]), redis.call('get', ARGV[1])}", 1,
                       'old:1:batch', 'hsi:batch:1') == [b'old:1:batch', 6, b'6']
    assert client.eval("redis.call('rename', 'batch:1', 'batch:9') return redis.call('keys', '*:9')",
                       0) == [b'hsi:batch:9']
    assert client.sort('hsi:batch:list', by='batch:w*') == [b'3', b'2', b'1']
    assert client.sort('batch:list', by='batch:w*', get='old:w*:batch', store='batch:sorted') == 3
    assert client.lrange('hsi:batch:sorted', 0, -1) == [b'-3', b'-2', b'-1']


def test_scripts_that_begin_again(start, catalog):
    """What a script has undone, since it wants a shard that it does not hold, is still there under one of its names."""
    client = connect(start())
    for i in range(30):
        client.mset({KINDS[i % 2].format('{t}%d' % i): i, 'elsewhere:%d' % i: 0})
    load(client, catalog())
    for i in range(30):
        # Each a script of its own: one that has begun again holds every shard from then on.
        script = f"redis.call('get', KEYS[1]) redis.call('incrby', ARGV[1], 100) redis.call('incr', ARGV[2]) return {i}"
        assert client.eval(script, 1, 'hsi:batch:{t}x', KINDS[i % 3].format('{t}%d' % i),
                           'elsewhere:%d' % i) == i
        assert client.get(KINDS[(i + 1) % 3].format('{t}%d' % i)) == b'%d' % (i + 100)
        assert client.get('elsewhere:%d' % i) == b'1'


def test_databases(start, catalog):
    client, second = (lambda s: (connect(s), connect(s, db=1)))(start())
    client.set('batch:1', 'a')
    second.set('batch:1', 'b')
    second.set('old:2:batch', 'c')
    load(client, catalog())
    assert not client.copy('hsi:batch:1', 'hsi:batch:1', destination_db=1)
    assert not client.move('old:1:batch', 1)
    assert client.copy('batch:1', 'batch:3', destination_db=1)
    assert second.get('hsi:batch:3') == b'a'
    client.swapdb(0, 1)
    assert client.mget('hsi:batch:1', 'batch:2', 'old:3:batch') == [b'b', b'c', b'a']
    client.execute_command('CATALOG', 'MIGRATE')
    client.swapdb(0, 1)
    assert migrated(client)
    client.execute_command('CATALOG', 'UNLOAD', 'move')
    assert sorted(second.keys()) == [b'hsi:batch:1', b'hsi:batch:2', b'hsi:batch:3']
    assert client.keys() == [b'hsi:batch:1']


def test_expiry_and_notifications(start, catalog):
    server = start('--notify-keyspace-events', 'KEA')
    client = connect(server)
    client.set('batch:1', 'x', px=1500)
    client.set('batch:2', 'x', px=1500)
    load(client, catalog())
    listener = client.pubsub()
    listener.psubscribe('__key*@0__:*')
    listener.get_message(timeout=5)
    assert 0 < client.pttl('hsi:batch:1') <= 1500
    client.lpush('old:list:batch', 1)
    seen = set()
    until = time.monotonic() + 10
    wanted = {(b'__keyevent@0__:expired', b'hsi:batch:1'), (b'__keyevent@0__:expired', b'hsi:batch:2'),
              (b'__keyevent@0__:lpush', b'hsi:batch:list'), (b'__keyspace@0__:hsi:batch:list', b'lpush')}
    while not wanted <= seen and time.monotonic() < until:
        message = listener.get_message(timeout=0.2)
        if message:
            seen.add((message['channel'], message['data']))
    assert wanted <= seen
    assert not [pair for pair in seen if b'old:' in pair[0] + pair[1] or pair[1].startswith(b'batch:')]
    assert client.get('batch:1') is None


def test_names_that_mean_something_else(start, tmp_path):
    """Prefixes keep their values; and a name that leads to another pattern's key is left alone."""
    path = tmp_path / 'p.yaml'
    path.write_text("""\
keynome: 1
name: p
prefixes:
  prefix: ["new:", "stg:"]
patterns:
  - {name: a, key: "{prefix}a:{id}", aliases: ["{prefix}legacy:{id}", "bare:{id}"]}
  - {name: special, key: "{prefix}a:special"}
""")
    client = connect(start('--catalog', str(path)))
    client.set('stg:legacy:1', 'staging')
    client.set('new:legacy:1', 'new')
    assert client.mget('stg:a:1', 'new:a:1', 'bare:1') == [b'staging', b'new', b'new']
    client.set('bare:special', 'x')
    assert client.get('new:a:special') is None
    assert client.get('bare:special') == b'x'


def test_scan_misses_nothing(start, catalog):
    """Keys that move while a walk goes on are met all the same."""
    client = connect(start())
    for i in range(400):
        client.set(KINDS[i % 3].format(i), i)
    load(client, catalog())
    for args in (('SCAN', '{}', 'COUNT', 20), ('CATALOG', 'KEYS', 'batch', 'CURSOR', '{}', 'COUNT', 20)):
        rng = random.Random(5)
        order = list(range(400))
        rng.shuffle(order)
        cursor, seen = b'0', set()
        while True:
            cursor, keys = client.execute_command(
                *[cursor if a == '{}' else a for a in args], **{'NEVER_DECODE': True}) \
                if args[0] == 'CATALOG' else client.scan(int(cursor), count=20)
            seen.update(keys)
            for _ in range(20):
                if order:
                    client.get(canonical(order.pop()))
            if int(cursor) == 0:
                break
        assert seen == {canonical(i).encode() for i in range(400)}


def test_as_without_aliases(start, catalog):
    """Random commands by any of the names give what they give on a server where there is one name; while catalogs are
    loaded and unloaded, keys migrate, databases swap; and the counts are exact."""
    server, plain = start(), start()
    rng = random.Random(11)
    clients = [[connect(s, db=db) for db in (0, 1)] for s in (server, plain)]
    client = clients[0][0]
    steps = [
        ('SET', 'k', 'x'), ('SET', 'k', '7', 'EX', '100'), ('GET', 'k'), ('GETDEL', 'k'),
        ('APPEND', 'k', 'y'), ('RPUSH', 'k', 'a', 'b'), ('LPOP', 'k', '1'), ('LRANGE', 'k', '0', '-1'),
        ('HSET', 'k', 'f', 'v'), ('HGETALL', 'k'), ('SADD', 'k', '1', '2'), ('SUNIONSTORE', 'k', 'k', 'k'),
        ('SMOVE', 'k', 'k', '1'), ('ZADD', 'k', '1', 'm'), ('ZUNIONSTORE', 'k', '2', 'k', 'k'),
        ('RENAME', 'k', 'k'), ('RENAMENX', 'k', 'k'), ('COPY', 'k', 'k'), ('COPY', 'k', 'k', 'REPLACE'),
        ('COPY', 'k', 'k', 'DB', '1'), ('MOVE', 'k', '1'), ('DEL', 'k', 'k'), ('EXISTS', 'k', 'k', 'k'),
        ('LMOVE', 'k', 'k', 'LEFT', 'RIGHT'), ('TYPE', 'k'), ('PERSIST', 'k'), ('EXPIRE', 'k', '1000'),
        ('MSET', 'k', '1', 'k', '2'), ('MSETNX', 'k', '1', 'k', '2'), ('SORT', 'k', 'ALPHA', 'STORE', 'k'),
        ('PFADD', 'k', 'a'), ('PFMERGE', 'k', 'k'), ('STRLEN', 'k'), ('BITOP', 'OR', 'k', 'k', 'k'),
        ('XADD', 'k', 'MAXLEN', '3', '*', 'f', 'v'), ('GETEX', 'k', 'PX', '100000'), ('TOUCH', 'k'),
    ]
    # Legacy names only are stored before, so that none gives way to another.
    for i in range(12):
        for each, name in ((clients[0], KINDS[i % 2]), (clients[1], KINDS[2])):
            each[0].set(name.format(i), i)
            each[1].rpush(name.format(i), i)
    load(client, catalog())
    for step in range(3000):
        db = rng.randrange(2)
        roll = rng.randrange(300)
        if roll == 0:
            for each in clients:
                each[0].swapdb(0, 1)
        elif roll == 1:
            load(client, catalog())
        elif roll == 2 and step > 1500:
            client.execute_command('CATALOG', 'MIGRATE')
        ours, theirs = [], []
        for word in rng.choice(steps):
            if word == 'k':
                i = rng.randrange(12)
                ours.append(rng.choice(KINDS).format(i))
                theirs.append(canonical(i))
            else:
                ours.append(word)
                theirs.append(word)
        replies = []
        for each, args in zip(clients, (ours, theirs)):
            try:
                reply = each[db].execute_command(*args)
                replies.append(len(reply) if args[0] == 'XADD' else sorted(reply) if isinstance(reply, set) else reply)
            except redis.ResponseError as error:
                replies.append(str(error))
        assert replies[0] == replies[1], (step, ours)
        if roll in (3, 4):
            for db in (0, 1):
                assert sorted(clients[0][db].keys()) == sorted(clients[1][db].keys())
                assert set(clients[0][db].scan_iter(count=2)) == set(clients[1][db].keys())
                assert clients[0][db].dbsize() == clients[1][db].dbsize()
    client.execute_command('CATALOG', 'MIGRATE')
    assert migrated(client)
    total = sum(clients[0][db].dbsize() for db in (0, 1))
    assert total == sum(clients[1][db].dbsize() for db in (0, 1))
    for _ in range(200):
        if as_dict(client.execute_command('CATALOG', 'STATS', 'batch'))['keys'] == total:
            break
        time.sleep(0.05)
    assert as_dict(client.execute_command('CATALOG', 'STATS', 'batch'))['keys'] == total
    for db in (0, 1):
        for key in clients[1][db].keys():
            assert clients[0][db].object('encoding', key) == clients[1][db].object('encoding', key)
