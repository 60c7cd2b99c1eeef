# SPDX-License-Identifier: BSD-3-Clause
"""BullMQ, a job queue made of scripts, streams and blocking calls, against each server.

What a job costs the server: to be added, to be processed, and both at once while a listener follows
the queue's events.  The library is the one that tests/libraries installs.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys

from .servers import REPOSITORY, Server

PROGRAM = REPOSITORY / "bench/load/bullmq.js"
LIBRARIES = REPOSITORY / "tests/libraries/node"
CONCURRENCY = 50


def available():
    """None if the load can run here, or why not."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "no node or npm"
    sys.path.insert(0, str(REPOSITORY / "tests/lib"))
    from suites import install_node_libraries  # the tests' installation serves here too
    return None if install_node_libraries(LIBRARIES) else "its packages cannot be installed"


def load(server, jobs, core):
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    done = subprocess.run(["node", str(PROGRAM), str(server.port), str(server.pid), str(jobs),
                           str(CONCURRENCY)], capture_output=True, text=True, preexec_fn=pin, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{server.name}: bullmq: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def run(kinds, cores, jobs, rounds, progress):
    """{phase: {server: figures}}; a fresh server for each run, rounds interleaved, medians."""
    samples = {}
    for number in range(rounds):
        for kind in kinds:
            progress(f"bullmq: round {number + 1} of {rounds}, {kind.name}")
            with Server(kind, cores[0]) as server:
                for phase, figures in load(server, jobs, cores[1]).items():
                    samples.setdefault(phase, {}).setdefault(kind.name, []).append(figures)
    return {phase: {name: {field: statistics.median(each[field] for each in runs) for field in runs[0]}
                    for name, runs in of_phase.items()}
            for phase, of_phase in samples.items()}
