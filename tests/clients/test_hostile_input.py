# SPDX-License-Identifier: BSD-3-Clause
"""Bytes that no client library sends: each gets what Debian's redis-server answers, or a close."""

import random

import pytest

from resp import encode

PING = b'*1\r\n$4\r\nPING\r\n'
LIMIT = 64 << 10  # the longest line that a request may have

INPUTS = {
    'count below zero': b'*-1\r\n',
    'count zero': b'*0\r\n',
    'count too large': b'*2147483648\r\n',
    'count beyond 64 bits': b'*99999999999999999999\r\n',
    'count not a number': b'*abc\r\n',
    'count missing': b'*\r\n',
    'count with a plus': b'*+1\r\n$4\r\nPING\r\n',
    'count with zeros in front': b'*01\r\n$4\r\nPING\r\n',
    'count with a space': b'* 1\r\n$4\r\nPING\r\n',
    'length below zero': b'*1\r\n$-1\r\n',
    'length too large': b'*2\r\n$3\r\nGET\r\n$536870913\r\n',
    'length beyond 64 bits': b'*1\r\n$99999999999999999999\r\n',
    'length not a number': b'*1\r\n$abc\r\n',
    'length missing': b'*1\r\n$\r\n',
    'no dollar': b'*1\r\nPING\r\n',
    'an integer for an argument': b'*1\r\n:4\r\nPING\r\n',
    'an array for an argument': b'*1\r\n*1\r\n$4\r\nPING\r\n',
    'argument with another end': b'*1\r\n$4\r\nPINGxx',
    'argument of no bytes': b'*1\r\n$0\r\n\r\n',
    'only newlines': b'\r\n\n\r\n\n',
    'spaces': b'      \r\n',
    'inline': b'  PING \r\n',
    'inline without carriage return': b'PING\n',
    'inline in quotes': b'echo "a\\x41\\n\\"b" \r\n',
    'inline in single quotes': b"echo 'it\\'s \\n'\r\n",
    'inline with an open quote': b'echo "half\r\n',
    'inline with a quote too many': b'echo "a"b\r\n',
    'inline of high bytes': b'echo \xff\xfe\x80\r\n',
    'inline of many words': b'PING ' + b'a ' * 30000 + b'\r\n',
    'a request of the web': b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a post of the web': b'POST /keys HTTP/1.1\r\nHost: x\r\n\r\n',
    'a reply': b'+OK\r\n',
    'a map': b'%1\r\n$1\r\na\r\n$1\r\nb\r\n',
    'a null': b'_\r\n',
    'a bulk alone': b'$4\r\nPING\r\n',
    'unknown command': encode(['NOSUCH', 'a', 'b' * 300]),
    'unknown command of many arguments': encode(['NOSUCH'] + ['argument'] * 50),
    'unknown command of bytes': encode([b'\xff\r\n\x00', b'\r\n\x01']),
    'unknown command, very long': encode(['x' * 5000]),
    'unknown subcommand': encode(['CLIENT', 'NOSUCH\r\n']),
    'subcommand missing': encode(['CLIENT']),
    'too few arguments': encode(['SET', 'k']),
    'too many arguments': encode(['GET', 'k', 'l']),
    'wrong case': encode(['pInG']),
    'long error text': encode(['SET', 'k', 'v', 'x' * 100000]),
}

NEVER_ENDING = {
    'count': b'*' + b'1' * (LIMIT + 10),
    'length': b'*1\r\n$' + b'1' * (LIMIT + 10),
    'line': b'x' * (LIMIT + 10),
}


def converse(server, data, then=PING):
    """What the server says to data followed by PING, up to its PONG or the close."""
    with server.client() as client:
        try:
            client.send_raw(data + then)
        except OSError:
            pass  # it need not have waited for the end
        said = b''
        while not said.endswith(b'+PONG\r\n'):
            try:
                chunk = client.sock.recv(65536)
            except ConnectionResetError:
                chunk = b''
            if not chunk:
                return said, 'closed'
            said += chunk
        return said, 'open'


@pytest.mark.parametrize('name', INPUTS)
def test_same_answer_as_redis(server, reference, name):
    assert converse(server, INPUTS[name]) == converse(reference, INPUTS[name])


def test_a_name_ends_where_its_length_says(raw):
    """Redis takes PING and a zero byte for PING where the two names' hashes, whose seed is new in
    every process, happen to fall into one bucket; so it is not asked here."""
    client = raw()
    client.send_raw(encode([b'PING\x00', 'a']))
    assert client.read_many(1) == [('-', b"ERR unknown command 'PING', with args beginning with: 'a' ")]


@pytest.mark.parametrize('name', NEVER_ENDING)
def test_lines_that_never_end(server, reference, name):
    data = NEVER_ENDING[name]
    assert converse(server, data, b'') == converse(reference, data, b'')


def test_answers_before_the_mistake_arrive(server, reference):
    data = PING * 100 + b'SET k v\r\n' + b'*1\r\n!oops\r\n'
    assert converse(server, data) == converse(reference, data)


@pytest.mark.parametrize('data', [
    b'*11\r\n$4\r\nPING\r\n', b'*1\r\n$16385\r\n', b'*10\r\n$4\r\nPING\r\n' + b'$1\r\na\r\n' * 9,
    b'*1\r\n$16384\r\n' + b'x' * 16384 + b'\r\n', b'*1000000\r\n', b'*2\r\n$4\r\nAUTH\r\n$20000\r\n',
], ids=['11 arguments', '16385 bytes', '10 arguments', '16384 bytes', 'a million', 'password'])
def test_strangers_have_small_limits(start, data):
    """Before AUTH, ten arguments of 16 KB are all that a server with a password listens to."""
    from conftest import REFERENCE
    from server import Server
    flags = ['--requirepass', 'secret']
    ours = start(*flags)
    with Server([*flags, '--save', ''], binary=REFERENCE) as theirs:
        theirs.password = ours.password = None
        expected = strangers_dialogue(theirs, data)
    assert strangers_dialogue(ours, data) == expected


def strangers_dialogue(server, data):
    """What a connection that has not signed in hears, up to the answer to RESET, or the close."""
    with server.client() as client:
        client.send_raw(data + b'RESET\r\n')
        said = b''
        while b'+RESET' not in said:
            chunk = client.sock.recv(65536)
            if not chunk:
                return said, 'closed'
            said += chunk
        return said, 'open'


def test_bytes_come_one_at_a_time(raw):
    client = raw()
    data = (b'PING\r\n' + encode(['SET', 'key', b'value\r\n\x00']) + b'\r\n' + encode(['GET', 'key']) +
            b'*0\r\n' + b'echo "in line"\n' + encode(['ECHO', '']))
    for byte in data:
        client.send_raw(bytes([byte]))
    assert client.read_many(5) == [('+', b'PONG'), ('+', b'OK'), ('$', b'value\r\n\x00'),
                                   ('$', b'in line'), ('$', b'')]


def test_bytes_come_in_every_two_parts(raw):
    client, other = raw(), raw()
    data = encode(['SET', 'k', 'v' * 40]) + b'ping\r\n' + encode(['STRLEN', 'k'])
    for cut in range(1, len(data)):
        client.send_raw(data[:cut])
        other.do('PING')
        client.send_raw(data[cut:])
        assert client.read_many(3) == [('+', b'OK'), ('+', b'PONG'), (':', 40)], cut


def test_big_argument_in_odd_pieces(raw):
    client = raw()
    value = bytes(range(256)) * 4096
    data = encode(['SET', 'k', value]) * 3 + encode(['GET', 'k'])
    random.seed(7)
    at = 0
    while at < len(data):
        size = random.choice((1, 100, 1447, 16384, 65537))
        client.send_raw(data[at:at + size])
        at += size
    assert client.read_many(4)[3] == ('$', value)


@pytest.mark.parametrize('data', [
    b'echo a\x00b\r\n', bytes.fromhex('16030100c8010000c40303') + bytes(200) + b'\r\n',
    b'\x00' * 1000 + b'\n', b'*1\x00\r\n$4\r\nPING\r\n', b'*1\r\n$4\x00\r\nPING\r\n',
], ids=['inline', 'greeting of TLS', 'nothing else', 'in a count', 'in a length'])
def test_zero_byte_in_a_line(server, reference, data):
    """Nothing behind it is seen, until the line is too long: the PINGs get no answer."""
    with server.client() as client, server.client() as other:
        client.send_raw(data + PING)
        assert other.do('PING') == b'PONG'
        client.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.sock.recv(1000)
    more = b'x' * (LIMIT + 10)
    assert converse(server, data + more, b'') == converse(reference, data + more, b'')


@pytest.mark.parametrize('seed', range(20))
def test_garbage_does_no_harm(server, seed):
    """Random bytes, some of them almost requests; the server must still serve others."""
    source = random.Random(seed)
    pieces = [b'*', b'$', b'\r\n', b'3', b'-1', b'0', b'SET', b'\x00', b'"', b'*1\r\n$4\r\nPING\r\n',
              b'999999999', b' ', b'\xff', b'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', b'MULTI\r\n', b'EXEC\r\n']
    for _ in range(30):
        with server.client() as client:
            client.sock.settimeout(0.2)
            try:
                client.send_raw(b''.join(source.choices(pieces, k=source.randrange(1, 60))))
                if source.random() < 0.5:
                    client.send_raw(source.randbytes(source.randrange(1, 3000)) + b'\r\n')
            except OSError:
                pass
    with server.client() as client:
        assert client.do('PING') == b'PONG'
    server.check()


def test_half_a_request_and_away(server):
    for size in range(1, 40):
        with server.client() as client:
            client.send_raw(encode(['SET', 'half', 'v' * 10])[:size])
    with server.client() as client:
        assert client.do('EXISTS', 'half') in (0, 1)
        assert client.do('PING') == b'PONG'
