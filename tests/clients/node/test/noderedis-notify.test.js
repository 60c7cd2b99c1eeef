'use strict';
/* Telling people that their task is done: channels and patterns. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');
const { Inbox } = require('../../../lib/wait');

eachVariant((test) => {
    test('a message reaches every subscriber of its channel', async (s) => {
        const publisher = await s.client();
        const inboxes = [new Inbox(), new Inbox()];
        for (const inbox of inboxes) {
            await (await s.client()).subscribe('ocr:notifications', inbox.put);
        }
        const message = JSON.stringify({ type: 'task_completed', task_id: '7' });
        assert.equal(await publisher.publish('ocr:notifications', message), 2);
        assert.equal(await publisher.publish('ocr:notifications:user:1', message), 0);
        for (const inbox of inboxes) {
            assert.deepEqual(await inbox.take(1), [[message, 'ocr:notifications']]);
        }
    });

    test('a pattern hears every user', async (s) => {
        const publisher = await s.client();
        const inbox = new Inbox();
        const listener = await s.client();
        await listener.pSubscribe('ocr:notifications:*', inbox.put);
        assert.equal(await publisher.publish('ocr:notifications:user:5', 'for five'), 1);
        assert.equal(await publisher.publish('ocr:notifications', 'for all'), 0);
        assert.equal(await publisher.publish('ocr:notifications:task:8', 'for a task'), 1);
        assert.deepEqual(await inbox.take(2), [
            ['for five', 'ocr:notifications:user:5'],
            ['for a task', 'ocr:notifications:task:8'],
        ]);
    });

    test('channel and pattern both deliver to one connection', async (s) => {
        const publisher = await s.client();
        const [exact, pattern] = [new Inbox(), new Inbox()];
        const listener = await s.client();
        await listener.subscribe('news', exact.put);
        await listener.pSubscribe('n?ws', pattern.put);
        assert.equal(await publisher.publish('news', 'x'), 2);
        await exact.take(1);
        await pattern.take(1);
    });

    test('no message after unsubscribing', async (s) => {
        const publisher = await s.client();
        const inbox = new Inbox();
        const listener = await s.client();
        await listener.subscribe(['a', 'b'], inbox.put);
        await listener.unsubscribe('a');
        assert.equal(await publisher.publish('a', '1'), 0);
        assert.equal(await publisher.publish('b', '2'), 1);
        assert.deepEqual(await inbox.take(1), [['2', 'b']]);
        await listener.unsubscribe();
        assert.equal(String(await listener.ping()), 'PONG');
    });

    test('shard channels have a space of their own', async (s) => {
        const publisher = await s.client();
        const inbox = new Inbox();
        const listener = await s.client();
        await listener.sSubscribe('jobs', inbox.put);
        assert.equal(await publisher.publish('jobs', 'not this'), 0);
        assert.equal(await publisher.sPublish('jobs', 'this'), 1);
        assert.deepEqual(await inbox.take(1), [['this', 'jobs']]);
        assert.deepEqual(await publisher.pubSubShardChannels(), ['jobs']);
        await listener.sUnsubscribe('jobs');
    });

    test('the server tells who listens', async (s) => {
        const client = await s.client();
        const listener = await s.client();
        await listener.subscribe(['x1', 'x2'], () => {});
        await listener.pSubscribe('y*', () => {});
        assert.deepEqual((await client.pubSubChannels('x*')).sort(), ['x1', 'x2']);
        assert.deepEqual({ ...await client.pubSubNumSub(['x1', 'none']) }, { x1: 1, none: 0 });
        assert.ok(await client.pubSubNumPat() >= 1);
    });

    test('messages keep their bytes', async (s) => {
        const publisher = await s.client();
        const inbox = new Inbox();
        await (await s.client()).subscribe('raw', inbox.put, true);
        const bytes = Buffer.from([0, 13, 10, 255, 128, 36]);
        await publisher.publish('raw', bytes);
        assert.deepEqual((await inbox.take(1))[0][0], bytes);
    });

    test('ten thousand messages arrive in order', async (s) => {
        const publisher = await s.client();
        const inbox = new Inbox();
        await (await s.client()).subscribe('flood', inbox.put);
        const sent = Array.from({ length: 10000 }, (_, i) => String(i));
        await Promise.all(sent.map((m) => publisher.publish('flood', m)));
        assert.deepEqual((await inbox.take(10000)).map(([m]) => m), sent);
    });

    test('in RESP3 a subscriber goes on issuing commands', async (s) => {
        if (s.resp !== 3) return;
        const client = await s.fresh();
        const inbox = new Inbox();
        await client.subscribe('self', inbox.put);
        assert.equal(await client.set('k', 'v'), 'OK');
        assert.equal(await client.publish('self', 'hello'), 1);
        assert.equal(await client.get('k'), 'v');
        assert.deepEqual(await inbox.take(1), [['hello', 'self']]);
    });
});
