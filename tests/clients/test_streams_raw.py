# SPDX-License-Identifier: BSD-3-Clause
"""Streams on the wire: shapes of replies in both protocols, errors, and the options that redis-py lacks."""

import time

import pytest

from resp import ReplyError


def error_of(client, *args):
    with pytest.raises(ReplyError) as caught:
        client.do(*args)
    return str(caught.value)


def test_identifiers(raw):
    client = raw()
    assert client.do('XADD', 's', '1-1', 'f', 'v') == b'1-1'
    assert client.do('XADD', 's', '1-*', 'f', 'v') == b'1-2'
    assert client.do('XADD', 's', '2-*', 'f', 'v') == b'2-0'
    assert client.do('XADD', 's', '7', 'f', 'v') == b'7-0'
    assert client.do('XADD', 'zero', '0-*', 'f', 'v') == b'0-1'
    assert 'equal or smaller' in error_of(client, 'XADD', 's', '7-0', 'f', 'v')
    assert 'greater than 0-0' in error_of(client, 'XADD', 's', '0-0', 'f', 'v')
    assert 'Invalid stream ID' in error_of(client, 'XADD', 's', '1-2-3', 'f', 'v')
    last = '18446744073709551615-18446744073709551615'
    assert client.do('XADD', 's', last, 'f', 'v') == last.encode()
    assert 'exhausted' in error_of(client, 'XADD', 's', '*', 'f', 'v')
    assert client.call('XADD', 'none', 'NOMKSTREAM', '*', 'f', 'v') == ('$', None)
    assert client.do('EXISTS', 'none') == 0


def test_shapes_of_reads(raw):
    client = raw()
    client.do('XADD', 's', '1-0', 'f', 'v')
    entries = [[b'1-0', [b'f', b'v']]]
    assert client.do('XREAD', 'STREAMS', 's', 't', '0', '0') == [[b's', entries]]
    assert client.call('XREAD', 'STREAMS', 's', '1') == ('*', None)
    assert client.do('XREAD', 'STREAMS', 's', '+') == [[b's', entries]]
    assert client.call('XRANGE', 's', '-', '+', 'COUNT', '0') == ('*', None)
    client.do('HELLO', '3')
    kind, pairs = client.call('XREAD', 'STREAMS', 's', '0')
    assert kind == '%' and pairs[0][0] == ('$', b's')
    assert client.call('XREAD', 'BLOCK', '1', 'STREAMS', 's', '1') == ('_', None)
    assert client.call('XINFO', 'STREAM', 's')[0] == '%'
    assert client.call('XINFO', 'STREAM', 's', 'FULL')[0] == '%'


@pytest.mark.newer
def test_deleting_with_references(raw):
    client = raw()
    for i in range(1, 8):
        client.do('XADD', 's', '%d-0' % i, 'n', str(i))
    for group in ('g', 'h'):
        client.do('XGROUP', 'CREATE', 's', group, '0')
        client.do('XREADGROUP', 'GROUP', group, 'c', 'COUNT', '5', 'STREAMS', 's', '>')
    # 6-0 was read by nobody; 1-0 is pending in both groups.
    assert client.do('XDELEX', 's', 'ACKED', 'IDS', '3', '1-0', '6-0', '9-0') == [2, 2, -1]
    assert client.do('XDELEX', 's', 'IDS', '1', '1-0') == [1]
    assert client.do('XPENDING', 's', 'g')[0] == 5
    assert client.do('XDELEX', 's', 'DELREF', 'IDS', '2', '1-0', '2-0') == [-1, 1]
    assert [client.do('XPENDING', 's', group)[0] for group in 'gh'] == [3, 3]
    # 3-0: acknowledged in g, pending in h, then in none.
    assert client.do('XACKDEL', 's', 'g', 'ACKED', 'IDS', '2', '3-0', '1-0') == [2, -1]
    assert client.do('XLEN', 's') == 5
    assert client.do('XACKDEL', 's', 'h', 'ACKED', 'IDS', '1', '3-0') == [1]
    assert client.do('XACKDEL', 's', 'g', 'DELREF', 'IDS', '1', '4-0') == [1]
    assert client.do('XPENDING', 's', 'h')[0] == 1
    assert client.do('XACKDEL', 's', 'g', 'IDS', '1', '5-0') == [1]
    assert client.do('XRANGE', 's', '-', '+') == [[b'6-0', [b'n', b'6']], [b'7-0', [b'n', b'7']]]
    assert client.do('XREADGROUP', 'GROUP', 'h', 'c', 'STREAMS', 's', '0') == [[b's', [[b'5-0', None]]]]
    assert client.do('XDELEX', 'none', 'IDS', '2', '1', '2') == [-1, -1]
    assert client.do('XACKDEL', 's', 'nogroup', 'IDS', '1', '6-0') == [-1]
    assert 'numids' in error_of(client, 'XDELEX', 's', 'IDS', '2', '1')
    assert 'positive' in error_of(client, 'XDELEX', 's', 'IDS', '0', '1')
    assert 'syntax error' in error_of(client, 'XDELEX', 's', 'ACKED', 'KEEPREF', 'IDS', '1', '1')


@pytest.mark.newer
def test_trimming_with_references(raw):
    client = raw()
    for i in range(1, 7):
        client.do('XADD', 's', '%d-0' % i, 'n', str(i))
    client.do('XGROUP', 'CREATE', 's', 'g', '0')
    client.do('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '4', 'STREAMS', 's', '>')
    client.do('XACK', 's', 'g', '2-0', '3-0')
    assert client.do('XTRIM', 's', 'MAXLEN', '1', 'ACKED') == 2
    assert [e[0] for e in client.do('XRANGE', 's', '-', '+')] == [b'1-0', b'4-0', b'5-0', b'6-0']
    assert client.do('XADD', 's', 'DELREF', 'MAXLEN', '3', '7-0', 'n', '7') == b'7-0'
    assert [e[0] for e in client.do('XRANGE', 's', '-', '+')] == [b'5-0', b'6-0', b'7-0']
    assert client.do('XPENDING', 's', 'g')[0] == 0


@pytest.mark.newer
def test_reading_what_others_left(raw):
    client = raw()
    for i in range(1, 7):
        client.do('XADD', 's', '%d-0' % i, 'n', str(i))
    client.do('XGROUP', 'CREATE', 's', 'g', '0')
    client.do('XREADGROUP', 'GROUP', 'g', 'dead', 'COUNT', '3', 'STREAMS', 's', '>')
    client.do('XCLAIM', 's', 'g', 'dead', '0', '2-0', 'IDLE', '90000', 'RETRYCOUNT', '7')
    client.do('XCLAIM', 's', 'g', 'dead', '0', '1-0', 'IDLE', '80000', 'RETRYCOUNT', '1')
    read = ('XREADGROUP', 'GROUP', 'g', 'alive', 'COUNT', '3', 'CLAIM', '60000', 'STREAMS', 's', '>')
    ((key, entries),) = client.do(*read)
    assert key == b's'
    # The longest idle first, then what is new.
    assert [(e[0], e[1], e[3]) for e in entries] == [
        (b'2-0', [b'n', b'2'], 7), (b'1-0', [b'n', b'1'], 1), (b'4-0', [b'n', b'4'], 0)]
    assert 90000 <= entries[0][2] < 110000 and entries[2][2] == 0
    assert [e[0] for e in client.do(*read)[0][1]] == [b'5-0', b'6-0']
    assert client.call(*read) == ('*', None)
    assert [e[1] for e in client.do('XPENDING', 's', 'g', '-', '+', '10')] == [
        b'alive', b'alive', b'dead', b'alive', b'alive', b'alive']
    assert 'CLAIM' in error_of(client, 'XREAD', 'CLAIM', '1', 'STREAMS', 's', '0')


@pytest.mark.newer
def test_waiting_for_what_others_leave(raw):
    client, waiting = raw(), raw()
    client.do('XADD', 's', '1-0', 'n', '1')
    client.do('XGROUP', 'CREATE', 's', 'g', '0')
    client.do('XREADGROUP', 'GROUP', 'g', 'dead', 'STREAMS', 's', '>')
    # Nothing changes: the entry has only to have been idle for long enough.
    started = time.monotonic()
    ((_, entries),) = waiting.do('XREADGROUP', 'GROUP', 'g', 'alive', 'BLOCK', '0', 'CLAIM', '150',
                                 'STREAMS', 's', '>')
    assert [(e[0], e[1], e[3]) for e in entries] == [(b'1-0', [b'n', b'1'], 1)]
    assert entries[0][2] >= 150
    assert time.monotonic() - started < 5
    # What becomes pending while it waits counts as well.
    waiting.send('XREADGROUP', 'GROUP', 'g', 'alive', 'BLOCK', '0', 'COUNT', '1', 'CLAIM', '300', 'STREAMS', 's', '>')
    client.do('XACK', 's', 'g', '1-0')
    pipeline = [('MULTI',), ('XADD', 's', '2-0', 'n', '2'),
                ('XREADGROUP', 'GROUP', 'g', 'dead', 'STREAMS', 's', '>'), ('EXEC',)]
    client.pipeline(pipeline)
    assert waiting.read()[1][0][1][1][1][0][1][0] == ('$', b'2-0')
    assert client.call('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '30', 'CLAIM', '100000', 'STREAMS', 's',
                       '>') == ('*', None)
    waiting.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'CLAIM', '0', 'STREAMS', 's', '>')
    assert waiting.read()[0] == '*'


def test_a_stream_named_twice(raw):
    client = raw()
    client.do('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
    client.do('XADD', 's', '1-0', 'f', 'v')
    entries = [[b'1-0', [b'f', b'v']]]
    assert client.do('XREAD', 'STREAMS', 's', 's', '0', '0') == [[b's', entries], [b's', entries]]
    assert client.do('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', 's', '>', '>') == [
        [b's', entries]]


def test_words_in_odd_places(raw):
    client = raw()
    client.do('XADD', 's', '1-0', 'streams', 'streams')
    client.do('XGROUP', 'CREATE', 's', 'streams', '0')
    assert client.do('XREADGROUP', 'GROUP', 'streams', 'streams', 'STREAMS', 's', '>') == [
        [b's', [[b'1-0', [b'streams', b'streams']]]]]
    assert client.do('XADD', 'streams', '1-0', 'f', 'v') == b'1-0'
    assert client.do('XREAD', 'STREAMS', 'streams', '0') == [[b'streams', [[b'1-0', [b'f', b'v']]]]]


def test_entries_larger_than_a_block(raw):
    client = raw()
    value = b'x' * 1000000
    for i in range(3):
        client.do('XADD', 's', '%d-0' % (i + 1), 'small', 'y', 'large', value)
    assert client.do('XRANGE', 's', '2', '2') == [[b'2-0', [b'small', b'y', b'large', value]]]
    many = [word for i in range(20000) for word in ('name%d' % i, str(i))]
    client.do('XADD', 's', '9-0', *many)
    assert client.do('XREVRANGE', 's', '+', '-', 'COUNT', '1') == [
        [b'9-0', [word.encode() for word in many]]]
    assert client.do('XDEL', 's', '1-0', '2-0', '3-0', '9-0') == 4
    assert client.do('MEMORY', 'USAGE', 's') < 1000


def test_big_streams_are_freed_in_the_background(raw):
    client = raw()
    client.pipeline([('XADD', 's', '*', 'field', 'x' * 100) for _ in range(20000)])
    client.do('XGROUP', 'CREATE', 's', 'g', '0')
    client.do('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')
    assert client.do('XINFO', 'GROUPS', 's')[0][5] == 20000
    assert client.do('UNLINK', 's') == 1
    assert client.do('XLEN', 's') == 0
