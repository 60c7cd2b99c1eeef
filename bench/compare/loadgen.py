# SPDX-License-Identifier: BSD-3-Clause
"""Builds the load generator when its sources changed, and runs it against a server."""

import json
import os
import subprocess

from .servers import REPOSITORY

SOURCES = REPOSITORY / "bench/load"
PROGRAM = REPOSITORY / "build/bench/load"


def build():
    sources = sorted(SOURCES.glob("*.c"))
    newest = max(p.stat().st_mtime for p in SOURCES.iterdir())
    if PROGRAM.exists() and PROGRAM.stat().st_mtime >= newest:
        return
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and moved into place, so that two runs at once never see half a program.
    fresh = PROGRAM.with_suffix(f".{os.getpid()}")
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE",
                    *map(str, sources), "-lm", "-o", str(fresh)], check=True)
    fresh.rename(PROGRAM)


def run(server, template, core=None, connections=50, pipeline=1, errors_allowed=False, **options):
    """Runs one load and returns its figures. Options: n, t, w, r, z, d, S, seed, verify."""
    command = [str(PROGRAM), "-p", str(server.port), "-c", str(connections), "-P", str(pipeline),
               "--pid", str(server.pid)]
    for name, value in options.items():
        dash = "-" if len(name) == 1 else "--"
        command += [dash + name] if value is True else [dash + name, str(value)]
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    done = subprocess.run(command + [template], capture_output=True, text=True, preexec_fn=pin)
    if done.returncode != 0:
        raise RuntimeError(f"{server.name}: {template}: {done.stderr.strip()}")
    figures = json.loads(done.stdout)
    if figures["errors"] and not errors_allowed:
        raise RuntimeError(f"{server.name}: {template}: {figures['message']}")
    if figures["mismatches"]:
        raise RuntimeError(f"{server.name}: {template}: {figures['mismatches']} wrong values")
    return figures


def cores():
    """(server's core, load's core): two of those this process may use, or no pinning with one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[-1], allowed[0]) if len(allowed) > 1 else (None, None)
