# SPDX-License-Identifier: BSD-3-Clause
"""keynome catalog check: what it finds, and, as important, what it does not."""
import json

import pytest
from program import DOCUMENTS, findings, keynome

HEAD = "keynome: 1\nprefixes:\n  prefix: [app]\npatterns:\n"

CLEAN = """# Keys of the shop

The server runs with maxmemory-policy noeviction; the release script of locks is in `locks.lua`.

| Pattern | Type | TTL | Purpose | Example |
|---|---|---|---|---|
| `shop:cart:{cart}` | Hash | 2 days (renewed) | What a visitor chose | `shop:cart:c17` |
| `shop:cache:article:{article}` | String (JSON) | 10 min | An article | `shop:cache:article:a1` |
| `shop:work:{kind}` | Stream | 7 days | Work by consumer groups | `shop:work:mail` |
| `shop:lock:{what}` | String | 30 seconds (renewed) | One at a time | `shop:lock:stock` |

```redis
SET shop:lock:stock worker-7 NX PX 30000
HSET shop:cart:c17 a1 2
XADD shop:work:mail MAXLEN ~ 10000 * to u1
HSET shop:cart:{cart} article 1
```

```python
value = await redis.set("shop:lock:stock", token, nx=True, px=30000)
# Bad: this blocks
keys = await redis.keys("shop:*")
```
"""


def test_a_clean_document_has_no_findings(tmp_path):
    file = tmp_path / "clean.md"
    file.write_text(CLEAN)
    assert findings(file) == (0, [])
    status, out, err = keynome("catalog", "check", file)
    assert (status, out, err) == (0, "", "nothing found\n")


# What each of the project's documents is told, line by line: a rule that changes shows here.
EXPECTED = {path.stem: path.read_text() for path in DOCUMENTS.glob("*.findings")}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_documents(name):
    status, found = findings(DOCUMENTS / f"{name}.md")
    assert status == 1
    assert "".join(f"{f['line']} {f['code']}\n" for f in found) == EXPECTED[name]


# One hazard, and the same thing done well.
PAIRS = [
    ("level-shared", '  - key: "{prefix}:cam:list"\n    lifetime: 5m\n  - key: "{prefix}:cam:{id}"\n    lifetime: 5m\n',
     '  - key: "{prefix}:cams:list"\n    lifetime: 5m\n  - key: "{prefix}:cam:{id}"\n    lifetime: 5m\n'),
    ("prefix-missing", '  - key: "{prefix}:a"\n    lifetime: 1m\n  - key: "b:{id}"\n    lifetime: 1m\n',
     '  - key: "{prefix}:a"\n    lifetime: 1m\n  - key: "{prefix}:b:{id}"\n    lifetime: 1m\n'),
    ("prefix-written-out", '  - key: "{prefix}:a"\n    lifetime: 1m\n  - key: "app:b"\n    lifetime: 1m\n',
     '  - key: "{prefix}:a"\n    lifetime: 1m\n  - key: "{prefix}:b"\n    lifetime: 1m\n'),
    ("cache-immortal", '  - key: "{prefix}:cache:{id}"\n', '  - key: "{prefix}:cache:{id}"\n    lifetime: 5m\n'),
    ("lock-immortal", '  - key: "{prefix}:lock:{id}"\n',
     '  - key: "{prefix}:lock:{id}"\n    lifetime: {default: 30s, renewed: by its holder}\n'),
    ("lock-outlived", '  - key: "{prefix}:lock:{id}"\n    lifetime: 30s\n',
     '  - key: "{prefix}:lock:{id}"\n    lifetime: {default: 30s, renewed: by its holder}\n'),
    ("whole-key-lifetime", '  - key: "{prefix}:top"\n    type: zset\n    lifetime: 1h\n',
     '  - key: "{prefix}:top"\n    type: zset\n    lifetime: none\n'),
    ("list-unbounded", '  - key: "{prefix}:errors"\n    type: list\n    lifetime: 1d\n',
     '  - key: "{prefix}:errors"\n    type: list\n    lifetime: 1d\n    limits: {elements: 100}\n'),
    ("secret-in-key", '  - key: "{prefix}:login:{token}"\n    lifetime: 1d\n',
     '  - key: "{prefix}:login:{token_hash}"\n    lifetime: 1d\n'),
    ("example-misfit", '  - key: "{prefix}:a:{id}"\n    lifetime: 1d\n    example: "app:b:1"\n',
     '  - key: "{prefix}:a:{id}"\n    lifetime: 1d\n    example: "app:a:1"\n'),
    ("queue-evictable", '  - key: "{prefix}:queue:{name}:active"\n    type: list\neviction-policy: allkeys-lru\n',
     '  - key: "{prefix}:queue:{name}:active"\n    type: list\neviction-policy: noeviction\n'),
    ("lifetime-in-name", '  - key: "{prefix}:tmp:{id}:24h"\n    lifetime: 1d\n',
     '  - key: "{prefix}:bars:1m:{id}"\n    lifetime: 1d\n'),
    ("clock-wraps", '  - key: "{prefix}:stats:{hour}"\n    lifetime: 2d\n',
     '  - key: "{prefix}:stats:{hour}"\n    lifetime: 12h\n'),
    ("setting-in-key", '  - key: "{prefix}:sem:{limit}"\n    lifetime: 2d\n', '  - key: "{prefix}:sem:{id}"\n    lifetime: 2d\n'),
    ("lifetime-after", '  - key: "{prefix}:job:{id}"\n    lifetime: {default: 1d, after: the end}\n',
     '  - key: "{prefix}:job:{id}"\n    lifetime: 1d\n'),
]


@pytest.mark.parametrize("code, wrong, right", PAIRS)
def test_hazard_and_remedy(code, wrong, right, tmp_path):
    for text, expected in ((wrong, True), (right, False)):
        file = tmp_path / "k.yaml"
        file.write_text(HEAD + text)
        _, found = findings(file)
        assert (code in {f["code"] for f in found}) == expected, found


DOCUMENT = "# Keys\n\n| Pattern | Type | TTL |\n|---|---|---|\n| `app:{id}` | String | 1 day |\n| `app:list:{id}` | List | None |\n"

COMMANDS = [
    ("del-glob", "bash", "redis-cli DEL app:*", "redis-cli DEL app:1"),
    ("keys-blocks", "bash", "redis-cli KEYS 'app:*'", "redis-cli --scan --pattern 'app:*'"),
    ("set-then-expire", "redis", "SET app:1 x\nEXPIRE app:1 60", "SET app:1 x EX 60"),
    ("two-types", "redis", "HSET app:1 f v", "SET app:1 v EX 9"),
    ("bad-range", "redis", "ZRANGEBYSCORE app:list:1 (5) 9", "ZRANGEBYSCORE app:list:1 (5 9"),
    ("missing-argument", "redis", "MEMORY USAGE", "MEMORY USAGE app:1"),
    ("command-stranger", "redis", "GET other:1", "GET app:1"),
    ("scan-first-step", "redis", "SCAN 0 MATCH app:* COUNT 10", "SCAN 17 MATCH app:* COUNT 10"),
    ("group-from-end", "redis", "XGROUP CREATE app:1 g $ MKSTREAM", "XGROUP CREATE app:1 g 0 MKSTREAM"),
    ("del-of-none", "javascript", "await redis.del(...keys);", "if (keys.length) await redis.del(...keys);"),
    ("keys-blocks", "javascript", "await redis.keys('app:*');", "// Bad\nawait redis.keys('app:*');"),
    ("unknown-option", "python", "redis.set(key, value, expire=3)", "redis.set(key, value, ex=3)"),
    ("zero-is-default", "python", "ttl = ttl or self.default", "ttl = self.default if ttl is None else ttl"),
    ("password-in-arguments", "bash", 'redis-cli -a "$REDIS_PASSWORD" ping', "redis-cli --askpass ping"),
    ("not-imported", "python", "import json\nx = datetime.now()", "import datetime\nx = datetime.now()"),
]


@pytest.mark.parametrize("code, language, wrong, right", COMMANDS)
def test_commands_and_programs(code, language, wrong, right, tmp_path):
    for text, expected in ((wrong, True), (right, False)):
        file = tmp_path / "k.md"
        file.write_text(f"{DOCUMENT}\n```{language}\n{text}\n```\n")
        _, found = findings(file)
        assert (code in {f["code"] for f in found}) == expected, (text, found)


def test_the_line_is_shown_with_a_mark(tmp_path):
    file = tmp_path / "k.md"
    file.write_text(DOCUMENT)
    status, out, err = keynome("catalog", "check", file)
    assert (status, out) == (1, "")
    line = err.index("     5 | | `app:{id}` | String | 1 day |")
    assert err[line:].split("\n")[1] == "       |    ^"
    assert f"{file}:5:4: warning: a key of 'app:{{id}}' can be one of 'app:list:{{id}}'" in err
    assert "= help: put a literal segment before the variable" in err
    assert err.endswith("warning\n") or err.endswith("warnings\n")
    assert "\033[" not in err


def test_files_are_checked_together(tmp_path):
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(HEAD + '  - key: "x:{a}"\n    lifetime: 1d\n')
    two.write_text(HEAD + '  - key: "x:{b}"\n    lifetime: 1d\n')
    assert findings(one)[0] == findings(two)[0] == 0
    status, found = findings(one, two)
    assert status == 1
    assert [(f["code"], f["file"], f["see"]["file"]) for f in found] == [("patterns-alike", str(two), str(one))]
