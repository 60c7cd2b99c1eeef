# SPDX-License-Identifier: BSD-3-Clause
"""The documentation that is written from the command table is what the table says today."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))

from server import default_binary  # noqa: E402


def generate(*args):
    program = os.path.join(os.path.dirname(os.path.dirname(default_binary())), 'docs')
    return subprocess.run([program, *args], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def committed(name):
    with open(os.path.join(ROOT, 'docs', name), encoding='utf-8') as file:
        return file.read()


def test_commands_are_documented_as_they_are():
    assert committed('commands.md') == generate('commands'), 'run make docs'


def test_compatibility_is_documented_as_it_is():
    assert committed('compatibility.md') == generate('compatibility', 'docs/differences.md'), 'run make docs'


def test_differences_of_the_differential_test_are_documented():
    """Each rule by which two replies may differ is told under its name, and nothing else goes by such a name."""
    sys.path.insert(0, os.path.join(ROOT, 'tests', 'diff'))
    import differences
    rules = {entry.name for entry in differences.DIFFERENCES} | {name for name, _ in differences.AVOIDED}
    told = set()
    for names in re.findall(r'\[([a-z0-9, -]+)\] \|$', committed('differences.md'), re.MULTILINE):
        told.update(names.split(', '))
    assert rules - told == set(), 'not told in docs/differences.md as [name] at the end of a row'
    assert told - rules == set(), 'told in docs/differences.md, and no rule of tests/diff/differences.py'
