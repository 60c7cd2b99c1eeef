# SPDX-License-Identifier: BSD-3-Clause
"""CLIENT LIST and CLIENT KILL, told by filters which clients are meant; CLIENT CAPA."""

import os
import socket

import pytest

from conftest import until
from resp import ReplyError, encode

pytestmark = pytest.mark.newer


def identity(client):
    return str(client.do('CLIENT', 'ID'))


def listed(asking, *filters):
    lines = asking.do('CLIENT', 'LIST', *filters).decode().splitlines()
    return [line.split()[0].removeprefix('id=') for line in lines]


@pytest.fixture
def asked(raw):
    """asked(*filters): which of four clients of different traits CLIENT LIST lists, by name."""
    asking = raw()
    clients = {name: raw() for name in ('plain', 'named', 'reader', 'queuing')}
    ids = {name: identity(client) for name, client in clients.items()}
    clients['named'].do('CLIENT', 'SETNAME', 'worker-1')
    clients['named'].do('CLIENT', 'SETINFO', 'LIB-NAME', 'library')
    clients['named'].do('CLIENT', 'SETINFO', 'LIB-VER', '1.2.3')
    clients['named'].do('SELECT', '11')
    clients['reader'].do('SUBSCRIBE', 'channel')
    clients['queuing'].do('CLIENT', 'CAPA', 'redirect', 'what-nobody-knows')
    clients['queuing'].do('CLIENT', 'NO-EVICT', 'ON')
    clients['queuing'].do('MULTI')

    def ask(*filters):
        there = listed(asking, *filters)
        return {name for name, number in ids.items() if number in there}

    ask.ids, ask.clients, ask.asking = ids, clients, asking
    return ask


EVERYBODY = {'plain', 'named', 'reader', 'queuing'}


@pytest.mark.parametrize('filters, meant', [
    (('NAME', 'worker-1'), {'named'}),
    (('NAME', ''), set()),
    (('LIB-NAME', 'library'), {'named'}),
    (('LIB-VER', '1.2.3'), {'named'}),
    (('LIB-VER', '1.2'), set()),
    (('DB', '11'), {'named'}),
    (('TYPE', 'pubsub'), {'reader'}),
    (('TYPE', 'primary'), set()),
    (('TYPE', 'pubsub', 'TYPE', 'normal'), EVERYBODY - {'reader'}),
    (('FLAGS', 'P'), {'reader'}),
    (('FLAGS', 'x'), {'queuing'}),
    (('FLAGS', 'ex'), {'queuing'}),
    (('FLAGS', 'xN'), set()),
    (('FLAGS', 'N'), {'plain', 'named'}),
    (('FLAGS', ''), EVERYBODY),
    (('CAPA', 'r'), {'queuing'}),
    (('CAPA', ''), EVERYBODY),
    (('USER', 'default'), EVERYBODY),
    (('MAXAGE', '100000'), set()),
    (('IDLE', '100000'), set()),
    (('IP', '127.0.0.1'), EVERYBODY),
    (('IP', '127.0.0.2'), set()),
    (('NAME', 'worker-1', 'DB', '0'), set()),
    (('NAME', 'nobody', 'NAME', 'worker-1'), {'named'}),
])
def test_listing_by_one_trait_or_several(asked, filters, meant):
    assert asked(*filters) == meant
    if len(filters) == 2 and filters[0] not in ('MAXAGE', 'IDLE') and filters[1]:
        assert asked('NOT-' + filters[0], filters[1]) == EVERYBODY - meant


def test_listing_by_identifiers_and_addresses(asked):
    ids, asking = asked.ids, asked.asking
    assert asked('ID', ids['plain'], ids['named'], '999999999') == {'plain', 'named'}
    assert asked('ID', ids['plain'], 'ID', ids['reader'], 'TYPE', 'normal') == {'plain'}
    assert asked('NOT-ID', ids['plain'], ids['named'], 'NOT-NAME', 'nobody') == {'reader', 'queuing'}
    assert asked('ID', *ids.values(), 'NOT-ID', ids['named'], 'NOT-FLAGS', 'P') == {'plain', 'queuing'}
    own = '%s:%d' % asked.clients['named'].sock.getsockname()[:2]
    server = '%s:%d' % asked.clients['named'].sock.getpeername()[:2]
    assert asked('ADDR', own) == {'named'} and asked('NOT-ADDR', own) == EVERYBODY - {'named'}
    assert asked('LADDR', server) == EVERYBODY and asked('NOT-LADDR', server) == set()
    me = identity(asking)
    assert me in listed(asking) and me in listed(asking, 'SKIPME', 'no')
    assert me not in listed(asking, 'SKIPME', 'yes', 'NOT-DB', '11')


def test_a_client_grows_old_and_idle(raw):
    asking, other = raw(), raw()
    number = identity(other)
    assert listed(asking, 'ID', number, 'IDLE', '1') == []
    assert until(lambda: listed(asking, 'ID', number, 'IDLE', '1', 'MAXAGE', '1') == [number], 'a second')
    other.do('PING')
    assert listed(asking, 'ID', number, 'IDLE', '1') == []
    assert listed(asking, 'ID', number, 'MAXAGE', '1') == [number]


def is_closed(client):
    try:
        while client.do('PING'):  # another thread's client may still be served for a moment
            pass
    except ConnectionError:
        return True


def test_killing_by_filters(asked):
    asking, clients, ids = asked.asking, asked.clients, asked.ids
    # Other tests' clients may be there too, so whoever is not of the crew is left out.
    crew_only = ('ID', *ids.values())
    assert asking.do('CLIENT', 'KILL', 'NAME', 'worker-1', 'DB', '0') == 0
    assert asking.do('CLIENT', 'KILL', *crew_only, 'NOT-FLAGS', 'x', 'NOT-TYPE', 'pubsub', 'NOT-DB', '11') == 1
    assert is_closed(clients['plain'])
    assert asking.do('CLIENT', 'KILL', *crew_only, 'CAPA', 'r') == 1
    assert is_closed(clients['queuing'])
    assert asking.do('CLIENT', 'KILL', 'ID', ids['named'], ids['reader'], 'ID', ids['plain']) == 2
    assert is_closed(clients['named'])
    own = identity(asking)
    assert asking.do('CLIENT', 'KILL', 'ID', own) == 0, 'a client does not kill itself unless asked to'
    asking.send('CLIENT', 'KILL', 'ID', own, 'NOT-NAME', 'x', 'SKIPME', 'no')
    assert asking.read() == (':', 1)
    assert is_closed(asking)


@pytest.mark.parametrize('filters, error', [
    (('ID',), 'syntax error'),
    (('NAME',), 'syntax error'),
    (('DB', '0', 'NAME'), 'syntax error'),
    (('COLOUR', 'blue'), 'syntax error'),
    (('NOT-SKIPME', 'yes'), 'syntax error'),
    (('NOT-MAXAGE', '1'), 'syntax error'),
    (('NOT-IDLE', '1'), 'syntax error'),
    (('NOT-', '1'), 'syntax error'),
    (('SKIPME', 'perhaps'), 'syntax error'),
    (('ID', 'x'), 'Invalid client ID'),
    (('ID', '1', 'x'), 'Invalid client ID'),
    (('NOT-ID', '1', '2', 'NOT-X', '3'), 'Invalid client ID'),
    (('TYPE', 'odd'), "Unknown client type 'odd'"),
    (('NOT-TYPE', 'odd'), "Unknown client type 'odd'"),
    (('USER', 'nobody'), "No such user 'nobody'"),
    (('NOT-USER', 'nobody'), "No such user 'nobody'"),
    (('FLAGS', 'xZ'), 'Unknown flags found in the provided filter: xZ'),
    (('FLAGS', b'\0'), 'Unknown flags'),
    (('NOT-CAPA', 'rq'), 'Unknown capa found in the provided filter: rq'),
    (('DB', 'x'), 'DB is not an integer or out of range'),
    (('DB', '16'), 'DB index is out of range'),
    (('NOT-DB', '-1'), 'DB index is out of range'),
    (('MAXAGE', '0'), 'maxage should be greater than 0'),
    (('MAXAGE', '1.5'), 'maxage is not an integer or out of range'),
    (('IDLE', '-1'), 'idle should be greater than 0'),
    (('IDLE', 'x'), 'idle is not an integer or out of range'),
])
def test_filters_that_are_wrong(raw, filters, error):
    asking = raw()
    with pytest.raises(ReplyError, match=error):
        asking.do('CLIENT', 'LIST', *filters)
    if len(filters) > 1 and error != 'Invalid client ID':
        with pytest.raises(ReplyError, match=error):
            asking.do('CLIENT', 'KILL', *filters)


def test_identifiers_to_kill_that_are_wrong(raw):
    asking = raw()
    for ids in (('0',), ('x',), ('-1', 'SKIPME', 'no'), ('999999999', '0')):
        with pytest.raises(ReplyError, match='client-id should be greater than 0'):
            asking.do('CLIENT', 'KILL', 'ID', *ids, 'DB', '0')
    with pytest.raises(ReplyError, match='syntax error'):
        asking.do('CLIENT', 'KILL', 'ID', '999999999', 'x')


def test_what_a_client_can_do(raw):
    client = raw()
    assert b'capa=' not in client.do('CLIENT', 'INFO')
    assert client.do('CLIENT', 'CAPA', 'nothing-known') == b'OK'
    assert b'capa=' not in client.do('CLIENT', 'INFO')
    assert client.do('CLIENT', 'CAPA', 'x', 'REDIRECT') == b'OK'
    client.do('RESET')
    assert b' capa=r db=' in client.do('CLIENT', 'INFO')
    with pytest.raises(ReplyError, match='wrong number of arguments'):
        client.do('CLIENT', 'CAPA')


def test_fields_are_those_of_redis(raw):
    """Some libraries refuse a line with a field that they do not know (go-redis in ClientInfo)."""
    fields = ('id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp '
              'obl oll omem tot-mem events cmd user redir resp lib-name lib-ver io-thread tot-net-in tot-net-out tot-cmds')
    client = raw()
    told = [field.split('=')[0] for field in client.do('CLIENT', 'INFO').decode().split()]
    assert told == fields.split()
    for line in client.do('CLIENT', 'LIST').decode().splitlines():
        assert [field.split('=')[0] for field in line.split()] == fields.split()


def test_addresses_of_unix_sockets_and_of_ipv6(start, tmp_path):
    path = str(tmp_path / 'socket')
    server = start('--unixsocket', path)
    with server.client() as asking, socket.socket(socket.AF_UNIX) as unix:
        unix.connect(path)
        unix.sendall(encode(('CLIENT', 'ID')))
        number = unix.recv(100).strip().lstrip(b':').decode()
        assert listed(asking, 'IP', path) == [number] == listed(asking, 'ADDR', path + ':0', 'FLAGS', 'U')
        assert listed(asking, 'NOT-IP', '127.0.0.1') == [number]


@pytest.mark.skipif(not os.path.exists('/proc/net/if_inet6'), reason='no IPv6 here')
def test_addresses_of_ipv6(start):
    server = start('--bind', '127.0.0.1', '::1')
    with server.client() as asking, socket.socket(socket.AF_INET6) as six:
        six.connect(('::1', asking.sock.getpeername()[1]))
        six.sendall(encode(('CLIENT', 'ID')))
        number = six.recv(100).strip().lstrip(b':').decode()
        assert listed(asking, 'IP', '::1') == [number]
        assert number not in listed(asking, 'NOT-IP', '::1')
