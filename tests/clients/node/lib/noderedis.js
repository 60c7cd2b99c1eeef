'use strict';
/* The node-redis variants under test, and the clients a test opens, closed with the test. */

const { describe } = require('node:test');
const redis4 = require('redis4');
const redis5 = require('redis');
const { serverForFile } = require('../../../lib/server');

const variants = [
    { name: 'node-redis 4', library: redis4, major: 4, resp: 2, options: {} },
    { name: 'node-redis 5, RESP2', library: redis5, major: 5, resp: 2, options: { RESP: 2 } },
    { name: 'node-redis 5, RESP3', library: redis5, major: 5, resp: 3, options: { RESP: 3 } },
];

class Session {
    constructor(variant, server, t) {
        Object.assign(this, variant);
        this.server = server;
        this.t = t;
    }

    /* A connected client that the test's end closes. */
    async client(options = {}) {
        const client = this.library.createClient({
            ...this.options,
            ...options,
            socket: { port: this.server.port, host: '127.0.0.1', ...options.socket },
        });
        client.on('error', () => {}); /* reconnecting is the library's business */
        await client.connect();
        this.t.after(async () => {
            if (!client.isOpen) return;
            if (this.major === 4) await client.disconnect();
            else client.destroy();
        });
        return client;
    }

    async fresh(options) {
        const client = await this.client(options);
        await client.flushAll();
        return client;
    }

    /* Same client options, replies as buffers. */
    buffers(client) {
        const { commandOptions, RESP_TYPES } = this.library;
        if (this.major === 4) {
            return {
                get: (key) => client.get(commandOptions({ returnBuffers: true }), key),
                hGetAll: (key) => client.hGetAll(commandOptions({ returnBuffers: true }), key),
            };
        }
        return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    }
}

/* Runs define(test) once for each variant; test(name, async (session, t) => ...). */
function eachVariant(define, ...serverArgs) {
    const server = serverForFile(...serverArgs);
    for (const variant of variants) {
        describe(variant.name, () => {
            const { test } = require('node:test');
            define((name, options, body) => {
                const run = body || options;
                test(name, { timeout: 60000, ...(body && options) }, (t) => run(new Session(variant, server, t), t));
            }, variant);
        });
    }
}

/* Objects without a prototype and plain ones compare as equal. */
const plain = (object) => ({ ...object });

module.exports = { eachVariant, plain };
