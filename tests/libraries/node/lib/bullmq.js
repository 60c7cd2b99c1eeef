'use strict';
/* BullMQ on one server for each test file. A test gets makers of queues, workers and so on, which are
   closed with it, in the reverse order; names are the test's own, so tests of a file run at once. */

const { describe, test } = require('node:test');
const bullmq = require('bullmq');
const { serverForFile } = require('../../../lib/server');

const QUIET = () => {}; /* errors of a connection that comes back are the library's business */
let lastName = 0;

class Bench {
    constructor(server, t) {
        this.server = server;
        this.name = `q${++lastName}`;
        this.open = [];
        t.after(() => this.close());
    }

    get connection() {
        return { host: '127.0.0.1', port: this.server.port };
    }

    keep(object) {
        object.on('error', QUIET);
        this.open.push(object);
        return object;
    }

    queue(options = {}, name = this.name) {
        return this.keep(new bullmq.Queue(name, { connection: this.connection, ...options }));
    }

    worker(processor, options = {}, name = this.name) {
        return this.keep(new bullmq.Worker(name, processor, {
            connection: { ...this.connection, maxRetriesPerRequest: null }, drainDelay: 1, ...options,
        }));
    }

    flow(options = {}) {
        return this.keep(new bullmq.FlowProducer({ connection: this.connection, ...options }));
    }

    /* Listening from the stream's beginning, so that nothing is missed while it connects. */
    events(options = {}, name = this.name) {
        return this.keep(new bullmq.QueueEvents(name, {
            connection: this.connection, lastEventId: '0-0', ...options,
        }));
    }

    async close() {
        for (const object of this.open.reverse()) await object.close();
    }
}

/* Returns test(name, async (bench, t) => ...); all tests of the file run at the same time. */
function bullmqTests(title, define, ...serverArgs) {
    const server = serverForFile(...serverArgs);
    describe(title, { concurrency: 16 }, () => {
        define((name, body) => test(name, { timeout: 120000 }, (t) => body(new Bench(server, t), t)), server);
    });
}

module.exports = { ...bullmq, Bench, bullmqTests };
