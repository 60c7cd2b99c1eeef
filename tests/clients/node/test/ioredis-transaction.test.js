'use strict';
/* Transactions and optimistic locking through ioredis. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');

const test = ioredisTests();

test('all commands of a transaction answer in order', async (open) => {
    const redis = await open.fresh();
    assert.deepEqual(await redis.multi().lpush('q', 'a').hset('h', 'f', 1).incr('n').exec(),
        [[null, 1], [null, 1], [null, 1]]);
});

test('without a pipeline of its own', async (open) => {
    const redis = await open.fresh();
    await redis.multi({ pipeline: false });
    assert.equal(await redis.set('k', '1'), 'QUEUED');
    assert.equal(await redis.incr('k'), 'QUEUED');
    assert.deepEqual(await redis.exec(), [[null, 'OK'], [null, 2]]);
});

test('one failure among successes', async (open) => {
    const redis = await open.fresh();
    const [set, wrong, incr] = await redis.multi().set('t', 'x').lpush('t', 'y').incr('n').exec();
    assert.equal(set[1], 'OK');
    assert.match(wrong[0].message, /^WRONGTYPE/);
    assert.equal(incr[1], 1);
});

test('a bad command aborts it all', async (open) => {
    const redis = await open.fresh();
    await assert.rejects(redis.multi().set('k', 'v').call('nosuchcommand').exec(), /EXECABORT/);
    assert.equal(await redis.exists('k'), 0);
});

test('a watched key that changes gives null', async (open) => {
    const redis = await open.fresh();
    const rival = open();
    await redis.watch('k');
    await rival.set('k', 'first');
    assert.equal(await redis.multi().set('k', 'mine').exec(), null);
    assert.equal(await redis.get('k'), 'first');
    assert.deepEqual(await redis.multi().set('k', 'mine').exec(), [[null, 'OK']]);
});

test('an expired watched key, a flush and a swap abort too', async (open) => {
    const redis = await open.fresh();
    const rival = open();
    await redis.set('k', 'v');
    for (const change of [['flushdb'], ['set', 'k', 'w'], ['swapdb', '0', '1']]) {
        await redis.watch('k');
        await rival.call(...change);
        assert.equal(await redis.multi().ping().exec(), null, change.join(' '));
    }
});
