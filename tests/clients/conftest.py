# SPDX-License-Identifier: BSD-3-Clause
"""What the suites of this folder share: one server for each number of threads, clients on it.

KEYNOME_SERVER names the server under test.  Where that is redis-server 7.0.15 itself, for checking
the tests, what came after it is skipped; KEYNOME_ORACLE=7.0 says so of a server of another name.
"""

import os
import pathlib
import resource
import sys
import time

import pytest
import redis

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'lib'))

from server import Server, default_binary  # noqa: E402  (tests/lib is not a package)

REFERENCE = '/usr/bin/redis-server'
FOREIGN = os.path.basename(default_binary()) == 'redis-server'
ORACLE = os.environ.get('KEYNOME_ORACLE', '7.0' if FOREIGN else '')


def pytest_configure(config):
    # A thousand clients of one server need more files than some systems give by default.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    config.addinivalue_line('markers', 'newer: commands or rules that redis-server 7.0 lacks')


def pytest_collection_modifyitems(items):
    for item in items:
        if ORACLE == '7.0' and item.get_closest_marker('newer'):
            item.add_marker(pytest.mark.skip(reason='newer than the oracle'))


@pytest.fixture(scope='session', params=[1, 4], ids=['1-thread', '4-threads'])
def server(request):
    """One server for all tests that do not change it."""
    with Server(['--threads', request.param, '--maxclients', '4000', '--save', '']) as running:
        running.threads = request.param
        yield running


@pytest.fixture(params=[1, 4], ids=['1-thread', '4-threads'])
def start(request):
    """start(*directives, config=..., ...): servers of a test's own, ended with it."""
    running = []

    def start_one(*args, **options):
        one = Server(['--threads', request.param, '--save', '', *args], **options)
        running.append(one)
        return one

    start_one.threads = request.param
    yield start_one
    for one in running:
        one.__exit__(None)


@pytest.fixture
def connect(server):
    """connect(**options): redis-py clients on the shared server, closed with the test."""
    clients = []

    def connect_one(**options):
        client = redis.Redis(port=server.port, **{'decode_responses': True, **options})
        clients.append(client)
        return client

    yield connect_one
    for client in clients:
        client.close()
        client.connection_pool.disconnect()


@pytest.fixture
def db(connect):
    """A redis-py client on an empty server."""
    client = connect()
    client.flushall()
    return client


@pytest.fixture
def raw(server):
    """raw(): raw connections to the shared server, emptied before the first, closed with the test."""
    clients = []

    def open_one(**options):
        clients.append(server.client(**options))
        if len(clients) == 1:
            clients[0].do('FLUSHALL')
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


@pytest.fixture(scope='session')
def reference():
    """Debian's redis-server, to say what is right."""
    with Server(['--save', ''], binary=REFERENCE) as running:
        yield running


def until(probe, what='condition', limit_s=10.0):
    """The first true result of probe(), asked again and again."""
    end = time.monotonic() + limit_s
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError('waited too long for ' + what)
        time.sleep(0.002)


def blocked(client, count=1):
    """Waits until the server reports that many blocked clients."""
    until(lambda: client.info('clients')['blocked_clients'] == count, '%d blocked' % count)
