'use strict';
/* Pipelines, explicit and automatic, and bulk of every kind through ioredis. */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { ioredisTests } = require('../lib/ioredis');

const test = ioredisTests();

test('a pipeline answers each command', async (open) => {
    const redis = await open.fresh();
    await redis.set('key1', 'one');
    const replies = await redis.pipeline().get('key1').get('key2').lpush('key1', 'x').exec();
    assert.deepEqual(replies.slice(0, 2), [[null, 'one'], [null, null]]);
    assert.match(replies[2][0].message, /WRONGTYPE/);
});

test('ten thousand commands in one pipeline', async (open) => {
    const redis = await open.fresh();
    const pipeline = redis.pipeline();
    for (let i = 0; i < 10000; i++) pipeline.rpush('l', i);
    const replies = await pipeline.exec();
    replies.forEach(([error, length], i) => assert.deepEqual([error, length], [null, i + 1]));
    assert.equal((await redis.lrange('l', 0, -1)).length, 10000);
});

test('autopipelining keeps answers with their questions', async (open) => {
    const redis = await open.fresh({ enableAutoPipelining: true });
    await Promise.all(Array.from({ length: 5000 }, (_, i) => redis.set(`k${i}`, i)));
    const values = await Promise.all(Array.from({ length: 5000 }, (_, i) => redis.get(`k${i}`)));
    values.forEach((value, i) => assert.equal(value, String(i)));
});

test('binary keys, fields and values', async (open) => {
    const redis = await open.fresh();
    const bytes = randomBytes(1000);
    await redis.hset(bytes, bytes, bytes);
    assert.deepEqual(await redis.hgetBuffer(bytes, bytes), bytes);
    assert.deepEqual((await redis.keysBuffer('*'))[0], bytes);
});

test('64 MB in one value', async (open) => {
    const redis = await open.fresh();
    const big = randomBytes(64 << 20);
    await redis.set('big', big);
    assert.ok((await redis.getBuffer('big')).equals(big));
    assert.equal(await redis.del('big'), 1);
});

test('a key prefix is put before every key', async (open) => {
    const plain = await open.fresh();
    const redis = open({ keyPrefix: 'ocr:' });
    await redis.mset('a', '1', 'b', '2');
    await redis.zadd('z1', 1, 'm');
    await redis.zunionstore('z2', 1, 'z1');
    await redis.sort('l', 'STORE', 'l2');
    await redis.blpop('l', 0.01);
    assert.deepEqual((await plain.keys('*')).sort(), ['ocr:a', 'ocr:b', 'ocr:z1', 'ocr:z2']);
    assert.equal(await redis.rename('a', 'c'), 'OK');
    assert.equal(await plain.get('ocr:c'), '1');
});
