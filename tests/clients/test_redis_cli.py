# SPDX-License-Identifier: BSD-3-Clause
"""redis-cli as people and scripts use it, unmodified."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest

CLI = '/usr/bin/redis-cli'


@pytest.fixture
def cli(server, db):
    """cli(*words, input=None): what redis-cli prints, on an emptied server."""
    def run(*words, data=None, status=0):
        done = subprocess.run([CLI, '-p', str(server.port), *words], input=data, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == status, done.stdout
        return done.stdout.decode()
    return run


def test_the_platform_by_hand(cli):
    assert cli('LPUSH', 'ocr:task:queue', 'task-1') == '1\n'
    assert cli('LLEN', 'ocr:task:queue') == '1\n'
    assert cli('BRPOP', 'ocr:task:queue', '5') == 'ocr:task:queue\ntask-1\n'
    assert cli('BRPOP', 'ocr:task:queue', '0.05') == '\n'
    assert cli('HSET', 'ocr:task:data:1', 'status', 'pending', 'priority', '5') == '2\n'
    assert cli('HGETALL', 'ocr:task:data:1') == 'status\npending\npriority\n5\n'
    assert cli('HINCRBY', 'ocr:task:data:1', 'attempts', '1') == '1\n'
    assert cli('ZADD', 'ocr:task:priority', '8', 'a', '3', 'b') == '2\n'
    assert cli('ZPOPMAX', 'ocr:task:priority') == 'a\n8\n'
    assert cli('SETEX', 'ocr:session:x', '604800', '{"role":"user"}') == 'OK\n'
    assert cli('TTL', 'ocr:session:x') in ('604800\n', '604799\n')
    assert cli('PUBLISH', 'ocr:notifications', '{}') == '0\n'
    assert cli('INCRBY', 'ocr:stats:tasks:completed', '5') == '5\n'
    assert cli('EXPIRE', 'ocr:task:data:1', '86400') == '1\n'
    assert int(cli('MEMORY', 'USAGE', 'ocr:task:data:1')) > 20
    assert 'used_memory_human:' in cli('INFO', 'memory')
    assert cli('SCAN', '0', 'MATCH', 'ocr:session:*', 'COUNT', '100') == '0\nocr:session:x\n'


def test_a_transaction_on_standard_input(cli):
    script = 'MULTI\nLPUSH ocr:task:queue "task 1"\nHSET h status pending\nINCR n\nEXEC\n'
    assert cli(data=script.encode()) == 'OK\nQUEUED\nQUEUED\nQUEUED\n1\n1\n1\n'


def test_reply_formats(cli, db):
    db.hset('h', mapping={'a': '1', 'b': 'two "2"'})
    db.zadd('z', {'m': 1.5})
    assert cli('--no-raw', 'HGET', 'h', 'b') == '"two \\"2\\""\n'
    assert cli('--no-raw', 'GET', 'none') == '(nil)\n'
    assert cli('--no-raw', 'HLEN', 'h') == '(integer) 2\n'
    assert cli('--csv', 'HGETALL', 'h') == '"a","1","b","two \\"2\\""\n'
    assert json.loads(cli('--json', 'HGETALL', 'h')) == {'a': '1', 'b': 'two "2"'}
    assert json.loads(cli('--json', 'ZRANGE', 'z', '0', '-1', 'WITHSCORES')) == [['m', 1.5]]
    assert cli('--no-raw', '-3', 'ZSCORE', 'z', 'm') == '(double) 1.5\n'
    assert cli('--no-raw', '-3', 'HGETALL', 'none') == '(empty hash)\n'
    assert cli('-d', ';', 'HMGET', 'h', 'a', 'a') == '1;1\n'
    assert cli('LPUSH', 'h', 'x') == (
        'WRONGTYPE Operation against a key holding the wrong kind of value\n\n')
    cli('-e', 'LPUSH', 'h', 'x', status=1)


def test_value_from_standard_input(cli, db):
    cli('-x', 'SET', 'blob', data=b'\x00binary\xff\n')
    assert db.execute_command('STRLEN', 'blob') == 9
    cli('-X', 'here', 'HSET', 'h', 'f', 'here', 'g', 'end', data=b'middle')
    assert db.hgetall('h') == {'f': 'middle', 'g': 'end'}


def test_database_name_and_repetition(cli, db):
    cli('-n', '4', 'SET', 'k', 'four')
    assert cli('-n', '4', 'GET', 'k') == 'four\n'
    assert cli('GET', 'k') == '\n'
    assert cli('-r', '5', '-i', '0.001', 'INCR', 'n') == '1\n2\n3\n4\n5\n'
    assert cli('-u', 'redis://127.0.0.1:%d/4' % db.connection_pool.connection_kwargs['port'],
               'GET', 'k') == 'four\n'


def test_scan_option(cli, db):
    db.mset({'ocr:session:%d' % i: i for i in range(2000)})
    db.sadd('ocr:set', 'x')
    assert len(cli('--scan', '--pattern', 'ocr:session:*').split()) == 2000
    assert cli('--scan', '--pattern', '*set') == 'ocr:set\n'


def test_pipe_option(cli, db):
    commands = b''.join(b'*3\r\n$3\r\nSET\r\n$%d\r\nk%d\r\n$1\r\nv\r\n' % (len(str(i)) + 1, i)
                        for i in range(20000))
    text = cli('--pipe', data=commands)
    assert 'errors: 0, replies: 20000' in text
    assert db.dbsize() == 20000
    assert 'errors: 1, replies: 2' in cli('--pipe', data=b'LPUSH k1 x\r\nPING\r\n', status=1)


def test_bigkeys(cli, db):
    db.rpush('list', *range(50))
    db.hset('hash', mapping={str(i): i for i in range(20)})
    db.set('string', 'x' * 1000)
    db.sadd('set', 1, 2)
    db.zadd('zset', {'a': 1})
    text = cli('--bigkeys')
    assert 'Sampled 5 keys in the keyspace!' in text
    assert 'Biggest   list found \'"list"\' has 50 items' in text
    assert 'Biggest string found \'"string"\' has 1000 bytes' in text
    assert 'Biggest   hash found \'"hash"\' has 20 fields' in text


def test_memkeys(cli, db):
    db.rpush('list', *['x' * 100] * 50)
    db.set('string', 'x')
    text = cli('--memkeys')
    assert 'Sampled 2 keys in the keyspace!' in text
    assert 'Biggest   list found \'"list"\' has ' in text


def test_hotkeys(cli, db):
    db.config_set('maxmemory-policy', 'allkeys-lfu')
    try:
        db.set('hot', 1)
        for _ in range(200):
            db.get('hot')
        assert 'hot key found with counter' in cli('--hotkeys')
    finally:
        db.config_set('maxmemory-policy', 'noeviction')
    assert 'LFU maxmemory policy' in cli('--hotkeys', status=1)


def watch(server, *words, lines=3, limit_s=10):
    """The first lines of a redis-cli mode that prints until it is ended."""
    process = subprocess.Popen([CLI, '-p', str(server.port), *words], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    text = b''
    end = time.monotonic() + limit_s
    while text.count(b'\n') < lines and time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.1)[0]:
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                break
            text += chunk
    process.terminate()
    process.wait(5)
    process.stdout.close()
    return text.decode()


def test_stat(server, db):
    db.mset({'a': 1, 'b': 2})
    lines = watch(server, '--stat', '-i', '0.05', lines=4).splitlines()
    assert lines[1].split()[:2] == ['keys', 'mem']
    assert lines[2].split()[0] == '2'


def test_latency(server):
    # Not on a terminal it measures for one interval and prints: min max avg samples.
    figures = watch(server, '--latency', '-i', '0.1', lines=1).split()
    assert float(figures[0]) <= float(figures[2]) <= float(figures[1])
    assert int(figures[3]) > 1


def test_subscribing(server, db):
    process = subprocess.Popen([CLI, '-p', str(server.port), 'PSUBSCRIBE', 'ocr:*'],
                               stdout=subprocess.PIPE)
    try:
        while not db.publish('ocr:notifications', 'hello'):
            pass
        lines = [process.stdout.readline().decode().strip() for _ in range(7)]
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()
    assert lines == ['psubscribe', 'ocr:*', '1', 'pmessage', 'ocr:*', 'ocr:notifications', 'hello']


class Terminal:
    """redis-cli on a pseudo terminal, as a person has it."""

    def __init__(self, server):
        self.seen = b''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
            os.environ.update(TERM='xterm', HOME='/nonexistent', REDISCLI_HISTFILE='/dev/null')
            os.execv(CLI, [CLI, '-p', str(server.port)])

    def see(self, text, limit_s=20):
        """Reads until the text has appeared; returns what came, and forgets it."""
        end = time.monotonic() + limit_s
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 4096)
        head, _, self.seen = self.seen.partition(text)
        return head + text

    def type(self, text):
        os.write(self.fd, text)

    def ask(self, line, answer):
        """Types a line, sees the answer, then the prompt: what is typed before that is lost."""
        self.type(line + b'\r')
        shown = self.see(answer) + self.see(b'> ')
        return shown

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(server, db):
    one = Terminal(server)
    yield one
    one.close()


def test_help_comes_from_the_server(server, terminal):
    terminal.see(b'127.0.0.1:%d> ' % server.port)
    shown = terminal.ask(b'help GETEX', b' string\r')
    assert b'summary:' in shown and b' 6.2.0' in shown
    terminal.ask(b'help @hash', b'HSET')


def test_hints_while_typing(terminal):
    terminal.see(b'> ')
    terminal.type(b'LINSERT ')
    terminal.see(b'BEFORE|AFTER pivot element')


def test_interactive_session(terminal):
    terminal.see(b'> ')
    terminal.ask(b'SET greeting "hello world"', b'\nOK')
    terminal.ask(b'GET greeting', b'\n"hello world"')
    terminal.ask(b'SELECT 3', b'[3]')
    terminal.ask(b'MULTI', b'(TX)')
    terminal.ask(b'DISCARD', b'\nOK')
    terminal.ask(b'NOSUCH x', b"(error) ERR unknown command 'NOSUCH'")
