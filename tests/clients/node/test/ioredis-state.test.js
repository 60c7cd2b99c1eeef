'use strict';
/* Sessions, caches and counters through ioredis. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');
const { until } = require('../../../lib/wait');

const test = ioredisTests();

test('sessions end when their time is up', async (open) => {
    const redis = await open.fresh();
    assert.equal(await redis.setex('ocr:session:a', 604800, '{"role":"user"}'), 'OK');
    assert.ok(await redis.ttl('ocr:session:a') > 604790);
    assert.equal(await redis.set('ocr:session:b', 'x', 'PX', 30), 'OK');
    await until(async () => await redis.get('ocr:session:b') === null, 'the end of a session');
    assert.equal(await redis.exists('ocr:session:a', 'ocr:session:b'), 1);
    assert.equal(await redis.set('ocr:session:a', 'x', 'EX', 5, 'NX'), null);
    assert.equal(await redis.set('ocr:session:a', 'y', 'XX', 'GET'), '{"role":"user"}');
    assert.equal(await redis.expire('ocr:session:a', 9), 1);
    assert.equal(await redis.persist('ocr:session:a'), 1);
    assert.equal(await redis.getdel('ocr:session:a'), 'y');
});

test('a cache reads through and is invalidated', async (open) => {
    const redis = await open.fresh();
    let asked = 0;
    const user = async (id) => {
        const key = `ocr:cache:user:${id}`;
        const hit = await redis.get(key);
        if (hit) return JSON.parse(hit);
        asked++;
        const fresh = { id, name: `user ${asked}` };
        await redis.setex(key, 300, JSON.stringify(fresh));
        return fresh;
    };
    assert.equal((await user('7')).name, 'user 1');
    assert.equal((await user('7')).name, 'user 1');
    await redis.del('ocr:cache:user:7');
    assert.equal((await user('7')).name, 'user 2');
    await redis.unlink(...await redis.keys('ocr:cache:user:*'));
    assert.equal(await redis.dbsize(), 0);
});

test('counters and the figures of a day', async (open) => {
    const redis = await open.fresh();
    assert.equal(await redis.incr('ocr:stats:tasks:total'), 1);
    assert.equal(await redis.incrby('ocr:stats:tasks:total', 5), 6);
    assert.equal(await redis.decr('ocr:stats:tasks:total'), 5);
    assert.equal(await redis.incrbyfloat('ocr:stats:load', '0.1'), '0.1');
    await redis.hset('ocr:stats:daily:2024-10-14', 'done', 45, 'failed', 2);
    assert.equal(await redis.hincrbyfloat('ocr:stats:daily:2024-10-14', 'done', 0.5), '45.5');
    assert.equal(await redis.expire('ocr:stats:daily:2024-10-14', 2592000), 1);
});

test('a list, a set and numbers in order', async (open) => {
    const redis = await open.fresh();
    await redis.rpush('n', 3, 1, 2);
    assert.deepEqual(await redis.sort('n'), ['1', '2', '3']);
    assert.deepEqual(await redis.sort('n', 'DESC', 'LIMIT', 0, 2), ['3', '2']);
    await redis.mset({ 'w:1': 30, 'w:2': 10, 'w:3': 20, 'name:1': 'c', 'name:2': 'a', 'name:3': 'b' });
    assert.deepEqual(await redis.sort('n', 'BY', 'w:*', 'GET', 'name:*', 'GET', '#'),
        ['a', '2', 'b', '3', 'c', '1']);
    assert.equal(await redis.sort('n', 'ALPHA', 'STORE', 'sorted'), 3);
    assert.deepEqual(await redis.lrange('sorted', 0, -1), ['1', '2', '3']);
});

test('how full the server is', async (open) => {
    const redis = await open.fresh();
    assert.match(await redis.info('memory'), /^used_memory:\d+\r$/m);
    await redis.hset('ocr:task:data:1', 'status', 'x'.repeat(5000));
    assert.ok(await redis.memory('USAGE', 'ocr:task:data:1') > 5000);
    assert.equal(await redis.memory('USAGE', 'none'), null);
    assert.equal(await redis.object('ENCODING', 'ocr:task:data:1'), 'hashtable');
});
