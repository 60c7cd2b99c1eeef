# SPDX-License-Identifier: BSD-3-Clause
"""docs/configuration.md is what the server's own table says, and the sample file is read as it stands."""

import pathlib

from launch import attempt

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_document_is_current():
    status, text = attempt(['--print-directives'])
    assert status == 0
    assert text == (ROOT / 'docs' / 'configuration.md').read_text(encoding='utf-8'), (
        'run: keynome-server --print-directives > docs/configuration.md')


def test_the_sample_file_works(start):
    server = start('--port', '0', unix=True, config=(ROOT / 'keynome.conf').read_text(encoding='utf-8'))
    with server.client() as client:
        assert client.do('PING') == b'PONG'
    assert 'no effect' not in server.log()
