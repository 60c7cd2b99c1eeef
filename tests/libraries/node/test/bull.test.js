'use strict';
/* Bull 4. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, test: nodeTest } = require('node:test');
const Queue = require('bull');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const server = serverForFile();
let lastName = 0;

/* Tests of the file run at once, each with queues of its own name. */
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
        t.after(async () => { for (const each of open) await each.close(); });
        await body(queue, name, t);
    });
}

const ids = (jobs) => jobs.map((job) => job.id);
const completed = (queue, count) => until(async () => await queue.getCompletedCount() === count, `${count} jobs`);

describe('Bull', { concurrency: 16 }, () => {
    test('the first example: add, process, finished', async (queue) => {
        const video = queue();
        const progress = [];
        video.on('global:progress', (id, value) => progress.push(value));
        await video.isReady();
        video.process(async (job) => {
            await job.progress(42);
            await job.log('transcoded');
            return { framerate: 29.5, from: job.data.video };
        });
        const job = await video.add({ video: 'http://example.com/video1.mov' });
        assert.deepEqual(await job.finished(), { framerate: 29.5, from: 'http://example.com/video1.mov' });
        assert.equal(await job.getState(), 'completed');
        await until(() => progress.length === 1, 'progress');
        assert.deepEqual(await video.getJobLogs(job.id), { logs: ['transcoded'], count: 1 });
        const stored = await video.getJob(job.id);
        assert.deepEqual(stored.returnvalue.framerate, 29.5);
        assert.ok(stored.finishedOn >= stored.processedOn);
    });

    test('named processors, and a callback', async (queue) => {
        const images = queue();
        const ran = [];
        images.process('image', 2, async (job) => { ran.push(`image ${job.data.n}`); });
        images.process('audio', (job, done) => { ran.push(`audio ${job.data.n}`); done(null, 'ok'); });
        await images.add('image', { n: 1 });
        const audio = await images.add('audio', { n: 2 });
        assert.equal(await audio.finished(), 'ok');
        await completed(images, 2);
        assert.deepEqual(ran.sort(), ['audio 2', 'image 1']);
    });

    test('order: lifo, priority, delay, bulk', async (queue) => {
        const work = queue();
        await work.pause();
        await work.addBulk(['a', 'b'].map((name) => ({ name: '__default__', data: { name } })));
        await work.add({ name: 'first' }, { lifo: true });
        await work.add({ name: 'p3' }, { priority: 3 });
        await work.add({ name: 'p1' }, { priority: 1 });
        await work.add({ name: 'later' }, { delay: 120 });
        const order = [];
        work.process(async (job) => { order.push(job.data.name); });
        assert.equal(await work.getPausedCount(), 5);
        await work.resume();
        await completed(work, 6);
        assert.deepEqual(order, ['p1', 'p3', 'first', 'a', 'b', 'later']);
    });

    test('a delayed job is promoted', async (queue) => {
        const work = queue();
        const job = await work.add({}, { delay: 60000 });
        assert.deepEqual(ids(await work.getDelayed()), [job.id]);
        work.process(async () => 'now');
        await job.promote();
        assert.equal(await job.finished(), 'now');
    });

    test('attempts, backoff, retry by hand', async (queue) => {
        const work = queue({ settings: { backoffStrategies: { mine: (made) => made * 20 } } });
        const runs = [];
        let broken = true;
        work.process(async (job) => {
            runs.push(Date.now());
            if (broken && job.attemptsMade < job.data.good) throw new Error(`attempt ${job.attemptsMade}`);
            return 'good';
        });
        const good = await work.add({ good: 2 }, { attempts: 3, backoff: { type: 'exponential', delay: 40 } });
        assert.equal(await good.finished(), 'good');
        assert.ok(runs[1] - runs[0] >= 38 && runs[2] - runs[1] >= 118, `${runs[1] - runs[0]} ${runs[2] - runs[1]}`);
        const bad = await work.add({ good: 99 }, { attempts: 3, backoff: { type: 'mine' } });
        await assert.rejects(bad.finished(), /attempt 2/);
        const failed = await work.getJob(bad.id);
        assert.deepEqual([failed.attemptsMade, failed.failedReason, failed.stacktrace.length], [3, 'attempt 2', 3]);
        broken = false;
        await failed.retry();
        await completed(work, 2);
    });

    test('repeatable: every, cron, a limit, removal', async (queue) => {
        const work = queue();
        const ran = [];
        work.process('*', async (job) => { ran.push(job.name); });
        await work.add('every', {}, { repeat: { every: 50, limit: 3 } });
        await work.add('cron', {}, { repeat: { cron: '* * * * * *' } });
        await work.add('yearly', {}, { repeat: { cron: '0 0 1 1 *', tz: 'Europe/Berlin' } });
        await until(() => ran.filter((name) => name === 'every').length === 3 && ran.includes('cron'), 'jobs');
        const listed = await work.getRepeatableJobs();
        assert.deepEqual(listed.map(({ name, cron }) => [name, cron]).sort(),
            [['cron', '* * * * * *'], ['every', null], ['yearly', '0 0 1 1 *']]);
        await work.pause(); /* a job that starts adds the one that comes after it */
        await until(async () => await work.getActiveCount() === 0, 'quiet');
        await work.removeRepeatable('cron', { cron: '* * * * * *' });
        await work.removeRepeatableByKey(listed.find(({ name }) => name === 'yearly').key);
        assert.deepEqual((await work.getRepeatableJobs()).map(({ name }) => name), ['every']);
    });

    test('a rate limit', async (queue) => {
        const work = queue({ limiter: { max: 2, duration: 200 } });
        work.process(4, async () => {});
        const start = Date.now();
        await Promise.all([1, 2, 3, 4, 5, 6].map((n) => work.add({ n })));
        await completed(work, 6);
        assert.ok(Date.now() - start >= 400, 'three windows are two waits');
    });

    test('paused: all, or one worker', async (queue) => {
        const [one, two] = [queue(), queue()];
        const ran = [];
        one.process(async () => { ran.push('one'); });
        await one.isReady();
        await one.pause();
        await two.add({});
        assert.equal(await two.isPaused(), true);
        assert.equal(await one.getPausedCount(), 1);
        await one.resume();
        await until(() => ran.length === 1, 'the job');
        await one.pause(true);
        await two.add({});
        assert.equal(await two.getWaitingCount(), 1);
        await one.resume(true);
        await until(() => ran.length === 2, 'the other');
    });

    test('events for this and for all processes', async (queue) => {
        const [worker, watcher] = [queue(), queue()];
        const heard = [];
        for (const name of ['waiting', 'active', 'completed', 'failed', 'drained', 'paused', 'resumed', 'cleaned']) {
            watcher.on(`global:${name}`, (id) => heard.push(`${name} ${id}`));
        }
        await watcher.isReady();
        await watcher.add({ probe: true }, { jobId: 'probe', delay: 60000 });
        worker.process(async (job) => { if (job.data.bad) throw new Error('bad'); return 'r'; });
        await until(() => watcher.clients.length >= 2, 'the subscriber');
        await watcher.add({}, { jobId: 'good' });
        await watcher.add({ bad: true }, { jobId: 'bad' });
        for (const event of ['completed good', 'failed bad', 'active good']) {
            await until(() => heard.includes(event), event);
        }
        watcher.on('removed', (job) => heard.push(`removed ${job.id}`));
        await (await watcher.getJob('probe')).remove();
        await watcher.pause();
        await watcher.resume();
        await until(() => heard.includes('removed probe') && heard.some((each) => each.startsWith('resumed')), 'the rest');
    });

    test('a killed worker\'s job is run by another', async (queue, name, t) => {
        const settings = { lockDuration: 400, lockRenewTime: 150, stalledInterval: 150 };
        const child = spawn(process.execPath, [path.join(__dirname, '../lib/hang.js'), 'bull',
            String(server.port), name, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
        t.after(() => child.kill('SIGKILL'));
        const work = queue({ settings });
        const stalled = [];
        work.on('global:stalled', (id) => stalled.push(id));
        const job = await work.add({ n: 20 });
        const [said] = await once(child.stdout, 'data');
        assert.equal(String(said), `active ${job.id}\n`);
        child.kill('SIGKILL');
        await once(child, 'exit');
        work.process(async (each) => each.data.n + 1);
        assert.equal(await job.finished(), 21);
        await until(() => stalled.length === 1, 'the event');
    });

    test('a processor in a process of its own', async (queue) => {
        const work = queue();
        work.process(path.join(__dirname, '../lib/sandboxed.js'));
        const job = await work.add({ n: 21 });
        const result = await job.finished();
        assert.equal(result.twice, 42);
        assert.notEqual(result.pid, process.pid);
        await assert.rejects((await work.add({ n: -1 })).finished(), /negative/);
    });

    test('many workers, every job once', async (queue) => {
        const seen = new Map();
        for (let i = 0; i < 3; i++) {
            queue().process(5, async (job) => { seen.set(job.data.n, (seen.get(job.data.n) || 0) + 1); });
        }
        const work = queue();
        await work.addBulk(Array.from({ length: 200 }, (_, n) => ({ data: { n } })));
        await completed(work, 200);
        assert.ok(seen.size === 200 && [...seen.values()].every((times) => times === 1));
    });

    test('counts, lists, ids, removal', async (queue) => {
        const work = queue({ defaultJobOptions: { removeOnFail: true } });
        await work.add({ n: 1 }, { jobId: 'mine' });
        await work.add({ n: 2 }, { jobId: 'mine' });
        assert.deepEqual((await work.getJob('mine')).data, { n: 1 });
        await Promise.all(['a', 'b', 'c'].map((name) => work.add(name, {})));
        await work.add('later', {}, { delay: 60000 });
        assert.deepEqual(await work.getJobCounts(),
            { waiting: 4, active: 0, completed: 0, failed: 0, delayed: 1, paused: 0 });
        assert.equal((await work.getJobs(['waiting'], 0, 1, true)).length, 2);
        await (await work.getJob('mine')).update({ n: 3 });
        assert.deepEqual((await work.getJob('mine')).data, { n: 3 });
        await work.removeJobs('m*');
        assert.equal(await work.getJob('mine'), null);
        await work.empty();
        assert.equal(await work.count(), 0);
        work.process('*', async () => {});
        await work.add('x', {});
        await work.add('kept by number', {}, { removeOnComplete: 5 });
        await completed(work, 2);
        await until(async () => (await work.clean(0, 'completed')).length === 2, 'both cleaned');
        await work.obliterate({ force: true });
        assert.equal(await work.getJobCountByTypes(['completed', 'waiting', 'delayed']), 0);
    });
});
