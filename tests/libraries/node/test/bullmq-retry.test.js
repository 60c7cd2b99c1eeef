'use strict';
/* BullMQ: failure. Retries and their backoff, workers killed in the middle of a job, lost connections. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { once } = require('node:events');
const Redis = require('ioredis');
const { UnrecoverableError, bullmqTests } = require('../lib/bullmq');
const { until } = require('../../../lib/wait');

/* A worker process that takes one job, says so, and never finishes it. */
async function hangingWorker(bench, t, options = {}) {
    const child = spawn(process.execPath, [path.join(__dirname, '../lib/hang.js'), 'bullmq',
        String(bench.server.port), bench.name, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (chunk) => { said += chunk; });
    return {
        holds: () => until(() => said.match(/active (.+)\n/)?.[1], 'the process to take a job'),
        kill: async () => {
            child.kill('SIGKILL');
            await once(child, 'exit');
        },
    };
}

bullmqTests('retries', (test) => {
    test('as many attempts as asked, then failed', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const exhausted = [];
        events.on('retries-exhausted', (event) => exhausted.push(event));
        bench.worker(async (job) => {
            if (job.attemptsMade < job.data.good) throw new Error(`attempt ${job.attemptsMade}`);
            return 'at last';
        });
        const good = await queue.add('good', { good: 2 }, { attempts: 3 });
        const bad = await queue.add('bad', { good: 9 }, { attempts: 3, stackTraceLimit: 2 });
        assert.equal(await good.waitUntilFinished(events), 'at last');
        await assert.rejects(bad.waitUntilFinished(events), /attempt 2/);
        await until(() => exhausted.length === 1, 'the event');
        assert.deepEqual(exhausted[0], { jobId: bad.id, attemptsMade: '3' });
        const stored = await queue.getJob(bad.id);
        assert.equal(stored.attemptsMade, 3);
        assert.equal(stored.stacktrace.length, 2);
        assert.equal((await queue.getJob(good.id)).attemptsMade, 3);
    });

    test('backoff: fixed, exponential, one\'s own', async (bench) => {
        const queue = bench.queue();
        const runs = {};
        bench.worker(async (job) => {
            (runs[job.name] ||= []).push(Date.now());
            throw new Error('again');
        }, { concurrency: 3, settings: { backoffStrategy: (made, type) => (type === 'mine' ? made * 30 : -1) } });
        await queue.add('fixed', {}, { attempts: 3, backoff: { type: 'fixed', delay: 60 } });
        await queue.add('exponential', {}, { attempts: 4, backoff: { type: 'exponential', delay: 30 } });
        await queue.add('mine', {}, { attempts: 3, backoff: { type: 'mine' } });
        await until(async () => await queue.getFailedCount() === 3, 'all to fail');
        const gaps = (name) => runs[name].slice(1).map((at, i) => at - runs[name][i]);
        const atLeast = (name, limits) => {
            assert.equal(gaps(name).length, limits.length);
            gaps(name).forEach((gap, i) => assert.ok(gap >= limits[i] - 2, `${name}: ${gaps(name)}`));
        };
        atLeast('fixed', [60, 60]);
        atLeast('exponential', [30, 60, 120]);
        atLeast('mine', [30, 60]);
    });

    test('errors that no retry helps', async (bench) => {
        const queue = bench.queue();
        bench.worker(async () => { throw new UnrecoverableError('never'); });
        const job = await queue.add('x', {}, { attempts: 5, backoff: 10 });
        await until(async () => await job.isFailed(), 'failure');
        const stored = await queue.getJob(job.id);
        assert.deepEqual([stored.attemptsMade, stored.failedReason], [1, 'never']);
    });

    test('retried by hand: one job, all jobs', async (bench) => {
        const queue = bench.queue();
        let broken = true;
        bench.worker(async () => { if (broken) throw new Error('broken'); });
        const jobs = await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
        await until(async () => await queue.getFailedCount() === 3, 'failures');
        broken = false;
        await (await queue.getJob(jobs[0].id)).retry();
        await until(async () => await queue.getCompletedCount() === 1, 'one');
        await assert.rejects(jobs[0].retry(), /is not in the failed state/);
        await queue.retryJobs({ count: 1 });
        await until(async () => await queue.getCompletedCount() === 3, 'all');
        assert.equal(await queue.getFailedCount(), 0);
        await jobs[1].retry('completed');
        await until(async () => (await queue.getJob(jobs[1].id)).attemptsStarted === 3, 'another run');
    });
});

bullmqTests('stalled jobs', (test) => {
    test('a killed worker\'s job is run by another', async (bench, t) => {
        const queue = bench.queue();
        const events = bench.events();
        const stalled = [];
        events.on('stalled', ({ jobId }) => stalled.push(jobId));
        const dying = await hangingWorker(bench, t, { lockDuration: 300, stalledInterval: 150 });
        const job = await queue.add('x', { n: 1 });
        assert.equal(await dying.holds(), job.id);
        assert.equal(await job.getState(), 'active');
        await dying.kill();
        bench.worker(async (each) => each.data.n + 1, { stalledInterval: 150 });
        assert.equal(await job.waitUntilFinished(events), 2);
        assert.deepEqual(stalled, [job.id]);
        assert.equal((await queue.getJob(job.id)).stalledCounter, 1);
    });

    test('a job that stalls too often fails', async (bench, t) => {
        const queue = bench.queue();
        const events = bench.events();
        const job = await queue.add('x', {}, { attempts: 3 });
        const dying = await hangingWorker(bench, t, { lockDuration: 200, stalledInterval: 100 });
        await dying.holds();
        await dying.kill();
        bench.worker(async () => 'not reached', { stalledInterval: 100, maxStalledCount: 0 });
        await assert.rejects(job.waitUntilFinished(events), /job stalled more than allowable limit/);
        assert.equal(await job.getState(), 'failed');
    });

    test('a live worker keeps its lock, however long the job', async (bench) => {
        const queue = bench.queue();
        let runs = 0;
        const stalled = [];
        for (let i = 0; i < 2; i++) {
            bench.worker(async () => {
                runs++;
                await new Promise((resolve) => setTimeout(resolve, 3000));
            }, { lockDuration: 2000, stalledInterval: 300 }).on('stalled', (id) => stalled.push(id));
        }
        await queue.add('long', {});
        await until(async () => await queue.getCompletedCount() === 1, 'the job');
        assert.deepEqual([runs, stalled], [1, []]);
    });
});

bullmqTests('connections that are cut', (test) => {
    test('queue, worker and events come back', async (bench, t) => {
        const queue = bench.queue();
        const events = bench.events();
        const redis = new Redis(bench.connection);
        t.after(() => redis.disconnect());
        let done = 0;
        /* The library comes back after a second, in which locks should not end. */
        const worker = bench.worker(async () => { done++; }, {
            lockDuration: 4000, stalledInterval: 500, maxStalledCount: 10, concurrency: 3, runRetryDelay: 50,
        });
        const heard = new Set();
        events.on('completed', ({ jobId }) => heard.add(jobId));
        await worker.waitUntilReady();
        await events.waitUntilReady();
        await queue.waitUntilReady();
        for (let round = 0; round < 2; round++) {
            await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({
                name: 'n', data: { n }, opts: { jobId: `r${round}-${n}` },
            })));
            await redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        }
        await until(async () => await queue.getCompletedCount() === 40, 'all jobs');
        assert.ok(done >= 40);
        assert.equal(await queue.getFailedCount(), 0);
        await until(() => heard.size === 40, 'all events');
    });
});
