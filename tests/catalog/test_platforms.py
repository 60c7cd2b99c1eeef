# SPDX-License-Identifier: BSD-3-Clause
"""Real documents of five platforms, where they are at hand: KEYNOME_PLATFORMS names their folder.

platforms/patterns.txt says what they state; platforms/hazards.txt which finding tells which of the hazards that
readers found in them. Without the folder these tests are skipped.
"""
import collections
import os
import pathlib

import pytest
from program import findings, keynome, read_catalog

HERE = pathlib.Path(__file__).resolve().parent / "platforms"
FOLDER = pathlib.Path(os.environ.get("KEYNOME_PLATFORMS", "/nonexistent"))
NAMES = ["hsi", "migration", "nexus", "ocr", "xbot"]
# How many hazards the readers listed; findings that are true and on nobody's list.
LISTED = {"hsi": 22, "nexus": 37, "xbot": 26, "ocr": 32, "migration": 39}
ALSO_TRUE = {"hsi": {"lifetime-after"}, "xbot": {"secret-in-key"}, "ocr": {"deprecated", "session-evictable"},
             "migration": {"fixed-window", "deprecated", "command-stranger", "cache-immortal", "session-evictable",
                           "lock-evictable"},
             "nexus": {"setting-in-key"}}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="KEYNOME_PLATFORMS names no folder")


def table(name):
    rows = [line.split(" | ") for line in (HERE / name).read_text().splitlines() if not line.startswith("#")]
    grouped = collections.defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row[1:])
    return grouped


def lifetime_text(lifetime):
    if lifetime is None or isinstance(lifetime, str):
        return lifetime or "-"
    if "note" in lifetime and "default" not in lifetime:
        return "varies"
    text = lifetime.get("default") or f"{lifetime.get('minimum', '')}-{lifetime.get('maximum', '')}"
    return text + "".join(" " + word for word in ("after", "renewed") if word in lifetime)


@pytest.mark.parametrize("name", NAMES)
def test_every_pattern_with_type_and_lifetime(name):
    status, out, err = keynome("catalog", "import", FOLDER / f"{name}.md")
    assert status == 0, err
    got = {key: (p.get("type", "-"), lifetime_text(p.get("lifetime"))) for key, p in read_catalog(out).items()}
    wanted = {key: (kind, lifetime) for key, kind, lifetime in table("patterns.txt")[name]}
    assert got == wanted
    assert err.count("could not be understood") == 0, err


@pytest.mark.parametrize("name", NAMES)
def test_documents_lead_back(name, tmp_path):
    file, document = tmp_path / "k.yaml", tmp_path / "k.md"
    assert keynome("catalog", "import", "-q", FOLDER / f"{name}.md", "-o", file)[0] == 0
    assert keynome("catalog", "import", "-q", file)[1] == file.read_text()
    assert keynome("catalog", "docs", file, "-o", document)[0] == 0
    assert keynome("catalog", "import", "-q", document)[1] == file.read_text()


def test_all_five_together():
    files = [FOLDER / f"{name}.md" for name in NAMES]
    _, out, _ = keynome("catalog", "check", "--json", *files)
    assert '"patterns-alike"' not in out


@pytest.mark.parametrize("name", NAMES)
def test_hazards(name):
    status, found = findings(FOLDER / f"{name}.md")
    assert status == 1
    codes = collections.Counter(finding["code"] for finding in found)
    told = table("hazards.txt")[name]
    missed = [row for row in told if not codes[row[1]]]
    assert not missed
    assert len({number for number, _ in told}) >= LISTED[name] * 9 // 10
    doubtful = [f for f in found if f["code"] not in {code for _, code in told} | ALSO_TRUE[name]]
    assert len(doubtful) * 10 <= len(found), doubtful
    assert all(f["line"] > 0 and f["what"] and f["remedy"] for f in found)
