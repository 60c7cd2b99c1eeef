'use strict';
/* Connections as applications use them: names, databases, sockets, losing and finding the server. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');
const { oracle } = require('../../../lib/server');
const { blockedClients, until } = require('../../../lib/wait');

eachVariant((test) => {
    test('the server knows client and library by name', async (s) => {
        const client = await s.client({ name: 'ocr-backend' });
        assert.equal(await client.clientGetName(), 'ocr-backend');
        const list = await client.sendCommand(['CLIENT', 'LIST', 'ID',
            String(await client.clientId())]);
        assert.match(list, /^id=\d+ addr=127\.0\.0\.1:\d+ /);
        assert.match(list, / name=ocr-backend /);
    });

    test('databases are apart', async (s) => {
        const client = await s.fresh();
        const other = await s.client({ database: 3 });
        await client.set('k', 'zero');
        await other.set('k', 'three');
        assert.equal(await client.get('k'), 'zero');
        await client.select(3);
        assert.equal(await client.get('k'), 'three');
        assert.equal(Number(await client.move('k', 4)), 1);
        assert.equal(await other.exists('k'), 0);
        await client.select(0);
        await client.swapDb(0, 4);
        assert.equal(await client.get('k'), 'three');
        await assert.rejects(client.select(99), /DB index is out of range/);
    });

    test('a Unix socket serves as well', async (s) => {
        const client = await s.client({ socket: { path: s.server.socket } });
        assert.equal(await client.ping('over a file'), 'over a file');
        assert.match(await client.sendCommand(['CLIENT', 'LIST']), / flags=[A-Za-z]*U/);
    });

    test('finds the server again after a restart', async (s) => {
        const client = await s.client({ name: 'steady', database: 2,
            socket: { reconnectStrategy: () => 20 } });
        const before = await client.clientId();
        await s.server.restart();
        const id = await until(() => client.clientId().catch(() => 0), 'the reconnect');
        assert.ok(id > 0 && before > 0);
        assert.equal(await client.clientGetName(), 'steady');
        assert.match(await client.sendCommand(['CLIENT', 'LIST']), / db=2 /);
    });

    test('a subscription outlives a killed connection', async (s) => {
        const admin = await s.client();
        const heard = [];
        const listener = await s.client({ name: 'ear', socket: { reconnectStrategy: () => 20 } });
        await listener.subscribe('news', (message) => heard.push(message));
        assert.ok(await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']) >= 1);
        await until(async () => {
            await admin.publish('news', 'again');
            return heard.length;
        }, 'the listener to come back');
    });

    test('a worker that leaves while blocked takes nothing with it', async (s) => {
        const client = await s.fresh();
        const worker = await s.client({ socket: { reconnectStrategy: false } });
        const take = worker.brPop('queue', 0).catch((error) => error);
        await blockedClients(() => client.info('clients'));
        if (s.major === 4) await worker.disconnect();
        else worker.destroy();
        assert.ok(await take instanceof Error);
        await blockedClients(() => client.info('clients'), 0);
        await client.lPush('queue', 'safe');
        assert.equal(await client.rPop('queue'), 'safe');
    });

    test('a blocked worker is woken from outside', async (s) => {
        const client = await s.fresh();
        const worker = await s.client();
        const id = String(await worker.clientId());
        const take = worker.blPop('queue', 0);
        await blockedClients(() => client.info('clients'));
        assert.equal(await client.sendCommand(['CLIENT', 'UNBLOCK', id]), 1);
        assert.equal(await take, null);
        const failing = assert.rejects(worker.blPop('queue', 0),
            /UNBLOCKED client unblocked via CLIENT UNBLOCK/);
        await blockedClients(() => client.info('clients'));
        assert.equal(await client.sendCommand(['CLIENT', 'UNBLOCK', id, 'ERROR']), 1);
        await failing;
    });

    test('errors are the library\'s errors', async (s) => {
        const client = await s.fresh();
        await client.set('text', 'x');
        await assert.rejects(client.lPush('text', 'y'), (error) => {
            assert.ok(error instanceof s.library.ErrorReply || error.name === 'ErrorReply' ||
                error instanceof Error);
            return /^WRONGTYPE Operation against a key holding the wrong kind of value/
                .test(error.message);
        });
        await assert.rejects(client.sendCommand(['NOSUCH', 'a']),
            /^Error: ERR unknown command 'NOSUCH', with args beginning with: 'a'|ERR unknown command/);
        await assert.rejects(client.sendCommand(['GET']), /wrong number of arguments for 'get'/);
    });

    test('settings are read and changed', async (s) => {
        const client = await s.client();
        assert.equal((await client.configGet('databases')).databases, '16');
        assert.equal(await client.configSet('maxmemory-policy', 'allkeys-lru'), 'OK');
        assert.equal((await client.configGet('maxmemory-p*'))['maxmemory-policy'], 'allkeys-lru');
        assert.equal(await client.configSet('maxmemory-policy', 'noeviction'), 'OK');
        await assert.rejects(client.configSet('no-such-thing', '1'), /Unknown option|no-such-thing/);
    });

    test('HELLO says what speaks here', async (s) => {
        const client = await s.client();
        const hello = await client.hello();
        const answer = hello instanceof Map ? Object.fromEntries(hello) : hello;
        assert.equal(Number(answer.proto), s.resp);
        assert.equal(answer.role, 'master');
        assert.equal(answer.mode, 'standalone');
        assert.match(answer.version, /^\d+\.\d+\.\d+/);
    });

    test('the library introduces itself', { skip: oracle === '7.0' && 'newer than the oracle' },
        async (s) => {
            const client = await s.client();
            assert.match(await client.sendCommand(['CLIENT', 'INFO']),
                /lib-name=node-redis.* lib-ver=\d+\.\d+/);
        });

    test('a pool of connections shares the work', async (s) => {
        if (s.major === 4) return; /* its pool is a part of the client */
        const client = await s.fresh();
        const pool = s.library.createClientPool({ ...s.options,
            socket: { port: s.server.port, host: '127.0.0.1' } }, { minimum: 2, maximum: 8 });
        await pool.connect();
        await Promise.all(Array.from({ length: 200 }, () => pool.incr('n')));
        assert.equal(await client.get('n'), '200');
        assert.deepEqual(await pool.multi().incr('n').get('n').exec(), [201, '201']);
        const taken = pool.execute((one) => one.blPop('jobs', 0));
        await blockedClients(() => client.info('clients'));
        await pool.rPush('jobs', 'j');
        assert.equal((await taken).element, 'j');
        await pool.close();
    });

    test('leaving politely', async (s) => {
        const client = await s.client();
        const last = client.ping();
        if (s.major === 4) await client.quit();
        else await client.close();
        assert.equal(await last, 'PONG');
    });
});
