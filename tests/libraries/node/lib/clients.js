'use strict';
/* The two clients that Node libraries are given, closed with the test. */

const Redis = require('ioredis');
const { createClient } = require('redis');

function ioredis(server, t, options = {}) {
    const client = new Redis({ host: '127.0.0.1', port: server.port, ...options });
    client.on('error', () => {}); /* reconnecting is the library's business */
    t.after(() => client.disconnect());
    return client;
}

async function nodeRedis(server, t, options = {}) {
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port }, ...options });
    client.on('error', () => {});
    await client.connect();
    t.after(() => { if (client.isOpen) client.destroy(); });
    return client;
}

module.exports = { ioredis, nodeRedis };
