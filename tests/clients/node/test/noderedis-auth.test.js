'use strict';
/* A server with a password. */

const assert = require('node:assert/strict');
const { eachVariant } = require('../lib/noderedis');

eachVariant((test) => {
    test('lets in who knows the password', async (s) => {
        const client = await s.client({ password: 'open sesame' });
        assert.equal(await client.ping(), 'PONG');
        const named = await s.client({ username: 'default', password: 'open sesame' });
        assert.equal(await named.ping(), 'PONG');
    });

    test('tells the others what is missing', async (s) => {
        const socket = { reconnectStrategy: false };
        await assert.rejects(async () => (await s.client({ socket })).ping(), /NOAUTH/);
        await assert.rejects(s.client({ password: 'wrong', socket }), /WRONGPASS/);
    });
}, '--requirepass', 'open sesame');
