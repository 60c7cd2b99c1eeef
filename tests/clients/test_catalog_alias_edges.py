# SPDX-License-Identifier: BSD-3-Clause
"""Legacy names of keys where it is easy to be wrong: walks while names change, keys that are there by several names,
migrations that are interrupted, one key by two names in one command; through redis-py."""

import random
import threading
import time

import pytest
import redis

HEAD = 'keynome: 1\nname: move\npatterns:\n'
BATCH = '  - {name: batch, key: "hsi:batch:{id}", aliases: ["batch:{id}", "old:{id}:batch"]}\n'
OTHER = '  - {name: other, key: "hsi:other:{id}"}\n'
KINDS = ('batch:{}', 'old:{}:batch', 'hsi:batch:{}')


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / 'move.yaml'

    def write(patterns=BATCH + OTHER, more=''):
        path.write_text(HEAD + patterns + more)
        return str(path)
    return write


def connect(server, **options):
    return redis.Redis(port=server.port, **options)


def load(client, path):
    client.execute_command('CATALOG', 'LOAD', path)


def status(client):
    pairs = client.execute_command('CATALOG', 'MIGRATE', 'STATUS')[0]
    if isinstance(pairs, dict):
        return {key.decode(): value for key, value in pairs.items()}
    return {pairs[i].decode(): pairs[i + 1] for i in range(0, len(pairs), 2)}


def until(holds, what='it to hold'):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, 'waited in vain for %s' % what
        time.sleep(0.01)


def looked(client):
    """The walk has been round once: it knows how many are left."""
    until(lambda: status(client)['left'] is not None, 'the first pass')


def migrate(client):
    client.execute_command('CATALOG', 'MIGRATE')
    until(lambda: status(client)['state'] == b'done', 'the migration')


def stats(client, pattern):
    pairs = client.execute_command('CATALOG', 'STATS', pattern)
    return pairs if isinstance(pairs, dict) else dict(zip(pairs[::2], pairs[1::2]))


def names(indices):
    return {KINDS[2].format(i).encode() for i in indices}


def walk(client, command, between, seen, cursor=0):
    """A whole walk; `between` is called between each two of its steps."""
    steps = 0
    while True:
        if command == 'SCAN':
            cursor, keys = client.scan(cursor, count=10)
        else:
            cursor, keys = client.execute_command('CATALOG', 'KEYS', command, 'CURSOR', cursor, 'COUNT', 10)
        cursor = int(cursor)
        assert cursor < 1 << 53
        seen.update(keys)
        steps += 1
        if cursor == 0:
            return steps
        between(steps)


# ---- walks ----

@pytest.mark.parametrize('at', [1, 12, 25])
def test_a_migration_between_two_steps_of_a_walk(start, catalog, at):
    """However short the time in which keys move, a walk that was begun before misses none; also when names go back to
    what they were."""
    client = connect(start())
    path = catalog()
    for i in range(300):
        client.set(KINDS[0].format(i), i)
        client.set('elsewhere:%d' % i, i)

    def between(step):
        if step == at:
            load(client, path)
            migrate(client)
        if step == at + 1:
            client.execute_command('CATALOG', 'UNLOAD', 'move')
    seen = set()
    walk(client, 'SCAN', between, seen)
    assert names(range(300)) <= seen
    assert {b'elsewhere:%d' % i for i in range(300)} <= seen


def test_walks_while_names_turn_round(start, catalog):
    """Each name becomes the other's legacy one and back, in the course of one walk; a key is met by one of the two."""
    client = connect(start())
    for i in range(200):
        client.set('a:%d' % i, i)
    rng = random.Random(3)
    for round in range(6):
        turns = sorted(rng.sample(range(1, 18), 3))

        def between(step):
            if step in turns:
                new, old = 'ba' if turns.index(step) % 2 == 0 else 'ab'
                load(client, catalog('  - {name: one, key: "%s:{id}", aliases: ["%s:{id}"]}\n' % (new, old)))
                migrate(client)
        seen = set()
        walk(client, 'SCAN', between, seen)
        assert {int(key.split(b':')[1]) for key in seen} == set(range(200)), turns
        assert client.dbsize() == 200


def test_catalog_keys_across_a_migration(start, catalog):
    client = connect(start())
    load(client, catalog())
    for i in range(200):
        client.set(KINDS[2].format(i), i)
    turned = catalog('  - {name: batch, key: "batch:{id}", aliases: ["hsi:batch:{id}"]}\n')

    def between(step):
        if step == 5:
            load(client, turned)
            migrate(client)
    seen = set()
    walk(client, 'batch', between, seen)
    assert {int(key.split(b':')[-1]) for key in seen} == set(range(200))


def test_any_cursor_is_a_place(start, catalog):
    client = connect(start('--catalog', catalog()))
    for i in range(100):
        client.set(KINDS[2].format(i), i)
    rng = random.Random(1)
    for _ in range(300):
        cursor = rng.randrange(1 << rng.randrange(1, 64))
        for _ in range(1000):
            cursor, _ = client.scan(cursor, count=100)
            if cursor == 0:
                break
        assert cursor == 0


def test_a_walk_that_begins_while_keys_move(start, catalog):
    """Two rounds; what a MATCH names by its new name is found wherever it is stored."""
    client = connect(start())
    for i in range(100):
        client.set(KINDS[i % 2].format(i), i)
    load(client, catalog())
    assert set(client.scan_iter(match='hsi:batch:*', count=7)) == names(range(100))
    assert set(client.scan_iter(match='batch:*', count=7)) == set()
    assert set(client.scan_iter(match='hsi:batch:{17}', count=7)) == set()
    client.set('batch:{17}', 1)
    assert set(client.scan_iter(match='hsi:batch:{17}', count=7)) == {b'hsi:batch:{17}'}
    assert set(client.scan_iter(match='hsi:batch:?', _type='string')) == names(range(10))


# ---- keys that are there by several names ----

def fill_conflicts(client, count=50):
    """Every set of names that there can be: 7 for each; the value says which one is the key."""
    expected = {}
    for i in range(count):
        for mask in range(1, 8):
            key = '%d-%d' % (i, mask)
            for bit, wins in ((1, mask & 4 == 0), (2, mask in (2,)), (4, True)):
                if mask & bit:
                    client.set(KINDS[bit.bit_length() - 1].format(key), bit)
            # The canonical name, else the first alias that is there.
            expected[KINDS[2].format(key).encode()] = b'%d' % (4 if mask & 4 else 1 if mask & 1 else 2)
    return expected


def test_counts_after_the_first_pass(start, catalog):
    """Nobody asks for a key, and nobody migrates: all the same each has one entry soon, and is counted once."""
    client = connect(start())
    expected = fill_conflicts(client)
    dropped = sum(bin(mask).count('1') - 1 for mask in range(1, 8)) * 50
    assert client.dbsize() == len(expected) + dropped
    load(client, catalog())
    assert sorted(client.keys('hsi:batch:*')) == sorted(expected)
    looked(client)
    assert client.dbsize() == len(expected)
    assert client.info('keyspace')['db0']['keys'] == len(expected)
    until(lambda: stats(client, 'batch')[b'keys'] == len(expected), 'the counts')
    now = status(client)
    assert (now['conflicts'], now['state']) == (dropped, b'pending')
    # Those that were there by one legacy name only are left where they are.
    assert now['left'] == 100
    assert set(client.scan_iter(count=11)) == set(expected)
    for key, value in expected.items():
        assert client.get(key) == value, key
    migrate(client)
    assert client.dbsize() == len(expected)
    assert status(client)['conflicts'] == dropped


def test_who_is_asked_for_first(start, catalog):
    """The rule is the same when a command comes before the walk."""
    client = connect(start())
    expected = fill_conflicts(client, 5)
    with client.pipeline(transaction=False) as pipe:
        pipe.execute_command('CATALOG', 'LOAD', catalog())
        rng = random.Random(2)
        order = sorted(expected)
        for key in order:
            name = rng.choice(KINDS).format(key.decode().split(':')[2])
            pipe.get(name)
        replies = pipe.execute()
    assert replies[1:] == [expected[key] for key in order]


def test_a_legacy_value_does_not_come_back(start, catalog):
    """Where both were there, the canonical one's end is the key's end."""
    client = connect(start())
    client.set('batch:1', 'legacy')
    client.set('hsi:batch:1', 'canonical', px=1200)
    load(client, catalog())
    looked(client)
    until(lambda: client.dbsize() == 0, 'the expiry')
    assert client.get('batch:1') is None and client.get('hsi:batch:1') is None


# ---- what is loaded again ----

def test_the_same_names_again(start, catalog):
    """Policies may change by a reload without a migration, or a transaction that fails for it."""
    client = connect(start())
    other = connect(start_of(client))
    for i in range(50):
        client.set(KINDS[0].format(i), i)
    load(client, catalog())
    migrate(client)
    with client.pipeline() as pipe:
        pipe.watch('batch:1')
        load(other, catalog(BATCH.replace('}\n', ', type: string, lifetime: 1h}\n') + OTHER))
        assert status(other)['state'] == b'done'
        pipe.multi()
        pipe.incr('batch:1')
        assert pipe.execute() == [2]
    assert client.execute_command('CATALOG', 'DESCRIBE', 'batch')
    load(other, catalog(BATCH.replace('old:', 'older:') + OTHER))
    assert status(other)['state'] in (b'pending', b'done') and status(other)['moved'] == 50
    client.set('older:7:batch', 'new')
    assert client.get('hsi:batch:7') == b'new'
    assert client.set('old:7:batch', 'a key of its own') and client.get('hsi:batch:7') == b'new'


def start_of(client):
    class Of:
        port = client.connection_pool.connection_kwargs['port']
    return Of


def test_names_of_names(start, catalog):
    """A name that was canonical becomes a legacy one, before its own legacy names were left."""
    client = connect(start())
    for i in range(30):
        client.set('a:%d' % i, i)
    load(client, catalog('  - {name: p, key: "b:{id}", aliases: ["a:{id}"]}\n'))
    for i in range(10):
        assert client.get('b:%d' % i) == b'%d' % i
    load(client, catalog('  - {name: p, key: "c:{id}", aliases: ["b:{id}", "a:{id}"]}\n'))
    for i in range(0, 30, 3):
        assert [client.get('%s:%d' % (name, i)) for name in 'abc'] == [b'%d' % i] * 3
    migrate(client)
    client.execute_command('CATALOG', 'UNLOAD', 'move')
    assert set(client.keys()) == {b'c:%d' % i for i in range(30)}
    # Two patterns cannot share a name.
    with pytest.raises(redis.ResponseError, match='match exactly the same keys'):
        load(client, catalog('  - {name: p, key: "c:{id}", aliases: ["b:{id}"]}\n'
                             '  - {name: q, key: "b:{id}", aliases: ["a:{id}"]}\n'))


def test_a_migration_that_is_interrupted(start, catalog):
    client = connect(start())
    count = 4000
    with client.pipeline(transaction=False) as pipe:
        for i in range(count):
            pipe.set(KINDS[i % 2].format(i), i)
        pipe.execute()
    for _ in range(4):
        load(client, catalog())
        client.execute_command('CATALOG', 'MIGRATE')
        client.get(KINDS[2].format(7))
        client.execute_command('CATALOG', 'UNLOAD', 'move')
        assert client.dbsize() == count
        # Each key has one of its names.
        assert client.exists(*[kind.format(i) for i in range(count) for kind in KINDS]) == count
    load(client, catalog())
    migrate(client)
    assert client.mget([KINDS[2].format(i) for i in range(count)]) == [b'%d' % i for i in range(count)]


# ---- commands ----

def test_two_names_in_one_command(start, catalog):
    client = connect(start('--catalog', catalog()))
    client.set('batch:1', 1)
    assert client.exists('batch:1', 'hsi:batch:1', 'old:1:batch') == 3
    assert client.mget('batch:1', 'hsi:batch:1') == [b'1', b'1']
    assert client.delete('batch:1', 'hsi:batch:1') == 1
    client.mset({'batch:1': 'a', 'hsi:batch:1': 'b'})
    assert client.get('old:1:batch') == b'b' and client.dbsize() == 1
    assert client.rename('batch:1', 'hsi:batch:1') and not client.renamenx('batch:1', 'old:1:batch')
    with pytest.raises(redis.ResponseError, match='source and destination objects are the same'):
        client.copy('batch:1', 'hsi:batch:1')
    script = """redis.call('set', KEYS[1], 'x') redis.call('append', KEYS[2], 'y')
        redis.call('rename', ARGV[1], 'batch:2') return {redis.call('get', KEYS[1]), redis.call('get', 'old:2:batch')}"""
    assert client.eval(script, 2, 'batch:1', 'hsi:batch:1', 'old:1:batch') == [None, b'xy']
    client.delete('batch:2')
    client.sadd('batch:s', 1, 2)
    assert client.sinter('hsi:batch:s', 'old:s:batch') == {b'1', b'2'}
    assert client.smove('batch:s', 'hsi:batch:s', 1) and client.scard('old:s:batch') == 2
    client.rpush('batch:l', 1, 2)
    assert client.lmove('batch:l', 'hsi:batch:l', 'LEFT', 'RIGHT') == b'1'
    assert client.lrange('old:l:batch', 0, -1) == [b'2', b'1']


def test_object_dump_and_restore(start, catalog):
    client = connect(start('--maxmemory-policy', 'allkeys-lfu'))
    client.set('batch:1', 'x' * 100)
    client.rpush('old:2:batch', *range(200))
    client.object('freq', 'batch:1')
    load(client, catalog())
    assert client.object('encoding', 'hsi:batch:1') == b'raw' and client.object('refcount', 'old:1:batch') == 1
    assert client.memory_usage('batch:1') == client.memory_usage('hsi:batch:1')
    dumped = client.dump('hsi:batch:2')
    assert dumped == client.dump('batch:2')
    client.restore('old:3:batch', 5000, dumped)
    assert client.lrange('batch:3', 0, -1) == client.lrange('hsi:batch:2', 0, -1)
    assert 0 < client.pttl('hsi:batch:3') <= 5000
    with pytest.raises(redis.ResponseError, match='BUSYKEY'):
        client.restore('batch:3', 0, dumped)
    assert client.type('batch:3') == b'list' and client.touch('batch:3', 'hsi:batch:3') == 2


def test_channels_have_one_name(start, catalog):
    """Aliases are of keys: what is published is heard by the channel's own name."""
    server = start('--catalog', catalog())
    client, listener = connect(server), connect(server).pubsub()
    listener.subscribe('batch:1', 'hsi:batch:2')
    for _ in range(2):
        listener.get_message(timeout=5)
    assert client.publish('hsi:batch:1', 'no') == client.publish('batch:2', 'no') == 0
    assert client.publish('batch:1', 'yes') == client.publish('hsi:batch:2', 'yes') == 1


def test_watch_by_another_name(start, catalog):
    server = start()
    client, other = connect(server), connect(server)
    client.set('batch:1', 1)
    load(client, catalog())
    for watched, touched in (('batch:1', 'hsi:batch:1'), ('hsi:batch:1', 'old:1:batch')):
        for write in (lambda: other.incr(touched), lambda: other.expire(touched, 100), lambda: other.delete(touched),
                      lambda: other.rename('src', touched)):
            client.set('hsi:batch:1', 1)
            client.set('src', 2)
            with client.pipeline() as pipe:
                pipe.watch(watched)
                write()
                pipe.multi()
                pipe.get(watched)
                with pytest.raises(redis.WatchError):
                    pipe.execute()
    client.set('batch:5', 'x', px=1)
    # To be moved is no change.
    client.execute_command('CATALOG', 'UNLOAD', 'move')
    client.set('old:9:batch', 9)
    load(client, catalog())
    with client.pipeline() as pipe:
        pipe.watch('hsi:batch:9')
        other.get('batch:9')
        migrate(other)
        pipe.multi()
        pipe.get('old:9:batch')
        assert pipe.execute() == [b'9']


def test_blocked_on_the_other_name(start, catalog):
    server = start('--catalog', catalog())
    client = connect(server)
    for waits, pushes in ((0, 2), (2, 0), (1, 0), (2, 1)):
        got = []
        one = connect(server)
        thread = threading.Thread(target=lambda: got.append(one.blpop([KINDS[waits].format(1), 'never'], 30)))
        thread.start()
        until(lambda: client.info('clients')['blocked_clients'] == 1, 'the waiter')
        client.rpush(KINDS[pushes].format(1), 'x')
        thread.join(30)
        assert got == [(KINDS[waits].format(1).encode(), b'x')]
        assert client.exists(KINDS[0].format(1)) == 0


def test_evicted_under_a_legacy_name(start, catalog):
    """What goes for want of memory goes under whatever name it has, and is counted."""
    client = connect(start('--maxmemory', '40mb', '--maxmemory-policy', 'allkeys-random'))
    with client.pipeline(transaction=False) as pipe:
        for i in range(20000):
            pipe.set(KINDS[i % 2].format(i), 'x' * 200)
        pipe.execute()
    load(client, catalog())
    client.config_set('maxmemory', client.info('memory')['used_memory'] - 1000 * 1000)
    for i in range(1000):
        client.set('elsewhere:%d' % i, 'x' * 200)
    migrate(client)
    evicted = client.info('stats')['evicted_keys']
    assert evicted > 0
    assert client.dbsize() == 21000 - evicted
    until(lambda: stats(client, 'batch')[b'keys'] == len(client.keys('hsi:batch:*')), 'the counts')


def test_blue_to_green(start, catalog):
    """Two deployments, each with its prefix, become one while both run: nothing is lost, and nobody waits."""
    server = start()
    client = connect(server)
    blue = '  - {name: job, key: "hsi-blue:job:{id}"}\n'
    both = '  - {name: job, key: "hsi-green:job:{id}", aliases: ["hsi-blue:job:{id}"]}\n'
    load(client, catalog(blue))
    done, errors, stop = [0] * 6, [], threading.Event()

    def work(number):
        mine = connect(server)
        prefix = 'hsi-blue' if number % 2 == 0 or not green.is_set() else 'hsi-green'
        try:
            while not stop.is_set():
                if number % 2 and green.is_set():
                    prefix = 'hsi-green'
                mine.incr('%s:job:%d' % (prefix, done[number] % 500))
                done[number] += 1
        except redis.RedisError as error:
            errors.append(error)
    green = threading.Event()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: sum(done) > 3000, 'the first deployment')
    load(client, catalog(both))
    green.set()
    until(lambda: sum(done) > 6000, 'both of them')
    migrate(client)
    until(lambda: sum(done) > 9000, 'both of them, migrated')
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert client.dbsize() == len(client.keys('hsi-green:job:*'))
    assert sum(int(v) for v in client.mget(client.keys('hsi-green:job:*'))) == sum(done)
    client.execute_command('CATALOG', 'UNLOAD', 'move')
    assert client.keys('hsi-blue:*') == []
