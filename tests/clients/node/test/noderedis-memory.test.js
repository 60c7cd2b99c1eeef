'use strict';
/* How full the server is, and what one key costs. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');

const field = (info, name) => new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1];

eachVariant((test) => {
    test('INFO memory has the fields that dashboards read', async (s) => {
        const client = await s.fresh();
        const info = await client.info('memory');
        assert.match(info, /^# Memory\r\n/);
        for (const name of ['used_memory', 'used_memory_rss', 'used_memory_peak', 'maxmemory',
            'used_memory_dataset', 'mem_fragmentation_ratio']) {
            assert.ok(Number(field(info, name)) >= 0, name);
        }
        assert.equal(field(info, 'maxmemory_policy'), 'noeviction');
        assert.match(field(info, 'used_memory_human'), /^\d+\.\d\d[BKMG]$/);
    });

    test('used memory follows what is stored', async (s) => {
        const client = await s.fresh();
        const used = async () => Number(field(await client.info('memory'), 'used_memory'));
        const before = await used();
        const names = Array.from({ length: 4096 }, (_, i) => `page:${i}`);
        const page = Buffer.alloc(2048);
        for (const name of names) await client.set(name, page);
        const full = await used();
        assert.ok(full - before > 8 << 20 && full - before < 13 << 20, `${full - before}`);
        await client.del(names);
        assert.ok(await used() < before + (4 << 20));
    });

    test('MEMORY USAGE grows with the value', async (s) => {
        const client = await s.fresh();
        await client.hSet('ocr:task:data:1', { status: 'pending' });
        const small = await client.memoryUsage('ocr:task:data:1');
        assert.ok(small > 20 && small < 400, String(small));
        await client.hSet('ocr:task:data:1', { text: 'x'.repeat(10000) });
        assert.ok(await client.memoryUsage('ocr:task:data:1') > 10000);
        assert.ok(await client.memoryUsage('ocr:task:data:1', { SAMPLES: 0 }) > 10000);
        assert.equal(await client.memoryUsage('none'), null);
    });

    test('OBJECT tells how a value is kept', async (s) => {
        const client = await s.fresh();
        await client.set('n', '42');
        await client.hSet('h', { a: 1 });
        await client.sAdd('ids', ['1', '2']);
        await client.zAdd('z', { score: 1, value: 'a' });
        assert.equal(await client.objectEncoding('n'), 'int');
        assert.equal(await client.objectEncoding('h'), 'listpack');
        assert.equal(await client.objectEncoding('ids'), 'intset');
        assert.equal(await client.objectEncoding('z'), 'listpack');
        assert.ok(await client.objectIdleTime('h') <= 1);
        assert.equal(await client.objectRefCount('h'), 1);
    });

    test('INFO has the sections and key counts', async (s) => {
        const client = await s.fresh();
        await client.setEx('a', 100, '1');
        await client.set('b', '2');
        const info = await client.info();
        for (const name of ['redis_version', 'process_id', 'tcp_port', 'uptime_in_seconds',
            'connected_clients', 'total_commands_processed', 'keyspace_hits', 'used_cpu_sys']) {
            assert.ok(field(info, name) !== undefined, name);
        }
        assert.match(field(info, 'db0'), /^keys=2,expires=1,avg_ttl=\d+/);
        assert.equal(field(info, 'role'), 'master');
    });
});
