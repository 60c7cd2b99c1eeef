# SPDX-License-Identifier: BSD-3-Clause
"""HyperLogLogs, as their users rely on them, and as strings that travel between servers."""

import pytest
import redis

HEADER = b'HYLL\x01' + b'\x00' * 11


@pytest.fixture
def binary(connect):
    client = connect(decode_responses=False)
    client.flushall()
    return client


@pytest.fixture
def oracle(reference):
    client = redis.Redis(port=reference.port)
    client.flushall()
    yield client
    client.close()


def test_unique_visitors(db):
    assert db.pfadd('visitors', 'alice', 'bob', 'carol') == 1
    assert db.pfadd('visitors', 'alice') == 0
    assert db.pfcount('visitors') == 3
    db.pfadd('others', 'dave', 'bob')
    assert db.pfcount('visitors', 'others', 'missing') == 4
    assert db.pfmerge('all', 'visitors', 'others')
    assert db.pfcount('all') == 4
    assert db.pfadd('new') == 1 and db.pfadd('new') == 0
    assert db.pfcount('new') == db.pfcount('missing') == 0


def test_estimates_stay_close(db):
    for start in range(0, 100000, 5000):
        db.pfadd('many', *range(start, start + 5000))
        seen = start + 5000
        assert abs(db.pfcount('many') - seen) < 0.03 * seen
    assert db.execute_command('PFDEBUG', 'ENCODING', 'many') == 'dense'
    assert db.strlen('many') == 12304


def test_same_bytes_as_redis(binary, oracle):
    for step in range(60):
        elements = ['e%d' % (step * step * 37 + i) for i in range(step * 3 + 1)]
        assert binary.pfadd('k', *elements) == oracle.pfadd('k', *elements)
        assert binary.get('k') == oracle.get('k'), step
        if step % 3 == 0:
            assert binary.pfcount('k') == oracle.pfcount('k')
            assert binary.get('k') == oracle.get('k')
        if step % 10 == 0:
            for client in (binary, oracle):
                client.pfadd('other', step)
                client.pfmerge('sum', 'k', 'other')
            assert binary.get('sum') == oracle.get('sum')
    assert binary.execute_command('PFDEBUG', 'GETREG', 'k') == oracle.execute_command('PFDEBUG', 'GETREG', 'k')


def test_strings_travel(binary, oracle):
    """What one server made, the other takes and goes on with; sparse and dense."""
    for size in (1, 40, 5000):
        oracle.pfadd('k', *range(size))
        binary.set('k', oracle.get('k'))
        assert binary.pfcount('k') == oracle.pfcount('k')
        assert binary.pfadd('k', 'one', 'more') == oracle.pfadd('k', 'one', 'more')
        oracle.set('back', binary.get('k'))
        assert oracle.pfcount('back') == binary.pfcount('k')


def test_expiry_and_encoding_are_kept(db):
    db.pfadd('k', *range(100))
    db.expire('k', 1000)
    db.pfadd('k', *range(100, 5000))
    assert db.ttl('k') > 900
    assert db.object('encoding', 'k') == 'raw'


def test_debugging(db):
    db.pfadd('k', 'a', 'b', 'c')
    assert db.execute_command('PFDEBUG', 'DECODE', 'k') == 'Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603'
    assert db.execute_command('PFDEBUG', 'TODENSE', 'k') == 1
    assert db.execute_command('PFDEBUG', 'TODENSE', 'k') == 0
    registers = db.execute_command('PFDEBUG', 'GETREG', 'k')
    assert len(registers) == 16384 and sorted(registers)[-4:] == [0, 1, 1, 2]
    with pytest.raises(redis.ResponseError, match='HLL encoding is not sparse'):
        db.execute_command('PFDEBUG', 'DECODE', 'k')
    with pytest.raises(redis.ResponseError, match='The specified key does not exist'):
        db.execute_command('PFDEBUG', 'ENCODING', 'missing')
    assert db.execute_command('PFSELFTEST') in (True, 'OK')


def test_limit_of_sparse_ones(db):
    db.config_set('hll-sparse-max-bytes', '100')
    try:
        db.pfadd('k', *range(10))
        assert db.execute_command('PFDEBUG', 'ENCODING', 'k') == 'sparse'
        db.pfadd('k', *range(100))
        assert db.execute_command('PFDEBUG', 'ENCODING', 'k') == 'dense'
        assert abs(db.pfcount('k') - 100) <= 3
    finally:
        db.config_set('hll-sparse-max-bytes', '3000')


@pytest.mark.parametrize('value', [b'', b'x', b'12345', b'HYLL', b'HYLL\x02' + bytes(11), b'HYLL\x00' + bytes(11),
                                   b'HYLX\x01' + bytes(11), b'HYLL\x00' + bytes(12298), b'HYLL\x00' + bytes(12300)])
def test_no_hyperloglog(binary, value):
    binary.set('k', value)
    binary.pfadd('good', 'a')
    for command in (['PFADD', 'k', 'a'], ['PFCOUNT', 'k'], ['PFCOUNT', 'good', 'k'], ['PFMERGE', 'good', 'k'],
                    ['PFMERGE', 'k', 'good'], ['PFDEBUG', 'GETREG', 'k']):
        with pytest.raises(redis.ResponseError, match='WRONGTYPE Key is not a valid HyperLogLog string value.'):
            binary.execute_command(*command)
    assert binary.get('k') == value and binary.pfcount('good') == 1


@pytest.mark.parametrize('runs', [b'', b'\x7f', b'\x7f\xfe', b'\x7f\xff\x00', b'\x40', b'\xff' * 5000, b'\x00' * 70000])
def test_damaged(binary, runs):
    value = HEADER[:15] + b'\x80' + runs
    binary.set('k', value)
    binary.pfadd('good', 'a')
    for command in (['PFCOUNT', 'k'], ['PFCOUNT', 'good', 'k'], ['PFMERGE', 'good', 'k'], ['PFDEBUG', 'TODENSE', 'k']):
        with pytest.raises(redis.ResponseError, match='INVALIDOBJ Corrupted HLL object detected'):
            binary.execute_command(*command)
    assert binary.get('k') == value and binary.pfcount('good') == 1


def test_other_types(db):
    db.rpush('k', 'a')
    for command in (['PFADD', 'k', 'a'], ['PFCOUNT', 'k'], ['PFMERGE', 'x', 'k'], ['PFDEBUG', 'ENCODING', 'k']):
        with pytest.raises(redis.ResponseError, match='WRONGTYPE Operation against'):
            db.execute_command(*command)


def test_counting_again_is_no_change_for_watchers(db):
    """The estimate is written into the string; who watches learns of that once."""
    db.pfadd('k', 'a')
    with db.pipeline() as pipe:
        pipe.watch('k')
        db.pfcount('k')
        pipe.multi()
        pipe.get('k')
        with pytest.raises(redis.WatchError):
            pipe.execute()
        pipe.watch('k')
        db.pfcount('k')
        pipe.multi()
        pipe.pfcount('k')
        assert pipe.execute() == [1]
