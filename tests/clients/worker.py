# SPDX-License-Identifier: BSD-3-Clause
"""A worker in a process of its own: takes tasks until told to stop.  Arguments: port, id."""

import json
import sys
import time

import redis


def work(client, task_id, worker_id):
    task = 'ocr:task:data:' + task_id
    client.hset(task, mapping={'status': 'processing', 'worker_id': worker_id,
                               'started_at': int(time.time())})
    client.hincrby(task, 'attempts', 1)
    owner = client.hget(task, 'user_id')
    with client.pipeline() as pipe:
        pipe.hset(task, mapping={'status': 'completed', 'completed_at': int(time.time())})
        pipe.expire(task, 86400)
        pipe.incr('ocr:stats:tasks:completed')
        pipe.publish('ocr:notifications:user:' + owner,
                     json.dumps({'type': 'task_completed', 'task_id': task_id}))
        pipe.execute()


def main(port, worker_id):
    client = redis.Redis(port=int(port), decode_responses=True)
    while True:
        queue, item = client.brpop(['ocr:task:queue', 'ocr:worker:stop'])
        if queue == 'ocr:worker:stop':
            return
        work(client, item, worker_id)


if __name__ == '__main__':
    main(*sys.argv[1:])
