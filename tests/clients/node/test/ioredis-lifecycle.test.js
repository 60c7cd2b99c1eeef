'use strict';
/* A task's whole life with ioredis on the asking side and a worker in another process. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { ioredisTests } = require('../lib/ioredis');
const { Inbox, blockedClients } = require('../../../lib/wait');

const test = ioredisTests();

test('uploaded, queued, worked on, announced, kept for a day', async (open, t) => {
    const redis = await open.fresh();
    const sub = open();
    const inbox = new Inbox();
    sub.on('pmessage', inbox.put);
    await sub.psubscribe('ocr:notifications:user:*');
    const worker = spawn(process.execPath, [path.join(__dirname, '../lib/worker.js'),
        String(test.server.port), 'solo'], { stdio: ['ignore', 'inherit', 'inherit'] });
    t.after(() => worker.kill('SIGKILL'));
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    await blockedClients(() => redis.info('clients'));

    for (let id = 0; id < 20; id++) {
        const created = await redis.multi()
            .lpush('ocr:task:queue', id)
            .hset(`ocr:task:data:${id}`, { user_id: 'u1', file_id: `f${id}`, status: 'pending' })
            .incr('ocr:stats:tasks:total')
            .exec();
        assert.deepEqual(created[2], [null, id + 1]);
    }
    const ids = (await inbox.take(20)).map(([, channel, text]) => {
        assert.equal(channel, 'ocr:notifications:user:u1');
        return Number(JSON.parse(text).task_id);
    });
    assert.deepEqual(ids, Array.from({ length: 20 }, (_, id) => id));
    await redis.lpush('ocr:worker:stop', 'now');
    assert.equal(await exit, 0);
    const task = await redis.hgetall('ocr:task:data:19');
    assert.equal(task.status, 'completed');
    assert.equal(task.worker_id, 'solo');
    assert.ok(await redis.ttl('ocr:task:data:19') > 86000);
    assert.equal(await redis.get('ocr:stats:tasks:completed'), '20');
});
