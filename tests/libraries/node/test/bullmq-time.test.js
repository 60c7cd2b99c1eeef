'use strict';
/* BullMQ: when jobs run. Delays, priorities, schedules, rate limits, pause and resume. */

const assert = require('node:assert/strict');
const { DelayedError, RateLimitError, bullmqTests } = require('../lib/bullmq');
const { until } = require('../../../lib/wait');

const names = (jobs) => jobs.map((job) => job.name);

/* A worker that notes what it ran, and when. */
function recorder(bench, options) {
    const ran = [];
    const worker = bench.worker(async (job) => { ran.push({ name: job.name, at: Date.now(), job }); }, options);
    return { ran, worker, order: (count) => until(() => ran.length >= count && names(ran), `${count} jobs`) };
}

bullmqTests('delays and priorities', (test) => {
    test('delayed jobs run when they are due, in that order', async (bench) => {
        const queue = bench.queue();
        const start = Date.now();
        await queue.addBulk([300, 100, 200, 0].map((delay) => ({ name: `${delay}`, data: {}, opts: { delay } })));
        const { ran, order } = recorder(bench);
        assert.deepEqual(await order(4), ['0', '100', '200', '300']);
        for (const { name, at } of ran) assert.ok(at - start >= Number(name), `${name} after ${at - start}`);
    });

    test('a worker asleep in its blocking call is woken by an earlier job', async (bench) => {
        const queue = bench.queue();
        const { order, worker } = recorder(bench, { drainDelay: 30 });
        await worker.waitUntilReady();
        await queue.add('far', {}, { delay: 60000 });
        await until(async () => await queue.getDelayedCount() === 1, 'the job');
        await queue.add('near', {}, { delay: 500 });
        await queue.add('now', {});
        assert.deepEqual(await order(2), ['now', 'near']);
        assert.deepEqual(names(await queue.getDelayed()), ['far']);
    });

    test('a delay is changed, a delayed job promoted, all promoted', async (bench) => {
        const queue = bench.queue();
        const { order } = recorder(bench);
        const job = await queue.add('changed', {}, { delay: 60000 });
        await job.changeDelay(20);
        assert.deepEqual(await order(1), ['changed']);
        const promoted = await queue.add('promoted', {}, { delay: 60000 });
        await promoted.promote();
        assert.deepEqual(await order(2), ['changed', 'promoted']);
        await assert.rejects(promoted.promote(), /not in the delayed state/);
        await queue.addBulk(['x', 'y', 'z'].map((name) => ({ name, data: {}, opts: { delay: 60000 } })));
        await queue.promoteJobs();
        assert.deepEqual((await order(5)).slice(2).sort(), ['x', 'y', 'z']);
    });

    test('priorities: lower first, equal ones in order, without one before all', async (bench) => {
        const queue = bench.queue();
        for (const [name, priority] of [['p5a', 5], ['p1', 1], ['p5b', 5], ['p2097151', 2097151], ['p3', 3]]) {
            await queue.add(name, {}, { priority });
        }
        await queue.add('none', {});
        assert.deepEqual(await queue.getCountsPerPriority([0, 1, 5, 9]), { 0: 1, 1: 1, 5: 2, 9: 0 });
        await assert.rejects(queue.add('too', {}, { priority: 2097152 }), /Priority should be between/);
        const { order } = recorder(bench);
        assert.deepEqual(await order(6), ['none', 'p1', 'p3', 'p5a', 'p5b', 'p2097151']);
    });

    test('a priority is changed, lifo among equals, none at all', async (bench) => {
        const queue = bench.queue();
        const job = {};
        for (const name of ['a', 'b', 'c', 'd']) job[name] = await queue.add(name, {}, { priority: 10 });
        await job.c.changePriority({ priority: 1 });
        await job.d.changePriority({ priority: 10, lifo: true });
        await job.b.changePriority({ priority: 0 });
        const { order } = recorder(bench);
        assert.deepEqual(await order(4), ['b', 'c', 'd', 'a']);
    });

    test('delayed and prioritised at once', async (bench) => {
        const queue = bench.queue();
        await queue.add('low', {}, { priority: 9, delay: 30 });
        await queue.add('high', {}, { priority: 1, delay: 30 });
        await queue.pause();
        const { order } = recorder(bench);
        await until(async () => await queue.getPrioritizedCount() === 2, 'both due');
        await queue.resume();
        assert.deepEqual(await order(2), ['high', 'low']);
    });

    test('a processor delays its own job', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        bench.worker(async (job, token) => {
            if (job.data.step === 2) return 'second step';
            await job.updateData({ step: 2 });
            await job.moveToDelayed(Date.now() + 50, token);
            throw new DelayedError();
        });
        const job = await queue.add('steps', { step: 1 });
        assert.equal(await job.waitUntilFinished(events), 'second step');
        assert.equal((await queue.getJob(job.id)).attemptsMade, 1);
    });
});

bullmqTests('schedules', (test) => {
    test('every so often, a number of times', async (bench) => {
        const queue = bench.queue();
        const { ran, order } = recorder(bench);
        await queue.upsertJobScheduler('beat', { every: 60, limit: 4 },
            { name: 'tick', data: { from: 'template' }, opts: { removeOnComplete: true } });
        assert.deepEqual(await order(4), ['tick', 'tick', 'tick', 'tick']);
        assert.ok(ran.every(({ job }) => job.data.from === 'template' && job.repeatJobKey === 'beat'));
        const slots = ran.map(({ job }) => Number(job.id.split(':').pop()));
        assert.ok(slots.slice(1).every((slot, i) => slot >= slots[i] + 60), `${slots}`);
        assert.ok(ran.slice(1).every(({ at }, i) => at >= slots[i + 1]));
        assert.deepEqual(await queue.getJobCounts('delayed', 'waiting'), { delayed: 0, waiting: 0 });
    });

    test('a cron pattern with seconds and a time zone', async (bench) => {
        const queue = bench.queue();
        const { order } = recorder(bench);
        const job = await queue.upsertJobScheduler('cron', { pattern: '* * * * * *', tz: 'Europe/Berlin' });
        assert.match(job.id, /^repeat:cron:\d+000$/);
        assert.deepEqual(await order(2), ['cron', 'cron']);
        const scheduler = await queue.getJobScheduler('cron');
        assert.equal(scheduler.pattern, '* * * * * *');
        assert.equal(scheduler.tz, 'Europe/Berlin');
        assert.equal(scheduler.next % 1000, 0);
    });

    test('upsert replaces, get lists, remove ends', async (bench) => {
        const queue = bench.queue();
        await queue.upsertJobScheduler('a', { pattern: '0 4 * * *' }, { data: { v: 1 } });
        await queue.upsertJobScheduler('b', { pattern: '0 3 * * *' });
        await queue.upsertJobScheduler('a', { pattern: '0 5 * * *' }, { data: { v: 2 } });
        assert.equal(await queue.getJobSchedulersCount(), 2);
        const listed = await queue.getJobSchedulers(0, -1, true);
        assert.deepEqual(listed.map(({ key, pattern }) => [key, pattern]).sort(),
            [['a', '0 5 * * *'], ['b', '0 3 * * *']]);
        assert.deepEqual((await queue.getJobScheduler('a')).template.data, { v: 2 });
        const jobs = await queue.getJobs(['delayed', 'waiting']);
        assert.equal(jobs.length, 2);
        assert.deepEqual(jobs.find((job) => job.name === 'a').data, { v: 2 });
        assert.equal(await queue.removeJobScheduler('a'), true);
        assert.equal(await queue.removeJobScheduler('a'), false);
        assert.deepEqual(names(await queue.getJobs(['delayed', 'waiting'])), ['b']);
    });

    test('the schedule outlives its workers and failures', async (bench) => {
        const queue = bench.queue();
        let runs = 0;
        const work = async () => { if (++runs % 2) throw new Error('odd'); };
        await queue.upsertJobScheduler('s', { every: 40 });
        const first = bench.worker(work);
        await until(() => runs >= 2, 'two runs');
        await first.close();
        const seen = runs;
        bench.worker(work);
        await until(() => runs >= seen + 2, 'two more');
        await queue.removeJobScheduler('s');
        await until(async () => await queue.getActiveCount() === 0 && await queue.getDelayedCount() === 0, 'quiet');
        assert.equal(await queue.getJobSchedulersCount(), 0);
    });

    test('a start and an end', async (bench) => {
        const queue = bench.queue();
        const { ran } = recorder(bench);
        const startDate = Date.now() + 300;
        await queue.upsertJobScheduler('s', { every: 300, startDate, endDate: startDate + 2700 });
        await until(async () => ran.length > 0 && await queue.count() === 0 &&
            await queue.getActiveCount() === 0, 'the end');
        assert.ok(ran[0].at >= startDate);
        assert.ok(ran.length >= 2 && ran.length <= 11, `${ran.length} runs`);
    });
});

bullmqTests('limits and pauses', (test) => {
    test('so many jobs in a time, over all workers', async (bench) => {
        const queue = bench.queue();
        const limiter = { max: 3, duration: 200 };
        const one = recorder(bench, { limiter, concurrency: 4 });
        const two = recorder(bench, { limiter, concurrency: 4 });
        const start = Date.now();
        await queue.addBulk(Array.from({ length: 9 }, (_, n) => ({ name: `${n}`, data: {} })));
        await until(() => one.ran.length + two.ran.length === 9, 'all jobs');
        assert.ok(Date.now() - start >= 400, 'three windows are two waits');
    });

    test('a processor finds itself limited', async (bench) => {
        const queue = bench.queue();
        const ran = [];
        const worker = bench.worker(async (job) => {
            ran.push(Date.now());
            if (ran.length === 1) {
                await worker.rateLimit(150);
                throw new RateLimitError();
            }
            return job.attemptsMade;
        }, { limiter: { max: 100, duration: 1000 } });
        const job = await queue.add('x', {}, { attempts: 1 });
        await until(async () => await queue.getCompletedCount() === 1, 'the job');
        assert.ok(ran[1] - ran[0] >= 145, `${ran[1] - ran[0]} ms`);
        assert.equal((await queue.getJob(job.id)).attemptsMade, 1);
    });

    test('a limit for the queue, its time to live, its removal', async (bench) => {
        const queue = bench.queue();
        await queue.setGlobalRateLimit(1, 60000);
        assert.deepEqual(await queue.getGlobalRateLimit(), { max: 1, duration: 60000 });
        const { ran, order } = recorder(bench);
        await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
        await order(1);
        const ttl = await until(async () => {
            const left = await queue.getRateLimitTtl(1);
            return left > 0 && left;
        }, 'the limit');
        assert.ok(ttl > 50000 && ttl <= 60000, `${ttl}`);
        assert.equal(ran.length, 1);
        await queue.removeGlobalRateLimit();
        await queue.removeRateLimitKey();
        bench.worker(async () => {});
        await until(async () => await queue.getCompletedCount() === 3, 'the others');
    });

    test('the queue is paused and resumed', async (bench) => {
        const queue = bench.queue();
        const { ran, order, worker } = recorder(bench);
        await worker.waitUntilReady();
        await queue.pause();
        assert.equal(await queue.isPaused(), true);
        await queue.addBulk(['a', 'b'].map((name) => ({ name, data: {} })));
        await queue.add('urgent', {}, { priority: 1 });
        await queue.add('soon', {}, { delay: 10 });
        await until(async () => await queue.getDelayedCount() === 0, 'the delayed one');
        assert.equal(ran.length, 0);
        const { paused, waiting, prioritized } = await queue.getJobCounts('paused', 'waiting', 'prioritized');
        assert.equal(paused + waiting + prioritized, 4);
        await queue.resume();
        assert.equal(await queue.isPaused(), false);
        assert.deepEqual((await order(4)).sort(), ['a', 'b', 'soon', 'urgent']);
    });

    test('a worker is paused and resumed', async (bench) => {
        const queue = bench.queue();
        const { ran, order, worker } = recorder(bench);
        await queue.add('before', {});
        await order(1);
        await worker.pause();
        assert.equal(worker.isPaused(), true);
        await queue.add('meanwhile', {});
        assert.equal(await queue.getWaitingCount(), 1);
        assert.equal(ran.length, 1);
        worker.resume();
        assert.deepEqual(await order(2), ['before', 'meanwhile']);
    });

    test('closing a worker waits for its job', async (bench) => {
        const queue = bench.queue();
        let release;
        const worker = bench.worker(() => new Promise((resolve) => { release = resolve; }));
        await queue.add('slow', {});
        await until(() => release, 'the job');
        let closed = false;
        const closing = worker.close().then(() => { closed = true; });
        await queue.add('next', {});
        assert.equal(closed, false);
        release('well');
        await closing;
        assert.deepEqual(await queue.getJobCounts('completed', 'waiting', 'active'),
            { completed: 1, waiting: 1, active: 0 });
    });
});
