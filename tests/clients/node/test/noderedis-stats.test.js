'use strict';
/* How much was done: counters, and one hash a day. */

const assert = require('node:assert/strict');
const { eachVariant, plain } = require('../lib/noderedis');

eachVariant((test) => {
    test('counters go up and down', async (s) => {
        const client = await s.fresh();
        for (let i = 1; i <= 3; i++) {
            assert.equal(await client.incr('ocr:stats:tasks:total'), i);
        }
        assert.equal(await client.incrBy('ocr:stats:tasks:completed', 5), 5);
        assert.equal(await client.decr('ocr:stats:tasks:pending'), -1);
        assert.equal(await client.decrBy('ocr:stats:tasks:pending', 9), -10);
        assert.equal(await client.get('ocr:stats:tasks:total'), '3');
        assert.equal(Number(await client.incrByFloat('ocr:stats:load', 0.25)), 0.25);
        assert.deepEqual(await client.mGet(['ocr:stats:tasks:total', 'none']), ['3', null]);
    });

    test('a counter does not wrap', async (s) => {
        const client = await s.fresh();
        await client.set('n', '9223372036854775807');
        await assert.rejects(client.incr('n'), /increment or decrement would overflow/);
        await client.set('n', 'many');
        await assert.rejects(client.incr('n'), /value is not an integer or out of range/);
    });

    test('many writers count exactly', async (s) => {
        const client = await s.fresh();
        const writers = await Promise.all([1, 2, 3, 4].map(() => s.client()));
        await Promise.all(writers.flatMap((w) =>
            Array.from({ length: 500 }, () => w.incr('ocr:stats:tasks:total'))));
        assert.equal(await client.get('ocr:stats:tasks:total'), '2000');
    });

    test('the figures of a day are kept for a month', async (s) => {
        const client = await s.fresh();
        const day = 'ocr:stats:daily:2024-10-14';
        await client.hSet(day, { tasks_completed: 45, tasks_failed: 2, avg_ms: 3500 });
        await client.hIncrBy(day, 'tasks_completed', 1);
        assert.deepEqual(plain(await client.hGetAll(day)),
            { tasks_completed: '46', tasks_failed: '2', avg_ms: '3500' });
        await client.expire(day, 30 * 86400);
        assert.ok(await client.ttl(day) > 29 * 86400);
    });

    test('distinct users are a set', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.sAdd('ocr:stats:users:mon', ['a', 'b', 'c', 'a']), 3);
        await client.sAdd('ocr:stats:users:tue', ['b', 'd']);
        assert.equal(await client.sCard('ocr:stats:users:mon'), 3);
        assert.deepEqual((await client.sMembers('ocr:stats:users:tue')).sort(), ['b', 'd']);
        assert.deepEqual(await client.sInter(['ocr:stats:users:mon', 'ocr:stats:users:tue']), ['b']);
        assert.equal(await client.sInterCard(['ocr:stats:users:mon', 'ocr:stats:users:tue']), 1);
        assert.equal(await client.sUnionStore('week',
            ['ocr:stats:users:mon', 'ocr:stats:users:tue']), 4);
        assert.deepEqual((await client.smIsMember('week', ['a', 'z'])).map(Number), [1, 0]);
        assert.equal(Number(await client.sMove('week', 'left', 'a')), 1);
        assert.equal(await client.sRem('week', ['b', 'z']), 1);
        assert.equal((await client.sPop('week')).length, 1);
    });
});
