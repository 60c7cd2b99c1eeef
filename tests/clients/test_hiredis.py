# SPDX-License-Identifier: BSD-3-Clause
"""hiredis: the C program in c_hiredis/, built here; each of its tests is one here."""

import pathlib
import re
import subprocess

import pytest

from server import Server

FOLDER = pathlib.Path(__file__).with_name('c_hiredis')
NAMES = re.findall(r'check_run\("([^"]+)"', ''.join(
    (FOLDER / name).read_text() for name in ('sync.c', 'pipeline.c', 'async.c')))


@pytest.fixture(scope='session')
def program(tmp_path_factory):
    out = tmp_path_factory.mktemp('hiredis')
    subprocess.run(['make', '-s', '-C', FOLDER, 'OUT=%s' % out], check=True)
    return out / 'hiredis-test'


@pytest.fixture(scope='module', params=[1, 4], ids=['1-thread', '4-threads'])
def results(request, program):
    """What the program said of each test: name -> 'ok' or why not."""
    with Server(['--threads', request.param, '--save', '', '--unixsocket', 'h.sock']) as server:
        done = subprocess.run([program, '127.0.0.1', str(server.port), server.dir + '/h.sock'],
                              stdout=subprocess.PIPE, timeout=120, text=True, check=False)
    said = dict(re.findall(r'^ok (.*)()$', done.stdout, re.M))
    said.update(re.findall(r'^not ok ([^:]*): (.*)$', done.stdout, re.M))
    return said


@pytest.mark.parametrize('name', NAMES)
def test_hiredis(results, name):
    assert name in results, 'the program ended before this test'
    assert results[name] == ''
