# SPDX-License-Identifier: BSD-3-Clause
"""keynome audit where names and servers mean no good: keys of any bytes, pages, and answers without sense."""

import base64
import hashlib
import html.parser
import json
import re

import pytest
import redis

from auditing import CATALOG, Actor, audit, audit_json, finding, page, pattern, program, usual
from server import Server

HOSTILE = [
    b'<script>alert(1)</script>', b'shop:cart:<script>alert(2)</script>', b'</script><script>alert(3)//',
    b'"><img src=x onerror=alert(4)>:7', b"' onmouseover='alert(5)", b'shop:session:</td></table><h1>6',
    b'<!--<script>', b'&lt;b&gt;&amp;', b'shop:log:\x1b]0;title\x07\x1b[31m', b'\xe2\x80\xaegpj.exe:1',
    b'shop:cart:\xff\xfe\x00', b'', b':', b'::::', b'{' * 50, b'}' * 50, b'a' * 200000, b'x:' * 5000, b'\n', b'\\u003c',
    b']]>', b'--><b>', b'${7*7}', b'%s%n%s%n', b'javascript:alert(8)', b'shop:cache:\xf0\x9f\x98\x80',
]


@pytest.fixture(scope='module')
def catalog(tmp_path_factory):
    path = tmp_path_factory.mktemp('audit') / 'shop <b>"&.yaml'
    path.write_text(CATALOG.replace('name: shop', 'name: "shop <script>alert(9)</script>"'))
    return path


@pytest.fixture(scope='module')
def held():
    with Server(['--save', '']) as running:
        client = redis.Redis(port=running.port)
        for key in HOSTILE:
            client.set(key, 1)
        yield running


class Page(html.parser.HTMLParser):
    """Which elements and attributes there are, and what the scripts say."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts, self.text, self.policy, self.within = {}, [], [], [], None, ''
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [name for name, _ in attrs]
        if tag == 'script':
            self.scripts.append([dict(attrs), ''])
        if tag == 'meta' and dict(attrs).get('http-equiv') == 'Content-Security-Policy':
            self.policy = dict(attrs)['content']
        self.within = tag

    def handle_endtag(self, tag):
        self.within = ''

    def handle_data(self, data):
        if self.within == 'script':
            self.scripts[-1][1] += data
        else:
            self.text.append(data)


def test_page(held, catalog, tmp_path):
    out = tmp_path / 'page.html'
    status, _, err = audit(f'127.0.0.1:{held.port}/0', catalog, '--html', out, '--shapes', 1000)
    assert status == 1, err
    content = out.read_text(encoding='utf-8')
    seen = Page(content)
    # Three scripts: the data, the charts, ours; the last two are those that the policy names.
    assert [attrs.get('type') for attrs, _ in seen.scripts] == ['application/json', None, None]
    digests = ["'sha256-%s'" % base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
               for _, body in seen.scripts[1:]]
    assert "default-src 'none'" in seen.policy
    assert re.search(r'script-src (.*?)(;|$)', seen.policy).group(1).split() == digests
    assert set(seen.tags) <= {'html', 'head', 'meta', 'title', 'style', 'body', 'main', 'script', 'h1', 'h2', 'h3', 'p',
                              'div', 'b', 'i', 'span', 'small', 'code', 'pre', 'table', 'thead', 'tbody', 'tr', 'th', 'td',
                              'br', 'canvas', 'details', 'summary'}
    assert seen.tags['h1'] == 1 and seen.tags['script'] == 3
    assert set(seen.attributes) <= {'lang', 'charset', 'http-equiv', 'content', 'name', 'class', 'id', 'style', 'type',
                                    'data-sort', 'data-value'}
    text = ''.join(seen.text)
    for name in ('<script>alert(1)</script>', '"><img src=x onerror=alert(4)>', "' onmouseover='alert(5)",
                 'shop <script>alert(9)</script>', '\\u202egpj.exe', '\\x1b[31m'):
        assert name in text, name
    markup = content.split('<script type="application/json"')[0]
    assert '<script' not in markup and 'onerror=alert(4)>' not in markup and '\x1b' not in content
    data = json.loads(seen.scripts[0][1])
    assert {one['name'] for one in data['patterns']} >= {'(no pattern)', 'shop:cart:{user}'}
    # Nothing is fetched; attributes that would are not among those above.
    assert 'url(' not in markup and '@import' not in markup


def test_other_forms(held, catalog, tmp_path):
    yaml_file = tmp_path / 'made.yaml'
    status, out, _ = audit(f'127.0.0.1:{held.port}/0', catalog, '--yaml', yaml_file, '--shapes', 1000)
    assert status == 1
    assert not re.search(r'[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]', out)
    _, report = audit_json(f'127.0.0.1:{held.port}/0', catalog, '--shapes', 1000)
    assert report['keys'] == len(HOSTILE)
    assert sum(one['keys'] for one in report['shapes']) == report['unmatched']['keys']
    assert all(len(example) < 200 for one in report['shapes'] for example in one['examples'])
    status, _, err = program.keynome('catalog', 'match', yaml_file, 'javascript:alert(8)')
    assert status == 0, err


# ---- servers ----

def test_repeats_count_once(catalog):
    def answer(words):
        if words[0] != b'SCAN':
            return usual(words)
        pages = {b'0': page(b'5', [b'shop:idle:1', b'shop:idle:2']),
                 b'5': page(b'9', [b'shop:idle:2', b'shop:idle:1', b'shop:idle:3']),
                 b'9': page(b'0', [b'shop:idle:1', b'stray', b'stray'])}
        return pages[words[1]]

    with Actor(answer) as actor:
        _, report = audit_json(f'127.0.0.1:{actor.port}/0', catalog)
    assert (report['keys'], report['repeats'], report['complete']) == (4, 4, True)
    assert pattern(report, 'shop:idle:{id}')['bytes'] == {'value': 150, 'exact': True}
    assert report['unmatched']['keys'] == 1


def test_keys_that_vanish(catalog):
    def answer(words):
        if words[0] == b'SCAN':
            return page(b'0', [b'shop:cart:%d' % i for i in range(20)])
        if words[0] in (b'TYPE', b'PTTL', b'MEMORY') and int(words[-1].split(b':')[-1]) < 5:
            return {b'TYPE': b'+none\r\n', b'PTTL': b':-2\r\n', b'MEMORY': b'$-1\r\n'}[words[0]]
        return usual(words, b'hash')

    with Actor(answer) as actor:
        status, report = audit_json(f'127.0.0.1:{actor.port}/0', catalog)
    cart = pattern(report, 'shop:cart:{user}')
    assert cart['vanished'] == {'value': 5, 'exact': True} and cart['keys'] == 20
    assert cart['types'] == {'hash': {'value': 15, 'exact': True}}
    assert cart['bytes'] == {'value': 750, 'exact': True}
    assert status == 0


@pytest.mark.parametrize('reply', [
    b'+OK\r\n', b'*1\r\n$1\r\n0\r\n', b'*2\r\n$1\r\n0\r\n$1\r\nx\r\n', b'*2\r\n$3\r\nabc\r\n*0\r\n', b':7\r\n', b'$-1\r\n',
    b'*2\r\n$1\r\n0\r\n*1\r\n:7\r\n', b'*2\r\n$25\r\n1111111111111111111111111\r\n*0\r\n', b'*-1\r\n', b'junk\r\n',
    b'*2\r\n$1\r\n0\r\n*2147483647\r\n$1\r\nx\r\n', b'*2\r\n*0\r\n*0\r\n',
])
def test_nonsense(catalog, reply):
    def answer(words):
        return reply if words[0] == b'SCAN' else usual(words)

    with Actor(answer) as actor:
        status, out, err = audit(f'127.0.0.1:{actor.port}/0', catalog, '--timeout', 1)
    assert status == 2 and out == '' and err.startswith('keynome: ') and 'Sanitizer' not in err, err


def test_broken_off(catalog):
    pages = []

    def answer(words):
        if words[0] != b'SCAN':
            return usual(words)
        pages.append(1)
        return page(b'%d' % len(pages), [b'shop:idle:%d' % len(pages)]) if len(pages) < 4 else None

    with Actor(answer) as actor:
        status, report = audit_json(f'127.0.0.1:{actor.port}/0', catalog)
    assert status == 2 and report['keys'] == 3 and not report['complete']
    assert 'closed the connection' in report['stopped_by']


def test_a_cursor_that_stays(catalog):
    def answer(words):
        return page(b'7', []) if words[0] == b'SCAN' else usual(words)

    with Actor(answer) as actor:
        status, _, err = audit(f'127.0.0.1:{actor.port}/0', catalog)
    assert status == 2 and 'does not get ahead' in err


def test_answers_without_sense_to_questions(catalog):
    def answer(words):
        if words[0] == b'SCAN':
            return page(b'0', [b'shop:cart:%d' % i for i in range(300)])
        if words[0] == b'TYPE':
            return b'*1\r\n:3\r\n'
        if words[0] == b'PTTL':
            return b'$3\r\nabc\r\n'
        if words[0] == b'MEMORY':
            return b':-9223372036854775808\r\n'
        return usual(words)

    with Actor(answer) as actor:
        status, report = audit_json(f'127.0.0.1:{actor.port}/0', catalog)
    cart = pattern(report, 'shop:cart:{user}')
    assert status == 0 and cart['keys'] == 300 and cart['types'] == {'other': {'value': 300, 'exact': True}}
    assert finding(report, 'no-keys', 'shop.idle.id')


def test_silence(catalog):
    def answer(words):
        return b'' if words[0] == b'SCAN' else usual(words)

    with Actor(answer) as actor:
        status, _, err = audit(f'127.0.0.1:{actor.port}/0', catalog, '--timeout', 1)
    assert status == 2 and 'no answer within 1 s' in err
