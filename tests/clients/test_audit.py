# SPDX-License-Identifier: BSD-3-Clause
"""keynome audit against servers whose content is known: what it counts, and that it only reads."""

import json
import os
import signal
import subprocess
import time

import pytest
import redis
import yaml

from auditing import CATALOG, audit, audit_json, command, finding, pattern
from conftest import REFERENCE, until
from server import Server, free_port

READING = {'ping', 'client|setname', 'select', 'info', 'dbsize', 'scan', 'type', 'pttl', 'memory|usage',
           'strlen', 'llen', 'hlen', 'scard', 'zcard', 'xlen'}


@pytest.fixture(scope='module', params=['keynome', 'redis-server'])
def held(request):
    """A server of either kind, filled."""
    options = {'binary': REFERENCE} if request.param == 'redis-server' else {}
    with Server(['--save', ''], **options) as running:
        running.kind = request.param
        fill(redis.Redis(port=running.port))
        yield running


@pytest.fixture(scope='module')
def catalog(tmp_path_factory):
    path = tmp_path_factory.mktemp('audit') / 'shop.yaml'
    path.write_text(CATALOG)
    return path


def fill(client):
    pipe = client.pipeline(transaction=False)
    for i in range(1500):
        pipe.hset(f'shop:cart:{i}', 'book', i)
    for i in range(7):
        pipe.set(f'shop:cart:wrong{i}', 1)
    for i in range(4):
        pipe.expire(f'shop:cart:{i}', 5000)
    for i in range(2000):
        pipe.set(f'shop:session:{i:032x}', 'x' * 40, px=1800000)
    for i in range(60):
        pipe.set(f'shop:session:immortal{i}', 'x')
    for i in range(5):
        pipe.set(f'shop:session:long{i}', 'x', ex=7200)
    for i in range(9):
        pipe.set(f'shop:cache:{i}', 'x', ex=60)     # they belong into database 1
    pipe.rpush('shop:log:mon', *range(3))
    pipe.rpush('shop:log:tue', *range(4))
    pipe.rpush('shop:log:a-day-with-a-long-name', 1)
    for i in range(800):
        pipe.sadd(f'user:{i}:friends', 1)
        pipe.set(f'user:{i}:seen', 1, ex=3600)
    pipe.set('config', 1)
    pipe.set(b'bytes:\xff\x00\n', 1)
    pipe.execute_command('SELECT', 1)
    for i in range(11):
        pipe.set(f'shop:cache:{i}', 'x', ex=60 + 600 * (i >= 8))
    pipe.execute_command('SELECT', 3)
    pipe.set('stray', 1)
    pipe.execute_command('SELECT', 0)
    pipe.execute()


def exact(value):
    return {'value': value, 'exact': True}


def test_every_key(held, catalog):
    status, report = audit_json(f'127.0.0.1:{held.port}', catalog, '--full', '--rate', 0, '--db', '0,1')
    assert status == 1
    assert report['complete'] and report['keys'] == 1507 + 2065 + 9 + 3 + 1602 + 11
    assert report['measured'] == report['keys'] and report['repeats'] == 0
    assert report['server'].split()[0] == {'keynome': 'Keynome', 'redis-server': 'Redis'}[held.kind]
    cart = pattern(report, 'shop:cart:{user}')
    assert cart['keys'] == 1507
    assert cart['wrong_type'] == exact(7)
    assert cart['without_lifetime'] == exact(1503)
    assert cart['types'] == {'hash': exact(1500), 'string': exact(7)}
    session = pattern(report, 'shop:session:{token}')
    assert session['keys'] == 2065
    assert session['without_lifetime'] == exact(60)
    assert session['lifetime_too_long'] == exact(5)
    assert session['lifetimes']['none'] == exact(60)
    cache = pattern(report, 'shop:cache:{id}')
    assert (cache['keys'], cache['wrong_database']) == (20, 9)
    assert cache['lifetime_too_long'] == exact(3)
    assert pattern(report, 'shop:idle:{id}')['keys'] == 0
    assert report['unmatched']['keys'] == 1602


def test_bytes_are_the_server_s(held, catalog):
    _, report = audit_json(f'127.0.0.1:{held.port}', catalog, '--full', '--rate', 0, '--db', 0)
    client = redis.Redis(port=held.port)
    keys = client.keys('shop:session:*')
    assert pattern(report, 'shop:session:{token}')['bytes'] == exact(sum(map(client.memory_usage, keys)))


def test_findings(held, catalog):
    _, report = audit_json(f'127.0.0.1:{held.port}', catalog, '--full', '--rate', 0)
    assert [d['number'] for d in report['databases'] if d['looked_at']] == [0, 1]
    assert finding(report, 'lifetime-long', 'shop.cache.id')['keys'] == exact(3)

    def seen(code, name=None):
        one = finding(report, code, name)
        return one['severity'], one['keys']['value']

    assert seen('type', 'shop.cart.user') == ('error', 7)
    assert seen('lifetime-unexpected', 'shop.cart.user') == ('warning', 4)
    assert seen('lifetime-missing', 'shop.session.token') == ('error', 60)
    assert seen('lifetime-long', 'shop.session.token') == ('error', 5)
    assert seen('lifetime-long', 'shop.cache.id') == ('warning', 3)
    assert seen('database', 'shop.cache.id') == ('error', 9)
    assert seen('elements', 'shop.log.day') == ('error', 1)
    assert seen('key-size', 'shop.log.day') == ('error', 1)
    assert seen('no-keys', 'shop.idle.id') == ('note', 0)
    assert seen('unmatched') == ('warning', 1602)
    assert seen('database-unnamed') == ('warning', 1)
    assert finding(report, 'type')['line'] == 5
    assert all('shop:session:immortal' in e for e in finding(report, 'lifetime-missing')['examples'])
    assert finding(report, 'elements')['examples'] == ['shop:log:tue (4 elements)']


def test_all_databases(held, catalog):
    _, report = audit_json(f'127.0.0.1:{held.port}', catalog, '--rate', 0, '--db', 'all')
    assert [(d['number'], d['keys']) for d in report['databases'] if d['keys']] == [(0, 5186), (1, 11), (3, 1)]
    _, report = audit_json(f'redis://127.0.0.1:{held.port}/3', catalog, '--rate', 0)
    assert report['keys'] == 1 and report['shapes'][0]['key'] == 'stray'
    status, report = audit_json(f'127.0.0.1:{held.port}', catalog, '--rate', 0, '--db', 9999)
    assert status == 1 and finding(report, 'database-missing')['severity'] == 'error'


def test_shapes(held, catalog, tmp_path):
    out = tmp_path / 'shapes.yaml'
    _, report = audit_json(f'127.0.0.1:{held.port}/0', catalog, '--rate', 0, '--yaml', out)
    shapes = {one['key']: one for one in report['shapes']}
    assert shapes['user:{id}:friends']['keys'] == 800
    assert list(shapes['user:{id}:friends']['types']) == ['set']
    assert shapes['user:{id}:seen']['keys'] == 800
    assert 3000000 < shapes['user:{id}:seen']['longest_ms'] <= 3600000
    assert shapes['bytes:{rest}']['examples'] == ['bytes:\\xff\\x00\\x0a']
    assert shapes['config']['keys'] == 1
    # Pasted into the catalog, no key is without a pattern any more.
    made, old = yaml.safe_load(out.read_text()), yaml.safe_load(CATALOG)
    friends = next(p for p in made['patterns'] if p['key'] == 'user:{id}:friends')
    assert (friends['type'], friends['lifetime']) == ('set', 'none')
    assert next(p for p in made['patterns'] if p['key'] == 'user:{id}:seen')['lifetime'] == '1h'
    old['patterns'] += made['patterns']
    both = tmp_path / 'both.yaml'
    both.write_text(yaml.safe_dump(old))
    _, report = audit_json(f'127.0.0.1:{held.port}/0', both, '--rate', 0)
    assert report['unmatched']['keys'] == 0 and report['shapes'] == []


def test_the_sample_s_interval_holds_the_truth(held, catalog):
    client = redis.Redis(port=held.port)
    true_bytes = sum(map(client.memory_usage, client.keys('shop:session:*')))
    counts = totals = 0
    for seed in range(1, 11):
        _, report = audit_json(f'127.0.0.1:{held.port}/0', catalog, '--rate', 0, '--sample', 200, '--seed', seed)
        session = pattern(report, 'shop:session:{token}')
        assert session['measured'] == 200 and session['keys'] == 2065
        missing, size = session['without_lifetime'], session['bytes']
        assert not missing['exact'] and missing['low'] <= missing['value'] <= missing['high']
        assert missing['high'] - missing['low'] < 200
        counts += missing['low'] <= 60 <= missing['high']
        totals += size['low'] <= true_bytes <= size['high']
        # Whoever has fewer keys than the sample is known exactly.
        assert pattern(report, 'shop:log:{day}')['bytes']['exact']
    assert counts >= 8 and totals >= 8, (counts, totals)


def test_reads_only(catalog):
    with Server(['--save', ''], binary=REFERENCE) as running:
        client = redis.Redis(port=running.port)
        fill(client)
        before = client.dbsize(), client.info('persistence')['rdb_changes_since_last_save']
        client.config_resetstat()
        for options in (['--full'], [], ['--db', 'all']):
            audit(f'127.0.0.1:{running.port}', catalog, '--rate', 0, *options)
        stats = client.info('commandstats')
        used = {name[len('cmdstat_'):] for name in stats} - {'config|resetstat', 'dbsize'}
        assert used <= READING, used - READING
        assert {'scan', 'type', 'pttl', 'memory|usage'} <= used
        assert (client.dbsize(), client.info('persistence')['rdb_changes_since_last_save']) == before


def test_keeps_its_pace(held, catalog):
    began = time.monotonic()
    _, report = audit_json(f'127.0.0.1:{held.port}/0', catalog, '--rate', 4000, '--sample', 10)
    seconds = time.monotonic() - began
    due = (report['keys'] + 5 * report['measured']) / 4000
    assert report['complete'] and due > 1.2
    assert due * 0.9 <= seconds


def test_exit_statuses(held, tmp_path):
    fine = tmp_path / 'fine.yaml'
    fine.write_text('keynome: 1\npatterns:\n  - key: "{all}"\n  - key: "idle:{x}"\n')
    url = f'127.0.0.1:{held.port}/0'
    # What is in other databases, and that a pattern is idle, are notes.
    assert audit(url, fine, '--rate', 0)[0] == 0
    assert audit(url, fine, '--rate', 0, '--fail-on', 'note')[0] == 1
    found = tmp_path / 'found.yaml'
    found.write_text('keynome: 1\npatterns:\n  - key: "shop:{all}"\n')
    assert audit(url, found, '--rate', 0)[0] == 1     # keys without a pattern: a warning
    assert audit(url, found, '--rate', 0, '--fail-on', 'error')[0] == 0
    found.write_text('keynome: 1\nunmatched: deny\npatterns:\n  - key: "shop:{all}"\n')
    assert audit(url, found, '--rate', 0, '--fail-on', 'error')[0] == 1
    assert audit(url, tmp_path / 'none.yaml')[0] == 2
    assert audit('127.0.0.1:1', fine)[0] == 2
    assert audit('ftp://x', fine)[0] == 2
    for wrong in (['--db', 'x'], ['--rate', '-1'], ['--sample', 5], ['--fail-on', 'all'], ['--timeout', 0],
                  ['--key', 'x'], ['--ful']):
        status, out, err = audit(url, fine, *wrong)
        assert status == 2 and out == '' and err.startswith('keynome: '), wrong


def test_text(held, catalog):
    status, out, err = audit(f'127.0.0.1:{held.port}/0', catalog, '--rate', 0, '--full')
    assert status == 1 and err == ''
    line = next(one for one in out.splitlines() if one.startswith('shop:session:{token} '))
    assert line.split()[1] == '2,065' and line.split()[4:7] == ['60', '5', '0']
    assert 'shop.yaml:5:11: error: shop.cart.user: 7 keys of another type (string) than hash' in out
    assert 'user:{id}:friends' in out and '\x1b' not in out
    assert 'shop:idle:{id}' in out
    assert out.splitlines()[-1] == '6 errors, 2 warnings, 3 notes'


def test_interrupted(catalog):
    with Server(['--save', '']) as running:
        client = redis.Redis(port=running.port)
        fill(client)
        process = subprocess.Popen(command(f'127.0.0.1:{running.port}/0', catalog, '--json', '--rate', 500),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: client.info('commandstats').get('cmdstat_scan', {}).get('calls', 0) > 3, 'pages')
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        report = json.loads(out)
        assert process.returncode == 2 and b'partial' in err
        assert not report['complete'] and report['stopped_by'] == 'interrupted'
        assert 0 < report['keys'] < 5000
        assert not any(one['code'] == 'no-keys' for one in report['findings'])


def test_users_with_few_rights(catalog):
    with Server(['--save', ''], binary=REFERENCE) as running:
        client = redis.Redis(port=running.port)
        fill(client)

        def user(*rules):
            client.execute_command('ACL', 'SETUSER', 'ann', 'reset', 'on', '>p/w', *rules)
            return audit_json(f'redis://ann@127.0.0.1:{running.port}/0', catalog, '--rate', 0, '--full',
                              env={'KEYNOME_PASSWORD': 'p/w'})

        _, report = user('~*', '+@connection', '+scan', '+type', '+pttl', '+strlen')
        assert report['complete'] and report['bytes_of'] == 'names and strings'
        assert 'MEMORY USAGE was refused' in report['not_measured'][0]
        session = pattern(report, 'shop:session:{token}')
        names = sum(len(key) for key in client.keys('shop:session:*'))
        assert session['bytes'] == exact(names + 2000 * 40 + 65)
        assert pattern(report, 'shop:cart:{user}')['wrong_type'] == exact(7)

        _, report = user('~*', '+@connection', '+scan', '+memory|usage')
        assert pattern(report, 'shop:cart:{user}')['keys'] == 1507
        assert len(report['not_measured']) == 3 and report['bytes_of'] == 'memory'
        assert finding(report, 'unmatched')['keys'] == exact(1602)
        assert not any(one['code'] == 'type' for one in report['findings'])

        _, report = user('~shop:cart:*', '+@all')
        session = pattern(report, 'shop:session:{token}')
        assert (session['keys'], session['refused'], session['bytes']) == (2065, 2065, None)
        assert pattern(report, 'shop:cart:{user}')['wrong_type'] == exact(7)

        client.execute_command('ACL', 'SETUSER', 'ann', 'reset', 'on', '>p/w', '+@connection')
        url = f'redis://ann@127.0.0.1:{running.port}'
        status, out, err = audit(url, catalog, env={'KEYNOME_PASSWORD': 'p/w'})
        assert (status, out) == (2, '') and 'SCAN was refused' in err and 'ACL' in err
        status, out, err = audit(url, catalog, env={'KEYNOME_PASSWORD': 'wrong'})
        assert (status, out) == (2, '') and 'AUTH was refused' in err and 'wrong' in err
        assert audit(url, catalog)[0] == 2


def test_legacy_names_prefixes_and_guesses(tmp_path):
    names = tmp_path / 'names.yaml'
    names.write_text('keynome: 1\nprefixes:\n  p: [new, newer]\npatterns:\n  - key: "{p}:cart:{user}"\n'
                     '    aliases: ["cart:{user}"]\n    type: hash\n    guessed: [type]\n')
    with Server(['--save', ''], binary=REFERENCE) as running:
        client = redis.Redis(port=running.port)
        for i in range(6):
            client.set(f'cart:{i}', 1)
            client.hset(f'new:cart:{i}', 'a', 1)
            client.hset(f'newer:cart:{i}', 'a', 1)
        client.set('newest:cart:1', 1)
        _, report = audit_json(f'127.0.0.1:{running.port}', names)
        cart = pattern(report, '{p}:cart:{user}')
        assert (cart['keys'], cart['legacy_names'], report['unmatched']['keys']) == (18, 6, 1)
        assert finding(report, 'legacy-name')['severity'] == 'note'
        wrong = finding(report, 'type')
        assert (wrong['severity'], wrong['keys']) == ('warning', exact(6))
        assert 'guessed' in wrong['text']


def test_over_tls_and_sockets(catalog, tmp_path):
    made = subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', tmp_path / 'key.pem',
                           '-out', tmp_path / 'cert.pem', '-days', '2', '-subj', '/CN=localhost', '-addext',
                           'subjectAltName=IP:127.0.0.1'], stderr=subprocess.DEVNULL, check=False)
    assert made.returncode == 0
    port = free_port()
    with Server(['--save', '', '--tls-port', port, '--tls-cert-file', tmp_path / 'cert.pem', '--tls-key-file',
                 tmp_path / 'key.pem', '--tls-ca-cert-file', tmp_path / 'cert.pem', '--tls-auth-clients', 'no'],
                binary=REFERENCE, unix=True) as running:
        client = redis.Redis(port=running.port)
        fill(client)
        url = f'rediss://127.0.0.1:{port}/0'
        status, out, err = audit(url, catalog, '--rate', 0)
        assert (status, out) == (2, '') and 'not trusted' in err
        _, report = audit_json(url, catalog, '--rate', 0, '--full', '--cacert', tmp_path / 'cert.pem')
        assert report['keys'] == 5186 and report['url'] == url
        assert audit_json(url, catalog, '--rate', 0, '--insecure')[1]['keys'] == 5186
        status, _, err = audit(f'redis://127.0.0.1:{port}', catalog)
        assert status == 2 and 'rediss://' in err
        _, report = audit_json(f'unix://{running.socket_path}?db=3', catalog)
        assert report['keys'] == 1
        assert audit_json(os.path.abspath(running.socket_path), catalog, '--db', 1)[1]['keys'] == 11
