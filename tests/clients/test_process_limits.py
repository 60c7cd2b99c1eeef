# SPDX-License-Identifier: BSD-3-Clause
"""What the operator limits: clients, idleness, passwords, commands by name, buffers."""

import re
import socket
import threading
import time

import pytest

from conftest import until
from launch import resident_bytes
from resp import Client, ReplyError, plain

MB = 1 << 20


def refused(server):
    """What one client too many is told before it is closed."""
    with server.client() as client:
        reply = client.read()
        with pytest.raises(ConnectionError):
            client.read()
        return reply


def test_maxclients(start):
    server = start('--maxclients', '10')
    clients = [server.client()]
    until(lambda: b'connected_clients:1\r\n' in clients[0].do('INFO', 'clients'), 'an empty house')
    clients += [server.client() for _ in range(9)]
    assert all(client.do('PING') == b'PONG' for client in clients)
    assert refused(server) == ('-', b'ERR max number of clients reached')
    assert b'rejected_connections:1\r\n' in clients[0].do('INFO', 'stats')
    clients.pop().close()
    until(lambda: b'connected_clients:9\r\n' in clients[0].do('INFO', 'clients'), 'room')
    with server.client() as late:
        assert late.do('PING') == b'PONG'
        clients[0].do('CONFIG', 'SET', 'maxclients', '11')
        with server.client() as eleventh:
            assert eleventh.do('PING') == b'PONG'
            assert refused(server)[0] == '-'


def test_idle_clients_are_closed_but_not_the_waiting(start):
    server = start('--timeout', '1')
    idle, blocked, subscriber, busy = (server.client() for _ in range(4))
    idle.do('PING')  # it has arrived
    blocked.send('BLPOP', 'none', '0')
    subscriber.do('SUBSCRIBE', 'c')
    started = time.monotonic()
    while True:
        busy.do('PING')
        if b'connected_clients:3\r\n' in busy.do('INFO', 'clients'):
            break
        assert time.monotonic() - started < 10
        time.sleep(0.05)
    assert time.monotonic() - started > 0.8
    with pytest.raises(ConnectionError):
        idle.read()
    busy.do('RPUSH', 'none', 'x')
    assert blocked.read()[0] == '*'
    assert busy.do('PUBLISH', 'c', 'm') == 1
    assert subscriber.read()[0] == '*'


def test_password(start):
    server = start('--requirepass', 'secret', password='secret')
    server.password = None  # from here on, clients do not sign in by themselves
    with server.client() as client:
        for words in (['GET', 'k'], ['CONFIG', 'GET', 'requirepass'], ['MULTI'],
                      ['CLIENT', 'LIST'], ['PING']):
            assert client.call(*words) == ('-', b'NOAUTH Authentication required.')
        assert client.call('NOSUCH')[1].startswith(b'ERR unknown command')
        assert client.call('AUTH', 'wrong') == (
            '-', b'WRONGPASS invalid username-password pair or user is disabled.')
        assert client.call('AUTH', 'nobody', 'secret')[1].startswith(b'WRONGPASS')
        assert client.call('HELLO', '3')[1].startswith(b'NOAUTH HELLO must be called with')
        assert client.call('HELLO', '2', 'AUTH', 'default', 'secret')[0] == '*'
        assert client.do('CONFIG', 'GET', 'requirepass') == [b'requirepass', b'secret']
        assert client.call('RESET') == ('+', b'RESET')
        assert client.call('GET', 'k')[0] == '-'
        assert client.call('AUTH', 'secret') == ('+', b'OK')
        client.do('CONFIG', 'SET', 'requirepass', '')
    with server.client() as client:
        assert client.do('PING') == b'PONG'
        assert client.call('AUTH', 'x')[1].startswith(
            b'ERR AUTH <password> called without any password configured for the default user.')


def own_address():
    """An address of this machine that is not the loopback's; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))  # sends nothing: only chooses a route
            return probe.getsockname()[0]
        except OSError:
            return None


def test_protected_mode(start):
    """Without a password, only clients of this machine's loopback are served."""
    address = own_address()
    if address is None or address.startswith('127.'):
        pytest.skip('this machine has no address but the loopback')
    server = start('--bind', '*')
    with Client((address, server.port)) as stranger:
        kind, text = stranger.read()
        assert kind == '-' and text.startswith(b'DENIED ') and b'protected mode' in text
        with pytest.raises(ConnectionError):
            stranger.read()
    with server.client() as friend:
        friend.do('CONFIG', 'SET', 'protected-mode', 'no')
        with Client((address, server.port)) as stranger:
            assert stranger.do('PING') == b'PONG'
        friend.do('CONFIG', 'SET', 'protected-mode', 'yes', 'requirepass', 'secret')
        with Client((address, server.port)) as stranger:
            assert stranger.do('AUTH', 'secret') == b'OK'


def test_commands_under_other_names(start):
    server = start('--rename-command', 'CONFIG', 'hidden', config='rename-command FLUSHALL ""\n'
                                                                  'rename-command GET fetch\n')
    with server.client() as client:
        for words in (['CONFIG', 'GET', 'port'], ['FLUSHALL'], ['GET', 'k']):
            with pytest.raises(ReplyError, match='unknown command'):
                client.do(*words)
        assert client.do('HIDDEN', 'GET', 'databases') == [b'databases', b'16']
        client.do('SET', 'k', 'v')
        assert client.do('fetch', 'k') == b'v'
        client.do('MULTI')
        client.do('FETCH', 'k')
        assert client.do('EXEC') == [b'v']


def test_slow_subscriber_is_let_go(start):
    """Messages wait in memory for who does not read them: up to the limit, then no more."""
    server = start('--client-output-buffer-limit', 'pubsub', '8mb', '0', '0')
    slow, publisher = server.client(), server.client()
    slow.do('SUBSCRIBE', 'flood')
    message = b'x' * (256 << 10)
    sent = 0
    while publisher.do('PUBLISH', 'flood', message):
        sent += len(message)
        assert sent < 64 * MB, 'the subscriber is still there'
    assert sent >= 7 * MB
    until(lambda: b'connected_clients:1\r\n' in publisher.do('INFO', 'clients'), 'the end')


def thread_of(client):
    return re.search(rb' io-thread=(\d+)', client.do('CLIENT', 'INFO'))[1]


def test_publisher_waits_for_a_thread_that_is_busy(start):
    """Messages for a thread that runs a script do not fill the memory meanwhile; all arrive, in order."""
    server = start('--threads', '2', '--client-output-buffer-limit', 'pubsub', '0', '0', '0')
    publisher, *others = [server.client() for _ in range(8)]
    neighbours = [client for client in others if thread_of(client) == thread_of(publisher)]
    subscriber, busy = [client for client in others if client not in neighbours][:2]

    def memory():
        return int(re.search(rb'used_memory:(\d+)', neighbours[0].do('INFO', 'memory'))[1])

    count, size = 400, 256 << 10
    subscriber.do('SUBSCRIBE', 'flood')
    before = memory()
    busy.send('EVAL', "while redis.call('TIME')[1] < ARGV[1] do end return redis.call('PUBLISH', 'flood', 'free')",
              '0', str(int(time.time()) + 3))
    replies = []
    flood = threading.Thread(target=lambda: [
        replies.append(publisher.do('PUBLISH', 'flood', b'%08d' % i + b'x' * size)) for i in range(count)])
    flood.start()
    while not busy.read_arrived()[0]:
        assert memory() - before < 32 * MB, '%d messages wait' % len(replies)
        time.sleep(0.01)
    messages = [plain(subscriber.read())[2] for _ in range(count + 1)]
    flood.join()
    messages.remove(b'free')
    assert [message[:8] for message in messages] == [b'%08d' % i for i in range(count)]
    assert replies == [1] * count


def test_client_that_never_reads_is_let_go(start):
    server = start('--client-output-buffer-limit', 'normal', '16mb', '0', '0')
    greedy, other = server.client(), server.client()
    other.do('SET', 'big', b'x' * MB)
    before = resident_bytes(server.pid)
    try:
        greedy.send_raw(b'GET big\r\n' * 2000)
    except OSError:
        pass  # closed already
    until(lambda: b'connected_clients:1\r\n' in other.do('INFO', 'clients'), 'the end')
    assert resident_bytes(server.pid) - before < 64 * MB
    assert other.do('PING') == b'PONG'


@pytest.mark.newer
def test_client_that_never_reads_stays_small(start):
    """Without a limit set, what it asked for is not computed ahead of its reading."""
    server = start()
    greedy, other = server.client(), server.client()
    other.do('SET', 'big', b'x' * MB)
    before = resident_bytes(server.pid)
    greedy.send_raw(b'GET big\r\n' * 500)
    for _ in range(20):
        other.do('PING')
        time.sleep(0.02)
    assert resident_bytes(server.pid) - before < 96 * MB
    assert sum(len(greedy.read()[1]) for _ in range(500)) == 500 * MB


def test_request_buffer_is_limited(start):
    server = start('--client-query-buffer-limit', '1mb')
    with server.client() as client:
        with pytest.raises((ConnectionError, BrokenPipeError)):
            client.send_raw(b'*2\r\n$3\r\nGET\r\n$8000000\r\n')
            for _ in range(64):
                client.send_raw(b'x' * 65536)
            client.read()
    with server.client() as client:
        assert client.do('PING') == b'PONG'


def test_largest_argument_is_limited(start):
    server = start('--proto-max-bulk-len', '2mb')
    with server.client() as client:
        assert client.do('SET', 'k', b'x' * 2 * MB) == b'OK'
        client.send_raw(b'*2\r\n$3\r\nGET\r\n$%d\r\n' % (2 * MB + 1))
        assert client.read() == ('-', b'ERR Protocol error: invalid bulk length')
        with pytest.raises(ConnectionError):
            client.read()
    with server.client() as client:
        with pytest.raises(ReplyError, match=r'string exceeds maximum allowed size \(proto-max-bulk-len\)'):
            client.do('APPEND', 'k', 'x')
        with pytest.raises(ReplyError, match='string exceeds maximum allowed size'):
            client.do('SETRANGE', 'k', 3 * MB, 'x')


def test_keepalive_is_set(start):
    server = start('--tcp-keepalive', '60')
    with server.client() as client:
        assert client.do('CONFIG', 'GET', 'tcp-keepalive') == [b'tcp-keepalive', b'60']
        with open('/proc/%d/net/tcp' % server.pid, encoding='ascii') as file:
            port = '%04X' % client.sock.getsockname()[1]
            lines = [line.split() for line in file if line.split()[2].endswith(':' + port)]
        assert any(line[5].startswith('02:') for line in lines), lines  # a keepalive timer runs


def test_maxmemory_refuses_writers(start):
    server = start('--maxmemory', '20mb', '--maxmemory-policy', 'noeviction')
    with server.client() as client:
        with pytest.raises(ReplyError, match="OOM command not allowed when used memory > 'maxmemory'"):
            for number in range(1000):
                client.do('SET', 'k%d' % number, b'x' * 100000)
        assert client.do('GET', 'k0') == b'x' * 100000
        assert client.do('DEL', 'k0') == 1
        client.do('MULTI')
        with pytest.raises(ReplyError):
            for number in range(20):
                client.do('SET', 'x%d' % number, b'x' * 100000)
            client.do('EXEC')


@pytest.mark.parametrize('policy', ['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru',
                                    'volatile-lfu', 'volatile-random', 'volatile-ttl'])
def test_eviction_makes_room(start, policy):
    server = start('--maxmemory', '20mb', '--maxmemory-policy', policy)
    with server.client() as client:
        for number in range(1500):
            client.do('SET', 'cache:%d' % number, b'x' * 20000, 'EX', 1000 + number)
        info = client.do('INFO').decode()
        used, evicted = (int(info.split(name + ':')[1].split('\r')[0])
                         for name in ('used_memory', 'evicted_keys'))
        assert used < 21 * MB
        assert 300 < evicted < 1500
        assert 'db0:keys=%d,' % (1500 - evicted) in info
        if policy.endswith(('lru', 'ttl')):
            assert client.do('GET', 'cache:1499') == b'x' * 20000
