# SPDX-License-Identifier: BSD-3-Clause
"""Connections through redis-py: who is there, databases, blocking, losing and finding the server."""

import socket
import threading

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from conftest import blocked, until


def test_names_and_client_list(server, connect):
    client = connect(client_name='ocr-backend')
    assert client.client_getname() == 'ocr-backend'
    client.client_setname('renamed')
    info = client.client_info()
    assert info['name'] == 'renamed'
    assert info['id'] == client.client_id()
    assert info['cmd'] == 'client|info'
    assert int(info['resp']) == 2
    mine = [entry for entry in client.client_list() if entry['name'] == 'renamed']
    assert len(mine) == 1 and mine[0]['addr'].startswith('127.0.0.1:')
    with pytest.raises(redis.ResponseError, match='cannot contain spaces'):
        client.client_setname('two words')


def test_databases(db, connect):
    five = connect(db=5)
    five.set('k', 'five')
    assert db.get('k') is None
    assert five.move('k', 6) is True
    assert five.exists('k') == 0
    assert db.swapdb(0, 6) is True
    assert db.get('k') == 'five'
    assert db.info('keyspace') == {'db0': {'keys': 1, 'expires': 0, 'avg_ttl': 0}}
    five.set('x', 1)
    five.flushdb()
    assert db.get('k') == 'five'
    with pytest.raises(redis.ResponseError, match='DB index is out of range'):
        connect(db=16).ping()


def test_killed_connection_is_opened_again(db, connect):
    client = connect()
    first = client.client_id()
    assert db.client_kill_filter(_id=first) == 1
    assert until(lambda: all(c['id'] != str(first) for c in db.client_list()), 'the kill')
    client.connection_pool.reset()
    assert client.client_id() != first


def test_restart_is_ridden_out(start, monkeypatch):
    server = start()
    monkeypatch.setattr('server.free_port', lambda: server.port)  # the same again
    client = redis.Redis(port=server.port, retry=Retry(ConstantBackoff(0.05), 100, (OSError, redis.ConnectionError)),
                         retry_on_error=[redis.ConnectionError])
    assert client.set('k', 'v') is True
    server.stop()
    late = threading.Timer(0.2, server.start)
    late.start()
    assert client.ping() is True
    late.join()
    client.close()


def test_disconnect_while_blocked_takes_nothing(db, connect):
    worker = connect()
    connection = worker.connection_pool.get_connection('_')
    connection.connect()
    connection.send_command('BRPOP', 'queue', 0)
    blocked(db)
    connection._sock.shutdown(socket.SHUT_RDWR)
    connection.disconnect()
    blocked(db, 0)
    db.lpush('queue', 'safe')
    assert db.lrange('queue', 0, -1) == ['safe']


def test_unblock_from_outside(db, connect):
    worker = connect()
    worker_id = worker.client_id()
    results = []

    def take():
        try:
            results.append(worker.blpop('queue'))
        except redis.ResponseError as error:
            results.append(str(error))

    for with_error, expected in ((False, None),
                                 (True, 'UNBLOCKED client unblocked via CLIENT UNBLOCK')):
        thread = threading.Thread(target=take)
        thread.start()
        blocked(db)
        assert db.client_unblock(worker_id, error=with_error) == 1
        thread.join()
        assert results.pop() == expected
    assert db.client_unblock(worker_id) == 0


def test_pause_holds_writers(db, connect):
    writer = connect()
    writer.ping()
    db.client_pause(60000, all=False)
    done = []
    thread = threading.Thread(target=lambda: done.append(writer.set('k', 'v')))
    thread.start()
    until(lambda: db.info('clients')['blocked_clients'] == 1, 'the writer to be held')
    assert db.get('k') is None
    db.client_unpause()
    thread.join()
    assert done == [True]


def test_a_thousand_connections(db, server):
    pool = redis.ConnectionPool(port=server.port, max_connections=1000)
    connections = [pool.get_connection('_') for _ in range(1000)]
    for connection in connections:
        connection.send_command('INCR', 'n')
    assert sorted(connection.read_response() for connection in connections) == list(range(1, 1001))
    assert db.info('clients')['connected_clients'] >= 1001
    for connection in connections:
        connection.disconnect()
    until(lambda: db.info('clients')['connected_clients'] < 100, 'the connections to close')


def test_unix_socket(start):
    server = start(unix=True)
    client = redis.Redis(unix_socket_path=server.socket_path, decode_responses=True)
    assert client.set('k', 'v') is True
    assert client.get('k') == 'v'
    info = client.client_info()
    assert info['addr'] == server.socket_path + ':0'
    assert 'U' in info['flags']
    client.close()


def test_password(start):
    server = start('--requirepass', 'secret', password='secret')
    for options in ({}, {'username': 'default'}):
        client = redis.Redis(port=server.port, password='secret', **options)
        assert client.ping() is True
        client.close()
    with pytest.raises(redis.ResponseError, match='WRONGPASS invalid username-password pair'):
        redis.Redis(port=server.port, password='wrong').ping()
    with pytest.raises(redis.AuthenticationError, match='Authentication required'):
        redis.Redis(port=server.port).ping()


def test_settings(db):
    assert db.config_get('databases') == {'databases': '16'}
    assert db.config_get('maxmemory', 'timeout') == {'maxmemory': '0', 'timeout': '0'}
    assert db.config_set('timeout', 1234) is True
    assert db.config_get('time*') == {'timeout': '1234'}
    db.config_set('timeout', 0)
    assert len(db.config_get('*')) > 60
    assert db.config_get('no-such-thing') == {}
    with pytest.raises(redis.ResponseError, match='Unknown option'):
        db.config_set('no-such-thing', 1)
    with pytest.raises(redis.ResponseError, match="CONFIG SET failed"):
        db.config_set('timeout', 'soon')
    db.config_resetstat()
    assert db.info('stats')['total_connections_received'] == 0


def test_info_reads_as_a_table(db):
    info = db.info()
    for name in ('redis_version', 'redis_mode', 'os', 'arch_bits', 'process_id', 'run_id',
                 'tcp_port', 'uptime_in_seconds', 'connected_clients', 'used_memory',
                 'used_memory_peak', 'maxmemory_policy', 'loading', 'total_commands_processed',
                 'instantaneous_ops_per_sec', 'expired_keys', 'evicted_keys', 'keyspace_hits',
                 'keyspace_misses', 'pubsub_channels', 'role', 'connected_slaves',
                 'used_cpu_user', 'cluster_enabled'):
        assert name in info, name
    assert info['arch_bits'] == 64
    db.get('none')
    db.set('k', 1)
    db.get('k')
    after = db.info('stats')
    assert after['keyspace_misses'] >= info['keyspace_misses'] + 1
    assert after['keyspace_hits'] >= info['keyspace_hits'] + 1
    stats = db.info('commandstats')
    assert stats['cmdstat_get']['calls'] >= 2


def test_what_the_event_loops_did(db):
    db.config_resetstat()
    before = db.info('stats')
    for number in range(50):
        db.incrby('k', number)
    db.eval("for i = 1, 5000000 do end redis.call('incr', KEYS[1])", 1, 'k')
    db.get('k')
    after = db.info('stats')
    spent = {name: after[name] - before[name] for name in after if name.startswith('eventloop_')}
    assert spent['eventloop_cycles'] >= 50
    assert 1000 < spent['eventloop_duration_cmd_sum'] < 60e6
    assert 1000 < spent['eventloop_duration_sum'] < 60e6
    assert after['instantaneous_eventloop_cycles_per_sec'] >= 0
    assert after['instantaneous_eventloop_duration_usec'] >= 0
    memory = db.info('memory')
    assert memory['mem_overhead_db_hashtable_rehashing'] == memory['mem_replica_full_sync_buffer'] == 0


def test_command_table(db):
    commands = db.command()
    assert db.command_count() == len(commands)
    get = commands['get']
    assert (get['name'], get['arity'], get['first_key_pos'], get['last_key_pos'],
            get['step_count']) == ('get', 2, 1, 1, 1)
    assert {'readonly', 'fast'} <= set(get['flags'])
    assert commands['mset']['last_key_pos'] == -1 and commands['mset']['step_count'] == 2
    assert db.command_getkeys('ZUNIONSTORE', 'dst', 2, 'a', 'b') == ['dst', 'a', 'b']


def test_small_talk(db):
    assert db.echo('hello') == 'hello'
    seconds, micros = db.time()
    assert seconds > 1700000000 and 0 <= micros < 1000000
    assert db.execute_command('RESET') == 'RESET'


def test_lolwut_tells_the_version(db):
    text = db.execute_command('LOLWUT')
    assert 'Redis ver. ' + db.info('server')['redis_version'] in text
    assert 'Redis ver. ' in db.execute_command('LOLWUT', 'VERSION', 5, 6, 7, 8)
