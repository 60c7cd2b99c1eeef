# SPDX-License-Identifier: BSD-3-Clause
"""CONFIG SET of bind and port: where the server listens changes at once, whoever is connected stays."""

import socket
import threading

import pytest

from resp import Client
from server import free_port


def connects(port, address='127.0.0.1'):
    try:
        with Client((address, port), 5.0) as client:
            return client.do('PING') == b'PONG'
    except ConnectionRefusedError:
        return False


def error(client, *words):
    kind, text = client.call(*words)
    assert kind == '-', text
    return text


def ok(client, *words):
    assert client.call(*words) == ('+', b'OK')


def tcp_port(client):
    return int(client.do('INFO', 'server').split(b'tcp_port:')[1].split(b'\r')[0])


def test_another_port(start):
    server = start()
    port = free_port()
    with server.client() as client:
        ok(client, 'CONFIG', 'SET', 'port', port)
        assert connects(port)
        assert not connects(server.port)
        assert tcp_port(client) == port
        assert client.do('CONFIG', 'GET', 'port') == [b'port', b'%d' % port]
        assert client.do('PING') == b'PONG'
        ok(client, 'CONFIG', 'SET', 'port', server.port)
        assert connects(server.port)
        assert not connects(port)


def test_a_port_that_is_taken(start):
    server = start()
    with server.client() as client, socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        taken = other.getsockname()[1]
        text = error(client, 'CONFIG', 'SET', 'port', taken)
        assert text.startswith(b"ERR CONFIG SET failed (possibly related to argument 'port') - ")
        assert connects(server.port)
        assert tcp_port(client) == server.port
        assert client.do('CONFIG', 'GET', 'port') == [b'port', b'%d' % server.port]


def test_other_addresses(start):
    """Also such as overlap with those before."""
    server = start()
    with server.client() as client:
        for addresses, here, there in [('127.0.0.1 127.0.0.2', True, True), ('127.0.0.2', False, True),
                                       ('*', True, True), ('127.0.0.1 -::1', True, False),
                                       ('* -::*', True, True), ('127.0.0.1', True, False)]:
            ok(client, 'CONFIG', 'SET', 'bind', addresses)
            assert connects(server.port) == here, addresses
            assert connects(server.port, '127.0.0.2') == there, addresses
            assert client.do('CONFIG', 'GET', 'bind') == [b'bind', addresses.encode()]


def test_addresses_that_are_not_here(start):
    server = start()
    with server.client() as client:
        for addresses in ['192.0.2.1', '127.0.0.1 192.0.2.1', 'no.such.name.invalid', '127.0.0.1 127.0.0.1']:
            error(client, 'CONFIG', 'SET', 'bind', addresses)
            assert connects(server.port), addresses
            assert client.do('CONFIG', 'GET', 'bind') == [b'bind', b'127.0.0.1']


def test_both_at_once(start):
    server = start()
    port = free_port()
    with server.client() as client, socket.socket() as other:
        other.bind(('127.0.0.2', 0))
        other.listen()
        taken = other.getsockname()[1]
        ok(client, 'CONFIG', 'SET', 'port', port, 'bind', '127.0.0.2')
        assert connects(port, '127.0.0.2') and not connects(port) and not connects(server.port)
        error(client, 'CONFIG', 'SET', 'timeout', '77', 'bind', '127.0.0.1 127.0.0.2', 'port', taken)
        assert connects(port, '127.0.0.2') and not connects(port)
        assert client.do('CONFIG', 'GET', 'timeout') == [b'timeout', b'0']
        ok(client, 'CONFIG', 'SET', 'bind', '127.0.0.1', 'port', server.port)
        assert connects(server.port)


@pytest.mark.parametrize('setting, back', [(('port', '0'), 'port'), (('bind', ''), 'bind')])
def test_no_tcp_at_all(start, setting, back):
    server = start(unix=True)
    with Client(('127.0.0.1', server.port), 5.0) as client, server.client() as local:
        ok(client, 'CONFIG', 'SET', *setting)
        assert not connects(server.port)
        assert tcp_port(client) == 0
        assert local.do('PING') == client.do('PING') == b'PONG'
        with server.client() as another:  # by the Unix socket
            ok(another, 'CONFIG', 'SET', back, {'port': server.port, 'bind': '127.0.0.1'}[back])
        assert connects(server.port)


def test_rewritten(start):
    server = start(config='bind 127.0.0.1\nport 1\n')
    port = free_port()
    with server.client() as client:
        ok(client, 'CONFIG', 'SET', 'port', port, 'bind', '127.0.0.1 127.0.0.2')
        ok(client, 'CONFIG', 'REWRITE')
        with open(server.dir + '/server.conf', encoding='utf-8') as file:
            lines = file.read().split('\n')
        assert 'port %d' % port in lines and 'bind 127.0.0.1 127.0.0.2' in lines


def test_many_changes_while_others_connect(start):
    """Clients of all threads move the server to and fro; in the end it listens where the last one said."""
    server = start()
    ports = [free_port() for _ in range(4)]
    clients = [server.client() for _ in range(4)]
    failed = []

    def move(client, seed):
        for turn in range(40):
            kind, text = client.call('CONFIG', 'SET', 'port', ports[(turn * seed + turn) % 4])
            if kind != '+':
                failed.append(text)

    def connect():
        while any(thread.is_alive() for thread in threads[:4]):
            for port in ports:
                try:
                    with Client(('127.0.0.1', port), 5.0) as client:
                        client.do('PING')
                except (ConnectionError, OSError):
                    pass  # it has just moved

    threads = [threading.Thread(target=move, args=(client, seed))
               for seed, client in enumerate(clients, 1)]
    threads.append(threading.Thread(target=connect))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    ok(clients[0], 'CONFIG', 'SET', 'port', server.port)
    assert connects(server.port)
    assert not any(connects(port) for port in ports)
    for client in clients:
        client.close()
