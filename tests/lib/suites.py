# SPDX-License-Identifier: BSD-3-Clause
"""Runs pytest and Node.js test files, and counts what passed and failed.

What `run` programs of suites with real clients share.  A runner that names no test, or ends with an
error though every test it names passed, counts as a failure.  All results are (passed, failed).
"""

import os
import re
import shutil
import subprocess

PYTHON = '/usr/bin/python3'  # Debian's: it has Debian's pytest, redis-py and Celery
LIMIT_S = 600
FAILED_TO_RUN = (0, 1)
SERVER_AT_FAULT = re.compile('the server (ended with|reported)')  # as server.py and server.js say it


def run(command, cwd, **env):
    """Runs a command; returns (exit status, output)."""
    try:
        done = subprocess.run(command, cwd=cwd, env=dict(os.environ, **env), timeout=LIMIT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired as error:
        return None, (error.stdout or b'').decode('utf-8', 'replace')
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def counts_or_failure(status, passed, failed, seen):
    """A runner that failed without naming a test, or ran none, is a failure itself."""
    if not seen or (status != 0 and failed == 0):
        failed += 1
    return passed, failed


def once_more(first, output, folder, run_files):
    """What counts of a run whose failing files may run again, alone: (passed, failed).

    For tests of other people's libraries: their timers and processes race with a busy machine. What fails
    twice has failed; what fails once is printed. There is no second chance where the server itself was at fault, or no
    file is named.
    """
    passed, failed = first
    files = sorted({path for path in re.findall(r'^(?:FAILED|ERROR|test at) ([\w./-]+\.(?:py|js))\b', output, re.M)
                    if (folder / path).exists()})
    if not failed or not files or SERVER_AT_FAULT.search(output):
        return first
    print('-- again:', *files, flush=True)
    again = min(run_files([str(folder / path) for path in files])[1], failed)
    return passed + failed - again, again


def run_pytest(folder, files, again=False, **env):
    status, output = run([PYTHON, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--tb=short',
                          *files], folder, **env)
    print('-- python', *env.values(), flush=True)
    print(output.rstrip(), flush=True)
    last = re.findall(r'^(?:=+ )?(\d+ (?:passed|failed|error).*)$', output, re.M)[-1:] or ['']
    passed, failed, errors = (int(found[1]) if (found := re.search(r'(\d+) ' + word, last[0])) else 0
                              for word in ('passed', 'failed', 'errors?'))
    counts = counts_or_failure(status, passed, failed + errors, passed + failed + errors)
    return once_more(counts, output, folder, lambda some: run_pytest(folder, some, **env)) if again else counts


def install_node_libraries(folder):
    """What the lock file names, where that is not what is installed.

    Not by npm ci: it refuses a lock file without the optional packages of other systems, which not
    every registry has.
    """
    lock, installed = folder / 'package-lock.json', folder / 'node_modules' / '.installed-lock'
    if installed.exists() and installed.read_text() == lock.read_text():
        return True
    status, output = run(['npm', 'install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'], folder)
    if status != 0:
        print('-- npm', output.rstrip(), sep='\n', flush=True)
        return False
    shutil.copy(lock, installed)
    return True


def run_node(folder, files, threads, options=(), again=False):
    """Runs test files with the server at one number of threads; the libraries are installed."""
    status, output = run(['node', '--test', *options, '--test-reporter=spec', *files], folder,
                         KEYNOME_THREADS=threads)
    count = {name: int(number) for name, number in re.findall(r'^ℹ (\w+) (\d+)$', output, re.M)}
    passed = count.get('pass', 0)
    passed, failed = counts_or_failure(status, passed, count.get('fail', 0) +
                                       count.get('cancelled', 0), passed)
    print('-- node, %s server thread(s): %d passed, %d failed' % (threads, passed, failed))
    if failed:
        print(output[output.find('failing tests:'):].rstrip())
    for line in re.findall(r'^ℹ .*(?:Warning|Error): .*$', output, re.M)[:20]:
        print(line)
    if not again:
        return passed, failed
    return once_more((passed, failed), output, folder, lambda some: run_node(folder, some, threads, options))
