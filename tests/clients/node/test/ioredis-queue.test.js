'use strict';
/* The work queue, the task hashes and the urgency set through ioredis. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');
const { blockedClients } = require('../../../lib/wait');

const test = ioredisTests();
const QUEUE = 'ocr:task:queue';

test('takes jobs in the order they were put in', async (open) => {
    const redis = await open.fresh();
    assert.equal(await redis.lpush(QUEUE, 'a', 'b', 'c'), 3);
    assert.equal(await redis.llen(QUEUE), 3);
    assert.deepEqual(await redis.lrange(QUEUE, 0, -1), ['c', 'b', 'a']);
    assert.equal(await redis.rpop(QUEUE), 'a');
    assert.deepEqual(await redis.rpop(QUEUE, 5), ['b', 'c']);
    assert.equal(await redis.rpop(QUEUE), null);
});

test('blocks until work comes, or time is up', async (open) => {
    const redis = await open.fresh();
    const worker = open();
    assert.equal(await worker.brpop(QUEUE, 0.05), null);
    const take = worker.brpop(QUEUE, 'ocr:task:retry', 0);
    await blockedClients(() => redis.info('clients'));
    await redis.lpush('ocr:task:retry', 'job');
    assert.deepEqual(await take, ['ocr:task:retry', 'job']);
    assert.deepEqual(await redis.blmpop(0.05, 1, QUEUE, 'LEFT'), null);
});

test('moves a job while it is worked on', async (open) => {
    const redis = await open.fresh();
    await redis.rpush(QUEUE, 'x');
    assert.equal(await redis.brpoplpush(QUEUE, 'busy', 1), 'x');
    assert.equal(await redis.blmove('busy', QUEUE, 'LEFT', 'LEFT', 1), 'x');
    assert.equal(await redis.lrem(QUEUE, 0, 'x'), 1);
});

test('task hashes', async (open) => {
    const redis = await open.fresh();
    const task = 'ocr:task:data:1';
    assert.equal(await redis.hset(task, { status: 'pending', priority: 5 }), 2);
    assert.equal(await redis.hset(task, new Map([['status', 'processing'], ['n', '1']])), 1);
    assert.deepEqual(await redis.hgetall(task),
        { status: 'processing', priority: '5', n: '1' });
    assert.equal(await redis.hincrby(task, 'attempts', 1), 1);
    assert.deepEqual(await redis.hmget(task, 'status', 'none'), ['processing', null]);
    assert.deepEqual(await redis.hgetall('none'), {});
    assert.equal(await redis.hmset(task, 'a', '1', 'b', '2'), 'OK');
    assert.equal(await redis.hdel(task, 'a', 'none'), 1);
});

test('urgency', async (open) => {
    const redis = await open.fresh();
    const set = 'ocr:task:priority';
    assert.equal(await redis.zadd(set, 3, 'low', 8, 'high', 10, 'urgent'), 3);
    assert.deepEqual(await redis.zpopmax(set), ['urgent', '10']);
    assert.deepEqual(await redis.zrevrange(set, 0, -1, 'WITHSCORES'), ['high', '8', 'low', '3']);
    assert.deepEqual(await redis.zrangebyscore(set, 7, '+inf'), ['high']);
    assert.equal(await redis.zadd(set, 'CH', 9, 'low'), 1);
    assert.equal(await redis.zadd(set, 'NX', 1, 'low'), 0);
    assert.equal(await redis.zadd(set, 'GT', 'INCR', -1, 'low'), null);
    assert.equal(await redis.zscore(set, 'low'), '9');
    assert.deepEqual(await redis.bzpopmin(set, 1), [set, 'high', '8']);
    assert.deepEqual(await redis.zpopmin(set, 3), ['low', '9']);
});
