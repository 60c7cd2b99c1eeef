# SPDX-License-Identifier: BSD-3-Clause
"""The configuration: file, flags, standard input, includes, mistakes, the rewritten file."""

import os
import pathlib
import subprocess

import pytest

from conftest import ORACLE
from launch import attempt, reach
from resp import ReplyError
from server import default_binary


def settings(server, *names):
    """The values of the named directives."""
    with server.client() as client:
        found = client.do('CONFIG', 'GET', *names)
    values = dict(zip(found[::2], found[1::2]))
    return [values[name.encode()].decode() for name in names]


def test_file_is_read(start):
    server = start(config='# a comment\n\n  maxmemory   100mb\nmaxmemory-policy allkeys-lru\n'
                          'timeout 300\nMAXCLIENTS 123\nrequirepass "two words\\x21"\n',
                   password='two words!')
    assert settings(server, 'maxmemory', 'maxmemory-policy', 'timeout', 'maxclients') == [
        '104857600', 'allkeys-lru', '300', '123']


def test_flags_come_after_the_file(start):
    server = start('--maxmemory', '2gb', '--timeout', '7', config='timeout 5\nmaxmemory 1mb\n'
                                                                   'tcp-keepalive 60\n')
    assert settings(server, 'maxmemory', 'timeout', 'tcp-keepalive') == [
        '2147483648', '7', '60']


def test_flags_with_several_words(start):
    server = start('--client-output-buffer-limit', 'pubsub', '2mb', '1mb', '10',
                   '--bind', '127.0.0.1', '-::1', '--databases', '3')
    limits, bind, databases = settings(server, 'client-output-buffer-limit', 'bind', 'databases')
    assert limits.endswith('pubsub 2097152 1048576 10')
    assert bind == '127.0.0.1 -::1'
    assert databases == '3'


def test_flags_with_lists_in_quotes(start):
    server = start('--save', '3600 1 300 100', '--bind', '127.0.0.1 -::1', '--shutdown-on-sigterm', 'nosave force',
                   '--client-output-buffer-limit', 'pubsub 2mb 1mb 10')
    limits, bind, save, ends = settings(server, 'client-output-buffer-limit', 'bind', 'save', 'shutdown-on-sigterm')
    assert limits.endswith('pubsub 2097152 1048576 10')
    assert (bind, save, ends) == ('127.0.0.1 -::1', '3600 1 300 100', 'nosave force')


def test_oom_score_is_adjusted_only_while_that_is_wanted(start):
    server = start()
    path = pathlib.Path('/proc/%d/oom_score_adj' % server.pid)
    with server.client() as client:
        before = int(path.read_text())
        path.write_text(str(before + 2))
        client.do('CONFIG', 'SET', 'oom-score-adj-values', '%d 1 1' % (before + 9))
        assert int(path.read_text()) == before + 2
        client.do('CONFIG', 'SET', 'oom-score-adj-values', '5 5 5', 'oom-score-adj', 'relative')
        assert int(path.read_text()) == before + 7
        client.do('CONFIG', 'SET', 'oom-score-adj', 'no')
        assert int(path.read_text()) == before + 2
        path.write_text(str(before + 11))
        client.do('CONFIG', 'SET', 'oom-score-adj-values', '6 5 5')
        assert int(path.read_text()) == before + 11
        client.do('CONFIG', 'SET', 'oom-score-adj', 'yes')
        assert int(path.read_text()) == before + 17
        client.do('CONFIG', 'SET', 'oom-score-adj', 'no')
        assert int(path.read_text()) == before + 11


def test_standard_input(tmp_path):
    """A lone dash reads the configuration from standard input: one that stops at line 2 shows it."""
    status, text = attempt(['-'], stdin=b'timeout 5\nnonsense here\n', cwd=tmp_path)
    assert status == 1
    assert 'nonsense' in text and 'line 2' in text


def test_standard_input_configures(tmp_path):
    path = str(tmp_path / 's')
    with subprocess.Popen([default_binary(), '-'], stdin=subprocess.PIPE, cwd=tmp_path,
                          stdout=subprocess.DEVNULL) as process:
        process.stdin.write(b'port 0\nunixsocket %s\nmaxclients 77\nsave ""\n' % path.encode())
        process.stdin.close()
        try:
            with reach(path) as client:
                assert client.do('CONFIG', 'GET', 'maxclients') == [b'maxclients', b'77']
        finally:
            process.terminate()
            assert process.wait(10) == 0


def test_include(start, tmp_path):
    (tmp_path / 'more.conf').write_text('timeout 9\n')
    for number in (1, 2):
        (tmp_path / ('part%d.conf' % number)).write_text('maxclients 5%d\n' % number)
    server = start(config='timeout 1\ninclude %s/more.conf\ninclude %s/part*.conf\n' %
                          (tmp_path, tmp_path))
    assert settings(server, 'timeout', 'maxclients') == ['9', '52']


MISTAKES = {
    'unknown': ('port 0\nno-such-directive yes\n', 2, 'no-such-directive'),
    'no value': ('timeout\n', 1, 'timeout'),
    'too many values': ('timeout 1 2\n', 1, 'timeout 1 2'),
    'not a number': ('\n\n# x\ntimeout soon\n', 4, 'timeout soon'),
    'out of range': ('port 70000\n', 1, 'port 70000'),
    'not a word of the list': ('maxmemory-policy random\n', 1, 'maxmemory-policy random'),
    'neither yes nor no': ('daemonize perhaps\n', 1, 'daemonize perhaps'),
    'not an amount': ('maxmemory 5 apples\n', 1, 'maxmemory 5 apples'),
    'open quote': ('requirepass "half\n', 1, 'requirepass "half'),
    'bad limit': ('client-output-buffer-limit nobody 1 1 1\n', 1, 'nobody'),
    'bad rename': ('rename-command NOSUCH x\n', 1, 'NOSUCH'),
    'missing include': ('port 0\ninclude /nonexistent/file.conf\n', 2, '/nonexistent/file.conf'),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_mistakes_are_named(tmp_path, name):
    text, line, words = MISTAKES[name]
    path = tmp_path / 'server.conf'
    path.write_text(text)
    status, output = attempt([path], cwd=tmp_path)
    assert status == 1, output
    assert words in output, output
    if ORACLE == '7.0':
        return
    if name != 'missing include':
        assert 'line %d' % line in output or '%s:%d' % (path, line) in output, output
    assert str(path) in output, output


@pytest.mark.parametrize('flags', [
    ['--no-such-directive', '1'], ['--port', 'http'], ['--maxmemory', 'much'],
    ['--maxmemory-policy', 'random'], ['--appendonly'],
])
def test_mistakes_in_flags_are_named(tmp_path, flags):
    status, output = attempt(flags, cwd=tmp_path)
    assert status == 1, output
    assert flags[0][2:] in output


def test_missing_file(tmp_path):
    status, output = attempt([tmp_path / 'none.conf'])
    assert status == 1
    assert str(tmp_path / 'none.conf') in output
    assert 'No such file or directory' in output


@pytest.mark.parametrize('flag', ['--version', '-v', '--help', '-h'])
def test_asking_the_program(flag):
    status, output = attempt([flag])
    assert status == 0 if 'v' in flag or ORACLE != '7.0' else status in (0, 1)
    assert 'server' in output


def test_debians_own_file(start, tmp_path):
    """The file that redis-server's package installs works as it is, but for its folders."""
    path = pathlib.Path('/etc/redis/redis.conf')
    if not os.access(path, os.R_OK):
        pytest.skip('no readable %s' % path)
    server = start('--daemonize', 'no', '--logfile', '', '--pidfile', '', '--supervised', 'no',
                   '--dir', tmp_path, config=path.read_text())
    assert settings(server, 'databases', 'tcp-backlog', 'protected-mode', 'hz') == [
        '16', '511', 'yes', '10']
    with server.client() as client:
        assert client.do('SET', 'k', 'v') == b'OK'


def test_rewrite_keeps_comments_and_order(start):
    server = start(config='# mine\ntimeout 5\n\nmaxclients 200\n')
    path = pathlib.Path(server.dir, 'server.conf')
    with server.client() as client:
        client.do('CONFIG', 'SET', 'timeout', '6', 'maxmemory', '1gb')
        client.do('CONFIG', 'REWRITE')
    lines = path.read_text().splitlines()
    assert lines[:4] == ['# mine', 'timeout 6', '', 'maxclients 200']
    assert 'maxmemory 1gb' in lines
    server.stop()
    server.config = path.read_text()
    server.start()
    assert settings(server, 'timeout', 'maxmemory') == ['6', '1073741824']


def test_setting_several_is_all_or_nothing(start):
    server = start()
    with server.client() as client:
        with pytest.raises(ReplyError, match='CONFIG SET failed'):
            client.do('CONFIG', 'SET', 'timeout', '9', 'maxmemory-policy', 'random')
        with pytest.raises(ReplyError, match="can't set immutable config"):
            client.do('CONFIG', 'SET', 'timeout', '9', 'databases', '4')
        with pytest.raises(ReplyError, match='Unknown option or number of arguments'):
            client.do('CONFIG', 'SET', 'timeout', '9', 'no-such', '4')
        with pytest.raises(ReplyError, match='duplicate parameter'):
            client.do('CONFIG', 'SET', 'timeout', '9', 'timeout', '4')
    assert settings(server, 'timeout') == ['0']


def test_both_read_values_alike(start, reference):
    """What CONFIG GET says after CONFIG SET, beside Debian's redis-server."""
    pairs = [('maxmemory', '1k'), ('maxmemory', '1KB'), ('maxmemory', '3gb'), ('maxmemory', '-1'),
             ('maxmemory', '1.5gb'), ('timeout', '007'), ('timeout', ' 7'), ('timeout', ''),
             ('lazyfree-lazy-user-del', 'YES'), ('lazyfree-lazy-user-del', '1'),
             ('notify-keyspace-events', 'KEA'), ('notify-keyspace-events', 'Kx$'),
             ('notify-keyspace-events', 'Q'), ('loglevel', 'VERBOSE'), ('hz', '5000'),
             ('maxmemory-samples', '0'), ('client-output-buffer-limit', 'normal 1mb 2mb 3'),
             ('client-output-buffer-limit', 'normal 1mb'), ('proto-max-bulk-len', '2mb'),
             ('proto-max-bulk-len', '1'), ('list-max-listpack-size', '-2'),
             ('hash-max-ziplist-entries', '64'), ('set-max-intset-entries', '-1'),
             ('activedefrag', 'maybe'), ('maxclients', '0'), ('tcp-keepalive', '-5')]
    ours, theirs = [], []
    for server, results in ((start(), ours), (reference, theirs)):
        with server.client() as client:
            for name, value in pairs:
                results.append((name, value, client.call('CONFIG', 'SET', name, value),
                                client.call('CONFIG', 'GET', name)))
            for name in ('maxmemory', 'proto-max-bulk-len', 'hz', 'notify-keyspace-events'):
                client.do('CONFIG', 'SET', name, {'maxmemory': '0', 'hz': '10',
                          'proto-max-bulk-len': '512mb', 'notify-keyspace-events': ''}[name])
    assert ours == theirs
