'use strict';
/* bee-queue 2. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, test: nodeTest } = require('node:test');
const Queue = require('bee-queue');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const server = serverForFile();
let lastName = 0;

function test(title, body) {
    nodeTest(title, { timeout: 120000 }, async (t) => {
        const name = `q${++lastName}`;
        const open = [];
        const queue = (options = {}) => {
            const made = new Queue(name, { redis: { host: '127.0.0.1', port: server.port }, ...options });
            made.on('error', () => {}); /* reconnecting is the library's business */
            open.push(made);
            return made;
        };
        t.after(() => Promise.all(open.map((each) => each.close(5000))));
        await body(queue, name, t);
    });
}

const outcome = (job) => new Promise((resolve) => {
    job.once('succeeded', (result) => resolve(result));
    job.once('failed', (error) => resolve(error));
});

describe('bee-queue', { concurrency: 16 }, () => {
    test('the first example: create, save, process', async (queue) => {
        const addQueue = queue();
        await addQueue.ready();
        const job = addQueue.createJob({ x: 2, y: 3 });
        const result = outcome(job);
        await job.save();
        addQueue.process(async (each) => each.data.x + each.data.y);
        assert.equal(await result, 5);
        assert.equal((await addQueue.getJob(job.id)).status, 'succeeded');
    });

    test('a producer and workers apart; progress and events travel', async (queue) => {
        const producer = queue({ isWorker: false });
        const heard = [];
        producer.on('job succeeded', (id, result) => heard.push([id, result]));
        await producer.ready();
        const worker = queue({ sendEvents: true, getEvents: false });
        worker.process(2, async (job) => {
            job.reportProgress({ page: 1, of: 2 });
            return job.data.n * 2;
        });
        const job = producer.createJob({ n: 21 });
        const progress = once(job, 'progress');
        const result = outcome(job);
        await job.save();
        assert.deepEqual((await progress)[0], { page: 1, of: 2 });
        assert.equal(await result, 42);
        await until(() => heard.length === 1, 'the event');
        assert.deepEqual(heard, [[job.id, 42]]);
    });

    test('retries with backoff, a timeout', async (queue) => {
        const work = queue({ activateDelayedJobs: true });
        const runs = [];
        work.process(async (job) => {
            if (job.data.hang) return new Promise(() => {});
            runs.push(Date.now());
            if (runs.length < 3) throw new Error('not yet');
            return 'good';
        });
        const job = work.createJob({}).retries(3).backoff('exponential', 40);
        const result = outcome(job);
        const retrying = [];
        job.on('retrying', (error) => retrying.push(error.message));
        await job.save();
        assert.equal(await result, 'good');
        assert.deepEqual(retrying, ['not yet', 'not yet']);
        assert.ok(runs[1] - runs[0] >= 38 && runs[2] - runs[1] >= 78, `${runs}`);
        const slow = work.createJob({ hang: true }).timeout(50);
        const failure = outcome(slow);
        await slow.save();
        assert.match((await failure).message, /timed out/);
    });

    test('delayed until a date', async (queue) => {
        const work = queue({ activateDelayedJobs: true });
        const start = Date.now();
        const ran = [];
        work.process(async (job) => { ran.push([job.data, Date.now()]); });
        await work.saveAll([work.createJob('late').delayUntil(new Date(start + 800)),
            work.createJob('soon').delayUntil(start + 400), work.createJob('now')]);
        await until(() => ran.length === 3, 'all');
        assert.deepEqual(ran.map(([data]) => data), ['now', 'soon', 'late']);
        assert.ok(ran[1][1] - start >= 400 && ran[2][1] - start >= 800);
    });

    test('many at once, every one once', async (queue) => {
        const producer = queue({ isWorker: false });
        const seen = new Map();
        for (let i = 0; i < 3; i++) {
            queue().process(5, async (job) => { seen.set(job.data.n, (seen.get(job.data.n) || 0) + 1); });
        }
        const jobs = Array.from({ length: 200 }, (_, n) => producer.createJob({ n }));
        const errors = await producer.saveAll(jobs);
        assert.equal(errors.size, 0);
        await until(async () => (await producer.checkHealth()).succeeded === 200, 'all');
        assert.ok(seen.size === 200 && [...seen.values()].every((times) => times === 1));
        const { waiting, active, failed, newestJob } = await producer.checkHealth();
        assert.deepEqual([waiting, active, failed, newestJob], [0, 0, 0, 200]);
    });

    test('ids of one\'s own, lists, removal, destruction', async (queue) => {
        const work = queue({ removeOnSuccess: true });
        await work.createJob({ n: 1 }).setId('mine').save();
        const again = await work.createJob({ n: 2 }).setId('mine').save();
        assert.equal(again.id, null);
        assert.deepEqual((await work.getJob('mine')).data, { n: 1 });
        await work.createJob({ n: 3 }).save();
        assert.deepEqual((await work.getJobs('waiting', { start: 0, end: 10 })).map((job) => job.data.n).sort(), [1, 3]);
        await work.createJob({ n: 4 }).delayUntil(Date.now() + 60000).save();
        assert.equal((await work.getJobs('delayed', { start: 0, end: 10 })).length, 1);
        await work.removeJob('mine');
        assert.equal(await work.getJob('mine'), null);
        work.process(async (job) => { if (job.data.n === 5) throw new Error('five'); });
        await work.createJob({ n: 5 }).save();
        await until(async () => (await work.getJobs('failed', { size: 100 })).length === 1, 'the failure');
        await until(async () => (await work.checkHealth()).active === 0, 'the others');
        assert.equal((await work.checkHealth()).succeeded, 0);
        await work.destroy();
        assert.deepEqual((await work.checkHealth()).failed, 0);
    });

    test('a killed worker\'s job is run by another', async (queue, name, t) => {
        const child = spawn(process.execPath, [path.join(__dirname, '../lib/hang.js'), 'bee-queue',
            String(server.port), name, '{"stallInterval":200}'], { stdio: ['ignore', 'pipe', 'inherit'] });
        t.after(() => child.kill('SIGKILL'));
        const work = queue({ stallInterval: 200 });
        const job = work.createJob({ n: 20 });
        const result = outcome(job);
        await job.save();
        const [said] = await once(child.stdout, 'data');
        assert.equal(String(said), `active ${job.id}\n`);
        child.kill('SIGKILL');
        await once(child, 'exit');
        const stalled = [];
        work.on('stalled', (id) => stalled.push(id));
        work.process(async (each) => each.data.n + 1);
        await until(async () => {
            await work.checkStalledJobs();
            return stalled.length > 0;
        }, 'the stalled job');
        assert.equal(await result, 21);
        assert.deepEqual(stalled, [job.id]);
    });

    test('closing waits for the job that runs', async (queue) => {
        const work = queue();
        let release;
        work.process(() => new Promise((resolve) => { release = resolve; }));
        const job = await work.createJob({}).save();
        await until(() => release, 'the job');
        const closing = work.close(5000);
        release('well');
        await closing;
        const reader = queue({ isWorker: false });
        assert.equal((await reader.getJob(job.id)).status, 'succeeded');
    });
});
