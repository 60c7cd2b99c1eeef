# SPDX-License-Identifier: BSD-3-Clause
"""The protocols themselves: HELLO, and how each kind of reply looks in RESP2 and in RESP3."""

import pytest


@pytest.fixture
def three(raw):
    client = raw()
    client.call('HELLO', 3)
    return client


@pytest.fixture
def two(raw):
    return raw()


def test_hello_describes_the_server(three):
    kind, pairs = three.call('HELLO')
    assert kind == '%'
    hello = {key[1].decode(): value for key, value in pairs}
    assert list(hello) == ['server', 'version', 'proto', 'id', 'mode', 'role', 'modules']
    assert hello['proto'] == (':', 3)
    assert hello['id'] == three.call('CLIENT', 'ID')
    assert hello['mode'] == ('$', b'standalone')
    assert hello['role'] == ('$', b'master')
    assert hello['modules'] == ('*', [])


def test_hello_in_resp2_is_flat(two):
    kind, items = two.call('HELLO', 2)
    assert kind == '*' and len(items) == 14
    assert items[4:6] == [('$', b'proto'), (':', 2)]


def test_hello_names_the_client(two):
    two.call('HELLO', 3, 'SETNAME', 'me')
    assert two.call('CLIENT', 'GETNAME') == ('$', b'me')


@pytest.mark.parametrize('args, error', [
    (['4'], b'NOPROTO unsupported protocol version'),
    (['1'], b'NOPROTO unsupported protocol version'),
    (['three'], b'ERR Protocol version is not an integer or out of range'),
    (['3', 'NONSENSE'], b"ERR Syntax error in HELLO option 'NONSENSE'"),
    (['3', 'SETNAME'], b"ERR Syntax error in HELLO option 'SETNAME'"),
    (['3', 'AUTH', 'default'], b"ERR Syntax error in HELLO option 'AUTH'"),
])
def test_hello_refuses(two, args, error):
    assert two.call('HELLO', *args) == ('-', error)
    assert two.call('GET', 'none') == ('$', None)  # still RESP2


def test_protocol_changes_back_and_forth(two):
    assert two.call('GET', 'none') == ('$', None)
    two.call('HELLO', 3)
    assert two.call('GET', 'none') == ('_', None)
    two.call('HELLO', 2)
    assert two.call('GET', 'none') == ('$', None)
    two.call('HELLO', 3)
    assert two.call('RESET') == ('+', b'RESET')
    assert two.call('GET', 'none') == ('$', None)


def test_nulls(two, three):
    for command, kind in ((['GET', 'none'], '$'), (['LPOP', 'none'], '$'),
                          (['LPOP', 'none', '2'], '*'), (['ZSCORE', 'none', 'm'], '$'),
                          (['BLPOP', 'none', '0.01'], '*'), (['LMPOP', '1', 'none', 'LEFT'], '*'),
                          (['SRANDMEMBER', 'none'], '$'), (['HRANDFIELD', 'none'], '$')):
        assert two.call(*command) == (kind, None), command
        assert three.call(*command) == ('_', None), command


def test_maps_sets_doubles(two, three):
    two.do('HSET', 'h', 'f', 'v')
    two.do('SADD', 's', 'm')
    two.do('ZADD', 'z', '1.5', 'a', 'inf', 'b')
    field, value = ('$', b'f'), ('$', b'v')
    assert two.call('HGETALL', 'h') == ('*', [field, value])
    assert three.call('HGETALL', 'h') == ('%', [(field, value)])
    assert three.call('HGETALL', 'none') == ('%', [])
    assert three.call('HRANDFIELD', 'h', 1, 'WITHVALUES') == ('*', [('*', [field, value])])
    assert two.call('HRANDFIELD', 'h', 1, 'WITHVALUES') == ('*', [field, value])
    for command in (['SMEMBERS', 's'], ['SUNION', 's', 'none'], ['SPOP', 's', '1']):
        assert three.call(*command) == ('~', [('$', b'm')])
        if command[0] == 'SPOP':
            assert two.call('SMEMBERS', 's') == ('*', [])
    assert two.call('ZSCORE', 'z', 'a') == ('$', b'1.5')
    assert three.call('ZSCORE', 'z', 'a') == (',', b'1.5')
    assert three.call('ZSCORE', 'z', 'b') == (',', b'inf')
    assert three.call('ZINCRBY', 'z', '1', 'a') == (',', b'2.5')
    assert three.call('ZMSCORE', 'z', 'a', 'none') == ('*', [(',', b'2.5'), ('_', None)])
    assert three.call('ZRANGE', 'z', 0, 0, 'WITHSCORES') == (
        '*', [('*', [('$', b'a'), (',', b'2.5')])])
    assert two.call('ZRANGE', 'z', 0, 0, 'WITHSCORES') == ('*', [('$', b'a'), ('$', b'2.5')])
    assert three.call('ZPOPMIN', 'z') == ('*', [('$', b'a'), (',', b'2.5')])
    assert three.call('ZPOPMIN', 'z', 1) == ('*', [('*', [('$', b'b'), (',', b'inf')])])


def test_descriptions_are_maps(three):
    kind, pairs = three.call('CONFIG', 'GET', 'databases')
    assert (kind, pairs) == ('%', [(('$', b'databases'), ('$', b'16'))])
    assert three.call('COMMAND', 'DOCS', 'GET')[0] == '%'
    assert three.call('MEMORY', 'USAGE', 'none') == ('_', None)
    assert three.call('INFO', 'server')[0] == '='
    assert three.call('CLIENT', 'LIST')[0] == '='
    assert three.call('COMMAND', 'INFO', 'GET', 'NOSUCH')[1][1] == ('_', None)
    flags = three.call('COMMAND', 'INFO', 'GET')[1][0][1][2]
    assert flags[0] == '~' and ('+', b'readonly') in flags[1]


def test_subscriber_counts_are_pairs(three):
    assert three.call('PUBSUB', 'NUMSUB', 'none') == ('*', [('$', b'none'), (':', 0)])
    assert three.call('PUBSUB', 'SHARDNUMSUB', 'none') == ('*', [('$', b'none'), (':', 0)])


def test_messages_are_pushes(three, two):
    assert three.call('SUBSCRIBE', 'c') == ('>', [('$', b'subscribe'), ('$', b'c'), (':', 1)])
    assert three.call('PSUBSCRIBE', 'c*') == ('>', [('$', b'psubscribe'), ('$', b'c*'), (':', 2)])
    assert three.call('SSUBSCRIBE', 'c') == ('>', [('$', b'ssubscribe'), ('$', b'c'), (':', 1)])
    assert two.call('PUBLISH', 'c', 'x') == (':', 2)
    assert three.read_many(2) == [
        ('>', [('$', b'message'), ('$', b'c'), ('$', b'x')]),
        ('>', [('$', b'pmessage'), ('$', b'c*'), ('$', b'c'), ('$', b'x')])]
    assert two.call('SPUBLISH', 'c', 'y') == (':', 1)
    assert three.read() == ('>', [('$', b'smessage'), ('$', b'c'), ('$', b'y')])
    # Ordinary commands go on working, and a message to oneself comes before the reply.
    assert three.call('SET', 'k', 'v') == ('+', b'OK')
    three.send('PUBLISH', 'c', 'self')
    replies = three.read_many(3)
    assert [reply[0] for reply in replies] in (['>', '>', ':'], [':', '>', '>'])
    assert three.call('UNSUBSCRIBE') == ('>', [('$', b'unsubscribe'), ('$', b'c'), (':', 1)])
    assert three.call('SUNSUBSCRIBE') == ('>', [('$', b'sunsubscribe'), ('$', b'c'), (':', 0)])
    assert three.call('PUNSUBSCRIBE') == ('>', [('$', b'punsubscribe'), ('$', b'c*'), (':', 0)])
    assert three.call('UNSUBSCRIBE') == ('>', [('$', b'unsubscribe'), ('_', None), (':', 0)])


def test_resp2_subscriber_may_only_listen(two, raw):
    assert two.call('SUBSCRIBE', 'c') == ('*', [('$', b'subscribe'), ('$', b'c'), (':', 1)])
    error = two.call('GET', 'k')
    assert error == ('-', b"ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / "
                          b"PING / QUIT / RESET are allowed in this context")
    assert two.call('PING') == ('*', [('$', b'pong'), ('$', b'')])
    assert two.call('PING', 'x') == ('*', [('$', b'pong'), ('$', b'x')])
    other = raw()
    assert other.call('PUBLISH', 'c', 'm') == (':', 1)
    assert two.read() == ('*', [('$', b'message'), ('$', b'c'), ('$', b'm')])
    assert two.call('UNSUBSCRIBE', 'c') == ('*', [('$', b'unsubscribe'), ('$', b'c'), (':', 0)])
    assert two.call('GET', 'none') == ('$', None)
    two.call('SUBSCRIBE', 'c')
    assert two.call('RESET') == ('+', b'RESET')
    assert other.call('PUBLISH', 'c', 'm') == (':', 0)
    two.call('SUBSCRIBE', 'c')
    assert two.call('QUIT') == ('+', b'OK')


def test_client_reply_modes(two):
    two.send('CLIENT', 'REPLY', 'OFF')
    two.send('SET', 'k', '1')
    two.send('CLIENT', 'REPLY', 'ON')
    assert two.read() == ('+', b'OK')
    two.send('CLIENT', 'REPLY', 'SKIP')
    two.send('SET', 'k', '2')
    assert two.call('GET', 'k') == ('$', b'2')


def test_transaction_in_resp3(three):
    three.do('ZADD', 'z', 2, 'm')
    assert three.call('MULTI') == ('+', b'OK')
    assert three.call('ZSCORE', 'z', 'm') == ('+', b'QUEUED')
    assert three.call('GET', 'none') == ('+', b'QUEUED')
    assert three.call('EXEC') == ('*', [(',', b'2'), ('_', None)])
    three.do('WATCH', 'z')
    three.do('DEL', 'z')
    three.call('MULTI')
    assert three.call('EXEC') == ('_', None)
