# SPDX-License-Identifier: BSD-3-Clause
"""Starts and stops one server process for a test.

    with Server(['--threads', '4']) as server:
        client = server.client()
        ...

The binary is KEYNOME_SERVER from the environment, by default build/release/src/keynome-server of
this checkout; any redis.conf compatible server will do (binary=...).  The system chooses the port.
The server runs in a new folder of its own, with its output captured in a file there.

Leaving the block stops that one process, and raises ServerFailed if it crashed, exited with an
error, or printed a sanitizer report: a test cannot pass over a dead or poisoned server.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from resp import Client

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What a log says when something is wrong with the server itself.
FAULT = re.compile(
    r'ERROR: (Address|Leak|Memory)Sanitizer|WARNING: (Thread|Memory)Sanitizer|'
    r'SUMMARY: (Address|Thread|Leak|UndefinedBehavior)Sanitizer|: runtime error: |'
    r'BUG REPORT START|Assertion .* failed|ASSERTION FAILED|crashed by signal')


class ServerFailed(Exception):
    pass


def default_binary():
    return os.path.abspath(os.environ.get('KEYNOME_SERVER') or os.path.join(
        ROOT, 'build', 'release', 'src', 'keynome-server'))


def free_port():
    """A port that was free a moment ago.  Another process may still take it: start() retries."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class Server:
    def __init__(self, args=(), binary=None, command=None, unix=False, config=None, env=None,
                 ready_s=20.0, password=None, start=True):
        """args: more directives.  command: the words before the arguments, instead of binary
        (for instance ['chroot', DIR, 'redis-server']).  unix: listen on a Unix socket too, and
        connect through it.  config: text of a configuration file.  env: variables to add."""
        self.command = list(command) if command else [binary or default_binary()]
        self.args = [str(arg) for arg in args]
        if os.path.basename(self.command[-1]) == 'redis-server' and '--threads' in self.args:
            # Used to check the tests themselves: it has no number of threads to set.
            where = self.args.index('--threads')
            del self.args[where:where + 2]
        self.unix = unix
        self.config = config
        self.env = dict(os.environ, **(env or {}))
        self.env.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1')
        self.ready_s = ready_s
        self.password = password
        self.process = None
        self.killed = False
        self.port = None
        self.dir = tempfile.mkdtemp(prefix='keynome-test-')
        self.log_path = os.path.join(self.dir, 'server.log')
        self.socket_path = os.path.join(self.dir, 'server.sock')
        if start:
            try:
                self.start()
            except BaseException:
                self.discard()
                raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except ServerFailed:
            # The failure inside the block is often only an echo of the crash: say both.
            if kind is None:
                raise
            print(self.report())
        finally:
            self.discard()

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return self.socket_path if self.unix else ('127.0.0.1', self.port)

    def client(self, timeout_s=10.0):
        client = Client(self.address, timeout_s)
        if self.password:
            client.do('AUTH', self.password)
        return client

    def start(self):
        """Starts the process and returns once it answers PING."""
        for attempt in range(5):
            self.port = free_port()
            words = list(self.command)
            if self.config is not None:
                path = os.path.join(self.dir, 'server.conf')
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(self.config)
                words.append(path)
            words += ['--port', str(self.port)]
            if '--bind' not in self.args:
                words += ['--bind', '127.0.0.1']
            if self.unix:
                words += ['--unixsocket', self.socket_path]
            self.killed = False
            with open(self.log_path, 'ab') as log:
                self.process = subprocess.Popen(words + self.args, stdout=log, stderr=log,
                                                stdin=subprocess.DEVNULL, cwd=self.dir,
                                                env=self.env)
            if self._wait_ready():
                return self
            if 'in use' not in self.log() or attempt == 4:
                raise ServerFailed('the server did not start\n' + self.report())
        raise AssertionError('unreachable')

    def _wait_ready(self):
        limit = time.monotonic() + self.ready_s
        pause_s = 0.005
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                return False
            try:
                with Client(self.address, 2.0) as client:
                    kind, text = client.call('PING')
                    if kind == '+' or text.startswith((b'NOAUTH', b'DENIED')):
                        return True
            except (OSError, ConnectionError, TimeoutError):
                pass
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.1)
        self.kill()
        return False

    def log(self):
        try:
            with open(self.log_path, encoding='utf-8', errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def fault(self):
        """Why this server counts as broken, or None.  Cheap enough to ask after every test."""
        if not self.killed and self.process and self.process.poll() not in (None, 0):
            code = self.process.returncode
            why = 'signal %s' % signal.Signals(-code).name if code < 0 else 'status %d' % code
            return 'the server ended with ' + why
        match = FAULT.search(self.log())
        return 'the server reported: ' + match.group(0) if match else None

    def check(self):
        """Raises ServerFailed if the server died or reported a fault."""
        why = self.fault()
        if why:
            raise ServerFailed(why + '\n' + self.report())

    def report(self, lines=80):
        """The end of the log, from the first fault on where there is one."""
        log = self.log()
        match = FAULT.search(log)
        if match:
            text = log[max(0, match.start() - 200):].splitlines()[:lines]
        else:
            text = log.splitlines()[-lines:]
        return '--- %s\n%s\n---' % (' '.join(self.command + self.args), '\n'.join(text))

    def stop(self, within_s=20.0):
        """Ends the process as an operator would, and checks how it went."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.kill()
                raise ServerFailed('the server did not stop in %g s\n%s' %
                                   (within_s, self.report())) from None
        self.check()

    def kill(self):
        """Ends the process at once, which stop() and check() then do not hold against it."""
        if self.process is not None and self.process.poll() is None:
            self.killed = True
            self.process.kill()
            self.process.wait()

    def discard(self):
        """Ends the process at once and forgets it, whatever its state."""
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
