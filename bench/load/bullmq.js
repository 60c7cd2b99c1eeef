'use strict';
/* The BullMQ load: jobs added, jobs processed, both at once. argv: port, pid of the server, jobs,
   concurrency. Prints what each phase cost the server, in nanoseconds of processor time for a job. */

const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

const libraries = createRequire(path.resolve(__dirname, '../../tests/libraries/node/package.json'));
const { Queue, QueueEvents, Worker } = libraries('bullmq');

const [port, pid, jobs, concurrency] = process.argv.slice(2).map(Number);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const data = { document: 'doc:4711', pages: 12, priority: 'normal', language: 'de', user: 'u-1093' };

/* The processor time of all threads of the server, in nanoseconds. */
function serverTime() {
    return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
        try {
            return sum + Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'ascii').split(' ')[0]);
        } catch {
            return sum; /* a thread that has just ended */
        }
    }, 0);
}

async function measured(phase) {
    const [cpu, start] = [serverTime(), process.hrtime.bigint()];
    await phase();
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    return { cpu_ns: (serverTime() - cpu) / jobs, jobs_per_second: jobs / seconds };
}

/* As a web application does: a job a request, a hundred of them under way. */
async function add(queue, count) {
    for (let n = 0; n < count; n += 100) {
        await Promise.all(Array.from({ length: Math.min(100, count - n) }, () => queue.add('ocr', data)));
    }
}

function work(name) {
    let left = jobs;
    const worker = new Worker(name, async (job) => job.data.pages, { connection, concurrency, autorun: false,
        removeOnComplete: { count: 100 } });
    const done = new Promise((resolve, reject) => {
        worker.on('completed', () => { if (--left === 0) resolve(); });
        worker.on('failed', (job, error) => reject(error));
        worker.on('error', reject);
    });
    return { worker, done };
}

async function main() {
    const figures = {};
    const queue = new Queue('bench', { connection });
    const { worker, done } = work('bench');
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
    await add(queue, 200); /* so that scripts are loaded and code is warm */
    await queue.drain();
    figures.add = await measured(() => add(queue, jobs));
    figures.process = await measured(async () => { worker.run(); await done; });
    await worker.close();
    await queue.obliterate({ force: true });

    const events = new QueueEvents('live', { connection });
    const live = new Queue('live', { connection });
    const second = work('live');
    await Promise.all([live.waitUntilReady(), events.waitUntilReady(), second.worker.waitUntilReady()]);
    second.worker.run();
    figures['add, process, events'] = await measured(() => Promise.all([add(live, jobs), second.done]));
    await Promise.all([second.worker.close(), events.close(), live.close(), queue.close()]);
    process.stdout.write(JSON.stringify(figures));
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
