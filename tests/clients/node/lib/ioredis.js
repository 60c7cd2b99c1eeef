'use strict';
/* ioredis clients for one test file, closed with the test that opened them. */

const Redis = require('ioredis');
const nodeTest = require('node:test');
const { serverForFile } = require('../../../lib/server');

/* Returns test(name, [options], async (open, t) => ...) over one server for the file.
   open(options) gives a client; open.fresh(options) one on an empty server. */
function ioredisTests(...serverArgs) {
    const server = serverForFile(...serverArgs);
    const test = (name, options, body) => {
        const run = body || options;
        nodeTest.test(name, { timeout: 60000, ...(body && options) }, (t) => {
            const open = (extra = {}) => {
                const client = new Redis({ port: server.port, host: '127.0.0.1', ...extra });
                client.on('error', () => {}); /* reconnecting is the library's business */
                t.after(() => client.disconnect());
                return client;
            };
            open.fresh = async (extra) => {
                const client = open(extra);
                await client.flushall();
                return client;
            };
            return run(open, t);
        });
    };
    test.server = server;
    return test;
}

module.exports = { Redis, ioredisTests };
