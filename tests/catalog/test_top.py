# SPDX-License-Identifier: BSD-3-Clause
"""keynome top: reports with exact figures, and the live screen in a real terminal."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

from program import find, keynome  # noqa: E402  (tests/lib is not a package)
from server import Server  # noqa: E402
from terminal import Terminal  # noqa: E402

CATALOG = r"""
keynome: 1
name: shop
mode: observe
unmatched: allow
patterns:
  - {key: "shop:cart:{user}", name: cart, type: hash, lifetime: 2d, eviction: never, owner: checkout team,
     purpose: What a visitor put into the cart, limits: {elements: 3}, fields: {items: json}}
  - {key: "shop:page:{id}", name: page, type: string, eviction: cache, mode: enforce,
     lifetime: {default: 5m, maximum: 10m, required: true}}
  - {key: "shop:queue:{name}", name: queue, type: list, lifetime: none}
  - {key: "shop:stock:{isbn}", name: stock, type: string}
  - {channel: "shop:news:{topic}", name: news}
"""
HOSTILE = r"""
keynome: 1
name: hostile
patterns:
  - {key: "bad\u202e\u200b:{id}", name: evil, type: list, purpose: "clear\u009b2Jed\u2066"}
  - {key: "caf\u00e9:\u5e93\u5b58:{id}", name: stock, type: string}
"""


def serve(tmp_path, catalog=CATALOG, *directives, **options):
    words = ["--threads", "1", "--save", "", *directives]
    if catalog:
        path = tmp_path / "keyspace.yaml"
        path.write_text(catalog, encoding="utf-8")
        words += ["--catalog", path]
    return Server(words, unix=True, **options)


@pytest.fixture
def server(tmp_path):
    with serve(tmp_path) as running:
        yield running


def url(server):
    return "unix://" + server.socket_path


def work(client):
    """9 keys; 6 reads of pages, 4 of them hits; 19 writes; one violation."""
    for number in range(3):
        client.do("SET", f"shop:page:{number}", "x" * 100, "EX", "300")
        client.do("GET", f"shop:page:{number}")
    for number in range(2, 5):
        client.do("GET", f"shop:page:{number}")
    for number in range(4):
        client.do("HSET", f"shop:cart:{number}", "items", "[]")
    client.do("HSET", "shop:cart:3", "items", "no JSON")  # noted
    for number in range(10):
        client.do("RPUSH", "shop:queue:orders", number)
    client.do("SET", "elsewhere", "1")


def rows(report):
    return {row["pattern"]: row for row in report["patterns"]}


def calls(client, command):
    """How often a command was called."""
    text = client.do("INFO", "commandstats").decode()
    found = re.search(rf"cmdstat_{re.escape(command)}:calls=(\d+)", text)
    return int(found[1]) if found else 0


def until(probe, what, limit_s=20.0):
    end = time.monotonic() + limit_s
    while not probe():
        assert time.monotonic() < end, "waited too long for " + what
        time.sleep(0.01)


# ---- reports


def test_json_has_exact_totals(server):
    client = server.client()
    work(client)
    status, out, err = keynome("top", url(server), "--once", "--json")
    assert (status, err) == (0, "")
    report = json.loads(out)
    assert out.count("\n") == 1
    found = rows(report)
    assert list(found)[-1] != "news" and set(found) == {"(unmatched)", "cart", "page", "queue", "stock"}
    page, cart = found["page"], found["cart"]
    counts = ("keys", "reads", "hits", "misses", "writes", "expired", "evicted", "purged", "violations")
    assert [page[name] for name in counts] == [3, 6, 4, 2, 3, 0, 0, 0, 0]
    assert [cart[name] for name in counts] == [4, 0, 0, 0, 5, 0, 0, 0, 1]
    assert page["hit-rate"] == pytest.approx(4 / 6, abs=1e-4) and cart["hit-rate"] is None
    assert (page["key"], page["catalog"], page["type"]) == ("shop:page:{id}", "shop", "string")
    assert found["(unmatched)"]["keys"] == 1 and found["(unmatched)"]["key"] is None
    bytes_of = {row["pattern"]: row["bytes"] for row in report["patterns"]}
    counted = client.do("CATALOG", "STATS")
    assert bytes_of == {entry[1].decode(): entry[9] for entry in counted}
    assert report["interval-s"] is None and page["per-second"] is None
    assert report["server"]["version"] and report["server"]["clients"] == 2


def test_json_rates_are_of_the_interval(server):
    client = server.client()
    work(client)
    running = subprocess.Popen([find(), "top", url(server), "--json", "--count", "1", "-d", "2"],
                               stdout=subprocess.PIPE, text=True)
    until(lambda: calls(client, "catalog|describe") == 1, "the first look")
    for _ in range(300):
        client.do("GET", "shop:page:1")
    for _ in range(100):
        client.do("GET", "shop:page:none")
    client.do("CATALOG", "PURGE", "queue")
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    report = json.loads(out)
    page = rows(report)["page"]
    seconds = report["interval-s"]
    assert 1.9 < seconds < 4
    assert page["per-second"]["reads"] * seconds == pytest.approx(400, abs=0.1)
    assert page["per-second"]["misses"] * seconds == pytest.approx(100, abs=0.1)
    assert page["per-second"]["hit-rate"] == 0.75
    assert page["operations-per-second"] == pytest.approx(400 / seconds, abs=0.1)
    assert rows(report)["queue"]["per-second"]["purged"] * seconds == pytest.approx(1, abs=0.1)
    assert rows(report)["queue"]["per-second"]["keys"] * seconds == pytest.approx(-1, abs=0.1)


def test_one_look_an_interval(server):
    """One CATALOG STATS and one INFO for each, besides the first."""
    client = server.client()
    status, out, _ = keynome("top", url(server), "--json", "-n", "3", "-d", "0.2")
    assert status == 0 and len([json.loads(line) for line in out.splitlines()]) == 3
    assert calls(client, "catalog|stats") == 4
    assert calls(client, "catalog|describe") == 1  # what types there are is asked once


def test_plain_text_sorts_and_filters(server):
    work(server.client())
    status, out, err = keynome("top", url(server), "--once")
    assert (status, err) == (0, "")
    head, titles, *lines = out.splitlines()
    assert "Keynome" in head and url(server) in head
    assert titles.split() == ["PATTERN", "OPS/S", "READS", "WRITES", "HIT%", "KEYS", "BYTES", "EXPIRED", "EVICTED",
                              "PURGED", "VIOLATIONS"]
    page = next(line for line in lines if line.startswith("shop:page:{id}")).split()
    assert page[2:6] == ["6", "3", "66.6", "3"] and page[7:] == ["0", "0", "0", "0"]

    def order(*options):
        _, text, _ = keynome("top", url(server), "--once", *options)
        return [line.split()[0] for line in text.splitlines()[2:]]

    assert order("--sort", "writes")[:3] == ["shop:queue:{name}", "shop:cart:{user}", "shop:page:{id}"]
    assert order("--sort", "pattern", "--names") == ["(unmatched)", "cart", "page", "queue", "stock"]
    assert order("-s", "pattern", "-t", "-r") == ["stock", "queue", "page", "cart", "(unmatched)"]
    assert order("-s", "keys", "--rows", "2") == ["shop:cart:{user}", "shop:page:{id}"]
    assert order("-f", "STO") == ["shop:stock:{isbn}"]
    assert order("-f", "list") == ["shop:queue:{name}"]


def test_mistakes_are_answered(server, tmp_path):
    for words, said in (
            (["--sort", "opps"], "did you mean 'ops'?"), (["--interval", "0"], "--interval wants seconds"),
            (["-d", "nan"], "--interval wants seconds"), (["-n", "0"], "--count wants a number"),
            (["--rows", "x"], "--rows wants a number"), (["--filter", "x" * 200], "a shorter text"),
            (["--once", "-n", "2"], "--once wants no --count"), (["--hits"], "no option --hits")):
        status, out, err = keynome("top", url(server), *words)
        assert (status, out) == (2, "") and said in err, err
    status, out, err = keynome("top", "--help")
    assert (status, err) == (0, "") and out.startswith("Usage: keynome top [URL]")
    assert "keynome top" in keynome("--help")[1]


def test_other_servers_are_told_apart(tmp_path):
    with Server(["--save", ""], binary="/usr/bin/redis-server") as other:
        status, out, err = keynome("top", f"127.0.0.1:{other.port}", "--once")
        assert (status, out) == (2, "") and "is Redis 7" in err and "not Keynome" in err
    with serve(tmp_path, None) as bare:
        status, out, err = keynome("top", url(bare), "--once")
        assert (status, out) == (2, "") and "no catalog" in err and "CATALOG LOAD" in err
    status, out, err = keynome("top", url(bare), "--once")
    assert (status, out) == (2, "") and bare.socket_path in err
    with serve(tmp_path, CATALOG, "--requirepass", "secret", password="secret") as closed:
        status, out, err = keynome("top", url(closed), "--once")
        assert (status, out) == (2, "") and "KEYNOME_PASSWORD" in err
        done = subprocess.run([find(), "top", url(closed), "--once", "--json"], stdout=subprocess.PIPE, check=True,
                              env=dict(os.environ, KEYNOME_PASSWORD="secret"))
        assert b"secret" not in done.stdout and json.loads(done.stdout)["patterns"]


def test_reports_end_when_the_server_does(server):
    running = subprocess.Popen([find(), "top", url(server), "-d", "0.1"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    client = server.client()
    until(lambda: calls(client, "catalog|stats") >= 3, "three looks")
    client.close()
    server.stop()
    out, err = running.communicate(timeout=30)
    assert running.returncode == 2 and out.count("PATTERN") >= 2 and server.socket_path in err


def test_reports_end_by_a_signal(server):
    running = subprocess.Popen([find(), "top", url(server), "-d", "3600"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    client = server.client()
    until(lambda: calls(client, "catalog|describe") >= 1, "the first look")
    running.terminate()
    _, err = running.communicate(timeout=10)
    assert (running.returncode, err) == (0, "")


# ---- the screen


def top(server, *words, **options):
    return Terminal([find(), "top", url(server), *words], **options)


def patterns(screen):
    """The first words of the table's lines."""
    lines = screen.split("\n")
    start = next((i for i, line in enumerate(lines) if re.match(r" ?\S?(PATTERN|NAME)\b", line)), None)
    if start is None:
        return []
    return [line.split()[0] for line in lines[start + 1:-1] if line.strip() and not line.startswith(" ?")]


def figures(screen, start):
    """The line of the table that begins so, by the titles of its columns; empty where there is none."""
    lines = screen.split("\n")
    titles = next((line for line in lines if " KEYS " in line), "")
    line = next((line for line in lines if line.startswith(" " + start)), None)
    if line is None:
        return {}
    line = line.ljust(len(titles))
    return {title[0]: (line[title.start():].split() if title[0] in ("TYPE", "NAME") else line[:title.end()].split()[-1:])
            for title in re.finditer(r"[A-Z%/]+", titles)}


def figure(screen, start, title):
    return figures(screen, start).get(title, [None])[0]


def settled(terminal, *wanted):
    return terminal.wait(lambda screen: patterns(screen)[:len(wanted)] == list(wanted))


def test_screen_shows_figures(server):
    client = server.client()
    with top(server, "-d", "0.2") as terminal:
        screen = terminal.wait("PATTERN")
        assert "keynome top  " + url(server)[:20] in screen and "Keynome 0." in screen and "per second" in screen
        work(client)
        screen = terminal.wait(lambda text: figure(text, "shop:page", "KEYS") == "3")
        assert figure(screen, "shop:cart", "KEYS") == "4" and figure(screen, "shop:cart", "VIOL") == "1"
        assert "1 violation" in screen
        terminal.press("c")
        screen = terminal.wait("counted since the start")
        for pattern, wanted in (("shop:page", ["9", "6", "3", "66.6", "3"]), ("shop:queue", ["10", "0", "10", "-", "1"])):
            assert [figure(screen, pattern, title) for title in ("OPS", "READ", "WRITE", "HIT%", "KEYS")] == wanted
        terminal.press("q")
        assert terminal.exit_status() == 0


def test_screen_sorts_and_filters(server):
    work(server.client())
    with top(server, "--sort", "writes", "--totals") as terminal:
        settled(terminal, "shop:queue:{name}", "shop:cart:{user}", "shop:page:{id}")
        terminal.press("i")
        terminal.wait(lambda text: patterns(text)[-1:] == ["shop:queue:{name}"])
        terminal.press("N")
        settled(terminal, "(unmatched)", "shop:cart:{user}", "shop:page:{id}", "shop:queue:{name}")
        terminal.press("N")
        settled(terminal, "shop:stock:{isbn}", "shop:queue:{name}")
        terminal.press("K")
        settled(terminal, "shop:cart:{user}", "shop:page:{id}")
        terminal.press("<")
        settled(terminal, "shop:page:{id}")  # the only one with a hit rate
        terminal.press("t", "N")
        settled(terminal, "(unmatched)", "cart", "page", "queue", "stock")
        terminal.press("/")
        os.write(terminal.master, b"\xff\xfe\xff")  # nothing that a keyboard sends
        time.sleep(0.2)
        terminal.type("shop:pax")
        terminal.wait("No pattern has this in it")
        terminal.press("Backspace")
        settled(terminal, "page")
        terminal.press("Enter")
        screen = terminal.wait("1 of 5 patterns with shop:pa")
        assert patterns(screen) == ["page"]
        terminal.press("Escape")
        terminal.wait(lambda text: len(patterns(text)) == 5)


def test_screen_shows_one_pattern(server):
    client = server.client()
    work(client)
    client.do("LPUSH", "shop:stock:9", "no list")
    with top(server, "--sort", "pattern", lines=40) as terminal:
        settled(terminal, "(unmatched)", "shop:cart:{user}")
        terminal.press("Down", "Enter")
        screen = terminal.wait("Last violations")
        for text in ("shop:cart:{user}   shop/cart", "What a visitor put into the cart", "hash", "lifetime 2d",
                     "eviction never", "mode observe", "elements at most 3", "items json", "owner checkout team",
                     "keys 4", "format", "hset", "shop:cart:3", "noted"):
            assert text in screen, text
        assert re.search(r"In all +5 +0 +- +5 +0 +0 +0 +1", screen)
        terminal.press("Escape")
        settled(terminal, "(unmatched)")
        terminal.press("Down", "Enter")
        screen = terminal.wait("mode enforce")
        assert "lifetime 5m, at most 10m, required" in screen and "eviction cache" in screen
        terminal.press("Escape", "Home", "Enter")
        terminal.wait("Keys that match no pattern")
        terminal.press("Escape", "End", "Enter")
        screen = terminal.wait(lambda text: "shop:stock:{isbn}   shop/stock" in text and "type" in text)
        assert "lpush" in screen and "shop:stock:9" in screen
        terminal.press("?")
        screen = terminal.wait("What can be pressed")
        assert "red when new" in screen and "…" not in "".join(screen.split("\n")[5:])  # it fits into 80 columns
        terminal.press("Escape")
        terminal.wait("shop/stock")
        client.do("CATALOG", "UNLOAD", "shop")
        terminal.wait(" 1 pattern ")  # the keys of no pattern


def test_screen_shows_how_keys_are_spread(server):
    """The census walks the keyspace in its own time."""
    work(server.client())
    with top(server, "--sort", "pattern", "-d", "0.2", lines=50) as terminal:
        settled(terminal, "(unmatched)")
        terminal.press("Down", "Down", "Down", "Enter")
        screen = terminal.wait(lambda text: re.search(r"Elements of a key", text), limit_s=60)
        assert re.search(r"≤ 15 +1 █+", screen), screen  # one list of ten


def test_screen_follows_the_windows_size(server):
    work(server.client())
    with top(server) as terminal:
        screen = terminal.wait("PATTERN")
        assert " NAME" not in screen
        terminal.resize(160, 50)
        screen = terminal.wait("NAME")
        assert figure(screen, "shop:cart", "NAME") == "cart" and figure(screen, "shop:cart", "TYPE") == "hash"
        terminal.resize(40, 8)
        screen = terminal.wait(lambda text: max(map(len, text.split("\n"))) <= 40 and "OPS/S" in text)
        assert len(patterns(screen)) == 2
        for columns, lines in ((20, 3), (1, 1), (300, 80), (80, 24)):
            terminal.resize(columns, lines)
        terminal.wait(lambda text: len(patterns(text)) == 5)
        terminal.press("q")
        assert terminal.exit_status() == 0


def test_screen_scrolls_long_tables(tmp_path):
    catalog = "keynome: 1\nname: many\npatterns:\n" + "".join(
        f'  - {{key: "k{number:03}:{{id}}", name: k{number:03}}}\n' for number in range(165))
    with serve(tmp_path, catalog) as server, top(server, "-s", "pattern") as terminal:
        settled(terminal, "(unmatched)", "k000:{id}")
        terminal.press("PageDown")
        terminal.wait(lambda text: "k017:{id}" in patterns(text))
        terminal.press("G")
        terminal.wait(lambda text: patterns(text)[-1:] == ["k164:{id}"])
        terminal.press("Up", "Enter")
        terminal.wait("many/k163")
        terminal.press("Escape", "g")
        settled(terminal, "(unmatched)", "k000:{id}")


def test_screen_pauses(server):
    client = server.client()
    with top(server, "-d", "0.1") as terminal:
        terminal.wait("PATTERN")
        terminal.press("p")
        terminal.wait("PAUSED")
        until(lambda: not work_in_flight(client), "the last look")
        before = calls(client, "catalog|stats")
        time.sleep(0.5)
        assert calls(client, "catalog|stats") == before
        terminal.press("Space")
        terminal.gone("PAUSED")
        until(lambda: calls(client, "catalog|stats") > before + 2, "more looks")
        terminal.press("+")
        terminal.wait("every 0.2 s")
        terminal.press("+", "+", "+", "-")
        terminal.wait("every 1 s")


def work_in_flight(client):
    """Whether looks still go on: two counts a little apart differ."""
    first = calls(client, "catalog|stats")
    time.sleep(0.25)
    return calls(client, "catalog|stats") != first


def test_screen_comes_back_with_the_server(server):
    work(server.client())
    with top(server, "-d", "0.2") as terminal:
        terminal.wait(lambda text: figure(text, "shop:cart", "KEYS") == "4")
        server.stop()
        screen = terminal.wait("NO ANSWER")
        assert figure(screen, "shop:cart", "KEYS") == "4" and "trying again" in screen  # the last that was known
        server.start()
        terminal.gone("NO ANSWER")
        terminal.wait(lambda text: figure(text, "shop:cart", "KEYS") == "0")
        server.stop()
        server.args = server.args[:server.args.index("--catalog")]
        server.start()
        terminal.wait(lambda text: "NO FIGURES" in text and "has no catalog" in text)
        terminal.press("q")
        assert terminal.exit_status() == 0


def test_screen_ends_at_once_while_the_server_is_gone(server):
    with top(server, "-d", "0.2") as terminal:
        terminal.wait("PATTERN")
        server.stop()
        terminal.wait("NO ANSWER")
        began = time.monotonic()
        terminal.press("q")
        assert terminal.exit_status() == 0
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_screen_ends_by_a_signal(server, number):
    with top(server, "-d", "3600") as terminal:
        terminal.wait("Quit")
        terminal.process.send_signal(number)
        assert terminal.exit_status() == 0
        assert b"\x1b[?25h" in terminal.sent[-100:]  # the cursor is back


def test_screen_ends_with_its_terminal(server):
    with top(server, "-d", "3600") as terminal:
        terminal.wait("Quit")
        os.close(terminal.master)
        terminal.master = os.open(os.devnull, os.O_RDWR)
        assert terminal.process.wait(timeout=10) == 0


def test_screen_says_what_is_missing(tmp_path):
    with serve(tmp_path, None) as bare, top(bare, columns=200) as terminal:
        assert terminal.exit_status() == 2
        assert "has no catalog" in terminal.screen().replace("\n", "")
    # ncurses gives nothing back when it knows no such terminal.
    with serve(tmp_path) as server, top(server, TERM="no-such-terminal", ASAN_OPTIONS="detect_leaks=0") as terminal:
        assert terminal.exit_status() == 2
        assert "--plain" in terminal.screen().replace("\n", "")


def test_screen_sleeps_between_looks(server):
    with top(server, "-d", "1") as terminal:
        terminal.wait("PATTERN")
        fields = pathlib.Path(f"/proc/{terminal.process.pid}/stat")

        def ticks():
            return sum(map(int, fields.read_text().rsplit(")", 1)[1].split()[11:13]))
        before = ticks()
        time.sleep(3)
        assert (ticks() - before) / os.sysconf("SC_CLK_TCK") < 0.3


@pytest.mark.parametrize("utf8", [True, False])
def test_names_of_any_bytes_are_harmless(tmp_path, utf8):
    with serve(tmp_path, HOSTILE) as server, \
            top(server, "-s", "pattern", columns=120, utf8=utf8) as terminal:
        shown = r"bad\u202e\u200b:{id}" if utf8 else r"bad\xe2\x80\xae\xe2\x80\x8b:{id}"
        screen = terminal.wait(shown)
        assert ("café:库存:{id}" if utf8 else r"caf\xc3\xa9") in screen
        client = server.client()
        client.do("SET", "bad\u202e\u200b:".encode() + b"\x1b[2J\x07\xff\\", "1")  # no list: noted
        terminal.press("Down", "Enter")
        terminal.wait("hostile/evil")
        screen = terminal.wait(r"\x1b[2J\x07\xff" + 2 * "\\")
        assert (r"clear\u009b2Jed\u2066" if utf8 else r"clear\xc2\x9b2Jed") in screen and shown[:-4] in screen
        _, out, _ = keynome("top", url(server), "--once")
        assert "\u202e" not in out and r"bad\u202e\u200b:{id}" in out and "café:库存:{id}" in out
        assert {"evil", "stock"} < set(rows(json.loads(keynome("top", url(server), "--once", "--json")[1])))


def test_colours_only_where_they_are_wanted(server):
    work(server.client())

    def colours(**environment):
        with top(server, "--totals", **environment) as terminal:
            terminal.wait(lambda screen: "66.6" in screen and "Quit" in screen)
            looks = terminal.looks()
            assert any(reverse or ground != "default" for _, _, ground, _, reverse in looks)  # the selected line
            return {colour for _, text, ground, _, _ in looks for colour in (text, ground)} - {"default"}

    assert {"brown", "green", "cyan"} <= colours()  # pyte says brown to yellow: a hit rate that is not good
    assert colours(NO_COLOR="1") == set()
    assert colours(TERM="vt100") == set()
