'use strict';
/* BullMQ: the stream of a queue's events, as listeners in other processes hear them. */

const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { QueueEventsProducer, bullmqTests } = require('../lib/bullmq');
const { until } = require('../../../lib/wait');

const ALL = ['added', 'waiting', 'active', 'completed', 'failed', 'delayed', 'removed', 'drained', 'paused',
    'resumed', 'progress', 'cleaned', 'retries-exhausted', 'duplicated'];

function listen(events) {
    const heard = [];
    for (const name of ALL) events.on(name, (event, id) => heard.push({ ...event, name, id: id || event }));
    const wait = (name, count = 1) => until(() => {
        const found = heard.filter((each) => each.name === name);
        return found.length >= count && found;
    }, `${count} ${name}`);
    return { heard, wait };
}

bullmqTests('events', (test) => {
    test('a life of a job, in order', async (bench) => {
        const queue = bench.queue();
        const { heard, wait } = listen(bench.events());
        bench.worker(async (job) => {
            await job.updateProgress(50);
            if (job.attemptsMade === 0) throw new Error('once more');
            return { pages: [1, 2] };
        });
        const job = await queue.add('ocr', {}, { attempts: 2, backoff: 20 });
        const [completed] = await wait('completed');
        assert.deepEqual(completed.returnvalue, { pages: [1, 2] });
        assert.equal(completed.prev, 'active');
        const life = heard.filter((each) => each.jobId === job.id).map((each) => each.name);
        assert.deepEqual(life, ['added', 'waiting', 'active', 'progress', 'delayed', 'waiting', 'active',
            'progress', 'completed']);
        const ids = heard.map((each) => each.id).filter((id) => typeof id === 'string');
        assert.ok(ids.length >= 9 && ids.every((id) => /^\d+-\d+$/.test(id)));
        await wait('drained');
    });

    test('every other event', async (bench) => {
        const queue = bench.queue();
        const { wait } = listen(bench.events());
        await queue.pause();
        await wait('paused');
        await queue.resume();
        await wait('resumed');
        const job = await queue.add('a', {}, { delay: 60000, jobId: 'a' });
        const [delayed] = await wait('delayed');
        assert.ok(Number(delayed.delay) > Date.now() + 50000);
        await queue.add('a', {}, { jobId: 'a' });
        assert.equal((await wait('duplicated'))[0].jobId, 'a');
        await job.remove();
        assert.deepEqual([(await wait('removed'))[0].jobId, (await wait('removed'))[0].prev], ['a', 'delayed']);
        bench.worker(async () => { throw new Error('always'); });
        await queue.addBulk([1, 2].map(() => ({ name: 'bad', data: {}, opts: { attempts: 1 } })));
        assert.equal((await wait('failed', 2))[1].failedReason, 'always');
        await wait('retries-exhausted', 2);
        await queue.clean(0, 10, 'failed');
        assert.equal((await wait('cleaned'))[0].count, '2');
    });

    test('a listener goes on where it stopped; many listeners hear all', async (bench) => {
        const queue = bench.queue();
        await queue.add('a', {});
        const first = bench.events();
        const early = listen(first);
        const id = (await early.wait('added'))[0].id;
        await first.close();
        await queue.addBulk(['b', 'c'].map((name) => ({ name, data: {} })));
        const later = [1, 2, 3].map(() => listen(bench.events({ lastEventId: id })));
        for (const { heard, wait } of later) {
            const added = await wait('added', 2);
            assert.deepEqual(added.map((each) => each.jobId), ['2', '3']);
            assert.ok(!heard.some((each) => each.name === 'added' && each.jobId === '1'));
        }
    });

    test('only what comes after now, by default', async (bench) => {
        const queue = bench.queue();
        await queue.add('before', {});
        const events = bench.events({ lastEventId: '$' });
        const { heard, wait } = listen(events);
        await events.waitUntilReady();
        /* "$" means what is last when the server takes the call: the first that is heard ends the wait. */
        await until(async () => {
            await queue.add('after', {});
            return heard.length > 0;
        }, 'something');
        const added = await wait('added');
        assert.ok(added.every((each) => each.name !== 'before' && each.jobId !== '1'));
    });

    test('the stream keeps about as many events as it may', async (bench, t) => {
        const queue = bench.queue({ streams: { events: { maxLen: 100 } } });
        const redis = new Redis(bench.connection);
        t.after(() => redis.disconnect());
        await queue.waitUntilReady(); /* until then, the limit is not known to the scripts */
        await until(() => redis.hget(`bull:${bench.name}:meta`, 'opts.maxLenEvents'), 'the limit');
        await queue.addBulk(Array.from({ length: 600 }, (_, n) => ({ name: 'n', data: { n } })));
        const kept = await redis.xlen(`bull:${bench.name}:events`);
        assert.ok(kept >= 100 && kept <= 300, `${kept}`);
        await queue.trimEvents(0);
        assert.equal(await redis.xlen(`bull:${bench.name}:events`), 0);
    });

    test('events of one\'s own', async (bench) => {
        const producer = bench.keep(new QueueEventsProducer(bench.name, { connection: bench.connection }));
        const events = bench.events();
        const heard = [];
        events.on('invoice', (event) => heard.push(event));
        await producer.publishEvent({ eventName: 'invoice', number: '42', text: 'paid €' });
        await until(() => heard.length === 1, 'the event');
        assert.deepEqual(heard, [{ number: '42', text: 'paid €' }]);
    });

    test('waiting for a job with a limit', async (bench) => {
        const queue = bench.queue();
        const events = bench.events();
        const job = await queue.add('never', {});
        await assert.rejects(job.waitUntilFinished(events, 60), /timed out before finishing/);
    });
});
