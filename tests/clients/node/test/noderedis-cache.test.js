'use strict';
/* A cache in front of something slow: read through, invalidate on change, sweep by pattern. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');

/* The slow original, counting how often it is asked. */
class Origin {
    constructor() {
        this.users = new Map([['u1', { name: 'john', role: 'user' }]]);
        this.asked = 0;
    }

    read(id) {
        this.asked++;
        return this.users.get(id);
    }
}

class Cached {
    constructor(client, origin) {
        Object.assign(this, { client, origin });
    }

    async user(id) {
        const key = `ocr:cache:user:${id}`;
        const hit = await this.client.get(key);
        if (hit !== null) return JSON.parse(hit);
        const user = this.origin.read(id);
        await this.client.setEx(key, 300, JSON.stringify(user));
        return user;
    }

    async rename(id, name) {
        this.origin.users.get(id).name = name;
        await this.client.del(`ocr:cache:user:${id}`);
    }
}

eachVariant((test) => {
    test('the second read does not reach the origin', async (s) => {
        const client = await s.fresh();
        const cached = new Cached(client, new Origin());
        assert.deepEqual(await cached.user('u1'), { name: 'john', role: 'user' });
        assert.deepEqual(await cached.user('u1'), { name: 'john', role: 'user' });
        assert.equal(cached.origin.asked, 1);
        assert.ok(await client.ttl('ocr:cache:user:u1') > 290);
    });

    test('a change is seen by the next read', async (s) => {
        const cached = new Cached(await s.fresh(), new Origin());
        await cached.user('u1');
        await cached.rename('u1', 'joanna');
        assert.equal((await cached.user('u1')).name, 'joanna');
        assert.equal(cached.origin.asked, 2);
    });

    test('all users are dropped by pattern, files stay', async (s) => {
        const client = await s.fresh();
        for (let i = 0; i < 30; i++) {
            await client.setEx(`ocr:cache:user:${i}`, 300, '{}');
            await client.setEx(`ocr:cache:file:${i}`, 600, '{}');
        }
        const keys = await client.keys('ocr:cache:user:*');
        assert.equal(keys.length, 30);
        assert.equal(await client.unlink(keys), 30);
        assert.deepEqual(await client.keys('ocr:cache:user:*'), []);
        assert.equal(await client.dbSize(), 30);
    });

    test('many values in one request', async (s) => {
        const client = await s.fresh();
        assert.equal(await client.mSet({ a: '1', b: '2' }), 'OK');
        assert.deepEqual(await client.mGet(['a', 'none', 'b']), ['1', null, '2']);
        assert.equal(Number(await client.mSetNX({ b: 'x', c: 'y' })), 0);
        assert.equal(await client.exists(['a', 'b', 'c', 'a']), 3);
        assert.equal(await client.touch(['a', 'b', 'c']), 2);
    });
});
