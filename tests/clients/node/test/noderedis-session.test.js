'use strict';
/* Sign-in sessions: JSON under a token, alive for a week after the last activity. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');
const { until } = require('../../../lib/wait');

const WEEK_S = 7 * 24 * 60 * 60;
const token = (name) => `ocr:session:${name}`;

eachVariant((test) => {
    test('lives for a week', async (s) => {
        const client = await s.fresh();
        const session = { user_id: 'u-1', email: 'zoë@example.com', role: 'user' };
        assert.equal(await client.setEx(token('t1'), WEEK_S, JSON.stringify(session)), 'OK');
        assert.deepEqual(JSON.parse(await client.get(token('t1'))), session);
        assert.equal(await client.exists(token('t1')), 1);
        const ttl = await client.ttl(token('t1'));
        assert.ok(ttl > WEEK_S - 10 && ttl <= WEEK_S, String(ttl));
    });

    test('activity starts the week again', async (s) => {
        const client = await s.fresh();
        await client.set(token('t1'), '{}', { EX: 100 });
        assert.equal(await client.set(token('t1'), '{"last":2}', { EX: WEEK_S }), 'OK');
        assert.ok(await client.ttl(token('t1')) > 1000);
        await client.set(token('t1'), '{"last":3}', { KEEPTTL: true });
        assert.ok(await client.ttl(token('t1')) > 1000);
        await client.set(token('t1'), '{"last":4}');
        assert.equal(await client.ttl(token('t1')), -1);
        assert.equal(await client.ttl(token('none')), -2);
    });

    test('ends on its own', async (s) => {
        const client = await s.fresh();
        await client.set(token('short'), 'x', { PX: 40 });
        assert.ok(await client.pTTL(token('short')) <= 40);
        await until(async () => await client.get(token('short')) === null, 'the session to end');
        assert.equal(await client.exists(token('short')), 0);
    });

    test('ends on signing out', async (s) => {
        const client = await s.fresh();
        await client.setEx(token('t1'), WEEK_S, 'x');
        assert.equal(await client.del(token('t1')), 1);
        assert.equal(await client.del(token('t1')), 0);
        assert.equal(await client.get(token('t1')), null);
    });

    test('is read and refreshed, or taken, in one step', async (s) => {
        const client = await s.fresh();
        await client.set(token('t1'), 'data');
        assert.equal(await client.getEx(token('t1'), s.major === 4 ? { EX: 60 } : { type: 'EX', value: 60 }), 'data');
        assert.ok(await client.ttl(token('t1')) > 50);
        assert.equal(Number(await client.persist(token('t1'))), 1);
        assert.equal(await client.ttl(token('t1')), -1);
        assert.equal(await client.getDel(token('t1')), 'data');
        assert.equal(await client.getDel(token('t1')), null);
    });

    test('is created once', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.set(token('t1'), 'a', { NX: true, EX: 60 }), 'OK');
        assert.equal(await client.set(token('t1'), 'b', { NX: true, EX: 60 }), null);
        assert.equal(await client.set(token('t1'), 'c', { XX: true, GET: true }), 'a');
        assert.equal(await client.set(token('none'), 'c', { XX: true }), null);
    });

    test('all sessions of one user are found and ended', async (s) => {
        const client = await s.fresh();
        for (let i = 0; i < 200; i++) {
            await client.setEx(token(i), 60, JSON.stringify({ user_id: `u-${i % 10}` }));
        }
        let cursor = s.major === 4 ? 0 : '0';
        let ended = 0;
        do {
            const page = await client.scan(cursor, { MATCH: token('*'), COUNT: 100 });
            cursor = page.cursor;
            for (const key of page.keys) {
                const data = await client.get(key);
                if (data && JSON.parse(data).user_id === 'u-3') ended += await client.del(key);
            }
        } while (String(cursor) !== '0');
        assert.equal(ended, 20);
        assert.equal(await client.dbSize(), 180);
    });

    test('expiry conditions', async (s) => {
        const client = await s.fresh();
        await client.set('k', 'v');
        assert.equal(Number(await client.expire('k', 100, 'XX')), 0);
        assert.equal(Number(await client.expire('k', 100, 'NX')), 1);
        assert.equal(Number(await client.expire('k', 50, 'GT')), 0);
        assert.equal(Number(await client.expire('k', 50, 'LT')), 1);
        const at = Math.floor(Date.now() / 1000) + 500;
        assert.equal(Number(await client.expireAt('k', at)), 1);
        assert.equal(await client.expireTime('k'), at);
        assert.equal(Number(await client.expireAt('k', 1)), 1);
        assert.equal(await client.exists('k'), 0);
    });
});
