# SPDX-License-Identifier: BSD-3-Clause
"""Rules of transactions that libraries hide: nesting, errors while queueing, what WATCH sees."""

import pytest


def test_rules_of_the_state(raw):
    client = raw()
    assert client.call('EXEC') == ('-', b'ERR EXEC without MULTI')
    assert client.call('DISCARD') == ('-', b'ERR DISCARD without MULTI')
    client.do('MULTI')
    assert client.call('MULTI') == ('-', b'ERR MULTI calls can not be nested')
    assert client.call('WATCH', 'k') == ('-', b'ERR WATCH inside MULTI is not allowed')
    assert client.call('SET', 'k') == (
        '-', b"ERR wrong number of arguments for 'set' command")
    assert client.call('EXEC') == (
        '-', b'EXECABORT Transaction discarded because of previous errors.')
    assert client.call('EXEC') == ('-', b'ERR EXEC without MULTI')


def test_empty(raw):
    client = raw()
    client.do('MULTI')
    assert client.call('EXEC') == ('*', [])


@pytest.mark.parametrize('change', [
    ['SET', 'k', 'same'], ['DEL', 'k'], ['EXPIRE', 'k', '100'], ['PERSIST', 'k'], ['FLUSHALL'],
    ['FLUSHDB'], ['RENAME', 'k', 'other'], ['APPEND', 'k', 'x'], ['SWAPDB', '0', '9'],
    ['COPY', 'k', 'k2'], ['GET', 'k'], ['TTL', 'k'], ['TOUCH', 'k'], ['SET', 'elsewhere', 'v'],
    ['GETEX', 'k', 'PERSIST'], ['SETNX', 'k', 'v'], ['MOVE', 'k', '3'], ['UNLINK', 'k'],
])
def test_what_a_watcher_notices(raw, reference, change):
    """The same on Debian's redis-server."""
    def noticed(client, rival):
        client.do('FLUSHALL')
        client.do('SET', 'k', 'same')
        client.do('WATCH', 'k')
        rival.do(*change)
        client.do('MULTI')
        client.do('PING')
        return client.call('EXEC') == ('*', None)

    with reference.client() as client, reference.client() as rival:
        expected = noticed(client, rival)
    assert noticed(raw(), raw()) == expected


def test_blocking_commands_do_not_block_inside(raw):
    client = raw()
    client.do('MULTI')
    client.do('BLPOP', 'none', '0')
    client.do('BZPOPMIN', 'none', '0')
    client.do('BLMOVE', 'none', 'b', 'LEFT', 'LEFT', '0')
    assert client.call('EXEC') == ('*', [('*', None), ('*', None), ('$', None)])


def test_waiters_are_served_after_the_transaction(raw):
    client, waiter = raw(), raw()
    waiter.send('BLPOP', 'l', '5')
    while b'blocked_clients:1' not in client.do('INFO', 'clients'):
        pass
    client.do('MULTI')
    client.do('RPUSH', 'l', 'a')
    client.do('DEL', 'l')
    client.do('RPUSH', 'l', 'b')
    assert client.do('EXEC') == [1, 1, 1]
    assert waiter.read() == ('*', [('$', b'l'), ('$', b'b')])


def test_disconnect_forgets_the_transaction(raw):
    client, other = raw(), raw()
    client.do('MULTI')
    client.do('SET', 'k', 'v')
    client.close()
    assert other.call('GET', 'k') == ('$', None)
