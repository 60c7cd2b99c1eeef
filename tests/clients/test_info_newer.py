# SPDX-License-Identifier: BSD-3-Clause
"""What INFO and HELLO tell that came after Redis 7.0."""

import time

import pytest

from conftest import until

pytestmark = pytest.mark.newer


def info(client, section):
    lines = client.do('INFO', section).decode().split('\r\n')
    return dict(line.split(':', 1) for line in lines if ':' in line)


def test_where_the_server_is(start):
    server = start('--availability-zone', 'eu-1a')
    with server.client() as client:
        assert info(client, 'server')['availability_zone'] == 'eu-1a'
        hello = client.do('HELLO', '3')
        assert hello[b'availability_zone'] == b'eu-1a'
        client.do('CONFIG', 'SET', 'availability-zone', '')
        assert info(client, 'server')['availability_zone'] == ''
        assert b'availability_zone' not in client.do('HELLO', '3')


def test_what_is_paused(start):
    server = start()
    with server.client() as client:
        def paused():
            fields = info(client, 'clients')
            return fields['paused_reason'], fields['paused_actions'], int(fields['paused_timeout_milliseconds'])

        assert paused() == ('none', 'none', 0)
        client.do('CLIENT', 'PAUSE', '60000', 'WRITE')
        reason, actions, left_ms = paused()
        assert (reason, actions) == ('client_pause', 'write') and 50000 < left_ms <= 60000
        client.do('CLIENT', 'UNPAUSE')
        assert paused() == ('none', 'none', 0)


def test_nothing_is_evicted_or_swept_while_clients_are_paused(start):
    server = start('--maxmemory-policy', 'allkeys-random')
    with server.client() as client:
        for i in range(100):
            client.do('SET', 'k%d' % i, 'v')
        client.do('PSETEX', 'short', '1', 'v')
        until(lambda: info(client, 'stats')['expired_keys'] == '1', 'the key that expires')
        client.do('MULTI')
        client.do('PSETEX', 'short', '1', 'v')
        client.do('CONFIG', 'SET', 'maxmemory', '1')
        client.do('CLIENT', 'PAUSE', '60000', 'WRITE')
        client.do('EXEC')
        end = time.monotonic() + 0.4
        while time.monotonic() < end:  # several rounds of what goes on in the background
            assert client.do('GET', 'k1') == b'v'
        stats = info(client, 'stats')
        assert stats['evicted_keys'] == '0' and stats['expired_keys'] == '1' and client.do('DBSIZE') == 101
        client.do('CLIENT', 'UNPAUSE')
        assert until(lambda: client.do('DBSIZE') == 0, 'eviction')


def test_keys_that_are_waited_for_even_when_they_go(raw):
    asking, popping, reading, other = raw(), raw(), raw(), raw()

    def waited_for():
        fields = info(asking, 'clients')
        return int(fields['total_blocking_keys']), int(fields['total_blocking_keys_on_nokey'])

    def blocked(count):
        until(lambda: info(asking, 'clients')['blocked_clients'] == str(count), '%d blocked' % count)

    popping.send('BLPOP', 'k', '0')
    blocked(1)
    assert waited_for() == (1, 0)
    asking.do('XGROUP', 'CREATE', 'k', 'g', '$', 'MKSTREAM')
    for count, client in ((2, reading), (3, other)):
        client.send('XREADGROUP', 'GROUP', 'g', 'me', 'BLOCK', '0', 'STREAMS', 'k', '>')
        blocked(count)
    assert waited_for() == (1, 1)
    asking.do('DEL', 'k')
    assert reading.read()[0] == other.read()[0] == '-'
    assert waited_for() == (1, 0)
    asking.do('RPUSH', 'k', 'x')
    popping.read()
    assert waited_for() == (0, 0)


def test_clients_closed_for_what_they_send_or_leave(start):
    server = start('--client-query-buffer-limit', '1mb', '--client-output-buffer-limit', *'normal 1mb 0 0'.split())
    with server.client() as asking, server.client() as sending, server.client() as taking:
        def closed():
            fields = info(asking, 'stats')
            return [int(fields['client_%s_buffer_limit_disconnections' % kind]) for kind in ('query', 'output')]

        assert closed() == [0, 0]
        asking.do('SET', 'k', 'x' * 100000)
        taking.send_raw(b'*31\r\n$4\r\nMGET\r\n' + b'$1\r\nk\r\n' * 30)
        assert until(lambda: closed() == [0, 1], 'a reply that is too large')
        try:
            sending.send_raw(b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000000\r\n')
            for _ in range(200):
                sending.send_raw(b'x' * 40000)
        except OSError:
            pass  # it is closed while it still sends
        assert until(lambda: closed() == [1, 1], 'a request that is too large')
        asking.do('CONFIG', 'RESETSTAT')
        assert closed() == [0, 0]


def test_expired_fields_by_both_names(raw):
    client = raw()
    before = info(client, 'stats')
    client.do('HSET', 'h', 'a', '1', 'b', '2')
    client.do('HPEXPIRE', 'h', '1', 'FIELDS', '1', 'a')
    time.sleep(0.005)
    until(lambda: client.do('HEXISTS', 'h', 'a') == 0 and
          int(info(client, 'stats')['expired_fields']) == int(before['expired_fields']) + 1, 'the field')
    after = info(client, 'stats')
    assert after['expired_fields'] == after['expired_subkeys']


def test_codes_that_scripts_make_up_do_not_hide_the_servers_own(start):
    server = start()
    with server.client() as client:
        for i in range(200):
            assert client.call('EVAL', "return redis.error_reply('X%d text')" % i, '0')[0] == '-'
        assert client.call('EVAL', "return redis.error_reply('X3 again')", '0')[0] == '-'
        assert client.call('EVAL', "return redis.error_reply('ERRORSTATS_OVERFLOW text')", '0')[0] == '-'
        assert client.call('GET')[0] == '-'
        client.do('LPUSH', 'l', 'a')
        assert client.call('GET', 'l')[0] == '-'
        errors = info(client, 'errorstats')
        assert len(errors) == 128 + 3
        assert errors['errorstat_ERRORSTATS_OVERFLOW'] == 'count=73'
        assert errors['errorstat_X3'] == 'count=2'
        assert errors['errorstat_ERR'] == errors['errorstat_WRONGTYPE'] == 'count=1'
        client.do('CONFIG', 'RESETSTAT')
        assert info(client, 'errorstats') == {}


def test_each_kind_of_pause_ends_at_its_own_time(start):
    server = start()
    with server.client() as client, server.client() as reading, server.client() as writing:
        client.do('SET', 'k', 'v')
        client.do('CLIENT', 'PAUSE', '300', 'ALL')
        client.do('CLIENT', 'PAUSE', '60000', 'WRITE')
        begin = time.monotonic()
        reading.send('GET', 'k')
        writing.send('SET', 'k', 'w')
        assert reading.read() == ('$', b'v')
        assert 0.2 < time.monotonic() - begin < 20, 'paused with the rest, and no longer'
        fields = info(client, 'clients')
        assert fields['paused_actions'] == 'write' and int(fields['paused_timeout_milliseconds']) > 30000
        assert until(lambda: info(client, 'clients')['blocked_clients'] == '1', 'one that is held')
        client.do('CLIENT', 'PAUSE', '1', 'WRITE')
        assert int(info(client, 'clients')['paused_timeout_milliseconds']) > 30000
        client.do('CLIENT', 'UNPAUSE')
        assert writing.read() == ('+', b'OK')
        assert client.do('GET', 'k') == b'w'
