'use strict';
/* BullMQ: flows, parents that wait for children, in one queue or several. */

const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { WaitingChildrenError, bullmqTests } = require('../lib/bullmq');
const { until } = require('../../../lib/wait');

bullmqTests('flows', (test) => {
    test('the renovation: children in another queue, then the parent', async (bench) => {
        const steps = `${bench.name}-steps`;
        const events = bench.events();
        const ran = [];
        const child = (name, n) => ({ name, data: { n }, queueName: steps });
        const tree = await bench.flow().add({
            name: 'renovate', queueName: bench.name, data: { house: 7 },
            children: [child('paint', 1), child('tile', 2), child('fix', 3)],
        });
        assert.equal(await tree.job.getState(), 'waiting-children');
        assert.deepEqual(await tree.job.getDependenciesCount({ processed: true, unprocessed: true }),
            { processed: 0, unprocessed: 3 });
        bench.worker(async (job) => { ran.push(job.name); return job.data.n * 10; }, {}, steps);
        bench.worker(async (job) => {
            ran.push(job.name);
            const values = await job.getChildrenValues();
            assert.ok(Object.keys(values).every((key) => key.startsWith(`bull:${steps}:`)));
            return Object.values(values).reduce((sum, each) => sum + each, 0);
        });
        assert.equal(await tree.job.waitUntilFinished(events), 60);
        assert.equal(ran[3], 'renovate');
        const { processed, unprocessed } = await tree.job.getDependencies();
        assert.equal(Object.keys(processed).length, 3);
        assert.equal((unprocessed || []).length, 0);
    });

    test('three levels, bottom up, and the tree can be read', async (bench) => {
        const flow = bench.flow();
        const node = (name, children) => ({ name, queueName: bench.name, data: {}, children });
        const tree = await flow.add(node('root', [node('left', [node('l1'), node('l2')]), node('right')]));
        const read = await flow.getFlow({ id: tree.job.id, queueName: bench.name });
        const shape = ({ job, children }) => [job.name, (children || []).map(shape).sort()];
        assert.deepEqual(shape(read), ['root', [['left', [['l1', []], ['l2', []]]], ['right', []]]]);
        const shallow = await flow.getFlow({ id: tree.job.id, queueName: bench.name, depth: 2 });
        assert.deepEqual(shape(shallow), ['root', [['left', []], ['right', []]]]);
        const order = [];
        bench.worker(async (job) => { order.push(job.name); });
        await until(() => order.length === 5, 'all five');
        assert.equal(order[4], 'root');
        assert.ok(order.indexOf('left') > order.indexOf('l1') && order.indexOf('left') > order.indexOf('l2'));
    });

    test('several flows at once, with options for queues', async (bench) => {
        const queue = bench.queue();
        const trees = await bench.flow().addBulk([1, 2, 3].map((n) => ({
            name: 'p', queueName: bench.name, data: { n },
            children: [{ name: 'c', queueName: bench.name, data: { n }, opts: { priority: n, attempts: 2 } }],
        })));
        assert.equal(trees.length, 3);
        assert.equal(await queue.getWaitingChildrenCount(), 3);
        assert.deepEqual((await queue.getWaitingChildren()).map((job) => job.name).sort(), ['p', 'p', 'p']);
        const order = [];
        bench.worker(async (job) => {
            if (job.name === 'c' && job.attemptsMade === 0) throw new Error('first attempts fail');
            order.push(job.name + job.data.n);
        });
        await until(async () => await queue.getCompletedCount() === 6, 'all');
        for (const n of [1, 2, 3]) assert.ok(order.indexOf(`c${n}`) < order.indexOf(`p${n}`), String(order));
    });

    test('a failed child: fails, is ignored, is removed, lets go on', async (bench) => {
        const flow = bench.flow();
        const queue = bench.queue();
        const add = (name, opts) => flow.add({
            name, queueName: bench.name, data: {},
            children: [{ name: 'bad', queueName: bench.name, data: {}, opts },
                { name: 'good', queueName: bench.name, data: {} }],
        });
        const fails = await add('fails', { failParentOnFailure: true });
        const ignores = await add('ignores', { ignoreDependencyOnFailure: true });
        const removes = await add('removes', { removeDependencyOnFailure: true });
        const continues = await add('continues', { continueParentOnFailure: true });
        const waits = await add('waits', {});
        const seen = {};
        bench.worker(async (job) => {
            if (job.name === 'bad') throw new Error('bad child');
            if (job.name === 'good') return 1;
            seen[job.name] = [Object.values(await job.getChildrenValues()),
                Object.values(await job.getIgnoredChildrenFailures())];
            if (job.name === 'continues') await job.removeUnprocessedChildren();
            return 'parent';
        });
        await until(async () => await fails.job.getState() === 'failed', 'the failure');
        for (const tree of [ignores, removes, continues]) {
            await until(async () => await tree.job.getState() === 'completed', tree.job.name);
        }
        assert.match((await queue.getJob(fails.job.id)).failedReason, /child .* failed/);
        assert.deepEqual(seen.ignores, [[1], ['bad child']]);
        assert.deepEqual(seen.removes, [[1], []]);
        assert.deepEqual(seen.continues[1], ['bad child']);
        assert.equal(seen.fails, undefined);
        assert.equal(await waits.job.getState(), 'waiting-children');
        const bad = waits.children.find(({ job }) => job.name === 'bad').job;
        assert.equal(await bad.removeChildDependency(), true);
        await until(async () => await waits.job.getState() === 'completed', 'the one set free');
    });

    test('failure travels up to the grandparent', async (bench) => {
        const opts = { failParentOnFailure: true };
        const tree = await bench.flow().add({
            name: 'top', queueName: bench.name, children: [{
                name: 'middle', queueName: bench.name, opts,
                children: [{ name: 'leaf', queueName: bench.name, opts }],
            }],
        });
        const ran = [];
        bench.worker(async (job) => { ran.push(job.name); throw new Error('no'); });
        await until(async () => await tree.job.getState() === 'failed', 'failure at the top');
        assert.deepEqual(ran, ['leaf']);
    });

    test('a job gets children while it runs', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const waiting = [];
        events.on('waiting-children', ({ jobId }) => waiting.push(jobId));
        bench.worker(async (job, token) => {
            if (job.name === 'page') return job.data.n * job.data.n;
            if (!job.data.split) {
                for (const n of [1, 2, 3]) {
                    await queue.add('page', { n }, { parent: { id: job.id, queue: job.queueQualifiedName } });
                }
                await job.updateData({ split: true });
            }
            if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
            return Object.values(await job.getChildrenValues()).sort();
        });
        const job = await queue.add('book', {});
        assert.deepEqual(await job.waitUntilFinished(events), [1, 4, 9]);
        await until(() => waiting.length === 1, 'the event');
        assert.deepEqual(waiting, [job.id]);
    });

    test('removing a parent removes its children', async (bench, t) => {
        const queue = bench.queue();
        const redis = new Redis(bench.connection);
        t.after(() => redis.disconnect());
        const child = (name) => ({ name, queueName: bench.name, data: {} });
        const tree = await bench.flow().add({ ...child('p'), children: [child('a'), { ...child('b'), children: [child('c')] }] });
        const other = await bench.flow().add({ ...child('q'), children: [child('d'), child('e')] });
        await tree.job.remove();
        assert.deepEqual((await queue.getJobs()).map((job) => job.name).sort(), ['d', 'e', 'q']);
        await other.children[0].job.remove();
        assert.deepEqual(await other.job.getDependenciesCount({ unprocessed: true }), { unprocessed: 1 });
        await other.job.removeUnprocessedChildren();
        assert.equal(await other.job.getState(), 'waiting');
        assert.deepEqual((await redis.keys(`bull:${bench.name}:*dependencies`)), []);
    });

    test('a hundred children', async (bench) => {
        const events = bench.events();
        const tree = await bench.flow().add({
            name: 'sum', queueName: bench.name,
            children: Array.from({ length: 100 }, (_, n) => ({ name: 'n', data: { n }, queueName: bench.name })),
        });
        for (let i = 0; i < 2; i++) {
            bench.worker(async (job) => (job.name === 'n' ? job.data.n
                : Object.values(await job.getChildrenValues()).reduce((sum, n) => sum + n)), { concurrency: 8 });
        }
        assert.equal(await tree.job.waitUntilFinished(events), 4950);
        const page = await tree.job.getDependencies({ processed: { count: 30, cursor: 0 } });
        assert.ok(Object.keys(page.processed).length > 0);
    });
});
