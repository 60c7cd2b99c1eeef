'use strict';
/* cache-manager over @keyv/redis, and @keyv/redis under Keyv itself. */

const assert = require('node:assert/strict');
const { test: nodeTest } = require('node:test');
const { createCache } = require('cache-manager');
const { default: KeyvRedis, createKeyv } = require('@keyv/redis');
const { Keyv } = require('keyv');
const { nodeRedis } = require('../lib/clients');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const server = serverForFile();

/* body gets a raw client on an empty server, and the address for the others. */
const test = (title, body) => nodeTest(title, { timeout: 120000 }, async (t) => {
    const client = await nodeRedis(server, t);
    await client.flushAll();
    await body(t, client, `redis://127.0.0.1:${server.port}`);
});

function closing(t, cache) {
    t.after(() => cache.disconnect());
    return cache;
}

test('set, get, del, with a time to live', async (t, client, url) => {
    const cache = closing(t, createCache({ stores: [createKeyv(url)], ttl: 60000 }));
    await cache.set('user:1', { name: 'Ann', tags: ['ä', '\u{1f600}'], none: null });
    assert.deepEqual(await cache.get('user:1'), { name: 'Ann', tags: ['ä', '\u{1f600}'], none: null });
    const [key] = await client.keys('*');
    assert.ok(await client.pTTL(key) > 59000);
    const ends = await cache.ttl('user:1');
    assert.ok(ends > Date.now() + 59000 && ends <= Date.now() + 60000, `${ends}`);
    await cache.set('short', 'gone soon', 1000);
    assert.ok(await client.pTTL((await client.keys('*')).find((each) => each !== key)) <= 1000);
    await until(async () => await cache.get('short') === undefined, 'its end');
    assert.equal(await cache.del('user:1'), true);
    assert.equal(await cache.get('user:1'), undefined);
    assert.equal(await client.dbSize(), 0);
});

test('many at once', async (t, client, url) => {
    const cache = closing(t, createCache({ stores: [createKeyv(url)] }));
    const many = Array.from({ length: 300 }, (_, n) => ({ key: `k${n}`, value: { n }, ttl: n % 2 ? 60000 : undefined }));
    await cache.mset(many);
    assert.deepEqual(await cache.mget(['k0', 'k299', 'nobody']), [{ n: 0 }, { n: 299 }, undefined]);
    assert.equal(await client.dbSize(), 300);
    await cache.mdel(many.slice(0, 299).map(({ key }) => key));
    assert.equal(await client.dbSize(), 1);
    await cache.clear();
    assert.equal(await client.dbSize(), 0);
});

test('wrap computes once, for all that ask at the same time', async (t, client, url) => {
    const cache = closing(t, createCache({ stores: [createKeyv(url)], ttl: 60000 }));
    let computed = 0;
    const compute = async () => { computed++; return { answer: 42 }; };
    const all = await Promise.all(Array.from({ length: 10 }, () => cache.wrap('answer', compute)));
    assert.ok(all.every(({ answer }) => answer === 42));
    assert.equal(computed, 1);
    const another = closing(t, createCache({ stores: [createKeyv(url)] }));
    assert.deepEqual(await another.wrap('answer', compute), { answer: 42 });
    assert.equal(computed, 1);
    await assert.rejects(cache.wrap('bad', async () => { throw new Error('no answer'); }), /no answer/);
});

test('wrap refreshes in the background near the end', async (t, client, url) => {
    const cache = closing(t, createCache({ stores: [createKeyv(url)], ttl: 2000, refreshThreshold: 1900 }));
    let version = 0;
    const compute = async () => ++version;
    assert.equal(await cache.wrap('v', compute), 1);
    await until(async () => await cache.ttl('v') - Date.now() < 1900, 'the threshold');
    assert.equal(await cache.wrap('v', compute), 1);
    await until(async () => await cache.get('v') === 2, 'the refreshed value');
});

test('two layers: memory before the server', async (t, client, url) => {
    const memory = new Keyv();
    const cache = closing(t, createCache({ stores: [memory, createKeyv(url)], ttl: 60000 }));
    await cache.set('a', 1);
    await memory.delete('a');
    assert.equal(await cache.get('a'), 1);
    await client.flushAll();
    await memory.set('b', 2);
    assert.equal(await cache.get('b'), 2);
});

test('namespaces: keys, iteration, clearing', async (t, client, url) => {
    const make = (namespace) => {
        const keyv = new Keyv(new KeyvRedis(url, { namespace, keyPrefixSeparator: ':' }), { namespace, useKeyPrefix: false });
        t.after(() => keyv.disconnect());
        return keyv;
    };
    const [one, two] = [make('one'), make('two')];
    for (let n = 0; n < 50; n++) await one.set(`k${n}`, n);
    await two.set('k0', 'other');
    assert.equal(await two.get('k0'), 'other');
    assert.ok(await client.exists('one:k0'));
    const seen = new Map();
    for await (const [key, value] of one.iterator()) seen.set(key, value);
    assert.equal(seen.size, 50);
    assert.equal(await one.has('k7'), true);
    assert.equal(await one.delete('k7'), true);
    assert.equal(await one.has('k7'), false);
    await one.clear();
    assert.deepEqual(await client.keys('*'), ['two:k0']);
});
