# SPDX-License-Identifier: BSD-3-Clause
"""Finds the servers to compare and starts each on a port of its own, pinned to one core."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import resp

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
COMMON = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--loglevel", "warning"]


class Kind:
    """A server program: how it is called in tables and how it is started."""

    def __init__(self, name, command, extra=()):
        self.name = name
        self.command = command
        self.extra = list(extra)

    def version(self):
        out = subprocess.run(self.command + ["--version"], capture_output=True, text=True)
        for word in (out.stdout + out.stderr).split():
            if word.startswith("v="):
                return word[2:]
        return (out.stdout + out.stderr).strip().splitlines()[0] if out.stdout or out.stderr else "?"


def peer_command(peers, program):
    """A program from another Debian root, run with that root's own loader and libraries."""
    path = pathlib.Path(peers) / "usr/bin" / program
    loaders = sorted(pathlib.Path(peers).glob("lib*/ld-linux*.so.*"))
    if not path.exists() or not loaders:
        return None
    libraries = [str(p) for d in ("lib", "usr/lib") for p in pathlib.Path(peers, d).glob("*-linux-gnu")]
    return [str(loaders[-1]), "--library-path", ":".join(libraries), str(path)]


def find(keynome, peers):
    """Every server that can be had here, by name, in the order of the tables."""
    found = {}
    path = pathlib.Path(keynome) if keynome else REPOSITORY / "build/release/src/keynome-server"
    if path.exists():
        found["keynome"] = Kind("keynome", [str(path)], ["--threads", "1"])
    for name, program in (("valkey9", "valkey-server"), ("redis8", "redis-server")):
        command = peer_command(peers, program) if peers else None
        if command:
            found[name] = Kind(name, command)
    system = shutil.which("redis-server")
    if system:
        found["redis7"] = Kind("redis7", [system])
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. Use as a context manager; the process ends with the block."""

    def __init__(self, kind, core=None, options=()):
        self.kind, self.name = kind, kind.name
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="keynome-bench-")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8", errors="replace")
        pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
        command = (kind.command + ["--port", str(self.port), "--dir", self.folder.name]
                   + COMMON + kind.extra + list(options))
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, preexec_fn=pin)
        self.client = None
        try:
            self.client = self._connect()
        except BaseException:
            self.stop()
            raise

    def _connect(self):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                client = resp.Client(self.port)
                if client.call("PING") == b"PONG":
                    return client
            except (OSError, resp.ReplyError):
                time.sleep(0.02)
        self.log.seek(0)
        raise RuntimeError(f"{self.name} did not start: {self.log.read()[-2000:]}")

    @property
    def pid(self):
        return self.process.pid

    def used_memory(self):
        return int(self.client.info("memory")["used_memory"])

    def resident(self):
        """Resident bytes of the process, read from the kernel so that every server is asked alike."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def settled_memory(self):
        """used_memory once it has stopped moving: a table that is still being rehashed is two tables."""
        last, same = self.used_memory(), 0
        deadline = time.monotonic() + 20
        while same < 3 and time.monotonic() < deadline:
            time.sleep(0.12)
            now = self.used_memory()
            same = same + 1 if abs(now - last) < 4096 else 0
            last = now
        return last

    def stop(self):
        if self.client:
            self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
