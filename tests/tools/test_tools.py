# SPDX-License-Identifier: BSD-3-Clause
"""The tools find what they are for: each test plants one fault in a small tree of its own."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LICENCE = "/* SPDX-License-Identifier: BSD-3-Clause */\n"


@pytest.fixture
def tree(tmp_path):
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    write(tmp_path, "src/LAYERS", "low:\nhigh: low\n")
    write(tmp_path, "src/meson.build", "files('low/a.c', 'high/b.c')\n")
    write(tmp_path, "src/low/README.md", "low\n")
    write(tmp_path, "src/high/README.md", "high\n")
    write(tmp_path, "src/low/a.h", LICENCE + "int a_get(void);\n")
    write(tmp_path, "src/low/a.c", LICENCE + '#include "low/a.h"\nint a_get(void) {\n    return 1;\n}\n')
    write(tmp_path, "src/high/b.c", LICENCE + '#include "low/a.h"\n')
    return tmp_path


def write(tree, name, text):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run(tree, *command):
    done = subprocess.run([str(tree / command[0]), *command[1:]], cwd=tree, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    return done.returncode, done.stdout


def test_a_clean_tree_passes(tree):
    for tool in ("tools/tidy", "tools/layers", "tools/headers"):
        assert run(tree, tool)[0] == 0, tool


@pytest.mark.parametrize("name, text, message", [
    ("src/low/a.c", '#include "high/b.h"\n', "look down only"),
    ("src/low/a.c", '#include "a.h"\n', "no such file"),
    ("src/other/c.c", "", "not in LAYERS"),
])
def test_layers_refuses(tree, name, text, message):
    write(tree, "src/high/b.h", LICENCE)
    write(tree, name, LICENCE + text)
    status, output = run(tree, "tools/layers")
    assert status == 1 and message in output


def test_layers_refuses_a_cycle_of_headers(tree):
    write(tree, "src/low/a.h", LICENCE + '#include "low/c.h"\n')
    write(tree, "src/low/c.h", LICENCE + '#include "low/a.h"\n')
    status, output = run(tree, "tools/layers")
    assert status == 1 and "low/a.h -> low/c.h -> low/a.h" in output


def test_layers_warns_of_a_cycle_of_modules(tree):
    write(tree, "src/low/a.c", LICENCE + '#include "low/c.h"\n')
    write(tree, "src/low/c.h", LICENCE)
    write(tree, "src/low/c.c", LICENCE + '#include "low/a.h"\n')
    status, output = run(tree, "tools/layers")
    assert status == 0 and "low/a -> low/c -> low/a" in output


@pytest.mark.parametrize("text, message", [
    ("void b_run(char *s) {\n    strcpy(s, \"x\");\n}\n", "strcpy()"),
    ("int b_run(const char *s) {\n    return atoi(s);\n}\n", "atoi()"),
    ("void b_run(void *p) {\n    free(p);\n}\n", "free(): memory comes from base/"),
    ("/* TODO: more */\n", "TODO"),
    ("typedef struct b {\n    int x;\n} b_t;\n", "typedef of a struct"),
    ("int x; \n", "trailing blank"),
    ("/* " + "words " * 20 + "*/\n", "125 columns, over 100"),
    ("void b_run(void) {\n" + "    a_get();\n" * 121 + "}\n", "b_run() has 123 lines, over 120"),
    ("int x;\n" * 900, "the file has 902 lines, over 900"),
])
def test_tidy_refuses(tree, text, message):
    write(tree, "src/high/b.c", LICENCE + '#include "low/a.h"\n' + text)
    status, output = run(tree, "tools/tidy")
    assert status == 1 and message in output


@pytest.mark.parametrize("text", [
    "void b_run(struct b *b) {\n    b->free(b);\n    b.free(b);\n    b_free(b);\n}\n",
    "/* strcpy(a, b) */\nconst char *b_text = \"free(x) {\";\n",
    "#define B_OPEN {\nint x;\n",
])
def test_tidy_lets_pass(tree, text):
    write(tree, "src/high/b.c", LICENCE + '#include "low/a.h"\n' + text)
    assert run(tree, "tools/tidy") == (0, "tidy: 3 files, 0 errors, 0 warnings\n")


def test_tidy_warns_before_it_refuses(tree):
    body = "".join(f"    if (a_get()) {{ a_get(); }} /* {n} */\n" for n in range(80))
    write(tree, "src/high/b.c", LICENCE + '#include "low/a.h"\nvoid b_run(void)\n{\n' + body + "}\n")
    status, output = run(tree, "tools/tidy")
    assert status == 0 and "b_run() has 82 lines, over 70" in output


@pytest.mark.parametrize("name, text, message", [
    ("src/low/unused.h", LICENCE, "includes it"),
    ("src/low/unbuilt.c", LICENCE, "never built"),
    ("src/low/bare.c", "int x;\n", "licence"),
])
def test_tidy_refuses_a_file(tree, name, text, message):
    write(tree, name, text)
    status, output = run(tree, "tools/tidy")
    assert status == 1 and message in output


def test_headers_refuses_a_header_that_needs_another_first(tree):
    write(tree, "src/low/needy.h", LICENCE + "size_t needy_size(void);\n")
    status, output = run(tree, "tools/headers")
    assert status != 0 and "needy.h" in output


PASSING = "#!/bin/sh\necho '3 passed, 0 failed'\n"


@pytest.mark.parametrize("program, line", [
    (PASSING, "3 passed, 0 failed"),
    ("#!/bin/sh\necho '2 passed, 1 failed'\nexit 1\n", "2 passed, 1 failed"),
    (PASSING + "kill -9 $$\n", "3 passed, 1 failed"),
    (PASSING + "exit 1\n", "3 passed, 1 failed"),
    ("#!/bin/sh\necho fine\n", "0 passed, 1 failed"),
    ("#!/bin/sh\necho '0 passed, 0 failed'\n", "0 passed, 1 failed"),
])
def test_run_tests_counts_programs(tree, program, line):
    write(tree, "tests/sample/run", program).chmod(0o755)
    status, output = run(tree, "tools/run-tests", "sample")
    assert output.splitlines()[-1] == line
    assert status == (0 if line.endswith(" 0 failed") else 1)


@pytest.mark.parametrize("text, line", [
    ("def test_a(): pass\ndef test_b(): pass\n", "2 passed, 0 failed"),
    ("def test_a(): pass\ndef test_b(): assert False\n", "1 passed, 1 failed"),
    ("import missing_module\n", "0 passed, 1 failed"),
    ("import os\ndef test_a(): os._exit(0)\n", "0 passed, 1 failed"),
    ("x = 1\n", "0 passed, 1 failed"),
])
def test_run_tests_counts_pytest(tree, text, line):
    write(tree, "tests/sample/test_sample.py", text)
    status, output = run(tree, "tools/run-tests", "sample")
    assert output.splitlines()[-1] == line
    assert status == (0 if line.endswith(" 0 failed") else 1)


@pytest.mark.parametrize("program, line", [
    ("echo 1..2; echo ok 1 - a; echo ok 2 - b", "2 passed, 0 failed"),
    ("echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1", "1 passed, 1 failed"),
    ("echo 1..2; echo ok 1 - a; kill -SEGV $$", "1 passed, 1 failed"),
    ("echo 1..1; echo ok 1 - a; exit 23", "1 passed, 1 failed"),
    ("exit 0", "0 passed, 1 failed"),
    ("sleep 60", "0 passed, 1 failed"),
])
def test_run_tests_counts_unit_programs(tree, monkeypatch, program, line):
    test = {"name": "sample", "suite": ["keynome:base"], "cmd": ["sh", "-c", program], "timeout": 1}
    write(tree, "bin/meson", f"#!/bin/sh\ncat <<'E'\n{json.dumps([test])}\nE\n").chmod(0o755)
    write(tree, "tests/README", "")
    monkeypatch.setenv("PATH", f"{tree}/bin:{os.environ['PATH']}")
    status, output = run(tree, "tools/run-tests", "--unit", "build", "unit")
    assert output.splitlines()[-1] == line
    assert status == (0 if line.endswith(" 0 failed") else 1)


@pytest.mark.skipif(not shutil.which("npm"), reason="needs Node.js")
@pytest.mark.parametrize("text, good", [
    ("test('a', () => {}); test('b', () => {});", True),
    ("test('a', () => {}); test('b', () => { throw new Error('no'); });", False),
    ("test('a', () => {}); after(() => { throw new Error('no'); });", False),
    ("process.exit(1);", False),
    ("syntax error", False),
])
def test_run_tests_counts_node(tree, text, good):
    write(tree, "tests/sample/js/package.json", '{"name": "sample", "private": true}')
    write(tree, "tests/sample/js/package-lock.json",
          '{"name": "sample", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "sample"}}}')
    write(tree, "tests/sample/js/test/a.test.js", "const { after, test } = require('node:test');\n" + text)
    status, output = run(tree, "tools/run-tests", "sample")
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", output.splitlines()[-1])
    assert (status == 0, counts[2] == "0") == (good, good), output
    assert counts[1] != "0" or not good, output


def test_run_tests_names_the_server_of_each_suite(tree):
    for suite in ("one", "two"):
        write(tree, f"tests/{suite}/run", f"#!/bin/sh\necho {suite} $KEYNOME_SERVER\n" + "echo '1 passed, 0 failed'\n")
        (tree / "tests" / suite / "run").chmod(0o755)
    status, output = run(tree, "tools/run-tests", "--server", "a", "--server-for", "one=b", "one", "two")
    assert status == 0 and f"one {tree}/b\n" in output and f"two {tree}/a\n" in output


def test_run_tests_names_what_failed_at_the_end(tree):
    write(tree, "tests/first/test_sample.py", "def test_good(): pass\ndef test_bad(): assert False\n")
    write(tree, "tests/second/run", "#!/bin/sh\necho 'FAILED worse'\necho '✖ worst (12.5ms)'\n"
          "echo '0 passed, 2 failed'\nexit 1\n").chmod(0o755)
    status, output = run(tree, "tools/run-tests", "first", "second")
    assert status == 1
    assert [line.split()[1:] for line in output.splitlines()[-4:-1]] == [
        ["first:", "first.test_sample::test_bad"], ["second:", "worse"], ["second:", "worst"]]
