'use strict';
/* Urgent work first: tasks in a sorted set by priority. */

const assert = require('node:assert/strict');
const { eachVariant, plain } = require('../lib/noderedis');
const { blockedClients } = require('../../../lib/wait');

const URGENCY = 'ocr:task:priority';
const jobs = [
    { score: 3, value: 'thumbnail' }, { score: 5, value: 'receipt' },
    { score: 8, value: 'contract' }, { score: 10, value: 'passport' },
];

eachVariant((test) => {
    test('hands out the most and the least urgent task', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.zAdd(URGENCY, jobs), 4);
        assert.deepEqual(plain(await client.zPopMax(URGENCY)), jobs[3]);
        assert.deepEqual(plain(await client.zPopMin(URGENCY)), jobs[0]);
        assert.equal(await client.zCard(URGENCY), 2);
        assert.deepEqual((await client.zPopMaxCount(URGENCY, 5)).map(plain), [jobs[2], jobs[1]]);
        assert.equal(await client.zPopMax(URGENCY), null);
    });

    test('lists tasks upwards, downwards and from a threshold', async (s) => {
        const client = await s.fresh();
        await client.zAdd(URGENCY, jobs);
        assert.deepEqual((await client.zRangeWithScores(URGENCY, 0, -1)).map(plain), jobs);
        assert.deepEqual(await client.zRange(URGENCY, 0, 1, { REV: true }),
            ['passport', 'contract']);
        assert.deepEqual(await client.zRangeByScore(URGENCY, 7, '+inf'), ['contract', 'passport']);
        assert.deepEqual(await client.zRange(URGENCY, '(10', '-inf', { BY: 'SCORE', REV: true,
            LIMIT: { offset: 1, count: 1 } }), ['receipt']);
        assert.equal(await client.zCount(URGENCY, 4, 8), 2);
    });

    test('a new priority replaces the old one', async (s) => {
        const client = await s.fresh();
        await client.zAdd(URGENCY, jobs);
        assert.equal(await client.zAdd(URGENCY, { score: 9, value: 'receipt' }), 0);
        assert.equal(await client.zScore(URGENCY, 'receipt'), 9);
        assert.equal(await client.zRank(URGENCY, 'receipt'), 2);
        assert.equal(await client.zRevRank(URGENCY, 'receipt'), 1);
        assert.equal(await client.zIncrBy(URGENCY, 1.5, 'receipt'), 10.5);
        assert.deepEqual(await client.zmScore(URGENCY, ['receipt', 'none']), [10.5, null]);
        assert.equal(await client.zRem(URGENCY, ['receipt', 'none']), 1);
        assert.equal(await client.zScore(URGENCY, 'receipt'), null);
    });

    test('infinite priorities survive the journey', async (s) => {
        if (s.major === 4) return; /* that library reads only '+inf', which no server sends */
        const client = await s.fresh();
        await client.zAdd(URGENCY, [{ score: Infinity, value: 'now' },
            { score: -Infinity, value: 'never' }]);
        assert.deepEqual((await client.zRangeWithScores(URGENCY, 0, -1)).map(plain),
            [{ score: -Infinity, value: 'never' }, { score: Infinity, value: 'now' }]);
    });

    test('a worker sleeps until something urgent comes', async (s) => {
        const client = await s.fresh();
        const worker = await s.client();
        const take = worker.bzPopMax(URGENCY, 0);
        await blockedClients(() => client.info('clients'));
        await client.zAdd(URGENCY, jobs[2]);
        assert.deepEqual(plain(await take), { key: URGENCY, ...jobs[2] });
        assert.equal(await client.bzPopMin(URGENCY, 0.05), null);
    });

    test('combines sets of tasks', async (s) => {
        const client = await s.fresh();
        await client.zAdd('mine', [jobs[0], jobs[1]]);
        await client.zAdd('late', [jobs[1], jobs[2]]);
        assert.equal(await client.zUnionStore('both', ['mine', 'late']), 3);
        assert.equal(await client.zScore('both', 'receipt'), 10);
        assert.deepEqual(await client.zInter(['mine', 'late']), ['receipt']);
        assert.deepEqual(await client.zDiff(['mine', 'late']), ['thumbnail']);
        assert.equal(await client.zInterCard(['mine', 'late']), 1);
        assert.equal(await client.zRangeStore('top', 'both', 0, 0), 1);
    });

    test('pops from several sets', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.zmPop(['x', URGENCY], 'MAX'), null);
        await client.zAdd(URGENCY, jobs);
        const popped = await client.zmPop(['x', URGENCY], 'MAX', { COUNT: 2 });
        assert.equal(popped.key, URGENCY);
        assert.deepEqual([...(popped.members || popped.elements)].map(plain), [jobs[3], jobs[2]]);
        assert.equal((await client.bzmPop(1, ['x', URGENCY], 'MIN')).key, URGENCY);
    });
});
