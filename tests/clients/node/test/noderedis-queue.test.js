'use strict';
/* A work queue on a list: producers push left, workers take right, idle workers block. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');
const { blockedClients } = require('../../../lib/wait');

const QUEUE = 'ocr:task:queue';

eachVariant((test) => {
    test('takes jobs in the order they were put in', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.lPush(QUEUE, 'scan-1'), 1);
        assert.equal(await client.lPush(QUEUE, ['scan-2', 'scan-3']), 3);
        assert.equal(await client.lLen(QUEUE), 3);
        assert.deepEqual(await client.lRange(QUEUE, 0, -1), ['scan-3', 'scan-2', 'scan-1']);
        for (const job of ['scan-1', 'scan-2', 'scan-3', null]) {
            assert.equal(await client.rPop(QUEUE), job);
        }
        assert.equal(await client.exists(QUEUE), 0);
    });

    test('takes several jobs at once', async (s) => {
        const client = await s.fresh();
        await client.rPush(QUEUE, ['a', 'b', 'c', 'd']);
        assert.deepEqual(await client.lPopCount(QUEUE, 2), ['a', 'b']);
        assert.deepEqual(await client.rPopCount(QUEUE, 9), ['d', 'c']);
        assert.equal(await client.lPopCount(QUEUE, 2), null);
    });

    test('a blocking take answers at once when work is there', async (s) => {
        const client = await s.fresh();
        await client.lPush(QUEUE, 'ready');
        assert.deepEqual({ ...await client.brPop(QUEUE, 5) }, { key: QUEUE, element: 'ready' });
    });

    test('a blocking take gives up after its time', async (s) => {
        const client = await s.fresh();
        const start = Date.now();
        assert.equal(await client.brPop(QUEUE, 0.1), null);
        assert.ok(Date.now() - start >= 95);
    });

    test('a push wakes the worker that waited longest', async (s) => {
        const producer = await s.fresh();
        const workers = [await s.client(), await s.client()];
        const takes = [];
        for (const worker of workers) {
            takes.push(worker.brPop([QUEUE, 'ocr:task:retry'], 0));
            await blockedClients(() => producer.info('clients'), takes.length);
        }
        assert.equal(await producer.lPush('ocr:task:retry', 'second chance'), 1);
        assert.equal((await takes[0]).element, 'second chance');
        await producer.lPush(QUEUE, 'fresh');
        assert.deepEqual({ ...await takes[1] }, { key: QUEUE, element: 'fresh' });
        assert.equal(await producer.lLen(QUEUE), 0);
    });

    test('moves a job to the working list in one step', async (s) => {
        const client = await s.fresh();
        await client.lPush(QUEUE, ['one', 'two']);
        assert.equal(await client.lMove(QUEUE, 'working', 'RIGHT', 'LEFT'), 'one');
        assert.equal(await client.blMove(QUEUE, 'working', 'RIGHT', 'LEFT', 1), 'two');
        assert.equal(await client.rPopLPush('working', QUEUE), 'one');
        assert.deepEqual(await client.lRange('working', 0, -1), ['two']);
    });

    test('pops from the first list that has something', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.lmPop(['high', 'low'], 'LEFT'), null);
        await client.rPush('low', ['1', '2', '3']);
        assert.deepEqual(await client.lmPop(['high', 'low'], 'LEFT', { COUNT: 2 }),
            ['low', ['1', '2']]);
        assert.deepEqual(await client.blmPop(0.1, ['high', 'low'], 'RIGHT'), ['low', ['3']]);
        assert.equal(await client.blmPop(0.05, ['high', 'low'], 'RIGHT'), null);
    });

    test('edits a list in the middle', async (s) => {
        const client = await s.fresh();
        await client.rPush('l', ['a', 'b', 'a', 'c', 'a']);
        assert.deepEqual(await client.lPosCount('l', 'a', 0), [0, 2, 4]);
        assert.equal(await client.lInsert('l', 'BEFORE', 'c', 'x'), 6);
        assert.equal(await client.lRem('l', -2, 'a'), 2);
        assert.equal(await client.lSet('l', 0, 'first'), 'OK');
        assert.equal(await client.lTrim('l', 0, 1), 'OK');
        assert.deepEqual(await client.lRange('l', 0, -1), ['first', 'b']);
        assert.equal(await client.lIndex('l', 5), null);
    });
});
