# SPDX-License-Identifier: BSD-3-Clause
"""Finds and runs the keynome program: KEYNOME_PROGRAM names it, or it lies beside KEYNOME_SERVER."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENTS = pathlib.Path(__file__).resolve().parent / "documents"


def find():
    named = os.environ.get("KEYNOME_PROGRAM")
    if named:
        return pathlib.Path(named)
    server = os.environ.get("KEYNOME_SERVER")
    folders = [pathlib.Path(server).parent] if server else []
    folders += [ROOT / "build" / kind / "src" for kind in ("release", "debug")]
    for folder in folders:
        if (folder / "keynome").exists():
            return folder / "keynome"
    raise FileNotFoundError("no keynome program: build it, or name it in KEYNOME_PROGRAM")


def keynome(*arguments, given=None, cwd=None):
    """(exit status, standard output, standard error)"""
    done = subprocess.run([find(), *map(str, arguments)], input=given, cwd=cwd, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          check=False)
    return done.returncode, done.stdout, done.stderr


def findings(*arguments, given=None):
    """The findings of `catalog check --json`, with the exit status."""
    status, out, err = keynome("catalog", "check", "--json", *arguments, given=given)
    assert err == "", err
    return status, json.loads(out)


def read_catalog(text):
    """The patterns of keyspace.yaml, by their key or channel, as PyYAML reads it."""
    import yaml
    return {("channel " + p["channel"] if "channel" in p else p["key"]): p
            for p in yaml.safe_load(text)["patterns"]}
