# SPDX-License-Identifier: BSD-3-Clause
"""Streams and consumer groups, as users of redis-py rely on them."""

import threading

import pytest
import redis

from conftest import until


def fill(db, key, count, **fields):
    return [db.xadd(key, fields or {'n': i}) for i in range(count)]


def test_entries_come_back_in_order(db):
    ids = [db.xadd('s', {'n': i, 'text': 'x' * i}) for i in range(300)]
    assert db.xlen('s') == 300
    assert [entry[0] for entry in db.xrange('s')] == ids
    assert [entry[0] for entry in db.xrevrange('s')] == ids[::-1]
    assert db.xrange('s', ids[150], ids[152]) == [
        (ids[i], {'n': str(i), 'text': 'x' * i}) for i in (150, 151, 152)]
    assert db.xrange('s', '(' + ids[297]) == db.xrange('s', ids[298])
    assert [entry[0] for entry in db.xrevrange('s', count=70)] == ids[:-71:-1]
    assert db.type('s') == 'stream'
    assert db.object('encoding', 's') == 'stream'


def test_every_kind_of_value_comes_back(connect):
    db = connect(decode_responses=False)
    db.flushall()
    values = [b'', b'0', b'31', b'32', b'-1', b'127', b'128', b'-129', b'32767', b'32768', b'8388608',
              b'2147483648', b'-140737488355329', b'9223372036854775807', b'-9223372036854775808',
              b'9223372036854775808', b'01', b'-0', b'+1', b'1.5', b'\x00\xff', b'y' * 191, b'y' * 192,
              b'z' * 4095, b'z' * 4096, b'w' * 300000]
    for value in values:
        db.xadd('s', {b'value': value, value: b'name'})
    entries = db.xrange('s')
    assert [entry[1] for entry in entries] == [
        {b'value': value, value: b'name'} if value != b'value' else {} for value in values]
    assert [e[1] for e in db.xrevrange('s')] == [e[1] for e in entries][::-1]


def test_events_of_several_kinds_share_names(db):
    kinds = [{'event': 'added', 'job': '1'}, {'event': 'active', 'job': '1', 'prev': 'waiting'},
             {'event': 'done', 'job': '1', 'result': 'ok'}] + [{'f%d' % i: 'v'} for i in range(20)]
    for i in range(20):
        for kind in kinds:
            db.xadd('s', kind)
    assert [entry[1] for entry in db.xrange('s')] == kinds * 20


def test_deleting_and_trimming(db):
    ids = fill(db, 's', 250)
    assert db.xdel('s', ids[0], ids[100], ids[100], ids[249]) == 3
    left = [i for i in ids if i not in (ids[0], ids[100], ids[249])]
    assert [entry[0] for entry in db.xrange('s')] == left
    assert db.xtrim('s', maxlen=120, approximate=False) == 127
    assert [entry[0] for entry in db.xrange('s')] == left[-120:]
    assert db.xtrim('s', minid=left[-10]) % 1 == 0  # whole blocks only
    assert db.xlen('s') >= 10
    assert db.xtrim('s', minid=left[-10], approximate=False) >= 0
    assert [entry[0] for entry in db.xrange('s')] == left[-10:]
    assert db.xadd('s', {'n': 'last'}, maxlen=3, approximate=False)
    assert db.xlen('s') == 3
    info = db.xinfo_stream('s')
    assert info['length'] == 3
    assert info['entries-added'] == 251
    assert info['max-deleted-entry-id'] == ids[249]
    assert info['last-entry'][1] == {'n': 'last'}
    db.xtrim('s', maxlen=0, approximate=False)
    assert db.exists('s') == 1
    assert db.xinfo_stream('s')['first-entry'] is None


def test_approximate_trimming_takes_whole_blocks(db):
    fill(db, 's', 1000)
    assert db.xtrim('s', maxlen=450, approximate=True) == 500
    assert db.xtrim('s', maxlen=0, approximate=True, limit=250) == 200
    assert db.xlen('s') == 300


def test_a_group_delivers_each_entry_once(db):
    ids = fill(db, 's', 30)
    db.xgroup_create('s', 'g', id='0')
    first = db.xreadgroup('g', 'alice', {'s': '>'}, count=10)
    second = db.xreadgroup('g', 'bob', {'s': '>'})
    assert [e[0] for e in first[0][1]] == ids[:10]
    assert [e[0] for e in second[0][1]] == ids[10:]
    assert db.xreadgroup('g', 'alice', {'s': '>'}) == []
    assert [e[0] for e in db.xreadgroup('g', 'alice', {'s': ids[4]})[0][1]] == ids[5:10]
    assert db.xack('s', 'g', *ids[:5], ids[29]) == 6
    summary = db.xpending('s', 'g')
    assert summary['pending'] == 24
    assert summary['min'] == ids[5] and summary['max'] == ids[28]
    assert {c['name']: c['pending'] for c in summary['consumers']} == {'alice': 5, 'bob': 19}
    listed = db.xpending_range('s', 'g', '-', '+', 100, consumername='alice')
    assert [(e['message_id'], e['times_delivered']) for e in listed] == [(i, 2) for i in ids[5:10]]
    info = db.xinfo_groups('s')[0]
    assert (info['entries-read'], info['lag'], info['pending']) == (30, 0, 24)


def read_and_lag(db):
    info = db.xinfo_groups('s')[0]
    return info['entries-read'], info['lag']


def test_lag_behind_deleted_entries(db):
    """Entries that went before the group has read them are none that it has yet to read."""
    db.xgroup_create('s', 'g', id='$', mkstream=True)
    db.xadd('s', {'f': 'a'}, id='1-0')
    db.xreadgroup('g', 'c', {'s': '>'})
    db.xadd('s', {'f': 'b'}, id='2-0')
    db.xadd('s', {'f': 'c'}, id='3-0')
    db.xdel('s', '2-0')
    assert read_and_lag(db) == (1, None)
    db.xdel('s', '1-0')
    assert read_and_lag(db) == (1, 1)
    db.xreadgroup('g', 'c', {'s': '>'})
    assert read_and_lag(db) == (3, 0)


def test_lag_behind_trimmed_entries(db):
    db.xgroup_create('s', 'g', id='$', mkstream=True)
    for number in range(1, 6):
        db.xadd('s', {'f': 'v'}, id='%d-0' % number)
    db.xreadgroup('g', 'c', {'s': '>'}, count=1)
    assert read_and_lag(db) == (1, 4)
    db.xtrim('s', maxlen=1, approximate=False)
    assert read_and_lag(db) == (1, 1)
    db.xreadgroup('g', 'c', {'s': '>'})
    assert read_and_lag(db) == (5, 0)
    db.xadd('s', {'f': 'v'}, id='6-0')
    assert read_and_lag(db) == (5, 1)
    db.xtrim('s', maxlen=0, approximate=False)
    assert read_and_lag(db) == (5, 0)


def test_lost_work_is_claimed(db):
    ids = fill(db, 's', 10)
    db.xgroup_create('s', 'g', id='0')
    db.xreadgroup('g', 'dead', {'s': '>'})
    db.xdel('s', ids[3])
    assert db.xclaim('s', 'g', 'alive', 100000, [ids[0]]) == []
    assert [e[0] for e in db.xclaim('s', 'g', 'alive', 0, ids[:4])] == ids[:3]
    assert db.xclaim('s', 'g', 'alive', 0, [ids[4]], justid=True) == [ids[4]]
    cursor, entries, gone = db.xautoclaim('s', 'g', 'alive', 0, start_id=ids[5], count=3)
    assert cursor == ids[8] and [e[0] for e in entries] == ids[5:8] and gone == []
    db.xdel('s', ids[9])
    cursor, entries, gone = db.xautoclaim('s', 'g', 'alive', 0, start_id=cursor)
    assert (cursor, [e[0] for e in entries], gone) == ('0-0', [ids[8]], [ids[9]])
    counts = {e['message_id']: e['times_delivered']
              for e in db.xpending_range('s', 'g', '-', '+', 100)}
    assert counts == {ids[0]: 2, ids[1]: 2, ids[2]: 2, ids[4]: 1, ids[5]: 2, ids[6]: 2, ids[7]: 2,
                      ids[8]: 2}
    consumers = {c['name']: c['pending'] for c in db.xinfo_consumers('s', 'g')}
    assert consumers == {'alive': 8, 'dead': 0}
    assert db.xgroup_delconsumer('s', 'g', 'alive') == 8
    assert db.xpending('s', 'g')['pending'] == 0


def test_history_tells_what_was_deleted(db):
    ids = fill(db, 's', 3)
    db.xgroup_create('s', 'g', id='0')
    db.xreadgroup('g', 'c', {'s': '>'})
    db.xdel('s', ids[1])
    history = db.xreadgroup('g', 'c', {'s': '0'})[0][1]
    assert [e[0] for e in history] == ids
    assert not history[1][1] and history[2][1] == {'n': '2'}


def in_background(work):
    """Runs work() in a thread; the returned function waits for its result."""
    out = []

    def run():
        try:
            out.append(work())
        except redis.RedisError as error:
            out.append(error)
    thread = threading.Thread(target=run)
    thread.start()

    def result():
        thread.join(10)
        assert out, 'still waiting'
        return out[0]
    return result


def wait_for_blocked(db, count):
    until(lambda: db.info('clients')['blocked_clients'] == count, '%d blocked clients' % count)


def test_one_entry_serves_all_readers(db, connect):
    results = [in_background(lambda: connect().xread({'s': '$', 't': '$'}, block=0))
               for _ in range(5)]
    wait_for_blocked(db, 5)
    entry = db.xadd('s', {'n': 1})
    for result in results:
        assert result() == [['s', [(entry, {'n': '1'})]]]
    wait_for_blocked(db, 0)


def test_dollar_is_what_it_was_when_it_was_asked(db, connect):
    db.xadd('s', {'n': 1}, id='5-0')
    result = in_background(lambda: connect().xread({'s': '$', 'other': '$'}, block=0))
    wait_for_blocked(db, 1)
    # What changes the key without an entry behind 5-0 leaves the reader where it is.
    db.xdel('s', '5-0')
    db.xtrim('s', maxlen=0)
    db.delete('s')
    db.xadd('s', {'n': 2}, id='4-0')
    wait_for_blocked(db, 1)
    db.xadd('s', {'n': 3}, id='6-0')
    assert result() == [['s', [('6-0', {'n': '3'})]]]


def test_a_group_serves_one_waiting_consumer(db, connect):
    db.xgroup_create('s', 'g', mkstream=True)
    first = in_background(lambda: connect().xreadgroup('g', 'a', {'s': '>'}, block=0))
    wait_for_blocked(db, 1)
    second = in_background(lambda: connect().xreadgroup('g', 'b', {'s': '>'}, block=0))
    wait_for_blocked(db, 2)
    one = db.xadd('s', {'n': 1})
    assert first() == [['s', [(one, {'n': '1'})]]]
    wait_for_blocked(db, 1)
    two = db.xadd('s', {'n': 2})
    assert second() == [['s', [(two, {'n': '2'})]]]
    assert db.xpending('s', 'g')['pending'] == 2


@pytest.mark.newer
@pytest.mark.parametrize('end, code', [
    (lambda db: db.xgroup_destroy('s', 'g'), 'NOGROUP'), (lambda db: db.delete('s'), 'NOGROUP'),
    (lambda db: db.set('s', 'x'), 'WRONGTYPE'), (lambda db: db.flushall(), 'NOGROUP'),
    (lambda db: db.rename('s', 't'), 'NOGROUP'), (lambda db: db.pexpire('s', 1), 'NOGROUP'),
    (lambda db: db.swapdb(0, 5), 'NOGROUP')])
def test_a_waiting_consumer_hears_of_the_end(db, connect, end, code):
    db.xgroup_create('s', 'g', mkstream=True)
    result = in_background(lambda: connect().xreadgroup('g', 'a', {'s': '>'}, block=0))
    wait_for_blocked(db, 1)
    end(db)
    error = result()
    assert isinstance(error, redis.ResponseError)
    assert code in str(error)
    wait_for_blocked(db, 0)


def test_time_outs_and_unblocking(db, connect):
    assert db.xread({'s': '$'}, block=20) == []
    client = connect(single_connection_client=True)
    number = client.client_id()
    result = in_background(lambda: client.xread({'s': '$'}, block=0))
    wait_for_blocked(db, 1)
    assert db.client_unblock(number) == 1
    assert result() == []
    result = in_background(lambda: client.xread({'s': '$'}, block=0))
    wait_for_blocked(db, 1)
    assert db.client_unblock(number, error=True) == 1
    assert 'UNBLOCKED' in str(result())


def test_transactions_do_not_wait(db):
    db.xgroup_create('s', 'g', mkstream=True)
    pipe = db.pipeline(transaction=True)
    pipe.xread({'s': '$'}, block=0)
    pipe.xreadgroup('g', 'c', {'s': '>'}, block=0)
    pipe.xadd('s', {'n': 1}, id='1-0')
    pipe.xreadgroup('g', 'c', {'s': '>'}, block=0)
    assert pipe.execute()[:3] == [[], [], '1-0']


def test_copy_and_rename_keep_groups(db):
    ids = fill(db, 's', 150)
    db.xgroup_create('s', 'g', id='0')
    db.xreadgroup('g', 'c', {'s': '>'}, count=100)
    assert db.copy('s', 'copy')
    db.xack('s', 'g', *ids[:50])
    assert db.rename('s', 'moved')
    for key, pending in (('copy', 100), ('moved', 50)):
        assert [e[0] for e in db.xrange(key)] == ids
        assert db.xpending(key, 'g')['pending'] == pending
        assert len(db.xreadgroup('g', 'c', {key: '>'})[0][1]) == 50
    assert db.memory_usage('copy') > 150 * 10


def test_scan_by_type(db):
    db.xadd('s', {'n': 1})
    db.set('x', 1)
    assert list(db.scan_iter(_type='stream')) == ['s']


def test_notifications(db, connect):
    db.config_set('notify-keyspace-events', 'Kt')
    try:
        listener = connect().pubsub()
        listener.psubscribe('__keyspace@0__:s')
        until(lambda: listener.get_message(timeout=1), 'the subscription')
        entry = db.xadd('s', {'n': 1}, maxlen=1, approximate=False)
        db.xadd('s', {'n': 1}, maxlen=1, approximate=False)
        db.xgroup_create('s', 'g', id='0')
        db.xreadgroup('g', 'c', {'s': '>'})
        db.xgroup_createconsumer('s', 'g', 'd')
        db.xgroup_delconsumer('s', 'g', 'd')
        db.xgroup_setid('s', 'g', '0')
        db.xgroup_destroy('s', 'g')
        db.xdel('s', entry)
        db.xtrim('s', maxlen=0, approximate=False)
        db.execute_command('XSETID', 's', '9999999999999-0')
        heard = []
        while len(heard) < 10:
            message = listener.get_message(timeout=5)
            assert message, heard
            heard.append(message['data'])
        assert heard == ['xadd', 'xadd', 'xtrim', 'xgroup-create', 'xgroup-createconsumer',
                         'xgroup-createconsumer', 'xgroup-delconsumer', 'xgroup-setid',
                         'xgroup-destroy', 'xtrim']
        assert listener.get_message(timeout=5)['data'] == 'xsetid'
    finally:
        db.config_set('notify-keyspace-events', '')


def test_block_limits_are_configurable(start):
    with start('--stream-node-max-entries', '10').client() as client:
        for i in range(95):
            client.do('XADD', 's', '*', 'n', str(i))
        info = client.do('XINFO', 'STREAM', 's')
        assert info[info.index(b'radix-tree-keys') + 1] == 10
        client.do('CONFIG', 'SET', 'stream-node-max-bytes', '200', 'stream-node-max-entries', '0')
        for i in range(10):
            client.do('XADD', 't', '*', 'n', 'x' * 90)
        info = client.do('XINFO', 'STREAM', 't')
        assert info[info.index(b'radix-tree-keys') + 1] == 10
        assert client.do('XTRIM', 's', 'MAXLEN', '~', '50') == 40
