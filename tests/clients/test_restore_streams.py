# SPDX-License-Identifier: BSD-3-Clause
"""RESTORE of streams, in all four forms that they have had, and of damaged ones."""

import random

import pytest
import redis

import rdb
from content import content
from launch import resident_bytes
from rdb import group, id_lengths, length, lengths, listpack, payload, stream, stream_node, string, strings

NAMES = (b'temperature', b'7')
NODES = [stream_node('1000-1', NAMES, (0, 0, (b'hot', -5)), (0, 1, (b'x', 1), True), (3, -1, {b'a': 1, b'b': b''})),
         stream_node('2000-0', NAMES[:1], (0, 0, (70000,)), (1 << 40, 5, (b'late',)))]
LAST = '%d-5' % (2000 + (1 << 40))
ENTRIES = [(b'1000-1', {b'temperature': b'hot', b'7': b'-5'}), (b'1003-0', {b'a': b'1', b'b': b''}),
           (b'2000-0', {b'temperature': b'70000'}), (LAST.encode(), {b'temperature': b'late'})]
TOKENS = lengths(100, 50, 1) + string(b'producer') + length(1) + string(b'token') + id_lengths('2000-0') + lengths(1, 0)


def whole(code, **changes):
    """A stream with groups, all of it legal unless something is changed."""
    parts = {'nodes': NODES, 'count': 4, 'last': LAST, 'first': '1000-1', 'max_deleted': '1000-2', 'added': 9,
             'pending': [('1000-1', 77, 3), ('1000-2', 78, 1), ('2000-0', 79, 1)],
             'consumers': [(b'alice', 500, 400, ['1000-1', '2000-0']), (b'bob', 600, -1, ['1000-2']),
                           (b'idle', 700, 700, [])],
             'read': 2, 'tail': TOKENS if code == rdb.STREAM_4 else b'', **changes}
    groups = parts.get('groups') or [
        group(code, b'readers', '2000-0', parts['pending'], parts['consumers'], parts['read']),
        group(code, b'unsure', '5-5', read=-1)]
    return stream(code, parts['nodes'], parts['count'], parts['last'], parts['first'], parts['max_deleted'],
                  parts['added'], groups, parts['tail'])


VERSIONS = {rdb.STREAM: 9, rdb.STREAM_2: 10, rdb.STREAM_3: 11, rdb.STREAM_4: 13}

DAMAGED = {
    'more nodes than there are': {'nodes': NODES + [b'']},
    'fewer entries than are there': {'count': 3},
    'a last identifier before the last entry': {'last': '2000-7'},
    'a deleted identifier behind the last': {'max_deleted': '99999999999999999-0'},
    'fewer additions than entries': {'added': 3},
    'additions of ages': {'added': (1 << 64) - 2},
    'a short key of a node': {'nodes': [string(b'short') + NODES[0][17:], NODES[1]]},
    'nodes in disorder': {'nodes': NODES[::-1]},
    'a node twice': {'nodes': [NODES[0]] * 2},
    'entries in disorder': {'nodes': [stream_node('1000-1', NAMES[:1], (5, 0, (1,)), (4, 0, (1,)))] * 1, 'count': 2},
    'an entry of no time': {'nodes': [stream_node('0-0', NAMES[:1], (0, 0, (1,)))], 'count': 1},
    'an entry without fields': {'nodes': [stream_node('1-1', NAMES, (0, 0, {}))], 'count': 1},
    'a node without names': {'nodes': [stream_node('1-1', (), (0, 0, ()))], 'count': 1},
    'a node that miscounts': {'nodes': [stream_node('1-1', NAMES[:1], (0, 0, (1,)), kept=2)], 'count': 1},
    'a node that miscounts what is deleted': {
        'nodes': [stream_node('1-1', NAMES[:1], (0, 0, (1,)), deleted=1)], 'count': 1},
    'a node that ends early': {'nodes': [string(rdb.ident('1-1')) + string(listpack(1, 0, 1, b'a', 0, 2, 0))],
                               'count': 1},
    'an entry that miscounts': {'nodes': [string(rdb.ident('1-1')) + string(
        listpack(1, 0, 1, b'a', 0, 2, 0, 0, b'v', 5))], 'count': 1},
    'an unknown flag': {'nodes': [string(rdb.ident('1-1')) + string(
        listpack(1, 0, 1, b'a', 0, 6, 0, 0, b'v', 4))], 'count': 1},
    'names that do not end': {'nodes': [string(rdb.ident('1-1')) + string(
        listpack(1, 0, 1, b'a', 1, 2, 0, 0, b'v', 4))], 'count': 1},
    'more names than bytes': {'nodes': [string(rdb.ident('1-1')) + string(
        listpack(1, 0, 1 << 40, b'a', 0, 2, 0, 0, b'v', 4))], 'count': 1},
    'text for a number': {'nodes': [string(rdb.ident('1-1')) + string(
        listpack(1, 0, 1, b'a', 0, 2, b'x', 0, b'v', 4))], 'count': 1},
    'pending twice': {'pending': [('1000-1', 77, 3)] * 2 + [('1000-2', 78, 1), ('2000-0', 79, 1)]},
    'pending in disorder': {'pending': [('1000-2', 77, 3), ('1000-1', 78, 1), ('2000-0', 79, 1)]},
    'pending for nobody': {'consumers': [(b'alice', 1, 1, ['1000-1'])]},
    'pending for two': {'consumers': [(b'alice', 1, 1, ['1000-1', '1000-2', '2000-0']), (b'bob', 1, 1, ['2000-0'])]},
    'pending for one only': {'pending': [('1000-1', 77, 3)], 'consumers': [(b'bob', 1, 1, ['1000-1', '1-1'])]},
    'a consumer twice': {'pending': [], 'consumers': [(b'bob', 1, 1, []), (b'bob', 1, 1, [])]},
    'a group twice': {'groups': [group(rdb.STREAM_2, b'g', '1-1')] * 2},
    'reads below none': {'read': -2},
}
# What 7.0 does not look at.
SHALLOW = {'a last identifier before the last entry', 'a deleted identifier behind the last', 'nodes in disorder',
           'fewer additions than entries', 'additions of ages', 'entries in disorder', 'an entry of no time',
           'reads below none', 'fewer entries than are there', 'an unknown flag', 'names that do not end',
           'pending in disorder', 'an entry without fields', 'a node without names'}


@pytest.fixture
def ours(connect):
    client = connect(decode_responses=False)
    client.flushall()
    return client


@pytest.fixture
def theirs(reference):
    with redis.Redis(port=reference.port) as client:
        client.flushall()
        client.config_set('sanitize-dump-payload', 'yes')
        yield client


@pytest.mark.parametrize('code', VERSIONS)
def test_forms(ours, code):
    ours.restore('k', 0, payload(code, whole(code), VERSIONS[code]))
    assert ours.xrange('k') == ENTRIES
    facts = ours.xinfo_stream('k')
    assert facts['length'] == 4 and facts['last-generated-id'] == LAST.encode() and facts['groups'] == 2
    first = code == rdb.STREAM
    assert facts['entries-added'] == (4 if first else 9)
    assert facts['max-deleted-entry-id'] == (b'0-0' if first else b'1000-2')
    readers, unsure = ours.xinfo_groups('k')
    assert readers['entries-read'] == (None if first else 2) and readers['pending'] == 3
    assert unsure['entries-read'] in (None, 0) and unsure['last-delivered-id'] == b'5-5'
    assert [one['name'] for one in ours.xinfo_consumers('k', 'readers')] == [b'alice', b'bob', b'idle']
    pending = ours.xpending_range('k', 'readers', '-', '+', 10)
    assert [(one['message_id'], one['consumer'], one['times_delivered']) for one in pending] == [
        (b'1000-1', b'alice', 3), (b'1000-2', b'bob', 1), (b'2000-0', b'alice', 1)]
    assert ours.xack('k', 'readers', '1000-1', '1000-2', '2000-0') == 3
    assert ours.xadd('k', {'a': 'b'}, id=LAST.replace('-5', '-6'))


@pytest.mark.parametrize('code', [rdb.STREAM, rdb.STREAM_2])
def test_the_oracle_agrees(ours, theirs, code):
    data = payload(code, whole(code), VERSIONS[code])
    for client in (ours, theirs):
        client.restore('k', 0, data)
    assert content(ours, 'k') == content(theirs, 'k')


@pytest.mark.parametrize('name', DAMAGED)
def test_damaged(ours, theirs, name):
    data = payload(rdb.STREAM_2, whole(rdb.STREAM_2, **DAMAGED[name]))
    for client in (ours, theirs):
        client.set('k', 'as it was')
        if client is theirs and name in SHALLOW:
            continue
        with pytest.raises(redis.ResponseError, match='Bad data format'):
            client.restore('k', 0, data, replace=True)
        assert client.get('k') == b'as it was'


@pytest.mark.parametrize('code', VERSIONS)
def test_every_byte_changed(ours, code):
    body = whole(code)
    rng = random.Random(code)
    with ours.pipeline(transaction=False) as pipe:
        for at in range(len(body)):
            pipe.restore('k', 0, payload(code, body[:at], VERSIONS[code]), replace=True)
            for byte in {0, 1, 0x7f, 0x80, 0xff, rng.randrange(256), body[at] ^ 1 << rng.randrange(8)}:
                changed = body[:at] + bytes([byte]) + body[at + 1:]
                pipe.restore('k', 0, payload(code, changed, VERSIONS[code]), replace=True)
                if at % 4 == 0:
                    pipe.execute_command('XINFO', 'STREAM', 'k', 'FULL', 'COUNT', 0)
        outcomes = pipe.execute(raise_on_error=False)
    texts = {str(outcome) for outcome in outcomes if isinstance(outcome, redis.ResponseError)}
    assert texts <= {'Bad data format', 'no such key'}


def test_memory_is_earned(start):
    """Names that a node's entries share do not make a small payload a huge stream."""
    name, entries = b'n' * 20000, 30000
    node = stream_node('1-1', (name,), *((i, 0, (1,)) for i in range(entries)))
    data = payload(rdb.STREAM_2, stream(rdb.STREAM_2, [node], entries, '%d-1' % entries))
    many = payload(rdb.STREAM_2, length(1 << 60) + strings(rdb.ident('1-1'), listpack(1, 0, 1 << 60)))
    server = start()
    with redis.Redis(port=server.port) as client:
        # A sanitizer's own memory would count as resident: with it, what the server says it took has to do.
        sanitized = not client.info('memory')['mem_allocator'].startswith('jemalloc')

        def most():
            return client.info('memory')['used_memory_peak'] if sanitized else resident_bytes(server.pid)

        before = most()
        for each in (data, many):
            with pytest.raises(redis.ResponseError, match='Bad data format'):
                client.restore('k', 0, each)
        assert most() - before < len(data) * 600 + (64 << 20) < len(name) * entries
        # What servers write stays far within.
        node = stream_node('1-1', (name[:3900],), *((i, 0, (1,)) for i in range(100)))
        client.restore('k', 0, payload(rdb.STREAM_2, stream(rdb.STREAM_2, [node], 100, '100-1')))
        assert client.xlen('k') == 100
