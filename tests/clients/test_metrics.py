# SPDX-License-Identifier: BSD-3-Clause
"""The metrics port: real HTTP, a strict reader of Prometheus's format, and what may go wrong."""

import contextlib
import http.client
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
import redis

from conftest import until
from server import Server, ServerFailed, default_binary, free_port

CATALOG = """\
keynome: 1
name: shop
mode: observe
patterns:
  - {name: queue, key: "shop:queue:{name}", type: list}
  - {name: cache, key: "shop:cache:{kind}:{id}", type: string, lifetime: 5m}
  - {name: session, key: "shop:session:{id}", type: hash}
  - {name: news, channel: "shop:news:{topic}"}
"""
COUNTS = ('hits', 'misses', 'writes', 'expired', 'evicted', 'purged', 'violations')


# ---- reading the format: strict, so that what is sloppy fails here ----

NAME = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|\})')
VALUE = re.compile(r'[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[+-]Inf|NaN')


def unescape(text):
    return re.sub(r'\\(.)', lambda found: '\n' if found[1] == 'n' else found[1], text)


def read_sample(line):
    name = NAME.match(line)
    assert name, line
    at, labels = name.end(), {}
    if line[at] == '{':
        at += 1
        while True:
            label = LABEL.match(line, at)
            assert label, line
            assert label[1] not in labels, line
            labels[label[1]] = unescape(label[2])
            at = label.end()
            if label[3] == '}':
                break
    assert line[at] == ' ', line
    assert VALUE.fullmatch(line[at + 1:]), line
    return name[0], labels, float(line[at + 1:])


def read_exposition(text):
    """{family: {labels as a sorted tuple: value}}; every family has HELP, TYPE, and its samples behind."""
    assert text.endswith('\n')
    families, kinds, family = {}, {}, None
    for line in text[:-1].split('\n'):
        if line.startswith('# HELP '):
            _, _, family, words = line.split(' ', 3)
            assert NAME.fullmatch(family) and family not in families and words.strip() == words
            families[family] = {}
        elif line.startswith('# TYPE '):
            _, _, name, kind = line.split(' ')
            assert name == family and name not in kinds and not families[name]
            assert kind in ('counter', 'gauge')
            assert (kind == 'counter') == name.endswith('_total'), name
            kinds[name] = kind
        else:
            name, labels, value = read_sample(line)
            key = tuple(sorted(labels.items()))
            assert name == family and name in kinds and key not in families[name], line
            assert name.startswith('keynome_')
            assert value >= 0, line
            families[name][key] = value
    assert set(kinds) == set(families)
    return families


def test_the_reader_is_strict():
    good = '# HELP a_total b c\n# TYPE a_total counter\n'
    for bad in ('keynome_x 1', good + 'a_total{x="1"} 1\n', '# TYPE a gauge\n',
                good.replace('a_', 'keynome_') + 'keynome_total{x="a"b"} 1\n',
                good.replace('a_', 'keynome_') + 'keynome_total 1\nkeynome_total 1\n'):
        with pytest.raises((AssertionError, KeyError)):
            read_exposition(bad)
    read_exposition(good.replace('a_', 'keynome_') + 'keynome_total{x="a\\"b\\\\"} 1e-05\n')


# ---- servers with a metrics port ----

def fetch(port, path='/metrics', method='GET', data=None, host='127.0.0.1'):
    host = '[%s]' % host if ':' in host else host
    request = urllib.request.Request('http://%s:%d%s' % (host, port, path), method=method, data=data)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.status, reply.headers, reply.read().decode()


def scrape(port):
    status, headers, text = fetch(port)
    assert status == 200
    assert headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8'
    return read_exposition(text)


def single(families, name, **labels):
    return families[name][tuple(sorted(labels.items()))]


@pytest.fixture
def metered(start):
    """metered(*directives): a server and its metrics port."""
    def start_one(*args, **options):
        for attempt in range(5):
            port = free_port()
            try:
                return start('--metrics-port', port, *args, **options), port
            except ServerFailed:
                if attempt == 4:
                    raise
    return start_one


def connect(server, **options):
    return redis.Redis(port=server.port, **{'decode_responses': True, **options})


def write_catalog(folder, text=CATALOG, name='shop.yaml'):
    path = folder / name
    path.write_text(text)
    return str(path)


def as_dict(pairs):
    return pairs if isinstance(pairs, dict) else dict(zip(pairs[::2], pairs[1::2]))


def pattern_stats(client):
    return {(each['catalog'], each['pattern']): each
            for each in map(as_dict, client.execute_command('CATALOG', 'STATS'))}


def work(client, rng, steps=400):
    names = ([f'shop:queue:{i}' for i in range(5)] + [f'shop:cache:k:{i}' for i in range(20)] +
             [f'shop:session:{i}' for i in range(9)] + [f'other:{i}' for i in range(9)])
    for _ in range(steps):
        key = rng.choice(names)
        with contextlib.suppress(redis.ResponseError):
            rng.choice([
                lambda: client.set(key, 'x' * rng.randrange(300)),
                lambda: client.set(key, 1, px=rng.choice([1, 100000])),
                lambda: client.rpush(key, *range(rng.randrange(1, 9))),
                lambda: client.hset(key, rng.randrange(9), 'v'),
                lambda: client.get(key),
                lambda: client.delete(key),
            ])()


# ---- values ----

def test_patterns_agree_with_catalog_stats(metered, tmp_path):
    server, port = metered('--catalog', write_catalog(tmp_path))
    client = connect(server)
    work(client, random.Random(3))
    client.execute_command('CATALOG', 'PURGE', 'queue')
    until(lambda: single(scrape(port), 'keynome_catalog_settling') == 0, 'the census')
    # What is due now expires before the comparison, and not during it.
    time.sleep(0.3)
    until(lambda: client.dbsize() == len(client.keys('*')), 'the sweep')
    families, stats = scrape(port), pattern_stats(client)
    assert set(stats) == {('shop', 'queue'), ('shop', 'cache'), ('shop', 'session'),
                          ('', '(unmatched)')}
    for (catalog, pattern), counted in stats.items():
        for word in ('keys', 'bytes'):
            value = single(families, 'keynome_pattern_' + word, catalog=catalog, pattern=pattern)
            assert value == counted[word], (pattern, word)
        for word in COUNTS:
            value = single(families, 'keynome_pattern_%s_total' % word, catalog=catalog,
                           pattern=pattern)
            assert value == counted[word], (pattern, word)
    assert single(families, 'keynome_pattern_purged_total', catalog='shop', pattern='queue') > 0
    assert single(families, 'keynome_pattern_violations_total', catalog='shop', pattern='cache') > 0
    assert single(families, 'keynome_catalogs_loaded') == 1
    assert single(families, 'keynome_catalog_patterns') == 3
    assert single(families, 'keynome_catalog_channels') == 1


def test_operations_per_second(metered, tmp_path):
    server, port = metered('--catalog', write_catalog(tmp_path))
    client = connect(server)

    def busy():
        for _ in range(50):
            client.get('shop:cache:a:b')
        return single(scrape(port), 'keynome_pattern_operations_per_second', catalog='shop',
                      pattern='cache') > 10
    until(busy, 'a rate')
    assert single(scrape(port), 'keynome_pattern_operations_per_second', catalog='shop',
                  pattern='queue') == 0


def test_info_catalog_agrees_too(metered, tmp_path):
    server, port = metered('--catalog', write_catalog(tmp_path))
    client = connect(server)
    assert 'catalogs_loaded' not in client.info()
    for section in ('catalog', 'all', 'everything'):
        assert client.info(section)['catalogs_loaded'] == 1
    work(client, random.Random(4))
    time.sleep(0.3)
    until(lambda: client.dbsize() == len(client.keys('*')), 'the sweep')
    info, stats = client.info('catalog'), pattern_stats(client)
    for name in ('queue', 'cache', 'session'):
        expected = {word: stats['shop', name][word] for word in ('keys', 'bytes') + COUNTS}
        assert info['pattern_' + name] == expected
    assert [field for field in info if field.startswith('pattern_')] == [
        'pattern_queue', 'pattern_cache', 'pattern_session']
    assert info['catalog_patterns'] == 3 and info['catalog_channels'] == 1
    assert info['catalog_unmatched_keys'] == stats['', '(unmatched)']['keys'] > 0
    assert info['catalog_unmatched_bytes'] == stats['', '(unmatched)']['bytes']
    assert info['catalog_violations'] == sum(each['violations'] for each in stats.values()) > 0
    assert info['catalog_violations'] == sum(
        scrape(port)['keynome_pattern_violations_total'].values())
    # Inside a transaction every shard is held.
    pipe = client.pipeline(transaction=True)
    pipe.info('catalog')
    assert pipe.execute()[0]['pattern_queue'] == info['pattern_queue']


def test_a_purge_can_be_watched(metered, tmp_path):
    server, port = metered('--catalog', write_catalog(tmp_path))
    client = connect(server)
    pipe = client.pipeline(transaction=False)
    for i in range(20000):
        pipe.set(f'shop:cache:a:{i}', 'x' * 100)
    pipe.execute()
    client.execute_command('CATALOG', 'PURGE', 'cache')
    info, families = client.info('catalog'), scrape(port)
    assert info['pattern_cache']['keys'] == 0
    assert info['catalog_settling'] == 1 and 0 < info['catalog_keys_to_purge'] <= 20000
    assert single(families, 'keynome_pattern_keys', catalog='shop', pattern='cache') == 0
    until(lambda: client.info('catalog')['catalog_settling'] == 0, 'the census', 15)
    info = client.info('catalog')
    assert info['catalog_keys_to_purge'] == 0 and info['pattern_cache']['purged'] == 20000


def test_server_metrics(metered):
    server, port = metered('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    client, other = connect(server), connect(server, db=3)
    before = scrape(port)
    client.set('a', 1)
    client.set('b', 1, ex=1000)
    client.get('a')
    client.get('missing')
    other.set('c', 'x' * 1000)
    client.set('short', 1, px=1)
    until(lambda: not client.exists('short'), 'the end of a lifetime')
    with pytest.raises(redis.ResponseError):
        client.lpush('a', 1)
    families = scrape(port)
    info = client.info('all')
    assert families['keynome_db_keys'] == {(('db', 'db0'),): 2, (('db', 'db3'),): 1}
    assert families['keynome_db_keys_expiring'] == {(('db', 'db0'),): 1, (('db', 'db3'),): 0}
    assert 900 < single(families, 'keynome_db_avg_ttl_seconds', db='db0') <= 1000
    assert single(families, 'keynome_commands_total', cmd='set') == 4
    assert single(families, 'keynome_commands_failed_calls_total', cmd='lpush') == 1
    assert single(families, 'keynome_commands_duration_seconds_total', cmd='set') > 0
    assert single(families, 'keynome_errors_total', err='WRONGTYPE') == 1
    assert single(families, 'keynome_expired_keys_total') == 1
    assert single(families, 'keynome_keyspace_hits_total') == info['keyspace_hits'] > 0
    assert single(families, 'keynome_keyspace_misses_total') == info['keyspace_misses'] > 0
    assert single(families, 'keynome_connected_clients') == info['connected_clients'] >= 2
    assert single(families, 'keynome_config_maxclients') == info['maxclients']
    assert single(families, 'keynome_memory_max_bytes') == 100 << 20
    assert 0 < single(families, 'keynome_memory_used_bytes') <= single(
        families, 'keynome_memory_used_peak_bytes')
    assert single(families, 'keynome_memory_used_rss_bytes') > 1 << 20
    assert single(families, 'keynome_threads') == server_threads(info)
    assert abs(single(families, 'keynome_start_time_seconds') - time.time()) < 300
    for name in ('commands_processed', 'net_input_bytes', 'net_output_bytes', 'connections_received'):
        name = 'keynome_%s_total' % name
        assert single(families, name) >= single(before, name) + (3 if 'connec' not in name else 0)
    (labels,) = families['keynome_instance_info']
    assert dict(labels)['redis_version'] == info['redis_version']
    assert dict(labels)['maxmemory_policy'] == 'allkeys-lru'
    # No catalog was ever loaded: its families are there, and empty.
    assert families['keynome_pattern_keys'] == {}
    assert single(families, 'keynome_catalogs_loaded') == 0
    assert client.info('catalog')['catalog_patterns'] == 0


def server_threads(info):
    return info['threads']


def test_evictions(metered):
    server, port = metered('--maxmemory', '12mb', '--maxmemory-policy', 'allkeys-random')
    client = connect(server)
    pipe = client.pipeline(transaction=False)
    for i in range(40):
        pipe.set(i, 'x' * 500000)
    pipe.execute()
    evicted = single(scrape(port), 'keynome_evicted_keys_total')
    assert evicted == client.info('stats')['evicted_keys'] > 0


def test_many_databases(metered):
    server, port = metered('--databases', 100)
    for db in (0, 15, 16, 17, 99):
        connect(server, db=db).set('k', 1)
    assert {dict(key)['db'] for key in scrape(port)['keynome_db_keys']} == {
        'db0', 'db15', 'db16', 'db17', 'db99'}


# ---- labels ----

def test_names_that_need_escaping(metered, tmp_path):
    hostile = write_catalog(tmp_path, 'keynome: 1\nname: "a\\"b\\\\c d:é"\npatterns:\n'
                                      '  - {name: twin, key: "h:{x}"}\n', 'hostile.yaml')
    plain = write_catalog(tmp_path, 'keynome: 1\nname: plain\npatterns:\n'
                                    '  - {name: twin, key: "p:{x}"}\n', 'plain.yaml')
    server, port = metered('--catalog', hostile, plain)
    client = connect(server)
    client.mset({'h:1': 1, 'h:2': 1, 'p:1': 1})
    families = scrape(port)
    assert single(families, 'keynome_pattern_keys', catalog='a"b\\c d:é', pattern='twin') == 2
    assert single(families, 'keynome_pattern_keys', catalog='plain', pattern='twin') == 1
    # INFO keeps two patterns of one name apart by their catalogs, and its own grammar whole.
    info = client.info('catalog')
    assert info['pattern_plain/twin']['keys'] == 1
    assert info['pattern_a"b\\c_d_é/twin']['keys'] == 2
    client.execute_command('CATALOG', 'UNLOAD', 'plain')
    assert client.info('catalog')['pattern_twin']['keys'] == 2


def test_clients_cannot_add_samples(metered, tmp_path):
    server, port = metered('--catalog', write_catalog(tmp_path))
    client = connect(server)
    client.get('x')
    with contextlib.suppress(redis.ResponseError):
        client.execute_command('NOSUCH0')
    count = sum(map(len, scrape(port).values()))
    for i in range(500):
        client.get(f'shop:cache:{i}:{i}')
        client.get(f'unknown{i}')
        with contextlib.suppress(redis.ResponseError):
            client.execute_command(f'NOSUCH{i}', i)
    assert sum(map(len, scrape(port).values())) == count


# ---- HTTP ----

def refused(*args, **options):
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(*args, **options)
    return caught.value


def test_pages(metered):
    _, port = metered()
    assert fetch(port, '/healthz')[0::2] == (200, 'ok\n')
    assert fetch(port, '/metrics?name[]=x')[0] == 200
    for path in ('/', '/metrics/', '/metricsx', '/healthz/../metrics', '/%00', '//metrics', '/a' * 1000):
        assert refused(port, path).code == 404, path
    for path in ('/metrics', '/healthz'):
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'BREW'):
            error = refused(port, path, method=method)
            assert (error.code, error.headers['Allow']) == (405, 'GET, HEAD')
        status, headers, text = fetch(port, path, method='HEAD')
        assert status == 200 and text == '' and int(headers['Content-Length']) > 0
    assert refused(port, '/metrics', method='GET', data=b'x').code == 413


def raw(port, data):
    """What comes back for these bytes."""
    with socket.create_connection(('127.0.0.1', port), timeout=30) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(data)
        received = b''
        with contextlib.suppress(ConnectionError):
            while True:
                more = sock.recv(65536)
                if not more:
                    break
                received += more
        return received


def test_hostile_requests(metered):
    server, port = metered()
    for data in (b'GET\r\n\r\n', b'\r\n' * 100 + b'x\r\n\r\n', b'\x00' * 100 + b'\r\n\r\n',
                 b'GET /metrics HTTP/9.9\r\n\r\n', b'GET /metrics HTTP/1.1\r\n\r\n',
                 b'PING\r\n\r\n', b'*1\r\n$4\r\nPING\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00',
                 b'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
                 b'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
                 b'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\n' + b'y' * 99999,
                 b'GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
                 b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
                 b'GET /healthz HTTP/1.1\r\nHost: x\r\n' + b'A: b\r\n' * 20000 + b'\r\n',
                 random.Random(5).randbytes(5000) + b'\r\n\r\n'):
        with socket.create_connection(('127.0.0.1', port), timeout=30) as sock:
            with contextlib.suppress(OSError):  # it may have been closed already
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                reply = sock.recv(100)
                assert reply == b'' or not reply.startswith(b'HTTP/1.1 200'), data[:60]
        assert fetch(port, '/healthz')[0] == 200
    assert raw(port, b'GET /healthz HTTP/1.0\r\n\r\n').startswith(b'HTTP/1.1 200')
    server.check()


def test_one_connection_for_many_requests(metered):
    _, port = metered()
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    connection.connect()
    first = connection.sock
    for path in ('/metrics', '/healthz') * 20:
        connection.request('GET', path)
        reply = connection.getresponse()
        assert reply.status == 200 and reply.read()
    assert connection.sock is first
    connection.close()


def test_connections_are_bounded(metered):
    """Those who hold connections open get no more than there are, and clients notice nothing."""
    server, port = metered()
    client = connect(server)
    held = []
    for _ in range(90):  # what is not accepted waits in the backlog
        sock = socket.create_connection(('127.0.0.1', port), timeout=30)
        with contextlib.suppress(ConnectionError):
            sock.sendall(b'GET /metr')
        held.append(sock)
    files = os.listdir('/proc/%d/fd' % server.pid)
    assert 32 < len(files) < 80
    assert client.ping()
    for sock in held:
        sock.close()
    until(lambda: fetch(port, '/healthz')[0] == 200, 'a place')


def test_who_does_not_read_holds_nobody_up(metered, tmp_path):
    text = 'keynome: 1\nname: big\npatterns:\n' + ''.join(
        f'  - {{name: pattern-number-{i}, key: "p{i}:{{x}}"}}\n' for i in range(4000))
    server, port = metered('--catalog', write_catalog(tmp_path, text))
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            sock = stack.enter_context(socket.create_connection(('127.0.0.1', port)))
            sock.sendall(b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
        families = scrape(port)
    assert len(families['keynome_pattern_keys']) == 4001
    assert len([f for f in connect(server).info('catalog') if f.startswith('pattern_')]) == 4000


def test_addresses(metered):
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('no IPv6 here')
    server, port = metered('--metrics-bind', '::1')
    assert fetch(port, '/healthz', host='::1')[0] == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port))
    assert 'http://[::1]:%d/metrics' % port in server.log()


# ---- starting and ending ----

def try_start(*args):
    words = [default_binary(), '--port', str(free_port()), '--bind', '127.0.0.1', '--save', '']
    return subprocess.run(words + [str(arg) for arg in args], capture_output=True, text=True,
                          timeout=30, check=False)


def test_a_port_in_use_is_said():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        ended = try_start('--metrics-port', port)
    assert ended.returncode == 1
    assert 'Could not listen for metrics on 127.0.0.1:%d: Address already in use' % port in (
        ended.stdout + ended.stderr)


@pytest.mark.parametrize('address', ['999.1.1.1', 'no such host', '192.0.2.1', ''])
def test_an_address_that_is_none_is_said(address):
    ended = try_start('--metrics-port', free_port(), '--metrics-bind', address)
    assert ended.returncode == 1
    assert 'Could not listen for metrics on ' + address in ended.stdout + ended.stderr


@pytest.mark.parametrize('port', ['-1', '65536', 'http'])
def test_a_port_that_is_none_is_said(port):
    ended = try_start('--metrics-port', port)
    assert ended.returncode == 1 and 'metrics-port' in ended.stdout + ended.stderr


def test_off_unless_asked_for(db):
    assert db.config_get('metrics-*') == {'metrics-port': '0', 'metrics-bind': '127.0.0.1'}
    with pytest.raises(redis.ResponseError, match="can't set immutable config"):
        db.config_set('metrics-port', 1)


def test_a_worker_that_does_not_come(metered):
    """While a script holds every shard for long, there is no page; afterwards there is."""
    server, port = metered('--lua-time-limit', 0)
    script = ("local function now() local t = redis.call('TIME') return t[1] + t[2] / 1000000 end "
              "redis.call('get', 'undeclared') local start = now() while now() < start + 8 do end return 1")
    runner = threading.Thread(target=lambda: connect(server).eval(script, 0))
    runner.start()
    until(lambda: refused_or_none(port) == 503, 'a refusal', 30)
    assert fetch(port, '/healthz')[0] == 200
    runner.join()
    assert single(scrape(port), 'keynome_commands_total', cmd='eval') == 1


def refused_or_none(port):
    try:
        fetch(port)
    except urllib.error.HTTPError as error:
        return error.code
    return None


def test_scrapes_beside_everything_else(metered, tmp_path):
    """Pages are whole while keys, catalogs and purges go on; and the server ends well in the midst of it."""
    path = write_catalog(tmp_path)
    server, port = metered('--catalog', path)
    stop, failures, pages = threading.Event(), [], []

    def repeat(action):
        def run():
            try:
                while not stop.is_set():
                    action()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        return threading.Thread(target=run)

    def change_catalogs(client=connect(server)):
        client.execute_command('CATALOG', 'LOAD', path)
        client.execute_command('CATALOG', 'PURGE', 'cache')
        client.execute_command('CATALOG', 'UNLOAD', 'shop')
        client.info('catalog')

    def look(client=connect(server)):
        client.info('everything')
        client.config_resetstat()

    seeds = iter(range(100))
    threads = ([repeat(lambda: pages.append(scrape(port))) for _ in range(3)] +
               [repeat(lambda c=connect(server), r=random.Random(next(seeds)): work(c, r, 50))
                for _ in range(3)] +
               [repeat(change_catalogs), repeat(look)])
    for thread in threads:
        thread.start()
    time.sleep(3)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(pages) > 10
    for page in pages:
        assert len(page['keynome_pattern_keys']) in (1, 4)
        assert {len(page[name]) for name in page if name.startswith('keynome_pattern_')} == {
            len(page['keynome_pattern_keys'])}


def test_ending_while_pages_are_asked_for(metered):
    server, port = metered()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException, urllib.error.URLError):
                fetch(port)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: single(scrape(port), 'keynome_uptime_in_seconds') >= 0, 'a page')
    server.stop()
    stop.set()
    for thread in threads:
        thread.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port))


def test_the_port_is_free_again_at_once(metered):
    server, port = metered()
    scrape(port)
    server.stop()
    with Server(['--save', '', '--metrics-port', port]) as again:
        assert scrape(port)
        again.check()
