# SPDX-License-Identifier: BSD-3-Clause
"""The project's own documents, in all the forms that documents about keys have, against what they mean."""
import pytest
from program import DOCUMENTS, keynome, read_catalog

NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_import_gives_the_catalog(name, tmp_path):
    status, out, err = keynome("catalog", "import", f"{name}.md", cwd=DOCUMENTS)
    assert status == 0, err
    assert out == (DOCUMENTS / f"{name}.yaml").read_text()
    target = tmp_path / "keyspace.yaml"
    status, nothing, _ = keynome("catalog", "import", DOCUMENTS / f"{name}.md", "-o", target)
    assert (status, nothing) == (0, "")
    assert target.read_text() == out


@pytest.mark.parametrize("name", NAMES)
def test_yaml_and_markdown_lead_back(name, tmp_path):
    yaml = (DOCUMENTS / f"{name}.yaml").read_text()
    assert keynome("catalog", "import", "-q", DOCUMENTS / f"{name}.yaml")[1] == yaml
    document = tmp_path / "keys.md"
    assert keynome("catalog", "docs", DOCUMENTS / f"{name}.yaml", "-o", document)[0] == 0
    assert keynome("catalog", "import", "-q", document)[1] == yaml
    assert keynome("catalog", "docs", document)[1] == document.read_text()
    assert keynome("catalog", "diff", document, DOCUMENTS / f"{name}.yaml")[:2] == (0, "")


def test_what_is_not_understood_is_listed():
    _, _, err = keynome("catalog", "import", "campaigns.md", cwd=DOCUMENTS)
    assert "campaigns.md:101:3: note: this property could not be understood: 'Colour: blue'" in err
    _, _, err = keynome("catalog", "import", "scans.md", cwd=DOCUMENTS)
    assert "scans.md:93:24: note: the lifetime could not be understood: 'as the moon waxes'" in err
    assert "'scan:bus:*' is announced" in err
    _, _, err = keynome("catalog", "import", "flows.md", cwd=DOCUMENTS)
    assert "this line could not be understood" in err and "limit:{user_id}:{minute}" in err
    _, _, err = keynome("catalog", "import", "checkout.md", cwd=DOCUMENTS)
    assert "checkout.md:49:1: note: 'chk:prod:stray:17' is used by a command, and no pattern describes it" in err
    assert "checkout.md:58:46: note: the column 'Colour'" in err


def test_guesses_are_marked():
    _, out, _ = keynome("catalog", "import", "-q", "posts.md", cwd=DOCUMENTS)
    outbox = out[out.index('"{prefix}queue:outbox"'):]
    assert "guessed: [type, eviction]" in outbox[:outbox.index("\n\n")]


BOTH = """# Keys

| Key | Type | TTL |
|---|---|---|
| `app:events:{id}` | list | 1 hour |
| `app:log` | Pub/Sub channel | - |

- `app:user:{id}` - hash, TTL 5 min

Changes are told on the channel `app:user:{id}`.

## Pub/Sub channels

| Channel | Purpose |
|---|---|
| `app:events:{id}` | new events |
| `app:jobs:{id}` | work |

## Jobs

| Key | Type |
|---|---|
| `app:jobs:{id}` | hash |
"""


def test_a_key_and_a_channel_of_one_template_are_two(tmp_path):
    source, document = tmp_path / "both.md", tmp_path / "docs.md"
    source.write_text(BOTH)
    status, yaml, err = keynome("catalog", "import", "-q", source)
    assert status == 0, err
    assert {key: (p.get("type"), p.get("lifetime")) for key, p in read_catalog(yaml).items()} == {
        "app:events:{id}": ("list", "1h"), "channel app:events:{id}": (None, None),
        "channel app:log": (None, None), "app:user:{id}": ("hash", "5m"),
        "app:jobs:{id}": ("hash", None), "channel app:jobs:{id}": (None, None)}
    written = tmp_path / "both.yaml"
    written.write_text(yaml)
    assert keynome("catalog", "docs", written, "-o", document)[0] == 0
    assert keynome("catalog", "import", "-q", document)[1] == yaml


# What looks like keys in documents of every kind, and is none.
STRANGE = """# Notes

The host is `redis-a.internal:6379`, see `http://grafana:3000/d/abc`, `src/jobs.py:42` and `std::string`.
Started at `12:30` as `HH:MM:SS`; image `redis:7.2-alpine`; `docker run -p 6379:6379 redis:7`.
**Why do I see `ERR:timeout`?** It is a code of the log.

| Scope | Meaning |
|---|---|
| `read:users` | may read |
| `write:users` | may write |

| Option | Default |
|---|---|
| `timeout` | 5 seconds |
| `retries` | 3 |

- `name` - string, the name
- `items` - list of things

### `app:build`

Builds what there is.

```python
url = f"http://{host}:{port}/x"
logger.info(f"user:{user} came")
raise Error("bad:%s" % name)
first = "just:a:word"
```
"""


def test_what_is_no_key_is_no_pattern(tmp_path):
    source = tmp_path / "strange.md"
    source.write_text(STRANGE)
    status, yaml, err = keynome("catalog", "import", source)
    assert status == 0, err
    assert "patterns:" not in yaml or read_catalog(yaml) == {}


PREFIXED = """# Keys

Every key is prefixed with `shop:`.

| Key | Type | TTL |
|---|---|---|
| `user:{id}` | hash | 1 day |
| `cart:*` | list | 2 h |
| `rate:{ip}` | string | 60 |
"""


def test_a_prefix_that_the_keys_leave_out(tmp_path):
    source = tmp_path / "prefixed.md"
    source.write_text(PREFIXED)
    _, yaml, _ = keynome("catalog", "import", "-q", source)
    assert {key: (p.get("type"), p.get("lifetime"), p.get("guessed")) for key, p in read_catalog(yaml).items()} == {
        "shop:user:{id}": ("hash", "1d", ["key"]), "shop:cart:{rest}": ("list", "2h", ["key"]),
        "shop:rate:{ip}": ("string", "1m", ["key", "lifetime"])}


SHORT = """# Matches

* **`mm:pool:{region}`**
  Sorted set. Who waits, by rank. No TTL.
* `mm:match:{match}` (JSON, 3h) and `mm:match:{match}:votes` (hash, 60s)

TTL policy: everything under `cache:` goes after 10 minutes.

### Sets

- `org:{id}:members` - ids of users
- `admins:all`
"""


def test_each_key_of_a_line_has_its_own(tmp_path):
    source = tmp_path / "short.md"
    source.write_text(SHORT)
    _, yaml, _ = keynome("catalog", "import", "-q", source)
    assert {key: (p.get("type"), p.get("lifetime")) for key, p in read_catalog(yaml).items()} == {
        "mm:pool:{region}": ("zset", "none"), "mm:match:{match}": ("string", "3h"),
        "mm:match:{match}:votes": ("hash", "1m"), "org:{id}:members": ("set", None), "admins:all": ("set", None)}


def test_keys_in_settings_are_told(tmp_path):
    source = tmp_path / "settings.md"
    source.write_text('# Cache\n\n- `price:{sku}` - hash\n\n```yaml\nproduct: { key: "product:{id}", ttl: 3600 }\n'
                      'price: { key: "price:{id}" }\n```\n')
    _, yaml, err = keynome("catalog", "import", source)
    assert list(read_catalog(yaml)) == ["price:{sku}"]
    assert err.count("could not be understood") == 1 and "settings.md:6:18: note:" in err and "product:{id}" in err
