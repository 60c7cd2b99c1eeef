'use strict';
/* Walking a large keyspace without stopping it: the SCAN family through the library's iterators. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');

const KEYS = 3000;

/* Version 4 yields items, version 5 pages of items. */
async function collect(s, iterator) {
    const items = [];
    for await (const item of iterator) {
        if (s.major === 4) items.push(item);
        else items.push(...item);
    }
    return items;
}

function fill(client, name) {
    return Promise.all(Array.from({ length: KEYS }, (_, i) => client.set(name(i), 'x')));
}

eachVariant((test) => {
    test('finds every key once it stands still', async (s) => {
        const client = await s.fresh();
        await fill(client, (i) => `ocr:session:${i}`);
        await client.set('ocr:task:queue:marker', 'x');
        const keys = await collect(s, client.scanIterator({ MATCH: 'ocr:session:*', COUNT: 100 }));
        assert.equal(new Set(keys).size, KEYS);
        assert.ok(keys.every((key) => key.startsWith('ocr:session:')));
    });

    test('keys that stay are found while others come and go', async (s) => {
        const client = await s.fresh();
        const writer = await s.client();
        await fill(client, (i) => `stay:${i}`);
        const found = new Set();
        let round = 0;
        for await (const page of client.scanIterator({ COUNT: 50 })) {
            for (const key of [].concat(page)) found.add(key);
            if (s.major === 4 && round++ % 50) continue;
            await Promise.all(Array.from({ length: 40 }, (_, i) =>
                writer.set(`pass:${round}:${i}`, 'x')));
            await writer.del(Array.from({ length: 20 }, (_, i) => `pass:${round}:${i}`));
            if (s.major !== 4) round++;
        }
        for (let i = 0; i < KEYS; i++) assert.ok(found.has(`stay:${i}`), `stay:${i}`);
    });

    test('walks only one type', async (s) => {
        const client = await s.fresh();
        await client.set('text', 'x');
        await client.lPush('list', 'x');
        await client.hSet('hash', 'f', 'x');
        assert.deepEqual(await collect(s, client.scanIterator({ TYPE: 'list' })), ['list']);
    });

    test('walks a hash, a set and a sorted set', async (s) => {
        const client = await s.fresh();
        const names = Array.from({ length: 1000 }, (_, i) => `n${i}`);
        await client.hSet('h', Object.fromEntries(names.map((n) => [n, `v-${n}`])));
        await client.sAdd('s', names);
        await client.zAdd('z', names.map((value, score) => ({ value, score })));
        const fields = await collect(s, client.hScanIterator('h'));
        assert.equal(new Map(fields.map(({ field, value }) => [field, value])).size, 1000);
        assert.ok(fields.every(({ field, value }) => value === `v-${field}`));
        const members = await collect(s, client.sScanIterator('s', { MATCH: 'n99*' }));
        assert.equal(new Set(members).size, 11);
        const scored = await collect(s, client.zScanIterator('z'));
        assert.ok(scored.every(({ value, score }) => value === `n${score}`));
        assert.equal(new Set(scored.map(({ value }) => value)).size, 1000);
    });
});
