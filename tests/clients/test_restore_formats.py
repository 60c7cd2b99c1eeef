# SPDX-License-Identifier: BSD-3-Clause
"""RESTORE of every form that values have had since Redis 1, and of damaged ones, which are refused."""

import random

import pytest
import redis

import rdb
from content import content
from launch import resident_bytes
from rdb import double, double_text, intset, length, listpack, ms, payload, string, strings, ziplist, zipmap

LONG = b'x' * 300
HUGE = b'y' * 70000
PAIRS = ((b'a', b'1'), (b'b', b'two'), (b'c', LONG))
NUMBERS = (0, 12, 13, -1, 127, 128, -32768, 40000, 1 << 23, -(1 << 31), 1 << 31, (1 << 63) - 1)
FAR = 4102444800000

HASH = ('hash', sorted(PAIRS))
ZSET = ('zset', [(b'm', -2.5), (b'a', 1.0), (b'b', 1.0), (b'c', float('inf'))])
LIST = ('list', [b'a', b'0', b'-300', b'70000', LONG])

# name: (payload, what it holds, does 7.0 know it?)
FORMS = {
    'string': (payload(rdb.STRING, string(b'abc')), ('string', b'abc'), True),
    'of Redis 1': (payload(rdb.STRING, string(b'abc'), version=1), ('string', b'abc'), True),
    'int8': (payload(rdb.STRING, rdb.small_int(-5, 1)), ('string', b'-5'), True),
    'int16': (payload(rdb.STRING, rdb.small_int(-500, 2)), ('string', b'-500'), True),
    'int32': (payload(rdb.STRING, rdb.small_int(1 << 30, 4)), ('string', b'1073741824'), True),
    'compressed': (payload(rdb.STRING, rdb.lzf_run(65, 200)), ('string', b'A' * 200), True),
    'long length': (payload(rdb.STRING, b'\x80\x00\x00\x00\x03abc'), ('string', b'abc'), True),
    'longest length': (payload(rdb.STRING, b'\x81' + b'\0' * 7 + b'\x03abc'), ('string', b'abc'), True),
    'list': (payload(rdb.LIST, length(3) + strings(b'a', b'', HUGE)), ('list', [b'a', b'', HUGE]), True),
    'list of a ziplist': (payload(rdb.LIST_ZIPLIST, string(ziplist(b'a', 0, -300, 70000, LONG))), LIST, True),
    'ints of a ziplist': (payload(rdb.LIST_ZIPLIST, string(ziplist(*NUMBERS))),
                          ('list', [b'%d' % n for n in NUMBERS]), True),
    'wide ziplist': (payload(rdb.LIST_ZIPLIST, string(ziplist(b'a', 0, -300, 70000, LONG, wide=True))),
                     LIST, True),
    'huge in a ziplist': (payload(rdb.LIST_ZIPLIST, string(ziplist(b'a', HUGE, b'b'))),
                          ('list', [b'a', HUGE, b'b']), True),
    'quicklist': (payload(rdb.LIST_QUICKLIST, length(2) + strings(ziplist(b'a', 0), ziplist(-300, 70000, LONG))),
                  LIST, True),
    'empty node': (payload(rdb.LIST_QUICKLIST, length(3) + strings(
        ziplist(b'a', 0), ziplist(), ziplist(-300, 70000, LONG))), LIST, True),
    'quicklist 2': (payload(rdb.LIST_QUICKLIST_2, length(3) + length(2) + string(listpack(b'a', 0, -300)) +
                            length(2) + string(listpack(70000)) + length(1) + string(LONG)), LIST, True),
    'ints of a listpack': (payload(rdb.LIST_QUICKLIST_2, length(1) + length(2) + string(listpack(*NUMBERS))),
                           ('list', [b'%d' % n for n in NUMBERS]), True),
    'disputed length': (payload(rdb.LIST_QUICKLIST_2, length(1) + length(2) + string(listpack(b'z' * 16378))),
                        ('list', [b'z' * 16378]), True),
    'disputed by Valkey': (payload(rdb.LIST_QUICKLIST_2, length(1) + length(2) +
                                   string(listpack(b'z' * 16378, fits=True)), version=80),
                           ('list', [b'z' * 16378]), False),
    'set': (payload(rdb.SET, length(3) + strings(b'c', b'a', b'b')), ('set', [b'a', b'b', b'c']), True),
    'set of ints': (payload(rdb.SET, length(2) + strings(b'5', b'-7')), ('set', [b'-7', b'5']), True),
    'set of a listpack': (payload(rdb.SET_LISTPACK, string(listpack(b'a', 5, b'c')), version=11),
                          ('set', [b'5', b'a', b'c']), False),
    'intset 16': (payload(rdb.SET_INTSET, string(intset(-3, 1, 500))), ('set', [b'-3', b'1', b'500']), True),
    'intset 32': (payload(rdb.SET_INTSET, string(intset(-3, 1, 70000, size=4))),
                  ('set', [b'-3', b'1', b'70000']), True),
    'intset 64': (payload(rdb.SET_INTSET, string(intset(-(1 << 63), 1, size=8))),
                  ('set', [b'-9223372036854775808', b'1']), True),
    'hash': (payload(rdb.HASH, length(3) + strings(*sum(PAIRS, ()))), HASH, True),
    'zipmap': (payload(rdb.HASH_ZIPMAP, string(zipmap(*PAIRS))), HASH, True),
    'spare zipmap': (payload(rdb.HASH_ZIPMAP, string(zipmap(*PAIRS, spare=3))), HASH, True),
    'zipmap of many': (payload(rdb.HASH_ZIPMAP, string(zipmap(*((b'%d' % i, b'v') for i in range(300))))),
                       ('hash', sorted((b'%d' % i, b'v') for i in range(300))), True),
    'hash of a ziplist': (payload(rdb.HASH_ZIPLIST, string(ziplist(b'a', 1, b'b', b'two', b'c', LONG))),
                          HASH, True),
    'hash of a listpack': (payload(rdb.HASH_LISTPACK, string(listpack(b'a', 1, b'b', b'two', b'c', LONG))),
                           HASH, True),
    'zset': (payload(rdb.ZSET, length(4) + b''.join(
        string(member) + double_text(score) for member, score in (
            (b'm', b'-2.5'), (b'b', b'1'), (b'a', b'1.0e0'), (b'c', b'inf')))), ZSET, True),
    'zset 2': (payload(rdb.ZSET_2, length(4) + b''.join(
        string(member) + double(score) for member, score in reversed(ZSET[1]))), ZSET, True),
    'zset of a ziplist': (payload(rdb.ZSET_ZIPLIST, string(ziplist(
        b'm', b'-2.5', b'a', 1, b'b', b'1', b'c', b'inf'))), ZSET, True),
    'zset of a listpack': (payload(rdb.ZSET_LISTPACK, string(listpack(
        b'm', b'-2.5', b'a', 1, b'b', b'1', b'c', b'inf'))), ZSET, True),
    'many': (payload(rdb.ZSET_LISTPACK, string(listpack(*sum(((b'%04d' % i, i) for i in range(2000)), ())))),
             ('zset', [(b'%04d' % i, float(i)) for i in range(2000)]), True),
    'no count': (payload(rdb.LIST_ZIPLIST, string(ziplist(*[i % 10 for i in range(66000)]))),
                 ('list', [b'%d' % (i % 10) for i in range(66000)]), True),
    'lifetimes': (payload(rdb.HASH_METADATA, ms(FAR) + length(3) + b''.join(
        length(ttl) + strings(*pair) for ttl, pair in zip((1, 0, 2001), PAIRS)), version=12), HASH, False),
    'old lifetimes': (payload(rdb.HASH_METADATA_OLD, length(3) + b''.join(
        length(ttl) + strings(*pair) for ttl, pair in zip((FAR, 0, FAR + 2000), PAIRS)), version=12), HASH, False),
    'packed lifetimes': (payload(rdb.HASH_LISTPACK_EX, ms(FAR) + string(listpack(
        b'a', 1, FAR, b'c', LONG, FAR + 2000, b'b', b'two', 0)), version=12), HASH, False),
    'old packed lifetimes': (payload(rdb.HASH_LISTPACK_EX_OLD, string(listpack(
        b'a', 1, FAR, b'c', LONG, FAR + 2000, b'b', b'two', 0)), version=12), HASH, False),
    'lifetimes of Valkey': (payload(rdb.VALKEY_HASH_2, length(3) + b''.join(
        strings(*pair) + ms(ttl) for ttl, pair in zip((FAR, -1, FAR + 2000), PAIRS)), version=80), HASH, False),
}

# Each is refused for what its name says.
DAMAGED = {
    'no type': rdb.sealed(b''),
    'unknown type': payload(8, string(b'a')),
    'type of an opcode': payload(250, string(b'a')),
    'nothing behind the type': payload(rdb.LIST),
    'more than the value': payload(rdb.STRING, string(b'abc') + b'd'),
    'half a string': payload(rdb.STRING, length(4) + b'abc'),
    'a string of ages': payload(rdb.STRING, b'\x81' + b'\xff' * 8 + b'abc'),
    'compressed beyond reason': payload(rdb.STRING, b'\xc3\x03\x80\x10\x00\x00\x00\x00ab'),
    'compressed to nothing': payload(rdb.STRING, b'\xc3\x02\x00\x00a'),
    'compressed from before the start': payload(rdb.STRING, b'\xc3\x03\x09\x80\x00\x00'),
    'an empty list': payload(rdb.LIST, length(0)),
    'an empty ziplist': payload(rdb.LIST_ZIPLIST, string(ziplist())),
    'an empty quicklist': payload(rdb.LIST_QUICKLIST, length(0)),
    'a quicklist of empty nodes': payload(rdb.LIST_QUICKLIST, length(2) + strings(ziplist(), ziplist())),
    'a node of no kind': payload(rdb.LIST_QUICKLIST_2, length(1) + length(3) + string(listpack(1))),
    'an empty set': payload(rdb.SET, length(0)),
    'an empty listpack': payload(rdb.SET_LISTPACK, string(listpack()), version=11),
    'an empty intset': payload(rdb.SET_INTSET, string(intset())),
    'an empty hash': payload(rdb.HASH, length(0)),
    'an empty zipmap': payload(rdb.HASH_ZIPMAP, string(zipmap())),
    'an empty zset': payload(rdb.ZSET_2, length(0)),
    'more elements than bytes': payload(rdb.LIST, length(1 << 60) + strings(b'a', b'b')),
    'more fields than bytes': payload(rdb.HASH, length(1 << 60) + strings(b'a', b'b')),
    'more members than bytes': payload(rdb.SET, length(1 << 60) + strings(b'a', b'b')),
    'a member twice': payload(rdb.SET, length(2) + strings(b'a', b'a')),
    'a member twice in a listpack': payload(rdb.SET_LISTPACK, string(listpack(5, b'5')), version=11),
    'a field twice': payload(rdb.HASH, length(2) + strings(b'a', b'1', b'a', b'2')),
    'a field twice in a zipmap': payload(rdb.HASH_ZIPMAP, string(zipmap((b'a', b'1'), (b'a', b'2')))),
    'a field twice in a ziplist': payload(rdb.HASH_ZIPLIST, string(ziplist(b'a', 1, b'a', 2))),
    'a field twice in a listpack': payload(rdb.HASH_LISTPACK, string(listpack(b'a', 1, b'a', 2))),
    'a field without value': payload(rdb.HASH_LISTPACK, string(listpack(b'a', 1, b'b'))),
    'a score twice': payload(rdb.ZSET_2, length(2) + (string(b'a') + double(1)) * 2),
    'a member without score': payload(rdb.ZSET_LISTPACK, string(listpack(b'a', 1, b'b'))),
    'a member twice in a ziplist': payload(rdb.ZSET_ZIPLIST, string(ziplist(b'a', 1, b'a', 2))),
    'a score that is none': payload(rdb.ZSET_LISTPACK, string(listpack(b'a', b'one'))),
    'a score of nan': payload(rdb.ZSET_2, length(1) + string(b'a') + double(float('nan'))),
    'a score of nan in text': payload(rdb.ZSET, length(1) + string(b'a') + double_text(b'nan')),
    'a score of nan in a listpack': payload(rdb.ZSET_LISTPACK, string(listpack(b'a', b'nan'))),
    'ints in disorder': payload(rdb.SET_INTSET, string(intset(1, -3, 500))),
    'an int twice': payload(rdb.SET_INTSET, string(intset(1, 1, 500))),
    'ints of three bytes': payload(rdb.SET_INTSET, string(b'\x03\0\0\0' + intset(1)[4:] + b'\0')),
    'ints beyond the end': payload(rdb.SET_INTSET, string(intset(1, 2)[:-1])),
    'ints before the end': payload(rdb.SET_INTSET, string(intset(1, 2) + b'\0')),
    'a listpack of another size': payload(rdb.HASH_LISTPACK, string(listpack(b'a', 1) + b'\xff')),
    'a listpack of another count': payload(rdb.HASH_LISTPACK, string(
        listpack(b'a', 1)[:4] + b'\x04\x00' + listpack(b'a', 1)[6:])),
    'a listpack without an end': payload(rdb.HASH_LISTPACK, string(listpack(b'a', 1)[:-1] + b'\xfe')),
    'a ziplist whose tail is elsewhere': payload(rdb.LIST_ZIPLIST, string(
        ziplist(1, 2)[:4] + b'\x0b\0\0\0' + ziplist(1, 2)[8:])),
    'lifetimes that are no numbers': payload(rdb.HASH_LISTPACK_EX, ms(FAR) + string(listpack(b'a', 1, b'x')), 12),
    'lifetimes of ages': payload(rdb.HASH_METADATA, ms(FAR) + length(1) + length((1 << 64) - 1) +
                                 strings(b'a', b'1'), 12),
    'a lifetime below none': payload(rdb.VALKEY_HASH_2, length(1) + strings(b'a', b'1') + ms(-2), 80),
}
# What 7.0 does not see: it reads on in the footer, and takes a score for what strtod makes of it.
SHALLOW = {'no type', 'half a string', 'more than the value', 'compressed to nothing', 'a score that is none',
           'a score of nan in a listpack'}


@pytest.fixture
def ours(connect):
    client = connect(decode_responses=False)
    client.flushall()
    return client


@pytest.fixture
def theirs(reference):
    with redis.Redis(port=reference.port) as client:
        client.flushall()
        # It looks as closely as we do only when asked to.
        client.config_set('sanitize-dump-payload', 'yes')
        yield client


@pytest.mark.parametrize('name', FORMS)
def test_form(ours, name):
    data, expected, _ = FORMS[name]
    assert ours.restore('k', 0, data)
    assert content(ours, 'k') == expected
    ours.restore('l', 0, ours.dump('k'))
    assert content(ours, 'l') == expected


@pytest.mark.parametrize('name', [name for name, form in FORMS.items() if form[2]])
def test_the_oracle_agrees(ours, theirs, name):
    """The payloads of this file are what they claim, and what becomes of them is called the same."""
    data, expected, _ = FORMS[name]
    theirs.restore('k', 0, data)
    assert content(theirs, 'k') == expected
    ours.restore('k', 0, data)
    called = ours.object('encoding', 'k'), theirs.object('encoding', 'k')
    # Since 7.2, short lists and sets are listpacks. A long value makes a hash large here, however it came.
    assert called[0] == called[1] or called in ((b'listpack', b'quicklist'), (b'listpack', b'hashtable')) or \
        (expected == HASH and called == (b'hashtable', b'listpack'))


@pytest.mark.parametrize('name', [name for name in FORMS if 'lifetimes' in name])
def test_lifetimes(ours, name):
    ours.restore('k', 0, FORMS[name][0])
    assert ours.execute_command('HPEXPIRETIME', 'k', 'FIELDS', 3, 'a', 'b', 'c') == [FAR, -1, FAR + 2000]


@pytest.mark.parametrize('name', DAMAGED)
def test_damaged(ours, theirs, name):
    for client in (ours, theirs):
        client.set('k', 'as it was')
        if client is theirs and (name in SHALLOW or DAMAGED[name][-10] > 10):
            continue
        with pytest.raises(redis.ResponseError, match='Bad data format|payload version or checksum'):
            client.restore('k', 0, DAMAGED[name], replace=True)
        assert client.get('k') == b'as it was'
        assert client.dbsize() == 1


def test_values_of_modules(ours):
    for code in (rdb.MODULE, rdb.MODULE_2):
        with pytest.raises(redis.ResponseError, match='^Bad data format: modules'):
            ours.restore('k', 0, payload(code, length(1 << 40) + length(0)))


def test_versions(ours):
    """Those of Redis up to 8, those of Valkey 9, and none in between or beyond."""
    known = [version for version in range(256) if
             not isinstance(refusal(ours, payload(rdb.STRING, string(b'a'), version)), str)]
    assert known == [*range(14), 80]


def refusal(client, data):
    try:
        return client.restore('k', 0, data, replace=True)
    except redis.ResponseError as error:
        return str(error)


@pytest.mark.parametrize('name', [name for name in FORMS if len(FORMS[name][0]) < 2000])
def test_every_byte_changed(ours, name):
    """Whatever comes of it is refused, or is a value that can be used; the same for every end cut off."""
    data = FORMS[name][0]
    code, body, version = data[0], data[1:-10], data[-10]
    rng = random.Random(name)
    changed = [body[:cut] for cut in range(len(body))]
    for at in range(len(body)):
        for byte in {0, 1, 0x7f, 0x80, 0xc3, 0xfe, 0xff, rng.randrange(256), body[at] ^ 1 << rng.randrange(8)}:
            changed.append(body[:at] + bytes([byte]) + body[at + 1:])
    with ours.pipeline(transaction=False) as pipe:
        for other in changed:
            pipe.restore('k', 0, payload(code, other, version), replace=True)
        outcomes = pipe.execute(raise_on_error=False)
    accepted = [other for other, outcome in zip(changed, outcomes)
                if not isinstance(outcome, redis.ResponseError)]
    assert all('Bad data format' in str(outcome) for outcome in outcomes if outcome != b'OK')
    for other in accepted[:300]:
        ours.restore('k', 0, payload(code, other, version), replace=True)
        assert content(ours, 'k')[1]
        assert ours.restore('l', 0, ours.dump('k'), replace=True)


def test_memory_is_earned(start):
    """Small payloads that announce much take little."""
    server = start()
    with redis.Redis(port=server.port) as client:
        before = resident_bytes(server.pid)
        for code in (rdb.LIST, rdb.SET, rdb.HASH, rdb.ZSET_2, rdb.LIST_QUICKLIST, rdb.LIST_QUICKLIST_2):
            for announced in (1 << 20, 1 << 31, (1 << 32) - 1, 1 << 62):
                for body in (length(announced), length(announced) + string(b'a'),
                             b'\x81' + announced.to_bytes(8, 'big') + length(announced) + b'a'):
                    refusal(client, payload(code, body))
        for announced in (1 << 20, 1 << 31, (1 << 32) - 1, 1 << 62):
            refusal(client, payload(rdb.STRING, length(announced) + b'abc'))
            refusal(client, payload(rdb.STRING, b'\xc3' + length(4) + length(announced) + b'abcd'))
        assert client.dbsize() == 0
        assert resident_bytes(server.pid) - before < 32 << 20
