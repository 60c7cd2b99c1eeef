# SPDX-License-Identifier: BSD-3-Clause
"""The Celery application under test: broker on database 1, results on database 2.

KEYNOME_PORT names the server.  The worker is Celery's own program, in a process of its own.
"""

import os
import signal
import time

import celery
import redis
from celery.exceptions import Ignore

PORT = os.environ['KEYNOME_PORT']
BROKER = 'redis://127.0.0.1:%s/1' % PORT
RESULTS = 'redis://127.0.0.1:%s/2' % PORT

app = celery.Celery('tasks', broker=BROKER, backend=RESULTS)
app.conf.update(
    broker_transport_options={
        'visibility_timeout': int(os.environ.get('VISIBILITY_S', '3600')),
        'queue_order_strategy': 'priority', 'priority_steps': list(range(10)), 'sep': ':',
    },
    result_expires=600,
    task_track_started=True,
    task_routes={'tasks.routed': {'queue': 'special'}},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


def note(name, value):
    """Leaves a mark that the test can see, on database 3."""
    with redis.Redis(port=int(PORT), db=3) as client:
        return client.rpush(name, value)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fail(text):
    raise ValueError(text)


@app.task
def handle_error(request, error, traceback):
    note('errors', '%s: %s' % (type(error).__name__, error))


@app.task(bind=True, max_retries=3, default_retry_delay=0.1)
def stubborn(self, good_at):
    """Fails until its good_at-th attempt."""
    note('attempts:' + self.request.id, repr(time.time()))
    if self.request.retries < good_at:
        raise self.retry(exc=KeyError('attempt %d' % self.request.retries))
    return self.request.retries


@app.task(autoretry_for=(ZeroDivisionError,), retry_kwargs={'max_retries': 2, 'countdown': 0.05})
def divide(x, y):
    return x / y


@app.task(bind=True)
def report(self, pages):
    for page in range(1, pages + 1):
        self.update_state(state='PROGRESS', meta={'page': page, 'of': pages})
        note('page:' + self.request.id, page)
        with redis.Redis(port=int(PORT), db=3) as client:
            client.blpop('go on:' + self.request.id, 10)
    return pages


@app.task
def mark(name, value):
    return note(name, value)


@app.task
def clock():
    return time.time()


@app.task
def routed(value):
    return 'special %s' % value


@app.task(bind=True)
def sleepy(self, seconds):
    note('sleeping', self.request.id)
    time.sleep(seconds)
    return 'awake'


@app.task(bind=True, ignore_result=True)
def silent(self):
    note('silent', self.request.id)


@app.task
def ignored():
    raise Ignore()


@app.task(bind=True, acks_late=True)
def late(self, seconds):
    """Sleeps the first time, and is done at once when it is delivered again."""
    if note('late:' + self.request.id, os.getpid()) == 1:
        time.sleep(seconds)
    return os.getpid()


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def crashing(self):
    """Kills the process that runs it, the first time."""
    if note('crashing:' + self.request.id, os.getpid()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 'survived'
