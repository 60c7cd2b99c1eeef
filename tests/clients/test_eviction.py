# SPDX-License-Identifier: BSD-3-Clause
"""Memory runs short: what the catalog says may never go stays, to the last element; beside redis-server."""

import os

import pytest
import redis
from conftest import REFERENCE, until

from mixed_load import CATALOG, Load
from server import Server

MEGABYTES = 8
COMMANDS = 40_000
SEED = 1
LIMITS = ['--maxmemory', '%dmb' % MEGABYTES, '--maxmemory-policy', 'allkeys-lru']


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / 'app.yaml'
    path.write_text(CATALOG)
    return str(path)


def work(server, seed):
    load = Load(server.address, seed)
    try:
        return load.run(COMMANDS)
    finally:
        load.close()


def test_nothing_of_a_never_pattern_is_lost(start, catalog):
    """Every element that was pushed is popped once, by somebody, and nothing else is; every lock is held to its end."""
    figures = work(start(*LIMITS, '--catalog', catalog), SEED)
    assert figures.pushed > 1500 and figures.locks > 500 and figures.session_reads > 1500
    assert (figures.lost, figures.twice, figures.strange, figures.refused) == (0, 0, 0, 0)
    assert figures.locks_lost == 0
    # There was reason to lose something: caches went all the while, and first.
    assert figures.evicted > 5000 and figures.hits > 5000
    assert figures.used > 0.9 * MEGABYTES * 2 ** 20
    assert figures.sessions_lost < 10
    if os.path.exists(REFERENCE):
        with Server(['--save', '', *LIMITS], binary=REFERENCE) as other:
            theirs = work(other, SEED)
        assert theirs.evicted > 5000
        assert theirs.lost > 100 and theirs.locks_lost > 0 and theirs.sessions_lost > 100
        assert (theirs.twice, theirs.strange, theirs.refused) == (0, 0, 0)


def test_full_of_what_may_never_go(start, catalog):
    """Writes that need memory are refused then, others are not; what is given back can be used again."""
    server = start(*LIMITS, '--catalog', catalog)
    client = redis.Redis(port=server.port)
    queues = ['app:queue:%d' % i for i in range(20)]
    pushed = {name: 0 for name in queues}
    element = b'e' * 1000

    def fill():
        """Pushes until that is refused; what was accepted before is there."""
        for number in range(1 << 20):
            name = queues[number % len(queues)]
            try:
                pushed[name] = client.rpush(name, element)
            except redis.ResponseError as error:
                assert str(error).startswith('OOM'), error
                return
        raise AssertionError('never full')

    client.set('app:cache:1', 'page', ex=900)
    client.set('app:lock:1', 'token', ex=900)
    fill()
    # The cache went, and nothing else.
    assert not client.exists('app:cache:1') and client.get('app:lock:1') == b'token'
    assert {name: client.llen(name) for name in queues} == pushed
    assert client.info('stats')['evicted_keys'] == 1
    for refused in [('SET', 'app:cache:2', 'page', 'EX', 9), ('SET', 'app:lock:2', 'token', 'EX', 9),
                    ('RPUSH', queues[0], element), ('HSET', 'app:session:1', 'user', '1')]:
        with pytest.raises(redis.ResponseError, match='OOM'):
            client.execute_command(*refused)
    assert client.lrange(queues[0], 0, 0) == [element]

    # A queue is worked off, one element after the other; one is dropped; a whole pattern is purged.
    taken = 0
    while client.lpop(queues[0]) is not None:
        taken += 1
    assert taken == pushed.pop(queues[0])
    queues.pop(0)
    until(lambda: try_push(client, queues[0], element, pushed), 'memory')
    fill()
    assert client.unlink(queues[0]) == 1
    del pushed[queues.pop(0)]
    until(lambda: try_push(client, queues[0], element, pushed), 'memory')
    fill()
    assert {name: client.llen(name) for name in queues} == pushed
    assert client.get('app:lock:1') == b'token'
    assert client.execute_command('CATALOG', 'PURGE', 'queue') == len(queues)
    pushed = dict.fromkeys(queues, 0)
    until(lambda: try_push(client, queues[0], element, pushed), 'memory')
    until(lambda: client.info('memory')['used_memory'] < MEGABYTES * 2 ** 19, 'all memory')
    fill()
    assert {name: client.llen(name) for name in queues} == pushed
    assert client.info('stats')['evicted_keys'] == 1


def try_push(client, name, element, pushed):
    try:
        pushed[name] = client.rpush(name, element)
        return True
    except redis.ResponseError as error:
        assert str(error).startswith('OOM'), error
        return False
