# SPDX-License-Identifier: BSD-3-Clause
"""Runs a sequence on two servers and finds the first step on which they differ.

Two ways of running (Sequence.mode):

fast    every command has exactly one reply, which comes at once.  Commands go out in batches.
multi   commands may wait, wake others, publish, close connections.  Steps go one by one: what
        the oracle has sent on every connection after a step is what the other server has to send.
        The oracle handles one command at a time, so two round trips on another connection show
        that a step and all it caused is through; our server is then given the time it needs.
"""

import re
import time

import compare
import differences
import guard
import keyspace
from carry import carry
from resp import Client, ProtocolError, encode, parse, show

PATIENCE_S = 8.0
DEFAULT_LIMITS = {
    'hash-max-listpack-entries': '128', 'hash-max-listpack-value': '64',
    'set-max-intset-entries': '512', 'zset-max-listpack-entries': '128',
    'zset-max-listpack-value': '64', 'list-max-listpack-size': '-2', 'hll-sparse-max-bytes': '3000',
    'stream-node-max-bytes': '4096', 'stream-node-max-entries': '100',
    'maxmemory-policy': 'noeviction', 'maxmemory': '0', 'timeout': '0', 'tcp-keepalive': '300',
    'lfu-log-factor': '10', 'slowlog-log-slower-than': '10000', 'proto-max-bulk-len': '536870912',
    'client-query-buffer-limit': '1073741824', 'maxmemory-samples': '5',
    'lazyfree-lazy-user-del': 'no', 'loglevel': 'notice', 'sanitize-dump-payload': 'no',
}
CLOSED = ('closed', None)
MISSING = ('no reply', None)


class OracleStuck(Exception):
    """The oracle does not answer a command of a family whose commands all answer at once."""


class Mismatch:
    def __init__(self, index, step, expected, actual, note=''):
        self.index = index
        self.step = step
        self.expected = expected
        self.actual = actual
        self.note = note

    @property
    def signature(self):
        """Two mismatches with one signature are taken for one mistake."""
        args = self.step[1]
        name = args[0].upper()
        if name in (b'CLIENT', b'CONFIG', b'COMMAND', b'OBJECT', b'PUBSUB') and len(args) > 1:
            name += b' ' + args[1].upper()
        if name.startswith(b'~SCAN') and len(args) > 1:
            name += b' ' + args[1].upper()
        if self.note:
            return '%s (%s)' % (name.decode('latin-1'), self.note.split(':')[0])
        return '%s %s/%s' % (name.decode('latin-1'), _kinds(self.expected), _kinds(self.actual))

    def lines(self):
        out = ['expected  ' + _show(self.expected), 'actual    ' + _show(self.actual)]
        if self.note:
            out.insert(0, self.note)
        return out


def _kinds(reply):
    if isinstance(reply, list):
        return '%d replies' % len(reply)
    if reply[0] == '-':
        return reply[1].split(b' ')[0].decode('latin-1')
    return reply[0]


def _show(reply):
    if isinstance(reply, list):
        return ' | '.join(_show(item) for item in reply) or '(nothing)'
    if reply in (CLOSED, MISSING):
        return '(%s)' % reply[0]
    text = show(reply)
    return text if len(text) < 4000 else text[:4000] + '...'


class Side:
    """One server and the connections to it."""

    def __init__(self, address, flavour='subject'):
        self.address = address
        self.flavour = flavour
        self._control = None
        self.revive()
        self.conns = {}
        self.ids = {}
        self.proto = 2

    @property
    def control(self):
        return self._control

    def revive(self):
        """The connection that the test itself uses, new if the sequence had it closed."""
        if self._control:
            try:
                self._control.call('PING')
                return
            except (OSError, ConnectionError):
                self._control.close()
        self._control = Client(self.address, PATIENCE_S)
        self._control.call('CLIENT', 'SETNAME', '~control')

    def conn(self, number):
        client = self.conns.get(number)
        if client is None:
            client = Client(self.address, PATIENCE_S)
            reply = client.call('HELLO', str(self.proto))
            fields = reply[1]
            if reply[0] == '*':
                fields = list(zip(fields[::2], fields[1::2]))
            self.ids[number] = dict((k[1], v[1]) for k, v in fields)[b'id']
            self.conns[number] = client
        return client

    def drop(self, number):
        client = self.conns.pop(number, None)
        if client:
            client.close()

    def reset(self, config, proto):
        for number in list(self.conns):
            self.drop(number)
        self.proto = proto
        self.revive()
        # A sequence may have left writes paused; and the reply of FLUSHALL would then not come.
        commands = [['CLIENT', 'UNPAUSE'], ['SELECT', '0'], ['FLUSHALL']]
        commands += [['CONFIG', 'SET', k, v] for k, v in {**DEFAULT_LIMITS, **config}.items()]
        replies = self.control.pipeline(commands)
        must = [word for word in commands if word[0] == 'FLUSHALL' or len(word) > 2 and word[2] in config]
        return [(c, r) for c, r in zip(commands, replies) if r[0] == '-' and c in must]

    def fill_in(self, args):
        """Client ids and addresses differ between the sides: {id:1}, {addr:1}."""
        if not any(b'{' in arg for arg in args):
            return args
        out = []
        for at, arg in enumerate(args):
            match = re.fullmatch(rb'\{(id|addr):(\d)\}', arg)
            if match and at >= 2:
                number = int(match[2])
                client = self.conn(number)
                if match[1] == b'id':
                    arg = b'%d' % self.ids[number]
                else:
                    arg = b'%s:%d' % (client.sock.getsockname()[0].encode(),
                                      client.sock.getsockname()[1])
            out.append(arg)
        return out

    def blocked(self, number):
        """Whether the server says that this connection waits."""
        self.revive()
        kind, text = self.control.call('CLIENT', 'LIST', 'ID', str(self.ids[number]))
        match = re.search(rb' flags=(\w*)', text or b'') if kind in '$=' else None
        return bool(match) and b'b' in match[1]

    def available(self):
        """What has arrived on every connection."""
        found = {}
        for number, client in list(self.conns.items()):
            try:
                replies, closed = client.read_arrived()
            except OSError:
                replies, closed = [], True
            if closed:
                replies.append(CLOSED)
                self.drop(number)
            if replies:
                found[number] = replies
        return found


class Pair:
    def __init__(self, oracle, subject, threads=1):
        # With several threads, what a client has queued behind a wait may overtake the clients
        # that its own wake-up makes ready: such steps are left out.
        self.queue_behind_waits = threads == 1
        self.oracle = oracle
        self.subject = subject
        self.commands = 0

    def run(self, sequence):
        """The first Mismatch, or None.  ConnectionError when the server under test is gone."""
        self.history = {}
        self.waiting = {}
        self.executed = {}
        self.last = []
        self.oracle.reset(sequence.config, sequence.proto)
        refused = self.subject.reset(sequence.config, sequence.proto)
        if refused:
            command, reply = refused[0]
            return Mismatch(0, (0, [word.encode() for word in command]), ('+', b'OK'), reply)
        if sequence.mode == 'multi':
            for number in range(4):
                self.oracle.conn(number)
                self.subject.conn(number)
            return self._run_multi(sequence.steps)
        return self._run_fast(sequence.steps)

    # Both ways.

    def _instruction(self, index, step):
        args = step[1]
        word = args[0]
        self.oracle.revive()
        self.subject.revive()
        if word == b'~sleep':
            time.sleep(float(args[1]) / 1000)
            return None
        if word == b'~compare':
            found = keyspace.differ(self.oracle, self.subject, self._accept)
        elif word == b'~scan':
            found = guard.walk_both(self.oracle.conn(step[0]), self.subject.conn(step[0]),
                                    args[1:])
        elif word == b'~guard':
            found = guard.check(self.oracle.conn(step[0]), self.subject.conn(step[0]), args[1:])
        elif word == b'~carry':
            found = carry(self.oracle.conn(step[0]), self.subject.conn(step[0]), args[1:])
        else:
            raise ValueError('no such instruction: %r' % word)
        return Mismatch(index, step, *found) if found else None

    def _accept(self, args, a, b):
        return compare.same(args, a, b) or bool(
            differences.explain(self.oracle.flavour, args, a, b))

    def _same(self, conn, args, a, b):
        """Compares one reply, element by element where it is that of a transaction."""
        queue = self.history.setdefault(conn, [])
        name = args[0].upper()
        if a == ('+', b'QUEUED'):
            queue.append(args)
        elif name in (b'EXEC', b'DISCARD', b'RESET', b'MULTI') and (
                a[0] != '-' or a[1].startswith(b'EXECABORT')):
            if queue or a != b:
                self.executed[conn] = list(queue)
            queue.clear()
        return a == b or self._accept(args, a, b) or (
            name == b'EXEC' and self._same_results(self.executed.get(conn, []), a, b))

    def _same_results(self, commands, a, b):
        """Compares what EXEC answered.  Subscriptions and CLIENT REPLY in a transaction give it
        more or fewer elements than it had commands, or elements that come after it."""
        def any_command(x, y):
            return any(self._accept(command, x, y) for command in commands)

        if a[0] != b[0] or a[0] != '*' or not a[1] or not b[1] or len(a[1]) != len(b[1]):
            return any_command(a, b)
        if len(a[1]) == len(commands) and all(
                x == y or self._accept(c, x, y) for c, x, y in zip(commands, a[1], b[1])):
            return True
        return any_command(a, b) or len(a[1]) != len(commands) and all(
            x == y or any_command(x, y) for x, y in zip(a[1], b[1]))

    # Fast.

    def _run_fast(self, steps):
        at = 0
        while at < len(steps):
            conn, args = steps[at]
            if args[0][:1] == b'~':
                found = self._instruction(at, steps[at])
                if found:
                    return found
                at += 1
                continue
            end = at
            while end < len(steps) and end - at < 64:
                if steps[end][0] != conn or steps[end][1][0][:1] == b'~':
                    break
                end += 1
                if steps[end - 1][1][0].upper() in compare.RANDOM:
                    break
            found = self._batch(at, [step[1] for step in steps[at:end]], conn)
            if found:
                return found
            at = end
        return None

    def _batch(self, at, batch, conn):
        ours, theirs = self.subject.conn(conn), self.oracle.conn(conn)
        data = b''.join([encode(args) for args in batch])
        theirs.send_raw(data)
        try:
            ours.send_raw(data)
        except OSError:
            pass  # The replies that did come show where it stopped.
        self.commands += len(batch)
        self.last = batch
        try:
            expected = [theirs.read() for _ in batch]
        except TimeoutError as error:
            raise OracleStuck('; '.join(str(args) for args in batch)) from error
        for i, args in enumerate(batch):
            try:
                actual = ours.read()
            except ConnectionError:
                actual = CLOSED
            except TimeoutError:
                actual = MISSING
            if not self._same(conn, args, expected[i], actual):
                return Mismatch(at + i, (conn, args), expected[i], actual)
        if batch[-1][0].upper() in compare.RANDOM and expected[-1][0] not in '-+':
            return self._settle(at + len(batch) - 1, conn, batch[-1], expected[-1], actual)
        return None

    def _settle(self, index, conn, args, expected, actual):
        """Checks a random answer against the key, and makes both sides equal again."""
        ours, theirs = self.subject.conn(conn), self.oracle.conn(conn)
        note = guard.settle(theirs, ours, args, expected, actual)
        return Mismatch(index, (conn, args), expected, actual, note) if note else None

    # Step by step.

    def _run_multi(self, steps):
        for index, step in enumerate(steps):
            conn, args = step
            if args[0][:1] == b'~':
                found = self._instruction(index, step)
                if not found:
                    found = self._outcome(index, step, self._settled(), None)
            else:
                found = self._step(index, step)
            if found:
                return found
        time.sleep(0.005)
        return self._outcome(len(steps) - 1, steps[-1], self._settled(), None) if steps else None

    def _settled(self):
        """What the oracle has sent by the time that it has nothing left to do."""
        self.oracle.revive()
        self.oracle.control.call('PING')
        self.oracle.control.call('PING')
        return self.oracle.available()

    def _step(self, index, step):
        conn, args = step
        if not self.queue_behind_waits and self.waiting.get(conn) and self.oracle.blocked(conn):
            return None
        self.commands += 1
        self.last = [args]
        theirs, ours = self.oracle.conn(conn), self.subject.conn(conn)
        theirs.send(*self.oracle.fill_in(args))
        try:
            ours.send(*self.subject.fill_in(args))
        except OSError:
            pass
        return self._outcome(index, step, self._settled(), conn)

    def _outcome(self, index, step, expected, issuer):
        for conn in sorted(expected, key=lambda number: number != issuer):
            actual = []
            client = self.subject.conns.get(conn)
            for reply in expected[conn]:
                try:
                    actual.append(client.read() if client else CLOSED)
                except TimeoutError:
                    actual.append(MISSING)
                    break
                except (ConnectionError, OSError):
                    actual.append(CLOSED)
                    self.subject.drop(conn)
                    client = None
            found = self._differ(index, step, conn, issuer, expected[conn], actual)
            if found:
                return found
        if issuer is not None and issuer not in expected:
            self.waiting.setdefault(issuer, []).append(step[1])
            self._wait_until_quiet(issuer)
        for conn, replies in sorted(self.subject.available().items()):
            late = self._late(conn, replies)
            found = (self._differ(index, step, conn, issuer, late, replies) if late else
                     Mismatch(index, step, [], replies, 'more than expected on connection %d' % conn))
            if found:
                return found
        return None

    def _late(self, conn, replies):
        """A wait that ends by itself may end for ours first, on a busy machine: what the oracle says then."""
        if not self.waiting.get(conn) or any(value is not None for _, value in replies):
            return None
        try:
            return self.oracle.conn(conn).read_many(len(replies), 1)
        except (TimeoutError, ConnectionError):
            return None

    def _differ(self, index, step, conn, issuer, expected, actual):
        # A reply may be that of a command that waited, or was queued behind one that did.
        asked = self.waiting.pop(conn, [])
        if len(asked) > len(expected):
            self.waiting[conn] = asked[len(expected):]
        asked += [step[1]] if conn == issuer else []
        if conn == issuer and self.oracle.flavour == 'redis7':
            expected, actual = compare.messages_last(expected), compare.messages_last(actual)
        if expected == actual:
            for a in expected:
                if conn == issuer:
                    self._same(conn, step[1], a, a)
            return None
        a = compare.pmessage_run(compare.unsubscribe_run(step[1], expected))
        b = compare.pmessage_run(compare.unsubscribe_run(step[1], actual))
        if len(a) == len(b):
            if all(x == y or any(self._same(conn, args, x, y) for args in asked)
                   for x, y in zip(a, b)):
                return None
            name = step[1][0].upper()
            if name == b'EXEC' and compare.spilled(expected) == compare.spilled(actual):
                return None
        if len(expected) == len(actual) == 1 and conn == issuer:
            return Mismatch(index, step, expected[0], actual[0])
        return Mismatch(index, step, expected, actual, 'on connection %d' % conn)

    def _wait_until_quiet(self, conn):
        """After a command that the oracle did not answer: until ours waits as well."""
        if conn not in self.subject.conns or conn not in self.oracle.conns:
            return
        if not self.oracle.blocked(conn):
            # Neither answered nor waiting: CLIENT REPLY OFF, or queued behind a wait.
            time.sleep(0.02)
            return
        limit = time.monotonic() + 2
        while time.monotonic() < limit and not self.subject.blocked(conn):
            time.sleep(0.001)


__all__ = ['CLOSED', 'MISSING', 'Mismatch', 'Pair', 'ProtocolError', 'Side', 'parse']
