# SPDX-License-Identifier: BSD-3-Clause
"""A small raw RESP2/RESP3 client that keeps the type of every reply exactly.

A reply is a tuple (type, value); the type is the marker byte of the protocol as a str:

    ('+', b'OK')  ('-', b'ERR ...')  (':', 3)  ('$', b'text')  ('$', None)  ('*', None)
    ('*', [reply, ...])                                         RESP2 and RESP3
    ('_', None)  ('#', True)  (',', b'1.5')  ('(', b'123')  ('=', b'txt:...')
    ('%', [(reply, reply), ...])  ('~', [reply, ...])  ('>', [reply, ...])   RESP3

so two replies are equal exactly when the bytes on the wire say the same thing.  plain() turns a
reply into ordinary Python values for tests that do not care about types.

One Client owns one socket, and is used by one thread.
Errors: ProtocolError for bytes that are no RESP, ConnectionError when the peer closes,
ReplyError (from Client.do only) for an error reply, TimeoutError when nothing arrives in time.
"""

import socket
import time


class ProtocolError(Exception):
    pass


class ReplyError(Exception):
    """An error reply, raised by Client.do()."""


class _Incomplete(Exception):
    pass


def encode(args):
    """The bytes of one command; arguments are bytes, str, int or float."""
    out = [b'*%d\r\n' % len(args)]
    for arg in args:
        if type(arg) is not bytes:
            arg = to_bytes(arg)
        out.append(b'$%d\r\n%s\r\n' % (len(arg), arg))
    return b''.join(out)


def to_bytes(arg):
    if isinstance(arg, (bytes, bytearray, memoryview)):
        return bytes(arg)
    if isinstance(arg, str):
        return arg.encode('utf-8', 'surrogateescape')
    if isinstance(arg, bool):
        raise TypeError('a bool is no argument')
    if isinstance(arg, (int, float)):
        return repr(arg).encode()
    raise TypeError('not an argument: %r' % (arg,))


def parse(buf, pos):
    """Parses one reply at pos; returns (reply, next position).

    Raises _Incomplete when the bytes end before the reply does.
    """
    end = buf.find(b'\r\n', pos)
    if end < 0:
        raise _Incomplete
    kind = buf[pos]
    line = bytes(buf[pos + 1:end])
    pos = end + 2
    if kind == 0x24 or kind == 0x3d or kind == 0x21:  # $ = !
        size = int(line)
        if size < 0:
            return (chr(kind), None), pos
        if len(buf) < pos + size + 2:
            raise _Incomplete
        if buf[pos + size:pos + size + 2] != b'\r\n':
            raise ProtocolError('bulk reply does not end with CRLF')
        return (chr(kind), bytes(buf[pos:pos + size])), pos + size + 2
    if kind == 0x3a:  # :
        return (':', int(line)), pos
    if kind in b'+-,(':
        return (chr(kind), line), pos
    if kind in b'*~>':
        count = int(line)
        if count < 0:
            return (chr(kind), None), pos
        items = []
        for _ in range(count):
            item, pos = parse(buf, pos)
            items.append(item)
        return (chr(kind), items), pos
    if kind == 0x25 or kind == 0x7c:  # % |
        pairs = []
        for _ in range(int(line)):
            key, pos = parse(buf, pos)
            value, pos = parse(buf, pos)
            pairs.append((key, value))
        return (chr(kind), pairs), pos
    if kind == 0x5f:  # _
        if line:
            raise ProtocolError('null with content %r' % line)
        return ('_', None), pos
    if kind == 0x23:  # #
        if line not in (b't', b'f'):
            raise ProtocolError('boolean %r' % line)
        return ('#', line == b't'), pos
    raise ProtocolError('no reply starts with %r' % bytes(buf[pos - 2 - len(line) - 1:pos]))


def plain(reply):
    """The reply as ordinary Python values; error replies become ReplyError objects."""
    kind, value = reply
    if value is None:
        return None
    if kind in '-!':
        return ReplyError(value.decode('utf-8', 'replace'))
    if kind in '*>':
        return [plain(item) for item in value]
    if kind == '~':
        return [plain(item) for item in value]
    if kind in '%|':
        return {_hashable(plain(key)): plain(item) for key, item in value}
    if kind == ',':
        return float(value)
    if kind == '(':
        return int(value)
    if kind == '=':
        return value[4:]
    return value


def _hashable(value):
    return tuple(value) if isinstance(value, list) else value


def show(reply):
    """One line of text for a reply, with its type visible."""
    kind, value = reply
    if kind == '_' or value is None:
        return {'$': '(nil bulk)', '*': '(nil array)'}.get(kind, '(null)')
    if kind == '$':
        return quote(value)
    if kind == ':':
        return '(integer) %d' % value
    if kind == '+':
        return '+' + value.decode('utf-8', 'backslashreplace')
    if kind == '-':
        return '(error) ' + value.decode('utf-8', 'backslashreplace')
    if kind == '#':
        return '(true)' if value else '(false)'
    if kind == ',':
        return '(double) ' + value.decode('utf-8', 'backslashreplace')
    if kind in '%|':
        inner = ', '.join('%s => %s' % (show(k), show(v)) for k, v in value)
        return kind + '{' + inner + '}'
    if kind in '*~>':
        brackets = {'*': '[]', '~': '~{}', '>': '>[]'}[kind]
        return brackets[:-1] + ', '.join(show(item) for item in value) + brackets[-1]
    return '(%s) %r' % (kind, value)


def quote(arg):
    """One argument the way redis-cli reads it back."""
    text = []
    for byte in arg:
        char = chr(byte)
        if char in '"\\':
            text.append('\\' + char)
        elif 32 <= byte < 127:
            text.append(char)
        else:
            text.append({10: '\\n', 13: '\\r', 9: '\\t', 7: '\\a', 8: '\\b'}.get(byte) or
                        '\\x%02x' % byte)
    return '"' + ''.join(text) + '"'


class Client:
    """One connection.  Address: ('127.0.0.1', 6379), or the path of a Unix socket."""

    def __init__(self, address, timeout_s=10.0):
        self.address = address
        self.timeout_s = timeout_s
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            self.sock = socket.socket(socket.AF_INET6 if ':' in address[0] else socket.AF_INET,
                                      socket.SOCK_STREAM)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(timeout_s)
        try:
            self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise
        self.buf = bytearray()
        self.pos = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # Sending.

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, *args):
        self.sock.sendall(encode(args))

    # Receiving.

    def read(self, timeout_s=None):
        """The next reply; TimeoutError when it has not arrived whole in time."""
        limit = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        while True:
            try:
                reply, self.pos = parse(self.buf, self.pos)
            except _Incomplete:
                self._fill(limit)
                continue
            if self.pos == len(self.buf):
                self.buf.clear()
                self.pos = 0
            return reply

    def read_many(self, count, timeout_s=None):
        """The next count replies.  Pushes count as replies."""
        replies = [self.read(timeout_s) for _ in range(count)]
        return replies

    def read_available(self, timeout_s=0.0):
        """Every whole reply that has arrived or arrives within timeout_s of silence."""
        replies = []
        while True:
            try:
                replies.append(self.read(timeout_s))
            except TimeoutError:
                return replies

    def read_arrived(self):
        """Every whole reply that is here already, without waiting."""
        closed = False
        while not closed:
            try:
                self.sock.settimeout(0)
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                break
            finally:
                self.sock.settimeout(self.timeout_s)
            closed = not data
            self.buf += data
        replies = []
        while self.pos < len(self.buf):
            try:
                reply, self.pos = parse(self.buf, self.pos)
            except _Incomplete:
                break
            replies.append(reply)
        if self.pos == len(self.buf):
            self.buf.clear()
            self.pos = 0
        return replies, closed

    def _fill(self, limit):
        if self.pos > 65536:
            del self.buf[:self.pos]
            self.pos = 0
        left = limit - time.monotonic()
        self.sock.settimeout(max(left, 0.0005))
        try:
            data = self.sock.recv(1 << 18)
        except socket.timeout:
            raise TimeoutError('no whole reply in time; have %r' %
                               bytes(self.buf[self.pos:self.pos + 200])) from None
        finally:
            self.sock.settimeout(self.timeout_s)
        if not data:
            raise ConnectionError('the server closed the connection')
        self.buf += data

    # Both.

    def call(self, *args):
        """Sends one command and returns its typed reply."""
        self.send(*args)
        return self.read()

    def pipeline(self, commands):
        """Sends all commands at once and returns their typed replies.

        Written in slices while replies are drained, so that neither side's socket buffer can
        block the other however long the pipeline is.
        """
        replies = []
        for start in range(0, len(commands), 512):
            part = commands[start:start + 512]
            self.sock.sendall(b''.join([encode(command) for command in part]))
            for _ in part:
                replies.append(self.read())
        return replies

    def do(self, *args):
        """Sends one command and returns its reply as Python values; raises ReplyError."""
        value = plain(self.call(*args))
        if isinstance(value, ReplyError):
            raise value
        return value
