'use strict';
/* Lifetimes of single hash fields. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');
const { newer } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

eachVariant((test, variant) => {
    test('a field has a lifetime of its own', newer, async (s) => {
        const client = await s.fresh();
        await client.hSet('h', { a: '1', b: '2', c: '3' });
        assert.deepEqual(await client.hExpire('h', ['a', 'none'], 100), [1, -2]);
        const [ttl] = await client.hTTL('h', 'a');
        assert.ok(ttl > 90 && ttl <= 100);
        assert.deepEqual(await client.hTTL('h', ['b', 'none']), [-1, -2]);
        assert.deepEqual(await client.hPersist('h', ['a', 'b']), [1, -1]);
        const at = Math.floor(Date.now() / 1000) + 1000;
        assert.deepEqual(await client.hExpireAt('h', 'a', at), [1]);
        assert.deepEqual(await client.hExpireTime('h', 'a'), [at]);
        assert.deepEqual(await client.hExpire('h', 'a', 5, 'GT'), [0]);
    });

    test('a field ends on its own, and the hash with its last field', newer, async (s) => {
        const client = await s.fresh();
        await client.hSet('h', { a: '1', b: '2' });
        assert.deepEqual(await client.hpExpire('h', 'a', 20), [1]);
        await until(async () => Number(await client.hExists('h', 'a')) === 0, 'the field to end');
        assert.deepEqual({ ...await client.hGetAll('h') }, { b: '2' });
        await client.hpExpire('h', 'b', 20);
        await until(async () => await client.exists('h') === 0, 'the hash to end');
    });

    if (variant.major < 5) return;

    test('reading and writing with a lifetime', newer, async (s) => {
        const client = await s.fresh();
        assert.equal(await client.hSetEx('h', { a: '1', b: '2' },
            { expiration: { type: 'EX', value: 100 } }), 1);
        assert.ok((await client.hTTL('h', 'b'))[0] > 90);
        assert.deepEqual(await client.hGetEx('h', ['a', 'none'],
            { expiration: { type: 'PERSIST' } }), ['1', null]);
        assert.deepEqual(await client.hTTL('h', 'a'), [-1]);
        assert.deepEqual(await client.hGetDel('h', ['a', 'none']), ['1', null]);
        assert.equal(await client.hLen('h'), 1);
    });
});
