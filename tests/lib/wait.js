'use strict';
/* Waiting on events: tests never sleep and hope. */

const LIMIT_MS = 40000; /* sanitized servers on busy machines are slow */

/* Resolves with the first truthy result of probe(), asked again and again. */
async function until(probe, what = 'condition') {
    const end = Date.now() + LIMIT_MS;
    for (;;) {
        const result = await probe();
        if (result) return result;
        if (Date.now() > end) throw new Error(`waited too long for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

/* Collects what a callback is called with, so that a test can await the nth call. */
class Inbox {
    constructor() {
        this.items = [];
        this.put = (...args) => { this.items.push(args); };
    }

    async take(count) {
        await until(() => this.items.length >= count, `${count} messages`);
        return this.items.splice(0, count);
    }
}

/* Resolves once the server reports a client blocked in a command. */
function blockedClients(info, count = 1) {
    return until(async () => (await info()).includes(`blocked_clients:${count}\r\n`),
        `${count} blocked clients`);
}

module.exports = { Inbox, blockedClients, until };
