'use strict';
/* Streams of keys and members through ioredis. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');

const test = ioredisTests();

async function drain(stream) {
    const items = [];
    for await (const page of stream) items.push(...page);
    return items;
}

test('scanStream finds every key of a pattern', async (open) => {
    const redis = await open.fresh();
    const pipeline = redis.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.set(`ocr:session:${i}`, i).set(`ocr:cache:${i}`, i);
    await pipeline.exec();
    const keys = await drain(redis.scanStream({ match: 'ocr:session:*', count: 100 }));
    assert.equal(new Set(keys).size, 5000);
    assert.ok(keys.every((key) => key.startsWith('ocr:session:')));
});

test('scanStream deletes while it walks', async (open) => {
    const redis = await open.fresh();
    const pipeline = redis.pipeline();
    for (let i = 0; i < 3000; i++) pipeline.set(`old:${i}`, i);
    await pipeline.set('keep', 'x').exec();
    for await (const page of redis.scanStream({ match: 'old:*', count: 50 })) {
        if (page.length) await redis.unlink(...page);
    }
    assert.deepEqual(await redis.keys('*'), ['keep']);
});

test('streams of fields, members and scores', async (open) => {
    const redis = await open.fresh();
    const names = Array.from({ length: 2000 }, (_, i) => `n${i}`);
    await redis.hset('h', Object.fromEntries(names.map((name) => [name, name])));
    await redis.sadd('s', ...names);
    await redis.zadd('z', ...names.flatMap((name, i) => [i, name]));
    assert.equal((await drain(redis.hscanStream('h'))).length % 2, 0);
    assert.equal(new Set(await drain(redis.sscanStream('s', { count: 10 }))).size, 2000);
    assert.equal(new Set(await drain(redis.zscanStream('z', { match: 'n1?' }))).size, 20);
});

test('by type', async (open) => {
    const redis = await open.fresh();
    await redis.set('t', '1');
    await redis.zadd('z', 1, 'm');
    assert.deepEqual(await drain(redis.scanStream({ type: 'zset' })), ['z']);
});
