'use strict';
/* Whatever the bytes and however many: binary values, large values, long pipelines. */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { eachVariant } = require('../lib/noderedis');

const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

eachVariant((test) => {
    test('buffers go in and come out unchanged', async (s) => {
        const client = await s.fresh();
        const raw = s.buffers(client);
        await client.set(every, every);
        assert.deepEqual(await raw.get(every), every);
        await client.hSet('h', 'raw', every);
        assert.deepEqual((await raw.hGetAll('h')).raw, every);
        await client.set('empty', '');
        assert.equal(await client.get('empty'), '');
    });

    test('text in every script keeps its length in bytes', async (s) => {
        const client = await s.fresh();
        const text = 'naïve Ångström 東京 🦜';
        await client.set(text, text);
        assert.equal(await client.get(text), text);
        assert.equal(await client.strLen(text), Buffer.byteLength(text));
    });

    test('64 MB in one value', async (s) => {
        const client = await s.fresh();
        const big = randomBytes(64 << 20);
        assert.equal(await client.set('big', big), 'OK');
        assert.equal(await client.strLen('big'), big.length);
        assert.ok((await s.buffers(client).get('big')).equals(big));
        assert.equal(await client.getRange('big', -0, 3), await client.getRange('big', 0, 3));
        assert.equal(await client.unlink('big'), 1);
    });

    test('ten thousand commands without waiting', async (s) => {
        const client = await s.fresh();
        const replies = await Promise.all(Array.from({ length: 10000 }, (_, i) =>
            (i % 2 ? client.get(`k${i - 1}`) : client.set(`k${i}`, String(i)))));
        replies.forEach((reply, i) => assert.equal(reply, i % 2 ? String(i - 1) : 'OK'));
    });

    test('ten thousand commands in a pipeline and in a transaction', async (s) => {
        const client = await s.fresh();
        const batch = () => {
            const multi = client.multi();
            for (let i = 0; i < 10000; i++) multi.incr('n');
            return multi;
        };
        assert.equal((await batch().execAsPipeline()).at(-1), 10000);
        assert.equal((await batch().exec()).at(-1), 20000);
    });

    test('pieces of a string', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.append('t', 'Hello'), 5);
        assert.equal(await client.setRange('t', 5, ' world'), 11);
        assert.equal(await client.getRange('t', -5, -1), 'world');
        assert.equal(await client.getSet('t', 'new'), 'Hello world');
    });
});
