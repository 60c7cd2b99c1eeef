# SPDX-License-Identifier: BSD-3-Clause
"""Edges of the server's core: huge times, messages to oneself, errors within EXEC, clients that never read."""

import socket
import time

import pytest

from resp import encode


def exchange(server, *requests, ends):
    """Sends the requests as they are; returns the bytes up to and with `ends`."""
    with socket.create_connection(('127.0.0.1', server.port), 10) as sock:
        sock.sendall(b''.join(encode(request) for request in requests))
        got = b''
        while not got.endswith(ends):
            part = sock.recv(65536)
            assert part, got
            got += part
        return got


def blocked(client, count):
    while b'blocked_clients:%d\r' % count not in client.do('INFO', 'clients'):
        pass


def test_a_timeout_of_ages_is_for_ever(raw):
    client, waiter = raw(), raw()
    waiter.send('BLPOP', 'ages', '9000000000000000')
    blocked(client, 1)
    client.do('RPUSH', 'ages', 'a')
    assert waiter.read() == ('*', [('$', b'ages'), ('$', b'a')])


def test_a_pause_of_ages_ends_when_told(start):
    server = start()
    with server.client() as client, server.client() as held:
        client.do('CLIENT', 'PAUSE', '9000000000000000000', 'WRITE')
        held.send('SET', 'k', 'v')
        blocked(client, 1)
        used = cpu(server)
        time.sleep(1)
        assert cpu(server) - used < 0.5
        client.do('CLIENT', 'UNPAUSE')
        assert held.read() == ('+', b'OK')


def cpu(server):
    with open('/proc/%d/stat' % server.process.pid) as stat:
        fields = stat.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_who_quits_without_reading_costs_nothing(start):
    server = start()
    with server.client() as client:
        client.do('SET', 'big', 'x' * (8 << 20))
    with socket.create_connection(('127.0.0.1', server.port), 10) as sock:
        sock.sendall(encode(['GET', 'big']) * 4 + encode(['QUIT']) + encode(['PING']))
        time.sleep(0.3)
        sock.sendall(encode(['PING']))
        time.sleep(0.3)
        used = cpu(server)
        time.sleep(1)
        assert cpu(server) - used < 0.5


def test_messages_to_oneself_stay_outside_of_replies(start):
    server = start()
    got = exchange(server, ['HELLO', '3'], ['SUBSCRIBE', 'ch'], ['MULTI'], ['PING'], ['PUBLISH', 'ch', 'x'], ['EXEC'],
                   ['ECHO', 'end'], ends=b'$3\r\nend\r\n')
    assert got.endswith(b'+QUEUED\r\n+QUEUED\r\n*2\r\n+PONG\r\n:1\r\n'
                        b'>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\nx\r\n$3\r\nend\r\n')


@pytest.mark.parametrize('threads', ['1', '4'])
def test_messages_to_oneself_come_after_the_reply(start, threads):
    server = start('--threads', threads)
    heard = b'>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\n%s\r\n'
    script = "redis.call('publish', 'ch', 'c') redis.call('publish', 'ch', 'd') return 'e'"
    got = exchange(server, ['HELLO', '3'], ['SUBSCRIBE', 'ch'], ['ECHO', 'begin'], ['PUBLISH', 'ch', 'a'],
                   ['PUBLISH', 'ch', 'b'], ['EVAL', script, '0'], ['CLIENT', 'REPLY', 'SKIP'], ['PUBLISH', 'ch', 'f'],
                   ['ECHO', 'end'], ends=b'$3\r\nend\r\n')
    assert got.split(b'begin\r\n')[1] == (
        b':1\r\n' + heard % b'a' + b':1\r\n' + heard % b'b' + b'$1\r\ne\r\n' + heard % b'c' + heard % b'd' +
        heard % b'f' + b'$3\r\nend\r\n')
    got = exchange(server, ['HELLO', '3'], ['CONFIG', 'SET', 'notify-keyspace-events', 'KEA'],
                   ['SUBSCRIBE', '__keyevent@0__:set'], ['ECHO', 'begin'], ['SET', 'k', 'v'], ['ECHO', 'end'],
                   ends=b'$3\r\nend\r\n')
    assert got.split(b'begin\r\n')[1] == (
        b'+OK\r\n>3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$1\r\nk\r\n$3\r\nend\r\n')


def test_errors_within_exec_count_once(start):
    server = start()
    with server.client() as client:
        client.do('SET', 's', 'v')
        for command in (['MULTI'], ['LPUSH', 's', 'x'], ['PING']):
            client.do(*command)
        client.call('EXEC')
        assert b'errorstat_WRONGTYPE:count=1\r' in client.do('INFO', 'errorstats')
        stats = client.do('INFO', 'commandstats').split(b'\r\n')
        assert [line for line in stats if line.startswith(b'cmdstat_exec:')][0].endswith(b'failed_calls=0')
        assert [line for line in stats if line.startswith(b'cmdstat_lpush:')][0].endswith(b'failed_calls=1')


def test_keys_whose_end_is_waited_for_are_counted(start):
    server = start()
    with server.client() as client, server.client() as popping, server.client() as reading, server.client() as third:
        def counts():
            facts = dict(line.split(':') for line in client.do('INFO', 'clients').decode().split('\r\n') if ':' in line)
            return tuple(int(facts['total_blocking_keys' + rest]) for rest in ('', '_on_nokey'))
        popping.send('BLPOP', 's', '0')
        blocked(client, 1)
        assert counts() == (1, 0)
        client.do('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
        for each, count in ((reading, 2), (third, 3)):
            each.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>')
            blocked(client, count)
            assert counts() == (1, 1)
        client.do('DEL', 's')
        assert reading.read()[1].startswith(b'NOGROUP') and third.read()[1].startswith(b'NOGROUP')
        blocked(client, 1)
        assert counts() == (1, 0)
        client.do('RPUSH', 's', 'a')
        popping.read()
        assert counts() == (0, 0)


def test_common_subsequences_take_bounded_memory(start):
    """Two strings of 400 KB would take 640 GB: that is refused, not promised and then missed."""
    server = start('--proto-max-bulk-len', '1mb')
    too_much = ('-', b'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
    with server.client() as client:
        client.do('MSET', 'short', 'ab' * 200, 'long', 'ab' * 300, 'huge', 'ab' * 200000)
        assert client.do('LCS', 'short', 'short') == b'ab' * 200
        assert client.do('LCS', 'short', 'short', 'LEN') == 400
        for options in ([], ['LEN'], ['IDX']):
            assert client.call('LCS', 'long', 'long', *options) == too_much
            assert client.call('LCS', 'huge', 'huge', *options) == too_much
        client.do('CONFIG', 'SET', 'proto-max-bulk-len', '2mb')
        assert client.do('LCS', 'long', 'long', 'LEN') == 600
        assert client.call('LCS', 'huge', 'huge') == too_much


def test_the_limit_of_replies_holds_where_there_is_room(start):
    """The thread's buffer has grown with the replies of a batch; another client's reply may still not use it."""
    server = start('--threads', '1')
    with server.client() as client, server.client() as other:
        client.do('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 100000 0 0')
        client.do('SET', 'k', 'x' * 10000)
        client.do('RPUSH', 'l', *['x' * 1000] * 150)
        for _ in range(30):
            other.send_raw(encode(['GET', 'k']) * 20)
            for _ in range(20):
                assert len(other.read()[1]) == 10000
        client.do('MULTI')
        client.do('LRANGE', 'l', '0', '-1')
        client.do('SET', 'after', '1')
        with pytest.raises((EOFError, ConnectionError)):
            client.call('EXEC')
        assert other.do('GET', 'after') == b'1'


def flood(server, data, most):
    """How much of data, over and over, the server takes from one who reads nothing; None when that was all."""
    with socket.create_connection(('127.0.0.1', server.port), 10) as sock:
        taken = 0
        try:
            while taken < most:
                taken += sock.send(data)
        except ConnectionError:
            return taken
        return None


def test_who_has_not_authenticated_leaves_nothing_waiting(start):
    server = start('--requirepass', 'secret', password='secret')
    assert flood(server, encode(['SET', 'k', 'v']) * 1000, 200 << 20) is not None
    with server.client() as client, socket.create_connection(('127.0.0.1', server.port), 10) as sock:
        client.do('SET', 'k', 'x' * 100000)
        # A pipeline that begins with the password may bring what it likes, and take its replies late.
        sock.sendall(encode(['AUTH', 'secret']) + encode(['SET', 'l', 'y' * 3000000]) + encode(['GET', 'k']) * 100 +
                     encode(['ECHO', 'end']))
        got = 0
        while got < 100 * 100011:
            got += len(sock.recv(1 << 20))
        assert client.do('STRLEN', 'l') == 3000000


READS = '#!lua flags=no-writes\nreturn %s'
LIBRARY = """#!lua name=lib
redis.register_function{function_name='reads', callback=function() return 1 end, flags={'no-writes'}}
redis.register_function('writes', function() return 1 end)"""


def test_scripts_that_do_not_write_are_not_held_by_a_pause_of_writes(start):
    server = start()
    with server.client() as client, server.client() as runner:
        sha = client.do('SCRIPT', 'LOAD', READS % 2).decode()
        other = client.do('SCRIPT', 'LOAD', '#!lua\nreturn 3').decode()
        client.do('FUNCTION', 'LOAD', LIBRARY)
        client.do('CLIENT', 'PAUSE', '100000', 'WRITE')
        assert runner.do('EVAL', READS % 1, '0') == 1
        assert runner.do('EVALSHA', sha, '0') == 2
        assert runner.do('EVAL_RO', "return redis.call('GET', 'k')", '1', 'k') is None
        assert runner.do('FCALL', 'reads', '0') == runner.do('FCALL_RO', 'reads', '0') == 1
        runner.do('MULTI')
        runner.do('EVAL', READS % 4, '0')
        assert runner.do('EXEC') == [4]
        held = [['EVAL', 'return 5', '0'], ['EVAL', '#!lua\nreturn 5', '0'], ['EVALSHA', other, '0'],
                ['EVAL', '#!lua flags=nonsense\nreturn 5', '0'], ['EVALSHA', 'f' * 40, '0'], ['FCALL', 'writes', '0'],
                ['FCALL', 'nobody', '0']]
        clients = [server.client() for _ in held]
        for each, command in zip(clients, held):
            each.send(*command)
        blocked(client, len(held))
        client.do('CLIENT', 'UNPAUSE')
        for each in clients:
            each.read()
            each.close()


def test_looking_whether_a_key_is_there_is_no_access(start):
    server = start('--maxmemory-policy', 'allkeys-lfu', '--lfu-log-factor', '0')
    with server.client() as client:
        client.do('SET', 'k', 'v')
        before = client.do('OBJECT', 'FREQ', 'k')
        for command in (['EXISTS', 'k'], ['TTL', 'k'], ['PTTL', 'k'], ['TYPE', 'k'], ['OBJECT', 'ENCODING', 'k']):
            client.do(*command)
            assert client.do('OBJECT', 'FREQ', 'k') == before
        client.do('TOUCH', 'k')
        assert client.do('OBJECT', 'FREQ', 'k') == before + 1


@pytest.mark.parametrize('command, error', [
    (['FUNCTION', 'FLUSH', 'SYNC', 'x'], "ERR unknown subcommand or wrong number of arguments for 'flush'. "
                                         "Try FUNCTION HELP."),
    (['CLIENT', 'KILL', 'MAXAGE', 'x'], 'ERR maxage is not an integer or out of range'),
    (['CLIENT', 'KILL', 'MAXAGE', '0'], 'ERR maxage should be greater than 0'),
    (['CLIENT', 'KILL', 'MAXAGE', '-1'], 'ERR maxage should be greater than 0'),
    (['BITPOS', 'k', '0', '1', 'x', 'y'], 'ERR syntax error'),
    (['BITPOS', 'k', '0', 'x', '1', 'y'], 'ERR value is not an integer or out of range'),
    (['BITCOUNT', 'k', '0', 'x', 'y'], 'ERR value is not an integer or out of range'),
    (['BITCOUNT', 'k', '0', '1', 'y'], 'ERR syntax error'),
])
def test_which_mistake_is_told(raw, command, error):
    assert raw().call(*command) == ('-', error.encode())


def test_keys_of_scripts_without_keys(raw):
    client = raw()
    for command in (['EVAL', 'return 1', '0'], ['EVALSHA', 'x', '0', 'arg'], ['FCALL', 'f', '0'], ['EVAL', 'x', '5', 'a']):
        assert client.do('COMMAND', 'GETKEYS', *command) == []
    assert client.call('COMMAND', 'GETKEYS', 'ZUNION', '0', 'a')[0] == '-'


def command_stats(client, name):
    """(calls, rejected, failed) of a command."""
    for line in client.do('INFO', 'commandstats').decode().split('\r\n'):
        if line.startswith('cmdstat_%s:' % name):
            figures = dict(item.split('=') for item in line.split(':')[1].split(','))
            return tuple(int(figures[name]) for name in ('calls', 'rejected_calls', 'failed_calls'))
    return None


def test_calls_with_too_few_arguments_are_counted_as_rejected(start):
    server = start()
    with server.client() as client:
        assert client.call('SET', 'k')[0] == '-'
        client.do('MULTI')
        assert client.call('SET')[0] == '-'
        assert client.call('EXEC')[0] == '-'
        assert client.call('XGROUP', 'CREATE', 'k')[0] == '-'
        client.do('SET', 'k', 'v')
        assert command_stats(client, 'set') == (1, 2, 0)
        assert command_stats(client, 'xgroup|create') == (0, 1, 0)
        assert command_stats(client, 'exec') == (1, 0, 1)


@pytest.mark.parametrize('threads', ['1', '4'])
def test_an_error_that_ends_waiting_is_counted(start, threads):
    server = start('--threads', threads)
    with server.client() as client, server.client() as waiter:
        number = waiter.do('CLIENT', 'ID')
        waiter.send('BLPOP', 'k', '0')
        blocked(client, 1)
        client.do('CLIENT', 'UNBLOCK', str(number), 'ERROR')
        assert waiter.read()[1].startswith(b'UNBLOCKED')
        client.do('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
        waiter.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>')
        blocked(client, 1)
        client.do('DEL', 's')
        assert waiter.read()[1].startswith(b'NOGROUP')
        errors = client.do('INFO', 'errorstats')
        assert b'errorstat_UNBLOCKED:count=1\r' in errors and b'errorstat_NOGROUP:count=1\r' in errors
        assert command_stats(client, 'blpop') == (1, 0, 1)
        assert command_stats(client, 'xreadgroup') == (1, 0, 1)


@pytest.mark.parametrize('held', [False, True], ids=['blocked', 'paused'])
def test_a_reply_to_skip_is_skipped_later(start, held):
    server = start()
    with server.client() as client, server.client() as other:
        if held:
            other.do('CLIENT', 'PAUSE', '10000', 'WRITE')
        client.send('CLIENT', 'REPLY', 'SKIP')
        client.send(*(['SET', 'k', 'v'] if held else ['BLPOP', 'k', '0']))
        client.send('ECHO', 'end')
        blocked(other, 1)
        if held:
            other.do('CLIENT', 'UNPAUSE')
        else:
            other.do('RPUSH', 'k', 'v')
        assert client.read() == ('$', b'end')


def test_a_queue_counts_against_the_query_limit(start):
    server = start('--client-query-buffer-limit', '1mb')
    with socket.create_connection(('127.0.0.1', server.port), 10) as sock:
        sock.sendall(encode(['MULTI']))
        with pytest.raises(ConnectionError):
            while True:
                sock.sendall(encode(['SET', 'k', 'x' * 10000]))
                if not sock.recv(65536):
                    raise ConnectionResetError


@pytest.mark.parametrize('threads', ['1', '4'])
def test_who_was_killed_is_not_served(start, threads):
    """Not even when the push follows in the same batch, before the client's thread has closed it."""
    server = start('--threads', threads)
    with server.client() as client:
        for round in range(30):
            with server.client() as waiter:
                number = waiter.do('CLIENT', 'ID')
                waiter.send('BLPOP', 'queue', '0')
                blocked(client, 1)
                client.send_raw(encode(['CLIENT', 'KILL', 'ID', number]) +
                                encode(['RPUSH', 'queue', 'job']) + encode(['LPOP', 'queue']))
                assert client.read_many(3) == [(':', 1), (':', 1), ('$', b'job')]
                assert waiter.sock.recv(100) == b''
                blocked(client, 0)


@pytest.mark.parametrize('threads', ['1', '4'])
def test_who_was_unblocked_is_not_served(start, threads):
    server = start('--threads', threads)
    with server.client() as client, server.client() as waiter:
        number = waiter.do('CLIENT', 'ID')
        for round in range(30):
            waiter.send('BLPOP', 'queue', '0')
            blocked(client, 1)
            unblock = encode(['CLIENT', 'UNBLOCK', number, 'ERROR'])
            client.send_raw(unblock * 2 + encode(['RPUSH', 'queue', 'job']) +
                            encode(['LPOP', 'queue']))
            assert client.read_many(4) == [(':', 1), (':', 0), (':', 1), ('$', b'job')]
            assert waiter.read() == ('-', b'UNBLOCKED client unblocked via CLIENT UNBLOCK')
        assert client.do('CLIENT', 'UNBLOCK', number) == 0
        assert waiter.do('PING') == b'PONG'


@pytest.mark.parametrize('request_', [
    ['HRANDFIELD', 'hash', '-9223372036854775807'], ['SRANDMEMBER', 'set', '-9223372036854775807'],
    ['HRANDFIELD', 'hash', '-4611686018427387903', 'WITHVALUES'],
    ['ZRANDMEMBER', 'zset', '-9223372036854775807'],
    ['ZRANDMEMBER', 'zset', '-4611686018427387903', 'WITHSCORES'],
], ids=' '.join)
def test_more_random_members_than_the_limit_allows(start, request_):
    """As in Redis: the client is closed once its reply is over the limit, and the reply ends there."""
    server = start('--client-output-buffer-limit', 'normal', '20mb', '0', '0')
    with server.client() as client, server.client() as greedy:
        client.do('HSET', 'hash', 'field', 'value')
        client.do('SADD', 'set', 'member')
        client.do('ZADD', 'zset', '1', 'member')
        greedy.send_raw(encode(request_))
        got = 0
        try:
            while part := greedy.sock.recv(1 << 20):
                got += len(part)
        except ConnectionResetError:
            pass
        assert got <= 20 << 20
        assert client.do('PING') == b'PONG'
        info = client.do('INFO', 'memory')
        peak = int(info.split(b'used_memory_peak:')[1].split(b'\r')[0])
        assert peak < 100 << 20


def test_a_reply_below_the_limit_arrives_whole(start):
    server = start('--client-output-buffer-limit', 'normal', '4mb', '0', '0')
    with server.client() as client:
        client.do('SADD', 'set', 'member')
        for _ in range(3):
            assert client.do('SRANDMEMBER', 'set', '-200000') == [b'member'] * 200000
