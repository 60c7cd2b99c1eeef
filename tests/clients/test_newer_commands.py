# SPDX-License-Identifier: BSD-3-Clause
"""Commands that came after Redis 7.0, as their users rely on them."""

import pytest

from conftest import until
from resp import ReplyError, encode

pytestmark = pytest.mark.newer


def test_compare_and_set(raw):
    client = raw()
    client.do('SET', 'lock', 'mine')
    assert client.call('SET', 'lock', 'stolen', 'IFEQ', 'yours') == ('$', None)
    assert client.do('SET', 'lock', 'renewed', 'IFEQ', 'mine', 'PX', '60000') == b'OK'
    assert client.do('SET', 'lock', 'next', 'IFEQ', 'renewed', 'GET') == b'renewed'
    assert client.do('GET', 'lock') == b'next'
    assert client.call('SET', 'none', 'x', 'IFEQ', '') == ('$', None)
    for conditions in (('IFEQ', 'y', 'NX'), ('XX', 'IFDNE', 'y'), ('IFEQ', 'y', 'IFNE', 'y'), ('IFDEQ',)):
        with pytest.raises(ReplyError, match='syntax error'):
            client.do('SET', 'lock', 'x', *conditions)
    client.do('RPUSH', 'list', 'a')
    with pytest.raises(ReplyError, match='WRONGTYPE'):
        client.do('SET', 'list', 'x', 'IFEQ', 'a')


def test_compare_and_delete(raw):
    client = raw()
    client.do('SET', 'lock', 'mine')
    assert client.do('DELIFEQ', 'lock', 'yours') == 0
    assert client.do('DELIFEQ', 'lock', 'mine') == 1
    assert client.do('DELIFEQ', 'lock', 'mine') == 0


def test_delete_on_a_condition(raw):
    client = raw()
    for value, condition, deleted in ((b'mine', ('IFEQ', 'yours'), 0), (b'mine', ('IFNE', 'mine'), 0),
                                      (b'mine', ('IFEQ', 'mine'), 1), (b'12', ('IFNE', '012'), 1), (b'mine', (), 1)):
        client.do('SET', 'lock', value)
        assert client.do('DELEX', 'lock', *condition) == deleted
        assert client.do('GET', 'lock') == (None if deleted else value)
    assert client.do('DELEX', 'none') == client.do('DELEX', 'none', 'WHATEVER', 'x') == 0
    client.do('RPUSH', 'list', 'a')
    with pytest.raises(ReplyError, match='should be of string type'):
        client.do('DELEX', 'list', 'IFEQ', 'a')
    assert client.do('DELEX', 'list') == 1
    client.do('SET', 'lock', 'mine')
    for wrong, error in ((('IFEQ',), 'wrong number'), (('IFEQ', 'a', 'b'), 'wrong number'),
                         (('NX', 'mine'), 'Invalid condition'), (('IFDEQ', 'mine'), 'exactly 16 hexadecimal')):
        with pytest.raises(ReplyError, match=error):
            client.do('DELEX', 'lock', *wrong)
    assert client.do('GET', 'lock') == b'mine'


def test_digests(raw):
    client = raw()
    # What XXH3 gives for these, from its own reference.
    for value, digest in ((b'Hello world', b'b6acb9d84a38ff74'), (b'', b'2d06800538d394c2'),
                          (b'123', b'404a763b3f4c8c9a'), (b'v8', b'0cc76dbb41381419')):
        client.do('SET', 'k', value)
        assert client.do('DIGEST', 'k') == digest
    assert client.call('DIGEST', 'none') == ('$', None)
    client.do('RPUSH', 'list', 'a')
    with pytest.raises(ReplyError, match='WRONGTYPE'):
        client.do('DIGEST', 'list')
    old = client.do('DIGEST', 'k')
    assert client.do('SET', 'k', 'next', 'IFDEQ', old.upper()) == b'OK'
    assert client.call('SET', 'k', 'lost', 'IFDEQ', old) == ('$', None)
    assert client.do('SET', 'k', 'last', 'IFDNE', old, 'GET') == b'next'
    assert client.call('SET', 'none', 'x', 'IFDEQ', old) == ('$', None)
    assert client.do('SET', 'none', 'x', 'IFDNE', old) == b'OK'
    with pytest.raises(ReplyError, match='exactly 16 hexadecimal'):
        client.do('SET', 'k', 'x', 'IFDNE', 'abc')
    last = client.do('DIGEST', 'k')
    assert client.do('DELEX', 'k', 'IFDNE', last) == 0
    assert client.do('DELEX', 'k', 'IFDEQ', last) == 1
    assert client.do('EXISTS', 'k') == 0


def test_what_conditions_do_to_their_keys(raw):
    client = raw()
    for words, flags in (('SET k v', [b'OW', b'update']), ('SET k v IFDEQ d', [b'RW', b'access', b'update']),
                         ('DELEX k', [b'RM', b'delete']), ('DELEX k IFEQ v', [b'RW', b'delete']),
                         ('BITFIELD k GET u8 0', [b'RO', b'access']),
                         ('BITFIELD k GET u8 0 SET u8 0 1', [b'RW', b'access', b'update'])):
        assert client.do('COMMAND', 'GETKEYSANDFLAGS', *words.split()) == [[b'k', flags]]


def test_many_keys_with_one_lifetime(raw):
    client = raw()
    assert client.do('MSETEX', '2', 'a', '1', 'b', '2', 'EX', '100') == 1
    assert client.do('MGET', 'a', 'b') == [b'1', b'2']
    assert 90 < client.do('TTL', 'b') <= 100
    assert client.do('MSETEX', '2', 'b', '3', 'c', '3', 'NX') == 0
    assert client.do('EXISTS', 'c') == 0
    assert client.do('MSETEX', '2', 'a', '8', 'b', '9', 'XX', 'KEEPTTL') == 1
    assert client.do('TTL', 'a') > 0


def test_field_lifetimes(raw):
    client = raw()
    client.do('HSET', 'h', 'a', '1', 'b', '2', 'c', '3')
    assert client.do('HPEXPIRE', 'h', '30', 'FIELDS', '2', 'a', 'b') == [1, 1]
    until(lambda: client.do('HLEN', 'h') == 1, 'two fields to end')
    assert client.do('HGETALL', 'h') == [b'c', b'3']
    assert client.do('HEXPIRE', 'h', '0', 'FIELDS', '1', 'c') == [2]
    assert client.do('EXISTS', 'h') == 0
    assert client.do('HTTL', 'none', 'FIELDS', '1', 'x') in ([-2], None)


def test_write_and_read_fields_with_lifetimes(raw):
    client = raw()
    assert client.do('HSETEX', 'h', 'EX', '100', 'FIELDS', '2', 'a', '1', 'b', '2') == 1
    assert client.do('HSETEX', 'h', 'FNX', 'FIELDS', '1', 'a', '9') == 0
    assert client.do('HSETEX', 'h', 'FXX', 'KEEPTTL', 'FIELDS', '1', 'a', '9') == 1
    assert client.do('HTTL', 'h', 'FIELDS', '1', 'a')[0] > 90
    assert client.do('HGETEX', 'h', 'PERSIST', 'FIELDS', '2', 'a', 'none') == [b'9', None]
    assert client.do('HTTL', 'h', 'FIELDS', '2', 'a', 'b')[0] == -1
    assert client.do('HGETDEL', 'h', 'FIELDS', '2', 'a', 'b') == [b'9', b'2']
    assert client.do('EXISTS', 'h') == 0


def test_libraries_introduce_themselves(raw):
    client = raw()
    assert client.do('CLIENT', 'SETINFO', 'LIB-NAME', 'my-library') == b'OK'
    assert client.do('CLIENT', 'SETINFO', 'LIB-VER', '1.2.3') == b'OK'
    assert b' lib-name=my-library lib-ver=1.2.3' in client.do('CLIENT', 'INFO')
    with pytest.raises(ReplyError, match='lib-name cannot contain spaces'):
        client.do('CLIENT', 'SETINFO', 'LIB-NAME', 'my library')
    with pytest.raises(ReplyError, match='Unrecognized option'):
        client.do('CLIENT', 'SETINFO', 'LIB-COLOUR', 'blue')
    client.do('RESET')
    assert b'lib-name=my-library' in client.do('CLIENT', 'INFO')


def test_killing_by_age_and_ids(raw):
    client, other = raw(), raw()
    number = other.do('CLIENT', 'ID')
    assert client.do('CLIENT', 'KILL', 'MAXAGE', '100000') == 0
    assert client.do('CLIENT', 'KILL', 'ID', str(number), 'MAXAGE', '100000') == 0
    with pytest.raises(ReplyError, match='maxage should be greater than 0'):
        client.do('CLIENT', 'KILL', 'MAXAGE', '0')
    assert client.do('CLIENT', 'KILL', 'ID', str(number), 'SKIPME', 'no') == 1
    with pytest.raises(ConnectionError):
        while True:  # another thread's client may still be served for a moment
            other.do('PING')


def test_members_without_scores(raw):
    client = raw()
    client.do('ZADD', 'small', '1', 'a', '2.5', 'b')
    client.do('ZADD', 'large', *(word for i in range(500) for word in (str(i), 'm%d' % i)))
    cursor, members = client.do('ZSCAN', 'small', '0', 'NOSCORES')
    assert cursor == b'0' and sorted(members) == [b'a', b'b']
    assert client.do('ZSCAN', 'small', '0', 'noscores', 'MATCH', 'b', 'COUNT', '5') == [b'0', [b'b']]
    found, cursor = [], b'0'
    while True:
        cursor, members = client.do('ZSCAN', 'large', cursor, 'COUNT', '50', 'NOSCORES')
        found += members
        if cursor == b'0':
            break
    assert sorted(found) == sorted(b'm%d' % i for i in range(500))
    client.do('SADD', 'set', 'a')
    client.do('HSET', 'hash', 'f', 'v')
    for command in (('SSCAN', 'set', '0', 'NOSCORES'), ('HSCAN', 'hash', '0', 'NOSCORES'),
                    ('ZSCAN', 'small', '0', 'NOVALUES'), ('SCAN', '0', 'NOSCORES')):
        with pytest.raises(ReplyError, match='syntax error'):
            client.do(*command)


def test_what_a_client_has_moved(raw):
    client = raw()

    def totals():
        info = dict(word.split(b'=', 1) for word in client.do('CLIENT', 'INFO').split())
        return [int(info[b'tot-' + name]) for name in (b'cmds', b'net-in', b'net-out')]

    before = totals()
    client.do('SET', 'k', 'x' * 1000)
    client.do('GET', 'k')
    after = totals()
    asked = sum(map(len, (encode(('SET', 'k', 'x' * 1000)), encode(('GET', 'k')), encode(('CLIENT', 'INFO')))))
    assert after[0] - before[0] == 3
    assert after[1] - before[1] == asked
    assert 1000 < after[2] - before[2] < 2500


def test_touch_is_an_access_where_others_are_none(raw):
    client = raw()
    client.do('SET', 'k', 'v')
    client.do('CLIENT', 'NO-TOUCH', 'ON')
    assert until(lambda: client.do('OBJECT', 'IDLETIME', 'k') >= 1, 'a second')
    client.do('GET', 'k')
    assert client.do('OBJECT', 'IDLETIME', 'k') >= 1
    assert client.do('TOUCH', 'k', 'none') == 1
    assert client.do('OBJECT', 'IDLETIME', 'k') == 0


def test_directives_are_told_in_the_order_of_their_names(raw):
    names = raw().do('CONFIG', 'GET', '*')[::2]
    assert names == sorted(names) and len(names) > 200


def test_subcommands_that_are_not_built_say_so(raw):
    client = raw()
    for words in (('CLIENT', 'TRACKING', 'ON'), ('CLIENT', 'CACHING', 'YES'), ('MEMORY', 'STATS'),
                  ('MEMORY', 'PURGE'), ('COMMANDLOG', 'LEN', 'slow')):
        name = words[0].lower() if words[0] == 'COMMANDLOG' else '|'.join(words[:2]).lower()
        with pytest.raises(ReplyError, match="The '%s' command is not supported" % name.replace('|', r'\|')):
            client.do(*words)
    listed = client.do('COMMAND', 'LIST')
    assert b'client|id' in listed and b'client|tracking' not in listed and b'memory|stats' not in listed
    assert client.do('COMMAND', 'INFO', 'client|tracking') in ([None], None)
    with pytest.raises(ReplyError, match="unknown subcommand 'NONSENSE'"):
        client.do('CLIENT', 'NONSENSE')
