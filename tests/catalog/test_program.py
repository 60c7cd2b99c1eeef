# SPDX-License-Identifier: BSD-3-Clause
"""The keynome program: help, mistakes, exit statuses, JSON."""
import json

from program import DOCUMENTS, keynome


def test_help_and_version():
    for arguments in (["--help"], ["catalog", "--help"]):
        status, out, err = keynome(*arguments)
        assert (status, err) == (0, "") and "keynome catalog import" in out
    assert keynome("--version")[1].startswith("keynome ")
    for command in ("import", "docs", "diff", "check", "match"):
        status, out, err = keynome("catalog", command, "--help")
        assert (status, err) == (0, "") and out.startswith(f"Usage: keynome catalog {command} ")
        status, out, err = keynome("catalog", command)
        assert (status, out) == (2, "") and err.startswith("Usage: ")


def test_mistakes_are_answered():
    assert keynome()[0] == 2
    status, _, err = keynome("catalog", "improt", "x")
    assert status == 2 and "did you mean 'import'?" in err
    status, _, err = keynome("catalogue", "import")
    assert status == 2 and "did you mean 'catalog'?" in err
    status, _, err = keynome("catalog", "import", "--ouput", "x", "y.md")
    assert status == 2 and "did you mean --output?" in err
    status, _, err = keynome("catalog", "import", "y.md", "-o")
    assert status == 2 and "-o wants a value" in err
    status, _, err = keynome("catalog", "check", "/nonexistent/k.yaml")
    assert status == 2 and "No such file" in err
    status, _, err = keynome("catalog", "import", DOCUMENTS / "posts.md", "-o", "/nonexistent/k.yaml")
    assert status == 2 and "No such file" in err
    status, _, err = keynome("catalog", "match", DOCUMENTS / "posts.yaml", "k", "--db", "x")
    assert status == 2 and "--db wants a number" in err


def test_match():
    file = DOCUMENTS / "cameras.md"
    status, out, err = keynome("catalog", "match", file, "eye-blue:cache:cameras:gate:2", "eye:queue:x", "red:queue:x")
    assert status == 1 and err == ""
    assert out == ("eye-blue:cache:cameras:gate:2: cache.cameras.id  {prefix}:cache:cameras:{id}\n"
                   "    prefix = eye-blue\n    id = gate:2\n"
                   "eye:queue:x: queue.name  {prefix}:queue:{name}\n    prefix = eye\n    name = x\n"
                   "red:queue:x: no pattern\n")
    status, out, _ = keynome("catalog", "match", "--json", file, "eye:cache:cameras:list")
    assert status == 0
    assert json.loads(out) == [{"key": "eye:cache:cameras:list", "pattern": "cache.cameras.list",
                                "template": "{prefix}:cache:cameras:list", "alias": False, "line": 40,
                                "variables": {"prefix": "eye"}}]
    assert keynome("catalog", "match", file, "alarms")[0] == 1
    assert keynome("catalog", "match", "--channel", file, "alarms")[0] == 0
    status, out, _ = keynome("catalog", "match", "--json", "-", "a:\x01\"", given='keynome: 1\npatterns: [{key: "a:{x}"}]\n')
    assert status == 0 and json.loads(out)[0]["variables"] == {"x": "\x01\""}


def test_diff(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text('keynome: 1\nname: n\npatterns:\n  - key: "a:{x}"\n    type: hash\n    lifetime: 5m\n  - key: b\n')
    new.write_text('keynome: 1\nname: n\npatterns:\n  - key: "a:{x}"\n    lifetime: 10m\n    owner: us\n  - channel: b\n')
    status, out, err = keynome("catalog", "diff", old, new)
    assert (status, err) == (1, "")
    assert out == ("~ key a:{x}\n    type: hash -> (nothing)\n    lifetime: 5m -> 10m\n    owner: (nothing) -> us\n"
                   "- key b\n+ channel b\n")
    status, out, _ = keynome("catalog", "diff", "--json", old, new)
    assert status == 1
    assert json.loads(out) == [
        {"change": "changed", "key": "a:{x}", "fields": [
            {"field": "type", "from": "hash", "to": None}, {"field": "lifetime", "from": "5m", "to": "10m"},
            {"field": "owner", "from": None, "to": "us"}]},
        {"change": "removed", "key": "b"}, {"change": "added", "channel": "b"}]
    assert keynome("catalog", "diff", old, old)[:2] == (0, "")
    assert keynome("catalog", "diff", old, "/nonexistent")[0] == 2


def test_import_json_lists_what_was_not_understood():
    status, out, err = keynome("catalog", "import", "--json", DOCUMENTS / "scans.md")
    assert status == 0 and out.startswith("keynome: 1\n")
    assert {(f["line"], f["code"]) for f in json.loads(err)} == {(10, "family-empty"), (93, "unread")}
