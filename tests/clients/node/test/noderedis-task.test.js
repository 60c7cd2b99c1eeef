'use strict';
/* What a task is and how far it has come: one hash a task. */

const assert = require('node:assert/strict');
const { eachVariant, plain } = require('../lib/noderedis');

const TASK = 'ocr:task:data:41';

eachVariant((test) => {
    test('creates, reads and updates the fields of a task', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.hSet(TASK, {
            user_id: 'u-7', file_id: 'f-9', status: 'pending', priority: 5,
        }), 4);
        assert.equal(await client.hGet(TASK, 'status'), 'pending');
        assert.equal(await client.hSet(TASK, { status: 'processing', started_at: 1697040120 }), 1);
        assert.deepEqual(plain(await client.hGetAll(TASK)), {
            user_id: 'u-7', file_id: 'f-9', status: 'processing', priority: '5',
            started_at: '1697040120',
        });
        assert.deepEqual(await client.hmGet(TASK, ['priority', 'absent', 'user_id']),
            ['5', null, 'u-7']);
    });

    test('counts attempts', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.hIncrBy(TASK, 'attempts', 1), 1);
        assert.equal(await client.hIncrBy(TASK, 'attempts', 1), 2);
        assert.equal(await client.hIncrByFloat(TASK, 'progress', 12.5), '12.5');
        await client.hSet(TASK, 'status', 'failed');
        await assert.rejects(client.hIncrBy(TASK, 'status', 1), /hash value is not an integer/);
    });

    test('asks what a task has', async (s) => {
        const client = await s.fresh();
        await client.hSet(TASK, ['status', 'done', 'worker_id', 'w-1']);
        assert.deepEqual((await client.hKeys(TASK)).sort(), ['status', 'worker_id']);
        assert.deepEqual((await client.hVals(TASK)).sort(), ['done', 'w-1']);
        assert.equal(await client.hLen(TASK), 2);
        assert.equal(Number(await client.hExists(TASK, 'status')), 1);
        assert.equal(Number(await client.hSetNX(TASK, 'status', 'again')), 0);
        assert.equal(await client.hStrLen(TASK, 'worker_id'), 3);
        assert.ok(['status', 'worker_id'].includes(await client.hRandField(TASK)));
    });

    test('an unknown task is an empty object', async (s) => {
        const client = await s.fresh();
        assert.deepEqual(plain(await client.hGetAll('ocr:task:data:none')), {});
        assert.equal(await client.hGet('ocr:task:data:none', 'status') ?? null, null);
    });

    test('is removed field by field or whole', async (s) => {
        const client = await s.fresh();
        await client.hSet(TASK, { a: 1, b: 2, c: 3 });
        assert.equal(await client.hDel(TASK, ['a', 'b', 'z']), 2);
        assert.equal(await client.del(TASK), 1);
        assert.equal(await client.exists(TASK), 0);
        await client.hSet(TASK, { a: 1 });
        assert.equal(await client.hDel(TASK, 'a'), 1);
        assert.equal(await client.type(TASK), 'none');
    });

    test('is kept for a day after it is done', async (s) => {
        const client = await s.fresh();
        await client.hSet(TASK, 'status', 'completed');
        assert.equal(Number(await client.expire(TASK, 86400)), 1);
        const ttl = await client.ttl(TASK);
        assert.ok(ttl > 86390 && ttl <= 86400, String(ttl));
        assert.equal(Number(await client.expire('ocr:task:data:none', 86400)), 0);
    });
});
