# SPDX-License-Identifier: BSD-3-Clause
"""Starting: files the process keeps, the background, systemd, addresses and sockets."""

import os
import signal
import socket
import stat
import subprocess

import pytest

from conftest import until
from launch import attempt, reach
from resp import Client
from server import default_binary, free_port


def test_pid_file_lives_as_long_as_the_process(start, tmp_path):
    path = tmp_path / 'server.pid'
    server = start('--pidfile', path)
    assert int(path.read_text()) == server.pid
    server.stop()
    assert not path.exists()


def test_log_file_and_level(start, tmp_path):
    path = tmp_path / 'server.log'
    server = start('--logfile', path, '--loglevel', 'notice')
    server.stop()
    text = path.read_text()
    assert str(server.pid) in text
    assert 'ready to accept connections' in text.lower()
    assert server.log() == ''


def test_quiet_log(start, tmp_path):
    path = tmp_path / 'server.log'
    start('--logfile', path, '--loglevel', 'warning').stop()
    assert 'ready to accept connections' not in path.read_text().lower()


@pytest.mark.parametrize('threads', ['1', '4'])
def test_background(tmp_path, threads):
    pid_file, path = tmp_path / 'server.pid', str(tmp_path / 's')
    status, _ = attempt(['--daemonize', 'yes', '--pidfile', pid_file, '--port', 0, '--threads',
                         threads, '--unixsocket', path, '--dir', tmp_path, '--save', '',
                         '--logfile', tmp_path / 'log'])
    assert status == 0  # the starter comes back; the server stays
    pid = int(until(lambda: pid_file.exists() and pid_file.read_text().strip(), 'the pid file'))
    try:
        with reach(path) as client:
            assert client.do('PING') == b'PONG'
            assert b'process_id:%d\r\n' % pid in client.do('INFO', 'server')
        assert os.getsid(pid) != os.getsid(0)
        assert os.readlink('/proc/%d/fd/0' % pid) == '/dev/null'
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not pid_file.exists(), 'the end')


@pytest.mark.parametrize('abstract', [False, True], ids=['path', 'abstract'])
def test_systemd_is_told(tmp_path, abstract):
    name = '@keynome-test-%d' % os.getpid() if abstract else str(tmp_path / 'notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind('\0' + name[1:] if abstract else name)
        notify.settimeout(10)
        path = str(tmp_path / 's')
        with subprocess.Popen(
                [default_binary(), '--supervised', 'systemd', '--port', '0', '--unixsocket', path,
                 '--save', ''],
                env=dict(os.environ, NOTIFY_SOCKET=name), cwd=tmp_path,
                stdout=subprocess.DEVNULL) as process:
            try:
                said = ''
                while 'READY=1' not in said:
                    said += notify.recv(4096).decode() + '\n'
                with Client(path) as client:
                    assert client.do('PING') == b'PONG'
            finally:
                process.terminate()
            while 'STOPPING=1' not in said:
                said += notify.recv(4096).decode() + '\n'
            assert process.wait(10) == 0


def test_port_in_use(start, tmp_path):
    server = start()
    status, output = attempt(['--port', server.port, '--bind', '127.0.0.1', '--dir', tmp_path])
    assert status == 1
    assert 'Address already in use' in output
    assert str(server.port) in output


@pytest.mark.parametrize('flags, said', [
    (['--dir', '/nonexistent'], 'No such file or directory'),
    (['--bind', '203.0.113.1'], '203.0.113.1'),
    (['--logfile', '/nonexistent/log'], 'No such file or directory'),
])
def test_what_cannot_be(tmp_path, flags, said):
    status, output = attempt(['--port', free_port(), *flags], cwd=tmp_path)
    assert status == 1
    assert said in output


def test_optional_address_may_be_missing(start):
    server = start('--bind', '127.0.0.1', '-203.0.113.1')
    with server.client() as client:
        assert client.do('PING') == b'PONG'


@pytest.mark.parametrize('mode', ['700', '770', '777'])
def test_socket_permissions(start, mode):
    server = start('--unixsocketperm', mode, '--port', '0', unix=True)
    assert stat.S_IMODE(os.stat(server.socket_path).st_mode) == int(mode, 8)
    server.stop()
    assert not os.path.exists(server.socket_path)


def test_stale_socket_is_replaced(start):
    server = start(unix=True)
    server.kill()
    assert os.path.exists(server.socket_path)
    server.start()
    with server.client() as client:
        assert client.do('PING') == b'PONG'


def test_empty_file_in_the_place_of_the_socket_is_replaced(start, tmp_path):
    """As mktemp leaves it; whatever holds something stays."""
    path = tmp_path / 'sock'
    path.touch()
    server = start('--unixsocket', path)
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    with Client(str(path), 5.0) as client:
        assert client.do('PING') == b'PONG'
    server.stop()
    path.write_text('a text')
    status, output = attempt(['--port', free_port(), '--unixsocket', path], cwd=tmp_path)
    assert status == 1 and 'cannot listen' in output
    assert path.read_text() == 'a text'


def test_process_title(start):
    server = start()
    with open('/proc/%d/cmdline' % server.pid, 'rb') as file:
        assert b'127.0.0.1:%d' % server.port in file.read().replace(b'\0', b' ')


def test_ipv6(start):
    server = start('--bind', '127.0.0.1', '::1')
    try:
        client = Client(('::1', server.port))
    except OSError as error:
        pytest.skip('no IPv6 here: %s' % error)
    with client:
        assert client.do('PING') == b'PONG'
        assert b' addr=[::1]:' in client.do('CLIENT', 'LIST')
