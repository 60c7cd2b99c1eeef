# SPDX-License-Identifier: BSD-3-Clause
"""Clients that ask whether they talk to a cluster hear what Debian's redis-server answers."""

import pytest


@pytest.mark.parametrize('words', [['READONLY'], ['READWRITE'], ['ASKING'], ['CLUSTER', 'INFO'],
                                   ['CLUSTER', 'SLOTS'], ['CLUSTER', 'KEYSLOT', 'k'], ['CLUSTER'],
                                   ['READONLY', 'x']])
def test_same_answer_as_redis(raw, reference, words):
    with reference.client() as theirs:
        assert raw().call(*words) == theirs.call(*words)
