# SPDX-License-Identifier: BSD-3-Clause
"""A task's whole life with redis-py: created in one process, done in others, announced, kept."""

import json
import pathlib
import subprocess
import sys

from conftest import blocked

WORKER = str(pathlib.Path(__file__).with_name('worker.py'))
TASKS = 100
WORKERS = 3


def create(db, task_id):
    with db.pipeline(transaction=True) as pipe:
        pipe.lpush('ocr:task:queue', task_id)
        pipe.hset('ocr:task:data:%d' % task_id,
                  mapping={'user_id': 'u%d' % (task_id % 7), 'status': 'pending', 'priority': 5})
        pipe.incr('ocr:stats:tasks:total')
        assert pipe.execute()[1:] == [3, task_id + 1]


def finished(listener, count):
    """The task ids of the next count notifications."""
    ids = []
    while len(ids) < count:
        message = listener.get_message(timeout=10)
        assert message is not None, 'only %d of %d tasks were announced' % (len(ids), count)
        if message['type'] == 'pmessage':
            ids.append(int(json.loads(message['data'])['task_id']))
    return ids


def test_every_task_is_done_once_and_announced(server, db):
    listener = db.pubsub()
    listener.psubscribe('ocr:notifications:user:*')
    workers = [subprocess.Popen([sys.executable, WORKER, str(server.port), 'w%d' % i])
               for i in range(WORKERS)]
    try:
        blocked(db, WORKERS)
        for task_id in range(TASKS):
            create(db, task_id)
        assert sorted(finished(listener, TASKS)) == list(range(TASKS))
        db.lpush('ocr:worker:stop', *['stop'] * WORKERS)
        assert [worker.wait(10) for worker in workers] == [0] * WORKERS
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        listener.close()
    assert db.llen('ocr:task:queue') == 0
    assert db.get('ocr:stats:tasks:completed') == str(TASKS)
    for task_id in range(TASKS):
        task = db.hgetall('ocr:task:data:%d' % task_id)
        assert (task['status'], task['attempts']) == ('completed', '1')
        assert db.ttl('ocr:task:data:%d' % task_id) > 86000
