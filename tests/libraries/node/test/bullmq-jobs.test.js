'use strict';
/* BullMQ: jobs from add to completed, what can be asked of them, and getting rid of them. */

const assert = require('node:assert/strict');
const path = require('node:path');
const Redis = require('ioredis');
const { createClient } = require('redis');
const { Job, bullmqTests } = require('../lib/bullmq');
const { until } = require('../../../lib/wait');

const names = (jobs) => jobs.map((job) => job.name);
const finished = (queue, count) => until(async () => await queue.getCompletedCount() === count,
    `${count} completed jobs`);

bullmqTests('jobs', (test) => {
    test('the first example: add, process, hear of it', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const heard = [];
        events.on('completed', ({ jobId, returnvalue }) => heard.push([jobId, returnvalue]));
        bench.worker(async (job) => {
            assert.equal(job.name, 'paint');
            return { painted: job.data.color, attempt: job.attemptsMade };
        });
        const jobs = [await queue.add('paint', { color: 'red' }), await queue.add('paint', { color: 'blue' })];
        for (const job of jobs) {
            assert.deepEqual(await job.waitUntilFinished(events),
                { painted: job.data.color, attempt: 0 });
        }
        await until(() => heard.length === 2, 'two events');
        assert.deepEqual(heard, [['1', { painted: 'red', attempt: 0 }], ['2', { painted: 'blue', attempt: 0 }]]);
        assert.equal(await jobs[0].getState(), 'completed');
        const stored = await queue.getJob('2');
        assert.deepEqual(stored.returnvalue, { painted: 'blue', attempt: 0 });
        assert.ok(stored.timestamp <= stored.processedOn && stored.processedOn <= stored.finishedOn);
    });

    test('first in first out, and last in first out where asked', async (bench) => {
        const queue = bench.queue();
        for (const name of ['a', 'b', 'c']) await queue.add(name, {});
        await queue.add('now', {}, { lifo: true });
        const order = [];
        bench.worker(async (job) => { order.push(job.name); });
        await finished(queue, 4);
        assert.deepEqual(order, ['now', 'a', 'b', 'c']);
    });

    test('addBulk adds all, in order, each with its options', async (bench) => {
        const queue = bench.queue({ defaultJobOptions: { attempts: 3, removeOnComplete: true } });
        const jobs = await queue.addBulk([
            { name: 'a', data: { n: 1 } }, { name: 'b', data: { n: 2 }, opts: { delay: 100000 } },
            { name: 'c', data: { n: 3 }, opts: { priority: 7 } },
            ...Array.from({ length: 200 }, (_, n) => ({ name: 'many', data: { n }, opts: { jobId: `m${n}` } })),
        ]);
        assert.equal(jobs.length, 203);
        assert.deepEqual(await queue.getJobCounts('waiting', 'delayed', 'prioritized', 'active'),
            { waiting: 201, delayed: 1, prioritized: 1, active: 0 });
        const stored = await queue.getJob('m42');
        assert.deepEqual([stored.name, stored.data, stored.opts.attempts], ['many', { n: 42 }, 3]);
        assert.equal(await queue.getJobState('m42'), 'waiting');
        assert.equal(await queue.getJobState('nobody'), 'unknown');
        assert.equal(await queue.count(), 203);
    });

    test('a job id is used once', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const again = [];
        events.on('duplicated', ({ jobId }) => again.push(jobId));
        await queue.add('first', { n: 1 }, { jobId: 'mine' });
        await queue.add('second', { n: 2 }, { jobId: 'mine' });
        assert.deepEqual((await queue.getJob('mine')).data, { n: 1 });
        assert.equal(await queue.getWaitingCount(), 1);
        await until(() => again.length === 1, 'the event');
        assert.deepEqual(again, ['mine']);
        await assert.rejects(queue.add('x', {}, { jobId: '17' }), /Custom Id cannot be integers/);
    });

    test('progress, logs and data while a job runs', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const progress = [];
        events.on('progress', ({ data }) => progress.push(data));
        bench.worker(async (job) => {
            for (let page = 1; page <= 3; page++) {
                await job.updateProgress({ page });
                await job.log(`page ${page}`);
            }
            await job.updateData({ ...job.data, pages: 3, title: 'Ünïcode \u{1f4c4}\0end' });
            await job.updateProgress(100);
        });
        const job = await queue.add('scan', { file: 'a.pdf' }, { keepLogs: 2 });
        await job.waitUntilFinished(events);
        await until(() => progress.length === 4, 'the last progress');
        assert.deepEqual(progress, [{ page: 1 }, { page: 2 }, { page: 3 }, 100]);
        assert.deepEqual(await queue.getJobLogs(job.id), { logs: ['page 2', 'page 3'], count: 2 });
        const stored = await queue.getJob(job.id);
        assert.deepEqual(stored.data, { file: 'a.pdf', pages: 3, title: 'Ünïcode \u{1f4c4}\0end' });
        assert.equal(stored.progress, 100);
        await job.clearLogs();
        assert.deepEqual(await queue.getJobLogs(job.id), { logs: [], count: 0 });
    });

    test('many workers, every job once', async (bench) => {
        const queue = bench.queue();
        const seen = new Map();
        for (let i = 0; i < 4; i++) {
            bench.worker(async (job) => { seen.set(job.data.n, (seen.get(job.data.n) || 0) + 1); },
                { concurrency: 5 });
        }
        await queue.addBulk(Array.from({ length: 300 }, (_, n) => ({ name: 'n', data: { n } })));
        await finished(queue, 300);
        assert.equal(seen.size, 300);
        assert.ok([...seen.values()].every((times) => times === 1));
        assert.deepEqual(await queue.getJobCounts('active', 'waiting', 'failed'),
            { active: 0, waiting: 0, failed: 0 });
    });

    test('concurrency, of a worker and of the whole queue', async (bench) => {
        const queue = bench.queue();
        /* Jobs wait at a gate until as many run as should. */
        const most = async (expected) => {
            let running = 0;
            let peak = 0;
            let open;
            const gate = new Promise((resolve) => { open = resolve; });
            const done = await queue.getCompletedCount();
            const workers = [1, 2].map(() => bench.worker(async () => {
                peak = Math.max(peak, ++running);
                await gate;
                await new Promise((resolve) => setTimeout(resolve, 5));
                running--;
            }, { concurrency: 3 }));
            await queue.addBulk(Array.from({ length: 30 }, () => ({ name: 'x', data: {} })));
            await until(() => running >= expected, `${expected} jobs to run`);
            open();
            await finished(queue, done + 30);
            for (const worker of workers) await worker.close();
            return peak;
        };
        assert.equal(await most(6), 6);
        await queue.setGlobalConcurrency(2);
        assert.equal(await queue.getGlobalConcurrency(), 2);
        assert.equal(await most(2), 2);
        await queue.removeGlobalConcurrency();
        assert.equal(await queue.getGlobalConcurrency(), null);
    });

    test('lists of jobs, by state, page and direction', async (bench) => {
        const queue = bench.queue();
        await queue.addBulk(['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, data: {} })));
        await queue.add('later', {}, { delay: 100000 });
        await queue.add('urgent', {}, { priority: 1 });
        assert.deepEqual(names(await queue.getWaiting()), ['a', 'b', 'c', 'd', 'e']);
        assert.deepEqual(names(await queue.getJobs(['waiting'], 0, 1, true)), ['a', 'b']);
        assert.deepEqual(names(await queue.getJobs(['waiting'], 0, 1, false)), ['e', 'd']);
        assert.deepEqual(names(await queue.getDelayed()), ['later']);
        assert.deepEqual(names(await queue.getPrioritized()), ['urgent']);
        assert.deepEqual(names(await queue.getJobs()).sort(),
            ['a', 'b', 'c', 'd', 'e', 'later', 'urgent']);
        bench.worker(async (job) => { if (job.name === 'c') throw new Error('no c'); });
        await finished(queue, 5);
        await until(async () => await queue.getFailedCount() === 1, 'the failure');
        assert.deepEqual(names(await queue.getCompleted(0, 1)), ['urgent', 'e']);
        const [failed] = await queue.getFailed();
        assert.deepEqual([failed.name, failed.failedReason], ['c', 'no c']);
        assert.match(failed.stacktrace[0], /Error: no c/);
    });

    test('finished jobs are kept by number and by age', async (bench) => {
        const queue = bench.queue();
        const worker = bench.worker(async (job) => { if (job.data.fail) throw new Error('x'); },
            { removeOnComplete: { count: 3 } });
        await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: `${n}`, data: {} })));
        await until(() => queue.getJob('10').then((job) => job?.finishedOn), 'the last job');
        assert.deepEqual(names(await queue.getCompleted()), ['9', '8', '7']);
        assert.equal(await queue.getJob('1'), undefined);
        await worker.close();
        bench.worker(async (job) => { if (job.data.fail) throw new Error('x'); });
        await queue.add('gone', {}, { jobId: 'gone', removeOnComplete: true });
        await queue.add('bad', { fail: true }, { jobId: 'bad', removeOnFail: true });
        await queue.add('old', { fail: true }, { jobId: 'old', removeOnFail: { age: 3600 } });
        await until(async () => await queue.getFailedCount() === 1, 'the failed job');
        assert.deepEqual(names(await queue.getFailed()), ['old']);
        assert.equal(await queue.getJob('gone'), undefined);
        assert.equal(await queue.getJob('bad'), undefined);
    });

    test('remove, drain, clean, obliterate leave no key behind', async (bench, t) => {
        const queue = bench.queue();
        const redis = new Redis(bench.connection);
        t.after(() => redis.disconnect());
        const keys = async () => (await redis.keys(`bull:${bench.name}:*`))
            .map((key) => key.split(':')[2]).sort();
        const job = await queue.add('one', {});
        await job.log('kept with the job');
        await queue.add('later', {}, { delay: 100000 });
        await job.remove();
        assert.equal(await queue.getJob('1'), undefined);
        assert.equal(await redis.exists(`bull:${bench.name}:1`, `bull:${bench.name}:1:logs`), 0);
        await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
        await queue.drain();
        assert.deepEqual(await queue.getJobCounts('waiting', 'delayed'), { waiting: 0, delayed: 1 });
        await queue.drain(true);
        assert.equal(await queue.count(), 0);
        const worker = bench.worker(async (each) => { if (each.name === 'bad') throw new Error('bad'); });
        await queue.addBulk([...'123456'].map((name) => ({ name, data: {} })));
        const bad = await queue.add('bad', {});
        await until(async () => await queue.getFailedCount() === 1 &&
            await queue.getCompletedCount() === 6, 'all jobs');
        await worker.close();
        await until(async () => (await queue.clean(0, 4, 'completed')).length === 4, 'four cleaned');
        assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 2, failed: 1 });
        assert.deepEqual(await queue.clean(0, 100, 'failed'), [bad.id]);
        await queue.add('left', {});
        await queue.obliterate({ force: true });
        assert.deepEqual(await keys(), []);
    });

    test('deduplication: simple, for a time, debounced', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const dropped = [];
        events.on('deduplicated', (event) => dropped.push(event));
        const add = (name, deduplication, more) => queue.add(name, { name }, { deduplication, ...more });
        const first = await add('a', { id: 'simple' });
        assert.equal((await add('b', { id: 'simple' })).id, first.id);
        assert.equal(await queue.getDeduplicationJobId('simple'), first.id);
        await until(() => dropped.length === 1, 'the event');
        assert.equal(dropped[0].deduplicationId, 'simple');
        const long = await add('c', { id: 'throttle', ttl: 60000 });
        assert.equal((await add('d', { id: 'throttle', ttl: 60000 })).id, long.id);
        const short = await add('e', { id: 'short', ttl: 50 });
        await until(async () => await queue.getDeduplicationJobId('short') === null, 'the end of it');
        assert.notEqual((await add('e', { id: 'short', ttl: 50 })).id, short.id);
        const debounce = { id: 'debounce', ttl: 60000, extend: true, replace: true };
        await add('f', debounce, { delay: 60000 });
        const last = await add('g', debounce, { delay: 60000 });
        assert.deepEqual(names(await queue.getDelayed()), ['g']);
        assert.deepEqual(last.data, { name: 'g' });
        assert.equal(await queue.removeDeduplicationKey('simple'), 1);
        assert.notEqual((await add('h', { id: 'simple' })).id, first.id);
    });

    test('a worker of one\'s own: the job is fetched and moved by hand', async (bench) => {
        const queue = bench.queue();
        const worker = bench.worker(null);
        const token = 'my-token';
        const [a, b, c] = await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
        const take = () => worker.getNextJob(token);
        const job = await take();
        assert.equal(job.id, a.id);
        assert.ok(await job.isActive());
        assert.equal(await job.extendLock(token, 30000), 1);
        await assert.rejects(job.moveToCompleted('x', 'not-my-token'), /Lock mismatch/);
        await job.moveToCompleted('done', token, false);
        await (await take()).moveToFailed(new Error('by hand'), token, false);
        const third = await take();
        await third.moveToWait(token);
        assert.equal(await c.getState(), 'waiting');
        const again = await take();
        await again.moveToDelayed(Date.now() + 60000, token);
        assert.deepEqual(await Promise.all([a, b, c].map((each) => each.getState())),
            ['completed', 'failed', 'delayed']);
        assert.equal(await worker.getNextJob(token, { block: false }), undefined);
        const returned = await Job.fromId(queue, a.id);
        assert.equal(returned.returnvalue, 'done');
    });

    test('a processor in a process of its own', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        bench.worker(path.join(__dirname, '../lib/sandboxed.js'));
        const good = await queue.add('good', { n: 20 });
        const bad = await queue.add('bad', { n: -1 });
        const { twice, pid } = await good.waitUntilFinished(events);
        assert.equal(twice, 40);
        assert.notEqual(pid, process.pid);
        await assert.rejects(bad.waitUntilFinished(events), /negative/);
        assert.deepEqual((await queue.getJobLogs(good.id)).logs, ['from the sandbox']);
        assert.equal((await queue.getJob(good.id)).progress, 50);
    });

    test('workers and listeners are seen; metrics are kept', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        await events.waitUntilReady();
        const first = bench.worker(async () => 1, { name: 'Ada', metrics: { maxDataPoints: 10 } });
        bench.worker(async () => 1, { name: 'Bob', metrics: { maxDataPoints: 10 } });
        await until(async () => await queue.getWorkersCount() === 2, 'both workers');
        assert.deepEqual((await queue.getWorkers()).map((each) => each.rawname.split(':').pop()).sort(),
            ['Ada', 'Bob']);
        await until(async () => (await queue.getQueueEvents()).length === 1, 'the listener');
        await queue.addBulk([1, 2, 3].map((n) => ({ name: 'n', data: { n } })));
        await finished(queue, 3);
        assert.equal((await queue.getMetrics('completed')).meta.count, 3);
        assert.match(await queue.exportPrometheusMetrics(), /bullmq_job_count\{queue="q\d+", state="completed"\} 3/);
        await first.close();
        await until(async () => await queue.getWorkersCount() === 1, 'one worker fewer');
    });

    test('another prefix, with a hash tag', async (bench, t) => {
        const queue = bench.queue({ prefix: '{tenant}' });
        const events = bench.events({ prefix: '{tenant}' });
        bench.worker(async (job) => job.data.n + 1, { prefix: '{tenant}' });
        assert.equal(await (await queue.add('n', { n: 1 })).waitUntilFinished(events), 2);
        const redis = new Redis(bench.connection);
        t.after(() => redis.disconnect());
        assert.equal(await redis.type(`{tenant}:${bench.name}:1`), 'hash');
        assert.equal(await redis.type(`{tenant}:${bench.name}:events`), 'stream');
    });

    test('connections that are shared, and node-redis ones', async (bench, t) => {
        const shared = new Redis({ ...bench.connection, maxRetriesPerRequest: null });
        const node = createClient({ socket: bench.connection });
        node.on('error', () => {});
        await node.connect();
        t.after(async () => { await bench.close(); shared.disconnect(); node.destroy(); });
        for (const connection of [shared, node]) {
            const name = `${bench.name}-${connection === node}`;
            const queue = bench.queue({ connection }, name);
            const events = bench.events({ connection }, name);
            bench.worker(async (job) => job.data.n * 3, { connection }, name);
            const jobs = await queue.addBulk([1, 2, 3].map((n) => ({ name: 'n', data: { n } })));
            assert.deepEqual(await Promise.all(jobs.map((job) => job.waitUntilFinished(events))), [3, 6, 9]);
        }
    });

    test('large data, and data past its limit', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        bench.worker(async (job) => job.data.text.length);
        const job = await queue.add('big', { text: 'x'.repeat(3 << 20) });
        assert.equal(await job.waitUntilFinished(events), 3 << 20);
        await assert.rejects(queue.add('big', { text: 'x'.repeat(2000) }, { sizeLimit: 1000 }),
            /exceeds the limit 1000 bytes/);
    });
});
