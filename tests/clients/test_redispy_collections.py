# SPDX-License-Identifier: BSD-3-Clause
"""Walking, sorting, describing and moving keys through redis-py."""

import pytest
import redis


def test_scan_iter(db):
    with db.pipeline(transaction=False) as pipe:
        for i in range(5000):
            pipe.set('ocr:cache:%d' % i, i)
            pipe.sadd('ocr:set:%d' % i, i)
        pipe.execute()
    keys = list(db.scan_iter('ocr:cache:*', count=200))
    assert set(keys) == {'ocr:cache:%d' % i for i in range(5000)}
    assert len(set(db.scan_iter(_type='SET'))) == 5000


def test_scan_survives_growing_and_shrinking(db):
    stay = {'stay:%d' % i for i in range(1000)}
    db.mset(dict.fromkeys(stay, 1))
    found = set()
    for turn, key in enumerate(db.scan_iter(count=10)):
        found.add(key)
        if turn % 10 == 0:
            names = ['pass:%d:%d' % (turn, i) for i in range(30)]
            db.mset(dict.fromkeys(names, 1)) if turn < 1500 else None
            if turn % 100 == 0:
                db.delete(*names)
        if turn == 1200:
            db.delete(*db.keys('pass:*'))
    assert stay <= found


def test_hscan_sscan_zscan(db):
    names = ['n%d' % i for i in range(1500)]
    db.hset('h', mapping={name: name for name in names})
    db.sadd('s', *names)
    db.zadd('z', {name: i for i, name in enumerate(names)})
    assert dict(db.hscan_iter('h')) == {name: name for name in names}
    assert set(db.sscan_iter('s', match='n14??')) == {'n%d' % i for i in range(1400, 1500)}
    assert dict(db.zscan_iter('z')) == {name: i for i, name in enumerate(names)}


def test_sort(db):
    db.rpush('ids', 3, 1, 2)
    db.mset({'weight:1': 5, 'weight:2': 9, 'weight:3': 1})
    db.hset('item:1', 'name', 'one')
    assert db.sort('ids') == ['1', '2', '3']
    assert db.sort('ids', by='weight:*', desc=True, start=0, num=2) == ['2', '1']
    assert db.sort('ids', get=['#', 'item:*->name'], groups=True) == [
        ('1', 'one'), ('2', None), ('3', None)]
    assert db.sort('ids', store='out', alpha=True) == 3
    db.rpush('words', 'b', 'a')
    with pytest.raises(redis.ResponseError, match="One or more scores can't be converted"):
        db.sort('words')


def test_sets(db):
    db.sadd('a', 1, 2, 3)
    db.sadd('b', 2, 3, 4)
    assert db.sinter('a', 'b') == {'2', '3'}
    assert db.sunion('a', 'b') == {'1', '2', '3', '4'}
    assert db.sdiff('a', 'b') == {'1'}
    assert db.sinterstore('c', 'a', 'b') == 2
    assert db.sintercard(2, ['a', 'b'], limit=1) == 1
    assert db.smismember('a', ['1', '9']) == [1, 0]
    assert db.spop('a', 10) in ([*'123'], [*'132'], [*'213'], [*'231'], [*'312'], [*'321'])
    assert len(db.srandmember('b', -5)) == 5


def test_object_and_type(db):
    db.set('int', 7)
    db.set('short', 'x' * 44)
    db.set('long', 'x' * 45)
    db.rpush('list', *range(10))
    db.sadd('ints', 1, 2)
    db.sadd('words', 'a', 'b')
    db.hset('hash', 'a', 'x' * 100)
    db.zadd('zset', {'m' * 100: 1})
    kinds = {key: db.object('encoding', key) for key in
             ('int', 'short', 'long', 'list', 'ints', 'words', 'hash', 'zset')}
    list_kind = kinds.pop('list')
    words_kind = kinds.pop('words')
    assert list_kind in ('quicklist', 'listpack')
    assert words_kind in ('hashtable', 'listpack')
    assert kinds == {'int': 'int', 'short': 'embstr', 'long': 'raw', 'ints': 'intset',
                     'hash': 'hashtable', 'zset': 'skiplist'}
    assert db.object('refcount', 'list') == 1
    assert db.object('idletime', 'list') == 0
    assert [db.type(key) for key in ('int', 'list', 'ints', 'hash', 'zset', 'none')] == [
        'string', 'list', 'set', 'hash', 'zset', 'none']


def test_keys_are_renamed_copied_and_counted(db):
    db.set('a', 1, ex=100)
    assert db.rename('a', 'b') is True
    assert 90 < db.ttl('b') <= 100
    assert db.copy('b', 'c') is True
    assert db.copy('b', 'c') is False
    assert db.renamenx('b', 'c') is False
    assert db.randomkey() in ('b', 'c')
    assert db.touch('b', 'c', 'none') == 2
    with pytest.raises(redis.ResponseError, match='no such key'):
        db.rename('none', 'x')
    assert db.expire('c', 200, gt=True) is True
    assert db.expire('c', 100, gt=True) is False
    assert db.flushdb(asynchronous=True) is True
    assert db.dbsize() == 0


@pytest.mark.newer
def test_newer_commands_by_name(db):
    db.hset('h', mapping={'a': 1, 'b': 2})
    assert db.execute_command('HEXPIRE', 'h', 100, 'FIELDS', 2, 'a', 'none') == [1, -2]
    assert db.execute_command('HTTL', 'h', 'FIELDS', 2, 'a', 'b')[1] == -1
    assert db.execute_command('HGETEX', 'h', 'PERSIST', 'FIELDS', 1, 'a') == ['1']
    assert db.execute_command('HSETEX', 'h', 'FNX', 'EX', 10, 'FIELDS', 1, 'a', 9) == 0
    assert db.execute_command('HGETDEL', 'h', 'FIELDS', 1, 'a') == ['1']
    assert db.hgetall('h') == {'b': '2'}
