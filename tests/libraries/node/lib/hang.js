'use strict';
/* A worker process of one of three libraries, which takes a job, says so, and never ends it.
   argv: library, port, queue, options as JSON. */

const [, , library, port, name, options] = process.argv;
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const more = JSON.parse(options || '{}');

function hang(job) {
    process.stdout.write(`active ${job.id}\n`);
    return new Promise(() => {});
}

if (library === 'bullmq') {
    const { Worker } = require('bullmq');
    new Worker(name, hang, { connection, ...more });
} else if (library === 'bull') {
    const Queue = require('bull');
    new Queue(name, { redis: { host: '127.0.0.1', port: Number(port) }, settings: more }).process(hang);
} else {
    const Queue = require('bee-queue');
    new Queue(name, { redis: { host: '127.0.0.1', port: Number(port) }, ...more }).process(hang);
}
