'use strict';
/* Two socket.io servers that know each other through an adapter only, and clients of both. */

const { createServer } = require('node:http');
const { once } = require('node:events');
const Redis = require('ioredis');
const { createClient } = require('redis');
const { Server } = require('socket.io');
const { io: connect } = require('socket.io-client');
const { until } = require('../../../lib/wait');

/* Connections for adapters: redis(kind) with kind 'node-redis' or 'ioredis'. */
class Connections {
    constructor(port) {
        this.port = port;
        this.close = [];
    }

    async open(kind) {
        const address = { host: '127.0.0.1', port: this.port };
        let client;
        if (kind === 'ioredis') {
            client = new Redis({ ...address, retryStrategy: () => 20 });
            await once(client, 'ready');
            this.close.push(() => client.disconnect());
        } else {
            client = createClient({ socket: { ...address, reconnectStrategy: 20 } });
            await client.connect();
            this.close.push(() => client.isOpen && client.close()); /* after what is under way */
        }
        client.on('error', () => {});
        return client;
    }

    async done() {
        for (const close of this.close) await close();
    }
}

class Cluster {
    /* makeAdapter(connections) gives one server's adapter; ready(cluster) waits until both listen. */
    static async start(port, makeAdapter, options = {}) {
        const cluster = new Cluster();
        cluster.connections = new Connections(port);
        cluster.servers = [];
        cluster.urls = [];
        cluster.clients = [];
        for (let i = 0; i < 2; i++) {
            const http = createServer();
            const io = new Server(http, { adapter: await makeAdapter(cluster.connections), ...options });
            io.on('connection', (socket) => {
                socket.on('join', (room, done) => { socket.join(room); done(); });
                socket.on('say', (room, text) => { socket.to(room).emit('said', text); });
            });
            http.listen(0, '127.0.0.1');
            await once(http, 'listening');
            cluster.servers.push(io);
            cluster.urls.push(`http://127.0.0.1:${http.address().port}`);
        }
        [cluster.a, cluster.b] = cluster.servers;
        await until(async () => (await Promise.all(cluster.servers.map((io) =>
            io.of('/').adapter.serverCount()))).every((count) => count === 2), 'two servers');
        return cluster;
    }

    /* A connected client of server 0 or 1, which keeps what it hears of the given events. */
    async client(server, path = '/') {
        const socket = connect(this.urls[server] + path,
            { forceNew: true, transports: ['websocket'], reconnectionDelay: 20, reconnectionDelayMax: 20 });
        this.clients.push(socket);
        socket.heard = [];
        socket.probed = false; /* probes are sent until one is heard; the others may come late */
        socket.onAny((...args) => {
            if (args[0] === 'probe') socket.probed = true;
            else socket.heard.push(args);
        });
        await once(socket, 'connect');
        return socket;
    }

    async clear() {
        for (const socket of this.clients.splice(0)) socket.disconnect();
        await until(() => this.servers.every((io) => io.engine.clientsCount === 0), 'all clients gone');
    }

    async stop() {
        await this.clear();
        await Promise.all(this.servers.map((io) => io.close()));
        await this.connections.done();
    }
}

module.exports = { Cluster };
