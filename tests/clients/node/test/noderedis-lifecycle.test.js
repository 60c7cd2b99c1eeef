'use strict';
/* A task's whole life: created here, done by workers in other processes, announced, cleaned up. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { eachVariant } = require('../lib/noderedis');
const { Inbox, blockedClients } = require('../../../lib/wait');

const TASKS = 60;
const WORKERS = 2;

function startWorker(s, id) {
    const child = spawn(process.execPath,
        [path.join(__dirname, '../lib/worker.js'), String(s.server.port), id],
        { stdio: ['ignore', 'inherit', 'inherit'] });
    s.t.after(() => child.kill('SIGKILL'));
    return new Promise((resolve) => child.once('exit', resolve));
}

function submit(client, id) {
    return client.multi()
        .lPush('ocr:task:queue', id)
        .hSet(`ocr:task:data:${id}`, {
            user_id: `u${id % 3}`, file_id: `f${id}`, status: 'pending', priority: 5,
            created_at: Date.now(),
        })
        .incr('ocr:stats:tasks:total')
        .exec();
}

eachVariant((test) => {
    test('every task is done once and its owner is told', async (s) => {
        const client = await s.fresh();
        const listener = await s.client();
        const inbox = new Inbox();
        await listener.pSubscribe('ocr:notifications:user:*', inbox.put);
        const exits = [];
        for (let i = 0; i < WORKERS; i++) exits.push(startWorker(s, `worker-${i}`));
        await blockedClients(() => client.info('clients'), WORKERS);

        for (let i = 0; i < TASKS; i++) await submit(client, String(i));
        const notes = (await inbox.take(TASKS)).map(([text, channel]) => {
            const note = JSON.parse(text);
            assert.equal(channel, `ocr:notifications:user:${note.user_id}`);
            return note.task_id;
        });
        assert.equal(new Set(notes).size, TASKS);

        await client.lPush('ocr:worker:stop', Array(WORKERS).fill('stop'));
        assert.deepEqual(await Promise.all(exits), Array(WORKERS).fill(0));
        assert.equal(await client.get('ocr:stats:tasks:total'), String(TASKS));
        assert.equal(await client.get('ocr:stats:tasks:completed'), String(TASKS));
        assert.equal(await client.lLen('ocr:task:queue'), 0);
        for (let i = 0; i < TASKS; i++) {
            const task = await client.hGetAll(`ocr:task:data:${i}`);
            assert.equal(task.status, 'completed');
            assert.equal(task.attempts, '1');
            assert.ok(await client.ttl(`ocr:task:data:${i}`) > 86000);
        }
    });
});
