# SPDX-License-Identifier: BSD-3-Clause
"""Runs `keynome audit`, and plays servers that behave badly."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'catalog'))

import program  # noqa: E402  (tests/catalog is not a package)

CATALOG = """\
keynome: 1
name: shop
patterns:
  - key: "shop:cart:{user}"
    type: hash
    lifetime: none
  - key: "shop:session:{token}"
    type: string
    lifetime: {default: 30m, maximum: 1h, required: true}
  - key: "shop:cache:{id}"
    type: string
    lifetime: 5m
    database: 1
  - key: "shop:log:{day}"
    type: list
    limits: {elements: 3, key: 20}
  - key: "shop:idle:{id}"
"""


def command(url, catalog, *options):
    return [str(program.find()), 'audit', str(url), str(catalog), *map(str, options)]


def audit(url, catalog, *options, env=None):
    """(exit status, standard output, standard error)"""
    done = subprocess.run(command(url, catalog, *options), timeout=60, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, **(env or {})))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def audit_json(url, catalog, *options, env=None):
    """(exit status, the report)"""
    status, out, err = audit(url, catalog, '--json', *options, env=env)
    assert out, err
    return status, json.loads(out)


def pattern(report, key):
    return next(one for one in report['patterns'] if one['key'] == key)


def finding(report, code, name=None):
    """The only finding of that code (of that pattern)."""
    found = [one for one in report['findings'] if one['code'] == code and name in (None, one['pattern'])]
    assert len(found) == 1, (code, name, report['findings'])
    return found[0]


class Actor:
    """A server that answers what a function of the request's words says; None closes the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.heard = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()

    def play(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        with peer, peer.makefile('rb') as stream:
            try:
                while True:
                    head = stream.readline()
                    if not head.startswith(b'*'):
                        return
                    words = []
                    for _ in range(int(head[1:])):
                        size = int(stream.readline()[1:])
                        words.append(stream.read(size + 2)[:-2])
                    self.heard.append(words)
                    reply = self.answer(words)
                    if reply is None:
                        return
                    peer.sendall(reply)
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(10)


def page(cursor, keys):
    """The reply to SCAN."""
    bulk = b''.join(b'$%d\r\n%s\r\n' % (len(key), key) for key in keys)
    return b'*2\r\n$%d\r\n%s\r\n*%d\r\n%s' % (len(cursor), cursor, len(keys), bulk)


def usual(words, kind=b'string'):
    """What a server says to everything but SCAN."""
    name = words[0].upper()
    if name == b'PING':
        return b'+PONG\r\n'
    if name in (b'CLIENT', b'SELECT'):
        return b'+OK\r\n'
    if name == b'TYPE':
        return b'+%s\r\n' % kind
    if name == b'PTTL':
        return b':-1\r\n'
    if name == b'INFO':
        return b'-ERR no\r\n'
    return b':50\r\n'
