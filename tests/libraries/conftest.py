# SPDX-License-Identifier: BSD-3-Clause
"""One server for each number of threads (KEYNOME_THREADS, by default one and four)."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'lib'))

from server import Server  # noqa: E402  (tests/lib is not a package)

THREADS = os.environ.get('KEYNOME_THREADS', '1,4').split(',')


@pytest.fixture(scope='session', params=THREADS, ids=['%s-threads' % n for n in THREADS])
def server(request):
    with Server(['--threads', request.param, '--save', '']) as running:
        yield running
