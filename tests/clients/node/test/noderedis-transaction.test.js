'use strict';
/* All or nothing: MULTI/EXEC, and optimistic locking with WATCH. */

const assert = require('node:assert/strict');
const { eachVariant, plain } = require('../lib/noderedis');

eachVariant((test) => {
    test('a task is queued, described and counted at once', async (s) => {
        const client = await s.fresh();
        const replies = await client.multi()
            .lPush('ocr:task:queue', '12')
            .hSet('ocr:task:data:12', { status: 'pending', user_id: 'u' })
            .incr('ocr:stats:tasks:total')
            .hGetAll('ocr:task:data:12')
            .exec();
        assert.deepEqual(replies.slice(0, 3), [1, 2, 1]);
        assert.deepEqual(plain(replies[3]), { status: 'pending', user_id: 'u' });
    });

    test('an empty transaction and a discarded one change nothing', async (s) => {
        const client = await s.fresh();
        assert.deepEqual(await client.multi().exec(), []);
        await client.sendCommand(['MULTI']);
        assert.equal(await client.sendCommand(['SET', 'k', 'v']), 'QUEUED');
        assert.equal(await client.sendCommand(['DISCARD']), 'OK');
        assert.equal(await client.exists('k'), 0);
    });

    test('one failing command leaves the others done', async (s) => {
        const client = await s.fresh();
        await client.set('text', 'abc');
        await assert.rejects(
            client.multi().set('before', '1').incr('text').set('after', '2').exec(),
            (error) => {
                assert.equal(error.replies.length, 3);
                assert.match(error.replies[1].message, /not an integer/);
                return true;
            });
        assert.deepEqual(await client.mGet(['before', 'after']), ['1', '2']);
    });

    test('an unknown command aborts the whole transaction', async (s) => {
        const client = await s.fresh();
        await assert.rejects(client.multi().set('k', 'v').addCommand(['NOSUCHCOMMAND']).exec(),
            /EXECABORT|unknown command/);
        assert.equal(await client.exists('k'), 0);
    });

    test('nobody sees a transaction half done', async (s) => {
        const writer = await s.fresh();
        const reader = await s.client();
        await writer.mSet({ left: '0', right: '0' });
        const writes = [];
        const reads = [];
        for (let i = 0; i < 300; i++) {
            writes.push(writer.multi().incr('left').incr('right').exec());
            reads.push(reader.mGet(['left', 'right']));
        }
        await Promise.all(writes);
        for (const [left, right] of await Promise.all(reads)) assert.equal(left, right);
    });

    test('a watched key that changes makes the writer try again', async (s) => {
        const client = await s.fresh();
        const rival = await s.client();
        await client.set('balance', '10');
        let attempts = 0;
        for (;;) {
            attempts++;
            await client.watch('balance');
            const balance = Number(await client.get('balance'));
            if (attempts === 1) await rival.incrBy('balance', 100);
            try {
                await client.multi().set('balance', String(balance + 1)).exec();
                break;
            } catch (error) {
                assert.ok(error instanceof s.library.WatchError, String(error));
            }
        }
        assert.equal(attempts, 2);
        assert.equal(await client.get('balance'), '111');
    });

    test('UNWATCH forgets, and a key touched without change does not abort', async (s) => {
        const client = await s.fresh();
        const rival = await s.client();
        await client.set('k', '1');
        await client.watch('k');
        await rival.set('k', '2');
        await client.unwatch();
        assert.deepEqual(await client.multi().get('k').exec(), ['2']);
        await client.watch(['k', 'l']);
        await rival.get('k');
        await rival.del('l');
        assert.deepEqual(await client.multi().get('k').exec(), ['2']);
    });

    test('concurrent writers with WATCH lose no update', async (s) => {
        const client = await s.fresh();
        await client.set('n', '0');
        const add = async (writer) => {
            for (let done = 0; done < 20;) {
                await writer.watch('n');
                const n = Number(await writer.get('n'));
                try {
                    await writer.multi().set('n', String(n + 1)).exec();
                    done++;
                } catch (error) {
                    if (!(error instanceof s.library.WatchError)) throw error;
                }
            }
        };
        await Promise.all((await Promise.all([1, 2, 3, 4].map(() => s.client()))).map(add));
        assert.equal(await client.get('n'), '80');
    });
});
