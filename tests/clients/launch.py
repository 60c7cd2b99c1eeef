# SPDX-License-Identifier: BSD-3-Clause
"""Runs the server as an operator would, where the interesting part is how it starts or ends."""

import os
import subprocess
import time

from resp import Client
from server import default_binary


def attempt(words, stdin=None, cwd=None, env=None, limit_s=15):
    """Runs the server until it ends by itself; returns (exit status, everything it printed)."""
    done = subprocess.run([default_binary(), *map(str, words)], input=stdin, cwd=cwd,
                          env=dict(os.environ, **(env or {})), timeout=limit_s, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def reach(path, limit_s=10):
    """A connection to the Unix socket of a server that is about to listen there."""
    end = time.monotonic() + limit_s
    while True:
        try:
            return Client(path)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def resident_bytes(pid):
    """What the process holds in memory."""
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        for line in file:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
    raise AssertionError('no VmRSS')
