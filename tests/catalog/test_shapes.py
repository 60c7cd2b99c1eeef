# SPDX-License-Identifier: BSD-3-Clause
"""Shapes of documents, one at a time: what is said of keys, and how little of it may be missed or made up."""
import pytest
from program import findings, keynome, read_catalog


def fenced(text, language=""):
    return f"# Keys\n\n```{language}\n{text.strip()}\n```\n"


def read(text, tmp_path):
    source = tmp_path / "shape.md"
    source.write_text(text)
    status, out, err = keynome("catalog", "import", source)
    assert status == 0, err
    catalog = read_catalog(out) if "patterns:" in out else {}
    return {key: (p.get("type"), p.get("lifetime")) for key, p in catalog.items()}, out, err


SHAPES = {
    # labels without bullets in a fence, values over several lines, fields below "Fields:"
    "records": (fenced("""
Key: grant:<device>
Value: {
  "user": "u1", "type": "list",
  "scopes": ["a"]
}
TTL: 600 seconds (10 minutes)

Key: grant:names:{name}
Type: HASH
Fields:
  - value: text
  - name: text

Key: grant:recent
Value: Sorted set of devices
"""), {"grant:{device}": (None, "10m"), "grant:names:{name}": ("hash", None), "grant:recent": ("zset", None)}),
    # the type before the sign, with one blank and with more
    "type-first": (fenced("""
seat:{row}:{seat} hash → { holder, since }
row:{row}          set -> seats of the row
hall_open          sorted set => rows by price
"""), {"seat:{row}:{seat}": ("hash", None), "row:{row}": ("set", None), "hall_open": ("zset", None)}),
    # what the comment right above says in brackets, unless the line says it; not one further above
    "label-above": (fenced("""
# Who is in the room (SET)
room:{room} → {"u1", "u2"}
TTL: 90 seconds (refreshed by heartbeat)

# The channel's readers (Hash, small)
room:channel:{channel} -> Set of readers

room:name:{name} → anything
"""), {"room:{room}": ("set", {"default": "90s", "renewed": "refreshed by heartbeat"}),
       "room:channel:{channel}": ("set", None), "room:name:{name}": (None, None)}),
    "titled-type": (fenced("""
bell:{door}     # Debounce: String with TTL (24h)
ring:{house}    # Ring limit: Sorted Set (1h TTL)
knock:{door}    # String with TTL
"""), {"bell:{door}": ("string", "1d"), "ring:{house}": ("zset", "1h"), "knock:{door}": ("string", {"required": True})}),
    "drawn-below": (fenced("""
mind:{story}
  └── List of what was seen

mind:{story}:old
  ├── Set of what was replaced
  └── expires after 2 days
"""), {"mind:{story}": ("list", None), "mind:{story}:old": ("set", "2d")}),
    "capitals-and-articles": (fenced("""
score:{game}  → a Sorted Set linking titles to points
games:all     → a Set tracking titles
count:{game}  → STRING expected count
"""), {"score:{game}": ("zset", None), "games:all": ("set", None), "count:{game}": ("string", None)}),
    # comments of programs, spanning lines or not
    "comments": (fenced("""
/**
 * Keeps rooms.
 *   room:{id}      → JSON(Room)        [no TTL, deleted at the end]
 *   roomNews       → Redis LIST, LTRIM 500
 *   seat:{id}      → time of the last move [30s TTL]
 * note: nothing - to see here
 */
// Keys:
// - {prefix}:moves:{id} - Sorted set of moves
/// 1. `seats:{id}` - Set of seats
/* Format: room:{id}:players */
export class Rooms {}
""", "ts"), {"room:{id}": ("string", "none"), "roomNews": ("list", None), "seat:{id}": (None, "30s"),
             "{prefix}:moves:{id}": ("zset", None), "seats:{id}": ("set", None), "room:{id}:players": (None, None)}),
    "cells": ("""# Keys

| Key | Type | Value | Retention |
|---|---|---|---|
| `desk:<id>` | string (TTL 30d) | name | |
| `desk:log` (stream, consumed) | | moves | none |
| `desk:last:{day}` | | sorted set of desks, by time | 25 hour TTL |
| `desk:talk:{id}` | list | lines | 100 messages, oldest trimmed |
""", {"desk:{id}": ("string", "30d"), "desk:log": ("stream", "none"), "desk:last:{day}": ("zset", "25h"),
      "desk:talk:{id}": ("list", None)}),
    "on-its-side": ("""# Limits

| Attribute | Value |
|---|---|
| Redis key | `gate:hits:<user>` |
| Window length (TTL) | 15 min |
| Global limit | 100 requests |
| Storage | atomic by a script |
| On excess | 429 |
| Owner | gate team |
""", {"gate:hits:{user}": (None, "15m")}),
    "key-label": ("# Queue\n\n**Key pattern:** `wait:{room}` — Redis List, kept for 2 hours\n\n"
                  "**Pattern**: Look-aside with a fallback\n", {"wait:{room}": ("list", "2h")}),
    # what stands between two keys is said of the first, up to the comma or bracket
    "between": ("# Keys\n\nThe `meme:{id}` is kept 5 min, `find:{user}` for 60 seconds.\n\n"
                "None expires but `raw:{id}` (the Stream) and `near:{id}` (refreshed daily).\n",
                {"meme:{id}": (None, "5m"), "find:{user}": (None, "1m"), "raw:{id}": ("stream", None),
                 "near:{id}": (None, None)}),
    # what is said behind an enumeration is said of each key in it
    "enumerations": ("# Keys\n\nA game is a few keys (`game:<id>`, `game:<id>:seats`, and `game:<id>:moves`), all with "
                     "the same 30-minute TTL.\n\n- `duel:{a}`, `duel:{a}:log` - hash, 5 min\n",
                     {"game:{id}": (None, "30m"), "game:{id}:seats": (None, "30m"), "game:{id}:moves": (None, "30m"),
                      "duel:{a}": ("hash", "5m"), "duel:{a}:log": ("hash", "5m")}),
    # literal keys with values in them, beside the pattern they are of, are examples
    "examples": ("# Keys\n\n```\nhits:{ip}\nhits:{ip}:{user}\nhits:total\nmail:{address}\n```\n\n**Example:**\n```\n"
                 "hits:10.0.0.7\nhits:10.0.0.7:u17 → 3\nmail:a.b@c.example\nmail:abc...\n```\n\nSeen today:\n\n```\n"
                 "hits:10.0.0.8\nhits:v2\nKey: mail:d.e@c.example\n```\n",
                 {"hits:{ip}": (None, None), "hits:{ip}:{user}": (None, None), "hits:total": (None, None),
                  "hits:v2": (None, None), "mail:{address}": (None, None)}),
    # lists of other things with colons in their names, and what is shown as wrong
    "lists-of-others": ("""# My service on Redis

## Scripts

- `build:all` - builds

## Live

WebSocket events:

- `room:{id}:closed` - a room closed
- `room:opened` - a room opened

## Redis keys

- `room:{id}` - hash
- `rooms:open` - ids of rooms

## Events

- `news:{day}` - what happened, list
- `news:all` - all of it

## Anything

- `found:{id}` - what was found
- `found:first` - the first of them
- \u2705 Good: `seen:{id}`, \u274c bad: `seen{id}x`
- Wrong: `lost:{id}:x`
- Secure:

```ts
// \u274c INSECURE: without the tenant
const cacheKey = `open:${id}`;
// \u2705 SECURE: with it
const tenantKey = `closed:${id}`;
```
""", {"room:{id}": ("hash", None), "rooms:open": (None, None), "news:{day}": ("list", None), "news:all": (None, None),
      "found:{id}": (None, None), "found:first": (None, None), "seen:{id}": (None, None), "closed:{id}": (None, None)}),
    # numbers in groups, lifetimes told in other columns, and of all keys
    "lifetimes": ("""# Keys

| Key | TTL (s) | Content |
|---|---|---|
| `a:{id}` | 86,400 | |
| `b:{id}` | 2_592_000 | |
| `c:{id}` | 604 800 s (7 d) | |
| `d:{id}` | | Digest of a day (TTL: 24h) |

## Others

| Key | Type |
|---|---|
| `e:{id}` | set |

All keys have a 30-minute TTL.
""", {"a:{id}": (None, "1d"), "b:{id}": (None, "30d"), "c:{id}": (None, "7d"), "d:{id}": (None, "1d"),
      "e:{id}": ("set", "30m")}),
    # items that are keys, not said of one; a tree of files is none of keys
    "fenced-items": (fenced("""
- f:{id} - hash, 5 min
- g:{id}: list
- h:all - set

Example:
- f:one
- g:two
""") + "\n```\nsrc/\n\u251c\u2500\u2500 i:{id}\n\u2514\u2500\u2500 j\n```\n",
                     {"f:{id}": ("hash", "5m"), "g:{id}": ("list", None), "h:all": ("set", None)}),
    # objects that tell key and lifetime; names of prefixes are no keys
    "objects": (fenced("""
export const KEYS = {
  SEEN: {
    pattern: 'seen:{site}:{id}',
    ttl: 300, // 5 minutes
    description: 'Who was here',
  },
  LEFT: {
    pattern: 'left:{site}',
    ttlMs: 60000,
  },
  STAYS: {
    pattern: 'stays:{site}',
  },
  other: { ttl: 77 },
};
const SITE_PREFIX = 'site:all';
""", "ts"), {"seen:{site}:{id}": (None, "5m"), "left:{site}": (None, "1m"), "stays:{site}": (None, None)}),
    # what a label says of lifetimes in brackets; types as values; a type right before its key
    "labels-and-pairs": (fenced("""
# Codes (TTL: 2 hours)
code:{task}:{user} = "K-27"

# Deduplication (TTL: 7 days)
hook:{comment} = "done"
hook:seen:{comment} = "done"

done:{comment} = "done"
""") + fenced("""
KEYS = {
    'name': 'string',
    'board:{week}': 'sorted_set',  # by score
    'board:all': 'hash',
    'players': 'set',
}
""", "python") + "\nThe list `wait:{room}` (JSON) is read by all.\n\n- **Key**: `wait:all`\n- **Example members**: `\"A:1:v1\"`\n",
        {"code:{task}:{user}": (None, "2h"), "hook:{comment}": (None, "7d"), "hook:seen:{comment}": (None, "7d"),
         "done:{comment}": (None, None), "board:{week}": ("zset", None), "board:all": ("hash", None),
         "players": ("set", None), "wait:{room}": ("list", None), "wait:all": (None, None)}),
    "names-of-others": ("""# Tables of Redis

| Column | Type | Notes |
|---|---|---|
| `job:id` | string | of a job |
| `job:at` | string | when |

- `ghcr.io/acme/app:1.2.3` - image, string
- `arn:aws:secret:{account}:{name}` - string
""", {}),
    # families that say something, in items and in fences; variables as shells have them
    "families": ("# Keys\n\n- `feed:*` \u2013 zset, 1 d\n- `$ENV:token:$userId` - string\n- `said:*` - what is said\n"
                 "- image `$IMAGE:latest`, `$REGISTRY/app:$TAG`, `$HOST:$PORT`\n" + fenced("temp:*   # hash, 5 min"),
                 {"feed:{rest}": ("zset", "1d"), "{ENV}:token:{userId}": ("string", None), "temp:{rest}": ("hash", "5m")}),
    # a drawn table below its name, with what is told in one column
    "boxed": (fenced("""
\u250c\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2510
\u2502    ALL OF THEM       \u2502
\u2502 Key Pattern   \u2502 Description & TTL     \u2502
\u251c\u2500\u2500\u2500\u2500\u2500\u2500\u253c\u2500\u2500\u2500\u2500\u2500\u2500\u2524
\u2502 box:{id}      \u2502 What is in (TTL: 24h) \u2502
\u2502 box:all       \u2502 Sorted set of boxes   \u2502
"""), {"box:{id}": (None, "1d"), "box:all": ("zset", None)}),
    # keys without code in paragraphs and items; JSON in between
    "bare": ("""# Keys

session:{id}        # Hash, TTL: 60 min
  fields: user, level

score:series:{id}   # List (at most 100), TTL: 24 hours
  values: [1, 0]

* Locks of seats: lock:seat:{id} -> "token"
* Once: idem:{key}. We store what was done.

{

"duration_ms": 70342

}

Ids are stored as `"tg:<id>"`.
""", {"session:{id}": ("hash", "1h"), "score:series:{id}": ("list", "1d"), "lock:seat:{id}": (None, None),
      "idem:{key}": (None, None)}),
    "docstrings": (fenced('''
"""
Keys:
  item:{id}   \u2192 single item JSON   (TTL = 300 s)
  items       \u2192 all of them        (TTL = 60 s)
"""
NAME = "x"
''', "python") + fenced("""
export const keys = {
  /** Hash holding the state of a job. */
  state: (id: string): string => `job:${id}:state`,
};
""", "ts"), {"item:{id}": (None, "5m"), "items": (None, "1m"), "job:{id}:state": ("hash", None)}),
    "given-by-equals": (fenced("""
call:<id> = {
  id: string,
  state: string,
}
"""), {"call:{id}": (None, None)}),
    "hash-tags": ("# Keys\n\n- `of:{<tenant>}:reset:<token>` - string\n- `cart:{%s}:items` - list\n"
                  "- `<a>:{<b>}:<c>` is how they are built\n",
                  {"of:{{{tenant}}}:reset:{token}": ("string", None), "cart:{{{var1}}}:items": ("list", None)}),
    # file names have patterns too
    "other-patterns": ("""# Names

| Kind | Pattern |
|---|---|
| Controller | `{module}.controller.ts` |
| Interface | `I{Name}` |
| Topic | `{module}.{event}` |
| Setting | `UPPER_CASE` |
| Redis | `{module}:{purpose}:{id}` |
""", {}),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shape(name, tmp_path):
    text, wanted = SHAPES[name]
    got, out, _ = read(text, tmp_path)
    assert got == wanted
    yaml, document = tmp_path / "shape.yaml", tmp_path / "docs.md"
    yaml.write_text(out)
    if wanted:
        assert keynome("catalog", "docs", yaml, "-o", document)[0] == 0
        assert keynome("catalog", "import", "-q", document)[1] == out


def test_fields_below_a_hash(tmp_path):
    _, out, err = read(fenced("""
user:{id} -> Hash
  - name
  - seen_at

game:{id} -> Sorted Set
  - a whole sentence
"""), tmp_path)
    assert "fields: [name, seen_at]" in out
    assert "9:5: note: this property could not be understood: 'a whole sentence'" in err
    assert err.count("could not be understood") == 1


def test_keys_in_lists_of_others_are_told(tmp_path):
    _, _, err = read("# Notes\n\n## Permissions\n\n- `orders:read` - may read\n- `orders:{id}:x` - odd\n", tmp_path)
    assert "shape.md:5:4: note: a key in a list of other things could not be understood: 'orders:read'" in err
    assert "'orders:{id}:x'" in err


# A lifetime that is stated, in words that are not understood, is not missing.
STATED = "# Keys\n\n| Key | TTL |\n|---|---|\n| `rate:{user}` | `windowMs` |\n| `cache:{id}` | |\n"
BELOW = "# Keys\n\n- `session:{user}` - who is in\n\n**TTL**: \u0441\u0443\u0442\u043a\u0438\n"


@pytest.mark.parametrize("text, codes", [(STATED, {"cache-immortal"}), (BELOW, set())])
def test_a_lifetime_in_other_words_is_not_missing(text, codes, tmp_path):
    source = tmp_path / "stated.md"
    source.write_text(text)
    found = {f["code"] for f in findings(source)[1]}
    assert {code for code in found if code.endswith("-immortal")} == codes
    assert "unread" in found


def test_what_sessions_and_first_variables_are(tmp_path):
    source = tmp_path / "names.md"
    source.write_text("# Keys\n\n- `call:{sessionId}` - string\n- `login:session:{sessionId}` - string\n"
                      "- `{SITE_NAME}:call:all` - string\n- `{who}:x:all` - string\n- `y:x:all` - string\n")
    found = findings(source)[1]
    secrets = [f for f in found if f["code"] == "secret-in-key"]
    assert len(secrets) == 1 and "login:session" in secrets[0]["what"] and "call:" not in secrets[0]["what"]
    shared = [f for f in found if f["code"] == "level-shared"]
    assert len(shared) == 1 and "'{who}:x:all'" in shared[0]["what"]


def test_one_shape_by_two_names_is_told(tmp_path):
    got, _, err = read(fenced("hits:{app}:{window} -> count\nhits:{firm}:{window} -> count"), tmp_path)
    assert list(got) == ["hits:{app}:{window}"]
    assert "shape.md:5:1: note: 'hits:{firm}:{window}' names the same keys as 'hits:{app}:{window}'" in err


def test_syntax_is_no_key(tmp_path):
    _, _, err = read("# Locks\n\n- `lock:{id}` - string\n\nTake it with `SET key value NX EX 30`.\n", tmp_path)
    assert "no pattern describes it" not in err


@pytest.mark.parametrize("what, told", [("Feed of a user", False), ("Recent events", False), ("Frames to look at", True)])
def test_only_work_is_lost_by_expiring(what, told, tmp_path):
    source = tmp_path / "work.md"
    source.write_text(f"# Keys\n\n| Key | Type | TTL | Purpose |\n|---|---|---|---|\n| `a:{{id}}` | list | 1 h | {what} |\n")
    assert ("work-expires" in [f["code"] for f in findings(source)[1]]) == told
