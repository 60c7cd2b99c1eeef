'use strict';
/* rate-limiter-flexible, on ioredis and on node-redis. */

const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const { BurstyRateLimiter, RateLimiterMemory, RateLimiterQueue, RateLimiterRedis, RateLimiterRes,
    RateLimiterUnion } = require('rate-limiter-flexible');
const { ioredis, nodeRedis } = require('../lib/clients');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const server = serverForFile();
let lastPrefix = 0;

for (const [name, connect] of [['ioredis', ioredis], ['node-redis', nodeRedis]]) {
    const each = (title, body) => test(title, { timeout: 120000 }, async (t) => {
        const storeClient = await connect(server, t);
        const keyPrefix = `limit${++lastPrefix}`;
        const base = { storeClient, keyPrefix, ...(name === 'node-redis' && { useRedisPackage: true }) };
        await body({
            t, storeClient, keyPrefix, base,
            limiter: (options) => new RateLimiterRedis({ ...base, ...options }),
        });
    });

    describe(name, { concurrency: 16 }, () => {
        each('points are consumed, then refused until they are back', async ({ limiter, storeClient, keyPrefix }) => {
            const limit = limiter({ points: 6, duration: 60 });
            const first = await limit.consume('10.0.0.1', 2);
            assert.deepEqual([first.consumedPoints, first.remainingPoints, first.isFirstInDuration], [2, 4, true]);
            assert.ok(first.msBeforeNext > 50000 && first.msBeforeNext <= 60000, `${first.msBeforeNext}`);
            await limit.consume('10.0.0.1', 4);
            const refused = await limit.consume('10.0.0.1').then(() => null, (error) => error);
            assert.ok(refused instanceof RateLimiterRes);
            assert.equal(refused.remainingPoints, 0);
            assert.equal((await limit.consume('10.0.0.2')).remainingPoints, 5);
            assert.equal(Number(await storeClient.get(`${keyPrefix}:10.0.0.1`)), 7);
            const short = limiter({ points: 6, duration: 1 });
            const start = Date.now();
            await short.consume('10.0.0.3', 6);
            await until(async () => await short.get('10.0.0.3') === null, 'the points to be back');
            assert.ok(Date.now() - start >= 1000);
            assert.equal((await short.consume('10.0.0.3')).remainingPoints, 5);
        });

        each('a thousand at once: exactly as many as there are points', async ({ limiter }) => {
            const limit = limiter({ points: 100, duration: 60 });
            const results = await Promise.allSettled(Array.from({ length: 1000 }, () => limit.consume('user')));
            assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 100);
            const counts = results.map(({ value, reason }) => (value || reason).consumedPoints).sort((a, b) => a - b);
            assert.deepEqual(counts, Array.from({ length: 1000 }, (_, n) => n + 1));
        });

        each('block, penalty, reward, get, set, delete', async ({ limiter }) => {
            const limit = limiter({ points: 5, duration: 60, blockDuration: 120 });
            assert.equal(await limit.get('u'), null);
            await limit.penalty('u', 4);
            assert.equal((await limit.reward('u', 1)).consumedPoints, 3);
            assert.equal((await limit.get('u')).remainingPoints, 2);
            await assert.rejects(limit.consume('u', 3), (refused) => refused.msBeforeNext > 60000);
            await limit.block('v', 30);
            await assert.rejects(limit.consume('v'), (refused) => refused.msBeforeNext <= 30000);
            await limit.set('w', 4, 60);
            assert.equal((await limit.consume('w')).remainingPoints, 0);
            assert.equal(await limit.delete('w'), true);
            assert.equal(await limit.get('w'), null);
            assert.equal(await limit.delete('w'), false);
        });

        each('points that never come back', async ({ limiter, storeClient, keyPrefix }) => {
            const limit = limiter({ points: 2, duration: 0 });
            await limit.consume('u');
            await limit.consume('u');
            const refused = await limit.consume('u').then(() => null, (error) => error);
            assert.equal(refused.msBeforeNext, -1);
            assert.equal(await storeClient.ttl(`${keyPrefix}:u`), -1);
        });

        each('bursts, unions, queues', async ({ limiter, base, keyPrefix }) => {
            const bursty = new BurstyRateLimiter(limiter({ points: 1, duration: 60 }),
                new RateLimiterRedis({ ...base, keyPrefix: `${keyPrefix}-burst`, points: 2, duration: 60 }));
            for (let i = 0; i < 3; i++) await bursty.consume('u');
            await assert.rejects(bursty.consume('u'));
            const union = new RateLimiterUnion(
                new RateLimiterRedis({ ...base, keyPrefix: `${keyPrefix}-a`, points: 5, duration: 60 }),
                new RateLimiterRedis({ ...base, keyPrefix: `${keyPrefix}-b`, points: 1, duration: 60 }));
            assert.equal(Object.keys(await union.consume('u')).length, 2);
            await assert.rejects(union.consume('u'), (refused) => Object.keys(refused).join() === `${keyPrefix}-b`);
            const queue = new RateLimiterQueue(new RateLimiterRedis({ ...base, keyPrefix: `${keyPrefix}-q`,
                points: 2, duration: 1 }));
            const start = Date.now();
            await Promise.all([1, 2, 3].map(() => queue.removeTokens(1, 'u')));
            assert.ok(Date.now() - start >= 900, 'the third has to wait');
        });

        each('its insurance pays when the server is not there', async ({ limiter, storeClient }) => {
            const limit = limiter({ points: 1, duration: 60, rejectIfRedisNotReady: true,
                insuranceLimiter: new RateLimiterMemory({ points: 5, duration: 60 }) });
            await storeClient.ping();
            assert.equal((await limit.consume('u')).remainingPoints, 0);
            if (name === 'ioredis') storeClient.disconnect();
            else storeClient.destroy();
            assert.equal((await limit.consume('u')).remainingPoints, 4);
        });

        each('in front of a web server', async ({ limiter, t }) => {
            const limit = limiter({ points: 3, duration: 60 });
            const http = createServer((request, response) => {
                limit.consume(request.headers['x-user']).then(
                    () => { response.end('ok'); },
                    (refused) => {
                        response.writeHead(429, { 'Retry-After': Math.ceil(refused.msBeforeNext / 1000) });
                        response.end();
                    });
            });
            http.listen(0, '127.0.0.1');
            await once(http, 'listening');
            t.after(() => http.close());
            const get = (user) => fetch(`http://127.0.0.1:${http.address().port}/`, { headers: { 'x-user': user } });
            const statuses = (await Promise.all([1, 2, 3, 4, 5].map(() => get('ann')))).map((reply) => reply.status);
            assert.deepEqual(statuses.sort(), [200, 200, 200, 429, 429]);
            assert.match((await get('ann')).headers.get('retry-after'), /^(59|60)$/);
            assert.equal((await get('bob')).status, 200);
        });
    });
}
