# SPDX-License-Identifier: BSD-3-Clause
"""Celery: broker on database 1, results on database 2, workers in processes of their own."""

import gc
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
import redis

CELERY = pathlib.Path(__file__).resolve().parent / 'celery'
LIMIT_S = 60


class Worker:
    """`celery worker` as an operator starts it, in a process group of its own."""

    def __init__(self, server, name, queues='celery', processes=2, visibility_s=3600):
        env = dict(os.environ, KEYNOME_PORT=str(server.port), VISIBILITY_S=str(visibility_s),
                   PYTHONDONTWRITEBYTECODE='1')
        self.name = name + '@test'
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'celery', '-A', 'tasks', 'worker', '-n', self.name, '-Q', queues,
             '-c', str(processes), '-l', 'WARNING', '--without-mingle'],
            cwd=CELERY, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self):
        """The whole worker at once, as when its machine fails."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self):
        """As an operator does it; the worker ends by itself."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(LIMIT_S)
            finally:
                self.kill()


class Site:
    """The application, as the process that calls tasks sees it."""

    def __init__(self, server):
        os.environ['KEYNOME_PORT'] = str(server.port)
        sys.path.insert(0, str(CELERY))
        sys.modules.pop('tasks', None)
        self.tasks = importlib.import_module('tasks')
        sys.path.remove(str(CELERY))
        self.server = server
        self.app = self.tasks.app
        self.broker, self.results, self.notes = (
            redis.Redis(port=server.port, db=db, decode_responses=True) for db in (1, 2, 3))

    def ready(self, worker):
        until(lambda: self.app.control.ping([worker.name], timeout=0.3), 'the worker %s' % worker.name)
        return worker

    def close(self):
        gc.collect()  # results say goodbye when they are forgotten: now, or not at all
        self.app.backend.result_consumer.stop()
        self.app.backend.result_consumer._pubsub = None
        self.app.close()
        for client in (self.broker, self.results, self.notes):
            client.close()


def until(probe, what, limit_s=LIMIT_S):
    end = time.monotonic() + limit_s
    while True:
        result = probe()
        if result:
            return result
        assert time.monotonic() < end, 'waited too long for ' + what
        time.sleep(0.01)


@pytest.fixture(scope='module')
def site(server):
    site = Site(server)
    yield site
    site.close()


@pytest.fixture(scope='module')
def worker(site):
    running = Worker(site.server, 'main', 'celery,special')
    try:
        yield site.ready(running)
    finally:
        running.kill()  # an orderly stop has a test of its own


@pytest.fixture
def tasks(site, worker):
    return site.tasks


@pytest.fixture
def start(site):
    """start(name, ...): workers of a test's own."""
    running = []

    def start_one(*args, **options):
        running.append(Worker(site.server, *args, **options))
        return running[-1]

    yield start_one
    for one in running:
        one.kill()


def test_a_task_and_its_result(tasks):
    result = tasks.add.delay(4, 4)
    assert result.get(timeout=LIMIT_S) == 8
    assert result.ready() and result.successful() and result.state == 'SUCCESS'
    assert tasks.add.apply_async(('ä', '\U0001f600'), serializer='json').get(timeout=LIMIT_S) == 'ä\U0001f600'


def test_where_things_are_kept(site, tasks):
    result = tasks.add.delay(1, 1)
    result.get(timeout=LIMIT_S)
    key = 'celery-task-meta-' + result.id
    assert site.results.exists(key) and not site.broker.exists(key)
    assert 0 < site.results.ttl(key) <= 600
    assert site.broker.smembers('_kombu.binding.celery')
    result.forget()
    assert not site.results.exists(key)
    with redis.Redis(port=site.server.port, db=0) as other:
        assert other.dbsize() == 0


def test_failure_travels(site, tasks):
    result = tasks.fail.apply_async(('no such page',), link_error=tasks.handle_error.s())
    with pytest.raises(ValueError, match='no such page'):
        result.get(timeout=LIMIT_S)
    assert result.failed() and 'ValueError' in result.traceback
    until(lambda: site.notes.lrange('errors', 0, -1) == ['ValueError: no such page'], 'the error handler')


def test_two_hundred_tasks(site, tasks):
    from celery import group
    job = group(tasks.add.s(n, n) for n in range(200)).apply_async()
    assert job.get(timeout=LIMIT_S) == [2 * n for n in range(200)]
    until(lambda: site.broker.zcard('unacked_index') == 0, 'all to be acknowledged')
    assert site.broker.hlen('unacked') == 0


def test_retries(site, tasks):
    result = tasks.stubborn.delay(2)
    assert result.get(timeout=LIMIT_S) == 2
    times = [float(each) for each in site.notes.lrange('attempts:' + result.id, 0, -1)]
    assert len(times) == 3 and all(later - before >= 0.1 for before, later in zip(times, times[1:]))
    lost = tasks.stubborn.delay(99)
    with pytest.raises(KeyError):
        lost.get(timeout=LIMIT_S)
    assert site.notes.llen('attempts:' + lost.id) == 4
    with pytest.raises(ZeroDivisionError):
        tasks.divide.delay(1, 0).get(timeout=LIMIT_S)


def test_chains_and_callbacks(site, tasks):
    from celery import chain
    assert chain(tasks.add.s(2, 2), tasks.add.s(4), tasks.add.s(8))().get(timeout=LIMIT_S) == 16
    tasks.add.apply_async((5, 5), link=tasks.mark.si('linked', 'yes')).get(timeout=LIMIT_S)
    until(lambda: site.notes.lrange('linked', 0, -1) == ['yes'], 'the callback')


def test_chords(tasks):
    from celery import chain, chord, group
    assert chord((tasks.add.s(n, n) for n in range(30)), tasks.total.s())().get(timeout=LIMIT_S) == 870
    nested = chain(chord([tasks.add.s(1, 1), tasks.add.s(2, 2)], tasks.total.s()),
                   group(tasks.add.s(10), tasks.add.s(20)), tasks.total.s())
    assert nested().get(timeout=LIMIT_S) == 42
    with pytest.raises(Exception, match='in the middle'):
        chord([tasks.add.s(1, 1), tasks.fail.s('in the middle')], tasks.total.s())().get(timeout=LIMIT_S)


def test_chords_leave_nothing_behind(site, tasks):
    from celery import chord

    def counters():
        return {key for key in site.results.scan_iter('*') if key.endswith(('.j', '.t', '.s'))}

    before = counters()
    chord([tasks.add.s(n, 1) for n in range(5)], tasks.total.s())().get(timeout=LIMIT_S)
    until(lambda: counters() <= before, 'the counters to go')


def test_maps_and_chunks(tasks):
    assert tasks.add.starmap([(1, 2), (3, 4)]).delay().get(timeout=LIMIT_S) == [3, 7]
    chunks = tasks.add.chunks(zip(range(20), range(20)), 7).group()
    assert sum(chunks.apply_async().get(timeout=LIMIT_S), []) == [2 * n for n in range(20)]


def test_countdowns(site, tasks):
    started = time.time()
    waits_s = (1.5, 0.4, 0)
    results = [tasks.clock.apply_async(countdown=wait_s) for wait_s in waits_s]
    for wait_s, result in zip(waits_s, results):
        assert result.get(timeout=LIMIT_S) - started >= wait_s
    assert results[2].get() < results[0].get()


def test_expired_tasks_do_not_run(site, tasks):
    expired = tasks.mark.apply_async(('expired', 'ran'), expires=-5)
    tasks.add.delay(1, 1).get(timeout=LIMIT_S)
    until(lambda: expired.state == 'REVOKED', 'the end of it')
    assert not site.notes.exists('expired')


def test_revoked_before_it_starts(site, tasks):
    result = tasks.mark.apply_async(('revoked', 'ran'), countdown=0.5)
    result.revoke()
    until(lambda: result.state == 'REVOKED', 'the end of it')
    assert not site.notes.exists('revoked')


def test_terminated_while_it_runs(site, tasks):
    site.notes.delete('sleeping')
    result = tasks.sleepy.delay(60)
    until(lambda: result.id in site.notes.lrange('sleeping', 0, -1), 'the task to start')
    assert result.state == 'STARTED'
    result.revoke(terminate=True, signal='SIGKILL')
    until(lambda: result.state == 'REVOKED', 'its end')
    assert tasks.add.delay(1, 2).get(timeout=LIMIT_S) == 3


def test_progress_is_seen_while_it_happens(site, tasks):
    result = tasks.report.delay(3)
    for page in (1, 2, 3):
        until(lambda: site.notes.llen('page:' + result.id) >= page, 'page %d' % page)
        assert (result.state, result.info) == ('PROGRESS', {'page': page, 'of': 3})
        site.notes.rpush('go on:' + result.id, 1)
    assert result.get(timeout=LIMIT_S) == 3


def test_queues_routes_and_results_nobody_wants(site, tasks):
    assert tasks.routed.delay('one').get(timeout=LIMIT_S) == 'special one'
    assert site.broker.smembers('_kombu.binding.special')
    result = tasks.silent.delay()
    until(lambda: result.id in site.notes.lrange('silent', 0, -1), 'the task')
    assert not site.results.exists('celery-task-meta-' + result.id)


def test_priorities(site, start):
    tasks = site.tasks
    for n, priority in enumerate((9, 5, 0, 5)):
        tasks.mark.apply_async(('priorities', '%d-%d' % (priority, n)), queue='ranked', priority=priority)
    assert site.broker.llen('ranked') == 1 and site.broker.llen('ranked:5') == 2
    start('ranked', 'ranked', processes=1)
    until(lambda: site.notes.llen('priorities') == 4, 'all')
    assert site.notes.lrange('priorities', 0, -1) == ['0-2', '5-1', '5-3', '9-0']


def test_remote_control(site, worker):
    inspect = site.app.control.inspect([worker.name], timeout=2)
    assert inspect.ping() == {worker.name: {'ok': 'pong'}}
    assert 'tasks.add' in inspect.registered()[worker.name]
    assert {queue['name'] for queue in inspect.active_queues()[worker.name]} == {'celery', 'special'}
    reply = site.app.control.rate_limit('tasks.routed', '100/s', reply=True, destination=[worker.name])
    assert 'ok' in reply[0][worker.name]


def test_events(site, tasks):
    heard = []
    listening = threading.Event()
    with site.app.connection_for_read() as connection:
        receiver = site.app.events.Receiver(connection, handlers={'*': heard.append})

        def listen():
            for _ in receiver.itercapture(limit=None, timeout=LIMIT_S, wakeup=True):
                if listening.is_set():
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        site.app.control.enable_events()
        result = until(lambda: heard and tasks.add.delay(20, 3), 'a first event')
        result.get(timeout=LIMIT_S)
        until(lambda: any(each['type'] == 'task-succeeded' and each['uuid'] == result.id for each in heard),
              'the events')
        listening.set()
        site.app.control.enable_events()
        tasks.add.delay(0, 0).get(timeout=LIMIT_S)
        thread.join(LIMIT_S)
        site.app.control.disable_events()
    assert {'task-received', 'task-started'} <= {
        each['type'] for each in heard if each.get('uuid') == result.id}


def test_a_killed_workers_task_is_delivered_again(site, start):
    """acks_late: what the dead worker held comes back once its visibility has timed out."""
    dying = site.ready(start('dying', 'fragile', visibility_s=1))
    result = site.tasks.late.apply_async((60,), queue='fragile')
    key = 'late:' + result.id
    until(lambda: site.notes.llen(key) == 1, 'the task to start')
    assert site.broker.hlen('unacked') == 1
    dying.kill()
    (tag, given), = site.broker.zrange('unacked_index', 0, -1, withscores=True)
    assert site.broker.hexists('unacked', tag)
    until(lambda: time.time() > given + 1.1, 'the visibility to time out')
    start('heir', 'fragile', visibility_s=1)
    assert result.get(timeout=LIMIT_S) > 0
    first, second = site.notes.lrange(key, 0, -1)
    assert first != second
    until(lambda: site.broker.hlen('unacked') == 0, 'the acknowledgement')


def test_a_process_that_dies_gives_its_task_back(site, tasks):
    result = tasks.crashing.delay()
    assert result.get(timeout=LIMIT_S) == 'survived'
    assert site.notes.llen('crashing:' + result.id) == 2


def test_stopping_puts_reserved_tasks_back(site, start):
    stopping = site.ready(start('stopping', 'stopped', processes=1))
    for n in range(8):
        site.tasks.mark.apply_async(('stopped', n), queue='stopped', countdown=3600)
    until(lambda: site.broker.zcard('unacked_index') == 8, 'the reservations')
    stopping.stop()
    # Now and then, one of them goes to a BRPOP that the worker itself still has under way, and waits
    # for its visibility to time out like that of a killed worker.
    assert site.broker.llen('stopped') + site.broker.hlen('unacked') == 8
    assert site.broker.llen('stopped') >= 7
    site.broker.delete('stopped', 'unacked', 'unacked_index')


def test_a_worker_survives_cut_connections(site, tasks):
    with redis.Redis(port=site.server.port) as other:
        for kind in ('normal', 'pubsub'):
            other.client_kill_filter(_type=kind, skipme=True)
    # What the callers hold is cut as well: they connect anew, at the first or the second call.
    def answered():
        try:
            return tasks.add.apply_async((2, 3), retry=True).get(timeout=5) == 5
        except (redis.ConnectionError, site.app.connection().OperationalError):
            return False
    until(answered, 'an answer')
