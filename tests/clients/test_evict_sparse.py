# SPDX-License-Identifier: BSD-3-Clause
"""Few keys with a lifetime among many without: volatile policies find them before they refuse a write."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))

from server import Server  # noqa: E402

MANY, FEW = 100000, 20


@pytest.mark.parametrize('threads', [1, 4])
@pytest.mark.parametrize('policy', ['volatile-lru', 'volatile-lfu', 'volatile-ttl', 'volatile-random'])
def test_sparse_keys_with_a_lifetime_are_evicted(threads, policy):
    with Server(['--threads', str(threads)]) as server, server.client() as client:
        for start in range(0, MANY, 1000):
            client.pipeline([('SET', 'stays:%d' % i, 'x') for i in range(start, start + 1000)])
        client.pipeline([('SET', 'goes:%d' % i, 'y' * 100000, 'EX', 1000) for i in range(FEW)])
        used = int(client.do('MEMORY', 'USAGE', 'goes:0'))
        info = client.do('INFO', 'memory').decode()
        total = next(int(line.split(':')[1]) for line in info.split('\r\n') if line.startswith('used_memory:'))
        client.do('CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', total - used * FEW // 2)
        for i in range(50):
            assert client.do('SET', 'stays:%d' % i, 'x') in ('OK', b'OK')
        left = sum(int(client.do('EXISTS', 'goes:%d' % i)) for i in range(FEW))
        assert 0 < left < FEW
        assert client.do('DBSIZE') == MANY + left
