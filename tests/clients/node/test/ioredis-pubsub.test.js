'use strict';
/* Notifications through ioredis: a subscriber connection, patterns, shard channels, coming back. */

const assert = require('node:assert/strict');
const { ioredisTests } = require('../lib/ioredis');
const { Inbox, until } = require('../../../lib/wait');

const test = ioredisTests();

test('channels and patterns', async (open) => {
    const redis = open();
    const sub = open();
    const [messages, matches] = [new Inbox(), new Inbox()];
    sub.on('message', messages.put);
    sub.on('pmessage', matches.put);
    assert.equal(await sub.subscribe('ocr:notifications', 'other'), 2);
    assert.equal(await sub.psubscribe('ocr:notifications:user:*'), 3);
    assert.equal(await redis.publish('ocr:notifications', '{"task":1}'), 1);
    assert.equal(await redis.publish('ocr:notifications:user:9', 'yours'), 1);
    assert.deepEqual(await messages.take(1), [['ocr:notifications', '{"task":1}']]);
    assert.deepEqual(await matches.take(1),
        [['ocr:notifications:user:*', 'ocr:notifications:user:9', 'yours']]);
    assert.equal(await sub.unsubscribe('other'), 2);
    assert.equal(await sub.unsubscribe('ocr:notifications'), 1);
    assert.equal(await sub.punsubscribe('ocr:notifications:user:*'), 0);
    assert.equal(await sub.ping(), 'PONG');
});

test('bytes as they were sent', async (open) => {
    const sub = open();
    const inbox = new Inbox();
    sub.on('messageBuffer', inbox.put);
    await sub.subscribe('raw');
    await open().publish('raw', Buffer.from([0, 255, 13, 10]));
    assert.deepEqual((await inbox.take(1))[0][1], Buffer.from([0, 255, 13, 10]));
});

test('shard channels', async (open) => {
    const sub = open();
    const inbox = new Inbox();
    sub.on('smessage', inbox.put);
    assert.equal(await sub.ssubscribe('jobs'), 1);
    assert.equal(await open().spublish('jobs', 'go'), 1);
    assert.deepEqual(await inbox.take(1), [['jobs', 'go']]);
});

test('the library refuses ordinary commands while it listens', async (open) => {
    const sub = open();
    await sub.subscribe('x');
    await assert.rejects(sub.get('k'), /subscriber mode/);
});

test('listens again after the connection was killed', async (open) => {
    const redis = open();
    const sub = open({ retryStrategy: () => 20 });
    const inbox = new Inbox();
    sub.on('message', inbox.put);
    await sub.subscribe('news');
    assert.ok(await redis.client('KILL', 'TYPE', 'pubsub') >= 1);
    await until(async () => {
        await redis.publish('news', 'again');
        return inbox.items.length;
    }, 'the subscriber to return');
    assert.deepEqual(inbox.items[0], ['news', 'again']);
});
