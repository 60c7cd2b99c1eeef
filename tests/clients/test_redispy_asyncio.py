# SPDX-License-Identifier: BSD-3-Clause
"""redis-py's asyncio side: concurrent workers, pub/sub, pipelines, WATCH, scans, big values."""

import asyncio
import json

import pytest
import redis.asyncio as aioredis
from redis.exceptions import ResponseError, WatchError


@pytest.fixture
def run(server):
    """run(body): runs the coroutine function body(connect) on an empty server."""
    def run_body(body):
        async def outer():
            clients = []

            def connect(**options):
                clients.append(aioredis.Redis(port=server.port,
                                              **{'decode_responses': True, **options}))
                return clients[-1]
            await connect().flushall()
            try:
                await asyncio.wait_for(body(connect), 30)
            finally:
                for client in clients:
                    await client.close()
                    await client.connection_pool.disconnect()
        asyncio.run(outer())
    return run_body


def test_whole_life_of_tasks(run):
    async def worker(client, name):
        while True:
            queue, task_id = await client.brpop(['ocr:task:queue', 'ocr:worker:stop'])
            if queue == 'ocr:worker:stop':
                return
            task = 'ocr:task:data:' + task_id
            await client.hset(task, mapping={'status': 'processing', 'worker_id': name})
            async with client.pipeline(transaction=True) as pipe:
                pipe.hset(task, 'status', 'completed').expire(task, 86400)
                pipe.incr('ocr:stats:tasks:completed')
                pipe.publish('ocr:notifications', json.dumps({'task_id': task_id}))
                await pipe.execute()

    async def body(connect):
        client = connect()
        listener = client.pubsub()
        await listener.subscribe('ocr:notifications')
        workers = [asyncio.create_task(worker(connect(), 'w%d' % i)) for i in range(4)]
        for task_id in range(80):
            async with client.pipeline(transaction=True) as pipe:
                pipe.lpush('ocr:task:queue', task_id)
                pipe.hset('ocr:task:data:%d' % task_id, mapping={'status': 'pending'})
                pipe.incr('ocr:stats:tasks:total')
                await pipe.execute()
        announced = set()
        async for message in listener.listen():
            if message['type'] == 'message':
                announced.add(int(json.loads(message['data'])['task_id']))
                if len(announced) == 80:
                    break
        await client.lpush('ocr:worker:stop', *['x'] * 4)
        await asyncio.gather(*workers)
        assert await client.mget('ocr:stats:tasks:total', 'ocr:stats:tasks:completed') == [
            '80', '80']
        assert await client.hget('ocr:task:data:79', 'status') == 'completed'
        await listener.close()
    run(body)


def test_many_commands_at_once(run):
    async def body(connect):
        client = connect(max_connections=50)
        await asyncio.gather(*(client.incr('n') for _ in range(40)))
        assert await client.get('n') == '40'
        async with client.pipeline(transaction=False) as pipe:
            for i in range(10000):
                pipe.rpush('l', i)
            assert await pipe.execute() == list(range(1, 10001))
    run(body)


def test_patterns(run):
    async def body(connect):
        client = connect()
        listener = client.pubsub()
        await listener.psubscribe('ocr:*')
        assert (await listener.get_message(timeout=5))['type'] == 'psubscribe'
        assert await client.publish('ocr:x', 'm') == 1
        message = await listener.get_message(timeout=5)
        assert (message['pattern'], message['channel'], message['data']) == ('ocr:*', 'ocr:x', 'm')
        await listener.close()
    run(body)


def test_watch(run):
    async def body(connect):
        client, rival = connect(), connect()
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch('k')
            await rival.set('k', 1)
            pipe.multi()
            pipe.set('k', 2)
            with pytest.raises(WatchError):
                await pipe.execute()
        assert await client.get('k') == '1'
    run(body)


def test_sessions_and_scans(run):
    async def body(connect):
        client = connect()
        for i in range(300):
            await client.setex('ocr:session:%d' % i, 600, i)
        found = {key async for key in client.scan_iter('ocr:session:*', count=20)}
        assert len(found) == 300
        assert 590 < await client.ttl('ocr:session:5') <= 600
        with pytest.raises(ResponseError, match='WRONGTYPE'):
            await client.lpush('ocr:session:5', 'x')
    run(body)


def test_cancelled_wait_leaves_the_queue_alone(run):
    async def body(connect):
        client, worker = connect(), connect()
        wait = asyncio.create_task(worker.brpop('queue'))
        while (await client.info('clients'))['blocked_clients'] != 1:
            await asyncio.sleep(0.005)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        await worker.connection_pool.disconnect()
        while (await client.info('clients'))['blocked_clients'] != 0:
            await asyncio.sleep(0.005)
        await client.lpush('queue', 'safe')
        assert await client.llen('queue') == 1
    run(body)


def test_big_value(run):
    async def body(connect):
        client = connect(decode_responses=False)
        big = bytes(range(256)) * (1 << 16)
        await client.set('big', big)
        assert await client.get('big') == big
    run(body)
