# SPDX-License-Identifier: BSD-3-Clause
"""Ending: signals, SHUTDOWN, what clients see, what a crash leaves behind."""

import re
import signal

import pytest

from conftest import until
from resp import ReplyError


def closed(client):
    """Whether the server closes the connection without saying more."""
    try:
        client.read()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_well(start, number):
    server = start()
    idle, blocked = server.client(), server.client()
    blocked.send('BLPOP', 'none', '0')
    until(lambda: b'blocked_clients:1' in idle.do('INFO', 'clients'), 'the blocked client')
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert closed(idle)
    # The blocked one may be told why before it is closed.
    assert closed(blocked) or closed(blocked)


@pytest.mark.parametrize('words', [[], ['NOSAVE'], ['NOSAVE', 'NOW'], ['NOSAVE', 'FORCE']])
def test_shutdown(start, words):
    server = start()
    client = server.client()
    client.send('SHUTDOWN', *words)
    assert closed(client)
    assert server.process.wait(10) == 0


def test_shutdown_refuses_nonsense(start):
    server = start()
    with server.client() as client:
        with pytest.raises(ReplyError, match='syntax error'):
            client.do('SHUTDOWN', 'GENTLY')
        with pytest.raises(ReplyError, match='syntax error'):
            client.do('SHUTDOWN', 'SAVE', 'NOSAVE')
        with pytest.raises(ReplyError, match='No shutdown in progress'):
            client.do('SHUTDOWN', 'ABORT')
        assert client.do('PING') == b'PONG'


@pytest.mark.newer
def test_answers_before_the_end_arrive(start):
    server = start()
    client = server.client()
    client.send_raw(b''.join(b'INCR n\r\n' for _ in range(1000)) + b'SHUTDOWN NOSAVE\r\n')
    assert [client.read()[1] for _ in range(1000)] == list(range(1, 1001))
    assert closed(client)
    assert server.process.wait(10) == 0


def test_hangup_is_ignored(start):
    server = start()
    server.process.send_signal(signal.SIGHUP)
    server.process.send_signal(signal.SIGPIPE)
    with server.client() as client:
        assert client.do('PING') == b'PONG'


@pytest.mark.parametrize('number', [signal.SIGSEGV, signal.SIGABRT])
def test_crash_leaves_a_report(start, number):
    server = start()
    with server.client() as client:
        client.do('SET', 'k', 'v')
    server.process.send_signal(number)
    assert server.process.wait(20) == -number
    server.process = None  # it ended as intended
    log = server.log()
    assert re.search('crashed by signal:? %d' % number, log)
    assert 'backtrace' in log.lower()
    assert 'main+0x' in log


def test_ends_under_load(start):
    server = start()
    clients = [server.client() for _ in range(20)]
    for client in clients:
        client.send_raw(b'INCR n\r\n' * 2000)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(15) == 0
    for client in clients:
        client.close()
