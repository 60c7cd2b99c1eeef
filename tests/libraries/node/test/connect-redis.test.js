'use strict';
/* connect-redis under express-session, over real HTTP with cookies. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { RedisStore } = require('connect-redis');
const express = require('express');
const session = require('express-session');
const { nodeRedis } = require('../lib/clients');
const { serverForFile } = require('../../../lib/server');
const { until } = require('../../../lib/wait');

const server = serverForFile();

/* A web application; returns visit(path, cookie) -> {status, body, cookie}. */
async function application(t, store, cookie = {}) {
    const app = express();
    app.use(session({ store, resave: false, saveUninitialized: false, secret: 'keyboard cat', cookie }));
    app.use(express.json());
    app.get('/count', (request, response) => {
        request.session.views = (request.session.views || 0) + 1;
        response.json({ views: request.session.views, id: request.sessionID });
    });
    app.get('/look', (request, response) => response.json({ views: request.session.views || 0 }));
    app.post('/login', (request, response, next) => {
        const { views } = request.session;
        request.session.regenerate((error) => {
            if (error) return next(error);
            Object.assign(request.session, { views, user: request.body.user });
            return response.json({ id: request.sessionID });
        });
    });
    app.get('/me', (request, response) => response.json({ user: request.session.user || null }));
    app.post('/logout', (request, response, next) => {
        request.session.destroy((error) => (error ? next(error) : response.json({})));
    });
    const http = app.listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.after(() => { http.closeAllConnections(); http.close(); });
    const base = `http://127.0.0.1:${http.address().port}`;
    return async (path, had, body) => {
        const reply = await fetch(base + path, {
            method: body ? 'POST' : 'GET', body: body && JSON.stringify(body),
            headers: { 'content-type': 'application/json', ...(had && { cookie: had }) },
        });
        const set = reply.headers.get('set-cookie');
        return { status: reply.status, body: await reply.json(), cookie: set ? set.split(';')[0] : had };
    };
}

const call = (store, method, ...args) => new Promise((resolve, reject) => {
    store[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
});

test('a session lasts over requests, and over applications', async (t) => {
    const client = await nodeRedis(server, t);
    const [one, two] = [
        await application(t, new RedisStore({ client, prefix: 'myapp:' })),
        await application(t, new RedisStore({ client: await nodeRedis(server, t), prefix: 'myapp:' })),
    ];
    const first = await one('/count');
    assert.equal(first.body.views, 1);
    assert.match(first.cookie, /^connect\.sid=/);
    assert.equal((await two('/count', first.cookie)).body.views, 2);
    assert.equal((await one('/count', first.cookie)).body.views, 3);
    assert.equal((await one('/count')).body.views, 1);
    assert.equal(JSON.parse(await client.get(`myapp:${first.body.id}`)).views, 3);
    const ttl = await client.ttl(`myapp:${first.body.id}`);
    assert.ok(ttl > 86390 && ttl <= 86400, `${ttl}`);
});

test('logging in, regenerating, logging out', async (t) => {
    const client = await nodeRedis(server, t);
    const visit = await application(t, new RedisStore({ client, prefix: 'login:' }));
    const before = await visit('/count');
    const after = await visit('/login', before.cookie, { user: 'Ann Ä' });
    assert.notEqual(after.cookie, before.cookie);
    assert.deepEqual((await visit('/me', after.cookie)).body, { user: 'Ann Ä' });
    assert.deepEqual((await visit('/me', before.cookie)).body, { user: null });
    assert.deepEqual(await client.keys('login:*'), [`login:${after.body.id}`]);
    assert.equal((await visit('/logout', after.cookie, {})).status, 200);
    assert.deepEqual((await visit('/me', after.cookie)).body, { user: null });
    assert.deepEqual(await client.keys('login:*'), []);
});

test('a look keeps the session alive; its end comes by itself', async (t) => {
    const client = await nodeRedis(server, t);
    const visit = await application(t, new RedisStore({ client, prefix: 'short:' }), { maxAge: 1000, rolling: true });
    const { body, cookie } = await visit('/count');
    const key = `short:${body.id}`;
    assert.ok(await client.pTTL(key) <= 1000);
    await until(async () => await client.pTTL(key) < 600, 'some of its life to pass');
    assert.equal((await visit('/look', cookie)).body.views, 1);
    await until(async () => await client.pTTL(key) > 600, 'the touch');
    await until(async () => await client.exists(key) === 0, 'its end');
    assert.equal((await visit('/look', cookie)).body.views, 0);
});

test('no touch, no lifetime, a lifetime of the session\'s own', async (t) => {
    const client = await nodeRedis(server, t);
    const still = new RedisStore({ client, prefix: 'still:', disableTouch: true, ttl: 100 });
    const visit = await application(t, still);
    const { body, cookie } = await visit('/count');
    assert.ok(await client.expire(`still:${body.id}`, 50));
    await visit('/look', cookie);
    assert.ok(await client.ttl(`still:${body.id}`) <= 50);
    const forever = new RedisStore({ client, prefix: 'forever:', disableTTL: true });
    await call(forever, 'set', 'a', { cookie: {}, n: 1 });
    assert.equal(await client.ttl('forever:a'), -1);
    const own = new RedisStore({ client, prefix: 'own:', ttl: (data) => data.seconds });
    await call(own, 'set', 'a', { cookie: {}, seconds: 77 });
    assert.ok(await client.ttl('own:a') >= 76);
    await call(own, 'set', 'b', { cookie: {}, seconds: 0 });
    assert.equal(await client.exists('own:b'), 0);
});

test('the store as a whole: many sessions are counted, listed, cleared', async (t) => {
    const client = await nodeRedis(server, t);
    const store = new RedisStore({ client, prefix: 'many:', scanCount: 50 });
    const other = new RedisStore({ client, prefix: 'other:' });
    await Promise.all(Array.from({ length: 500 }, (_, n) => call(store, 'set', `s${n}`, { cookie: {}, n })));
    await call(other, 'set', 'x', { cookie: {} });
    assert.equal(await call(store, 'length'), 500);
    assert.equal(new Set(await call(store, 'ids')).size, 500);
    const all = await call(store, 'all');
    assert.deepEqual(all.map((each) => each.n).sort((a, b) => a - b), Array.from({ length: 500 }, (_, n) => n));
    assert.ok(all.every((each) => each.id === `s${each.n}`));
    await call(store, 'destroy', 's7');
    assert.equal(await call(store, 'get', 's7'), null);
    await call(store, 'clear');
    assert.equal(await call(store, 'length'), 0);
    assert.equal(await call(other, 'length'), 1);
});
