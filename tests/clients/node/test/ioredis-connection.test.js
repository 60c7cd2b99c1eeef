'use strict';
/* Connections of ioredis: readiness, names, databases, sockets, coming back, many at once. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');
const { blockedClients, until } = require('../../../lib/wait');

const test = ioredisTests();

test('is ready once the server says so', async (open) => {
    const redis = open({ enableReadyCheck: true, connectionName: 'ocr-worker' });
    await redis.ping();
    assert.equal(redis.status, 'ready');
    assert.match(await redis.info('persistence'), /^loading:0\r$/m);
    assert.equal(await redis.client('GETNAME'), 'ocr-worker');
});

test('another database, a Unix socket', async (open) => {
    const redis = await open.fresh({ db: 5 });
    await redis.set('k', 'five');
    const local = open({ path: test.server.socket, port: undefined, host: undefined, db: 5 });
    assert.equal(await local.get('k'), 'five');
    await local.select(6);
    assert.equal(await local.copy('k', 'k2', 'DB', 7), 0);
    assert.equal(await redis.copy('k', 'k', 'DB', 6), 1);
    assert.equal(await local.get('k'), 'five');
});

test('commands given while the server is away are sent when it is back', async (open) => {
    const redis = await open.fresh({ retryStrategy: () => 20, maxRetriesPerRequest: null });
    await redis.set('k', 'v');
    await test.server.stop();
    await until(() => redis.status !== 'ready', 'the connection to break');
    const waiting = redis.incr('after');
    await test.server.start(test.server.port);
    assert.equal(await waiting, 1);
});

test('a blocked client survives CLIENT KILL by trying again', async (open) => {
    const redis = await open.fresh();
    const worker = open({ retryStrategy: () => 20, maxRetriesPerRequest: null });
    const id = await worker.client('ID');
    const take = worker.brpop('queue', 0);
    await blockedClients(() => redis.info('clients'));
    assert.equal(await redis.client('KILL', 'ID', id), 1);
    await until(async () => !(await redis.client('LIST')).includes(`id=${id} `), 'the kill');
    await blockedClients(() => redis.info('clients'));
    await redis.lpush('queue', 'job');
    assert.deepEqual(await take, ['queue', 'job']);
});

test('a thousand clients at once', async (open) => {
    const redis = await open.fresh();
    const clients = Array.from({ length: 1000 }, () => open({ enableReadyCheck: false }));
    await Promise.all(clients.map((client) => client.incr('n')));
    assert.equal(await redis.get('n'), '1000');
    const info = await redis.info('clients');
    assert.ok(Number(/connected_clients:(\d+)/.exec(info)[1]) >= 1001, info);
});

test('the commands it builds its methods from are known', async (open) => {
    const redis = open();
    const count = await redis.command('COUNT');
    const list = await redis.command();
    assert.equal(list.length, count);
    const get = (await redis.command('INFO', 'get'))[0];
    assert.equal(get[0], 'get');
    assert.equal(get[1], 2);
    assert.deepEqual(get.slice(3, 6), [1, 1, 1]);
    assert.ok(get[2].includes('readonly') && get[2].includes('fast'));
    assert.deepEqual(await redis.command('GETKEYS', 'MSET', 'a', '1', 'b', '2'), ['a', 'b']);
});
