# SPDX-License-Identifier: BSD-3-Clause
"""Commands that came after Redis 7.0, as their users rely on them."""

import pytest

from conftest import until
from resp import ReplyError

pytestmark = pytest.mark.newer


def test_compare_and_set(raw):
    client = raw()
    client.do('SET', 'lock', 'mine')
    assert client.call('SET', 'lock', 'stolen', 'IFEQ', 'yours') == ('$', None)
    assert client.do('SET', 'lock', 'renewed', 'IFEQ', 'mine', 'PX', '60000') == b'OK'
    assert client.do('SET', 'lock', 'next', 'IFEQ', 'renewed', 'GET') == b'renewed'
    assert client.do('GET', 'lock') == b'next'
    assert client.call('SET', 'none', 'x', 'IFEQ', '') == ('$', None)
    with pytest.raises(ReplyError, match='syntax error'):
        client.do('SET', 'lock', 'x', 'IFEQ', 'y', 'NX')
    client.do('RPUSH', 'list', 'a')
    with pytest.raises(ReplyError, match='WRONGTYPE'):
        client.do('SET', 'list', 'x', 'IFEQ', 'a')


def test_compare_and_delete(raw):
    client = raw()
    client.do('SET', 'lock', 'mine')
    assert client.do('DELIFEQ', 'lock', 'yours') == 0
    assert client.do('DELIFEQ', 'lock', 'mine') == 1
    assert client.do('DELIFEQ', 'lock', 'mine') == 0


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
    with pytest.raises(ReplyError, match='maxage is not an integer or out of range'):
        client.do('CLIENT', 'KILL', 'MAXAGE', '0')
    assert client.do('CLIENT', 'KILL', 'ID', str(number), 'SKIPME', 'no') == 1
    with pytest.raises(ConnectionError):
        while True:  # another thread's client may still be served for a moment
            other.do('PING')
