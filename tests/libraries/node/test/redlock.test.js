'use strict';
/* redlock 4 and 5: a lock on one server, and on three of which one is lost. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const Redlock4 = require('redlock');
const { default: Redlock5, ExecutionError, ResourceLockedError } = require('redlock5');
const { ioredis } = require('../lib/clients');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const servers = [serverForFile(), serverForFile(), serverForFile()];
const [server] = servers;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let lastKey = 0;
const newKey = () => `locks:${++lastKey}`;

describe('redlock 4', { concurrency: 16 }, () => {
    test('locked, refused to another, extended, unlocked', async (t) => {
        const redis = ioredis(server, t);
        const [ours, theirs] = [0, 1].map(() => new Redlock4([redis], { retryCount: 0 }));
        const key = newKey();
        const lock = await ours.lock(key, 30000);
        assert.equal(await redis.get(key), lock.value);
        assert.ok(await redis.pttl(key) <= 30000);
        await assert.rejects(theirs.lock(key, 1000), Redlock4.LockError);
        const longer = await lock.extend(60000);
        assert.ok(await redis.pttl(key) > 50000);
        await longer.unlock();
        assert.equal(await redis.exists(key), 0);
        await (await theirs.lock(key, 1000)).unlock();
        await assert.rejects(longer.unlock(), Redlock4.LockError);
    });

    test('a lock ends by itself, and is not its first owner\'s to open', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock4([redis], { retryCount: 50, retryDelay: 10, retryJitter: 5 });
        const key = newKey();
        const lost = await redlock.lock(key, 60);
        const won = await redlock.lock(key, 30000);
        await assert.rejects(lost.unlock(), Redlock4.LockError);
        await assert.rejects(lost.extend(1000), Redlock4.LockError);
        assert.equal(await redis.get(key), won.value);
        await won.unlock();
    });

    test('one at a time, of many', async (t) => {
        const redis = ioredis(server, t);
        const key = newKey();
        let inside = 0;
        let total = 0;
        await Promise.all(Array.from({ length: 20 }, async () => {
            const redlock = new Redlock4([redis], { retryCount: 1000, retryDelay: 5, retryJitter: 5 });
            const lock = await redlock.lock(key, 30000);
            assert.equal(++inside, 1);
            await wait(2);
            inside--;
            total++;
            await lock.unlock();
        }));
        assert.equal(total, 20);
    });

    test('several resources with one lock, and a disposer', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock4([redis], { retryCount: 0 });
        const keys = [newKey(), newKey(), newKey()];
        const lock = await redlock.lock(keys, 30000);
        assert.deepEqual(await redis.mget(...keys), [lock.value, lock.value, lock.value]);
        await assert.rejects(redlock.lock([newKey(), keys[1]], 1000), Redlock4.LockError);
        await lock.unlock();
        assert.equal(await redis.exists(...keys), 0);
    });
});

describe('redlock 5', { concurrency: 16 }, () => {
    const options = { retryCount: 0 };

    test('acquired, refused to another, extended, released', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock5([redis], options);
        const key = newKey();
        let lock = await redlock.acquire([key], 30000);
        await assert.rejects(new Redlock5([redis], options).acquire([key], 1000), (error) => {
            assert.ok(error instanceof ExecutionError);
            return true;
        });
        lock = await lock.extend(60000);
        assert.ok(await redis.pttl(key) > 50000);
        await lock.release();
        assert.equal(await redis.exists(key), 0);
    });

    test('using() extends for as long as the work takes', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock5([redis], { ...options, automaticExtensionThreshold: 1600 });
        const key = newKey();
        const result = await redlock.using([key, `${key}:2`], 2000, async (signal) => {
            for (let i = 0; i < 6; i++) {
                await wait(400);
                assert.equal(signal.aborted, false);
                assert.equal(await redis.exists(key, `${key}:2`), 2);
            }
            return 'done';
        });
        assert.equal(result, 'done');
        assert.equal(await redis.exists(key), 0);
    });

    test('using() says when the lock was lost', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock5([redis], { ...options, automaticExtensionThreshold: 1900 });
        redlock.on('error', () => {});
        const key = newKey();
        let reason;
        await assert.rejects(redlock.using([key], 2000, async (signal) => {
            await redis.del(key);
            await until(() => signal.aborted, 'the signal');
            reason = signal.error;
        }), ExecutionError);
        assert.ok(reason instanceof Error);
    });

    test('errors say who has it', async (t) => {
        const redis = ioredis(server, t);
        const redlock = new Redlock5([redis], options);
        const heard = [];
        redlock.on('error', (error) => heard.push(error));
        const key = newKey();
        const lock = await redlock.acquire([key], 30000);
        await assert.rejects(redlock.acquire([key], 30000));
        assert.ok(heard.some((error) => error instanceof ResourceLockedError));
        await lock.release();
    });
});

/* The last: it stops a server. */
test('three servers: a majority is enough, a minority is not', { timeout: 120000 }, async (t) => {
    const clients = servers.map((each) => ioredis(each, t, { maxRetriesPerRequest: 0, retryStrategy: () => 10000 }));
    const redlock4 = new Redlock4(clients, { retryCount: 0 });
    const redlock5 = new Redlock5(clients, { retryCount: 0 });
    redlock4.on('clientError', () => {});
    redlock5.on('error', () => {});
    const all = await redlock5.acquire(['all'], 30000);
    for (const client of clients) await until(() => client.exists('all'), 'the lock everywhere');
    await all.release();
    await clients[0].set('majority', 'somebody else');
    const lock = await redlock4.lock('majority', 30000);
    for (const client of clients.slice(1)) {
        await until(async () => await client.get('majority') === lock.value, 'the lock on the others');
    }
    assert.equal(await clients[0].get('majority'), 'somebody else');
    await clients[1].set('minority', 'somebody else');
    await clients[2].set('minority', 'somebody else');
    await assert.rejects(redlock4.lock('minority', 30000), Redlock4.LockError);
    await until(async () => await clients[0].exists('minority') === 0, 'the failed lock to be given back');
    await servers[2].stop();
    const degraded = await redlock5.acquire(['degraded'], 30000);
    assert.equal(await clients[0].get('degraded'), degraded.value);
    await degraded.release();
    await until(async () => await clients[1].exists('degraded') === 0, 'the end of the lock');
});
