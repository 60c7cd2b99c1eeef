# SPDX-License-Identifier: BSD-3-Clause
"""A client gets memory for bytes that it sent, never for bytes that it announced."""

import pytest

from conftest import until
from launch import resident_bytes
from resp import encode

MB = 1 << 20
CLIENTS = 50


def grown(server, data):
    """How much the process grows while many clients have sent data and wait; at most."""
    with server.client() as other:
        other.do('PING')
        before = resident_bytes(server.pid)
        clients = [server.client() for _ in range(CLIENTS)]
        for client in clients:
            client.send_raw(data)
        most = 0
        for _ in range(30):
            other.do('INFO', 'clients')
            most = max(most, resident_bytes(server.pid) - before)
        for client in clients:
            client.close()
        until(lambda: b'connected_clients:1\r\n' in other.do('INFO', 'clients'), 'the end')
        return most


@pytest.mark.newer
@pytest.mark.parametrize('data', [
    b'*2\r\n$3\r\nGET\r\n$536870912\r\n', b'*2147483647\r\n', b'*2147483647\r\n$536870912\r\n',
    b'*1000000\r\n$1\r\nx\r\n', b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n' + b'x' * 1000,
], ids=['large argument', 'many arguments', 'both', 'some of many', 'some of a large one'])
def test_announcing_costs_nothing(start, data):
    server = start()
    assert grown(server, data) < 16 * MB


@pytest.mark.newer
def test_what_a_request_took_is_given_back(start):
    server = start()
    with server.client() as client, server.client() as other:
        client.do('PING')
        info = other.do('INFO', 'memory').decode()
        before = int(info.split('used_memory:')[1].split('\r')[0])
        client.do('ECHO', b'x' * (32 * MB))
        client.do('PING')

        def given_back():
            text = other.do('INFO', 'memory').decode()
            return int(text.split('used_memory:')[1].split('\r')[0]) < before + 2 * MB
        until(given_back, 'the memory to be given back')


def test_many_small_arguments(start):
    """A million arguments are a request like any other."""
    server = start()
    with server.client() as client:
        assert client.do('RPUSH', 'l', *['x'] * 1000000) == 1000000
        assert client.do('DEL', *['k'] * 1000000) == 0
        assert client.do('LLEN', 'l') == 1000000


def test_transactions_queue_is_freed(start):
    server = start()
    with server.client() as client, server.client() as other:
        client.do('MULTI')
        value = b'x' * 100000
        for _ in range(300):
            client.send_raw(encode(['SET', 'k', value]))
        for _ in range(300):
            assert client.read() == ('+', b'QUEUED')
        client.do('DISCARD')
        client.close()

        def small():
            text = other.do('INFO', 'memory').decode()
            return int(text.split('used_memory:')[1].split('\r')[0]) < 20 * MB
        until(small, 'the queue to be freed')
