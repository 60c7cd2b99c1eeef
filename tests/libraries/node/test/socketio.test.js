'use strict';
/* socket.io over two servers, with the adapter on PUBLISH (plain and sharded) and the one on streams,
   each on node-redis and on ioredis. */

const assert = require('node:assert/strict');
const { after, afterEach, before, describe, test } = require('node:test');
const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter');
const streams = require('@socket.io/redis-streams-adapter');
const Redis = require('ioredis');
const { Cluster } = require('../lib/socketio');
const { serverForFile } = require('../../../lib/server');
const { blockedClients, until } = require('../../../lib/wait');

const server = serverForFile();
const pair = async (connections, kind) => [await connections.open(kind), await connections.open(kind)];

const adapters = {
    'PUBLISH, node-redis': async (connections) => createAdapter(...await pair(connections, 'node-redis')),
    'PUBLISH, ioredis': async (connections) => createAdapter(...await pair(connections, 'ioredis')),
    'SPUBLISH, node-redis': async (connections) => createShardedAdapter(...await pair(connections, 'node-redis')),
    'SPUBLISH, ioredis': async (connections) => createShardedAdapter(...await pair(connections, 'ioredis')),
    'streams, node-redis': async (connections) =>
        streams.createAdapter(await connections.open('node-redis'), { streamName: 'node', blockTimeInMs: 300 }),
    'streams, ioredis': async (connections) =>
        streams.createAdapter(await connections.open('ioredis'), { streamName: 'io', blockTimeInMs: 300 }),
};

/* The first messages of a client. With recovery on, each ends with its place in the stream. */
const heard = async (socket, count) => {
    const messages = await until(() => socket.heard.length >= count && socket.heard, `${count} messages`);
    return messages.map((each) => (/^\d+-\d+$/.test(each.at(-1)) ? each.slice(0, -1) : each));
};

/* One suite after the other: they share the server, whose count of blocked clients they read. */
for (const [name, makeAdapter] of Object.entries(adapters)) {
    const onStreams = name.startsWith('streams');
    describe(name, () => {
        let cluster;
        let redis;

        /* The sharded adapter subscribes to a room's channel when the room's first socket joins, and does
           not wait for the reply; what others publish on other connections meanwhile is not for it. */
        const subscribed = (room, count) => name.startsWith('SPUBLISH') && until(async () =>
            (await redis.call('PUBSUB', 'SHARDNUMSUB', `socket.io#/#${room}#`))[1] === count, room);
        const reading = () => blockedClients(() => redis.info('clients'), 2);

        before(async () => {
            redis = new Redis({ host: '127.0.0.1', port: server.port });
            cluster = await Cluster.start(server.port, makeAdapter,
                onStreams ? { connectionStateRecovery: { maxDisconnectionDuration: 60000 } } : {});
            if (onStreams) {
                /* A first entry: until then, the adapter asks for what comes after "now" each time anew. */
                await reading();
                const client = await cluster.client(1);
                await until(() => { cluster.a.emit('probe'); return client.probed; }, 'a probe');
                const other = await cluster.client(0);
                await until(() => { cluster.b.emit('probe'); return other.probed; }, 'a probe');
                await cluster.clear();
            }
        });

        after(async () => {
            await cluster?.stop();
            redis.disconnect();
        });

        afterEach(() => cluster.clear());

        test('to all clients of both servers, text and bytes', async () => {
            const clients = [await cluster.client(0), await cluster.client(1), await cluster.client(1)];
            cluster.a.emit('news', 'Grüße', { nested: [1, { deep: true }] }, Buffer.from([0, 255, 10, 13]));
            for (const client of clients) {
                const [message] = await heard(client, 1);
                assert.deepEqual(message.slice(0, 3), ['news', 'Grüße', { nested: [1, { deep: true }] }]);
                assert.deepEqual([...message[3]], [0, 255, 10, 13]);
            }
        });

        test('to rooms, except rooms, this server only', async () => {
            const [a, b, c] = [await cluster.client(0), await cluster.client(1), await cluster.client(1)];
            await a.emitWithAck('join', 'red');
            await b.emitWithAck('join', 'red');
            await c.emitWithAck('join', 'blue');
            await subscribed('red', 2);
            await subscribed('blue', 1);
            cluster.a.to('red').emit('m', 'red');
            cluster.a.to('red').to('blue').emit('m', 'both');
            cluster.a.to(['red', 'blue']).except('blue').emit('m', 'not blue');
            cluster.b.local.emit('m', 'local');
            cluster.a.emit('m', 'end');
            const texts = async (socket, count) => (await heard(socket, count)).map((each) => each[1]);
            assert.deepEqual(await texts(a, 4), ['red', 'both', 'not blue', 'end']);
            assert.deepEqual((await texts(b, 5)).sort(), ['both', 'end', 'local', 'not blue', 'red']);
            assert.deepEqual((await texts(c, 3)).sort(), ['both', 'end', 'local']);
        });

        test('from a client to the others of a room', async () => {
            const [a, b, c] = [await cluster.client(0), await cluster.client(1), await cluster.client(0)];
            for (const client of [a, b]) await client.emitWithAck('join', 'chat');
            await subscribed('chat', 2);
            a.emit('say', 'chat', 'hello');
            assert.deepEqual(await heard(b, 1), [['said', 'hello']]);
            b.emit('say', 'chat', 'hello yourself');
            assert.deepEqual(await heard(a, 1), [['said', 'hello yourself']]);
            assert.deepEqual(c.heard, []);
        });

        test('sockets of the other server are listed, joined, left, disconnected', async () => {
            const [a, b] = [await cluster.client(0), await cluster.client(1)];
            cluster.b.of('/').sockets.get(b.id).data.user = 'bob';
            const all = await cluster.a.fetchSockets();
            assert.deepEqual(all.map((each) => each.id).sort(), [a.id, b.id].sort());
            const bob = all.find((each) => each.id === b.id);
            assert.equal(bob.data.user, 'bob');
            assert.ok(bob.handshake.address);
            bob.join('vip');
            const vips = () => cluster.a.in('vip').fetchSockets();
            await until(async () => (await vips()).length === 1, 'the one vip');
            bob.emit('m', 'for bob');
            assert.deepEqual(await heard(b, 1), [['m', 'for bob']]);
            cluster.a.socketsJoin('all');
            await until(async () => (await cluster.b.in('all').fetchSockets()).length === 2, 'all');
            cluster.b.in('all').socketsLeave('vip');
            await until(async () => (await vips()).length === 0, 'no vip');
            const gone = new Promise((resolve) => { b.once('disconnect', resolve); });
            cluster.a.in(b.id).disconnectSockets(true);
            await gone;
            await until(async () => (await cluster.a.fetchSockets()).length === 1, 'bob to be gone');
        });

        test('servers talk to each other, with and without an answer', async () => {
            const got = [];
            cluster.b.on('note', (...args) => got.push(args));
            cluster.b.on('question', (n, answer) => answer(n * 2));
            cluster.a.serverSideEmit('note', 'x', { y: 1 });
            await until(() => got.length === 1, 'the note');
            assert.deepEqual(got, [['x', { y: 1 }]]);
            assert.deepEqual(await cluster.a.serverSideEmitWithAck('question', 21), [42]);
            cluster.b.removeAllListeners('note');
            cluster.b.removeAllListeners('question');
        });

        test('a broadcast with acknowledgements', async () => {
            const clients = [await cluster.client(0), await cluster.client(1), await cluster.client(1)];
            clients.forEach((client, i) => client.on('sum', (n, answer) => answer(n + i)));
            assert.deepEqual((await cluster.a.timeout(1500).emitWithAck('sum', 10)).sort(), [10, 11, 12]);
        });

        test('namespaces keep apart', async () => {
            for (const io of cluster.servers) io.of('/admin');
            await until(async () => await cluster.a.of('/admin').adapter.serverCount() === 2, 'both');
            const [plain, admin] = [await cluster.client(1), await cluster.client(1, '/admin')];
            cluster.a.of('/admin').emit('m', 'secret');
            assert.deepEqual(await heard(admin, 1), [['m', 'secret']]);
            assert.deepEqual(plain.heard, []);
        });

        test('three hundred messages, in order', async () => {
            const [a, b] = [await cluster.client(0), await cluster.client(1)];
            for (let n = 0; n < 300; n++) cluster.a.emit('n', n);
            for (const client of [a, b]) {
                assert.deepEqual((await heard(client, 300)).map((each) => each[1]),
                    Array.from({ length: 300 }, (_, n) => n));
            }
        });

        if (!onStreams) return;

        test('a client comes back, at the other server, and misses nothing', async () => {
            const client = await cluster.client(0);
            await client.emitWithAck('join', 'red');
            const { id } = client;
            cluster.a.to('red').emit('m', 'before');
            await heard(client, 1);
            client.io.reconnection(false); /* it comes back when it is told to */
            client.io.engine.close();
            [, client.io.uri] = cluster.urls;
            await until(() => redis.keys('sio:session:*').then((keys) => keys.length), 'the session');
            for (const n of [1, 2, 3]) cluster.b.to('red').emit('m', n);
            cluster.b.to('blue').emit('m', 'not for us');
            client.connect();
            await until(() => client.connected, 'it to be back');
            assert.deepEqual([client.recovered, client.id], [true, id]);
            assert.deepEqual((await heard(client, 4)).map((each) => each[1]), ['before', 1, 2, 3]);
            cluster.a.to('red').emit('m', 'after');
            assert.equal((await heard(client, 5))[4][1], 'after');
        });

        test('readers that lose their connection miss nothing', async () => {
            const [a, b] = [await cluster.client(0), await cluster.client(1)];
            await reading();
            const cut = (await redis.client('LIST')).split('\n').filter((line) => /cmd=xread/.test(line))
                .map((line) => /id=(\d+)/.exec(line)[1]);
            assert.equal(cut.length, 2);
            for (const id of cut) await redis.client('KILL', 'ID', id);
            for (let n = 0; n < 20; n++) cluster.servers[n % 2].emit('n', n);
            for (const client of [a, b]) {
                assert.deepEqual((await heard(client, 20)).map((each) => each[1]).sort((x, y) => x - y),
                    Array.from({ length: 20 }, (_, n) => n));
            }
        });
    });
}
