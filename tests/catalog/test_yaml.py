# SPDX-License-Identifier: BSD-3-Clause
"""keyspace.yaml: what is wrong is told with its place and what would be right."""
import json
import pathlib

import pytest
import yaml
from program import ROOT, keynome

HEAD = "keynome: 1\npatterns:\n"

WRONG = [
    ("patterns: []\n", "1:1: error: this is no catalog: 'keynome' is missing", "begin the file with"),
    ("keynome: 2\npatterns: []\n", "1:10: error: this version", "keynome: 1"),
    ("keynome: 1\npaterns: []\n", "2:1: error: a catalog has no field 'paterns'", "did you mean 'patterns'?"),
    (HEAD + "  - key: a:{x}\n    tpye: hash\n", "4:5: error: a pattern has no field 'tpye'", "'type'?"),
    (HEAD + "  - key: a:{x}\n    type: hahs\n", "4:11: error: 'hahs' is no type", "'hash'?"),
    (HEAD + "  - key: a:{x}\n    type: sorted set\n", "4:11: error: 'sorted set' is no type", "'zset'"),
    (HEAD + "  - key: a:{x}\n    lifetime: 300\n", "4:15: error: the lifetime '300' is no duration", "300s"),
    (HEAD + "  - key: a:{x}\n    lifetime: {default: 2h, maximum: 1h}\n", "4:15: error: the default", "lower"),
    (HEAD + '  - key: "a:{x"\n', "3:13: error: 'a:{x': '{' is never closed", "{{"),
    (HEAD + '  - key: "a:{x}{y}"\n', "two variables touch", "list the first one's values as a prefix"),
    (HEAD + "  - type: hash\n", "3:5: error: a pattern without 'key' or 'channel'", "say which keys"),
    (HEAD + '  - key: "a:{x}"\n    tenant: y\n', "the tenant {y} is no variable", "name the variable"),
    (HEAD + '  - key: "a:{x}"\n    aliases: ["b:{y}"]\n', "do not have the same variables", "name in both"),
    (HEAD + '  - key: "a:{x}"\n    type: set\n    fields: [f]\n', "names fields but is a set", "only hashes"),
    (HEAD + '  - key: "a:{x}"\n  - key: "a:{y}"\n', "4:10: error: 'a:{y}' and 'a:{x}' match exactly", "3:10"),
    (HEAD + "  - key: a\n    name: x\n  - key: b\n    name: x\n", "two patterns are called 'x'", "rename"),
    (HEAD + "  - key: a\n    database: -1\n", "4:15: error: a database is a number", "database: 1"),
    (HEAD + "  - key: a\n    limits: {elements: many}\n", "4:24: error: the limit of elements 'many'", "kb"),
    (HEAD + "  - key: a\n    mode: enforced\n", "'enforced' is no mode", "'enforce'?"),
    (HEAD + "  - key: a\n    key: b\n", "4:5: error: 'key' is given twice", "keep one"),
    ("keynome: 1\npatterns: [\n", "error: not YAML", "indentation"),
    ("", "1:1: error: the document is empty", "keynome: 1"),
    ("keynome: 1\npatterns: []\n---\nkeynome: 1\n", "a second document", "one file holds one"),
    ("keynome: 1\nname: !!python/none x\npatterns: []\n", "tags are not used", "remove it"),
    ("keynome: 1\nname: *x\npatterns: []\n", "an alias of an anchor that is not there", "&name"),
    ("keynome: 1\npatterns: &p [*p]\n", "an alias inside what it names", ""),
    ("keynome: 1\npatterns: " + "[" * 40 + "]" * 40 + "\n", "nested too deeply", ""),
]


@pytest.mark.parametrize("text, what, remedy", WRONG)
def test_messages(text, what, remedy, tmp_path):
    file = tmp_path / "k.yaml"
    file.write_text(text)
    status, _, err = keynome("catalog", "check", file)
    assert status == 1
    assert what in err, err
    assert remedy in err, err


def test_laughs_are_cheap(tmp_path):
    """Ten levels of ten aliases are ten thousand million texts, and a small tree."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 11)]
    file = tmp_path / "laughs.yaml"
    file.write_text("keynome: 1\npatterns: []\n" + "\n".join(levels) + "\n")
    status, _, err = keynome("catalog", "check", file)
    assert status == 1 and "a catalog has no field 'a0'" in err


FULL = """keynome: 1
name: shop
owner: team keys
purpose: "Everything: of the shop"
mode: observe
unmatched: deny
grammar: "{service}:{id}"
eviction-policy: volatile-lru
prefixes:
  prefix: ["app:", "blue:"]
databases:
  0: "carts, and more"
  2: queues

patterns:
  - key: "{prefix}cart:{user}:{{{item}}}"
    name: cart
    aliases:
      - "basket:{user}:{item}"
    type: hash
    lifetime: {default: 2h, minimum: 30m, maximum: 1d, required: true, after: payment, renewed: use, note: "each: one"}
    database: [0, 2]
    eviction: never
    mode: "off"
    limits: {key: 200, value: 1048576, elements: 1000}
    value: json
    fields:
      count: integer
      "odd name, `this`": any
    only-these-fields: true
    tenant: user
    owner: "#1"
    section: "Carts *all*"
    purpose: "- what a user `wants` to <buy>"
    source: src/cart.c
    examples:
      - "app:cart:u1:{i1}"
      - "blue:cart:``:{\\u001b}"
    guessed: [key, type]

  - channel: "news:{topic}"
    name: news.topic

  - key: "done:{id}"
    name: done.id
    lifetime: none
    fields: [a, b]
    section: "1. Rest"
"""


def test_every_field_leads_back(tmp_path):
    file, document = tmp_path / "k.yaml", tmp_path / "k.md"
    file.write_text(FULL)
    status, out, err = keynome("catalog", "import", file)
    assert (status, out) == (0, FULL), err
    assert keynome("catalog", "docs", file, "-o", document)[0] == 0
    assert keynome("catalog", "import", document)[1] == FULL


def test_schema_knows_every_field():
    """What the reader accepts, the schema for editors describes, and the other way round."""
    schema = json.loads((ROOT / "share" / "keyspace.schema.json").read_text())
    document = yaml.safe_load(FULL)
    pattern = schema["$defs"]["pattern"]
    assert set(document) == set(schema["properties"])
    used = set().union(*document["patterns"])
    assert set(pattern["properties"]) == used | {"example"}
    lifetime = pattern["properties"]["lifetime"]["anyOf"][-1]["properties"]
    assert set(lifetime) == set(document["patterns"][0]["lifetime"])
    for word in pattern["properties"]["type"]["enum"]:
        text = HEAD + f'  - key: "a:{{x}}"\n    type: {word}\n'
        assert keynome("catalog", "import", "-q", "-", given=text)[0] == 0, word
    words = {name: pattern["properties"][name]["enum"] for name in ("eviction", "value")}
    words["mode"] = schema["$defs"]["mode"]["enum"]
    for name, choices in words.items():
        for word in choices:
            text = HEAD + f'  - key: "a:{{x}}"\n    {name}: "{word}"\n'
            assert keynome("catalog", "import", "-q", "-", given=text)[0] == 0, word


def test_schema_by_a_validator():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "share" / "keyspace.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(FULL.replace("0:", "'0':").replace("2: queues", "'2': queues")), schema)
    for file in (pathlib.Path(__file__).parent / "documents").glob("*.yaml"):
        document = yaml.safe_load(file.read_text())
        document["databases"] = {str(k): v for k, v in document.get("databases", {}).items()}
        jsonschema.validate(document, schema)


def test_the_documented_example_is_a_catalog():
    text = (ROOT / "docs" / "catalog.md").read_text()
    example = text[text.index("```yaml\n") + 8:]
    example = example[:example.index("```")]
    status, out, err = keynome("catalog", "import", "-q", "-", given=example)
    assert status == 0, err
    assert "fields:\n      items: json" in out
